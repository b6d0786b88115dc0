//! Bytes as values.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Bytes.
///
/// They are kept as text that has one character, U+0000 to U+00FF, for each byte: what compares,
/// joins and groups texts then does so with bytes, in the order of bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob<'a>(Cow<'a, str>);

impl<'a> Blob<'a> {
    /// The bytes that a text stands for in which each character is a byte.
    pub(crate) const fn of_code(code: Cow<'a, str>) -> Self {
        Self(code)
    }

    /// The text in which each character is a byte.
    pub(crate) fn code(&self) -> &str {
        &self.0
    }

    /// The bytes of a slice.
    pub fn new(bytes: &[u8]) -> Blob<'static> {
        Blob(Cow::Owned(bytes.iter().copied().map(char::from).collect()))
    }

    /// The bytes in order.
    pub fn bytes(&self) -> impl DoubleEndedIterator<Item = u8> + '_ {
        self.0.chars().map(|c| u8::try_from(c).unwrap_or(u8::MAX))
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.chars().count()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same value, not borrowed from a column.
    pub fn into_owned(self) -> Blob<'static> {
        Blob(Cow::Owned(self.0.into_owned()))
    }

    /// The same value, borrowed.
    pub(crate) fn borrowed(&self) -> Blob<'_> {
        Blob(Cow::Borrowed(&self.0))
    }

    /// What text stands for: ASCII characters, and `\xHH` for any byte. `None` if it has other
    /// characters, or a backslash that begins no byte.
    pub(super) fn parse(text: &str) -> Option<Blob<'static>> {
        let mut code = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '\\' {
                let digits = rest.get(2..4).filter(|_| rest.get(1..2) == Some("x"))?;
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                code.push(char::from(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?));
                rest = rest.get(4..)?;
            } else {
                code.push(Some(c).filter(char::is_ascii)?);
                rest = rest.get(1..)?;
            }
        }
        Some(Blob(Cow::Owned(code)))
    }

    /// Appends the text that [`Blob::parse`] reads.
    pub(super) fn append(&self, into: &mut String) {
        for byte in self.bytes() {
            match byte {
                b'\\' | b'\'' | b'"' | ..b' ' | 0x7f.. => {
                    // Writing into a `String` cannot fail.
                    let _ = write!(into, "\\x{byte:02X}");
                }
                _ => into.push(char::from(byte)),
            }
        }
    }
}

/// The 32 hex digits of a UUID in lower case in groups of 8, 4, 4, 4 and 12; `None` for text with
/// another number of digits, or with hyphens that do not stand between bytes.
pub(super) fn parse_uuid(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let mut uuid = String::with_capacity(36);
    let mut digits = 0;
    for c in inner.chars() {
        if c == '-' {
            if digits == 0 || digits % 4 != 0 || uuid.is_empty() {
                return None;
            }
            continue;
        }
        if !c.is_ascii_hexdigit() || digits == 32 {
            return None;
        }
        if matches!(digits, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(c.to_ascii_lowercase());
        digits += 1;
    }
    (digits == 32 && !inner.ends_with('-')).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(blob: &Blob<'_>) -> String {
        let mut text = String::new();
        blob.append(&mut text);
        text
    }

    #[test]
    fn bytes_are_ordered_and_read_as_they_are_written() {
        let all: Vec<u8> = (0..=255).collect();
        let blob = Blob::new(&all);
        assert_eq!(blob.bytes().collect::<Vec<_>>(), all);
        assert_eq!(blob.len(), 256);
        assert_eq!(Blob::parse(&shown(&blob)), Some(blob));
        for pair in all.windows(2) {
            assert!(Blob::new(&[pair[0], 255]).code() < Blob::new(&[pair[1]]).code());
        }
        assert_eq!(shown(&Blob::new(b"a\\'\"\x00~\x7f\xde")), "a\\x5C\\x27\\x22\\x00~\\x7F\\xDE");
        for wrong in ["\\", "\\x", "\\x1", "\\xg0", "\\n", "ä", "\\x+1"] {
            assert_eq!(Blob::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn uuids_are_read_with_and_without_hyphens_and_braces() {
        let uuid = Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".to_owned());
        for text in [
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            " A0EEBC999C0B4EF8BB6D6BB9BD380A11 ",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ] {
            assert_eq!(parse_uuid(text), uuid, "{text}");
        }
        for wrong in [
            "",
            "a0eebc99",
            "-0eebc999c0b4ef8bb6d6bb9bd380a11",
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
        ] {
            assert_eq!(parse_uuid(wrong), None, "{wrong}");
        }
        assert_eq!(parse_uuid("a0eebc999c0b4ef8bb6d6bb9bd380a1g"), None);
        assert_eq!(parse_uuid("a0eebc999c0b4ef8bb6d6bb9bd380a11-"), None);
    }
}
