//! Callback routines that drivers registered: notify routines for processes, threads and images,
//! for the registry, bug checks, shutdown and file systems, and callback objects.
//!
//! Lists that the debugger data block or the object directory leads to are read from any dump; the
//! others need kernel symbols.

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::{Callback, Emit, Flow, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::declared::{
    BUGCHECK, BUGCHECK_REASON, CALLBACK, Declared, FILE_SYSTEMS, REGISTRATION, REGISTRY,
    ROUTINE_BLOCK, SHUTDOWN,
};
use crate::source::kernel::io::drivers;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::ObjectManager;

/// Arrays of notify routines; their sizes before Windows Vista and since, when the arrays grew.
const ARRAYS: [&str; 3] =
    ["PspCreateProcessNotifyRoutine", "PspCreateThreadNotifyRoutine", "PspLoadImageNotifyRoutine"];
const FEW: u64 = 8;
const MANY: u64 = 64;
/// The array of registry callbacks before Windows Vista, and its size.
const REGISTRY_ARRAY: &str = "CmpCallBackVector";
const MAX_REGISTRY: u64 = 100;
/// Upper limit on a list.
const MAX_LISTED: usize = 10_000;
/// `IRP_MJ_SHUTDOWN`.
const SHUTDOWN_MAJOR: u64 = 16;
/// The signature of a `Callback` object.
const SIGNATURE: u32 = u32::from_le_bytes(*b"Call");
/// Upper limit on the length of a component name.
const MAX_NAME: usize = 64;

/// A registered routine.
struct Registered<'a> {
    kind: &'a str,
    routine: u64,
    detail: Cell<String>,
}

pub(crate) fn each_callback(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, Callback>,
    emit: Emit<'_, Callback>,
) -> Result<(), Unanswered> {
    let mut count = 0;
    let mut visit = |found: Registered<'_>| {
        count += 1;
        emit.row(callback_row(core, want, found))
    };
    let _ = for_each_callback(core, objects, &mut visit);
    if count == 0 && core.symbol_address("nt", ARRAYS[0]).is_none() {
        return Err(Unanswered::because(
            "most callbacks can be found only with kernel symbols, which are missing",
        ));
    }
    Ok(())
}

fn callback_row(core: &Core, want: &Want<'_, Callback>, found: Registered<'_>) -> Callback {
    let place = if want.has_any(|c| [c.module, c.symbol]) {
        core.place_of(found.routine)
    } else {
        Err(Absent::NotApplicable)
    };
    Callback {
        kind: Ok(found.kind.to_owned()),
        address: Ok(found.routine),
        symbol: place.as_ref().map(crate::model::Located::display).map_err(|absent| *absent),
        module: place.map(|place| place.module),
        detail: found.detail,
        ..Callback::default()
    }
}

fn for_each_callback(
    core: &Core,
    objects: &ObjectManager,
    visit: &mut dyn FnMut(Registered<'_>) -> Flow,
) -> Flow {
    let is_new = core.header.build.unwrap_or_default() >= 7600;
    for name in ARRAYS {
        let count = if is_new { MANY } else { FEW };
        routines_of_array(core, name, name, count, visit)?;
    }
    registry_callbacks(core, visit)?;
    bugcheck_callbacks(core, visit)?;
    for head in ["IopNotifyShutdownQueueHead", "IopNotifyLastChanceShutdownQueueHead"] {
        for at in declared_list(core, list_head(core, head)) {
            let device = core.declared_pointer(SHUTDOWN, at, "DeviceObject");
            let driver =
                device.and_then(|at| core.structure("_DEVICE_OBJECT", at).pointer("DriverObject"));
            let routine = driver.and_then(|at| drivers::dispatch_of(core, at, SHUTDOWN_MAJOR));
            let detail = driver.and_then(|at| drivers::driver_object_name(core, objects, at));
            registered(core, "IoRegisterShutdownNotification", routine, detail, visit)?;
        }
    }
    for at in declared_list(core, list_head(core, "IopFsNotifyChangeQueueHead")) {
        let routine = core.declared_pointer(FILE_SYSTEMS, at, "Function");
        let driver = core.declared_pointer(FILE_SYSTEMS, at, "DriverObject");
        let detail = driver.and_then(|at| drivers::driver_object_name(core, objects, at));
        registered(core, "IoRegisterFsRegistrationChange", routine, detail, visit)?;
    }
    callback_objects(core, objects, visit)
}

/// Passes on a routine if its address is valid: kernel code is in kernel space.
fn registered(
    core: &Core,
    kind: &str,
    routine: Cell<u64>,
    detail: Cell<String>,
    visit: &mut dyn FnMut(Registered<'_>) -> Flow,
) -> Flow {
    match routine {
        Ok(routine) if core.is_system(routine) => visit(Registered { kind, routine, detail }),
        _ => Flow::Continue(()),
    }
}

/// The address of a list head, from its symbol.
fn list_head(core: &Core, symbol: &str) -> Cell<u64> {
    core.symbol_address("nt", symbol).ok_or(Absent::NoSymbols)
}

/// The records of a list whose links are at the start of each record.
fn declared_list(core: &Core, head: Cell<u64>) -> Vec<u64> {
    core.listed(head, 0, MAX_LISTED)
}

/// An array of fast references (`_EX_FAST_REF`), whose lowest bits are counts.
fn routines_of_array(
    core: &Core,
    symbol: &str,
    kind: &str,
    count: u64,
    visit: &mut dyn FnMut(Registered<'_>) -> Flow,
) -> Flow {
    let Some(array) = core.symbol_address("nt", symbol) else { return Flow::Continue(()) };
    let step = core.header.width.bytes() as u64;
    for slot in 0..count {
        let at = array.checked_add(slot * step).ok_or(Absent::Unreadable);
        let block = at.and_then(|at| core.pointer_at(at)).map(|raw| raw & !(2 * step - 1));
        let Some(block) = block.ok().filter(|block| core.is_system(*block)) else { continue };
        let routine = core.declared_pointer(ROUTINE_BLOCK, block, "Function");
        registered(core, kind, routine, Err(Absent::NotApplicable), visit)?;
    }
    Flow::Continue(())
}

fn registry_callbacks(core: &Core, visit: &mut dyn FnMut(Registered<'_>) -> Flow) -> Flow {
    if core.symbol_address("nt", REGISTRY_ARRAY).is_some() {
        let count = core.symbol_address("nt", "CmpCallBackCount");
        let count = count.and_then(|at| core.u32_at(at).ok()).unwrap_or(0);
        let count = u64::from(count).min(MAX_REGISTRY);
        return routines_of_array(core, REGISTRY_ARRAY, "CmRegisterCallback", count, visit);
    }
    for at in declared_list(core, list_head(core, "CallbackListHead")) {
        let routine = core.declared_pointer(REGISTRY, at, "Function");
        let altitude = core.declared_at(REGISTRY, at, "Altitude");
        let detail = altitude.and_then(|at| core.unicode_string(at));
        let detail = detail.map(|altitude| format!("Altitude: {altitude}"));
        registered(core, "CmRegisterCallbackEx", routine, detail, visit)?;
    }
    Flow::Continue(())
}

fn bugcheck_callbacks(core: &Core, visit: &mut dyn FnMut(Registered<'_>) -> Flow) -> Flow {
    let stated = core.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::BUGCHECK_CALLBACKS));
    let first = "KeBugCheckCallbackListHead";
    let second = "KeBugCheckReasonCallbackListHead";
    let lists: [(&str, Cell<u64>, Declared); 2] = [
        (first, stated.map_or_else(|| list_head(core, first), Ok), BUGCHECK),
        (second, list_head(core, second), BUGCHECK_REASON),
    ];
    for (kind, head, declared) in lists {
        for at in declared_list(core, head) {
            let routine = core.declared_pointer(declared, at, "Function");
            let component = core.declared_pointer(declared, at, "Component");
            let detail = component.and_then(|at| short_text(core, at));
            registered(core, kind, routine, detail, visit)?;
        }
    }
    Flow::Continue(())
}

/// Printable characters up to a null.
fn short_text(core: &Core, address: u64) -> Cell<String> {
    let bytes = core.prefix(address, MAX_NAME)?;
    let text: String = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_graphic() || **byte == b' ')
        .map(|byte| char::from(*byte))
        .collect();
    if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
}

/// The routines that are registered with the objects of `\Callback`; each registration points back
/// to its object.
fn callback_objects(
    core: &Core,
    objects: &ObjectManager,
    visit: &mut dyn FnMut(Registered<'_>) -> Flow,
) -> Flow {
    for object in manager::objects_below_root(core, objects, "Callback") {
        let signature = core.declared_at(CALLBACK, object, "Signature");
        if signature.and_then(|at| core.u32_at(at)) != Ok(SIGNATURE) {
            continue;
        }
        let name =
            manager::object_name(core, objects, object).map(|name| format!(r"\Callback\{name}"));
        let head = core.declared_at(CALLBACK, object, "RegisteredCallbacks");
        for at in declared_list(core, head) {
            if core.declared_pointer(REGISTRATION, at, "CallbackObject") == Ok(object) {
                let routine = core.declared_pointer(REGISTRATION, at, "Function");
                registered(core, "ExRegisterCallback", routine, name.clone(), visit)?;
            }
        }
    }
    Flow::Continue(())
}
