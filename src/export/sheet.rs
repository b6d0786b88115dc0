//! The input of the writers: results with their titles, and facts about the dumps.

use crate::exec::ResultSet;

/// A result and what to call it.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// The title: a sheet's name, a heading.
    pub title: &'a str,
    /// The query, for readers who want to know where rows come from.
    pub query: &'a str,
    /// The rows.
    pub result: &'a ResultSet,
}

/// Facts in addition to the results, as names and values.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// The title.
    pub title: String,
    /// Names and values.
    pub rows: Vec<(String, String)>,
}
