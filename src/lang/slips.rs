//! Common mistakes, recognised by the tokens around the position where parsing failed.

mod order;

use super::error::{FailedAt, quoted};
use super::expected::Expected;
use super::keywords;
use super::lexer::TokenKind;
use crate::diag::{Code, Diagnostic};
use order::{clause_order, missing_part, misspelt, reserved};

/// Clauses of a select in their order.
const CLAUSES: &[&str] =
    &["FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET"];

/// Known SQL that is not supported, with the alternative.
const ABSENT: &[(&str, &str)] = &[
    ("INTO", "queries are read-only; results are saved with -o, or .output in the REPL"),
    ("OPERATOR", "write the operator itself"),
    ("RETURNING", "queries are read-only"),
    ("TOP", "write LIMIT n at the end of the query"),
];

/// Mistakes with a message of their own.
pub(super) fn explain(place: &FailedAt<'_>, expected: &Expected) -> Option<Diagnostic> {
    pipe(place)
        .or_else(|| word_operator(place))
        .or_else(|| mark(place))
        .or_else(|| number(place))
        .or_else(|| parenthesis(place))
        .or_else(|| absent(place))
        .or_else(|| clause_order(place))
        .or_else(|| missing_part(place, expected))
}

/// Adds help to the general message "found …, expected …".
pub(super) fn hint(place: &FailedAt<'_>, expected: &Expected, mut found: Diagnostic) -> Diagnostic {
    if let (true, Some(open)) = (expected.close, place.open.last().and_then(|&i| place.at(i))) {
        found = found.also(open.span, "opened here");
    }
    if let Some(help) = misspelt(place, expected).or_else(|| wrong_operator(place)) {
        return found.help(help);
    }
    if let Some(help) = reserved(place, expected) {
        return found.help(help);
    }
    if let Some(help) = nearby(place, expected) {
        return found.help(help);
    }
    let begins = place.kind(0).is_some_and(begins_operand);
    if begins && expected.comma && expected.operator {
        return found.help(format!("expressions are separated by `,`: … , {} …", place.word(0)));
    }
    if place.is_end() && expected.keywords().contains(&"END") {
        return found.help("each CASE ends with END");
    }
    found
}

/// Help based on the words directly before and after.
fn nearby(place: &FailedAt<'_>, expected: &Expected) -> Option<&'static str> {
    let before = |word: &str| place.is(-1, word);
    let query = ["SELECT", "FROM", "WITH", "VALUES"].iter().any(|w| place.is(0, w));
    let cut_short = keywords::is_reserved(place.word(-1));
    Some(match place.word(-2) {
        "." if cut_short => "a name is missing after the dot",
        word if word.eq_ignore_ascii_case("AS") && cut_short => "a name is missing after AS",
        _ if place.word_at(place.start).eq_ignore_ascii_case("SHOW") => {
            "write DESCRIBE threads for the columns of a table; SHOW TABLES, SHOW FUNCTIONS or SHOW SETTINGS"
        }
        _ if before("IS") => "IS takes NULL, TRUE, FALSE or DISTINCT FROM; compare values with =",
        _ if before("IN") => "write a list in parentheses: IN ('a', 'b')",
        _ if before("EXISTS") && query => "write EXISTS (SELECT …)",
        _ if query && (before("AS") || place.is(-2, "WITH")) => "write WITH name AS (SELECT …)",
        _ if query && expected.expression => "write a query within an expression in parentheses",
        _ if place.is(0, "SELECT") && expected.end => {
            "statements are separated by `;`; in FROM … SELECT …, SELECT comes before WHERE"
        }
        _ if expected.keywords().contains(&"ON") => {
            "write ON condition or USING (column); CROSS JOIN makes every pair"
        }
        _ if place.is(0, "(") && (place.is(-2, "::") || place.is(-2, "AS")) => {
            "types take no length or precision: VARCHAR, INTEGER, DOUBLE"
        }
        _ if place.is(0, ",") && expected.keywords().contains(&"AS") => "write CAST(value AS type)",
        _ if place.is(0, ",") && expected.keywords().contains(&"AND") => {
            "write BETWEEN low AND high"
        }
        _ if place.is(0, ",") && place.is(-2, "LIMIT") => "write LIMIT rows OFFSET skipped",
        _ => return command(place),
    })
}

/// The syntax of the statement that a word starts.
fn command(place: &FailedAt<'_>) -> Option<&'static str> {
    Some(match place.word_at(place.start).to_ascii_uppercase().as_str() {
        "COPY" if place.is(0, "FROM") => {
            "the rows of a file are read with CREATE TABLE name AS FROM 'file.csv'"
        }
        "COPY" => "write COPY (SELECT …) TO 'file.csv'",
        "CREATE" if place.open.is_empty() => {
            "write CREATE VIEW name AS SELECT …, CREATE TABLE name AS SELECT …, or CREATE MACRO name(a) AS a + 1"
        }
        "CREATE" if place.word_at(place.start + 1).eq_ignore_ascii_case("TABLE") => {
            "a table is created from a query: CREATE TABLE name AS SELECT …"
        }
        "DROP" => "write DROP VIEW name, DROP TABLE name or DROP MACRO name",
        "EXECUTE" => "write EXECUTE name(value, …)",
        "PREPARE" => "write PREPARE name AS SELECT … WHERE x > ?",
        "SET" => "write SET name = value; SHOW SETTINGS lists the settings",
        _ => return None,
    })
}

fn begins_operand(kind: TokenKind) -> bool {
    use TokenKind::{Address, Name, Number, Parameter, QuotedName, Symbol, Text};
    matches!(kind, Address | Name | Number | Parameter | QuotedName | Symbol | Text)
}

/// Operators of KQL, sorted, with the equivalent steps of this language.
const STEPS: &[(&str, &str)] = &[
    ("COUNT", "|> AGGREGATE count(*)"),
    ("FILTER", "|> WHERE condition"),
    ("GROUP", "|> AGGREGATE count(*) GROUP BY key"),
    ("HAVING", "|> WHERE condition, after AGGREGATE"),
    ("MV", "|> JOIN a table function"),
    ("PROJECT", "|> SELECT columns"),
    ("SORT", "|> ORDER BY key DESC"),
    ("SUMMARIZE", "|> AGGREGATE count(*) AS n GROUP BY key"),
    ("TAKE", "|> LIMIT 10"),
    ("TOP", "|> ORDER BY key DESC |> LIMIT 10"),
];

/// Steps with the same name as in KQL.
const SAME_STEPS: &[&str] =
    &["AS", "DISTINCT", "EXTEND", "JOIN", "LIMIT", "ORDER", "UNION", "WHERE"];

/// `| where`, and KQL operators with other names.
fn pipe(place: &FailedAt<'_>) -> Option<Diagnostic> {
    let step = |offset: isize| {
        let word = place.word(offset).to_ascii_uppercase();
        let renamed = STEPS.iter().find(|(name, _)| *name == word).map(|(_, step)| *step);
        let same = SAME_STEPS.iter().find(|name| **name == word).map(|name| format!("|> {name} …"));
        renamed.map(str::to_owned).or(same)
    };
    for (bar, word) in [(0, 1), (-1, 0)] {
        let Some(step) = step(word).filter(|_| place.is(bar, "|")) else { continue };
        let span = place.token(bar).map(|t| t.span).unwrap_or_default();
        return Some(
            Diagnostic::at(Code::Syntax, span, "found `|`, expected `|>`")
                .help(format!("write {step}")),
        );
    }
    let step = step(0).filter(|_| place.is(-1, "|>"))?;
    let message = format!("found {}, expected a step", place.found());
    Some(Diagnostic::at(Code::Syntax, place.span(), message).help(format!("write {step}")))
}

/// `name REGEXP 'x'`, `name has 'x'`: words that are operators in other languages.
fn word_operator(place: &FailedAt<'_>) -> Option<Diagnostic> {
    let help = match place.word(0).to_ascii_uppercase().as_str() {
        "REGEXP" | "RLIKE" | "MATCHES" => "write name ~ 'pattern'",
        "CONTAINS" | "HAS" => "write contains(name, 'part'), or name ILIKE '%part%'",
        "STARTSWITH" | "STARTING" => "write starts_with(name, 'start'), or name LIKE 'start%'",
        "ENDSWITH" => "write ends_with(name, 'end'), or name LIKE '%end'",
        _ => return None,
    };
    if place.kind(1) != Some(TokenKind::Text) {
        return None;
    }
    let message = format!("found {}, which is not an operator", quoted(place.word(0)));
    Some(Diagnostic::at(Code::Syntax, place.span(), message).help(help))
}

/// Help for a statement whose first word is a debugger command or a KQL operator.
pub(super) fn other_language(place: &FailedAt<'_>) -> Option<String> {
    const COMMANDS: [&str; 18] = [
        "da",
        "dds",
        "dps",
        "dq",
        "dqs",
        "ds",
        "dt",
        "du",
        "k",
        "kb",
        "kp",
        "kv",
        "lm",
        "ln",
        "r",
        "u",
        "uf",
        "vertarget",
    ];
    let word = place.word(0);
    if matches!(word.chars().next(), Some('!' | '.' | '~')) {
        return Some(
            "commands of a debugger are queries of the library: dumpql FILE -q '!irpfind'; SHOW TABLES names the table of each"
                .to_owned(),
        );
    }
    if word.eq_ignore_ascii_case("dx") {
        return Some("what dx shows are tables: FROM processes |> WHERE …".to_owned());
    }
    if COMMANDS.iter().any(|command| command.eq_ignore_ascii_case(word)) {
        return Some(format!(
            "commands of a debugger are queries of the library: dumpql FILE -q {word}; SHOW TABLES names the table of each"
        ));
    }
    if ["db", "dd", "dw"].iter().any(|command| command.eq_ignore_ascii_case(word)) {
        return Some(
            "memory is shown by FROM words(0xfffff80000000000, 16), or SELECT hex(address, n)"
                .to_owned(),
        );
    }
    place.is(1, "|").then(|| format!("a query begins with FROM: FROM {word} |> WHERE …"))
}

/// A character that starts no token of the language, or is used in another way.
fn mark(place: &FailedAt<'_>) -> Option<Diagnostic> {
    let word = place.word(0);
    if place.is(-1, "#") || word == "#" {
        let span = place.token(if word == "#" { 0 } else { -1 }).map(|t| t.span);
        let message = "found `#`, which begins no name";
        return Some(
            Diagnostic::at(Code::Syntax, span.unwrap_or_default(), message)
                .help("temporary tables have plain names: CREATE TEMP TABLE tmp AS …")
                .help("comments begin with --; #1 is the first column of FROM"),
        );
    }
    let (message, help) = match word.chars().next()? {
        '‘' | '’' | '“' | '”' | '«' | '»' => (
            "found a curly quote, expected a straight one",
            "write 'text' for text and \"name\" for names",
        ),
        '`' => ("found a back-tick outside an address", BACK_TICK),
        '[' | '{' => ("a list or a structure is not allowed here", SQUARE),
        '!' => (
            "found `!`, which is not an operator",
            "write NOT before a condition, <> between values",
        ),
        '$' => ("found `$` without a name", "write $name for a parameter"),
        ':' if place.kind(1) == Some(TokenKind::Name) => {
            ("found `:`, which begins nothing", "write $name for a parameter")
        }
        '&' if place.is(1, "&") => ("found `&&`, which is not an operator", "write AND"),
        '-' if word == "->" => {
            ("found `->`, which is not an operator", "columns of a table: t.column")
        }
        '@' => (
            "found `@`, which begins nothing",
            "write $name for a parameter; what dx shows are tables: FROM processes",
        ),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' => {
            ("found a character that cannot be seen", "delete it and type the blank anew")
        }
        '–' | '—' | '−' => {
            ("found a long dash, expected `-`", "write - with the key of that name")
        }
        '\u{0}' => ("found a zero byte", "save the query as UTF-8"),
        _ => return None,
    };
    Some(Diagnostic::at(Code::Syntax, place.span(), message).help(help))
}

const BACK_TICK: &str = "an address has eight hex digits after the tick: fffff801`a972c530; names are quoted as \"name\"";
const SQUARE: &str = "names are quoted as \"name\"; lists are written [1, 2], their elements l[1]";

/// `80478b00`, `12abc`: digits directly followed by letters.
fn number(place: &FailedAt<'_>) -> Option<Diagnostic> {
    let word = place.word(0);
    let digits = place.kind(0) == Some(TokenKind::Number);
    if digits && place.kind(-1) == Some(TokenKind::Number) && place.touches(-1) {
        let message = format!("found {} after a number", quoted(word));
        return Some(
            Diagnostic::at(Code::BadLiteral, place.span(), message)
                .help("a version is text: '10.0.19041'"),
        );
    }
    if !digits || !word.contains(|c: char| c.is_alphabetic()) {
        return None;
    }
    let message = format!("found {}, which is not a number", quoted(word));
    let found = Diagnostic::at(Code::BadLiteral, place.span(), message);
    let hex = word.strip_prefix("0x").unwrap_or(word);
    Some(if hex.chars().all(|c| c.is_ascii_hexdigit()) && !hex.is_empty() {
        found.help(format!("addresses in hex begin with 0x: 0x{hex}"))
    } else {
        found.help("sizes end in KB, MB, GB or TB; durations in us, ms, s, min, h or d")
    })
}

fn parenthesis(place: &FailedAt<'_>) -> Option<Diagnostic> {
    if place.kind(0) == Some(TokenKind::Close) && place.open.is_empty() {
        let message = format!("found {} without an opening one before it", quoted(place.word(0)));
        return Some(Diagnostic::at(Code::Syntax, place.span(), message));
    }
    let open = place.at(*place.open.last()?)?;
    if !place.is_end() || place.kind(-1).is_some_and(|k| k == TokenKind::Open) {
        return None;
    }
    let message = format!("a parenthesis is not closed, expected `)` before {}", place.found());
    let found = Diagnostic::at(Code::Syntax, open.span, message).label("opened here");
    Some(if place.kind(0).is_some() { found.also(place.span(), "expected `)`") } else { found })
}

/// SQL of other dialects, at the position or directly before it.
fn absent(place: &FailedAt<'_>) -> Option<Diagnostic> {
    for offset in [0, -1, -2] {
        if offset == -2 && !place.is(-1, "(") {
            continue;
        }
        let word = place.word(offset).to_ascii_uppercase();
        let known = ABSENT.iter().find(|(name, _)| *name == word);
        let is_name = matches!(place.kind(offset), Some(TokenKind::Name | TokenKind::Keyword));
        let called = offset == -1 && place.kind(0) == Some(TokenKind::Operator);
        if let (Some((name, help)), true, false) = (known, is_name, called) {
            let span = place.token(offset).map(|t| t.span).unwrap_or_default();
            let message = format!("{name} is not part of this version of the language");
            return Some(Diagnostic::at(Code::Unsupported, span, message).help(*help));
        }
    }
    None
}

/// `=<`, `=>`, `=!`, `><`: two characters in the wrong order.
fn wrong_operator(place: &FailedAt<'_>) -> Option<String> {
    let pair = |offset: isize| {
        place.touches(offset).then(|| format!("{}{}", place.word(offset), place.word(offset + 1)))
    };
    for offset in [-1, 0] {
        let Some(both) = pair(offset) else { continue };
        let right = match both.as_str() {
            "=<" => "<=",
            "=>" => ">=",
            "=!" | "!==" | "><" => "<>",
            "===" => "=",
            _ => continue,
        };
        return Some(format!("write {right}"));
    }
    None
}
