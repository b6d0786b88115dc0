//! Plans of queries that are right.

use expect_test::{Expect, expect};

use super::explained;

fn check(sql: &str, expect: &Expect) {
    expect.assert_eq(&explained(sql));
}

#[test]
fn scans_read_what_is_asked() {
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
fn grouping() {
    check(
        "SELECT state, count(*) FROM threads GROUP BY state",
        &expect![[r#"
        (state VARCHAR, count(*) INTEGER)
        select state, count(*)
          group by state: count(*)
            scan threads: columns state"#]],
    );
    check(
        "SELECT state AS s, pid % 4 AS b, count(*) n, avg(wait_ms) FROM threads GROUP BY ALL HAVING n > 1 ORDER BY n DESC, s",
        &expect![[r#"
        (s VARCHAR, b INTEGER, n INTEGER, avg(wait_ms) DOUBLE)
        sort by n DESC, s
          select state AS s, pid % 4 AS b, count(*) AS n, avg(wait_ms)
            filter count(*) > 1
              group by state, pid % 4: count(*), avg(wait_ms)
                scan threads: columns pid, state, wait_ms"#]],
    );
    check(
        "SELECT lower(state), count(DISTINCT pid) FILTER (WHERE tid > 4) FROM threads GROUP BY 1",
        &expect![[r#"
        (lower(state) VARCHAR, count(DISTINCT pid) INTEGER)
        select lower(state), count(DISTINCT pid) FILTER (WHERE tid > 4) AS count(DISTINCT pid)
          group by lower(state): count(DISTINCT pid) FILTER (WHERE tid > 4)
            scan threads: columns tid, pid, state"#]],
    );
    check(
        "SELECT lower(state) || '!' AS x FROM threads GROUP BY lower(state) ORDER BY max(tid)",
        &expect![[r#"
        (x VARCHAR)
        select x
          sort by max(tid)
            select lower(state) || '!' AS x, max(tid)
              group by lower(state): max(tid)
                scan threads: columns tid, state"#]],
    );
    check(
        "SELECT sum(tid), min(create_time), max(start_address), min(state), avg(tid) FROM threads",
        &expect![[r#"
        (sum(tid) INTEGER, min(create_time) TIMESTAMP, max(start_address) ADDRESS, min(state) VARCHAR, avg(tid) DOUBLE)
        select sum(tid), min(create_time), max(start_address), min(state), avg(CAST(tid AS DOUBLE)) AS avg(tid)
          aggregate sum(tid), min(create_time), max(start_address), min(state), avg(CAST(tid AS DOUBLE))
            scan threads: columns tid, state, start_address, create_time"#]],
    );
    check(
        "SELECT string_agg(state, ', ' ORDER BY tid DESC) FROM threads",
        &expect![[r#"
        (string_agg(state, ', ') VARCHAR)
        select string_agg(state, ', ' ORDER BY tid DESC) AS string_agg(state, ', ')
          aggregate string_agg(state, ', ' ORDER BY tid DESC)
            scan threads: columns tid, state"#]],
    );
    check(
        "SELECT pid FROM threads GROUP BY pid HAVING count(*) > 5",
        &expect![[r#"
        (pid INTEGER)
        select pid
          filter count(*) > 5
            group by pid: count(*)
              scan threads: columns pid"#]],
    );
    check(
        "SELECT min(checksum), any_value(checksum) FROM modules",
        &expect![[r#"
        (min(checksum) INTEGER, any_value(checksum) INTEGER)
        select min(checksum), any_value(checksum)
          aggregate min(checksum), any_value(checksum)
            scan modules: columns checksum"#]],
    );
    check(
        "SELECT count(*) FROM (SELECT DISTINCT state, pid FROM threads)",
        &expect![[r#"
        (count(*) INTEGER)
        select count(*)
          aggregate count(*)
            distinct
              select state, pid
                scan threads: columns pid, state"#]],
    );
    check(
        "SELECT 'all' AS what, count(*) FROM threads GROUP BY ALL",
        &expect![[r#"
        (what VARCHAR, count(*) INTEGER)
        select 'all' AS what, count(*)
          aggregate count(*)
            scan threads: no columns"#]],
    );
    check(
        "SELECT tid + 1 AS a, a * 2 AS b, b > 4 AS c FROM threads WHERE b > 10",
        &expect![[r#"
        (a INTEGER, b INTEGER, c BOOLEAN)
        select tid + 1 AS a, (tid + 1) * 2 AS b, (tid + 1) * 2 > 4 AS c
          filter (tid + 1) * 2 > 10
            scan threads: columns tid"#]],
    );
}

#[test]
fn joins_with_merged_columns() {
    check(
        "SELECT * FROM threads JOIN modules USING (pid)",
        &expect![[r#"
        (tid INTEGER, pid INTEGER, state VARCHAR, priority INTEGER, start_address ADDRESS, wait_ms DOUBLE, create_time TIMESTAMP, is_idle BOOLEAN, base ADDRESS, name VARCHAR, size_bytes INTEGER, checksum INTEGER)
        select tid, threads.pid, state, priority, start_address, wait_ms, create_time, is_idle, base, name, size_bytes, checksum
          join inner on threads.pid = modules.pid
            scan threads: columns tid, pid, state, priority, start_address, wait_ms, create_time, is_idle
            scan modules: columns base, name, size_bytes, checksum, pid"#]],
    );
    check(
        "SELECT pid, tid, name FROM threads FULL JOIN modules USING (pid)",
        &expect![[r#"
        (pid INTEGER, tid INTEGER, name VARCHAR)
        select CASE WHEN threads.pid IS NOT NULL THEN threads.pid ELSE modules.pid END AS pid, tid, name
          join full on threads.pid = modules.pid
            scan threads: columns tid, pid
            scan modules: columns name, pid"#]],
    );
    check(
        "SELECT pid, t.pid, m.pid FROM threads t RIGHT JOIN modules m USING (pid)",
        &expect![[r#"
        (pid INTEGER, pid INTEGER, pid INTEGER)
        select m.pid, t.pid, m.pid
          join right on t.pid = m.pid
            scan threads: columns pid
            scan modules: columns pid"#]],
    );
    check(
        "SELECT tid, name FROM threads NATURAL JOIN modules",
        &expect![[r#"
        (tid INTEGER, name VARCHAR)
        select tid, name
          join inner on threads.pid = modules.pid
            scan threads: columns tid, pid
            scan modules: columns name, pid"#]],
    );
    check(
        "SELECT a.tid, b.tid FROM threads a JOIN threads b ON a.tid = b.tid + 1 AND a.pid <> b.pid",
        &expect![[r#"
        (tid INTEGER, tid INTEGER)
        select a.tid, b.tid
          join inner on a.tid = b.tid + 1 AND a.pid <> b.pid
            scan threads: columns tid, pid
            scan threads: columns tid, pid"#]],
    );
    check(
        "SELECT tid FROM threads JOIN modules USING (pid, dump)",
        &expect![[r#"
        (tid INTEGER)
        select tid
          join inner on threads.pid = modules.pid AND threads.dump = modules.dump
            scan threads: columns dump, tid, pid
            scan modules: columns dump, pid"#]],
    );
}

#[test]
fn sub_queries() {
    check(
        "SELECT tid FROM threads WHERE pid IN (SELECT pid FROM modules WHERE name = 'nt')",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter pid IN (sub-query)
            sub-query of IN
              select pid
                filter name = 'nt'
                  scan modules: columns name, pid; hints name = 'nt'
            scan threads: columns tid, pid"#]],
    );
    check(
        "SELECT tid, (SELECT max(size_bytes) FROM modules) AS largest FROM threads WHERE EXISTS (SELECT * FROM modules WHERE name = 'x')",
        &expect![[r#"
        (tid INTEGER, largest INTEGER)
        select tid, (sub-query) AS largest
          sub-query
            select max(size_bytes)
              aggregate max(size_bytes)
                scan modules: columns size_bytes
          filter EXISTS (sub-query)
            sub-query of EXISTS
              limit 1
                filter name = 'x'
                  scan modules: columns name; hints name = 'x'
            scan threads: columns tid"#]],
    );
    check(
        "WITH t AS (SELECT * FROM threads WHERE pid = 4) SELECT count(*) FROM t",
        &expect![[r#"
        (count(*) INTEGER)
        select count(*)
          aggregate count(*)
            filter pid = 4
              scan threads: columns pid; hints pid = 4"#]],
    );
    check(
        "WITH t AS (SELECT * FROM threads WHERE pid = 4) SELECT a.tid FROM t a JOIN t b ON a.tid = b.priority WHERE a.state = 'Ready'",
        &expect![[r#"
        (tid INTEGER)
        select a.tid
          join inner on a.tid = b.priority
            filter state = 'Ready'
              shared 1, computed once
                select tid, NULL AS pid, state, priority, NULL AS start_address, NULL AS wait_ms, NULL AS create_time, NULL AS is_idle
                  filter pid = 4
                    scan threads: columns tid, pid, state, priority; hints pid = 4
            shared 1, as above"#]],
    );
    check(
        "WITH a AS (SELECT tid AS x FROM threads), b(y) AS (SELECT x + 1 FROM a) SELECT y FROM b WHERE y > (SELECT min(y) FROM b)",
        &expect![[r#"
        (y INTEGER)
        select y
          filter y > (sub-query)
            sub-query
              select min(y)
                aggregate min(y)
                  shared 2, computed once
                    select tid + 1 AS y
                      scan threads: columns tid
            shared 2, as above"#]],
    );
    check(
        "WITH threads AS (SELECT tid FROM threads WHERE tid > 9) FROM threads",
        &expect![[r#"
        (tid INTEGER)
        select tid
          filter tid > 9
            scan threads: columns tid; hints tid from 9"#]],
    );
}

#[test]
fn constants() {
    check(
        "SELECT 1, -9223372036854775808, 'a' || 'b', 1 + 2 * 3, NOT true, NULL, 0x10 + 1, INTERVAL '1 day' * 2",
        &expect![[r#"
        (1 INTEGER, -9223372036854775808 INTEGER, 'a' || 'b' VARCHAR, 1 + 2 * 3 INTEGER, NOT true BOOLEAN, NULL NULL, 0x10 + 1 ADDRESS, INTERVAL '1 day 00:00:00' * 2 INTERVAL)
        select 1, -9223372036854775808, 'ab' AS 'a' || 'b', 7 AS 1 + 2 * 3, false AS NOT true, NULL, 0x11 AS 0x10 + 1, INTERVAL '2 days 00:00:00' AS INTERVAL '1 day 00:00:00' * 2
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
        (create_time - create_time INTERVAL, create_time + INTERVAL '00:00:05' TIMESTAMP, create_time - '1 day' TIMESTAMP, start_address + 8 ADDRESS, start_address - start_address INTEGER, start_address & 0xfff ADDRESS, tid & 0xf INTEGER, tid << 2 INTEGER, tid // 2 INTEGER, tid / 2 DOUBLE)
        select create_time - create_time, create_time + INTERVAL '00:00:05', create_time - INTERVAL '1 day 00:00:00' AS create_time - '1 day', start_address + 8, start_address - start_address, start_address & 0xfff, tid & 0xf, tid << 2, tid // 2, CAST(tid AS DOUBLE) / 2.0 AS tid / 2
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
fn table_functions_have_the_columns_that_they_say() {
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
