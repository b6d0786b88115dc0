//! The ring buffer of stack traces that Driver Verifier keeps for IRPs.

use super::spec::Trace;
use crate::synth::system::SystemSpec;
use crate::synth::system::build::Builder;

/// Entries of the ring.
const LENGTH: u64 = 16;
const TRACE: &str = "_IOV_IRP_TRACE";

/// Puts the recording routine in front of each stack trace.
pub(super) fn allocate(builder: &mut Builder<'_>, traces: &mut [Trace]) {
    for (i, trace) in (0..).zip(traces) {
        let by = builder.routine(trace.by, 0x4000 + 0x100 * i);
        trace.frames.insert(0, by + 0x2a);
    }
}

/// Writes the ring buffer, if the layout has the type of its entries.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let size = builder.layout.size(TRACE) as u64;
    let traces = &spec.routines.traces;
    if traces.is_empty() || size == 0 {
        return;
    }
    let ring = builder.pages(1);
    builder.put(ring, &[0; 0x1000]);
    for (i, trace) in (1..).zip(traces.iter().take(15)) {
        let request = spec.io.requests.get(trace.request);
        let mut object = builder.new_object("_IOV_IRP_TRACE");
        object.set("Irp", request.map_or(0, |request| request.address));
        for (frame, address) in trace.frames.iter().take(13).enumerate() {
            object.set(&format!("StackTrace[{frame}]"), *address);
        }
        builder.place(ring + i * size, object);
    }
    let at = builder.variable("IovIrpTraces", 8);
    builder.put_pointer(at, ring);
    builder.number("IovIrpTracesLength", 4, LENGTH);
    builder.number("IovIrpTracesIndex", 4, traces.len() as u64);
}
