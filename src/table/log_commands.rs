//! `log_commands`: one row for each command of a debugger log, with the rows recognised in its
//! output.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::LogCommand;

pub(super) static TABLE: TableDef<LogCommand> = TableDef {
    doc: "One row for each command of a debugger log, with the result of reading its output.",
    answers: "(none)",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT n, command, rows, unread_lines FROM log_commands ORDER BY n",
        doc: "The commands of the log, and how much of their output was recognised.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.n, "Number of the command, from 1.", Get::Int(|r| r.n)),
        Column::new(|c| c.line, "Line of the log on which it stands.", Get::Int(|r| r.line)),
        Column::new(|c| c.end_line, "Last line of its output.", Get::Int(|r| r.end_line)),
        Column::new(|c| c.prompt, "The prompt, if there is one.", Get::Text(|r| text(&r.prompt))),
        Column::new(
            |c| c.processor,
            "Processor in the prompt, in logs of kernel targets.",
            Get::Int(|r| r.processor),
        ),
        Column::new(
            |c| c.thread_number,
            "Thread in the prompt, in logs of user-mode targets.",
            Get::Int(|r| r.thread_number),
        ),
        Column::new(
            |c| c.target,
            "Number of the debugged target (dump or machine), from 1.",
            Get::Int(|r| r.target),
        ),
        Column::new(
            |c| c.command,
            "The command as typed, or as recognised by its output.",
            Get::Text(|r| text(&r.command)),
        ),
        Column::new(
            |c| c.name,
            "Name of the command, without arguments.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(
            |c| c.tables,
            "Tables that its output fills, separated by commas.",
            Get::Text(|r| text(&r.tables)),
        ),
        Column::new(|c| c.rows, "Rows that were recognised.", Get::Int(|r| r.rows)),
        Column::new(
            |c| c.unread_lines,
            "Lines that were not recognised.",
            Get::Int(|r| r.unread_lines),
        ),
        Column::new(
            |c| c.noise_lines,
            "Lines of noise: progress, messages about symbols, and other text that is not about the target.",
            Get::Int(|r| r.noise_lines),
        ),
        Column::new(
            |c| c.noise,
            "Kinds of noise with the number of lines, separated by commas.",
            Get::Text(|r| text(&r.noise)),
        ),
    ],
};
