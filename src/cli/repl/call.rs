//! The call that a place in a statement is inside of.

use crate::session::{Token, TokenKind, tokens};

/// A call whose closing bracket has not come yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenCall<'l> {
    /// The name of the function.
    pub(super) name: &'l str,
    /// The texts of the arguments before the one that the place is in.
    pub(super) arguments: Vec<&'l str>,
    /// Whether it is called for its rows: it follows FROM, JOIN or LATERAL.
    pub(super) is_table: bool,
}

/// The name before a parenthesis, and whether it is called for its rows.
type Called<'t> = Option<(&'t Token, bool)>;

impl<'l> OpenCall<'l> {
    /// The innermost call that the end of the text is inside of.
    pub(super) fn at_end(text: &'l str) -> Option<Self> {
        let mut open: Vec<(Called<'_>, Vec<usize>)> = Vec::new();
        let all = tokens(text);
        let mut before: Option<&Token> = None;
        let mut two_before: Option<&Token> = None;
        let is_from = |token: Option<&Token>| {
            let word = token.map_or("", |token| token.text(text));
            ["from", "join", "lateral"].iter().any(|known| word.eq_ignore_ascii_case(known))
        };
        for token in &all {
            match token.kind {
                TokenKind::Open => {
                    let name = before.filter(|name| {
                        let is_name = matches!(name.kind, TokenKind::Name | TokenKind::Keyword);
                        is_name && name.span.end == token.span.start && token.text(text) == "("
                    });
                    let name = name.map(|name| (name, is_from(two_before)));
                    open.push((name, vec![token.span.end as usize]));
                }
                TokenKind::Close => drop(open.pop()),
                TokenKind::Comma => {
                    if let Some((_, starts)) = open.last_mut() {
                        starts.push(token.span.end as usize);
                    }
                }
                TokenKind::Semicolon => open.clear(),
                _ => {}
            }
            two_before = before;
            before = Some(token);
        }
        let (name, starts) = open.into_iter().rev().find(|(name, _)| name.is_some())?;
        // The comma is no part of the argument before it.
        let ends = starts.iter().skip(1).map(|end| end.saturating_sub(1));
        let argument = |(from, to): (&usize, usize)| text.get(*from..to).map(str::trim);
        let arguments = starts.iter().zip(ends).filter_map(argument).collect();
        let (name, is_table) = name?;
        Some(Self { name: name.text(text), arguments, is_table })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_call_is_found() {
        let of = |text| OpenCall::at_end(text).map(|call| (call.name, call.arguments));
        assert_eq!(of("select substr(name, 1"), Some(("substr", vec!["name"])));
        assert_eq!(
            of("select f(a, g(1, 2), 'x, y', "),
            Some(("f", vec!["a", "g(1, 2)", "'x, y'"]))
        );
        assert_eq!(of("from struct('_ETH"), Some(("struct", vec![])));
        assert_eq!(of("from list('nt!A', '_B', '"), Some(("list", vec!["'nt!A'", "'_B'"])));
        assert_eq!(of("select f([1, (2"), Some(("f", vec![])));
        for text in ["", "select f(1)", "select (1, ", "select 'f(", "select f(1; select "] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
