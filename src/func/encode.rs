//! Text encodings: base64, hexadecimal, percent encoding, numbers in any base; checksums; bars.
//!
//! What is decoded is bytes.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;
use xxhash_rust::xxh3::Xxh3Default;

use super::address::{bits, hex_of};
use super::def::{Args, Fault, Scalar, bad, check_length, overflow, sig};
use crate::catalog::Ty::{Addr, Blob as Bytes, Double, Int, Null, Text};
use crate::catalog::{Blob, Format, PointerWidth, Signature, Value};

family!("text");

const T: &[Signature] = &[sig(&[Text], Text)];
const TB: &[Signature] = &[sig(&[Text], Text), sig(&[Bytes], Text)];
const T_TO_BYTES: &[Signature] = &[sig(&[Text], Bytes)];
const HASH: &[Signature] = &[Signature::new(&[Null], Addr).variadic()];
const BASE: &[Signature] = &[
    Signature::new(&[Int, Int, Int], Text).optional(1),
    Signature::new(&[Addr, Int, Int], Text).optional(1),
];
const BAR: &[Signature] = &[Signature::new(&[Double, Double, Double, Int], Text).optional(1)];

/// Bytes of binary digits; the first byte may have fewer than eight.
fn from_binary(text: &str) -> Result<Value<'static>, Fault> {
    if let Some(wrong) = text.chars().find(|c| !matches!(c, '0' | '1')) {
        return bad(format!("`{}` is no binary digit", wrong.escape_default()));
    }
    let digits: Vec<u8> = text.bytes().map(|digit| digit - b'0').collect();
    let bytes = digits.rchunks(8).rev();
    let bytes: Vec<u8> =
        bytes.map(|byte| byte.iter().fold(0, |byte, digit| byte << 1 | digit)).collect();
    Ok(Value::Blob(Blob::new(&bytes)))
}

/// A hash of values and their types.
fn hash(values: &[Value<'_>]) -> u64 {
    let mut hasher = Xxh3Default::new();
    for value in values {
        match value {
            Value::Text(text) => {
                hasher.update(&[1]);
                hasher.update(text.as_bytes());
            }
            Value::Int(v) => hasher.update(&v.to_le_bytes()),
            other => {
                hasher.update(&[2]);
                let text = Format::Plain.render(other, PointerWidth::Bits64);
                hasher.update(text.as_bytes());
            }
        }
        hasher.update(&[0]);
    }
    hasher.digest()
}

pub(super) const ALL: &[Scalar] = &[
    f(
        "to_base64",
        "The bytes of the text or the blob in base64.",
        TB,
        &[("to_base64('abc')", "YWJj")],
        |_, a| {
            let bytes = bytes_of(a)?;
            check_length(bytes.len().checked_mul(2))?;
            Ok(Value::text(STANDARD.encode(&*bytes)))
        },
    )
    .or(&["base64"]),
    f(
        "from_base64",
        "The bytes that are given in base64.",
        T_TO_BYTES,
        &[("from_base64('YWJj')", "abc")],
        |_, a| match STANDARD.decode(a.text(0)?) {
            Ok(bytes) => Ok(Value::Blob(Blob::new(&bytes))),
            Err(error) => bad(format!("'{}' is not base64: {error}", shown(a.text(0)?))),
        },
    ),
    f(
        "unhex",
        "The bytes that are given in hex.",
        T_TO_BYTES,
        &[("unhex('6e74')", "nt"), ("unhex('dead')", "\\xDE\\xAD")],
        |_, a| unhex(a.text(0)?),
    )
    .or(&["from_hex"]),
    f(
        "from_binary",
        "The bytes that are given in binary digits.",
        T_TO_BYTES,
        &[("from_binary('0110111001110100')", "nt")],
        |_, a| from_binary(a.text(0)?),
    )
    .or(&["unbin"]),
    f(
        "encode",
        "The bytes of the text in UTF-8.",
        T_TO_BYTES,
        &[("encode('nté')", "nt\\xC3\\xA9")],
        |_, a| Ok(Value::Blob(Blob::new(a.text(0)?.as_bytes()))),
    ),
    f(
        "decode",
        "The text of bytes in UTF-8.",
        &[sig(&[Bytes], Text)],
        &[("decode(encode('nté'))", "nté")],
        |_, a| utf8(bytes_of(a)?.into_owned()),
    ),
    f(
        "hash",
        "A number of 64 bits that equal values share and others hardly: for samples, and for groups of equal size. It may be another in another version.",
        HASH,
        &[("hash('a') = hash('a')", "true"), ("hash(1) = hash(2)", "false")],
        |_, a| Ok(Value::Addr(hash(a))),
    )
    .takes_null(),
    f(
        "md5",
        "The MD5 sum of the bytes of the text or the blob, in hex.",
        TB,
        &[("md5('abc')", "900150983cd24fb0d6963f7d28e17f72")],
        |_, a| Ok(Value::text(hex_of(&Md5::digest(&*bytes_of(a)?), "", false))),
    ),
    f(
        "sha256",
        "The SHA-256 sum of the bytes of the text or the blob, in hex.",
        TB,
        &[("sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")],
        |_, a| Ok(Value::text(hex_of(&<Sha256 as sha2::Digest>::digest(&*bytes_of(a)?), "", false))),
    ),
    f(
        "url_encode",
        "The text as a part of an address of the web: all but letters, digits and -_.~ by percent signs.",
        T,
        &[("url_encode('a b/c')", "a%20b%2Fc")],
        |_, a| {
            check_length(a.text(0)?.len().checked_mul(3))?;
            Ok(Value::text(utf8_percent_encode(a.text(0)?, URL).to_string()))
        },
    ),
    f(
        "url_decode",
        "The text that was encoded by percent signs.",
        T,
        &[("url_decode('a%20b%2Fc')", "a b/c")],
        |_, a| utf8(percent_decode_str(a.text(0)?).collect()),
    ),
    f(
        "to_base",
        "The number in a base from 2 to 36, with zeros up to a length.",
        BASE,
        &[("to_base(255, 16)", "FF"), ("to_base(5, 2, 8)", "00000101")],
        |_, a| to_base(a),
    ),
    f(
        "bar",
        "A bar as long as the number is between the second and the third argument, in as many characters as the fourth says (80).",
        BAR,
        &[("bar(3.3, 0, 10, 10)", "███▎      ")],
        |_, a| bar(a),
    ),
    f(
        "parse_formatted_bytes",
        "The number of bytes of a size with a unit: '16 kB', '1.5 GiB'.",
        &[sig(&[Text], Int)],
        &[("parse_formatted_bytes('1.5 KiB')", "1536")],
        |_, a| parse_bytes(a.text(0)?),
    ),
];

/// The characters that are escaped in a URL.
const URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

/// The bytes of a blob, or of a text in UTF-8.
fn bytes_of<'a>(a: &'a [Value<'_>]) -> Result<Cow<'a, [u8]>, Fault> {
    match a.any(0).as_blob() {
        Some(blob) => Ok(Cow::Owned(blob.bytes().collect())),
        None => Ok(Cow::Borrowed(a.text(0)?.as_bytes())),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<Value<'static>, Fault> {
    String::from_utf8(bytes).map(Value::text).or_else(|_| bad("the decoded bytes are not UTF-8"))
}

fn unhex(text: &str) -> Result<Value<'static>, Fault> {
    let wrong = || Fault::BadValue(format!("'{}' is not bytes in hex", shown(text)));
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let mut digits = digits.ok_or_else(wrong)?;
    // If the number of digits is odd, the first digit is a byte of its own.
    if !digits.len().is_multiple_of(2) {
        digits.insert(0, 0);
    }
    let (pairs, _) = digits.as_chunks::<2>();
    let byte = |[high, low]: &[u32; 2]| u8::try_from(high << 4 | low).unwrap_or(0);
    Ok(Value::Blob(Blob::new(&pairs.iter().map(byte).collect::<Vec<u8>>())))
}

fn to_base(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    if a.any(0).as_int().is_some_and(|v| v < 0) {
        return bad("to_base takes no numbers below zero");
    }
    let mut rest = bits(a)?;
    let base = u64::try_from(a.int(1)?).ok().filter(|base| (2..=36).contains(base));
    let Some(base) = base else { return bad("a base is between 2 and 36") };
    let least = if a.any(2).is_null() { 1 } else { a.int(2)? };
    let Some(least) = usize::try_from(least).ok().filter(|&least| least <= 64) else {
        return bad("a length in to_base is between 0 and 64");
    };
    let mut digits = Vec::new();
    while rest > 0 || digits.len() < least.max(1) {
        let digit = u32::try_from(rest % base).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase());
        rest /= base;
    }
    Ok(Value::text(digits.iter().rev().collect::<String>()))
}

/// Block characters with a width of one to seven eighths.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

fn bar(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (value, low, high) = (a.double(0)?, a.double(1)?, a.double(2)?);
    let width = if a.any(3).is_null() { 80 } else { a.int(3)? };
    let Some(width) = usize::try_from(width).ok().filter(|w| (1..=1000).contains(w)) else {
        return bad("a bar is between 1 and 1,000 characters wide");
    };
    if !low.is_finite() || !high.is_finite() || low >= high {
        return bad("the ends of a bar are two numbers, the smaller first");
    }
    let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "at most 8,000 eighths; NaN gives 0"
    )]
    let eighths = (part * width as f64 * 8.0) as usize;
    let mut text = "█".repeat(eighths / 8);
    text.extend((eighths % 8).checked_sub(1).and_then(|at| EIGHTHS.get(at)));
    let missing = width.saturating_sub(eighths.div_ceil(8));
    text.extend(std::iter::repeat_n(' ', missing));
    Ok(Value::text(text))
}

fn parse_bytes(text: &str) -> Result<Value<'static>, Fault> {
    let wrong = || Fault::BadValue(format!("'{}' is not a size such as '16 kB'", shown(text)));
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at_checked(end).ok_or_else(wrong)?;
    let unit = unit.trim().to_ascii_lowercase();
    let power = |prefix: &str| ["k", "m", "g", "t", "p", "e"].iter().position(|p| *p == prefix);
    let factor = match unit.as_str() {
        "" | "b" | "byte" | "bytes" => Some(1),
        other => match (other.strip_suffix("ib"), other.strip_suffix('b')) {
            (Some(prefix), _) => power(prefix).map(|p| 1i64 << (10 * (p + 1))),
            (None, Some(prefix)) => {
                power(prefix).and_then(|p| u32::try_from(3 * (p + 1)).ok()).map(|p| 10i64.pow(p))
            }
            (None, None) => None,
        },
    };
    let is_number =
        number.contains(|c: char| c.is_ascii_digit()) && number.matches('.').count() < 2;
    let factor = factor.filter(|_| is_number).ok_or_else(wrong)?;
    let bytes = crate::time::scaled(number, factor);
    bytes.map(Value::Int).ok_or_else(|| overflow("parse_formatted_bytes", "INTEGER"))
}
