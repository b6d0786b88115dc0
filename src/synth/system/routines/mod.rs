//! Callbacks, system service tables, interrupt handlers, and stack traces of Driver Verifier.

mod callbacks;
mod services;
mod spec;
mod traces;
mod vectors;

pub use spec::{Routines, Trace, Vector};

use super::SystemSpec;
use super::build::Builder;
use super::objects::Objects;

/// Smaller addresses are offsets in the kernel image.
const MAX_OFFSET: u64 = 0x1000_0000;

/// Adds the kernel base to every offset, and creates the objects that callbacks need.
pub(super) fn allocate(builder: &mut Builder<'_>, objects: &mut Objects, spec: &mut SystemSpec) {
    let routines = &mut spec.routines;
    let pairs = [&mut routines.registry, &mut routines.bugcheck, &mut routines.bugcheck_reason];
    let named = pairs.into_iter().flatten().map(|(at, _)| at);
    let plain = [
        &mut routines.processes,
        &mut routines.threads,
        &mut routines.images,
        &mut routines.services,
        &mut routines.window_services,
    ];
    let all = plain
        .into_iter()
        .flatten()
        .chain(named)
        .chain(routines.file_systems.iter_mut().map(|(_, at)| at))
        .chain(routines.callbacks.iter_mut().flat_map(|(_, all)| all))
        .chain(routines.vectors.iter_mut().flat_map(Vector::routines));
    all.filter(|at| (1..MAX_OFFSET).contains(*at)).for_each(|at| *at += builder.kernel);
    callbacks::allocate(builder, objects, &spec.routines);
    vectors::allocate(builder, &mut spec.routines.vectors);
    traces::allocate(builder, &mut spec.routines.traces);
}

/// Writes them, after the processors and the debugger data block.
pub(super) fn write(builder: &mut Builder<'_>, objects: &Objects, spec: &SystemSpec) {
    callbacks::write(builder, objects, spec);
    services::write(builder, spec);
    vectors::write(builder, spec);
    traces::write(builder, spec);
}
