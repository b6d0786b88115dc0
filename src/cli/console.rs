//! Standard output and standard error: whether they are terminals, their width, and colours.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use super::args::Colour;
use super::interrupt::{Guarded, Interrupt};
use crate::export::visible::{acts, push_visible};

/// The two streams, looked at once.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "two facts about each of two streams")]
pub(super) struct Console {
    /// Whether results go to a terminal.
    pub(super) out_is_terminal: bool,
    /// Whether messages go to a terminal.
    pub(super) err_is_terminal: bool,
    /// Whether results are coloured.
    pub(super) out_colour: bool,
    /// Whether messages are coloured.
    pub(super) err_colour: bool,
    /// The width that was asked for, in place of the terminal's.
    pub(super) fixed_width: Option<usize>,
    interrupt: Interrupt,
}

impl Console {
    /// Looks at the streams.
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

    /// The width that results have to fit; `None` where nothing may be cut.
    pub(super) fn out_width(&self) -> Option<usize> {
        if !self.out_is_terminal {
            return None;
        }
        self.fixed_width.or_else(terminal_width).or(Some(80))
    }

    /// The width for running text.
    pub(super) fn text_width(&self) -> usize {
        self.out_width().unwrap_or(100).clamp(40, 100)
    }

    /// Standard output for text that is made to be seen: already free of control characters.
    pub(super) fn out(&self) -> impl Write + use<> {
        Guarded::new(BufWriter::with_capacity(1 << 16, io::stdout().lock()), self.interrupt.clone())
    }

    /// Standard output for a format of files. A terminal is kept from obeying what the cells hold.
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
    #[allow(clippy::unused_self, reason = "callers talk to the console, not to a stream")]
    pub(super) fn say(&self, text: impl AsRef<str>) {
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }
}

fn terminal_width() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
    (columns > 0).then_some(usize::from(columns))
}

/// Passes text on with its acting characters made visible, all but line ends and tabs.
struct Visible<W: Write> {
    inner: W,
    /// The start of a character whose rest has not come yet.
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
            // Invalid bytes at the very end may be the start of a character.
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
    fn a_terminal_obeys_no_cell() {
        let mut out = Visible { inner: Vec::new(), pending: Vec::new() };
        for byte in "a\u{1b}[2J\té日\u{9b}\r\n".as_bytes() {
            out.write_all(&[*byte]).unwrap();
        }
        out.write_all(b"\xffz").unwrap();
        let text = String::from_utf8(out.inner).unwrap();
        assert_eq!(text, "a\\x1b[2J\té日\\x9b\\r\n\u{fffd}z");
    }
}
