//! Parses text to a syntax tree, and formats trees as text.
//!
//! This module knows only the grammar: no tables, no dumps, and not what types mean.

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
/// The first syntax error: E0101, E0102 if the text nests too deep or is too long, E0103 for a
/// literal out of range, E0209 for known SQL that the tree cannot represent.
pub fn parse(text: &str) -> Result<Vec<ast::Statement>, Diagnostic> {
    let tokens = check::checked_tokens(text)?;
    with_stack(|| match syntax::Syntax::parse(syntax::Rule::script, text) {
        Ok(mut pairs) => pairs.next().map_or(Ok(Vec::new()), |s| build::statements(s, &tokens)),
        Err(failure) => Err(error::explain(&failure, text, &tokens)),
    })
}

/// The stack size for the deepest query that [`parse`] and the binder accept: a few kilobytes for
/// each of their nesting levels, in builds without optimisation too.
const DEEPEST: usize = 8 << 20;

/// Runs work on a query with a stack large enough for the deepest one, even on a thread with a
/// small stack.
pub(crate) fn with_stack<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(DEEPEST, 2 * DEEPEST, run)
}
