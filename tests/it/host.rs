//! Definitions of a host program behave like built-in ones: listed, completed, explained,
//! suggested.

use std::sync::{Arc, Mutex};

use dumpql::extend::{
    Accumulator, Batch, CallColumn, ColumnSpec, Cx, DynTable, Fault, FuncCx, FunctionKind,
    FunctionSpec, Scan, ScanError, ScanRequest, Signature, Table, TableFunction, TableSpec,
};
use dumpql::{Code, ColumnBuilder, Options, Session, Ty, Value};

/// A table of numbers from 0 on that records what scans request.
struct Numbers(Arc<Mutex<Vec<Asked>>>);

#[derive(Debug, Clone, PartialEq)]
struct Asked {
    columns: Vec<usize>,
    hints: usize,
    limit: Option<usize>,
}

impl Table for Numbers {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn spec(&self, _: bool) -> TableSpec {
        let columns = vec![
            ColumnSpec::new("n", "The number.", Ty::Int),
            ColumnSpec::new("word", "The number in words.", Ty::Text),
        ];
        TableSpec::new("numbers", "Three numbers.", columns)
    }

    fn scan(&self, _: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError> {
        self.0.lock().unwrap().push(Asked {
            columns: request.columns.to_vec(),
            hints: request.hints.len(),
            limit: request.limit,
        });
        let rows = request.limit.unwrap_or(3).min(3);
        let column = |&index: &usize| {
            let mut builder = ColumnBuilder::new(if index == 0 { Ty::Int } else { Ty::Text });
            for (n, word) in (0i64..).zip(["zero", "one", "two"]).take(rows) {
                match index {
                    0 => builder.push_int(Ok(n)),
                    _ => builder.push_text(Ok(word)),
                }
            }
            builder.finish()
        };
        Ok(Scan::of(Batch { columns: request.columns.iter().map(column).collect(), rows }))
    }
}

/// The sum of the lengths of texts.
#[derive(Default)]
struct Letters(i64);

impl Accumulator for Letters {
    fn add(&mut self, args: &[Value<'_>]) -> Result<(), Fault> {
        let text = args[0].as_text().unwrap_or_default();
        if text == "bad" {
            return Err(Fault::BadValue("no letters in `bad`".to_owned()));
        }
        self.0 += i64::try_from(text.len()).unwrap();
        Ok(())
    }

    fn merge(&mut self, later: &Self) -> Result<(), Fault> {
        self.0 += later.0;
        Ok(())
    }

    fn finish(&self) -> Result<Value<'static>, Fault> {
        Ok(Value::Int(self.0))
    }
}

const TEXT_TO_INT: &[Signature] = &[Signature::new(&[Ty::Text], Ty::Int)];
const TEXT: &[Signature] = &[Signature::new(&[Ty::Text], Ty::Text)];

fn shout() -> FunctionSpec {
    FunctionSpec::new("shout", FunctionKind::Scalar, TEXT, "The text, louder.")
}

#[allow(clippy::unnecessary_wraps, reason = "what a function gives")]
fn null(_: &FuncCx<'_>, _: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    Ok(Value::Null)
}

fn pair() -> TableFunction {
    const ANY: &[Signature] = &[Signature::new(&[Ty::Text], Ty::Null)];
    TableFunction::new("pair", ANY, "Two rows.", |args| {
        let text = args[0].as_text().unwrap_or_default().to_owned();
        Ok(DynTable {
            columns: vec![CallColumn::new("text", Ty::Text), CallColumn::new("n", Ty::Int)],
            rows: Box::new(move |_, emit| {
                for n in [1, 2] {
                    if emit.row(vec![Ok(Value::text(text.clone())), Ok(Value::Int(n))]).is_break() {
                        return;
                    }
                }
            }),
        })
    })
}

fn session() -> (Session, Arc<Mutex<Vec<Asked>>>) {
    let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    let asked = Arc::<Mutex<Vec<Asked>>>::default();
    session.add_table(Numbers(Arc::clone(&asked))).unwrap();
    session
        .add_scalar(shout(), |_, args| {
            Ok(Value::text(args[0].as_text().unwrap_or_default().to_uppercase() + "!"))
        })
        .unwrap();
    let letters = FunctionSpec::new("letters", FunctionKind::Aggregate, TEXT_TO_INT, "Letters.");
    session.add_aggregate::<Letters>(letters).unwrap();
    session.add_table_function(pair()).unwrap();
    (session, asked)
}

fn rows(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let cells = |row| (0..result.fields().len()).map(move |c| (row, c));
    let line = |row| cells(row).map(|(r, c)| result.text(r, c)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

#[test]
fn they_answer() {
    let (session, _) = session();
    let of = |sql: &str| rows(&session, sql);
    assert_eq!(of("FROM numbers WHERE n >= 1"), ["1|one", "2|two"]);
    assert_eq!(of("SELECT shout(word) FROM numbers LIMIT 1"), ["ZERO!"]);
    assert_eq!(of("SELECT shout(NULL)"), [""]);
    // Only the host's aggregate itself knows its result over no rows.
    let letters = "(SELECT letters(s) FROM (VALUES (1, 'ab')) AS v(k, s) WHERE v.k = numbers.n)";
    assert_eq!(of(&format!("SELECT {letters} FROM numbers WHERE n < 2 ORDER BY n")), ["0", "2"]);
    assert_eq!(
        of("SELECT n > 0 AS k, letters(word) FROM numbers GROUP BY k ORDER BY k"),
        ["false|4", "true|6"]
    );
    assert_eq!(of("SELECT letters(DISTINCT left(word, 1)) FROM numbers"), ["3"]);
    assert_eq!(of("SELECT letters('abc') FROM range(100000)"), ["300000"]);
    assert_eq!(of("SELECT letters(word) FROM numbers WHERE false"), ["0"]);
    assert_eq!(of("FROM pair('x')"), ["x|1", "x|2"]);
    assert_eq!(of("SELECT n FROM pair('x') LIMIT 1"), ["1"]);
}

#[test]
fn a_scan_receives_columns_hints_and_limit() {
    let (session, asked) = session();
    let of = |sql: &str| {
        asked.lock().unwrap().clear();
        session.query(sql).unwrap();
        asked.lock().unwrap().clone()
    };
    let one =
        |columns: &[usize], hints, limit| vec![Asked { columns: columns.to_vec(), hints, limit }];
    assert_eq!(of("SELECT word FROM numbers"), one(&[1], 0, None));
    assert_eq!(of("SELECT n FROM numbers LIMIT 2"), one(&[0], 0, Some(2)));
    assert_eq!(of("SELECT n FROM numbers WHERE n = 1"), one(&[0], 1, None));
    assert_eq!(
        of("SELECT count(*) FROM numbers a JOIN numbers b ON a.n = b.n"),
        one(&[0], 0, None)
    );
}

#[test]
fn definitions_of_a_host_are_listed_with_built_in_ones() {
    let (session, _) = session();
    let of = |sql: &str| rows(&session, sql);
    assert_eq!(of("SELECT doc FROM meta.tables WHERE name = 'numbers'"), ["Three numbers."]);
    let columns = "SELECT name, type FROM meta.columns WHERE \"table\" = 'numbers' ORDER BY name";
    assert_eq!(of(columns), ["n|INTEGER", "word|VARCHAR"]);
    let functions = "SELECT name, kind FROM meta.functions WHERE family = 'host' ORDER BY name";
    assert_eq!(of(functions), ["letters|aggregate", "pair|table", "shout|scalar"]);
    let shown = rows(&session, "SHOW TABLES");
    assert!(shown.iter().any(|line| line.starts_with("numbers|")), "{shown:?}");
    assert_eq!(of("DESCRIBE numbers").len(), 2);
    let plan = of("EXPLAIN SELECT shout(word) FROM numbers WHERE n = 1").join("\n");
    assert!(plan.contains("numbers") && plan.contains("shout"), "{plan}");
    let catalog = session.catalog();
    assert!(catalog.table("Numbers").is_some() && catalog.function("SHOUT").is_some());
}

#[test]
fn misspelt_names_get_suggestions() {
    let (session, _) = session();
    for (sql, code, name) in [
        ("FROM number", Code::UnknownTable, "numbers"),
        ("SELECT shoud('x')", Code::UnknownFunction, "shout"),
        ("SELECT wrd FROM numbers", Code::UnknownColumn, "word"),
        ("SELECT shout(1, 2)", Code::BadArguments, "shout(VARCHAR)"),
    ] {
        let error = session.query(sql).unwrap_err();
        assert_eq!(error.code(), code, "{sql}: {error}");
        let text = error.render(None, false);
        assert!(text.contains(name), "{sql}: {text}");
    }
    let error = session.query("SELECT letters(x) FROM (VALUES ('a'), ('bad')) t(x)").unwrap_err();
    assert_eq!(error.code(), Code::Conversion);
    assert!(error.render(None, false).contains("no letters in `bad`"));
}

#[test]
fn a_name_in_use_is_an_error() {
    let (session, asked) = session();
    let same = |name: &'static str, kind| FunctionSpec::new(name, kind, TEXT, "Again.");
    let taken = [
        session.add_table(Numbers(asked)),
        session.add_scalar(shout(), null),
        session.add_scalar(same("upper", FunctionKind::Scalar), null),
        session.add_scalar(same("sum", FunctionKind::Scalar), null),
        session.add_scalar(same("mean", FunctionKind::Scalar), null),
        session.add_aggregate::<Letters>(same("shout", FunctionKind::Aggregate)),
        session.add_table_function(pair()),
    ];
    for outcome in taken {
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), Code::BadQuery);
        assert!(error.to_string().contains("already"), "{error}");
    }
    let wrong = session.add_scalar(same("new", FunctionKind::Aggregate), null).unwrap_err();
    assert!(wrong.to_string().contains("another kind"), "{wrong}");
    // Definitions are added to one session only.
    let other = Session::from_images(Vec::new(), &Options::default()).unwrap();
    assert_eq!(other.query("FROM numbers").unwrap_err().code(), Code::UnknownTable);
}
