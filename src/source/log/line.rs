//! Lines as readers see them: with the changes of publishing undone, and without the noise that
//! debuggers print between the rows of a table.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;

use super::text::Text;

/// A line of a command's output.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    /// Its number in the file, from 1.
    pub(super) number: u64,
    /// The text, without the common prefix of the command and without trailing spaces.
    pub(super) text: Cow<'a, str>,
}

impl Line<'_> {
    /// The text without leading spaces.
    pub(super) fn trimmed(&self) -> &str {
        self.text.trim_ascii_start()
    }

    /// How many columns the text is indented by; a tab is eight.
    pub(super) fn indent(&self) -> usize {
        let blanks = self.text.chars().take_while(|c| matches!(c, ' ' | '\t'));
        blanks.map(|c| if c == '\t' { 8 } else { 1 }).sum()
    }

    /// Whether it is blank.
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

/// The lines of a command's output, in order; noise is left out.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a Text,
    at: usize,
    end: usize,
    number: u64,
    prefix: &'a str,
    ahead: VecDeque<Line<'a>>,
    stopped: &'a Cell<bool>,
    /// The lines that were left out, by kind.
    noise: Vec<(&'static str, u64)>,
}

impl<'a> Lines<'a> {
    /// The lines between two offsets; `number` is that of the first.
    pub(super) fn new(
        text: &'a Text,
        range: std::ops::Range<usize>,
        number: u64,
        prefix: &'a str,
        stopped: &'a Cell<bool>,
    ) -> Self {
        let ahead = VecDeque::new();
        let noise = Vec::new();
        Self { text, at: range.start, end: range.end, number, prefix, ahead, stopped, noise }
    }

    /// The lines that were left out so far, by kind.
    pub(super) fn noise(&self) -> &[(&'static str, u64)] {
        &self.noise
    }

    /// Puts a line before those of the file: output on the line of a prompt.
    pub(super) fn push_front(&mut self, line: Line<'a>) {
        self.ahead.push_front(line);
    }

    /// The line after the next `n` ones, without taking it.
    pub(super) fn peek_at(&mut self, n: usize) -> Option<&Line<'a>> {
        // Like `next`: otherwise a reader that looks ahead and then takes would not end.
        if self.stopped.get() {
            return None;
        }
        while self.ahead.len() <= n {
            let line = self.read()?;
            self.ahead.push_back(line);
        }
        self.ahead.get(n)
    }

    /// The next line, without taking it.
    pub(super) fn peek(&mut self) -> Option<&Line<'a>> {
        self.peek_at(0)
    }

    /// The next line if it satisfies a condition.
    pub(super) fn next_if(&mut self, accept: impl FnOnce(&Line<'a>) -> bool) -> Option<Line<'a>> {
        if accept(self.peek()?) { self.next() } else { None }
    }

    fn read(&mut self) -> Option<Line<'a>> {
        while self.at < self.end {
            let raw = self.text.line(self.at)?;
            self.at = raw.next;
            let number = self.number;
            self.number += 1;
            let text = trimmed_end(without_prefix(self.text.shown(raw.text), self.prefix));
            let Some(kind) = noise(&text) else { return Some(Line { number, text }) };
            match self.noise.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => self.noise.push((kind, 1)),
            }
        }
        None
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.stopped.get() {
            return None;
        }
        self.ahead.pop_front().or_else(|| self.read())
    }
}

/// The text as the debugger printed it: typographic quotes, multiplication signs in `0×1f`,
/// non-breaking spaces, Markdown escapes and HTML entities are undone. Unchanged text is not
/// copied.
pub(super) fn normalised(text: Cow<'_, str>, is_escaped: bool) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let may_have_damage = || {
        let mut found = memchr::memchr3_iter(b'\\', b'&', b'<', bytes);
        found.any(|at| {
            let rest = bytes.get(at..).unwrap_or_default();
            is_escape(rest, is_escaped) || entity(rest).is_some() || tag(rest).is_some()
        })
    };
    let bare = without_marks(&text);
    if bare.len() < text.len() {
        return Cow::Owned(normalised(Cow::Borrowed(bare), is_escaped).into_owned());
    }
    if text.is_ascii() && !may_have_damage() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut skip = 0;
    for (at, c) in text.char_indices() {
        if at < skip {
            continue;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        match c {
            '\\' if is_escape(rest, is_escaped) => {}
            '<' if tag(rest).is_some() => skip = at + tag(rest).unwrap_or(1),
            '&' => match entity(rest) {
                Some((printed, len)) => {
                    out.push(printed);
                    skip = at + len;
                }
                None => out.push(c),
            },
            '‘' | '’' | '‛' | '′' => out.push('\''),
            '“' | '”' | '„' => out.push('"'),
            '×' => out.push('x'),
            '–' | '−' => out.push('-'),
            '\u{a0}' | '\u{2007}' | '\u{202f}' => out.push(' '),
            '\u{feff}' | '\u{200b}' => {}
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a backslash escapes a Markdown character. Before an asterisk it does in any text.
fn is_escape(rest: &[u8], is_escaped: bool) -> bool {
    match rest {
        [b'\\', b'*', ..] => true,
        [b'\\', b'_' | b'<' | b'>' | b'[' | b']' | b'#' | b'!' | b'+' | b'-' | b'~', ..] => {
            is_escaped
        }
        _ => false,
    }
}

/// The text of a line that an editor made a heading, or printed in bold.
fn without_marks(text: &str) -> &str {
    let heading = text.trim_start_matches('#');
    if text.len() - heading.len() >= 2 {
        if heading.is_empty() {
            return "";
        }
        if let Some(rest) = heading.strip_prefix(' ') {
            return rest;
        }
    }
    let bold = text.trim().strip_prefix("**").and_then(|rest| rest.strip_suffix("**"));
    bold.filter(|rest| !rest.is_empty() && !rest.contains('*')).unwrap_or(text)
}

/// The length of an HTML tag that only formats.
fn tag(rest: &[u8]) -> Option<usize> {
    const NAMES: [&[u8]; 12] = [
        b"br", b"pre", b"code", b"span", b"div", b"font", b"strong", b"em", b"p", b"link", b"exec",
        b"col",
    ];
    let end = memchr::memchr(b'>', rest.get(..300).unwrap_or(rest))?;
    let inside = rest.get(1..end)?;
    let inside = inside.strip_prefix(b"/").unwrap_or(inside);
    let name_end = inside.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(inside.len());
    let (name, attributes) = inside.split_at_checked(name_end)?;
    // A parameter of a C++ template may have such a name, but no attributes.
    let is_known = NAMES.iter().any(|known| name.eq_ignore_ascii_case(known));
    let is_plain = attributes.is_empty() || attributes == b"/" || attributes == b" /";
    let has_values = attributes.starts_with(b" ") && attributes.contains(&b'=');
    let is_link = matches!(name, b"a" | b"A") && (has_values || rest.starts_with(b"</"));
    let is_short = name.len() < 3 && !matches!(name, b"br" | b"BR");
    let is_tag = is_known && (has_values || (is_plain && (!is_short || rest.starts_with(b"</"))));
    (is_tag || is_link).then_some(end + 1)
}

/// The character that an entity stands for, and the length of the entity.
pub(super) fn entity(text: &[u8]) -> Option<(char, usize)> {
    const ENTITIES: [(&[u8], char); 7] = [
        (b"&gt;", '>'),
        (b"&lt;", '<'),
        (b"&amp;", '&'),
        (b"&quot;", '"'),
        (b"&nbsp;", ' '),
        (b"&#39;", '\''),
        (b"&#x27;", '\''),
    ];
    let found = ENTITIES.iter().find(|(name, _)| text.starts_with(name))?;
    Some((found.1, found.0.len()))
}

/// Removes the prefix of a quoted or commented log; a shorter line loses the part of it that it
/// has.
fn without_prefix<'a>(text: Cow<'a, str>, prefix: &str) -> Cow<'a, str> {
    if prefix.is_empty() {
        return text;
    }
    let common = text.bytes().zip(prefix.bytes()).take_while(|(a, b)| a == b).count();
    // A prefix of spaces may be missing in part; a prefix with other characters is either there or
    // not.
    let is_blank = prefix.bytes().all(|b| b == b' ' || b == b'\t');
    let cut = if common == prefix.len() || is_blank || common == text.len() { common } else { 0 };
    if prefix.trim_end().len() <= common && !is_blank {
        return tail(text, common);
    }
    tail(text, cut)
}

fn tail(text: Cow<'_, str>, from: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(from..).unwrap_or(text)),
        Cow::Owned(mut text) => {
            if text.is_char_boundary(from) {
                text.drain(..from);
            }
            Cow::Owned(text)
        }
    }
}

fn trimmed_end(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii_end()),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_ascii_end().len());
            Cow::Owned(text)
        }
    }
}

/// Lines that debuggers print anywhere and that are not about the target: the start of the line,
/// and the kind of noise.
const NOISE: &[(&str, &str)] = &[
    ("*** CacheSize too low", "cache"),
    ("*** ERROR: Module load completed", "symbols"),
    ("*** ERROR: Symbol file could not be found", "symbols"),
    ("*** WARNING: Unable to verify", "symbols"),
    ("*** WARNING: symbols timestamp", "symbols"),
    ("*** WARNING: Check Image", "symbols"),
    ("Max cache size is", "cache"),
    ("Total memory in cache", "cache"),
    ("Number of regions cached", "cache"),
    ("** Transition PTEs are implicitly decoded", "cache"),
    ("** Prototype PTEs are implicitly decoded", "cache"),
    ("Using a machine size of", "cache"),
    ("Press ctrl-c (cdb, kd, ntsd)", "hint"),
    ("Unable to enumerate user-mode unloaded modules", "missing memory"),
    ("Implicit process is now", "context"),
    ("Implicit thread is now", "context"),
    (".cache forcedecode", "cache"),
    ("full reads broken into", "cache"),
    ("counting cached/uncached", "cache"),
    ("counting all reads", "cache"),
    ("Loading User Symbols", "symbols"),
    ("Loading Kernel Symbols", "symbols"),
    ("Loading unloaded module list", "symbols"),
    ("Could not find memory range", "missing memory"),
    ("Unable to load image", "symbols"),
    ("Unable to open image file", "symbols"),
    ("Page not present in the dump file", "missing memory"),
    ("For more info see", "hint"),
];

/// Whether a line is noise.
pub(super) fn is_noise(text: &str) -> bool {
    noise(text).is_some()
}

/// The kind of noise of a line.
pub(super) fn noise(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let first = text.bytes().next()?;
    // Comparing one byte first leaves nearly no whole text to compare.
    let may_be = |start: &str| start.as_bytes().first() == Some(&first);
    let is_said = |start: &str| may_be(start) && text.starts_with(start);
    let said = || NOISE.iter().find(|(start, _)| is_said(start)).map(|(_, kind)| *kind);
    match first {
        b'.' | b'(' | b'[' | b'<' | b'-' | 0x80.. if is_elision(text) => {
            Some(if text.bytes().all(|b| b == b'.') { "progress" } else { "left out" })
        }
        // A Markdown fence.
        b'`' => text.starts_with("```").then_some("Markdown"),
        b'0'..=b'9' => text.contains(" full reads broken into ").then_some("cache"),
        b'P' if text.starts_with("Page ") => {
            text.contains(" not present in the dump file").then_some("missing memory")
        }
        b'*' | b'.' | b'M' | b'T' | b'N' | b'U' | b'P' | b'I' | b'f' | b'c' | b'L' | b'C'
        | b'F' => said(),
        _ => None,
    }
}

/// Progress dots, and the text that authors insert for omissions.
fn is_elision(text: &str) -> bool {
    let is_dotted = text.contains(['.', '…']);
    let is_snip = text.starts_with(['-', '<']) && text.to_ascii_lowercase().contains("snip");
    is_snip
        || is_dotted && text.chars().all(|c| matches!(c, '.' | ' ' | '…' | '(' | ')' | '[' | ']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_publishing_are_undone_without_copying_clean_lines() {
        let of = |text: &'static str| normalised(Cow::Borrowed(text), false);
        assert!(matches!(of("kd> !irp 0x1f"), Cow::Borrowed(_)));
        assert_eq!(of("‘SaSc’ 0×1f \\*\\*\\*"), "'SaSc' 0x1f ***");
        assert_eq!(of("a\u{a0}b"), "a b");
        assert_eq!(of("c:\\a\\_b"), "c:\\a\\_b");
        assert_eq!(normalised(Cow::Borrowed("KPROCESSOR\\_MODE"), true), "KPROCESSOR_MODE");
        assert_eq!(of("## 0x77D01122: a!b+0x1"), "0x77D01122: a!b+0x1");
        assert_eq!((of("##"), of("**STACK_TEXT:**")), (Cow::from(""), Cow::from("STACK_TEXT:")));
        assert_eq!(of("*** Fatal System Error ***"), "*** Fatal System Error ***");
        assert_eq!(of("<b>nt</b><br /> a<span class=\"x\">b</span> v<int>"), "<b>nt</b> ab v<int>");
        assert_eq!(of("0: kd&gt; dt a &amp;&nbsp;b & c"), "0: kd> dt a & b & c");
    }

    #[test]
    fn prefixes_are_removed() {
        let of = |text: &'static str, prefix| without_prefix(Cow::Borrowed(text), prefix);
        assert_eq!(of("# eax=1", "# "), "eax=1");
        assert_eq!(of("#", "# "), "");
        assert_eq!(of("//  row", "// "), " row");
        assert_eq!(of("    row", "    "), "row");
        assert_eq!(of("  row", "    "), "row");
        assert_eq!(of("row", "# "), "row");
    }

    #[test]
    fn a_stopped_reader_sees_no_more_lines() {
        let image = crate::dump::Image::from_bytes("log", b"one\ntwo\n".to_vec());
        let (text, stopped) = (Text::new(image), Cell::new(false));
        let mut lines = Lines::new(&text, 0..8, 1, "", &stopped);
        assert!(lines.peek().is_some());
        stopped.set(true);
        assert!(lines.peek().is_none() && lines.next().is_none());
    }

    #[test]
    fn noise() {
        assert!(is_noise("....................."));
        assert!(is_noise("*** ERROR: Module load completed but symbols could not be loaded for X"));
        assert!(is_noise("(...)") && is_noise("---SNIP---") && is_noise(". . . . ."));
        assert!(!is_noise("*** Virtual Memory Usage ***"));
    }
}
