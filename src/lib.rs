//! dumpql: an embeddable SQL-like query language over Windows crash dumps.
//!
//! A [`Session`] holds open dumps and runs queries over them; a [`ResultSet`] holds typed columns.
//!
//! ```
//! let session = dumpql::Session::sample()?;
//! for row in session.query("SELECT name, base FROM modules ORDER BY base LIMIT 3")?.rows() {
//!     assert!(row.named("base").and_then(|base| base.as_addr()).is_some());
//! }
//! # Ok::<(), dumpql::Error>(())
//! ```
//!
//! [`Session::prepare`] gives a query parameters, a token that cancels it, a deadline, and memory of
//! its own. [`extend`] is for programs that add tables, functions and sources; [`output`] writes
//! results as files.
//!
//! Features: `cli` (the program), `excel` (workbooks), `mcp` (the server for assistants), `net` (symbol
//! servers, dumps on HTTP servers); all are on by default.

mod catalog;
#[cfg(feature = "cli")]
mod cli;
mod code;
mod diag;
mod dump;
mod exec;
mod export;
mod func;
mod import;
mod lang;
#[cfg(feature = "mcp")]
mod mcp;
mod memory;
mod model;
mod parts;
mod plan;
mod session;
mod source;
mod symbol;
mod synth;
mod table;
mod time;
mod unwind;

pub use catalog::{
    Absent, Blob, ColumnBuilder, ColumnData, DecimalTy, Format, ListTy, MapTy, Nested,
    PointerWidth, StructTy, Ty, Value, Values,
};
pub use diag::{Code, Diagnostic, Span};
pub use dump::{Image, RangeReader, is_url};
pub use exec::{ColumnView, Field, Footnote, FromValue, ResultSet, Row, Unread};
pub use session::{
    CancelToken, Error, Options, Params, Prepared, QueryProgress, Session, sample_file,
};

/// The version of polars of the frames that [`ResultSet::to_data_frame`] returns.
pub use polars;
/// The version of polars-arrow of the batches and streams that [`ResultSet::record_batches`] and
/// [`ResultSet::to_arrow_stream`] return.
pub use polars_arrow;

/// The shipped queries, and the parameters of saved queries.
pub mod library {
    pub use crate::lang::{SavedParam, SavedPattern, SavedQuery};
    pub use crate::session::{Called, Library, find_query, library, parameters, typed_parameters};
}

/// Writes results as files: CSV, TSV, JSON, Markdown, HTML, Excel workbooks, and charts.
pub mod output {
    pub use crate::export::{FileFormat, Note, Sheet, write, write_file};
    /// Results as charts.
    pub mod chart {
        pub use crate::export::chart::{
            ChartKind, Data, Spec, TextLook, Theme, write_png, write_svg, write_text,
        };
    }
    /// Reports: sections of text, evidence and charts.
    pub mod report {
        pub use crate::export::report::{Report, Section, write_html, write_markdown};
    }
}

/// The keywords and tokens of the language, for editors.
pub mod syntax {
    pub use crate::session::{KEYWORDS, Token, TokenKind, is_complete, tokens};
}

/// Definitions that a program can add to a session: tables, functions, aggregates, table functions
/// and sources.
///
/// Queries, listings, EXPLAIN and suggestions treat them like built-in ones.
/// [`Session::add_table`], [`Session::add_scalar`], [`Session::add_aggregate`],
/// [`Session::add_table_function`] and [`Session::add_source`] take them; `examples/` has one of
/// each.
///
/// [`Session::add_table`]: crate::Session::add_table
/// [`Session::add_scalar`]: crate::Session::add_scalar
/// [`Session::add_aggregate`]: crate::Session::add_aggregate
/// [`Session::add_table_function`]: crate::Session::add_table_function
/// [`Session::add_source`]: crate::Session::add_source
pub mod extend {
    pub use crate::catalog::{
        Batch, CallColumn, Cell, ColumnSpec, Data, Example, FunctionKind, FunctionSpec, Hint,
        HintOp, Kinds, OfNoRows, Signature, SourceKind, TableSpec, Unit, intern,
    };
    pub use crate::exec::{Accumulator, ArrowBatches, ArrowColumns, ArrowTable, struct_array};
    pub use crate::func::{DynTable, Fault, FuncCx, Refused, TableFunction};
    pub use crate::model::{
        AddressSpace, Answers, AnswersOf, ColumnId, ColumnsOf, Condition, Control, DynRow, Emit,
        Fill, Flow, Located, LogPlace, Machine, NoMemory, OfRow, Progress, Provider, Row, RowSink,
        Source, Unanswered, Want,
    };
    /// The rows of the built-in tables, for sources that fill them. Versions add fields, so a row starts
    /// as its `default()`, and the source sets the fields that it knows.
    pub mod rows {
        pub use crate::model::{
            AnalysisKey, Apc, BigBlock, BlockedDriver, Bugcheck, Callback, CoverageRange,
            CriticalSection, DeadlockStep, Device, Dispatch, Dpc, Driver, DumpInfo,
            EnvironmentVariable, ErrorFact, Exception, ExtensionFact, Filter, Frame, Handle,
            Instruction, InterruptVector, Irp, IrpLocation, KernelObject, KnownSymbol, Local, Lock,
            LockEntry, LockOwner, LockWaiter, LogCommand, MappedFile, MemoryBytes, MemoryList,
            MemoryRegion, Module, NeededSymbol, ObjectType, PageFile, PageTableEntry, PoolBlock,
            PoolFailure, PoolFault, PoolPage, PoolTag, Problem, Process, Processor, QueuedLock,
            ReadyThread, Register, SessionSpace, StackWord, StructureField, Suspect, SystemCall,
            SystemPte, Thread, Timer, UnloadedModule, Vad, VerifierFact, VerifierFrame, VmCounter,
            WaitObject, WorkItem, WorkQueue,
        };
    }

    pub use crate::table::{
        Column, Cx, FromRow, Get, NamedSource, Rows, Scan, ScanError, ScanRequest, Table, TableDef,
        text,
    };
}

/// The examples on the documentation page for programs that embed the library.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct EmbeddingPage;

/// The modules of the source, for the project's own tests and benchmarks. They are not part of the
/// interface and may change with any version.
#[doc(hidden)]
pub mod internals {
    macro_rules! rooms {
        ($($(#[$attribute:meta])* $room:ident),* $(,)?) => {
            $($(#[$attribute])* pub mod $room {
                pub use crate::$room::*;
            })*
        };
    }

    rooms! {
        catalog, #[cfg(feature = "cli")] cli, code, diag, dump, exec, export, func, import, lang, memory,
        model, plan, session, source, symbol, synth, table, time, unwind,
    }
}
