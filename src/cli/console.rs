//! Standard output and standard error: whether they are terminals, their width, and colours.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use super::args::Colour;
use super::interrupt::{Guarded, Interrupt};
use crate::export::visible::{acts, push_visible};

/// The properties of the two streams, determined once.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "two flags for each of two streams")]
pub(super) struct Console {
    /// Whether results go to a terminal.
    pub(super) out_is_terminal: bool,
    /// Whether messages go to a terminal.
    pub(super) err_is_terminal: bool,
    /// Whether results are coloured.
    pub(super) out_colour: bool,
    /// Whether messages are coloured.
    pub(super) err_colour: bool,
    /// The requested width, instead of the terminal's.
    pub(super) fixed_width: Option<usize>,
    interrupt: Interrupt,
}

impl Console {
    /// Determines the properties of the streams.
    pub(super) fn new(colour: Colour, interrupt: Interrupt) -> Self {
        let out_is_terminal = io::stdout().is_terminal();
        let err_is_terminal = io::stderr().is_terminal();
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        let auto = !set("NO_COLOR") && !dumb;
        let coloured = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && auto,
        };
        Self {
            out_is_terminal,
            err_is_terminal,
            out_colour: coloured(out_is_terminal),
            err_colour: coloured(err_is_terminal),
            fixed_width: None,
            interrupt,
        }
    }

    /// The width into which results have to fit; `None` if nothing may be shortened.
    pub(super) fn out_width(&self) -> Option<usize> {
        if !self.out_is_terminal {
            return None;
        }
        self.fixed_width.or_else(terminal_width).or(Some(80))
    }

    /// The columns and lines of the terminal.
    #[allow(clippy::unused_self, reason = "callers talk to the console, not to a stream")]
    pub(super) fn screen(&self) -> (usize, usize) {
        match terminal_size::terminal_size() {
            Some((columns, lines)) if columns.0 > 0 && lines.0 > 0 => {
                (usize::from(columns.0), usize::from(lines.0))
            }
            _ => (80, 24),
        }
    }

    /// The width of continuous text.
    pub(super) fn text_width(&self) -> usize {
        self.out_width().unwrap_or(100).clamp(40, 100)
    }

    /// Standard output for text that contains no control characters any more.
    pub(super) fn out(&self) -> impl Write + use<> {
        Guarded::new(BufWriter::with_capacity(1 << 16, io::stdout().lock()), self.interrupt.clone())
    }

    /// Standard output for file formats. On a terminal, control characters in cells are made
    /// visible.
    pub(super) fn raw_out(&self) -> Box<dyn Write> {
        if self.out_is_terminal {
            Box::new(Visible { inner: self.out(), pending: Vec::new() })
        } else {
            Box::new(self.out())
        }
    }

    /// A file that results are written to; Ctrl-C ends the writing.
    pub(super) fn file<W: Write>(&self, out: W) -> impl Write + use<W> {
        Guarded::new(out, self.interrupt.clone())
    }

    /// Writes a line to standard error; a failure is ignored.
    #[allow(clippy::unused_self, reason = "callers use the console, not a stream")]
    pub(super) fn say(&self, text: impl AsRef<str>) {
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }
}

fn terminal_width() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
    (columns > 0).then_some(usize::from(columns))
}

/// Passes text on with control characters made visible, except line ends and tabs.
struct Visible<W: Write> {
    inner: W,
    /// The first bytes of an incomplete character.
    pending: Vec<u8>,
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        let mut seen = String::with_capacity(self.pending.len());
        let mut used = 0;
        for chunk in self.pending.utf8_chunks() {
            for c in chunk.valid().chars() {
                if acts(c) && !matches!(c, '\n' | '\t') {
                    push_visible(c, &mut seen);
                } else {
                    seen.push(c);
                }
            }
            used += chunk.valid().len();
            let rest = self.pending.len() - used;
            // Invalid bytes at the end may be the first bytes of a character.
            if !chunk.invalid().is_empty() && chunk.invalid().len() < rest {
                seen.push(char::REPLACEMENT_CHARACTER);
                used += chunk.invalid().len();
            }
        }
        self.pending.drain(..used);
        self.inner.write_all(seen.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_cells_do_not_reach_a_terminal() {
        let mut out = Visible { inner: Vec::new(), pending: Vec::new() };
        for byte in "a\u{1b}[2J\té日\u{9b}\r\n".as_bytes() {
            out.write_all(&[*byte]).unwrap();
        }
        out.write_all(b"\xffz").unwrap();
        let text = String::from_utf8(out.inner).unwrap();
        assert_eq!(text, "a\\x1b[2J\té日\\x9b\\r\n\u{fffd}z");
    }
}
