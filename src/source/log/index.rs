//! Finds the commands in a log: by their prompts, and where those are missing by their output. It
//! makes one pass over the file and keeps a few numbers for each command.

mod lines;

use lines::{echo, plain, quote, short};
use std::collections::HashMap;
use std::sync::Arc;

use super::code::label;
use super::command::{self, ALL, Reader};
use super::line::is_noise;
use super::prompt::{self, Prompt};
use super::scan::{rest_after, word};
use super::signature::{BANNER, Hits, LOADING, may_be_command, reader_of};
use super::text::{RawLine, Text};
use super::words;

/// After this many commands the rest of the file is one text, which `problems` reports.
const MAX_SECTIONS: usize = 1_000_000;
/// Upper limit on different prompts and commands that are stored only once.
const MAX_SHARED: usize = 10_000;
/// The first line of `!vm` about a machine.
const MEMORY: &str = "Physical Memory:";
/// A command and its output, or text that belongs to no command.
#[derive(Debug, Clone)]
pub(super) struct LogSection {
    /// Offset of the first line: the line of the prompt, if there is one.
    pub(super) start: usize,
    /// Offset after the last line.
    pub(super) end: usize,
    /// Number of the first line, from 1.
    pub(super) line: u64,
    /// Number of lines.
    pub(super) lines: u64,
    /// The prefix of every line.
    pub(super) prefix: Arc<str>,
    /// The prompt; empty if there is none.
    pub(super) prompt: Arc<str>,
    /// Whether the prompt is that of a kernel.
    pub(super) is_kernel: bool,
    /// Processor or thread of the prompt.
    pub(super) number: Option<i32>,
    /// The command: as typed, or the name of the reader that recognised the output; empty for text.
    pub(super) command: Arc<str>,
    /// The reader, as an index into [`ALL`].
    pub(super) reader: Option<u16>,
    /// Number of the target, from 1.
    pub(super) target: u32,
    /// Whether the output starts on the first line, after the prompt or without one.
    pub(super) starts_at_once: bool,
}

impl LogSection {
    /// The reader of its output.
    pub(super) fn reader(&self) -> Option<&'static Reader> {
        ALL.get(usize::from(self.reader?)).copied()
    }

    /// Processor or thread of the prompt.
    pub(super) fn number(&self) -> Option<i64> {
        self.number.map(i64::from)
    }

    /// Whether it was typed, or recognised by its output.
    pub(super) fn is_command(&self) -> bool {
        !self.command.is_empty()
    }
}

/// The sections of a text, in order, without a gap.
pub(super) fn sections(text: &Text) -> Vec<LogSection> {
    let mut index = Index {
        found: Vec::new(),
        open: None,
        target: 1,
        memory: None,
        pending: Vec::new(),
        heading: None,
        shared: HashMap::new(),
    };
    match text.bytes() {
        Some(bytes) => index.walk_candidates(text, bytes),
        None => index.walk_lines(text),
    }
    index.finish(text.len());
    words::split(text, index.found)
}

struct Index {
    found: Vec<LogSection>,
    open: Option<LogSection>,
    target: u32,
    /// The physical memory of the target in pages, if it was printed.
    memory: Option<u64>,
    /// Further commands on the same line, whose output follows.
    pending: Vec<(usize, Arc<str>)>,
    /// The previous line, if it may be the heading of the next one.
    heading: Option<(usize, u64)>,
    /// Prompts and commands that occurred.
    shared: HashMap<Box<str>, Arc<str>>,
}

impl Index {
    /// Examines every line.
    fn walk_lines(&mut self, text: &Text) {
        let (mut at, mut number) = (text.start(), 1);
        let mut heading = None;
        while let Some(line) = text.line(at) {
            let next = line.next;
            self.heading = heading.take();
            if line.text.trim_ascii_end().ends_with(':') {
                heading = Some((at, number));
            }
            self.line(text, &line, number);
            number += 1;
            at = next;
        }
    }

    /// Examines only lines that may be commands and lines that contain a text of a signature, which
    /// one search over all bytes finds.
    fn walk_candidates(&mut self, text: &Text, bytes: &[u8]) {
        let mut hits = Hits::new(bytes);
        let (mut at, mut number) = (text.start(), 1);
        let mut heading = None;
        while let Some((end, next)) = text.line_end(at) {
            self.heading = heading.take();
            if bytes.get(at..end).is_some_and(|line| line.trim_ascii_end().ends_with(b":")) {
                heading = Some((at, number));
            }
            let is_hit = hits.within(at, end);
            if (is_hit || may_be_command(bytes.get(at..end).unwrap_or_default()))
                && let Some(line) = text.line(at)
            {
                self.line(text, &line, number);
            }
            number += 1;
            at = next;
        }
        self.first_line(text);
    }

    /// A file may start with text that is not recognised.
    fn first_line(&mut self, text: &Text) {
        let first = self.found.first().or(self.open.as_ref()).map(|section| section.start);
        if first.is_none() && text.line(text.start()).is_some() {
            self.open = Some(plain(text.start(), 1, self.target));
        }
    }

    fn line(&mut self, source: &Text, line: &RawLine<'_>, number: u64) {
        let text = source.shown(line.text.clone());
        // The brackets are quicker to search for, and rare.
        let has = |bracket: char, words: &str| text.contains(bracket) && text.contains(words);
        if has('(', BANNER) || (has('[', LOADING) && !self.follows_banner(number)) {
            self.next_target();
        }
        if text.contains(MEMORY) {
            self.memory(&text);
        }
        if let Some(prompt) = prompt::find(&text) {
            return self.prompt(&prompt, line.offset, number);
        }
        if self.open.is_none() {
            self.open = Some(plain(line.offset.min(self.end_of_last()), 1, self.target));
        }
        let (quote, text) = text.split_at_checked(quote(&text)).unwrap_or(("", &text));
        if let Some(reader) = echo(text, !quote.is_empty()) {
            let section = self.recognised(reader, line.offset, number, quote, text);
            let command = self.shared(text.trim());
            return self.start(LogSection { command, starts_at_once: false, ..section });
        }
        let Some(reader) = reader_of(text).filter(|_| !is_noise(text)) else {
            return;
        };
        let is_inside = self.open.as_ref().is_some_and(|open| {
            open.reader == short(reader)
                || open.reader().is_some_and(|r| {
                    ALL.get(reader).is_some_and(|inner| r.contains.contains(&inner.name))
                })
        });
        if is_inside {
            return;
        }
        let mut section = self.recognised(reader, line.offset, number, quote, text);
        if let Some((start, line)) = self.heading_of(source, reader) {
            (section.start, section.line) = (start, line);
        }
        if let Some(at) = self.pending.iter().position(|(pending, _)| *pending == reader) {
            section.command = self.pending.remove(at).1;
        }
        // The recognised output belongs to the typed command whose name is unknown.
        let is_first = self.open.as_ref().is_some_and(|open| {
            open.reader.is_none() && open.is_command() && number <= open.line + 4
        });
        match &mut self.open {
            Some(open) if is_first => open.reader = short(reader),
            _ => self.start(section),
        }
    }

    /// The start of the heading above an instruction: `nt!KeBugCheckEx:`.
    fn heading_of(&self, text: &Text, reader: usize) -> Option<(usize, u64)> {
        let (at, number) = self.heading?;
        let is_listing = ALL.get(reader).is_some_and(|reader| reader.name == "u");
        let is_free = self.open.as_ref().is_none_or(|open| open.start < at || open.lines == 0);
        let line = text.line(at).filter(|_| is_listing && is_free)?;
        label(&text.shown(line.text)).map(|_| (at, number))
    }

    fn end_of_last(&self) -> usize {
        self.found.last().map_or(0, |section| section.end)
    }

    /// Whether there is a banner a few lines above.
    fn follows_banner(&self, number: u64) -> bool {
        self.open.as_ref().is_some_and(|open| {
            number < open.line + 8 && open.reader().is_some_and(|r| r.name == "banner")
        })
    }

    fn next_target(&mut self) {
        let has_output = self.found.iter().chain(&self.open).any(LogSection::is_command);
        self.target += u32::from(has_output);
        self.memory = None;
    }

    /// A different amount of memory means another machine, even without a banner.
    fn memory(&mut self, text: &str) {
        let pages =
            rest_after(text, MEMORY).and_then(word).and_then(|(pages, _)| pages.parse().ok());
        let Some(pages) = pages.filter(|_| text.trim_start().starts_with(MEMORY)) else { return };
        if self.memory.is_some_and(|known| known != pages) {
            self.target += 1;
            if let Some(open) = &mut self.open {
                open.target = self.target;
            }
        }
        self.memory = Some(pages);
    }

    fn prompt(&mut self, prompt: &Prompt<'_>, offset: usize, number: u64) {
        self.pending.clear();
        let mut section = LogSection {
            prefix: self.shared(prompt.prefix),
            prompt: self.shared(prompt.text),
            is_kernel: prompt.is_kernel,
            number: prompt.number.and_then(|number| number.try_into().ok()),
            command: self.shared(prompt.rest),
            starts_at_once: false,
            ..plain(offset, number, self.target)
        };
        // The output may be on the line of the prompt, with the command cut off.
        if let Some(reader) = reader_of(prompt.rest) {
            section.reader = short(reader);
            section.starts_at_once = true;
            section.command = self.shared(ALL.get(reader).map_or("", |r| r.name));
            return self.start(section);
        }
        let typed = prompt::commands(prompt.rest);
        let mut known = typed.iter().filter_map(|c| Some((command::typed(c)?, Arc::from(*c))));
        if let Some((reader, command)) = known.next() {
            section.reader = short(reader);
            if typed.len() > 1 {
                section.command = command;
            }
        }
        self.pending.extend(known);
        self.start(section);
    }

    fn recognised(
        &mut self,
        reader: usize,
        offset: usize,
        number: u64,
        quote: &str,
        text: &str,
    ) -> LogSection {
        let blank = text.len() - text.trim_start().len();
        let prefix = if quote.is_empty() { text.get(..blank).unwrap_or_default() } else { quote };
        let (prefix, command) =
            (self.shared(prefix), self.shared(ALL.get(reader).map_or("", |r| r.name)));
        // A quotation prefix belongs to its line, whatever prefix the lines above have.
        let same = |open: &&LogSection| {
            let goes_on = open.prompt.is_empty() || text.starts_with(&*open.prefix);
            if quote.is_empty() { goes_on } else { *open.prefix == *quote }
        };
        let open = self.open.as_ref().filter(same);
        LogSection {
            prefix: open.map_or(prefix, |open| Arc::clone(&open.prefix)),
            is_kernel: open.is_some_and(|open| open.is_kernel),
            number: open.and_then(|open| open.number),
            command,
            reader: short(reader),
            starts_at_once: true,
            ..plain(offset, number, self.target)
        }
    }

    fn start(&mut self, section: LogSection) {
        if self.found.len() > MAX_SECTIONS {
            return;
        }
        self.close(section.start, section.line);
        let is_rest = self.found.len() == MAX_SECTIONS;
        self.open =
            Some(if is_rest { plain(section.start, section.line, self.target) } else { section });
    }

    /// A text that is stored only once.
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.shared.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        if self.shared.len() < MAX_SHARED {
            self.shared.insert(text.into(), Arc::clone(&new));
        }
        new
    }

    fn close(&mut self, end: usize, next_line: u64) {
        if let Some(mut open) = self.open.take() {
            open.end = end;
            open.lines = next_line.saturating_sub(open.line);
            if open.lines > 0 {
                self.found.push(open);
            }
        } else if self.found.is_empty() && next_line > 1 {
            // Text before the first command.
            let first = LogSection { end, lines: next_line - 1, ..plain(0, 1, 1) };
            self.found.push(first);
        }
    }

    fn finish(&mut self, len: usize) {
        self.close(len, u64::MAX);
        // The lines of the last section are counted when it is read.
        if let Some(last) = self.found.last_mut().filter(|last| last.end == len) {
            last.lines = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::Image;

    fn of(text: &str) -> Vec<(u64, u64, String, Option<&'static str>)> {
        let text = Text::new(Image::from_bytes("log", text.as_bytes().to_vec()));
        let found = sections(&text).into_iter();
        found
            .map(|s| (s.line, s.lines, s.command.to_string(), s.reader().map(|r| r.name)))
            .collect()
    }

    #[test]
    fn commands_are_found_by_prompt_and_by_output() {
        let log = "some text\nkd> !running\nSystem Processors 3 (affinity mask)\n     Prcb      Current   Next\n  0  f7737120  8a3da020  ....\nkd> .foo\nbar\n     Prcb      Current   Next\n";
        assert_eq!(
            of(log),
            [
                (1, 1, String::new(), None),
                (2, 4, "!running".to_owned(), Some("!running")),
                (6, 0, ".foo".to_owned(), Some("!running")),
            ]
        );
        let bare = "x\ny\n     Prcb      Current   Next\n  0  f7737120  8a3da020  ....\n";
        assert_eq!(of(bare)[1], (3, 0, "!running".to_owned(), Some("!running")));
        assert_eq!(of("nothing at all"), [(1, 0, String::new(), None)]);
        assert_eq!(of("a\r\nb\r\nkd> !running\r\n")[1].0, 3);
    }

    #[test]
    fn quoted_output_is_recognised() {
        let log = "> look\n> System Processors 3 (affinity mask)\n>      Prcb      Current   Next\n>   0  f7737120  8a3da020  ....\n";
        assert_eq!(of(log)[1], (2, 0, "!running".to_owned(), Some("!running")));
        assert_eq!((quote("> > a"), quote(">> a"), quote(">a"), quote("a")), (4, 3, 0, 0));
    }

    #[test]
    fn an_echo_without_a_prompt_starts_a_command() {
        let log = "!running -i\n\nSystem Processors:  (00ff)\n";
        assert_eq!(of(log), [(1, 0, "!running -i".to_owned(), Some("!running"))]);
    }
}
