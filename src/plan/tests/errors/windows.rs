//! What is wrong with windows and with sets of groups.

use expect_test::expect;

use super::check;

#[test]
fn where_windows_cannot_stand() {
    check("SELECT tid FROM threads WHERE row_number() OVER (ORDER BY tid) < 3", &expect![[""]]);
    check("SELECT rank() OVER (ORDER BY tid) AS r FROM threads WHERE r < 3", &expect![[""]]);
    check("SELECT sum(rank() OVER (ORDER BY tid)) FROM threads", &expect![[""]]);
    check("SELECT tid FROM threads QUALIFY tid > 1", &expect![[""]]);
    check("SELECT row_number() FROM threads", &expect![[""]]);
    check("SELECT lower(name) OVER () FROM threads", &expect![[""]]);
    check("SELECT rank(DISTINCT tid) OVER () FROM threads", &expect![[""]]);
    check("SELECT sum(tid IGNORE NULLS) OVER () FROM threads", &expect![[""]]);
}

#[test]
fn windows_that_do_not_fit_together() {
    check("SELECT sum(tid) OVER w FROM threads", &expect![[""]]);
    check("SELECT sum(tid) OVER v FROM threads WINDOW w AS (ORDER BY tid)", &expect![[""]]);
    check(
        "SELECT sum(tid) OVER (w ORDER BY pid) FROM threads WINDOW w AS (ORDER BY tid)",
        &expect![[""]],
    );
    check("SELECT tid FROM threads WINDOW w AS (), w AS ()", &expect![[""]]);
}

#[test]
fn frames() {
    check(
        "SELECT sum(tid) OVER (ORDER BY tid, pid RANGE 1 PRECEDING) FROM threads",
        &expect![[""]],
    );
    check("SELECT sum(tid) OVER (ORDER BY name RANGE 1 PRECEDING) FROM threads", &expect![[""]]);
    check("SELECT sum(tid) OVER (ORDER BY tid ROWS -1 PRECEDING) FROM threads", &expect![[""]]);
    check("SELECT sum(tid) OVER (ORDER BY tid ROWS 'x' PRECEDING) FROM threads", &expect![[""]]);
    check("SELECT sum(tid) OVER (ORDER BY tid ROWS NULL PRECEDING) FROM threads", &expect![[""]]);
}

#[test]
fn sets_of_groups() {
    check("SELECT grouping(tid) FROM threads GROUP BY pid", &expect![[""]]);
    check("SELECT pid FROM threads WHERE grouping(pid) = 1 GROUP BY ROLLUP (pid)", &expect![[""]]);
    check("SELECT tid FROM threads GROUP BY ROLLUP (pid)", &expect![[""]]);
}
