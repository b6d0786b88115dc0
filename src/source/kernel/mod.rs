//! Kernel dumps: reads the header, the triage block and the memory of the dump.
//!
//! Triage dumps are read from the memory ranges that they hold, all others from their physical
//! pages through page tables. `core` has what every reader needs. The readers are functions over
//! it, in folders by subject; a reader gets the state of other readers that it uses as arguments.

mod batches;
mod core;
mod crash;
mod hooks;
mod images;
mod io;
mod locks;
mod mm;
mod objects;
mod pool;
mod process;
mod scheduler;
mod stack;
mod wanted;

use std::sync::Arc;

use self::core::code::Program;
use self::core::{Core, unloaded};
use self::crash::{bugcheck, overview, registers, whea};
use self::hooks::service_tables::ServiceTables;
use self::hooks::{callbacks, interrupts, services};
use self::images::{modules, needed};
use self::io::state::Io;
use self::io::{devices, driver_rows, irps, traces};
use self::locks::{autoboost, resources, spin_locks, waiters};
use self::mm::mi_state::MiState;
use self::mm::page_files::PageFiles;
use self::mm::{counters, page_files, sessions, vads};
use self::objects::manager::ObjectManager;
use self::objects::{directory, handles};
use self::pool::state::Pool;
use self::pool::{failures, pages, rows, tags};
use self::process::{environment, processes};
use self::scheduler::timer::Timers;
use self::scheduler::work_queues::WorkQueues;
use self::scheduler::{dpcs, processors, ready, threads, timers, waits, work};
use self::stack::stack_rows;
use crate::catalog::{SourceKind, Value};
use crate::dump::header::DumpType;
use crate::dump::{Error, Format, Image};
use crate::model::{
    AddressSpace, Answers, DynTable, Emit, Machine, Refused, Row, Source, Unanswered, Want,
};
use crate::source::{listing, typed};
use crate::symbol::Store;

/// An open kernel dump: its core, and the state that readers determine once.
#[derive(Debug)]
struct KernelDump {
    core: Core,
    objects: ObjectManager,
    pool: Pool,
    io: Io,
    timers: Timers,
    queues: WorkQueues,
    services: ServiceTables,
    page_files: PageFiles,
    memory: MiState,
}

/// Opens a kernel dump.
///
/// # Errors
/// [`Error::NotADump`] if the file is raw memory without Windows in it.
pub fn open(image: Image, format: Format, symbols: &Store) -> Result<Box<dyn Source>, Error> {
    let dump = Arc::new(KernelDump {
        core: Core::open(image, format, symbols)?,
        objects: ObjectManager::default(),
        pool: Pool::default(),
        io: Io::default(),
        timers: Timers::default(),
        queues: WorkQueues::default(),
        services: ServiceTables::default(),
        page_files: PageFiles::default(),
        memory: MiState::default(),
    });
    Ok(Box::new(KernelSource { answers: answers(&dump), dump }))
}

/// A reader of rows that needs the kernel's address space, not only ranges of memory.
fn whole<R: Row>(
    read: impl Fn(&KernelDump, &Want<'_, R>, Emit<'_, R>) -> Result<(), Unanswered>
    + Send
    + Sync
    + 'static,
) -> impl Fn(&KernelDump, &Want<'_, R>, Emit<'_, R>) -> Result<(), Unanswered> + Send + Sync + 'static
{
    move |dump, want, emit| {
        dump.core.whole_memory()?;
        read(dump, want, emit)
    }
}

/// Passes on the only row of a table.
#[allow(clippy::unnecessary_wraps, reason = "the signature of a table reader")]
fn one<R>(row: R, emit: Emit<'_, R>) -> Result<(), Unanswered> {
    let _ = emit.row(row);
    Ok(())
}

/// The tables that a kernel dump fills: each reader with the state of other readers that it uses.
fn answers(dump: &Arc<KernelDump>) -> Answers {
    Answers::of(dump)
        .with(|d, want, emit| one(overview::dump_row(&d.core, want), emit))
        .with(|d, want, emit| one(bugcheck::bugcheck_row(&d.core, want)?, emit))
        .with(|d, want, emit| one(bugcheck::exception_row(&d.core, want)?, emit))
        .with(|d, _, emit| bugcheck::each_suspect(&d.core, emit))
        .with(|d, _, emit| whea::each_fact(&d.core, emit))
        .with(|d, _, emit| registers::each_register(&d.core, emit))
        .with(|d, want, emit| processes::each_process(&d.core, want, emit))
        .with(whole(|d, want, emit| environment::each_variable(&d.core, want, emit)))
        .with(|d, want, emit| threads::each_thread(&d.core, want, emit))
        .with(|d, want, emit| stack_rows::each_word(&d.core, want, emit))
        .with(|d, want, emit| stack_rows::each_frame(&d.core, want, emit))
        .with(|d, _, emit| processors::each_processor(&d.core, emit))
        .with(|d, want, emit| modules::each_module(&d.core, &d.objects, &d.io, want, emit))
        .with(|d, _, emit| unloaded::each_unloaded(&d.core, emit))
        .with(|d, want, emit| waits::each_wait(&d.core, &d.objects, want, emit))
        .with(whole(|d, _, emit| ready::each_ready(&d.core, emit)))
        .with(whole(|d, want, emit| dpcs::each_dpc(&d.core, want, emit)))
        .with(whole(|d, want, emit| timers::each_timer(&d.core, &d.timers, want, emit)))
        .with(whole(|d, want, emit| work::each_work_queue(&d.core, &d.queues, want, emit)))
        .with(whole(|d, want, emit| work::each_work_item(&d.core, &d.queues, want, emit)))
        .with(whole(|d, want, emit| handles::each_handle(&d.core, &d.objects, want, emit)))
        .with(whole(|d, want, emit| directory::each_object(&d.core, &d.objects, want, emit)))
        .with(whole(|d, _, emit| directory::each_object_type(&d.core, &d.objects, emit)))
        .with(whole(|d, want, emit| vads::each_region(&d.core, &d.objects, want, emit)))
        .with(whole(|d, want, emit| vads::each_vad(&d.core, &d.objects, want, emit)))
        .with(whole(|d, _, emit| sessions::each_session(&d.core, emit)))
        .with(whole(|d, _, emit| {
            page_files::each_page_file(&d.core, &d.page_files, &d.memory, emit)
        }))
        .with(whole(|d, want, emit| {
            driver_rows::each_driver(&d.core, &d.objects, &d.pool, &d.io, want, emit)
        }))
        .with(whole(|d, want, emit| {
            driver_rows::each_dispatch(&d.core, &d.objects, &d.pool, &d.io, want, emit)
        }))
        .with(whole(|d, want, emit| devices::each_device(&d.core, &d.objects, &d.io, want, emit)))
        .with(whole(|d, want, emit| callbacks::each_callback(&d.core, &d.objects, want, emit)))
        .with(whole(|d, want, emit| services::each_service(&d.core, &d.services, want, emit)))
        .with(whole(|d, want, emit| interrupts::each_vector(&d.core, want, emit)))
        .with(whole(|d, want, emit| traces::each_trace(&d.core, want, emit)))
        .with(whole(|d, want, emit| {
            irps::each_irp(&d.core, &d.objects, &d.pool, &d.io, want, emit)
        }))
        .with(whole(|d, want, emit| {
            irps::each_irp_location(&d.core, &d.objects, &d.pool, &d.io, want, emit)
        }))
        .with(whole(|d, want, emit| tags::each_pool_tag(&d.core, &d.pool, want, emit)))
        .with(whole(|d, want, emit| resources::each_lock(&d.core, want, emit)))
        .with(whole(|d, want, emit| resources::each_lock_owner(&d.core, want, emit)))
        .with(whole(|d, want, emit| waiters::each_lock_waiter(&d.core, want, emit)))
        .with(|d, _, emit| spin_locks::each_queued_lock(&d.core, emit))
        .with(|d, want, emit| autoboost::each_lock_entry(&d.core, want, emit))
        .with(|d, want, emit| rows::each_pool_block(&d.core, &d.pool, want, emit))
        .with(|d, want, emit| pages::each_pool_page(&d.core, &d.pool, want, emit))
        .with(|d, want, emit| rows::each_big_block(&d.core, &d.pool, want, emit))
        .with(whole(|d, _, emit| counters::each_counter(&d.core, &d.memory, emit)))
        .with(whole(|d, _, emit| failures::each_pool_failure(&d.core, emit)))
        .with(whole(|d, _, emit| counters::each_page_list(&d.core, &d.memory, emit)))
        .with(|d, want, emit| {
            needed::each_needed(&d.core, want, emit);
            Ok(())
        })
        .with(|d, _, emit| {
            overview::each_range(&d.core, emit);
            Ok(())
        })
        .with(|d, _, emit| {
            overview::each_problem(&d.core, emit);
            Ok(())
        })
        .build()
}

/// An open kernel dump and the tables that it fills.
#[derive(Debug)]
struct KernelSource {
    dump: Arc<KernelDump>,
    answers: Answers,
}

impl Source for KernelSource {
    fn kind(&self) -> SourceKind {
        match self.dump.core.header.dump_type {
            DumpType::Triage => SourceKind::Triage,
            _ => SourceKind::Kernel,
        }
    }

    fn machine(&self) -> Machine {
        self.dump.core.machine()
    }

    fn answers(&self) -> &Answers {
        &self.answers
    }

    fn memory(&self) -> &dyn AddressSpace {
        &self.dump.core
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        let core = &self.dump.core;
        match listing::answer(Program(core), name, args) {
            Some(answer) => answer,
            None => typed::answer(core, name, args),
        }
    }
}
