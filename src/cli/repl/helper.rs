//! The callbacks of the line editor: highlighting, completion, and whether the input is complete.

use std::borrow::Cow;
use std::sync::Arc;

use rustyline::Context;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};

use super::command;
use super::complete::Vocabulary;
use super::pasted::{Piece, has_command, is_command, pieces};
use crate::cli::table::{push_clean, shorten};
use crate::session::{Library, Session, TokenKind, is_complete, tokens};

/// The editor's helper.
pub(super) struct Helper {
    vocabulary: Vocabulary,
    session: Arc<Session>,
    library: Library,
    colour: bool,
}

impl Helper {
    pub(super) const fn new(
        vocabulary: Vocabulary,
        session: Arc<Session>,
        library: Library,
        colour: bool,
    ) -> Self {
        Self { vocabulary, session, library, colour }
    }

    /// Whether the text is several commands and statements, none of which goes on.
    fn is_pasted(&self, text: &str) -> bool {
        if !text.contains('\n') {
            return false;
        }
        let pieces = pieces(text, |line| is_command(line, &self.library));
        has_command(&pieces) && !matches!(pieces.last(), Some(Piece::Statements(_, false)))
    }

    /// Whether the line is a debugger command, which needs no semicolon.
    fn is_debuggers(&self, line: &str) -> bool {
        !line.trim().contains('\n') && self.library.is_command(line)
    }

    /// Takes over the names of another session.
    pub(super) fn learn(&mut self, vocabulary: Vocabulary, session: &Arc<Session>) {
        self.vocabulary = vocabulary;
        self.session = Arc::clone(session);
    }
}

impl rustyline::Helper for Helper {}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(self.vocabulary.complete(line, at, Some(&self.session)))
    }
}

/// Shown after the cursor; never part of the input.
const GOES_ON: &str = "  -- ; ends the statement";

impl Hinter for Helper {
    type Hint = Shown;

    fn hint(&self, line: &str, at: usize, _: &Context<'_>) -> Option<Shown> {
        let last_is_empty = line.ends_with('\n') && at == line.len();
        if last_is_empty && !is_complete(line) {
            return Some(Shown(GOES_ON.to_owned()));
        }
        let says = self.vocabulary.hint(line.get(..at)?)?;
        let mut clean = String::new();
        push_clean(&says, &mut clean);
        let columns = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Some(Shown(format!("\n{}", shorten(&clean, columns.saturating_sub(1)))))
    }
}

/// What is shown behind or below the line; never taken over into it.
pub(super) struct Shown(String);

impl rustyline::hint::Hint for Shown {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Validator for Helper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input();
        let runs = line.trim().is_empty()
            || command::of(line.trim()).is_some()
            || self.is_debuggers(line)
            || is_complete(line)
            || self.is_pasted(line);
        Ok(if runs { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Highlighter for Helper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.colour && command::of(line.trim()).is_none() && !self.is_debuggers(line) {
            Cow::Owned(painted(line))
        } else {
            Cow::Borrowed(line)
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colour { Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")) } else { Cow::Borrowed(hint) }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.colour && kind != CmdKind::MoveCursor
    }
}

fn painted(line: &str) -> String {
    let mut text = String::with_capacity(line.len() * 2);
    let mut done = 0;
    for token in tokens(line) {
        let start = token.span.start as usize;
        let colour = match token.kind {
            TokenKind::Keyword => "\x1b[36m",
            TokenKind::Text | TokenKind::Unclosed => "\x1b[32m",
            TokenKind::Number | TokenKind::Address | TokenKind::Symbol => "\x1b[35m",
            TokenKind::Parameter => "\x1b[33m",
            TokenKind::Comment => "\x1b[2m",
            TokenKind::Unknown => "\x1b[31m",
            _ => continue,
        };
        text.push_str(line.get(done..start).unwrap_or_default());
        text.push_str(colour);
        text.push_str(token.text(line));
        text.push_str("\x1b[0m");
        done = token.span.end as usize;
    }
    text.push_str(line.get(done..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::painted;

    #[test]
    fn highlighting_changes_no_character() {
        for line in ["SELECT 'a' -- b", "from x where\n\"y\" = 0x10 and 'open", "é$p !§ nt!Ki*"] {
            let mut bare = String::new();
            let mut rest = painted(line);
            while let Some(at) = rest.find('\x1b') {
                bare.push_str(&rest[..at]);
                let end = rest[at..].find('m').unwrap() + at + 1;
                rest = rest[end..].to_owned();
            }
            bare.push_str(&rest);
            assert_eq!(bare, line);
        }
        assert!(painted("select 1").contains("\x1b[36mselect"));
    }
}
