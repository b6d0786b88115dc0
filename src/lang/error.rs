//! What pest could not read, in the words of a person.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::lexer::Token;
use super::syntax::Rule;
use crate::diag::{Code, Diagnostic, Span};

/// The failure as a diagnostic.
pub(super) fn explain(failure: &Error<Rule>, text: &str, tokens: &[Token]) -> Diagnostic {
    let at = match failure.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let _ = (text, tokens);
    let positives = match &failure.variant {
        ErrorVariant::ParsingError { positives, .. } => format!("{positives:?}"),
        ErrorVariant::CustomError { message } => message.clone(),
    };
    Diagnostic::at(Code::Syntax, Span::new(at, at + 1), positives)
}
