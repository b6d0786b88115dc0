-- Queries whose answers in dumpql and in DuckDB have to be equal, one a line, over the tables of
-- tests/it/generate.rs: t (60 rows), u (25), v (8), each with id, a, b, d, s, w, f, ts, p.

-- Literals and arithmetic
SELECT 1 + 2 * 3, (1 + 2) * 3, -5 // 2, -5 % 3, 7 % -3, 2 - -2, +4
SELECT 1 / 2, 7 / 2, 1 / 0, 5 // 0, 5 % 0, 1.5 + 2.25, 1e3
SELECT 5 & 3, 5 | 3, ~5, xor(5, 3), 1 << 4, 256 >> 3
SELECT NULL + 1, NULL = NULL, NULL IS NULL, NULL AND false, NULL OR true, NOT NULL::BOOLEAN
SELECT true AND NULL, false OR NULL, NULL AND NULL, NULL <> 1
SELECT 1 IS DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM NULL, 1 IS NOT DISTINCT FROM 1
SELECT 'it''s', '', 'a' || 'b' || 'c', 'a' || NULL
SELECT 1 = 1.0, 1 < 1.5, 2::DOUBLE = 2, '3'::BIGINT + 1
SELECT CAST('12' AS BIGINT), '1.5'::DOUBLE, 1::BOOLEAN, 0::BOOLEAN, true::BIGINT, CAST(3 AS VARCHAR)
SELECT TRY_CAST('x' AS BIGINT), TRY_CAST('7' AS BIGINT), TRY_CAST('' AS DOUBLE), 'true'::BOOLEAN, 'f'::BOOLEAN
SELECT CAST(2.5::DOUBLE AS BIGINT), CAST(3.5::DOUBLE AS BIGINT), CAST(-2.5::DOUBLE AS BIGINT), CAST(-0.4::DOUBLE AS BIGINT)
SELECT 3 BETWEEN 1 AND 5, 3 NOT BETWEEN 1 AND 5, NULL BETWEEN 1 AND 2, 1 BETWEEN NULL AND 0, 1 BETWEEN NULL AND 2
SELECT 1 IN (1, 2), 3 IN (1, 2), 3 IN (1, NULL), 1 IN (1, NULL), NULL IN (1), 3 NOT IN (1, NULL), 3 NOT IN (1, 2)
SELECT CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END, CASE 3 WHEN 1 THEN 'x' END, CASE NULL WHEN NULL THEN 1 ELSE 2 END
SELECT 'abc' LIKE 'a%', 'abc' LIKE '_b_', 'abc' LIKE 'A%', 'ABC' ILIKE 'a%', 'a%b' LIKE 'a\%b' ESCAPE '\', 'axb' LIKE 'a$%b' ESCAPE '$'
SELECT 'abc' LIKE '', '' LIKE '', '' LIKE '%', 'abc' LIKE '%%c', 'abc' NOT LIKE 'b', NULL LIKE 'a', 'é' LIKE '_'
SELECT 'abc' GLOB 'a*', 'abc' GLOB '?b?', 'abc' GLOB '[a-c]bc', 'Abc' GLOB 'a*', 'abc' GLOB '[!x]*'
SELECT 'abc' SIMILAR TO 'a.c', 'xabc' SIMILAR TO 'abc', 'abc' SIMILAR TO '(a|b)+c'
SELECT TIMESTAMP '2007-11-09 17:42:05' + INTERVAL '1 hour', TIMESTAMP '2007-11-09' - TIMESTAMP '2007-11-08 12:00:00'
SELECT INTERVAL '1 day' + INTERVAL '2 hours', INTERVAL '90 minutes' > INTERVAL '1 hour', 2 * INTERVAL '3 seconds'
SELECT TIMESTAMP '2007-11-09 17:42:05.25' < TIMESTAMP '2007-11-09 17:42:05.5', '2007-11-09'::TIMESTAMP

-- Functions of text
SELECT length('héllo'), strlen('héllo'), upper('abc'), lower('ÄÖ'), reverse('abc'), repeat('ab', 3), repeat('ab', 0)
SELECT substring('hello', 2, 3), substring('hello', -3, 2), substring('hello', 0, 3), substring('hello', 2), substring('hello', -10, 7), substr('hello', 2, -1)
SELECT left('abc', 2), left('abc', -1), right('abc', 2), right('abc', -1), left('abc', 0), right('abc', 9)
SELECT lpad('7', 3, '0'), rpad('7', 3, '0'), lpad('abc', 2, 'x'), lpad('a', 5, 'xy')
SELECT trim('  a '), ltrim('xxa', 'x'), rtrim('axx', 'x'), trim('xyaxy', 'xy')
SELECT replace('a-b-c', '-', '+'), replace('abc', '', 'x'), translate('hello', 'el', 'ip'), translate('hello', 'el', 'i')
SELECT contains('abc', 'b'), starts_with('abc', 'a'), ends_with('abc', 'c'), prefix('abc', 'b'), suffix('abc', 'b')
SELECT strpos('hello', 'l'), instr('hello', 'z'), position('l' IN 'hello'), strpos('héllo', 'l')
SELECT split_part('a,b,c', ',', 2), split_part('a,b,c', ',', -1), split_part('a,b,c', ',', 9), split_part('abc', '', 2)
SELECT ascii('abc'), unicode('é'), ord(''), chr(65), levenshtein('kitten', 'sitting')
SELECT concat('a', NULL, 1, true), concat_ws(',', 'a', NULL, 'b'), concat_ws(NULL, 'a'), concat_ws('-', 1, 'x')
SELECT regexp_matches('abc', 'b'), regexp_full_match('abc', 'b'), regexp_extract('abc123', '[0-9]+'), regexp_extract('abc', '[0-9]+'), regexp_extract('abc123', '([a-z]+)([0-9]+)', 2)
SELECT regexp_replace('hello', 'l', 'L'), regexp_replace('hello', 'l', 'L', 'g'), regexp_replace('HELLO', 'l', 'x', 'gi'), regexp_replace('abc', '(b)', '[\1]')
SELECT format('{} of {}', 1, 'two'), format('{:>5}|{:05d}|{:.2f}|{:x}', 'a', 42, 3.14159::DOUBLE, 255), printf('%5d|%-5s|%05.1f|%x', 42, 'ab', 2.5::DOUBLE, 255)
SELECT hex(255), to_hex(0), hex('ab'), bin(5), format_bytes(1536), format_bytes(1610612736), format_bytes(1000), format_bytes(1)
SELECT parse_filename('C:\a\b.txt'), parse_filename('a/b.txt', true), parse_dirpath('a/b/c.txt'), parse_dirname('a/b/c.txt')

-- Functions of numbers
SELECT abs(-5), sign(-3), sign(0), ceil(1.2::DOUBLE), floor(-1.2::DOUBLE), round(2.5::DOUBLE), round(-2.5::DOUBLE), trunc(-1.7::DOUBLE)
SELECT round(1234.567::DOUBLE, 2), round(1234.567::DOUBLE, -2), round(15, -1), round(-15, -1), round(0.5::DOUBLE, 0)
SELECT sqrt(2), cbrt(27), pow(2, 10), exp(1), ln(10), log(100), log10(1000), log2(8), pi()
SELECT greatest(1, NULL, 3), least(1, NULL, 3), greatest('a', 'b'), greatest(1, 2.5::DOUBLE), gcd(12, 18), lcm(4, 6), mod(-7, 3)
SELECT bit_count(255), isnan('nan'::DOUBLE), isinf(1.0::DOUBLE), isfinite(1.0::DOUBLE), sin(1), cos(1), tan(1), atan2(1, 2), degrees(1), radians(180)
SELECT coalesce(NULL, NULL, 3), ifnull(NULL, 2), nullif(1, 1), nullif(1, 2), if(true, 1, 2), if(NULL, 1, 2)

-- Functions of time
SELECT date_trunc('hour', ts), date_trunc('day', ts), date_trunc('week', ts), date_trunc('month', ts), date_trunc('quarter', ts), date_trunc('year', ts) FROM t
SELECT year(ts), month(ts), day(ts), hour(ts), minute(ts), second(ts), quarter(ts), week(ts), dayofweek(ts), dayofyear(ts) FROM t
SELECT date_part('millisecond', ts), date_part('microsecond', ts), date_part('isodow', ts), date_part('isoyear', ts), date_part('century', ts), date_part('decade', ts) FROM t
SELECT extract(year FROM ts), extract(dow FROM ts), epoch(ts), epoch_us(ts), dayname(ts), monthname(ts), last_day(ts) FROM t
SELECT date_diff('hour', ts, TIMESTAMP '2007-11-09'), date_diff('day', ts, TIMESTAMP '2007-11-09'), date_diff('month', ts, TIMESTAMP '2007-11-09'), date_diff('year', ts, TIMESTAMP '2010-01-01') FROM t
SELECT strftime(ts, '%Y-%m-%d %H:%M:%S %j %a %A %b %B %y %I %p %w %u %U %W %V %G %-d %-m') FROM t
SELECT time_bucket(INTERVAL '5 minutes', ts), time_bucket(INTERVAL '3 days', ts) FROM t
SELECT to_days(2), to_hours(3), to_minutes(4), to_seconds(5), to_milliseconds(6), to_microseconds(7), make_timestamp(1500000), make_timestamp(2007, 11, 9, 17, 42, 5.5), epoch_ms(1500)
SELECT ts + INTERVAL '1 day', ts - INTERVAL '36 hours', ts - TIMESTAMP '2007-11-01' FROM t
SELECT id FROM t WHERE ts > TIMESTAMP '2007-11-09' AND ts < '2007-12-01'::TIMESTAMP

-- Addresses
SELECT p, p + 16, p = 0, p > 1000, p IS NULL FROM t
SELECT max(p), min(p), count(DISTINCT p) FROM t
SELECT t.id, u.id FROM t JOIN u ON t.p = u.p

-- Filters, order, limits
SELECT * FROM v
SELECT * EXCLUDE (ts, p) FROM v WHERE a IS NOT NULL
SELECT * REPLACE (a + 1 AS a) FROM v
FROM v WHERE id < 3
FROM v
SELECT id, a FROM t ORDER BY a, id
SELECT id, a FROM t ORDER BY a DESC, id DESC
SELECT id, a FROM t ORDER BY a NULLS FIRST, id LIMIT 10
SELECT id, s FROM t ORDER BY s DESC NULLS LAST, 1
SELECT id, d FROM t ORDER BY abs(d), id LIMIT 7 OFFSET 3
SELECT id, a + b AS total FROM t ORDER BY total, id
SELECT id FROM t ORDER BY f, w DESC, id
SELECT id FROM t ORDER BY id LIMIT 0
SELECT id FROM t ORDER BY id OFFSET 55
SELECT DISTINCT a FROM t
SELECT DISTINCT w, f FROM t
SELECT DISTINCT w FROM t ORDER BY w NULLS FIRST
SELECT DISTINCT ON (w) w, id FROM t ORDER BY w, id DESC
SELECT a, a AS a2, t.a FROM t WHERE t.id = 1
SELECT id AS "Id Nr" FROM t WHERE "id" = 2
SELECT id FROM t WHERE f
SELECT id FROM t WHERE NOT f
SELECT id FROM t WHERE f IS NOT TRUE
SELECT id FROM t WHERE a = b OR a IS NULL
SELECT id FROM t WHERE s LIKE '%s%' AND w IN ('red', 'blue')
SELECT id FROM t WHERE a NOT IN (1, 2, 3)
SELECT id FROM t WHERE a + NULL > 0

-- Groups
SELECT count(*), count(a), count(DISTINCT a), sum(a), avg(a), min(a), max(a) FROM t
SELECT count(*), count(a), sum(a), avg(a), min(a), max(s), bool_and(f) FROM t WHERE false
SELECT a, count(*) FROM t WHERE false GROUP BY a
SELECT w, count(*) FROM t GROUP BY w
SELECT w, count(*) AS n FROM t GROUP BY 1 ORDER BY n DESC, w
SELECT w, f, sum(a) FROM t GROUP BY ALL
SELECT a % 2 AS odd, count(*) FROM t GROUP BY odd
SELECT w, count(*) FROM t GROUP BY w HAVING count(*) > 10
SELECT w FROM t GROUP BY w HAVING sum(a) > 50 AND min(id) < 5
SELECT count(*) FROM t HAVING count(*) > 100
SELECT w, count(*) FILTER (WHERE f), sum(a) FILTER (WHERE a > 3) FROM t GROUP BY w
SELECT w, sum(DISTINCT a), avg(DISTINCT a), count(DISTINCT s) FROM t GROUP BY w
SELECT w, string_agg(id::VARCHAR, ',' ORDER BY id DESC) FROM t GROUP BY w
SELECT string_agg(DISTINCT w, '/' ORDER BY w) FROM t
SELECT w, first(id ORDER BY id), last(id ORDER BY id), any_value(w) FROM t GROUP BY w
SELECT w, arg_min(id, b), arg_max(id, b), min_by(s, id), max_by(s, id) FROM t GROUP BY w
SELECT w, median(a), median(d), quantile_cont(d, 0.25), quantile_disc(a, 0.75) FROM t GROUP BY w
SELECT w, stddev_samp(d), stddev_pop(d), var_samp(d), var_pop(d), stddev(a), variance(a) FROM t GROUP BY w
SELECT w, bool_and(f), bool_or(f), bit_and(a), bit_or(a), bit_xor(a), count_if(a > 2) FROM t GROUP BY w
SELECT w, min(ts), max(ts), min(s), max(s), min(p), max(p) FROM t GROUP BY w
SELECT product(a) FROM v
SELECT mode(w) FROM (VALUES ('x'), ('y'), ('x')) AS q(w)
SELECT max(n) FROM (SELECT w, count(*) AS n FROM t GROUP BY w)
SELECT w, max(a) - min(a), count(*) * 2 FROM t GROUP BY w ORDER BY w
SELECT upper(w), count(*) FROM t GROUP BY upper(w)
SELECT a IS NULL, count(*) FROM t GROUP BY a IS NULL
SELECT approx_count_distinct(w) > 0 FROM t
SELECT sum(a + b), sum(a) + sum(b) FROM t WHERE a IS NOT NULL AND b IS NOT NULL

-- Joins
SELECT t.id, u.id FROM t JOIN u ON t.a = u.a
SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.a AND u.f
SELECT t.id, u.id FROM t RIGHT JOIN u ON t.a = u.a AND t.f
SELECT t.id, u.id FROM t FULL JOIN u ON t.a = u.a AND t.w = u.w
SELECT count(*) FROM t CROSS JOIN v
SELECT count(*) FROM t, u, v
SELECT t.id FROM t SEMI JOIN u ON t.a = u.a
SELECT t.id FROM t ANTI JOIN u ON t.a = u.a
SELECT a, t.id, u.id FROM t JOIN u USING (a)
SELECT a, w, t.id, u.id FROM t FULL JOIN u USING (a, w)
SELECT a, t.a, u.a FROM t LEFT JOIN u USING (a)
SELECT a, t.a, u.a FROM t RIGHT JOIN u USING (a)
SELECT * FROM (SELECT a, id AS i FROM t) AS x NATURAL JOIN (SELECT a, id AS j FROM u) AS y
SELECT x.id, y.id FROM t x JOIN t y ON x.id = y.id + 1
SELECT x.id, y.id FROM t x JOIN v y ON x.b < y.b
SELECT x.id, y.id FROM t x LEFT JOIN v y ON x.b < y.b AND x.a = 3
SELECT x.id, y.id, z.id FROM t x JOIN u y ON x.a = y.a JOIN v z ON y.w = z.w
SELECT x.id, y.id FROM t x JOIN u y ON x.a = y.a WHERE x.w = 'red' AND y.f
SELECT x.w, count(*), sum(y.b) FROM t x LEFT JOIN u y ON x.a = y.a GROUP BY x.w
SELECT x.id, y.id FROM t x FULL JOIN v y ON x.id = y.id WHERE x.id IS NULL OR x.id < 10
SELECT x.id FROM t x JOIN u y ON x.a IS NOT DISTINCT FROM y.a

-- Sub-queries, common table expressions, set operations
SELECT (SELECT max(a) FROM u), id FROM v
SELECT id FROM t WHERE a = (SELECT min(a) FROM u)
SELECT id FROM t WHERE a IN (SELECT a FROM u WHERE a IS NOT NULL)
SELECT id FROM t WHERE a NOT IN (SELECT a FROM u WHERE a IS NOT NULL)
SELECT id FROM t WHERE a NOT IN (SELECT a FROM u)
SELECT id FROM t WHERE a NOT IN (SELECT a FROM u WHERE false)
SELECT a IN (SELECT a FROM u), a NOT IN (SELECT a FROM v) FROM t
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE false)
SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE a > 1000)
SELECT (SELECT a FROM u WHERE false)
SELECT q.n FROM (SELECT a AS n FROM t) AS q WHERE q.n > 5
SELECT x, y FROM (SELECT a, b FROM t) AS q(x, y) WHERE x > 0
WITH q AS (SELECT a, b FROM t) SELECT a, sum(b) FROM q GROUP BY a
WITH q(x) AS (SELECT a FROM t), r AS (SELECT x + 1 AS y FROM q) SELECT * FROM q JOIN r ON q.x = r.y
WITH q AS (SELECT 1 AS x) SELECT * FROM q UNION ALL SELECT * FROM q
SELECT a FROM t UNION SELECT a FROM u
SELECT a FROM t UNION ALL SELECT a FROM u
SELECT a FROM t INTERSECT SELECT a FROM u
SELECT a FROM t EXCEPT SELECT a FROM u
SELECT w FROM t INTERSECT ALL SELECT w FROM u
SELECT w FROM t EXCEPT ALL SELECT w FROM u
SELECT a FROM t UNION SELECT a FROM u INTERSECT SELECT a FROM v
(SELECT a FROM t EXCEPT SELECT a FROM u) UNION ALL SELECT a FROM v
SELECT 1 UNION SELECT 2.5::DOUBLE UNION SELECT NULL
SELECT a FROM t UNION SELECT a FROM u ORDER BY a DESC NULLS FIRST LIMIT 5
SELECT NULL UNION SELECT 1
VALUES (1, 'a'), (2, NULL)
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS q(n, s) ORDER BY n DESC
SELECT sum(n) FROM (VALUES (1), (2), (NULL)) AS q(n)
SELECT v.id, q.n FROM v LEFT JOIN (VALUES (1), (3)) AS q(n) ON v.id = q.n

-- Points in time: parts, differences, steps, patterns
SELECT date_part('era', ts), date_part('yearweek', ts), date_part('isoyear', ts), date_part('millennium', ts), yearweek(ts), isoyear(ts), era(ts), decade(ts), century(ts), millennium(ts), julian(ts), isodow(ts) FROM t
SELECT date_trunc('isoyear', ts), date_trunc('decade', ts), date_trunc('century', ts), date_trunc('millennium', ts) FROM t
SELECT date_sub('month', ts, TIMESTAMP '2007-11-09'), date_sub('year', ts, TIMESTAMP '2007-11-09'), date_sub('day', ts, TIMESTAMP '2007-11-09'), date_sub('hour', ts, TIMESTAMP '2007-11-09') FROM t
SELECT date_sub('month', TIMESTAMP '2024-02-29', TIMESTAMP '2024-01-31'), date_sub('month', TIMESTAMP '2024-03-31', TIMESTAMP '2024-02-29'), date_sub('quarter', TIMESTAMP '2024-01-15', TIMESTAMP '2024-07-14')
SELECT ts + INTERVAL '1 month', ts - INTERVAL '1 month', ts + INTERVAL '1 year 2 months 3 days', INTERVAL '3 months' + ts, ts + to_months(3), ts + to_years(-1), ts + INTERVAL 2 QUARTER FROM t
SELECT ts + 2 * INTERVAL '1 month', ts - INTERVAL '1 month 1 day 1 hour', ts + to_months(id), date_add(ts, INTERVAL '1 month'), date_add(ts, INTERVAL '1 day') FROM t
SELECT TIMESTAMP '2024-01-31' + INTERVAL '1 month', TIMESTAMP '2024-03-31' - INTERVAL '1 month', TIMESTAMP '2024-02-29' + INTERVAL '-1 year', TIMESTAMP '2024-02-29' + INTERVAL '1 month ago'
SELECT time_bucket(INTERVAL '1 month', ts), time_bucket(INTERVAL '7 months', ts), time_bucket(INTERVAL '1 day', ts, INTERVAL '6 hours'), time_bucket(INTERVAL '1 week', ts, TIMESTAMP '2024-01-03') FROM t
SELECT strptime(strftime(ts, '%d.%m.%Y %H:%M:%S.%f'), '%d.%m.%Y %H:%M:%S.%f'), strftime('%c|%x|%X|%g|%n|%z|%%', ts) FROM t
SELECT strptime('2007-313', '%Y-%j'), strptime('17:42', '%H:%M'), strptime('2007-W45-5', '%G-W%V-%u'), try_strptime('x', '%Y'), strptime('Nov 9 2007 05:42 PM', '%b %d %Y %I:%M %p')
SELECT make_date(2024, 2, 29), make_timestamp(2024, 2, 29, 1, 2, 3.5::DOUBLE), days_in_month(ts), nanosecond(ts), epoch_ns(ts), last_day(ts) FROM t
SELECT INTERVAL '-1 day 02:00:00', '-1 day 02:00:00'::INTERVAL, '1 day -2 hours'::INTERVAL, '2 days ago'::INTERVAL, '1.5 weeks'::INTERVAL, '-01:02:03'::INTERVAL, '5'::INTERVAL, '1.2345678 s'::INTERVAL
SELECT '2024/01/02'::TIMESTAMP, '2024-1-2 3:4:5'::TIMESTAMP, '2024-01-01 24:00:00'::TIMESTAMP, 'epoch'::TIMESTAMP, '2024-01-01 10:00:00.1234567'::TIMESTAMP
SELECT now() - now() = INTERVAL '0 seconds', today() <= now(), now() > TIMESTAMP '2024-01-01', ago(INTERVAL '1 day') < now(), current_date = today(), current_timestamp = now()

-- Functions of text: distances, other alphabets, formats
SELECT damerau_levenshtein('duckdb', 'udckbd'), hamming('duck', 'luck'), jaccard('duck', 'luck'), jaro_similarity('duck', 'duckdb'), jaro_winkler_similarity('duck', 'duckdb'), editdist3('duck', 'db'), levenshtein(s, 'abc') FROM t
SELECT md5('abc'), md5(s), url_encode('a b/c?é~_-.'), url_decode('a%20b%2Fc%3F+'), to_base(255, 16), to_base(5, 2, 8), to_base(35, 36), bit_length('é') FROM t
SELECT bar(5, 0, 10, 10), bar(3.3, 0, 10, 10), bar(-1, 0, 10, 5), bar(11, 0, 10, 5), bar(0.5, 0, 10, 10), length(bar(5, 0, 10))
SELECT formatReadableSize(16000), formatReadableDecimalSize(16000), formatReadableSize(1), parse_formatted_bytes('16 kB'), parse_formatted_bytes('1 KiB'), parse_formatted_bytes('1.5GB')
SELECT printf('%08x', -1073741819), printf('%X', -255), printf('%o', -8), printf('%u', -1), printf('%c', 65), printf('%+d', 5), printf('%,d', 1234567), printf('%e', 12345.678::DOUBLE), printf('%d', true)
SELECT printf('%g', 1e10::DOUBLE), printf('%g', 100000.0::DOUBLE), printf('%g', 1234567.0::DOUBLE), printf('%.3g', 1234.5::DOUBLE), printf('%g', 0.00001234::DOUBLE), printf('%g', 0.0::DOUBLE), printf('%f', 'inf'::DOUBLE), printf('%5.1f', 'nan'::DOUBLE)
SELECT format('{:x}', -255), format('{:#x}', -255), format('{:b}', -5), format('{:,}', 1234567), format('{:,}', -1234567), format('{:,.2f}', 1234567.891::DOUBLE), format('{:,}', 1234567.891::DOUBLE), format('{:.3}', 3.14159::DOUBLE)
SELECT split_part('a-b', '-', 0), repeat('ab', -1), left('abc', -5), lpad('abc', -1, 'x'), starts_with('', ''), substring('hello', 0), substring('hello', -2, 1), contains('', ''), position('' IN 'abc'), translate('abc', '', 'x')

-- Functions of numbers
SELECT even(3.0::DOUBLE), even(-2.5::DOUBLE), even(4.1::DOUBLE), factorial(5), binom(5, 2), gamma(5), lgamma(5), signbit(-0.0::DOUBLE), nextafter(1.0::DOUBLE, 2.0::DOUBLE), cot(1), acos(0.5), asin(0.5)
SELECT sinh(1), cosh(1), tanh(1), asinh(1), acosh(2), atanh(0.5), gamma(-1.5), lgamma(-1.5), gamma(171), lgamma(0.5), roundbankers(0.125::DOUBLE, 2), round_even(2.5::DOUBLE, 0), round_even(3.5::DOUBLE, 0)
SELECT fdiv(7, 2), fmod(7, 2), fmod(-7, 2), fdiv(-7, 2), fdiv(7, 0), fmod(7, 0), round(1.005, 2), round(2.675, 2), round(-1.005, 2), round(5, -1), round(-15, -1), round(1234.5, -2)
SELECT round('inf'::DOUBLE, -1), round('nan'::DOUBLE, -1), round('-inf'::DOUBLE, 2), round(1e308::DOUBLE, 2), round(1e308::DOUBLE, -400), round(1.5::DOUBLE, 400), round(-0.4::DOUBLE)
SELECT sign('nan'::DOUBLE), abs('-inf'::DOUBLE), ceil('inf'::DOUBLE), floor('nan'::DOUBLE), trunc('-inf'::DOUBLE), sqrt('inf'::DOUBLE), ln('inf'::DOUBLE), exp('-inf'::DOUBLE), exp('inf'::DOUBLE), atan('inf'::DOUBLE), cos('nan'::DOUBLE)
SELECT sin('inf'::DOUBLE)
SELECT acos(2)
SELECT factorial(-1)

-- Values that cannot be computed, and truth values beside numbers
SELECT TRY('inf'::DOUBLE::BIGINT), TRY(9223372036854775807 + 1), TRY('x'::INT), TRY(NULL), TRY(5 + 5), TRY_CAST('nan'::DOUBLE AS BIGINT)
SELECT id, TRY(a * 9223372036854775807), TRY(s::BIGINT) FROM t ORDER BY id
SELECT true = 1, 1 = true, true > 0, 2 = true, true < 2, 2 > true, false = 0, true = 1.0::DOUBLE, true IN (1, 0), true IN (2), coalesce(true, 1)
SELECT f = 1, f < 5, f IN (1, 0), f BETWEEN 0 AND 1, f = id FROM t
SELECT sum(f), count(*) FROM t
SELECT string_agg(id, ',' ORDER BY id) FROM t
SELECT median(x) FROM (VALUES ('-inf'::DOUBLE), (1.0)) v(x)
SELECT quantile_cont(x, 0.75) FROM (VALUES (1.0::DOUBLE), (2.0), ('inf')) v(x)
SELECT greatest(1, 'nan'::DOUBLE), least('nan'::DOUBLE, 1), greatest(true, false), least('b', 'a')

-- Windows: ranks and numbers
SELECT id, row_number() OVER (ORDER BY id), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), cume_dist() OVER (ORDER BY a) FROM t
SELECT id, row_number() OVER (PARTITION BY w ORDER BY d DESC, id), rank() OVER (PARTITION BY w ORDER BY f NULLS FIRST), dense_rank() OVER (PARTITION BY w, f ORDER BY a) FROM t
SELECT id, ntile(4) OVER (ORDER BY id), ntile(7) OVER (PARTITION BY w ORDER BY id), ntile(100) OVER (ORDER BY id DESC), ntile(nullif(a, 0)) OVER (ORDER BY id) FROM t WHERE a > 0
SELECT id, percent_rank() OVER (PARTITION BY id ORDER BY a), cume_dist() OVER (PARTITION BY w ORDER BY s) FROM t
SELECT id, ntile(0) OVER (ORDER BY id) FROM t
-- Windows: values of other rows
SELECT id, lag(a) OVER (ORDER BY id), lead(a) OVER (ORDER BY id), lag(a, 3) OVER (ORDER BY id), lead(s, 2, 'none') OVER (PARTITION BY w ORDER BY id) FROM t
SELECT id, lag(a, 0) OVER (ORDER BY id), lag(a, -2) OVER (ORDER BY id), lead(a, -1, 99) OVER (ORDER BY id), lag(a, NULL) OVER (ORDER BY id), lag(a, a, id) OVER (ORDER BY id) FROM t
SELECT id, lag(a IGNORE NULLS) OVER (ORDER BY id), lead(a, 2, -7 IGNORE NULLS) OVER (PARTITION BY w ORDER BY id), lag(a, 0 IGNORE NULLS) OVER (ORDER BY id) FROM t
SELECT id, first_value(a) OVER (ORDER BY id), last_value(a) OVER (ORDER BY id), nth_value(a, 3) OVER (ORDER BY id), nth_value(a, 0) OVER (ORDER BY id), nth_value(a, a) OVER (ORDER BY id) FROM t
SELECT id, first_value(a) OVER (PARTITION BY w ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING), last_value(s) OVER (PARTITION BY w ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING), nth_value(d, 2) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW) FROM t
SELECT id, first_value(a IGNORE NULLS) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING), last_value(a IGNORE NULLS) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW), nth_value(a, 2 IGNORE NULLS) OVER (ORDER BY id) FROM t
SELECT id, first_value(a) OVER (ORDER BY w, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES), last_value(a) OVER (ORDER BY w, id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP) FROM t
-- Windows: aggregates and frames
SELECT id, sum(a) OVER (), count(*) OVER (PARTITION BY w), min(d) OVER (PARTITION BY w, f), max(s) OVER (ORDER BY id), avg(b) OVER (ORDER BY id) FROM t
SELECT id, sum(a) OVER (ORDER BY a), count(a) OVER (ORDER BY a), avg(d) OVER (PARTITION BY w ORDER BY a DESC), min(ts) OVER (ORDER BY s), max(p) OVER (ORDER BY f) FROM t
SELECT id, sum(a) OVER (ORDER BY id ROWS 2 PRECEDING), sum(d) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING), count(s) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), avg(b) OVER (PARTITION BY w ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) FROM t
SELECT id, sum(d) OVER (ORDER BY id ROWS BETWEEN 20 PRECEDING AND 20 FOLLOWING), max(d) OVER (ORDER BY id ROWS BETWEEN 25 PRECEDING AND 5 FOLLOWING), min(s) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 30 FOLLOWING), max(b) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM t
SELECT id, sum(a) OVER (ORDER BY id ROWS BETWEEN 5 PRECEDING AND 3 PRECEDING), sum(a) OVER (ORDER BY id ROWS BETWEEN 3 FOLLOWING AND 5 FOLLOWING), sum(a) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 5 PRECEDING), sum(a) OVER (ORDER BY id ROWS BETWEEN id PRECEDING AND a + 6 FOLLOWING) FROM t WHERE a IS NOT NULL
SELECT id, sum(b) OVER (ORDER BY a RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING), count(*) OVER (ORDER BY a DESC RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING), count(*) OVER (PARTITION BY w ORDER BY a NULLS FIRST RANGE BETWEEN 1 FOLLOWING AND 3 FOLLOWING) FROM t
SELECT id, sum(b) OVER (ORDER BY d RANGE BETWEEN 2.5 PRECEDING AND 10 FOLLOWING), count(*) OVER (ORDER BY d DESC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND 5 PRECEDING), count(*) OVER (ORDER BY d RANGE CURRENT ROW) FROM t
SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '20 days' PRECEDING AND INTERVAL '36 hours' FOLLOWING), max(a) OVER (PARTITION BY w ORDER BY ts DESC RANGE BETWEEN INTERVAL '90 days' PRECEDING AND CURRENT ROW) FROM t
SELECT id, count(*) OVER (ORDER BY a RANGE BETWEEN abs(b) PRECEDING AND CURRENT ROW), sum(id) OVER (ORDER BY a RANGE BETWEEN UNBOUNDED PRECEDING AND id FOLLOWING) FROM t WHERE b IS NOT NULL
SELECT id, sum(b) OVER (ORDER BY a GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING), sum(b) OVER (PARTITION BY w ORDER BY a GROUPS BETWEEN 2 PRECEDING AND 1 PRECEDING), count(*) OVER (ORDER BY w GROUPS CURRENT ROW), count(*) OVER (GROUPS 1 PRECEDING) FROM t
SELECT id, sum(a) OVER (ORDER BY w ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW), sum(b) OVER (ORDER BY w GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE GROUP), sum(b) OVER (ORDER BY w RANGE UNBOUNDED PRECEDING EXCLUDE TIES), count(*) OVER (ORDER BY a RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE NO OTHERS) FROM t
SELECT id, count(*) FILTER (WHERE f) OVER (ORDER BY id), sum(a) FILTER (WHERE b > 0) OVER (PARTITION BY w ORDER BY id ROWS 3 PRECEDING), string_agg(s, ',') FILTER (WHERE a > 3) OVER (ORDER BY id ROWS 4 PRECEDING) FROM t
SELECT id, count(DISTINCT a) OVER (ORDER BY id), sum(DISTINCT a) OVER (PARTITION BY w), min(DISTINCT b) OVER (ORDER BY id ROWS 3 PRECEDING), avg(DISTINCT a) OVER (ORDER BY id ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING) FROM t
SELECT id, median(b) OVER (ORDER BY id ROWS BETWEEN 4 PRECEDING AND 2 FOLLOWING), quantile_disc(a, 0.25) OVER (PARTITION BY w ORDER BY id), stddev(d) OVER (ORDER BY id ROWS 9 PRECEDING), bool_or(f) OVER (ORDER BY id ROWS 1 PRECEDING), bit_xor(a) OVER (ORDER BY id) FROM t
SELECT id, string_agg(s, '-' ORDER BY id DESC) OVER (PARTITION BY w ORDER BY id), arg_max(s, b) OVER (ORDER BY id ROWS 5 PRECEDING), first(a ORDER BY b, id) OVER (PARTITION BY f), any_value(a) OVER (ORDER BY id ROWS 2 PRECEDING) FROM t
SELECT id, count_if(f) OVER (ORDER BY id), product(a) OVER (ORDER BY id ROWS 3 PRECEDING) FROM t WHERE f IS NOT NULL AND a IS NOT NULL
SELECT id, sum(b) OVER (ORDER BY id ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM t
SELECT id, sum(b) OVER (ORDER BY id ROWS BETWEEN a PRECEDING AND CURRENT ROW) FROM t
SELECT id, sum(b) OVER (ORDER BY a, b RANGE 1 PRECEDING) FROM t
-- Windows: names, QUALIFY, groups
SELECT id, sum(a) OVER w1, avg(b) OVER w2, count(*) OVER (w1 ROWS 1 PRECEDING) FROM t WINDOW w1 AS (PARTITION BY w ORDER BY id), w2 AS (w1 ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
SELECT id, sum(a) OVER (base ORDER BY id) FROM t WINDOW base AS (PARTITION BY w)
SELECT id, sum(a) OVER (base ORDER BY b) FROM t WINDOW base AS (PARTITION BY w ORDER BY id)
SELECT id, sum(a) OVER nope FROM t
SELECT id, w, a FROM t QUALIFY row_number() OVER (PARTITION BY w ORDER BY a DESC, id) <= 2
SELECT id, w, rank() OVER (PARTITION BY w ORDER BY a) AS r FROM t WHERE a IS NOT NULL QUALIFY r = 1
SELECT w, count(*) AS n, rank() OVER (ORDER BY count(*) DESC) FROM t GROUP BY w
SELECT w, sum(a) AS total, sum(sum(a)) OVER (), sum(a) / sum(sum(a)) OVER () FROM t GROUP BY w HAVING sum(a) IS NOT NULL
SELECT w, f, count(*), sum(count(*)) OVER (PARTITION BY w) FROM t GROUP BY w, f QUALIFY sum(count(*)) OVER (PARTITION BY w) > 3
SELECT DISTINCT w, count(*) OVER (PARTITION BY w) FROM t
SELECT id FROM t ORDER BY row_number() OVER (ORDER BY b DESC, id), id LIMIT 7
SELECT DISTINCT ON (w) w, count(*) OVER (PARTITION BY w) AS n FROM t ORDER BY w, n
SELECT id, a - lag(a) OVER (ORDER BY id) AS step, CASE WHEN lag(a) OVER (ORDER BY id) > a THEN 'down' ELSE 'up' END FROM t
SELECT q.id, q.r FROM (SELECT id, w, row_number() OVER (PARTITION BY w ORDER BY id) AS r FROM t) AS q WHERE q.r = 2 AND q.w = 'red'
SELECT x.id, sum(y.a) OVER (PARTITION BY x.w ORDER BY x.id, y.id) FROM t x JOIN u y ON x.a = y.a
SELECT id FROM t WHERE row_number() OVER (ORDER BY id) < 3
SELECT id FROM t QUALIFY a > 2
SELECT rank() OVER (ORDER BY rank() OVER (ORDER BY id)) FROM t
SELECT sum(rank() OVER (ORDER BY id)) FROM t
SELECT row_number() FROM t
SELECT abs(a) OVER () FROM t
SELECT id, row_number() FILTER (WHERE f) OVER (ORDER BY id) FROM t
SELECT id, first_value(DISTINCT a) OVER (ORDER BY id) FROM t

-- Sets of groups
SELECT w, f, count(*), sum(a) FROM t GROUP BY ROLLUP (w, f)
SELECT w, f, count(*), sum(a) FROM t GROUP BY CUBE (w, f)
SELECT w, f, a % 3, count(*), grouping(w), grouping(w, f), grouping_id(w, f, a % 3) FROM t GROUP BY GROUPING SETS ((w, f), (w), (a % 3, f), ())
SELECT w, f, count(*) FROM t GROUP BY w, ROLLUP (f)
SELECT w, f, a % 2 AS odd, count(*) FROM t GROUP BY CUBE (w, f), ROLLUP (odd)
SELECT w, f, a % 2, count(*) FROM t GROUP BY ROLLUP ((w, f), a % 2)
SELECT w, count(*) FROM t GROUP BY GROUPING SETS (ROLLUP (w), (w), ())
SELECT w, sum(b), grouping(w) FROM t GROUP BY ROLLUP (w) HAVING grouping(w) = 1 OR sum(b) > 0
SELECT w, sum(b), rank() OVER (PARTITION BY grouping(w) ORDER BY sum(b)) FROM t GROUP BY ROLLUP (w)
SELECT count(*), sum(a) FROM t WHERE false GROUP BY ROLLUP (w)
SELECT count(*) FROM t WHERE false GROUP BY ()
SELECT w, f, count(*) FROM t GROUP BY ROLLUP (1, 2)
SELECT grouping(a) FROM t GROUP BY w
SELECT w, grouping(w) FROM t GROUP BY w
SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY b), percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FROM t
SELECT percentile_disc(0.3) WITHIN GROUP (ORDER BY a DESC), percentile_cont(0.3) WITHIN GROUP (ORDER BY d DESC), quantile_cont(d, 0.3) FROM t

-- Further aggregates
SELECT w, corr(a, b), covar_pop(a, b), covar_samp(a, b), regr_slope(a, b), regr_intercept(a, b), regr_r2(a, b), regr_count(a, b) FROM t GROUP BY w
SELECT w, regr_avgx(a, b), regr_avgy(a, b), regr_sxx(a, b), regr_syy(a, b), regr_sxy(a, b), weighted_avg(a, id) FROM t GROUP BY w
SELECT w, f, skewness(a), kurtosis(b), kurtosis_pop(b), sem(d), geomean(abs(a) + 1), fsum(d), favg(d), entropy(a), entropy(s), mad(b), mad(d) FROM t GROUP BY w, f
SELECT skewness(x), kurtosis(x), kurtosis_pop(x), sem(x), entropy(x), mad(x), covar_samp(x, x), regr_slope(x, x), regr_r2(x, x) FROM (VALUES (1)) AS q(x)
SELECT skewness(x), kurtosis(x), entropy(x), mad(x), geomean(x), corr(x, x), regr_count(x, x), weighted_avg(x, x) FROM (VALUES (1)) AS q(x) WHERE false
SELECT id, corr(a, b) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND 6 FOLLOWING), skewness(a) OVER (ORDER BY id ROWS 20 PRECEDING), kurtosis(b) FILTER (WHERE a > 0) OVER (ORDER BY id), regr_count(a, b) OVER (PARTITION BY w ORDER BY id) FROM t
SELECT id, bool_and(f) OVER (ORDER BY id ROWS BETWEEN 20 PRECEDING AND 20 FOLLOWING EXCLUDE GROUP), stddev_pop(d) FILTER (WHERE f) OVER (ORDER BY id ROWS BETWEEN 11 PRECEDING AND 9 FOLLOWING), arg_min(s, b) OVER (ORDER BY id), first(a) OVER (ORDER BY id ROWS BETWEEN 15 PRECEDING AND 15 FOLLOWING) FROM t

-- Friendly forms
SELECT #1, #3 FROM u
SELECT x: a, a + 1 AS y FROM u
SELECT * RENAME (a AS aa) FROM v
SELECT * EXCLUDE (id) RENAME (b AS bb, d AS dd) FROM v
SELECT * LIKE '%s' FROM v
SELECT COLUMNS('^[ab]$') FROM v
SELECT max(COLUMNS('^[abd]$')) FROM t
SELECT COLUMNS('^[ab]$') + id FROM v
SELECT id FROM t ORDER BY id LIMIT 29%
SELECT id FROM t ORDER BY id DESC LIMIT 12.5% OFFSET 2
SELECT id FROM t ORDER BY id OFFSET 3 ROWS FETCH NEXT 4 ROWS ONLY
SELECT id FROM t ORDER BY id FETCH FIRST ROW ONLY

-- Correlated sub-queries: EXISTS and NOT EXISTS
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b > t.b)
SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b <> t.b)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.b > t.b)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a + 1 = t.a - 1 AND u.f)
SELECT id FROM t WHERE EXISTS (SELECT * FROM u JOIN v ON u.w = v.w WHERE u.a = t.a AND v.s = t.s)
SELECT id FROM t WHERE EXISTS (SELECT count(*) FROM u WHERE u.a = t.a)
SELECT id FROM t WHERE EXISTS (SELECT a FROM u WHERE u.a = t.a GROUP BY a HAVING count(*) > 1)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a LIMIT 1)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a UNION SELECT 2 FROM v WHERE v.a = t.a)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a) OR b < 0
SELECT id, EXISTS (SELECT 1 FROM u WHERE u.a = t.a), NOT EXISTS (SELECT 1 FROM u WHERE u.s = t.s AND u.b < t.b) FROM t
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND EXISTS (SELECT 1 FROM v WHERE v.w = u.w AND v.a > t.a))
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND NOT EXISTS (SELECT 1 FROM v WHERE v.w = u.w AND v.s = t.s))
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.p = t.p)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a IS NOT DISTINCT FROM t.a)
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE t.a = 3)
SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE t.a IS NULL)

-- Correlated sub-queries: IN, ANY, ALL
SELECT id FROM t WHERE b IN (SELECT b FROM u WHERE u.a = t.a)
SELECT id FROM t WHERE b NOT IN (SELECT b FROM u WHERE u.a = t.a)
SELECT id, a IN (SELECT a FROM u WHERE u.w = t.w), a NOT IN (SELECT a FROM u WHERE u.w = t.w) FROM t
SELECT id, a IN (SELECT a FROM u WHERE u.b > t.b), a NOT IN (SELECT a FROM u WHERE u.b > t.b) FROM t
SELECT id, a IN (SELECT a FROM u), a NOT IN (SELECT a FROM u), a NOT IN (SELECT a FROM u WHERE a IS NOT NULL), a NOT IN (SELECT a FROM u WHERE false) FROM t
SELECT id FROM t WHERE a NOT IN (SELECT a FROM u WHERE u.w = t.w AND u.a IS NOT NULL)
SELECT id, a > ANY (SELECT a FROM u WHERE u.w = t.w), a > ALL (SELECT a FROM u WHERE u.w = t.w) FROM t
SELECT id, a >= ANY (SELECT a FROM u), a >= ALL (SELECT a FROM u), a < ANY (SELECT a FROM u), a < ALL (SELECT a FROM u) FROM t
SELECT id, a <= ANY (SELECT a FROM u WHERE a > 3), a <= ALL (SELECT a FROM u WHERE a > 3), a <> ANY (SELECT a FROM u WHERE a > 3), a <> ALL (SELECT a FROM u WHERE a > 3) FROM t
SELECT id, a = ANY (SELECT a FROM u WHERE u.s = t.s), a = ALL (SELECT a FROM u WHERE u.s = t.s), a <> ANY (SELECT a FROM u WHERE u.s = t.s), a <> ALL (SELECT a FROM u WHERE u.s = t.s) FROM t
SELECT id FROM t WHERE a > ALL (SELECT a FROM u WHERE u.w = t.w)
SELECT id FROM t WHERE a > ANY (SELECT a FROM u WHERE u.w = t.w)
SELECT id FROM t WHERE NOT (a > ALL (SELECT a FROM u WHERE u.w = t.w))
SELECT id FROM t WHERE NOT (a <= ANY (SELECT a FROM u WHERE u.w = t.w))
SELECT id FROM t WHERE a >= ALL (SELECT a FROM u WHERE u.b < t.b)
SELECT id, s > ANY (SELECT s FROM u WHERE u.a = t.a), d < ALL (SELECT d FROM u WHERE u.a = t.a) FROM t
SELECT id, a = SOME (SELECT a FROM v) FROM t
SELECT id, (a, w) IN (SELECT a, w FROM u), (a, w) NOT IN (SELECT a, w FROM u) FROM t
SELECT id FROM t WHERE (a, w) NOT IN (SELECT a, w FROM u WHERE u.a > 100)
SELECT id FROM t WHERE (a, f) NOT IN (SELECT a, f FROM v)

-- Rows of values
SELECT id, (a, b) = (b, a), (a, w) = (5, 'red'), (a, b) <> (1, 2), (a, w) IN ((1, 'red'), (2, 'green'), (3, NULL)) FROM t
SELECT id, (a, b) < (3, 0), (a, b) <= (3, NULL), (a, b) > (b, a), (a, b) >= (NULL, 1) FROM t
SELECT id, (a, b) IS DISTINCT FROM (a, 5), (a, b) IS NOT DISTINCT FROM (b, b), (a, b) BETWEEN (1, 0) AND (5, 0) FROM t
SELECT t.id, u.id FROM t JOIN u ON (t.a, t.w) = (u.a, u.w)
SELECT (1, 2, 3) < (1, 2, 4), (1, NULL) = (1, NULL), (1, NULL) < (1, 2), (1, 2) < (1, NULL), (NULL, 1) NOT IN ((NULL, 2), (1, 1))

-- Correlated sub-queries: values
SELECT id, (SELECT count(*) FROM u WHERE u.a = t.a) FROM t
SELECT id, (SELECT count(u.b) FROM u WHERE u.a = t.a), (SELECT max(b) FROM u WHERE u.a = t.a), (SELECT sum(b) + 1 FROM u WHERE u.a = t.a) FROM t
SELECT id, (SELECT count(*) + count(b) * 2 FROM u WHERE u.a = t.a AND u.w = t.w) FROM t
SELECT id, (SELECT coalesce(max(b), -1) FROM u WHERE u.a = t.a) FROM t
SELECT id, (SELECT max(b) FROM u WHERE u.b < t.b) FROM t
SELECT id, (SELECT count(*) FROM u WHERE u.b < t.b AND u.a = t.a) FROM t
SELECT id, (SELECT max(u.b + t.a) FROM u WHERE u.a = t.a) FROM t
SELECT id, (SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) > 1) FROM t
SELECT id, (SELECT b FROM u WHERE u.id = t.id) FROM t
SELECT id, (SELECT b FROM u WHERE u.id = t.a) FROM t
SELECT id, (SELECT b FROM u WHERE u.id = t.id AND u.b > t.a) FROM t
SELECT id, (SELECT u.b FROM u WHERE u.a = t.a ORDER BY u.b DESC NULLS LAST, u.id LIMIT 1) FROM t
SELECT id, (SELECT u.b FROM u WHERE u.a = t.a ORDER BY u.b NULLS LAST, u.id LIMIT 1 OFFSET 1) FROM t
SELECT id, (SELECT u.b FROM u WHERE u.b > t.b ORDER BY u.b, u.id LIMIT 1) FROM t
SELECT id, (SELECT min(b) FROM (SELECT b FROM u WHERE u.a = t.a UNION ALL SELECT b FROM v WHERE v.a = t.a)) FROM t
SELECT id, (SELECT count(*) FROM (SELECT DISTINCT w FROM u WHERE u.a = t.a)) FROM t
SELECT id, (SELECT max(n) FROM (SELECT w, count(*) AS n FROM u WHERE u.a = t.a GROUP BY w)) FROM t
SELECT id, (SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY id) AS r FROM u WHERE u.a = t.a)) FROM t
SELECT id, (SELECT t.a + 1), (SELECT t.a + (SELECT t.b)) FROM t
SELECT id, (SELECT sum(u.b) FROM u LEFT JOIN v ON u.w = v.w WHERE u.a = t.a) FROM t
SELECT id, (SELECT (SELECT max(v.b) FROM v WHERE v.w = u.w) FROM u WHERE u.id = t.id) FROM t
SELECT id, (SELECT (SELECT count(*) FROM v WHERE v.w = t.w) + count(*) FROM u WHERE u.a = t.a) FROM t
SELECT id FROM t WHERE b > (SELECT avg(b) FROM u WHERE u.a = t.a)
SELECT id FROM t WHERE b = (SELECT max(b) FROM t AS x WHERE x.w = t.w)
SELECT id FROM t WHERE (SELECT count(*) FROM u WHERE u.a = t.a) = 0
SELECT id FROM t ORDER BY (SELECT max(b) FROM u WHERE u.a = t.a), id
SELECT w, count(*) FROM t GROUP BY w HAVING count(*) > (SELECT count(*) FROM u WHERE u.w = t.w) ORDER BY w
SELECT w, (SELECT count(*) FROM u WHERE u.w = t.w) FROM t GROUP BY w ORDER BY w
SELECT sum((SELECT count(*) FROM u WHERE u.a = t.a)), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)) FROM t
SELECT (SELECT count(*) FROM u WHERE u.a = t.a) AS n, count(*) FROM t GROUP BY n ORDER BY n
SELECT id, CASE WHEN a > 3 THEN (SELECT count(*) FROM u WHERE u.a = t.a) ELSE (SELECT max(b) FROM u WHERE u.w = t.w) END FROM t
SELECT id, CASE WHEN EXISTS (SELECT 1 FROM u WHERE u.a = t.a) THEN 'yes' WHEN a IN (SELECT a FROM v WHERE v.w = t.w) THEN 'maybe' END FROM t
SELECT t.id, u.id FROM t JOIN u ON t.a = u.a AND EXISTS (SELECT 1 FROM v WHERE v.w = t.w AND v.a > u.a)
SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.a AND EXISTS (SELECT 1 FROM v WHERE v.w = t.w AND v.a > u.a)
SELECT t.id, u.id FROM t LEFT JOIN u ON t.a = u.a AND u.b > (SELECT min(b) FROM v WHERE v.w = u.w)
SELECT id, sum(b) OVER (PARTITION BY (SELECT max(b) FROM u WHERE u.a = t.a)) FROM t
WITH q AS (SELECT a, b FROM u) SELECT id, (SELECT count(*) FROM q WHERE q.a = t.a), (SELECT max(b) FROM q WHERE q.a = t.b) FROM t
SELECT id, (WITH q AS (SELECT b FROM u WHERE u.a = t.a) SELECT count(*) FROM q AS x, q AS y) FROM t
SELECT id, (SELECT count(*) FROM u WHERE u.a = t.a AND u.b IN (SELECT v.b FROM v WHERE v.w = t.w)) FROM t
SELECT id, (SELECT count(*) FROM (SELECT * FROM u WHERE u.a = t.a) AS x, (SELECT * FROM v WHERE v.w = t.w) AS y) FROM t
SELECT id, (SELECT string_agg(w, ',' ORDER BY u.id) FROM u WHERE u.a = t.a) FROM t
SELECT id, (SELECT count(*) FROM u WHERE u.a = t.a GROUP BY ROLLUP (u.a) ORDER BY 1 LIMIT 1) FROM t

-- LATERAL
SELECT t.id, x.b FROM t, LATERAL (SELECT b FROM u WHERE u.a = t.a) AS x
SELECT t.id, x.b FROM t, (SELECT b FROM u WHERE u.a = t.a) AS x
SELECT t.id, x.b FROM t LEFT JOIN LATERAL (SELECT b FROM u WHERE u.a = t.a) AS x ON true
SELECT t.id, x.b FROM t LEFT JOIN LATERAL (SELECT b FROM u WHERE u.a = t.a) AS x ON x.b > t.b
SELECT t.id, x.b FROM t LEFT JOIN LATERAL (SELECT u.b, u.id FROM u WHERE u.a = t.a ORDER BY u.b DESC, u.id LIMIT 1) AS x ON true
SELECT t.id, x.b FROM t CROSS JOIN LATERAL (SELECT u.b, u.id FROM u WHERE u.b > t.b ORDER BY u.b, u.id LIMIT 2) AS x
SELECT t.id, x.n, x.m FROM t, LATERAL (SELECT count(*) AS n, max(b) AS m FROM u WHERE u.a = t.a) AS x
SELECT t.id, x.n FROM t LEFT JOIN LATERAL (SELECT count(*) AS n FROM u WHERE u.b < t.b) AS x ON true
SELECT t.id, x.k, y.m FROM t, LATERAL (SELECT t.a + 1 AS k) AS x, LATERAL (SELECT max(b) AS m FROM u WHERE u.a = x.k) AS y
SELECT t.id, r.i FROM t, range(t.a) AS r(i)
SELECT t.id, r.i FROM t LEFT JOIN range(t.a) AS r(i) ON true
SELECT t.id, r.i FROM t, LATERAL range(t.a, t.a + 3) AS r(i) WHERE r.i % 2 = 0
SELECT t.id, count(*) FROM t, generate_series(1, t.a) AS r(i) GROUP BY t.id ORDER BY t.id
SELECT t.id, x.i FROM t, LATERAL (SELECT i FROM range(t.a) AS r(i) WHERE i > 1) AS x
SELECT t.id, x.w FROM t JOIN LATERAL (SELECT DISTINCT w FROM u WHERE u.a = t.a) AS x ON x.w <> t.w
SELECT id, (SELECT count(*) FROM range(t.a)) FROM t
SELECT t.id, t.a, x.k, r.i FROM t, LATERAL (SELECT t.a AS k) AS x LEFT JOIN range(t.a) AS r(i) ON r.i = x.k - 1
SELECT t.id, t.a, q.n FROM t, LATERAL (SELECT count(*) AS n FROM u, LATERAL (SELECT * FROM v WHERE v.a = u.a AND v.b > t.b) AS z WHERE u.w = t.w) AS q
SELECT id, (SELECT max(x.b) FROM u, LATERAL (SELECT b FROM v WHERE v.w = t.w AND v.a >= u.a) AS x) FROM t

-- WITH RECURSIVE
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 20) SELECT * FROM r ORDER BY n
WITH RECURSIVE r(n, m) AS (SELECT 1, 1 UNION ALL SELECT n + 1, m * 2 FROM r WHERE n < 10) SELECT sum(n), max(m) FROM r
WITH RECURSIVE r AS (SELECT a, 0 AS depth FROM v UNION SELECT (a + 1) % 7, 0 FROM r) SELECT * FROM r ORDER BY 1
WITH RECURSIVE r(id, depth) AS (SELECT id, 0 FROM v UNION ALL SELECT u.id, depth + 1 FROM r JOIN u ON u.a = r.id WHERE depth < 3) SELECT id, depth, count(*) FROM r GROUP BY ALL ORDER BY ALL
WITH RECURSIVE r(x, y) AS (SELECT a, b FROM v UNION SELECT r.x, u.b FROM r, u WHERE u.a = r.x) SELECT * FROM r ORDER BY ALL
WITH RECURSIVE r(path, n) AS (SELECT 'a', 1 UNION ALL SELECT path || 'b', n + 1 FROM r WHERE n < 5) SELECT * FROM r ORDER BY n
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT count(*) FROM v)) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE EXISTS (SELECT 1 FROM t WHERE t.id = r.n AND t.id < 9)) SELECT max(n) FROM r
WITH RECURSIVE a AS (SELECT 1 AS x), r AS (SELECT x FROM a UNION ALL SELECT r.x + a.x FROM r, a WHERE r.x < 5) SELECT * FROM r AS p JOIN r AS q USING (x) ORDER BY x
SELECT id, (WITH RECURSIVE r AS (SELECT t.a AS n UNION ALL SELECT n - 1 FROM r WHERE n > 0) SELECT count(*) FROM r) FROM t
WITH RECURSIVE r AS (SELECT 1 AS n WHERE false UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r

-- Joins in the order that their conditions ask for
SELECT t.id, u.id, v.id FROM t, u, v WHERE t.a = v.a AND v.w = u.w AND u.a = t.b
SELECT count(*) FROM t, u, v WHERE t.w = v.w AND u.w = v.w
SELECT t.id, u.id FROM t, u WHERE (t.a = u.a AND t.b > 0) OR (t.a = u.a AND u.b < 0)
SELECT t.id, u.id FROM t, u WHERE (t.a = u.a AND t.w = 'red' AND u.f) OR (t.a = u.a AND t.w = 'blue' AND NOT u.f) OR (t.a = u.a AND t.s = u.s)
SELECT t.id, u.id FROM t JOIN u ON (t.a = u.a AND t.b > 0) OR (t.a = u.a AND u.b < 0)
SELECT t.id, u.id, v.id FROM t LEFT JOIN u ON t.a = u.a, v WHERE v.w = t.w AND v.a = u.a
SELECT t.id, u.id FROM t JOIN u ON u.b BETWEEN t.a AND t.b
SELECT t.id, u.id FROM t JOIN u ON t.b >= u.a AND t.b < u.b
SELECT t.id, u.id FROM t LEFT JOIN u ON t.p > u.p AND t.w = u.w
SELECT t.id, u.id FROM t JOIN u ON t.d BETWEEN u.d - 1 AND u.d + 1 AND t.id <> u.id
SELECT id FROM t SEMI JOIN u ON t.b > u.b AND t.b < u.id * 30
SELECT id FROM t ANTI JOIN u ON t.b > u.a AND t.b < u.b
SELECT t.id, u.id FROM t ASOF JOIN u ON t.b >= u.b
SELECT t.id, u.id FROM t ASOF LEFT JOIN u ON t.w = u.w AND t.b > u.b
SELECT t.id, u.id FROM t ASOF JOIN u ON t.w = u.w AND t.b <= u.b
SELECT t.id, v.id FROM t ASOF LEFT JOIN v ON t.ts >= v.ts
SELECT t.id, u.id, u.b FROM t ASOF JOIN u USING (w, b)
SELECT x.id, y.id FROM (SELECT id FROM u ORDER BY id) AS x POSITIONAL JOIN (SELECT id FROM v ORDER BY id) AS y
SELECT id, (id % 7) ^ 2, 2 ** (id % 5), -2 ^ 2, 10 - 2 ^ 2 * 2, @ (id - 5) FROM t
SELECT id, w.upper(), w.replace('r', 'x').length() + 1 FROM t

-- UNION BY NAME
SELECT id, a FROM t UNION ALL BY NAME SELECT b, id FROM u
SELECT id, a FROM t UNION BY NAME SELECT a, w FROM u
SELECT id AS x FROM v UNION ALL BY NAME SELECT a AS y FROM u UNION ALL BY NAME SELECT w AS z, id AS X FROM v
SELECT id FROM t INTERSECT BY NAME SELECT id FROM u
SELECT 1 AS a, 2 AS a UNION BY NAME SELECT 1 AS a

-- PIVOT
SELECT * FROM (PIVOT t ON w USING count(*) GROUP BY a) ORDER BY ALL
SELECT * FROM (PIVOT t ON w USING sum(b), max(id) GROUP BY a) ORDER BY ALL
SELECT * FROM (PIVOT t ON a USING count(b) AS n GROUP BY w) ORDER BY ALL
SELECT * FROM (PIVOT (SELECT a, w, b FROM t) ON w USING sum(b)) ORDER BY ALL
SELECT * FROM (PIVOT (SELECT a, b FROM t) ON a USING sum(b))
SELECT * FROM (PIVOT t ON a, f USING count(*) GROUP BY w) ORDER BY ALL
SELECT * FROM (PIVOT t ON a > 2 USING count(*) GROUP BY w) ORDER BY ALL
SELECT * FROM (PIVOT t ON a IN (1, 2, NULL) USING count(*), sum(b) AS s GROUP BY w) ORDER BY ALL
SELECT * FROM t PIVOT (count(*) FOR a IN (1, 2 AS two, 3) GROUP BY w) AS p ORDER BY ALL
SELECT * FROM t PIVOT (count(*) AS n, max(b) FOR a IN (1, 2) f IN (true, false) GROUP BY w) ORDER BY ALL
SELECT p.w, p."1" FROM t PIVOT (sum(b) FOR a IN (1, 2) GROUP BY w) AS p WHERE p."2" IS NOT NULL ORDER BY ALL
SELECT * FROM (PIVOT t ON w IN (SELECT w FROM v WHERE w IS NOT NULL) USING count(*)  GROUP BY f) ORDER BY ALL
WITH q AS (SELECT a, w, b FROM t WHERE b > 0) SELECT * FROM (PIVOT q ON w USING count(b) + 1 GROUP BY a) ORDER BY ALL
SELECT * FROM (PIVOT (SELECT * FROM t WHERE false) ON w USING sum(b) GROUP BY a)
SELECT * FROM (PIVOT (SELECT a, b FROM t WHERE false) ON a IN (1) USING sum(b), count(*))
SELECT * FROM (PIVOT t ON w IN ('x', 'x') USING count(*) GROUP BY a)
SELECT * FROM (PIVOT t ON w USING b GROUP BY a)
SELECT id, (SELECT "1" FROM (PIVOT u ON a IN (1) USING count(*) GROUP BY w) AS p WHERE p.w = t.w) FROM t

-- UNPIVOT
SELECT * FROM (UNPIVOT t ON a, b INTO NAME n VALUE v) ORDER BY ALL
SELECT id, n, v FROM (UNPIVOT t ON a, b INTO NAME n VALUE v)
SELECT * FROM (UNPIVOT (SELECT id, a, b FROM t) ON COLUMNS('a|b')) ORDER BY ALL
SELECT * FROM (UNPIVOT (SELECT id, a, b FROM t) ON * EXCLUDE (id) INTO NAME n VALUE v) ORDER BY ALL
SELECT id, n, v FROM t UNPIVOT INCLUDE NULLS (v FOR n IN (a, b)) AS u
SELECT id, n, v FROM t UNPIVOT (v FOR n IN (a AS x, b AS y)) AS u WHERE u.n = 'y'
SELECT id, n, v1, v2 FROM (UNPIVOT t ON (a, b) AS x, (b, a) AS y INTO NAME n VALUE v1, v2)
SELECT id, n, v FROM (UNPIVOT t ON a::VARCHAR, w INTO NAME n VALUE v)
SELECT n, sum(v) FROM (UNPIVOT t ON a, b INTO NAME n VALUE v) GROUP BY n ORDER BY n
SELECT * FROM (UNPIVOT t ON a, w INTO NAME n VALUE v)

-- Samples, as far as both give the same
SELECT count(*) FROM t TABLESAMPLE 7 ROWS
SELECT count(*) FROM t TABLESAMPLE reservoir(100%)
SELECT id FROM t TABLESAMPLE 100% (bernoulli) ORDER BY id
SELECT count(*) FROM t USING SAMPLE 1000 ROWS
SELECT count(*) FROM t TABLESAMPLE 0 ROWS
SELECT count(*) FROM t USING SAMPLE 120%

-- COLLATE, factorial, widths of integers
SELECT id FROM t WHERE w = 'X' COLLATE NOCASE ORDER BY id
SELECT id FROM t WHERE upper(w) COLLATE NOCASE IN ('x', 'y') ORDER BY id
SELECT s FROM t WHERE s IS NOT NULL ORDER BY s COLLATE NOCASE, s, id
SELECT 'a' COLLATE NOCASE < 'B', 'B' COLLATE NOCASE BETWEEN 'a' AND 'c', 'A' COLLATE NOCASE IS DISTINCT FROM 'a'
SELECT 5!, (2 + 1)!, -3!, 4! = 24
SELECT TRY_CAST(3000000000 AS INTEGER), TRY_CAST(300 AS TINYINT), TRY_CAST(-1 AS UTINYINT), TRY_CAST('300' AS UTINYINT), TRY_CAST(40000 AS SMALLINT), TRY_CAST(40000 AS USMALLINT), TRY_CAST(-1 AS UINTEGER), TRY_CAST(3000000000 AS BIGINT)
SELECT id, TRY_CAST(b * 100 AS TINYINT), TRY_CAST(b AS UTINYINT), TRY_CAST(d AS SMALLINT) FROM t
SELECT 3000000000::INTEGER
SELECT 128::TINYINT
SELECT COLUMNS(* EXCLUDE (s, w, ts, p, d, f)) FROM t
SELECT count(*) FROM range(1, NULL)
