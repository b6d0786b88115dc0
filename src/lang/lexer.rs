//! An error-tolerant lexer for highlighting, completion, and the checks before parsing.
//!
//! Every text can be split into tokens; characters that belong to no token of the language are
//! [`TokenKind::Unknown`]. The parser does not use these tokens; it parses the text by the grammar.

use super::keywords;
use crate::diag::Span;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword; it may still be the name of a column.
    Keyword,
    /// Any other word.
    Name,
    /// A name in double quotes.
    QuotedName,
    /// Text in single quotes.
    Text,
    /// A number, a size or a duration.
    Number,
    /// An address: `0x80478b00`, ``fffff801`a972c530``.
    Address,
    /// `module!symbol`.
    Symbol,
    /// `$name`.
    Parameter,
    /// An operator, the dot and the `::` of casts included.
    Operator,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// `,`.
    Comma,
    /// `;`.
    Semicolon,
    /// A comment.
    Comment,
    /// A quote or a comment that is not closed.
    Unclosed,
    /// A character that starts no token.
    Unknown,
}

/// A token and its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The kind.
    pub kind: TokenKind,
    /// The position in the text.
    pub span: Span,
}

impl Token {
    /// The token's characters within the text that it was read from.
    pub fn text(self, text: &str) -> &str {
        text.get(self.span.start as usize..self.span.end as usize).unwrap_or_default()
    }
}

/// All tokens of a text in order, including comments but not blanks.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token() {
        tokens.push(token);
    }
    tokens
}

/// Whether a text is complete and can be run: it ends with a semicolon outside quotes, comments and
/// parentheses. Blanks and comments may follow.
pub fn is_complete(text: &str) -> bool {
    let mut depth = 0usize;
    let mut complete = false;
    for token in tokens(text) {
        match token.kind {
            TokenKind::Unclosed => return false,
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Comment => continue,
            _ => {}
        }
        complete = token.kind == TokenKind::Semicolon && depth == 0;
    }
    complete
}

/// Whether a character can start a word.
pub(super) fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Whether a character can continue a word.
pub(super) fn continues_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

/// Whether a character separates tokens.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{FEFF}'
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
    }

    fn next_token(&mut self) -> Option<Token> {
        self.skip_while(is_blank);
        let first = self.peek()?;
        let start = self.at;
        let kind = self.token(first);
        Some(Token { kind, span: Span::new(start, self.at) })
    }

    fn token(&mut self, first: char) -> TokenKind {
        let rest = self.rest();
        if rest.starts_with("--") {
            self.skip_while(|c| c != '\n');
            return TokenKind::Comment;
        }
        if rest.starts_with("/*") {
            return self.block_comment();
        }
        match first {
            '\'' => self.quoted('\'', false, TokenKind::Text),
            '"' => {
                let kind = self.quoted('"', false, TokenKind::QuotedName);
                if kind == TokenKind::QuotedName && self.symbol_follows() {
                    self.symbol()
                } else {
                    kind
                }
            }
            '(' | '[' | '{' => self.single(first, TokenKind::Open),
            ')' | ']' | '}' => self.single(first, TokenKind::Close),
            ',' => self.single(first, TokenKind::Comma),
            ';' => self.single(first, TokenKind::Semicolon),
            '$' => self.parameter(),
            '?' => self.single(first, TokenKind::Parameter),
            '0'..='9' => self.number(),
            '.' if rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
            c if begins_word(c) => self.word(),
            _ => self.operator(first),
        }
    }

    fn single(&mut self, c: char, kind: TokenKind) -> TokenKind {
        self.at += c.len_utf8();
        kind
    }

    /// A quoted token; a quote within it is doubled or, if `backslash` is set, escaped.
    fn quoted(&mut self, quote: char, backslash: bool, kind: TokenKind) -> TokenKind {
        let mut chars = self.rest().char_indices().skip(1).peekable();
        let mut end = None;
        while let Some((at, c)) = chars.next() {
            if backslash && c == '\\' {
                chars.next();
            } else if c == quote {
                if chars.peek().is_some_and(|&(_, next)| next == quote) {
                    chars.next();
                } else {
                    end = Some(at + 1);
                    break;
                }
            }
        }
        if let Some(length) = end {
            self.at += length;
            kind
        } else {
            self.at = self.text.len();
            TokenKind::Unclosed
        }
    }

    fn block_comment(&mut self) -> TokenKind {
        let bytes = self.rest().as_bytes();
        let (mut depth, mut at) = (0usize, 0usize);
        while let Some(two) = bytes.get(at..at + 2) {
            match two {
                b"/*" => depth += 1,
                b"*/" => depth -= 1,
                _ => {
                    at += 1;
                    continue;
                }
            }
            at += 2;
            if depth == 0 {
                self.at += at;
                return TokenKind::Comment;
            }
        }
        self.at = self.text.len();
        TokenKind::Unclosed
    }

    fn parameter(&mut self) -> TokenKind {
        self.at += 1;
        let start = self.at;
        self.skip_while(continues_word);
        if self.at == start { TokenKind::Unknown } else { TokenKind::Parameter }
    }

    fn number(&mut self) -> TokenKind {
        if let Some(length) = address_length(self.rest()) {
            self.at += length;
            return TokenKind::Address;
        }
        self.skip_while(|c| c.is_ascii_digit() || c == '_');
        if self.peek() == Some('.') {
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit() || c == '_');
        }
        let rest = self.rest();
        let exponent =
            rest.strip_prefix(['e', 'E']).map(|r| r.strip_prefix(['+', '-']).unwrap_or(r));
        if let Some(digits) = exponent.filter(|d| d.starts_with(|c: char| c.is_ascii_digit())) {
            self.at += rest.len() - digits.len();
        }
        self.skip_while(continues_word);
        TokenKind::Number
    }

    fn word(&mut self) -> TokenKind {
        if let Some(length) = address_length(self.rest()) {
            self.at += length;
            return TokenKind::Address;
        }
        let start = self.at;
        self.skip_while(continues_word);
        if self.symbol_follows() {
            return self.symbol();
        }
        let word = self.text.get(start..self.at).unwrap_or_default();
        if word.eq_ignore_ascii_case("e") && self.peek() == Some('\'') {
            return self.quoted('\'', true, TokenKind::Text);
        }
        if keywords::is_keyword(word) { TokenKind::Keyword } else { TokenKind::Name }
    }

    fn symbol_follows(&self) -> bool {
        let mut chars = self.rest().chars();
        let begins = |c: char| begins_word(c) || matches!(c, '?' | '@' | '"');
        chars.next() == Some('!') && chars.next().is_some_and(begins)
    }

    fn symbol(&mut self) -> TokenKind {
        self.at += 1;
        if self.peek() == Some('"') {
            return self.quoted('"', false, TokenKind::Symbol);
        }
        let part = |c: char| continues_word(c) || matches!(c, '?' | '@');
        loop {
            self.skip_while(part);
            let after = self.rest().strip_prefix("::");
            if !after.is_some_and(|a| a.starts_with(part)) {
                return TokenKind::Symbol;
            }
            self.at += 2;
        }
    }

    fn operator(&mut self, first: char) -> TokenKind {
        const TWO: [&str; 14] =
            ["::", "<>", "!=", "<=", ">=", "<<", ">>", "==", "||", "|>", "//", "!~", "->", "**"];
        if TWO.iter().any(|op| self.rest().starts_with(op)) {
            self.at += 2;
            return TokenKind::Operator;
        }
        let kind =
            if "+-*/%<>=~&|.^@".contains(first) { TokenKind::Operator } else { TokenKind::Unknown };
        self.single(first, kind)
    }
}

/// The length of an address literal at the start of `text`.
fn address_length(text: &str) -> Option<usize> {
    let prefix = if text.starts_with("0x") || text.starts_with("0X") { 2 } else { 0 };
    let hex = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len())
    };
    let high = hex(prefix);
    let mut end = prefix + high;
    let tick = text.get(end..).is_some_and(|r| r.starts_with('`'));
    if tick && (1..=8).contains(&high) && hex(end + 1) == 8 {
        end += 9;
    } else if tick || prefix == 0 || high == 0 {
        return None;
    }
    let ends = !text.get(end..).unwrap_or_default().starts_with(continues_word);
    ends.then_some(end)
}
