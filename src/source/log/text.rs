//! The text of a log, line by line, in any encoding that debuggers write.
//!
//! This module knows bytes and lines, not their meaning. A line is borrowed from the file if its
//! bytes are UTF-8, and decoded otherwise.

use std::borrow::Cow;

use super::line::normalised;
use crate::dump::Image;

/// How many lines determine whether underscores are escaped.
const SAMPLE: usize = 2000;
/// The length at which longer lines are cut; no debugger prints such lines.
const MAX_LINE: usize = 64 * 1024;

/// How characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// ASCII, UTF-8, or a code page; invalid UTF-8 is taken for Windows-1252.
    Bytes,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
}

/// The text of a file.
#[derive(Debug, Clone)]
pub(super) struct Text {
    image: Image,
    encoding: Encoding,
    /// Where the text starts, after a byte order mark.
    start: usize,
    /// Whether Markdown characters were escaped when the log was published.
    is_escaped: bool,
}

/// A line as it is in the file.
#[derive(Debug, Clone)]
pub(super) struct RawLine<'a> {
    /// Offset of its first byte.
    pub(super) offset: usize,
    /// Offset of the line after it.
    pub(super) next: usize,
    /// The text without its line end.
    pub(super) text: Cow<'a, str>,
}

impl Text {
    /// The text of an image.
    pub(super) fn new(image: Image) -> Self {
        let (encoding, start) = if image.head(2) == b"\xff\xfe" {
            (Encoding::Utf16Le, 2)
        } else if image.head(2) == b"\xfe\xff" {
            (Encoding::Utf16Be, 2)
        } else if image.head(3) == b"\xef\xbb\xbf" {
            (Encoding::Bytes, 3)
        } else if is_utf16(image.head(256)) {
            (Encoding::Utf16Le, 0)
        } else {
            (Encoding::Bytes, 0)
        };
        let mut text = Self { image, encoding, start, is_escaped: false };
        text.is_escaped = text.has_escapes();
        text
    }

    /// Whether underscores are escaped: `\_` also occurs in a path with such a folder, but then the
    /// other underscores of the text have no backslash.
    fn has_escapes(&self) -> bool {
        let (mut escaped, mut plain) = (0usize, 0usize);
        let mut at = self.start;
        for _ in 0..SAMPLE {
            let Some(line) = self.line(at) else { break };
            let bytes = line.text.as_bytes();
            for at in memchr::memchr_iter(b'_', bytes) {
                match at.checked_sub(1).and_then(|before| bytes.get(before)) {
                    Some(b'\\') => escaped += 1,
                    _ => plain += 1,
                }
            }
            at = line.next;
        }
        escaped > plain
    }

    /// A line as the debugger printed it, with the changes of publishing undone.
    pub(super) fn shown<'a>(&self, line: Cow<'a, str>) -> Cow<'a, str> {
        normalised(line, self.is_escaped)
    }

    /// The name of the file.
    pub(super) fn path(&self) -> &str {
        self.image.path()
    }

    /// The size of the file.
    pub(super) fn len(&self) -> usize {
        self.image.len()
    }

    /// Where the text starts.
    pub(super) const fn start(&self) -> usize {
        self.start
    }

    /// The bytes, if the encoding allows to find lines in them directly.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        (self.encoding == Encoding::Bytes).then(|| self.image.whole())
    }

    /// The line that starts at an offset; `None` at the end of the file.
    pub(super) fn line(&self, offset: usize) -> Option<RawLine<'_>> {
        match self.encoding {
            Encoding::Bytes => self.byte_line(offset),
            Encoding::Utf16Le => self.wide_line::<1>(offset),
            Encoding::Utf16Be => self.wide_line::<0>(offset),
        }
    }

    /// The end of the line that starts at an offset, and the start of the next; `None` at the end
    /// of the file, and if lines cannot be found in the bytes directly.
    pub(super) fn line_end(&self, offset: usize) -> Option<(usize, usize)> {
        let rest = self.bytes()?.get(offset..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let next = match rest.get(end) {
            None => end,
            // A log that passed through two systems may contain "\r\r\n".
            Some(b'\r') => {
                let after = rest.get(end..).unwrap_or_default();
                let returns = after.iter().take_while(|b| **b == b'\r').count();
                let feed = usize::from(after.get(returns) == Some(&b'\n'));
                end + if feed == 1 { returns + feed } else { 1 }
            }
            Some(_) => end + 1,
        };
        Some((offset + end, offset + next))
    }

    fn byte_line(&self, offset: usize) -> Option<RawLine<'_>> {
        let (end, next) = self.line_end(offset)?;
        let line = self.image.get(offset..end.min(offset + MAX_LINE)).unwrap_or_default();
        Some(RawLine { offset, next, text: decoded(line) })
    }

    /// A line of UTF-16; `HIGH` is the index of the high byte in a code unit.
    fn wide_line<const HIGH: usize>(&self, offset: usize) -> Option<RawLine<'_>> {
        let rest = self.image.whole().get(offset..).filter(|rest| rest.len() >= 2)?;
        let is_feed = |at: &usize| at % 2 != HIGH && rest.get(at ^ 1) == Some(&0);
        let feed = memchr::memchr_iter(b'\n', rest).find(is_feed).map(|at| at & !1);
        let end = feed.unwrap_or(rest.len() & !1);
        let next = feed.map_or(end, |feed| feed + 2);
        let units = rest.get(..end.min(2 * MAX_LINE)).unwrap_or_default().chunks_exact(2);
        let is_narrow = units.clone().fold(0, |all, p| all | p[HIGH] | p[HIGH ^ 1] & 0x80) == 0;
        let mut text = if is_narrow {
            String::from_utf8(units.map(|pair| pair[HIGH ^ 1]).collect()).unwrap_or_default()
        } else {
            let unit = |pair: &[u8]| u16::from_be_bytes([pair[HIGH], pair[HIGH ^ 1]]);
            String::from_utf16_lossy(&units.map(unit).collect::<Vec<_>>())
        };
        text.truncate(text.trim_end_matches('\r').len());
        Some(RawLine { offset, next: offset + next, text: Cow::Owned(text) })
    }
}

/// Whether a text without a byte order mark is UTF-16: every second byte of its start is zero.
fn is_utf16(bytes: &[u8]) -> bool {
    let start = bytes.get(..256).unwrap_or(bytes);
    let pairs = start.chunks_exact(2);
    let wide = pairs.clone().filter(|pair| pair[0] != 0 && pair[1] == 0).count();
    wide >= 16 && wide * 10 >= pairs.len() * 9
}

/// A line's text: UTF-8, or else Windows-1252, whose characters from 0x80 to 0x9f are the
/// typographic quotes and dashes of word processors.
fn decoded(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(line.iter().map(|b| windows_1252(*b)).collect()),
    }
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let text = Text::new(Image::from_bytes("log", bytes.to_vec()));
        let mut at = text.start();
        let mut found = Vec::new();
        while let Some(line) = text.line(at) {
            found.push(line.text.into_owned());
            at = line.next;
        }
        found
    }

    #[test]
    fn lines_end_in_every_way() {
        assert_eq!(lines(b"a\r\nb\nc\r\r\n\nd"), ["a", "b", "c", "", "d"]);
        assert_eq!(lines(b"a\rb"), ["a", "b"]);
        assert_eq!(lines(b""), [""; 0]);
    }

    #[test]
    fn encodings_are_detected_by_mark_or_by_content() {
        let wide = |mark: &[u8], text: &str, big: bool| {
            let unit = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
            [mark, &text.encode_utf16().flat_map(unit).collect::<Vec<_>>()].concat()
        };
        let long = "kd> !running and some more text\r\nnext";
        assert_eq!(lines(&wide(b"\xff\xfe", long, false))[1], "next");
        assert_eq!(lines(&wide(b"\xfe\xff", long, true))[1], "next");
        assert_eq!(lines(&wide(b"", long, false))[1], "next");
        assert_eq!(lines(b"\xef\xbb\xbfkd> r"), ["kd> r"]);
        assert_eq!(lines(b"\x91SaSc\x92 \xd7"), ["‘SaSc’ ×"]);
    }
}
