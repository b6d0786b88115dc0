//! What the parameters of a bug check point to: code, devices, drivers, IRPs, threads, processes
//! and names.
//!
//! The rules follow Microsoft's bug check reference; each gives a parameter and its kind. A value
//! that is not of that kind is no evidence.

use std::sync::Arc;

use crate::catalog::{Absent, Cell};
use crate::dump::triage;
use crate::model::{AddressSpace, Located};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::crash::damage;
use crate::source::kernel::crash::rules::{BYSTANDERS, Lead, RULES, Rule};
use crate::source::kernel::io::drivers::{DEVICE, DRIVER};
use crate::source::kernel::io::irp_search;
use crate::source::kernel::io::irp_search::{IrpLayout, LOCATION};
use crate::source::kernel::scheduler::{prcbs, thread};
use crate::source::kernel::stack::walks::Walks;
use crate::source::kernel::stack::{stacks, walks};
use crate::source::suspects::{Evidence, SYSTEM};
use crate::unwind::Frame;

/// `IO_TYPE_DEVICE` and `IO_TYPE_DRIVER`.
const DEVICE_TYPE: u64 = 3;
const DRIVER_TYPE: u64 = 4;
/// `ThreadObject`.
const THREAD_OBJECT: u8 = 6;
/// Upper limit on a device stack.
const MAX_STACK: usize = 64;
/// Upper limit on the name of a driver, in bytes.
const MAX_NAME: usize = 512;

pub(super) fn parameter(core: &Core, index: usize) -> Option<u64> {
    core.header.parameters.get(index).copied().flatten()
}

/// Whether a bug check with this code is raised on a thread that need not be its cause.
pub(super) fn is_bystander(code: u32) -> bool {
    BYSTANDERS.contains(&code)
}

/// Adds the evidence from the parameters of a bug check.
pub(super) fn follow(core: &Core, code: u32, evidence: &mut Evidence) {
    let kind = parameter(core, 0);
    let rules = RULES.iter().filter(|Rule(of, value, _, _)| {
        *of == code && value.is_none_or(|value| kind == Some(value))
    });
    for Rule(_, _, index, lead) in rules {
        if let Some(at) = parameter(core, *index).filter(|at| *at != 0) {
            one(core, *lead, *index, at, evidence);
        }
    }
    // All IRP reports of Driver Verifier have the same parameters.
    if code == 0xc9 && kind.is_some_and(|kind| kind >= 0x200) {
        for (index, lead) in [(1, Lead::Code), (3, Lead::Device)] {
            if let Some(at) = parameter(core, index).filter(|at| *at != 0) {
                one(core, lead, index, at, evidence);
            }
        }
    }
    if let Some(place) = named_by_system(core) {
        evidence.named(place, "Windows itself named it".to_owned());
    }
}

fn one(core: &Core, lead: Lead, index: usize, at: u64, evidence: &mut Evidence) {
    let number = index + 1;
    match lead {
        Lead::Code => {
            if let Ok(place) = core.place_of(at) {
                evidence.parameter(number, place);
            }
        }
        Lead::Device => {
            if let Ok(place) = driver_of(core, at) {
                evidence.object(place, format!("parameter {number} is one of its devices"));
            }
        }
        Lead::DeviceStack => {
            for place in stack_of_devices(core, at) {
                let text = format!("its device is on the device stack of parameter {number}");
                evidence.beside(place, text);
            }
        }
        Lead::Driver => {
            if let Ok(place) = module_of_driver(core, at) {
                evidence.object(place, format!("parameter {number} is its driver object"));
            }
        }
        Lead::Irp => {
            if let Ok(place) = holder(core, at) {
                evidence.object(place, format!("holds the IRP of parameter {number}"));
            }
        }
        Lead::Name => {
            if let Ok(name) = core.kernel_space().unicode_string(at, MAX_NAME) {
                evidence.object(place_named(&name), format!("parameter {number} names it"));
            }
        }
        Lead::Thread => threads_stack(core, at, number, evidence),
        Lead::Processor => {
            let running = core.structure("_KPRCB", at).pointer("CurrentThread");
            if let Ok(thread) = running {
                threads_stack(core, thread, number, evidence);
            }
        }
        Lead::Process => {
            if let Ok(module) = thread::process_name(core, Ok(at)) {
                let place = Located { module, symbol: None, offset: 0 };
                evidence.beside(place, format!("parameter {number} is its process"));
            }
        }
        Lead::Block => damage::block(core, at, number, evidence),
        Lead::Tag => damage::tag(core, at, number, evidence),
    }
}

/// The module of a driver object, from the image that it points to, else from its name.
pub(super) fn module_of_driver(core: &Core, at: u64) -> Cell<Located> {
    let driver = core.structure(DRIVER, at);
    if driver.unsigned("Type")? != DRIVER_TYPE {
        return Err(Absent::Unreadable);
    }
    let image = driver.pointer("DriverStart").and_then(|start| core.module_at(start));
    image.or_else(|_| Ok(place_named(&driver.unicode("DriverName")?)))
}

/// The module of the driver of a device.
pub(super) fn driver_of(core: &Core, device: u64) -> Cell<Located> {
    let device = core.structure(DEVICE, device);
    if device.unsigned("Type")? != DEVICE_TYPE {
        return Err(Absent::Unreadable);
    }
    module_of_driver(core, device.pointer("DriverObject")?)
}

/// The modules of a device and of the devices above it, the top of the stack first.
pub(super) fn stack_of_devices(core: &Core, device: u64) -> Vec<Located> {
    let mut places: Vec<Located> = Vec::new();
    let mut seen = Vec::new();
    let mut next = Ok(device);
    while let Ok(at) = next {
        if seen.len() >= MAX_STACK || seen.contains(&at) {
            break;
        }
        seen.push(at);
        let Ok(place) = driver_of(core, at) else { break };
        places.push(place);
        next = core.structure(DEVICE, at).pointer("AttachedDevice");
    }
    places.reverse();
    places
}

/// The module of the driver that holds an IRP.
fn holder(core: &Core, irp: u64) -> Cell<Located> {
    let missing = Absent::NoSymbols;
    let layout = irp_search::irp_layout(core).map_err(|_| missing)?;
    let irp_object = layout.at(irp);
    if !layout.is_irp(&irp_object) {
        return Err(Absent::Unreadable);
    }
    let (count, current) = IrpLayout::counts(&irp_object)?;
    if current > count {
        return Err(Absent::NotApplicable);
    }
    let location = core.structure(LOCATION, layout.location(irp, current)?);
    driver_of(core, location.pointer("DeviceObject")?)
}

/// A module by its file name or by the name of its driver object.
fn place_named(name: &str) -> Located {
    let file = name.rsplit(['\\', '/']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    Located { module: stem.to_owned(), symbol: None, offset: 0 }
}

/// The driver that Windows itself named when it stopped: a triage dump contains its name, other
/// dumps the variable `KiBugCheckDriver`.
fn named_by_system(core: &Core) -> Option<Located> {
    let name = match &core.triage {
        Some(triage) if triage.broken_driver != 0 => {
            triage::name_at(&core.image, triage.broken_driver)
        }
        Some(_) => None,
        None => {
            let variable = core.address_of("nt!KiBugCheckDriver").ok()?;
            let string = core.kernel_space().pointer_at(variable).ok()?;
            core.kernel_space().unicode_string(string, MAX_NAME).ok()
        }
    };
    name.filter(|name| !name.is_empty()).map(|name| place_named(&name))
}

/// The frames of a thread.
fn frames_of(core: &Core, at: u64) -> Vec<Frame> {
    let Some(thread) = core.object(THREAD, at) else { return Vec::new() };
    if thread.dispatcher_type() != Some(THREAD_OBJECT) {
        return Vec::new();
    }
    let Ok(starts) = walks::starts(core) else { return Vec::new() };
    let mut walks = Walks::of(&Arc::new(starts));
    stacks::stack_of(core, &mut walks, &thread, false).1
}

fn threads_stack(core: &Core, at: u64, number: usize, evidence: &mut Evidence) {
    let after = format!(" on the stack of the thread that parameter {number} leads to");
    evidence.thread(&frames_of(core, at), |ip| core.place_of(ip).ok(), &SYSTEM, &after);
}

/// The DPC that the crashing processor was running, if its `_KPRCB` says so.
pub(super) fn running_dpc(core: &Core) -> Option<Located> {
    let current = prcbs::current_processor(core).ok();
    let crashed = thread::current_thread(core).ok();
    let prcb = prcbs::prcbs(core).into_iter().flatten().enumerate().find(|(number, prcb)| {
        let is_number = current.is_some_and(|n| usize::try_from(n) == Ok(*number));
        is_number || crashed.is_some_and(|thread| prcb.pointer("CurrentThread") == Ok(thread))
    });
    let data = prcb?.1.at("DpcData").ok()?;
    let dpc = core.structure("_KDPC_DATA", data).pointer("ActiveDpc").ok()?;
    let routine = core.structure("_KDPC", dpc).pointer("DeferredRoutine").ok()?;
    core.place_of(routine).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_drivers_become_modules() {
        for name in ["\\Driver\\HidUsb", "HidUsb.sys", "\\SystemRoot\\drivers\\HidUsb.sys"] {
            assert_eq!(place_named(name).module, "HidUsb");
        }
        assert_eq!(place_named("").module, "");
    }
}
