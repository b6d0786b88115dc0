//! Little-endian numbers and text at offsets of a byte slice; every access is checked.

/// The pointer size of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// 32-bit pointers.
    W32,
    /// 64-bit pointers.
    W64,
}

impl Width {
    /// The size of a pointer in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::W32 => 4,
            Self::W64 => 8,
        }
    }

    /// An address of this pointer size: 32-bit addresses are sign-extended in some fields, and the
    /// extension is removed here.
    pub const fn normalise(self, address: u64) -> u64 {
        match self {
            Self::W32 => address & 0xffff_ffff,
            Self::W64 => address,
        }
    }
}

/// The `len` bytes at `offset`; `None` if not all of them are there.
pub fn slice(bytes: &[u8], offset: usize, len: usize) -> Option<&[u8]> {
    bytes.get(offset..offset.checked_add(len)?)
}

/// The same as [`slice()`] for offsets that come from a file.
pub fn slice_at(bytes: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    slice(bytes, usize::try_from(offset).ok()?, usize::try_from(len).ok()?)
}

/// The byte at `offset`.
pub fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// The 16-bit number at `offset`.
pub fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(slice(bytes, offset, 2)?.try_into().ok()?))
}

/// The 32-bit number at `offset`.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(slice(bytes, offset, 4)?.try_into().ok()?))
}

/// The 64-bit number at `offset`.
pub fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(slice(bytes, offset, 8)?.try_into().ok()?))
}

/// The pointer at `offset`, zero-extended.
pub fn pointer_at(bytes: &[u8], offset: usize, width: Width) -> Option<u64> {
    match width {
        Width::W32 => u32_at(bytes, offset).map(u64::from),
        Width::W64 => u64_at(bytes, offset),
    }
}

/// An unsigned number of 1 to 8 bytes at `offset`.
pub fn unsigned_at(bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
    match size {
        4 => u32_at(bytes, offset).map(u64::from),
        8 => u64_at(bytes, offset),
        0..8 => {
            let raw = slice(bytes, offset, size)?;
            Some(raw.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        _ => None,
    }
}

/// Bytes up to the first null as text; invalid UTF-8 is replaced.
pub fn text(bytes: &[u8]) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// UTF-16 up to the first null as text; invalid UTF-16 is replaced.
pub fn text_utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stop_at_the_end() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(u32_at(&bytes, 5), Some(0x0908_0706));
        assert_eq!(u32_at(&bytes, 6), None);
        assert_eq!(u64_at(&bytes, usize::MAX), None);
        assert_eq!(slice_at(&bytes, u64::MAX, 2), None);
        assert_eq!(unsigned_at(&bytes, 7, 2), Some(0x0908));
        assert_eq!(unsigned_at(&bytes, 0, 9), None);
        assert_eq!(pointer_at(&bytes, 0, Width::W32), Some(0x0403_0201));
    }

    #[test]
    fn texts_end_at_zero_and_survive_garbage() {
        assert_eq!(text(b"nt\0xx"), "nt");
        assert_eq!(text(b"\xff"), "\u{fffd}");
        assert_eq!(text_utf16(b"a\0b\0\0\0c\0"), "ab");
        assert_eq!(text_utf16(b"\x00\xd8x\0z"), "\u{fffd}x");
    }
}
