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
SELECT '1.005'::DECIMAL(10, 2), '-2.5'::DECIMAL(5, 0), '1e2'::DECIMAL(5, 1), '1.25e1'::NUMERIC(5, 1), ' 1.5 '::DEC(5, 2), '.5'::DECIMAL(5, 2), '5.'::DECIMAL(5, 2), '1_000.5'::DECIMAL(10, 2)
SELECT TRY_CAST(1000 AS DECIMAL(5, 2)), TRY_CAST('x' AS DECIMAL(5, 2)), TRY_CAST('999.995' AS DECIMAL(5, 2)), TRY_CAST('inf'::DOUBLE AS DECIMAL(5, 2)), TRY_CAST('' AS DECIMAL(5, 2)), TRY_CAST('1,5' AS DECIMAL(5, 2)), TRY_CAST('.' AS DECIMAL(5, 2)), TRY_CAST(1234.5::DECIMAL(10, 1) AS DECIMAL(4, 1))
SELECT 1000::DECIMAL(5, 2)
SELECT x::DECIMAL(10, 2), x::DECIMAL(10, 0) FROM (VALUES (1.005e0::DOUBLE), (2.5), (-2.5), (NULL), (2.675)) AS t(x)
SELECT 1.005::DECIMAL(10, 2), -2.5::DECIMAL(5, 0), (-0.125)::DECIMAL(5, 2), true::DECIMAL(5, 2), 7::BIGINT::DECIMAL(5, 2), 0.5::DECIMAL(3, 1)::BOOLEAN, 2.5::DECIMAL(10, 2)::BIGINT, (-2.5)::DECIMAL(10, 2)::BIGINT, 2.25::DECIMAL(10, 2)::DOUBLE
SELECT '123.456'::DECIMAL(10, 3)::DECIMAL(10, 1), '-1.25'::DECIMAL(10, 2)::DECIMAL(10, 1), 1.5::DECIMAL(10, 2)::VARCHAR, 0.05::DECIMAL(3, 2)::VARCHAR, (-0.05)::DECIMAL(3, 2)::VARCHAR, 5::DECIMAL(3, 0)::VARCHAR, 0::DECIMAL(4, 2)::VARCHAR, 'is ' || 1.5::DECIMAL(3, 2)
SELECT typeof(1::DECIMAL), typeof(1::NUMERIC(5)), typeof(1::DEC(5, 1)), typeof(-(1.5::DECIMAL(10, 2))), typeof(1.5::DECIMAL(10, 2) * 2.5::DECIMAL(5, 1)), typeof(1::DECIMAL(4, 1) + 1::DECIMAL(4, 2)), typeof(1.5::DECIMAL(10, 2) / 2), typeof(1.5::DECIMAL(10, 2) + 1.5)
SELECT 1::DECIMAL(5, 6)
SELECT 1::DECIMAL(0, 0)
SELECT a + b, a - b, a * b, a / b, a % b, a // b, -a, +a, a + 1, 2 * a, a - 0.05, 1 - a, a * 1.5, b % 2 FROM (VALUES (7.5::DECIMAL(10, 2), 2.25::DECIMAL(5, 2)), (-7.5, 0.5), (NULL, 1), (1, NULL)) AS t(a, b)
SELECT x * (1 - d) * (1 + t) FROM (VALUES (1234.56::DECIMAL(12, 2), 0.05::DECIMAL(3, 2), 0.08::DECIMAL(3, 2)), (0.01, 0.1, 0)) AS v(x, d, t)
SELECT a / 0, a % 0 FROM (VALUES (7.5::DECIMAL(10, 2))) AS t(a)
SELECT x = 1.1, x = 1.1::DOUBLE, x < 2, x IN (1.1, 2), x BETWEEN 1 AND 1.1, x = '1.1', x = 1, x <> 1.10, x IS DISTINCT FROM 1.1, 1.05 < x, x > 1.09999 FROM (VALUES (1.1::DECIMAL(10, 2)), (2), (NULL)) AS t(x)
SELECT a.x, b.y FROM (VALUES (1.10::DECIMAL(10, 2)), (3)) AS a(x) JOIN (VALUES (1.1::DECIMAL(5, 1), 'p'), (2, 'q')) AS b(x, y) ON a.x = b.x
SELECT a.x FROM (VALUES (1.10::DECIMAL(10, 2)), (3)) AS a(x) JOIN (VALUES (3), (4)) AS b(x) ON a.x = b.x
SELECT x, count(*) FROM (VALUES (1.10::DECIMAL(10, 2)), (1.1), (2), (NULL)) AS a(x) GROUP BY x ORDER BY x
SELECT DISTINCT x FROM (VALUES (1.10::DECIMAL(10, 2)), (1.1), (-2), (10), (9.5), (NULL)) AS a(x) ORDER BY x DESC NULLS LAST
SELECT sum(x), avg(x), min(x), max(x), median(x), quantile_cont(x, 0.3), quantile_disc(x, 0.3), mad(x), fsum(x), count(DISTINCT x), mode(x), arg_max(x, x), first(x ORDER BY x), stddev(x), sum(DISTINCT x), list(x ORDER BY x), max(x, 2) FROM (VALUES (1.5::DECIMAL(10, 2)), (2.25), (NULL), (7.13), (0.02)) AS t(x)
SELECT typeof(avg(x)), typeof(min(x)), typeof(median(x)), typeof(quantile_disc(x, 0.5)), typeof(mode(x)), typeof(stddev(x)), typeof(mad(x)) FROM (VALUES (1.5::DECIMAL(10, 2))) AS t(x)
SELECT g, sum(x), avg(x) FROM (VALUES (1, 1.5::DECIMAL(10, 2)), (1, 2.25), (2, NULL), (3, 0.01), (3, 0.02)) AS t(g, x) GROUP BY g ORDER BY g
SELECT x, sum(x) OVER (ORDER BY x), avg(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), lag(x) OVER (ORDER BY x), count(*) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND CURRENT ROW), rank() OVER (ORDER BY x DESC) FROM (VALUES (1.10::DECIMAL(10, 2)), (1.1), (2), (2.15), (NULL)) AS a(x) ORDER BY x
SELECT round(x, 1), round(x), floor(x), ceil(x), trunc(x), abs(x), sign(x), round(x, 5), sqrt(abs(x)), typeof(round(x, 1)), typeof(floor(x)), typeof(abs(x)), typeof(round(x, 5)) FROM (VALUES (-2.25::DECIMAL(10, 2)), (2.25), (12.5), (-0.5), (3.0), (NULL)) AS t(x)
SELECT round(x, -1), round(x, -2) FROM (VALUES (-12.25::DECIMAL(10, 2)), (55), (149.99)) AS t(x)
SELECT greatest(x, 2), least(x, 2.5), coalesce(NULL, x), coalesce(x, 1.5), CASE WHEN x > 1 THEN x ELSE 0 END, nullif(x, 1.5), if(x > 1, x, 2) FROM (VALUES (1.5::DECIMAL(10, 2)), (NULL), (0.5)) AS t(x)
SELECT [1.5::DECIMAL(3, 1), 2], {'a': 1.5::DECIMAL(3, 1)}.a, MAP {1.5::DECIMAL(3, 1): 2}[1.5], list_sort([2.5::DECIMAL(3, 1), 1]), list_sum([2.5::DECIMAL(3, 1), 1]), '[1.25]'::DECIMAL(5, 2)[], to_json([1.55::DECIMAL(3, 2)]), list_contains([2.5::DECIMAL(3, 1)], 2.5)
SELECT 1.5::DECIMAL(3, 1) UNION ALL SELECT 2.25::DECIMAL(4, 2)
SELECT 1.5::DECIMAL(3, 1) UNION SELECT 1.50::DECIMAL(4, 2)
SELECT x FROM (VALUES (1.5::DECIMAL(3, 1)), (2)) AS t(x) WHERE x IN (SELECT y FROM (VALUES (1.50::DECIMAL(5, 2))) AS u(y))
SELECT 5::DECIMAL(3, 1) & 1
SELECT 2.5::DECIMAL(3, 1) ** 2, @(-2.5::DECIMAL(3, 1)), sqrt(2.25::DECIMAL(3, 2)), ln(1::DECIMAL(3, 1))
SELECT name COLLATE NOCASE, count(*) FROM (VALUES ('a'), ('A'), ('b'), (NULL)) AS t(name) GROUP BY name COLLATE NOCASE ORDER BY count(*) DESC, 1
SELECT name COLLATE NOCASE AS n, count(*) FROM (VALUES ('A'), ('a'), ('b')) AS t(name) GROUP BY n ORDER BY n
SELECT name COLLATE NOCASE, count(*) FROM (VALUES ('A'), ('a'), ('b')) AS t(name) GROUP BY 1 ORDER BY 1
SELECT count(DISTINCT name COLLATE NOCASE), max(name COLLATE NOCASE), min(name COLLATE NOCASE), list(name COLLATE NOCASE ORDER BY name COLLATE NOCASE) FROM (VALUES ('A'), ('b'), ('B'), ('a')) AS t(name)
SELECT DISTINCT name COLLATE NOCASE FROM (VALUES ('A'), ('a'), ('b')) AS t(name)
SELECT DISTINCT ON (name COLLATE NOCASE) name FROM (VALUES ('A'), ('a'), ('b')) AS t(name)
SELECT row_number() OVER (PARTITION BY name COLLATE NOCASE ORDER BY name), name FROM (VALUES ('A'), ('a'), ('b')) AS t(name) ORDER BY name
SELECT name, rank() OVER (ORDER BY name COLLATE NOCASE) FROM (VALUES ('A'), ('b'), ('a')) AS t(name)
SELECT t.a, u.b FROM (VALUES ('A'), ('c')) AS t(a) JOIN (VALUES ('a'), ('b')) AS u(b) ON a = b COLLATE NOCASE
SELECT n FROM (VALUES ('B'), ('a'), ('C')) AS t(n) ORDER BY n COLLATE NOCASE DESC
SELECT name FROM (VALUES ('A'), ('a')) AS t(name) GROUP BY name COLLATE NOCASE
SELECT median(x), quantile_cont(x, 0.3), mad(x), quantile_cont(y, 0.25) FROM (VALUES (-35::DECIMAL(9, 0), -1.05::DECIMAL(9, 2)), (-34, 2.5), (-30, -7.77), (-29, 0.01)) AS t(x, y)
SELECT x, sum(x) OVER (ORDER BY x RANGE BETWEEN 0.5 PRECEDING AND 1 FOLLOWING), count(*) OVER (ORDER BY x DESC RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES (1.10::DECIMAL(10, 2)), (1.5), (1.6), (2.15), (NULL)) AS a(x) ORDER BY x
