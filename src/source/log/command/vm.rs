//! `!vm`: memory manager counters, page files, failed allocations, sessions (flag 4) and the commit
//! charge of processes.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{MemoryRegion, PageFile, PoolFailure, Process, SessionSpace, VmCounter};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{after, dec, found, hex, hex_int, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!vm",
    is_named: |name| name == "!vm",
    signatures: &[
        Signature {
            literal: "Virtual Memory Usage",
            check: |line| line.trim_start().starts_with('*'),
        },
        Signature { literal: "Terminal Server Memory Usage By Session", check: |_| true },
        Signature { literal: " Kb", check: is_tail },
        Signature { literal: "Physical Memory:", check: |line| counter(line.trim()).is_some() },
    ],
    contains: &[],
    fills: &[
        Fills::rows::<VmCounter>(),
        Fills::rows::<PageFile>(),
        Fills::rows::<PoolFailure>(),
        Fills::rows::<SessionSpace>(),
        Fills::rows::<Process>(),
        Fills::rows::<MemoryRegion>(),
    ],
    read,
};

const PAGE: i64 = 4096;

/// A number of kilobytes as bytes.
fn kilobytes(text: &str) -> Cell<i64> {
    let digits = text.trim().trim_end_matches(|c: char| c.is_alphabetic() || c.is_whitespace());
    found(dec(digits.trim()).and_then(|kb| kb.checked_mul(1024)))
}

/// `Available Pages:     1317401 (   5269604 Kb)`.
fn counter(line: &str) -> Option<VmCounter> {
    let (name, rest) = line.split_once(':')?;
    let (pages, rest) = word(rest)?;
    if !pages.bytes().all(|b| b.is_ascii_digit()) || name.is_empty() || name.len() > 40 {
        return None;
    }
    let has_unit = rest.trim_start().starts_with('(') && rest.to_ascii_lowercase().contains("kb");
    if !has_unit {
        return None;
    }
    // Counters that went below zero are printed as huge numbers.
    let pages: Cell<i64> = pages.parse().map_err(|_| Absent::Unreadable);
    Some(VmCounter {
        name: Ok(name.trim().to_owned()),
        pages,
        bytes: pages.and_then(|n| n.checked_mul(PAGE).ok_or(Absent::Unreadable)),
        ..VmCounter::default()
    })
}

/// `Syspart SharedCommit 12`: a page count without colon and unit.
fn plain_counter(line: &Line<'_>) -> Option<VmCounter> {
    let (name, pages) = line.trimmed().rsplit_once(char::is_whitespace)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ')
        && name.len() <= 40;
    let is_number = pages.bytes().all(|b| b.is_ascii_digit());
    // Prose is not indented, and no sentence ends in a page count.
    let pages: i64 = pages.parse().ok().filter(|_| is_name && is_number && line.indent() > 0)?;
    Some(VmCounter {
        name: text(name),
        pages: Ok(pages),
        bytes: pages.checked_mul(PAGE).ok_or(Absent::Unreadable),
        ..VmCounter::default()
    })
}

/// `17fc MsMpEng.exe    158232 Kb     2896 Kb          0 Kb`: the list of processes with three
/// sizes, which ends the output.
fn is_tail(line: &str) -> bool {
    let sizes = line.trim_end().split(" Kb").collect::<Vec<_>>();
    let [first, more @ .., ""] = sizes.as_slice() else { return false };
    let is_size = |size: &&str| dec(size.trim()).is_some();
    let row = process(line);
    more.len() == 2
        && more.iter().all(is_size)
        && !first.contains(':')
        && row.is_some_and(|row| row.name.is_ok())
}

/// The text between the asterisks of a warning.
fn warning(line: &str) -> Option<&str> {
    if !line.starts_with("***") {
        return None;
    }
    let inner = line.trim_matches(['*', ' ']);
    let is_banner = inner.is_empty()
        || inner.starts_with("Virtual Memory Usage")
        || inner.starts_with("CacheSize");
    (!is_banner).then_some(inner)
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    counters: Vec<(u64, VmCounter)>,
    /// A warning for the next row.
    pending: Option<String>,
    file: Option<(u64, PageFile)>,
    session: Option<(u64, SessionSpace)>,
    paged_limit: Option<i64>,
    view_limit: Option<i64>,
    /// Whether the list of processes has begun.
    in_regions: bool,
}

impl Reading {
    fn warn(&mut self, line: &Line<'_>, inner: &str, sink: &mut Sink<'_>) {
        let lower = inner.to_ascii_lowercase();
        if let Some(count) = inner.split_whitespace().next().and_then(dec) {
            if lower.contains("pool allocation") {
                if let Some((_, session)) = &mut self.session {
                    session.pool_failures = Ok(count);
                    let id = session.session;
                    sink.row(line, failures("session", id, count));
                } else {
                    sink.row(line, failures("all", Err(Absent::NotApplicable), count));
                }
                return;
            }
            if lower.contains("view")
                && let Some((_, session)) = &mut self.session
            {
                session.view_failures = Ok(count);
                return;
            }
        }
        let target = if lower.contains("nonpaged pool usage") {
            Some("NonPagedPool Usage")
        } else if lower.contains("paged pool usage") {
            Some("PagedPool Usage")
        } else if lower.contains("kernel stack") {
            Some("Free System PTEs")
        } else {
            None
        };
        let known = target.and_then(|name| {
            self.counters.iter_mut().find(|(_, row)| row.name.as_deref() == Ok(name))
        });
        match (known, target) {
            (Some((_, row)), _) => row.warning = Ok(joined(&row.warning, inner)),
            (None, _) => self.pending = Some(inner.to_owned()),
        }
    }

    fn counter(&mut self, number: u64, mut row: VmCounter) {
        if let Some(warning) = self.pending.take() {
            row.warning = Ok(warning);
        }
        self.counters.push((number, row));
    }

    /// Limits are in rows of their own.
    fn limits(&mut self) {
        for (usage, limit) in [
            ("NonPagedPool Usage", "NonPagedPool Max"),
            ("PagedPool Usage", "PagedPool Maximum"),
            ("Committed pages", "Commit limit"),
        ] {
            let named = |name: &str, (_, row): &&(u64, VmCounter)| row.name.as_deref() == Ok(name);
            let Some(bytes) =
                self.counters.iter().find(|r| named(limit, r)).map(|(_, row)| row.bytes)
            else {
                continue;
            };
            if let Some((_, row)) =
                self.counters.iter_mut().find(|(_, row)| row.name.as_deref() == Ok(usage))
            {
                row.limit_bytes = bytes;
            }
        }
    }

    fn close_file(&mut self, sink: &mut Sink<'_>) {
        if let Some((at, row)) = self.file.take() {
            sink.row_at(at, row);
        }
    }

    fn close_session(&mut self, sink: &mut Sink<'_>) {
        if let Some((at, mut row)) = self.session.take() {
            row.paged_pool_limit_bytes = found(self.paged_limit);
            row.view_limit_bytes = found(self.view_limit);
            sink.row_at(at, row);
        }
    }
}

fn joined(old: &Cell<String>, new: &str) -> std::string::String {
    old.as_ref().map_or_else(|_| new.to_owned(), |old| format!("{old}; {new}"))
}

fn failures(pool: &str, session: Cell<i64>, count: i64) -> PoolFailure {
    PoolFailure { pool: Ok(pool.to_owned()), session, count: Ok(count), ..PoolFailure::default() }
}

/// `Page File: \??\C:\pagefile.sys`, or a file without a name.
fn page_file(line: &str) -> Option<PageFile> {
    let path = line.strip_prefix("Page File:").map(str::trim);
    let is_nameless = line.starts_with("No Name for Paging File");
    (path.is_some() || is_nameless).then(|| PageFile {
        path: path.map_or(Err(Absent::NotInDump), text),
        ..PageFile::default()
    })
}

/// `Current:   3145728 Kb  Free Space:   3001132 Kb` and the line of minimum and maximum.
fn file_sizes(line: &str, row: &mut PageFile) -> bool {
    let of = |label: &str| after(line, label).map_or(Err(Absent::NotApplicable), kilobytes);
    if line.starts_with("Current:") {
        row.current_bytes = of("Current:");
        row.free_bytes = of("Free Space:");
    } else if line.starts_with("Minimum:") {
        row.minimum_bytes = of("Minimum:");
        row.maximum_bytes = of("Maximum:");
    } else {
        return false;
    }
    true
}

/// `Session ID 9 @ f79b5000:`.
fn session(line: &str) -> Option<SessionSpace> {
    let rest = line.strip_prefix("Session ID ")?;
    let (id, address) = rest.split_once('@')?;
    Some(SessionSpace {
        session: Ok(dec(id.trim())?),
        address: found(hex(address.trim().trim_end_matches(':'))),
        ..SessionSpace::default()
    })
}

fn session_detail(line: &str, row: &mut SessionSpace) -> bool {
    let Some((label, value)) = line.split_once(':') else { return false };
    match label.trim() {
        "Paged Pool Usage" => row.paged_pool_bytes = kilobytes(value),
        "Commit Usage" => row.commit_bytes = kilobytes(value),
        "NonPaged Usage" | "NonPaged Pool Usage" | "View Usage" => {}
        _ => return false,
    }
    true
}

/// The number at the end of a text.
fn last_number(text: &str) -> Option<i64> {
    dec(text.split_whitespace().next_back()?)
}

/// `0568 svchost.exe   1234 (   4936 Kb)`, later `17fc MsMpEng.exe    158232 Kb     2896 Kb  0 Kb`.
fn process(line: &str) -> Option<Process> {
    let (pid, rest) = word(line)?;
    if pid.len() > 8 {
        return None;
    }
    let pid = hex_int(pid)?;
    // A name may contain spaces, and that of an exited process may be missing.
    let (at, unit) = [(" (", PAGE), (" Kb", 1024), (" kb", 1024)]
        .iter()
        .flat_map(|(mark, unit)| rest.match_indices(mark).map(|(at, _)| (at, *unit)))
        .find(|(at, _)| rest.get(..*at).and_then(last_number).is_some())?;
    let before = rest.get(..at)?;
    let commit = last_number(before)?.checked_mul(unit);
    let name = before.trim_end().rsplit_once(char::is_whitespace).map_or("", |(name, _)| name);
    if name.contains(':') {
        return None;
    }
    Some(Process {
        pid: Ok(pid),
        name: text(name),
        commit_bytes: found(commit),
        ..Process::default()
    })
}

/// `PagedPool             : ffff8b8000000000     100000000000` of the list of system regions.
fn region(line: &str) -> Option<MemoryRegion> {
    let (name, rest) = line.split_once(':')?;
    let (start, rest) = word(rest)?;
    let (size, _) = word(rest)?;
    let (start, size) = (hex(start)?, hex(size)?);
    Some(MemoryRegion {
        start: Ok(start),
        end: found(start.checked_add(size)),
        size_bytes: found(i64::try_from(size).ok()),
        kind: text(name),
        ..MemoryRegion::default()
    })
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut reading = Reading::default();
    for line in lines {
        let text = line.trimmed();
        if !reading.line(&line, text, sink) && !is_known(&line) {
            sink.unread(&line);
        }
    }
    reading.close_file(sink);
    reading.close_session(sink);
    reading.limits();
    for (at, row) in reading.counters {
        sink.row_at(at, row);
    }
}

impl Reading {
    fn line(&mut self, line: &Line<'_>, text: &str, sink: &mut Sink<'_>) -> bool {
        if let Some(inner) = warning(text) {
            self.warn(line, inner, sink);
        } else if let Some(file) = page_file(text) {
            self.close_file(sink);
            self.file = Some((line.number, file));
        } else if self.file.as_mut().is_some_and(|(_, file)| file_sizes(text, file)) {
        } else if let Some(row) = session(text) {
            self.close_session(sink);
            self.session = Some((line.number, row));
        } else if self.session.as_mut().is_some_and(|(_, row)| session_detail(text, row)) {
        } else if let Some(rest) = text.strip_prefix("Session Paged Pool Maximum is") {
            self.paged_limit = kilobytes(rest).ok();
        } else if let Some(rest) = text.strip_prefix("Session View Space Maximum is") {
            self.view_limit = kilobytes(rest).ok();
        } else if let Some(row) = counter(text).or_else(|| plain_counter(line)) {
            self.close_file(sink);
            self.counter(line.number, row);
        } else if text.starts_with("System Region") {
            self.in_regions = true;
        } else if let Some(row) = region(text).filter(|_| self.in_regions) {
            sink.row(line, row);
        } else if let Some(row) = process(text) {
            sink.row(line, row);
        } else {
            return false;
        }
        true
    }
}

fn is_known(line: &Line<'_>) -> bool {
    const STARTS: &[&str] = &[
        "*** Virtual Memory Usage",
        "Terminal Server Memory",
        "Unimplemented error",
        "Pid ",
        "counts:",
        "bytes :",
        "Unable to",
        "*** CacheSize",
        "Process Commit Usage",
        "-----",
        "****",
    ];
    let text = line.trimmed();
    line.is_blank() || STARTS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_version() {
        let row = counter("Free System PTEs:     194059 (    776236 Kb)").unwrap();
        assert_eq!(
            (row.name.as_deref(), row.pages, row.bytes),
            (Ok("Free System PTEs"), Ok(194_059), Ok(194_059 * 4096))
        );
        assert_eq!(
            counter("PagedPool Commit:  18446735300397918280 (18446708980463018272 Kb)")
                .unwrap()
                .pages,
            Err(Absent::Unreadable)
        );
        let mut file = page_file("Page File: \\??\\S:\\pagefile.sys").unwrap();
        assert!(file_sizes("Current:   2098176Kb Free Space:   1837740Kb", &mut file));
        assert!(file_sizes("Minimum:   2098176 Kb  Maximum:      2098177 Kb", &mut file));
        assert_eq!(
            (file.free_bytes, file.maximum_bytes),
            (Ok(1_837_740 * 1024), Ok(2_098_177 * 1024))
        );
        let mut nine = session("Session ID 9 @ f79b5000:").unwrap();
        assert!(session_detail("Paged Pool Usage:       32552K", &mut nine));
        assert_eq!(
            (nine.session, nine.address, nine.paged_pool_bytes),
            (Ok(9), Ok(0xf79b_5000), Ok(32_552 * 1024))
        );
        assert_eq!(
            process("17fc MsMpEng.exe    158232 Kb     2896 Kb          0 Kb")
                .unwrap()
                .commit_bytes,
            Ok(158_232 * 1024)
        );
        let spaced = process("  9b8 Memory Compression    1024 (      4096 Kb)").unwrap();
        assert_eq!(
            (spaced.name.as_deref(), spaced.commit_bytes),
            (Ok("Memory Compression"), Ok(4096 * 1024))
        );
        assert!(process("4 System      36 (  144 Kb)").is_some_and(|row| row.pid == Ok(4)));
        assert!(process("137c          0 (    0 Kb)").is_some_and(|row| row.name.is_err()));
        assert!(process("Bad Pages:    0 (    0 Kb)").is_none());
        assert_eq!(process("0358 csrss.exe         512 (      2048 Kb)").unwrap().pid, Ok(0x358));
        assert_eq!(
            warning("********** Excessive Paged Pool Usage *****"),
            Some("Excessive Paged Pool Usage")
        );
        assert_eq!(warning("*** Virtual Memory Usage ***"), None);
    }
}
