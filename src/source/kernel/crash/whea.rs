//! Hardware error records (`WHEA_ERROR_RECORD`), to which the bug check for an uncorrectable error
//! points: what the hardware reported, section by section.
//!
//! The format is the Common Platform Error Record of the UEFI specification, with the sections that
//! Windows adds; it is the same in every build. Every offset and length is checked against the
//! record.

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{slice, text, u16_at, u32_at, u64_at};
use crate::model::{Emit, ErrorFact, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::crash::leads;
use crate::source::kernel::crash::machine_check::{self, Facts};

/// Bug checks with a parameter that points to a record, and the index of that parameter.
const RECORDS: [(u32, usize); 1] = [(0x124, 1)];
const SIGNATURE: &[u8] = b"CPER";
const SIGNATURE_END: u32 = 0xffff_ffff;
const HEADER: usize = 128;
const DESCRIPTOR: usize = 72;
/// Upper limits on the size of a record and on its sections.
const MAX_RECORD: usize = 1 << 16;
const MAX_SECTIONS: usize = 64;
const SEVERITIES: [&str; 4] = ["Recoverable", "Fatal", "Corrected", "Informational"];

/// The kind of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SectionKind {
    Processor,
    MachineCheck,
    X86,
    Memory,
    PciExpress,
    PciBus,
    Firmware,
    Nmi,
    Other,
}

/// A known section type: its GUID in memory order, its name, its kind, and the hardware component
/// that it describes.
struct KnownSection([u8; 16], &'static str, SectionKind, &'static str);

const fn guid(a: u32, b: u16, c: u16, d: [u8; 8]) -> [u8; 16] {
    let ([a0, a1, a2, a3], [b0, b1], [c0, c1]) =
        (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
    let [d0, d1, d2, d3, d4, d5, d6, d7] = d;
    [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, d2, d3, d4, d5, d6, d7]
}

static SECTIONS: [KnownSection; 8] = [
    KnownSection(
        guid(0x9876_ccad, 0x47b4, 0x4bdb, [0xb6, 0x5e, 0x16, 0xf1, 0x93, 0xc4, 0xf3, 0xdb]),
        "Processor Generic",
        SectionKind::Processor,
        "processor",
    ),
    KnownSection(
        guid(0x8a1e_1d01, 0x42f9, 0x4557, [0x9c, 0x33, 0x56, 0x5e, 0x5c, 0xc3, 0xf7, 0xe8]),
        "x86/x64 MCA",
        SectionKind::MachineCheck,
        "processor",
    ),
    KnownSection(
        guid(0xdc3e_a0b0, 0xa144, 0x4797, [0xb9, 0x5b, 0x53, 0xfa, 0x24, 0x2b, 0x6e, 0x1d]),
        "x86/x64 Processor Specific",
        SectionKind::X86,
        "processor",
    ),
    KnownSection(
        guid(0xa5bc_1114, 0x6f64, 0x4ede, [0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1]),
        "Memory",
        SectionKind::Memory,
        "memory",
    ),
    KnownSection(
        guid(0xd995_e954, 0xbbc1, 0x430f, [0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35]),
        "PCI Express",
        SectionKind::PciExpress,
        "pci_express",
    ),
    KnownSection(
        guid(0xc575_3963, 0x3b84, 0x4095, [0xbf, 0x78, 0xed, 0xda, 0xd3, 0xf9, 0xc9, 0xdd]),
        "PCI/PCI-X Bus",
        SectionKind::PciBus,
        "pci_bus",
    ),
    KnownSection(
        guid(0x8121_2a96, 0x09ed, 0x4996, [0x94, 0x71, 0x8d, 0x72, 0x9c, 0x8e, 0x69, 0xed]),
        "Firmware Error Record Reference",
        SectionKind::Firmware,
        "firmware",
    ),
    KnownSection(
        guid(0xe712_54e7, 0xc1b9, 0x4940, [0xab, 0x76, 0x90, 0x97, 0x03, 0xa4, 0x32, 0x0f]),
        "NMI",
        SectionKind::Nmi,
        "nmi",
    ),
];

/// A section.
#[derive(Debug, PartialEq, Eq)]
struct ErrorSection {
    name: String,
    /// The hardware component that it describes.
    part: Option<String>,
    facts: Facts,
}

/// A decoded record.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    facts: Facts,
    sections: Vec<ErrorSection>,
}

/// The hardware that failed.
pub(super) struct Failure {
    /// The component, if the record names one.
    pub(super) part: Option<String>,
    /// The evidence as text.
    pub(super) words: String,
}

/// Emits the fields of the record.
pub(crate) fn each_fact(core: &Core, emit: Emit<'_, ErrorFact>) -> Result<(), Unanswered> {
    let (at, bytes) = bytes_of(core)
        .ok_or_else(|| Unanswered::because("the bug check has no hardware error record"))?
        .map_err(|_| Unanswered::because("the dump does not hold the hardware error record"))?;
    let record = Record::parse(&bytes)
        .ok_or_else(|| Unanswered::because("the hardware error record is damaged"))?;
    let own = record.facts.into_iter().map(|fact| (Err(Absent::NotApplicable), None, fact));
    let of_sections = (0..).zip(record.sections).flat_map(|(number, section)| {
        let name = section.name;
        section.facts.into_iter().map(move |fact| (Ok(number), Some(name.clone()), fact))
    });
    for (section, section_name, (name, value)) in own.chain(of_sections) {
        let row = ErrorFact {
            record: Ok(at),
            section,
            section_name: section_name.ok_or(Absent::NotApplicable),
            name: Ok(name.to_owned()),
            value: Ok(value),
            ..ErrorFact::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// The hardware that the record names; `None` for bug checks without a record.
pub(super) fn failure(core: &Core) -> Option<Failure> {
    let record = bytes_of(core)?.ok().and_then(|(_, bytes)| Record::parse(&bytes));
    let section = record.and_then(|record| record.sections.into_iter().rfind(|s| s.part.is_some()));
    let Some(section) = section else {
        let words = "the hardware reported an error that cannot be corrected".to_owned();
        return Some(Failure { part: None, words });
    };
    let shown: Vec<String> = section
        .facts
        .iter()
        .filter(|(name, _)| ["Error", "Proc", "Bank", "Address", "BDF"].contains(name))
        .map(|(name, value)| format!("{} {value}", name.to_ascii_lowercase()))
        .collect();
    let words =
        format!("the hardware error record has a section {}: {}", section.name, shown.join(", "));
    Some(Failure { part: section.part, words })
}

/// Address and bytes of the record, if the bug check has one.
#[allow(clippy::type_complexity, reason = "an address and bytes, or why not")]
fn bytes_of(core: &Core) -> Option<Cell<(u64, Vec<u8>)>> {
    let code = core.header.bugcheck_code?;
    let (_, index) = RECORDS.iter().find(|(known, _)| *known == code)?;
    let at = leads::parameter(core, *index).filter(|at| *at != 0)?;
    let read = || {
        let header = core.kernel_space().slice(at, HEADER)?;
        let length = u32_at(&header, 20).ok_or(Absent::Unreadable)? as usize;
        let bytes = core.prefix(at, length.clamp(HEADER, MAX_RECORD))?;
        Ok((at, bytes.into_owned()))
    };
    Some(read())
}

fn severity(code: u32) -> String {
    let name = SEVERITIES.get(code as usize).copied().unwrap_or("Unknown");
    format!("{name} ({code})")
}

impl Record {
    /// Decodes a record; `None` if the bytes are not a record.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let is_one = bytes.starts_with(SIGNATURE) && u32_at(bytes, 6)? == SIGNATURE_END;
        if !is_one {
            return None;
        }
        let count = usize::from(u16_at(bytes, 10)?).min(MAX_SECTIONS);
        let facts = vec![
            ("Record Id", format!("{:016x}", u64_at(bytes, 96)?)),
            ("Severity", severity(u32_at(bytes, 12)?)),
            ("Length", u32_at(bytes, 20)?.to_string()),
        ];
        let section =
            |i: usize| ErrorSection::parse(bytes, HEADER.checked_add(i.checked_mul(DESCRIPTOR)?)?);
        Some(Self { facts, sections: (0..count).map_while(section).collect() })
    }
}

impl ErrorSection {
    /// Decodes the section whose descriptor is at an offset; `None` if the record ends before it.
    fn parse(record: &[u8], at: usize) -> Option<Self> {
        let descriptor = slice(record, at, DESCRIPTOR)?;
        let (offset, length) = (u32_at(descriptor, 0)? as usize, u32_at(descriptor, 4)? as usize);
        let ty = slice(descriptor, 16, 16)?;
        let known = SECTIONS.iter().find(|known| known.0 == ty);
        let (kind, name) =
            known.map_or((SectionKind::Other, "Unknown"), |known| (known.2, known.1));
        let start = offset.min(record.len());
        let end = offset.saturating_add(length).min(record.len());
        let bytes = record.get(start..end).unwrap_or_default();
        let mut facts = vec![
            ("Flags", format!("{:#x}", u32_at(descriptor, 12)?)),
            ("Severity", severity(u32_at(descriptor, 48)?)),
        ];
        let unit = text(slice(descriptor, 52, 20)?);
        if !unit.is_empty() {
            facts.push(("FRU", unit));
        }
        let (detail, more) = match kind {
            SectionKind::Processor => (None, processor(bytes)),
            SectionKind::MachineCheck => machine_check::section(bytes),
            SectionKind::Memory => (None, memory(bytes)),
            SectionKind::PciExpress => (None, pci_express(bytes)),
            _ => (None, None),
        };
        facts.extend(more.unwrap_or_default());
        let part =
            known.map(|known| detail.map_or(known.3.to_owned(), |d| format!("{}_{d}", known.3)));
        Some(Self { name: name.to_owned(), part, facts })
    }
}

/// Whether a section says that a field is valid.
fn has(valid: u64, bit: u32) -> bool {
    valid >> bit & 1 != 0
}

/// `WHEA_PROCESSOR_GENERIC_ERROR_SECTION`.
fn processor(bytes: &[u8]) -> Option<Facts> {
    const ERRORS: [(u8, &str); 4] =
        [(1, "Cache error"), (2, "TLB error"), (4, "Bus error"), (8, "Micro-architectural error")];
    const OPERATIONS: [&str; 4] = ["Generic", "Data Read", "Data Write", "Instruction Execution"];
    let valid = u64_at(bytes, 0)?;
    let byte = |at: usize| bytes.get(at).copied();
    let mut facts = Facts::new();
    if has(valid, 2) {
        let code = byte(10)?;
        let name =
            ERRORS.iter().find(|(known, _)| *known == code).map_or("Unknown", |(_, name)| name);
        facts.push(("Error Type", format!("{name} ({code:#x})")));
    }
    if has(valid, 3) {
        let code = byte(11)?;
        let name = OPERATIONS.get(usize::from(code)).copied().unwrap_or("Unknown");
        facts.push(("Operation", format!("{name} ({code})")));
    }
    if has(valid, 5) {
        facts.push(("Level", byte(13)?.to_string()));
    }
    if has(valid, 6) {
        facts.push(("CPU Version", format!("{:#018x}", u64_at(bytes, 16)?)));
    }
    if has(valid, 8) {
        facts.push(("Processor ID", format!("{:#018x}", u64_at(bytes, 152)?)));
    }
    if has(valid, 9) {
        facts.push(("Address", format!("{:#018x}", u64_at(bytes, 160)?)));
    }
    if has(valid, 12) {
        facts.push(("Instruction", format!("{:#018x}", u64_at(bytes, 184)?)));
    }
    Some(facts)
}

/// `WHEA_MEMORY_ERROR_SECTION`.
fn memory(bytes: &[u8]) -> Option<Facts> {
    const ERRORS: [&str; 16] = [
        "Unknown",
        "No Error",
        "Single-bit ECC",
        "Multi-bit ECC",
        "Single-symbol ChipKill ECC",
        "Multi-symbol ChipKill ECC",
        "Master abort",
        "Target abort",
        "Parity Error",
        "Watchdog timeout",
        "Invalid address",
        "Mirror Broken",
        "Memory Sparing",
        "Scrub corrected error",
        "Scrub uncorrected error",
        "Physical Memory Map-out event",
    ];
    /// Validation bit, offset and name of the 16-bit fields.
    const PLACES: [(u32, usize, &str); 8] = [
        (3, 32, "Node"),
        (4, 34, "Card"),
        (5, 36, "Module"),
        (6, 38, "Bank"),
        (7, 40, "Device"),
        (8, 42, "Row"),
        (9, 44, "Column"),
        (10, 46, "Bit Position"),
    ];
    let valid = u64_at(bytes, 0)?;
    let mut facts = Facts::new();
    if has(valid, 14) {
        let code = bytes.get(72).copied()?;
        let name = ERRORS.get(usize::from(code)).copied().unwrap_or("Unknown");
        facts.push(("Error", format!("{name} ({code})")));
    }
    if has(valid, 1) {
        facts.push(("Address", format!("{:#018x}", u64_at(bytes, 16)?)));
    }
    for (bit, at, name) in PLACES {
        if has(valid, bit) {
            facts.push((name, u16_at(bytes, at)?.to_string()));
        }
    }
    Some(facts)
}

/// `WHEA_PCIEXPRESS_ERROR_SECTION`.
fn pci_express(bytes: &[u8]) -> Option<Facts> {
    const PORTS: [(u32, &str); 8] = [
        (0, "Endpoint"),
        (1, "Legacy Endpoint"),
        (4, "Root Port"),
        (5, "Upstream Switch Port"),
        (6, "Downstream Switch Port"),
        (7, "PCI Express to PCI Bridge"),
        (8, "PCI to PCI Express Bridge"),
        (9, "Root Complex Integrated Endpoint"),
    ];
    let valid = u64_at(bytes, 0)?;
    let byte = |at: usize| bytes.get(at).copied();
    let mut facts = Facts::new();
    if has(valid, 0) {
        let code = u32_at(bytes, 8)?;
        let name =
            PORTS.iter().find(|(known, _)| *known == code).map_or("Unknown", |(_, name)| name);
        facts.push(("Port Type", format!("{name} ({code})")));
    }
    if has(valid, 2) {
        let (command, status) = (u16_at(bytes, 16)?, u16_at(bytes, 18)?);
        facts.push(("Command/Status", format!("{command:#06x}/{status:#06x}")));
    }
    if has(valid, 3) {
        let (bus, device, function) = (byte(35)?, byte(32)?, byte(31)?);
        let (vendor, id) = (u16_at(bytes, 24)?, u16_at(bytes, 26)?);
        facts.push(("BDF", format!("{bus}:{device}:{function}")));
        facts.push(("VenId:DevId", format!("{vendor:04x}:{id:04x}")));
    }
    Some(facts)
}

#[cfg(test)]
mod tests;
