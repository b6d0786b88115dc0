//! Runs every example in a function's documentation and checks the documented answer.

use dumpql::internals::catalog::FunctionKind;

use crate::rows;

#[test]
fn examples_are_true() {
    let session = rows::session(&[], true);
    let mut failures = Vec::new();
    for function in session.catalog().functions() {
        for (expression, expected) in function.examples {
            let sql = match function.kind {
                FunctionKind::Aggregate => {
                    format!("SELECT {expression} FROM (VALUES (1), (2), (2), (5)) AS t(x)")
                }
                FunctionKind::Table => {
                    format!("SELECT string_agg(CAST(x AS VARCHAR), ', ') FROM {expression} AS t(x)")
                }
                FunctionKind::Window => format!(
                    "SELECT string_agg(CAST(w AS VARCHAR), ', ') FROM \
                     (SELECT {expression} AS w FROM (VALUES (1), (2), (2), (5)) AS t(x))"
                ),
                _ => format!("SELECT {expression}"),
            };
            match session.query(&sql) {
                Ok(result) if result.text(0, 0) == *expected => {}
                Ok(result) => {
                    failures.push(format!("{sql}\n  gives {}, not {expected}", result.text(0, 0)));
                }
                Err(error) => failures.push(format!("{sql}\n{}", error.render(None, false))),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
