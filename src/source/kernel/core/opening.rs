//! Opening dumps: the header, and the paging mode of the machine.
//!
//! Headers leave out necessary facts (five-level paging) and are sometimes wrong (PAE). Therefore
//! each paging mode is tried on addresses whose contents are known.

use crate::dump::bare::Bare;
use crate::dump::bytes::Width;
use crate::dump::header::{DumpType, KernelHeader};
use crate::dump::pages::{self, Facts, Pages};
use crate::dump::{Error, Format, Image, Stopped};
use crate::dump::{bare, header};
use crate::memory::{Machine, Mode, Prototypes};
use crate::source::kernel::core::arch::Arch;
use crate::source::kernel::core::exported;
use crate::source::kernel::core::known::Known;
use crate::source::kernel::core::memory::Memory;

/// The first build of Windows Vista.
const VISTA: u32 = 6000;
/// The default start of paged pool on systems before Vista, if the dump does not give it.
const PAGED_POOL: u32 = 0xe100_0000;

/// A dump's header and memory, and what is known about its pages.
pub(crate) struct Opened {
    pub(crate) header: KernelHeader,
    pub(crate) memory: Option<Memory>,
    pub(crate) pages: Option<Facts>,
    /// The processor state that a hypervisor saved.
    pub(crate) stopped: Vec<Stopped>,
}

/// Opens a dump. If it has no header, one is made from what is found in its memory.
pub(crate) fn open(image: &Image, format: Format) -> Result<Opened, Error> {
    let width = match format {
        Format::ElfCore | Format::Raw | Format::Saved(_) => return bare(image, format),
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
    let kind = match format {
        Format::ElfCore => DumpType::ElfCore,
        Format::Saved(saved) => DumpType::Saved(saved),
        _ => DumpType::Raw,
    };
    let mut header = header::of_memory(&windows, kind);
    let machine = Machine::new(map, windows.mode, windows.dtb);
    if windows.kdbg.is_none() {
        // The debugger data block is encoded, but exports of the kernel lead to its lists.
        let known = Known::new(image, &header, &machine);
        let lists = exported::lists(&known, windows.kernel_base);
        (header.module_list, header.process_head) = (lists.modules, lists.processes);
    }
    let known = Known::new(image, &header, &machine);
    let crash = known.crash();
    let (build, processors) = (known.build(), known.processors());
    if let Some((code, parameters)) = crash {
        (header.bugcheck_code, header.parameters) = (Some(code), parameters.map(Some));
    }
    let counted = u32::try_from(stopped.len()).ok().filter(|count| *count != 0);
    (header.build, header.processors) = (build, processors.or(counted));
    let machine = with_prototypes(machine, image, &header);
    Ok(Opened { header, memory: Some(Memory::Pages(machine)), pages: Some(facts), stopped })
}

/// The machine of a dump with physical pages, and what is known about the pages.
fn whole(image: &Image, header: &KernelHeader) -> (Machine, Facts) {
    let Pages { map, mut facts } = pages::parse(image, header);
    let base = header.dtb.unwrap_or_default();
    let modes = modes(header);
    let first = modes.first().copied().unwrap_or(Mode::X64);
    let mut machine = Machine::new(map, first, base);
    let mut best = (0, first);
    for mode in modes {
        machine = machine.with_mode(*mode, base);
        let found = Known::new(image, header, &machine).score();
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

/// The machine, with the format of prototype PTE pointers of its Windows version.
fn with_prototypes(machine: Machine, image: &Image, header: &KernelHeader) -> Machine {
    if machine.mode() != Mode::X86 || header.build.is_none_or(|build| build >= VISTA) {
        return machine;
    }
    let pool = Known::new(image, header, &machine).paged_pool();
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
