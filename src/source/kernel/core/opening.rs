//! Opening of dumps: what their header is, and which way their machine translates addresses.
//!
//! Headers say less than is needed (nothing of five levels of tables) and sometimes lie (of
//! physical address extension). So each way is tried on addresses whose content is known.

use crate::dump::bare::Bare;
use crate::dump::bytes::{Width, pointer_at, text};
use crate::dump::header::{DumpType, KernelHeader};
use crate::dump::kdbg::Kdbg;
use crate::dump::pages::{self, Facts, Pages};
use crate::dump::{Error, Format, Image, Stopped};
use crate::dump::{bare, header, kdbg};
use crate::memory::{Gva, Machine, Mode, Prototypes};
use crate::source::kernel::core::arch::Arch;
use crate::source::kernel::core::memory::Memory;
use crate::symbol::image::Image as ImageFile;

/// The first build of Windows Vista.
const VISTA: u32 = 6000;
/// Windows 7 and 2003 have room for no more processors; others have them in groups.
const MAX_PROCESSORS: u64 = 64;
/// Where systems before Vista have paged pool, if they do not say.
const PAGED_POOL: u32 = 0xe100_0000;

/// A dump's header and memory, and what is known of its pages.
pub(crate) struct Opened {
    pub(crate) header: KernelHeader,
    pub(crate) memory: Option<Memory>,
    pub(crate) pages: Option<Facts>,
    /// The processors, as a hypervisor stopped them.
    pub(crate) stopped: Vec<Stopped>,
}

/// Addresses of the kernel whose content is known.
struct Known<'a> {
    image: &'a Image,
    header: &'a KernelHeader,
    machine: &'a Machine,
}

/// Opens a dump. One without a header gets one by what is found in its memory.
pub(crate) fn open(image: &Image, format: Format) -> Result<Opened, Error> {
    let width = match format {
        Format::ElfCore | Format::Raw => return bare(image, format),
        Format::Kernel64 => Width::W64,
        _ => Width::W32,
    };
    let header = header::parse(image, width);
    if header.dump_type == DumpType::Triage {
        return Ok(Opened { header, memory: None, pages: None, stopped: Vec::new() });
    }
    let (machine, facts) = whole(image, &header);
    let (memory, stopped) = (Some(Memory::Pages(machine)), Vec::new());
    Ok(Opened { header, memory, pages: Some(facts), stopped })
}

/// Opens memory without a header.
fn bare(image: &Image, format: Format) -> Result<Opened, Error> {
    let Bare { pages: Pages { map, facts }, windows, processors: stopped } =
        bare::parse(image, format)?;
    let kind = if format == Format::ElfCore { DumpType::ElfCore } else { DumpType::Raw };
    let mut header = header::of_memory(&windows, kind);
    let machine = Machine::new(map, windows.mode, windows.dtb);
    let known = Known { image, header: &header, machine: &machine };
    let (build, processors) = (known.build(), known.processors());
    let counted = u32::try_from(stopped.len()).ok().filter(|count| *count != 0);
    (header.build, header.processors) = (build, processors.or(counted));
    let machine = with_prototypes(machine, image, &header);
    Ok(Opened { header, memory: Some(Memory::Pages(machine)), pages: Some(facts), stopped })
}

/// The machine of a dump with pages, and what is known of them.
fn whole(image: &Image, header: &KernelHeader) -> (Machine, Facts) {
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
    (with_prototypes(machine, image, header), facts)
}

/// The machine with the way in which its version of Windows points to prototypes.
fn with_prototypes(machine: Machine, image: &Image, header: &KernelHeader) -> Machine {
    if machine.mode() != Mode::X86 || header.build.is_none_or(|build| build >= VISTA) {
        return machine;
    }
    let pool = Known { image, header, machine: &machine }.paged_pool();
    machine.with_prototypes(Prototypes::FromPagedPool(pool.unwrap_or(PAGED_POOL)))
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

    /// A pointer of the debugger data block.
    fn variable(&self, offset: usize) -> Option<u64> {
        let block = self.read(self.header.kdbg?, offset.checked_add(8)?)?;
        Kdbg::new(&block, self.header.width)?.pointer(offset)
    }

    /// Where paged pool starts.
    fn paged_pool(&self) -> Option<u32> {
        let start = self.pointer(self.variable(kdbg::PAGED_POOL_START)?)?;
        u32::try_from(start).ok().filter(|start| *start != 0)
    }

    /// The build number, with which the text of the build begins; without that, the one that the
    /// kernel's image says of itself.
    fn build(&self) -> Option<u32> {
        let lab = || Some(text(&self.read(self.variable(kdbg::BUILD_LAB)?, 8)?));
        let stated = lab().and_then(|lab| lab.split('.').next()?.parse().ok());
        stated.or_else(|| self.build_of_image())
    }

    fn build_of_image(&self) -> Option<u32> {
        let base = self.header.kernel_base?;
        let bytes = |at: u32, buffer: &mut [u8]| {
            let address = base.checked_add(at.into());
            let held = address.and_then(|address| self.read(address, buffer.len()));
            held.is_some_and(|held| {
                buffer.copy_from_slice(&held);
                true
            })
        };
        let version = ImageFile::new(&bytes)?.version()?.file_version?;
        version.split('.').nth(2)?.parse().ok()
    }

    /// How many processors have a `_KPRCB`.
    fn processors(&self) -> Option<u32> {
        let list = self.variable(kdbg::PROCESSOR_BLOCK)?;
        let step = self.header.width.bytes() as u64;
        let is_one = |i: &u64| {
            let entry = list.checked_add(i * step).and_then(|at| self.pointer(at));
            entry.is_some_and(|prcb| prcb != 0)
        };
        let count = (0..MAX_PROCESSORS).take_while(is_one).count();
        u32::try_from(count).ok().filter(|count| *count != 0)
    }
}
