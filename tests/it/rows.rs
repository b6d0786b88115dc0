//! Rows that tests of the language run over, for dumpql and for other engines alike.

use dumpql::internals::catalog::{Absent, Cell, ColumnBuilder, ColumnData};
use dumpql::{Options, Session, Ty, Value};

/// A table of constant rows.
pub(crate) struct Rows {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<(&'static str, Ty)>,
    pub(crate) data: Vec<Vec<Value<'static>>>,
}

impl Rows {
    /// The columns as a session takes them.
    pub(crate) fn columns(&self) -> Vec<(String, ColumnData)> {
        let column = |(index, (name, ty)): (usize, &(&str, Ty))| {
            let mut builder = ColumnBuilder::new(*ty);
            for row in &self.data {
                push(&mut builder, &row[index]);
            }
            ((*name).to_owned(), builder.finish())
        };
        self.columns.iter().enumerate().map(column).collect()
    }
}

fn push(builder: &mut ColumnBuilder, value: &Value<'static>) {
    match value {
        Value::Null => builder.push_absent(Absent::NotInDump),
        Value::Bool(v) => builder.push_bool(Ok(*v)),
        Value::Int(v) | Value::Time(v) | Value::Interval(v) => builder.push_int(Ok(*v)),
        Value::Double(v) => builder.push_double(Ok(*v)),
        Value::Text(v) => builder.push_text(Cell::Ok(v)),
        Value::Addr(v) => builder.push_addr(Ok(*v)),
        other => unreachable!("tables of tests hold no {other:?}"),
    }
}

/// The rows of a result as text, columns with bars between.
pub(crate) fn texts(result: &dumpql::ResultSet) -> Vec<String> {
    let cells = |row| (0..result.fields().len()).map(move |column| result.text(row, column));
    (0..result.len()).map(|row| cells(row).collect::<Vec<_>>().join("|")).collect()
}

/// A session over these tables, and over a small triage dump if asked for.
pub(crate) fn session(tables: &[Rows], sample: bool) -> Session {
    let session = if sample {
        crate::corpus::triage_sample()
    } else {
        Session::from_images(Vec::new(), &Options::default()).expect("no dump at all")
    };
    for table in tables {
        session.attach_rows(table.name, table.columns()).expect("the rows fit");
    }
    session
}

fn int(v: Option<i64>) -> Value<'static> {
    v.map_or(Value::Null, Value::Int)
}

fn double(v: Option<f64>) -> Value<'static> {
    v.map_or(Value::Null, Value::Double)
}

fn text(v: Option<&'static str>) -> Value<'static> {
    v.map_or(Value::Null, Value::text)
}

fn truth(v: Option<bool>) -> Value<'static> {
    v.map_or(Value::Null, Value::Bool)
}

/// The tables of `tests/slt`; `tables.slt` there shows their rows.
pub(crate) fn small() -> Vec<Rows> {
    type Num = (i64, Option<i64>, Option<f64>, Option<&'static str>, Option<bool>);
    let nums: [Num; 6] = [
        (1, Some(1), Some(0.5), Some("apple"), Some(true)),
        (2, Some(-2), None, Some("Banana"), Some(false)),
        (3, None, Some(1.5), None, None),
        (4, Some(7), Some(-3.25), Some(""), Some(true)),
        (5, Some(7), Some(2.0), Some("apple"), Some(false)),
        (6, Some(0), Some(100.0), Some("cherry pie"), None),
    ];
    let kinds = [
        (Some(1), "one"),
        (Some(7), "seven"),
        (Some(7), "lucky"),
        (Some(9), "nine"),
        (None, "none"),
    ];
    let events = [
        (
            1,
            Value::Time(1_194_630_125_500_000),
            Value::Interval(250_000),
            Value::Addr(0xffff_f801_a972_c530),
        ),
        (
            2,
            Value::Time(1_194_652_800_000_000),
            Value::Interval(93_600_000_000),
            Value::Addr(0x1000),
        ),
        (3, Value::Null, Value::Null, Value::Null),
        (4, Value::Time(946_684_799_999_999), Value::Interval(-5_000_000), Value::Addr(0)),
    ];
    vec![
        Rows {
            name: "nums",
            columns: vec![
                ("id", Ty::Int),
                ("n", Ty::Int),
                ("d", Ty::Double),
                ("s", Ty::Text),
                ("b", Ty::Bool),
            ],
            data: nums
                .into_iter()
                .map(|(i, n, d, s, b)| vec![Value::Int(i), int(n), double(d), text(s), truth(b)])
                .collect(),
        },
        Rows {
            name: "kinds",
            columns: vec![("n", Ty::Int), ("kind", Ty::Text)],
            data: kinds.into_iter().map(|(n, kind)| vec![int(n), Value::text(kind)]).collect(),
        },
        Rows {
            name: "events",
            columns: vec![
                ("id", Ty::Int),
                ("stamp", Ty::Time),
                ("took", Ty::Interval),
                ("ip", Ty::Addr),
            ],
            data: events
                .into_iter()
                .map(|(id, at, took, ip)| vec![Value::Int(id), at, took, ip])
                .collect(),
        },
        Rows { name: "nothing", columns: vec![("x", Ty::Int), ("y", Ty::Text)], data: Vec::new() },
    ]
}
