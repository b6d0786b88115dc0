//! What a dump means: rows such as [`Thread`] and [`Module`], and [`Source`], which answers them.
//!
//! A row is a plain struct of [`Cell`]s: each field is a value or the reason that there is none.
//! `Default` gives a row of which everything is "not applicable", so that a source states only
//! what it knows. The model knows nothing of files, symbols, tables or queries.

mod call;
mod code;
mod hardware;
mod hooks;
mod io;
mod locks;
mod log;
mod modules;
mod objects;
mod overview;
mod pool;
mod process;
mod progress;
mod report;
mod scheduling;
mod source;
mod threads;
mod vm;
mod want;

pub use call::{
    DynRow, DynRows, DynTable, Refused, address_argument, count_argument, text_argument,
};
pub use code::{Instruction, NeededSymbol};
pub use hardware::{CoverageRange, MemoryRegion, Processor, Register};
pub use hooks::{Callback, InterruptVector, SystemCall, VerifierFrame};
pub use io::{Device, Dispatch, Driver, Irp, IrpLocation};
pub use locks::{CriticalSection, Lock, LockEntry, LockOwner, LockWaiter};
pub use log::LogCommand;
pub use modules::{Module, UnloadedModule};
pub use objects::{KernelObject, ObjectType, Vad};
pub use overview::{Bugcheck, DumpInfo, Exception, Problem};
pub use pool::{BigBlock, PoolBlock, PoolPage, PoolTag};
pub use process::{Handle, Process, Thread};
pub use progress::{Progress, Searching};
pub use report::{
    Apc, BlockedDriver, DeadlockStep, ErrorFact, Filter, MappedFile, PageTableEntry, PoolFault,
    QueuedLock, SystemPte, VerifierFact,
};
pub use scheduling::{Dpc, ReadyThread, Timer, WorkItem, WorkQueue};
pub use source::{Emit, Fill, Flow, Located, Machine, Parts, Source, Unanswered};
pub use threads::{Frame, StackWord, WaitObject};
pub use vm::{MemoryList, PageFile, PoolFailure, SessionSpace, VmCounter};
pub use want::{Condition, Want};

use std::sync::Arc;

use crate::catalog::{Absent, Cell};

/// A field of which nothing is known to exist.
pub(crate) const fn none<T>() -> Cell<T> {
    Err(Absent::NotApplicable)
}

/// Where in a debugger log a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// Number of the line, from 1.
    pub line: u64,
    /// The command whose output it is in.
    pub command: Arc<str>,
}

/// A row that may come from a debugger log.
pub trait Logged {
    /// Where it stands there; `None` for rows of dumps.
    fn log_place(&self) -> Option<&LogPlace> {
        None
    }
}

/// Declares a row: a struct whose fields are all [`Cell`]s, with a `Default` of "not applicable".
macro_rules! row {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $crate::catalog::Cell<$ty>,)*
            /// Where the log says so, for rows of a debugger log.
            pub log: Option<$crate::model::LogPlace>,
        }

        impl $name {
            /// Takes over the values that this row does not have and another of the same object has.
            pub fn complete_with(&mut self, other: Self) {
                $(if self.$field.is_err() && other.$field.is_ok() {
                    self.$field = other.$field;
                })*
            }
        }

        impl $crate::model::Logged for $name {
            fn log_place(&self) -> Option<&$crate::model::LogPlace> {
                self.log.as_ref()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::model::none(),)* log: None }
            }
        }
    };
}
pub(crate) use row;
