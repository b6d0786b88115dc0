//! Regions of the address space, and the ranges of it that the dump holds.

use minidump::format as md;

use super::core::Core;
use super::core::memory::signed;
use super::core::modules::Paths;
use super::core::streams::{List, kind};
use crate::catalog::{Absent, Cell};
use crate::model::{CoverageRange, Emit, Flow, MemoryRegion, Unanswered};

const PAGE: u64 = 0x1000;

pub(super) fn each_range(core: &Core, emit: Emit<'_, CoverageRange>) -> Result<(), Unanswered> {
    let (full, list) =
        (core.streams.get(kind::MEMORY64).err(), core.streams.get(kind::MEMORY).err());
    if let (Some(_), Some(gap)) = (full, list) {
        return Err(gap.into());
    }
    for range in &core.memory().ranges {
        let pages = (range.end() - 1) / PAGE - range.start / PAGE + 1;
        let row = CoverageRange {
            space: Ok("virtual".to_owned()),
            start: Ok(range.start),
            end: Ok(range.end()),
            size_bytes: signed(range.size),
            present_pages: signed(pages),
            file_offset: signed(range.offset),
            kind: Ok(range.kind.to_owned()),
            ..CoverageRange::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) fn each_region(core: &Core, emit: Emit<'_, MemoryRegion>) -> Result<(), Unanswered> {
    match core.streams.wide_list::<md::MINIDUMP_MEMORY_INFO>(kind::MEMORY_INFO, true) {
        Ok(list) => each_windows_region(core, &list, emit),
        Err(gap) => match core.streams.get(kind::LINUX_MAPS) {
            Ok(maps) => each_linux_region(core, maps, emit),
            Err(_) => return Err(gap.into()),
        },
    }
    Ok(())
}

fn each_windows_region(
    core: &Core,
    list: &List<'_, md::MINIDUMP_MEMORY_INFO>,
    emit: Emit<'_, MemoryRegion>,
) {
    let mut paths = Paths::new(core);
    let (pid, process) = (core.pid(), core.process_name());
    for raw in list.iter() {
        let is_free = raw.state == 0x1_0000;
        let is_committed = raw.state == 0x1000;
        let pages = if is_committed { raw.region_size / PAGE } else { 0 };
        let row = MemoryRegion {
            pid,
            process: process.clone(),
            start: Ok(raw.base_address),
            end: raw.base_address.checked_add(raw.region_size).ok_or(Absent::Unreadable),
            size_bytes: signed(raw.region_size),
            state: state(raw.state),
            protection: protection(raw.protection),
            kind: if is_free { Err(Absent::NotApplicable) } else { region_kind(raw._type) },
            commit_pages: signed(pages),
            file: paths.at(raw.base_address),
            ..MemoryRegion::default()
        };
        if emit.row(row).is_break() {
            return;
        }
    }
}

/// Lines of `/proc/PID/maps`.
fn each_linux_region(core: &Core, maps: &[u8], emit: Emit<'_, MemoryRegion>) {
    for line in maps.split(|&b| b == b'\n') {
        let line = String::from_utf8_lossy(line);
        let row = parse_map_line(&line).map(|(start, end, protection, file)| MemoryRegion {
            pid: core.pid(),
            process: core.process_name(),
            start: Ok(start),
            end: Ok(end),
            size_bytes: signed(end - start),
            state: Ok("commit".to_owned()),
            protection: Ok(protection.to_owned()),
            kind: Ok(linux_kind(core, start, file).to_owned()),
            commit_pages: Err(Absent::NotInDump),
            file: file.map(str::to_owned).ok_or(Absent::NotApplicable),
            ..MemoryRegion::default()
        });
        if row.is_some_and(|row| emit.row(row) == Flow::Break(())) {
            return;
        }
    }
}

fn linux_kind(core: &Core, start: u64, file: Option<&str>) -> &'static str {
    match file {
        _ if core.is_in_module(start) => "image",
        Some(file) if file.starts_with('/') => "mapped",
        _ => "private",
    }
}

fn parse_map_line(line: &str) -> Option<(u64, u64, &str, Option<&str>)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let start = u64::from_str_radix(start, 16).ok()?;
    let end = u64::from_str_radix(end, 16).ok().filter(|&end| end >= start)?;
    let protection = words.next()?;
    // Offset, device and inode are between the protection and the path, which may contain spaces.
    let inode = words.nth(2)?;
    let after = inode.as_ptr().addr().checked_sub(line.as_ptr().addr())? + inode.len();
    let file = line.get(after..)?.trim();
    Some((start, end, protection, (!file.is_empty()).then_some(file)))
}

fn state(bits: u32) -> Cell<String> {
    match bits {
        0x1000 => Ok("commit".to_owned()),
        0x2000 => Ok("reserve".to_owned()),
        0x1_0000 => Ok("free".to_owned()),
        _ => Err(Absent::Unreadable),
    }
}

fn region_kind(bits: u32) -> Cell<String> {
    match bits {
        0x100_0000 => Ok("image".to_owned()),
        0x4_0000 => Ok("mapped".to_owned()),
        0x2_0000 => Ok("private".to_owned()),
        0 => Err(Absent::NotApplicable),
        _ => Err(Absent::Unreadable),
    }
}

fn protection(bits: u32) -> Cell<String> {
    const NAMES: [(u32, &str); 11] = [
        (0x01, "PAGE_NOACCESS"),
        (0x02, "PAGE_READONLY"),
        (0x04, "PAGE_READWRITE"),
        (0x08, "PAGE_WRITECOPY"),
        (0x10, "PAGE_EXECUTE"),
        (0x20, "PAGE_EXECUTE_READ"),
        (0x40, "PAGE_EXECUTE_READWRITE"),
        (0x80, "PAGE_EXECUTE_WRITECOPY"),
        (0x100, "PAGE_GUARD"),
        (0x200, "PAGE_NOCACHE"),
        (0x400, "PAGE_WRITECOMBINE"),
    ];
    let names = NAMES.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name);
    let text = names.collect::<Vec<_>>().join(" | ");
    if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
}
