//! The context record of a synthetic dump, in the `CONTEXT` layout of each architecture.

use super::bytes::{Bytes, low32};
use super::layout::{Layout, Object};
use super::spec::{Arch, TriageSpec};

/// Size of the ARM64 context, which is written without a layout.
const ARM64_SIZE: usize = 0x390;

/// The bytes of the context.
pub(super) fn build(spec: &TriageSpec, layout: Option<&Layout>) -> Vec<u8> {
    match (spec.arch, layout) {
        (Arch::Arm64, _) => arm64(spec),
        (_, Some(layout)) => named(spec, layout),
        _ => Vec::new(),
    }
}

fn named(spec: &TriageSpec, layout: &Layout) -> Vec<u8> {
    let mut context = Object::new(layout, "_CONTEXT");
    // Control, integer, segment and floating-point registers.
    let flags = if spec.arch == Arch::X86 { 0x0001_003f } else { 0x0010_001f };
    context.set("ContextFlags", flags);
    for (name, value) in &spec.registers {
        context.set(name, *value);
    }
    context.finish().0
}

/// The bytes of a trap frame, which holds what the processor and the trap handler saved.
pub(super) fn trap_frame(layout: &Layout, registers: &[(String, u64)]) -> Vec<u8> {
    let mut frame = Object::new(layout, "_KTRAP_FRAME");
    for (name, value) in registers {
        frame.set(name, *value);
    }
    frame.finish().0
}

fn arm64(spec: &TriageSpec) -> Vec<u8> {
    let mut context = Bytes::zeroed(ARM64_SIZE);
    context.u32(0, 0x0040_001f);
    for (name, value) in &spec.registers {
        let number = name.strip_prefix('X').and_then(|digits| digits.parse::<usize>().ok());
        match (name.as_str(), number) {
            ("Cpsr", _) => context.u32(4, low32(*value)),
            ("Fp", _) => context.u64(0xf0, *value),
            ("Lr", _) => context.u64(0xf8, *value),
            ("Sp", _) => context.u64(0x100, *value),
            ("Pc", _) => context.u64(0x108, *value),
            (_, Some(number @ 0..=28)) => context.u64(8 + 8 * number, *value),
            _ => {}
        }
    }
    context.into_vec()
}
