//! The commands of a debugger log.

use super::row;

row! {
    /// A command of a debugger log.
    pub LogCommand in "log_commands" {
        /// Number of the command, from 1.
        n: i64,
        /// Line of the log on which it stands.
        line: i64,
        /// Last line of its output.
        end_line: i64,
        /// The prompt, where there is one.
        prompt: String,
        /// Processor that the prompt names, in kernel logs.
        processor: i64,
        /// Thread that the prompt names, in logs of a process.
        thread_number: i64,
        /// Number of the target (dump or machine) of those that the log looks at, from 1.
        target: i64,
        /// The command as typed, or as recognised by its output.
        command: String,
        /// Name of the command, without arguments.
        name: String,
        /// Tables that its output fills, separated by commas.
        tables: String,
        /// Rows that were recognised.
        rows: i64,
        /// Lines that were not understood.
        unread_lines: i64,
        /// Lines of noise: progress, messages on symbols, and what else says nothing of the target.
        noise_lines: i64,
        /// Kinds of noise with the number of lines, separated by commas.
        noise: String,
    }
}
