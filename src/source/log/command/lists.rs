//! Lists of processes, handles and regions that smaller commands print: `|`, `!dml_proc`,
//! `!findhandle`, `!vad`.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Handle, Process, Vad};
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, after, dec, found, hex, hex_int, rest_after, text, word};
use crate::source::log::sink::Sink;

/// The reader of `|`.
pub(super) static PROCESSES: Reader = Reader {
    name: "|",
    is_named: |name| name == "|" || name == "|*" || name == "|.",
    signatures: &[Signature { literal: "\tname: ", check: |line| debugged(line).is_some() }],
    contains: &[],
    fills: &[Fills::rows::<Process>()],
    read: |_, lines, sink| each(lines, sink, debugged),
};

/// The reader of `!dml_proc`.
pub(super) static DML: Reader = Reader {
    name: "!dml_proc",
    is_named: |name| matches!(name, "!dml_proc" | ".tlist" | "!tlist"),
    signatures: &[Signature {
        literal: "Image file name",
        check: |line| line.split_whitespace().eq(["Address", "PID", "Image", "file", "name"]),
    }],
    contains: &[],
    fills: &[Fills::rows::<Process>()],
    read: |_, lines, sink| each(lines, sink, process),
};

/// The reader of `!findhandle`.
pub(super) static FOUND_HANDLES: Reader = Reader {
    name: "!findhandle",
    is_named: |name| name == "!findhandle",
    signatures: &[],
    contains: &[],
    fills: &[Fills::rows::<Handle>()],
    read: read_handles,
};

/// The reader of `!vad`.
pub(super) static VADS: Reader = Reader {
    name: "!vad",
    is_named: |name| name == "!vad",
    signatures: &[Signature {
        literal: "Commit",
        check: |line| {
            line.to_ascii_lowercase()
                .split_whitespace()
                .eq(["vad", "level", "start", "end", "commit"])
        },
    }],
    contains: &[],
    fills: &[Fills::rows::<Vad>()],
    read: |_, lines, sink| each(lines, sink, vad),
};

/// Reads lines that are rows of one table.
fn each<R: crate::model::Row>(
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
    row: fn(&str) -> Option<R>,
) {
    for line in lines {
        match row(line.trimmed()) {
            Some(row) => sink.row(&line, row),
            None if line.is_blank() || is_known(line.trimmed()) => {}
            None => sink.unread(&line),
        }
    }
}

fn is_known(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = || lower.split_whitespace();
    words().eq(["vad", "level", "start", "end", "commit"])
        || words().eq(["address", "pid", "image", "file", "name"])
        || words().eq(["dbgid", "pid", "image", "file", "name"])
        || lower.starts_with("total vads:")
        || lower.starts_with("total private commit:")
        || lower.starts_with("total shared commit:")
}

/// `.  0  id: 1a4c  create  name: foo.exe`, with tabs between the parts.
fn debugged(line: &str) -> Option<Process> {
    let (number, rest) = word(line.trim_start_matches(['.', '#', ' ']))?;
    number.parse::<u32>().ok()?;
    let pid = after(rest, "id: ").filter(|_| rest.starts_with("id:"))?;
    let path = rest_after(rest, "name: ")?;
    let is_path = path.contains('\\');
    Some(Process {
        pid: Ok(hex_int(pid)?),
        name: text(path.rsplit('\\').next().unwrap_or(path)),
        path: if is_path { text(path) } else { Err(Absent::NotApplicable) },
        ..Process::default()
    })
}

/// `ffffe00112884040 4    System`; for user-mode targets `0n1234 notepad.exe`.
fn process(line: &str) -> Option<Process> {
    let (first, rest) = word(line)?;
    if let Some(eprocess) = address(first) {
        let (pid, name) = word(rest)?;
        return Some(Process {
            eprocess: Ok(eprocess),
            pid: Ok(hex_int(pid)?),
            name: text(name),
            ..Process::default()
        });
    }
    let pid = first.strip_prefix("0n").and_then(dec)?;
    Some(Process { pid: Ok(pid), name: text(rest), ..Process::default() })
}

/// `ffffe00017c9a3e0  5  7ffe0  7ffe0  1 Private  READONLY`; older debuggers print the level in
/// parentheses.
fn vad(line: &str) -> Option<Vad> {
    const PAGE: u64 = 4096;
    let (at, rest) = word(line)?;
    let at = address(at)?;
    let rest = rest.replace(['(', ')'], " ");
    let (level, rest) = word(&rest)?;
    let (first, rest) = word(rest)?;
    let (last, rest) = word(rest)?;
    let (commit, rest) = word(rest)?;
    let start = hex(first)?.checked_mul(PAGE)?;
    let end = hex(last)?.checked_add(1)?.checked_mul(PAGE)?;
    let mut words = rest.split_whitespace().peekable();
    let kind = words.next()?;
    let is_image = words.next_if(|word| *word == "Exe").is_some();
    let protection =
        words.next().filter(|word| word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    let file = rest.find('\\').and_then(|at| rest.get(at..)).unwrap_or_default();
    Some(Vad {
        vad: Ok(at),
        level: found(dec(level)),
        start: Ok(start),
        end: Ok(end),
        size_bytes: found(end.checked_sub(start).and_then(|n| i64::try_from(n).ok())),
        commit_pages: found(dec(commit)),
        kind: text(if is_image { "Image" } else { kind }),
        is_private: Ok(kind == "Private"),
        protection: found(protection.map(|word| format!("PAGE_{word}"))),
        file: text(file),
        ..Vad::default()
    })
}

/// `[ffffb5847d4e2080 lsass.exe]` and below it `94c: Entry ffffd90bc6d93530 Granted Access 1fffff`.
fn read_handles(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut eprocess: Cell<u64> = Err(Absent::NotApplicable);
    let mut process: Cell<String> = Err(Absent::NotApplicable);
    for line in lines {
        let shown = line.trimmed();
        let holder = shown.strip_prefix('[').and_then(|rest| word(rest.strip_suffix(']')?));
        if let Some((at, name)) = holder.filter(|(at, _)| address(at).is_some()) {
            (eprocess, process) = (found(address(at)), text(name));
        } else if let Some((handle, rest)) =
            shown.split_once(": Entry ").filter(|_| eprocess.is_ok())
            && let Some(handle) = hex(handle.trim())
        {
            let row = Handle {
                eprocess,
                process: process.clone(),
                handle: Ok(handle),
                granted_access: found(after(rest, "Granted Access ").and_then(hex_int)),
                ..Handle::default()
            };
            sink.row(&line, row);
        } else if !line.is_blank() {
            sink.unread(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_each_list() {
        let row = debugged(".  0\tid: 1a4c\tcreate\tname: C:\\a\\foo.exe").unwrap();
        assert_eq!((row.pid, row.name.as_deref()), (Ok(0x1a4c), Ok("foo.exe")));
        let row = process("ffffe00112884040 4    System").unwrap();
        assert_eq!((row.eprocess, row.pid), (Ok(0xffff_e001_1288_4040), Ok(4)));
        let row = vad("ffffe000180a7f10  3  7ff61a7a0  7ff61a7d1    5 Mapped  Exe  EXECUTE_WRITECOPY  \\Windows\\a.exe").unwrap();
        assert_eq!(
            (row.start, row.size_bytes, row.kind.as_deref()),
            (Ok(0x7ff6_1a7a_0000), Ok(0x32000), Ok("Image"))
        );
        assert_eq!(
            (row.protection.as_deref(), row.file.as_deref()),
            (Ok("PAGE_EXECUTE_WRITECOPY"), Ok("\\Windows\\a.exe"))
        );
        let row = vad("81f0fc08 ( 1)    5ad70    5ada7     3 Private      READWRITE").unwrap();
        assert_eq!((row.level, row.is_private, row.commit_pages), (Ok(1), Ok(true), Ok(3)));
        assert!(vad("VAD     level      start      end    commit").is_none());
    }
}
