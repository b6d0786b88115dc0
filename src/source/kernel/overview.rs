//! The dump as a whole: its header, what it covers, what is wrong with it.

use super::KernelDump;
use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{slice, text, u64_at};
use crate::dump::header::{DumpType, header_bytes};
use crate::dump::{Width, kdbg};
use crate::model::{CoverageRange, DumpInfo, Emit, Problem};

const PAGE: u64 = 0x1000;
/// From 1601 to 1970 in 100 ns units.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

/// First builds of versions of Windows NT, latest first.
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

/// Microseconds since 1970 of a time in 100 ns units since 1601.
pub(super) fn unix_micros(time: u64) -> Cell<i64> {
    let since = i128::from(time) - i128::from(UNIX_EPOCH);
    i64::try_from(since.div_euclid(10)).map_err(|_| Absent::Unreadable)
}

/// Milliseconds of a duration in 100 ns units.
pub(super) fn millis(duration: u64) -> Cell<i64> {
    i64::try_from(duration / 10_000).map_err(|_| Absent::Unreadable)
}

fn signed(value: u64) -> Cell<i64> {
    i64::try_from(value).map_err(|_| Absent::Unreadable)
}

impl KernelDump {
    pub(super) fn dump_row(&self) -> DumpInfo {
        let header = &self.header;
        let missing = Absent::NotInDump;
        let build = header.build.ok_or(missing);
        let format = match header.width {
            Width::W32 => "PAGEDUMP",
            Width::W64 => "PAGEDU64",
        };
        DumpInfo {
            path: Ok(self.image.path().to_owned()),
            format: Ok(format.to_owned()),
            dump_type: Ok(header.dump_type.words()),
            os: build.and_then(os),
            build: build.map(i64::from),
            service_pack: self.service_pack().map(|number| format!("Service Pack {number}")),
            build_lab: self.build_lab(),
            arch: match self.arch.name() {
                "" => Err(Absent::Unreadable),
                name => Ok(name.to_owned()),
            },
            // Only 32-bit kernels have the choice.
            is_pae: match header.width {
                Width::W32 => header.is_pae.ok_or(missing),
                Width::W64 => Err(Absent::NotApplicable),
            },
            processors: header.processors.map(i64::from).ok_or(missing),
            system_time: header.system_time.ok_or(missing).and_then(unix_micros),
            uptime_ms: header.uptime.ok_or(missing).and_then(millis),
            file_bytes: signed(self.image.len() as u64),
            physical_bytes: self.physical_bytes(),
            dtb: header.dtb.ok_or(missing),
            kernel_base: self.kernel_base().ok_or(missing),
            module_list: header.module_list.ok_or(missing),
            process_head: header.process_head.ok_or(missing),
            comment: header.comment.clone().ok_or(Absent::NotApplicable),
            is_complete: Ok(self.is_complete()),
            ..DumpInfo::default()
        }
    }

    /// The number of the service pack.
    pub(super) fn service_pack(&self) -> Cell<u8> {
        let triage = self.triage.as_ref().ok_or(Absent::NotInDump)?;
        let [_, number, ..] = triage.service_pack_build.to_le_bytes();
        if number == 0 { Err(Absent::NotApplicable) } else { Ok(number) }
    }

    fn build_lab(&self) -> Cell<String> {
        let at = self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::BUILD_LAB));
        let at = at.ok_or(Absent::NotInDump)?;
        let lab = text(&self.prefix(at, 128)?);
        if lab.is_empty() { Err(Absent::NotInDump) } else { Ok(lab) }
    }

    fn physical_bytes(&self) -> Cell<i64> {
        let memory = self.header.physical_memory.as_ref().ok_or(Absent::NotInDump)?;
        signed(memory.pages.checked_mul(PAGE).ok_or(Absent::Unreadable)?)
    }

    fn is_complete(&self) -> bool {
        if self.header.dump_type == DumpType::Triage {
            return self.triage.as_ref().is_some_and(|triage| triage.is_complete);
        }
        let promised = self.header.required_bytes.unwrap_or_default();
        self.image.len() as u64 >= promised.max(self.end_of_runs())
    }

    /// Where the runs of a full dump end.
    fn end_of_runs(&self) -> u64 {
        let memory = self.header.physical_memory.as_ref();
        let memory = memory.filter(|_| self.header.dump_type == DumpType::Full);
        let pages =
            memory.map_or(0, |m| m.runs.iter().fold(0u64, |n, run| n.saturating_add(run.1)));
        pages.saturating_mul(PAGE).saturating_add(header_bytes(self.header.width) as u64)
    }

    pub(super) fn each_range(&self, emit: Emit<'_, CoverageRange>) {
        for placed in &self.placed {
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
            if emit(row).is_break() {
                return;
            }
        }
        if self.triage.is_none() {
            for row in self.physical_ranges() {
                if emit(row).is_break() {
                    return;
                }
            }
        }
    }

    /// What the header of a dump with physical memory says of it.
    fn physical_ranges(&self) -> Vec<CoverageRange> {
        let mut offset = header_bytes(self.header.width) as u64;
        let range =
            |first: u64, pages: u64, present: u64, offset: Cell<i64>, kind: &str| CoverageRange {
                space: Ok("physical".to_owned()),
                start: Ok(first.saturating_mul(PAGE)),
                end: Ok(first.saturating_add(pages).saturating_mul(PAGE)),
                size_bytes: signed(present.saturating_mul(PAGE)),
                present_pages: signed(present),
                file_offset: offset,
                kind: Ok(kind.to_owned()),
                ..CoverageRange::default()
            };
        if let Some((first, present, pages)) = self.bitmap() {
            return vec![range(0, pages, present, signed(first), "bitmap")];
        }
        let is_full = self.header.dump_type == DumpType::Full;
        let memory = self.header.physical_memory.as_ref().filter(|_| is_full);
        let mut rows = Vec::new();
        for (base, pages) in memory.iter().flat_map(|memory| &memory.runs) {
            rows.push(range(*base, *pages, *pages, signed(offset), "memory run"));
            offset = offset.saturating_add(pages.saturating_mul(PAGE));
        }
        rows
    }

    /// The bitmap header: offset of the first page, pages present, pages described.
    fn bitmap(&self) -> Option<(u64, u64, u64)> {
        let start = header_bytes(self.header.width);
        let header = slice(&self.image, start, 0x38)?;
        let is_bitmap = header.starts_with(b"SDMPDUMP") || header.starts_with(b"FDMPDUMP");
        let number = |at| u64_at(header, at);
        is_bitmap.then_some((number(0x20)?, number(0x28)?, number(0x30)?))
    }

    pub(super) fn each_problem(&self, emit: Emit<'_, Problem>) {
        let mut reasons: Vec<String> = Vec::new();
        if let Some(triage) = &self.triage {
            reasons.extend(triage.problems.iter().cloned());
        } else if self.header.dump_type == DumpType::Triage {
            reasons.push("the triage block is cut off".to_owned());
        } else if !self.is_complete() {
            reasons.push("the file is shorter than its header says".to_owned());
        }
        if self.triage.is_some() {
            if self.kdbg().is_none() {
                reasons.push("the dump holds no debugger data block".to_owned());
            }
            reasons.extend(self.types().notes.iter().cloned());
        }
        for reason in reasons {
            let row = Problem { reason: Ok(reason), count: Ok(1), ..Problem::default() };
            if emit(row).is_break() {
                return;
            }
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
