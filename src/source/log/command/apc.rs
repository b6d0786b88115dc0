//! `!apc`: processes, their threads that have queued APCs, and the APCs.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Apc, Process, Thread};
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, after, dec, found, hex, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!apc",
    is_named: |name| name == "!apc",
    signatures: &[
        Signature { literal: "Enumerating APCs in all processes", check: |_| true },
        Signature {
            literal: "ApcStateIndex",
            check: |line| line.trim_start().starts_with("Thread "),
        },
        Signature { literal: "KAPC @ ", check: |_| true },
    ],
    contains: &[],
    fills: &[Fills::rows::<Apc>(), Fills::rows::<Process>(), Fills::rows::<Thread>()],
    read,
};

/// The process and thread of the APCs that follow.
struct ApcOwner {
    eprocess: Cell<u64>,
    process: Cell<String>,
    ethread: Cell<u64>,
    state_index: Cell<i64>,
    mode: Cell<String>,
}

impl ApcOwner {
    const fn unknown() -> Self {
        const NONE: Absent = Absent::NotApplicable;
        Self {
            eprocess: Err(NONE),
            process: Err(NONE),
            ethread: Err(NONE),
            state_index: Err(NONE),
            mode: Err(NONE),
        }
    }

    /// `Process ffff9b0f3e6ae040 System`.
    fn process(line: &str) -> Option<Self> {
        let (at, name) = word(line.strip_prefix("Process ")?)?;
        let eprocess = Ok(address(at)?);
        Some(Self { eprocess, process: text(name), ..Self::unknown() })
    }

    /// `Thread ffff9b0f48321300 ApcStateIndex 0 ApcListHead ffff9b0f48321398 [KERNEL]`.
    fn thread(&self, line: &str) -> Option<Self> {
        let (at, rest) = word(line.strip_prefix("Thread ")?)?;
        let ethread = Ok(address(at)?);
        let mode = ["KERNEL", "USER"].into_iter().find(|mode| rest.contains(&format!("[{mode}]")));
        Some(Self {
            eprocess: self.eprocess,
            process: self.process.clone(),
            ethread,
            state_index: found(after(rest, "ApcStateIndex").and_then(dec)),
            mode: found(mode.map(str::to_ascii_lowercase)),
        })
    }

    /// `KAPC @ ffff9b0f48321588`.
    fn apc(&self, line: &str) -> Option<Apc> {
        let (at, _) = word(line.strip_prefix("KAPC @ ")?)?;
        Some(Apc {
            apc: Ok(address(at)?),
            ethread: self.ethread,
            eprocess: self.eprocess,
            process: self.process.clone(),
            mode: self.mode.clone(),
            state_index: self.state_index,
            ..Apc::default()
        })
    }
}

/// `KernelRoutine  fffff8022e3cbce0 nt!EmpCheckErrataList+0`; `false` if the line is not
/// recognised.
fn detail(line: &str, row: &mut Apc) -> bool {
    let Some((name, rest)) = word(line) else { return false };
    let (at, symbol) = word(rest).unwrap_or_default();
    let at = hex(at);
    let symbol = || text(symbol.strip_suffix("+0").unwrap_or(symbol));
    match name.trim_end_matches(':') {
        "KernelRoutine" => (row.kernel_routine, row.kernel_symbol) = (found(at), symbol()),
        "RundownRoutine" => (row.rundown_routine, row.rundown_symbol) = (found(at), symbol()),
        "NormalRoutine" => (row.normal_routine, row.normal_symbol) = (found(at), symbol()),
        "NormalContext" => row.normal_context = found(at),
        "Type" | "Size" | "ApcStateIndex" | "ApcMode" | "Inserted" | "SystemArgument1"
        | "SystemArgument2" | "Environment" => {}
        _ => return false,
    }
    true
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut place = ApcOwner::unknown();
    while let Some(line) = lines.next() {
        let shown = line.trimmed();
        if let Some(next) = ApcOwner::process(shown) {
            let row = Process {
                eprocess: next.eprocess,
                name: next.process.clone(),
                ..Process::default()
            };
            sink.row(&line, row);
            place = next;
        } else if let Some(next) = place.thread(shown) {
            let row = Thread {
                ethread: next.ethread,
                eprocess: next.eprocess,
                process: next.process.clone(),
                ..Thread::default()
            };
            sink.row(&line, row);
            place = next;
        } else if let Some(mut row) = place.apc(shown) {
            while lines.next_if(|line| detail(line.trimmed(), &mut row)).is_some() {}
            sink.row(&line, row);
        } else if !line.is_blank() && !shown.starts_with("*** Enumerating APCs") {
            sink.unread(&line);
        }
    }
}
