//! Minidumps of one process, from Windows and from the systems for which Breakpad, Crashpad and
//! LLDB write the same format.
//!
//! Opening reads the header, the directory and the system information; every table then reads the
//! streams that it needs. The crate `minidump` decodes records and the context records of rare
//! processors. Lists are walked here, because a damaged element must affect one cell and not the
//! list, and a count or a string in a damaged file must not decide how much memory is used.

mod bounds;
mod core;
mod critical_sections;
mod guest;
mod handles;
mod listing;
mod modules;
mod needed_symbols;
mod overview;
mod problems;
mod process;
mod raised;
mod regions;
mod registers;
mod stacks;
#[cfg(test)]
mod tests;
mod threads;

use std::sync::Arc;

use self::core::Core;
use crate::catalog::{SourceKind, Value};
use crate::dump::{Error, Image};
use crate::model::{AddressSpace, Answers, DynTable, Emit, Machine, Refused, Source, Unanswered};
use crate::source::suspects;
use crate::symbol::Store;

/// Opens a minidump.
///
/// # Errors
/// [`Error::NotADump`] if the header or the stream directory is damaged beyond use.
pub fn open(image: Image, symbols: &Store) -> Result<Box<dyn Source>, Error> {
    let core = Arc::new(Core::open(image, symbols)?);
    Ok(Box::new(UserSource { answers: answers(&core), core }))
}

/// The tables that a minidump fills.
fn answers(core: &Arc<Core>) -> Answers {
    Answers::of(core)
        .with(|core, _, emit| one(overview::dump_info(core), emit))
        .with(|core, want, emit| {
            one(overview::exception(core, suspects::of_exception(want))?, emit)
        })
        .with(|core, _, emit| overview::each_suspect(core, emit))
        .with(|core, _, emit| registers::each_register(core, emit))
        .with(|core, _, emit| one(process::process(core), emit))
        .with(threads::each_thread)
        .with(stacks::each_word)
        .with(stacks::each_frame)
        .with(|core, _, emit| overview::each_processor(core, emit))
        .with(modules::each_module)
        .with(|core, _, emit| modules::each_unloaded(core, emit))
        .with(|core, _, emit| regions::each_region(core, emit))
        .with(|core, _, emit| handles::each_handle(core, emit))
        .with(critical_sections::each_section)
        .with(needed_symbols::each_needed)
        .with(|core, _, emit| regions::each_range(core, emit))
        .with(|core, _, emit| {
            let _ = problems::findings(core).into_iter().try_for_each(|problem| emit.row(problem));
            Ok(())
        })
        .build()
}

/// Passes on the only row of a table.
#[allow(clippy::unnecessary_wraps, reason = "the signature of a table reader")]
fn one<R>(row: R, emit: Emit<'_, R>) -> Result<(), Unanswered> {
    let _ = emit.row(row);
    Ok(())
}

/// An open minidump and the tables that it fills.
#[derive(Debug)]
struct UserSource {
    core: Arc<Core>,
    answers: Answers,
}

impl Source for UserSource {
    fn kind(&self) -> SourceKind {
        SourceKind::User
    }

    fn machine(&self) -> Machine {
        self.core.machine()
    }

    fn answers(&self) -> &Answers {
        &self.answers
    }

    fn memory(&self) -> &dyn AddressSpace {
        &*self.core
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        listing::call(&self.core, name, args)
    }
}
