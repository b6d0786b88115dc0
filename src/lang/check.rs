//! Checks on tokens before the grammar parses a text: size, nesting, and unclosed quotes and
//! comments.
//!
//! The limits are the same everywhere, so that a query does not succeed on one machine and fail on
//! another with a smaller stack. They also keep the time of every grammar rule linear.

use super::lexer::{Token, TokenKind, tokens};
use crate::diag::{Code, Diagnostic, Span};

/// The maximum length of a script.
const MAX_BYTES: usize = 4 << 20;
/// The maximum number of tokens of a script.
const MAX_TOKENS: usize = 600_000;
/// The maximum nesting of parentheses, CASE, signs and comments.
const MAX_NESTING: usize = 128;

/// The tokens of a text that passes the checks.
pub(super) fn checked_tokens(text: &str) -> Result<Vec<Token>, Diagnostic> {
    if text.len() > MAX_BYTES {
        let message = format!("the text has {} bytes, the limit is {MAX_BYTES}", text.len());
        return Err(Diagnostic::new(Code::TooDeep, message));
    }
    let tokens = tokens(text);
    if tokens.len() > MAX_TOKENS {
        let message =
            format!("the text has {} words and marks, the limit is {MAX_TOKENS}", tokens.len());
        let beyond = tokens.get(MAX_TOKENS).map(|t| t.span).unwrap_or_default();
        return Err(Diagnostic::at(Code::TooDeep, beyond, message)
            .help("a long IN list can become a table: join with (VALUES …), or with a file"));
    }
    if let Some(open) = tokens.iter().find(|t| t.kind == TokenKind::Unclosed) {
        return Err(unclosed(text, *open));
    }
    check_nesting(text, &tokens)?;
    Ok(tokens)
}

fn unclosed(text: &str, token: Token) -> Diagnostic {
    let rest = token.text(text);
    let (what, mark) = if rest.starts_with("/*") {
        ("a comment", "*/")
    } else if rest.contains('\'') && !rest.starts_with('"') {
        ("a text", "'")
    } else {
        ("a quoted name", "\"")
    };
    // The caret marks the opening quote; a span up to the end would underline half the query.
    let width = if mark == "*/" { 2 } else { 1 };
    let start = token.span.start as usize;
    let found = Diagnostic::at(
        Code::Syntax,
        Span::new(start, start + width),
        format!("{what} begins here and does not end, expected `{mark}`"),
    )
    .label("begins here");
    match mark {
        "'" => found.help("a quote within text is written twice: 'it''s'"),
        "\"" => found.help("double quotes are for names; text is written in single quotes"),
        _ => found.help("comments nest: each `/*` needs its own `*/`"),
    }
}

/// Counts nesting on tokens, which is exact for parentheses and approximate for the rest.
fn check_nesting(text: &str, tokens: &[Token]) -> Result<(), Diagnostic> {
    let mut open: Vec<char> = Vec::new();
    let mut signs = 0usize;
    for token in tokens {
        let word = token.text(text);
        match token.kind {
            TokenKind::Open => open.push('('),
            TokenKind::Keyword if word.eq_ignore_ascii_case("CASE") => open.push('c'),
            TokenKind::Keyword if word.eq_ignore_ascii_case("END") && open.last() == Some(&'c') => {
                open.pop();
            }
            TokenKind::Close => while open.pop().is_some_and(|o| o != '(') {},
            TokenKind::Semicolon => open.clear(),
            TokenKind::Comment => {
                check_comment(token.span, word)?;
                continue;
            }
            _ => {}
        }
        let sign = matches!(word, "-" | "+" | "~" | "@") || word.eq_ignore_ascii_case("NOT");
        signs = if sign { signs + 1 } else { 0 };
        if open.len() + signs > MAX_NESTING {
            return Err(too_deep(token.span));
        }
    }
    Ok(())
}

fn check_comment(span: Span, comment: &str) -> Result<(), Diagnostic> {
    let mut depth = 0usize;
    let mut rest = comment;
    while let Some(at) = rest.find("/*") {
        let (before, after) = rest.split_at(at);
        depth = depth.saturating_sub(before.matches("*/").count()) + 1;
        if comment.starts_with("/*") && depth > MAX_NESTING {
            return Err(too_deep(span));
        }
        rest = after.get(2..).unwrap_or_default();
    }
    Ok(())
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::at(Code::TooDeep, span, format!("nesting is deeper than {MAX_NESTING} levels"))
        .help("name the inner queries with WITH")
}
