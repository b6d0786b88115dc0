//! The suspected cause of a bug check, from its parameters, its exception and the crash stack.

use std::sync::Arc;

use crate::dump::header::ExceptionRecord;
use crate::source::kernel::core::Core;
use crate::source::kernel::scheduler::thread;
use crate::source::kernel::stack::walks::Walks;
use crate::source::kernel::stack::{stacks, walks};
use crate::source::suspects::{Evidence, SYSTEM, Suspect};
use crate::unwind::Frame;

/// A bit that Windows sets in bug check codes whose parameters have another form in small dumps.
const SMALL_DUMP: u32 = 0x1000_0000;

/// Bug checks with a parameter that is a code address: of the instruction that made the access or
/// raised the exception or, for display bug checks, of the responsible driver; with the index of
/// that parameter.
const AT_FAULT: &[(u32, usize)] = &[
    (0x0a, 3),
    (0x1e, 1),
    (0x3b, 1),
    (0x50, 2),
    (0x7e, 1),
    (0x8e, 1),
    (0xc5, 3),
    (0xcb, 0),
    (0xcc, 2),
    (0xcd, 2),
    (0xce, 2),
    (0xcf, 2),
    (0xd0, 3),
    (0xd1, 3),
    (0xd3, 3),
    (0xd4, 3),
    (0xd5, 2),
    (0xd6, 2),
    (0xdb, 3),
    (0xdf, 0),
    (0xe1, 0),
    (0x116, 1),
    (0x117, 1),
    (0x128, 0),
    (0x129, 0),
    (0x141, 1),
    (0x15b, 0),
    (0x1d6, 0),
];
/// Bug checks with a parameter that is the address of an exception record, with its index.
const RECORDS: &[(u32, usize)] =
    &[(0x23, 1), (0x24, 1), (0x27, 1), (0x7e, 2), (0x9b, 1), (0x108, 1), (0x139, 2), (0x149, 1)];
/// Bug checks whose first parameters are the code and the address of an exception.
const RAISED: [u32; 4] = [0x1e, 0x3b, 0x7e, 0x8e];
/// The bug check whose last parameters are the first parameters of the exception.
const KMODE_EXCEPTION: u32 = 0x1e;
const BREAKPOINT: u32 = 0x8000_0003;

fn index(table: &[(u32, usize)], code: u32) -> Option<usize> {
    table.iter().find(|(known, _)| *known == code).map(|(_, index)| *index)
}

/// The bug check code without the bit of small dumps.
fn plain_code(core: &Core) -> u32 {
    core.header.bugcheck_code.unwrap_or_default() & !SMALL_DUMP
}

fn parameter(core: &Core, index: usize) -> Option<u64> {
    core.header.parameters.get(index).copied().flatten()
}

/// The exception of the bug check: from the record that a parameter points to, from the parameters
/// themselves, or from the header.
pub(super) fn raised(core: &Core) -> Option<ExceptionRecord> {
    let code = plain_code(core);
    let stated = index(RECORDS, code).and_then(|index| parameter(core, index));
    let stated = stated.filter(|at| *at != 0).and_then(|at| {
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

/// The frames of the thread that crashed.
fn crash_frames(core: &Core) -> Vec<Frame> {
    let (Ok(starts), Ok(thread)) = (walks::starts(core), thread::crashed(core)) else {
        return Vec::new();
    };
    let mut walks = Walks::of(&Arc::new(starts));
    stacks::stack_of(core, &mut walks, &thread, true).1
}

/// The suspected modules, the most likely first.
pub(super) fn suspects(core: &Core) -> Vec<Suspect> {
    let code = plain_code(core);
    let mut evidence = Evidence::default();
    if let Some(index) = index(AT_FAULT, code)
        && let Some(place) = parameter(core, index).and_then(|at| core.place_of(at).ok())
    {
        evidence.parameter(index + 1, place);
    }
    let record = raised(core).filter(|record| record.code != BREAKPOINT);
    if let Some(place) = record.and_then(|record| core.place_of(record.address).ok()) {
        evidence.exception(place);
    }
    let frames = crash_frames(core);
    evidence.frames(&frames, |ip| core.place_of(ip).ok(), &SYSTEM);
    evidence.ranked()
}
