//! Why a value is not there.

use std::fmt;

/// The reason a cell of a virtual table has no value. SQL sees NULL; `why(column)` gives the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Absent {
    /// The page or stream that holds the value was not written into the dump.
    NotInDump = 1,
    /// The page was in the page file when the dump was made.
    PagedOut = 2,
    /// The bytes are there and contradict themselves, so no value can be believed.
    Unreadable = 3,
    /// The place of the value is known only to type information that was not found.
    NoSymbols = 4,
    /// The value does not exist for this row or this kind of source.
    NotApplicable = 5,
    /// The page was promised to a process and never touched, so that there was nothing to write.
    DemandZero = 6,
}

/// A value of a virtual table, or the reason there is none.
pub type Cell<T> = Result<T, Absent>;

impl Absent {
    /// Every reason, in the order of severity in which footers list them.
    pub const ALL: [Self; 6] = [
        Self::Unreadable,
        Self::NotInDump,
        Self::PagedOut,
        Self::DemandZero,
        Self::NoSymbols,
        Self::NotApplicable,
    ];

    /// The words a person reads, as `why(column)` returns them.
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

    /// The reason behind a code of [`crate::catalog::ColumnData::absent`]; `None` for 0 (present).
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
