//! What a program says, and what the system says of its process.

use std::io::Write as _;

/// A number of bytes in the process's status, such as `VmRSS:`; `None` if the system does not give it.
pub(crate) fn status(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}

pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
