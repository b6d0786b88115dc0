//! Output about a process: `~`, `!runaway`, `!teb`, `!peb`, `!address`.

use super::{Context, Fills, Reader, Signature, facts};
use crate::catalog::{Absent, Cell};
use crate::model::{EnvironmentVariable, ExtensionFact, MemoryRegion, Module, Process, Thread};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{after, between, cid, duration_ms, found, hex, hex_int, text, word};
use crate::source::log::sink::Sink;

/// The reader of the list of threads.
pub(super) static TILDE: Reader = Reader {
    name: "~",
    is_named: |name| {
        let rest = name.strip_prefix('~');
        rest.is_some_and(|rest| {
            rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '.' | '#'))
        })
    },
    signatures: &[Signature { literal: "  id: ", check: |line| thread(line).is_some() }],
    contains: &["k"],
    fills: &[Fills::rows::<Thread>()],
    read: read_threads,
};

/// The reader of `!runaway`.
pub(super) static RUNAWAY: Reader = Reader {
    name: "!runaway",
    is_named: |name| name == "!runaway",
    signatures: &[Signature {
        literal: "User Mode Time",
        check: |line| line.trim() == "User Mode Time",
    }],
    contains: &[],
    fills: &[Fills::rows::<Thread>()],
    read: read_runaway,
};

/// The reader of `!teb`.
pub(super) static TEB: Reader = Reader {
    name: "!teb",
    is_named: |name| name == "!teb",
    signatures: &[Signature {
        literal: "TEB at ",
        check: |line| line.trim_start().starts_with("TEB at "),
    }],
    contains: &[],
    fills: &[Fills::rows::<Thread>(), Fills::rows::<ExtensionFact>()],
    read: read_teb,
};

/// The reader of `!peb`.
pub(super) static PEB: Reader = Reader {
    name: "!peb",
    is_named: |name| name == "!peb",
    signatures: &[Signature {
        literal: "PEB at ",
        check: |line| line.trim_start().starts_with("PEB at "),
    }],
    contains: &[],
    fills: &[
        Fills::rows::<Process>(),
        Fills::rows::<Module>(),
        Fills::rows::<EnvironmentVariable>(),
        Fills::rows::<ExtensionFact>(),
    ],
    read: read_peb,
};

/// The reader of `!address`.
pub(super) static ADDRESS: Reader = Reader {
    name: "!address",
    is_named: |name| name == "!address",
    signatures: &[Signature {
        literal: "Region Size:",
        check: |line| line.trim_start().starts_with("Region Size:"),
    }],
    contains: &[],
    fills: &[Fills::rows::<MemoryRegion>()],
    read: read_address,
};

/// `.  8  Id: 23e0.21dc Suspend: 2 Teb: 7ffdd000 Unfrozen "name"`, on Windows 2000
/// `  0  id: 16.15   Teb 7ffdd000 Unfrozen`.
fn thread(line: &str) -> Option<Thread> {
    let at = line.find("Id: ").or_else(|| line.find("id: "))?;
    let before = line.get(..at)?.trim().trim_start_matches(['.', '#', '>']).trim();
    before.parse::<u32>().ok()?;
    let rest = line.get(at + 4..)?;
    let (pid, tid) = cid(word(rest)?.0)?;
    let teb = after(rest, "Teb: ").or_else(|| after(rest, "Teb "));
    Some(Thread {
        tid: Ok(tid),
        pid: Ok(pid),
        teb: found(teb.and_then(hex)),
        suspend_count: found(after(rest, "Suspend: ").and_then(|n| n.parse().ok())),
        name: found(between(rest, "\"", "\"").map(str::to_owned)),
        ..Thread::default()
    })
}

fn read_threads(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut open: Option<(u64, Thread)> = None;
    for line in lines {
        if let Some(row) = thread(&line.text) {
            emit_thread(open.replace((line.number, row)), sink);
        } else if let Some(rest) = line.trimmed().strip_prefix("Start:") {
            if let Some((_, row)) = &mut open {
                row.start_address = found(between(rest, "(", ")").and_then(hex));
                row.start_symbol = text(rest.split(" (").next().unwrap_or(rest));
            }
        } else if !(line.is_blank() || line.trimmed().starts_with("Priority:")) {
            sink.unread(&line);
        }
    }
    emit_thread(open, sink);
}

fn emit_thread(row: Option<(u64, Thread)>, sink: &mut Sink<'_>) {
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

/// `8:21dc     0 days 0:00:07.000`, before Windows XP `4e0        0:12:16.0312`.
fn times(line: &str) -> Option<(i64, i64)> {
    let (id, time) = word(line)?;
    let tid = hex_int(id.rsplit(':').next()?)?;
    Some((tid, duration_ms(time)?))
}

fn read_runaway(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    // The times of both modes belong to one thread, and so to one row.
    let mut rows: Vec<(u64, Thread)> = Vec::new();
    let mut mode = "User";
    for line in lines {
        let trimmed = line.trimmed();
        if trimmed.ends_with("Mode Time") || trimmed.ends_with("Elapsed Time") {
            mode = if trimmed.starts_with("Kernel") {
                "Kernel"
            } else if trimmed.starts_with("User") {
                "User"
            } else {
                ""
            };
        } else if let Some((tid, ms)) = times(trimmed) {
            let at = rows.iter().position(|(_, row)| row.tid == Ok(tid));
            let at = at.unwrap_or_else(|| {
                rows.push((line.number, Thread { tid: Ok(tid), ..Thread::default() }));
                rows.len() - 1
            });
            if let Some((_, row)) = rows.get_mut(at) {
                match mode {
                    "User" => row.user_time_ms = Ok(ms),
                    "Kernel" => row.kernel_time_ms = Ok(ms),
                    _ => {}
                }
            }
        } else if !(line.is_blank() || trimmed.starts_with("Thread")) {
            sink.unread(&line);
        }
    }
    for (at, row) in rows {
        sink.row_at(at, row);
    }
}

fn read_teb(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row: Option<(u64, Thread)> = None;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(rest) = trimmed.strip_prefix("TEB at ") {
            emit_thread(row.take(), sink);
            row = Some((
                line.number,
                Thread { teb: found(word(rest).and_then(|(at, _)| hex(at))), ..Thread::default() },
            ));
        } else if let (Some((_, row)), Some((label, value))) = (&mut row, trimmed.split_once(':')) {
            let value = value.trim();
            match label.replace(' ', "").as_str() {
                "StackBase" => row.stack_base = found(hex(value)),
                "StackLimit" => row.stack_limit = found(hex(value)),
                "ClientId" => {
                    let pair = value.replace(' ', "");
                    if let Some((pid, tid)) = cid(&pair) {
                        (row.pid, row.tid) = (Ok(pid), Ok(tid));
                    }
                }
                _ => {
                    facts::emit("!teb", "", &line, sink);
                }
            }
        } else if !line.is_blank() {
            sink.unread(&line);
        }
    }
    emit_thread(row, sink);
}

/// `ff590000 4ce7a144 Nov 20 11:21:56 2010 C:\Windows\Explorer.EXE`.
fn peb_module(line: &str) -> Option<Module> {
    let (base, rest) = word(line)?;
    let base = hex(base).filter(|base| *base >= 0x1000)?;
    let (stamp, rest) = word(rest)?;
    let stamp = hex_int(stamp).filter(|_| stamp.len() == 8)?;
    let path = rest.splitn(5, ' ').nth(4)?.trim();
    let file = path.rsplit('\\').next().unwrap_or(path);
    Some(Module {
        base: Ok(base),
        timestamp: Ok(stamp),
        path: text(path),
        image_name: text(file),
        name: text(file.rsplit_once('.').map_or(file, |(stem, _)| stem)),
        is_user: Ok(true),
        ..Module::default()
    })
}

fn read_peb(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row: Option<(u64, Process)> = None;
    let mut in_environment = false;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(rest) = trimmed.strip_prefix("PEB at ") {
            row = Some((
                line.number,
                Process {
                    peb: found(word(rest).and_then(|(at, _)| hex(at))),
                    ..Process::default()
                },
            ));
        } else if let Some(module) = peb_module(trimmed) {
            sink.row(&line, module);
        } else if let (Some((_, row)), Some(value)) = (&mut row, quoted(trimmed, "ImageFile:")) {
            row.path = text(value);
            row.name = text(value.rsplit('\\').next().unwrap_or(value));
        } else if let (Some((_, row)), Some(value)) = (&mut row, quoted(trimmed, "CommandLine:")) {
            row.command_line = text(value);
        } else if trimmed.starts_with("Environment:") {
            in_environment = true;
        } else if in_environment && variable(&line, sink) {
            // `NAME=value`.
        } else if line.is_blank() || is_heading_of_peb(trimmed) {
            // The line has no value.
        } else if !facts::emit("!peb", "", &line, sink) {
            sink.unread(&line);
        }
    }
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

fn quoted<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    let value = line.strip_prefix(label)?.trim();
    // The value may contain quotes inside the pair that the debugger adds.
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    Some(inside('\'').or_else(|| inside('"')).unwrap_or(value))
}

/// The heading of the modules.
fn is_heading_of_peb(text: &str) -> bool {
    text.starts_with("Base TimeStamp")
        || text.split_whitespace().eq(["Base", "TimeStamp", "Module"])
}

/// `Path=C:\\Windows`: a variable of the environment.
fn variable(line: &Line<'_>, sink: &mut Sink<'_>) -> bool {
    let Some((name, value)) = line.trimmed().split_once('=') else { return false };
    // The names of the drives' current directories begin with an equals sign.
    if name.is_empty() || name.len() > 255 {
        return false;
    }
    let (name, value) = (text(name), text(value));
    sink.row(line, EnvironmentVariable { name, value, ..EnvironmentVariable::default() });
    true
}

/// The name in a value: `01000000MEM_IMAGE`, `00001000          MEM_COMMIT`.
fn named(value: &str) -> &str {
    let at = value.find("MEM_").or_else(|| value.find("PAGE_")).unwrap_or(value.len());
    let name = value.get(at..).unwrap_or_default();
    name.split(" <").next().unwrap_or(name).split("  ").next().unwrap_or(name).trim()
}

fn read_address(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row: Option<(u64, MemoryRegion)> = None;
    for line in lines {
        let trimmed = line.trimmed();
        let Some((label, value)) = trimmed.split_once(':') else {
            if !(line.is_blank() || trimmed.starts_with("Mapping ")) {
                sink.unread(&line);
            }
            continue;
        };
        let value = value.trim();
        if label == "Usage" || (row.is_none() && label == "Base Address") {
            emit_region(row.take(), sink);
            row = Some((line.number, MemoryRegion::default()));
        }
        let known = row.as_mut().is_some_and(|(_, row)| region_detail(label.trim(), value, row));
        if !known && !trimmed.starts_with("Mapping ") {
            sink.unread(&line);
        }
    }
    emit_region(row, sink);
}

fn emit_region(row: Option<(u64, MemoryRegion)>, sink: &mut Sink<'_>) {
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

fn region_detail(label: &str, value: &str, row: &mut MemoryRegion) -> bool {
    let number = word(value).and_then(|(n, _)| hex(n));
    match label {
        "Base Address" => row.start = found(number),
        "End Address" => row.end = found(number),
        "Region Size" => row.size_bytes = found(number.and_then(|n| i64::try_from(n).ok())),
        "State" => row.state = words(value, "MEM_"),
        "Protect" => row.protection = text(named(value)),
        "Type" => row.kind = words(value, "MEM_"),
        "Image Path" | "Mapped file name" | "Module path" => {
            row.file = text(value.trim_matches(['"', '[', ']']));
        }
        "Module name" if row.file.is_err() => row.file = text(value),
        "Usage" | "Allocation Base" | "Allocation Protect" | "Module Name" | "VA Type"
        | "Loaded Image Name" | "More info" | "Content source" | "Mapped Image Name" => {}
        _ => return false,
    }
    true
}

/// `commit`, `image` and so on, as other sources write them.
fn words(value: &str, prefix: &str) -> Cell<String> {
    let name = named(value).trim_start_matches(prefix).to_ascii_lowercase();
    if name.is_empty() { Err(Absent::NotApplicable) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_and_times() {
        let row = thread(".  8  Id: 23e0.21dc Suspend: 2 Teb: 00000089`5e7ca000 Unfrozen \"High priority thread #1\"").unwrap();
        assert_eq!((row.tid, row.teb, row.suspend_count), (Ok(0x21dc), Ok(0x89_5e7c_a000), Ok(2)));
        assert_eq!(thread("  0  id: 16.15   Teb 7ffdd000 Unfrozen").unwrap().pid, Ok(0x16));
        assert_eq!(times("8:21dc     0 days 0:00:07.000"), Some((0x21dc, 7000)));
        assert_eq!(times("4e0        0:12:16.0312"), Some((0x4e0, 736_312)));
    }

    #[test]
    fn regions_and_modules() {
        let mut row = MemoryRegion::default();
        assert!(
            region_detail("Type", "01000000MEM_IMAGE", &mut row)
                && region_detail("Protect", "00000004          PAGE_READWRITE <--- x", &mut row)
        );
        assert_eq!(
            (row.kind.as_deref(), row.protection.as_deref()),
            (Ok("image"), Ok("PAGE_READWRITE"))
        );
        let module =
            peb_module("76d40000 4ce7c8f9 Nov 20 14:11:21 2010 C:\\Windows\\SYSTEM32\\ntdll.dll")
                .unwrap();
        assert_eq!((module.name.as_deref(), module.timestamp), (Ok("ntdll"), Ok(0x4ce7_c8f9)));
    }
}
