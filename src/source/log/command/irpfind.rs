//! `!irpfind`: the IRPs in the pool.

use super::{Context, Fills, Reader, Signature, irp};
use crate::catalog::{Absent, Cell, names};
use crate::model::{Irp, IrpLocation};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, between, found, hex, hex_int, pointer, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!irpfind",
    is_named: |name| name == "!irpfind",
    signatures: &[
        Signature {
            literal: "irpStack:",
            check: |line| line.contains("(Mj,Mn)") || row(line).is_some(),
        },
        Signature { literal: "Irp is complete (", check: |line| row(line).is_some() },
        Signature { literal: "current stack belongs to", check: |line| row(line).is_some() },
    ],
    contains: &["!irp"],
    fills: &[Fills::rows::<Irp>(), Fills::rows::<IrpLocation>()],
    read,
};

/// A row in the format of any Windows version.
fn row(line: &str) -> Option<Irp> {
    let (first, rest) = word(line)?;
    let irp = address(first.trim_start_matches('*'))?;
    let mut row = Irp { irp: Ok(irp), ..Irp::default() };
    if let Some(rest) = rest.strip_prefix("Thread ") {
        // Windows 2000.
        let (thread, rest) = word(rest)?;
        row.ethread = pointer(hex(thread)?);
        row.is_completed = Ok(!rest.contains("current stack belongs to"));
        let driver = rest.split_once("belongs to").map_or("", |(_, driver)| driver);
        row.driver = text(driver);
        return (row.driver.is_ok() || rest.contains("omplete")).then_some(row);
    }
    let thread = between(rest, "[", "]").filter(|_| rest.starts_with('['))?;
    row.ethread = pointer(hex(thread.trim())?);
    let rest = rest.get(rest.find(']')? + 1..)?.trim_start();
    if rest.starts_with("Irp is complete") {
        complete(&mut row, rest)?;
        return Some(row);
    }
    let rest = rest.strip_prefix("irpStack:")?.trim_start();
    let codes = between(rest, "(", ")").filter(|_| rest.starts_with('('))?;
    let (major, minor) = codes.split_once(',')?;
    set_function(&mut row, hex_int(major.trim())?, hex_int(minor.trim())?);
    row.is_completed = Ok(false);
    let rest = rest.get(rest.find(')')? + 1..)?;
    let (device, rest) = word(rest)?;
    row.device_object = pointer(hex(device)?);
    // A line end may cut off the name of the driver.
    let inside = rest.trim_start().strip_prefix('[').unwrap_or_default();
    let (driver, rest) = inside.split_once(']').unwrap_or((inside, ""));
    // The debugger marks a device that it could not read.
    row.driver =
        if driver.contains("Could not read") { Err(Absent::Unreadable) } else { text(driver) };
    row.mdl_process = found(rest.split_whitespace().next().and_then(hex)).and_then(pointer);
    Some(row)
}

/// `Irp is complete (CurrentLocation 3 > StackCount 2) 0xfffff80000000003`.
fn complete(row: &mut Irp, rest: &str) -> Option<()> {
    let inside = between(rest, "(", ")")?;
    let number = |label: &str| {
        let after = inside.split_once(label)?.1;
        after.split_whitespace().next()?.parse().ok()
    };
    row.current_location = found(number("CurrentLocation "));
    row.stack_count = found(number("StackCount "));
    row.is_completed = Ok(true);
    let rest = rest.get(rest.find(')')? + 1..)?;
    row.mdl_process = found(rest.split_whitespace().next().and_then(hex)).and_then(pointer);
    Some(())
}

/// Sets the major and minor function code and their names.
pub(super) fn set_function(row: &mut Irp, major: i64, minor: i64) {
    row.major = Ok(major);
    row.minor = Ok(minor);
    row.major_name = u8::try_from(major)
        .ok()
        .and_then(names::irp_major)
        .map(str::to_owned)
        .ok_or(Absent::NotApplicable);
    row.minor_name = minor_name(major, minor);
}

/// The name of a minor function code.
pub(super) fn minor_name(major: i64, minor: i64) -> Cell<String> {
    let codes = u8::try_from(major).ok().zip(u8::try_from(minor).ok());
    let name = codes.and_then(|(major, minor)| names::irp_minor(major, minor));
    name.map(str::to_owned).ok_or(Absent::NotApplicable)
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while let Some(line) = lines.next() {
        if let Some(mut row) = row(line.trimmed()) {
            row.found_in = Ok("pool".to_owned());
            if !line.text.contains(']')
                || line.text.matches('[').count() > line.text.matches(']').count()
            {
                // The row continues at the bracket.
                lines.next_if(|next| next.trimmed().starts_with(']'));
            }
            sink.row(&line, row);
        } else if irp::is_start(line.trimmed()) {
            irp::block(cx, None, &line, lines, sink);
        } else if !is_known(&line) {
            sink.unread(&line);
        }
    }
}

fn is_known(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text.contains("(Mj,Mn)")
        || [
            "Searching ",
            "Scanning ",
            "Looking for IRPs ",
            "*** CacheSize",
            "counts:",
            "bytes :",
            "...terminating",
            "Unable to get",
        ]
        .iter()
        .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_version() {
        let old =
            row("8097c008 Thread 8094d900 current stack belongs to  \\Driver\\symc810").unwrap();
        assert_eq!(
            (old.ethread, old.driver.as_deref()),
            (Ok(0x8094_d900), Ok("\\Driver\\symc810"))
        );
        let new = row("fffffa8019753390 [fffffa801a9f9b50] irpStack: ( 3, 0)  fffffa801a9c9980 [ \\Driver\\mouclass]").unwrap();
        assert_eq!(
            (new.major, new.major_name.as_deref(), new.driver.as_deref()),
            (Ok(3), Ok("IRP_MJ_READ"), Ok("\\Driver\\mouclass"))
        );
        assert_eq!(new.mdl_process, Err(Absent::NotApplicable));
        let done = row("fffffa801922d430 [0000000000000000] Irp is complete (CurrentLocation 3 > StackCount 2) 0xfffff80000000003").unwrap();
        assert_eq!(
            (done.is_completed, done.current_location, done.ethread),
            (Ok(true), Ok(3), Err(Absent::NotApplicable))
        );
        let process =
            row("8bd5c548 [91deeb80] irpStack: ( e,20)  8bcb2ca0 [ \\Driver\\AFD] 0x91da5c40")
                .unwrap();
        assert_eq!((process.minor, process.mdl_process), (Ok(0x20), Ok(0x91da_5c40)));
        assert!(row("  Irp            [ Thread ]         irpStack: (Mj,Mn)").is_none());
    }
}
