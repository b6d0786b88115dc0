//! `!thread`, and threads in the output of other commands (`!process`, `!ready`, `!exqueue`,
//! `!locks -v`), whose readers call this module.

use super::stack::{self, Owner};
use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Irp, Thread, WaitObject};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{
    address, after, between, cid, dec, duration_ms, found, hex, hex_int, pointer, rest_after, text,
    word,
};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!thread",
    is_named: |name| name == "!thread",
    signatures: &[Signature { literal: "THREAD ", check: is_start }],
    contains: &["k"],
    fills: &[
        Fills::rows::<Thread>(),
        Fills::rows::<WaitObject>(),
        Fills::rows::<Irp>(),
        Fills::rows::<Frame>(),
    ],
    read,
};

/// Whether a line starts a thread.
pub(super) fn is_start(line: &str) -> bool {
    head(line.trim_start()).is_some()
}

/// The state as `_KTHREAD_STATE` names it, for the word that a command prints.
pub(super) fn state(word: &str) -> Option<&'static str> {
    Some(match word.trim_end_matches(':').to_ascii_uppercase().as_str() {
        "WAIT" | "BLOCKED" => "Waiting",
        "READY" => "Ready",
        "RUNNING" => "Running",
        "STANDBY" => "Standby",
        "TERMINATED" => "Terminated",
        "INITIALIZED" => "Initialized",
        "TRANSITION" => "Transition",
        "DEFERREDREADY" => "DeferredReady",
        "GATEWAIT" => "GateWait",
        _ => return None,
    })
}

/// `THREAD 8713a5a0  Cid 4ef4.4f04  Teb: 7ffdd000 Win32Thread: bc423920 RUNNING on processor 1`.
fn head(line: &str) -> Option<Thread> {
    let rest = line.strip_prefix("THREAD ")?;
    let (ethread, rest) = word(rest)?;
    let ethread = address(ethread)?;
    let (pid, tid) = cid(after(rest, "Cid ").or_else(|| after(rest, "Cid:"))?)?;
    let mut row = Thread {
        ethread: Ok(ethread),
        pid: Ok(pid),
        tid: Ok(tid),
        teb: found(after(rest, "Teb:").and_then(hex)).and_then(pointer),
        win32_thread: found(after(rest, "Win32Thread:").and_then(hex)).and_then(pointer),
        ..Thread::default()
    };
    scheduling(rest, &mut row);
    Some(row)
}

/// The state, and the reason, mode and processor: `WAIT: (Executive) KernelMode Non-Alertable`.
fn scheduling(rest: &str, row: &mut Thread) {
    let Some(at) = rest.split_whitespace().find_map(|w| Some((w, state(w)?))) else { return };
    let (printed, name) = at;
    row.state = Ok(name.to_owned());
    let Some(rest) = rest_after(rest, printed) else { return };
    row.wait_reason =
        found(between(rest, "(", ")").filter(|_| rest.starts_with('(')).map(str::to_owned));
    for mode in ["KernelMode", "UserMode"] {
        if rest.contains(mode) {
            row.wait_mode = Ok(mode.to_owned());
        }
    }
    if rest.contains("Alertable") {
        row.is_alertable = Ok(!rest.contains("Non-Alertable"));
    }
    if let Some(count) = after(rest, "SuspendCount") {
        row.suspend_count = found(dec(count));
    }
    row.processor = found(rest_after(rest, "on processor ").and_then(|n| dec(word(n)?.0)));
}

/// Dispatcher objects, as debuggers name them.
fn wait_type(word: &str) -> bool {
    let ends = [
        "Event",
        "Timer",
        "Object",
        "Semaphore",
        "Mutant",
        "Thread",
        "Queue",
        "Gate",
        "Unknown",
        "Process",
        "Limit",
    ];
    ends.iter().any(|end| word.ends_with(end)) && word.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// `850a5f88  NotificationEvent`, `… Mutant - owning thread 8713a5a0`.
fn wait_object(line: &str, thread: &Thread, index: usize) -> Option<WaitObject> {
    let (object, rest) = word(line)?;
    let object = address(object)?;
    let (kind, rest) = word(rest)?;
    if !wait_type(kind) {
        return None;
    }
    let owner = rest.split_once("owning thread ").and_then(|(_, owner)| hex(word(owner)?.0));
    Some(WaitObject {
        ethread: thread.ethread,
        tid: thread.tid,
        pid: thread.pid,
        process: thread.process.clone(),
        index: i64::try_from(index).map_err(|_| Absent::Unreadable),
        object: Ok(object),
        kind: Ok(kind.to_owned()),
        owner_ethread: found(owner),
        ..WaitObject::default()
    })
}

/// `86869200: (0006,0094) Flags: 00000900  Mdl: 00000000`; the pair is type and size of the object.
fn irp(line: &str, thread: &Thread) -> Option<Irp> {
    let (irp, rest) = line.split_once(':')?;
    let irp = address(irp.trim())?;
    if !rest.trim_start().starts_with('(') || !rest.contains("Flags:") {
        return None;
    }
    Some(Irp {
        irp: Ok(irp),
        found_in: Ok("thread".to_owned()),
        ethread: thread.ethread,
        tid: thread.tid,
        pid: thread.pid,
        process: thread.process.clone(),
        flags: found(after(rest, "Flags:").and_then(hex_int)),
        mdl: found(after(rest, "Mdl:").and_then(hex)).and_then(pointer),
        ..Irp::default()
    })
}

/// `kernel32!BaseThreadStartThunk (0x77e617ec)` or `0x75ec1c3f` as address and symbol.
fn start(value: &str) -> (Cell<u64>, Cell<String>) {
    match value.rsplit_once(" (") {
        Some((symbol, at)) => (found(hex(at.trim_end_matches(')'))), text(symbol)),
        None => (found(word(value).and_then(|(at, _)| hex(at))), Err(Absent::NotApplicable)),
    }
}

/// Takes a line below the head; `false` if it is not recognised.
fn detail(line: &str, row: &mut Thread) -> bool {
    let value = |label: &str| line.strip_prefix(label).map(str::trim);
    let number = |label: &str| found(after(line, label).and_then(dec));
    if line.starts_with("Not impersonating") {
        row.is_impersonating = Ok(false);
    } else if line.starts_with("Impersonation token") {
        row.is_impersonating = Ok(true);
    } else if let Some(count) = value("SuspendCount") {
        row.suspend_count = found(word(count).and_then(|(n, _)| dec(n)));
    } else if let Some(rest) = value("Owning Process") {
        row.eprocess = found(word(rest).and_then(|(at, _)| hex(at)));
        if let Some(image) = rest_after(rest, "Image:") {
            row.process = text(image);
        }
    } else if let Some(rest) = value("Attached Process") {
        row.attached_eprocess = found(word(rest).and_then(|(at, _)| hex(at))).and_then(pointer);
    } else if line.starts_with("Wait Start TickCount") {
        row.wait_ticks = number("Ticks:");
        row.wait_ms = found(between(line, "(", ")").and_then(duration_ms));
    } else if line.starts_with("Context Switch Count") {
        row.context_switches = number("Context Switch Count");
        row.ideal_processor = number("IdealProcessor:");
    } else if let Some(rest) = value("UserTime") {
        row.user_time_ms = found(word(rest).and_then(|(time, _)| duration_ms(time)));
    } else if let Some(rest) = value("KernelTime") {
        row.kernel_time_ms = found(word(rest).and_then(|(time, _)| duration_ms(time)));
    } else if let Some(rest) = value("Win32 Start Address") {
        (row.win32_start_address, row.win32_start_symbol) = start(rest);
    } else if let Some(rest) = value("Start Address") {
        (row.start_address, row.start_symbol) = start(rest);
    } else if line.starts_with("LPC Server thread") {
        row.is_lpc_server = Ok(true);
    } else if line.starts_with("Stack Init")
        || line.starts_with("Initial Sp")
        || line.starts_with("Base ")
    {
        let of = |label: &str| found(after(line, label).and_then(hex));
        let fill = |field: &mut Cell<u64>, value: Cell<u64>| {
            if field.is_err() {
                *field = value;
            }
        };
        fill(&mut row.stack_pointer, of("Current Sp ").or_else(|_| of("Current ")));
        fill(&mut row.stack_base, of("Base "));
        fill(&mut row.stack_limit, of("Limit "));
    } else if line.starts_with("Priority ") {
        row.priority = number("Priority ");
        row.base_priority = number("BasePriority ");
        row.priority_decrement = number("PriorityDecrement ");
    } else if line.starts_with("Kernel stack not resident") {
        row.is_stack_resident = Ok(false);
    } else {
        return is_known(line);
    }
    true
}

/// Lines without a value for any column.
fn is_known(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "DeviceMap",
        "WaitTime",
        "Unable to get",
        "GetUlongFromAddress",
        "GetPointerFromAddress",
        "TYPE mismatch",
        "Owning Process",
        "THREAD is",
        "Waiting for reply",
        "Current LPC port",
        "Pending LPC Reply",
        "Scheduling Group",
        "No active threads",
        "Can't find",
        "KSCB",
        "rank",
        "QueueIndex",
        "LPC Client",
        "ALPC",
        "Current Operation",
        "Freeze",
        "DecrementCount",
        "-",
    ];
    STARTS.iter().any(|start| line.starts_with(start))
}

/// A line of the head that wrapping cut off: the state is on the next line.
fn joined(first: &Line<'_>, lines: &mut Lines<'_>) -> String {
    let mut head = first.trimmed().to_owned();
    let waits_for_more =
        head.ends_with("WAIT:") || head.ends_with(" on") || head.ends_with("processor");
    if waits_for_more
        && let Some(next) = lines.next_if(|next| {
            let next = next.trimmed();
            next.starts_with('(') || next.starts_with("processor ") || dec(next).is_some()
        })
    {
        head.push(' ');
        head.push_str(next.trimmed());
    }
    head
}

/// Reads a thread whose first line was taken. Values that this line lacks come from `known`: the
/// process and its address, if the output is that of a process.
pub(super) fn block(
    first: &Line<'_>,
    known: &Owner,
    eprocess: Cell<u64>,
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
) {
    let Some(mut row) = head_of(first, lines) else { return sink.unread(first) };
    row.process.clone_from(&known.process);
    row.eprocess = eprocess;
    rest(first, row, lines, sink);
}

/// The first line of a thread, which may be wrapped.
pub(super) fn head_of(first: &Line<'_>, lines: &mut Lines<'_>) -> Option<Thread> {
    head(&joined(first, lines))
}

/// Reads the lines after the first line of a thread.
pub(super) fn rest(first: &Line<'_>, mut row: Thread, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut objects: Vec<(u64, WaitObject)> = Vec::new();
    let mut irps: Vec<(u64, Irp)> = Vec::new();
    let mut may_wait = true;
    while let Some(line) = lines.peek() {
        let trimmed = line.trimmed();
        let (number, is_blank) = (line.number, line.is_blank());
        if is_start(trimmed) || trimmed.starts_with("PROCESS ") || stack::is_header(trimmed) {
            break;
        }
        if let Some(object) = wait_object(trimmed, &row, objects.len()).filter(|_| may_wait) {
            objects.push((number, object));
        } else if let Some(irp) = irp(trimmed, &row) {
            irps.push((number, irp));
        } else if trimmed.starts_with("SuspendCount") && detail(trimmed, &mut row) {
            // The objects that the thread waits for follow.
        } else if trimmed.starts_with("IRP List:") || detail(trimmed, &mut row) {
            may_wait = false;
        } else if !is_blank && is_inside(lines) {
            // An unrecognised line among recognised ones.
            if let Some(line) = lines.peek() {
                sink.unread(line);
            }
        } else if !is_blank || !goes_on(lines) {
            break;
        }
        lines.next();
    }
    finish(first, row, objects, irps, lines, sink);
}

/// Whether the line after an unrecognised one belongs to the thread.
fn is_inside(lines: &mut Lines<'_>) -> bool {
    lines.peek_at(1).is_some_and(|next| {
        let next = next.trimmed();
        !next.starts_with('-') && detail(next, &mut Thread::default())
    })
}

/// Whether the line after a blank one still belongs to the thread.
fn goes_on(lines: &mut Lines<'_>) -> bool {
    lines.peek_at(1).is_some_and(|next| {
        let next = next.trimmed();
        stack::is_header(next)
            || detail(next, &mut Thread::default())
            || next.starts_with("IRP List:")
    })
}

fn finish(
    first: &Line<'_>,
    mut row: Thread,
    objects: Vec<(u64, WaitObject)>,
    irps: Vec<(u64, Irp)>,
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
) {
    if let Some((_, object)) = objects.first() {
        row.wait_object = object.object;
        row.wait_object_type.clone_from(&object.kind);
    }
    if !irps.is_empty() {
        row.irp_count = i64::try_from(irps.len()).map_err(|_| Absent::Unreadable);
    }
    let owner = Owner::from(&row);
    for (number, mut object) in objects {
        object.process.clone_from(&row.process);
        sink.row_at(number, object);
    }
    for (number, mut irp) in irps {
        irp.process.clone_from(&row.process);
        sink.row_at(number, irp);
    }
    sink.row(first, row);
    let shape = lines.peek().and_then(|line| stack::shape(line.trimmed()));
    let bare = || stack::Columns::BARE;
    let is_bare = shape.is_none() && lines.peek().is_some_and(|l| stack::is_function(&l.text));
    if let Some(columns) = shape.or_else(|| is_bare.then(bare)) {
        if !is_bare {
            lines.next();
        }
        stack::frames(columns, &owner, lines, sink);
        // A stack may continue after a blank line.
        while lines.peek().is_some_and(Line::is_blank)
            && lines.peek_at(1).is_some_and(|l| stack::is_frame(l.trimmed()))
        {
            lines.next();
            if stack::frames(columns, &owner, lines, sink) == 0 {
                break;
            }
        }
    }
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while let Some(line) = lines.next() {
        if is_start(&line.text) {
            block(&line, &Owner::default(), Err(Absent::NotApplicable), lines, sink);
        } else if let Some(columns) = stack::shape(line.trimmed()) {
            stack::frames(columns, &Owner::default(), lines, sink);
        } else if !line.is_blank() && !is_known(line.trimmed()) {
            sink.unread(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_every_version() {
        let row = head("THREAD 8713a5a0  Cid 4ef4.4f04  Teb: 7ffdd000 Win32Thread: bc423920 RUNNING on processor 1").unwrap();
        assert_eq!(
            (row.pid, row.state.as_deref(), row.processor),
            (Ok(0x4ef4), Ok("Running"), Ok(1))
        );
        let old = head(
            "THREAD ffaf5410  Cid e7.e8  Teb: 7ffde000 WAIT: (Executive) KernelMode Non-Alertable",
        )
        .unwrap();
        assert_eq!(
            (old.wait_reason.as_deref(), old.wait_mode.as_deref(), old.is_alertable),
            (Ok("Executive"), Ok("KernelMode"), Ok(false))
        );
        let bare =
            head("THREAD fe502940  Cid 8.c  Teb: 00000000  Win32Thread: 00000000 WAIT").unwrap();
        assert_eq!(
            (bare.tid, bare.teb, bare.state.as_deref()),
            (Ok(0xc), Err(Absent::NotApplicable), Ok("Waiting"))
        );
        assert!(head("THREAD is here").is_none());
    }

    #[test]
    fn details() {
        let mut row = Thread::default();
        assert!(detail(
            "Wait Start TickCount      1415215        Ticks: 320 (0:00:00:05.000)",
            &mut row
        ));
        assert!(detail("Context Switch Count      568                 LargeStack", &mut row));
        assert!(detail(
            "Stack Init b68b8a70 Current b68b8c28 Base b68b9000 Limit b68b1000 Call b68b8a7c",
            &mut row
        ));
        assert!(detail("Priority 11 BasePriority 8 PriorityDecrement 2", &mut row));
        assert!(detail("Win32 Start Address SystemDump_400000 (0x0040fe92)", &mut row));
        assert_eq!(
            (row.wait_ticks, row.wait_ms, row.context_switches),
            (Ok(320), Ok(5000), Ok(568))
        );
        assert_eq!(
            (row.stack_pointer, row.stack_base, row.stack_limit),
            (Ok(0xb68b_8c28), Ok(0xb68b_9000), Ok(0xb68b_1000))
        );
        assert_eq!(
            (row.priority, row.base_priority, row.priority_decrement),
            (Ok(11), Ok(8), Ok(2))
        );
        assert_eq!(
            (row.win32_start_address, row.win32_start_symbol.as_deref()),
            (Ok(0x0040_fe92), Ok("SystemDump_400000"))
        );
        assert!(!detail("some prose", &mut row));
    }
}
