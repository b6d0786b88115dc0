//! The cells of a structure, from its bytes.

use super::{Column, Read, Typed};
use crate::catalog::{Absent, Cell, Value};
use crate::model::DynRow;
use crate::symbol::Layout;

/// Upper limit on the text of a string field, in bytes.
const MAX_TEXT: usize = 4096;
/// How many numbers of a longer array are shown.
const MAX_NUMBERS: usize = 32;

/// A structure that was read, and what is needed to read what it points to.
pub(in crate::source) struct Source<'a> {
    /// Its address.
    pub(in crate::source) address: u64,
    /// Its bytes, as far as they are readable.
    pub(in crate::source) bytes: &'a [u8],
    /// Why there are no more.
    pub(in crate::source) why: Absent,
    /// The size of pointers.
    pub(in crate::source) pointer: usize,
    /// Reads memory elsewhere: the whole length, or the reason why not.
    pub(in crate::source) read: &'a dyn Fn(u64, usize) -> Cell<Vec<u8>>,
}

impl Typed {
    /// The row of a structure: its address and the wanted fields.
    pub(in crate::source) fn row(
        &self,
        layout: &Layout,
        from: &Source<'_>,
        wanted: &[bool],
    ) -> DynRow {
        let is_wanted = |index: usize| wanted.get(index).copied().unwrap_or(true);
        let mut row = Vec::with_capacity(self.columns.len() + 1);
        row.push(Ok(Value::Addr(from.address)));
        let last = wanted.iter().rposition(|wanted| *wanted).unwrap_or(0);
        for (i, column) in self.columns.iter().enumerate().take(last) {
            row.push(if is_wanted(i + 1) {
                self.cell(layout, from, column)
            } else {
                Err(Absent::NotApplicable)
            });
        }
        row
    }

    fn cell(&self, layout: &Layout, from: &Source<'_>, column: &Column) -> Cell<Value<'static>> {
        let at = |size| from.at(column.offset, size);
        Ok(match column.read {
            Read::Place => {
                let at = from.address.checked_add(column.offset as u64);
                Value::Addr(at.ok_or(Absent::Unreadable)?)
            }
            Read::Address { size } => Value::Addr(unsigned(at(size)?)?),
            Read::Number { size, is_signed, bits, .. } => {
                Value::Int(number(at(size)?, is_signed, bits)?)
            }
            Read::Name { size } => {
                let value = number(at(size)?, true, None)?;
                let name = layout.value_name(&self.name, &column.path, value);
                Value::Text(name.unwrap_or_else(|| value.to_string()).into())
            }
            Read::Text { count } => Value::Text(characters(at(count)?).into()),
            Read::Numbers { count, size, is_signed, is_hex } => {
                let bytes = at(count.checked_mul(size).ok_or(Absent::Unreadable)?)?;
                Value::Text(numbers(bytes, size, is_signed, is_hex)?.into())
            }
            Read::Unicode | Read::Ansi => {
                Value::Text(from.string(column.offset, column.read == Read::Unicode)?.into())
            }
        })
    }
}

impl Source<'_> {
    fn at(&self, offset: usize, size: usize) -> Cell<&[u8]> {
        let end = offset.checked_add(size).ok_or(Absent::Unreadable)?;
        self.bytes.get(offset..end).ok_or(self.why)
    }

    /// The text that a counted string points to.
    fn string(&self, offset: usize, is_wide: bool) -> Cell<String> {
        let string = self.at(offset, 2 * self.pointer)?;
        let part = |from: usize, size: usize| {
            unsigned(string.get(from..from + size).ok_or(Absent::Unreadable)?)
        };
        let (len, buffer) = (part(0, 2)?, part(self.pointer, self.pointer)?);
        if len == 0 || buffer == 0 {
            return Err(Absent::NotApplicable);
        }
        let bytes = (self.read)(buffer, usize::try_from(len).unwrap_or(0).min(MAX_TEXT))?;
        Ok(if is_wide {
            crate::dump::bytes::text_utf16(&bytes)
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }
}

fn unsigned(bytes: &[u8]) -> Cell<u64> {
    if bytes.is_empty() || bytes.len() > 8 {
        return Err(Absent::NotApplicable);
    }
    Ok(bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

fn number(bytes: &[u8], is_signed: bool, bits: Option<(u8, u8)>) -> Cell<i64> {
    let value = unsigned(bytes)?;
    if let Some((start, len)) = bits {
        let mask = 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
        let value = value.checked_shr(start.into()).unwrap_or(0) & mask;
        return i64::try_from(value).map_err(|_| Absent::Unreadable);
    }
    if is_signed {
        let unused = 64 - 8 * bytes.len();
        return Ok(value.cast_signed() << unused >> unused);
    }
    i64::try_from(value).map_err(|_| Absent::Unreadable)
}

/// Characters up to the first null, if all are readable; else the bytes.
fn characters(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = bytes.get(..end).unwrap_or_default();
    let is_text = text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let is_rest_zero = bytes.iter().skip(end).all(|byte| *byte == 0);
    if is_text && (is_rest_zero || !text.is_empty()) {
        return text.iter().map(|byte| char::from(*byte)).collect();
    }
    let shown: Vec<String> = bytes.iter().take(MAX_NUMBERS).map(|b| format!("{b:02x}")).collect();
    ended(shown.join(" "), bytes.len())
}

/// Numbers in brackets, or text if the numbers are characters.
fn numbers(bytes: &[u8], size: usize, is_signed: bool, is_hex: bool) -> Cell<String> {
    if size == 2 && !is_signed && bytes.first().is_some_and(u8::is_ascii_graphic) {
        let text = crate::dump::bytes::text_utf16(bytes);
        let text = text.split('\0').next().unwrap_or_default();
        if text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            return Ok(text.to_owned());
        }
    }
    if size == 0 {
        return Err(Absent::NotApplicable);
    }
    let mut shown = Vec::new();
    for element in bytes.chunks_exact(size).take(MAX_NUMBERS) {
        shown.push(if is_hex || (size == 8 && !is_signed) {
            format!("{:#x}", unsigned(element)?)
        } else {
            number(element, is_signed, None)?.to_string()
        });
    }
    Ok(format!("[{}]", ended(shown.join(", "), bytes.len() / size)))
}

fn ended(mut text: String, count: usize) -> String {
    if count > MAX_NUMBERS {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bits() {
        assert_eq!(number(&[0xff, 0xff], true, None), Ok(-1));
        assert_eq!(number(&[0xff, 0xff], false, None), Ok(65_535));
        assert_eq!(number(&[0b1010_0000], false, Some((5, 3))), Ok(5));
        assert_eq!(number(&[0xff; 8], false, Some((0, 64))), Err(Absent::Unreadable));
        assert_eq!(number(&[], false, None), Err(Absent::NotApplicable));
        assert_eq!(unsigned(&[0; 9]), Err(Absent::NotApplicable));
    }

    #[test]
    fn arrays_read_as_text_where_they_are_text() {
        assert_eq!(characters(b"Idle\0\0\0"), "Idle");
        assert_eq!(characters(&[1, 2, 0xff]), "01 02 ff");
        assert_eq!(numbers(b"C\0:\0\\\0\0\0", 2, false, false).unwrap(), r"C:\");
        assert_eq!(numbers(&[1, 0, 2, 0], 2, false, false).unwrap(), "[1, 2]");
        assert_eq!(numbers(&[0x10, 0, 0, 0], 4, false, true).unwrap(), "[0x10]");
    }
}
