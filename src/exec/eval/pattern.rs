//! `LIKE`, `ILIKE`, `GLOB`, `SIMILAR TO` and `~`. A constant pattern is compiled once; the common
//! forms of LIKE (`abc%`, `%abc`, `%abc%`) are plain searches.

use memchr::memmem::Finder;
use polars_arrow::bitmap::BitmapBuilder;
use regex::{Regex, RegexBuilder};

use super::Vector;
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::exec::col::{Col, bits, boolean};
use crate::plan::MatchOp;

/// The kind of matching.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) op: MatchOp,
    pub(super) escape: Option<char>,
    pub(super) negated: bool,
}

/// A compiled pattern.
enum Pattern {
    Equal(String),
    Prefix(String),
    Suffix(String),
    Contains(Box<Finder<'static>>),
    Wild(Vec<Token>, bool),
    Regex(Regex),
}

/// One element of LIKE and GLOB.
#[derive(Debug, PartialEq)]
enum Token {
    Char(char),
    One,
    Many,
    /// `[…]` of GLOB: ranges, and whether the set is negated.
    Set(Vec<(char, char)>, bool),
    /// A set without its closing bracket, which matches nothing.
    Never,
}

impl Rule {
    pub(super) fn eval(
        self,
        text: &Vector,
        pattern: &Vector,
        span: Span,
    ) -> Result<Vector, Diagnostic> {
        if text.is_all_null() || pattern.is_all_null() {
            return Ok(Vector::Const(Value::Null));
        }
        let constant = text.is_const() && pattern.is_const();
        let (texts, patterns) = (text.to_col(), pattern.to_col());
        let (Col::Text(texts), Col::Text(patterns)) = (&texts, &patterns) else {
            return Ok(Vector::Const(Value::Null));
        };
        let valid = super::lane::both_valid(text, pattern);
        let bits = if pattern.is_const() {
            let pattern = self.compile(patterns.value(0), span)?;
            let matches = |t: &str| pattern.matches(t) != self.negated;
            bits(texts.values_iter().map(matches))
        } else {
            let mut last: Option<(&str, Pattern)> = None;
            let mut bits = BitmapBuilder::with_capacity(patterns.len());
            for (row, written) in patterns.values_iter().enumerate() {
                if valid.as_ref().is_some_and(|v| !v.get_bit(row)) {
                    bits.push(false);
                    continue;
                }
                if last.as_ref().is_none_or(|(known, _)| *known != written) {
                    last = Some((written, self.compile(written, span)?));
                }
                let text = texts.value(if text.is_const() { 0 } else { row });
                bits.push(last.as_ref().is_some_and(|(_, p)| p.matches(text)) != self.negated);
            }
            bits.freeze()
        };
        Ok(Vector::of(boolean(bits, valid), constant, Ty::Bool))
    }

    fn compile(self, pattern: &str, span: Span) -> Result<Pattern, Diagnostic> {
        Ok(match self.op {
            MatchOp::Like => simple(like_tokens(pattern, self.escape, span)?, false),
            MatchOp::ILike => {
                let tokens = like_tokens(pattern, self.escape, span)?;
                simple(tokens.into_iter().flat_map(lower).collect(), true)
            }
            MatchOp::Glob => simple(glob_tokens(pattern), false),
            MatchOp::SimilarTo => regex(&format!("^(?:{pattern})$"), pattern, span)?,
            MatchOp::Regexp => regex(pattern, pattern, span)?,
        })
    }
}

/// Compiles a regular expression within limits on its size.
fn regex(expression: &str, written: &str, span: Span) -> Result<Pattern, Diagnostic> {
    let built = RegexBuilder::new(expression).size_limit(4 << 20).nest_limit(100).build();
    built.map(Pattern::Regex).map_err(|error| {
        let shown: String = written.chars().take(60).collect();
        let why = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            other => other.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        };
        let why = why.strip_prefix("error: ").unwrap_or(&why).to_owned();
        Diagnostic::at(
            Code::BadArguments,
            span,
            format!("`{shown}` is not a regular expression: {why}"),
        )
    })
}

fn like_tokens(pattern: &str, escape: Option<char>, span: Span) -> Result<Vec<Token>, Diagnostic> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        tokens.push(if Some(c) == escape {
            let Some(next) = chars.next() else {
                let message = format!("the pattern ends with its escape character `{c}`");
                return Err(Diagnostic::at(Code::BadArguments, span, message));
            };
            Token::Char(next)
        } else {
            match c {
                '%' => Token::Many,
                '_' => Token::One,
                c => Token::Char(c),
            }
        });
    }
    Ok(tokens)
}

/// The elements of a GLOB pattern: `*`, `?`, `[…]`, and `\` before a literal character.
fn glob_tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Many,
            '?' => Token::One,
            '\\' => chars.next().map_or(Token::Never, Token::Char),
            '[' => glob_set(&mut chars),
            c => Token::Char(c),
        });
    }
    tokens
}

fn glob_set(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Token {
    let negated = chars.next_if(|&c| c == '!' || c == '^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match chars.next() {
            None => return Token::Never,
            Some(']') if !ranges.is_empty() => return Token::Set(ranges, negated),
            Some(c) => c,
        };
        let mut ahead = chars.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(high)) if high != ']' => {
                *chars = ahead;
                high
            }
            _ => low,
        };
        ranges.push((low, high));
    }
}

fn lower(token: Token) -> Vec<Token> {
    match token {
        Token::Char(c) => c.to_lowercase().map(Token::Char).collect(),
        other => vec![other],
    }
}

/// The fastest form of a pattern.
fn simple(tokens: Vec<Token>, without_case: bool) -> Pattern {
    let literal = |tokens: &[Token]| {
        let each = tokens.iter().map(|t| if let Token::Char(c) = t { Some(*c) } else { None });
        each.collect::<Option<String>>()
    };
    if !without_case {
        let quick = match tokens.as_slice() {
            [Token::Many, inner @ .., Token::Many] => literal(inner)
                .map(|t| Pattern::Contains(Box::new(Finder::new(t.as_bytes()).into_owned()))),
            [Token::Many, tail @ ..] => literal(tail).map(Pattern::Suffix),
            [head @ .., Token::Many] => literal(head).map(Pattern::Prefix),
            all => literal(all).map(Pattern::Equal),
        };
        if let Some(quick) = quick {
            return quick;
        }
    }
    Pattern::Wild(tokens, without_case)
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Equal(t) => text == t,
            Self::Prefix(t) => text.starts_with(t.as_str()),
            Self::Suffix(t) => text.ends_with(t.as_str()),
            Self::Contains(finder) => finder.find(text.as_bytes()).is_some(),
            Self::Wild(tokens, false) => wild(tokens, text),
            Self::Wild(tokens, true) => wild(tokens, &text.to_lowercase()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Matches by backtracking to the last `%` only, so the time is at most the product of the lengths.
fn wild(tokens: &[Token], text: &str) -> bool {
    let mut at = 0;
    let mut rest = text.chars();
    let mut back: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let before = rest.clone();
        let fits = match (tokens.get(at), rest.next()) {
            (Some(Token::Many), _) => {
                at += 1;
                rest = before.clone();
                back = Some((at, before));
                continue;
            }
            (None, None) => return true,
            (Some(_), None) => return false,
            (None, Some(_)) | (Some(Token::Never), _) => false,
            (Some(Token::One), Some(_)) => true,
            (Some(Token::Char(c)), Some(found)) => *c == found,
            (Some(Token::Set(ranges, negated)), Some(found)) => {
                ranges.iter().any(|&(low, high)| (low..=high).contains(&found)) != *negated
            }
        };
        if fits {
            at += 1;
            continue;
        }
        let Some((after, from)) = &mut back else { return false };
        if from.next().is_none() {
            return false;
        }
        at = *after;
        rest = from.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(op: MatchOp, text: &str, pattern: &str, escape: Option<char>) -> bool {
        let rule = Rule { op, escape, negated: false };
        rule.compile(pattern, Span::default()).unwrap().matches(text)
    }

    #[test]
    fn patterns_match_as_in_duckdb() {
        use MatchOp::{Glob, ILike, Like, Regexp, SimilarTo};
        for (op, text, pattern, expected) in [
            (Like, "abc", "abc", true),
            (Like, "abc", "a%", true),
            (Like, "abc", "%c", true),
            (Like, "abc", "%b%", true),
            (Like, "abc", "a_c", true),
            (Like, "abc", "a__c", false),
            (Like, "aXbXc", "a%b%c", true),
            (Like, "", "%", true),
            (Like, "a", "A", false),
            (Like, "ab\nc", "ab%", true),
            (ILike, "É", "é", true),
            (ILike, "NTFS.sys", "ntfs%", true),
            (Glob, "abc", "a[a-c]c", true),
            (Glob, "abc", "a[!b]c", false),
            (Glob, "f", "[]f]", true),
            (Glob, "-", "[a-]", true),
            (Glob, "a", "[a", false),
            (Glob, "]", "[]]", true),
            (Glob, "a*c", "a\\*c", true),
            (SimilarTo, "abc", "a.c", true),
            (SimilarTo, "abc", "b", false),
            (Regexp, "abc", "b", true),
            (Regexp, "ab\nc", "b.c", false),
        ] {
            assert_eq!(matches(op, text, pattern, None), expected, "{text} {op:?} {pattern}");
        }
        assert!(matches(Like, "a%c", "a#%c", Some('#')));
        assert!(!matches(Like, "abc", "a#%c", Some('#')));
    }
}
