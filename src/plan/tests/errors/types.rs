//! Errors of operands with incompatible types.

use expect_test::expect;

use super::check;

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

        error[E0205]: INTEGER cannot be converted to DATE
          |
        1 | SELECT CAST(tid AS TIMESTAMP), CAST(tid AS DATE), CAST(is_idle AS INTERVAL) FROM threads
          |                                ^^^^^^^^^^^^^^^^^

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
