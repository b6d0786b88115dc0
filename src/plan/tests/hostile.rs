//! Hostile queries: very long, deeply nested, and growing by expansion.

use super::planned;

/// The codes of the errors, or "planned".
fn outcome(sql: &str) -> String {
    match planned(sql) {
        Ok(_) => "planned".to_owned(),
        Err(text) => text.lines().next().unwrap_or_default().chars().take(12).collect(),
    }
}

fn repeated(times: usize, each: impl Fn(usize) -> String, between: &str) -> String {
    (0..times).map(each).collect::<Vec<_>>().join(between)
}

#[test]
fn long_chains_are_planned() {
    for (from, between) in [("tid = ", " OR "), ("pid <> ", " AND ")] {
        let chain = repeated(4_900, |i| format!("{from}{i}"), between);
        assert_eq!(outcome(&format!("SELECT tid FROM threads WHERE {chain}")), "planned");
    }
    let text = repeated(400, |i| format!("'{i}'"), " || ");
    assert_eq!(outcome(&format!("SELECT {text} || state FROM threads")), "planned");
    assert_eq!(outcome(&format!("SELECT {}", repeated(400, |i| i.to_string(), " + "))), "planned");
    let list = repeated(50_000, |i| i.to_string(), ", ");
    assert_eq!(outcome(&format!("SELECT tid FROM threads WHERE tid IN ({list})")), "planned");
    let union = repeated(400, |i| format!("SELECT {i}"), " UNION ALL ");
    assert_eq!(outcome(&union), "planned");
}

#[test]
fn unbounded_growth_is_rejected() {
    let sums = repeated(400, |_| "tid".to_owned(), " + ");
    assert_eq!(outcome(&format!("SELECT {sums} FROM threads")), "error[E0102]");
    let aliases = repeated(40, |i| format!("a{i} + a{i} AS a{}", i + 1), ", ");
    assert_eq!(outcome(&format!("SELECT tid AS a0, {aliases} FROM threads")), "error[E0102]");
    let steps = repeated(40, |i| format!("c{} AS (SELECT x + x AS x FROM c{i})", i + 1), ", ");
    let doubling =
        format!("WITH c0 AS (SELECT tid AS x FROM threads), {steps} FROM c40 WHERE x > 1");
    assert_eq!(outcome(&doubling), "planned");
    let steps = repeated(60, |i| format!("c{} AS (FROM c{i} UNION ALL FROM c{i})", i + 1), ", ");
    let shared = format!("WITH c0 AS (SELECT tid AS x FROM threads), {steps} FROM c20 WHERE x > 1");
    assert_eq!(outcome(&shared), "planned");
    let steps = repeated(2_000, |i| format!("c{} AS (FROM c{i})", i + 1), ", ");
    let chain = format!("WITH c0 AS (SELECT tid AS x FROM threads), {steps} FROM c2000");
    assert_eq!(outcome(&chain), "error[E0102]");
    let nested = format!("{}tid{}", "coalesce(".repeat(40), ", 1)".repeat(40));
    assert_eq!(outcome(&format!("SELECT {nested} FROM threads")), "error[E0102]");
    let joins = repeated(1_000, |i| format!("threads t{i}"), ", ");
    assert_eq!(outcome(&format!("SELECT 1 FROM {joins}")), "error[E0102]");
}

#[test]
fn deep_nesting_is_planned_or_refused() {
    for depth in [20, 60, 120] {
        let nested = format!(
            "{}SELECT tid FROM threads{}",
            "SELECT * FROM (".repeat(depth),
            ")".repeat(depth)
        );
        let expected = if depth > 50 { "error[E0102]" } else { "planned" };
        assert_eq!(outcome(&nested), expected, "{depth} sub-queries");
    }
    let calls = format!("{}tid{}", "abs(".repeat(100), ")".repeat(100));
    assert_eq!(outcome(&format!("SELECT {calls} FROM threads")), "planned");
}
