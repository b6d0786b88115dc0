SELECT 2 ^ 3 ** 2 * -x ^ y, @ -5 + 3, -2 ^ 2;
SELECT 'abc'.upper().length(), t.x.replace('a', 'b') || x . trim (), (a || b).upper()::VARCHAR;
SELECT sum(x).round(1), a.b.c FROM t WHERE name.lower() LIKE 'a%'.upper() AND x BETWEEN y.abs() AND 2 ^ 3;
SELECT t AT TIME ZONE 'Europe/Berlin' + INTERVAL '1 day', at, time, zone FROM at;
