//! Little-endian numbers and text at offsets of byte slices that may be too short.

/// An unsigned number of up to eight bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(size)?)?;
    Some(part.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    number(bytes, at, 2).and_then(|n| u16::try_from(n).ok())
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    number(bytes, at, 4).and_then(|n| u32::try_from(n).ok())
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    number(bytes, at, 8)
}

/// A 32-bit number that is a count or an offset.
pub(super) fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32_at(bytes, at).and_then(|n| usize::try_from(n).ok())
}

/// The bytes from an offset to the next null, or to the end.
pub(super) fn cstring(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    rest.get(..memchr::memchr(0, rest).unwrap_or(rest.len()))
}

/// The next multiple of four.
pub(super) fn align4(at: usize) -> Option<usize> {
    at.checked_add(3).map(|at| at & !3)
}
