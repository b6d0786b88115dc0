//! The memory of a dump as readers see it: address spaces that return bytes, or the reason why
//! there are none.
//!
//! A [`Space`] reads the memory ranges of a triage dump by virtual address, and the physical pages
//! of any other dump through page tables. It knows nothing about kernel objects.

use crate::source::typed;
use std::borrow::Cow;

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::dump::bytes::{pointer_at, u32_at};
use crate::memory::{Fault, Gva, Machine, Regions, Root};
use crate::source::kernel::core::Core;

/// The memory behind the address spaces of a dump.
#[derive(Debug)]
pub(crate) enum Memory {
    /// Ranges of virtual memory; every process sees the same.
    Pieces(Regions),
    /// Physical memory; every process has its own page tables.
    Pages(Machine),
}

/// An address space of the dump. Cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Space<'a> {
    core: &'a Core,
    /// The page tables, if there are any.
    root: Option<Root>,
}

/// The contiguous ranges of memory that [`Space::held`] finds.
pub(crate) struct Held<'a> {
    space: Space<'a>,
    at: u64,
    end: u64,
}

/// The first address of kernel space.
pub(crate) const HALF_32: u64 = 0x8000_0000;
pub(crate) const HALF_64: u64 = 0xffff_8000_0000_0000;
/// The end of the 32-bit address space.
pub(crate) const END_32: u64 = 1 << 32;

/// The reason that columns give for a failed read.
pub(crate) const fn reason(fault: Fault) -> Absent {
    match fault {
        Fault::PagedOut { .. } => Absent::PagedOut,
        Fault::DemandZero(_) => Absent::DemandZero,
        Fault::NotCanonical(_) | Fault::Damaged { .. } | Fault::Wraps(_) => Absent::Unreadable,
        // An unmapped address may be mapped in another process or on demand, so the pointer is not
        // necessarily wrong.
        _ => Absent::NotInDump,
    }
}

impl<'a> Space<'a> {
    /// The dump that it belongs to.
    pub(crate) const fn core(self) -> &'a Core {
        self.core
    }

    /// The bytes from an address up to the end of its page or range, borrowed from the file. Never
    /// empty.
    pub(crate) fn page(self, address: u64) -> Cell<&'a [u8]> {
        let address = self.core.plain(address);
        let file = &self.core.image;
        let found = match &self.core.memory {
            Memory::Pieces(regions) => regions.at(file, Gva(address)),
            Memory::Pages(machine) => {
                machine.at(file, self.root.unwrap_or(machine.kernel()), Gva(address))
            }
        };
        found.map_err(reason)
    }

    /// Whether the dump holds the byte at an address.
    pub(crate) fn is_present(self, address: u64) -> bool {
        self.page(address).is_ok()
    }

    /// Fills the buffer from an address on.
    pub(crate) fn read(self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        let mut at = address;
        let mut rest = buffer;
        while !rest.is_empty() {
            let bytes = self.page(at)?;
            let count = bytes.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(bytes.get(..count).unwrap_or_default());
            rest = later;
            if !rest.is_empty() {
                at = at.checked_add(count as u64).ok_or(Absent::Unreadable)?;
            }
        }
        Ok(())
    }

    /// The bytes of a range, borrowed from the file if they are contiguous there.
    pub(crate) fn slice(self, address: u64, len: usize) -> Cell<Cow<'a, [u8]>> {
        if len == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        if let Some(bytes) = self.page(address)?.get(..len) {
            return Ok(Cow::Borrowed(bytes));
        }
        self.bytes(address, len).map(Cow::Owned)
    }

    /// All bytes of a range, or the reason why the first missing byte is missing.
    pub(crate) fn bytes(self, address: u64, len: usize) -> Cell<Vec<u8>> {
        // Memory is allocated for what is there, not for the length that damaged data gives.
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let at = address.checked_add(bytes.len() as u64).ok_or(Absent::Unreadable)?;
            let held = self.page(at)?;
            bytes.extend_from_slice(held.get(..len - bytes.len()).unwrap_or(held));
        }
        Ok(bytes)
    }

    /// The longest contiguous prefix of a range that the dump holds, at least one byte.
    pub(crate) fn prefix(self, address: u64, limit: usize) -> Cell<Cow<'a, [u8]>> {
        let first = self.page(address)?;
        if let Some(bytes) = first.get(..limit) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut all = Cow::Borrowed(first);
        while all.len() < limit {
            let at = address.checked_add(all.len() as u64);
            let Some(Ok(bytes)) = at.map(|at| self.page(at)) else { break };
            let bytes = bytes.get(..limit - all.len()).unwrap_or(bytes);
            all.to_mut().extend_from_slice(bytes);
        }
        Ok(all)
    }

    /// The 32-bit number at an address.
    pub(crate) fn u32_at(self, address: u64) -> Cell<u32> {
        let bytes = self.slice(address, 4)?;
        u32_at(&bytes, 0).ok_or(Absent::NotInDump)
    }

    /// The pointer at an address, zero-extended.
    pub(crate) fn pointer_at(self, address: u64) -> Cell<u64> {
        let width = self.core.header.width;
        let bytes = self.slice(address, width.bytes())?;
        pointer_at(&bytes, 0, width).ok_or(Absent::NotInDump)
    }

    /// The size of a pointer.
    pub(crate) const fn pointer_bytes(self) -> u64 {
        self.core.header.width.bytes() as u64
    }

    /// The contiguous parts of a range that the dump holds, with their first addresses, in order.
    pub(crate) fn held(self, start: u64, end: u64) -> Held<'a> {
        Held { space: self, at: start, end }
    }
}

impl<'a> Iterator for Held<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.space.next_present(self.at, self.end)?;
        let bytes = self.space.page(start).ok()?;
        let room = usize::try_from(self.end - start).unwrap_or(usize::MAX);
        let bytes = bytes.get(..room).unwrap_or(bytes);
        self.at = start.saturating_add(bytes.len() as u64);
        Some((start, bytes))
    }
}

impl Space<'_> {
    /// The first address between `start` and `end` that the dump holds.
    fn next_present(self, start: u64, end: u64) -> Option<u64> {
        match &self.core.memory {
            Memory::Pieces(regions) => {
                regions.within(start, end).first().map(|region| region.start.max(start))
            }
            Memory::Pages(machine) => {
                let root = self.root.unwrap_or(machine.kernel());
                machine.next_present(&self.core.image, root, Gva(start), Gva(end)).map(|at| at.0)
            }
        }
    }
}

impl Core {
    /// The kernel's address space.
    pub(crate) const fn kernel_space(&self) -> Space<'_> {
        Space { core: self, root: None }
    }

    /// The address space of a page directory base, as `_EPROCESS.Pcb.DirectoryTableBase` gives it.
    pub(crate) fn space(&self, dtb: u64) -> Space<'_> {
        let root = match &self.memory {
            Memory::Pieces(_) => None,
            Memory::Pages(machine) => Some(machine.root(dtb)),
        };
        Space { core: self, root }
    }

    /// All bytes of a range of kernel memory, or the reason why not.
    pub(crate) fn bytes(&self, address: u64, len: usize) -> Cell<Vec<u8>> {
        self.kernel_space().bytes(address, len)
    }

    /// The longest contiguous prefix of a range of kernel memory, at least one byte.
    pub(crate) fn prefix(&self, address: u64, limit: usize) -> Cell<Cow<'_, [u8]>> {
        self.kernel_space().prefix(address, limit)
    }

    /// The 32-bit number at a kernel address.
    pub(crate) fn u32_at(&self, address: u64) -> Cell<u32> {
        self.kernel_space().u32_at(address)
    }

    /// The pointer at a kernel address.
    pub(crate) fn pointer_at(&self, address: u64) -> Cell<u64> {
        self.kernel_space().pointer_at(address)
    }

    /// A 32-bit address without the sign extension that debuggers write.
    pub(crate) fn plain(&self, address: u64) -> u64 {
        if address >> 32 == 0xffff_ffff { self.header.width.normalise(address) } else { address }
    }

    /// Whether an address is in kernel space.
    pub(crate) fn is_system(&self, address: u64) -> bool {
        match self.header.width {
            Width::W32 => self.plain(address) >> 31 == 1,
            Width::W64 => address >> 47 == 0x1_ffff,
        }
    }

    /// Whether an address is in kernel space.
    pub(crate) fn is_kernels(&self, address: u64) -> bool {
        match self.header.width {
            Width::W32 => (HALF_32..END_32).contains(&address),
            Width::W64 => address >= HALF_64,
        }
    }
}

impl typed::Memory for Space<'_> {
    fn pointer_bytes(&self) -> usize {
        self.core.header.width.bytes()
    }

    fn plain(&self, address: u64) -> u64 {
        self.core.plain(address)
    }

    fn prefix(&self, address: u64, most: usize) -> Cell<Cow<'_, [u8]>> {
        Space::prefix(*self, address, most)
    }

    fn bytes(&self, address: u64, len: usize) -> Cell<Vec<u8>> {
        Space::bytes(*self, address, len)
    }

    fn pointer_at(&self, address: u64) -> Cell<u64> {
        Space::pointer_at(*self, address)
    }
}
