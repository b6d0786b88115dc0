//! Laws for every table on every source: whole systems of both pointer sizes, triage dumps, user
//! minidumps, the project's own logs, and real dumps if they are there.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::atomic::AtomicBool;

use dumpql::internals::catalog::{
    Absent, Batch, Catalog, Cell, ColumnData, Data, Hint, HintOp, SourceKind, Ty, Value,
};
use dumpql::internals::dump::Image;
use dumpql::internals::model::Source;
use dumpql::internals::source;
use dumpql::internals::symbol::{Search, Store};
use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::internals::table::{
    ALL, Cx, NamedSource, Progress, Scan, ScanError, ScanRequest, Table,
};
use rayon::prelude::*;

use crate::system::Names;
use crate::{corpus, made, watchdog};

/// A source with its name.
type Named = (String, Box<dyn Source>);

/// An open image, with these symbols.
fn opened(image: Image, store: &Store) -> Named {
    (image.path().to_owned(), source::open(image, store).expect("it is a source"))
}

/// A whole system that has something of everything, with the names of its variables.
fn whole(windows: Windows) -> Named {
    let system = synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::sick(windows) });
    let names = Names::of(&system);
    let paths = vec![names.path().to_owned()];
    let store = Store::new(&Search { paths, ..Search::default() }).expect("a file of names");
    let image = Image::from_bytes(&format!("{windows:?}"), system.to_vec(Format::BitmapFull));
    let named = opened(image, &store);
    // The store reads a file when it is first asked, and the file goes with its owner.
    assert!(named.1.memory().address_of("nt!KiProcessorBlock").is_ok(), "the names are believed");
    named
}

/// Sources of every kind that are made here.
fn sources() -> Vec<Named> {
    let store = Store::default();
    let mut all = vec![
        whole(Windows::Server2003Pae),
        whole(Windows::Windows10),
        opened(Image::from_bytes("triage", synth::triage_sample()), &store),
        opened(Image::from_bytes("x64 process", made::minidump(true)), &store),
        opened(Image::from_bytes("x86 process", made::minidump(false)), &store),
    ];
    for (number, log) in made::files("tests/log/own", "txt").into_iter().enumerate() {
        all.push(opened(Image::from_bytes(&format!("log {number}"), log), &store));
    }
    all
}

/// Every source with every table.
fn each(sources: &[Named], law: impl Fn(&str, &dyn Source, &dyn Table) + Sync) {
    let pairs: Vec<(&Named, &&dyn Table)> =
        sources.iter().flat_map(|source| ALL.iter().map(move |table| (source, table))).collect();
    pairs.into_par_iter().for_each(|((name, source), table)| {
        let at = format!("{name}: {}", table.name());
        let _watched = watchdog::watch(at.as_str());
        law(&at, &**source, *table);
    });
}

fn scan(table: &dyn Table, source: &dyn Source, request: &ScanRequest<'_>) -> Option<Batch> {
    match try_scan(table, source, request) {
        Ok(scan) => Some(scan.batch),
        Err(ScanError::NoSource(_)) => None,
        Err(other) => panic!("{}: {other:?}", table.name()),
    }
}

fn try_scan(
    table: &dyn Table,
    source: &dyn Source,
    request: &ScanRequest<'_>,
) -> Result<Scan, ScanError> {
    let cancelled = AtomicBool::new(false);
    let progress = Progress::default();
    let catalog = Catalog::new(
        ALL.iter().map(|t| t.spec(false)).collect(),
        dumpql::internals::session::shipped().functions().to_vec(),
    );
    let cx = Cx {
        catalog: &catalog,
        sources: &[NamedSource { name: "it", source }],
        cancelled: &cancelled,
        progress: &progress,
        room: usize::MAX,
    };
    table.scan(&cx, request)
}

fn all_columns(table: &dyn Table) -> Vec<usize> {
    (0..table.spec(false).columns.len()).collect()
}

/// A value of a column, or why there is none.
fn cell(column: &ColumnData, row: usize) -> Cell<Value<'_>> {
    if let Some(absent) = column.absent(row) {
        return Err(absent);
    }
    Ok(match (&column.data, column.ty) {
        (Data::Bool(values), _) => Value::Bool(values[row]),
        (Data::Int(values), Ty::Time) => Value::Time(values[row]),
        (Data::Int(values), Ty::Interval) => Value::Interval(values[row]),
        (Data::Int(values), _) => Value::Int(values[row]),
        (Data::Double(values), _) => Value::Double(values[row]),
        (Data::Addr(values), _) => Value::Addr(values[row]),
        (Data::Text { bytes, ends }, _) => {
            let start = row.checked_sub(1).map_or(0, |before| ends[before]);
            Value::text(&bytes[start..ends[row]])
        }
    })
}

/// A number that equal rows share.
fn sum(batch: &Batch, row: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    for column in &batch.columns {
        match cell(column, row) {
            Ok(Value::Text(text)) => text.hash(&mut hasher),
            Ok(Value::Bool(v)) => v.hash(&mut hasher),
            Ok(Value::Int(v) | Value::Time(v) | Value::Interval(v)) => v.hash(&mut hasher),
            Ok(Value::Addr(v)) => v.hash(&mut hasher),
            Ok(Value::Double(v)) => v.to_bits().hash(&mut hasher),
            Ok(other) => unreachable!("{other:?} is in no column"),
            Err(absent) => absent.hash(&mut hasher),
        }
    }
    hasher.finish()
}

fn sums(batch: &Batch) -> Vec<u64> {
    (0..batch.rows).map(|row| sum(batch, row)).collect()
}

/// A table answers exactly the kinds of source that it names.
fn kinds_are_named(sources: &[Named]) {
    each(sources, |at, source, table| {
        let kinds = table.spec(false).kinds;
        if kinds.is_empty() {
            return;
        }
        match try_scan(table, source, &ScanRequest::default()) {
            Ok(_) => assert!(kinds.contains(&source.kind()), "{at} is answered"),
            Err(ScanError::NoSource(why)) if why.iter().all(|(_, w)| w.because.is_none()) => {
                assert!(!kinds.contains(&source.kind()), "{at} is not answered");
            }
            Err(ScanError::NoSource(_)) => {}
            Err(other) => panic!("{at}: {other:?}"),
        }
    });
}

/// Columns have their declared types and as many values as there are rows; a value that is not there
/// has a reason that is one.
fn columns_are_as_declared(sources: &[Named]) {
    each(sources, |at, source, table| {
        let columns = all_columns(table);
        let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
        let Some(batch) = scan(table, source, &request) else { return };
        assert_eq!(batch.columns.len(), columns.len());
        for (spec, column) in table.spec(false).columns.iter().zip(&batch.columns) {
            let at = format!("{at}.{}", spec.name);
            assert_eq!(spec.ty, column.ty, "{at}");
            let values = match &column.data {
                Data::Bool(values) => values.len(),
                Data::Int(values) => values.len(),
                Data::Double(values) => values.len(),
                Data::Addr(values) => values.len(),
                Data::Text { ends, .. } => ends.len(),
            };
            assert_eq!(values, batch.rows, "{at}");
            assert!(column.absent.is_empty() || column.absent.len() == batch.rows, "{at}");
            let is_reason = |code: &u8| *code == 0 || Absent::from_code(*code).is_some();
            assert!(column.absent.iter().all(is_reason), "{at}");
            assert!(
                column.absent.is_empty() || column.absent.iter().any(|code| *code != 0),
                "{at}"
            );
        }
    });
}

/// Selecting one column gives the same values as selecting all.
fn columns_stand_alone(sources: &[Named]) {
    each(sources, |at, source, table| {
        let columns = all_columns(table);
        let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
        let Some(whole) = scan(table, source, &request) else { return };
        for &column in &columns {
            let request = ScanRequest { columns: &[column], ..ScanRequest::default() };
            let alone = scan(table, source, &request).expect("the table is answered");
            let at = format!("{at}.{}", table.spec(false).columns[column].name);
            assert_eq!(alone.rows, whole.rows, "{at}");
            assert!(alone.columns[0] == whole.columns[column], "{at}");
        }
    });
}

/// Two scans are equal, and a limit gives the first rows of what no limit gives.
fn limits_give_the_first_rows(sources: &[Named]) {
    each(sources, |at, source, table| {
        let columns = all_columns(table);
        let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
        let Some(whole) = scan(table, source, &request) else { return };
        assert!(scan(table, source, &request).as_ref() == Some(&whole), "{at}");
        let expected = sums(&whole);
        for limit in [0, 1, 2, 5, 17, whole.rows.saturating_sub(1), whole.rows + 1] {
            let request = ScanRequest { limit: Some(limit), ..request };
            let part = scan(table, source, &request).expect("the table is answered");
            let most = whole.rows.min(limit);
            assert_eq!(sums(&part), expected[..most], "{at}: the first {limit}");
        }
    });
}

/// Conditions that values of a column fulfil, and some that none fulfils.
fn conditions(column: &ColumnData, rows: usize) -> Vec<HintOp> {
    let there: Vec<usize> = (0..rows).filter(|row| column.absent(*row).is_none()).collect();
    let at = |share: usize| {
        let row = there.get(there.len().saturating_sub(1) * share / 4)?;
        Some(cell(column, *row).expect("it is there").into_owned())
    };
    let (Some(first), Some(second), Some(last)) = (at(0), at(2), at(4)) else { return Vec::new() };
    let (low, high) =
        if is_at_most(&first, &second) { (&first, &second) } else { (&second, &first) };
    let mut all = vec![
        HintOp::In(vec![second.clone()]),
        HintOp::Range(Some(low.clone()), Some(high.clone())),
        HintOp::In(vec![first.clone(), last.clone()]),
        HintOp::In(Vec::new()),
        HintOp::Range(Some(high.clone()), None),
        HintOp::Range(None, Some(low.clone())),
        HintOp::Range(Some(last.clone()), Some(last.clone())),
    ];
    if let Value::Text(text) = &second {
        let start: String = text.chars().take(2).collect();
        all.extend([HintOp::Prefix(start), HintOp::Prefix(text.to_string())]);
    }
    all
}

fn is_at_most(low: &Value<'_>, high: &Value<'_>) -> bool {
    match (low, high) {
        (Value::Bool(a), Value::Bool(b)) => a <= b,
        (Value::Int(a), Value::Int(b))
        | (Value::Time(a), Value::Time(b))
        | (Value::Interval(a), Value::Interval(b)) => a <= b,
        (Value::Addr(a), Value::Addr(b)) => a <= b,
        (Value::Double(a), Value::Double(b)) => a <= b,
        (Value::Text(a), Value::Text(b)) => a <= b,
        other => panic!("values of two types: {other:?}"),
    }
}

fn fulfils(value: &Cell<Value<'_>>, op: &HintOp) -> bool {
    let Ok(value) = value else { return false };
    match op {
        HintOp::In(values) => values.contains(value),
        HintOp::Range(low, high) => {
            low.as_ref().is_none_or(|low| is_at_most(low, value))
                && high.as_ref().is_none_or(|high| is_at_most(value, high))
        }
        HintOp::Prefix(prefix) => {
            value.as_text().is_some_and(|text| text.starts_with(prefix.as_str()))
        }
        other => panic!("{other:?} is no condition of these laws"),
    }
}

/// A table with more rows is scanned fewer times.
const MANY_ROWS: usize = 200;

/// Hints that are taken from the data lose no row that fulfils them, keep the order, and change no
/// row. Returns the columns whose hints left out rows.
fn hints_lose_nothing(sources: &[Named]) -> BTreeSet<String> {
    let narrowed = std::sync::Mutex::new(BTreeSet::new());
    each(sources, |at, source, table| {
        let columns = all_columns(table);
        let spec = table.spec(false);
        let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
        let Some(whole) = scan(table, source, &request) else { return };
        let all = sums(&whole);
        for (index, column) in whole.columns.iter().enumerate() {
            // Of tables that search memory for many rows, the first few conditions of each column.
            let most = if whole.rows > MANY_ROWS { 3 } else { usize::MAX };
            for op in conditions(column, whole.rows).into_iter().take(most) {
                let hints = [Hint { column: index, op: op.clone() }];
                let hinted = scan(table, source, &ScanRequest { hints: &hints, ..request });
                let hinted = hinted.expect("the table is answered");
                let kept = |batch: &Batch, sums: &[u64]| -> Vec<u64> {
                    let is_kept = |row: &usize| fulfils(&cell(&batch.columns[index], *row), &op);
                    (0..batch.rows).filter(is_kept).map(|row| sums[row]).collect()
                };
                let name = spec.columns[index].name;
                let (found, expected) = (kept(&hinted, &sums(&hinted)), kept(&whole, &all));
                assert!(
                    found == expected,
                    "{at}.{name}: {op:?}: {} of {} rows",
                    found.len(),
                    expected.len()
                );
                if hinted.rows < whole.rows {
                    narrowed.lock().unwrap().insert(format!("{}.{name}", spec.name));
                }
            }
        }
    });
    narrowed.into_inner().unwrap()
}

/// Every dump of the corpus.
fn real() -> Vec<Named> {
    let store = Store::default();
    let paths = corpus::dumps("kernel").into_iter().chain(corpus::dumps("user"));
    paths.map(|path| opened(Image::open(&path).expect("it can be opened"), &store)).collect()
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn the_laws_hold_for_real_dumps() {
    let sources = real();
    kinds_are_named(&sources);
    columns_are_as_declared(&sources);
    columns_stand_alone(&sources);
    limits_give_the_first_rows(&sources);
    hints_lose_nothing(&sources);
}

#[test]
fn a_table_names_exactly_the_kinds_of_source_that_answer_it() {
    kinds_are_named(&sources());
}

#[test]
fn every_column_has_its_declared_type_and_a_value_or_a_reason_in_every_row() {
    columns_are_as_declared(&sources());
}

#[test]
fn selecting_one_column_gives_the_same_values_as_selecting_all() {
    columns_stand_alone(&sources());
}

#[test]
fn a_limit_gives_the_first_rows_and_scans_are_repeatable() {
    limits_give_the_first_rows(&sources());
}

#[test]
fn a_hint_never_loses_a_row_that_satisfies_it() {
    let narrowed = hints_lose_nothing(&sources());
    // Hints are of use: these leave out rows that they need not make.
    for column in NARROWED {
        assert!(narrowed.contains(column), "{column}: hints leave out nothing; {narrowed:?}");
    }
}

/// Columns by which some source leaves out rows.
const NARROWED: [&str; 4] =
    ["pool_allocations.tag", "stacks.tid", "raw_stack.address", "threads.dump"];

/// Without rows the laws would hold trivially.
#[test]
fn every_table_has_rows_from_some_synthetic_source() {
    let sources = sources();
    let filled = |table: &&dyn Table| {
        sources.iter().any(|(_, source)| {
            scan(*table, &**source, &ScanRequest::default()).is_some_and(|batch| batch.rows > 0)
        })
    };
    // What only logs fill is held by the samples of `tests/log`.
    let is_of_dumps = |table: &dyn Table| {
        let kinds = table.spec(false).kinds;
        [SourceKind::Kernel, SourceKind::Triage, SourceKind::User]
            .iter()
            .any(|kind| kinds.contains(kind))
    };
    let is_empty = |table: &&&dyn Table| {
        is_of_dumps(**table) && !EMPTY.contains(&table.name()) && !filled(table)
    };
    let empty: Vec<_> = ALL.iter().filter(is_empty).map(|table| table.name()).collect();
    assert!(empty.is_empty(), "{empty:?}");
}

/// Tables of commands that no log of the project has, and of crashes that no system made here has.
const EMPTY: [&str; 9] = [
    "suspects",
    "verifier_stacks",
    "mapped_files",
    "pool_faults",
    "blocked_drivers",
    "error_records",
    "system_ptes",
    "apcs",
    "page_table",
];
