//! The dump as a whole: its header, its coverage, and its defects.

use crate::catalog::{Absent, Cell};
use crate::dump::header::DumpType;
use crate::dump::{Width, kdbg};
use crate::memory::PageMap;
use crate::model::{CoverageRange, DumpInfo, Emit, Problem, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Memory;
use crate::source::kernel::core::time::{millis, unix_micros};

const PAGE: u64 = 0x1000;

/// The first build of each Windows NT version, latest first.
const VERSIONS: &[(u32, &str)] = &[
    (9841, "10.0"),
    (9430, "6.3"),
    (8102, "6.2"),
    (6519, "6.1"),
    (5112, "6.0"),
    (3541, "5.2"),
    (2250, "5.1"),
    (1946, "5.0"),
];

fn signed(value: u64) -> Cell<i64> {
    i64::try_from(value).map_err(|_| Absent::Unreadable)
}

pub(crate) fn dump_row(core: &Core, want: &Want<'_, DumpInfo>) -> DumpInfo {
    // Choosing a layout also decompresses it, so this is done only for a query that needs it.
    let layout = want.has_any(|c| [c.layout, c.layout_grounds, c.layout_certainty]);
    let layout = layout.then(|| core.types().said()).flatten().ok_or(Absent::NoSymbols);
    let header = &core.header;
    let missing = Absent::NotInDump;
    let build = header.build.or_else(|| core.build_of_lab()).ok_or(missing);
    let bitmap = core.pages.as_ref().and_then(|pages| pages.bitmap);
    let bitmap = bitmap.ok_or(Absent::NotApplicable);
    let format = match (header.dump_type, header.width) {
        (DumpType::Raw, _) => "raw",
        (DumpType::ElfCore, _) => "ELF",
        (DumpType::Saved(saved), _) => saved.container(),
        (_, Width::W32) => "PAGEDUMP",
        (_, Width::W64) => "PAGEDU64",
    };
    DumpInfo {
        path: Ok(core.image.path().to_owned()),
        format: Ok(format.to_owned()),
        dump_type: Ok(header.dump_type.words()),
        os: build.and_then(os),
        build: build.map(i64::from),
        service_pack: core.service_pack().map(|number| format!("Service Pack {number}")),
        build_lab: core.build_lab(),
        arch: match core.arch.name() {
            "" => Err(Absent::Unreadable),
            name => Ok(name.to_owned()),
        },
        // Only 32-bit kernels exist in both variants.
        is_pae: match header.width {
            Width::W32 => header.is_pae.ok_or(missing),
            Width::W64 => Err(Absent::NotApplicable),
        },
        processors: header.processors.map(i64::from).ok_or(missing),
        system_time: header.system_time.ok_or(missing).and_then(unix_micros),
        uptime_ms: header.uptime.ok_or(missing).and_then(millis),
        file_bytes: signed(core.image.file_bytes()),
        physical_bytes: physical_bytes(core),
        dtb: header.dtb.ok_or(missing),
        kernel_base: core.kernel_base().ok_or(missing),
        module_list: stated(core, header.module_list, kdbg::MODULE_LIST),
        process_head: stated(core, header.process_head, kdbg::PROCESS_HEAD),
        pfn_database: header.pfn_database.ok_or(missing),
        kdbg: header.kdbg.ok_or(missing),
        bitmap_header_bytes: bitmap.and_then(|bitmap| signed(bitmap.first_page)),
        bitmap_bits: bitmap.and_then(|bitmap| signed(bitmap.bits)),
        bitmap_pages: bitmap.and_then(|bitmap| signed(bitmap.pages)),
        comment: header.comment.clone().ok_or(Absent::NotApplicable),
        is_complete: Ok(is_complete(core)),
        layout: layout.as_ref().map(|said| said.label.clone()).map_err(|absent| *absent),
        layout_grounds: layout.as_ref().map(|said| said.grounds.clone()).map_err(|absent| *absent),
        layout_certainty: layout.map(|said| said.certainty.to_owned()),
        ..DumpInfo::default()
    }
}

/// An address from the header, or else from the debugger data block.
fn stated(core: &Core, header: Option<u64>, pointer: usize) -> Cell<u64> {
    let block = || core.kdbg().and_then(|kdbg| kdbg.pointer(pointer));
    header.or_else(block).ok_or(Absent::NotInDump)
}

fn physical_bytes(core: &Core) -> Cell<i64> {
    let stated = core.header.physical_memory.as_ref().map(|memory| memory.pages);
    let pages = stated.map_or_else(|| counted_pages(core), Ok)?;
    signed(pages.checked_mul(PAGE).ok_or(Absent::Unreadable)?)
}

/// The kernel's own count of physical pages.
fn counted_pages(core: &Core) -> Cell<u64> {
    let at = core.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::PHYSICAL_PAGES));
    core.pointer_at(at.ok_or(Absent::NotInDump)?)
}

fn is_complete(core: &Core) -> bool {
    match (&core.pages, &core.triage) {
        (Some(pages), _) => pages.is_complete(),
        (None, triage) => triage.as_ref().is_some_and(|triage| triage.is_complete),
    }
}

pub(crate) fn each_range(core: &Core, emit: Emit<'_, CoverageRange>) {
    for placed in &core.placed {
        let region = placed.region;
        let row = CoverageRange {
            space: Ok("virtual".to_owned()),
            start: Ok(region.start),
            end: Ok(region.end()),
            size_bytes: signed(region.len),
            present_pages: signed(pages_touched(region.start, region.len)),
            file_offset: signed(region.offset),
            kind: Ok(placed.kind.to_owned()),
            ..CoverageRange::default()
        };
        if emit.row(row).is_break() {
            return;
        }
    }
    let Memory::Pages(machine) = &core.memory else { return };
    match machine.map() {
        PageMap::Runs(runs) => {
            for run in runs.list() {
                let row = physical_range(core, run.first, run.end(), run.pages, run.offset);
                if emit.row(row).is_break() {
                    return;
                }
            }
        }
        PageMap::Bitmap(bitmap) => {
            let first = core.pages.as_ref().and_then(|pages| pages.bitmap);
            let first = first.map_or(0, |bitmap| bitmap.first_page);
            let _ = emit.row(physical_range(core, 0, bitmap.bits(), bitmap.present(), first));
        }
    }
}

/// A range of physical pages, as far as the dump holds it.
fn physical_range(core: &Core, first: u64, end: u64, present: u64, offset: u64) -> CoverageRange {
    CoverageRange {
        space: Ok("physical".to_owned()),
        start: Ok(first.saturating_mul(PAGE)),
        end: Ok(end.saturating_mul(PAGE)),
        size_bytes: signed(present.saturating_mul(PAGE)),
        present_pages: signed(present),
        file_offset: signed(offset),
        kind: Ok(core.pages.as_ref().map_or("page", |pages| pages.kind).to_owned()),
        ..CoverageRange::default()
    }
}

pub(crate) fn each_problem(core: &Core, emit: Emit<'_, Problem>) {
    let mut reasons: Vec<String> = Vec::new();
    if let Some(triage) = &core.triage {
        reasons.extend(triage.problems.iter().cloned());
    } else if core.header.dump_type == DumpType::Triage {
        reasons.push("the triage block is cut off".to_owned());
    } else if let Some(pages) = &core.pages {
        reasons.extend(pages.problems.iter().cloned());
    }
    let has_memory = core.pages.as_ref().is_some_and(|pages| pages.held != 0);
    if core.triage.is_some() || has_memory {
        if core.kdbg().is_none() {
            reasons.push("the dump holds no debugger data block".to_owned());
        }
        reasons.extend(core.types().notes.iter().cloned());
    }
    for reason in reasons {
        let row = Problem { reason: Ok(reason), count: Ok(1), ..Problem::default() };
        if emit.row(row).is_break() {
            return;
        }
    }
}

fn os(build: u32) -> Cell<String> {
    let version = VERSIONS.iter().find(|(first, _)| build >= *first);
    version.map(|(_, version)| format!("Windows {version}")).ok_or(Absent::NotInDump)
}

fn pages_touched(start: u64, len: u64) -> u64 {
    let last = start.saturating_add(len.saturating_sub(1));
    last / PAGE - start / PAGE + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_versions() {
        assert_eq!(unix_micros(132_539_328_000_000_000), Ok(1_609_459_200_000_000));
        assert_eq!(unix_micros(0), Ok(-11_644_473_600_000_000));
        assert_eq!(millis(12_345_678), Ok(1234));
        assert_eq!(os(7601).as_deref(), Ok("Windows 6.1"));
        assert_eq!(os(22000).as_deref(), Ok("Windows 10.0"));
        assert_eq!(pages_touched(0xfff, 2), 2);
        assert_eq!(pages_touched(u64::MAX, 1), 1);
    }
}
