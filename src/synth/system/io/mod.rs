//! Drivers with their dispatch tables, devices in stacks, and pending IRPs.

mod devices;
mod drivers;
mod requests;
mod spec;

use std::collections::HashMap;

pub use spec::{Device, DriverObject, Io, Location, Request};

use super::SystemSpec;
use super::build::Builder;
use super::objects::Objects;
use super::threads::Links;

/// Allocates every driver, device and IRP, and enters IRPs into the lists of threads.
pub(super) fn allocate(builder: &mut Builder<'_>, objects: &mut Objects, spec: &mut SystemSpec) {
    drivers::allocate(builder, objects, &mut spec.io.drivers);
    devices::allocate(builder, objects, &mut spec.io.devices);
    requests::allocate(builder, &mut spec.io.requests);
    let listed = spec.io.requests.iter().filter(|request| request.is_listed);
    let mut of_thread: HashMap<u64, Vec<u64>> = HashMap::new();
    for request in listed {
        of_thread.entry(request.tid).or_default().push(request.address);
    }
    for thread in spec.processes.iter_mut().flat_map(|process| process.threads.iter_mut()) {
        if let Some(requests) = of_thread.remove(&thread.tid).filter(|_| thread.tid != 0) {
            thread.irps.extend(requests);
        }
    }
}

/// Writes them. By now, files and module list entries have addresses.
pub(super) fn write(builder: &mut Builder<'_>, objects: &Objects, links: &mut Links, io: &Io) {
    drivers::write(builder, io, &links.modules);
    requests::write(builder, objects, links, &io.requests, &io.devices);
    devices::write(builder, io);
}
