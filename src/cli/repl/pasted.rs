//! Text of several lines in which commands stand between statements, as it is pasted from notes.

use super::{Next, Repl, command};
use crate::cli::script::is_blank;
use crate::session::{Library, is_complete};

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A line with a command, where a statement may begin.
    Command(String),
    /// Statements, and whether the last one ends.
    Statements(String, bool),
}

/// Whether a line alone is a command of the prompt or of the debugger.
pub(super) fn is_command(line: &str, library: &Library) -> bool {
    command::of(line.trim()).is_some() || library.is_command(line)
}

/// The parts of a text, in order; `is_command` says whether a line alone is a command.
pub(super) fn pieces(text: &str, is_command: impl Fn(&str) -> bool) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut pending = String::new();
    for line in text.lines() {
        if is_blank(&pending) && is_command(line) {
            pending.clear();
            found.push(Piece::Command(line.to_owned()));
            continue;
        }
        pending.push_str(line);
        pending.push('\n');
        // Only the end of a statement, or of a comment behind it, completes the text.
        if line.contains([';', '/']) && is_complete(&pending) {
            found.push(Piece::Statements(std::mem::take(&mut pending), true));
        }
    }
    if !is_blank(&pending) {
        found.push(Piece::Statements(pending, false));
    }
    found
}

/// Whether commands are among the parts of a text.
pub(super) fn has_command(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Command(_)))
}

impl Repl<'_> {
    /// Runs the parts of a text.
    pub(super) fn feed(&mut self, pieces: Vec<Piece>) -> Next {
        for piece in pieces {
            let (Piece::Command(text) | Piece::Statements(text, _)) = piece;
            if self.answer(&text) == Next::Leave {
                return Next::Leave;
            }
        }
        Next::Ask
    }

    /// The parts of a text.
    pub(super) fn pieces(&self, text: &str) -> Vec<Piece> {
        pieces(text, |line| is_command(line, self.library))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_words_of_statements() {
        let of = |text| {
            let pieces = pieces(text, |line| line.starts_with('!') || line == "k");
            (has_command(&pieces), matches!(pieces.last(), Some(Piece::Statements(_, false))))
        };
        assert_eq!(of("!locks\nk"), (true, false));
        assert_eq!(of("SELECT 1;\n!locks\n"), (true, false));
        assert_eq!(of("!locks\nSELECT"), (true, true));
        assert_eq!(of("SELECT\nk\nFROM t;"), (false, false));
        assert_eq!(of("SELECT ';\nk\n'"), (false, true));
        assert_eq!(of("SELECT 1; /* a\nk */\nk"), (true, false));
    }
}
