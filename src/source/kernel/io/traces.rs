//! Stack traces that Driver Verifier keeps for IRPs: the code that allocated, sent, completed or
//! cancelled each.
//!
//! The ring buffer of traces and its length are variables that are not exported, so kernel symbols
//! are required; the PDB also gives the layout of an entry.

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Unanswered, VerifierFrame, Want};
use crate::source::kernel::core::Core;

const TRACE: &str = "_IOV_IRP_TRACE";
/// Upper limit on the ring buffer.
const MAX_TRACES: u64 = 1 << 20;
/// Upper limit on the frames of a trace.
const MAX_FRAMES: u64 = 64;
/// Parts of the names of the routines that record a trace, and the operation that they record.
const KINDS: [(&str, &str); 4] = [
    ("AllocateIrp", "allocation"),
    ("CompleteRequest", "completion"),
    ("CancelIrp", "cancellation"),
    ("CallDriver", "call"),
];

pub(crate) fn each_trace(
    core: &Core,
    want: &Want<'_, VerifierFrame>,
    emit: Emit<'_, VerifierFrame>,
) -> Result<(), Unanswered> {
    let variable = |name| core.symbol_address("nt", name).ok_or(Absent::NoSymbols);
    let unknown = "the stack traces can be found only with kernel symbols, which are missing";
    let (Ok(ring), Some(frames)) = (variable("IovIrpTraces"), core.field(TRACE, "StackTrace"))
    else {
        return Err(Unanswered::because(unknown));
    };
    let Ok(ring) = core.pointer_at(ring) else {
        return Err(Unanswered::because("the ring buffer of stack traces is not in the dump"));
    };
    // Without Driver Verifier there is no ring buffer.
    let length = variable("IovIrpTracesLength").and_then(|at| core.u32_at(at)).unwrap_or(0);
    let length = if ring == 0 { 0 } else { u64::from(length).min(MAX_TRACES) };
    let next = variable("IovIrpTracesIndex").and_then(|at| core.u32_at(at)).unwrap_or(0);
    let size = core.size_of(TRACE).unwrap_or(0);
    let step = core.header.width.bytes() as u64;
    let depth = (frames.size as u64 / step).min(MAX_FRAMES);
    // Newest first.
    for back in 0..length {
        let index = (u64::from(next) + length - back) % length;
        let Some(at) = ring.checked_add(index * size) else { break };
        let trace = core.structure(TRACE, at);
        let Ok(irp) = trace.pointer("Irp") else { continue };
        let Ok(first) = trace.at("StackTrace") else { continue };
        let addresses: Vec<u64> = (0..depth)
            .map_while(|i| core.pointer_at(first.checked_add(i * step)?).ok())
            .take_while(|address| *address != 0)
            .collect();
        let kind = kind_of_trace(core, &addresses);
        for (frame, address) in (0..).zip(addresses) {
            let row = VerifierFrame {
                kind: kind.clone(),
                object: Ok(irp),
                frame: Ok(frame),
                address: Ok(address),
                symbol: if want.has(|c| c.symbol) {
                    core.symbol_text(Ok(address))
                } else {
                    Err(Absent::NotApplicable)
                },
                ..VerifierFrame::default()
            };
            if emit.row(row).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The operation of a trace, from the first of its routines that serves only one operation.
fn kind_of_trace(core: &Core, addresses: &[u64]) -> Cell<String> {
    for address in addresses {
        let Ok(symbol) = core.symbol_text(Ok(*address)) else { continue };
        if let Some((_, kind)) = KINDS.iter().find(|(part, _)| symbol.contains(part)) {
            return Ok((*kind).to_owned());
        }
    }
    Err(Absent::NotApplicable)
}
