//! `KeServiceDescriptorTable` and its shadow, by what threads refer to or by content.

use std::collections::{BTreeSet, HashMap};

use super::{Sought, only};
use crate::model::Flow;
use crate::source::kernel::KernelDump;
use crate::source::kernel::declared::{SERVICES, size};
use crate::source::kernel::services::{MAX_SERVICES, Table, WIN32K};

/// How many services a kernel has, at least and at most.
const COUNT: std::ops::RangeInclusive<u64> = 100..=1000;
/// Bytes of arguments are a multiple of this.
const ARGUMENT: u8 = 4;
/// More tables than this are not looked into.
const MAX_JUDGED: usize = 256;

/// Base and number of services of the kernel's own table, and of that of the window system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::kernel) struct Services {
    pub(in crate::source::kernel) own: (u64, u32),
    pub(in crate::source::kernel) window: Option<(u64, u32)>,
}

impl KernelDump {
    /// The tables of services.
    ///
    /// # Errors
    /// Why they were not found.
    pub(in crate::source::kernel) fn found_services(&self) -> Sought<Services> {
        *self.found.services.get_or_init(|| {
            let mut judged = HashMap::new();
            let mut is_it = |at: &u64| self.descriptor(*at, &mut judged).is_some();
            let mut places: Vec<u64> =
                self.tables_of_threads().into_iter().filter(&mut is_it).collect();
            if places.is_empty() {
                places = self.pointer_slots()?.map(|(at, _)| at).filter(is_it).collect();
            }
            let own = only(places.iter().filter_map(|at| self.descriptor(*at, &mut judged)))?;
            let window = only(places.iter().filter_map(|at| self.window_descriptor(*at)));
            // Windows 10 has two descriptors of the window system, one for programs that may use less.
            Ok(Services { own, window: window.ok() })
        })
    }

    /// What threads refer to as their tables: all threads of 32-bit kernels do.
    fn tables_of_threads(&self) -> BTreeSet<u64> {
        let mut tables = BTreeSet::new();
        // Without threads there are none.
        let _ = self.for_each_thread(&mut |thread, _| {
            let table = thread.pointer("Tcb.ServiceTable").map(|at| self.plain(at));
            tables.extend(table.ok().filter(|at| self.is_kernel_data(*at)));
            Flow::Continue(())
        });
        tables
    }

    /// Base and number of the kernel's services, if a descriptor of them is at an address.
    fn descriptor(&self, at: u64, judged: &mut HashMap<(u64, u32), bool>) -> Option<(u64, u32)> {
        let (base, limit) = self.counted(at)?;
        let arguments = self.declared_pointer(SERVICES, at, "Arguments").ok()?;
        if !COUNT.contains(&limit)
            || ![base, arguments].into_iter().all(|at| self.is_in_kernel(at) == Ok(true))
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
        let is_table = self.is_table(found) && self.are_arguments(arguments, found.1);
        judged.insert(found, is_table);
        is_table.then_some(found)
    }

    /// The table and the number of a descriptor, whose upper half of 64 bits is empty.
    fn counted(&self, at: u64) -> Option<(u64, u64)> {
        let base = self.declared_pointer(SERVICES, at, "Base").ok()?;
        let limit = self.declared_pointer(SERVICES, at, "Limit").ok()?;
        Some((base, limit))
    }

    /// Whether services lead into the kernel's code: three of four at least, for some may be hooked.
    fn is_table(&self, (base, limit): (u64, u32)) -> bool {
        let table = Table { base, limit, first: 0, space: self.kernel_space() };
        let leads_there = |index: &u64| {
            self.service_routine(&table, *index).is_ok_and(|at| self.is_kernel_code(at))
        };
        let count = (0..u64::from(limit)).filter(leads_there).count();
        count * 4 >= limit as usize * 3
    }

    /// Whether bytes of arguments are what services take, as far as the dump holds them.
    fn are_arguments(&self, at: u64, limit: u32) -> bool {
        let bytes = self.kernel_space().slice(at, limit as usize);
        bytes.map_or(true, |bytes| bytes.iter().all(|bytes| bytes.is_multiple_of(ARGUMENT)))
    }

    /// The descriptor of the window system behind one of the kernel's.
    fn window_descriptor(&self, at: u64) -> Option<(u64, u32)> {
        let next = at.checked_add(size(SERVICES, self.header.width.bytes() as u64))?;
        let (base, limit) = self.counted(next)?;
        let module = self.module_at(base).ok()?.module;
        let is_window = module.get(..WIN32K.len())?.eq_ignore_ascii_case(WIN32K);
        let limit = u32::try_from(limit).ok().filter(|limit| *limit <= MAX_SERVICES)?;
        (is_window && u64::from(limit) >= *COUNT.start()).then_some((base, limit))
    }
}
