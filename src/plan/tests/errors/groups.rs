//! Errors of groups, and of aggregates in places where they are not allowed.

use expect_test::expect;

use super::check;

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
        error[E0207]: aggregate `count` is not allowed in WHERE
          |
        1 | SELECT tid FROM threads WHERE count(*) > 1
          |                               ^^^^^^^^
          |
          = help: conditions on groups are written with HAVING"#]],
    );
    check(
        "SELECT sum(count(*)) FROM threads",
        &expect![[r#"
        error[E0207]: aggregate `count` is not allowed in an aggregate
          |
        1 | SELECT sum(count(*)) FROM threads
          |            ^^^^^^^^
          |
          = help: aggregate in a sub-query first, then over its rows"#]],
    );
    check(
        "SELECT count(*) AS n FROM threads WHERE n > 1",
        &expect![[r#"
        error[E0207]: `n` holds an aggregate, which is not allowed in WHERE
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
