//! `!pcr`, `!prcb` and `!dpcs`: a processor's control block, and queued DPCs.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Dpc, Processor};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{after, between, dec, found, hex, hex_int, pointer, text, word};
use crate::source::log::sink::Sink;

/// The reader of `!pcr` and `!prcb`.
pub(super) static READER: Reader = Reader {
    name: "!pcr",
    is_named: |name| matches!(name, "!pcr" | "!prcb"),
    signatures: &[
        Signature {
            literal: "PCR for Processor ",
            check: |line| line.trim_start().starts_with("KPCR for Processor"),
        },
        Signature {
            literal: "PCR Processor ",
            check: |line| line.trim_start().starts_with("PCR Processor"),
        },
        Signature { literal: "PRCB for Processor ", check: |_| true },
    ],
    contains: &[],
    fills: &[Fills::rows::<Processor>(), Fills::rows::<Dpc>()],
    read,
};

/// The reader of `!dpcs`.
pub(super) static DPCS: Reader = Reader {
    name: "!dpcs",
    is_named: |name| name == "!dpcs",
    signatures: &[Signature { literal: "KDPC       Function", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<Dpc>()],
    read: read_dpcs,
};

/// The processor in a heading: `KPCR for Processor 4 at ffffa001290c6000:`.
fn heading(line: &str) -> Option<(i64, Option<u64>)> {
    let rest = ["KPCR for Processor ", "PRCB for Processor ", "PCR Processor "]
        .iter()
        .find_map(|start| line.strip_prefix(start))?;
    let (number, rest) = word(rest)?;
    let at =
        rest.split_whitespace().find_map(|w| hex(w.trim_start_matches('@').trim_end_matches(':')));
    Some((dec(number)?, at.filter(|_| line.starts_with("PRCB"))))
}

fn thread(value: &str) -> Cell<u64> {
    found(hex(value)).and_then(pointer)
}

/// Takes a line of a block; `false` if it is not recognised.
fn detail(line: &str, row: &mut Processor) -> bool {
    if let Some(rest) = line.strip_prefix("Threads--") {
        row.current_ethread = after(rest, "Current").map_or(Err(Absent::NotApplicable), thread);
        row.next_ethread = after(rest, "Next").map_or(Err(Absent::NotApplicable), thread);
        row.idle_ethread = after(rest, "Idle").map_or(Err(Absent::NotApplicable), thread);
    } else if let Some(rest) = line.strip_prefix("Current IRQL --") {
        row.irql = found(dec(rest.trim()));
    } else if let Some(rest) = line.strip_prefix("Interrupt Count --") {
        row.interrupt_count = found(hex_int(rest.trim()));
    } else if let Some((label, value)) = line.split_once(':') {
        let value = value.trim();
        match label.trim() {
            "Prcb" => row.prcb = found(hex(value)),
            "Irql" => row.irql = found(hex_int(value)),
            "CurrentThread" => row.current_ethread = thread(value),
            "NextThread" => row.next_ethread = thread(value),
            "IdleThread" => row.idle_ethread = thread(value),
            label => return is_label(label),
        }
    } else {
        return ["Major ", "Number ", "Processor Index", "Times --", "Kernel ", "DpcQueue"]
            .iter()
            .any(|s| line.starts_with(s));
    }
    true
}

fn is_label(label: &str) -> bool {
    label.starts_with("NtTib.")
        || ["SelfPcr", "IRR", "IDR", "InterruptMode", "IDT", "GDT", "TSS", "DpcQueue"]
            .contains(&label)
}

/// `0xffffc181e9baf728 0xfffff8014da1cee0 [Normal] tcpip!TcpPeriodicTimeoutHandler`.
fn queued(line: &str, processor: Cell<i64>, position: i64) -> Option<Dpc> {
    let line = line.strip_prefix("DpcQueue:").unwrap_or(line).trim();
    let (dpc, rest) = word(line)?;
    let (routine, rest) = word(rest)?;
    if !dpc.starts_with("0x") || !routine.starts_with("0x") {
        return None;
    }
    let kind = between(rest, "[", "]");
    let symbol = rest.split_once(']').map_or(rest, |(_, symbol)| symbol);
    Some(Dpc {
        processor,
        position: Ok(position),
        kind: found(kind.map(str::to_owned)),
        dpc: found(hex(dpc)),
        routine: found(hex(routine)),
        routine_symbol: text(symbol),
        ..Dpc::default()
    })
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row: Option<(u64, Processor)> = None;
    let mut position = 0;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some((number, prcb)) = heading(trimmed) {
            finish(row.take(), sink);
            row = Some((
                line.number,
                Processor { processor: Ok(number), prcb: found(prcb), ..Processor::default() },
            ));
            position = 0;
        } else if let Some((_, processor)) = &mut row {
            if let Some(dpc) = queued(trimmed, processor.processor, position) {
                position += 1;
                sink.row(&line, dpc);
            } else if !detail(trimmed, processor) && !line.is_blank() {
                sink.unread(&line);
            }
        } else if !line.is_blank() {
            sink.unread(&line);
        }
    }
    finish(row, sink);
}

fn finish(row: Option<(u64, Processor)>, sink: &mut Sink<'_>) {
    if let Some((at, mut row)) = row {
        row.is_idle = row.current_ethread.and_then(|current| Ok(current == row.idle_ethread?));
        sink.row_at(at, row);
    }
}

/// ` 0: Normal  : 0xfffff8035f5ac290 0xfffff80363e15630 nt!PpmPerfAction`.
fn dpc_row(line: &str, position: i64) -> Option<Dpc> {
    let mut parts = line.splitn(3, ':');
    let processor = dec(parts.next()?.trim())?;
    let kind = parts.next()?.trim();
    let (dpc, rest) = word(parts.next()?)?;
    let (routine, symbol) = word(rest)?;
    Some(Dpc {
        processor: Ok(processor),
        position: Ok(position),
        kind: text(kind),
        dpc: Ok(hex(dpc)?),
        routine: Ok(hex(routine)?),
        routine_symbol: text(symbol),
        ..Dpc::default()
    })
}

fn read_dpcs(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut last = None;
    let mut position = 0;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(mut row) = dpc_row(trimmed, 0) {
            position = if last == row.processor.ok() { position + 1 } else { 0 };
            last = row.processor.ok();
            row.position = Ok(position);
            sink.row(&line, row);
        } else if !is_heading(&line) {
            sink.unread(&line);
        }
    }
}

fn is_heading(line: &Line<'_>) -> bool {
    line.is_blank()
        || line.trimmed().starts_with("CPU Type")
        || line.trimmed().starts_with("Failed to read DPC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_queues() {
        assert_eq!(heading("KPCR for Processor 4 at ffffa001290c6000:"), Some((4, None)));
        assert_eq!(heading("PCR Processor 0 @ffdff000"), Some((0, None)));
        assert_eq!(
            heading("PRCB for Processor 0 at fffff80002c4a180:"),
            Some((0, Some(0xffff_f800_02c4_a180)))
        );
        let mut row = Processor::default();
        assert!(detail(
            "Threads--  Current fffff80002c5a1c0 Next 0000000000000000 Idle fffff80002c5a1c0",
            &mut row
        ));
        assert_eq!(
            (row.current_ethread, row.next_ethread),
            (Ok(0xffff_f800_02c5_a1c0), Err(Absent::NotApplicable))
        );
        let dpc = dpc_row("0: Threaded: 0xfffff8035f5ac3d8 0xfffff80363f27d70 nt!KiDpcWatchdog", 0)
            .unwrap();
        assert_eq!(
            (dpc.kind.as_deref(), dpc.routine_symbol.as_deref()),
            (Ok("Threaded"), Ok("nt!KiDpcWatchdog"))
        );
        assert!(
            queued("DpcQueue:  0xffffc181e9baf728 0xfffff8014da1cee0 [Normal] tcpip!X", Ok(4), 0)
                .is_some()
        );
    }
}
