//! Why the dump was made: the bug check and the exception record.

use crate::catalog::{Absent, Cell, names};
use crate::model::{Bugcheck, Exception, Located, Unanswered};
use crate::source::context::Context;
use crate::source::kernel::core::Core;
use crate::source::kernel::scheduler::thread;

/// A bit that Windows sets in the codes of bug checks that small dumps report in another form.
const SMALL_DUMP: u32 = 0x1000_0000;
const BREAKPOINT: u32 = 0x8000_0003;
const ACCESS_VIOLATION: u32 = 0xc000_0005;
const IN_PAGE_ERROR: u32 = 0xc000_0006;

/// Bug checks of which one parameter is the address of the code at fault, and which one it is.
const AT_FAULT: &[(u32, usize)] = &[
    (0x0a, 3),
    (0x1e, 1),
    (0x3b, 1),
    (0x50, 2),
    (0x7e, 1),
    (0x8e, 1),
    (0xc5, 3),
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
];
/// Bug checks whose first parameter is an exception code.
const WITH_STATUS: &[u32] = &[0x1e, 0x3b, 0x7e, 0x8e];

pub(crate) fn bugcheck_row(core: &Core) -> Result<Bugcheck, Unanswered> {
    let code = core.header.bugcheck_code;
    let code = code.ok_or_else(|| Unanswered::because("the header holds no bug check"))?;
    let [p1, p2, p3, p4] = core.header.parameters.map(|p| p.ok_or(Absent::NotInDump));
    let texts =
        names::bugcheck_parameters(code).or_else(|| names::bugcheck_parameters(code & !SMALL_DUMP));
    let description = |i: usize| -> Cell<String> {
        let text = texts.and_then(|texts| texts.get(i).copied()).unwrap_or_default();
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text.to_owned()) }
    };
    let fault = fault_address(core);
    let place = fault.and_then(|address| core.module_at(address));
    Ok(Bugcheck {
        code: Ok(code.into()),
        name: names::bugcheck(code).map(str::to_owned).ok_or(Absent::NotApplicable),
        p1,
        p2,
        p3,
        p4,
        p1_description: description(0),
        p2_description: description(1),
        p3_description: description(2),
        p4_description: description(3),
        ethread: thread::current_thread(core),
        process: thread::current_process_name(core),
        module: place.as_ref().map(|place| place.module.clone()).map_err(|e| *e),
        symbol: fault.and_then(|at| core.place_of(at)).map(|place| place.display()),
        bucket_id: Ok(bucket(core, code, place.ok())),
        ..Bugcheck::default()
    })
}

/// The address of the code at fault: what the bug check or the exception says, else where the
/// crash context stands.
fn fault_address(core: &Core) -> Cell<u64> {
    let code = core.header.bugcheck_code.unwrap_or_default() & !SMALL_DUMP;
    let parameter = AT_FAULT.iter().find(|(known, _)| *known == code);
    let stated = parameter.and_then(|(_, i)| core.header.parameters.get(*i).copied().flatten());
    if let Some(address) = stated.filter(|address| core.modules().contains(*address)) {
        return Ok(address);
    }
    let raised = core.header.exception.as_ref().filter(|e| e.code != BREAKPOINT);
    let raised = raised.map(|e| e.address).filter(|address| core.modules().contains(*address));
    let ip = || core.crash_context().and_then(Context::ip);
    raised.or(stated.filter(|address| *address != 0)).or_else(ip).ok_or(Absent::NotInDump)
}

/// Code, exception and place, without names of symbols: equal crashes have equal buckets
/// whatever symbols are at hand.
fn bucket(core: &Core, code: u32, place: Option<Located>) -> String {
    let status = core.header.parameters.first().copied().flatten();
    let status = status.filter(|_| WITH_STATUS.contains(&(code & !SMALL_DUMP)));
    // NTSTATUS codes stand sign-extended in 64-bit parameters.
    let status = status.map(|status| format!("_{:x}", status & 0xffff_ffff));
    let place = place.map(|place| format!("_{}+{:#x}", place.module, place.offset));
    format!("{code:#x}{}{}", status.unwrap_or_default(), place.unwrap_or_default())
}

pub(crate) fn exception_row(core: &Core) -> Result<Exception, Unanswered> {
    let record = core.header.exception.as_ref();
    let record =
        record.ok_or_else(|| Unanswered::because("the header holds no exception record"))?;
    let parameters = record.parameters.iter().map(|p| format!("{p:#x}")).collect::<Vec<_>>();
    Ok(Exception {
        code: Ok(record.code.into()),
        name: names::exception(record.code).map(str::to_owned).ok_or(Absent::NotApplicable),
        address: Ok(record.address),
        symbol: core.place_of(record.address).map(|place| place.display()),
        flags: Ok(record.flags.into()),
        is_continuable: Ok(record.flags & 1 == 0),
        parameters: if parameters.is_empty() {
            Err(Absent::NotApplicable)
        } else {
            Ok(parameters.join(" "))
        },
        ethread: thread::current_thread(core),
        tid: thread::current_tid(core),
        is_clr: Ok(matches!(record.code, 0xe043_4352 | 0xe043_4f4d)),
        description: access(core, record.code, &record.parameters).ok_or(Absent::NotApplicable),
        ..Exception::default()
    })
}

/// What an access violation or an in-page error tried.
fn access(core: &Core, code: u32, parameters: &[u64]) -> Option<String> {
    let [how, address, ..] = parameters else { return None };
    let what = match (code, how) {
        (ACCESS_VIOLATION | IN_PAGE_ERROR, 0) => "read of",
        (ACCESS_VIOLATION | IN_PAGE_ERROR, 1) => "write to",
        (ACCESS_VIOLATION | IN_PAGE_ERROR, 2 | 8 | 0x10) => "execution at",
        _ => return None,
    };
    let status = parameters.get(2).filter(|_| code == IN_PAGE_ERROR);
    let status = status.map(|status| format!(", status {:#x}", status & 0xffff_ffff));
    let address = core.machine().width.render(*address);
    Some(format!("{what} {address}{}", status.unwrap_or_default()))
}
