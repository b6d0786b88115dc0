//! The tables of system services: the kernel's own, and that of the window system.

use super::KernelDump;
use super::declared::{SERVICES, size};
use super::memory::Space;
use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::model::{Emit, Located, SystemCall, Unanswered, Want};

/// Bits 12 and 13 of a service's number choose the table; the rest is its place there.
pub(super) const MAX_SERVICES: u32 = 4096;
/// More processes than this are not asked for the window system.
const MAX_PROCESSES: usize = 64;
const WINDOW_SYSTEM: u64 = 0x1000;
/// Images of the window system begin so.
pub(super) const WIN32K: &str = "win32k";
const DESCRIPTORS: &str = "KeServiceDescriptorTable";
const SHADOW: &str = "KeServiceDescriptorTableShadow";

/// A table of services.
pub(super) struct Table<'a> {
    pub(super) base: u64,
    pub(super) limit: u32,
    /// The number of its first service.
    pub(super) first: u64,
    /// Where it can be read.
    pub(super) space: Space<'a>,
}

impl KernelDump {
    pub(super) fn each_service(
        &self,
        want: &Want<'_, SystemCall>,
        emit: Emit<'_, SystemCall>,
    ) -> Result<(), Unanswered> {
        let own = self.own_services()?;
        for table in [Some(own), self.window_services()].into_iter().flatten() {
            for index in 0..table.limit.min(MAX_SERVICES) {
                if emit.row(self.service_row(want, &table, index.into())).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The kernel's own table: by the descriptor that its entry code reads, by its own symbols, or
    /// by what is in it.
    fn own_services(&self) -> Result<Table<'_>, Unanswered> {
        if let Some(named) = self.named_services() {
            return Ok(named);
        }
        let found = self.found_services();
        let (base, limit) = found.map_err(|why| why.because("where the table of services is"))?.own;
        Ok(Table { base, limit, first: 0, space: self.kernel_space() })
    }

    fn named_services(&self) -> Option<Table<'_>> {
        let described = || {
            let at = self.symbol_address("nt", DESCRIPTORS)?;
            self.described(at, self.kernel_space(), 0)
        };
        described().or_else(|| {
            let base = self.symbol_address("nt", "KiServiceTable")?;
            let limit = self.symbol_address("nt", "KiServiceLimit")?;
            let limit = self.u32_at(limit).ok()?;
            Some(Table { base, limit, first: 0, space: self.kernel_space() })
        })
    }

    /// The table of the window system, whose memory the processes of sessions see.
    fn window_services(&self) -> Option<Table<'_>> {
        let width = self.header.width.bytes() as u64;
        let (space, first) = (self.kernel_space(), WINDOW_SYSTEM);
        let table = if let Some(at) = self.symbol_address("nt", SHADOW) {
            self.described(at.checked_add(size(SERVICES, width))?, space, first)?
        } else {
            let (base, limit) = self.found_services().ok()?.window?;
            Table { base, limit, first, space }
        };
        if self.kernel_space().u32_at(table.base).is_ok() {
            return Some(table);
        }
        let space =
            self.session_spaces().into_iter().find(|space| space.u32_at(table.base).is_ok());
        Some(Table { space: space?, ..table })
    }

    /// The address spaces of processes that belong to a session, one for each session at least.
    fn session_spaces(&self) -> Vec<Space<'_>> {
        let processes = self.process_objects().into_iter();
        let in_session = processes.filter(|process| process.pointer("Session").is_ok());
        in_session
            .filter_map(|process| process.pointer("Pcb.DirectoryTableBase").ok())
            .take(MAX_PROCESSES)
            .map(|dtb| self.space(dtb))
            .collect()
    }

    fn described<'a>(&self, at: u64, space: Space<'a>, first: u64) -> Option<Table<'a>> {
        let base = self.declared_pointer(SERVICES, at, "Base").ok()?;
        let limit = self.declared_at(SERVICES, at, "Limit").and_then(|at| self.u32_at(at)).ok()?;
        (self.is_system(base) && limit != 0).then_some(Table { base, limit, first, space })
    }

    /// The routine of a service. 64-bit kernels store its distance from the table, above four bits
    /// for the number of arguments on the stack; before Windows Vista the distance had those bits
    /// cleared instead of being shifted.
    pub(super) fn service_routine(&self, table: &Table<'_>, index: u64) -> Cell<u64> {
        let at = table.base.checked_add(index * 4).ok_or(Absent::Unreadable)?;
        let entry = table.space.u32_at(at)?;
        if self.header.width == Width::W32 {
            return Ok(entry.into());
        }
        let distance = i64::from(entry.cast_signed());
        let is_old = self.header.build.is_some_and(|build| build < 6000);
        let distance = if is_old { distance & !0xf } else { distance >> 4 };
        Ok(table.base.wrapping_add_signed(distance))
    }

    fn service_row(
        &self,
        want: &Want<'_, SystemCall>,
        table: &Table<'_>,
        index: u64,
    ) -> SystemCall {
        let routine = self.service_routine(table, index);
        let place = match routine {
            Ok(at) if want.has(|c| c.symbol) => self.place_of(at),
            Ok(at) => self.module_at(at),
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
}
