//! Queries over the test's own rows: the language and the engine together.

use std::fmt::Write as _;

use dumpql::internals::catalog::{Absent, ColumnBuilder, Value};
use dumpql::{Options, ResultSet, Session, Ty};

/// Threads and drivers, few enough to compute answers by hand. `t.a` has a NULL that was paged out.
fn session() -> Session {
    let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    let mut id = ColumnBuilder::new(Ty::Int);
    let mut a = ColumnBuilder::new(Ty::Int);
    let mut name = ColumnBuilder::new(Ty::Text);
    let mut addr = ColumnBuilder::new(Ty::Addr);
    let mut x = ColumnBuilder::new(Ty::Double);
    let rows = [
        (1, Some(10), "ntfs", 0x8000_0000_0000_0000, 1.5),
        (2, Some(20), "tcpip", 0x1000, -0.5),
        (3, None, "ntfs", 0x2000, f64::NAN),
        (4, Some(20), "Ntfs", 0x1000, 2.5),
        (5, Some(30), "a long name of a driver", 0x3000, 0.0),
    ];
    for (i, v, n, p, d) in rows {
        id.push_int(Ok(i));
        a.push_int(v.ok_or(Absent::PagedOut));
        name.push_text(Ok(n));
        addr.push_addr(Ok(p));
        x.push_double(Ok(d));
    }
    let columns = [("id", id), ("a", a), ("name", name), ("addr", addr), ("x", x)];
    let columns = columns.map(|(n, b)| (n.to_owned(), b.finish()));
    session.attach_rows("t", columns.into()).unwrap();
    let mut key = ColumnBuilder::new(Ty::Int);
    let mut label = ColumnBuilder::new(Ty::Text);
    for (k, l) in [(20, "twenty"), (30, "thirty"), (20, "score"), (40, "forty")] {
        key.push_int(Ok(k));
        label.push_text(Ok(l));
    }
    let columns = vec![("k".to_owned(), key.finish()), ("label".to_owned(), label.finish())];
    session.attach_rows("u", columns).unwrap();
    let mut many = ColumnBuilder::new(Ty::Int);
    (0..15_000).for_each(|i| many.push_int(Ok(i)));
    session.attach_rows("many", vec![("i".to_owned(), many.finish())]).unwrap();
    session
}

fn lines(result: &ResultSet) -> String {
    let cell = |row, col| match result.value(row, col) {
        Value::Null => "NULL".to_owned(),
        _ => result.text(row, col),
    };
    let line =
        |row| (0..result.fields().len()).map(|col| cell(row, col)).collect::<Vec<_>>().join(" | ");
    (0..result.len()).map(line).collect::<Vec<_>>().join("\n")
}

fn check(cases: &[(&str, &str)]) {
    let session = session();
    let mut wrong = String::new();
    for (sql, expected) in cases {
        let found = match session.query(sql) {
            Ok(result) => lines(&result),
            Err(error) => error.to_string(),
        };
        if found != *expected {
            let _ = write!(wrong, "\n{sql}\n--- expected\n{expected}\n--- found\n{found}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn expressions() {
    check(&[
        ("SELECT a + 1 FROM t ORDER BY id", "11\n21\nNULL\n21\n31"),
        ("SELECT a / 0, a // 0, a % 0 FROM t LIMIT 1", "NULL | NULL | NULL"),
        ("SELECT 7 // -2, -7 // 2, 7 % -3, -7 % 3", "-3 | -3 | 1 | -1"),
        ("SELECT id FROM t WHERE name LIKE 'n%'", "1\n3"),
        ("SELECT id FROM t WHERE name ILIKE 'NTFS'", "1\n3\n4"),
        ("SELECT id FROM t WHERE a IN (10, NULL)", "1"),
        ("SELECT id FROM t WHERE a NOT IN (10, NULL)", ""),
        ("SELECT id FROM t WHERE a IS NOT DISTINCT FROM NULL", "3"),
        ("SELECT id FROM t WHERE addr = 4096", "2\n4"),
        ("SELECT id FROM t WHERE addr > -1 AND addr < 0x1001", "2\n4"),
        ("SELECT id FROM t WHERE x > 1e300", "3"),
        (
            "SELECT CASE WHEN id = 1 THEN 'one' WHEN a > 25 THEN 'big' END FROM t",
            "one\nNULL\nNULL\nNULL\nbig",
        ),
        (
            "SELECT CAST('12.5' AS INTEGER), 2.5e0::INTEGER, TRY_CAST('x' AS INTEGER)",
            "13 | 2 | NULL",
        ),
        ("SELECT a FROM t WHERE id <> 3 AND 100 / (id - 3) > 0 ORDER BY id", "20\n30"),
        ("SELECT 'x' || a FROM t WHERE id = 1", "x10"),
    ]);
}

#[test]
fn grouping_and_aggregates() {
    check(&[
        (
            "SELECT a, count(*), sum(id) FROM t GROUP BY a",
            "10 | 1 | 1\n20 | 2 | 6\nNULL | 1 | 3\n30 | 1 | 5",
        ),
        (
            "SELECT count(*), count(a), sum(a), avg(a), min(name), max(addr) FROM t",
            "5 | 4 | 80 | 20.0 | Ntfs | 0x8000000000000000",
        ),
        (
            "SELECT count(*), sum(a), min(a), string_agg(name) FROM t WHERE false",
            "0 | NULL | NULL | NULL",
        ),
        ("SELECT count(DISTINCT a), sum(DISTINCT a) FROM t", "3 | 60"),
        (
            "SELECT count(*) FILTER (WHERE a > 10), sum(id) FILTER (WHERE name = 'ntfs') FROM t",
            "3 | 4",
        ),
        ("SELECT string_agg(name, '-' ORDER BY id DESC) FROM t WHERE id < 4", "ntfs-tcpip-ntfs"),
        (
            "SELECT first(a ORDER BY id DESC), last(a), any_value(a), arg_max(name, x) FROM t",
            "30 | 30 | 10 | ntfs",
        ),
        (
            "SELECT median(a), quantile_cont(a, 0.25), quantile_disc(a, 0.3), mode(a) FROM t",
            "20.0 | 17.5 | 20 | 20",
        ),
        (
            "SELECT stddev_samp(id), var_pop(id), bool_and(id > 0), bit_or(id), product(id) FROM t",
            "1.5811388300841898 | 2.0 | true | 7 | 120.0",
        ),
        ("SELECT name, count(*) AS n FROM t GROUP BY name HAVING count(*) > 1", "ntfs | 2"),
        ("SELECT max(x), min(x) FROM t", "nan | -0.5"),
    ]);
}

#[test]
fn joins_sets_and_sub_queries() {
    check(&[
        (
            "SELECT id, label FROM t JOIN u ON a = k",
            "2 | twenty\n2 | score\n4 | twenty\n4 | score\n5 | thirty",
        ),
        (
            "SELECT id, label FROM t RIGHT JOIN u ON a = k AND id > 2",
            "4 | twenty\n4 | score\n5 | thirty\nNULL | forty",
        ),
        ("SELECT id, k FROM t LEFT JOIN u ON a < k AND k = 30 WHERE id < 3", "1 | 30\n2 | 30"),
        ("SELECT count(*) FROM t, u", "20"),
        ("SELECT id FROM t SEMI JOIN u ON a = k", "2\n4\n5"),
        ("SELECT id FROM t ANTI JOIN u ON a = k", "1\n3"),
        ("SELECT a FROM t EXCEPT SELECT k FROM u", "10\nNULL"),
        ("SELECT k FROM u INTERSECT ALL SELECT a FROM t", "20\n30\n20"),
        ("SELECT a FROM t UNION SELECT k FROM u", "10\n20\nNULL\n30\n40"),
        (
            "SELECT DISTINCT ON (a) a, id FROM t ORDER BY a NULLS FIRST, id DESC",
            "NULL | 3\n10 | 1\n20 | 4\n30 | 5",
        ),
        ("SELECT id FROM t WHERE a IN (SELECT k FROM u)", "2\n4\n5"),
        ("SELECT id FROM t WHERE a NOT IN (SELECT k FROM u)", "1"),
        ("SELECT (SELECT max(k) FROM u), EXISTS (SELECT 1 FROM u WHERE k > 100)", "40 | false"),
        (
            "WITH w AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT x.a FROM w x JOIN w y ON x.n = y.n AND x.a < y.a",
            "10",
        ),
        ("SELECT id FROM t ORDER BY name, id DESC LIMIT 3 OFFSET 1", "5\n3\n1"),
        ("VALUES (1, 'a'), (2, NULL)", "1 | a\n2 | NULL"),
        ("SELECT why(a) FROM t WHERE a IS NULL", "paged out"),
    ]);
}

#[test]
fn faults() {
    check(&[
        (
            "SELECT id + 9223372036854775807 FROM t",
            "E0302: 1 + 9223372036854775807 is outside the range of INTEGER",
        ),
        (
            "SELECT sum(id + 9223372036854775800) FROM t",
            "E0302: sum is 46116860184273879015, outside the range of INTEGER",
        ),
        ("SELECT CAST(name AS INTEGER) FROM t", "E0303: `ntfs` is not of type INTEGER"),
        ("SELECT (SELECT k FROM u)", "E0304: a sub-query used as a value gave 4 rows"),
        (
            "SELECT id FROM t WHERE name ~ '('",
            "E0206: `(` is not a regular expression: unclosed group",
        ),
        (
            "SELECT count(*) FROM many a, many b",
            "E0307: the join yields 225000000 rows, more than the limit of 200000000",
        ),
        ("SELECT base FROM modules", "E0301: `modules` needs a source, and none is open"),
    ]);
}
