//! Whether a result needs a pager, and what stays on the screen of one that had one.

use std::io::{self, Write as _};

use super::Repl;
use super::pasted::is_command;
use crate::cli::args::Mode;
use crate::cli::output::{self, Answer};
use crate::cli::pager::{self, Pager, Shown};
use crate::cli::table::{Cut, Look, Window, width_of, write_lines, write_table};
use crate::session::is_complete;

/// Lines of notes and of the next prompt that a result leaves room for.
const BELOW: usize = 4;
/// Rows of a result that stay on the screen when its pager is left.
const KEPT: usize = 6;

/// How large results are shown in a pager.
enum Kind {
    Table,
    Lines(Vec<String>),
}

impl Repl<'_> {
    /// Shows a result that the screen does not hold in the pager. `None` where it is to be printed.
    pub(super) fn page(&mut self, answer: &Answer, look: &Look) -> Option<io::Result<()>> {
        if !self.interactive || !self.console.out_is_terminal || self.pager == Pager::Off {
            return None;
        }
        let kind = self.large(answer, look)?;
        let lines = match &kind {
            Kind::Table => None,
            Kind::Lines(lines) => Some(lines.as_slice()),
        };
        let left = if let Pager::Program(program) = &self.pager {
            if let Err(error) = pager::hand_over(program, &answer.result, look, lines) {
                self.console.say(format!("the pager `{}`: {error}", self.pager));
                return None;
            }
            String::new()
        } else {
            let shown = match kind {
                Kind::Table => Shown::Table(Window::new(&answer.result, &look.null)),
                Kind::Lines(lines) => Shown::Lines { lines, top: 0, left: 0 },
            };
            pager::browse(shown, &self.console).ok()?
        };
        self.typed_ahead = left;
        // Ctrl-C in the pager was meant for it.
        self.interrupt.arm();
        Some(self.summary(answer, look))
    }

    /// How the result is shown in a pager, if it does not fit the screen.
    fn large(&self, answer: &Answer, look: &Look) -> Option<Kind> {
        let result = &answer.result;
        let (width, height) = self.console.screen();
        let width = look.width.unwrap_or(width).min(width);
        let room = height.saturating_sub(BELOW);
        if output::shows_lines(result, self.mode, look) {
            let mut text = Vec::new();
            let plain = Look { colour: false, ..look.clone() };
            write_lines(result, &plain, &mut text).ok()?;
            let lines: Vec<String> =
                String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
            return (lines.len() > room).then_some(Kind::Lines(lines));
        }
        if !matches!(self.mode, Mode::Auto | Mode::Table) || result.is_empty() {
            return None;
        }
        if result.len() + BELOW > room {
            return Some(Kind::Table);
        }
        let mut text = Vec::new();
        let whole = Look { width: None, colour: false, ..look.clone() };
        write_table(result, &whole, &mut text).ok()?;
        let text = String::from_utf8_lossy(&text);
        text.lines().any(|line| width_of(line) > width).then_some(Kind::Table)
    }

    /// What stays on the screen: the first rows of a table, and how to see the rest again.
    fn summary(&self, answer: &Answer, look: &Look) -> io::Result<()> {
        let few = Look { max_rows: Some(KEPT), ..look.clone() };
        let mut cut = Cut::default();
        if !output::shows_lines(&answer.result, self.mode, look) {
            let mut out = self.console.out();
            cut = write_table(&answer.result, &few, &mut out)?;
            out.flush()?;
        }
        output::notes(&answer.result, &cut, Some(".last shows them again"), &self.console)
    }

    /// What was typed while a pager was open: a whole line, or the beginning of one.
    pub(super) fn typed(&mut self) -> Typed {
        let typed = std::mem::take(&mut self.typed_ahead).replace('\r', "\n");
        let mut line = String::new();
        for (at, c) in typed.char_indices() {
            if c == '\n' && self.is_whole(&line) {
                typed.get(at + 1..).unwrap_or_default().clone_into(&mut self.typed_ahead);
                return Typed::Whole(line);
            }
            if !c.is_control() || c == '\n' {
                line.push(c);
            }
        }
        Typed::Begun(line)
    }

    /// Whether Enter would run the text.
    fn is_whole(&self, text: &str) -> bool {
        let line = text.trim();
        is_command(line, self.library) || is_complete(text)
    }
}

/// Text that came before the prompt asked for it.
pub(super) enum Typed {
    Whole(String),
    Begun(String),
}
