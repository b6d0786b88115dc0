//! Systems and files that are damaged on purpose, which readers must survive.
//!
//! Each kind of damage imitates one that real or malicious dumps have: page tables that point to
//! themselves, circular lists, headers that describe more than the file holds.

use super::layout::Layout;
use super::memory::PAGE;
use super::system::System;

/// A kind of damage to a system's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Every entry of the top-level page table points to that table.
    SelfMapped,
    /// Page table entries point beyond physical memory.
    BeyondMemory,
    /// The list entry of the second process points to itself.
    ProcessCycle,
    /// The process list points to an unmapped address.
    ProcessOutside,
    /// The end of the module list points back into its middle.
    ModuleCycle,
    /// Every thread list of a process points into that of the next process.
    ThreadsAcross,
    /// Handle tables claim three levels, and point to themselves.
    HandleTables,
    /// Counts in kernel variables have their maximum values.
    Counts,
    /// Device lists and device stacks point back to themselves, and device queues into one another.
    DeviceCycles,
    /// IRPs have the largest number of stack locations that a byte can hold, or none.
    StackCounts,
    /// Callback lists, service tables and interrupt tables point into one another.
    Routines,
}

impl Damage {
    /// All kinds of damage.
    pub const ALL: [Self; 11] = [
        Self::SelfMapped,
        Self::BeyondMemory,
        Self::ProcessCycle,
        Self::ProcessOutside,
        Self::ModuleCycle,
        Self::ThreadsAcross,
        Self::HandleTables,
        Self::Counts,
        Self::DeviceCycles,
        Self::StackCounts,
        Self::Routines,
    ];
}

impl System {
    /// Damages the system's memory.
    pub fn damage(&mut self, damage: Damage) {
        match damage {
            Damage::SelfMapped => {
                let entries = PAGE / self.width();
                for index in 0..entries {
                    self.write_physical(self.dtb + index * self.width(), self.dtb | 0x67);
                }
            }
            Damage::BeyondMemory => {
                // Only every fourth entry, so that some of the memory stays accessible.
                for index in (0..PAGE / self.width()).step_by(4) {
                    let beyond =
                        if self.width() == 8 { 0x000f_ffff_ffff_f067 } else { 0xffff_f067 };
                    self.write_physical(self.dtb + index * self.width(), beyond);
                }
            }
            Damage::ProcessCycle => self.relink("PsActiveProcessHead", 2, 0),
            Damage::ProcessOutside => {
                let head = self.symbol("PsActiveProcessHead");
                let first = self.read(head);
                self.write_virtual(first, 0x1234_5670);
            }
            Damage::ModuleCycle => self.relink("PsLoadedModuleList", 5, 3),
            Damage::ThreadsAcross => self.cross_threads(),
            Damage::HandleTables => {
                let tables = self.facts.processes.iter().map(|process| process.object_table);
                let tables: Vec<u64> = tables.filter(|at| *at != 0).collect();
                let layout = Layout::of_kernel(self.facts.windows);
                let code = layout.map_or(0, |layout| layout.offset("_HANDLE_TABLE", "TableCode"));
                for table in tables {
                    self.write_virtual(table + u64::from(code), table | 3);
                }
            }
            Damage::Counts => {
                for name in ["MmLastUnloadedDriver", "KeNumberProcessors", "MmNumberOfPagingFiles"]
                {
                    let at = self.symbol(name);
                    self.memory.put(self.dtb, at, &[0xff; 4]);
                }
            }
            Damage::DeviceCycles => self.cross_devices(),
            Damage::StackCounts => self.miscount(),
            Damage::Routines => self.cross_routines(),
        }
    }

    fn width(&self) -> u64 {
        if self.version.is_64_bit() { 8 } else { 4 }
    }

    fn symbol(&self, name: &str) -> u64 {
        self.symbols.get(name).copied().unwrap_or(self.kernel.0)
    }

    fn read(&self, address: u64) -> u64 {
        let width = if self.version.is_64_bit() { 8 } else { 4 };
        self.memory.read(self.dtb, address, width)
    }

    fn write_virtual(&mut self, address: u64, value: u64) {
        let width = usize::try_from(self.width()).unwrap_or(8);
        self.memory.put(self.dtb, address, &value.to_le_bytes()[..width]);
    }

    fn write_physical(&mut self, address: u64, value: u64) {
        let width = usize::try_from(self.width()).unwrap_or(8);
        self.memory.put_physical(address, &value.to_le_bytes()[..width]);
    }

    /// Makes one entry of a list point back to an earlier one; both are counted from the head.
    fn relink(&mut self, head: &str, from: usize, to: usize) {
        let mut at = self.symbol(head);
        let mut entries = vec![at];
        for _ in 0..from {
            at = self.read(at);
            entries.push(at);
        }
        // The entry points to itself, or to an entry that is not the head.
        let target = if to == 0 { entries[from] } else { entries[to] };
        self.write_virtual(entries[from], target);
    }

    /// Makes all device pointers in a device object point to the device itself.
    fn cross_devices(&mut self) {
        let devices: Vec<u64> = self.facts.io.devices.iter().map(|device| device.address).collect();
        for (i, at) in devices.iter().enumerate() {
            let next = devices.get(i + 1).copied().unwrap_or(*at);
            for word in 0..0x200 / self.width() {
                let place = at + word * self.width();
                let value = self.read(place);
                if value != *at && devices.contains(&value) {
                    self.write_virtual(place, *at);
                } else if value == place {
                    // An empty list.
                    self.write_virtual(place, value - at + next);
                }
            }
        }
    }

    fn miscount(&mut self) {
        let layout = Layout::of_kernel(self.facts.windows);
        let offset = |path| layout.as_ref().map_or(0, |layout| layout.offset("_IRP", path));
        let places = [offset("StackCount"), offset("CurrentLocation"), offset("Size")];
        let requests: Vec<u64> = self.facts.io.requests.iter().map(|r| r.address).collect();
        for (i, at) in requests.into_iter().enumerate() {
            let place = places.get(i % 4).copied().unwrap_or(0);
            let bytes: &[u8] = if i % 3 == 0 { &[0xff, 0xff] } else { &[0, 0x7f] };
            self.memory.put(self.dtb, at + u64::from(place), bytes);
        }
    }

    fn cross_routines(&mut self) {
        let head = self.symbol("KeBugCheckCallbackListHead");
        let first = self.read(head);
        self.write_virtual(first, first);
        for name in ["CallbackListHead", "IopFsNotifyChangeQueueHead", "PspLoadImageNotifyRoutine"]
        {
            if let Some(at) = self.symbols.get(name).copied() {
                self.write_virtual(at, first | 7);
            }
        }
        for name in ["KiServiceLimit", "KeServiceDescriptorTable", "CmpCallBackCount"] {
            if let Some(at) = self.symbols.get(name).copied() {
                let length = if name.ends_with("Table") { 4 * self.width() } else { 4 };
                let bytes = vec![0xff; usize::try_from(length).unwrap_or(4)];
                self.memory.put(self.dtb, at, &bytes);
            }
        }
        let prcbs: Vec<u64> = self.facts.processors.iter().map(|p| p.prcb).collect();
        for prcb in prcbs {
            // The `_KPCR`, which precedes the `_KPRCB`, contains a pointer to the interrupt
            // descriptor table.
            for word in 1..0x140 / self.width() {
                let place = prcb - word * self.width();
                if self.read(place).is_multiple_of(PAGE) && self.read(place) != 0 {
                    self.write_virtual(place, prcb);
                }
            }
        }
    }

    fn cross_threads(&mut self) {
        let processes: Vec<(u64, Vec<u64>)> = self
            .facts
            .processes
            .iter()
            .map(|p| (p.eprocess, p.threads.iter().map(|thread| thread.ethread).collect()))
            .collect();
        for pair in processes.windows(2) {
            let [(_, mine), (_, next)] = pair else { continue };
            let (Some(last), Some(first)) = (mine.last(), next.first()) else { continue };
            // The link of the last thread to its list head becomes one into the list of the next
            // process.
            for word in 0..0x800 / self.width() {
                let offset = word * self.width();
                let value = self.read(last + offset);
                if processes
                    .iter()
                    .any(|(at, _)| (*at..at + 0x800).contains(&value) && value != *at)
                {
                    self.write_virtual(last + offset, first + offset);
                }
            }
        }
    }
}

/// A wrong value in the header of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// The largest possible number of runs of physical memory.
    Runs,
    /// Runs of more pages than a machine can have.
    RunPages,
    /// A bitmap with more bits than the file holds.
    BitmapBits,
    /// Pages that begin after the end of the file.
    FirstPage,
    /// Pages that begin inside the header.
    EarlyPage,
}

impl Lie {
    /// All wrong values.
    pub const ALL: [Self; 5] =
        [Self::Runs, Self::RunPages, Self::BitmapBits, Self::FirstPage, Self::EarlyPage];

    /// Puts the wrong value into the header of a crash dump.
    pub fn tell(self, file: &mut [u8]) {
        let is_64_bit = file.starts_with(b"PAGEDU64");
        let (runs, header) = if is_64_bit { (0x88, 0x2000) } else { (0x64, 0x1000) };
        let step = if is_64_bit { 8 } else { 4 };
        let old = file.get(header + 0x20..header + 0x28) == Some(&[0; 8]) || !is_64_bit;
        let mut put = |at: usize, value: u64| {
            if let Some(room) = file.get_mut(at..at + step) {
                room.copy_from_slice(&value.to_le_bytes()[..step]);
            }
        };
        match self {
            Self::Runs => put(runs, 0xffff_fff0),
            Self::RunPages => put(runs + 3 * step, u64::MAX / 2),
            Self::BitmapBits if old => {
                put(header + 0x10, u64::MAX);
                put(header + 0x18, u64::MAX);
            }
            Self::BitmapBits => put(header + 0x30, u64::MAX),
            Self::FirstPage if old => put(header + 0xc, 0xffff_f000),
            Self::FirstPage => put(header + 0x20, u64::MAX - 0xfff),
            Self::EarlyPage if old => put(header + 0xc, 0x10),
            Self::EarlyPage => put(header + 0x20, 0x10),
        }
    }
}

/// A file cut off at this percentage of its length.
pub fn truncated(file: &[u8], hundredths: usize) -> &[u8] {
    let len = file.len() / 100 * hundredths.min(100);
    file.get(..len).unwrap_or(file)
}
