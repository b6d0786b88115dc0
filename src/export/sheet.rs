//! The input of the writers: results with their titles, and facts about the dumps.

use super::chart::Spec;
use crate::exec::ResultSet;

/// A result and what to call it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Sheet<'a> {
    /// The title: a sheet's name, a heading.
    pub title: &'a str,
    /// The query, for readers who want to know where rows come from.
    pub query: &'a str,
    /// The rows.
    pub result: &'a ResultSet,
    /// What the rows mean and how to read them; may be empty.
    pub about: &'a str,
    /// The chart that shows them.
    pub chart: Option<&'a Spec>,
}

impl<'a> Sheet<'a> {
    /// A result without a word about it.
    pub const fn new(title: &'a str, query: &'a str, result: &'a ResultSet) -> Self {
        Self { title, query, result, about: "", chart: None }
    }

    /// What to call a picture of it: the first sentence about it, or its title.
    pub(super) fn heading(&self) -> &'a str {
        let first = self.about.split(". ").next().unwrap_or_default().trim_end_matches('.');
        if first.is_empty() { self.title } else { first }
    }

    /// The same with what the rows mean.
    #[must_use]
    pub const fn with_about(self, about: &'a str) -> Self {
        Self { about, ..self }
    }

    /// The same with a chart.
    #[must_use]
    pub const fn with_chart(self, chart: Option<&'a Spec>) -> Self {
        Self { chart, ..self }
    }
}

/// Facts in addition to the results, as names and values.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// The title.
    pub title: String,
    /// Names and values.
    pub rows: Vec<(String, String)>,
}
