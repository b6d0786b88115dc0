//! Checks and counters of the system: `!poolval`, `!blockeddrv`, `!defwrites` and `!errrec`.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{BlockedDriver, ErrorFact, PoolFault, VmCounter};
use crate::source::log::line::Lines;
use crate::source::log::scan::{after, between, dec, found, hex, number, text, word};
use crate::source::log::sink::Sink;

/// The reader of `!poolval`.
pub(super) static POOLVAL: Reader = Reader {
    name: "!poolval",
    is_named: |name| name == "!poolval",
    signatures: &[Signature { literal: "Validating Pool headers for", check: |_| true }],
    contains: &["!pool"],
    fills: &[Fills::rows::<PoolFault>()],
    read: read_poolval,
};

/// The reader of `!blockeddrv`.
pub(super) static BLOCKED: Reader = Reader {
    name: "!blockeddrv",
    is_named: |name| name == "!blockeddrv",
    signatures: &[Signature {
        literal: "Status",
        check: |line| line.split_whitespace().eq(["Driver:", "Status", "GUID"]),
    }],
    contains: &[],
    fills: &[Fills::rows::<BlockedDriver>()],
    read: read_blocked,
};

/// The reader of `!defwrites`.
pub(super) static DEFWRITES: Reader = Reader {
    name: "!defwrites",
    is_named: |name| name == "!defwrites",
    signatures: &[Signature { literal: "Cache Write Throttle Analysis", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<VmCounter>()],
    read: read_defwrites,
};

/// The reader of `!errrec`.
pub(super) static ERRREC: Reader = Reader {
    name: "!errrec",
    is_named: |name| name == "!errrec",
    signatures: &[Signature { literal: "Common Platform Error Record @", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<ErrorFact>()],
    read: read_errrec,
};

/// `[ ffffbd06d46e0000 ]: invalid previous size [ 0x41 ] should be [ 0x0 ]`.
fn header_fault(line: &str) -> Option<PoolFault> {
    let rest = line.strip_prefix('[')?;
    let (at, rest) = rest.split_once(']')?;
    let at = hex(at.trim())?;
    let what = rest.strip_prefix(':')?.trim();
    let (before, expected) = what.split_once(" should be ").unwrap_or((what, ""));
    let fault = before.split('[').next().unwrap_or(before);
    Some(PoolFault {
        address: Ok(at),
        fault: text(fault),
        found: found(between(before, "[", "]").and_then(|n| number(n.trim()))),
        expected: found(between(expected, "[", "]").and_then(|n| number(n.trim()))),
        ..PoolFault::default()
    })
}

fn read_poolval(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut page: Cell<u64> = Err(Absent::NotApplicable);
    let mut pool: Cell<String> = Err(Absent::NotApplicable);
    for line in lines {
        let trimmed = line.trimmed();
        if let Some((start, region)) = trimmed.split_once(" region is ") {
            page = found(after(start, "Pool page").and_then(hex));
            pool = match region.trim().trim_end_matches(" pool") {
                "Unknown" => Err(Absent::NotApplicable),
                region => text(&region.to_ascii_lowercase()),
            };
        } else if let Some(rest) = trimmed.strip_prefix("Validating Pool headers for pool page:") {
            page = found(word(rest).and_then(|(at, _)| hex(at)));
        } else if let Some(rest) = trimmed.strip_prefix("Pool page [") {
            // One row for the result, and one for each invalid header.
            let verdict = rest.split_once("] is ").map(|(_, verdict)| verdict);
            let row = PoolFault {
                page,
                pool_type: pool.clone(),
                fault: found(verdict.map(|v| v.trim_end_matches('.').to_ascii_lowercase())),
                ..PoolFault::default()
            };
            sink.row(&line, row);
        } else if let Some(row) = header_fault(trimmed) {
            sink.row(&line, PoolFault { page, pool_type: pool.clone(), ..row });
        } else if !(line.is_blank()
            || trimmed.starts_with("Analyzing linked list")
            || trimmed.starts_with("Scanning for single bit errors")
            || trimmed.starts_with("None found"))
        {
            sink.unread(&line);
        }
    }
}

/// `afd.sys      0:        {00000008-0206-0001-0000-000030C964E1}`.
fn blocked(line: &str) -> Option<BlockedDriver> {
    let (before, guid) = line.split_once('{')?;
    let (name, status) = before.trim_end().rsplit_once(char::is_whitespace)?;
    let guid = guid.split('}').next()?;
    Some(BlockedDriver {
        name: text(name),
        status: found(dec(status.trim_end_matches(':'))),
        guid: text(&guid.to_ascii_lowercase()),
        ..BlockedDriver::default()
    })
}

fn read_blocked(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(row) = blocked(trimmed) {
            sink.row(&line, row);
        } else if !(line.is_blank() || trimmed.starts_with("Driver:")) {
            sink.unread(&line);
        }
    }
}

/// `CcDirtyPageThreshold:             1538 (    6152 Kb)`.
fn throttle(line: &str) -> Option<VmCounter> {
    let (name, rest) = line.split_once(':')?;
    let (pages, rest) = word(rest)?;
    let kb = word(rest.strip_prefix('(')?)?.0;
    Some(VmCounter {
        name: text(name),
        pages: Ok(dec(pages)?),
        bytes: found(dec(kb).and_then(|kb| kb.checked_mul(1024))),
        ..VmCounter::default()
    })
}

fn read_defwrites(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(row) = throttle(trimmed) {
            sink.row(&line, row);
        } else if trimmed.starts_with("Write throttles") || trimmed.contains("throttle") {
            // The result is a separate counter: whether writes are throttled.
            let row = VmCounter {
                name: Ok("Write throttles".to_owned()),
                warning: text(trimmed.trim_start_matches('*')),
                ..VmCounter::default()
            };
            sink.row(&line, row);
        } else if !(line.is_blank()
            || trimmed.contains("Cache Write Throttle Analysis")
            || trimmed.starts_with("Check these thread")
            || trimmed.starts_with("Check critical workqueue"))
        {
            sink.unread(&line);
        }
    }
}

/// `Severity      : Fatal (1)` or `Section       @ fffffa8007cf4188`: a name and its value.
fn error_fact(line: &str) -> Option<(&str, &str)> {
    let at = line.find(" : ").or_else(|| line.find(" @ "))?;
    let (name, rest) = line.split_at_checked(at)?;
    let name = name.trim();
    let value = rest.get(3..)?.trim();
    let is_name = !name.is_empty() && name.len() <= 32;
    (is_name && !value.is_empty()).then_some((name, value))
}

fn read_errrec(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut record: Cell<u64> = Err(Absent::NotApplicable);
    let mut section: Cell<i64> = Err(Absent::NotApplicable);
    let mut title: Cell<String> = Err(Absent::NotApplicable);
    for line in lines {
        let trimmed = line.trimmed().trim_start_matches(['#', ' ']);
        if let Some(at) = trimmed.strip_prefix("Common Platform Error Record @") {
            record = found(word(at).and_then(|(at, _)| hex(at)));
            (section, title) = (Err(Absent::NotApplicable), Err(Absent::NotApplicable));
        } else if let Some((n, name)) = trimmed
            .strip_prefix("Section ")
            .and_then(|rest| rest.split_once(':'))
            .and_then(|(n, name)| Some((dec(n.trim())?, name)))
        {
            (section, title) = (Ok(n), text(name));
        } else if let Some((name, value)) = error_fact(trimmed) {
            let row = ErrorFact {
                record,
                section,
                section_name: title.clone(),
                name: text(name),
                value: text(value),
                ..ErrorFact::default()
            };
            sink.row(&line, row);
        } else if let Some(fault) = trimmed.strip_prefix("Processor Error:") {
            let row = ErrorFact {
                record,
                section,
                section_name: title.clone(),
                name: Ok("Processor Error".to_owned()),
                value: text(fault),
                ..ErrorFact::default()
            };
            sink.row(&line, row);
        } else {
            // Rules, and sentences that explain the error.
            let is_rule = trimmed.chars().all(|c| matches!(c, '=' | '-' | ' ' | '~'));
            let is_prose = !trimmed.contains(':') && trimmed.contains(' ');
            if !(line.is_blank() || is_rule || is_prose) {
                sink.unread(&line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_headers() {
        let row =
            header_fault("[ ffffbd06d46e0000 ]: invalid previous size [ 0x41 ] should be [ 0x0 ]")
                .unwrap();
        assert_eq!(
            (row.address, row.fault.as_deref(), row.found, row.expected),
            (Ok(0xffff_bd06_d46e_0000), Ok("invalid previous size"), Ok(0x41), Ok(0))
        );
        assert!(header_fault("Pool page [ 1 ] is INVALID.").is_none());
    }

    #[test]
    fn blocked_drivers_and_throttles() {
        let row = blocked("Beep.SYS     0:        {0000005C-B04A-E12E-5600-000020885580}").unwrap();
        assert_eq!((row.name.as_deref(), row.status), (Ok("Beep.SYS"), Ok(0)));
        let row = throttle("MmAvailablePages:                 2598 (   10392 Kb)").unwrap();
        assert_eq!((row.pages, row.bytes), (Ok(2598), Ok(10392 * 1024)));
        assert!(blocked("Driver:      Status    GUID").is_none());
    }

    #[test]
    fn facts_of_error_records() {
        assert_eq!(error_fact("Severity      : Fatal (1)"), Some(("Severity", "Fatal (1)")));
        assert_eq!(error_fact("Section       @ fffffa80"), Some(("Section", "fffffa80")));
        assert_eq!(error_fact("No valid data fields are present."), None);
    }
}
