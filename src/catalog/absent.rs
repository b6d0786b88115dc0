//! Why a value is absent.

use std::fmt;

/// The reason a cell of a virtual table has no value. SQL sees NULL; `why(column)` gives the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Absent {
    /// The page or stream that holds the value was not written to the dump.
    NotInDump = 1,
    /// The page was in the page file when the dump was written.
    PagedOut = 2,
    /// The bytes are in the dump but invalid, so no value can be trusted.
    Unreadable = 3,
    /// The location of the value needs symbols or type information that were not found.
    NoSymbols = 4,
    /// The value does not exist for this row or this kind of source.
    NotApplicable = 5,
    /// The page is committed but was never accessed, so it has no contents.
    DemandZero = 6,
}

/// A value of a virtual table, or the reason there is none.
pub type Cell<T> = Result<T, Absent>;

impl Absent {
    /// All reasons, in the order of severity in which footers list them.
    pub const ALL: [Self; 6] = [
        Self::Unreadable,
        Self::NotInDump,
        Self::PagedOut,
        Self::DemandZero,
        Self::NoSymbols,
        Self::NotApplicable,
    ];

    /// The text that users see, as `why(column)` returns it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotInDump => "not in dump",
            Self::PagedOut => "paged out",
            Self::Unreadable => "unreadable",
            Self::NoSymbols => "no symbols",
            Self::NotApplicable => "not applicable",
            Self::DemandZero => "demand zero",
        }
    }

    /// The reason for a code of [`crate::catalog::ColumnData::absent`]; `None` for 0 (present).
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::NotInDump),
            2 => Some(Self::PagedOut),
            3 => Some(Self::Unreadable),
            4 => Some(Self::NoSymbols),
            5 => Some(Self::NotApplicable),
            6 => Some(Self::DemandZero),
            _ => None,
        }
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
