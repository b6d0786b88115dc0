//! The commands of a debugger log.

use super::row;

row! {
    /// A command of a debugger log.
    pub LogCommand in "log_commands" {
        /// Number of the command, from 1.
        n: i64,
        /// Line of the log that it is on.
        line: i64,
        /// Last line of its output.
        end_line: i64,
        /// The prompt, if there is one.
        prompt: String,
        /// Processor in the prompt, in logs of kernel targets.
        processor: i64,
        /// Thread in the prompt, in logs of user-mode targets.
        thread_number: i64,
        /// Number of the debugged target (dump or machine), from 1.
        target: i64,
        /// The command as typed, or as recognised by its output.
        command: String,
        /// Name of the command, without arguments.
        name: String,
        /// Tables that its output fills, separated by commas.
        tables: String,
        /// Rows that were recognised.
        rows: i64,
        /// Lines that were not recognised.
        unread_lines: i64,
        /// Lines of noise: progress, messages about symbols, and other text that is not about the
        /// target.
        noise_lines: i64,
        /// Kinds of noise with the number of lines, separated by commas.
        noise: String,
    }
}
