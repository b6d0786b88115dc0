//! The tables of system services.

use super::spec::Routines;
use crate::synth::system::build::Builder;

/// Writes both tables and the descriptors that lead to them.
pub(super) fn write(builder: &mut Builder<'_>, routines: &Routines) {
    if routines.services.is_empty() {
        return;
    }
    let limit = builder.variable("KiServiceLimit", 4);
    builder.put_u32(limit, routines.services.len() as u64);
    let own = table(builder, "KiServiceTable", &routines.services);
    let size = 4 * builder.width();
    let plain = builder.variable("KeServiceDescriptorTable", 2 * size);
    descriptor(builder, plain, own, routines.services.len() as u64);
    let shadow = builder.variable("KeServiceDescriptorTableShadow", 2 * size);
    descriptor(builder, shadow, own, routines.services.len() as u64);
    if !routines.window_services.is_empty() {
        let table = table(builder, "W32pServiceTable", &routines.window_services);
        descriptor(builder, shadow + size, table, routines.window_services.len() as u64);
    }
}

/// A table: addresses in 32-bit kernels, distances above four bits for arguments in others.
fn table(builder: &mut Builder<'_>, name: &str, routines: &[u64]) -> u64 {
    let base = builder.variable(name, 4 * routines.len() as u64);
    for (i, routine) in (0u64..).zip(routines) {
        let entry = if builder.version.is_64_bit() {
            routine.wrapping_sub(base) << 4 | (i % 5)
        } else {
            *routine
        };
        builder.put_u32(base + 4 * i, entry & 0xffff_ffff);
    }
    base
}

/// A descriptor: the table, a counter that nobody counts, the number of services.
fn descriptor(builder: &mut Builder<'_>, at: u64, table: u64, limit: u64) {
    let width = builder.width();
    for (i, word) in (0..).zip([table, 0, limit, table + 4 * limit]) {
        builder.put_pointer(at + i * width, word);
    }
}
