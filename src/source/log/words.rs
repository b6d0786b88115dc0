//! Memory words and frames without a prompt: no single line identifies them, but addresses increase
//! in even steps, and frames follow one another.
//!
//! This module examines only text that belongs to no command, and assigns each run of such lines to
//! the command that prints this form.

use std::sync::Arc;

use super::command::named;
use super::frame::{Columns, parse};
use super::index::LogSection;
use super::line::is_noise;
use super::scan::{address, word};
use super::text::Text;

/// This many lines with one word each are memory words, not frames of a stack.
const MIN_SINGLE: u64 = 3;
/// This many lines with several words each are memory words.
const MIN_MANY: u64 = 2;

/// This many frames are a stack.
const MIN_FRAMES: u64 = 2;

/// A line of memory words, or a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WordRow {
    address: u64,
    /// How many bytes the line covers.
    bytes: u64,
    command: &'static str,
}

/// A frame of a stack whose header was cut off: numbered frames are consecutive, others have a
/// function and its offset.
fn frame(line: &str) -> Option<WordRow> {
    let columns = Columns::told_by(line)?;
    let number = parse(line, columns)?.number;
    let address = u64::try_from(number.unwrap_or(0)).ok()?;
    Some(WordRow { address, bytes: u64::from(number.is_some()), command: "k" })
}

/// `f4265bec  f79c9743 nt!KeBugCheckEx+0x1b`, `9c1f3480  00000001 00000000 8a3da020 00000000`.
fn row(line: &str) -> Option<WordRow> {
    let (first, rest) = word(line)?;
    let address = address(first).filter(|_| !first.starts_with("0x"))?;
    let (mut words, mut size, mut rest) = (0, 0, rest);
    while let Some((value, after)) = word(rest).filter(|(value, _)| is_value(value)) {
        let bytes = if value.len() == 8 { 4 } else { 8 };
        if words > 0 && bytes != size {
            break;
        }
        (size, rest) = (bytes, after);
        words += 1;
    }
    let command = match (words, size, rest.is_empty()) {
        (1, ..) => "dps",
        (2..=4, 4, true) => "dd",
        (2, 8, true) => "dq",
        _ => return None,
    };
    Some(WordRow { address, bytes: words * size, command })
}

/// Whether a text is a memory word: all digits, or question marks for unreadable memory.
fn is_value(text: &str) -> bool {
    let is_unread =
        matches!(text.len(), 8 | 16 | 17) && text.bytes().all(|b| b == b'?' || b == b'`');
    is_unread || (address(text).is_some() && !text.starts_with("0x"))
}

/// Consecutive lines that one command printed.
struct CommandRun {
    start: usize,
    line: u64,
    end: usize,
    lines: u64,
    rows: u64,
    last: WordRow,
}

impl CommandRun {
    fn is_long_enough(&self) -> bool {
        let least = match self.last.command {
            "dps" => MIN_SINGLE,
            "k" => MIN_FRAMES,
            _ => MIN_MANY,
        };
        self.rows >= least
    }

    fn goes_on_with(&self, row: WordRow) -> bool {
        if row.command == "k" && row.bytes == 0 {
            return self.last.command == "k" && self.last.bytes == 0;
        }
        row.command == self.last.command
            && row.bytes <= self.last.bytes
            && self.last.address.checked_add(self.last.bytes) == Some(row.address)
    }
}

/// The runs in a section that no reader recognised.
fn runs(text: &Text, section: &LogSection) -> Vec<CommandRun> {
    let mut found: Vec<CommandRun> = Vec::new();
    let mut open: Option<CommandRun> = None;
    let (mut at, mut line) = (section.start, section.line);
    while at < section.end {
        let Some(raw) = text.line(at) else { break };
        let shown = text.shown(raw.text);
        let shown = shown.strip_prefix(&*section.prefix).unwrap_or(&shown).trim();
        match (row(shown).or_else(|| frame(shown)), &mut open) {
            (Some(row), Some(run)) if run.goes_on_with(row) => {
                (run.end, run.last) = (raw.next, row);
                (run.lines, run.rows) = (line - run.line + 1, run.rows + 1);
            }
            (Some(row), _) => {
                found.extend(open.take().filter(CommandRun::is_long_enough));
                open = Some(CommandRun {
                    start: at,
                    line,
                    end: raw.next,
                    lines: 1,
                    rows: 1,
                    last: row,
                });
            }
            (None, Some(run))
                if is_noise(shown) || (shown.is_empty() && run.last.command == "k") => {}
            (None, _) => found.extend(open.take().filter(CommandRun::is_long_enough)),
        }
        (at, line) = (raw.next, line + 1);
    }
    found.extend(open.filter(CommandRun::is_long_enough));
    found
}

/// The sections, with memory words as sections of their own.
pub(super) fn split(text: &Text, sections: Vec<LogSection>) -> Vec<LogSection> {
    let is_free = |section: &LogSection| section.reader.is_none();
    if !sections.iter().any(|section| is_free(section) && !runs(text, section).is_empty()) {
        return sections;
    }
    let mut all = Vec::with_capacity(sections.len());
    for section in sections {
        if !is_free(&section) {
            all.push(section);
            continue;
        }
        let mut rest = section.clone();
        for run in runs(text, &section) {
            let reader = named(run.last.command).and_then(|reader| u16::try_from(reader).ok());
            let before = run.line - rest.line;
            if before > 0 {
                all.push(LogSection { end: run.start, lines: before, ..rest.clone() });
            }
            all.push(LogSection {
                start: run.start,
                end: run.end,
                line: run.line,
                lines: run.lines,
                prompt: Arc::default(),
                command: run.last.command.into(),
                reader,
                starts_at_once: true,
                ..rest.clone()
            });
            // The text after it belongs to no command.
            rest = LogSection {
                start: run.end,
                line: run.line + run.lines,
                lines: rest.lines.saturating_sub(before + run.lines),
                prompt: Arc::default(),
                command: Arc::default(),
                starts_at_once: true,
                ..rest
            };
        }
        if rest.start < rest.end {
            all.push(rest);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::index;
    use super::*;
    use crate::dump::Image;

    fn of(text: &str) -> Vec<(u64, String)> {
        let text = Text::new(Image::from_bytes("log", text.as_bytes().to_vec()));
        index::sections(&text).into_iter().map(|s| (s.line, s.command.to_string())).collect()
    }

    fn is(line: u64, command: &str) -> (u64, String) {
        (line, command.to_owned())
    }

    #[test]
    fn consecutive_memory_words_are_a_command() {
        let single = "look:\n820807d0  821be2e5 nt!NtAcceptConnectPort\n820807d4  820659a6 nt!NtAccessCheck\n820807d8  ????????\nand so on\n";
        assert_eq!(of(single), [is(1, ""), is(2, "dps"), is(5, "")]);
        let wide = "fffff807`0a8fca70  fffff807`3d053000 a!b\nfffff807`0a8fca78  00000000`00000000\n*** ERROR: Module load completed but symbols could not be loaded for a.sys\nfffff807`0a8fca80  00000000`00000001\n";
        assert_eq!(of(wide), [is(1, "dps")]);
        let many = "9c1f3480  00000001 00000000 8a3da020 00000000\n9c1f3490  00000001 00000000\n";
        assert_eq!(of(many), [is(1, "dd")]);
    }

    #[test]
    fn frames_are_not_memory_words() {
        let frames = "f4265bec f79c9743 nt!KeBugCheckEx+0x1b\nf4265c00 f79c9800 a!b+0x1\nf4265c20 f79c9900 a!c+0x1\n";
        assert_eq!(of(frames), [is(1, "")]);
    }
}
