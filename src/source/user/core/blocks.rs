//! Process and thread environment blocks (PEB, TEB), through the threads.

use minidump::format as md;

use super::Core;
use super::streams::kind;
use crate::catalog::{Absent, Cell};

impl Core {
    /// `TEB.ProcessEnvironmentBlock` of the first thread whose TEB is in the dump.
    pub(crate) fn peb(&self) -> Cell<u64> {
        if !self.is_windows() {
            return Err(Absent::NotApplicable);
        }
        let list = self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS)?;
        let offset = 12 * self.pointer_bytes();
        let mut tebs = list.iter().map(|thread| thread.teb).filter(|&teb| teb != 0);
        tebs.find_map(|teb| self.pointer(teb.checked_add(offset)?).ok()).ok_or(Absent::NotInDump)
    }

    /// The 32-bit TEB of a thread, to which the first pointer of the 64-bit TEB points.
    pub(crate) fn narrow_teb(&self, teb: u64) -> Cell<u64> {
        let view = self.narrow_view().ok_or(Absent::NotApplicable)?;
        let narrow = self.pointer(teb)?;
        // Each TEB contains its own address (`NT_TIB.Self`, the seventh pointer).
        let own = view.pointer(narrow.checked_add(6 * 4).ok_or(Absent::Unreadable)?)?;
        if own == narrow && own != 0 { Ok(narrow) } else { Err(Absent::NotInDump) }
    }

    /// The 32-bit PEB, from the first thread that leads to it.
    pub(crate) fn narrow_peb(&self) -> Cell<u64> {
        let view = self.narrow_view().ok_or(Absent::NotApplicable)?;
        let layout = self.types(view.width).map_err(|_| Absent::NoSymbols)?;
        let list = self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS)?;
        let mut tebs = list.iter().filter_map(|thread| self.narrow_teb(thread.teb).ok());
        tebs.find_map(|teb| view.number(&layout, "_TEB", teb, "ProcessEnvironmentBlock").ok())
            .ok_or(Absent::NotInDump)
    }
}
