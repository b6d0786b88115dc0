//! Plans of valid queries.

mod conditions;
mod queries;

use expect_test::{Expect, expect};

use super::explained;

fn check(sql: &str, expect: &Expect) {
    expect.assert_eq(&explained(sql));
}

#[test]
fn scans_read_only_used_columns() {
    check(
        "SELECT tid, state FROM threads",
        &expect![[r#"
        (tid INTEGER, state VARCHAR)
        select tid, state
          scan threads: columns tid, state"#]],
    );
    check(
        "SELECT * FROM meta.tables",
        &expect![[r#"
        (name VARCHAR, doc VARCHAR)
        select name, doc
          scan meta.tables: columns name, doc"#]],
    );
    check(
        "FROM threads",
        &expect![[r#"
        (tid INTEGER, pid INTEGER, state VARCHAR, priority INTEGER, start_address ADDRESS, wait_ms DOUBLE, create_time TIMESTAMP, is_idle BOOLEAN)
        select tid, pid, state, priority, start_address, wait_ms, create_time, is_idle
          scan threads: columns tid, pid, state, priority, start_address, wait_ms, create_time, is_idle"#]],
    );
    check(
        "SELECT count(*) FROM threads",
        &expect![[r#"
        (count(*) INTEGER)
        select count(*)
          aggregate count(*)
            scan threads: no columns"#]],
    );
    check(
        "SELECT tid, why(state) FROM threads WHERE why(create_time) IS NOT NULL",
        &expect![[r#"
        (tid INTEGER, why(state) VARCHAR)
        select tid, why(state)
          filter why(create_time) IS NOT NULL
            scan threads: columns tid, why(state), why(create_time)"#]],
    );
    check(
        "SELECT threads.dump, t.* EXCLUDE (dump) FROM threads, (SELECT 1 AS dump, 2 AS x) t",
        &expect![[r#"
        (dump VARCHAR, x INTEGER)
        select threads.dump, x
          join cross
            scan threads: columns dump
            select 2 AS x
              one row"#]],
    );
    check(
        "SELECT * EXCLUDE (pid, state) REPLACE (tid + 1 AS tid) FROM threads",
        &expect![[r#"
        (tid INTEGER, priority INTEGER, start_address ADDRESS, wait_ms DOUBLE, create_time TIMESTAMP, is_idle BOOLEAN)
        select tid + 1 AS tid, priority, start_address, wait_ms, create_time, is_idle
          scan threads: columns tid, priority, start_address, wait_ms, create_time, is_idle"#]],
    );
    check(
        "SELECT x.a, x.b FROM threads AS x(a, b)",
        &expect![[r#"
        (a INTEGER, b INTEGER)
        select a, b
          scan threads: columns tid, pid"#]],
    );
    check(
        "SELECT name FROM (SELECT name, size_bytes, checksum + 1 AS c FROM modules)",
        &expect![[r#"
        (name VARCHAR)
        select name
          scan modules: columns name"#]],
    );
}

#[test]
fn limits_and_sorts() {
    check(
        "SELECT tid FROM threads LIMIT 10 OFFSET 5",
        &expect![[r#"
        (tid INTEGER)
        limit 10 offset 5
          select tid
            scan threads: columns tid; at most 15 rows"#]],
    );
    check(
        "SELECT tid FROM threads WHERE tid > 3 LIMIT $n",
        &expect![[r#"
        (tid INTEGER)
        limit 3
          select tid
            filter tid > 3
              scan threads: columns tid; hints tid from 3"#]],
    );
    check(
        "SELECT name FROM modules ORDER BY size_bytes DESC LIMIT 5",
        &expect![[r#"
        (name VARCHAR)
        limit 5
          select name
            first 5 by size_bytes DESC
              select name, size_bytes
                scan modules: columns name, size_bytes"#]],
    );
    check(
        "SELECT name, size_bytes / 1024 AS kb FROM modules ORDER BY kb DESC NULLS FIRST, 1, lower(name)",
        &expect![[r#"
        (name VARCHAR, kb DOUBLE)
        select name, kb
          sort by kb DESC NULLS FIRST, name, lower(name)
            select name, CAST(size_bytes AS DOUBLE) / 1024.0 AS kb, lower(name)
              scan modules: columns name, size_bytes"#]],
    );
    check(
        "SELECT * FROM threads ORDER BY ALL DESC",
        &expect![[r#"
        (tid INTEGER, pid INTEGER, state VARCHAR, priority INTEGER, start_address ADDRESS, wait_ms DOUBLE, create_time TIMESTAMP, is_idle BOOLEAN)
        sort by tid DESC, pid DESC, state DESC, priority DESC, start_address DESC, wait_ms DESC, create_time DESC, is_idle DESC
          select tid, pid, state, priority, start_address, wait_ms, create_time, is_idle
            scan threads: columns tid, pid, state, priority, start_address, wait_ms, create_time, is_idle"#]],
    );
    check(
        "SELECT DISTINCT state FROM threads ORDER BY state LIMIT 3",
        &expect![[r#"
        (state VARCHAR)
        limit 3
          first 3 by state
            distinct
              select state
                scan threads: columns state"#]],
    );
    check(
        "SELECT DISTINCT ON (pid) pid, tid FROM threads ORDER BY wait_ms DESC",
        &expect![[r#"
        (pid INTEGER, tid INTEGER)
        select pid, tid
          distinct on pid
            sort by wait_ms DESC
              select pid, tid, wait_ms
                scan threads: columns tid, pid, wait_ms"#]],
    );
    check(
        "SELECT tid FROM threads ORDER BY -tid",
        &expect![[r#"
        (tid INTEGER)
        select tid
          sort by -tid
            select tid, -tid
              scan threads: columns tid"#]],
    );
    check(
        "SELECT tid FROM threads UNION ALL SELECT pid FROM modules LIMIT 3",
        &expect![[r#"
        (tid INTEGER)
        limit 3
          union all
            select tid
              scan threads: columns tid; at most 3 rows
            select pid
              scan modules: columns pid; at most 3 rows"#]],
    );
}

#[test]
fn constants() {
    check(
        "SELECT 1, -9223372036854775808, 'a' || 'b', 1 + 2 * 3, NOT true, NULL, 0x10 + 1, INTERVAL '1 day' * 2",
        &expect![[r#"
        (1 INTEGER, -9223372036854775808 INTEGER, 'a' || 'b' VARCHAR, 1 + 2 * 3 INTEGER, NOT true BOOLEAN, NULL NULL, 0x10 + 1 ADDRESS, INTERVAL '1 day' * 2 INTERVAL)
        select 1, -9223372036854775808, 'ab' AS 'a' || 'b', 7 AS 1 + 2 * 3, false AS NOT true, NULL, 0x11 AS 0x10 + 1, INTERVAL '2 days 00:00:00' AS INTERVAL '1 day' * 2
          one row"#]],
    );
    check(
        "VALUES (1, 'a'), (2.5, NULL)",
        &expect![[r#"
        (col0 DOUBLE, col1 VARCHAR)
        values: 2 rows of col0, col1"#]],
    );
    check(
        "SELECT * FROM (VALUES (1, 0x10), (2, 3)) AS v(a, b) ORDER BY a",
        &expect![[r#"
        (a INTEGER, b ADDRESS)
        sort by a
          select a, b
            values: 2 rows of a, b"#]],
    );
    check(
        "SELECT CASE state WHEN 'Ready' THEN 1 WHEN 'Waiting' THEN 2.5 END, coalesce(state, 'none'), nullif(tid, 0), if(tid > 1, 'a', 'b') FROM threads",
        &expect![[r#"
        (case DOUBLE, coalesce(state, 'none') VARCHAR, nullif(tid, 0) INTEGER, if(tid > 1, 'a', 'b') VARCHAR)
        select CASE WHEN state = 'Ready' THEN 1.0 WHEN state = 'Waiting' THEN 2.5 END AS case, CASE WHEN state IS NOT NULL THEN state ELSE 'none' END AS coalesce(state, 'none'), CASE WHEN tid = 0 THEN NULL ELSE tid END AS nullif(tid, 0), CASE WHEN tid > 1 THEN 'a' ELSE 'b' END AS if(tid > 1, 'a', 'b')
          scan threads: columns tid, state"#]],
    );
    check(
        "SELECT typeof(tid), typeof(wait_ms + 1), CAST('5' AS INTEGER), TRY_CAST('x' AS INTEGER), '2020-01-01'::TIMESTAMP FROM threads",
        &expect![[r#"
        (typeof(tid) VARCHAR, typeof(wait_ms + 1) VARCHAR, CAST('5' AS INTEGER) INTEGER, TRY_CAST('x' AS INTEGER) INTEGER, CAST('2020-01-01' AS TIMESTAMP) TIMESTAMP)
        select 'INTEGER' AS typeof(tid), 'DOUBLE' AS typeof(wait_ms + 1), 5 AS CAST('5' AS INTEGER), TRY_CAST('x' AS INTEGER), TIMESTAMP '2020-01-01 00:00:00' AS CAST('2020-01-01' AS TIMESTAMP)
          scan threads: no columns"#]],
    );
    check(
        "SELECT tid IN (1, 2.5), start_address IN (1, 2), tid IN (0x10), start_address = 5, tid = start_address FROM threads",
        &expect![[r#"
        (tid IN (1, 2.5) BOOLEAN, start_address IN (1, 2) BOOLEAN, tid IN (0x10) BOOLEAN, start_address = 5 BOOLEAN, tid = start_address BOOLEAN)
        select CAST(tid AS DOUBLE) IN (1.0, 2.5) AS tid IN (1, 2.5), start_address IN (0x1, 0x2) AS start_address IN (1, 2), tid IN (0x10), start_address = 0x5 AS start_address = 5, tid = start_address
          scan threads: columns tid, start_address"#]],
    );
    check(
        "SELECT create_time - create_time, create_time + INTERVAL '5 s', create_time - '1 day', start_address + 8, start_address - start_address, start_address & 0xfff, tid & 0xf, tid << 2, tid // 2, tid / 2 FROM threads",
        &expect![[r#"
        (create_time - create_time INTERVAL, create_time + INTERVAL '5 seconds' TIMESTAMP, create_time - '1 day' TIMESTAMP, start_address + 8 ADDRESS, start_address - start_address INTEGER, start_address & 0xfff ADDRESS, tid & 0xf INTEGER, tid << 2 INTEGER, tid // 2 INTEGER, tid / 2 DOUBLE)
        select create_time - create_time, create_time + INTERVAL '00:00:05' AS create_time + INTERVAL '5 seconds', create_time - INTERVAL '1 day 00:00:00' AS create_time - '1 day', start_address + 8, start_address - start_address, start_address & 0xfff, tid & 0xf, tid << 2, tid // 2, CAST(tid AS DOUBLE) / 2.0 AS tid / 2
          scan threads: columns tid, start_address, create_time"#]],
    );
    check(
        "SELECT tid BETWEEN 1 AND 5, tid NOT BETWEEN 1 AND 5, is_idle IS NOT TRUE, state LIKE 'a!%' ESCAPE '!', nt!KiIdleLoop FROM threads",
        &expect![[r#"
        (tid BETWEEN 1 AND 5 BOOLEAN, tid NOT BETWEEN 1 AND 5 BOOLEAN, is_idle IS NOT TRUE BOOLEAN, state LIKE 'a!%' BOOLEAN, nt!KiIdleLoop ADDRESS)
        select tid >= 1 AND tid <= 5 AS tid BETWEEN 1 AND 5, tid < 1 OR tid > 5 AS tid NOT BETWEEN 1 AND 5, is_idle IS DISTINCT FROM true AS is_idle IS NOT TRUE, state LIKE 'a!%' ESCAPE '!' AS state LIKE 'a!%', nt!KiIdleLoop
          scan threads: columns tid, state, is_idle"#]],
    );
    check(
        "SELECT NULL AS a UNION ALL SELECT 1",
        &expect![[r#"
        (a INTEGER)
        union all
          select NULL AS a
            one row
          select 1
            one row"#]],
    );
    check(
        "SELECT tid, state FROM threads EXCEPT SELECT pid, name FROM modules ORDER BY 2 DESC, tid + 1",
        &expect![[r#"
        (tid INTEGER, state VARCHAR)
        select tid, state
          sort by state DESC, tid + 1
            select tid, state, tid + 1
              except
                select tid, state
                  scan threads: columns tid, state
                select pid, name
                  scan modules: columns name, pid"#]],
    );
}

#[test]
fn table_functions_have_their_declared_columns() {
    check(
        "SELECT * FROM struct('_ETHREAD', nt!KiInitialThread)",
        &expect![[r#"
            (Cid ADDRESS, Flags INTEGER)
            select Cid, Flags
              call struct('_ETHREAD', 'nt!KiInitialThread'): columns Cid, Flags"#]],
    );
    check(
        "SELECT Cid, why(Cid) FROM struct(address => 0x1000, type => '_ETHREAD') AS t WHERE t.Flags = 0x10 LIMIT 3",
        &expect![[r#"
            (Cid ADDRESS, why(Cid) VARCHAR)
            limit 3
              select Cid, why(Cid)
                filter Flags = 0x10
                  call struct('_ETHREAD', 0x1000): columns Cid, Flags, why(Cid)"#]],
    );
    check(
        "SELECT r.range, dump FROM range($n) r, struct('_ETHREAD', 1 + 1)",
        &expect![[r#"
            (range INTEGER, dump VARCHAR)
            select range, dump
              join cross
                call range(3): columns range
                call struct('_ETHREAD', 2): columns dump"#]],
    );
    check(
        "SELECT count(*) FROM range(1, 10, 2)",
        &expect![[r#"
            (count(*) INTEGER)
            select count(*)
              aggregate count(*)
                call range(1, 10, 2): no columns"#]],
    );
}
