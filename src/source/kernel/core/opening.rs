//! Opening dumps: the header, and the paging mode of the machine.
//!
//! Headers leave out necessary facts (five-level paging) and are sometimes wrong (PAE). Therefore
//! each paging mode is tried on addresses whose contents are known.

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
/// Windows Server 2003 and Windows 7 support no more processors per group.
const MAX_PROCESSORS: u64 = 64;
/// The start of paged pool before Vista, if the dump does not give it.
const PAGED_POOL: u32 = 0xe100_0000;

/// A dump's header and memory, and what is known of its pages.
pub(crate) struct Opened {
    pub(crate) header: KernelHeader,
    pub(crate) memory: Option<Memory>,
    pub(crate) pages: Option<Facts>,
    /// The processors as a hypervisor saved them.
    pub(crate) stopped: Vec<Stopped>,
}

/// Kernel addresses whose contents are known.
struct Known<'a> {
    image: &'a Image,
    header: &'a KernelHeader,
    machine: &'a Machine,
}

/// Opens a dump. A dump without a header gets one from what is found in its memory.
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

/// Opens raw memory without a header.
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

/// The machine of a dump with physical pages, and what is known of the pages.
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
                format!("the page tables at {base:#x} map no known kernel address")
            }
            None => "the header does not say where the page tables are".to_owned(),
        });
    }
    (with_prototypes(machine, image, header), facts)
}

/// The machine with the form of prototype PTE pointers of its Windows version.
fn with_prototypes(machine: Machine, image: &Image, header: &KernelHeader) -> Machine {
    if machine.mode() != Mode::X86 || header.build.is_none_or(|build| build >= VISTA) {
        return machine;
    }
    let pool = Known { image, header, machine: &machine }.paged_pool();
    machine.with_prototypes(Prototypes::FromPagedPool(pool.unwrap_or(PAGED_POOL)))
}

/// The paging modes that are possible, the most likely first.
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

    /// How much of the known contents is found.
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

    /// Whether the first entry of a list points back to its head.
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

    /// The start of paged pool.
    fn paged_pool(&self) -> Option<u32> {
        let start = self.pointer(self.variable(kdbg::PAGED_POOL_START)?)?;
        u32::try_from(start).ok().filter(|start| *start != 0)
    }

    /// The build number from the build string; without that, the one in the kernel image.
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
