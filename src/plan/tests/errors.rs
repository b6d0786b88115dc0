//! Errors of invalid queries.

mod groups;
mod names;
mod types;

use expect_test::{Expect, expect};

use super::explained;

fn check(sql: &str, expect: &Expect) {
    expect.assert_eq(&explained(sql));
}

#[test]
fn functions() {
    check(
        "SELECT lower(tid), substr(state), abs(state), greatest(tid, state) FROM threads",
        &expect![[r#"
            error[E0206]: `lower` does not take an INTEGER here
              |
            1 | SELECT lower(tid), substr(state), abs(state), greatest(tid, state) FROM threads
              |              ^^^
              |
              = help: it is called as lower(VARCHAR)
              = help: other types become text with CAST(… AS VARCHAR)

            error[E0206]: `substr` does not take a VARCHAR
              |
            1 | SELECT lower(tid), substr(state), abs(state), greatest(tid, state) FROM threads
              |                    ^^^^^^^^^^^^^
              |
              = help: it is called as substr(VARCHAR, INTEGER[, INTEGER])

            error[E0206]: `abs` does not take a VARCHAR here
              |
            1 | SELECT lower(tid), substr(state), abs(state), greatest(tid, state) FROM threads
              |                                       ^^^^^
              |
              = help: it is called as abs(INTEGER), abs(DOUBLE)

            error[E0206]: `greatest` does not take (INTEGER, VARCHAR)
              |
            1 | SELECT lower(tid), substr(state), abs(state), greatest(tid, state) FROM threads
              |                                               ^^^^^^^^^^^^^^^^^^^^
              |
              = help: it is called as greatest(any, …)"#]],
    );
    check(
        "SELECT lower(DISTINCT state) FROM threads",
        &expect![[r#"
        error[E0210]: `*`, DISTINCT, ORDER BY and FILTER are only for aggregates, and `lower` is not one
          |
        1 | SELECT lower(DISTINCT state) FROM threads
          |        ^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        "SELECT sum(*) FROM threads",
        &expect![[r#"
        error[E0206]: `sum(*)` has no meaning, only count(*) has
          |
        1 | SELECT sum(*) FROM threads
          |        ^^^^^^"#]],
    );
    check(
        "SELECT why(tid + 1), why(x) FROM (SELECT tid AS x FROM threads)",
        &expect![[r#"
        error[E0202]: no column `tid`
          |
        1 | SELECT why(tid + 1), why(x) FROM (SELECT tid AS x FROM threads)
          |            ^^^
          |
          = help: available columns: x

        error[E0206]: `why` takes a column of a table
          |
        1 | SELECT why(tid + 1), why(x) FROM (SELECT tid AS x FROM threads)
          |                          ^ this column is not read from a table
          |
          = help: call why where the table is in FROM, and name the result: SELECT why(column) AS reason"#]],
    );
    check(
        "SELECT why(tid + 1) FROM threads",
        &expect![[r#"
        error[E0206]: `why` takes a column of a table
          |
        1 | SELECT why(tid + 1) FROM threads
          |            ^^^^^^^ a computed value has no reason of its own
          |
          = help: call why where the table is in FROM, and name the result: SELECT why(column) AS reason"#]],
    );
}

#[test]
fn errors_of_sub_queries_name_the_requirement() {
    check(
        "SELECT ANY (SELECT 1)",
        &expect![[r#"
        error[E0210]: ANY (…) and ALL (…) are only allowed on the right of a comparison
          |
        1 | SELECT ANY (SELECT 1)
          |        ^^^^^^^^^^^^^^
          |
          = help: write x = ANY (SELECT …), or x > ALL (SELECT …)"#]],
    );
    check(
        "WITH RECURSIVE r AS (SELECT n FROM r) SELECT * FROM r",
        &expect![[r#"
        error[E0210]: `r` refers to itself before it has rows
          |
        1 | WITH RECURSIVE r AS (SELECT n FROM r) SELECT * FROM r
          |                                    ^
          |
          = help: a recursive expression is: first rows UNION [ALL] a SELECT that names it
          = help: its ORDER BY and LIMIT belong to the query that reads it"#]],
    );
    check(
        "SELECT (tid, pid) FROM threads",
        &expect![[r#"
        error[E0210]: found several values in parentheses, expected one
          |
        1 | SELECT (tid, pid) FROM threads
          |        ^^^^^^^^^^
          |
          = help: rows of values are compared with rows: (a, b) = (c, d), (a, b) IN (SELECT c, d …)"#]],
    );
}

#[test]
fn errors_of_table_functions_show_the_signature() {
    check(
        "SELECT * FROM threads()",
        &expect![[r#"
        error[E0204]: `threads` is a table, not a function
          |
        1 | SELECT * FROM threads()
          |               ^^^^^^^
          |
          = help: write it without parentheses: FROM threads"#]],
    );
    check(
        "SELECT * FROM lower('x')",
        &expect![[r#"
        error[E0210]: `lower` gives a value, not rows, so it is not allowed in FROM
          |
        1 | SELECT * FROM lower('x')
          |               ^^^^^
          |
          = help: write FROM (SELECT lower(…)) AS t"#]],
    );
    check(
        "SELECT * FROM rang(10)",
        &expect![[r#"
        error[E0204]: no table function `rang`
          |
        1 | SELECT * FROM rang(10)
          |               ^^^^
          |
          = help: similar names: range
          = help: table functions: range, struct, list"#]],
    );
    check(
        "SELECT * FROM struct('_ETHRED', 0x1000)",
        &expect![[r#"
        error[E0206]: no type `_ETHRED`
          |
        1 | SELECT * FROM struct('_ETHRED', 0x1000)
          |                      ^^^^^^^^^
          |
          = help: similar names: _ETHREAD"#]],
    );
    check(
        "SELECT * FROM struct('_ETHREAD', adress => 0x1000)",
        &expect![[r#"
        error[E0206]: `struct` has no argument `adress`
          |
        1 | SELECT * FROM struct('_ETHREAD', adress => 0x1000)
          |                                  ^^^^^^
          |
          = help: similar names: address
          = help: it is called as struct(type VARCHAR, address any)"#]],
    );
    check(
        "SELECT * FROM struct(address => 0x1000)",
        &expect![[r#"
        error[E0206]: argument `type` of `struct` is missing or NULL
          |
        1 | SELECT * FROM struct(address => 0x1000)
          |                                 ^^^^^^
          |
          = help: it is called as struct(type VARCHAR, address any)"#]],
    );
    check(
        "SELECT * FROM struct('_ETHREAD', 0x1000, address => 1)",
        &expect![[r#"
        error[E0206]: argument 2 is given twice
          |
        1 | SELECT * FROM struct('_ETHREAD', 0x1000, address => 1)
          |                                          ^^^^^^^"#]],
    );
    check(
        "SELECT * FROM range('x')",
        &expect![[r#"
            error[E0206]: `range` does not take a VARCHAR here
              |
            1 | SELECT * FROM range('x')
              |                     ^^^
              |
              = help: it is called as range(stop INTEGER), range(start INTEGER, stop INTEGER[, step INTEGER])"#]],
    );
    check(
        "SELECT * FROM range(tid)",
        &expect![[r#"
            error[E0206]: no table precedes `range` whose columns it could take
              |
            1 | SELECT * FROM range(tid)
              |                     ^^^
              |
              = help: write a literal, module!symbol, or a parameter: $name
              = help: or name the table before it: FROM t, range(t.column)"#]],
    );
    check(
        "SELECT * FROM list('nt!PsActiveProcessHead')",
        &expect![[r#"
        error[E0301]: no open source answers `list`
          |
        1 | SELECT * FROM list('nt!PsActiveProcessHead')
          |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: a.dmp is a user minidump"#]],
    );
    check(
        "SELECT range(3)",
        &expect![[r#"
        error[E0210]: `range` returns rows, so it can only be used in FROM
          |
        1 | SELECT range(3)
          |        ^^^^^^^^"#]],
    );
    check(
        "SELECT * FROM range(*)",
        &expect![[r#"
            error[E0101]: found `*`, expected an expression or `)`
              |
            1 | SELECT * FROM range(*)
              |                    -^
              |                    |
              |                    opened here"#]],
    );
    check(
        "SELECT Flgs FROM struct('_ETHREAD', 0x1000)",
        &expect![[r#"
        error[E0202]: no column `Flgs`
          |
        1 | SELECT Flgs FROM struct('_ETHREAD', 0x1000)
          |        ^^^^
          |
          = help: similar names: Flags
          = help: available columns: Cid, Flags"#]],
    );
}
