//! `KeServiceDescriptorTable` and its shadow, by what threads refer to or by content.

use std::sync::OnceLock;

use std::collections::{BTreeSet, HashMap};

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::model::Flow;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::data::{Sought, only};
use crate::source::kernel::core::declared::{SERVICES, size};
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::scheduler::thread;

/// Bits 12 and 13 of a service's number choose the table; the rest is its place there.
pub(crate) const MAX_SERVICES: u32 = 4096;
/// Images of the window system begin so.
pub(crate) const WIN32K: &str = "win32k";

/// A table of services.
pub(crate) struct Table<'a> {
    pub(crate) base: u64,
    pub(crate) limit: u32,
    /// The number of its first service.
    pub(crate) first: u64,
    /// Where it can be read.
    pub(crate) space: Space<'a>,
}

/// How many services a kernel has, at least and at most.
const COUNT: std::ops::RangeInclusive<u64> = 100..=1000;
/// Bytes of arguments are a multiple of this.
const ARGUMENT: u8 = 4;
/// More tables than this are not looked into.
const MAX_JUDGED: usize = 256;

/// The tables of services, looked for when first asked for.
#[derive(Debug, Default)]
pub(crate) struct ServiceTables {
    found: OnceLock<Sought<Services>>,
}

/// Base and number of services of the kernel's own table, and of that of the window system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Services {
    pub(crate) own: (u64, u32),
    pub(crate) window: Option<(u64, u32)>,
}

/// The routine of a service. 64-bit kernels store its distance from the table, above four bits
/// for the number of arguments on the stack; before Windows Vista the distance had those bits
/// cleared instead of being shifted.
pub(crate) fn service_routine(core: &Core, table: &Table<'_>, index: u64) -> Cell<u64> {
    let at = table.base.checked_add(index * 4).ok_or(Absent::Unreadable)?;
    let entry = table.space.u32_at(at)?;
    if core.header.width == Width::W32 {
        return Ok(entry.into());
    }
    let distance = i64::from(entry.cast_signed());
    let is_old = core.header.build.is_some_and(|build| build < 6000);
    let distance = if is_old { distance & !0xf } else { distance >> 4 };
    Ok(table.base.wrapping_add_signed(distance))
}

/// The tables of services.
///
/// # Errors
/// Why they were not found.
pub(crate) fn found_services(core: &Core, services: &ServiceTables) -> Sought<Services> {
    *services.found.get_or_init(|| {
        let mut judged = HashMap::new();
        let mut is_it = |at: &u64| descriptor(core, *at, &mut judged).is_some();
        let mut places: Vec<u64> = tables_of_threads(core).into_iter().filter(&mut is_it).collect();
        if places.is_empty() {
            places = core.pointer_slots()?.map(|(at, _)| at).filter(is_it).collect();
        }
        let own = only(places.iter().filter_map(|at| descriptor(core, *at, &mut judged)))?;
        let window = only(places.iter().filter_map(|at| window_descriptor(core, *at)));
        // Windows 10 has two descriptors of the window system, one for programs that may use less.
        Ok(Services { own, window: window.ok() })
    })
}

/// What threads refer to as their tables: all threads of 32-bit kernels do.
fn tables_of_threads(core: &Core) -> BTreeSet<u64> {
    let mut tables = BTreeSet::new();
    // Without threads there are none.
    let _ = thread::for_each_thread(core, &mut |thread, _| {
        let table = thread.pointer("Tcb.ServiceTable").map(|at| core.plain(at));
        tables.extend(table.ok().filter(|at| core.is_kernel_data(*at)));
        Flow::Continue(())
    });
    tables
}

/// Base and number of the kernel's services, if a descriptor of them is at an address.
fn descriptor(core: &Core, at: u64, judged: &mut HashMap<(u64, u32), bool>) -> Option<(u64, u32)> {
    let (base, limit) = counted(core, at)?;
    let arguments = core.declared_pointer(SERVICES, at, "Arguments").ok()?;
    if !COUNT.contains(&limit)
        || ![base, arguments].into_iter().all(|at| core.is_in_kernel(at) == Ok(true))
    {
        return None;
    }
    let found = (base, u32::try_from(limit).ok()?);
    if let Some(is_table) = judged.get(&found) {
        return is_table.then_some(found);
    }
    if judged.len() >= MAX_JUDGED {
        return None;
    }
    let is_table = is_table(core, found) && are_arguments(core, arguments, found.1);
    judged.insert(found, is_table);
    is_table.then_some(found)
}

/// The table and the number of a descriptor, whose upper half of 64 bits is empty.
fn counted(core: &Core, at: u64) -> Option<(u64, u64)> {
    let base = core.declared_pointer(SERVICES, at, "Base").ok()?;
    let limit = core.declared_pointer(SERVICES, at, "Limit").ok()?;
    Some((base, limit))
}

/// Whether services lead into the kernel's code: three of four at least, for some may be hooked.
fn is_table(core: &Core, (base, limit): (u64, u32)) -> bool {
    let table = Table { base, limit, first: 0, space: core.kernel_space() };
    let leads_there =
        |index: &u64| service_routine(core, &table, *index).is_ok_and(|at| core.is_kernel_code(at));
    let count = (0..u64::from(limit)).filter(leads_there).count();
    count * 4 >= limit as usize * 3
}

/// Whether bytes of arguments are what services take, as far as the dump holds them.
fn are_arguments(core: &Core, at: u64, limit: u32) -> bool {
    let bytes = core.kernel_space().slice(at, limit as usize);
    bytes.map_or(true, |bytes| bytes.iter().all(|bytes| bytes.is_multiple_of(ARGUMENT)))
}

/// The descriptor of the window system behind one of the kernel's.
fn window_descriptor(core: &Core, at: u64) -> Option<(u64, u32)> {
    let next = at.checked_add(size(SERVICES, core.header.width.bytes() as u64))?;
    let (base, limit) = counted(core, next)?;
    let module = core.module_at(base).ok()?.module;
    let is_window = module.get(..WIN32K.len())?.eq_ignore_ascii_case(WIN32K);
    let limit = u32::try_from(limit).ok().filter(|limit| *limit <= MAX_SERVICES)?;
    (is_window && u64::from(limit) >= *COUNT.start()).then_some((base, limit))
}
