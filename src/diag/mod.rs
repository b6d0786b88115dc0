//! Diagnostics: what is wrong, where, and what to write instead.
//!
//! Every stage raises a [`Diagnostic`]; only `render` knows how it is displayed. This module
//! depends on neither queries nor dumps.

mod code;
mod render;

use std::fmt;

pub use code::Code;
pub use render::{render_json, render_text};

/// A range of bytes of the query text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end`; positions beyond 4 GiB are clamped.
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end) }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One error: a code, a message, the text it is about, and help.
///
/// Messages are in lower case, without a final full stop, say what was found and what was expected,
/// and do not say "you". Help says what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code (`E0201`).
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where in the query text; `None` for errors of sources and files.
    pub span: Option<Span>,
    /// A few words shown right at the caret.
    pub label: Option<String>,
    /// Further positions with their labels.
    pub also: Vec<(Span, String)>,
    /// What to write instead, similar names, what is available; one entry per line.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error about the text at `span`.
    pub fn at(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::new(code, message) }
    }

    /// An error that is not about query text.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span: None,
            label: None,
            also: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Adds the words shown at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another position and its label.
    #[must_use]
    pub fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds help with similar names: the candidates closest to `name`, if any is close.
    #[must_use]
    pub fn nearest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let near = nearest(name, candidates);
        if near.is_empty() {
            self
        } else {
            self.help(format!("similar names: {}", near.join(", ")))
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Up to three of `candidates` that differ from `name` by a few edits or contain it, nearest first.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = name.to_ascii_lowercase();
    let limit = (wanted.chars().count() / 3).max(1);
    let wanted_start = start_of(&wanted);
    let mut scored: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let lower = candidate.to_ascii_lowercase();
            let distance = strsim::osa_distance(wanted_start, start_of(&lower));
            let contains =
                wanted.len() >= 3 && (lower.contains(&wanted) || wanted.contains(&lower));
            (distance <= limit || contains).then_some((distance, candidate))
        })
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The prefix of a name that is compared, because a name in a query may be of any length.
fn start_of(name: &str) -> &str {
    name.char_indices().nth(64).and_then(|(at, _)| name.get(..at)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn similar_names_are_sorted_by_distance() {
        assert_eq!(nearest("thread", ["modules", "threads", "handles"]), ["threads"]);
        assert_eq!(nearest("moduels", ["modules", "threads"]), ["modules"]);
        assert!(nearest("x", ["modules", "threads"]).is_empty());
    }
}
