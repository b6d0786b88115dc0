//! What is said of queries that are wrong.

use expect_test::{Expect, expect};

use super::explained;

fn check(sql: &str, expect: &Expect) {
    expect.assert_eq(&explained(sql));
}

#[test]
fn unknown_names() {
    check(
        "SELECT tidd, stat FROM threads",
        &expect![[r#"
        error[E0202]: no column `tidd`
          |
        1 | SELECT tidd, stat FROM threads
          |        ^^^^
          |
          = help: similar names: tid
          = help: available columns: tid, pid, state, priority, start_address, wait_ms, create_time, is_idle

        error[E0202]: no column `stat`
          |
        1 | SELECT tidd, stat FROM threads
          |              ^^^^
          |
          = help: similar names: state
          = help: available columns: tid, pid, state, priority, start_address, wait_ms, create_time, is_idle"#]],
    );
    check(
        "SELECT t.tid FROM threads",
        &expect![[r#"
        error[E0201]: no table `t` in this FROM clause
          |
        1 | SELECT t.tid FROM threads
          |        ^
          |
          = help: tables in this FROM clause: threads"#]],
    );
    check(
        "SELECT x.tid FROM threads AS t",
        &expect![[r#"
        error[E0201]: no table `x` in this FROM clause
          |
        1 | SELECT x.tid FROM threads AS t
          |        ^
          |
          = help: similar names: t
          = help: tables in this FROM clause: t"#]],
    );
    check(
        "SELECT t.nothing FROM threads AS t",
        &expect![[r#"
        error[E0202]: no column `nothing` in `t`
          |
        1 | SELECT t.nothing FROM threads AS t
          |        ^^^^^^^^^
          |
          = help: available columns: tid, pid, state, priority, start_address, wait_ms, create_time, is_idle"#]],
    );
    check(
        "FROM thread",
        &expect![[r#"
        error[E0201]: no table `thread`
          |
        1 | FROM thread
          |      ^^^^^^
          |
          = help: similar names: threads
          = help: tables: threads, modules, meta.tables"#]],
    );
    check(
        "SELECT lowr(state) FROM threads",
        &expect![[r#"
        error[E0204]: no function `lowr`
          |
        1 | SELECT lowr(state) FROM threads
          |        ^^^^
          |
          = help: similar names: lower
          = help: SHOW FUNCTIONS lists them all"#]],
    );
    check(
        "SELECT \"Waiting\" FROM threads",
        &expect![[r#"
        error[E0202]: no column `Waiting`
          |
        1 | SELECT "Waiting" FROM threads
          |        ^^^^^^^^^
          |
          = help: available columns: tid, pid, state, priority, start_address, wait_ms, create_time, is_idle
          = help: text is written in single quotes, names in double quotes"#]],
    );
    check(
        "SELECT tid",
        &expect![[r#"
        error[E0202]: no column `tid`
          |
        1 | SELECT tid
          |        ^^^
          |
          = help: the query has no FROM clause; text is written in single quotes"#]],
    );
    check(
        "SELECT * EXCLUDE (tidd) FROM threads",
        &expect![[r#"
        error[E0202]: `*` has no column `tidd`
          |
        1 | SELECT * EXCLUDE (tidd) FROM threads
          |                   ^^^^
          |
          = help: similar names: tid
          = help: available columns: tid, pid, state, priority, start_address, wait_ms, create_time, is_idle"#]],
    );
    check(
        "SELECT m.* FROM threads",
        &expect![[r#"
        error[E0201]: no table `m` in this FROM clause
          |
        1 | SELECT m.* FROM threads
          |        ^
          |
          = help: tables in this FROM clause: threads"#]],
    );
    check(
        "SELECT *",
        &expect![[r#"
        error[E0210]: `*` needs a FROM clause
          |
        1 | SELECT *
          |        ^"#]],
    );
    check(
        "SELECT pid FROM threads, modules",
        &expect![[r#"
        error[E0203]: column `pid` is in several tables
          |
        1 | SELECT pid FROM threads, modules
          |        ^^^
          |
          = help: write one of: threads.pid, modules.pid"#]],
    );
    check(
        "SELECT a.tid FROM threads, threads",
        &expect![[r#"
        error[E0210]: two tables are called `threads`
          |
        1 | SELECT a.tid FROM threads, threads
          |                   ^^^^^^^^^^^^^^^^
          |
          = help: give one another name: … AS threads2"#]],
    );
    check(
        "SELECT * FROM threads JOIN modules USING (tid)",
        &expect![[r#"
        error[E0202]: no column `tid` on the right side of the join
          |
        1 | SELECT * FROM threads JOIN modules USING (tid)
          |                                           ^^^
          |
          = help: similar names: pid
          = help: available columns: base, name, size_bytes, checksum, pid"#]],
    );
    check(
        "SELECT * FROM meta.tables NATURAL JOIN threads",
        &expect![[r#"
        error[E0210]: NATURAL JOIN finds no column that both sides have
          |
        1 | SELECT * FROM meta.tables NATURAL JOIN threads
          |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write the condition with ON, or CROSS JOIN"#]],
    );
    check(
        "SELECT $missing",
        &expect![[r#"
        error[E0208]: the parameter `$missing` has no value
          |
        1 | SELECT $missing
          |        ^^^^^^^^
          |
          = help: similar names: n
          = help: parameters given: least, n, state
          = help: give it with -p missing=value"#]],
    );
    check(
        "SELECT tid FROM threads WHERE state = $stat",
        &expect![[r#"
        error[E0208]: the parameter `$stat` has no value
          |
        1 | SELECT tid FROM threads WHERE state = $stat
          |                                       ^^^^^
          |
          = help: similar names: state
          = help: parameters given: least, n, state
          = help: give it with -p stat=value"#]],
    );
    check(
        "DESCRIBE thread",
        &expect![[r#"
        error[E0201]: no table `thread`
          |
        1 | DESCRIBE thread
          |          ^^^^^^
          |
          = help: similar names: threads
          = help: tables: threads, modules, meta.tables"#]],
    );
    check(
        "WITH a AS (SELECT x FROM threads) SELECT * FROM a",
        &expect![[r#"
        error[E0202]: no column `x`
          |
        1 | WITH a AS (SELECT x FROM threads) SELECT * FROM a
          |                   ^
          |
          = help: available columns: tid, pid, state, priority, start_address, wait_ms, create_time, is_idle"#]],
    );
}

#[test]
fn types() {
    check(
        "SELECT tid FROM threads WHERE state = 5",
        &expect![[r#"
        error[E0205]: VARCHAR cannot be compared with INTEGER
          |
        1 | SELECT tid FROM threads WHERE state = 5
          |                               ----- ^ - INTEGER
          |                               |
          |                               VARCHAR
          |
          = help: convert the VARCHAR side: CAST(… AS INTEGER)"#]],
    );
    check(
        "SELECT tid FROM threads WHERE create_time > 'yesterday'",
        &expect![[r#"
        error[E0303]: 'yesterday' is not a TIMESTAMP
          |
        1 | SELECT tid FROM threads WHERE create_time > 'yesterday'
          |                                             ^^^^^^^^^^^
          |
          = help: times are written '2007-11-09 23:59:59.123', in UTC"#]],
    );
    check(
        "SELECT tid FROM threads WHERE tid",
        &expect![[r#"
        error[E0205]: WHERE needs a BOOLEAN, this is an INTEGER
          |
        1 | SELECT tid FROM threads WHERE tid
          |                               ^^^
          |
          = help: compare it, as in `… <> 0`"#]],
    );
    check(
        "SELECT tid FROM threads WHERE tid LIKE '1%'",
        &expect![[r#"
        error[E0205]: LIKE needs VARCHAR, this is INTEGER
          |
        1 | SELECT tid FROM threads WHERE tid LIKE '1%'
          |                               ^^^
          |
          = help: convert it with CAST(… AS VARCHAR)"#]],
    );
    check(
        "SELECT state + 1 FROM threads",
        &expect![[r#"
        error[E0205]: `+` does not take VARCHAR and INTEGER
          |
        1 | SELECT state + 1 FROM threads
          |        ----- ^ - INTEGER
          |        |
          |        VARCHAR
          |
          = help: text is joined with `||`; numbers in text are converted with CAST(… AS INTEGER)"#]],
    );
    check(
        "SELECT create_time + 5 FROM threads",
        &expect![[r#"
        error[E0205]: `+` does not take TIMESTAMP and INTEGER
          |
        1 | SELECT create_time + 5 FROM threads
          |        ----------- ^ - INTEGER
          |        |
          |        TIMESTAMP
          |
          = help: add a duration, as in `… + INTERVAL '5 seconds'`"#]],
    );
    check(
        "SELECT -state FROM threads",
        &expect![[r#"
        error[E0205]: `-` does not take a VARCHAR
          |
        1 | SELECT -state FROM threads
          |        ^^^^^^"#]],
    );
    check(
        "SELECT CASE WHEN tid > 1 THEN 'a' ELSE tid END FROM threads",
        &expect![[r#"
        error[E0303]: 'a' is not an INTEGER
          |
        1 | SELECT CASE WHEN tid > 1 THEN 'a' ELSE tid END FROM threads
          |                               ^^^      --- the results of CASE have the type of this: INTEGER"#]],
    );
    check(
        "SELECT tid IN (1, state) FROM threads",
        &expect![[r#"
        error[E0205]: the entries of IN have different types: INTEGER and VARCHAR
          |
        1 | SELECT tid IN (1, state) FROM threads
          |        ---        ^^^^^ this is a VARCHAR
          |        |
          |        this is an INTEGER
          |
          = help: convert one of them with CAST(… AS type)"#]],
    );
    check(
        "SELECT CAST(tid AS TIMESTAMP), CAST(tid AS DATE), CAST(is_idle AS INTERVAL) FROM threads",
        &expect![[r#"
        error[E0205]: INTEGER cannot be converted to TIMESTAMP
          |
        1 | SELECT CAST(tid AS TIMESTAMP), CAST(tid AS DATE), CAST(is_idle AS INTERVAL) FROM threads
          |        ^^^^^^^^^^^^^^^^^^^^^^

        error[E0205]: no type `DATE`
          |
        1 | SELECT CAST(tid AS TIMESTAMP), CAST(tid AS DATE), CAST(is_idle AS INTERVAL) FROM threads
          |                                            ^^^^
          |
          = help: a day is a TIMESTAMP at midnight
          = help: types: BOOLEAN, INTEGER, DOUBLE, VARCHAR, ADDRESS, TIMESTAMP, INTERVAL

        error[E0205]: BOOLEAN cannot be converted to INTERVAL
          |
        1 | SELECT CAST(tid AS TIMESTAMP), CAST(tid AS DATE), CAST(is_idle AS INTERVAL) FROM threads
          |                                                   ^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        "SELECT tid FROM threads UNION SELECT name FROM modules",
        &expect![[r#"
        error[E0205]: column 1 (`tid`) is INTEGER on one side and VARCHAR on the other
          |
        1 | SELECT tid FROM threads UNION SELECT name FROM modules
          |                         ^^^^^
          |
          = help: convert one of them with CAST(… AS type)"#]],
    );
    check(
        "SELECT tid FROM threads UNION SELECT pid, name FROM modules",
        &expect![[r#"
        error[E0210]: the left query has 1 column, the right 2 columns
          |
        1 | SELECT tid FROM threads UNION SELECT pid, name FROM modules
          |                         ^^^^^"#]],
    );
    check(
        "VALUES (1), (2, 3)",
        &expect![[r#"
        error[E0210]: the first row of VALUES has 1 column, this one 2
          |
        1 | VALUES (1), (2, 3)
          |              ^^^^"#]],
    );
    check(
        "VALUES (1), ('x')",
        &expect![[r#"
        error[E0303]: 'x' is not an INTEGER
          |
        1 | VALUES (1), ('x')
          |         -    ^^^
          |         |
          |         the rows of VALUES have the type of this: INTEGER"#]],
    );
    check(
        "SELECT 9223372036854775808",
        &expect![[r#"
        error[E0103]: 9223372036854775808 is larger than the largest INTEGER, 9223372036854775807
          |
        1 | SELECT 9223372036854775808
          |        ^^^^^^^^^^^^^^^^^^^
          |
          = help: as an address it is written 0x8000000000000000"#]],
    );
    check(
        "SELECT state LIKE 'a' ESCAPE 'ab', state GLOB 'a' ESCAPE 'b' FROM threads",
        &expect![[r#"
        error[E0210]: ESCAPE needs a text of one character
          |
        1 | SELECT state LIKE 'a' ESCAPE 'ab', state GLOB 'a' ESCAPE 'b' FROM threads
          |                              ^^^^

        error[E0210]: GLOB has no ESCAPE
          |
        1 | SELECT state LIKE 'a' ESCAPE 'ab', state GLOB 'a' ESCAPE 'b' FROM threads
          |                                                          ^^^"#]],
    );
    check(
        "SELECT tid IN (SELECT tid, pid FROM threads), (SELECT tid, pid FROM threads) FROM threads",
        &expect![[r#"
        error[E0210]: a sub-query in an expression has one column, this one has 2
          |
        1 | SELECT tid IN (SELECT tid, pid FROM threads), (SELECT tid, pid FROM threads) FROM threads
          |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: select the one column that is meant

        error[E0210]: a sub-query in an expression has one column, this one has 2
          |
        1 | SELECT tid IN (SELECT tid, pid FROM threads), (SELECT tid, pid FROM threads) FROM threads
          |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: select the one column that is meant"#]],
    );
    check(
        "SELECT tid FROM threads JOIN modules ON threads.state = modules.size_bytes",
        &expect![[r#"
        error[E0205]: VARCHAR cannot be compared with INTEGER
          |
        1 | SELECT tid FROM threads JOIN modules ON threads.state = modules.size_bytes
          |                                         ------------- ^ ------------------ INTEGER
          |                                         |
          |                                         VARCHAR
          |
          = help: convert the VARCHAR side: CAST(… AS INTEGER)"#]],
    );
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
        error[E0210]: `*`, DISTINCT, ORDER BY and FILTER belong to aggregates, `lower` is none
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
          = help: ask where the table stands in FROM, and name the answer: SELECT why(column) AS reason"#]],
    );
    check(
        "SELECT why(tid + 1) FROM threads",
        &expect![[r#"
        error[E0206]: `why` takes a column of a table
          |
        1 | SELECT why(tid + 1) FROM threads
          |            ^^^^^^^ a computed value has no reason of its own
          |
          = help: ask where the table stands in FROM, and name the answer: SELECT why(column) AS reason"#]],
    );
}

#[test]
fn groups() {
    check(
        "SELECT state, tid, count(*) FROM threads GROUP BY state",
        &expect![[r#"
        error[E0207]: column `tid` is neither grouped nor aggregated
          |
        1 | SELECT state, tid, count(*) FROM threads GROUP BY state
          |               ^^^
          |
          = help: add it to GROUP BY, or write GROUP BY ALL, or any_value(tid)"#]],
    );
    check(
        "SELECT tid, count(*) FROM threads",
        &expect![[r#"
        error[E0207]: column `tid` is neither grouped nor aggregated
          |
        1 | SELECT tid, count(*) FROM threads
          |        ^^^
          |
          = help: write GROUP BY tid, or GROUP BY ALL, or any_value(tid)"#]],
    );
    check(
        "SELECT * FROM threads GROUP BY pid",
        &expect![[r#"
        error[E0207]: columns tid, state, priority, start_address, wait_ms, create_time, is_idle are neither grouped nor aggregated
          |
        1 | SELECT * FROM threads GROUP BY pid
          |        ^
          |
          = help: add it to GROUP BY, or write GROUP BY ALL, or any_value(tid)"#]],
    );
    check(
        "SELECT tid FROM threads WHERE count(*) > 1",
        &expect![[r#"
        error[E0207]: aggregate `count` cannot stand in WHERE
          |
        1 | SELECT tid FROM threads WHERE count(*) > 1
          |                               ^^^^^^^^
          |
          = help: conditions on groups are written with HAVING"#]],
    );
    check(
        "SELECT sum(count(*)) FROM threads",
        &expect![[r#"
        error[E0207]: aggregate `count` cannot stand in an aggregate
          |
        1 | SELECT sum(count(*)) FROM threads
          |            ^^^^^^^^
          |
          = help: aggregate in a sub-query first, then over its rows"#]],
    );
    check(
        "SELECT count(*) AS n FROM threads WHERE n > 1",
        &expect![[r#"
        error[E0207]: `n` holds an aggregate, which cannot stand in WHERE
          |
        1 | SELECT count(*) AS n FROM threads WHERE n > 1
          |                                         ^
          |
          = help: conditions on groups are written with HAVING"#]],
    );
    check(
        "SELECT count(*) FROM threads GROUP BY 1",
        &expect![[r#"
        error[E0207]: column 1 of the list is an aggregate
          |
        1 | SELECT count(*) FROM threads GROUP BY 1
          |                                       ^
          |
          = help: group by the other columns; GROUP BY ALL finds them"#]],
    );
    check(
        "SELECT count(*) FROM threads GROUP BY 3",
        &expect![[r#"
        error[E0210]: GROUP BY 3: the list has 1 column
          |
        1 | SELECT count(*) FROM threads GROUP BY 3
          |                                       ^"#]],
    );
    check(
        "SELECT state FROM threads GROUP BY state ORDER BY tid",
        &expect![[r#"
        error[E0207]: column `tid` is neither grouped nor aggregated
          |
        1 | SELECT state FROM threads GROUP BY state ORDER BY tid
          |                                                   ^^^
          |
          = help: add it to GROUP BY, or write GROUP BY ALL, or any_value(tid)"#]],
    );
    check(
        "SELECT DISTINCT state FROM threads ORDER BY tid",
        &expect![[r#"
        error[E0210]: with DISTINCT, ORDER BY takes only what the list selects
          |
        1 | SELECT DISTINCT state FROM threads ORDER BY tid
          |                                             ^^^
          |
          = help: add the expression to the list, or use DISTINCT ON (…)"#]],
    );
    check(
        "SELECT tid FROM threads ORDER BY 2",
        &expect![[r#"
        error[E0210]: ORDER BY 2: the list has 1 column
          |
        1 | SELECT tid FROM threads ORDER BY 2
          |                                  ^"#]],
    );
    check(
        "SELECT tid FROM threads LIMIT -1",
        &expect![[r#"
        error[E0210]: LIMIT cannot be negative
          |
        1 | SELECT tid FROM threads LIMIT -1
          |                               ^^"#]],
    );
    check(
        "SELECT tid FROM threads LIMIT tid",
        &expect![[r#"
        error[E0210]: LIMIT needs a constant INTEGER
          |
        1 | SELECT tid FROM threads LIMIT tid
          |                               ^^^
          |
          = help: write a number, or a parameter: LIMIT $n"#]],
    );
    check(
        "SELECT tid FROM threads LIMIT 'x'",
        &expect![[r#"
        error[E0210]: LIMIT needs a constant INTEGER
          |
        1 | SELECT tid FROM threads LIMIT 'x'
          |                               ^^^
          |
          = help: write a number, or a parameter: LIMIT $n"#]],
    );
}

#[test]
fn what_this_version_does_not_run() {
    check(
        "SELECT tid FROM threads t WHERE EXISTS (SELECT * FROM modules m WHERE m.pid = t.pid)",
        &expect![[r#"
        error[E0209]: correlated sub-queries are not run by this version
          |
        1 | SELECT tid FROM threads t WHERE EXISTS (SELECT * FROM modules m WHERE m.pid = t.pid)
          |                                                                               ^^^^^ `t.pid` is a column of the query around
          |
          = help: write it as a join: JOIN, SEMI JOIN or ANTI JOIN … ON with the same condition
          = help: for an aggregate per row, join with a sub-query that has GROUP BY"#]],
    );
    check(
        "SELECT row_number() OVER (ORDER BY tid) FROM threads",
        &expect![[r#"
        error[E0209]: window functions are not run by this version
          |
        1 | SELECT row_number() OVER (ORDER BY tid) FROM threads
          |                          ^^^^^^^^^^^^^^
          |
          = help: for a value per group, join with a sub-query that has GROUP BY; for the first row of each, use DISTINCT ON"#]],
    );
    check(
        "SELECT tid FROM threads QUALIFY tid > 1",
        &expect![[r#"
        error[E0209]: QUALIFY is not run by this version
          |
        1 | SELECT tid FROM threads QUALIFY tid > 1
          |                                 ^^^^^^^
          |
          = help: for the first row of each group, use DISTINCT ON with ORDER BY"#]],
    );
    check(
        "WITH RECURSIVE r AS (SELECT 1 AS n) SELECT * FROM r",
        &expect![[r#"
        error[E0209]: WITH RECURSIVE is not run by this version
          |
        1 | WITH RECURSIVE r AS (SELECT 1 AS n) SELECT * FROM r
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: leave RECURSIVE out if no expression names itself; a fixed number of steps is written as joins"#]],
    );
    check(
        "SELECT * FROM threads, LATERAL (SELECT 1)",
        &expect![[r#"
        error[E0209]: LATERAL sub-queries are not run by this version
          |
        1 | SELECT * FROM threads, LATERAL (SELECT 1)
          |                        ^^^^^^^^^^^^^^^^^^
          |
          = help: write the condition in JOIN … ON; for a value per row, join with a sub-query that has GROUP BY"#]],
    );
    check(
        "SELECT * FROM threads t, (SELECT t.tid)",
        &expect![[r#"
        error[E0209]: correlated sub-queries are not run by this version
          |
        1 | SELECT * FROM threads t, (SELECT t.tid)
          |                                  ^^^^^ `t.tid` is a column of the query around
          |
          = help: write it as a join: JOIN, SEMI JOIN or ANTI JOIN … ON with the same condition
          = help: for an aggregate per row, join with a sub-query that has GROUP BY"#]],
    );
}

#[test]
fn table_functions_say_what_they_take() {
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
        error[E0210]: `lower` gives a value, not rows, so it cannot stand in FROM
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
        "SELECT * FROM threads t JOIN range(t.tid) ON true",
        &expect![[r#"
            error[E0206]: the arguments of `range` have to be constant
              |
            1 | SELECT * FROM threads t JOIN range(t.tid) ON true
              |                                    ^^^^^
              |
              = help: write a literal, module!symbol, or a parameter: $name"#]],
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
        error[E0210]: `range` returns rows, so it stands in FROM
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
