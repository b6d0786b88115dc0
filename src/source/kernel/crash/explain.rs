//! What the parameters of a bug check mean.
//!
//! The catalog of bug checks says what a parameter is. This module adds what the dump says about
//! its value: an access, a status code, a process, drivers, a pool tag.

use std::borrow::Cow;

use crate::catalog::names;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::arch::Arch;
use crate::source::kernel::core::types::PROCESS;
use crate::source::kernel::crash::culprit::plain_code;
use crate::source::kernel::crash::damage;
use crate::source::kernel::crash::leads::{self, parameter};
use crate::source::kernel::io::drivers::{major_name, minor_name};
use crate::source::kernel::io::irp_search::{self, IrpLayout, LOCATION};
use crate::source::kernel::pool::tag::tag_text;

/// The first build of Windows 10.
const WINDOWS_10: u32 = 10240;
const PAGE_FAULT: u32 = 0x50;
const POWER: u32 = 0x9f;
const POOL_CALLER: u32 = 0xc2;

/// Parameters that are a status or an exception code: bug check code, value of the first parameter
/// if the rule needs one, index of the parameter.
const STATUSES: &[(u32, Option<u64>, usize)] = &[
    (0x1e, None, 0),
    (0x32, None, 0),
    (0x3b, None, 0),
    (0x67, None, 2),
    (0x6b, None, 0),
    (0x6c, None, 0),
    (0x73, None, 1),
    (0x74, None, 3),
    (0x75, None, 1),
    (0x7a, None, 1),
    (0x7e, None, 0),
    (0x8e, None, 0),
    (0xed, None, 1),
    (0xf8, None, 1),
    (0x103, Some(3), 2),
    (0x116, None, 2),
    (0x11f, None, 1),
    (0x12a, None, 1),
    (0x135, None, 0),
    (0x138, Some(5), 1),
    (0x138, Some(6), 1),
    (0x145, None, 0),
    (0x19d, Some(1), 3),
    (0x1b0, None, 1),
    (0x1d7, None, 1),
    (0x1d9, None, 1),
    (0x1da, Some(1), 1),
    (0xc000_021a, None, 1),
];
/// Parameters that are a process, in the same form.
const PROCESSES: &[(u32, Option<u64>, usize)] =
    &[(0x76, Some(0), 1), (0x9e, None, 0), (0xef, None, 0), (0xf4, Some(3), 1), (0x1c9, None, 0)];

/// What the parameters mean; an empty text means unknown.
pub(super) fn parameters(core: &Core) -> Option<[String; 4]> {
    let full = core.header.bugcheck_code.unwrap_or_default();
    let code = plain_code(core);
    let mut texts = known(core, full).or_else(|| known(core, code))?;
    for (index, text) in texts.iter_mut().enumerate() {
        let Some(value) = parameter(core, index) else { continue };
        if let Some(words) = detail(core, code, index, value) {
            // If the catalog has no text, the detail is the text.
            let is_empty = text.is_empty();
            *text = if is_empty { words } else { format!("{text}: {words}") };
        }
    }
    if code == PAGE_FAULT
        && let Some(text) = access(core)
    {
        let [_, second, _, _] = &mut texts;
        *second = text;
    }
    Some(texts)
}

/// The texts of the catalog, by the value of the first parameter if the catalog has it.
fn known(core: &Core, code: u32) -> Option<[String; 4]> {
    let first = parameter(core, 0);
    let by_value = names::bugcheck_value(code, first?).map(|all| all.map(Cow::into_owned));
    by_value.or_else(|| names::bugcheck_parameters(code).map(|all| all.map(str::to_owned)))
}

/// Whether a rule applies to a parameter of this crash.
fn applies(core: &Core, rules: &[(u32, Option<u64>, usize)], code: u32, index: usize) -> bool {
    let kind = parameter(core, 0);
    rules.iter().any(|(of, value, at)| {
        *of == code && *at == index && value.is_none_or(|value| kind == Some(value))
    })
}

/// What the dump says about the value of a parameter.
fn detail(core: &Core, code: u32, index: usize, value: u64) -> Option<String> {
    if applies(core, STATUSES, code, index) {
        let status = u32::try_from(value & 0xffff_ffff).ok().filter(|status| *status != 0)?;
        return names::ntstatus(status).or_else(|| names::exception(status)).map(str::to_owned);
    }
    if applies(core, PROCESSES, code, index) {
        return process(core, value);
    }
    match (code, parameter(core, 0), index) {
        (POWER, Some(3 | 5), 1) => {
            let modules: Vec<String> =
                leads::stack_of_devices(core, value).into_iter().map(|p| p.module).collect();
            (!modules.is_empty()).then(|| modules.join(" over "))
        }
        (POWER, Some(3), 3) => request(core, value),
        (POOL_CALLER, Some(0x0a), 2 | 3) | (POOL_CALLER, Some(0x0b..=0x0d), 2) => {
            let tag = u32::try_from(value & 0xffff_ffff).ok().and_then(damage::checked)?;
            Some(tag_text(tag))
        }
        _ => None,
    }
}

/// Name, process ID and exit status of a process.
fn process(core: &Core, at: u64) -> Option<String> {
    let process = core.structure(PROCESS, at);
    let name = process.text("ImageFileName").ok()?;
    let id = process.unsigned("UniqueProcessId").map(|id| format!(", pid {id}"));
    let status = process.unsigned("ExitStatus").ok().filter(|status| *status != 0x103);
    let status = status.and_then(|status| u32::try_from(status & 0xffff_ffff).ok());
    let status = status.map(|status| match names::ntstatus(status) {
        Some(name) => format!(", exit status {status:#x} ({name})"),
        None => format!(", exit status {status:#x}"),
    });
    Some(format!("{name}{}{}", id.unwrap_or_default(), status.unwrap_or_default()))
}

/// The function codes of an IRP's current stack location, and the driver that holds the IRP.
fn request(core: &Core, at: u64) -> Option<String> {
    let layout = irp_search::irp_layout(core).ok()?;
    let irp = layout.at(at);
    if !layout.is_irp(&irp) {
        return None;
    }
    let (count, current) =
        IrpLayout::counts(&irp).ok().filter(|(count, current)| current <= count)?;
    let location = core.structure(LOCATION, layout.location(at, current).ok()?);
    let major = location.unsigned("MajorFunction").ok()?;
    let minor = location.unsigned("MinorFunction").ok();
    let names = [major_name(major).ok(), minor.and_then(|minor| minor_name(major, minor).ok())];
    let names: Vec<String> = names.into_iter().flatten().collect();
    let device = location.pointer("DeviceObject").and_then(|device| leads::driver_of(core, device));
    let holder = device.map(|place| format!(" in {}", place.module)).unwrap_or_default();
    Some(format!("{}{holder}, location {current} of {count}", names.join(" ")))
}

/// The access that caused a page fault; its codes depend on the processor and the Windows version.
fn access(core: &Core) -> Option<String> {
    let value = parameter(core, 1)?;
    let build = core.header.build.or_else(|| core.build_of_lab());
    access_words(core.arch, build?, value)
}

fn access_words(arch: Arch, build: u32, value: u64) -> Option<String> {
    let (codes, write, execute) = match arch {
        Arch::X86 | Arch::X64 if build >= WINDOWS_10 => ("0 read, 2 write, 0x10 execute", 2, 0x10),
        Arch::X86 | Arch::X64 | Arch::Arm | Arch::Arm64 => ("0 read, 1 write, 8 execute", 1, 8),
        _ => return None,
    };
    let is_set = |bits: u64| value & bits != 0;
    let what = if is_set(execute) {
        "execute"
    } else if is_set(write) {
        "write"
    } else {
        "read"
    };
    // Since Windows 10 the value is the processor's page fault error code, whose bit 0 says that
    // the page was present.
    let is_present = write == 2 && is_set(1);
    let present = if is_present { " of a page that is present" } else { "" };
    Some(format!("access: {what}{present} ({codes})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_codes_depend_on_processor_and_version() {
        let words = |arch, build, value| access_words(arch, build, value).unwrap();
        let new = "(0 read, 2 write, 0x10 execute)";
        let old = "(0 read, 1 write, 8 execute)";
        for (arch, build, value, what, codes) in [
            (Arch::X64, 19041, 0, "read", new),
            (Arch::X64, 19041, 2, "write", new),
            (Arch::X64, 19041, 0x10, "execute", new),
            (Arch::X64, 19041, 0x11, "execute of a page that is present", new),
            (Arch::X86, 10240, 3, "write of a page that is present", new),
            (Arch::X64, 9600, 1, "write", old),
            (Arch::X64, 9600, 8, "execute", old),
            (Arch::Arm64, 22000, 1, "write", old),
            (Arch::Arm64, 22000, 8, "execute", old),
        ] {
            assert_eq!(words(arch, build, value), format!("access: {what} {codes}"));
        }
        assert_eq!(access_words(Arch::Other, 19041, 2), None);
    }

    #[test]
    fn rules_are_about_parameters_of_known_bug_checks() {
        for (code, value, index) in STATUSES.iter().chain(PROCESSES) {
            assert!(*index < 4 && names::bugcheck(*code).is_some(), "{code:#x}");
            let texts = match value {
                Some(value) => names::bugcheck_value(*code, *value).map(|t| t.map(Cow::into_owned)),
                None => names::bugcheck_parameters(*code).map(|t| t.map(str::to_owned)),
            };
            assert!(texts.is_some(), "{code:#x} {value:x?}");
        }
    }
}
