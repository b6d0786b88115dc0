//! The system service tables.

use crate::synth::system::SystemSpec;
use crate::synth::system::build::Builder;

/// Writes both tables and the descriptors that point to them, to which threads of 32-bit kernels
/// point.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let routines = &spec.routines;
    if routines.services.is_empty() {
        return;
    }
    let count = routines.services.len() as u64;
    let base = builder.variable("KiServiceTable", 4 * count);
    table(builder, base, &routines.services);
    let limit = builder.variable("KiServiceLimit", 4);
    builder.put_u32(limit, count);
    let arguments = builder.variable("KiArgumentTable", count);
    let own = [base, 0, count, arguments];
    put_arguments(builder, arguments, count);
    let size = 4 * builder.width();
    let plain = builder.variable("KeServiceDescriptorTable", 2 * size);
    descriptor(builder, plain, own);
    let shadow = builder.variable("KeServiceDescriptorTableShadow", 2 * size);
    descriptor(builder, shadow, own);
    let window = spec.drivers.iter().find(|driver| driver.path.ends_with("win32k.sys"));
    if let Some(image) = window.filter(|_| !routines.window_services.is_empty()) {
        let count = routines.window_services.len() as u64;
        let base = image.base + u64::from((image.size / 2) & !0xfff);
        table(builder, base, &routines.window_services);
        put_arguments(builder, base + 4 * count, count);
        descriptor(builder, shadow + size, [base, 0, count, base + 4 * count]);
    }
    if builder.layout.has("_KTHREAD", "ServiceTable") {
        let place = builder.offset("_KTHREAD", "ServiceTable");
        for thread in spec.processes.iter().flat_map(|process| &process.threads) {
            let table = if thread.win32_thread == 0 { plain } else { shadow };
            builder.put_pointer(thread.ethread + place, table);
        }
    }
}

/// A table: addresses in 32-bit kernels, else distances shifted by four bits, with the argument
/// count in the lowest four. Before Windows Vista distances are not shifted, and routines are
/// aligned so that these bits are zero.
fn table(builder: &mut Builder<'_>, base: u64, routines: &[u64]) {
    for (i, routine) in (0u64..).zip(routines) {
        let entry = if builder.version.is_64_bit() {
            let distance = routine.wrapping_sub(base);
            let shift = if builder.version.build < 6000 { 0 } else { 4 };
            distance << shift | (i % 5)
        } else {
            *routine
        };
        builder.put_u32(base + 4 * i, entry & 0xffff_ffff);
    }
}

/// The size of the arguments of each service, in bytes.
fn put_arguments(builder: &mut Builder<'_>, at: u64, count: u64) {
    let bytes: Vec<u8> = (0..count).map(|i| 4 * u8::try_from(i % 12).unwrap_or(0)).collect();
    builder.put(at, &bytes);
}

/// A descriptor: the table, an unused counter table, the number of services, the argument sizes.
fn descriptor(builder: &mut Builder<'_>, at: u64, words: [u64; 4]) {
    let width = builder.width();
    for (i, word) in (0..).zip(words) {
        builder.put_pointer(at + i * width, word);
    }
}
