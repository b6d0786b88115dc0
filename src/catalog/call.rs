//! The result of a table function call, known once its arguments are.

use super::{Format, FunctionSpec, Ty, Value};

/// One column of the rows that a call gives. Its name may come from a dump or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallColumn {
    /// The name; unique among the call's columns, compared without regard to ASCII case.
    pub name: String,
    /// The type of the values.
    pub ty: Ty,
    /// How numbers are shown.
    pub format: Format,
    /// Whether `SELECT *` leaves the column out.
    pub hidden: bool,
}

impl CallColumn {
    /// A visible column that is shown as its type is.
    pub fn new(name: impl Into<String>, ty: Ty) -> Self {
        Self { name: name.into(), ty, format: Format::Plain, hidden: false }
    }

    /// A visible integer column that is shown in hex.
    pub fn hex(name: impl Into<String>) -> Self {
        Self { format: Format::Hex, ..Self::new(name, Ty::Int) }
    }
}

/// Why a call of a table function gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// An argument does not name anything, or makes no sense.
    Argument {
        /// Which, from 0.
        index: usize,
        /// What is wrong with it: lower case, no final stop.
        message: String,
        /// The names that would be valid; the nearest are shown.
        candidates: Vec<String>,
    },
    /// No open source can answer it; a line a source (`sample is a triage dump`).
    NoSource(Vec<String>),
    /// The query was cancelled.
    Cancelled,
    /// The rows are more than may be held.
    Limit(String),
}

/// Knows the columns of a call. Planning asks it, and knows nothing else about the open sources.
pub trait TableFunctions {
    /// The columns of the call. The arguments have the types of a signature; where an `ADDRESS` is
    /// taken, text is the name of a symbol; optional ones may be NULL, or missing from the end.
    ///
    /// # Errors
    /// What is wrong with the arguments, or that nothing open answers.
    fn describe(
        &self,
        function: &'static FunctionSpec,
        args: &[Value<'static>],
    ) -> Result<Vec<CallColumn>, CallError>;
}
