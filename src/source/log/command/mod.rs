//! The readers of commands: one file for each family, and one line for each in [`ALL`].
//!
//! A reader defines the names of its command, the lines by which its output is recognised if the
//! prompt is missing, the tables that it fills, and how lines become rows. It knows nothing of
//! files, prompts or the output of other readers.

use std::any::TypeId;

use super::Log;
use super::line::Lines;
use super::prompt;
use super::sink::Sink;
use crate::model::{AnswersOf, Row};

/// The command whose output is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// The command as typed, or the reader's name if the command was recognised by its output.
    pub(super) command: &'a str,
    /// Whether the prompt is that of a kernel.
    pub(super) is_kernel: bool,
    /// The processor of a kernel prompt, the thread of another.
    pub(super) number: Option<i64>,
}

impl Context<'_> {
    /// The arguments of the command.
    pub(super) fn arguments(&self) -> &str {
        self.command.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim())
    }
}

/// A characteristic line of a command's output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    /// A text that the line contains; one search finds the texts of all readers.
    pub(super) literal: &'static str,
    /// A further condition on the line.
    pub(super) check: fn(&str) -> bool,
}

/// A row type that a reader makes. A log provides the row types of its readers; there is no other
/// list of tables.
#[derive(Clone, Copy)]
pub(super) struct Fills {
    id: fn() -> TypeId,
    /// Adds the provider of the rows to those of the log.
    pub(super) register: fn(AnswersOf<Log>) -> AnswersOf<Log>,
}

impl Fills {
    /// Rows of type `R`.
    pub(super) const fn rows<R: Row>() -> Self {
        Self { id: TypeId::of::<R>, register: |answers| answers.with(Log::rows::<R>) }
    }

    /// Whether the rows are of that type.
    pub(super) fn is<R: Row>(self) -> bool {
        (self.id)() == TypeId::of::<R>()
    }
}

/// How one command's output is read.
pub(super) struct Reader {
    /// The name, as users type it.
    pub(super) name: &'static str,
    /// Whether a command name (lower case, without library and arguments) belongs to this reader.
    pub(super) is_named: fn(&str) -> bool,
    /// Lines by which the output is recognised.
    pub(super) signatures: &'static [Signature],
    /// Readers whose output may occur inside this one's; this reader reads it then.
    pub(super) contains: &'static [&'static str],
    /// The rows that it makes.
    pub(super) fills: &'static [Fills],
    /// Reads the output.
    pub(super) read: fn(&Context<'_>, &mut Lines<'_>, &mut Sink<'_>),
}

impl Reader {
    /// Whether it makes rows of that type.
    pub(super) fn makes<R: Row>(&self) -> bool {
        self.fills.iter().any(|fills| fills.is::<R>())
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reader").field(&self.name).finish()
    }
}

mod analyze;
mod apc;
mod banner;
mod bugcheck;
mod bytes;
mod checks;
mod critical_section;
mod deadlock;
mod drivers;
mod exception;
mod facts;
mod handle_trace;
mod irp;
mod irpfind;
mod listing;
mod lists;
mod lm;
mod locks;
mod managed;
mod memory_words;
mod memusage;
mod mex;
mod object_model;
mod objects;
mod page_table;
mod pool;
mod poolused;
mod process;
mod processor;
mod queues;
mod ready;
mod registers;
mod report;
mod running;
mod stack;
mod stacks;
mod structure;
mod symbols;
mod thread;
mod user;
mod verifier;
mod vm;

/// Every reader. If several recognise a line, the first is used.
pub(super) static ALL: &[&Reader] = &[
    &analyze::READER,
    &banner::READER,
    &banner::LOADS,
    &bugcheck::READER,
    &exception::RECORD,
    &exception::EVENT,
    &running::READER,
    &process::READER,
    &ready::READER,
    &stacks::READER,
    &thread::READER,
    &irpfind::READER,
    &irp::READER,
    &poolused::READER,
    &pool::MAP,
    &checks::POOLVAL,
    &checks::BLOCKED,
    &checks::DEFWRITES,
    &checks::ERRREC,
    &pool::READER,
    &vm::READER,
    &memusage::READER,
    &memusage::SESSION,
    &locks::READER,
    &critical_section::READER,
    &handle_trace::READER,
    &mex::READER,
    &lm::READER,
    &objects::HANDLE,
    &objects::OBJECT,
    &drivers::DRVOBJ,
    &drivers::DEVOBJ,
    &processor::READER,
    &processor::DPCS,
    &queues::TIMER,
    &queues::EXQUEUE,
    &user::TILDE,
    &user::RUNAWAY,
    &user::TEB,
    &user::PEB,
    &user::ADDRESS,
    &report::FLTKD,
    &verifier::READER,
    &report::QLOCKS,
    &deadlock::READER,
    &report::SYSPTES,
    &report::FILECACHE,
    &report::IDT,
    &apc::READER,
    &page_table::READER,
    &structure::READER,
    &object_model::READER,
    &bytes::READER,
    &symbols::SYMBOLS,
    &symbols::LOCALS,
    &managed::STACK,
    &managed::THREADS,
    &managed::EXCEPTION,
    &lists::PROCESSES,
    &lists::DML,
    &lists::FOUND_HANDLES,
    &lists::VADS,
    &facts::ERROR,
    &facts::LAST_ERROR,
    &facts::IRQL,
    &facts::EXPLOITABLE,
    &facts::READER,
    &registers::READER,
    &stack::READER,
    &memory_words::READER,
    &listing::READER,
];

/// The reader of a typed command: by its name, else by its extension library.
pub(super) fn typed(command: &str) -> Option<usize> {
    let by_library = || {
        ALL.iter()
            .position(|reader| facts::is_of_library(command) && reader.name == facts::READER.name)
    };
    named(&prompt::name(command)).or_else(by_library)
}

/// The reader of a command by its name.
pub(super) fn named(name: &str) -> Option<usize> {
    ALL.iter().position(|reader| (reader.is_named)(name))
}
