//! Functions that read the dump: memory and symbols at an address. A missing value is NULL.

use super::address::{hex_of, to_hex};
use super::def::{Args, Fault, FuncCx, Scalar, bad};
use super::text::printable;
use crate::catalog::Ty::{Addr, Bool, Int, Text};
use crate::catalog::{Blob, PointerWidth, Signature, Ty, Value};
use crate::code::{self, Isa, Names};
use crate::model::Source;

const fn in_dump(args: &'static [Ty], returns: Ty) -> Signature {
    Signature::new(args, returns).optional(1)
}

family!("dump".reads_dump());

const TO_TEXT: &[Signature] = &[in_dump(&[Addr, Text], Text)];
const TO_BOOL: &[Signature] = &[in_dump(&[Addr, Text], Bool)];
const TO_INT: &[Signature] = &[in_dump(&[Addr, Text], Int)];
const TO_ADDR: &[Signature] = &[in_dump(&[Addr, Text], Addr)];

pub(super) const ALL: &[Scalar] = &[
    f(
        "symbol",
        "The nearest symbol at or before the address, as module!symbol+0x1f, or as module+0x1f00 where no symbols are known; NULL if it lies in no module.",
        TO_TEXT,
        &[],
        |cx, a| {
            let located = source(cx, a, 1)?.memory().locate(a.addr(0)?);
            Ok(located.map_or(Value::Null, |at| Value::text(at.display())))
        },
    ),
    f(
        "module_of",
        "The name of the module that the address lies in; NULL if there is none.",
        TO_TEXT,
        &[],
        |cx, a| {
            let located = source(cx, a, 1)?.memory().locate(a.addr(0)?);
            Ok(located.map_or(Value::Null, |at| Value::text(at.module)))
        },
    ),
    f(
        "poi",
        "The pointer at the address, of the width of the dump's pointers.",
        TO_ADDR,
        &[],
        |cx, a| {
            let source = source(cx, a, 1)?;
            Ok(pointer(source, a.addr(0)?).map_or(Value::Null, Value::Addr))
        },
    ),
    f("u8", "The byte at the address.", TO_INT, &[], small::<1>),
    f("u16", "The two bytes at the address as an unsigned number.", TO_INT, &[], |cx, a| {
        small::<2>(cx, a)
    }),
    f("u32", "The four bytes at the address as an unsigned number.", TO_INT, &[], |cx, a| {
        small::<4>(cx, a)
    }),
    f(
        "u64",
        "The eight bytes at the address as an unsigned number; an ADDRESS, since an INTEGER has a sign.",
        TO_ADDR,
        &[],
        |cx, a| {
            Ok(read::<8>(source(cx, a, 1)?, a.addr(0)?)
                .map_or(Value::Null, |b| Value::Addr(u64::from_le_bytes(b))))
        },
    ),
    f(
        "ascii",
        "The zero-terminated text at an address, up to 4,096 characters or as far as memory is there, unprintable bytes shown as dots. Of a text instead of an address: the code point of its first character, 0 if it is empty.",
        &[in_dump(&[Addr, Text], Text), Signature::new(&[Text], Int)],
        &[("ascii('A')", "65")],
        |cx, a| match a.any(0) {
            Value::Text(text) => {
                Ok(Value::Int(text.chars().next().map_or(0, |c| i64::from(u32::from(c)))))
            }
            _ => Ok(zero_terminated::<1>(source(cx, a, 1)?, a.addr(0)?).map_or(
                Value::Null,
                |units| {
                    let chars = units.into_iter().map(|[b]| {
                        if b == b' ' || b.is_ascii_graphic() { char::from(b) } else { '.' }
                    });
                    Value::text(chars.collect::<String>())
                },
            )),
        },
    ),
    f(
        "utf16",
        "The zero-terminated UTF-16 text at the address, up to 4,096 units or as far as memory is there, control characters shown as dots.",
        TO_TEXT,
        &[],
        |cx, a| {
            let units = zero_terminated::<2>(source(cx, a, 1)?, a.addr(0)?);
            Ok(units.map_or(Value::Null, |units| {
                Value::text(decode(units.into_iter().map(u16::from_le_bytes)))
            }))
        },
    ),
    f(
        "unicode_string",
        "The text of the _UNICODE_STRING structure at the address.",
        TO_TEXT,
        &[],
        |cx, a| Ok(unicode_string(source(cx, a, 1)?, a.addr(0)?).map_or(Value::Null, Value::text)),
    )
    .or(&["ustr"]),
    f(
        "instruction",
        "The instruction at the address, as WinDbg writes it; NULL where no code can be read.",
        TO_TEXT,
        &[],
        |cx, a| {
            let source = source(cx, a, 1)?;
            let Some(found) = decoded(source, a.addr(0)?) else { return Ok(Value::Null) };
            let text = found.text(&Named(source));
            let space = if text.operands.is_empty() { "" } else { " " };
            Ok(Value::text(format!("{}{space}{}", text.mnemonic, text.operands)))
        },
    ),
    f(
        "is_return_address",
        "Whether the instruction that ends at the address is a call; NULL where the code before it cannot be read.",
        TO_BOOL,
        &[],
        |cx, a| {
            let source = source(cx, a, 1)?;
            let isa = Isa::named(source.machine().arch);
            let fetch = |at: u64, buffer: &mut [u8]| source.memory().code(at, buffer);
            let address = a.addr(0)?;
            let is = isa.and_then(|isa| code::is_return_address(isa, address, &fetch));
            Ok(is.map_or(Value::Null, Value::Bool))
        },
    ),
    f(
        "call_target",
        "Where the call or jump at the address leads: by the instruction itself, or by the pointer that it names; NULL where that is not known.",
        TO_ADDR,
        &[],
        |cx, a| {
            let source = source(cx, a, 1)?;
            let found = decoded(source, a.addr(0)?).filter(|i| i.is_call() || i.is_jump());
            let through = |i: code::Instruction| i.memory.and_then(|at| pointer(source, at));
            let target = found.and_then(|i| i.target.or_else(|| through(i)));
            Ok(target.map_or(Value::Null, Value::Addr))
        },
    ),
    f(
        "bytes",
        "That many bytes at the address as a BLOB, at most 4,096; NULL where they cannot be read.",
        &[in_dump(&[Addr, Int, Text], Ty::Blob)],
        &[],
        |cx, a| Ok(bytes(cx, a)?.map_or(Value::Null, |bytes| Value::Blob(Blob::new(&bytes)))),
    ),
    f(
        "hex",
        "That many bytes at the address in hex, at most 4,096. Of a number or a text alone: the same as to_hex.",
        &[
            Signature::new(&[Int], Text),
            Signature::new(&[Addr], Text),
            Signature::new(&[Text], Text),
            Signature::new(&[Ty::Blob], Text),
            in_dump(&[Addr, Int, Text], Text),
        ],
        &[("hex(255)", "FF")],
        |cx, a| {
            if a.len() < 2 {
                return to_hex(a.any(0));
            }
            let bytes = bytes(cx, a)?;
            Ok(bytes.map_or(Value::Null, |bytes| Value::text(hex_of(&bytes, " ", false))))
        },
    ),
];

/// The source that a call refers to: the one named by argument `index`, else the only one.
fn source<'a>(cx: &FuncCx<'a>, a: &[Value<'_>], index: usize) -> Result<&'a dyn Source, Fault> {
    let named = a.any(index);
    if !named.is_null() {
        let name = a.text(index)?;
        let found = cx.sources.iter().find(|(n, _)| *n == name);
        return found.map(|(_, s)| *s).ok_or_else(|| {
            let shown: String = name.chars().take(80).flat_map(char::escape_default).collect();
            Fault::BadValue(format!("no dump named '{shown}' is open"))
        });
    }
    match cx.sources {
        [(_, only)] => Ok(*only),
        [] => bad("no dump is open"),
        _ => bad("several dumps are open: add the column dump as the last argument"),
    }
}

fn read<const N: usize>(source: &dyn Source, address: u64) -> Option<[u8; N]> {
    let mut bytes = [0u8; N];
    source.memory().read(address, &mut bytes).ok().map(|()| bytes)
}

fn small<const N: usize>(cx: &FuncCx<'_>, a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let bytes = read::<N>(source(cx, a, 1)?, a.addr(0)?);
    let number = |bytes: [u8; N]| bytes.iter().rev().fold(0i64, |n, &b| n << 8 | i64::from(b));
    Ok(bytes.map_or(Value::Null, |bytes| Value::Int(number(bytes))))
}

fn pointer(source: &dyn Source, address: u64) -> Option<u64> {
    match source.machine().width {
        PointerWidth::Bits32 => {
            read::<4>(source, address).map(|b| u64::from(u32::from_le_bytes(b)))
        }
        PointerWidth::Bits64 => read::<8>(source, address).map(u64::from_le_bytes),
    }
}

/// Symbol names of addresses, from the source.
struct Named<'a>(&'a dyn Source);

impl Names for Named<'_> {
    fn name(&self, address: u64) -> Option<String> {
        self.0.memory().locate(address).ok().map(|place| place.display())
    }
}

/// The instruction at an address.
fn decoded(source: &dyn Source, address: u64) -> Option<code::Instruction> {
    let isa = Isa::named(source.machine().arch)?;
    let mut bytes = [0; code::LONGEST];
    let held = source.memory().code(address, &mut bytes);
    code::decode(isa, address, bytes.get(..held)?)
}

/// The maximum number of code units of a zero-terminated text.
const MAX_UNITS: usize = 4096;

/// The code units of `N` bytes up to a zero; `None` if even the first cannot be read.
fn zero_terminated<const N: usize>(source: &dyn Source, start: u64) -> Option<Vec<[u8; N]>> {
    let mut units = Vec::new();
    let mut address = start;
    while units.len() < MAX_UNITS {
        // Blocks of 64 bytes, so that no read extends into a page that the text does not reach.
        let whole = 64 - usize::try_from(address % 64).unwrap_or(0);
        let length = if whole >= N { whole - whole % N } else { N };
        let mut block = [0u8; 64];
        let mut chunk = block.get_mut(..length)?;
        if source.memory().read(address, chunk).is_err() {
            chunk = chunk.get_mut(..N)?;
            if source.memory().read(address, chunk).is_err() {
                return if units.is_empty() { None } else { Some(units) };
            }
        }
        for unit in chunk.as_chunks::<N>().0 {
            if *unit == [0; N] || units.len() == MAX_UNITS {
                return Some(units);
            }
            units.push(*unit);
        }
        let Some(next) = address.checked_add(u64::try_from(chunk.len()).unwrap_or(0)) else {
            break;
        };
        address = next;
    }
    Some(units)
}

fn decode(units: impl Iterator<Item = u16>) -> String {
    printable(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)))
}

fn unicode_string(source: &dyn Source, address: u64) -> Option<String> {
    let bytes = usize::from(u16::from_le_bytes(read::<2>(source, address)?));
    let field = if source.machine().width == PointerWidth::Bits32 { 4 } else { 8 };
    let buffer = pointer(source, address.checked_add(field)?)?;
    let mut text = vec![0u8; bytes & !1];
    source.memory().read(buffer, &mut text).ok()?;
    Some(decode(text.as_chunks::<2>().0.iter().copied().map(u16::from_le_bytes)))
}

/// The maximum number of bytes that `hex` shows.
const MAX_BYTES: i64 = 4096;

/// Bytes of memory; `None` where they cannot be read.
fn bytes(cx: &FuncCx<'_>, a: &[Value<'_>]) -> Result<Option<Vec<u8>>, Fault> {
    let count = a.int(1)?;
    if !(0..=MAX_BYTES).contains(&count) {
        return bad(format!("0 to {MAX_BYTES} bytes are read at once, not {count}"));
    }
    let mut bytes = vec![0u8; usize::try_from(count).unwrap_or_default()];
    let read = source(cx, a, 2)?.memory().read(a.addr(0)?, &mut bytes);
    Ok(read.ok().map(|()| bytes))
}
