//! The process: what the dump says of it as a whole.

use minidump::format as md;
use minidump::{MinidumpMiscInfo, MinidumpStream as _};

use super::UserDump;
use super::memory::signed;
use super::modules::file_name;
use super::streams::{Gap, Streams, kind, utf16};
use crate::catalog::{Absent, Cell};
use crate::model::{AddressSpace as _, Process};

/// What miscellaneous information says, or the `/proc` files that stand in for it on Linux.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) pid: Cell<i64>,
    pub(super) ppid: Cell<i64>,
    pub(super) create_time: Cell<i64>,
    pub(super) user_time_ms: Cell<i64>,
    pub(super) kernel_time_ms: Cell<i64>,
    pub(super) mhz: Cell<i64>,
    pub(super) build_lab: Cell<String>,
}

impl Facts {
    pub(super) fn new(streams: &Streams) -> Self {
        let misc = streams.get(kind::MISC).map_err(Absent::from).and_then(|bytes| {
            MinidumpMiscInfo::read(bytes, &[], streams.endian(), None)
                .map_err(|_| Absent::Unreadable)
        });
        let number = |get: fn(&MinidumpMiscInfo) -> Option<&u32>| {
            let misc = misc.as_ref().map_err(|reason| *reason)?;
            get(misc).map(|&value| i64::from(value)).ok_or(Absent::NotInDump)
        };
        let seconds = |get| number(get).map(|seconds| seconds * 1000);
        let status = |name| linux_status(streams, name);
        Self {
            pid: number(|misc| misc.raw.process_id()).or_else(|why| status("Pid").ok_or(why)),
            ppid: status("PPid").ok_or(Absent::NotInDump),
            create_time: number(|misc| misc.raw.process_create_time()).and_then(|seconds| {
                if seconds == 0 { Err(Absent::NotInDump) } else { Ok(seconds * 1_000_000) }
            }),
            user_time_ms: seconds(|misc| misc.raw.process_user_time()),
            kernel_time_ms: seconds(|misc| misc.raw.process_kernel_time()),
            mhz: number(|misc| misc.raw.processor_max_mhz()),
            build_lab: misc
                .as_ref()
                .map_err(|reason| *reason)
                .and_then(|misc| misc.raw.build_string().ok_or(Absent::NotInDump))
                .and_then(|units| text_of_units(units)),
        }
    }
}

fn text_of_units(units: &[u16]) -> Cell<String> {
    let text = char::decode_utf16(units.iter().copied().take_while(|&unit| unit != 0));
    let text: String = text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    if text.is_empty() { Err(Absent::NotInDump) } else { Ok(text) }
}

/// A number of `/proc/PID/status`.
fn linux_status(streams: &Streams, name: &str) -> Option<i64> {
    let text = streams.get(kind::LINUX_STATUS).ok()?;
    let mut lines = text.split(|&b| b == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok())
}

impl UserDump {
    pub(super) fn pid(&self) -> Cell<i64> {
        self.facts().pid
    }

    /// The file name of the program.
    pub(super) fn process_name(&self) -> Cell<String> {
        self.main_path().map(|path| file_name(&path).to_owned())
    }

    pub(super) fn process(&self) -> Process {
        let facts = self.facts();
        let count = |count: Result<usize, Gap>| -> Cell<i64> { signed(count? as u64) };
        let mut row = Process {
            pid: facts.pid,
            ppid: facts.ppid,
            name: self.process_name(),
            path: self.main_path(),
            command_line: self.command_line(),
            is_wow64: self.is_wow64(),
            peb: self.peb(),
            handle_count: count(
                self.streams
                    .wide_list::<md::MINIDUMP_HANDLE_DESCRIPTOR>(kind::HANDLES, false)
                    .map(|list| list.len()),
            ),
            thread_count: count(
                self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS).map(|list| list.len()),
            ),
            create_time: facts.create_time,
            user_time_ms: facts.user_time_ms,
            kernel_time_ms: facts.kernel_time_ms,
            ..Process::default()
        };
        self.add_memory_counters(&mut row);
        row
    }

    /// Counters of memory. The second form of the record has a word of flags and, before the
    /// private usage, the size of the address space.
    fn add_memory_counters(&self, row: &mut Process) {
        let stream = self.streams.get(kind::VM_COUNTERS);
        let at = |offset: usize| -> Cell<i64> {
            signed(self.streams.record(stream?, offset).ok_or(Absent::NotInDump)?)
        };
        let word = |offset: usize| -> Cell<u16> {
            self.streams.record(stream?, offset).ok_or(Absent::NotInDump)
        };
        let revision = word(0);
        let later = |offset| if revision == Ok(1) { Err(Absent::NotInDump) } else { at(offset) };
        row.page_faults = match stream {
            Ok(bytes) => self.streams.record::<u32>(bytes, 4).map(i64::from),
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

    /// A 64-bit process in which the layer for 32-bit programs is loaded.
    fn is_wow64(&self) -> Cell<bool> {
        if self.machine_is_x86() || !self.is_windows() {
            return if self.is_windows() {
                Err(Absent::NotInDump)
            } else {
                Err(Absent::NotApplicable)
            };
        }
        let list = self.streams.list::<md::MINIDUMP_MODULE>(kind::MODULES)?;
        let mut text = self.streams.text();
        let mut names = list.iter().filter_map(|raw| text.utf16(raw.module_name_rva.into()).ok());
        Ok(names.any(|path| file_name(&path).eq_ignore_ascii_case("wow64.dll")))
    }

    /// `TEB.ProcessEnvironmentBlock` of the first thread whose TEB is in the dump.
    pub(super) fn peb(&self) -> Cell<u64> {
        if !self.is_windows() {
            return Err(Absent::NotApplicable);
        }
        let list = self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS)?;
        let offset = 12 * self.pointer_bytes();
        let mut tebs = list.iter().map(|thread| thread.teb).filter(|&teb| teb != 0);
        tebs.find_map(|teb| self.pointer(teb.checked_add(offset)?).ok()).ok_or(Absent::NotInDump)
    }

    /// From the environment block if the dump holds it, or from `/proc/PID/cmdline`.
    fn command_line(&self) -> Cell<String> {
        if let Ok(words) = self.streams.get(kind::LINUX_COMMAND) {
            let words = words.get(..0x8000).unwrap_or(words);
            let words = words.split(|&b| b == 0).filter(|word| !word.is_empty());
            let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
            return Ok(words.join(" "));
        }
        // PEB.ProcessParameters, then RTL_USER_PROCESS_PARAMETERS.CommandLine.
        let is_wide = self.pointer_bytes() == 8;
        let (parameters_at, command_at) = if is_wide { (0x20, 0x70) } else { (0x10, 0x40) };
        let add = |base: u64, offset: u64| base.checked_add(offset).ok_or(Absent::Unreadable);
        let parameters = self.pointer(add(self.peb()?, parameters_at)?)?;
        self.unicode_string(add(parameters, command_at)?)
    }

    /// A `UNICODE_STRING` in memory.
    fn unicode_string(&self, address: u64) -> Cell<String> {
        let mut length = [0; 2];
        self.read(address, &mut length)?;
        let mut bytes = vec![0; u16::from_le_bytes(length).into()];
        let buffer = address.checked_add(self.pointer_bytes()).ok_or(Absent::Unreadable)?;
        self.read(self.pointer(buffer)?, &mut bytes)?;
        Ok(utf16(&bytes, self.streams.endian()))
    }
}
