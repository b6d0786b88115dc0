//! Stacks that Driver Verifier keeps of requests: who allocated, sent, completed or cancelled each.
//!
//! The ring of them and its length are variables without exports, so the kernel's symbols are needed;
//! their file has the layout of an entry as well.

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Unanswered, VerifierFrame, Want};
use crate::source::kernel::core::Core;

const TRACE: &str = "_IOV_IRP_TRACE";
/// No ring is longer.
const MAX_TRACES: u64 = 1 << 20;
/// No stack is deeper.
const MAX_FRAMES: u64 = 64;
/// What the names of the routines that keep a stack contain, and what for they do so.
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
    let unknown = "the stacks are found by the kernel's symbols, which are not known";
    let (Ok(ring), Some(frames)) = (variable("IovIrpTraces"), core.field(TRACE, "StackTrace"))
    else {
        return Err(Unanswered::because(unknown));
    };
    let Ok(ring) = core.pointer_at(ring) else {
        return Err(Unanswered::because("the ring of stacks is not in the dump"));
    };
    // Without Driver Verifier there is none.
    let length = variable("IovIrpTracesLength").and_then(|at| core.u32_at(at)).unwrap_or(0);
    let length = if ring == 0 { 0 } else { u64::from(length).min(MAX_TRACES) };
    let next = variable("IovIrpTracesIndex").and_then(|at| core.u32_at(at)).unwrap_or(0);
    let size = core.size_of(TRACE).unwrap_or(0);
    let step = core.header.width.bytes() as u64;
    let depth = (frames.size as u64 / step).min(MAX_FRAMES);
    // The newest first.
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

/// What a stack was kept for, by the first of its routines that does nothing else.
fn kind_of_trace(core: &Core, addresses: &[u64]) -> Cell<String> {
    for address in addresses {
        let Ok(symbol) = core.symbol_text(Ok(*address)) else { continue };
        if let Some((_, kind)) = KINDS.iter().find(|(part, _)| symbol.contains(part)) {
            return Ok((*kind).to_owned());
        }
    }
    Err(Absent::NotApplicable)
}
