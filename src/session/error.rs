//! The one error type of the public interface.

use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Span, render_json, render_text};
use crate::dump;
use crate::symbol;

/// An error, with the text of the query, in which `render` marks the position.
#[derive(Debug, Clone)]
pub struct Error {
    diagnostics: Vec<Diagnostic>,
    query: Option<Arc<str>>,
}

impl Error {
    pub(crate) fn of_query(diagnostics: Vec<Diagnostic>, query: &str) -> Self {
        Self { diagnostics, query: Some(query.into()) }
    }

    /// The first error.
    pub(super) fn first(self) -> Diagnostic {
        let internal = || Diagnostic::new(Code::Internal, "an error without a cause");
        self.diagnostics.into_iter().next().unwrap_or_else(internal)
    }

    /// The stable code of the first error.
    pub fn code(&self) -> Code {
        self.diagnostics.first().map_or(Code::Internal, |d| d.code)
    }

    /// Where in the query the first error is; `None` if it is not about the query's text.
    pub fn span(&self) -> Option<Span> {
        self.diagnostics.first().and_then(|d| d.span)
    }

    /// All diagnostics; at least one.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The errors as text with carets under the query. `origin` is the name of the query's file, if
    /// any.
    pub fn render(&self, origin: Option<&str>, colour: bool) -> String {
        let query = self.query.as_deref().unwrap_or_default();
        let each = self.diagnostics.iter().map(|d| render_text(d, query, origin, colour));
        each.collect::<Vec<_>>().join("\n")
    }

    /// The errors as JSON objects, one per line.
    pub fn to_json(&self) -> String {
        self.diagnostics.iter().map(render_json).collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each = self.diagnostics.iter().map(ToString::to_string);
        f.write_str(&each.collect::<Vec<_>>().join("; "))
    }
}

impl std::error::Error for Error {}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic], query: None }
    }
}

impl From<dump::Error> for Error {
    fn from(error: dump::Error) -> Self {
        let code = match error {
            dump::Error::Io { .. } => Code::Io,
            dump::Error::NotADump { .. } => Code::BadFile,
            dump::Error::Cancelled { .. } => Code::Cancelled,
        };
        Diagnostic::new(code, error.to_string()).into()
    }
}

impl From<symbol::Error> for Error {
    fn from(error: symbol::Error) -> Self {
        Diagnostic::new(Code::Symbols, error.to_string()).into()
    }
}
