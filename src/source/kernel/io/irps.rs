//! Rows of IRPs and of their stack locations.

use crate::source::kernel::batches;
use std::collections::HashMap;

use crate::catalog::{Absent, Cell};
use crate::model::{Irp, IrpLocation, OfRow, RowSink, Unanswered, Want};
use crate::source::kernel::batches::Idle;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::io::drivers::{DEVICE, major_name, minor_name};
use crate::source::kernel::io::irp_search::{IrpLayout, LOCATION};
use crate::source::kernel::io::state::{FoundIrp, Io};
use crate::source::kernel::io::{drivers, irp_search};
use crate::source::kernel::objects::manager::ObjectManager;
use crate::source::kernel::pool::state::Pool;
use crate::source::kernel::scheduler::thread::Named;
use crate::source::kernel::scheduler::{dispatcher, thread};
use crate::source::kernel::wanted::wanted;

/// `SL_PENDING_RETURNED`, and the flags that say when a completion routine is called.
const PENDING: u64 = 0x01;
const INVOKE_ON: [(u64, &str); 3] = [(0x40, "success"), (0x80, "error"), (0x20, "cancel")];

/// Rows per batch, and rows per parallel task.
const BATCH: usize = 1 << 14;
const PART: usize = 256;

/// Names that many IRPs share, each read once.
struct Shared<'a> {
    core: &'a Core,
    objects: &'a ObjectManager,
    devices: HashMap<u64, (Cell<u64>, Cell<String>)>,
    files: HashMap<u64, Cell<String>>,
    symbols: HashMap<u64, Cell<String>>,
    threads: HashMap<u64, Named>,
    /// The objects that threads wait for, and for how long.
    waits: HashMap<u64, (Vec<u64>, Cell<i64>)>,
}

impl<'a> Shared<'a> {
    fn new(core: &'a Core, objects: &'a ObjectManager) -> Self {
        Self {
            core,
            objects,
            devices: HashMap::new(),
            files: HashMap::new(),
            symbols: HashMap::new(),
            threads: HashMap::new(),
            waits: HashMap::new(),
        }
    }

    /// The driver of a device, and its name.
    fn driver(&mut self, device: Cell<u64>) -> (Cell<u64>, Cell<String>) {
        let at = match device {
            Ok(at) => at,
            Err(absent) => return (Err(absent), Err(absent)),
        };
        let read = || {
            let driver = self.core.structure(DEVICE, at).pointer("DriverObject");
            (driver, driver.and_then(|at| drivers::driver_object_name(self.core, self.objects, at)))
        };
        self.devices.entry(at).or_insert_with(read).clone()
    }

    fn file(&mut self, file: Cell<u64>) -> Cell<String> {
        let (core, at) = (self.core, file?);
        let read = || core.structure("_FILE_OBJECT", at).unicode("FileName");
        self.files.entry(at).or_insert_with(read).clone()
    }

    fn symbol(&mut self, routine: Cell<u64>) -> Cell<String> {
        let (core, at) = (self.core, routine?);
        self.symbols.entry(at).or_insert_with(|| core.symbol_text(Ok(at))).clone()
    }

    fn thread(&mut self, thread: Cell<u64>) -> Named {
        let (core, at) = match thread {
            Ok(at) => (self.core, at),
            Err(absent) => {
                return Named { tid: Err(absent), pid: Err(absent), process: Err(absent) };
            }
        };
        self.threads.entry(at).or_insert_with(|| thread::named_thread(core, at)).clone()
    }

    /// The age of an IRP whose thread waits for an event that its completion sets: the thread began
    /// to wait right after it sent the IRP.
    fn age(&mut self, thread: Cell<u64>, events: [Cell<u64>; 2]) -> Cell<i64> {
        let (core, at) = (self.core, thread?);
        let (awaited, waited) = self.waits.entry(at).or_insert_with(|| {
            let thread = core.object(THREAD, at);
            let waits = |thread: &Structure<'_>| {
                (dispatcher::awaited(core, thread), thread::waited_ms(core, thread))
            };
            thread.as_ref().map_or((Vec::new(), Err(Absent::NotInDump)), waits)
        });
        let is_awaited = events.iter().flatten().any(|event| awaited.contains(event));
        if is_awaited { *waited } else { Err(Absent::NotApplicable) }
    }
}

pub(crate) fn each_irp(
    core: &Core,
    objects: &ObjectManager,
    pool: &Pool,
    io: &Io,
    want: &Want<'_, Irp>,
    into: &mut dyn RowSink<Irp>,
) -> Result<(), Unanswered> {
    let layout = irp_search::irp_layout(core)?;
    let names = Idle::default();
    let make = |part: &[FoundIrp], push: &mut dyn FnMut(Irp)| {
        let mut shared = names.take(|| Shared::new(core, objects));
        for found in part {
            let irp = layout.at(found.irp);
            push(irp_row(core, want, &layout, &mut shared, (*found, &irp)));
        }
        names.give(shared);
    };
    let _ = batches::all(
        &irp_search::irps(core, objects, pool, io, want.control())?,
        BATCH,
        PART,
        make,
        into,
    );
    Ok(())
}

fn irp_row(
    core: &Core,
    want: &Want<'_, Irp>,
    layout: &IrpLayout<'_>,
    shared: &mut Shared<'_>,
    (found, irp): (FoundIrp, &Structure<'_>),
) -> Irp {
    let counts = IrpLayout::counts(irp);
    let is_completed = counts.map(|(count, current)| current > count);
    let current = counts.and_then(|(count, current)| {
        if current > count {
            return Err(Absent::NotApplicable);
        }
        layout.location(found.irp, current)
    });
    let location = current.map(|at| core.structure(LOCATION, at).read());
    let location = location.as_ref().map_err(|absent| *absent);
    let number = |path| location.and_then(|location| location.unsigned(path));
    let pointer = |path| location.and_then(|location| location.pointer(path));
    let device = pointer("DeviceObject");
    let file = pointer("FileObject");
    let (major, minor) = (number("MajorFunction"), number("MinorFunction"));
    let cancel = irp.pointer("CancelRoutine");
    let mdl = irp.pointer("MdlAddress");
    let thread = found.thread.map_or_else(|| irp.pointer("Tail.Overlay.Thread"), Ok);
    let is_named = want.has_any(|c| [c.tid, c.pid, c.process]);
    let named = shared.thread(if is_named { thread } else { Err(Absent::NotApplicable) });
    let is_driven = want.has_any(|c| [c.driver_object, c.driver]);
    let driver = shared.driver(if is_driven { device } else { Err(Absent::NotApplicable) });
    Irp {
        irp: Ok(found.irp),
        found_in: wanted(want, |c| c.found_in, || Ok(found.found_in())),
        ethread: thread,
        tid: named.tid,
        pid: named.pid,
        process: named.process,
        stack_count: counts.map(|(count, _)| count.cast_signed()),
        current_location: counts.map(|(_, current)| current.cast_signed()),
        is_completed,
        major: major.map(u64::cast_signed),
        minor: minor.map(u64::cast_signed),
        major_name: wanted(want, |c| c.major_name, || major_name(major?)),
        minor_name: wanted(want, |c| c.minor_name, || minor_name(major?, minor?)),
        device_object: device,
        driver_object: driver.0,
        driver: driver.1,
        file_object: file,
        file_name: wanted(want, |c| c.file_name, || shared.file(file)),
        mdl,
        mdl_process: wanted(
            want,
            |c| c.mdl_process,
            || core.structure("_MDL", mdl?).pointer("Process"),
        ),
        flags: irp.code("Flags"),
        is_cancelled: irp.unsigned("Cancel").map(|cancel| cancel != 0),
        is_pending: number("Control").map(|control| control & PENDING != 0),
        cancel_routine: cancel,
        cancel_symbol: wanted(want, |c| c.cancel_symbol, || shared.symbol(cancel)),
        user_event: irp.pointer("UserEvent"),
        system_buffer: irp.pointer("AssociatedIrp.SystemBuffer"),
        status: irp.code("IoStatus.Status"),
        information: irp.raw_pointer("IoStatus.Information"),
        age_ms: wanted(
            want,
            |c| c.age_ms,
            || {
                let of_file = file.and_then(|at| core.structure("_FILE_OBJECT", at).at("Event"));
                shared.age(thread, [irp.pointer("UserEvent"), of_file])
            },
        ),
        ..Irp::default()
    }
}

pub(crate) fn each_irp_location(
    core: &Core,
    objects: &ObjectManager,
    pool: &Pool,
    io: &Io,
    want: &Want<'_, IrpLocation>,
    into: &mut dyn RowSink<IrpLocation>,
) -> Result<(), Unanswered> {
    let layout = irp_search::irp_layout(core)?;
    let names = Idle::default();
    let make = |part: &[FoundIrp], push: &mut dyn FnMut(IrpLocation)| {
        let mut shared = names.take(|| Shared::new(core, objects));
        for found in part {
            let counts = IrpLayout::counts(&layout.at(found.irp));
            let Ok((count, current)) = counts else { continue };
            for index in (1..=count).rev() {
                let Ok(at) = layout.location(found.irp, index) else { break };
                let place = (found.irp, index, index == current);
                push(location_row(want, place, &core.structure(LOCATION, at).read(), &mut shared));
            }
        }
        names.give(shared);
    };
    let _ = batches::all(
        &irp_search::irps(core, objects, pool, io, want.control())?,
        BATCH,
        PART,
        make,
        into,
    );
    Ok(())
}

fn location_row(
    want: &Want<'_, IrpLocation>,
    (irp, index, is_current): (u64, u64, bool),
    location: &Structure<'_>,
    shared: &mut Shared<'_>,
) -> IrpLocation {
    let device = location.pointer("DeviceObject");
    let file = location.pointer("FileObject");
    let routine = location.pointer("CompletionRoutine");
    let (major, minor) = (location.unsigned("MajorFunction"), location.unsigned("MinorFunction"));
    let argument =
        |column: OfRow<IrpLocation>, i| wanted(want, column, || location.element("Parameters", i));
    IrpLocation {
        irp: Ok(irp),
        index: Ok(index.cast_signed()),
        is_current: Ok(is_current),
        major: major.map(u64::cast_signed),
        minor: minor.map(u64::cast_signed),
        major_name: wanted(want, |c| c.major_name, || major_name(major?)),
        minor_name: wanted(want, |c| c.minor_name, || minor_name(major?, minor?)),
        flags: location.code("Flags"),
        control: location.code("Control"),
        arg1: argument(|c| c.arg1, 0),
        arg2: argument(|c| c.arg2, 1),
        arg3: argument(|c| c.arg3, 2),
        arg4: argument(|c| c.arg4, 3),
        device_object: device,
        driver: wanted(want, |c| c.driver, || shared.driver(device).1),
        file_object: file,
        file_name: wanted(want, |c| c.file_name, || shared.file(file)),
        completion_routine: routine,
        completion_symbol: wanted(want, |c| c.completion_symbol, || shared.symbol(routine)),
        context: location.pointer("Context"),
        completes_on: wanted(want, |c| c.completes_on, || completes_on(location, routine)),
        ..IrpLocation::default()
    }
}

/// When the completion routine of a stack location is called, as text.
fn completes_on(location: &Structure<'_>, routine: Cell<u64>) -> Cell<String> {
    routine?;
    let control = location.unsigned("Control")?;
    let named = INVOKE_ON.iter().filter(|(bit, _)| control & bit != 0);
    let words: Vec<&str> = named.map(|(_, word)| *word).collect();
    if words.is_empty() { Err(Absent::NotApplicable) } else { Ok(words.join(" ")) }
}
