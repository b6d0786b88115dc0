SELCT name FROM modules
SELECT name FORM modules
SELECT * FORM modules
SELECT name, FROM WHERE
SELECT name FROM
SELECT FROM modules
SELECT name base size_bytes FROM modules
SELECT name FROM modules WHERE
SELECT name FROM modules WHERE ORDER BY name
SELECT name FROM modules ORDER BY name WHERE base > 5
SELECT name FROM modules LIMIT 5 ORDER BY name
SELECT name FROM modules WHERE a = 1 WHERE b = 2
SELECT count(* FROM modules
SELECT count(*)) FROM modules
SELECT (1 + 2 FROM modules
SELECT 'abc FROM modules
SELECT "abc FROM modules
SELECT 1 /* abc
INSERT INTO modules VALUES (1)
PRAGMA foo
!analyze -v
SELECT 80478b00
SELECT fffff801`a972
SELECT 5XB
SELECT name FROM modules WHERE name = “nt”
SELECT name FROM modules WHERE a && b
SELECT name FROM modules WHERE a => 5
SELECT name FROM modules WHERE a =< 5
SELECT TOP 10 name FROM modules
SELECT name FROM modules m JOIN threads t WHERE m.a = t.b
SELECT name FROM modules m JOIN threads t
SELECT group FROM modules
SELECT name FROM order
SELECT name FROM modules GROUP name
SELECT name FROM modules ORDER name
SELECT name FROM modules WHERE name IN 'a', 'b'
SELECT name FROM modules WHERE name IN ()
SELECT name FROM modules WHERE x IS 5
SELECT name FROM modules WHERE x BETWEEN 1
SELECT name FROM modules WHERE x BETWEEN 1, 2
SELECT CASE WHEN a THEN b FROM modules
SELECT CASE a THEN b END FROM modules
SELECT CAST(a, INTEGER) FROM modules
SELECT CAST(a AS INTEGER(10)) FROM modules
SELECT a::TIMESTAMP(3) FROM modules
SELECT INTERVAL '5 lightyears'
SELECT TIMESTAMP '2024-13-01'
SELECT 1 < 2 < 3
SELECT a[1 FROM t
SELECT [1, 2 FROM t
SELECT {a 1} FROM t
SELECT [x FOR x l] FROM t
SELECT a[] FROM t
SELECT * INTO x FROM t
SELECT name FROM modules UNION
SELECT name FROM modules UNION ALL
WITH x AS SELECT 1 SELECT * FROM x
WITH x (SELECT 1) SELECT * FROM x
SELECT * FROM (SELECT 1
SELECT * FROM modules WERE name = 'x'
SELECT * FROM modules WHERE name = 'x' ADN base > 5
SELECT * FROM modules WHERE name = 'x' base > 5
SELECT * FROM modules LIMT 5
SELECT * FROM modules ODER BY name
SELECT * FROM modules LEFT threads ON a = b
SELECT * FROM modules WHERE NOT
SELECT * FROM modules WHERE name LIKE
SELECT * FROM modules WHERE name = 'it's'
SELECT * FROM modules; SELECT
SELECT * FROM modules SELECT * FROM threads
FROM modules WHERE x = 1 SELECT name
EXPLAIN
DESCRIBE
SHOW
SELECT name FROM modules m.name
SELECT m. FROM modules m
SELECT .5.5
SELECT 1.2.3
SELECT 99999999999999999999
SELECT 0x12345678901234567
SELECT 1e999
SELECT E'\q'
SELECT :x
SELECT $ 
SELECT #tmp
SELECT x FROM t PIVOT sum(x) FOR y IN (1)
SELECT x FROM t ORDER BY x DSC
SELECT x FROM t GROUP BY x HAVNG count(*) > 1
SELECT distinct(x) y z FROM t
SELECT COUNT(DISTINCT) FROM t
SELECT x FROM t WHERE EXISTS SELECT 1
SELECT x FROM t WHERE x = SELECT max(x) FROM t
SELECT x FROM t WHERE x == = 1
SELECT x FROM t AND y
SELECT x FROM t WHERE x = 1,
SELECT x AS FROM t
SELECT `name` FROM t
SELECT ! x FROM t
SELECT x FROM t WHERE x = 'a' OR OR y
SELECT x FROM t LIMIT
SELECT x FROM t LIMIT 5, 10
SELECT x FROM t OFFSET
SELECT if(a, b FROM t
SELECT x y FROM t u v
SELECT x FROM (SELECT y FROM t WHERE)
threads
SELECT * FROM #tmp
FROM threads | where state == 'Waiting'
FROM threads | project tid
FROM threads WHERE a = 1 | summarize count() by process
threads | where a = 1
FROM threads |> summarize count(*)
FROM threads |> GROUP BY process
FROM threads |> take 5
FROM threads |> WHERE a = 1 SELECT b
FROM threads |> SET a
FROM threads WHERE name REGEXP 'x'
FROM threads WHERE name has 'x'
FROM threads WHERE name CONTAINS 'x'
SHOW COLUMNS FROM threads
lm
!irpfind
dx @$cursession.Processes
DELETE FROM threads
UPDATE threads SET tid = 1
DROP threads
CREATE VIEW v
CREATE VIEW v SELECT 1
CREATE TABLE t (a INTEGER)
CREATE MACRO f(a) a + 1
SET memory_limit
COPY threads FROM 'x.csv'
COPY threads 'x.csv'
EXECUTE
TABLE
