//! The process as a row.

use minidump::format as md;

use super::core::Core;
use super::core::memory::signed;
use super::core::modules::file_name;
use super::core::streams::{Gap, kind, utf16};
use crate::catalog::{Absent, Cell};
use crate::model::{AddressSpace as _, Process};

pub(super) fn process(core: &Core) -> Process {
    let facts = core.facts();
    let count = |count: Result<usize, Gap>| -> Cell<i64> { signed(count? as u64) };
    let mut row = Process {
        pid: facts.pid,
        ppid: facts.ppid,
        name: core.process_name(),
        path: core.main_path(),
        command_line: command_line(core),
        is_wow64: is_wow64(core),
        peb: core.peb(),
        handle_count: count(
            core.streams
                .wide_list::<md::MINIDUMP_HANDLE_DESCRIPTOR>(kind::HANDLES, false)
                .map(|list| list.len()),
        ),
        thread_count: count(
            core.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS).map(|list| list.len()),
        ),
        create_time: facts.create_time,
        user_time_ms: facts.user_time_ms,
        kernel_time_ms: facts.kernel_time_ms,
        ..Process::default()
    };
    add_memory_counters(core, &mut row);
    row
}

/// Memory counters. The second form of the record has a word of flags and, before the private
/// usage, the size of the address space.
fn add_memory_counters(core: &Core, row: &mut Process) {
    let stream = core.streams.get(kind::VM_COUNTERS);
    let at = |offset: usize| -> Cell<i64> {
        signed(core.streams.record(stream?, offset).ok_or(Absent::NotInDump)?)
    };
    let word = |offset: usize| -> Cell<u16> {
        core.streams.record(stream?, offset).ok_or(Absent::NotInDump)
    };
    let revision = word(0);
    let later = |offset| if revision == Ok(1) { Err(Absent::NotInDump) } else { at(offset) };
    row.page_faults = match stream {
        Ok(bytes) => core.streams.record::<u32>(bytes, 4).map(i64::from),
        Err(_) => None,
    }
    .ok_or(Absent::NotInDump);
    row.peak_working_set_bytes = at(8);
    row.working_set_bytes = at(16);
    row.paged_quota_bytes = at(32);
    row.nonpaged_quota_bytes = at(48);
    row.commit_bytes = at(56);
    row.virtual_bytes = later(80);
    row.private_bytes = if revision == Ok(1) { at(72) } else { at(88) };
}

/// A 64-bit process in which the WoW64 layer is loaded.
fn is_wow64(core: &Core) -> Cell<bool> {
    if core.machine_is_x86() || !core.is_windows() {
        return if core.is_windows() { Err(Absent::NotInDump) } else { Err(Absent::NotApplicable) };
    }
    let list = core.streams.list::<md::MINIDUMP_MODULE>(kind::MODULES)?;
    let mut text = core.streams.text();
    let mut names = list.iter().filter_map(|raw| text.utf16(raw.module_name_rva.into()).ok());
    Ok(names.any(|path| file_name(&path).eq_ignore_ascii_case("wow64.dll")))
}

/// From the process parameters if the dump holds them, or from `/proc/PID/cmdline`.
fn command_line(core: &Core) -> Cell<String> {
    if let Ok(words) = core.streams.get(kind::LINUX_COMMAND) {
        let words = words.get(..0x8000).unwrap_or(words);
        let words = words.split(|&b| b == 0).filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
        return Ok(words.join(" "));
    }
    // PEB.ProcessParameters, then RTL_USER_PROCESS_PARAMETERS.CommandLine.
    let is_wide = core.pointer_bytes() == 8;
    let (parameters_at, command_at) = if is_wide { (0x20, 0x70) } else { (0x10, 0x40) };
    let add = |base: u64, offset: u64| base.checked_add(offset).ok_or(Absent::Unreadable);
    let parameters = core.pointer(add(core.peb()?, parameters_at)?)?;
    unicode_string(core, add(parameters, command_at)?)
}

/// A `UNICODE_STRING` in memory.
fn unicode_string(core: &Core, address: u64) -> Cell<String> {
    let mut length = [0; 2];
    core.read(address, &mut length)?;
    let mut bytes = vec![0; u16::from_le_bytes(length).into()];
    let buffer = address.checked_add(core.pointer_bytes()).ok_or(Absent::Unreadable)?;
    core.read(core.pointer(buffer)?, &mut bytes)?;
    Ok(utf16(&bytes, core.streams.endian()))
}
