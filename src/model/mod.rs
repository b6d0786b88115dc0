//! The model of a dump: rows such as [`Thread`] and [`Module`], and [`Source`], which provides
//! them.
//!
//! A row is a plain struct of [cells](crate::catalog::Cell): each field is a value, or the reason
//! why there is none. [`Answers`] finds the provider of a row type; [`Want`] says what a scan
//! needs. `Default` returns a row in which every field is "not applicable", so a source sets only
//! what it knows. The model knows nothing about files, symbols, tables or queries.

mod answers;
mod call;
mod code;
mod environment;
mod hardware;
mod hooks;
mod io;
mod locks;
mod log;
mod modules;
mod objects;
mod overview;
mod pool;
mod printed;
mod process;
mod progress;
mod report;
mod row;
mod scheduling;
mod source;
mod threads;
mod vm;
mod want;

pub use answers::{Answers, AnswersOf, Emit, Fill, Flow, Provider, RowSink, Unanswered, in_turn};
pub use call::{
    DynRow, DynRows, DynTable, Refused, address_argument, count_argument, text_argument,
};
pub use code::{Instruction, NeededSymbol};
pub use environment::EnvironmentVariable;
pub use hardware::{CoverageRange, MemoryRegion, Processor, Register};
pub use hooks::{Callback, InterruptVector, SystemCall, VerifierFrame};
pub use io::{Device, Dispatch, Driver, Irp, IrpLocation};
pub use locks::{CriticalSection, Lock, LockEntry, LockOwner, LockWaiter};
pub use log::LogCommand;
pub use modules::{Module, UnloadedModule};
pub use objects::{KernelObject, ObjectType, Vad};
pub use overview::{Bugcheck, DumpInfo, Exception, Problem, Suspect};
pub use pool::{BigBlock, PoolBlock, PoolPage, PoolTag};
pub use printed::{AnalysisKey, ExtensionFact, KnownSymbol, Local, MemoryBytes, StructureField};
pub use process::{Handle, Process, Thread};
pub use progress::{Progress, Searching};
pub use report::{
    Apc, BlockedDriver, DeadlockStep, ErrorFact, Filter, MappedFile, PageTableEntry, PoolFault,
    QueuedLock, SystemPte, VerifierFact,
};
pub use row::{ColumnId, ColumnsOf, LogPlace, OfRow, Row, none};
pub use scheduling::{Dpc, ReadyThread, Timer, WorkItem, WorkQueue};
pub use source::{AddressSpace, Located, Machine, NoMemory, Source};
pub use threads::{Frame, StackWord, WaitObject};
pub use vm::{MemoryList, PageFile, PoolFailure, SessionSpace, VmCounter};
pub use want::{Condition, Control, Want};

pub(crate) use crate::row;
