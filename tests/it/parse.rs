//! The parser on files: `tests/parse/ok/*.sql` with the canonical text in the files next to them,
//! `tests/parse/err/*.sql` with the rendered error, and random edits of all of them.
//!
//! `UPDATE_EXPECT=1` rewrites the expectations.

use std::fs;
use std::path::{Path, PathBuf};

use dumpql::internals::diag::render_text;
use dumpql::internals::lang::{self, TokenKind as K};

use crate::watchdog::watch;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The files of a folder in order, with their texts.
fn cases(folder: &str) -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// Compares with the file beside the case; all differences are reported at once.
fn compare(results: Vec<(PathBuf, String)>) {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for (path, found) in results {
        let file = path.with_extension("txt");
        if update {
            fs::write(&file, &found).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n") != found {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files in `ok` have one query per line, so that a file covers one feature.
#[test]
fn valid_queries_parse() {
    let mut results = Vec::new();
    let mut count = 0;
    for (path, text) in cases("tests/parse/ok") {
        let statements = lang::parse(&text).unwrap_or_else(|d| {
            panic!("{}\n{}", path.display(), render_text(&d, &text, None, false))
        });
        count += statements.len();
        let printed = lang::format(&statements);
        let again = lang::parse(&printed)
            .unwrap_or_else(|d| panic!("{}", render_text(&d, &printed, None, false)));
        assert_eq!(lang::format(&again), printed, "{}", path.display());
        assert_eq!(spanless(&again), spanless(&statements), "{}", path.display());
        results.push((path, printed));
    }
    assert!(count >= 60, "{count} statements");
    compare(results);
}

/// The files in `err` have one query per line, and blank lines are ignored; `\n` stands for a line
/// end within a query.
#[test]
fn invalid_queries_get_an_explanation() {
    let mut results = Vec::new();
    let mut count = 0;
    for (path, text) in cases("tests/parse/err") {
        let mut all = String::new();
        for query in text.lines().filter(|line| !line.is_empty()) {
            let query = query.replace("\\n", "\n");
            let found = lang::parse(&query).expect_err(&query);
            all = all + &render_text(&found, &query, None, false) + "\n\n";
            count += 1;
        }
        results.push((path, all));
    }
    assert!(count >= 40, "{count} queries");
    compare(results);
}

/// The tree without its spans.
pub(crate) fn spanless(statements: &[lang::ast::Statement]) -> String {
    let text = format!("{statements:?}");
    let mut parts = text.split("Span { start: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    out
}

/// Pseudo-random numbers, the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % below.max(1)
    }
}

/// A few edits of a text: tokens are dropped, duplicated, swapped or inserted from another text, or
/// bytes are changed.
fn edited(text: &str, other: &str, dice: &mut Dice) -> String {
    const BITS: [&str; 24] = [
        "(",
        ")",
        ",",
        ";",
        "'",
        "\"",
        "/*",
        "*/",
        "--",
        "`",
        "!",
        "$",
        "0x",
        "E'\\",
        "CASE ",
        " NOT ",
        " BETWEEN ",
        "::",
        "\u{0}",
        "\u{202e}",
        "é",
        "((((((((",
        "SELECT ",
        "1e",
    ];
    let mut text = text.to_owned();
    for _ in 0..=dice.roll(3) {
        let tokens = lang::tokens(&text);
        if tokens.is_empty() {
            return BITS[dice.roll(BITS.len())].to_owned();
        }
        let span = tokens[dice.roll(tokens.len())].span;
        let (start, end) = (span.start as usize, span.end as usize);
        match dice.roll(6) {
            0 => text.replace_range(start..end, ""),
            1 => {
                let token = text[start..end].to_owned();
                text.insert_str(end, &token);
            }
            2 => text.insert_str(start, BITS[dice.roll(BITS.len())]),
            3 => {
                let theirs = lang::tokens(other);
                let theirs = theirs[dice.roll(theirs.len())].text(other);
                text.replace_range(start..end, theirs);
            }
            4 => text.truncate(start),
            _ => {
                let mut bytes = text.into_bytes();
                let at = dice.roll(bytes.len());
                bytes[at] ^= 1 << dice.roll(8);
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
    }
    text
}

#[test]
fn random_edits_neither_panic_nor_hang() {
    let texts: Vec<String> = ["tests/parse/ok", "tests/parse/err", "queries"]
        .into_iter()
        .flat_map(cases)
        .map(|(_, text)| text)
        .filter(|text| !text.trim().is_empty())
        .collect();
    let mut dice = Dice(0x00D0_3B41);
    for round in 0..10_000 {
        // Files have many lines; one line or the whole file is edited.
        let whole = &texts[dice.roll(texts.len())];
        let lines: Vec<&str> = whole.lines().filter(|line| !line.trim().is_empty()).collect();
        let text = if round % 8 == 0 { whole } else { lines[dice.roll(lines.len())] };
        let other = &texts[dice.roll(texts.len())];
        let text = edited(text, other, &mut dice);
        let _watched = watch(text.as_str());
        match lang::parse(&text) {
            Ok(statements) => {
                let printed = lang::format(&statements);
                let again = lang::parse(&printed).unwrap_or_else(|d| {
                    panic!("{text}\n{}", render_text(&d, &printed, None, false))
                });
                assert_eq!(spanless(&again), spanless(&statements), "{text}\n{printed}");
            }
            Err(found) => {
                let shown = render_text(&found, &text, None, false);
                assert_ne!(found.code, dumpql::internals::diag::Code::Internal, "{text}\n{shown}");
            }
        }
        let _ = lang::is_complete(&text);
    }
}

#[test]
fn hostile_texts_end_quickly_with_an_error_or_a_tree() {
    let repeat = |text: &str, count: usize| text.repeat(count);
    let nested = |open: &str, inner: &str, close: &str, count: usize| {
        format!("SELECT {}{inner}{}", repeat(open, count), repeat(close, count))
    };
    for (text, parses) in [
        (nested("(", "1", ")", 120), true),
        (nested("(", "1", ")", 100_000), false),
        (nested("(SELECT ", "1", ")", 120), true),
        (nested("CAST(", "1", ")", 120), false),
        (nested("position(", "1", ")", 120), true),
        (nested("f(x IN (", "1", ")", 120), false),
        (nested("EXISTS (", "1", ")", 120), false),
        (nested("CASE WHEN a THEN ", "1", " END", 120), true),
        (nested("CASE WHEN a THEN ", "1", "", 120), false),
        (nested("sum(x) OVER (ROWS (", "1", ") PRECEDING)", 60), true),
        (nested("NOT ", "a", "", 100_000), false),
        (nested("- ", "1", "", 100_000), false),
        (nested("@ ", "1", "", 100_000), false),
        (nested("1 ^ ", "1", "", 50_000), false),
        (nested("1 = ANY (SELECT ", "1", ")", 120), true),
        (format!("SELECT 'a'{}", repeat(".upper()", 50_000)), false),
        (format!("FROM t {}", repeat("|> WHERE a ", 50_000)), false),
        (nested("a + NOT ", "1", "", 50_000), false),
        (nested("1 + ", "1", "", 50_000), false),
        (nested("", "1", "::INT", 50_000), false),
        (nested("a = 1 OR ", "b", "", 20_000), true),
        (nested("f(", "", "", 50_000), false),
        (format!("SELECT 1 {}", repeat("UNION ALL SELECT 1 ", 50_000)), false),
        (format!("FROM t {}", repeat("CROSS JOIN t ", 50_000)), false),
        (format!("FROM {}t{}", repeat("(", 120), repeat(")", 120)), true),
        (format!("SELECT a IN ({})", repeat("1, ", 50_000)), true),
        (format!("{}{}", repeat("/*", 50_000), repeat("*/", 50_000)), false),
        (repeat("/*", 50_000), false),
        (repeat(";", 50_000), true),
        (repeat("SELECT 1;", 5_000), true),
        (repeat("\u{0}", 50_000), false),
        (repeat("a ", 3 << 20), false),
    ] {
        let head: String = text.chars().take(60).collect();
        let _watched = watch(head.as_str());
        let result = lang::parse(&text);
        assert_eq!(result.is_ok(), parses, "{head}: {:?}", result.err());
    }
}

#[test]
fn a_complete_text_ends_with_a_semicolon_outside_of_quotes() {
    for (text, complete) in [
        ("", false),
        ("SELECT 1", false),
        ("SELECT 1;", true),
        ("SELECT 1; -- done", true),
        ("SELECT 1; /* not", false),
        ("SELECT ';", false),
        ("SELECT ';';", true),
        ("SELECT \";\" ;", true),
        ("SELECT (1;", false),
        ("SELECT 1); ", true),
        ("SELECT 1; SELECT 2", false),
        ("-- ;", false),
        ("SELECT E'\\';", false),
        ("SELECT E'\\'';", true),
        ("sélect 'ü';\u{a0}", true),
    ] {
        assert_eq!(lang::is_complete(text), complete, "{text}");
    }
}

#[test]
fn tokens_cover_any_text_in_order() {
    let text = "SELECT nt!Ki::Foo, fffff801`a972c530, 0x1F, 1.5e3, 64KB, \"a\"\"b\", 'x', $p, \
                a<>b, \u{200b}é_1 -- end\n/* open";
    let kinds: Vec<K> = lang::tokens(text).iter().map(|t| t.kind).collect();
    let expected = [
        K::Keyword,
        K::Symbol,
        K::Comma,
        K::Address,
        K::Comma,
        K::Address,
        K::Comma,
        K::Number,
        K::Comma,
        K::Number,
        K::Comma,
        K::QuotedName,
        K::Comma,
        K::Text,
        K::Comma,
        K::Parameter,
        K::Comma,
        K::Name,
        K::Operator,
        K::Name,
        K::Comma,
        K::Unknown,
        K::Name,
        K::Comment,
        K::Unclosed,
    ];
    assert_eq!(kinds, expected);
    let mut end = 0;
    for token in lang::tokens(text) {
        assert!(token.span.start >= end && token.span.end > token.span.start);
        end = token.span.end;
        assert!(!token.text(text).is_empty());
    }
}
