//! Every shipped query and every documented example runs.

use std::collections::BTreeMap;

use dumpql::diag::Code;
use dumpql::session::{find_query, library, parameters};
use dumpql::{Params, ResultSet, Session};

use crate::corpus;

/// Runs `sql`; a table that the source cannot answer is the one error that is fine.
fn run(session: &Session, what: &str, sql: &str, params: &Params) -> Option<ResultSet> {
    match session.query_with(sql, params) {
        Ok(result) => Some(result),
        Err(error) if error.code() == Code::NoSource => None,
        Err(error) => panic!("{what}:\n{}", error.render(None, false)),
    }
}

#[test]
fn shipped_queries_run_on_every_dump() {
    let given = BTreeMap::from([("address".to_owned(), "0xfffff80000000000".to_owned())]);
    for (name, session) in corpus::sessions() {
        for query in library() {
            let params =
                parameters(query, &given).unwrap_or_else(|e| panic!("{}: {e}", query.name));
            run(&session, &format!("{name}: {}", query.name), &query.text, &params);
        }
    }
}

#[test]
fn shipped_queries_answer_on_the_sample() {
    let session = Session::sample().unwrap();
    for name in [
        "overview",
        "crash",
        "modules",
        "unloaded-often",
        "register-pointers",
        "threads",
        "completeness",
        "missing",
        "buckets",
        "oldest-modules",
    ] {
        let query = find_query(name).unwrap();
        let params = parameters(query, &BTreeMap::new()).unwrap();
        let result = run(&session, name, &query.text, &params);
        assert!(result.is_some_and(|r| !r.is_empty()), "{name} gives no row on the sample");
    }
}

#[test]
fn documented_examples_run_on_every_dump() {
    for (name, session) in corpus::sessions() {
        for table in session.catalog().tables() {
            for example in table.examples {
                run(&session, &format!("{name}: {}", table.name), example.sql, &Params::new());
            }
        }
    }
}
