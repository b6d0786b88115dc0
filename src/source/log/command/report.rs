//! Output of other extensions: `!fltkd`, `!qlocks`, `!sysptes`, `!filecache` and `!idt`.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Filter, InterruptVector, MappedFile, QueuedLock, SystemPte};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{
    address, after, between, dec, found, hex, hex_int, module_of, text, word,
};
use crate::source::log::sink::Sink;

/// The reader of `!fltkd`.
pub(super) static FLTKD: Reader = Reader {
    name: "!fltkd",
    is_named: |name| {
        matches!(name, "!filters" | "!instances" | "!filter" | "!volumes" | "!frames" | "!fltkd")
    },
    signatures: &[
        Signature { literal: "FLT_FILTER: ", check: |_| true },
        Signature { literal: "FLT_VOLUME: ", check: |_| true },
    ],
    contains: &[],
    fills: &[Fills::rows::<Filter>()],
    read: read_filters,
};

/// The reader of `!qlocks`.
pub(super) static QLOCKS: Reader = Reader {
    name: "!qlocks",
    is_named: |name| name == "!qlocks",
    signatures: &[Signature { literal: "Key: O = Owner", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<QueuedLock>()],
    read: read_qlocks,
};

/// The reader of `!sysptes`.
pub(super) static SYSPTES: Reader = Reader {
    name: "!sysptes",
    is_named: |name| name == "!sysptes",
    signatures: &[Signature { literal: "System PTE Information", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<SystemPte>()],
    read: read_sysptes,
};

/// The reader of `!filecache`.
pub(super) static FILECACHE: Reader = Reader {
    name: "!filecache",
    is_named: |name| name == "!filecache",
    signatures: &[Signature { literal: "Dump file cache", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<MappedFile>()],
    read: read_filecache,
};

/// The reader of `!idt`.
pub(super) static IDT: Reader = Reader {
    name: "!idt",
    is_named: |name| name == "!idt",
    signatures: &[Signature { literal: "Dumping IDT:", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<InterruptVector>()],
    read: read_idt,
};

/// `FLT_FILTER: ffffcb0e0b386010 "bindflt" "409800"`: address, name and altitude.
fn named_object<'a>(line: &'a str, label: &str) -> Option<(u64, &'a str, &'a str)> {
    let rest = line.strip_prefix(label)?;
    let (at, rest) = word(rest)?;
    let mut texts = rest.split('"').skip(1).step_by(2);
    Some((hex(at)?, texts.next()?, texts.next().unwrap_or_default()))
}

fn read_filters(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut frame: Cell<String> = Err(Absent::NotApplicable);
    let mut current = Filter::default();
    let mut volume: (Cell<u64>, Cell<String>) =
        (Err(Absent::NotApplicable), Err(Absent::NotApplicable));
    let mut is_detailed = false;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some((at, name, altitude)) = named_object(trimmed, "FLT_FILTER:") {
            current = Filter {
                filter: Ok(at),
                name: text(name),
                altitude: text(altitude),
                frame: frame.clone(),
                is_instance: Ok(false),
                ..Filter::default()
            };
            sink.row(&line, current.clone());
        } else if let Some((at, name, altitude)) = named_object(trimmed, "FLT_INSTANCE:") {
            let row = Filter {
                volume: volume.0,
                volume_name: volume.1.clone(),
                instance: Ok(at),
                instance_name: text(name),
                altitude: text(altitude),
                is_instance: Ok(true),
                ..current.clone()
            };
            sink.row(&line, row);
        } else if let Some((at, name, _)) = named_object(trimmed, "FLT_VOLUME:") {
            // Instances follow, but not their filters.
            volume = (Ok(at), text(name));
            current = Filter { frame: frame.clone(), ..Filter::default() };
        } else if let Some((_, name, _)) = named_object(trimmed, "FLTP_FRAME:") {
            frame = text(name);
            current = Filter { frame: frame.clone(), ..Filter::default() };
        } else if trimmed.starts_with("Volume List:") || trimmed.starts_with("Frame List:") {
            let name = trimmed.rfind("Frame ").filter(|at| *at > 0);
            frame = found(name.and_then(|at| trimmed.get(at..))).and_then(text);
            current = Filter { frame: frame.clone(), ..Filter::default() };
        } else if trimmed.starts_with("Filter List:") {
            frame = between(trimmed, "\"", "\"").map_or(Err(Absent::NotApplicable), text);
        } else if trimmed.starts_with("FLT_OBJECT:") {
            // The fields of a single filter follow.
            is_detailed = true;
        } else if !(line.is_blank() || is_detailed) {
            sink.unread(&line);
        }
    }
}

fn read_qlocks(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut columns: Vec<(usize, i64)> = Vec::new();
    for line in lines {
        let trimmed = line.trimmed();
        if trimmed.starts_with("Lock Name") {
            let words = line.text.match_indices(|c: char| c.is_ascii_digit()).filter(|(at, _)| {
                !line
                    .text
                    .get(..*at)
                    .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()))
            });
            columns = words
                .filter_map(|(at, _)| Some((at, dec(word(line.text.get(at..)?)?.0)?)))
                .collect();
        } else if let Some((name, _)) = trimmed
            .split_once("   ")
            .filter(|(name, _)| name.contains(" - ") || name.contains("  - "))
            .or_else(|| trimmed.contains(" - ").then_some((trimmed, "")))
        {
            let start = columns.first().map_or(usize::MAX, |(at, _)| *at);
            let name = line.text.get(..start).map_or(name, str::trim);
            for (at, processor) in &columns {
                let mark = line.text.get(*at..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
                if let Some(row) = queued(name, *processor, mark) {
                    sink.row(&line, row);
                }
            }
        } else if !(line.is_blank()
            || trimmed.starts_with("Key:")
            || trimmed.starts_with("Processor Number"))
        {
            sink.unread(&line);
        }
    }
}

fn queued(name: &str, processor: i64, mark: char) -> Option<QueuedLock> {
    let (state, position) = match mark {
        'O' => ("owner", None),
        'C' => ("corrupt", None),
        _ => ("waiting", Some(i64::from(mark.to_digit(10)?))),
    };
    Some(QueuedLock {
        name: text(name),
        processor: Ok(processor),
        state: Ok(state.to_owned()),
        position: found(position),
        ..QueuedLock::default()
    })
}

/// `ecbfdee8 f0ed0958 2 netbt!DispatchIoctls+0x56a/netbt!NbtDispatchDevCtrl+0xcd`.
fn pte_user(line: &str) -> Option<SystemPte> {
    let (at, rest) = word(line)?;
    let at = address(at)?;
    let (mdl, rest) = word(rest)?;
    let (pages, rest) = word(rest)?;
    let callers = rest.trim();
    let (caller, callers_caller) = callers.split_once('/').unwrap_or((callers, ""));
    Some(SystemPte {
        address: Ok(at),
        mdl: found(hex(mdl))
            .and_then(|mdl| if mdl <= 1 { Err(Absent::NotApplicable) } else { Ok(mdl) }),
        pages: found(hex_int(pages)),
        state: Ok("allocated".to_owned()),
        caller: text(caller),
        callers_caller: text(callers_caller),
        ..SystemPte::default()
    })
}

fn read_sysptes(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(rest) = trimmed.strip_prefix("free ptes:") {
            let row = SystemPte {
                address: found(word(rest).and_then(|(at, _)| hex(at))),
                pages: found(
                    after(rest, "number free:").and_then(|n| dec(n.trim_end_matches('.'))),
                ),
                state: Ok("free".to_owned()),
                ..SystemPte::default()
            };
            sink.row(&line, row);
        } else if let Some(row) = pte_user(trimmed) {
            sink.row(&line, row);
        } else if !is_of_ptes(&line) {
            sink.unread(&line);
        }
    }
}

fn is_of_ptes(line: &Line<'_>) -> bool {
    const PARTS: &[&str] = &[
        "System PTE Information",
        "Total System Ptes",
        "SysPtes list of size",
        "starting PTE",
        "ending PTE",
        "free blocks",
        "System PTEs allocated",
        "VA MDL PageCount",
        "free NPP",
        "Unable to",
    ];
    let text = line.trimmed();
    line.is_blank() || PARTS.iter().any(|part| text.contains(part))
}

/// A row of files in kilobytes: `ff8636e8    56    376     0     0     0     0  mapped_file( x.dll )`.
pub(super) fn mapped_file(line: &str) -> Option<MappedFile> {
    let (at, rest) = word(line)?;
    // Pages without a file have dashes instead of an address, and instead of some sizes.
    let is_dashed = |word: &str| word.len() >= 5 && word.bytes().all(|b| b == b'-');
    let control_area = if is_dashed(at) { None } else { Some(hex(at).filter(|_| at.len() >= 8)?) };
    let mut rest = rest;
    let mut sizes = Vec::new();
    while let Some((number, after)) = word(rest) {
        let kb = dec(number);
        if kb.is_none() && !is_dashed(number) {
            break;
        }
        sizes.push(kb.and_then(|kb| kb.checked_mul(1024)));
        rest = after;
    }
    if rest.is_empty() && sizes.len() == 5 {
        // A file name may be a number.
        sizes.pop();
        rest = line.split_whitespace().next_back().unwrap_or_default();
    }
    if sizes.len() < 4 || rest.is_empty() {
        return None;
    }
    let name = between(rest, "mapped_file(", ")").unwrap_or(rest).trim();
    let of = |index: usize| found(sizes.get(index).copied().flatten());
    // With four numbers, standby and dirty pages are one number.
    let six = sizes.len() >= 6;
    Some(MappedFile {
        control_area: found(control_area),
        name: if name.starts_with("No Name for File") {
            Err(Absent::NotApplicable)
        } else {
            text(name)
        },
        valid_bytes: of(0),
        standby_bytes: of(1),
        dirty_bytes: if six { of(2) } else { Err(Absent::NotApplicable) },
        shared_bytes: of(if six { 3 } else { 2 }),
        locked_bytes: of(if six { 4 } else { 3 }),
        page_table_bytes: if six { of(5) } else { Err(Absent::NotApplicable) },
        ..MappedFile::default()
    })
}

fn read_filecache(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut in_rows = false;
    for line in lines {
        if let Some(row) = mapped_file(line.trimmed()) {
            in_rows = true;
            sink.row(&line, row);
        } else if in_rows && !line.is_blank() {
            sink.unread(&line);
        }
    }
}

/// `01: fffff8052b238a40 nt!KiDebugTrapOrFault Stack = 0xFFFF9581FBBD2000`, with tabs between.
fn vector(line: &str) -> Option<InterruptVector> {
    let (vector, rest) = line.split_once(':')?;
    let vector = hex_int(vector.trim()).filter(|v| *v < 256)?;
    let (at, rest) = word(rest)?;
    let at = address(at)?;
    let symbol =
        rest.split(['\t', '(']).next().unwrap_or(rest).split("  ").next().unwrap_or(rest).trim();
    Some(InterruptVector {
        vector: Ok(vector),
        address: Ok(at),
        module: found(module_of(symbol).map(str::to_owned)),
        symbol: text(symbol),
        interrupt_object: found(
            after(rest, "KINTERRUPT").and_then(|at| hex(at.trim_end_matches(')'))),
        ),
        ..InterruptVector::default()
    })
}

/// Another routine of the shared vector above:
/// `dxgkrnl!DpiFdoLineInterruptRoutine (KINTERRUPT ffffd000209c9e00)`.
fn shared(line: &str, of: Option<&InterruptVector>) -> Option<InterruptVector> {
    let (symbol, object) = line.split_once(" (KINTERRUPT ")?;
    let above = of.filter(|_| symbol.contains('!') && !symbol.contains(' '))?;
    Some(InterruptVector {
        processor: above.processor,
        vector: above.vector,
        module: found(module_of(symbol).map(str::to_owned)),
        symbol: text(symbol),
        interrupt_object: found(hex(object.trim_end_matches(')'))),
        ..InterruptVector::default()
    })
}

fn read_idt(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut last: Option<InterruptVector> = None;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(mut row) = vector(trimmed) {
            row.processor = found(cx.number.filter(|_| cx.is_kernel));
            last = Some(row.clone());
            sink.row(&line, row);
        } else if let Some(row) = shared(trimmed, last.as_ref()) {
            sink.row(&line, row);
        } else if !(line.is_blank()
            || trimmed.starts_with("Dumping IDT")
            || trimmed.starts_with("/*"))
        {
            sink.unread(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_reports() {
        assert_eq!(
            named_object("FLT_FILTER: 94144008 \"luafv\" \"135000\"", "FLT_FILTER:"),
            Some((0x9414_4008, "luafv", "135000"))
        );
        let file =
            mapped_file("fe4228a8   152     44     0   116     0     0  mapped_file( MSVCRT.DLL )")
                .unwrap();
        assert_eq!((file.name.as_deref(), file.shared_bytes), (Ok("MSVCRT.DLL"), Ok(116 * 1024)));
        let cache = mapped_file("8177ae68   304    920     0     0  $LogFile").unwrap();
        assert_eq!(
            (cache.standby_bytes, cache.dirty_bytes),
            (Ok(920 * 1024), Err(Absent::NotApplicable))
        );
        let pte = pte_user(
            "ecbfdee8 f0ed0958 2 netbt!DispatchIoctls+0x56a/netbt!NbtDispatchDevCtrl+0xcd",
        )
        .unwrap();
        assert_eq!(
            (pte.pages, pte.callers_caller.as_deref()),
            (Ok(2), Ok("netbt!NbtDispatchDevCtrl+0xcd"))
        );
        assert_eq!(
            vector("01:\tfffff8052b238a40 nt!KiDebugTrapOrFault\tStack = 0xFFFF9581FBBD2000")
                .unwrap()
                .symbol
                .as_deref(),
            Ok("nt!KiDebugTrapOrFault")
        );
        assert_eq!(queued("MM   - PFN", 2, '3').unwrap().position, Ok(3));
    }
}
