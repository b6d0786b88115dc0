//! `!irp`: one IRP with its stack locations.

use super::irpfind::{minor_name, set_function};
use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, names};
use crate::model::{Irp, IrpLocation};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, between, found, hex, hex_int, pointer, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!irp",
    is_named: |name| name == "!irp",
    signatures: &[
        Signature { literal: "Irp is active with", check: is_start },
        Signature { literal: "Irp is completed.", check: is_start },
    ],
    contains: &[],
    fills: &[Fills::rows::<Irp>(), Fills::rows::<IrpLocation>()],
    read,
};

/// Upper limit on stack locations.
const MAX_LOCATIONS: usize = 256;

/// Whether a line starts the output for an IRP, with or without its address.
pub(super) fn is_start(line: &str) -> bool {
    let Some((before, rest)) = line.split_once("Irp is ") else { return false };
    // Text about the thread and the buffers may end in the same words.
    let before = before.trim().trim_end_matches(':');
    let is_alone = before.is_empty() || address(before).is_some();
    is_alone && (rest.starts_with("active with ") || rest.starts_with("completed"))
}

/// `Irp is active with 7 stacks 6 is current (= 0xfffffa800ab61e08)`.
fn head(line: &str, row: &mut Irp) {
    let before = line.split("Irp is").next().unwrap_or_default();
    if let Some(irp) = before.split(|c: char| c.is_whitespace() || c == ':').find_map(address) {
        row.irp = Ok(irp);
    }
    row.is_completed = Ok(line.contains("Irp is completed"));
    row.stack_count = found(number_before(line, " stack"));
    row.current_location = found(number_before(line, " is current"));
}

fn number_before(line: &str, label: &str) -> Option<i64> {
    line.split_once(label)?.0.split_whitespace().next_back()?.parse().ok()
}

/// `No Mdl: No System Buffer: Thread 00000000:  Irp stack trace.  Pending has been returned`.
fn facts(line: &str, row: &mut Irp) {
    let after = |label: &str| {
        let (before, rest) = line.split_once(label)?;
        if before.ends_with("No ") {
            return None;
        }
        hex(rest.trim_start_matches(['=', ' ']).split([' ', ':', ',', '\t']).next()?)
    };
    row.mdl = found(after("Mdl")).and_then(pointer);
    let buffer = after("System Buffer").or_else(|| after("System buffer"));
    row.system_buffer = found(buffer).and_then(pointer);
    row.ethread = found(after("Thread ")).and_then(pointer);
    if line.contains("Irp is completed") {
        row.is_completed = Ok(true);
    }
    row.is_cancelled = if line.contains("Cancel") { Ok(true) } else { row.is_cancelled };
}

/// The start of a stack location: `>[IRP_MJ_POWER(16), IRP_MN_SET_POWER(2)]`, before Windows 8
/// `>[ 16, 2]   0 e1 8145f470 …`.
fn codes(line: &str) -> Option<(bool, i64, i64, &str)> {
    let (is_current, rest) = match line.strip_prefix('>') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let inside = between(rest, "[", "]").filter(|_| rest.starts_with('['))?;
    let (major, minor) = inside.split_once(',')?;
    let rest = rest.get(rest.find(']')? + 1..)?;
    Some((is_current, code(major)?, code(minor)?, rest.trim()))
}

/// `IRP_MJ_POWER(16)`, `N/A(0)` or `16`.
fn code(text: &str) -> Option<i64> {
    let text = text.trim();
    between(text, "(", ")").map_or_else(|| hex_int(text), hex_int)
}

/// `0 e1 fffffa800783f060 00000000 fffff806d2412cf0-ffffd581a5cce050 Success Error Cancel pending`.
fn numbers(line: &str, row: &mut IrpLocation) -> Option<()> {
    let (flags, rest) = word(line)?;
    let (control, rest) = word(rest)?;
    let (device, rest) = word(rest)?;
    let (file, rest) = word(rest)?;
    let (completion, rest) = word(rest)?;
    row.flags = Ok(hex_int(flags)?);
    row.control = Ok(hex_int(control)?);
    row.device_object = pointer(hex(device)?);
    row.file_object = pointer(hex(file)?);
    let (routine, context) = completion.split_once('-')?;
    row.completion_routine = pointer(hex(routine)?);
    row.context = pointer(hex(context)?);
    let on: Vec<String> = rest
        .split_whitespace()
        .filter(|w| ["Success", "Error", "Cancel"].contains(w))
        .map(str::to_ascii_lowercase)
        .collect();
    row.completes_on = text(&on.join(" "));
    Some(())
}

/// `\Driver\E100B    ntoskrnl!PopCompleteSystemPowerIrp`; newer debuggers print the symbol in
/// parentheses.
fn driver(line: &str, row: &mut IrpLocation) {
    // If spaces were collapsed, the last word is a routine if it looks like one.
    let routine = || {
        let at = line.rfind(' ')?;
        let last = line.get(at + 1..)?;
        (last.contains('!') || (last.starts_with('(') && last.ends_with(')'))).then_some(at)
    };
    let (name, symbol) = match line.find("  ").or_else(|| line.find('\t')).or_else(routine) {
        Some(at) => line.split_at_checked(at).unwrap_or((line, "")),
        None => (line, ""),
    };
    row.driver = text(name);
    row.completion_symbol = text(symbol.trim().trim_matches(['(', ')']));
}

/// Reads the output for one IRP whose first line was taken.
pub(super) fn block(
    cx: &Context<'_>,
    irp: Option<u64>,
    first: &Line<'_>,
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
) {
    let mut row = Irp { irp: found(irp), ..Irp::default() };
    head(first.trimmed(), &mut row);
    if row.irp.is_err() {
        // If the argument is an expression, only the debugger knows its value.
        row.irp = found(cx.arguments().split_whitespace().next().and_then(hex)).and_then(pointer);
    }
    let mut locations: Vec<(u64, IrpLocation)> = Vec::new();
    while let Some(line) = lines.peek() {
        let trimmed = line.trimmed();
        if is_start(trimmed) || locations.len() > MAX_LOCATIONS {
            break;
        }
        if trimmed.contains("Irp stack trace")
            || (trimmed.contains("Irp is completed") && trimmed.contains("Thread "))
            || trimmed.starts_with("No Mdl")
            || trimmed.starts_with("Mdl=")
        {
            facts(trimmed, &mut row);
        } else if let Some((is_current, major, minor, rest)) = codes(trimmed) {
            let mut location = IrpLocation {
                irp: row.irp,
                index: i64::try_from(locations.len() + 1).map_err(|_| Absent::Unreadable),
                is_current: Ok(is_current),
                ..IrpLocation::default()
            };
            // The debugger marks an unused stack location; its code is not a function code.
            if !trimmed.contains("[N/A(") {
                (location.major, location.minor) = (Ok(major), Ok(minor));
                location.major_name = major_name(major);
                location.minor_name = minor_name(major, minor);
            }
            if !rest.is_empty() && numbers(rest, &mut location).is_none() {
                break;
            }
            if is_current && rest.ends_with("pending") {
                row.is_pending = Ok(true);
            }
            locations.push((line.number, location));
        } else if !body(trimmed, locations.last_mut().map(|(_, l)| l), &mut row) {
            break;
        }
        lines.next();
    }
    if let Some((_, current)) = locations.iter().find(|(_, l)| l.is_current == Ok(true)) {
        if let (Ok(major), Ok(minor)) = (current.major, current.minor) {
            set_function(&mut row, major, minor);
        }
        row.device_object = current.device_object;
        row.file_object = current.file_object;
        row.driver.clone_from(&current.driver);
    }
    sink.row(first, row);
    for (number, location) in locations {
        sink.row_at(number, location);
    }
}

fn major_name(major: i64) -> crate::catalog::Cell<String> {
    let name = u8::try_from(major).ok().and_then(names::irp_major);
    name.map(str::to_owned).ok_or(Absent::NotApplicable)
}

/// Takes a line of a stack location or of the IRP itself; `false` if it is neither.
fn body(line: &str, location: Option<&mut IrpLocation>, row: &mut Irp) -> bool {
    if line.is_empty() || line.starts_with("cmd ") || line.starts_with("Irp Extension") {
        return true;
    }
    if line.starts_with("Extra Create Information") {
        return true;
    }
    let Some(location) = location else {
        let fact = line.split_once(" = ");
        if let Some((name, value)) = fact {
            field(name.trim(), value.trim(), row);
        }
        return fact.is_some() || line.starts_with("Flags =");
    };
    if let Some(all) = line.strip_prefix("Args:") {
        let mut values = all.split_whitespace().map(hex);
        for field in
            [&mut location.arg1, &mut location.arg2, &mut location.arg3, &mut location.arg4]
        {
            *field = found(values.next().flatten());
        }
        return true;
    }
    if line.starts_with('\\') {
        driver(line, location);
        return true;
    }
    if numbers(line, location).is_some() {
        if line.ends_with("pending") && location.is_current == Ok(true) {
            row.is_pending = Ok(true);
        }
        return true;
    }
    // A completion routine without a driver.
    let is_symbol = line.contains('!') && !line.contains(' ');
    if is_symbol {
        location.completion_symbol = text(line);
    }
    is_symbol
}

/// A field of the IRP, as `!irp` with detail 1 prints it: `IoStatus.Status = c00000bb`.
fn field(name: &str, value: &str, row: &mut Irp) {
    let (first, rest) = word(value).unwrap_or((value, ""));
    let (number, at) = (hex_int(first), hex(first).map(pointer));
    match name {
        "Flags" => row.flags = found(number),
        "IoStatus.Status" => row.status = found(number),
        "IoStatus.Information" => row.information = found(hex(first)),
        "Cancel" => row.is_cancelled = found(number).map(|number| number != 0),
        "UserEvent" => row.user_event = at.unwrap_or(Err(Absent::NotApplicable)),
        "CancelRoutine" => {
            row.cancel_routine = at.unwrap_or(Err(Absent::NotApplicable));
            row.cancel_symbol = text(rest.trim_matches(['(', ')']));
        }
        _ => {}
    }
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while let Some(line) = lines.next() {
        if is_start(line.trimmed()) {
            block(cx, None, &line, lines, sink);
        } else if !line.is_blank() {
            sink.unread(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_locations_of_both_versions() {
        assert_eq!(codes(">[IRP_MJ_POWER(16), IRP_MN_SET_POWER(2)]"), Some((true, 0x16, 2, "")));
        let (is_current, major, minor, rest) =
            codes(" [  0, 0]   0  0 8145f470 00000000 00000000-00000000".trim()).unwrap();
        assert_eq!((is_current, major, minor), (false, 0, 0));
        let mut row = IrpLocation::default();
        numbers(rest, &mut row).unwrap();
        assert_eq!(
            (row.device_object, row.completion_routine),
            (Ok(0x8145_f470), Err(Absent::NotApplicable))
        );
        numbers("0 e1 ffffd581a5fbd050 00000000 fffff806d2412cf0-ffffd581a5cce050 Success Error Cancel pending", &mut row).unwrap();
        assert_eq!(
            (row.control, row.completes_on.as_deref()),
            (Ok(0xe1), Ok("success error cancel"))
        );
        driver("\\Driver\\usbehci        (IopUnloadSafeCompletion)", &mut row);
        assert_eq!(
            (row.driver.as_deref(), row.completion_symbol.as_deref()),
            (Ok("\\Driver\\usbehci"), Ok("IopUnloadSafeCompletion"))
        );
    }

    #[test]
    fn heads() {
        let mut row = Irp::default();
        head("Irp is active with 7 stacks 6 is current (= 0xfffffa800ab61e08)", &mut row);
        assert_eq!(
            (row.stack_count, row.current_location, row.is_completed),
            (Ok(7), Ok(6), Ok(false))
        );
        head("fffffa8019753390: Irp is active with 1 stack 1 is current", &mut row);
        assert_eq!(row.irp, Ok(0xffff_fa80_1975_3390));
        facts("No Mdl: System buffer=0: Thread fffffa801a9f9b50:  Irp stack trace.", &mut row);
        assert_eq!((row.mdl, row.ethread), (Err(Absent::NotApplicable), Ok(0xffff_fa80_1a9f_9b50)));
    }
}
