//! Text to syntax tree, and back.
//!
//! Knows the grammar and nothing else: no tables, no types' meanings, no dumps.

pub mod ast;
mod build;
mod check;
mod error;
mod expected;
mod format;
mod keywords;
mod lexer;
mod saved;
mod slips;
mod syntax;

pub use format::{format, format_query, format_statement};
pub use keywords::KEYWORDS;
pub use lexer::{Token, TokenKind, is_complete, tokens};
pub use saved::{SavedParam, SavedPattern, SavedQuery};

use pest::Parser;

use crate::diag::Diagnostic;

/// Parses a script: statements separated by semicolons. An empty text has none.
///
/// # Errors
/// The first thing that is not of the language: E0101, E0102 if it nests too deep or is too long,
/// E0103 for a literal out of range, E0209 for known SQL that there is no room for in the tree.
pub fn parse(text: &str) -> Result<Vec<ast::Statement>, Diagnostic> {
    let tokens = check::checked_tokens(text)?;
    with_stack(|| match syntax::Syntax::parse(syntax::Rule::script, text) {
        Ok(mut pairs) => pairs.next().map_or(Ok(Vec::new()), |s| build::statements(s, &tokens)),
        Err(failure) => Err(error::explain(&failure, text, &tokens)),
    })
}

/// The stack that the deepest query needs which [`parse`] and the binder accept: a few kilobytes for
/// each of their levels of nesting, in a build without optimisation too.
const DEEPEST: usize = 8 << 20;

/// Runs work over a query with stack enough for the deepest one, however small the thread's own is.
pub(crate) fn with_stack<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(DEEPEST, 2 * DEEPEST, run)
}
