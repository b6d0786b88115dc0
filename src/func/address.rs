//! Functions of addresses and sizes: hexadecimal text, alignment, size units.

use super::def::{Args, Fault, Scalar, bad, overflow, sig};
use crate::catalog::Ty::{Addr, Int, Text};
use crate::catalog::{Signature, Value};

family!("address");

const NUMBER_TO_TEXT: &[Signature] = &[sig(&[Int], Text), sig(&[Addr], Text)];
const ALIGN: &[Signature] = &[sig(&[Int, Int], Int), sig(&[Addr, Int], Addr)];

pub(super) const ALL: &[Scalar] = &[
    f(
        "to_hex",
        "The number in hex, or the bytes of a text in hex; upper case, without prefix.",
        &[sig(&[Int], Text), sig(&[Addr], Text), sig(&[Text], Text)],
        &[("to_hex(255)", "FF"), ("to_hex('nt')", "6E74")],
        |_, a| to_hex(a.any(0)),
    ),
    f("bin", "The number in binary.", NUMBER_TO_TEXT, &[("bin(5)", "101")], |_, a| {
        Ok(Value::text(format!("{:b}", bits(a)?)))
    })
    .or(&["to_binary"]),
    f(
        "addr",
        "The address in a text or number; text is read as hex, with or without 0x, and may contain the debugger's backtick.",
        &[sig(&[Addr], Addr), sig(&[Text], Addr)],
        &[
            ("addr('fffff801`a972c530')", "0xfffff801a972c530"),
            ("addr('80478b00')", "0x0000000080478b00"),
        ],
        |_, a| match a.any(0) {
            Value::Text(text) => parse(text),
            _ => Ok(Value::Addr(a.addr(0)?)),
        },
    ),
    f(
        "page_of",
        "The start of the page of 4,096 bytes that holds the address.",
        &[sig(&[Addr], Addr)],
        &[("page_of(0x80478b00)", "0x0000000080478000")],
        |_, a| Ok(Value::Addr(a.addr(0)? & !0xfff)),
    ),
    f(
        "align_down",
        "The nearest multiple of the second argument that is not larger.",
        ALIGN,
        &[("align_down(0x1234, 256)", "0x0000000000001200"), ("align_down(100, 64)", "64")],
        |_, a| align(a, false),
    ),
    f(
        "align_up",
        "The nearest multiple of the second argument that is not smaller.",
        ALIGN,
        &[("align_up(100, 64)", "128")],
        |_, a| align(a, true),
    ),
    f(
        "format_bytes",
        "A number of bytes as text with a unit, in units of 1,024.",
        &[sig(&[Int], Text), sig(&[Addr], Text)],
        &[("format_bytes(1610612736)", "1.5 GiB"), ("format_bytes(1000)", "1000 bytes")],
        |_, a| Ok(Value::text(format_bytes(a, 1024, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])?)),
    )
    .or(&["formatreadablesize"]),
    f(
        "formatreadabledecimalsize",
        "A number of bytes as text with a unit, in units of 1,000.",
        &[sig(&[Int], Text), sig(&[Addr], Text)],
        &[("formatReadableDecimalSize(1536)", "1.5 kB")],
        |_, a| Ok(Value::text(format_bytes(a, 1000, ["kB", "MB", "GB", "TB", "PB", "EB"])?)),
    ),
];

/// The number as 64 bits; negative integers in two's complement.
pub(super) fn bits(a: &[Value<'_>]) -> Result<u64, Fault> {
    match a.any(0) {
        Value::Addr(v) => Ok(*v),
        _ => Ok(a.int(0)?.cast_unsigned()),
    }
}

/// What `to_hex` and the one-argument form of `hex` return.
pub(super) fn to_hex(value: &Value<'_>) -> Result<Value<'static>, Fault> {
    match value {
        Value::Text(text) => {
            super::def::check_length(text.len().checked_mul(2))?;
            Ok(Value::text(hex_of(text.as_bytes(), "", true)))
        }
        Value::Blob(blob) => {
            super::def::check_length(blob.len().checked_mul(2))?;
            Ok(Value::text(hex_of(&blob.bytes().collect::<Vec<u8>>(), "", true)))
        }
        Value::Addr(v) => Ok(Value::text(format!("{v:X}"))),
        Value::Int(v) => Ok(Value::text(format!("{v:X}"))),
        _ => bad("argument 1 has no hex form"),
    }
}

/// Bytes in hex with `separator` between them.
pub(super) fn hex_of(bytes: &[u8], separator: &str, upper: bool) -> String {
    let digit = |n: u8| {
        let c = char::from_digit(u32::from(n), 16).unwrap_or('?');
        if upper { c.to_ascii_uppercase() } else { c }
    };
    let mut text = String::with_capacity(bytes.len() * (2 + separator.len()));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    text
}

fn parse(text: &str) -> Result<Value<'static>, Fault> {
    let digits: String = text.trim().chars().filter(|&c| c != '`').collect();
    let digits = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(&digits);
    let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match u64::from_str_radix(digits, 16) {
        Ok(address) if is_hex => Ok(Value::Addr(address)),
        _ => {
            let shown: String = text.chars().take(40).flat_map(char::escape_default).collect();
            bad(format!("'{shown}' is not an address in hex"))
        }
    }
}

fn align(a: &[Value<'_>], up: bool) -> Result<Value<'static>, Fault> {
    let name = if up { "align_up" } else { "align_down" };
    let Some(unit) = u64::try_from(a.int(1)?).ok().filter(|&n| n > 0) else {
        return bad(format!("{name} needs a size above zero, not {}", a.int(1)?));
    };
    if let Value::Addr(address) = a.any(0) {
        let down = address - address % unit;
        let aligned = if up && down != *address { down.checked_add(unit) } else { Some(down) };
        return aligned.map(Value::Addr).ok_or_else(|| overflow(name, "ADDRESS"));
    }
    let value = i128::from(a.int(0)?);
    let down = value.div_euclid(i128::from(unit)) * i128::from(unit);
    let aligned = if up && down != value { down + i128::from(unit) } else { down };
    i64::try_from(aligned).map(Value::Int).map_err(|_| overflow(name, "INTEGER"))
}

fn format_bytes(a: &[Value<'_>], step: u64, units: [&str; 6]) -> Result<String, Fault> {
    let (negative, size) = match a.any(0) {
        Value::Addr(v) => (false, *v),
        _ => (a.int(0)? < 0, a.int(0)?.unsigned_abs()),
    };
    let sign = if negative { "-" } else { "" };
    if size < step {
        return Ok(format!("{sign}{size} byte{}", if size == 1 { "" } else { "s" }));
    }
    let mut unit = step;
    let mut name = "";
    for (index, next) in units.into_iter().enumerate() {
        name = next;
        let Some(above) = unit.checked_mul(step) else { break };
        if size < above || index + 1 == units.len() {
            break;
        }
        unit = above;
    }
    // One decimal, truncated rather than rounded, so that no size is shown as larger than it is.
    let tenths = u128::from(size) * 10 / u128::from(unit);
    Ok(format!("{sign}{}.{} {name}", tenths / 10, tenths % 10))
}
