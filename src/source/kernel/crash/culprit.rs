//! The suspected cause of a bug check, from its parameters, its exception and the crash stack.

use std::sync::Arc;

use crate::dump::Width;
use crate::dump::bytes::pointer_at;
use crate::dump::header::ExceptionRecord;
use crate::source::context::Context;
use crate::source::kernel::core::Core;
use crate::source::kernel::crash::leads::{self, parameter};
use crate::source::kernel::crash::whea;
use crate::source::kernel::scheduler::thread;
use crate::source::kernel::stack::walks::Walks;
use crate::source::kernel::stack::{stacks, walks};
use crate::source::suspects::{Evidence, SYSTEM, Suspect};
use crate::unwind::{Frame, Registers};

/// A flag that Windows sets in the bug check code if a small dump stores the parameters in another
/// form.
const SMALL_DUMP: u32 = 0x1000_0000;

/// Bug checks with a parameter that is the address of an exception record, and the index of that
/// parameter.
const RECORDS: &[(u32, usize)] = &[
    (0x23, 1),
    (0x24, 1),
    (0x27, 1),
    (0x7e, 2),
    (0x9b, 1),
    (0x108, 1),
    (0x10f, 0),
    (0x12c, 1),
    (0x139, 2),
    (0x149, 1),
    (0x1aa, 3),
];
/// Bug checks with a parameter that is the address of a context record.
const CONTEXTS: &[(u32, usize)] = &[
    (0x23, 2),
    (0x24, 2),
    (0x27, 2),
    (0x3b, 2),
    (0x7e, 3),
    (0x9b, 2),
    (0x108, 2),
    (0x10f, 1),
    (0x12c, 2),
    (0x135, 1),
    (0x149, 2),
    (0x1aa, 2),
    (0x1ab, 2),
];
/// Bug checks with a parameter that is the address of an `EXCEPTION_POINTERS`.
const POINTERS: &[(u32, usize)] = &[(0x154, 1)];
/// Bug checks whose first two parameters are the exception code and the exception address.
const RAISED: [u32; 4] = [0x1e, 0x3b, 0x7e, 0x8e];
/// The bug check whose last two parameters are the first two parameters of the exception.
const KMODE_EXCEPTION: u32 = 0x1e;
/// `DPC_WATCHDOG_VIOLATION`.
const DPC_WATCHDOG: u32 = 0x133;
/// Bug checks that only hardware errors cause, and the hardware.
const HARDWARE: [(u32, &str); 4] =
    [(0x2e, "memory"), (0x80, "nmi"), (0x9c, "processor"), (0x12b, "memory")];
/// Bug checks caused by a failed read from a disk, the index of the parameter that holds the
/// status, and the status codes that the disk itself reports: bad sectors, no such device, not
/// connected, an I/O error.
const DISK: [(u32, usize); 2] = [(0x77, 1), (0x7a, 1)];
const DISK_STATUSES: [u32; 6] =
    [0xc000_000e, 0xc000_009c, 0xc000_009d, 0xc000_0015, 0xc000_016a, 0xc000_0185];
const BREAKPOINT: u32 = 0x8000_0003;
const MAX_CONTEXT: usize = 0x4d0;

fn index(table: &[(u32, usize)], code: u32) -> Option<usize> {
    table.iter().find(|(known, _)| *known == code).map(|(_, index)| *index)
}

/// The bug check code without the flag for small dumps.
pub(super) fn plain_code(core: &Core) -> u32 {
    core.header.bugcheck_code.unwrap_or_default() & !SMALL_DUMP
}

/// The address in the parameter that a table selects.
fn stated(core: &Core, table: &[(u32, usize)]) -> Option<u64> {
    let index = index(table, plain_code(core))?;
    parameter(core, index).filter(|at| *at != 0)
}

/// One of the two pointers of an `EXCEPTION_POINTERS`.
fn pointed(core: &Core, index: usize) -> Option<u64> {
    let step = core.header.width.bytes();
    let bytes = core.prefix(stated(core, POINTERS)?, 2 * step).ok()?;
    pointer_at(&bytes, index.checked_mul(step)?, core.header.width).filter(|at| *at != 0)
}

/// The exception of the bug check: from the record that a parameter points to, from the parameters
/// themselves, or from the header.
pub(super) fn raised(core: &Core) -> Option<ExceptionRecord> {
    let at = stated(core, RECORDS).or_else(|| pointed(core, 0));
    let stated = at.and_then(|at| {
        let bytes = core.prefix(at, ExceptionRecord::MAX_SIZE).ok()?;
        ExceptionRecord::parse(&bytes, core.header.width)
    });
    let header = || core.header.exception.clone();
    let is_real = |record: &ExceptionRecord| record.code != BREAKPOINT;
    stated.or_else(|| header().filter(is_real)).or_else(|| by_parameters(core)).or_else(header)
}

fn by_parameters(core: &Core) -> Option<ExceptionRecord> {
    let code = plain_code(core);
    if !RAISED.contains(&code) {
        return None;
    }
    let raised = parameter(core, 0)?;
    let last = [parameter(core, 2), parameter(core, 3)].into_iter().flatten();
    Some(ExceptionRecord {
        // 64-bit parameters hold the codes sign-extended.
        code: u32::try_from(raised & 0xffff_ffff).ok().filter(|code| *code != 0)?,
        flags: 0,
        address: parameter(core, 1)?,
        parameters: last.filter(|_| code == KMODE_EXCEPTION).collect(),
    })
}

/// The stack of the thread that crashed, and the stack of the code that raised the exception, if a
/// parameter leads to its context record.
fn crash_frames(core: &Core) -> (Vec<Frame>, Vec<Frame>) {
    let (Ok(starts), Ok(thread)) = (walks::starts(core), thread::crashed(core)) else {
        return (Vec::new(), Vec::new());
    };
    let mut walks = Walks::of(&Arc::new(starts));
    let crash = stacks::stack_of(core, &mut walks, &thread, true).1;
    let fault = fault_registers(core)
        .map(|registers| stacks::stack_from(core, &mut walks, &thread, registers));
    (crash, fault.unwrap_or_default())
}

/// The registers of the context record that a parameter leads to.
fn fault_registers(core: &Core) -> Option<Registers> {
    let at = stated(core, CONTEXTS).or_else(|| pointed(core, 1))?;
    let bytes = core.prefix(at, MAX_CONTEXT).ok()?;
    let context = Context::new(core.arch.cpu()?, &bytes)?;
    let is_kernels = |ip: u64| core.header.width == Width::W32 || ip >> 47 != 0;
    let ip = context.ip().filter(|ip| *ip != 0 && is_kernels(*ip))?;
    let registers = Registers::named(walks::walked_cpu(core).ok()?, context.registers());
    (registers.ip() == Some(ip)).then_some(registers)
}

/// The suspected modules, the most likely first.
pub(super) fn suspects(core: &Core) -> Vec<Suspect> {
    let code = plain_code(core);
    let mut evidence = Evidence::default();
    hardware(core, code, &mut evidence);
    leads::follow(core, code, &mut evidence);
    let record = raised(core).filter(|record| record.code != BREAKPOINT);
    if let Some(place) = record.and_then(|record| core.place_of(record.address).ok()) {
        evidence.exception(place);
    }
    if code == DPC_WATCHDOG
        && let Some(place) = leads::running_dpc(core)
    {
        evidence.named(place, "the running DPC belongs to it".to_owned());
    }
    if leads::is_bystander(code) && evidence.has_others() {
        return evidence.ranked();
    }
    let locate = |ip| core.place_of(ip).ok();
    let (crash, fault) = crash_frames(core);
    let numbered = fault.iter().map(|frame| (number_of(&crash, frame), frame.ip));
    evidence.fault(numbered, locate, &SYSTEM);
    evidence.frames(&crash, locate, &SYSTEM);
    evidence.ranked()
}

/// The number of a frame on the crash stack.
fn number_of(crash: &[Frame], frame: &Frame) -> Option<i64> {
    let number = crash.iter().position(|known| known.ip == frame.ip && known.sp == frame.sp);
    number.and_then(|number| i64::try_from(number).ok())
}

fn hardware(core: &Core, code: u32, evidence: &mut Evidence) {
    if let Some(failure) = whea::failure(core) {
        evidence.hardware(failure.part, failure.words);
    } else if let Some((_, part)) = HARDWARE.iter().find(|(known, _)| *known == code) {
        evidence.hardware(Some((*part).to_owned()), "the bug check reports hardware".to_owned());
    }
    let status = index(&DISK, code).and_then(|index| parameter(core, index));
    let status = status.and_then(|status| u32::try_from(status & 0xffff_ffff).ok());
    if let Some(status) = status.filter(|status| DISK_STATUSES.contains(status)) {
        let words = format!("the read failed with status {status:#x}, which the disk reports");
        evidence.hardware(Some("disk".to_owned()), words);
    }
}
