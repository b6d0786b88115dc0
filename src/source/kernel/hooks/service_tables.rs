//! `KeServiceDescriptorTable` and its shadow table, found through threads or by their contents.

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

/// Bits 12 and 13 of a service number select the table; the remaining bits are the index in it.
pub(crate) const MAX_SERVICES: u32 = 4096;
/// Prefix of the image names of the window system.
pub(crate) const WIN32K: &str = "win32k";

/// A system service table.
pub(crate) struct Table<'a> {
    pub(crate) base: u64,
    pub(crate) limit: u32,
    /// The number of its first service.
    pub(crate) first: u64,
    /// The address space in which it is mapped.
    pub(crate) space: Space<'a>,
}

/// Limits on the number of services of a kernel.
const COUNT: std::ops::RangeInclusive<u64> = 100..=1000;
/// Argument sizes are a multiple of this.
const ARGUMENT: u8 = 4;
/// Upper limit on the candidate tables that are checked.
const MAX_JUDGED: usize = 256;

/// The service tables, determined on first use.
#[derive(Debug, Default)]
pub(crate) struct ServiceTables {
    found: OnceLock<Sought<Services>>,
}

/// Base and number of services of the kernel's table, and of the window system's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Services {
    pub(crate) own: (u64, u32),
    pub(crate) window: Option<(u64, u32)>,
}

/// The routine of a service. 64-bit kernels store its distance from the table in the upper bits;
/// the lowest four bits are the number of arguments on the stack. Before Windows Vista the distance
/// was not shifted: its lowest four bits were cleared instead.
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

/// Finds the service tables.
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
        // Windows 10 has two descriptors for the window system; the second one is for restricted
        // processes.
        Ok(Services { own, window: window.ok() })
    })
}

/// The descriptor tables that threads point to; threads of 32-bit kernels do.
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

/// Base and number of services of a descriptor. The upper half of a 64-bit count is 0.
fn counted(core: &Core, at: u64) -> Option<(u64, u64)> {
    let base = core.declared_pointer(SERVICES, at, "Base").ok()?;
    let limit = core.declared_pointer(SERVICES, at, "Limit").ok()?;
    Some((base, limit))
}

/// Whether services point into the kernel's code: at least three of four, because some may be
/// hooked.
fn is_table(core: &Core, (base, limit): (u64, u32)) -> bool {
    let table = Table { base, limit, first: 0, space: core.kernel_space() };
    let leads_there =
        |index: &u64| service_routine(core, &table, *index).is_ok_and(|at| core.is_kernel_code(at));
    let count = (0..u64::from(limit)).filter(leads_there).count();
    count * 4 >= limit as usize * 3
}

/// Whether the bytes are valid argument sizes, as far as the dump holds them.
fn are_arguments(core: &Core, at: u64, limit: u32) -> bool {
    let bytes = core.kernel_space().slice(at, limit as usize);
    bytes.map_or(true, |bytes| bytes.iter().all(|bytes| bytes.is_multiple_of(ARGUMENT)))
}

/// The descriptor of the window system that follows the kernel's.
fn window_descriptor(core: &Core, at: u64) -> Option<(u64, u32)> {
    let next = at.checked_add(size(SERVICES, core.header.width.bytes() as u64))?;
    let (base, limit) = counted(core, next)?;
    let module = core.module_at(base).ok()?.module;
    let is_window = module.get(..WIN32K.len())?.eq_ignore_ascii_case(WIN32K);
    let limit = u32::try_from(limit).ok().filter(|limit| *limit <= MAX_SERVICES)?;
    (is_window && u64::from(limit) >= *COUNT.start()).then_some((base, limit))
}
