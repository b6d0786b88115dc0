//! What a line of a log can be: quoted, an echoed command, typed.

use std::sync::Arc;

use super::super::{command, prompt};
use super::LogSection;

/// The length of the prefix of a quoted or commented line:
/// `> > System Processors 3`, `// System Processors 3`.
pub(super) fn quote(text: &str) -> usize {
    let mut rest = text;
    loop {
        let inner = rest.strip_prefix("> ").or_else(|| rest.strip_prefix("// "));
        let touching = || rest.strip_prefix('>').filter(|inner| inner.starts_with('>'));
        match inner.or_else(touching) {
            Some(inner) => rest = inner,
            None => return text.len() - rest.len(),
        }
    }
}

/// The index of a reader, as a section stores it.
pub(super) fn short(reader: usize) -> Option<u16> {
    u16::try_from(reader).ok()
}

pub(super) fn plain(start: usize, line: u64, target: u32) -> LogSection {
    LogSection {
        start,
        end: start,
        line,
        lines: 0,
        prefix: Arc::default(),
        prompt: Arc::default(),
        is_kernel: false,
        number: None,
        command: Arc::default(),
        reader: None,
        target,
        starts_at_once: true,
    }
}

/// The reader of a line that is only a command, in a log that was published without its prompts, or
/// with `> ` in their place.
pub(super) fn echo(text: &str, is_quoted: bool) -> Option<usize> {
    let text = text.trim();
    if is_quoted && is_typed(text) {
        return prompt::commands(text).iter().find_map(|command| command::typed(command));
    }
    // The headings of `!devstack` also begin with command names.
    let is_command = text.starts_with('!')
        && text.len() < 80
        && !text.ends_with(['.', ':', ','])
        && !text.contains(" !");
    if !is_command {
        return None;
    }
    command::typed(text)
}

/// Whether a text is one command, or several of which the first selects a thread, and not a
/// sentence.
fn is_typed(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_thread = first.strip_prefix('~').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | '.' | '#'))
    });
    let is_stack = first.starts_with('k') && first.len() < 6;
    let is_argument =
        |word: &str| !word.bytes().all(|b| b.is_ascii_alphabetic()) || word.len() < 3 || !is_thread;
    let is_short = text.len() < 60 && (is_thread || words.clone().count() == 0);
    (is_thread || is_stack) && is_short && words.all(is_argument)
}
