SELECT * FROM a, b JOIN c ON b.x = c.x, d;
SELECT * FROM a INNER JOIN b USING (x, y) LEFT OUTER JOIN c ON TRUE RIGHT JOIN d USING (z) FULL JOIN e ON a.q = e.q;
SELECT * FROM a CROSS JOIN b NATURAL JOIN c NATURAL LEFT JOIN d SEMI JOIN e USING (x) ANTI JOIN f ON a.x = f.x;
SELECT * FROM (a JOIN b USING (x)) JOIN (c JOIN d USING (y)) ON a.z = d.z;
SELECT * FROM (SELECT 1) AS s (n), (VALUES (1), (2)) v(m), (FROM t) u, ((SELECT 1) UNION (SELECT 2)) w;
SELECT * FROM meta.tables AS t, disasm('nt!KiIdleLoop', 10) d, LATERAL stack(t.ethread) AS s, LATERAL (SELECT t.name) l;
SELECT * FROM ((SELECT 1 AS a)) x, (t) AS y, ((a CROSS JOIN b));
SELECT * FROM struct('_ETHREAD', address => 0x1000) AS t, LATERAL range(stop := 3), list()
