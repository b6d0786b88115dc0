//! PIVOT, UNPIVOT and samples, where DuckDB has no answer or a different one.

use dumpql::internals::diag::Code;
use dumpql::{CancelToken, Options, Session, Value};

use crate::rows::texts as rows;

fn session() -> Session {
    Session::open_with(&[], &Options::default()).unwrap()
}

fn of(sql: &str) -> Vec<String> {
    rows(
        &session()
            .query(sql)
            .unwrap_or_else(|error| panic!("{sql}\n{}", error.render(None, false))),
    )
}

fn code(sql: &str) -> Code {
    session().query(sql).unwrap_err().code()
}

#[test]
fn values_are_read_wherever_a_pivot_stands() {
    let t = "(VALUES ('a', 'x', 1), ('b', 'y', 2), ('a', 'x', 3)) AS t(k, w, n)";
    let expected = ["a|4|", "b||2"];
    for sql in [
        format!("PIVOT {t} ON w USING sum(n) GROUP BY k"),
        format!("WITH q AS (FROM {t}) PIVOT q ON w USING sum(n) GROUP BY k"),
        format!("WITH q AS (PIVOT {t} ON w USING sum(n) GROUP BY k) SELECT * FROM q"),
        format!("SELECT * FROM (PIVOT {t} ON w USING sum(n) GROUP BY k) AS p"),
        format!("FROM {t} |> PIVOT ON w USING sum(n) GROUP BY k"),
        format!("FROM {t} |> WHERE n > 0 |> PIVOT (sum(n) FOR w GROUP BY k)"),
        format!("CREATE VIEW v AS PIVOT {t} ON w USING sum(n) GROUP BY k; FROM v"),
        format!("CREATE MACRO m() AS TABLE PIVOT {t} ON w USING sum(n) GROUP BY k; FROM m()"),
        format!("CREATE TABLE s AS PIVOT {t} ON w USING sum(n) GROUP BY k; FROM s"),
    ] {
        assert_eq!(of(&sql), expected, "{sql}");
    }
    let sql = format!("PIVOT {t} ON w IN ($one, 'y') USING sum(n) GROUP BY k");
    let found = session().prepare(&sql).unwrap().value("one", Value::text("x")).run().unwrap();
    assert_eq!(rows(&found), expected);
}

#[test]
fn the_number_of_columns_is_bounded() {
    assert_eq!(code("PIVOT range(1001) AS r(i) ON i USING count(*)"), Code::Limit);
    let wide = session().query("PIVOT range(1000) AS r(i) ON i USING count(*)").unwrap();
    assert_eq!((wide.fields().len(), wide.len()), (1000, 1));
    assert_eq!(code("PIVOT range(100) AS r(i) ON i, i % 20 USING count(*)"), Code::Limit);
}

#[test]
fn values_are_read_within_the_limits_of_the_query() {
    let session = session();
    let sql = "PIVOT (SELECT a.i % 3 AS k, repeat('x', 1000) || a.i AS s FROM range(5000) AS a(i), range(10) AS b(i)) ON k, s USING count(*)";
    let small = session.prepare(sql).unwrap().memory(1 << 20);
    assert_eq!(small.run().unwrap_err().code(), Code::Limit);
    let token = CancelToken::new();
    token.cancel();
    let cancelled = session.prepare("PIVOT range(10) AS r(i) ON i").unwrap().cancel(&token);
    assert_eq!(cancelled.run().unwrap_err().code(), Code::Cancelled);
}

#[test]
fn correlated_pivots_need_listed_values() {
    let sql =
        "SELECT (SELECT a FROM (PIVOT (SELECT t.x AS w) ON w) AS p) FROM (VALUES ('a')) AS t(x)";
    assert_eq!(code(sql), Code::BadQuery);
    let sql = "SELECT (SELECT a FROM (PIVOT (SELECT t.x AS w) ON w IN ('a')) AS p) FROM (VALUES ('a')) AS t(x)";
    assert_eq!(of(sql), ["1"]);
}

#[test]
fn a_sample_of_a_seed_is_always_the_same() {
    let rows = |seed: &str| of(&format!("FROM range(1000) AS r(i) TABLESAMPLE 10% {seed}"));
    assert_eq!(rows("REPEATABLE (1)"), rows("REPEATABLE (1)"));
    assert_eq!(rows(""), rows(""));
    assert_ne!(rows("REPEATABLE (1)"), rows("REPEATABLE (2)"));
    assert!((50..150).contains(&rows("").len()), "{}", rows("").len());
    let share = of("SELECT count(*) FROM range(1000) TABLESAMPLE reservoir(12.5%)");
    assert_eq!(share, ["125"]);
    let sorted = of("FROM range(1000) USING SAMPLE 20 ROWS");
    let numbers: Vec<u32> = sorted.iter().map(|n| n.parse().unwrap()).collect();
    assert!(numbers.is_sorted() && numbers.len() == 20, "{numbers:?}");
    // The sample is taken before WHERE.
    assert_eq!(
        of("SELECT count(*) < 100 FROM range(1000) AS r(i) WHERE i < 500 USING SAMPLE 100 ROWS"),
        ["true"]
    );
}

#[test]
fn rewrites_raise_no_additional_errors() {
    let u = "(VALUES (1, '2020'), (9, 'bad')) AS u(k, s)";
    let sql = format!(
        "SELECT (SELECT max(strptime(s, '%Y')) FROM {u} WHERE u.k = t.id) FROM (VALUES (1)) AS t(id)"
    );
    assert_eq!(of(&sql), ["2020-01-01 00:00:00"]);
    let sql = format!(
        "SELECT EXISTS (SELECT strptime(s, '%Y') AS y FROM {u} WHERE u.k = t.id AND strptime(s, '%Y') IS NOT NULL) \
         FROM (VALUES (1)) AS t(id)"
    );
    assert_eq!(of(&sql), ["true"]);
    let sql = "SELECT (SELECT sum(s::TINYINT) FROM (VALUES (1, 5), (9, 900)) AS u(k, s) WHERE u.k = t.id) \
               FROM (VALUES (1)) AS t(id)";
    assert_eq!(of(sql), ["5"]);
}

#[test]
fn a_left_row_may_match_more_right_rows_than_a_block_holds() {
    let sql = "SELECT count(*), sum(r.i), max(l.i) FROM range(2) AS l(i) \
               JOIN range(300000) AS r(i) ON r.i BETWEEN l.i AND l.i + 299990";
    let expected: i64 = (0..=299_990).sum::<i64>() + (1..=299_991).sum::<i64>();
    assert_eq!(of(sql), [format!("599982|{expected}|1")]);
}

#[test]
fn explain_shows_arguments_that_are_computed() {
    let plan = of("EXPLAIN SELECT * FROM (VALUES (1)) AS t(x), range(t.x + 1) AS r(i)").join("\n");
    assert!(plan.contains("call range("), "{plan}");
}

#[test]
fn null_arguments_of_range_give_no_rows() {
    assert_eq!(of("SELECT count(*) FROM range(1, NULL)"), ["0"]);
    assert_eq!(of("SELECT count(*) FROM (VALUES (NULL::BIGINT)) AS t(x), range(1, t.x)"), ["0"]);
    assert_eq!(code("FROM range(stop => NULL, step => 1)"), Code::BadArguments);
}
