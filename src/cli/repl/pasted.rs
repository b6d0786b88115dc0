//! Text of several lines in which commands stand between statements, as it is pasted from notes.

use super::{Next, Repl, is_command};
use crate::cli::script::is_blank;
use crate::session::is_complete;

/// What a text consists of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pasted {
    /// Whether a command stands where a statement may begin.
    pub(super) has_commands: bool,
    /// Whether the last statement does not end.
    pub(super) is_open: bool,
}

impl Pasted {
    /// Examines a text; `is_command` says whether a line alone is a command.
    pub(super) fn of(text: &str, is_command: impl Fn(&str) -> bool) -> Self {
        let mut has_commands = false;
        let mut pending = String::new();
        for line in text.lines() {
            if is_blank(&pending) && is_command(line) {
                has_commands = true;
                pending.clear();
                continue;
            }
            pending.push_str(line);
            pending.push('\n');
            if line.contains(';') && is_complete(&pending) {
                pending.clear();
            }
        }
        Self { has_commands, is_open: !is_blank(&pending) }
    }
}

impl Repl<'_> {
    /// Runs a text line by line.
    pub(super) fn feed(&mut self, text: &str) -> Next {
        let mut pending = String::new();
        for line in text.lines() {
            let is_command = is_command(line) || self.library.is_command(line);
            if is_command && is_blank(&pending) {
                pending.clear();
                if self.answer(line) == Next::Leave {
                    return Next::Leave;
                }
                continue;
            }
            pending.push_str(line);
            pending.push('\n');
            if is_complete(&pending) && self.answer(&std::mem::take(&mut pending)) == Next::Leave {
                return Next::Leave;
            }
        }
        if is_blank(&pending) { Next::Ask } else { self.answer(&pending) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_words_of_statements() {
        let of = |text| {
            let Pasted { has_commands, is_open } =
                Pasted::of(text, |line| line.starts_with('!') || line == "k");
            (has_commands, is_open)
        };
        assert_eq!(of("!locks\nk"), (true, false));
        assert_eq!(of("SELECT 1;\n!locks\n"), (true, false));
        assert_eq!(of("!locks\nSELECT"), (true, true));
        assert_eq!(of("SELECT\nk\nFROM t;"), (false, false));
        assert_eq!(of("SELECT ';\nk\n'"), (false, true));
    }
}
