//! Arrow data of a host program as tables: copied once, or made for each scan.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dumpql::extend::{ArrowBatches, ArrowColumns, ArrowTable, struct_array};
use dumpql::polars_arrow::array::{Array, Int64Array, PrimitiveArray, StructArray, Utf8ViewArray};
use dumpql::polars_arrow::datatypes::{ArrowDataType, Field, IntervalUnit, TimeUnit};
use dumpql::{Code, Options, Params, Session, Value};

fn session() -> Session {
    Session::from_images(Vec::new(), &Options::default()).unwrap()
}

fn fields(columns: &[(&str, ArrowDataType)]) -> ArrowDataType {
    let field =
        |(name, dtype): &(&str, ArrowDataType)| Field::new((*name).into(), dtype.clone(), true);
    ArrowDataType::Struct(columns.iter().map(field).collect())
}

fn batch(dtype: &ArrowDataType, columns: Vec<Box<dyn Array>>) -> StructArray {
    StructArray::new(dtype.clone(), columns[0].len(), columns, None)
}

fn numbers() -> ArrowDataType {
    fields(&[("n", ArrowDataType::Int64), ("word", ArrowDataType::Utf8View)])
}

fn number_batch(from: i64) -> Box<dyn Array> {
    let n = Int64Array::from_vec(vec![from, from + 1]).boxed();
    let word = Utf8ViewArray::from_slice([Some("even"), None]).boxed();
    batch(&numbers(), vec![n, word]).boxed()
}

fn texts(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let cell = |row, column| match result.value(row, column) {
        Value::Null => "-".to_owned(),
        _ => result.text(row, column),
    };
    let columns = result.fields().len();
    let line = |row| (0..columns).map(|column| cell(row, column)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

#[test]
fn exported_results_can_be_attached_again_unchanged() {
    let sample = Session::sample().unwrap();
    for sql in [
        "SELECT * FROM threads",
        "SELECT * FROM modules",
        "SELECT true AS b, 1.5 AS d, TIMESTAMP '2026-01-02' AS t, INTERVAL '1 s' AS i, NULL AS n",
        "SELECT name FROM modules WHERE false",
    ] {
        let result = sample.query(sql).unwrap();
        let mut columns = None;
        for batch in result.record_batches().unwrap() {
            let array = struct_array(batch);
            let columns = columns.get_or_insert_with(|| ArrowColumns::new(array.dtype()).unwrap());
            columns.push(&array).unwrap();
        }
        let session = session();
        let columns = columns.map(ArrowColumns::finish).unwrap_or_default();
        let is_empty = columns.is_empty();
        session.attach_rows("back", columns).unwrap();
        if is_empty {
            assert!(result.is_empty(), "{sql}");
            continue;
        }
        let back = session.query("FROM back").unwrap();
        assert_eq!(back.len(), result.len(), "{sql}");
        for row in 0..result.len() {
            for column in 0..result.fields().len() {
                assert_eq!(back.value(row, column), result.value(row, column), "{sql}");
            }
        }
    }
}

#[test]
fn an_arrow_table_makes_its_batches_for_each_scan() {
    let session = session();
    let opened = Arc::<AtomicUsize>::default();
    let read = Arc::<AtomicUsize>::default();
    let (opens, reads) = (Arc::clone(&opened), Arc::clone(&read));
    let open = move || {
        opens.fetch_add(1, Ordering::SeqCst);
        let reads = Arc::clone(&reads);
        let each = (0..5).map(move |n| {
            reads.fetch_add(1, Ordering::SeqCst);
            Ok(number_batch(2 * n))
        });
        Ok(Box::new(each) as ArrowBatches)
    };
    let table = ArrowTable::new("many", "Ten numbers.", &numbers(), open).unwrap();
    session.add_table(table).unwrap();
    assert_eq!(opened.load(Ordering::SeqCst), 0);
    assert_eq!(texts(&session, "SELECT count(*), count(word), sum(n) FROM many"), ["10|5|45"]);
    assert_eq!((opened.load(Ordering::SeqCst), read.load(Ordering::SeqCst)), (1, 5));
    assert_eq!(texts(&session, "SELECT word, n FROM many LIMIT 3"), ["even|0", "-|1", "even|2"]);
    assert_eq!((opened.load(Ordering::SeqCst), read.load(Ordering::SeqCst)), (2, 7));
    assert_eq!(
        texts(&session, "SELECT doc FROM meta.tables WHERE name = 'many'"),
        ["Ten numbers."]
    );
}

#[test]
fn an_error_of_a_scan_ends_the_query() {
    let session = session();
    let add = |name: &str, open: fn() -> Result<ArrowBatches, String>| {
        session.add_table(ArrowTable::new(name, "A table.", &numbers(), open).unwrap()).unwrap();
    };
    add("closed", || Err("the service is closed".to_owned()));
    add("broken", || {
        let batches = [Ok(number_batch(0)), Err("the service is gone".to_owned())];
        Ok(Box::new(batches.into_iter()))
    });
    add("other", || {
        let dtype = fields(&[("n", ArrowDataType::Int64)]);
        let rows = batch(&dtype, vec![Int64Array::from_vec(vec![1]).boxed()]);
        Ok(Box::new(std::iter::once(Ok(rows.boxed()))))
    });
    for (table, message) in
        [("closed", "is closed"), ("broken", "is gone"), ("other", "differ in their columns")]
    {
        let error = session.query(&format!("SELECT n FROM {table}")).unwrap_err();
        assert_eq!(error.code(), Code::NoSource);
        assert!(error.span().is_some(), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn decimals_cross_arrow_as_what_they_are() {
    let decimal = ArrowDataType::Decimal(9, 2);
    let dtype = fields(&[("x", decimal.clone())]);
    let values = PrimitiveArray::<i128>::from(vec![Some(150), None, Some(-5)]).to(decimal).boxed();
    let mut columns = ArrowColumns::new(&dtype).unwrap();
    columns.push(&batch(&dtype, vec![values])).unwrap();
    let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    session.attach_rows("d", columns.finish()).unwrap();
    let result = session.query("SELECT x, sum(x) OVER () AS s FROM d").unwrap();
    assert_eq!(crate::rows::texts(&result), ["1.50|1.45", "|1.45", "-0.05|1.45"]);
    assert_eq!(result.fields()[0].ty.name(), "DECIMAL(9,2)");
    assert_eq!(result.column_values::<f64>("x"), Some(vec![Some(1.5), None, Some(-0.05)]));
    assert_eq!(result.column_values::<i64>("x"), Some(vec![None; 3]));
}

#[test]
fn unsupported_arrow_types_are_an_error() {
    for dtype in [
        ArrowDataType::Int64,
        fields(&[("x", ArrowDataType::Interval(IntervalUnit::MonthDayNano))]),
        fields(&[("x", fields(&[("y", ArrowDataType::Int64)]))]),
    ] {
        assert_eq!(ArrowColumns::new(&dtype).unwrap_err().code, Code::BadQuery, "{dtype:?}");
    }
    let twice = fields(&[("x", ArrowDataType::Int64), ("X", ArrowDataType::Int64)]);
    let open = || Err(String::new());
    assert_eq!(ArrowTable::new("t", "", &twice, open).unwrap_err().code, Code::BadQuery);
    let seconds = ArrowDataType::Timestamp(TimeUnit::Second, None);
    let dtype = fields(&[("t", seconds.clone())]);
    let far = Int64Array::new(seconds, vec![i64::MAX].into(), None).boxed();
    let error = ArrowColumns::new(&dtype).unwrap().push(&batch(&dtype, vec![far])).unwrap_err();
    assert_eq!(error.code, Code::Overflow);
}

#[test]
fn values_of_a_program_are_converted_to_parameter_types() {
    use dumpql::library::{find_query, typed_parameters};
    let of = |name: &str, given: &[(&str, Value<'static>)]| {
        let given: Params = given.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        typed_parameters(find_query(name).unwrap(), &given)
    };
    for (value, wanted) in [
        (Value::Int(4096), Value::Addr(4096)),
        (Value::Addr(4096), Value::Addr(4096)),
        (Value::text("0x1000"), Value::Addr(0x1000)),
        (Value::Null, Value::Null),
    ] {
        assert_eq!(of("module-at", &[("address", value)]).unwrap()["address"], wanted);
    }
    assert_eq!(of("oldest-modules", &[]).unwrap()["top"], Value::Int(15));
    assert_eq!(of("oldest-modules", &[("top", Value::Addr(3))]).unwrap()["top"], Value::Int(3));
    assert_eq!(of("oldest-modules", &[("other", Value::Int(1))]).unwrap()["other"], Value::Int(1));
    for (name, given) in [
        ("module-at", vec![]),
        ("module-at", vec![("address", Value::Int(-1))]),
        ("oldest-modules", vec![("top", Value::text("many"))]),
    ] {
        assert_eq!(of(name, &given).unwrap_err().code(), Code::Parameter);
    }
}
