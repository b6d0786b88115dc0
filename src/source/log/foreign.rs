//! Text files that are mistaken for debugger logs, recognised by their first lines, so that the
//! error message says what the file is.

use super::text::Text;

/// How many lines are examined.
const LINES: usize = 40;

/// The description of a text, if it is the export of another tool.
pub(super) fn describe(text: &Text) -> Option<&'static str> {
    let mut at = text.start();
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let Some(line) = text.line(at) else { break };
        let trimmed = line.text.trim_matches(['\u{feff}', ' ', '\t']);
        if !trimmed.is_empty() {
            lines.push(trimmed.chars().take(400).collect::<String>());
        }
        at = line.next;
    }
    let starts = |prefix: &str| lines.iter().any(|line| line.starts_with(prefix));
    let first = lines.first()?;
    let heads = |names: &[&str]| {
        let cells: Vec<&str> =
            first.split(['\t', ',']).map(|cell| cell.trim_matches('"')).collect();
        names.iter().all(|name| cells.contains(name))
    };
    if starts("EventType=") && (starts("Version=") || starts("EventTime=")) {
        return Some("a report of Windows Error Reporting (Report.wer)");
    }
    let is_nirsoft = |name: &str| lines.iter().any(|line| field(line) == Some(name));
    if (is_nirsoft("Dump File") && is_nirsoft("Crash Time"))
        || heads(&["Dump File", "Crash Time", "Bug Check Code"])
    {
        return Some("an export of BlueScreenView");
    }
    if is_nirsoft("Process File") && is_nirsoft("Exception Code")
        || heads(&["Process File", "Exception Code"])
    {
        return Some("an export of AppCrashView or WhatIsHang");
    }
    if heads(&["Time of Day", "Process Name", "PID", "Operation"]) {
        return Some("an export of Process Monitor (Sysinternals)");
    }
    if heads(&["Process", "CPU", "Private Bytes", "PID"]) {
        return Some("an export of Process Explorer (Sysinternals)");
    }
    if heads(&["Entry Location", "Entry"]) || heads(&["Time", "Entry Location"]) {
        return Some("an export of Autoruns (Sysinternals)");
    }
    if heads(&["Protocol", "Local Address", "Remote Address", "State"]) {
        return Some("an export of TCPView (Sysinternals)");
    }
    if first.starts_with("Level,Date and Time,Source,Event ID") {
        return Some("an export of the Windows event log");
    }
    let is_sysinternals =
        lines.iter().take(4).any(|line| line.contains("Sysinternals - www.sysinternals.com"));
    let is_tool = |names: &[&str]| names.iter().any(|name| first.starts_with(name));
    if is_sysinternals
        || is_tool(&["Nthandle v", "Handle v", "Listdlls v", "PsList v", "pslist v", "VMMap v"])
    {
        return Some("the output of a Sysinternals tool");
    }
    None
}

/// The name of a field in the format of the `NirSoft` tools, one per line: `Crash Time        :
/// 1/2/2024`.
fn field(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    Some(name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::Image;

    fn of(text: &str) -> Option<&'static str> {
        describe(&Text::new(Image::from_bytes("log", text.as_bytes().to_vec())))
    }

    #[test]
    fn exports_of_other_tools_are_named() {
        let is = |text: &str, name: &str| {
            let found = of(text);
            assert!(found.is_some_and(|found| found.contains(name)), "{text}: {found:?}");
        };
        is("Version=1\r\nEventType=APPCRASH\r\nEventTime=132\r\n", "Windows Error Reporting");
        is(
            "==================\nDump File         : 010124-1.dmp\nCrash Time        : 1/1/2024\n",
            "BlueScreenView",
        );
        is("Dump File,Crash Time,Bug Check String,Bug Check Code\n", "BlueScreenView");
        is("\u{feff}\"Time of Day\",\"Process Name\",\"PID\",\"Operation\"\n", "Process Monitor");
        is("Process\tCPU\tPrivate Bytes\tWorking Set\tPID\n", "Process Explorer");
        is("\nNthandle v5.0 - Handle viewer\n", "Sysinternals");
        assert_eq!(of("0: kd> !process 0 0\nPROCESS 8a3da020  SessionId: 0\n"), None);
        assert_eq!(of("Process Name : x\nException Code : y\n"), None);
    }
}
