//! Properties for generated inputs: queries of the whole grammar survive formatting, and tables
//! survive a CSV round trip.

use dumpql::internals::catalog::{Absent, ColumnBuilder, ColumnData, Ty};
use dumpql::internals::export::{FileFormat, Sheet, write};
use dumpql::internals::{import, lang};
use dumpql::{Options, Session};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::grammar::query;
use crate::parse::spanless;

/// A column of texts that are not inferred as another type, with NULLs.
fn texts(values: &[Option<String>]) -> ColumnData {
    let mut column = ColumnBuilder::new(Ty::Text);
    for value in values {
        column.push_text(value.as_deref().ok_or(Absent::NotApplicable));
    }
    column.finish()
}

fn numbers(values: &[Option<i64>]) -> ColumnData {
    let mut column = ColumnBuilder::new(Ty::Int);
    for value in values {
        column.push_int(value.ok_or(Absent::NotApplicable));
    }
    column.finish()
}

fn addresses(values: &[Option<u64>]) -> ColumnData {
    let mut column = ColumnBuilder::new(Ty::Addr);
    for value in values {
        column.push_addr(value.ok_or(Absent::NotApplicable));
    }
    column.finish()
}

/// Any characters after one that prevents inference of another type.
fn any_text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[\\PC\n\r\t\",;'=|]{0,12}".prop_map(|text| format!("x{text}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_the_same_behind_a_csv_file(
        rows in vec((any_text(), proptest::option::of(any::<i64>()), proptest::option::of(any::<u64>())), 1..20),
        tabs in any::<bool>(),
    ) {
        // A column with only NULLs has no type after the round trip.
        prop_assume!(rows.iter().any(|row| row.0.is_some()));
        prop_assume!(rows.iter().any(|row| row.1.is_some_and(|number| number < 0)));
        prop_assume!(rows.iter().any(|row| row.2.is_some()));
        let (texts, numbers, addresses) = (
            texts(&rows.iter().map(|row| row.0.clone()).collect::<Vec<_>>()),
            numbers(&rows.iter().map(|row| row.1).collect::<Vec<_>>()),
            addresses(&rows.iter().map(|row| row.2).collect::<Vec<_>>()),
        );
        let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
        let columns = vec![
            ("t".to_owned(), texts.clone()),
            ("n".to_owned(), numbers.clone()),
            ("a".to_owned(), addresses.clone()),
        ];
        session.attach_rows("r", columns).unwrap();
        let result = session.query("FROM r").unwrap();
        let format = if tabs { FileFormat::Tsv } else { FileFormat::Csv };
        let mut file = Vec::new();
        write(format, &[Sheet::new("r", "", &result)], &[], &mut file).unwrap();
        let options = import::Options { header: Some(true), ..import::Options::default() };
        let options = import::Options { delimiter: Some(if tabs { b'\t' } else { b',' }), ..options };
        let stop = std::sync::atomic::AtomicBool::new(false);
        let path = if tabs { "r.tsv" } else { "r.csv" };
        let back = import::Kind::Delimited.columns(&file, path, &options, &stop);
        let back = back.map_err(|error| TestCaseError::fail(error.0))?;
        let expected = vec![("t", texts), ("n", numbers), ("a", addresses)];
        let shown = String::from_utf8_lossy(&file).into_owned();
        for ((name, column), (expected_name, expected)) in back.iter().zip(&expected) {
            prop_assert_eq!(name, expected_name);
            prop_assert_eq!(column.ty, expected.ty, "{}", shown);
            prop_assert_eq!(&column.data, &expected.data, "{}", shown);
        }
    }

    #[test]
    fn formatting_preserves_the_tree_and_is_idempotent(input in vec(any::<u8>(), 0..600)) {
        let Some(text) = query(&input) else { return Ok(()) };
        let Ok(statements) = lang::parse(&text) else { return Ok(()) };
        let printed = lang::format(&statements);
        let again = lang::parse(&printed);
        let again = again.map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
        prop_assert_eq!(spanless(&again), spanless(&statements), "{}", printed);
        prop_assert_eq!(lang::format(&again), printed);
    }
}
