//! The dump as a whole: what it is, and why it was written.

use minidump::format as md;
use minidump::system_info::Os;
use minidump::{MinidumpException, MinidumpStream as _};

use super::core::Core;
use super::core::memory::signed;
use super::core::streams::{Gap, kind, utf16};
use super::{problems, raised, stacks};
use crate::catalog::{Absent, Cell, names};
use crate::model::{self, DumpInfo, Emit, Exception, Processor, Unanswered};
use crate::source::suspects::{self, Evidence, PROGRAM, Suspect};

/// `MINIDUMP_TYPE` flags.
const WITH_FULL_MEMORY: u64 = 2;
const TRIAGE: u64 = 0x10_0000;

/// The length at which a displayed comment is cut, in bytes.
const MAX_COMMENT: usize = 0x8000;
/// Upper limit on displayed comments; a writer adds one, and other programs may add more.
const MAX_COMMENTS: usize = 16;

pub(super) fn dump_info(core: &Core) -> DumpInfo {
    let system = core.system().ok_or(Absent::NotInDump);
    let header = core.streams.header();
    let facts = core.facts();
    let time = core.system_time();
    let machine = core.machine();
    DumpInfo {
        path: Ok(core.streams.image().path().to_owned()),
        format: Ok("MDMP".to_owned()),
        dump_type: Ok(dump_type(header.flags).to_owned()),
        os: os_text(core),
        build: system.and_then(|s| match s.raw.build_number {
            0 => Err(Absent::NotInDump),
            build => Ok(build.into()),
        }),
        service_pack: core
            .csd()
            .and_then(|text| if core.is_windows() { Ok(text) } else { Err(Absent::NotApplicable) }),
        build_lab: if core.is_windows() { facts.build_lab.clone() } else { core.csd() },
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
        file_bytes: signed(core.streams.image().len() as u64),
        physical_bytes: physical_bytes(core),
        comment: comment(core),
        is_complete: Ok(problems::holds_what_it_promises(core)),
        ..DumpInfo::default()
    }
}

fn os_text(core: &Core) -> Cell<String> {
    let system = core.system().ok_or(Absent::NotInDump)?;
    let raw = &system.raw;
    let (major, minor) = (raw.major_version, raw.minor_version);
    Ok(match system.os {
        Os::Windows => format!("Windows {major}.{minor}"),
        Os::Unknown(id) => format!("system {id:#x} {major}.{minor}"),
        // Linux writers set the numbers to zero and store the output of `uname` instead.
        os if major == 0 => os.long_name().into_owned(),
        os => format!("{} {major}.{minor}.{}", os.long_name(), raw.build_number),
    })
}

/// Page size times number of pages, from the basic system information.
fn physical_bytes(core: &Core) -> Cell<i64> {
    let stream = core.streams.get(kind::SYSTEM_MEMORY)?;
    let page: u32 = core.streams.record(stream, 8).ok_or(Absent::Unreadable)?;
    let pages: u32 = core.streams.record(stream, 12).ok_or(Absent::Unreadable)?;
    signed(u64::from(page) * u64::from(pages))
}

/// The comments on separate lines, without duplicates, those in UTF-16 first.
fn comment(core: &Core) -> Cell<String> {
    let streams = &core.streams;
    let part = |bytes: &[u8]| bytes.get(..MAX_COMMENT).unwrap_or(bytes).to_vec();
    let wide = streams.all(kind::COMMENT_W).map(|bytes| utf16(&part(bytes), streams.endian()));
    let narrow = streams.all(kind::COMMENT_A).map(|bytes| {
        let bytes = part(bytes);
        let bytes = bytes.split(|&b| b == 0).next().unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    });
    let mut all: Vec<String> = Vec::new();
    for comment in wide.chain(narrow).take(MAX_COMMENTS) {
        if !all.contains(&comment) {
            all.push(comment);
        }
    }
    if all.is_empty() {
        streams.get(kind::COMMENT_W).or_else(|_| streams.get(kind::COMMENT_A))?;
    }
    Ok(all.join("\n"))
}

pub(super) fn exception(core: &Core, needs_culprit: bool) -> Result<Exception, Unanswered> {
    let raised = core.exception_stream()?;
    let record = &raised.exception_record;
    let address = record.exception_address & core.address_mask();
    let count = usize::try_from(record.number_parameters).unwrap_or(usize::MAX);
    let parameters = record.exception_information.get(..count);
    let (name, description) = reason(core, record);
    let is_windows = core.is_windows();
    let suspects = if needs_culprit { suspects(core, address) } else { Vec::new() };
    let culprit = suspects.into_iter().next();
    let of_culprit =
        |text: fn(&Suspect) -> String| culprit.as_ref().map(text).ok_or(Absent::NotInDump);
    Ok(Exception {
        code: Ok(record.exception_code.into()),
        name,
        address: Ok(address),
        symbol: core.symbol_text(address),
        flags: Ok(record.exception_flags.into()),
        is_continuable: if is_windows {
            Ok(record.exception_flags & 1 == 0)
        } else {
            Err(Absent::NotApplicable)
        },
        parameters: match parameters {
            None => Err(Absent::Unreadable),
            Some([]) => Err(Absent::NotApplicable),
            Some(all) => Ok(all.iter().map(|p| format!("{p:#x}")).collect::<Vec<_>>().join(" ")),
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

/// The suspected modules, the most likely first.
pub(super) fn each_suspect(core: &Core, emit: Emit<'_, model::Suspect>) -> Result<(), Unanswered> {
    let raised = core.exception_stream()?;
    let address = raised.exception_record.exception_address & core.address_mask();
    suspects::rows(suspects(core, address), emit);
    Ok(())
}

/// The suspected modules for the exception at an address, the most likely first.
fn suspects(core: &Core, address: u64) -> Vec<Suspect> {
    let mut evidence = Evidence::default();
    if let Ok(place) = core.locate_module(address) {
        evidence.exception(place);
    }
    let locate = |ip| core.locate_module(ip).ok();
    evidence.frames(&stacks::crash_frames(core), locate, &PROGRAM);
    evidence.ranked()
}

/// The exception's name, and the meaning of its parameters.
fn reason(core: &Core, record: &md::MINIDUMP_EXCEPTION) -> (Cell<String>, Cell<String>) {
    let text = reason_text(core);
    let (name, detail) = match text.as_deref().map(|text| text.split_once(" / ")) {
        Some(Some((name, detail))) => (Some(name.to_owned()), Some(detail.to_owned())),
        _ => (text, None),
    };
    if !core.is_windows() {
        return (name.ok_or(Absent::NotApplicable), detail.ok_or(Absent::NotApplicable));
    }
    let name = names::exception(record.exception_code).map(str::to_owned).or(name);
    let count = usize::try_from(record.number_parameters).unwrap_or(usize::MAX);
    let parameters = record.exception_information.get(..count).unwrap_or_default();
    let said = || raised::details(core, record.exception_code, parameters);
    let description = access(core, record).or_else(said).or(detail);
    (name.ok_or(Absent::NotApplicable), description.ok_or(Absent::NotApplicable))
}

/// The crate's text for the reason, which covers signals and fast-fail codes.
fn reason_text(core: &Core) -> Option<String> {
    let stream = core.streams.get(kind::EXCEPTION).ok()?;
    let system = core.system()?;
    let parsed = MinidumpException::read(stream, &[], core.streams.endian(), None).ok()?;
    let text = parsed.get_crash_reason(system.os, system.cpu).to_string();
    (!text.starts_with("unknown")).then_some(text)
}

/// The attempted access of an access violation or in-page error.
fn access(core: &Core, record: &md::MINIDUMP_EXCEPTION) -> Option<String> {
    let is_access = matches!(record.exception_code, 0xc000_0005 | 0xc000_0006);
    let [how, address, status, ..] = record.exception_information;
    if !is_access || record.number_parameters < 2 {
        return None;
    }
    let what = match how {
        0 => "read of",
        1 => "write to",
        // The value for execution is 8; some systems pass on the processor's page fault bits.
        2 | 8 | 0x10 => "execution at",
        _ => return None,
    };
    let address = core.machine().width.render(address & core.address_mask());
    let status = (record.exception_code == 0xc000_0006 && record.number_parameters >= 3)
        .then(|| format!(", status {:#x}", status & 0xffff_ffff));
    Some(format!("{what} {address}{}", status.unwrap_or_default()))
}

pub(super) fn each_processor(core: &Core, emit: Emit<'_, Processor>) -> Result<(), Unanswered> {
    let system = core.system().ok_or(Gap::Missing(kind::SYSTEM))?;
    let vendor = vendor(core);
    for processor in 0..system.raw.number_of_processors {
        let row = Processor {
            processor: Ok(processor.into()),
            mhz: core.facts().mhz,
            vendor: vendor.clone(),
            ..Processor::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// The vendor string of x86 system information, or of `/proc/cpuinfo`.
fn vendor(core: &Core) -> Cell<String> {
    if core.machine_is_x86() {
        let bytes = core.system().and_then(|system| system.raw.cpu.data.get(..12));
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = text.map(|text| text.trim_end_matches('\0')).filter(|text| !text.is_empty());
        return text.map(str::to_owned).ok_or(Absent::NotInDump);
    }
    let text = core.streams.get(kind::LINUX_CPU)?;
    let text = text.get(..MAX_COMMENT).unwrap_or(text);
    let text = String::from_utf8_lossy(text);
    let vendor = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "vendor_id").then(|| value.trim().to_owned())
    });
    vendor.ok_or(Absent::NotInDump)
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
