//! Clauses in the wrong order, missing parts, and misspelt keywords.

use super::super::error::{FailedAt, quoted};
use super::super::expected::Expected;
use super::super::keywords;
use super::super::lexer::TokenKind;
use super::CLAUSES;
use crate::diag::{Code, Diagnostic, nearest};

/// A clause that follows one that it must precede.
pub(super) fn clause_order(place: &FailedAt<'_>) -> Option<Diagnostic> {
    let rank = |word: &str| CLAUSES.iter().position(|c| c.eq_ignore_ascii_case(word));
    let own = rank(place.word(0)).filter(|_| place.kind(0) == Some(TokenKind::Keyword))?;
    let mut depth = 0usize;
    for index in (place.start..place.index).rev() {
        let token = place.at(index)?;
        match token.kind {
            TokenKind::Close => depth += 1,
            TokenKind::Open if depth == 0 => return None,
            TokenKind::Open => depth -= 1,
            TokenKind::Keyword if depth == 0 => {
                let word = place.word_at(index);
                if ["SELECT", "UNION", "INTERSECT", "EXCEPT"]
                    .iter()
                    .any(|w| w.eq_ignore_ascii_case(word))
                {
                    return None;
                }
                let Some(other) = rank(word).filter(|_| index + 1 < place.index) else { continue };
                let name = |rank: usize| match CLAUSES.get(rank).copied() {
                    Some("GROUP") => "GROUP BY",
                    Some("ORDER") => "ORDER BY",
                    other => other.unwrap_or_default(),
                };
                if other < own {
                    return None;
                }
                let found = |message: String| Diagnostic::at(Code::Syntax, place.span(), message);
                return Some(if other == own {
                    let both = match name(own) {
                        "WHERE" | "HAVING" | "QUALIFY" => "join the conditions with AND",
                        "FROM" => "write `,` or JOIN between tables",
                        _ => "write one list with commas",
                    };
                    found(format!("found a second {}, expected one", name(own)))
                        .also(token.span, "the first")
                        .help(both)
                } else {
                    found(format!("{} must precede {}", name(own), name(other)))
                        .also(token.span, format!("{} is here", name(other)))
                        .help("the order is SELECT, FROM, WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY, LIMIT, OFFSET")
                });
            }
            _ => {}
        }
    }
    None
}

/// `SELECT FROM t`, `WHERE ORDER BY`: a missing part between two keywords.
pub(super) fn missing_part(place: &FailedAt<'_>, expected: &Expected) -> Option<Diagnostic> {
    let next_clause = place.is_end()
        || place.kind(0) == Some(TokenKind::Keyword) && keywords::is_reserved(place.word(0));
    if !next_clause {
        return None;
    }
    let (what, help) = match place.word(-1).to_ascii_uppercase().as_str() {
        "SELECT" if place.is(0, "FROM") => {
            ("a column, an expression or `*`", "write SELECT * FROM …, or FROM … alone")
        }
        "SELECT" => ("a column, an expression or `*`", "write SELECT *, or a list of columns"),
        "WHERE" | "HAVING" | "QUALIFY" | "ON" => {
            ("a condition", "write a condition, as name = 'x'")
        }
        "FROM" | "JOIN" => ("a table", "SHOW TABLES lists the tables"),
        _ => return None,
    };
    let named = looks_like_name(place) && keywords::is_reserved(place.word(0));
    if named || !expected.keywords().is_empty() && place.is(-1, "FROM") {
        return None;
    }
    let message = format!("found {}, expected {what}", place.found());
    Some(Diagnostic::at(Code::Syntax, place.span(), message).help(help))
}

/// A word similar to one of the expected keywords, here or directly before.
pub(super) fn misspelt(place: &FailedAt<'_>, expected: &Expected) -> Option<String> {
    for offset in [0, -1] {
        if place.kind(offset) != Some(TokenKind::Name) {
            continue;
        }
        let word = place.word(offset);
        if word.eq_ignore_ascii_case("FORM") {
            return Some("similar keyword: FROM".to_owned());
        }
        let first = |clause: &&'static str| clause.split(' ').next().unwrap_or_default();
        let mut candidates: Vec<&str> = expected.keywords().iter().map(first).collect();
        candidates
            .extend(["WHERE", "JOIN", "ORDER", "GROUP", "HAVING", "LIMIT", "FROM", "AND", "DESC"]);
        let near = nearest(word, candidates.iter().copied().filter(|c| close_enough(word, c)));
        if let Some(keyword) = near.first() {
            let word = quoted(word);
            return Some(if offset == 0 {
                format!("similar keyword: {keyword}")
            } else {
                format!("{word} was read as a name; similar keyword: {keyword}")
            });
        }
    }
    None
}

/// A name that only contains a keyword is not a misspelt keyword.
fn close_enough(word: &str, keyword: &str) -> bool {
    word.len().abs_diff(keyword.len()) <= 1 && word.len() >= 3
}

/// A reserved word where a name is expected.
pub(super) fn reserved(place: &FailedAt<'_>, expected: &Expected) -> Option<String> {
    let word = place.word(0);
    let words = expected.words();
    let wanted =
        ["an expression", "a name", "a column", "a table"].iter().any(|w| words.contains(w));
    (wanted
        && place.kind(0) == Some(TokenKind::Keyword)
        && keywords::is_reserved(word)
        && looks_like_name(place))
    .then(|| format!("{} is a keyword; as a name it is written \"{word}\"", quoted(word)))
}

/// Whether the tokens after the unexpected word could follow a name.
fn looks_like_name(place: &FailedAt<'_>) -> bool {
    let table = place.is(-1, "FROM") || place.is(-1, "JOIN");
    match place.kind(1) {
        None | Some(TokenKind::Semicolon) => table && !place.is_end(),
        Some(TokenKind::Comma | TokenKind::Close) => true,
        Some(TokenKind::Operator) => !place.is(1, "*"),
        Some(TokenKind::Keyword) => {
            ["FROM", "AS", "IS", "IN", "LIKE"].iter().any(|w| place.is(1, w))
        }
        _ => false,
    }
}
