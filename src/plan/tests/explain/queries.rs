//! Plans of joins, groups and sub-queries.

use expect_test::expect;

use super::check;

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
fn correlated_sub_queries_become_joins() {
    check(
        "SELECT tid FROM threads t WHERE EXISTS (SELECT * FROM modules m WHERE m.pid = t.pid AND m.name <> t.state)",
        &expect![[r#"
            (tid INTEGER)
            select tid
              join semi on pid = pid AND name <> state
                scan threads: columns tid, pid, state
                select name, pid
                  scan modules: columns name, pid"#]],
    );
    check(
        "SELECT tid FROM threads t WHERE pid NOT IN (SELECT pid FROM modules m WHERE m.name = t.state)",
        &expect![[r#"
            (tid INTEGER)
            select tid
              join anti on state = name AND (pid = pid) IS DISTINCT FROM false
                scan threads: columns tid, pid, state
                select pid, name
                  scan modules: columns name, pid"#]],
    );
    check(
        "SELECT tid, (SELECT count(*) FROM modules m WHERE m.pid = t.pid) AS n FROM threads t",
        &expect![[r#"
            (tid INTEGER, n INTEGER)
            select tid, CASE WHEN pid IS NULL THEN 0 ELSE count(*) END AS n
              join left on pid = pid
                scan threads: columns tid, pid
                group by pid: count(*)
                  scan modules: columns pid"#]],
    );
    check(
        "SELECT tid, (SELECT name FROM modules m WHERE m.pid = t.pid) AS name FROM threads t",
        &expect![[r#"
            (tid INTEGER, name VARCHAR)
            select tid, name
              join left (at most one match) on pid = pid
                scan threads: columns tid, pid
                select name, pid
                  scan modules: columns name, pid"#]],
    );
    check(
        "SELECT tid FROM threads t WHERE tid > 4 OR EXISTS (SELECT * FROM modules m WHERE m.pid = t.pid)",
        &expect![[r#"
            (tid INTEGER)
            select tid
              filter tid > 4 OR match
                join mark on pid = pid
                  scan threads: columns tid, pid
                  select pid
                    scan modules: columns pid"#]],
    );
    check(
        "SELECT tid, (SELECT max(pid) FROM modules m WHERE m.pid < t.pid) AS n FROM threads t",
        &expect![[r#"
            (tid INTEGER, n INTEGER)
            select tid, (sub-query) AS n
              sub-query, once for each pid
                select max(pid)
                  aggregate max(pid)
                    filter pid < outer.1
                      scan modules: columns pid
              scan threads: columns tid, pid"#]],
    );
    check(
        "SELECT tid, x.name FROM threads t LEFT JOIN LATERAL (SELECT name FROM modules m WHERE m.pid = t.pid ORDER BY name LIMIT 1) x ON true",
        &expect![[r#"
            (tid INTEGER, name VARCHAR)
            select tid, name
              join left on pid = pid
                scan threads: columns tid, pid
                select name, pid
                  filter row > 0 AND row <= 1
                    window row_number() partition by pid
                      sort by name
                        select name, pid
                          scan modules: columns name, pid"#]],
    );
    check(
        "SELECT tid, range FROM threads t, range(t.priority, 10)",
        &expect![[r#"
        (tid INTEGER, range INTEGER)
        select tid, range
          join cross lateral, once for each priority
            scan threads: columns tid, priority
            call range(outer.1, 10): columns range"#]],
    );
}

#[test]
fn recursion() {
    check(
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r, threads t WHERE t.tid = r.n) SELECT n FROM r WHERE n > 3",
        &expect![[r#"
            (n INTEGER)
            select n
              filter n > 3
                recursion 1: union of the first rows and those of each step
                  select 1 AS n
                    one row
                  select n + 1
                    join inner on n = tid
                      new rows of recursion 1
                      scan threads: columns tid"#]],
    );
}

#[test]
fn tables_are_joined_after_a_condition_connects_them() {
    check(
        "SELECT count(*) FROM threads t, meta.tables x, modules m WHERE t.pid = m.pid AND m.name = x.name",
        &expect![[r#"
            (count(*) INTEGER)
            select count(*)
              aggregate count(*)
                join inner on name = name
                  join inner on pid = pid
                    scan threads: columns pid
                    scan modules: columns name, pid
                  scan meta.tables: columns name"#]],
    );
    check(
        "SELECT count(*) FROM threads t, modules m WHERE (t.pid = m.pid AND t.tid = 1) OR (t.pid = m.pid AND m.name = 'x')",
        &expect![[r#"
            (count(*) INTEGER)
            select count(*)
              aggregate count(*)
                join inner on t.pid = m.pid AND (tid = 1 OR name = 'x')
                  scan threads: columns tid, pid
                  scan modules: columns name, pid"#]],
    );
    check(
        "SELECT tid, name FROM threads t ASOF LEFT JOIN modules m ON t.pid >= m.pid AND t.state = m.name",
        &expect![[r#"
            (tid INTEGER, name VARCHAR)
            select tid, name
              join left as-of on state = name AND t.pid >= m.pid
                scan threads: columns tid, pid, state
                scan modules: columns name, pid"#]],
    );
}
