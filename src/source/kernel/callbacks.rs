//! Routines that drivers have registered to be called: notify routines of processes, threads and
//! images, of the registry, of bug checks, of the shutdown, of file systems, and callback objects.
//!
//! Lists that the debugger data or the directory of objects lead to are read of any dump; the rest
//! is found by the kernel's symbols.

use super::KernelDump;
use super::declared::{
    BUGCHECK, BUGCHECK_REASON, CALLBACK, Declared, FILE_SYSTEMS, REGISTRATION, REGISTRY,
    ROUTINE_BLOCK, SHUTDOWN,
};
use crate::catalog::{Absent, Cell};
use crate::dump::{Width, kdbg};
use crate::model::{Callback, Emit, Flow, Unanswered, Want};

/// Arrays of notify routines; entries before Windows Vista and since, where the array has grown.
const ARRAYS: [&str; 3] =
    ["PspCreateProcessNotifyRoutine", "PspCreateThreadNotifyRoutine", "PspLoadImageNotifyRoutine"];
const FEW: u64 = 8;
const MANY: u64 = 64;
/// The registry's own array, of Windows before Vista, and the most that it holds.
const REGISTRY_ARRAY: &str = "CmpCallBackVector";
const MAX_REGISTRY: u64 = 100;
/// No list is longer.
const MAX_LISTED: usize = 10_000;
/// `IRP_MJ_SHUTDOWN`.
const SHUTDOWN_MAJOR: u64 = 16;
/// How an object of the type `Callback` begins.
const SIGNATURE: u32 = u32::from_le_bytes(*b"Call");
/// No component has a longer name.
const MAX_NAME: usize = 64;

/// A routine that was found.
struct Registered<'a> {
    kind: &'a str,
    routine: u64,
    detail: Cell<String>,
}

impl KernelDump {
    pub(super) fn each_callback(
        &self,
        want: &Want<'_, Callback>,
        emit: Emit<'_, Callback>,
    ) -> Result<(), Unanswered> {
        let mut count = 0;
        let mut visit = |found: Registered<'_>| {
            count += 1;
            emit.row(self.callback_row(want, found))
        };
        let _ = self.for_each_callback(&mut visit);
        if count == 0 && self.symbol_address("nt", ARRAYS[0]).is_none() {
            return Err(Unanswered::because(
                "most callbacks are found by the kernel's symbols, which are not known",
            ));
        }
        Ok(())
    }

    fn callback_row(&self, want: &Want<'_, Callback>, found: Registered<'_>) -> Callback {
        let place = if want.has_any(|c| [c.module, c.symbol]) {
            self.place_of(found.routine)
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

    fn for_each_callback(&self, visit: &mut dyn FnMut(Registered<'_>) -> Flow) -> Flow {
        let is_new = self.header.build.unwrap_or_default() >= 7600;
        for name in ARRAYS {
            let count = if is_new { MANY } else { FEW };
            self.routines_of_array(name, name, count, visit)?;
        }
        self.registry_callbacks(visit)?;
        self.bugcheck_callbacks(visit)?;
        for head in ["IopNotifyShutdownQueueHead", "IopNotifyLastChanceShutdownQueueHead"] {
            for at in self.declared_list(self.head(head)) {
                let device = self.declared_pointer(SHUTDOWN, at, "DeviceObject");
                let driver = device
                    .and_then(|at| self.structure("_DEVICE_OBJECT", at).pointer("DriverObject"));
                let routine = driver.and_then(|at| self.dispatch_of(at, SHUTDOWN_MAJOR));
                let detail = driver.and_then(|at| self.driver_object_name(at));
                self.registered("IoRegisterShutdownNotification", routine, detail, visit)?;
            }
        }
        for at in self.declared_list(self.head("IopFsNotifyChangeQueueHead")) {
            let routine = self.declared_pointer(FILE_SYSTEMS, at, "Function");
            let driver = self.declared_pointer(FILE_SYSTEMS, at, "DriverObject");
            let detail = driver.and_then(|at| self.driver_object_name(at));
            self.registered("IoRegisterFsRegistrationChange", routine, detail, visit)?;
        }
        self.callback_objects(visit)
    }

    /// Hands over a routine, if it can be one: code of the system is in the system's half.
    fn registered(
        &self,
        kind: &str,
        routine: Cell<u64>,
        detail: Cell<String>,
        visit: &mut dyn FnMut(Registered<'_>) -> Flow,
    ) -> Flow {
        match routine {
            Ok(routine) if self.is_system(routine) => visit(Registered { kind, routine, detail }),
            _ => Flow::Continue(()),
        }
    }

    /// Whether an address is in the system's half of the address space.
    pub(super) fn is_system(&self, address: u64) -> bool {
        match self.header.width {
            Width::W32 => self.plain(address) >> 31 == 1,
            Width::W64 => address >> 47 == 0x1_ffff,
        }
    }

    /// The address of a list's head by its symbol.
    fn head(&self, symbol: &str) -> Cell<u64> {
        self.symbol_address("nt", symbol).ok_or(Absent::NoSymbols)
    }

    /// The records of a list whose links stand first in each.
    fn declared_list(&self, head: Cell<u64>) -> Vec<u64> {
        self.listed(head, 0, MAX_LISTED)
    }

    /// An array of references whose lowest bits are counts.
    fn routines_of_array(
        &self,
        symbol: &str,
        kind: &str,
        count: u64,
        visit: &mut dyn FnMut(Registered<'_>) -> Flow,
    ) -> Flow {
        let Some(array) = self.symbol_address("nt", symbol) else { return Flow::Continue(()) };
        let step = self.header.width.bytes() as u64;
        for slot in 0..count {
            let at = array.checked_add(slot * step).ok_or(Absent::Unreadable);
            let block = at.and_then(|at| self.pointer_at(at)).map(|raw| raw & !(2 * step - 1));
            let Some(block) = block.ok().filter(|block| self.is_system(*block)) else { continue };
            let routine = self.declared_pointer(ROUTINE_BLOCK, block, "Function");
            self.registered(kind, routine, Err(Absent::NotApplicable), visit)?;
        }
        Flow::Continue(())
    }

    fn registry_callbacks(&self, visit: &mut dyn FnMut(Registered<'_>) -> Flow) -> Flow {
        if self.symbol_address("nt", REGISTRY_ARRAY).is_some() {
            let count = self.symbol_address("nt", "CmpCallBackCount");
            let count = count.and_then(|at| self.u32_at(at).ok()).unwrap_or(0);
            let count = u64::from(count).min(MAX_REGISTRY);
            return self.routines_of_array(REGISTRY_ARRAY, "CmRegisterCallback", count, visit);
        }
        for at in self.declared_list(self.head("CallbackListHead")) {
            let routine = self.declared_pointer(REGISTRY, at, "Function");
            let altitude = self.declared_at(REGISTRY, at, "Altitude");
            let detail = altitude.and_then(|at| self.unicode_string(at));
            let detail = detail.map(|altitude| format!("Altitude: {altitude}"));
            self.registered("CmRegisterCallbackEx", routine, detail, visit)?;
        }
        Flow::Continue(())
    }

    fn bugcheck_callbacks(&self, visit: &mut dyn FnMut(Registered<'_>) -> Flow) -> Flow {
        let stated = self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::BUGCHECK_CALLBACKS));
        let first = "KeBugCheckCallbackListHead";
        let second = "KeBugCheckReasonCallbackListHead";
        let lists: [(&str, Cell<u64>, Declared); 2] = [
            (first, stated.map_or_else(|| self.head(first), Ok), BUGCHECK),
            (second, self.head(second), BUGCHECK_REASON),
        ];
        for (kind, head, declared) in lists {
            for at in self.declared_list(head) {
                let routine = self.declared_pointer(declared, at, "Function");
                let component = self.declared_pointer(declared, at, "Component");
                let detail = component.and_then(|at| self.short_text(at));
                self.registered(kind, routine, detail, visit)?;
            }
        }
        Flow::Continue(())
    }

    /// Printable characters up to a null.
    fn short_text(&self, address: u64) -> Cell<String> {
        let bytes = self.prefix(address, MAX_NAME)?;
        let text: String = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_graphic() || **byte == b' ')
            .map(|byte| char::from(*byte))
            .collect();
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
    }

    /// What is registered with the objects of `\Callback`; each record points back to its object.
    fn callback_objects(&self, visit: &mut dyn FnMut(Registered<'_>) -> Flow) -> Flow {
        for object in self.objects_below_root("Callback") {
            let signature = self.declared_at(CALLBACK, object, "Signature");
            if signature.and_then(|at| self.u32_at(at)) != Ok(SIGNATURE) {
                continue;
            }
            let name = self.object_name(object).map(|name| format!(r"\Callback\{name}"));
            let head = self.declared_at(CALLBACK, object, "RegisteredCallbacks");
            for at in self.declared_list(head) {
                if self.declared_pointer(REGISTRATION, at, "CallbackObject") == Ok(object) {
                    let routine = self.declared_pointer(REGISTRATION, at, "Function");
                    self.registered("ExRegisterCallback", routine, name.clone(), visit)?;
                }
            }
        }
        Flow::Continue(())
    }
}
