//! Opening of dumps with physical memory: which way the machine translates addresses.
//!
//! Headers say less than is needed (nothing of five levels of tables) and sometimes lie (of
//! physical address extension). So each way is tried on addresses whose content is known.

use super::KernelDump;
use super::arch::Arch;
use super::memory::Memory;
use crate::dump::Image;
use crate::dump::bytes::{Width, pointer_at};
use crate::dump::header::KernelHeader;
use crate::dump::kdbg::{self, Kdbg};
use crate::dump::pages::{self, Facts, Pages};
use crate::memory::{Gva, Machine, Mode, Prototypes};

/// No debugger data block is larger.
const MAX_DEBUGGER_DATA: usize = 0x1000;
/// The first build of Windows Vista.
const VISTA: u32 = 6000;
/// Where systems before Vista have paged pool, if they do not say.
const PAGED_POOL: u32 = 0xe100_0000;

/// The memory of a dump that is no triage dump, and what is known of its pages.
pub(super) fn open(image: &Image, header: &KernelHeader) -> (Memory, Option<Facts>) {
    let Pages { map, mut facts } = pages::parse(image, header);
    let base = header.dtb.unwrap_or_default();
    let modes = modes(header);
    let first = modes.first().copied().unwrap_or(Mode::X64);
    let mut machine = Machine::new(map, first, base);
    let mut best = (0, first);
    for mode in modes {
        machine = machine.with_mode(*mode, base);
        let found = Known { image, header, machine: &machine }.score();
        if found > best.0 {
            best = (found, *mode);
        }
    }
    machine = machine.with_mode(best.1, base);
    if best.0 == 0 && facts.held != 0 {
        facts.problems.push(match header.dtb {
            Some(base) => {
                format!("no address of the kernel is found by the page tables at {base:#x}")
            }
            None => "the header does not say where the page tables are".to_owned(),
        });
    }
    if best.1 == Mode::X86 && header.build.is_some_and(|build| build < VISTA) {
        let pool = Known { image, header, machine: &machine }.paged_pool().unwrap_or(PAGED_POOL);
        machine = machine.with_prototypes(Prototypes::FromPagedPool(pool));
    }
    (Memory::Pages(machine), Some(facts))
}

/// The ways in which such a machine may translate addresses, the likeliest first.
fn modes(header: &KernelHeader) -> &'static [Mode] {
    match header.machine.map(Arch::from_machine) {
        Some(Arch::Arm64) => &[Mode::Arm64],
        Some(Arch::X64) => &[Mode::X64, Mode::X64La57],
        _ => match (header.width, header.is_pae) {
            (Width::W64, _) => &[Mode::X64, Mode::X64La57, Mode::Arm64],
            (Width::W32, Some(false)) => &[Mode::X86, Mode::Pae],
            (Width::W32, _) => &[Mode::Pae, Mode::X86],
        },
    }
}

/// Addresses of the kernel whose content is known.
struct Known<'a> {
    image: &'a Image,
    header: &'a KernelHeader,
    machine: &'a Machine,
}

impl Known<'_> {
    fn read(&self, address: u64, len: usize) -> Option<Vec<u8>> {
        let address = self.header.width.normalise(address);
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let at = Gva(address.checked_add(bytes.len() as u64)?);
            let page = self.machine.at(self.image, self.machine.kernel(), at).ok()?;
            bytes.extend_from_slice(page.get(..len - bytes.len()).unwrap_or(page));
        }
        Some(bytes)
    }

    fn pointer(&self, address: u64) -> Option<u64> {
        let width = self.header.width;
        pointer_at(&self.read(address, width.bytes())?, 0, width)
    }

    /// How much of what is known is found.
    fn score(&self) -> u32 {
        let lists = [self.header.module_list, self.header.process_head];
        let lists: u32 = lists.into_iter().flatten().map(|head| self.list(head)).sum();
        let block = self.header.kdbg.and_then(|at| self.read(at, 0x18));
        let block = match block {
            Some(block) if block.get(0x10..0x14) == Some(b"KDBG") => 4,
            Some(_) => 1,
            None => 0,
        };
        lists + block
    }

    /// The first entry of a list points back to its head.
    fn list(&self, head: u64) -> u32 {
        let Some(first) = self.pointer(head) else { return 0 };
        let back = first.checked_add(self.header.width.bytes() as u64);
        let is_list = back.and_then(|back| self.pointer(back)).is_some_and(|back| {
            self.header.width.normalise(back) == self.header.width.normalise(head)
        });
        if is_list { 4 } else { 1 }
    }

    /// Where paged pool starts.
    fn paged_pool(&self) -> Option<u32> {
        let block = self.read(self.header.kdbg?, kdbg::PAGED_POOL_START + 8)?;
        let variable = Kdbg::new(&block, self.header.width)?.pointer(kdbg::PAGED_POOL_START)?;
        u32::try_from(self.pointer(variable)?).ok().filter(|start| *start != 0)
    }
}

impl KernelDump {
    /// The debugger data block, out of the kernel's memory; empty if it is not there.
    pub(super) fn read_debugger_data(&self) -> Vec<u8> {
        let block = self.header.kdbg.and_then(|at| self.prefix(at, MAX_DEBUGGER_DATA).ok());
        block.map(std::borrow::Cow::into_owned).unwrap_or_default()
    }
}
