//! Rows of the commands of a log, and of the lines that were not recognised.

use super::index::LogSection;
use super::sink::{Ask, NoRows};
use super::{Log, Reading, prompt, scan};
use crate::catalog::Absent;
use crate::model::{Emit, Flow, LogCommand, Problem};

/// Upper limit on the unrecognised lines that are listed for each command.
const MAX_LISTED: usize = 1000;
/// The length at which a listed line is cut.
const MAX_SHOWN: usize = 200;

impl Log {
    /// The rows and unrecognised lines of a section.
    fn counted(&self, section: &LogSection) -> Reading {
        self.read(section, Ask::Count, &mut NoRows)
    }

    fn lines_of(&self, section: &LogSection) -> u64 {
        if section.lines > 0 {
            return section.lines;
        }
        let (mut at, mut count) = (section.start, 0);
        while at < section.end {
            let Some(line) = self.text.line(at) else { break };
            count += 1;
            at = line.next;
        }
        count
    }

    /// The commands in order.
    pub(super) fn commands(&self) -> impl Iterator<Item = &LogSection> {
        self.sections.iter().filter(|section| section.is_command())
    }

    /// What is known about a command.
    pub(super) fn command_row(&self, n: i64, section: &LogSection) -> LogCommand {
        let Reading { rows, tables, unread, noise, .. } = self.counted(section);
        let kinds: Vec<String> =
            noise.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let int = |n: u64| i64::try_from(n).map_err(|_| Absent::Unreadable);
        let lines = self.lines_of(section);
        LogCommand {
            n: Ok(n),
            line: int(section.line),
            end_line: int(section.line + lines.max(1) - 1),
            prompt: scan::text(&section.prompt),
            processor: scan::found(section.number().filter(|_| section.is_kernel)),
            thread_number: scan::found(section.number().filter(|_| !section.is_kernel)),
            target: Ok(section.target.into()),
            command: scan::text(&section.command),
            name: scan::text(&prompt::name(&section.command)),
            tables: scan::text(&tables.join(", ")),
            rows: int(rows),
            unread_lines: int(unread.iter().filter(|u| u.is_line).count() as u64),
            noise_lines: int(noise.iter().map(|(_, count)| count).sum()),
            noise: scan::text(&kinds.join(", ")),
            ..LogCommand::default()
        }
    }

    /// The lines that were not recognised.
    pub(super) fn each_problem(&self, emit: Emit<'_, Problem>) -> Flow {
        let mut n = 0;
        for section in &self.sections {
            n += u64::from(section.is_command());
            let Reading { unread, .. } = self.counted(section);
            if unread.is_empty() {
                continue;
            }
            let command = if section.is_command() { &*section.command } else { "(no command)" };
            if section.reader.is_none() {
                let count = i64::try_from(unread.len()).unwrap_or(i64::MAX);
                let what = if section.is_command() {
                    format!(
                        "line {}: no reader for the output of {}; log_table({n}) has its lines",
                        section.line,
                        shown(command)
                    )
                } else {
                    format!("line {}: text that is no command's", section.line)
                };
                emit.row(Problem { reason: Ok(what), count: Ok(count), ..Problem::default() })?;
                continue;
            }
            for lost in unread.iter().take(MAX_LISTED) {
                let what = if lost.is_line { "not understood: " } else { "" };
                let text =
                    format!("line {}, {}: {what}{}", lost.line, shown(command), shown(&lost.text));
                emit.row(Problem { reason: Ok(text), count: Ok(1), ..Problem::default() })?;
            }
            if let Some(more) = unread.len().checked_sub(MAX_LISTED).filter(|n| *n > 0) {
                let count = i64::try_from(more).unwrap_or(i64::MAX);
                let text = format!("{}: more lines that were not understood", shown(command));
                emit.row(Problem { reason: Ok(text), count: Ok(count), ..Problem::default() })?;
            }
        }
        Flow::Continue(())
    }
}

/// Text of the log in a message: one line, without control characters, of bounded length.
pub(super) fn shown(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut out: String = clean.take(MAX_SHOWN).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        out.push('…');
    }
    out
}
