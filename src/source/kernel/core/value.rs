//! How the bytes of a field become a value: one rule each for widths, bit fields and signs.
//!
//! This module is independent of dumps: its input is bytes, its output numbers.

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::dump::bytes::unsigned_at;
use crate::symbol::Field;

/// A number as type information declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// Offset in the structure.
    pub(crate) offset: usize,
    /// Size in bytes of the number or of the storage unit of the bit field: 1 to 8.
    pub(crate) size: usize,
    /// First bit and number of bits of a bit field.
    bits: Option<(u8, u8)>,
    is_signed: bool,
}

impl Scalar {
    /// The number in a field. A field without a known size is as wide as a pointer; a field of more
    /// than eight bytes is not a number.
    pub(crate) const fn of(field: Field, width: Width) -> Cell<Self> {
        let size = if field.size == 0 { width.bytes() } else { field.size };
        if size > 8 {
            return Err(Absent::Unreadable);
        }
        Ok(Self { offset: field.offset, size, bits: field.bits, is_signed: field.is_signed })
    }

    /// Extracts the number from its storage unit, zero-extended.
    pub(crate) fn unsigned(self, word: u64) -> u64 {
        let Some((start, len)) = self.bits else { return word };
        let mask = 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
        word.checked_shr(start.into()).unwrap_or(0) & mask
    }

    /// Extracts the number from its storage unit. A number that is declared signed is
    /// sign-extended. Any other is unsigned, and unreadable if it does not fit the column.
    pub(crate) fn signed(self, word: u64) -> Cell<i64> {
        let value = self.unsigned(word);
        let width = self.bits.map_or(8 * self.size, |(_, len)| usize::from(len));
        match u32::try_from(width) {
            Ok(width @ 1..=64) if self.is_signed => {
                let unused = 64 - width;
                Ok(value.cast_signed() << unused >> unused)
            }
            _ => i64::try_from(value).map_err(|_| Absent::Unreadable),
        }
    }
}

/// The value of a field in the bytes of its structure, zero-extended.
pub(crate) fn unsigned(bytes: &[u8], field: Option<Field>, width: Width) -> Cell<u64> {
    let scalar = Scalar::of(field.ok_or(Absent::NoSymbols)?, width)?;
    let word = unsigned_at(bytes, scalar.offset, scalar.size).ok_or(Absent::NotInDump)?;
    Ok(scalar.unsigned(word))
}

/// The same for a column; a signed field keeps its sign.
pub(crate) fn signed(bytes: &[u8], field: Option<Field>, width: Width) -> Cell<i64> {
    let scalar = Scalar::of(field.ok_or(Absent::NoSymbols)?, width)?;
    let word = unsigned_at(bytes, scalar.offset, scalar.size).ok_or(Absent::NotInDump)?;
    scalar.signed(word)
}

/// The pointer of a field in the bytes of its structure, including null.
pub(crate) fn pointer(bytes: &[u8], field: Option<Field>, width: Width) -> Cell<u64> {
    let field = field.ok_or(Absent::NoSymbols)?;
    unsigned_at(bytes, field.offset, width.bytes()).ok_or(Absent::NotInDump)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn field(offset: usize, size: usize, bits: Option<(u8, u8)>, is_signed: bool) -> Field {
        Field { offset, size, bits, is_signed }
    }

    /// An independent reader that takes one bit at a time.
    fn naive(bytes: &[u8], field: Field, width: Width) -> Cell<(u64, i128)> {
        let size = if field.size == 0 { width.bytes() } else { field.size };
        if size > 8 {
            return Err(Absent::Unreadable);
        }
        if field.offset + size > bytes.len() {
            return Err(Absent::NotInDump);
        }
        let (start, len) =
            field.bits.map_or((0, 8 * size), |(start, len)| (start.into(), usize::from(len)));
        let mut value = 0u64;
        for i in 0..len.min(64) {
            let at = start + i;
            let bit = at < 8 * size && bytes[field.offset + at / 8] >> (at % 8) & 1 == 1;
            value |= u64::from(bit) << i;
        }
        let top = (1..=64).contains(&len) && value >> (len - 1) & 1 == 1;
        let minus = if field.is_signed && top { 1i128 << len } else { 0 };
        Ok((value, i128::from(value) - minus))
    }

    proptest! {
        #[test]
        fn numbers_match_a_bit_by_bit_reader(
            bytes in proptest::collection::vec(any::<u8>(), 0..24),
            offset in 0usize..20,
            size in 0usize..10,
            bits in proptest::option::of((0u8..64, 0u8..=64)),
            is_signed: bool,
            is_wide: bool,
        ) {
            let width = if is_wide { Width::W64 } else { Width::W32 };
            let field = field(offset, size, bits, is_signed);
            let expected = naive(&bytes, field, width);
            prop_assert_eq!(unsigned(&bytes, Some(field), width), expected.map(|(value, _)| value));
            let expected = expected.and_then(|(_, value)| {
                i64::try_from(value).map_err(|_| Absent::Unreadable)
            });
            prop_assert_eq!(signed(&bytes, Some(field), width), expected);
        }

        #[test]
        fn pointers_are_as_wide_as_the_machine(word: u64, before in 0usize..3) {
            let mut bytes = vec![0xaa; before];
            bytes.extend(word.to_le_bytes());
            let field = Some(field(before, 0, None, false));
            prop_assert_eq!(pointer(&bytes, field, Width::W64), Ok(word));
            prop_assert_eq!(pointer(&bytes, field, Width::W32), Ok(word & 0xffff_ffff));
            prop_assert_eq!(pointer(&bytes[..before + 3], field, Width::W32), Err(Absent::NotInDump));
        }
    }

    #[test]
    fn signed_fields_keep_their_sign_and_others_have_none() {
        let bytes = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let int =
            |size, is_signed| signed(&bytes, Some(field(0, size, None, is_signed)), Width::W64);
        assert_eq!([1, 2, 4, 8].map(|size| int(size, true)), [Ok(-2); 4]);
        let unsigned = [Ok(0xfe), Ok(0xfffe), Ok(0xffff_fffe), Err(Absent::Unreadable)];
        assert_eq!([1, 2, 4, 8].map(|size| int(size, false)), unsigned);
    }

    #[test]
    fn bits_are_unsigned_unless_they_are_declared_otherwise() {
        let bytes = [0b1011_0100];
        let bits = |start, len, is_signed| {
            signed(&bytes, Some(field(0, 1, Some((start, len)), is_signed)), Width::W64)
        };
        assert_eq!(
            [bits(2, 3, false), bits(4, 4, false), bits(7, 1, false)],
            [Ok(5), Ok(11), Ok(1)]
        );
        assert_eq!([bits(2, 3, true), bits(4, 4, true), bits(3, 1, true)], [Ok(-3), Ok(-5), Ok(0)]);
    }

    #[test]
    fn missing_values_have_a_reason() {
        let width = Width::W64;
        assert_eq!(unsigned(&[0; 16], None, width), Err(Absent::NoSymbols));
        assert_eq!(
            unsigned(&[0; 16], Some(field(0, 16, None, false)), width),
            Err(Absent::Unreadable)
        );
        assert_eq!(
            unsigned(&[0; 4], Some(field(1, 4, None, false)), width),
            Err(Absent::NotInDump)
        );
        assert_eq!(pointer(&[0; 16], None, width), Err(Absent::NoSymbols));
    }
}
