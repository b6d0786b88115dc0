//! The stable codes of errors.

use std::fmt;

/// The kind of an error. A code never changes its meaning; documentation lists all codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// A syntax error.
    Syntax,
    /// The text nests deeper than the limit.
    TooDeep,
    /// A literal is out of range or malformed.
    BadLiteral,
    /// There is no table with that name.
    UnknownTable,
    /// There is no column with that name.
    UnknownColumn,
    /// The name matches several columns.
    AmbiguousColumn,
    /// There is no function with that name.
    UnknownFunction,
    /// The types are incompatible.
    TypeMismatch,
    /// Wrong number or types of arguments.
    BadArguments,
    /// A rule about grouping is broken.
    Grouping,
    /// A parameter has no value, or one of the wrong type.
    Parameter,
    /// An unsupported part of the language.
    Unsupported,
    /// Any other rule of the language is broken.
    BadQuery,
    /// No source can answer the table.
    NoSource,
    /// A number out of range at run time.
    Overflow,
    /// Text could not be converted.
    Conversion,
    /// A scalar sub-query returned more than one row.
    Cardinality,
    /// `--strict`: a value could not be read.
    Strict,
    /// The query was cancelled.
    Cancelled,
    /// The query needs more memory or rows than the limit.
    Limit,
    /// The query was not finished at its deadline.
    Deadline,
    /// A file is not a dump that can be read.
    BadFile,
    /// An error of the file system.
    Io,
    /// Symbols or layouts could not be read.
    Symbols,
    /// An internal error of dumpql.
    Internal,
}

impl Code {
    /// All codes, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::TooDeep,
        Self::BadLiteral,
        Self::UnknownTable,
        Self::UnknownColumn,
        Self::AmbiguousColumn,
        Self::UnknownFunction,
        Self::TypeMismatch,
        Self::BadArguments,
        Self::Grouping,
        Self::Parameter,
        Self::Unsupported,
        Self::BadQuery,
        Self::NoSource,
        Self::Overflow,
        Self::Conversion,
        Self::Cardinality,
        Self::Strict,
        Self::Cancelled,
        Self::Limit,
        Self::Deadline,
        Self::BadFile,
        Self::Io,
        Self::Symbols,
        Self::Internal,
    ];

    /// The code as it is printed.
    pub const fn as_str(self) -> &'static str {
        self.parts().0
    }

    /// One sentence that explains the code.
    pub const fn doc(self) -> &'static str {
        self.parts().1
    }

    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Syntax => ("E0101", "The text is not a query of the language."),
            Self::TooDeep => ("E0102", "The query nests deeper than the limit."),
            Self::BadLiteral => ("E0103", "A literal is out of range or not of its form."),
            Self::UnknownTable => {
                ("E0201", "No table, view or common table expression has that name.")
            }
            Self::UnknownColumn => ("E0202", "No column in scope has that name."),
            Self::AmbiguousColumn => ("E0203", "Several columns in scope have that name."),
            Self::UnknownFunction => ("E0204", "No function has that name."),
            Self::TypeMismatch => {
                ("E0205", "An operator or clause was given types that it does not take.")
            }
            Self::BadArguments => {
                ("E0206", "A function was given a wrong number of arguments, or wrong types.")
            }
            Self::Grouping => (
                "E0207",
                "A column is neither grouped nor aggregated, or an aggregate stands where none may.",
            ),
            Self::Parameter => {
                ("E0208", "A query parameter has no value, or one that does not fit its type.")
            }
            Self::Unsupported => (
                "E0209",
                "The construct is known and not available: it is SQL of other dialects, or the program does not allow it.",
            ),
            Self::BadQuery => ("E0210", "The query breaks a rule of the language."),
            Self::NoSource => ("E0301", "None of the open sources can answer the table."),
            Self::Overflow => ("E0302", "A number left the range of its type while the query ran."),
            Self::Conversion => ("E0303", "A value could not be converted to the type asked for."),
            Self::Cardinality => ("E0304", "A scalar sub-query returned more than one row."),
            Self::Strict => ("E0305", "With --strict, a value could not be read."),
            Self::Cancelled => ("E0306", "The query was cancelled."),
            Self::Limit => ("E0307", "The query exceeds a limit on rows or memory."),
            Self::Deadline => ("E0308", "The query was not done at its deadline."),
            Self::BadFile => ("E0401", "The file is not a dump that can be read."),
            Self::Io => ("E0402", "A file could not be opened, read or written."),
            Self::Symbols => ("E0403", "A symbol or layout file could not be used."),
            Self::Internal => ("E0901", "A defect of dumpql; the query is not at fault."),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
