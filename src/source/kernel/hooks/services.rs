//! The system service tables of the kernel and of the window system.

use crate::catalog::Absent;
use crate::model::{Emit, Located, SystemCall, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::declared::{SERVICES, size};
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::hooks::service_tables;
use crate::source::kernel::hooks::service_tables::{MAX_SERVICES, ServiceTables, Table, WIN32K};
use crate::source::kernel::process::list;

/// How many processes are searched for one that maps the window system.
const MAX_PROCESSES: usize = 64;
const WINDOW_SYSTEM: u64 = 0x1000;
const DESCRIPTORS: &str = "KeServiceDescriptorTable";
const SHADOW: &str = "KeServiceDescriptorTableShadow";

pub(crate) fn each_service(
    core: &Core,
    services: &ServiceTables,
    want: &Want<'_, SystemCall>,
    emit: Emit<'_, SystemCall>,
) -> Result<(), Unanswered> {
    let own = own_services(core, services)?;
    for table in [Some(own), window_services(core, services)].into_iter().flatten() {
        for index in 0..table.limit.min(MAX_SERVICES) {
            if emit.row(service_row(core, want, &table, index.into())).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The kernel's table: through the descriptor that its entry code reads, through its symbols, or by
/// its contents.
fn own_services<'a>(core: &'a Core, services: &'a ServiceTables) -> Result<Table<'a>, Unanswered> {
    if let Some(named) = named_services(core) {
        return Ok(named);
    }
    let found = service_tables::found_services(core, services);
    let (base, limit) = found.map_err(|why| why.because("the system service table"))?.own;
    Ok(Table { base, limit, first: 0, space: core.kernel_space() })
}

fn named_services(core: &Core) -> Option<Table<'_>> {
    let described = || {
        let at = core.symbol_address("nt", DESCRIPTORS)?;
        described(core, at, core.kernel_space(), 0)
    };
    described().or_else(|| {
        let base = core.symbol_address("nt", "KiServiceTable")?;
        let limit = core.symbol_address("nt", "KiServiceLimit")?;
        let limit = core.u32_at(limit).ok()?;
        Some(Table { base, limit, first: 0, space: core.kernel_space() })
    })
}

/// The window system's table, which is mapped only in the processes of sessions.
fn window_services<'a>(core: &'a Core, services: &'a ServiceTables) -> Option<Table<'a>> {
    let width = core.header.width.bytes() as u64;
    let (space, first) = (core.kernel_space(), WINDOW_SYSTEM);
    let table = if let Some(at) = core.symbol_address("nt", SHADOW) {
        described(core, at.checked_add(size(SERVICES, width))?, space, first)?
    } else {
        let (base, limit) = service_tables::found_services(core, services).ok()?.window?;
        Table { base, limit, first, space }
    };
    if core.kernel_space().u32_at(table.base).is_ok() {
        return Some(table);
    }
    let space = session_spaces(core).into_iter().find(|space| space.u32_at(table.base).is_ok());
    Some(Table { space: space?, ..table })
}

/// The address spaces of processes that belong to a session, at least one for each session.
fn session_spaces(core: &Core) -> Vec<Space<'_>> {
    let processes = list::process_objects(core).into_iter();
    let in_session = processes.filter(|process| process.pointer("Session").is_ok());
    in_session
        .filter_map(|process| process.pointer("Pcb.DirectoryTableBase").ok())
        .take(MAX_PROCESSES)
        .map(|dtb| core.space(dtb))
        .collect()
}

fn described<'a>(core: &Core, at: u64, space: Space<'a>, first: u64) -> Option<Table<'a>> {
    let base = core.declared_pointer(SERVICES, at, "Base").ok()?;
    let limit = core.declared_at(SERVICES, at, "Limit").and_then(|at| core.u32_at(at)).ok()?;
    (core.is_system(base) && limit != 0).then_some(Table { base, limit, first, space })
}

fn service_row(
    core: &Core,
    want: &Want<'_, SystemCall>,
    table: &Table<'_>,
    index: u64,
) -> SystemCall {
    let routine = service_tables::service_routine(core, table, index);
    let place = match routine {
        Ok(at) if want.has(|c| c.symbol) => core.place_of(at),
        Ok(at) => core.module_at(at),
        Err(absent) => Err(absent),
    };
    let module = place.as_ref().map(|place| place.module.as_str());
    let is_own = |module: &str| match table.first {
        0 => module == "nt",
        _ => module.get(..WIN32K.len()).is_some_and(|m| m.eq_ignore_ascii_case(WIN32K)),
    };
    SystemCall {
        index: i64::try_from(table.first + index).map_err(|_| Absent::Unreadable),
        address: routine,
        is_outside_module: routine.map(|_| !module.is_ok_and(is_own)),
        module: module.map(str::to_owned).map_err(|absent| *absent),
        symbol: place.as_ref().map(Located::display).map_err(|absent| *absent),
        ..SystemCall::default()
    }
}
