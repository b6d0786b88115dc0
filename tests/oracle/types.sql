-- Days, times of day, bytes, UUIDs and maps, asked of DuckDB and of dumpql (tests/it/duckdb.rs). One query a line.
SELECT DATE '2024-01-15', '2024-01-15'::DATE, CAST('2024-01-15 12:00' AS DATE), TIMESTAMP '2024-01-15 12:00:00'::DATE, DATE '2024-01-15'::TIMESTAMP, TRY_CAST('x' AS DATE)
SELECT DATE '2024-03-01' + 1, DATE '2024-03-01' - 1, 1 + DATE '2024-03-01', DATE '2024-03-01' - DATE '2024-02-01', DATE '2024-02-01' - DATE '2024-03-01'
SELECT DATE '2024-01-15' + INTERVAL '1 month', DATE '2024-01-31' - INTERVAL '1 month', INTERVAL '1 day' + DATE '2024-01-15', DATE '2024-01-15' + INTERVAL '90 minutes', DATE '2024-01-15' + TIME '12:30:00'
SELECT DATE '2024-01-15' = TIMESTAMP '2024-01-15', DATE '2024-01-15' < TIMESTAMP '2024-01-15 00:00:01', DATE '2024-01-15' > '2023-01-01', DATE '2024-01-15' IN ('2024-01-15'), DATE '2024-01-15' BETWEEN DATE '2024-01-01' AND DATE '2024-02-01'
SELECT typeof(DATE '2024-01-15'), typeof(DATE '2024-01-15' + 1), typeof(DATE '2024-01-15' + INTERVAL '1 day'), typeof(DATE '2024-01-15' - TIMESTAMP '2024-01-01'), typeof(TIME '12:00:00'), typeof('a'::BLOB), typeof(MAP {'a': 1.5e0})
SELECT d, count(*) AS n FROM (VALUES (DATE '2024-01-15'), (DATE '2024-01-14'), (NULL), (DATE '2024-01-15')) AS t(d) GROUP BY d ORDER BY d
SELECT d FROM (VALUES (DATE '2024-01-15'), (DATE '1969-12-31'), (NULL), (DATE '0001-01-01')) AS t(d) ORDER BY d DESC NULLS LAST
SELECT min(d), max(d), count(DISTINCT d), first(d ORDER BY d), any_value(d), arg_max(d, d), mode(d) FROM (VALUES (DATE '2024-01-15'), (DATE '2024-01-14'), (DATE '2024-01-15')) AS t(d)
SELECT a.d, b.x FROM (VALUES (DATE '2024-01-15'), (DATE '2024-01-14')) AS a(d) JOIN (VALUES (TIMESTAMP '2024-01-15', 1), (TIMESTAMP '2024-01-14 10:00', 2)) AS b(t, x) ON a.d = b.t
SELECT year(d), month(d), day(d), dayofweek(d), dayname(d), monthname(d), week(d), quarter(d), last_day(d), date_part('doy', d), extract(year FROM d) FROM (VALUES (DATE '2024-02-15'), (DATE '1999-12-31')) AS t(d)
SELECT date_trunc('month', DATE '2024-01-15'), date_diff('day', DATE '2024-01-01', DATE '2024-02-01'), datediff('month', DATE '2024-01-31', DATE '2024-02-01'), date_add(DATE '2024-01-15', INTERVAL '1 day'), strftime(DATE '2024-01-15', '%d.%m.%Y')
SELECT make_date(2024, 2, 29), epoch(DATE '1970-01-02'), epoch_ms(DATE '1970-01-02'), greatest(DATE '2024-01-01', TIMESTAMP '2024-01-01 10:00'), least(DATE '2024-01-01', DATE '2023-01-01'), coalesce(NULL, DATE '2024-01-01'), CASE WHEN true THEN DATE '2024-01-01' ELSE TIMESTAMP '2024-01-01 10:00' END
SELECT d, row_number() OVER (ORDER BY d), lag(d) OVER (ORDER BY d), count(*) OVER (ORDER BY d RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) FROM (VALUES (DATE '2024-01-15'), (DATE '2024-01-14'), (DATE '2024-01-10')) AS t(d) ORDER BY d
SELECT list_sort([DATE '2024-02-01', DATE '2024-01-01']), [DATE '2024-02-01'][1], {'d': DATE '2024-02-01'}.d, list(d ORDER BY d) FROM (VALUES (DATE '2024-01-15'), (DATE '2024-01-14')) AS t(d)
SELECT DATE '2024-01-15'::VARCHAR, 'on ' || DATE '2024-01-15', CAST(TIME '01:02:03.5' AS VARCHAR), DATE '12024-01-15'::VARCHAR
SELECT DATE '2024-01-15' UNION SELECT TIMESTAMP '2024-01-15 10:00:00'
SELECT CAST(TIME '12:30:00' AS VARCHAR), CAST('23:59:59.999999'::TIME AS VARCHAR), CAST(TIMESTAMP '2024-01-01 12:34:56.5'::TIME AS VARCHAR), CAST(make_time(12, 30, 1.5) AS VARCHAR), TRY_CAST('25:00:00' AS TIME)
SELECT CAST(TIME '12:00:00' + INTERVAL '13 hours' AS VARCHAR), CAST(TIME '12:00:00' - INTERVAL '13 hours' AS VARCHAR), TIME '12:00:00' < TIME '12:00:01', hour(TIME '12:30:05'), minute(TIME '12:30:05'), second(TIME '12:30:05'), extract(hour FROM TIME '12:30:00'), epoch(TIME '00:00:01.5')
SELECT CAST(max(x) AS VARCHAR), CAST(min(x) AS VARCHAR), count(DISTINCT x) FROM (VALUES (TIME '12:00:00'), (TIME '01:00:00'), (NULL), (TIME '12:00:00')) AS t(x)
SELECT CAST('ab'::BLOB AS VARCHAR), CAST('\xDE\xADx\x00'::BLOB AS VARCHAR), CAST(BLOB '\xAA' AS VARCHAR), CAST('ab'::BLOB || '\xFF'::BLOB AS VARCHAR), CAST(encode('ä') AS VARCHAR), decode('\xC3\xA4'::BLOB)
SELECT hex('ab'::BLOB), to_base64('\xDE\xAD'::BLOB), CAST(unhex('dead') AS VARCHAR), CAST(from_base64('3q0=') AS VARCHAR), octet_length('\xDE\xAD'::BLOB), md5('\xDE\xAD'::BLOB), sha256('\xDE\xAD'::BLOB), sha256('ab'), octet_length('ab'::BLOB)
SELECT '\x7F'::BLOB < '\x80'::BLOB, '\xFF'::BLOB > 'z'::BLOB, 'a'::BLOB = '\x61'::BLOB, 'a'::BLOB < 'ab'::BLOB, unhex('61') = 'a'::BLOB
SELECT CAST(b AS VARCHAR), count(*) FROM (VALUES ('\xDE'::BLOB), ('\x01'::BLOB), (NULL), ('\xDE'::BLOB)) AS t(b) GROUP BY b ORDER BY b
SELECT TRY_CAST('\x1' AS BLOB), TRY_CAST('ä' AS BLOB), TRY_CAST('\n' AS BLOB)
SELECT CAST('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::UUID AS VARCHAR), CAST('a0eebc999c0b4ef8bb6d6bb9bd380a11'::UUID AS VARCHAR), CAST('{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'::UUID AS VARCHAR), TRY_CAST('a0eebc99' AS UUID)
SELECT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10000000-0000-0000-0000-000000000000'::UUID < 'f0000000-0000-0000-0000-000000000000'::UUID
SELECT MAP {'a': 1, 'b': 2}['a'], MAP {'a': 1}['b'], MAP([1, 2], ['x', 'y'])[2], map_extract(MAP {'a': 1}, 'a'), element_at(MAP {'a': 1}, 'b'), map_contains(MAP {1: 2}, 1), map_contains(MAP {1: 2}, 5)
SELECT map_keys(MAP {1: 2, 3: 4}), map_values(MAP {1: 2, 3: 4}), map_entries(MAP {1: 2}), cardinality(MAP {1: 2, 3: 4}), map_from_entries([{'k': 1, 'v': 2}])['1'::INTEGER], cardinality(map())
SELECT map_keys(map_concat(MAP {1: 2}, MAP {1: 3, 2: 4})), map_values(map_concat(MAP {1: 2}, MAP {1: 3, 2: 4})), MAP {'a': 1} = MAP {'a': 1}, MAP {'a': 1} = MAP {'a': 2}, CAST(MAP {'a': 1, 'b': NULL} AS VARCHAR)
SELECT m['x'] FROM (VALUES (MAP {'x': 1}), (MAP {'y': 2}), (NULL)) AS t(m)
SELECT CAST(m AS VARCHAR), count(*) FROM (VALUES (MAP {'x': 1}), (MAP {'x': 1}), (MAP {'y': 1})) AS t(m) GROUP BY m ORDER BY 1
SELECT map_keys(m), map_values(m) FROM (SELECT MAP(list(k ORDER BY k), list(v ORDER BY k)) AS m FROM (VALUES ('a', 1), ('b', 2)) AS t(k, v))
SELECT unnest(map_keys(MAP {'a': 1, 'b': 2})), unnest(map_values(MAP {'a': 1, 'b': 2}))
SELECT CAST('{a=1, b=2}'::MAP(VARCHAR, INTEGER) AS VARCHAR), CAST(MAP {1: 2} AS MAP(BIGINT, DOUBLE))[1]
SELECT '2024-01-15'::VARCHAR(10), 'abc'::CHAR(2), CAST('x' AS TEXT)
