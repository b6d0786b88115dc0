//! Names of Windows constants. A number without a known name gives NULL.

use super::def::{Args, Fault, Scalar};
use crate::catalog::Ty::{Addr, Int, Text};
use crate::catalog::{Signature, Value, names};

const fn f(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    eval: super::Eval,
) -> Scalar {
    Scalar::new("names", name, doc, CODE, examples, eval)
}

const CODE: &[Signature] = &[Signature::new(&[Int], Text), Signature::new(&[Addr], Text)];
const MINOR: &[Signature] = &[Signature::new(&[Int, Int], Text)];

pub(super) const ALL: &[Scalar] = &[
    f(
        "bugcheck_name",
        "The name of a bug check code.",
        &[("bugcheck_name(0xd1)", "DRIVER_IRQL_NOT_LESS_OR_EQUAL")],
        |_, a| named(a, names::bugcheck),
    ),
    f(
        "exception_name",
        "The name of an exception code, those of language runtimes included.",
        &[
            ("exception_name(0xc0000005)", "ACCESS_VIOLATION"),
            ("exception_name(-1073741819)", "ACCESS_VIOLATION"),
        ],
        |_, a| named(a, names::exception),
    ),
    f(
        "ntstatus",
        "The name of an NTSTATUS value.",
        &[("ntstatus(0xc000009a)", "STATUS_INSUFFICIENT_RESOURCES")],
        |_, a| named(a, names::ntstatus),
    ),
    f(
        "win32_error",
        "The name of a Win32 error.",
        &[("win32_error(5)", "ERROR_ACCESS_DENIED")],
        |_, a| named(a, names::win32_error),
    ),
    f(
        "irp_major",
        "The name of the major function of an IRP.",
        &[("irp_major(3)", "IRP_MJ_READ")],
        |_, a| named(a, |code| u8::try_from(code).ok().and_then(names::irp_major)),
    ),
    Scalar::new(
        "names",
        "irp_minor",
        "The name of the minor function of an IRP, from the major one and itself.",
        MINOR,
        &[("irp_minor(27, 2)", "IRP_MN_REMOVE_DEVICE")],
        |_, a| {
            let (major, minor) = (u8::try_from(a.int(0)?), u8::try_from(a.int(1)?));
            let name = major
                .ok()
                .zip(minor.ok())
                .and_then(|(major, minor)| names::irp_minor(major, minor));
            Ok(name.map_or(Value::Null, Value::text))
        },
    ),
    f(
        "pool_tag",
        "The four characters of a pool tag that was read as a number.",
        &[("pool_tag(0x20707249)", "Irp ")],
        |_, a| {
            let Some(tag) = code(a)? else { return Ok(Value::Null) };
            // The highest bit marks protected pool and is not part of the name.
            let bytes = (tag & 0x7fff_ffff).to_le_bytes();
            let chars = bytes
                .iter()
                .map(|&b| if b == b' ' || b.is_ascii_graphic() { char::from(b) } else { '.' });
            Ok(Value::text(chars.collect::<String>()))
        },
    ),
];

/// The code as 32 bits, also from a negative number as C prints it; `None` if it needs more.
fn code(a: &[Value<'_>]) -> Result<Option<u32>, Fault> {
    let value = match a.any(0) {
        Value::Addr(v) => v.cast_signed(),
        _ => a.int(0)?,
    };
    Ok(u32::try_from(value).ok().or_else(|| signed(value)))
}

fn signed(value: i64) -> Option<u32> {
    i32::try_from(value).ok().map(i32::cast_unsigned)
}

fn named(
    a: &[Value<'_>],
    lookup: fn(u32) -> Option<&'static str>,
) -> Result<Value<'static>, Fault> {
    Ok(code(a)?.and_then(lookup).map_or(Value::Null, Value::text))
}
