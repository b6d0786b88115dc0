//! Facts about the process, its system and its exception that several readers need.

use minidump::format as md;
use minidump::{MinidumpMiscInfo, MinidumpStream as _};

use super::Core;
use super::modules::file_name;
use super::streams::{Gap, Streams, kind};
use crate::catalog::{Absent, Cell};

/// The miscellaneous information stream, or the `/proc` files that replace it on Linux.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) pid: Cell<i64>,
    pub(crate) ppid: Cell<i64>,
    pub(crate) create_time: Cell<i64>,
    pub(crate) user_time_ms: Cell<i64>,
    pub(crate) kernel_time_ms: Cell<i64>,
    pub(crate) mhz: Cell<i64>,
    pub(crate) build_lab: Cell<String>,
}

impl Facts {
    pub(crate) fn new(streams: &Streams) -> Self {
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

impl Core {
    pub(crate) fn pid(&self) -> Cell<i64> {
        self.facts().pid
    }

    /// The file name of the program.
    pub(crate) fn process_name(&self) -> Cell<String> {
        self.main_path().map(|path| file_name(&path).to_owned())
    }

    /// The service pack, or what other systems write in that field.
    pub(crate) fn csd(&self) -> Cell<String> {
        let system = self.system().ok_or(Absent::NotInDump)?;
        let text = self.streams.text().utf16(system.raw.csd_version_rva.into())?;
        let text = text.trim();
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text.to_owned()) }
    }

    pub(crate) fn build(&self) -> Option<u32> {
        self.system().map(|system| system.raw.build_number)
    }

    /// When the dump was written, in microseconds since 1970.
    pub(crate) fn system_time(&self) -> Cell<i64> {
        match self.streams.header().time_date_stamp {
            0 => Err(Absent::NotInDump),
            seconds => Ok(i64::from(seconds) * 1_000_000),
        }
    }

    pub(crate) fn exception_stream(&self) -> Result<md::MINIDUMP_EXCEPTION_STREAM, Gap> {
        let stream = self.streams.get(kind::EXCEPTION)?;
        self.streams.record(stream, 0).ok_or(Gap::Outside(kind::EXCEPTION))
    }

    pub(crate) fn machine_is_x86(&self) -> bool {
        self.machine().arch == "x86"
    }
}
