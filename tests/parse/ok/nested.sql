SELECT [1, 2, NULL], [], ARRAY['a'], [[1], []];
SELECT {'a': 1, b: [x], "c d": {'e': 2}}, struct_pack(a := 1, b => 2);
SELECT l[1], l[-1][2], l[2:3], l[:3], l[2:], l[:], l[1:-:2], s['a'], (s).a, f(x)[1].b.c, name[:4];
SELECT list_transform(l, x -> x + 1), list_filter(l, lambda x, i: x > i OR i = 1), list_reduce(l, (a, b) -> a + b, 0);
SELECT [x * 2 FOR x IN l IF x > 1], [x + i FOR x, i IN f(l)];
SELECT x IN l, x NOT IN [1, 2], x IN f(y) AND z, position('x' IN name);
SELECT j -> 'a' -> 0, t.j ->> 'a', (j ->> 'n') = '1', list_transform(l, x -> list_transform(x, y -> y + 1));
SELECT x::INTEGER[], CAST(x AS STRUCT(a INTEGER, "b c" VARCHAR[])[]), TRY_CAST(x AS DOUBLE PRECISION[]), x::TUPLE(INTEGER, VARCHAR);
FROM t, unnest(t.l) AS u(x) LEFT JOIN unnest(u.x) AS v(y) ON true SELECT unnest(t.l), t.s.*;
