//! Interrupt descriptor tables, and the interrupt objects of devices.

use super::spec::Vector;
use crate::synth::system::SystemSpec;
use crate::synth::system::build::Builder;

/// Offset in the kernel image of the entry code for device interrupts.
const ENTRIES: u64 = 0x1d_0000;

/// Allocates every interrupt object.
pub(super) fn allocate(builder: &mut Builder<'_>, vectors: &mut [Vector]) {
    let size = builder.layout.size("_KINTERRUPT") as u64;
    for vector in vectors {
        vector.objects =
            vector.services.iter().map(|_| builder.pool(false, *b"Intr", size)).collect();
    }
}

/// Writes the interrupt objects and an IDT for each processor.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec) {
    if spec.routines.vectors.is_empty() {
        return;
    }
    for vector in &spec.routines.vectors {
        objects(builder, vector);
    }
    let is_64_bit = builder.version.is_64_bit();
    let (gate, field, inside) = if is_64_bit {
        ("_KIDTENTRY64", "IdtBase", "Prcb")
    } else {
        ("_KIDTENTRY", "IDT", "PrcbData")
    };
    let size = builder.layout.size(gate) as u64;
    for processor in &spec.processors {
        let table = builder.pages(1);
        builder.put(table, &[0; 0x1000]);
        for vector in &spec.routines.vectors {
            let handler = entered_at(builder, processor.prcb, vector);
            let mut entry = builder.new_object(gate);
            if is_64_bit {
                entry
                    .set("OffsetLow", handler & 0xffff)
                    .set("OffsetMiddle", handler >> 16 & 0xffff);
                entry.set("OffsetHigh", handler >> 32).set("Selector", 0x10);
                entry.set("Type", 0xe).set("Present", 1);
            } else {
                let access = if handler == 0 { 0x8500 } else { 0x8e00 };
                entry.set("Offset", handler & 0xffff).set("ExtendedOffset", handler >> 16);
                entry.set("Selector", 8).set("Access", access);
            }
            builder.place(table + vector.number * size, entry);
        }
        let region = processor.prcb - builder.offset("_KPCR", inside);
        let at = region + builder.offset("_KPCR", field);
        builder.put_pointer(at, table);
    }
}

/// The address in an IDT entry: code in the interrupt object, or code that finds the object in the
/// `_KPRCB`.
fn entered_at(builder: &mut Builder<'_>, prcb: u64, vector: &Vector) -> u64 {
    let Some(first) = vector.objects.first() else { return vector.handler };
    if builder.layout.has("_KINTERRUPT", "DispatchCode") {
        return first + builder.offset("_KINTERRUPT", "DispatchCode");
    }
    // In 32-bit kernels the array omits the vectors that the processor reserves.
    let (name, missing) = if builder.layout.has("_KPRCB", "InterruptObject") {
        ("InterruptObject", 0)
    } else {
        ("VectorToInterruptObject", 0x30)
    };
    let array = prcb + builder.offset("_KPRCB", name);
    let width = builder.width();
    builder.put_pointer(array + (vector.number - missing) * width, *first);
    builder.kernel + ENTRIES + 0x10 * vector.number
}

/// Writes the interrupt objects of a vector; the first links to the others.
fn objects(builder: &mut Builder<'_>, vector: &Vector) {
    let size = builder.layout.size("_KINTERRUPT") as u64;
    for (at, routine) in vector.objects.iter().zip(&vector.services) {
        let mut object = builder.new_object("_KINTERRUPT");
        object.set("Type", 22).set("Size", size).set("ServiceRoutine", *routine);
        object.set("ServiceContext", 0x1000).set("Vector", vector.number).set("Connected", 1);
        object.set("Irql", vector.number >> 4);
        builder.place(*at, object);
    }
    let entry = builder.offset("_KINTERRUPT", "InterruptListEntry");
    if let [first, others @ ..] = &vector.objects[..] {
        let others: Vec<u64> = others.iter().map(|at| at + entry).collect();
        builder.link(first + entry, &others);
    }
}
