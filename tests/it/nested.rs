//! Lists and structures through a whole session: results, files, limits. `tests/oracle/nested.sql`
//! is compared with DuckDB.

use std::time::Duration;

use dumpql::output::{FileFormat, Sheet, write};
use dumpql::{Code, Session, Ty, Value};

fn session() -> Session {
    Session::sample().unwrap()
}

fn text(sql: &str) -> String {
    let result =
        session().query(sql).unwrap_or_else(|e| panic!("{sql}: {}", e.render(None, false)));
    let cell = |row, col| match result.value(row, col) {
        Value::Null => "NULL".to_owned(),
        _ => result.text(row, col),
    };
    let columns = result.fields().len();
    let line = |row| (0..columns).map(|col| cell(row, col)).collect::<Vec<_>>().join(" | ");
    (0..result.len()).map(line).collect::<Vec<_>>().join("\n")
}

fn code(sql: &str) -> Option<Code> {
    session().query(sql).err().map(|error| error.code())
}

fn file(sql: &str, format: FileFormat) -> Vec<u8> {
    let result = session().query(sql).unwrap();
    let mut out = Vec::new();
    write(format, &[Sheet::new("q", sql, &result)], &[], &mut out).unwrap();
    out
}

/// A row with every kind of list and structure.
const ALL_TYPES: &str = "SELECT [1, NULL] AS ints, ['a', 'it''s', NULL] AS texts, [0x10, 0xfffff80000000000] AS addresses,
    [TIMESTAMP '2024-05-01 12:00:00'] AS times, [INTERVAL '90s'] AS spans, [1.5, 'nan'::DOUBLE] AS doubles,
    {'a': 1, 'b': [true], 'c': NULL} AS s, row(1, 'x') AS r, [] AS empty, NULL::INTEGER[] AS nothing";

#[test]
fn every_format_shows_lists_and_structures() {
    let csv = String::from_utf8(file(ALL_TYPES, FileFormat::Csv)).unwrap();
    assert_eq!(
        csv.lines().nth(1).unwrap(),
        "\"[1, NULL]\",\"[a, 'it\\'s', NULL]\",\"[0x00000010, 0xfffff80000000000]\",[2024-05-01 12:00:00],\
         [00:01:30],\"[1.5, nan]\",\"{'a': 1, 'b': [true], 'c': NULL}\",\"(1, x)\",[],"
    );
    let json: serde_json::Value =
        serde_json::from_slice(&file(ALL_TYPES, FileFormat::Json)).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "ints": [1, null], "texts": ["a", "it's", null],
            "addresses": ["0x00000010", "0xfffff80000000000"],
            "times": ["2024-05-01T12:00:00Z"], "spans": ["00:01:30"], "doubles": [1.5, "nan"],
            "s": {"a": 1, "b": [true], "c": null}, "r": [1, "x"], "empty": [], "nothing": null
        }])
    );
    let hostile = "SELECT ['<b>|x</b>', E'\\x1b[31m'] AS l";
    let html = String::from_utf8(file(hostile, FileFormat::Html)).unwrap();
    assert!(html.contains("&lt;b&gt;|x&lt;/b&gt;") && !html.contains("<b>|x"));
    let markdown = String::from_utf8(file(hostile, FileFormat::Markdown)).unwrap();
    assert!(markdown.contains("&lt;b&gt;\\|x") && !markdown.contains('\u{1b}'));
    let excel = String::from_utf8(file("SELECT ['=cmd|x'] AS l", FileFormat::ExcelCsv)).unwrap();
    assert!(
        excel.ends_with("\r\n['=cmd|x']\r\n") || excel.ends_with("\r\n[=cmd|x]\r\n"),
        "{excel}"
    );
    for format in [FileFormat::Xlsx, FileFormat::Parquet, FileFormat::Tsv, FileFormat::JsonLines] {
        assert!(!file(ALL_TYPES, format).is_empty());
    }
}

#[test]
fn programs_read_elements() {
    let session = session();
    let result =
        session.query("SELECT [[1, 2], NULL, []] AS l, {'a': 'x', 'b': 0x10} AS s").unwrap();
    assert_eq!(result.fields()[0].ty.name(), "INTEGER[][]");
    let list = result.value(0, 0);
    let rows: Vec<Value<'_>> = list.as_nested().unwrap().values().collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[0].as_nested().unwrap().values().collect::<Vec<_>>(),
        [Value::Int(1), Value::Int(2)]
    );
    assert_eq!(rows[1], Value::Null);
    assert!(rows[2].as_nested().unwrap().is_empty());
    let Ty::Struct(of) = result.fields()[1].ty else { panic!("a structure") };
    assert_eq!(of.fields(), [("a", Ty::Text), ("b", Ty::Addr)]);
    let value = result.value(0, 1);
    let values: Vec<Value<'_>> = value.as_nested().unwrap().values().collect();
    assert_eq!(values, [Value::text("x"), Value::Addr(16)]);
    let frame = result.to_data_frame().unwrap();
    assert_eq!(frame.column("l").unwrap().str().unwrap().get(0), Some("[[1, 2], NULL, []]"));
}

#[test]
fn list_functions_and_unnest() {
    for (sql, expected) in [
        // Features that DuckDB does not have: addresses, and hex that stays hex.
        ("SELECT [0x10, 5]", "[0x00000010, 0x00000005]"),
        ("SELECT list_contains([0x10], 16), 16 IN [0x10, 0x20]", "true | true"),
        ("SELECT [1, 2.5], [1, NULL], [NULL]", "[1.0, 2.5] | [1, NULL] | [NULL]"),
        (
            "SELECT typeof([]), typeof([NULL]), typeof(row(1, 'x'))",
            "NULL[] | NULL[] | TUPLE(INTEGER, VARCHAR)",
        ),
        ("SELECT typeof(l) FROM (SELECT [] AS l)", "INTEGER[]"),
        (
            "SELECT list_transform([1, 2], x -> x + 1), list_reduce([1, 2, 3], (a, b) -> a - b)",
            "[2, 3] | -4",
        ),
        ("SELECT list_position([1, NULL], NULL), list_concat(NULL, NULL)", "2 | NULL"),
        ("SELECT [1, 2] AS l GROUP BY ALL", "[1, 2]"),
        (
            "SELECT list_transform(l, x -> x + 1) FROM (VALUES ([1])) AS t(l) GROUP BY list_transform(l, y -> y + 1)",
            "[2]",
        ),
        ("SELECT count(*) FROM (VALUES (1), (2)) AS t(a) WHERE a IN [2, 3]", "1"),
        ("SELECT TRY(list_reduce([1], (a, b) -> a)), TRY([1, 2][1] // 0)", "1 | NULL"),
        (
            "WITH RECURSIVE p AS (SELECT [1] AS l UNION ALL SELECT list_append(l, len(l) + 1) FROM p WHERE len(l) < 3) SELECT max(l) FROM p",
            "[1, 2, 3]",
        ),
        (
            "SELECT position('b' IN 'abc'), position('b' IN name) FROM (VALUES ('ab')) AS t(name)",
            "2 | 2",
        ),
        ("SELECT x FROM range(2) AS t(x)", "0\n1"),
        ("SELECT u.x FROM (SELECT unnest([3, 4]) AS x) AS u WHERE u.x > 3", "4"),
    ] {
        assert_eq!(text(sql), expected, "{sql}");
    }
}

#[test]
fn equal_stacks_are_one_group() {
    // Threads grouped by their stacks as lists, and by the same symbols joined to one text.
    let groups = |key: &str| {
        let sql = format!(
            "SELECT n, count(*) AS stacks FROM (SELECT count(*) AS n FROM \
             (SELECT ethread, {key} AS stack FROM stacks GROUP BY ethread) GROUP BY stack) \
             GROUP BY n ORDER BY n"
        );
        text(&sql)
    };
    let lists = groups("list(symbol ORDER BY frame)");
    assert!(!lists.is_empty());
    assert_eq!(lists, groups("string_agg(coalesce(symbol, '?'), E'\\n' ORDER BY frame)"));
}

#[test]
fn errors_of_nested_types() {
    for (sql, expected) in [
        ("SELECT [1, 'x']", Code::Conversion),
        ("SELECT {'a': 1}.b", Code::UnknownColumn),
        ("SELECT list_transform([1], 2)", Code::BadArguments),
        ("SELECT list_transform([1], (a, b, c) -> a)", Code::BadArguments),
        ("SELECT list_transform([1], x -> (SELECT 1))", Code::Unsupported),
        ("SELECT list_transform([1], x -> sum(x))", Code::Grouping),
        ("SELECT list_filter([1], x -> x)", Code::TypeMismatch),
        ("SELECT list_reduce([]::INTEGER[], (a, b) -> a)", Code::Conversion),
        ("SELECT list_nonsense([1])", Code::UnknownFunction),
        ("SELECT 1 WHERE unnest([true])", Code::BadQuery),
        ("SELECT unnest(1)", Code::BadArguments),
        ("SELECT x FROM (SELECT 1 AS x) WHERE x IN x", Code::BadArguments),
        ("SELECT [1] || 2", Code::TypeMismatch),
        ("SELECT sum([1])", Code::BadArguments),
        ("SELECT 'x'::INTEGER[]", Code::Conversion),
        ("SELECT 1::WORD[]", Code::TypeMismatch),
    ] {
        assert_eq!(code(sql), Some(expected), "{sql}");
    }
    let deep = format!("SELECT {}1{}", "[".repeat(17), "]".repeat(17));
    assert_eq!(code(&deep), Some(Code::TooDeep));
    assert_eq!(
        text(&format!("SELECT {}1{}", "[".repeat(16), "]".repeat(16))),
        format!("{}1{}", "[".repeat(16), "]".repeat(16))
    );
}

#[test]
fn lists_count_as_memory() {
    let session = session();
    for sql in [
        "SELECT range(4000000)",
        "SELECT list(x) FROM range(3000000) AS t(x)",
        "SELECT sum(len(list_transform(range(x), y -> y + 1000000))) FROM range(3000) AS t(x)",
        "SELECT count(*) FROM (SELECT unnest(range(2000)) AS x FROM range(2000))",
    ] {
        let error = session.prepare(sql).unwrap().memory(4 << 20).run().unwrap_err();
        assert_eq!(error.code(), Code::Limit, "{sql}");
    }
}

#[test]
fn work_on_lists_ends_when_it_is_cancelled() {
    let session = session();
    let endless = [
        "SELECT list_reduce(range(10000000), (a, b) -> a + b % 3)",
        "SELECT sum(len(list_sort(range(x % 3 + 1000)))) FROM range(100000000) AS t(x)",
        "SELECT list_sum(list_transform(range(10000000), x -> list_sum(range(x % 1000))))",
    ];
    for sql in endless {
        let query =
            session.prepare(sql).unwrap().memory(8 << 30).timeout(Duration::from_millis(300));
        let code = query.run().unwrap_err().code();
        assert_eq!(code, Code::Deadline, "{sql}");
    }
}
