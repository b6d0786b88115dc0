//! I/O request packets, as far as threads list them.

use super::KernelDump;
use super::object::Object;
use super::structure::Structure;
use crate::catalog::{Absent, Cell, names};
use crate::model::{Emit, Flow, Irp, IrpLocation, Unanswered};

/// No list of a thread is longer; a longer one runs in a circle.
const MAX_IRPS: usize = 4096;
/// No packet has more stack locations (`CCHAR`).
const MAX_LOCATIONS: u64 = 127;
/// `SL_PENDING_RETURNED`, and when a completion routine is called.
const PENDING: u64 = 0x01;
const INVOKE_ON: [(u64, &str); 3] = [(0x40, "success"), (0x80, "error"), (0x20, "cancel")];
const IRP: &str = "_IRP";
const LOCATION: &str = "_IO_STACK_LOCATION";

fn major_name(major: Cell<i64>) -> Cell<String> {
    let name = u8::try_from(major?).ok().and_then(names::irp_major);
    name.map(str::to_owned).ok_or(Absent::NotApplicable)
}

impl KernelDump {
    /// Visits each packet on the list of a thread.
    fn for_each_listed_irp(
        &self,
        visit: &mut dyn FnMut(&Object<'_>, u64) -> Flow,
    ) -> Result<(), Unanswered> {
        let links = self.types().other(IRP, "ThreadListEntry");
        let links = links.ok_or_else(|| Unanswered::because("no layout of _IRP is known"))?;
        self.for_each_thread(&mut |thread, _| {
            for irp in self.listed(thread.address_of("IrpList"), links.offset as u64, MAX_IRPS) {
                visit(thread, irp)?;
            }
            Flow::Continue(())
        })
    }

    pub(super) fn each_irp(&self, emit: Emit<'_, Irp>) -> Result<(), Unanswered> {
        self.for_each_listed_irp(&mut |thread, address| {
            let named = self.named(thread);
            emit(Irp {
                ethread: thread.address,
                tid: named.tid,
                pid: named.pid,
                process: named.process,
                ..self.irp_row(address)
            })
        })
    }

    fn irp_row(&self, address: u64) -> Irp {
        let irp = self.structure(IRP, address);
        let count = irp.int("StackCount");
        let current = irp.int("CurrentLocation");
        let is_completed = current.and_then(|current| Ok(current > count?));
        let location = match is_completed {
            Ok(true) => Err(Absent::NotApplicable),
            _ => irp.follow("Tail.Overlay.CurrentStackLocation", LOCATION),
        };
        let int = |path| location.and_then(|location| location.int(path));
        let pointer = |path| location.and_then(|location| location.pointer(path));
        let device = pointer("DeviceObject");
        let driver_object =
            device.and_then(|at| self.structure("_DEVICE_OBJECT", at).pointer("DriverObject"));
        let file = pointer("FileObject");
        let cancel = irp.pointer("CancelRoutine");
        let major = int("MajorFunction");
        Irp {
            irp: Ok(address),
            found_in: Ok("thread".to_owned()),
            stack_count: count,
            current_location: current,
            is_completed,
            major,
            minor: int("MinorFunction"),
            major_name: major_name(major),
            device_object: device,
            driver_object,
            driver: driver_object.and_then(|at| self.driver_object_name(at)),
            file_object: file,
            file_name: file.and_then(|at| self.structure("_FILE_OBJECT", at).unicode("FileName")),
            mdl: irp.pointer("MdlAddress"),
            flags: irp.int("Flags"),
            is_cancelled: irp.unsigned("Cancel").map(|cancel| cancel != 0),
            is_pending: location
                .and_then(|location| location.unsigned("Control"))
                .map(|control| control & PENDING != 0),
            cancel_routine: cancel,
            cancel_symbol: cancel.and_then(|at| self.place_of(at)).map(|place| place.display()),
            user_event: irp.pointer("UserEvent"),
            system_buffer: irp.pointer("AssociatedIrp.SystemBuffer"),
            status: irp.int("IoStatus.Status"),
            information: irp.raw_pointer("IoStatus.Information"),
            ..Irp::default()
        }
    }

    /// The name of a driver object (`\Driver\Ntfs`).
    fn driver_object_name(&self, address: u64) -> Cell<String> {
        self.structure("_DRIVER_OBJECT", address).unicode("DriverName")
    }

    pub(super) fn each_irp_location(&self, emit: Emit<'_, IrpLocation>) -> Result<(), Unanswered> {
        self.for_each_listed_irp(&mut |_, address| {
            let irp = self.structure(IRP, address);
            let (Ok(count), Ok(size)) = (irp.unsigned("StackCount"), irp.size()) else {
                return Flow::Continue(());
            };
            let current = irp.unsigned("CurrentLocation");
            // The locations follow the packet, the lowest first.
            for index in (1..=count.min(MAX_LOCATIONS)).rev() {
                let first = address.checked_add(size);
                let step = self.structure(LOCATION, address).size().unwrap_or(0);
                let at = first.and_then(|first| first.checked_add((index - 1).checked_mul(step)?));
                let Some(at) = at else { break };
                emit(self.location_row(address, index, current, self.structure(LOCATION, at)))?;
            }
            Flow::Continue(())
        })
    }

    fn location_row(
        &self,
        irp: u64,
        index: u64,
        current: Cell<u64>,
        location: Structure<'_>,
    ) -> IrpLocation {
        let device = location.pointer("DeviceObject");
        let driver =
            device.and_then(|at| self.structure("_DEVICE_OBJECT", at).pointer("DriverObject"));
        let routine = location.pointer("CompletionRoutine");
        let control = location.unsigned("Control");
        let on = |control: u64| {
            let named = INVOKE_ON.iter().filter(|(bit, _)| control & bit != 0);
            let words: Vec<&str> = named.map(|(_, word)| *word).collect();
            if words.is_empty() { Err(Absent::NotApplicable) } else { Ok(words.join(" ")) }
        };
        let step = self.header.width.bytes() as u64;
        let argument = |i: u64| {
            let at = location.at("Parameters").or_else(|_| location.at("Parameters.Others"))?;
            self.pointer_at(at.checked_add(i * step).ok_or(Absent::Unreadable)?)
        };
        let major = location.int("MajorFunction");
        IrpLocation {
            irp: Ok(irp),
            index: i64::try_from(index).map_err(|_| Absent::Unreadable),
            is_current: current.map(|current| current == index),
            major,
            minor: location.int("MinorFunction"),
            major_name: major_name(major),
            flags: location.int("Flags"),
            control: location.int("Control"),
            arg1: argument(0),
            arg2: argument(1),
            arg3: argument(2),
            arg4: argument(3),
            device_object: device,
            driver: driver.and_then(|at| self.driver_object_name(at)),
            file_object: location.pointer("FileObject"),
            completion_routine: routine,
            completion_symbol: routine
                .and_then(|at| self.place_of(at))
                .map(|place| place.display()),
            context: location.pointer("Context"),
            completes_on: control.and_then(on),
            ..IrpLocation::default()
        }
    }
}
