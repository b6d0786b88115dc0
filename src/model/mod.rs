//! What a dump means: rows such as [`Thread`] and [`Module`], and [`Source`], which answers them.
//!
//! A row is a plain struct of [`Cell`]s: each field is a value or the reason that there is none.
//! `Default` gives a row of which everything is "not applicable", so that a source states only
//! what it knows. The model knows nothing of files, symbols, tables or queries.

mod hardware;
mod modules;
mod overview;
mod process;
mod source;

pub use hardware::{CoverageRange, MemoryRegion, Processor, Register};
pub use modules::{Module, UnloadedModule};
pub use overview::{Bugcheck, DumpInfo, Exception, Problem};
pub use process::{Handle, Process, Thread};
pub use source::{Emit, Flow, Located, Machine, Source, Unanswered, Want};

use crate::catalog::{Absent, Cell};

/// A field of which nothing is known to exist.
pub(crate) const fn none<T>() -> Cell<T> {
    Err(Absent::NotApplicable)
}

/// Declares a row: a struct whose fields are all [`Cell`]s, with a `Default` of "not applicable".
macro_rules! row {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $crate::catalog::Cell<$ty>,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::model::none(),)* }
            }
        }
    };
}
pub(crate) use row;
