//! `!process`: processes, and with more detail their threads and stacks.

use super::stack::Owner;
use super::{Context, Fills, Reader, Signature, thread};
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Irp, Process, Thread, WaitObject};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{
    address, after, dec, duration_ms, found, hex, hex_int, pointer, rest_after, text, word,
};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!process",
    is_named: |name| matches!(name, "!process" | "!for_each_process"),
    signatures: &[
        Signature { literal: "PROCESS ", check: |line| is_start(line.trim_start()) },
        Signature { literal: "NT ACTIVE PROCESS DUMP", check: |_| true },
        Signature { literal: "Searching for Process with Cid", check: |_| true },
    ],
    contains: &["!thread", "k"],
    fills: &[
        Fills::rows::<Process>(),
        Fills::rows::<Thread>(),
        Fills::rows::<WaitObject>(),
        Fills::rows::<Irp>(),
        Fills::rows::<Frame>(),
    ],
    read,
};

const PAGE: i64 = 4096;

fn is_start(line: &str) -> bool {
    line.strip_prefix("PROCESS ").and_then(|rest| address(word(rest)?.0)).is_some()
}

fn pages(number: Option<i64>) -> Cell<i64> {
    found(number.and_then(|n| n.checked_mul(PAGE)))
}

/// A number; some fields end in a full stop.
fn count(line: &str, label: &str) -> Option<i64> {
    dec(after(line, label)?.trim_end_matches('.'))
}

/// Takes a line; `false` if it is not recognised.
fn detail(line: &str, row: &mut Process) -> bool {
    let mut is_known = false;
    let mut take = |label: &str| {
        let value = after(line, label);
        is_known |= value.is_some();
        value
    };
    if let Some(session) = take("SessionId:") {
        row.session = found(dec(session));
    }
    if let Some(pid) =
        take(" Cid:").or_else(|| line.strip_prefix("Cid:").and_then(|r| word(r).map(|w| w.0)))
    {
        row.pid = found(hex_int(pid));
    }
    if let Some(peb) = take("Peb:") {
        row.peb = found(hex(peb)).and_then(pointer);
    }
    if let Some(parent) = take("ParentCid:") {
        row.ppid = found(hex_int(parent));
    }
    if let Some(base) = take("DirBase:") {
        row.dtb = found(hex(base));
    }
    if let Some(table) = take("ObjectTable:") {
        row.object_table = found(hex(table)).and_then(pointer);
    }
    if take("HandleCount:").is_some() || take("TableSize:").is_some() {
        row.handle_count = found(count(line, "HandleCount:").or_else(|| count(line, "TableSize:")));
    }
    if let Some(root) = take("VadRoot ") {
        row.vad_root = found(hex(root)).and_then(pointer);
        row.private_bytes = pages(count(line, "Private "));
    }
    is_known || labelled(line, row)
}

/// Lines of one label and its value.
fn labelled(line: &str, row: &mut Process) -> bool {
    let value = |label: &str| line.strip_prefix(label).map(str::trim);
    let first = |rest: &str| word(rest).map(|(w, _)| w.to_owned());
    if let Some(image) = value("Image:") {
        row.name = text(image);
    } else if let Some(rest) = value("Token") {
        row.token = found(first(rest).and_then(|w| hex(&w)));
    } else if let Some(rest) = value("UserTime") {
        row.user_time_ms = found(first(rest).and_then(|w| duration_ms(&w)));
    } else if let Some(rest) = value("KernelTime") {
        row.kernel_time_ms = found(first(rest).and_then(|w| duration_ms(&w)));
    } else if let Some(rest) = value("QuotaPoolUsage[PagedPool]") {
        row.paged_quota_bytes = found(dec(rest));
    } else if let Some(rest) = value("QuotaPoolUsage[NonPagedPool]") {
        row.nonpaged_quota_bytes = found(dec(rest));
    } else if let Some(rest) = rest_after(line, "(now,min,max)") {
        row.working_set_bytes = working_set(rest);
    } else if let Some(rest) = value("PeakWorkingSetSize") {
        row.peak_working_set_bytes = pages(dec(rest));
    } else if let Some(rest) = value("VirtualSize") {
        row.virtual_bytes = megabytes(rest);
    } else if let Some(rest) = value("PageFaultCount") {
        row.page_faults = found(dec(rest));
    } else if let Some(rest) = value("BasePriority") {
        row.base_priority = found(first(rest).and_then(|w| dec(&w)));
    } else if let Some(rest) = value("CommitCharge") {
        row.commit_bytes = pages(dec(rest));
    } else if let Some(rest) = value("Job") {
        row.job = found(first(rest).and_then(|w| hex(&w)));
    } else {
        const OTHER: &[&str] = &[
            "DeviceMap",
            "ElapsedTime",
            "MemoryPriority",
            "PeakVirtualSize",
            "MutantState",
            "Process Lock",
            "Locked",
            "DebugPort",
            "Clone",
            "Unable to",
            "GetUlong",
            "GetPointer",
            "Silo",
            "TYPE mismatch",
        ];
        // Before Windows XP, a line gives the state of the process's mutant.
        let is_mutant = word(line)
            .is_some_and(|(w, rest)| address(w).is_some() && rest.starts_with("MutantState"));
        return is_mutant || OTHER.iter().any(|start| line.starts_with(start));
    }
    true
}

/// `(1915, 1814, 2109) (7660KB, 7256KB, 8436KB)`: pages, and kilobytes where they are printed.
fn working_set(rest: &str) -> Cell<i64> {
    let mut groups = rest.split('(').skip(1).filter_map(|group| group.split([',', ')']).next());
    let in_pages = groups.next().and_then(|n| dec(n.trim()));
    let in_kb = groups.next().and_then(|n| dec(n.trim().trim_end_matches("KB")));
    match in_kb {
        Some(kb) => found(kb.checked_mul(1024)),
        None => pages(in_pages),
    }
}

fn megabytes(rest: &str) -> Cell<i64> {
    let Some((number, unit)) = word(rest) else { return Err(Absent::NotApplicable) };
    let factor = if unit.to_ascii_lowercase().starts_with("mb") { 1 << 20 } else { 1 };
    found(dec(number).and_then(|n| n.checked_mul(factor)))
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut current: Option<(u64, Process)> = None;
    let mut owner = Owner::default();
    let mut eprocess = Err(Absent::NotApplicable);
    while let Some(line) = lines.next() {
        let trimmed = line.trimmed();
        if is_start(trimmed) {
            emit(current.take(), sink);
            let rest = trimmed.strip_prefix("PROCESS").unwrap_or_default();
            let mut row = Process {
                eprocess: found(word(rest).and_then(|(at, _)| hex(at))),
                ..Process::default()
            };
            detail(rest, &mut row);
            eprocess = row.eprocess;
            current = Some((line.number, row));
        } else if thread::is_start(trimmed) {
            if let Some((_, row)) = &current {
                owner.process.clone_from(&row.name);
            }
            emit(current.take(), sink);
            thread::block(&line, &owner, eprocess, lines, sink);
        } else {
            let is_read = current.as_mut().is_some_and(|(_, row)| detail(trimmed, row));
            if !is_read && !is_other(&line) {
                sink.unread(&line);
            }
        }
    }
    emit(current, sink);
}

fn emit(row: Option<(u64, Process)>, sink: &mut Sink<'_>) {
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

fn is_other(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text.starts_with("****")
        || text.starts_with("Searching for Process")
        || text.starts_with("No active threads")
        || text.starts_with("Unable to")
        || text.starts_with("TYPE mismatch")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_of_every_version() {
        let mut row = Process::default();
        assert!(detail(
            " 81464da8  SessionId: 0  Cid: 03bc    Peb: 7ffdf000  ParentCid: 0124",
            &mut row
        ));
        assert!(detail("DirBase: 0dec2000  ObjectTable: e1a31198  TableSize: 275.", &mut row));
        assert!(detail(
            "VadRoot ffffe001d4222f70 Vads 60 Clone 0 Private 299. Modified 152. Locked 0.",
            &mut row
        ));
        assert!(detail(
            "Working Set Sizes (now,min,max)  (1915, 1814, 2109) (7660KB, 7256KB, 8436KB)",
            &mut row
        ));
        assert!(detail("VirtualSize                       57 Mb", &mut row));
        assert!(detail("Image: audiodg.exe", &mut row));
        assert_eq!(
            (row.pid, row.ppid, row.session, row.handle_count),
            (Ok(0x3bc), Ok(0x124), Ok(0), Ok(275))
        );
        assert_eq!(
            (row.private_bytes, row.working_set_bytes, row.virtual_bytes),
            (Ok(299 * 4096), Ok(7660 * 1024), Ok(57 << 20))
        );
        assert!(detail(
            "DirBase: d2122000  ObjectTable: ffffc0001f191ac0  HandleCount: <Data Not Accessible>",
            &mut row
        ));
        assert_eq!(row.handle_count, Err(Absent::NotApplicable));
        assert!(detail("SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000", &mut row));
        assert_eq!(
            (row.session, row.peb),
            (Err(Absent::NotApplicable), Err(Absent::NotApplicable))
        );
        assert!(!detail("some prose", &mut row));
    }
}
