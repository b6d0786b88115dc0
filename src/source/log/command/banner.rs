//! The banner that a debugger prints when it opens a target, and `vertarget`, which prints most of
//! it again.

use super::{Context, Fills, Reader, Signature};
use crate::model::{DumpInfo, Module};
use crate::source::log::code::label;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{
    after, between, duration_ms, found, hex, rest_after, text as cell, word,
};
use crate::source::log::sink::Sink;
use crate::source::log::time;

/// The reader of banners. The code that counts targets finds it by this name.
pub(super) static READER: Reader = Reader {
    name: "banner",
    is_named: |name| matches!(name, "vertarget" | "version" | ".opendump" | "||"),
    signatures: &[
        Signature {
            literal: "Microsoft (R) Windows Debugger",
            check: |line| line.trim_start().starts_with("Microsoft (R) Windows Debugger"),
        },
        Signature { literal: "Loading Dump File [", check: |_| true },
        Signature { literal: " Version ", check: |line| system(line.trim()).is_some() },
    ],
    contains: &["ModLoad"],
    fills: &[Fills::rows::<DumpInfo>(), Fills::rows::<Module>()],
    read,
};

/// The reader of modules that are loaded later, outside a banner.
pub(super) static LOADS: Reader = Reader {
    name: "ModLoad",
    is_named: |_| false,
    signatures: &[Signature { literal: "ModLoad:", check: |line| load(line).is_some() }],
    contains: &[],
    fills: &[Fills::rows::<Module>()],
    read: read_loads,
};

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut info = DumpInfo::default();
    let mut is_any = false;
    let mut at = None;
    let mut process_uptime = None;
    while let Some(line) = lines.next() {
        let whole = joined(&line, lines);
        let text = whole.trim_start();
        at.get_or_insert(line.number);
        if let Some(module) = load(text) {
            sink.row(&line, module);
        } else if let Some(uptime) = text.strip_prefix("Process Uptime:") {
            process_uptime = duration_ms(uptime);
        } else if fact(text, &mut info) {
            is_any = true;
        } else if !(is_known(text) || label(text).is_some()) {
            sink.unread(&line);
        }
    }
    if let Some(uptime) = process_uptime {
        info.uptime_ms = Ok(uptime);
    }
    if let Some(at) = at.filter(|_| is_any) {
        sink.row_at(at, info);
    }
}

/// The line with its continuation; mail programs break long lines.
fn joined(line: &Line<'_>, lines: &mut Lines<'_>) -> String {
    let mut whole = line.trimmed().to_owned();
    if system(&whole).is_some() && whole.len() > 60 && !whole.ends_with("compatible") {
        let is_rest = |next: &Line<'_>| {
            let text = next.trimmed();
            !text.is_empty() && text.len() < 12 && text.bytes().all(|b| b.is_ascii_lowercase())
        };
        if let Some(rest) = lines.next_if(is_rest) {
            whole.push_str(rest.trimmed());
        }
    }
    whole
}

fn read_loads(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        if let Some(module) = load(line.trimmed()) {
            sink.row(&line, module);
        } else if !is_known(line.trimmed()) {
            sink.unread(&line);
        }
    }
}

/// `ModLoad: 7c900000 7c9b2000   C:\WINDOWS\system32\ntdll.dll`.
fn load(text: &str) -> Option<Module> {
    let rest = text.trim_start().strip_prefix("ModLoad:")?;
    let (base, rest) = word(rest)?;
    let (end, path) = word(rest)?;
    let (base, end) = (hex(base)?, hex(end)?);
    let file = path.rsplit(['\\', '/']).next().unwrap_or(path).trim();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    Some(Module {
        base: Ok(base),
        end: Ok(end),
        size_bytes: found(end.checked_sub(base).and_then(|size| i64::try_from(size).ok())),
        name: cell(stem),
        image_name: cell(file),
        path: if path.contains(['\\', '/']) { cell(path) } else { cell("") },
        is_user: Ok(true),
        ..Module::default()
    })
}

/// Takes the fact about the target on a line.
pub(super) fn fact(text: &str, info: &mut DumpInfo) -> bool {
    if let Some(system) = system(text) {
        info.complete_with(system);
    } else if let Some(system) = text.strip_prefix("Connected to ").and_then(connected) {
        info.complete_with(system);
    } else if let Some(kind) = dump_type(text) {
        info.dump_type = Ok(kind);
    } else if let Some(lab) =
        ["Built by:", "Edition build lab:"].iter().find_map(|l| text.strip_prefix(l))
    {
        info.build_lab = cell(lab);
    } else if text.contains("Kernel base = ") || text.contains("Primary image base = ") {
        info.kernel_base = found(after(text, " base = ").and_then(hex));
        info.module_list = found(
            after(text, "PsLoadedModuleList = ")
                .or_else(|| after(text, "Loaded module list = "))
                .and_then(hex),
        );
    } else if let Some(time) = text.strip_prefix("Debug session time:") {
        info.system_time = found(time::utc(time));
    } else if let Some(uptime) = text.strip_prefix("System Uptime:") {
        info.uptime_ms = found(duration_ms(uptime));
    } else if let Some(comment) = text.strip_prefix("Comment: ") {
        info.comment = cell(comment.trim().trim_matches('\''));
    } else {
        return false;
    }
    true
}

/// `Windows 7 Kernel Version 7601 (Service Pack 1) MP (4 procs) Free x64`.
fn system(text: &str) -> Option<DumpInfo> {
    if !text.starts_with("Windows ") {
        return None;
    }
    let (os, rest) = text.split_once(" Version ")?;
    let os = os.strip_suffix(" Kernel").unwrap_or(os);
    let (build, rest) = word(rest)?;
    let build: i64 = build.parse().ok()?;
    let is_system = rest.contains(" Free ")
        || rest.contains(" Checked ")
        || rest.contains("UP")
        || rest.contains("MP");
    if !is_system || os.len() > 60 {
        return None;
    }
    let service_pack = between(rest, "(Service Pack ", ")").map(|n| format!("Service Pack {n}"));
    let processors = between(rest, "MP (", " proc").and_then(|n| n.trim().parse().ok());
    let one = rest.split_whitespace().any(|word| word == "UP").then_some(1);
    Some(DumpInfo {
        os: cell(os),
        build: Ok(build),
        service_pack: found(service_pack),
        processors: found(processors.or(one)),
        arch: arch(rest).map_or_else(|| cell(""), cell),
        ..DumpInfo::default()
    })
}

/// `Windows 10 16299 x64 target at (Wed Feb 28 17:16:23.051 2018 (UTC - 8:00)), ptr64 TRUE`.
fn connected(text: &str) -> Option<DumpInfo> {
    let (what, _) = text.split_once(" target")?;
    let rest = what.strip_prefix("Windows ")?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    // The year in a name such as Server 2003 precedes the build.
    let is_build = |word: &&str| word.len() >= 4 && word.parse::<u32>().is_ok();
    let at = words.iter().rposition(is_build)?;
    let build = words.get(at)?.parse().ok()?;
    let name = words.get(..at)?.join(" ");
    Some(DumpInfo {
        os: cell(format!("Windows {name}").trim_end()),
        build: Ok(build),
        arch: arch(&words.get(at + 1..)?.join(" ")).map_or_else(|| cell(""), cell),
        ..DumpInfo::default()
    })
}

fn arch(text: &str) -> Option<&'static str> {
    let has = |word: &str| text.contains(word);
    if has("x86") {
        Some("x86")
    } else if has("x64") || has("AMD64") {
        Some("x64")
    } else if has("ARM 64") || has("ARM64") {
        Some("arm64")
    } else if has("IA64") || has("Itanium") {
        Some("ia64")
    } else if has("ARM") {
        Some("arm")
    } else {
        None
    }
}

/// `Mini Kernel Dump File: Only registers and stack trace are available` as the value that other
/// sources use.
fn dump_type(text: &str) -> Option<String> {
    let (kind, rest) = text.split_once(" Dump File")?;
    let is_type = rest.starts_with(':') || rest.starts_with(" with Full Memory:");
    if !is_type || kind.len() > 40 {
        return None;
    }
    let words = match (kind, rest.starts_with(':')) {
        ("Mini Kernel", _) => "triage",
        ("Kernel Summary", _) => "kernel memory (summary)",
        ("Kernel Complete", _) => "full memory",
        ("Kernel Bitmap", _) if text.contains("Full address space") => "full memory (bitmap)",
        ("Kernel Bitmap", _) => "kernel memory (bitmap)",
        ("User Mini", false) => "process with full memory",
        ("User Mini", true) => "minidump",
        (kind, _) => return Some(kind.to_ascii_lowercase()),
    };
    Some(words.to_owned())
}

/// Other lines of a banner.
fn is_known(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "Microsoft (R) Windows Debugger",
        "Copyright (c) Microsoft",
        "Copyright (C) Microsoft",
        "Loading Dump File",
        "Symbol search path is",
        "Executable search path is",
        "Product:",
        "Machine Name:",
        "CommandLine:",
        "*",
        "Deferred",
        "Response ",
        "OK ",
        "Using NET",
        "Opened ",
        "Waiting to reconnect",
        "You can get the target MAC",
        "Kernel Debugger connection",
        "Connected to ",
        "Run !sym noisy",
        "Use !analyze",
        "For analysis of this file",
        "Press ctrl",
        "PEB is paged out",
        "Missing image name",
        "Debuggee not connected",
        "WARNING:",
        "NOTE:",
        "Unable to ",
        "Could not ",
        "details",
        "locations.",
        "symbols for",
        "Using ",
        "Built by",
        "Symbol Path validation",
        "Error: ",
        "Debugger (not debuggee) time:",
        "Debugger session time",
        "Kernel time:",
        "User time:",
        "Process Uptime",
        "Live user mode:",
        "64-bit machine",
        "32-bit machine",
        "command line:",
        "dbgeng:",
        "ext:",
        "dbghelp:",
        "Extension DLL",
        "EXDI:",
        "\"No such interface",
        "This dump file has",
        "The stored exception information",
        "Windows ",
        "Peb.Ldr",
        "---",
        "Type \".hh",
        "Page ",
        "Reading initial command",
        "Remaining ",
        "Free x",
        "x64",
        "Machine",
        "Image path",
        "Extension",
        "User Mini Dump File",
        "Server started",
        "Attached ",
        "System manufacturer",
    ];
    text.is_empty()
        || STARTS.iter().any(|start| text.starts_with(start))
        || text.bytes().all(|b| matches!(b, b'.' | b'*' | b' ' | b'-'))
        || rest_after(text, "image ")
            .is_some_and(|rest| rest.contains("API ") || rest.contains("built "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems() {
        let of = |text| {
            let s = system(text)?;
            Some((
                s.os.unwrap(),
                s.build.unwrap(),
                s.processors.ok(),
                s.arch.ok(),
                s.service_pack.ok(),
            ))
        };
        assert_eq!(
            of("Windows XP Kernel Version 2600 (Service Pack 3) UP Free x86 compatible"),
            Some((
                "Windows XP".into(),
                2600,
                Some(1),
                Some("x86".into()),
                Some("Service Pack 3".into())
            ))
        );
        assert_eq!(
            of("Windows 10 Kernel Version 21337 MP (4 procs) Free ARM 64-bit (AArch64)")
                .map(|s| (s.2, s.3)),
            Some((Some(4), Some("arm64".into())))
        );
        assert_eq!(of("Windows Version of things"), None);
        let c = connected("Windows 10 16299 x64 target at (Wed Feb 28)").unwrap();
        assert_eq!(
            (c.os.as_deref(), c.build, c.arch.as_deref()),
            (Ok("Windows 10"), Ok(16299), Ok("x64"))
        );
        assert_eq!(
            connected("Windows Server 2003 3790 x86 compatible target").unwrap().build,
            Ok(3790)
        );
        assert_eq!(
            dump_type("User Mini Dump File with Full Memory: Only application data is available")
                .as_deref(),
            Some("process with full memory")
        );
    }

    #[test]
    fn loads() {
        let module =
            load("ModLoad: 00007ff8`85350000 00007ff8`85567000   C:\\W\\ntdll.dll").unwrap();
        assert_eq!(module.name.as_deref(), Ok("ntdll"));
        assert_eq!(module.size_bytes, Ok(0x21_7000));
    }
}
