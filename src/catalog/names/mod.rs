//! Names of Windows constants: bug checks, status codes, exceptions, IRP function codes.
//!
//! These are tables of documented facts, sorted by number. Functions return the names, and sources
//! fill columns such as `bugcheck.name` with them, so that a number has the same name everywhere.

mod bugcheck;
mod bugcheck_parameters;
mod inbox_drivers;
mod irp;
mod ntstatus;
mod win32;

use std::borrow::Cow;

pub(crate) use inbox_drivers::is_inbox;

/// The name of a bug check (`0xd1` → `DRIVER_IRQL_NOT_LESS_OR_EQUAL`).
pub fn bugcheck(code: u32) -> Option<&'static str> {
    find(bugcheck::BUGCHECKS, code)
}

/// The meanings of the four parameters of a bug check; an empty text means unknown.
pub fn bugcheck_parameters(code: u32) -> Option<[&'static str; 4]> {
    bugcheck_parameters::general(code)
}

/// The meanings of the parameters of a bug check for a known value of the first one (`0x1a` with
/// `0x41792`); the first text starts with the value.
pub fn bugcheck_value(code: u32, first: u64) -> Option<[Cow<'static, str>; 4]> {
    bugcheck_parameters::of_value(code, first)
}

/// The meaning of the code of a `__fastfail` (`3` → a corrupt list).
pub fn fast_fail(code: u64) -> Option<&'static str> {
    bugcheck_parameters::fast_fail(code)
}

/// The name of an NTSTATUS value (`0xc0000005` → `STATUS_ACCESS_VIOLATION`).
pub fn ntstatus(code: u32) -> Option<&'static str> {
    find(ntstatus::STATUSES, code)
}

/// The name of an exception code without prefix (`0xc0000005` → `ACCESS_VIOLATION`), including
/// codes that language runtimes raise.
pub fn exception(code: u32) -> Option<&'static str> {
    if let Some(name) = find(ntstatus::RAISED, code) {
        return Some(name);
    }
    let is_exception = code >= 0x4000_0000;
    ntstatus(code).filter(|_| is_exception).map(|name| name.trim_start_matches("STATUS_"))
}

/// The name of a Win32 error (`5` → `ERROR_ACCESS_DENIED`).
pub fn win32_error(code: u32) -> Option<&'static str> {
    find(win32::ERRORS, code)
}

/// The name of an IRP's major function (`3` → `IRP_MJ_READ`).
pub fn irp_major(major: u8) -> Option<&'static str> {
    irp::MAJOR.get(usize::from(major)).copied()
}

/// The name of an IRP's minor function, which depends on the major function.
pub fn irp_minor(major: u8, minor: u8) -> Option<&'static str> {
    irp::minor(major).and_then(|names| names.get(usize::from(minor)).copied())
}

fn find(table: &[(u32, &'static str)], code: u32) -> Option<&'static str> {
    let index = table.binary_search_by_key(&code, |row| row.0).ok()?;
    table.get(index).map(|row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_hold_names() {
        for table in [bugcheck::BUGCHECKS, ntstatus::STATUSES, ntstatus::RAISED, win32::ERRORS] {
            assert!(table.is_sorted_by_key(|row| row.0));
            assert!(table.windows(2).all(|pair| pair[0].0 != pair[1].0));
            assert!(table.iter().all(|row| !row.1.is_empty()));
        }
    }

    #[test]
    fn well_known_codes_have_their_names() {
        assert_eq!(bugcheck(0xd1), Some("DRIVER_IRQL_NOT_LESS_OR_EQUAL"));
        assert_eq!(bugcheck(0x133), Some("DPC_WATCHDOG_VIOLATION"));
        assert_eq!(bugcheck(0x1000_007e), Some("SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M"));
        assert_eq!(bugcheck(0xffff), None);
        assert_eq!(bugcheck(0x91), Some("WIN32K_INIT_OR_RIT_FAILURE"));
        assert_eq!(bugcheck(0x170), Some("CLUSTER_CSV_CLUSSVC_DISCONNECT_WATCHDOG"));
        assert_eq!(bugcheck(0x171), Some("CRYPTO_LIBRARY_INTERNAL_ERROR"));
        assert_eq!(bugcheck(0x1a1), Some("WIN32K_CALLOUT_WATCHDOG_LIVEDUMP"));
        assert_eq!(ntstatus(0xc000_0005), Some("STATUS_ACCESS_VIOLATION"));
        assert_eq!(exception(0xc000_0005), Some("ACCESS_VIOLATION"));
        assert_eq!(exception(0x8000_0003), Some("BREAKPOINT"));
        assert_eq!(exception(0xe06d_7363), Some("CPP_EXCEPTION"));
        assert_eq!(exception(0), None);
        assert_eq!(win32_error(5), Some("ERROR_ACCESS_DENIED"));
        assert_eq!(irp_major(3), Some("IRP_MJ_READ"));
        assert_eq!(irp_major(0x1b), Some("IRP_MJ_PNP"));
        assert_eq!(irp_major(0x1c), None);
        assert_eq!(irp_minor(0x1b, 2), Some("IRP_MN_REMOVE_DEVICE"));
        assert_eq!(irp_minor(0x16, 2), Some("IRP_MN_SET_POWER"));
    }

    #[test]
    fn parameters_are_given_for_named_bug_checks() {
        for code in bugcheck_parameters::codes() {
            assert!(bugcheck(code).is_some(), "{code:#x}");
        }
    }
}
