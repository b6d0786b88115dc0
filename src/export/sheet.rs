//! The input of the writers: results with their titles, and facts about the dumps.

use super::chart::Spec;
use crate::exec::ResultSet;

/// A result and its description.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Sheet<'a> {
    /// The title, for sheet names and headings.
    pub title: &'a str,
    /// The query that gave the rows.
    pub query: &'a str,
    /// The rows.
    pub result: &'a ResultSet,
    /// What the rows mean and how to read them; may be empty.
    pub about: &'a str,
    /// The chart that shows them.
    pub chart: Option<&'a Spec>,
}

impl<'a> Sheet<'a> {
    /// A result without a description and a chart.
    pub const fn new(title: &'a str, query: &'a str, result: &'a ResultSet) -> Self {
        Self { title, query, result, about: "", chart: None }
    }

    /// The heading of a picture: the first sentence of the description, or the title.
    pub(super) fn heading(&self) -> &'a str {
        let first = self.about.split(". ").next().unwrap_or_default().trim_end_matches('.');
        if first.is_empty() { self.title } else { first }
    }

    /// Adds a description of the rows.
    #[must_use]
    pub const fn with_about(self, about: &'a str) -> Self {
        Self { about, ..self }
    }

    /// Adds a chart.
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
