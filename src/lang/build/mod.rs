//! Converts the pairs of the grammar to the syntax tree.
//!
//! The grammar has accepted the text, so the structure is known. Rules that the grammar cannot
//! express (ranges of numbers, arguments separated by keywords, chains of comparisons) are checked
//! here.

mod command;
mod expr;
mod from;
mod group;
mod literal;
mod nested;
mod pipe;
mod query;
mod turn;
mod window;

use pest::iterators::Pair;

use super::ast::{Attach, Ident, Name, Query, Statement, StatementKind};
use super::lexer::{Token, TokenKind};
use super::syntax::Rule;
use crate::diag::{Code, Diagnostic, Span};

/// The maximum depth of a tree. Chains of operators count: `1 + 1 + 1` has depth three, while
/// chains of AND and OR are balanced and count little. Later stages walk trees recursively.
const MAX_DEPTH: usize = 500;

type Built<T> = Result<T, Diagnostic>;

/// The statements of an accepted script.
pub(super) fn statements(script: Pair<'_, Rule>, tokens: &[Token]) -> Built<Vec<Statement>> {
    let mut builder = Builder::new(tokens);
    let all = script.into_inner().filter(|p| p.as_rule() == Rule::statement);
    all.map(|pair| builder.statement(pair)).collect()
}

struct Builder {
    /// The ends of tokens, without comments: pairs of pest include the blanks after them.
    ends: Vec<u32>,
    depth: usize,
    /// The number of unnamed parameters of the statement so far.
    unnamed: usize,
}

impl Builder {
    fn new(tokens: &[Token]) -> Self {
        let words = tokens.iter().filter(|t| t.kind != TokenKind::Comment);
        Self { ends: words.map(|t| t.span.end).collect(), depth: 0, unnamed: 0 }
    }

    /// The span of a pair without the blanks after it.
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let whole = pair.as_span();
        let span = Span::new(whole.start(), whole.end());
        let before = self.ends.partition_point(|&end| end <= span.end);
        let end = before.checked_sub(1).and_then(|i| self.ends.get(i)).copied();
        Span { end: end.filter(|&e| e > span.start).unwrap_or(span.end), ..span }
    }

    /// Enters a part of the tree with a depth of `levels`; the caller leaves it with
    /// [`Self::leave`].
    fn enter(&mut self, levels: usize, span: Span) -> Built<()> {
        self.depth += levels;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        let message = format!("the query is more than {MAX_DEPTH} operators deep");
        Err(Diagnostic::at(Code::TooDeep, span, message)
            .help("split it with WITH, or write lists as IN (…)"))
    }

    fn leave(&mut self, levels: usize) {
        self.depth = self.depth.saturating_sub(levels);
    }

    fn statement(&mut self, pair: Pair<'_, Rule>) -> Built<Statement> {
        let span = self.span(&pair);
        let inner = only(pair)?;
        self.unnamed = 0;
        let kind = match inner.as_rule() {
            Rule::query => StatementKind::Query(Box::new(self.query(inner)?)),
            Rule::explain => {
                let mut analyze = false;
                let mut query = None;
                for part in inner.into_inner() {
                    match part.as_rule() {
                        Rule::ANALYZE => analyze = true,
                        Rule::query => query = Some(self.query(part)?),
                        _ => {}
                    }
                }
                StatementKind::Explain { analyze, query: Box::new(found(query)?) }
            }
            Rule::describe => {
                let subject = last(inner)?;
                if subject.as_rule() == Rule::query {
                    StatementKind::DescribeQuery(Box::new(self.query(subject)?))
                } else {
                    StatementKind::Describe(self.name(subject)?)
                }
            }
            Rule::show => {
                let subject = last(inner)?;
                match subject.as_rule() {
                    Rule::TABLES => StatementKind::ShowTables,
                    Rule::FUNCTIONS => StatementKind::ShowFunctions,
                    Rule::name => StatementKind::Show(self.name(subject)?),
                    _ => StatementKind::ShowSettings,
                }
            }
            Rule::summarize => {
                let subject = last(inner)?;
                StatementKind::Summarize(Box::new(if subject.as_rule() == Rule::query {
                    self.query(subject)?
                } else {
                    let name = self.name(subject)?;
                    Query::of_table(name)
                }))
            }
            Rule::attach => StatementKind::Attach(self.attach(inner)?),
            Rule::detach => StatementKind::Detach(self.ident(last(inner)?)?),
            _ => StatementKind::Command(self.command(inner)?),
        };
        Ok(Statement { kind, span })
    }

    fn attach(&self, pair: Pair<'_, Rule>) -> Built<Attach> {
        let (mut file, mut name, mut options) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => file = Some(self.ident(part)?),
                Rule::any_name => name = Some(self.ident(part)?),
                Rule::attach_options => {
                    for option in part.into_inner().filter(|p| p.as_rule() == Rule::attach_option) {
                        options.push(self.attach_option(option)?);
                    }
                }
                _ => {}
            }
        }
        Ok(Attach { file: found(file)?, name, options })
    }

    fn attach_option(&self, pair: Pair<'_, Rule>) -> Built<(Ident, Ident)> {
        let mut parts = pair.into_inner();
        let name = self.ident(found(parts.next())?)?;
        Ok((name, self.option_value(found(parts.next())?)?))
    }

    /// Text, or a word as it is written.
    fn option_value(&self, value: Pair<'_, Rule>) -> Built<Ident> {
        if value.as_rule() == Rule::text {
            return self.ident(value);
        }
        let text = value.as_str().trim().to_ascii_lowercase();
        Ok(Ident { text, quoted: false, span: self.span(&value) })
    }

    /// An identifier from any of the rules for names.
    fn ident(&self, pair: Pair<'_, Rule>) -> Built<Ident> {
        let span = self.span(&pair);
        let leaf = match pair.as_rule() {
            Rule::word | Rule::quoted | Rule::text => pair,
            _ => last(pair)?,
        };
        match leaf.as_rule() {
            Rule::word => Ok(Ident { text: leaf.as_str().to_owned(), quoted: false, span }),
            Rule::quoted => {
                let text = unquoted(leaf.as_str(), '"');
                if text.is_empty() {
                    return Err(Diagnostic::at(Code::Syntax, span, "a quoted name is empty"));
                }
                Ok(Ident { text, quoted: true, span })
            }
            Rule::text => Ok(Ident { text: unquoted(leaf.as_str(), '\''), quoted: true, span }),
            rule => Err(defect(rule)),
        }
    }

    /// A name of several parts.
    fn name(&self, pair: Pair<'_, Rule>) -> Built<Name> {
        let span = self.span(&pair);
        let parts = pair.into_inner().map(|part| self.ident(part)).collect::<Built<Vec<_>>>()?;
        Ok(Name { parts, span })
    }

    /// The names of a list in parentheses.
    fn names(&self, pair: Pair<'_, Rule>) -> Built<Vec<Ident>> {
        let names = pair.into_inner().filter(|p| p.as_rule() == Rule::column_name);
        names.map(|name| self.ident(name)).collect()
    }
}

/// The content of a quoted token, with doubled quotes replaced by single ones.
fn unquoted(token: &str, quote: char) -> String {
    let inner = token.strip_prefix(quote).unwrap_or(token);
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let doubled: String = [quote, quote].iter().collect();
    inner.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
}

/// The first pair within.
fn only(pair: Pair<'_, Rule>) -> Built<Pair<'_, Rule>> {
    let rule = pair.as_rule();
    pair.into_inner().next().ok_or_else(|| defect(rule))
}

/// The last pair within.
fn last(pair: Pair<'_, Rule>) -> Built<Pair<'_, Rule>> {
    let rule = pair.as_rule();
    pair.into_inner().last().ok_or_else(|| defect(rule))
}

/// A part that the grammar guarantees.
fn found<T>(part: Option<T>) -> Built<T> {
    part.ok_or_else(|| Diagnostic::new(Code::Internal, "the grammar and the tree disagree"))
}

fn defect(rule: Rule) -> Diagnostic {
    Diagnostic::new(Code::Internal, format!("the grammar and the tree disagree on {rule:?}"))
}
