//! The table `problems`: what could not be read, and why.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::catalog::{Absent, ColumnBuilder, ColumnData, Ty};
use crate::session::{Error, Options, ResultSet, Session};

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Problem {
    /// The table; `None` if the problem concerns the whole dump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<String>,
    /// The code of the error, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) reason: String,
    /// The number of rows or places.
    pub(super) count: u64,
}

impl Problem {
    /// An error of a dump or of one of its tables. The path of the dump is removed, so that equal
    /// problems have equal reasons.
    pub(super) fn of(error: &Error, path: &Path, table: Option<&str>) -> Self {
        let message = error.diagnostics().first().map(|d| d.message.clone()).unwrap_or_default();
        let start = format!("{}: ", path.display());
        let reason = match message.strip_prefix(&start) {
            Some(rest) => rest.to_owned(),
            None => message,
        };
        Self {
            table: table.map(str::to_owned),
            column: None,
            code: Some(error.code().as_str().to_owned()),
            reason,
            count: 1,
        }
    }
}

/// The absent values and unanswered tables of a result.
pub(super) fn of_result(result: &ResultSet) -> Vec<Problem> {
    let mut all: Vec<Problem> = result
        .footnotes()
        .iter()
        .map(|note| Problem {
            table: Some(note.table.to_owned()),
            column: Some(note.column.to_owned()),
            code: None,
            reason: note.reason.as_str().to_owned(),
            count: note.count as u64,
        })
        .collect();
    all.extend(result.unread().iter().map(|unread| Problem {
        table: Some(unread.table.to_owned()),
        column: None,
        code: None,
        reason: unread.because.join("; "),
        count: 1,
    }));
    all
}

/// The problems as rows, with the name of the dump unless it is in the partition.
pub(super) fn rows(problems: &[Problem], dump: Option<&str>) -> Result<ResultSet, Error> {
    let text = |get: &dyn Fn(&Problem) -> Option<String>| {
        let mut column = ColumnBuilder::new(Ty::Text);
        for problem in problems {
            match get(problem) {
                Some(text) => column.push_text(Ok(&text)),
                None => column.push_text(Err(Absent::NotApplicable)),
            }
        }
        column.finish()
    };
    let mut counts = ColumnBuilder::new(Ty::Int);
    for problem in problems {
        counts.push_int(Ok(i64::try_from(problem.count).unwrap_or(i64::MAX)));
    }
    let mut columns: Vec<(String, ColumnData)> = Vec::new();
    let mut add = |name: &str, column| columns.push((name.to_owned(), column));
    if let Some(dump) = dump {
        add("dump", text(&|_| Some(dump.to_owned())));
    }
    add("table", text(&|p| p.table.clone()));
    add("column", text(&|p| p.column.clone()));
    add("code", text(&|p| p.code.clone()));
    add("reason", text(&|p| Some(p.reason.clone())));
    add("count", counts.finish());
    let session = Session::from_images(Vec::new(), &Options::default())?;
    session.attach_rows("extracted", columns)?;
    session.query("SELECT * FROM extracted")
}
