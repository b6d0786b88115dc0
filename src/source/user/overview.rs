//! The dump as a whole: what it is, why it was made, and what is wrong with it.

use std::collections::HashSet;

use minidump::format as md;
use minidump::system_info::Os;
use minidump::{MinidumpException, MinidumpStream as _};

use super::UserDump;
use super::memory::signed;
use super::streams::{Gap, kind, utf16};
use crate::catalog::{Absent, Cell, names};
use crate::model::{self, DumpInfo, Emit, Exception, Problem, Processor, Unanswered};
use crate::source::suspects::{self, Evidence, PROGRAM, Suspect};

/// `MINIDUMP_TYPE` flags.
const WITH_FULL_MEMORY: u64 = 2;
const TRIAGE: u64 = 0x10_0000;

/// The longest comment that is shown, in bytes.
const MAX_COMMENT: usize = 0x8000;

impl UserDump {
    pub(super) fn dump_info(&self) -> DumpInfo {
        let system = self.system().ok_or(Absent::NotInDump);
        let header = self.streams.header();
        let facts = self.facts();
        let time = self.system_time();
        let machine = self.machine();
        DumpInfo {
            path: Ok(self.streams.image().path().to_owned()),
            format: Ok("MDMP".to_owned()),
            dump_type: Ok(dump_type(header.flags).to_owned()),
            os: self.os_text(),
            build: system.and_then(|s| match s.raw.build_number {
                0 => Err(Absent::NotInDump),
                build => Ok(build.into()),
            }),
            service_pack: self.csd().and_then(|text| {
                if self.is_windows() { Ok(text) } else { Err(Absent::NotApplicable) }
            }),
            build_lab: if self.is_windows() { facts.build_lab.clone() } else { self.csd() },
            arch: if machine.arch.is_empty() {
                Err(if system.is_ok() { Absent::Unreadable } else { Absent::NotInDump })
            } else {
                Ok(machine.arch.to_owned())
            },
            processors: system.map(|s| s.raw.number_of_processors.into()),
            system_time: time,
            uptime_ms: time.and_then(|time| {
                let ms = (time - facts.create_time?) / 1000;
                if ms < 0 { Err(Absent::Unreadable) } else { Ok(ms) }
            }),
            file_bytes: signed(self.streams.image().len() as u64),
            physical_bytes: self.physical_bytes(),
            comment: self.comment(),
            is_complete: Ok(self.holds_what_it_promises()),
            ..DumpInfo::default()
        }
    }

    /// When the dump was made, in microseconds since 1970.
    pub(super) fn system_time(&self) -> Cell<i64> {
        match self.streams.header().time_date_stamp {
            0 => Err(Absent::NotInDump),
            seconds => Ok(i64::from(seconds) * 1_000_000),
        }
    }

    fn os_text(&self) -> Cell<String> {
        let system = self.system().ok_or(Absent::NotInDump)?;
        let raw = &system.raw;
        let (major, minor) = (raw.major_version, raw.minor_version);
        Ok(match system.os {
            Os::Windows => format!("Windows {major}.{minor}"),
            Os::Unknown(id) => format!("system {id:#x} {major}.{minor}"),
            // Linux writers leave the numbers at zero and put the text of `uname` in their place.
            os if major == 0 => os.long_name().into_owned(),
            os => format!("{} {major}.{minor}.{}", os.long_name(), raw.build_number),
        })
    }

    /// The service pack, or what other systems write in its place.
    pub(super) fn csd(&self) -> Cell<String> {
        let system = self.system().ok_or(Absent::NotInDump)?;
        let text = self.streams.text().utf16(system.raw.csd_version_rva.into())?;
        let text = text.trim();
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text.to_owned()) }
    }

    /// Page size times pages, of the basic information of the system.
    fn physical_bytes(&self) -> Cell<i64> {
        let stream = self.streams.get(kind::SYSTEM_MEMORY)?;
        let page: u32 = self.streams.record(stream, 8).ok_or(Absent::Unreadable)?;
        let pages: u32 = self.streams.record(stream, 12).ok_or(Absent::Unreadable)?;
        signed(u64::from(page) * u64::from(pages))
    }

    fn comment(&self) -> Cell<String> {
        if let Ok(bytes) = self.streams.get(kind::COMMENT_W) {
            let bytes = bytes.get(..MAX_COMMENT).unwrap_or(bytes);
            return Ok(utf16(bytes, self.streams.endian()));
        }
        let bytes = self.streams.get(kind::COMMENT_A)?;
        let bytes = bytes.get(..MAX_COMMENT).unwrap_or(bytes);
        let bytes = bytes.split(|&b| b == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn exception_stream(&self) -> Result<md::MINIDUMP_EXCEPTION_STREAM, Gap> {
        let stream = self.streams.get(kind::EXCEPTION)?;
        self.streams.record(stream, 0).ok_or(Gap::Outside(kind::EXCEPTION))
    }

    pub(super) fn exception(&self, needs_culprit: bool) -> Result<Exception, Unanswered> {
        let raised = self.exception_stream()?;
        let record = &raised.exception_record;
        let address = record.exception_address & self.address_mask();
        let count = usize::try_from(record.number_parameters).unwrap_or(usize::MAX);
        let parameters = record.exception_information.get(..count);
        let (name, description) = self.reason(record);
        let is_windows = self.is_windows();
        let suspects = if needs_culprit { self.suspects(address) } else { Vec::new() };
        let culprit = suspects.into_iter().next();
        let of_culprit =
            |text: fn(&Suspect) -> String| culprit.as_ref().map(text).ok_or(Absent::NotInDump);
        Ok(Exception {
            code: Ok(record.exception_code.into()),
            name,
            address: Ok(address),
            symbol: self.symbol_text(address),
            flags: Ok(record.exception_flags.into()),
            is_continuable: if is_windows {
                Ok(record.exception_flags & 1 == 0)
            } else {
                Err(Absent::NotApplicable)
            },
            parameters: match parameters {
                None => Err(Absent::Unreadable),
                Some([]) => Err(Absent::NotApplicable),
                Some(all) => {
                    Ok(all.iter().map(|p| format!("{p:#x}")).collect::<Vec<_>>().join(" "))
                }
            },
            tid: Ok(raised.thread_id.into()),
            is_clr: Ok(is_windows && matches!(record.exception_code, 0xe043_4352 | 0xe043_4f4d)),
            description,
            culprit_module: of_culprit(|culprit| culprit.place.module.clone()),
            culprit_symbol: of_culprit(|culprit| culprit.place.display()),
            culprit_frame: culprit.as_ref().and_then(|c| c.frame).ok_or(Absent::NotApplicable),
            culprit_reason: of_culprit(|culprit| culprit.evidence.clone()),
            ..Exception::default()
        })
    }

    /// The modules that may be to blame, the likeliest first.
    pub(super) fn each_suspect(&self, emit: Emit<'_, model::Suspect>) -> Result<(), Unanswered> {
        let raised = self.exception_stream()?;
        let address = raised.exception_record.exception_address & self.address_mask();
        suspects::rows(self.suspects(address), emit);
        Ok(())
    }

    /// The candidates for the exception at an address, the first one to blame.
    fn suspects(&self, address: u64) -> Vec<Suspect> {
        let mut evidence = Evidence::default();
        if let Ok(place) = self.locate_module(address) {
            evidence.exception(place);
        }
        let locate = |ip| self.locate_module(ip).ok();
        evidence.frames(&self.crash_frames(), locate, &PROGRAM);
        evidence.ranked()
    }

    /// The exception's name, and what its parameters say.
    fn reason(&self, record: &md::MINIDUMP_EXCEPTION) -> (Cell<String>, Cell<String>) {
        let text = self.reason_text();
        let (name, detail) = match text.as_deref().map(|text| text.split_once(" / ")) {
            Some(Some((name, detail))) => (Some(name.to_owned()), Some(detail.to_owned())),
            _ => (text, None),
        };
        if !self.is_windows() {
            return (name.ok_or(Absent::NotApplicable), detail.ok_or(Absent::NotApplicable));
        }
        let name = names::exception(record.exception_code).map(str::to_owned).or(name);
        let description = self.access(record).or(detail);
        (name.ok_or(Absent::NotApplicable), description.ok_or(Absent::NotApplicable))
    }

    /// The reason in the words of the crate, which knows signals and the codes of fast failures.
    fn reason_text(&self) -> Option<String> {
        let stream = self.streams.get(kind::EXCEPTION).ok()?;
        let system = self.system()?;
        let parsed = MinidumpException::read(stream, &[], self.streams.endian(), None).ok()?;
        let text = parsed.get_crash_reason(system.os, system.cpu).to_string();
        (!text.starts_with("unknown")).then_some(text)
    }

    /// What an access violation or an in-page error tried.
    fn access(&self, record: &md::MINIDUMP_EXCEPTION) -> Option<String> {
        let is_access = matches!(record.exception_code, 0xc000_0005 | 0xc000_0006);
        let [how, address, status, ..] = record.exception_information;
        if !is_access || record.number_parameters < 2 {
            return None;
        }
        let what = match how {
            0 => "read of",
            1 => "write to",
            // The processor reports an execution as 8; some systems hand on its page fault bits.
            2 | 8 | 0x10 => "execution at",
            _ => return None,
        };
        let address = self.machine().width.render(address & self.address_mask());
        let status = (record.exception_code == 0xc000_0006 && record.number_parameters >= 3)
            .then(|| format!(", status {:#x}", status & 0xffff_ffff));
        Some(format!("{what} {address}{}", status.unwrap_or_default()))
    }

    pub(super) fn each_processor(&self, emit: Emit<'_, Processor>) -> Result<(), Unanswered> {
        let system = self.system().ok_or(Gap::Missing(kind::SYSTEM))?;
        let vendor = self.vendor();
        for processor in 0..system.raw.number_of_processors {
            let row = Processor {
                processor: Ok(processor.into()),
                mhz: self.facts().mhz,
                vendor: vendor.clone(),
                ..Processor::default()
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The vendor text of x86 system information, or of `/proc/cpuinfo`.
    fn vendor(&self) -> Cell<String> {
        if self.machine_is_x86() {
            let bytes = self.system().and_then(|system| system.raw.cpu.data.get(..12));
            let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
            let text = text.map(|text| text.trim_end_matches('\0')).filter(|text| !text.is_empty());
            return text.map(str::to_owned).ok_or(Absent::NotInDump);
        }
        let text = self.streams.get(kind::LINUX_CPU)?;
        let text = text.get(..MAX_COMMENT).unwrap_or(text);
        let text = String::from_utf8_lossy(text);
        let vendor = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "vendor_id").then(|| value.trim().to_owned())
        });
        vendor.ok_or(Absent::NotInDump)
    }

    pub(super) fn machine_is_x86(&self) -> bool {
        self.machine().arch == "x86"
    }

    fn holds_what_it_promises(&self) -> bool {
        let file = self.streams.image().len() as u64;
        let inside = self.streams.directory().iter().all(|entry| {
            let end = u64::from(entry.location.rva) + u64::from(entry.location.data_size);
            entry.stream_type == 0 || end <= file
        });
        inside && self.lost_entries() == 0 && self.memory().missing() == 0
    }

    fn lost_entries(&self) -> u64 {
        let promised = u64::from(self.streams.header().stream_count);
        promised.saturating_sub(self.streams.directory().len() as u64)
    }

    /// What is wrong with the file.
    pub(super) fn findings(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut note = |table: Option<&str>, reason: String, count: u64| {
            if count > 0 {
                found.push(Problem {
                    table: table.map(str::to_owned).ok_or(Absent::NotApplicable),
                    reason: Ok(reason),
                    count: signed(count),
                    ..Problem::default()
                });
            }
        };
        note(
            None,
            "stream directory entries beyond the end of the file".into(),
            self.lost_entries(),
        );
        let file = self.streams.image().len() as u64;
        for entry in self.streams.directory() {
            let end = u64::from(entry.location.rva) + u64::from(entry.location.data_size);
            if entry.stream_type != 0 && end > file {
                let known = kind::ALL.iter().find(|kind| kind.id == entry.stream_type);
                let name = known.map_or_else(
                    || format!("stream {:#x}", entry.stream_type),
                    |kind| kind.name.to_owned(),
                );
                note(None, format!("the {name} ends beyond the end of the file"), 1);
            }
        }
        self.count_lost(&mut note);
        if let Some(reason) = self.types_note() {
            note(None, reason, 1);
        }
        found
    }

    /// Counts records that lists promise and do not hold.
    fn count_lost(&self, note: &mut dyn FnMut(Option<&str>, String, u64)) {
        let s = &self.streams;
        let lost = [
            ("threads", s.list::<md::MINIDUMP_THREAD>(kind::THREADS).map(|l| l.missing())),
            ("modules", s.list::<md::MINIDUMP_MODULE>(kind::MODULES).map(|l| l.missing())),
            (
                "unloaded_modules",
                s.wide_list::<md::MINIDUMP_UNLOADED_MODULE>(kind::UNLOADED, false)
                    .map(|l| l.missing()),
            ),
            (
                "handles",
                s.wide_list::<md::MINIDUMP_HANDLE_DESCRIPTOR>(kind::HANDLES, false)
                    .map(|l| l.missing()),
            ),
            (
                "memory_regions",
                s.wide_list::<md::MINIDUMP_MEMORY_INFO>(kind::MEMORY_INFO, true)
                    .map(|l| l.missing()),
            ),
        ];
        for (table, missing) in lost {
            let reason = "records that the list's count promises and the stream does not hold";
            note(Some(table), reason.into(), missing.unwrap_or(0));
        }
        let reason = "threads whose stack is that of an earlier thread; the rows of all stacks \
                      together are bounded by the size of the file";
        note(Some("stacks"), reason.into(), self.shared_stacks());
        let reason = "memory ranges that end beyond the end of the file";
        note(Some("coverage"), reason.into(), self.memory().missing());
        let broken = [
            (kind::SYSTEM, self.system().is_none()),
            (kind::EXCEPTION, self.exception_stream().is_err()),
        ];
        for (kind, is_broken) in broken {
            if is_broken && s.get(kind).is_ok() {
                note(None, format!("the {} is too short", kind.name), 1);
            }
        }
    }

    /// How many threads have the stack of an earlier one.
    fn shared_stacks(&self) -> u64 {
        let Ok(list) = self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS) else { return 0 };
        let mut seen = HashSet::new();
        let written = list.iter().map(|thread| thread.stack.memory);
        let again = written.filter(|at| at.data_size != 0 && !seen.insert((at.rva, at.data_size)));
        again.count() as u64
    }
}

const fn dump_type(flags: u64) -> &'static str {
    if flags & WITH_FULL_MEMORY != 0 {
        "process with full memory"
    } else if flags & TRIAGE != 0 {
        "triage process"
    } else {
        "minidump"
    }
}
