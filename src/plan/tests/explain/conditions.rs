//! Where conditions are tested in the plan.

use expect_test::expect;

use super::check;

#[test]
fn conditions_become_hints() {
    check(
        "SELECT tid FROM threads WHERE tid = 4 AND state <> 'Running'",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter tid = 4 AND state <> 'Running'
            scan threads: columns tid, state; hints tid = 4"#]],
    );
    check(
        "SELECT tid FROM threads WHERE state IN ('Waiting', 'Ready') AND priority BETWEEN 8 AND 15",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter state IN ('Waiting', 'Ready') AND priority >= 8 AND priority <= 15
            scan threads: columns tid, state, priority; hints state IN ('Waiting', 'Ready') AND priority from 8 to 15"#]],
    );
    check(
        "SELECT tid FROM threads WHERE tid = 1 OR 2 = tid OR tid IN (3, 4)",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter tid IN (1, 2, 3, 4)
            scan threads: columns tid; hints tid IN (1, 2, 3, 4)"#]],
    );
    check(
        "SELECT tid FROM threads WHERE tid = 1 OR state = 'Ready' OR tid = 2",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter tid IN (1, 2) OR state = 'Ready'
            scan threads: columns tid, state"#]],
    );
    check(
        "SELECT name FROM modules WHERE name LIKE 'nt%' AND base >= 0xfffff80000000000",
        &expect![[r#"
        (name VARCHAR)
        select name
          filter name LIKE 'nt%' AND base >= 0xfffff80000000000
            scan modules: columns base, name; hints name begins with 'nt' AND base from 0xfffff80000000000"#]],
    );
    check(
        "SELECT name FROM modules WHERE checksum = 0x1e AND size_bytes > 10 AND 100 > size_bytes",
        &expect![[r#"
        (name VARCHAR)
        select name
          filter checksum = 0x1e AND size_bytes > 10 AND 100 > size_bytes
            scan modules: columns name, size_bytes, checksum; hints checksum = 0x1e AND size_bytes from 10 to 100"#]],
    );
    check(
        "SELECT tid FROM threads WHERE create_time >= '2024-01-01' AND is_idle AND wait_ms > 5",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter create_time >= TIMESTAMP '2024-01-01 00:00:00' AND is_idle AND wait_ms > 5.0
            scan threads: columns tid, wait_ms, create_time, is_idle; hints create_time from TIMESTAMP '2024-01-01 00:00:00' AND is_idle = true AND wait_ms from 5.0"#]],
    );
    check(
        "SELECT tid FROM threads WHERE NOT is_idle AND starts_with(state, 'W')",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter starts_with(state, 'W')
            filter NOT is_idle
              scan threads: columns tid, state, is_idle; hints is_idle = false AND state begins with 'W'"#]],
    );
    check(
        "SELECT tid FROM threads WHERE tid = $least AND state = $state",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter tid = 5 AND state = 'Waiting'
            scan threads: columns tid, state; hints tid = 5 AND state = 'Waiting'"#]],
    );
    check(
        "SELECT tid FROM threads WHERE state IS NOT DISTINCT FROM 'Ready'",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter state IS NOT DISTINCT FROM 'Ready'
            scan threads: columns tid, state; hints state = 'Ready'"#]],
    );
    check(
        "SELECT tid FROM threads WHERE CAST(state AS INTEGER) = 5 AND tid = 4",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter CAST(state AS INTEGER) = 5
            filter tid = 4
              scan threads: columns tid, state; hints tid = 4"#]],
    );
}

#[test]
fn conditions_move_down() {
    check(
        "SELECT n FROM (SELECT name AS n, base FROM modules ORDER BY size_bytes) WHERE n = 'nt' AND base > 0x1000",
        &expect![[r#"
        (n VARCHAR)
        select n
          sort by size_bytes
            select name AS n, size_bytes
              filter name = 'nt' AND base > 0x1000
                scan modules: columns base, name, size_bytes; hints name = 'nt' AND base from 0x1000"#]],
    );
    check(
        "SELECT a.tid FROM threads a, modules b WHERE a.pid = b.pid AND b.name = 'nt' AND a.tid > 5 AND a.tid < b.size_bytes",
        &expect![[r#"
        (tid INTEGER)
        select tid
          join inner on a.pid = b.pid AND tid < size_bytes
            filter tid > 5
              scan threads: columns tid, pid; hints tid from 5
            filter name = 'nt'
              scan modules: columns name, size_bytes, pid; hints name = 'nt'"#]],
    );
    check(
        "SELECT a.tid FROM threads a LEFT JOIN modules b ON a.pid = b.pid AND b.name = 'nt' AND a.tid = 3 WHERE a.priority = 1 AND b.base IS NULL",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter base IS NULL
            join left on a.pid = b.pid AND tid = 3
              filter priority = 1
                scan threads: columns tid, pid, priority; hints priority = 1
              filter name = 'nt'
                scan modules: columns base, name, pid; hints name = 'nt'"#]],
    );
    check(
        "SELECT a.tid FROM threads a RIGHT JOIN modules b ON a.pid = b.pid AND a.tid = 3 WHERE b.name = 'nt'",
        &expect![[r#"
        (tid INTEGER)
        select tid
          join right on a.pid = b.pid
            filter tid = 3
              scan threads: columns tid, pid; hints tid = 3
            filter name = 'nt'
              scan modules: columns name, pid; hints name = 'nt'"#]],
    );
    check(
        "SELECT * FROM (SELECT pid, count(*) AS n FROM threads GROUP BY pid) WHERE pid = 4 AND n > 2",
        &expect![[r#"
        (pid INTEGER, n INTEGER)
        select pid, count(*) AS n
          filter count(*) > 2
            group by pid: count(*)
              filter pid = 4
                scan threads: columns pid; hints pid = 4"#]],
    );
    check(
        "SELECT * FROM (SELECT tid FROM threads UNION ALL SELECT size_bytes FROM modules) WHERE tid = 4",
        &expect![[r#"
        (tid INTEGER)
        select tid
          union all
            select tid
              filter tid = 4
                scan threads: columns tid; hints tid = 4
            select size_bytes
              filter size_bytes = 4
                scan modules: columns size_bytes; hints size_bytes = 4"#]],
    );
    check(
        "SELECT * FROM (SELECT tid FROM threads LIMIT 10) WHERE tid = 4",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter tid = 4
            limit 10
              select tid
                scan threads: columns tid; at most 10 rows"#]],
    );
    check(
        "SELECT tid FROM threads SEMI JOIN modules USING (pid) WHERE tid = 4",
        &expect![[r#"
        (tid INTEGER)
        select tid
          join semi on pid = pid
            filter tid = 4
              scan threads: columns tid, pid; hints tid = 4
            scan modules: columns pid"#]],
    );
    check(
        "SELECT tid FROM threads t ANTI JOIN modules m ON t.pid = m.pid AND m.name LIKE 'a%' AND t.tid = 7",
        &expect![[r#"
        (tid INTEGER)
        select tid
          join anti on pid = pid AND tid = 7
            scan threads: columns tid, pid
            filter name LIKE 'a%'
              scan modules: columns name, pid; hints name begins with 'a'"#]],
    );
    check(
        "SELECT a.tid FROM threads a CROSS JOIN threads b CROSS JOIN threads c WHERE a.tid = b.pid AND b.tid = c.pid AND c.state = 'Ready'",
        &expect![[r#"
        (tid INTEGER)
        select a.tid
          join inner on b.tid = pid
            join inner on a.tid = b.pid
              scan threads: columns tid
              scan threads: columns tid, pid
            filter state = 'Ready'
              scan threads: columns pid, state; hints state = 'Ready'"#]],
    );
    check(
        "SELECT a.tid FROM threads a JOIN modules b ON a.start_address BETWEEN b.base AND b.base + b.size_bytes",
        &expect![[r#"
        (tid INTEGER)
        select tid
          join inner on start_address >= base AND start_address <= base + size_bytes
            scan threads: columns tid, start_address
            scan modules: columns base, size_bytes"#]],
    );
    check(
        "SELECT a.tid FROM threads a JOIN modules b ON a.tid = b.base",
        &expect![[r#"
        (tid INTEGER)
        select tid
          join inner on TRY_CAST(tid AS ADDRESS) = base
            scan threads: columns tid
            scan modules: columns base"#]],
    );
}
