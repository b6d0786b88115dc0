//! Converts pest's parse failures to readable errors.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::expected::Expected;
use super::keywords::{self, READ_ONLY};
use super::lexer::{Token, TokenKind};
use super::slips;
use super::syntax::Rule;
use crate::diag::{Code, Diagnostic, Span};

/// Words that start statements.
const STARTERS: &[&str] =
    &["DESCRIBE", "EXPLAIN", "FROM", "SELECT", "SHOW", "SUMMARIZE", "VALUES", "WITH"];

/// The parse failure as a diagnostic.
pub(super) fn explain(failure: &Error<Rule>, text: &str, tokens: &[Token]) -> Diagnostic {
    let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = failure.location;
    let ErrorVariant::ParsingError { positives, .. } = &failure.variant else {
        // The only other error that pest raises is that the native stack is exhausted.
        let message = "the query nests deeper than the stack of this thread allows";
        return Diagnostic::at(Code::TooDeep, Span::new(at, at), message);
    };
    let place = FailedAt::new(text, tokens, at);
    let expected = Expected::new(positives);
    if place.index == place.start {
        return beginning(&place);
    }
    slips::explain(&place, &expected).unwrap_or_else(|| {
        let message = format!("found {}, expected {}", place.found(), expected.words());
        slips::hint(&place, &expected, Diagnostic::at(Code::Syntax, place.span(), message))
    })
}

/// The error for a statement whose first word is wrong.
fn beginning(place: &FailedAt<'_>) -> Diagnostic {
    let word = place.word(0);
    let upper = word.to_ascii_uppercase();
    if keywords::contains(READ_ONLY, word) {
        let message = format!("{upper} is not part of the language: dumps are read-only");
        let error = Diagnostic::at(Code::Unsupported, place.span(), message);
        return match upper.as_str() {
            "INSERT" | "MERGE" | "UPSERT" => {
                error.help("rows are kept with CREATE TABLE name AS query, written with COPY")
            }
            "UPDATE" => {
                error.help("other values are shown with SELECT * REPLACE (value AS column)")
            }
            "DELETE" | "TRUNCATE" => error.help("rows are left out with WHERE"),
            "EXPORT" => error.help("COPY (SELECT …) TO 'file.csv' writes rows"),
            "USE" => error.help("ATTACH 'file' AS name opens a file more"),
            "PRAGMA" => error.help("SHOW SETTINGS lists the settings, SET changes them"),
            _ => error,
        };
    }
    let message = format!("found {}, expected a statement", place.found());
    let found = Diagnostic::at(Code::Syntax, place.span(), message);
    let near = crate::diag::nearest(word, STARTERS.iter().copied());
    if !near.is_empty() {
        return found.nearest(word, STARTERS.iter().copied());
    }
    if let Some(help) = slips::other_language(place) {
        return found.help(help);
    }
    let alone = place.kind(1).is_none_or(|kind| kind == TokenKind::Semicolon);
    if place.kind(0) == Some(TokenKind::Name) && alone {
        return found.help(format!("to see a table, write FROM {word}"));
    }
    found.help("a query begins with SELECT, FROM, WITH or VALUES; SHOW TABLES lists the tables")
}

/// The position of a failure among the tokens, comments excluded.
pub(super) struct FailedAt<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// The index of the unexpected token; the number of tokens at the end of the text.
    pub(super) index: usize,
    /// The first token of the statement.
    pub(super) start: usize,
    /// The indices of opening parentheses of the statement that are still open there, outermost
    /// first.
    pub(super) open: Vec<usize>,
}

impl<'a> FailedAt<'a> {
    fn new(text: &'a str, tokens: &[Token], at: usize) -> Self {
        let tokens: Vec<Token> =
            tokens.iter().copied().filter(|t| t.kind != TokenKind::Comment).collect();
        let index = tokens.partition_point(|t| t.span.end as usize <= at);
        let (mut start, mut open) = (0, Vec::new());
        for (i, token) in tokens.iter().enumerate().take(index) {
            match token.kind {
                TokenKind::Semicolon => {
                    open.clear();
                    start = i + 1;
                }
                TokenKind::Open => open.push(i),
                TokenKind::Close => drop(open.pop()),
                _ => {}
            }
        }
        Self { text, tokens, index, start, open }
    }

    /// The token at an offset relative to the unexpected one.
    pub(super) fn token(&self, offset: isize) -> Option<Token> {
        self.at(self.index.checked_add_signed(offset)?)
    }

    /// The token with that index, if it belongs to the statement.
    pub(super) fn at(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied().filter(|_| index >= self.start)
    }

    pub(super) fn kind(&self, offset: isize) -> Option<TokenKind> {
        self.token(offset).map(|t| t.kind)
    }

    /// The characters of a token; empty if there is none.
    pub(super) fn word(&self, offset: isize) -> &'a str {
        self.token(offset).map_or("", |t| t.text(self.text))
    }

    /// The characters of the token with that index.
    pub(super) fn word_at(&self, index: usize) -> &'a str {
        self.at(index).map_or("", |t| t.text(self.text))
    }

    pub(super) fn is(&self, offset: isize, word: &str) -> bool {
        self.word(offset).eq_ignore_ascii_case(word)
    }

    /// Whether there are no blanks between a token and the next one.
    pub(super) fn touches(&self, offset: isize) -> bool {
        match (self.token(offset), self.token(offset + 1)) {
            (Some(left), Some(right)) => left.span.end == right.span.start,
            _ => false,
        }
    }

    /// Whether the statement ends here.
    pub(super) fn is_end(&self) -> bool {
        self.kind(0).is_none_or(|kind| kind == TokenKind::Semicolon)
    }

    /// The unexpected token, or the position after the last one.
    pub(super) fn span(&self) -> Span {
        let end = self.tokens.last().map_or(self.text.len(), |t| t.span.end as usize);
        self.token(0).map_or(Span::new(end, end), |t| t.span)
    }

    /// The unexpected token, as messages show it.
    pub(super) fn found(&self) -> String {
        match self.kind(0) {
            None => "the end of the text".to_owned(),
            Some(TokenKind::Semicolon) => "the end of the statement".to_owned(),
            Some(_) => quoted(self.word(0)),
        }
    }
}

/// A token as messages quote it: in back-ticks, and shortened.
pub(super) fn quoted(token: &str) -> String {
    let short: String = token.chars().take(32).collect();
    let more = if short.len() < token.len() { "…" } else { "" };
    format!("`{short}{more}`")
}
