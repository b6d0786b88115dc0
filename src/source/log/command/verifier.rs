//! `!verifier`: the settings of Driver Verifier, its counters, and its stack traces.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{PoolBlock, VerifierFact, VerifierFrame};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, between, found, hex, hex_int, number, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!verifier",
    is_named: |name| name == "!verifier",
    signatures: &[
        Signature { literal: "Verify Flags Level", check: |_| true },
        Signature { literal: "Verify Level ", check: |_| true },
        Signature { literal: "forced pending from stack trace", check: |_| true },
    ],
    contains: &[],
    fills: &[
        Fills::rows::<VerifierFact>(),
        Fills::rows::<VerifierFrame>(),
        Fills::rows::<PoolBlock>(),
    ],
    read: read_verifier,
};

/// `[X] (0x00000001) Special pool`.
fn setting(line: &str) -> Option<VerifierFact> {
    let (is_enabled, rest) = if let Some(rest) = line.strip_prefix("[X]") {
        (true, rest)
    } else {
        (false, line.strip_prefix("[ ]")?)
    };
    let flag = between(rest, "(", ")").and_then(number)?;
    let name = rest.split_once(')')?.1;
    Some(VerifierFact {
        name: text(name),
        flag: Ok(flag),
        is_enabled: Ok(is_enabled),
        ..VerifierFact::default()
    })
}

/// `Pool Allocations Attempted             0x2db1a`.
fn statistic(line: &str) -> Option<VerifierFact> {
    let (name, value) = line.rsplit_once(char::is_whitespace)?;
    let value = number(value).filter(|_| value.starts_with("0x"))?;
    let name = name.trim().trim_end_matches(':');
    (!name.is_empty()).then(|| VerifierFact {
        name: text(name),
        value: Ok(value),
        ..VerifierFact::default()
    })
}

/// `Peak nonpaged pool allocations         0x13 for 0004A4A0 bytes`: a count, and a size in bytes.
fn sizes(line: &str) -> Option<[VerifierFact; 2]> {
    let (before, bytes) = line.strip_suffix(" bytes")?.split_once(" for ")?;
    let count = statistic(before)?;
    let name = count.name.as_ref().map(|name| format!("{name}, bytes")).map_err(|e| *e);
    let bytes = VerifierFact { name, value: Ok(hex_int(bytes.trim())?), ..VerifierFact::default() };
    Some([count, bytes])
}

/// `Current Pool Bytes:       ( 0x00001058 / 0x00000000 )`: nonpaged and paged pool.
fn pair(line: &str) -> Option<[VerifierFact; 2]> {
    let (name, values) = line.split_once(':')?;
    let (nonpaged, paged) = between(values, "(", ")")?.split_once('/')?;
    let of = |pool: &str, value: &str| {
        Some(VerifierFact {
            name: Ok(format!("{}, {pool}", name.trim())),
            value: Ok(number(value.trim())?),
            ..VerifierFact::default()
        })
    };
    Some([of("nonpaged", nonpaged)?, of("paged", paged)?])
}

/// `Peak Pool Bytes           00000b40    000001a0`: the same on Windows XP.
fn old_pair(line: &str) -> Option<[VerifierFact; 2]> {
    let (before, paged) = line.rsplit_once(char::is_whitespace)?;
    let (name, nonpaged) = before.trim_end().rsplit_once(char::is_whitespace)?;
    let name = name.trim();
    if !(name.starts_with("Current Pool ") || name.starts_with("Peak Pool ")) {
        return None;
    }
    let of = |pool: &str, value: &str| {
        Some(VerifierFact {
            name: Ok(format!("{name}, {pool}")),
            value: Ok(i64::try_from(address(value)?).ok()?),
            ..VerifierFact::default()
        })
    };
    Some([of("nonpaged", nonpaged)?, of("paged", paged)?])
}

/// `8459cd88 Loaded           000000a0       00000854    mydriver.sys`: the pool usage of a driver,
/// on Windows XP.
fn old_driver(line: &str) -> Option<(&str, [VerifierFact; 2])> {
    let mut words = line.split_whitespace();
    address(words.next()?)?;
    words.next().filter(|state| matches!(*state, "Loaded" | "Unloaded"))?;
    let (nonpaged, paged) = (address(words.next()?)?, address(words.next()?)?);
    let module = words.next()?;
    let of = |name: &str, value: u64| {
        Some(VerifierFact {
            section: text(module),
            name: text(name),
            value: Ok(i64::try_from(value).ok()?),
            ..VerifierFact::default()
        })
    };
    Some((module, [of("NonPagedPool", nonpaged)?, of("PagedPool", paged)?]))
}

/// `0x982a8fe0  0x00000020  VMdl  0x9a3bf6ac  MyDriver!DeviceControlDispatch`: a pool block of a
/// verified driver. The tag may contain spaces; the caller follows it.
fn driver_block(line: &str) -> Option<PoolBlock> {
    let (at, rest) = word(line.strip_prefix("0x")?)?;
    let (length, rest) = word(rest)?;
    let size = length.strip_prefix("0x").and_then(hex_int)?;
    let (tag, caller) = rest.split_once(" 0x")?;
    let tag = tag.trim();
    address(word(caller)?.0)?;
    (!tag.is_empty() && tag.chars().count() <= 4).then_some(())?;
    Some(PoolBlock {
        address: Ok(address(at)?),
        size_bytes: Ok(size),
        tag: text(tag),
        state: Ok("allocated".to_owned()),
        ..PoolBlock::default()
    })
}

/// A frame of a stack trace of Driver Verifier: `817b21e4 nt!IovpLocalCompletionRoutine+0xb2`.
fn frame(line: &str) -> Option<(u64, &str)> {
    let (at, symbol) = word(line)?;
    let at = address(at)?;
    (symbol.contains(['!', '+']) && !symbol.trim().contains("  ")).then_some((at, symbol.trim()))
}

fn read_verifier(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut section: Cell<String> = Err(Absent::NotApplicable);
    let mut object: Cell<u64> = Err(Absent::NotApplicable);
    let mut position = 0;
    let mut in_options = false;
    for line in lines {
        let trimmed = line.trimmed();
        in_options &= !line.is_blank();
        if in_options {
            // Windows XP and earlier list only the names of the enabled options.
            let row = VerifierFact {
                section: Ok("enabled options".to_owned()),
                name: text(trimmed),
                is_enabled: Ok(true),
                ..VerifierFact::default()
            };
            sink.row(&line, row);
            continue;
        }
        in_options = trimmed.contains("enabled options are");
        if let Some(mut row) = setting(trimmed).or_else(|| statistic(trimmed)) {
            row.section.clone_from(&section);
            sink.row(&line, row);
        } else if let Some((module, rows)) = old_driver(trimmed) {
            section = text(module);
            for row in rows {
                sink.row(&line, row);
            }
        } else if let Some(row) = driver_block(trimmed) {
            sink.row(&line, row);
        } else if let Some(rows) =
            sizes(trimmed).or_else(|| pair(trimmed)).or_else(|| old_pair(trimmed))
        {
            for mut row in rows {
                row.section.clone_from(&section);
                sink.row(&line, row);
            }
        } else if let Some(rest) = trimmed.strip_prefix("IRP:") {
            object = found(word(rest).and_then(|(at, _)| hex(at)));
            position = 0;
        } else if let Some((at, symbol)) = frame(trimmed) {
            let row = VerifierFrame {
                object,
                frame: Ok(position),
                address: Ok(at),
                symbol: text(symbol),
                ..VerifierFrame::default()
            };
            position += 1;
            sink.row(&line, row);
        } else if let Some(module) = trimmed.strip_prefix("MODULE:") {
            // The lines that follow are about that driver.
            section = found(word(module).map(|(_, name)| name.split(" (").next().unwrap_or(name)))
                .and_then(text);
        } else if trimmed.starts_with("Thread:") {
            // The next entry of a log of stack traces.
            position = 0;
        } else if is_heading(trimmed)
            || trimmed.starts_with("Summary of")
            || trimmed.starts_with("Driver Verification")
        {
            let heading = trimmed.trim_end_matches(':');
            section = text(heading.split(" (").next().unwrap_or(heading));
        } else if !is_of_verifier(&line) {
            sink.unread(&line);
        }
    }
}

/// `RESERVED FLAGS (use of these flags is unsupported):`.
fn is_heading(text: &str) -> bool {
    let Some(head) = text.strip_suffix(':') else { return false };
    let name = head.split(" (").next().unwrap_or(head);
    let is_capital = |c: char| c.is_ascii_uppercase() || matches!(c, ' ' | '/' | '-' | '_');
    name.ends_with("FLAGS") && name.chars().all(is_capital)
}

fn is_of_verifier(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text.starts_with("Verify ")
        || text.starts_with("[X] Indicates")
        || text.starts_with("Size of the log")
        || text.starts_with("# Size")
        || text.starts_with("## ")
        || text.starts_with("Pool Allocation")
        || text.starts_with("Address     Length")
        || text.starts_with("Address Length")
        || text.starts_with("Entry ")
        || text.starts_with("PoolAddress")
        || text.chars().all(|c| matches!(c, '=' | '-' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_numbers() {
        let row = setting("[X] (0x00000001) Special pool").unwrap();
        assert_eq!((row.name.as_deref(), row.is_enabled), (Ok("Special pool"), Ok(true)));
        let row = statistic("Pool Allocations Attempted             0x2db1a").unwrap();
        assert_eq!(row.value, Ok(0x2db1a));
        let [nonpaged, paged] = pair("Peak Pool Bytes:  ( 0x0004A4A0 / 0x00000000 )").unwrap();
        assert_eq!((nonpaged.value, paged.value), (Ok(0x4a4a0), Ok(0)));
        assert_eq!(paged.name.as_deref(), Ok("Peak Pool Bytes, paged"));
        let [nonpaged, paged] = old_pair("Peak Pool Bytes     00000b40    000001a0").unwrap();
        assert_eq!((nonpaged.value, paged.value), (Ok(0xb40), Ok(0x1a0)));
    }

    #[test]
    fn drivers_and_their_blocks() {
        let row =
            driver_block("0x8645a000  0x00001008  a b   0x9a3bf687  MyDriver!Dispatch").unwrap();
        assert_eq!((row.size_bytes, row.tag.as_deref()), (Ok(0x1008), Ok("a b")));
        assert!(driver_block("----------  ----------  ----  ----------").is_none());
        let (module, [row, _]) =
            old_driver("8459cd88 Loaded  0000023a  00000000  netbt.sys").unwrap();
        assert_eq!((module, row.value), ("netbt.sys", Ok(0x23a)));
    }
}
