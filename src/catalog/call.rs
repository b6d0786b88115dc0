//! The columns of a table function call, which are known once its arguments are.

use super::{Format, FunctionSpec, Ty, Value};

/// One column of the rows of a call. Its name may come from a dump or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallColumn {
    /// The name; unique among the call's columns, ignoring ASCII case.
    pub name: String,
    /// The type of the values.
    pub ty: Ty,
    /// How numbers are shown.
    pub format: Format,
    /// Whether `SELECT *` leaves the column out.
    pub hidden: bool,
}

impl CallColumn {
    /// A visible column with the default format of its type.
    pub fn new(name: impl Into<String>, ty: Ty) -> Self {
        Self { name: name.into(), ty, format: Format::Plain, hidden: false }
    }

    /// A visible integer column in hexadecimal.
    pub fn hex(name: impl Into<String>) -> Self {
        Self { format: Format::Hex, ..Self::new(name, Ty::Int) }
    }
}

/// Why a call of a table function has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// An argument is invalid, or names something that does not exist.
    Argument {
        /// The index of the argument, from 0.
        index: usize,
        /// What is wrong with it: in lower case, without a final full stop.
        message: String,
        /// The valid names; the most similar ones are shown.
        candidates: Vec<String>,
    },
    /// No open source can answer the call; one line per source (`sample is a triage dump`).
    NoSource(Vec<String>),
    /// The query was cancelled.
    Cancelled,
    /// There are more rows than the limit allows.
    Limit(String),
}

/// Knows the columns of a call. Planning uses this trait, and nothing else of the open sources.
pub trait TableFunctions {
    /// The columns of the call. The arguments have the types of a signature; for an `ADDRESS`, a
    /// text is the name of a symbol; optional arguments may be NULL, or missing from the end.
    ///
    /// # Errors
    /// If an argument is invalid, or no open source can answer the call.
    fn describe(
        &self,
        function: &'static FunctionSpec,
        args: &[Value<'static>],
    ) -> Result<Vec<CallColumn>, CallError>;
}
