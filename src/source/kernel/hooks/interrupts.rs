//! The interrupt descriptor tables (IDTs) of the processors, and the interrupt objects behind them.
//!
//! The IDT entry of a device interrupt leads to an interrupt object (`_KINTERRUPT`), which holds
//! the driver's routine. In older kernels the entry points to code inside the object; newer kernels
//! find the object by its vector in the processor's block.

use crate::catalog::{Absent, Cell};
use crate::dump::{Width, kdbg};
use crate::model::{Emit, Flow, InterruptVector, Located, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::scheduler::prcbs;

/// Upper limit on the entries of a table.
const MAX_VECTORS: u64 = 256;
/// Upper limit on the handlers of a vector.
const MAX_CHAINED: usize = 64;
const INTERRUPT: &str = "_KINTERRUPT";
/// The kernel object type of interrupt objects.
const INTERRUPT_TYPE: u64 = 22;
/// Bits of a 32-bit entry: present, and its type; a task gate has no handler.
const PRESENT: u64 = 0x8000;
const GATE: u64 = 0x1f00;
const TASK_GATE: u64 = 0x0500;
/// The images that handle interrupts themselves.
const KERNEL: [&str; 2] = ["nt", "hal"];

pub(crate) fn each_vector(
    core: &Core,
    want: &Want<'_, InterruptVector>,
    emit: Emit<'_, InterruptVector>,
) -> Result<(), Unanswered> {
    let (gate, base) = match core.header.width {
        Width::W32 => ("_KIDTENTRY", "IDT"),
        Width::W64 => ("_KIDTENTRY64", "IdtBase"),
    };
    let size = core.size_of(gate).filter(|size| *size != 0);
    let Some(size) = size.filter(|_| core.has_field("_KPCR", base)) else {
        return Err(Unanswered::because("no layout of the interrupt descriptor table is known"));
    };
    for (number, prcb) in (0..).zip(prcbs::prcbs(core)) {
        let Some(prcb) = prcb else { continue };
        let Ok(table) = control_region(core, &prcb).and_then(|region| region.pointer(base)) else {
            continue;
        };
        for vector in 0..vectors(&prcb, size) {
            let Some(at) = table.checked_add(vector * size) else { break };
            let entry = core.structure(gate, at);
            if for_each_handler(core, want, (number, &prcb), vector, entry, emit).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The control region (`_KPCR`) that contains a processor's `_KPRCB`.
fn control_region<'a>(core: &'a Core, prcb: &Structure<'_>) -> Cell<Structure<'a>> {
    let stated = core.kdbg().and_then(|kdbg| kdbg.number(kdbg::PCR_PRCB));
    let known = || {
        let field = core.field_of("_KPCR", &["Prcb", "PrcbData"])?;
        Some(field.offset)
    };
    // A 32-bit control region has a pointer with the name that 64-bit ones use for the block
    // itself.
    let inside = match core.header.width {
        Width::W32 => stated.or_else(|| core.field("_KPCR", "PrcbData").map(|f| f.offset)),
        Width::W64 => stated.or_else(known),
    };
    let inside = inside.ok_or(Absent::NoSymbols)? as u64;
    let at = prcb.address?.checked_sub(inside).ok_or(Absent::Unreadable)?;
    Ok(core.structure("_KPCR", at))
}

/// Passes on the handlers of an entry: one, or several for a shared interrupt.
fn for_each_handler(
    core: &Core,
    want: &Want<'_, InterruptVector>,
    (processor, prcb): (i64, &Structure<'_>),
    vector: u64,
    entry: Structure<'_>,
    emit: Emit<'_, InterruptVector>,
) -> Flow {
    let Some(handler) = handler(core, entry) else { return Flow::Continue(()) };
    let first = handler.ok().and_then(|at| interrupt_object(core, prcb, vector, at));
    let mut objects: Vec<Option<u64>> = vec![first];
    objects.extend(first.into_iter().flat_map(|first| chained(core, first)).map(Some));
    for object in objects {
        let routine = match object {
            Some(at) => service_of(core, at),
            None => handler,
        };
        let place = match routine {
            Ok(at) if want.has(|c| c.symbol) => core.place_of(at),
            Ok(at) => core.module_at(at),
            Err(absent) => Err(absent),
        };
        let module = place.as_ref().map(|place| place.module.as_str());
        let is_own = |module: &str| KERNEL.iter().any(|kernel| module.eq_ignore_ascii_case(kernel));
        emit.row(InterruptVector {
            processor: Ok(processor),
            vector: i64::try_from(vector).map_err(|_| Absent::Unreadable),
            address: routine,
            is_outside_module: routine.map(|_| !module.is_ok_and(is_own)),
            module: module.map(str::to_owned).map_err(|absent| *absent),
            symbol: place.as_ref().map(Located::display).map_err(|absent| *absent),
            interrupt_object: object.ok_or(Absent::NotApplicable),
            ..InterruptVector::default()
        })?;
    }
    Flow::Continue(())
}

/// The handler of an entry, or `None` if the entry is not in use.
fn handler(core: &Core, entry: Structure<'_>) -> Option<Cell<u64>> {
    let low = entry.unsigned(match core.header.width {
        Width::W32 => "Offset",
        Width::W64 => "OffsetLow",
    });
    let Ok(low) = low else { return None };
    if core.header.width == Width::W32 {
        let access = entry.unsigned("Access").ok().filter(|access| access & PRESENT != 0)?;
        if access & GATE == TASK_GATE {
            return Some(Err(Absent::NotApplicable));
        }
        return Some(entry.unsigned("ExtendedOffset").map(|high| low | high << 16));
    }
    if entry.unsigned("Present") != Ok(1) {
        return None;
    }
    let middle = entry.unsigned("OffsetMiddle");
    Some(middle.and_then(|middle| Ok(low | middle << 16 | entry.unsigned("OffsetHigh")? << 32)))
}

/// The interrupt object of a vector.
fn interrupt_object(core: &Core, prcb: &Structure<'_>, vector: u64, handler: u64) -> Option<u64> {
    if let Some(code) = core.field(INTERRUPT, "DispatchCode") {
        let found = handler.checked_sub(code.offset as u64)?;
        return is_interrupt(core, found).then_some(found);
    }
    let step = core.header.width.bytes() as u64;
    let names = ["InterruptObject", "VectorToInterruptObject"];
    let (name, field) = names.iter().find_map(|name| Some((*name, core.field("_KPRCB", name)?)))?;
    // A shorter array leaves out the vectors that the processor reserves.
    let missing = MAX_VECTORS.checked_sub(field.size as u64 / step)?;
    let index = vector.checked_sub(missing)?;
    let at = prcb.at(name).ok()?.checked_add(index * step)?;
    let found = core.pointer_at(at).ok().filter(|at| *at != 0)?;
    is_interrupt(core, found).then_some(found)
}

/// Whether an interrupt object is at an address.
fn is_interrupt(core: &Core, address: u64) -> bool {
    let interrupt = core.structure(INTERRUPT, address);
    interrupt.unsigned("Type") == Ok(INTERRUPT_TYPE) && service_of(core, address).is_ok()
}

/// The service routine of an interrupt object; the message service routine if there is one, because
/// the service routine then only calls it.
fn service_of(core: &Core, address: u64) -> Cell<u64> {
    let interrupt = core.structure(INTERRUPT, address);
    let message = interrupt.pointer("MessageServiceRoutine");
    let routine = message.or_else(|_| interrupt.pointer("ServiceRoutine"))?;
    if core.is_system(routine) { Ok(routine) } else { Err(Absent::Unreadable) }
}

/// The other interrupt objects that share an interrupt.
fn chained(core: &Core, first: u64) -> Vec<u64> {
    let Some(links) = core.field(INTERRUPT, "InterruptListEntry") else { return Vec::new() };
    let head = first.checked_add(links.offset as u64).ok_or(Absent::Unreadable);
    let others = core.listed(head, links.offset as u64, MAX_CHAINED);
    others.into_iter().filter(|at| is_interrupt(core, *at)).collect()
}

/// The number of entries, from the saved IDT register if there is one.
fn vectors(prcb: &Structure<'_>, size: u64) -> u64 {
    let limit = prcb.unsigned("ProcessorState.SpecialRegisters.Idtr.Limit");
    match limit {
        Ok(limit) if limit != 0 => ((limit + 1) / size).min(MAX_VECTORS),
        _ => MAX_VECTORS,
    }
}
