//! Finds Windows in physical memory about which nothing else is known: its page tables, its
//! debugger data block, its kernel.
//!
//! A single signature is not enough. Page tables that map themselves in the way that only Windows
//! uses must lead to a debugger data block whose lists point back to their heads, or to an image
//! whose internal name is that of the kernel.

use super::bytes::{Width, text, u16_at, u32_at, u64_at};
use super::kdbg::{self, Kdbg};
use crate::memory::{Gpa, Gva, Machine, Mode, PAGE, PageMap, Physical, View};

/// The page tables of the system process are created at boot and are therefore in low memory.
const TABLE_PAGES: u64 = 1 << 18;
/// Upper limit on the page tables of processes that are tried.
pub(super) const MAX_TABLES: usize = 32;
/// Upper limit on the blocks with the tag that are tried.
const MAX_BLOCKS: usize = 16;
/// Upper limit on the size of the kernel image.
const MAX_KERNEL: u64 = 64 << 20;
/// Upper limit on the processor registers and on the last directories of three-level tables that
/// are tried.
const MAX_HINTS: usize = 8;
/// How many pages of kernel space are searched for the kernel image.
const MAX_LOOKED_AT: u64 = 1 << 19;
/// The page frame number in a 64-bit entry.
const NUMBER: u64 = 0x000f_ffff_ffff_f000;
/// How many pages are searched at a time.
const PIECE: u64 = 4096;

/// Windows as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    /// The width of its pointers.
    pub width: Width,
    /// Page directory base.
    pub dtb: u64,
    /// The paging mode.
    pub mode: Mode,
    /// Address of the debugger data block, if it is not encoded.
    pub kdbg: Option<u64>,
    /// Base of the kernel's image.
    pub kernel_base: u64,
    /// `PsLoadedModuleList`.
    pub module_list: Option<u64>,
    /// `PsActiveProcessHead`.
    pub process_head: Option<u64>,
}

/// Candidates for the page tables: from processor registers, from the processor start block in low
/// memory, and from tables that map themselves. The search stops after about `most`.
pub(super) fn tables(memory: Physical<'_>, registers: &[u64], most: usize) -> Vec<(Mode, u64)> {
    let mut found = Vec::new();
    for base in registers.iter().take(MAX_HINTS) {
        found.extend([Mode::X64, Mode::Pae, Mode::X86, Mode::X64La57].map(|mode| (mode, *base)));
    }
    let low = memory.pieces(0, 0x100, 1);
    found.extend(low.filter_map(|(_, page)| start_block(page)).map(|base| (Mode::X64, base)));
    let mut directories = Vec::new();
    for (at, page) in memory.pieces(0, TABLE_PAGES, 1) {
        if found.len() >= most {
            break;
        }
        found.extend(own_table(at, page).map(|mode| (mode, at.0)));
        if directories.len() < MAX_HINTS {
            directories.extend(directories_of(at, page));
        }
    }
    found.extend(directory_pointers(memory, &directories).map(|base| (Mode::Pae, base)));
    found.dedup();
    found
}

/// The page directory base in the processor start block (`PROCESSOR_START_BLOCK`), which begins
/// with a jump of known form and holds a kernel address.
fn start_block(page: &[u8]) -> Option<u64> {
    let jump = u64_at(page, 0)?;
    let (kernel, base) = (u64_at(page, 0x70)?, u64_at(page, 0xa0)?);
    let is_block = jump & 0xffff_ffff_ffff_00ff == 0x0000_0001_0006_00e9
        && kernel >> 43 == 0x1f_ffff
        && base & 0xffff_ff00_0000_0fff == 0
        && base != 0;
    is_block.then_some(base)
}

/// The paging modes for which the page is a self-mapping table. Tables of small systems may match
/// several modes.
fn own_table(at: Gpa, page: &[u8]) -> impl Iterator<Item = Mode> + use<> {
    // 64 bits: somewhere in the upper half; up to Windows 10 1511 at a fixed entry.
    let (entries, _) = page.get(0x800..).unwrap_or_default().as_chunks::<8>();
    let mut entries = entries.iter().map(|entry| u64::from_le_bytes(*entry));
    let own = entries.find(|entry| maps(*entry, at));
    // Only ARM64 has this bit as access flag.
    let wide = own.map(|entry| if entry & 0x400 != 0 { Mode::Arm64 } else { Mode::X64 });
    // Two levels: at 0xc0000000.
    let entry = u32_at(page, 0xc00).map(u64::from);
    let narrow = entry.is_some_and(|entry| maps(entry, at)).then_some(Mode::X86);
    wide.into_iter().chain(narrow)
}

/// Whether an entry maps the page at an address as writable.
const fn maps(entry: u64, at: Gpa) -> bool {
    entry & 3 == 3 && entry & NUMBER == at.0
}

/// The four directories of three-level tables, if the page is the last of them, which maps all
/// four.
fn directories_of(at: Gpa, page: &[u8]) -> Option<[u64; 4]> {
    let last = u64_at(page, 0x18).filter(|entry| maps(*entry, at))?;
    let [a, b, c] = [0, 8, 16].map(|offset| u64_at(page, offset).filter(|entry| entry & 1 == 1));
    Some([a?, b?, c?, last].map(|entry| entry & NUMBER))
}

/// Where pointers to these directories are; CR3, which holds their address, has 32 bits.
fn directory_pointers(
    memory: Physical<'_>,
    directories: &[[u64; 4]],
) -> impl Iterator<Item = u64> + use<> {
    let mut found = Vec::new();
    let pages = if directories.is_empty() { 0 } else { TABLE_PAGES };
    for (at, bytes) in memory.pieces(0, pages, PIECE) {
        let (fours, _) = bytes.as_chunks::<32>();
        for (index, four) in fours.iter().enumerate() {
            let Some(first) = u64_at(four, 0).filter(|first| first & 0xfff == 1) else { continue };
            let is_one = |wanted: &&[u64; 4]| {
                wanted.first() == Some(&(first & NUMBER))
                    && (1..4).all(|i| {
                        u64_at(four, 8usize.saturating_mul(i)).map(|entry| entry & NUMBER)
                            == wanted.get(i).copied()
                    })
            };
            if found.len() < MAX_HINTS && directories.iter().any(|wanted| is_one(&wanted)) {
                found.push(at.0.saturating_add((index as u64).saturating_mul(32)));
            }
        }
    }
    found.into_iter()
}

/// Finds Windows through these page tables.
pub(super) fn find(
    file: View<'_>,
    map: PageMap,
    tables: &[(Mode, u64)],
) -> (PageMap, Option<Windows>) {
    let Some((mode, base)) = tables.first() else { return (map, None) };
    let mut machine = Machine::new(map, *mode, *base);
    let mut from = Gpa(0);
    for _ in 0..MAX_BLOCKS {
        let Some(block) = next_block(machine.physical(file), from) else { break };
        from = Gpa(block.at.0.saturating_add(1));
        for (mode, base) in tables {
            machine = machine.with_mode(*mode, *base);
            let search = Search { file, machine: &machine, width: width(*mode) };
            let found = search.by_block(&block);
            if found.is_some() {
                return (machine.into_map(), found);
            }
        }
    }
    // Since Windows 8 the block is encoded until a debugger or a crash needs it.
    for (mode, base) in tables {
        machine = machine.with_mode(*mode, *base);
        let search = Search { file, machine: &machine, width: width(*mode) };
        let found = search.by_image();
        if found.is_some() {
            return (machine.into_map(), found);
        }
    }
    (machine.into_map(), None)
}

const fn width(mode: Mode) -> Width {
    match mode {
        Mode::X86 | Mode::Pae => Width::W32,
        _ => Width::W64,
    }
}

/// A debugger data block in physical memory.
struct Block {
    at: Gpa,
    kernel_base: u64,
}

/// The next candidate for a debugger data block from an address on.
fn next_block(memory: Physical<'_>, from: Gpa) -> Option<Block> {
    let finder = memchr::memmem::Finder::new(b"KDBG");
    memory.pieces(from.0 / PAGE, u64::MAX, PIECE).find_map(|(at, bytes)| {
        let starts = finder.find_iter(bytes).filter_map(|tag| tag.checked_sub(0x10));
        let mut starts =
            starts.filter(|start| start % 4 == 0 && at.0.saturating_add(*start as u64) >= from.0);
        starts.find_map(|start| block(at, start, bytes.get(start..)?))
    })
}

fn block(at: Gpa, start: usize, bytes: &[u8]) -> Option<Block> {
    let size = u32_at(bytes, 0x14)?;
    let kernel_base = u64_at(bytes, kdbg::KERN_BASE)?;
    let is_upper = kernel_base >> 47 == 0x1_ffff || (0x8000_0000..1 << 32).contains(&kernel_base);
    let is_one = (0x200..0x1000).contains(&size) && kernel_base % PAGE == 0 && is_upper;
    is_one.then_some(Block { at: Gpa(at.0.checked_add(start as u64)?), kernel_base })
}

/// A search through one set of page tables.
struct Search<'a> {
    file: View<'a>,
    machine: &'a Machine,
    width: Width,
}

impl Search<'_> {
    fn read(&self, address: u64, len: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let at = Gva(address.checked_add(bytes.len() as u64)?);
            let page = self.machine.at(self.file, self.machine.kernel(), at).ok()?;
            bytes.extend_from_slice(page.get(..len.saturating_sub(bytes.len())).unwrap_or(page));
        }
        Some(bytes)
    }

    fn pointer(&self, address: u64) -> Option<u64> {
        super::bytes::pointer_at(&self.read(address, self.width.bytes())?, 0, self.width)
    }

    /// Windows, if the block is in the kernel image and its lists are consistent.
    fn by_block(&self, block: &Block) -> Option<Windows> {
        let base = self.width.normalise(block.kernel_base);
        let address = self.address_of(base, block.at)?;
        let bytes = self.read(address, 0x200)?;
        let block = Kdbg::new(&bytes, self.width)?;
        let lists = [kdbg::MODULE_LIST, kdbg::PROCESS_HEAD].map(|list| block.pointer(list));
        if !lists.into_iter().flatten().any(|head| self.is_list(head)) {
            return None;
        }
        let [module_list, process_head] = lists;
        Some(Windows { kdbg: Some(address), module_list, process_head, ..self.windows(base) })
    }

    fn windows(&self, kernel_base: u64) -> Windows {
        Windows {
            width: self.width,
            dtb: self.machine.kernel().table().0,
            mode: self.machine.mode(),
            kdbg: None,
            kernel_base,
            module_list: None,
            process_head: None,
        }
    }

    /// The virtual address of a physical one, within the kernel image.
    fn address_of(&self, base: u64, at: Gpa) -> Option<u64> {
        let wanted = at.0 / PAGE;
        let mut next = base;
        let end = base.checked_add(MAX_KERNEL)?;
        while next < end {
            let found = self.machine.translate(self.file, self.machine.kernel(), Gva(next));
            if found.is_ok_and(|found| found.address.0 / PAGE == wanted) {
                return next.checked_add(at.0 % PAGE);
            }
            next = next.checked_add(PAGE)?;
        }
        None
    }

    /// Whether the first entry of a list points back to its head.
    fn is_list(&self, head: u64) -> bool {
        let first = self.pointer(head);
        let back = first.and_then(|first| first.checked_add(self.width.bytes() as u64));
        back.and_then(|back| self.pointer(back)) == Some(head)
    }

    /// Windows, if an image in kernel space is the kernel by its name.
    fn by_image(&self) -> Option<Windows> {
        let (mut at, end) = match self.width {
            Width::W32 => (0x8000_0000, 0xffff_0000),
            Width::W64 => (0xffff_f800_0000_0000, 0xffff_f880_0000_0000),
        };
        for _ in 0..MAX_LOOKED_AT {
            let kernel = self.machine.kernel();
            at = self.machine.next_present(self.file, kernel, Gva(at), Gva(end))?.0;
            let page = self.machine.at(self.file, kernel, Gva(at)).ok()?;
            if page.starts_with(b"MZ") && self.is_kernel(at) {
                return Some(self.windows(at));
            }
            at = at.checked_add(PAGE)?;
        }
        None
    }

    /// Whether the image at an address is named as the kernel, in its export directory or in its
    /// PDB name.
    fn is_kernel(&self, base: u64) -> bool {
        let names = [self.export_name(base), self.symbol_name(base)];
        names.into_iter().flatten().any(|name| {
            let name = name.to_ascii_lowercase();
            ["ntoskrnl.", "ntkrnlmp.", "ntkrnlpa.", "ntkrpamp.", "ntkrla57."]
                .into_iter()
                .any(|kernel| name.starts_with(kernel))
        })
    }

    /// Address and size of a data directory.
    fn directory(&self, base: u64, index: usize) -> Option<(u64, u32)> {
        let header = base.checked_add(u32_at(&self.read(base, 0x40)?, 0x3c)?.into())?;
        let header = self.read(header, 0x108)?;
        let directories = match (header.starts_with(b"PE\0\0"), u16_at(&header, 0x18)?) {
            (true, 0x10b) => 0x78,
            (true, 0x20b) => 0x88,
            _ => return None,
        };
        let at = index.checked_mul(8)?.checked_add(directories)?;
        let address = u32_at(&header, at).filter(|address| *address != 0)?;
        Some((base.checked_add(address.into())?, u32_at(&header, at.checked_add(4)?)?))
    }

    fn export_name(&self, base: u64) -> Option<String> {
        let (exports, _) = self.directory(base, 0)?;
        let name = u32_at(&self.read(exports, 0x10)?, 0xc)?;
        self.name(base.checked_add(name.into())?)
    }

    fn symbol_name(&self, base: u64) -> Option<String> {
        let (entries, size) = self.directory(base, 6)?;
        (0..u64::from(size / 28).min(16)).find_map(|index| {
            let entry = self.read(entries.checked_add(index.checked_mul(28)?)?, 28)?;
            let record = base.checked_add(u32_at(&entry, 20)?.into())?;
            let is_symbols = self.read(record, 4)? == b"RSDS";
            if is_symbols { self.name(record.checked_add(24)?) } else { None }
        })
    }

    fn name(&self, at: u64) -> Option<String> {
        Some(text(&self.read(at, 16)?))
    }
}
