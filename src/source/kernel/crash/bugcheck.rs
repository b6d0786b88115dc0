//! Why the dump was written: the bug check and the exception record.

use crate::catalog::{Absent, Cell, names};
use crate::model::{self, Bugcheck, Emit, Exception, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::crash::{culprit, explain};
use crate::source::kernel::scheduler::thread;
use crate::source::suspects::{self, Suspect};

/// A flag that Windows sets in the bug check code if a small dump stores the parameters in another
/// form.
const SMALL_DUMP: u32 = 0x1000_0000;
const ACCESS_VIOLATION: u32 = 0xc000_0005;
const IN_PAGE_ERROR: u32 = 0xc000_0006;
/// `STATUS_STACK_BUFFER_OVERRUN`, which every `__fastfail` raises.
const FAST_FAIL: u32 = 0xc000_0409;

/// Bug checks whose first parameter is an exception code.
const WITH_STATUS: &[u32] = &[0x1e, 0x3b, 0x7e, 0x8e];

pub(crate) fn bugcheck_row(core: &Core, want: &Want<'_, Bugcheck>) -> Result<Bugcheck, Unanswered> {
    let code = core.header.bugcheck_code;
    let code = code.ok_or_else(|| Unanswered::because("the header holds no bug check"))?;
    let [p1, p2, p3, p4] = core.header.parameters.map(|p| p.ok_or(Absent::NotInDump));
    let texts = explain::parameters(core);
    let description = |i: usize| -> Cell<String> {
        let text = texts.as_ref().and_then(|texts| texts.get(i)).map(String::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned).ok_or(Absent::NotApplicable)
    };
    let needed = suspects::of_bugcheck(want);
    let suspects = if needed { culprit::suspects(core) } else { Vec::new() };
    let culprit = suspects.first();
    let of_culprit = |text: fn(&Suspect) -> String| culprit.map(text).ok_or(Absent::NotInDump);
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
        module: of_culprit(|culprit| culprit.place.module.clone()),
        symbol: of_culprit(|culprit| culprit.place.display()),
        bucket_id: Ok(bucket(core, code, culprit)),
        culprit_module: of_culprit(|culprit| culprit.place.module.clone()),
        culprit_symbol: of_culprit(|culprit| culprit.place.display()),
        culprit_frame: culprit.and_then(|c| c.frame).ok_or(Absent::NotApplicable),
        culprit_reason: of_culprit(|culprit| culprit.evidence.clone()),
        ..Bugcheck::default()
    })
}

/// The modules that may have caused the crash, the most likely first.
pub(crate) fn each_suspect(core: &Core, emit: Emit<'_, model::Suspect>) -> Result<(), Unanswered> {
    core.header
        .bugcheck_code
        .ok_or_else(|| Unanswered::because("the header holds no bug check"))?;
    suspects::rows(culprit::suspects(core), emit);
    Ok(())
}

/// The bucket: code, exception or subtype, and the location in the suspected module. Equal crashes
/// have equal buckets, whatever the build of the kernel.
fn bucket(core: &Core, code: u32, culprit: Option<&Suspect>) -> String {
    let first = core.header.parameters.first().copied().flatten();
    let plain = code & !SMALL_DUMP;
    let detail = if WITH_STATUS.contains(&plain) {
        // 64-bit parameters hold NTSTATUS codes sign-extended.
        first.map(|status| format!("_{:x}", status & 0xffff_ffff))
    } else {
        let kind = first.filter(|value| names::bugcheck_value(plain, *value).is_some());
        kind.map(|kind| format!("_{kind:x}"))
    };
    let place = culprit.map(|culprit| format!("_{}", suspects::in_bucket(&culprit.place)));
    format!("{code:#x}{}{}", detail.unwrap_or_default(), place.unwrap_or_default())
}

pub(crate) fn exception_row(
    core: &Core,
    want: &Want<'_, Exception>,
) -> Result<Exception, Unanswered> {
    let record = culprit::raised(core);
    let record = record.ok_or_else(|| Unanswered::because("the dump holds no exception record"))?;
    let needed = suspects::of_exception(want);
    let suspects = if needed { culprit::suspects(core) } else { Vec::new() };
    let culprit = suspects.first();
    let of_culprit = |text: fn(&Suspect) -> String| culprit.map(text).ok_or(Absent::NotInDump);
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
        culprit_module: of_culprit(|culprit| culprit.place.module.clone()),
        culprit_symbol: of_culprit(|culprit| culprit.place.display()),
        culprit_frame: culprit.and_then(|c| c.frame).ok_or(Absent::NotApplicable),
        culprit_reason: of_culprit(|culprit| culprit.evidence.clone()),
        ..Exception::default()
    })
}

/// The attempted access of an access violation or in-page error, or the reason of a `__fastfail`.
fn access(core: &Core, code: u32, parameters: &[u64]) -> Option<String> {
    if code == FAST_FAIL {
        return names::fast_fail(*parameters.first()?).map(str::to_owned);
    }
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
