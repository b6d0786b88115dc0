//! Errors of names that do not exist or are not allowed in their place.

use expect_test::expect;

use super::check;

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
