-- Lists and structures, asked of DuckDB and of dumpql (tests/it/duckdb.rs). One query a line.
SELECT [1, 2, 3], [], ['a', NULL], [[1], [], NULL], [NULL]
SELECT [1, NULL] < [1, 2], [1, NULL] = [1, NULL], [1] < [1, 2], [] < [1], [NULL] > [1], [1, 2] <> NULL, [1] <= [1], [2] >= [1, 5]
SELECT [1] IS DISTINCT FROM [1], [1] IS NOT DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM [1], [NULL] IS DISTINCT FROM NULL
SELECT l FROM (VALUES ([2, 1]), ([1, NULL]), ([1]), (NULL), ([NULL]), ([]), ([1, 2])) AS t(l) ORDER BY l
SELECT l FROM (VALUES ([2, 1]), ([1, NULL]), ([1]), (NULL), ([NULL]), ([]), ([1, 2])) AS t(l) ORDER BY l DESC
SELECT l FROM (VALUES ([2, 1]), ([1, NULL]), ([1]), (NULL), ([NULL]), ([]), ([1, 2])) AS t(l) ORDER BY l NULLS FIRST
SELECT l FROM (VALUES (['b']), (['a', 'z']), (['a']), (['B']), (['ä']), (['']), (['ab'])) AS t(l) ORDER BY l
SELECT l FROM (VALUES ([1.5e0]), ([-1.5e0]), ([0e0]), ([1e300]), (['nan'::DOUBLE]), (['-inf'::DOUBLE])) AS t(l) ORDER BY l
SELECT l, count(*) FROM (VALUES ([1, 2]), ([2, 1]), ([1, 2]), (NULL), (NULL), ([NULL]), ([NULL])) AS t(l) GROUP BY l
SELECT DISTINCT l FROM (VALUES ([1, 2]), ([1, 2]), ([1]), (NULL), ([]), ([])) AS t(l)
SELECT a.l, b.x FROM (VALUES ([1]), ([1, NULL]), (NULL)) AS a(l) JOIN (VALUES ([1], 10), ([1, NULL], 20), (NULL, 30)) AS b(l, x) ON a.l = b.l
SELECT l FROM (VALUES ([1]), ([2])) AS t(l) WHERE l IN (SELECT [2])
SELECT l FROM (VALUES ([1]), ([2])) AS t(l) WHERE l IN ([1], [3])
SELECT [1] UNION SELECT [1] UNION ALL SELECT [2]
SELECT [1] INTERSECT SELECT [1]
SELECT max(l), min(l), count(DISTINCT l), first(l ORDER BY l), any_value(l) FROM (VALUES ([3]), ([2, 9]), ([2, 9])) AS t(l)
SELECT g, max(l), min(l), mode(l) FROM (VALUES (1, [3]), (1, [2, 9]), (2, [5]), (1, [2, 9])) AS t(g, l) GROUP BY g
SELECT arg_max(l, x), arg_min(l, x) FROM (VALUES ([1], 1), ([2], 2)) AS t(l, x)
SELECT [1, 2, 3][2], [1, 2, 3][-1], [1, 2, 3][0], [1, 2, 3][9], [1, 2, 3][NULL], [1, 2, 3][-9]
SELECT [1, 2, 3, 4][:2], [1, 2, 3, 4][2:], [1, 2, 3, 4][-2:], [1, 2, 3, 4][2:-1], [1, 2, 3, 4][0:2], [1, 2, 3, 4][3:1], [1, 2, 3, 4][:]
SELECT [1, 2, 3, 4, 5][1:-:2], [1, 2, 3, 4, 5][1:4:3], [1, 2, 3][-9:2], [1, 2, 3][2:99], [1, 2, 3, 4, 5][5:1:-2]
SELECT 'hello'[2], 'hello'[2:3], 'hello'[-2:], 'hello'[-1], 'hello'[9], 'hello'[:2]
SELECT [[1, 2], [3]][1][2], [[1, 2], [3]][2], [['a']][1][1]
SELECT list_extract([1, 2], 1), list_element([1, 2], 2), array_extract([1, 2], 1)
SELECT list_contains([1, NULL], NULL), list_contains([1, 2], NULL), list_contains(NULL, 1), list_has([1], 1), array_contains([1], 2)
SELECT 2 IN [1, 2], 3 IN [1, NULL], 3 NOT IN [1, 2], 'a' IN ['a', 'b']
SELECT x FROM (VALUES (1, [1, 2]), (3, [1, 2]), (NULL, [1]), (1, NULL)) AS t(x, l) WHERE x IN l
SELECT x FROM (VALUES (1, [1, 2]), (3, [1, 2]), (NULL, [1]), (1, NULL)) AS t(x, l) WHERE x NOT IN l
SELECT list_position([1, 2], 5), list_position([1, 2], 2), list_indexof(['a', 'b'], 'b'), array_position([4, 5], 5)
SELECT list_concat([1], [2, 3]), [1] || [2], [1] || [NULL], list_concat([1], NULL, [2]), list_cat([1], [2])
SELECT list_append([1], 2), list_append([1], NULL), list_append(NULL, 1), list_prepend(1, [2]), array_push_front([1], 0), array_pop_back([1, 2]), array_pop_front([1, 2])
SELECT list_sort([3, NULL, 1]), list_sort([3, NULL, 1], 'DESC'), list_sort([3, NULL, 1], 'DESC', 'NULLS LAST'), list_sort([3, NULL, 1], 'ASC', 'NULLS FIRST'), list_reverse_sort([3, NULL, 1]), list_reverse_sort([3, NULL, 1], 'NULLS FIRST')
SELECT list_sort(['b', 'a', 'B', NULL]), list_sort([[2], [1, 5], [1]]), list_sort([1.5e0, -2e0, 'nan'::DOUBLE])
SELECT list_sort(list_distinct([3, NULL, 1, 3])), list_unique([3, NULL, 1, 3]), list_unique([]), list_distinct([]::INTEGER[])
SELECT list_sum([1, NULL, 2]), list_avg([1, 2]), list_count([1, NULL]), list_min([]::INTEGER[]), list_count([]), list_any_value([NULL, 2]), list_first([NULL, 1]), list_max(['a', 'b']), list_last([1, 2])
SELECT list_median([1, 2, 3]), list_stddev_pop([1, 2]), list_product([2, 3]), list_bool_and([true, false]), list_string_agg(['a', 'b']), list_mode([1, 2, 2])
SELECT list_aggregate([1, 2, 3], 'string_agg', '|'), list_aggregate([1, 2], 'sum'), list_aggregate([1, 2, 3], 'min')
SELECT list_sum(l), list_max(l) FROM (VALUES ([1, 2]), (NULL), ([]), ([5])) AS t(l)
SELECT array_to_string([1, NULL, 2], ','), array_to_string(['a', 'b'], ''), array_to_string([], '-')
SELECT string_split('a,b,,c', ','), string_split('abc', ''), string_split('', ','), string_split(NULL, ','), string_split('abc', 'x'), str_split('a b', ' ')
SELECT regexp_extract_all('a1b22', '([a-z])(\d+)', 2), regexp_extract_all('a1b22', '\d+'), regexp_split_to_array('a1b2c', '\d')
SELECT range(3), range(2, 5), generate_series(1, 3), range(5, 1, -2), range(0), range(1, 2, 0), generate_series(3, 1), range(NULL)
SELECT range(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-03', INTERVAL 1 DAY)
SELECT flatten([[1, 2], NULL, [], [3, NULL]]), flatten([]), flatten(NULL), list_reverse([1, NULL, 2])
SELECT len([1, 2]), length([]), len(NULL), array_length([1, 2], 1), len('abc')
SELECT list_transform([1, 2, NULL], lambda x: x + 1), list_filter([1, 2, NULL], lambda x: x > 1), list_reduce([1, 2, 3], lambda a, b: a + b), list_reduce([1, 2, 3], lambda a, b: a + b, 10)
SELECT list_transform([5, 6], lambda x, i: x * i), list_filter([1, 2, 3], lambda x, i: i > 1), list_reduce([1, 2, 3], lambda a, b, i: a * i + b), list_reduce([5], lambda a, b: a + b)
SELECT list_transform(NULL::INTEGER[], lambda x: 1), list_filter([]::INTEGER[], lambda x: true), list_transform([1, 2], lambda x: 'v' || x)
SELECT [x + 1 FOR x IN [1, 2, 3] IF x > 1], [x FOR x IN [1, 2]], [x * 2 FOR x IN range(3)]
SELECT list_transform([[1, 2], [3]], lambda l: list_transform(l, lambda x: x * len(l)))
SELECT list_transform(l, lambda x: x + y), y FROM (VALUES ([1, 2], 10), ([3], 20), (NULL, 30), ([], 40)) AS t(l, y)
SELECT list_filter(l, lambda x: x > y) FROM (VALUES ([1, 20], 10), ([3], 2), (NULL, 30), ([], 40)) AS t(l, y)
SELECT list_reduce(l, lambda a, b: a + b * y, 0) FROM (VALUES ([1, 20], 10), ([3], 2), ([], 40)) AS t(l, y)
SELECT list_transform(l, lambda x: list_sum(list_filter(l, lambda z: z <= x))) FROM (VALUES ([1, 2, 3]), ([10])) AS t(l)
SELECT list_transform([1, 2, 3], lambda x: CASE WHEN x = 2 THEN NULL ELSE x END)
SELECT list(x ORDER BY x), list(x ORDER BY x DESC), array_agg(x ORDER BY x) FILTER (WHERE x > 1), list(x) FILTER (WHERE false) FROM (VALUES (1), (NULL), (3), (1)) AS t(x)
SELECT list_sort(list(DISTINCT x)) FROM (VALUES (1), (NULL), (3), (1)) AS t(x)
SELECT g, list(x ORDER BY x DESC) FROM (VALUES (1, 'a'), (2, 'b'), (1, 'c'), (2, NULL)) AS t(g, x) GROUP BY g ORDER BY g
SELECT x, list(x) OVER (ORDER BY x ROWS 1 PRECEDING) FROM (VALUES (1), (2), (3)) AS t(x) ORDER BY x
SELECT x, list(x) OVER (ORDER BY x ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) FROM (VALUES (1), (2), (3)) AS t(x) ORDER BY x
SELECT x, list(x) OVER (PARTITION BY x % 2 ORDER BY x) FROM range(6) AS t(x) ORDER BY x
SELECT s, count(*) FROM (SELECT t, list(f ORDER BY i) AS s FROM (VALUES (1, 1, 'a'), (1, 2, 'b'), (2, 2, 'b'), (2, 1, 'a'), (3, 1, 'a')) AS v(t, i, f) GROUP BY t) GROUP BY s
SELECT unnest([1, 2, 3]), 5
SELECT unnest([1, 2]), unnest([1, 2, 3])
SELECT unnest([]), 1
SELECT unnest(NULL), 1
SELECT unnest([[1, 2], [3]])
SELECT id, unnest(l) FROM (VALUES (1, [1, 2]), (2, []), (3, NULL), (4, [3])) AS t(id, l)
SELECT unnest([1, 2]) + 10, x FROM (VALUES (1)) AS t(x) WHERE x = 1
SELECT unnest([2, 3, 1]) AS x ORDER BY x DESC LIMIT 2
SELECT unnest(list(x)) FROM (VALUES (1), (2)) AS t(x)
SELECT g, unnest(list(x ORDER BY x)) FROM (VALUES (1, 5), (2, 6), (1, 4)) AS t(g, x) GROUP BY g ORDER BY g, 2
SELECT DISTINCT unnest([1, 1, 2])
SELECT x, count(*) FROM (SELECT unnest([1, 1, 2]) AS x) GROUP BY x
SELECT t.l, u.x FROM (VALUES ([1, 2]), ([]), (NULL), ([3])) AS t(l), unnest(t.l) AS u(x)
SELECT t.l, u.x FROM (VALUES ([1, 2]), ([]), (NULL), ([3])) AS t(l) LEFT JOIN unnest(t.l) AS u(x) ON true
SELECT u.x, t.id FROM (VALUES (1, [1, 2]), (2, [3])) AS t(id, l) CROSS JOIN unnest(l) AS u(x) WHERE u.x > 1 AND t.id < 2
SELECT * FROM unnest([1, 2])
SELECT x + 1 FROM unnest([1, 2]) AS u(x)
SELECT u.x, v.y FROM (VALUES ([[1, 2], [3]])) AS t(l), unnest(t.l) AS u(x), unnest(u.x) AS v(y)
SELECT x, (SELECT max(y) FROM unnest(l) AS u(y)) FROM (VALUES (1, [1, 5]), (2, [7]), (3, [])) AS t(x, l) ORDER BY x
SELECT x FROM (VALUES (1, [1, 5]), (2, [7])) AS t(x, l) WHERE EXISTS (SELECT * FROM unnest(l) AS u(y) WHERE y = 5)
SELECT {'a': 1, 'b': 'x'}, {'a': NULL, 'b': [1]}, {'x': {'y': 2}}
SELECT {'a': 1, 'b': NULL} = {'a': 1, 'b': NULL}, {'a': 1} < {'a': 2}, {'a': 1, 'b': 2} > {'a': 1, 'b': 1}, {'a': NULL} > {'a': 1}
SELECT s.a, s['b'], struct_extract(s, 'a'), s.* FROM (SELECT {'a': 1, 'b': 'x'} AS s)
SELECT t.s.a, t.s.b.c FROM (SELECT {'a': 1, 'b': {'c': 2}} AS s) AS t
SELECT s FROM (VALUES ({'a': 2, 'b': 'x'}), ({'a': 1, 'b': 'y'}), (NULL), ({'a': 1, 'b': NULL}), ({'a': NULL, 'b': 'z'})) AS t(s) ORDER BY s
SELECT s, count(*) FROM (VALUES ({'a': 1}), ({'a': 1}), ({'a': 2})) AS t(s) GROUP BY s
SELECT struct_pack(a := 1, b := 'x'), struct_pack(a := 1).a
SELECT row(1, 'x'), row(1, 'x')[1], struct_extract(row(1, 'x'), 2)
SELECT unnest({'a': 1, 'b': 'x'})
SELECT list({'k': x, 'v': -x} ORDER BY x) FROM (VALUES (1), (2)) AS t(x)
SELECT u.s.a FROM unnest([{'a': 1}, {'a': 3}]) AS u(s)
SELECT list_transform([{'a': 1}, {'a': 3}], lambda s: s.a + 1)
SELECT [{'a': 1}][1].a, ({'a': 1}).a
SELECT s.a, sum(x) FROM (VALUES ({'a': 1}, 5), ({'a': 1}, 6)) AS t(s, x) GROUP BY s.a
SELECT '[1, 2, NULL]'::INTEGER[], '[a, "b c", ''d'']'::VARCHAR[], '{''a'': 1, b: x}'::STRUCT(a INTEGER, b VARCHAR), '[[1], [2]]'::INTEGER[][]
SELECT [1, 2]::VARCHAR[], ['1', '2']::INTEGER[], [1.5e0, 2.5e0]::INTEGER[], TRY_CAST(['x'] AS INTEGER[]), {'a': 1}::STRUCT(a VARCHAR)
SELECT [1, NULL, 3]::VARCHAR, ['a b', 'it''s', '', 'NULL', 'x,y', 'a"b', 'back\slash', ' lead', 'a:b', '{x}', 'a=b', 'q?']::VARCHAR
SELECT {'a': 1, 'b c': 'x', 'd': NULL}::VARCHAR, row(1, 'x')::VARCHAR, [row(1, 2)]::VARCHAR, {'it''s': 'y z'}::VARCHAR
SELECT typeof([1, 2]::INTEGER[]), typeof([['a']]), typeof({'a': 'x', 'b': ['y']})
SELECT list_has_any([1, 2], [2, 3]), list_has_all([1, 2], [2]), list_sort(list_intersect([1, 2, 3], [3, 2])), list_resize([1, 2], 4, 0), list_resize([1, 2], 1), list_resize([1], 3)
SELECT list_select([5, 6, 7], [3, 1]), list_where([5, 6, 7], [true, false, true]), list_grade_up([3, 1, 2])
SELECT greatest([1], [2]), coalesce(NULL, [1]), nullif([1], [1]), CASE WHEN true THEN [1] ELSE [2, 3] END
SELECT [1, 2, 3]::VARCHAR || 'x', array_to_string([1, 2], '+') || '='
SELECT [1] || ['x']
SELECT [1, 'x']
SELECT {'a': 1, 'A': 2}
SELECT list_reduce([]::INTEGER[], lambda a, b: a + b)
SELECT sum(unnest([1, 2]))
SELECT 1 FROM (VALUES ([1])) AS t(l) WHERE unnest(l) = 1
SELECT [1, 2].a
SELECT ({'a': 1}).b
SELECT json_extract('{"a": {"b": [1, "x"]}}', '$.a.b[1]'), json_extract('{"a": [1, 2]}', '$.a'), json_extract('[1,2]', 1), json_extract('[1,2]', -1), json_extract('{"a":1}', '/a'), json_extract('{"a b":1}', '$."a b"')
SELECT json_extract_string('{"a": "x\ny"}', 'a'), json_extract_string('{"a": null}', 'a'), json_extract('{"a": null}', 'a'), json_extract('{"a": 1}', 'b'), json_extract_string('{"a": {"b": 1.0}}', '$.a')
SELECT '{"a": {"b": 2}}' -> 'a' -> 'b', '{"a": "x"}' ->> 'a', '[1,2]' -> 0, '[1,"z"]' ->> 1
SELECT j ->> 'n', (j -> 'l')::VARCHAR FROM (VALUES ('{"n": 1, "l": [1, 2]}'), ('{"n": "x"}'), (NULL)) AS t(j)
SELECT json_valid('{bad'), json_valid('[1]'), json_array_length('[1,2]'), json_array_length('{"a":[1]}', '$.a'), json_array_length('{}'), json_type('{"a":1}'), json_type('-1'), json_type('1.5'), json_type('"x"'), json_type('null')
SELECT json_keys('{"b":1,"a":2}'), json_keys('[1]'), to_json([1, NULL]), to_json({'a': 1, 'b': 'x"y'}), to_json('x'), to_json(true), json_extract('{"a":1,"a":2}', 'a')
SELECT json_extract('{bad', 'a')
SELECT max(x, 2), min(x, 2), max(x, 9), min(x, 1) FROM (VALUES (1), (NULL), (3), (2), (3)) AS t(x)
SELECT g, max(x, 2), min(s, 2) FROM (VALUES (1, 5, 'b'), (2, 6, 'a'), (1, 7, 'c'), (1, NULL, NULL), (2, NULL, 'a'), (3, NULL, NULL)) AS t(g, x, s) GROUP BY g ORDER BY g
SELECT max(x, 2) AS m FROM (VALUES (1)) AS t(x) WHERE x > 5
SELECT max(x, 0) FROM (VALUES (1)) AS t(x)
SELECT max(x, NULL) FROM (VALUES (1)) AS t(x)
SELECT arg_max(a, b, 2), arg_min(a, b, 2), arg_max(a, b), arg_max_null(a, b), arg_min_null(a, b) FROM (VALUES (NULL, 5), (1, 4), (2, NULL), (3, 3), (4, 2)) AS t(a, b)
SELECT arg_max(s, d, 2), arg_min(d, s), arg_max(l, s) FROM (VALUES ('a', DATE '2024-01-01', [1]), ('b', DATE '2024-01-03', [2]), ('c', DATE '2024-01-02', [3])) AS t(s, d, l)
SELECT x, max(x, 2) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), arg_max(x, -x, 1) OVER (ORDER BY x), histogram(x) OVER (ORDER BY x) FROM (VALUES (1), (2), (3)) AS t(x) ORDER BY x
SELECT max(DISTINCT x, 2), max(x, 2) FILTER (WHERE x < 3) FROM (VALUES (1), (3), (3), (2)) AS t(x)
SELECT list_aggregate([1, 2, 3], 'max', 2), list_aggregate([1, 2, 3], 'quantile_cont', [0.5]), list_histogram([1, 1, 3])
SELECT histogram(x), histogram(s), histogram(DISTINCT x) FROM (VALUES (3, 'a'), (NULL, 'b'), (1, 'a'), (3, NULL)) AS t(x, s)
SELECT g, histogram(x) FROM (VALUES (1, 5), (2, 6), (1, 5), (1, NULL), (3, NULL)) AS t(g, x) GROUP BY g ORDER BY g
SELECT histogram(x) FROM (VALUES (3)) AS t(x) WHERE x > 5
SELECT histogram(x::BIGINT, [1, 2, 3]), histogram(x::BIGINT, [3, 1, 9]), histogram_exact(x::BIGINT, [1, 2]) FROM (VALUES (3), (NULL), (1), (3), (7), (0), (2)) AS t(x)
SELECT histogram(s, ['b', 'd']), histogram_exact(s, ['c']), histogram(x, [3.5, 10.5]) FROM (VALUES ('a', 1), ('c', 2), ('z', 4)) AS t(s, x)
SELECT histogram(x, NULL) FROM (VALUES (1)) AS t(x)
SELECT histogram(x, [1, NULL]) FROM (VALUES (1)) AS t(x)
SELECT quantile_cont(x, [0.5, 0.25]), quantile_disc(x, [0.5, 0.25]), quantile(x, [0.1, 1.0]), quantile_cont(x, []) FROM (VALUES (1), (2), (2), (3), (NULL)) AS t(x)
SELECT g, quantile_disc(s, [0.5, 1]), quantile_cont(x, [0, 0.75, 1]) FROM (VALUES (1, 'b', 2), (1, 'a', 5), (2, 'c', 6), (3, NULL, NULL)) AS t(g, s, x) GROUP BY g ORDER BY g
SELECT quantile_disc(d, 0.5), quantile_disc(d, [0.0, 1.0]), typeof(quantile_disc(d, 0.5)), typeof(arg_max(d, d)), typeof(arg_min(d, d)) FROM (VALUES (DATE '2024-01-01'), (DATE '2024-01-05')) AS t(d)
SELECT quantile_cont(x, [0.5, 2.0]) FROM (VALUES (1)) AS t(x)
SELECT approx_top_k(x, 2) FROM (VALUES (1), (2), (2), (3), (3), (3), (NULL), (NULL), (NULL), (NULL)) AS t(x)
SELECT json_group_array(x), json_group_object(s, x) FROM (VALUES (1, 'a'), (NULL, 'b'), (2, 'c')) AS t(x, s)
SELECT json_group_array(x) FROM (VALUES (1)) AS t(x) WHERE x > 5
SELECT list_zip([1, 2], ['a', 'b', 'c']), list_zip([1, 2], ['a', 'b', 'c'], true), list_zip([1], [2], [3]), list_zip([1, 2]), array_zip([1], NULL), list_zip([], [1])
SELECT list_zip()
SELECT unnest(list_zip([1, 2], ['a', 'b']))
SELECT list_dot_product([1.0, 2.0], [3.0, 4.0]), list_inner_product([1, 2], [3, 4]), list_distance([1, 2], [3, 4]), list_cosine_similarity([1.0, 2.0], [3.0, 4.0]), list_cosine_distance([1.0, 2.0], [3.0, 4.0]), list_negative_inner_product([1.0], [2.0]), list_dot_product([], []), list_dot_product(NULL, [1.0])
SELECT list_dot_product([1.0], [3.0, 4.0])
SELECT list_dot_product([1.0, NULL], [3.0, 4.0])
SELECT struct_insert({'a': 1}, b := 2, c := 'x'), struct_update({'a': 1, 'b': 2}, b := 'q'), struct_update({'a': 1}, c := 2), struct_concat({'a': 1}, {'b': 2}), struct_concat(row(1), row('x'))
SELECT struct_insert(s, c := s.a + 1), struct_update(s, a := 'x'), struct_keys(s), struct_values(s), struct_extract_at(s, 1) FROM (VALUES ({'a': 1, 'B': 'y'}), ({'a': NULL, 'B': 'z'}), (NULL)) AS t(s)
SELECT struct_insert({'a': 1}, a := 2)
SELECT struct_concat(row(1), {'a': 2})
SELECT map_contains_entry(MAP {'a': 1}, 'a', 1), map_contains_entry(MAP {'a': 1}, 'b', 1), map_contains_value(MAP {'a': 1}, 1), map_contains_value(MAP {'a': 1}, 2)
SELECT json_array(1, NULL, [1, 2], {'a': 1}, 'x', DATE '2024-01-01'), json_array(), json_object(), json_object('a', NULL, 'b', [1]), json_quote('a"b'), array_to_json([1, NULL]), row_to_json({'a': NULL})
SELECT json_object(1, 2)
SELECT json_exists('{"a":null}', '$.a'), json_exists('{"a":1}', '$.b'), json_exists('[1]', '$[3]'), json_value('{"a":{"b":1}}', '$.a'), json_value('{"a":"x"}', '$.a'), json_value('{"a":null}', '$.a'), json_value('{"a":true}', '$.a'), json_value('[7]', 0)
SELECT overlay('abc', 'x', 2), overlay('abcdef', 'x', 2, 3), overlay('abc', 'x', 0), overlay('abc', 'x', 10), overlay('abc', 'xyz', -1), overlay('abcdef', 'x', 3, 0), overlay('abcdef', 'x', 3, -1), overlay('äöü', 'x', 2, 1)
SELECT parse_path('/a/b/c.txt'), parse_path(''), parse_path('a//b/'), parse_path('C:\a\b'), CAST(from_binary('0110') AS VARCHAR), hex(from_binary('111100001')), hex(unbin('')), from_binary('1') = '\x01'::BLOB
SELECT from_binary('2')
SELECT list_prepend(1, [2]), array_prepend(1, [2]), length(current_localtime()::VARCHAR) > 7
