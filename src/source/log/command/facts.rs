//! Output of extensions as names with values or as tables, for commands without a reader of their
//! own: `!wdfkd`, `!ndiskd`, `!usbkd`, `!storagekd`, `!scsikd` and smaller ones.
//!
//! Each line becomes a row. The name precedes a colon or an equals sign; a line without either
//! becomes a row without a name, so that nothing is lost or guessed.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::ExtensionFact;
use crate::source::log::layout::{self, Numbered};
use crate::source::log::line::{Line, Lines};
use crate::source::log::prompt;
use crate::source::log::scan::{found, text};
use crate::source::log::sink::Sink;

/// Extension libraries whose commands all print in this form.
const LIBRARIES: [&str; 14] = [
    "wdfkd",
    "ndiskd",
    "usbkd",
    "usb3kd",
    "usbuxdkd",
    "storagekd",
    "scsikd",
    "minipkd",
    "gpiokd",
    "pcie",
    "wmitrace",
    "rcdrkd",
    "logger",
    "bthkd",
];

/// Commands that print in this form, from any library.
const NAMES: [&str; 42] = [
    "!sysinfo",
    "!heap",
    "!whea",
    "!job",
    "!processirps",
    "!gflag",
    "!ptov",
    "!vtop",
    "!pfn",
    "!token",
    "!sd",
    "!acl",
    "!sid",
    "!reg",
    "!fileobj",
    "!file",
    "!filelock",
    "!arbiter",
    "!pci",
    "!pcitree",
    "!acpikd",
    "!acpiinf",
    "!poaction",
    "!popolicy",
    "!pocaps",
    "!power",
    "!cpuinfo",
    "!cpuid",
    "!chklowmem",
    "!ipi",
    "!mca",
    "!dma",
    "!dumpheap",
    "!eeheap",
    "!syncblk",
    "!gcroot",
    "!dumpobj",
    "!do",
    "!name2ee",
    "!wdfdriverinfo",
    "!crash",
    "!di",
];

/// The reader of libraries and commands whose output has no characteristic lines.
pub(super) static READER: Reader = Reader {
    name: "!wdfkd",
    is_named: |name| NAMES.contains(&name),
    signatures: &[],
    contains: &[],
    fills: FILLS,
    read,
};

/// Readers of commands that are recognised by their output.
pub(super) static ERROR: Reader = one(
    "!error",
    |name| name == "!error",
    &[Signature { literal: "Error code: (", check: |_| true }],
);
/// `!gle`.
pub(super) static LAST_ERROR: Reader = one(
    "!gle",
    |name| name == "!gle",
    &[Signature { literal: "LastErrorValue: (", check: |_| true }],
);
/// `!irql`.
pub(super) static IRQL: Reader = one(
    "!irql",
    |name| name == "!irql",
    &[Signature { literal: "Debugger saved IRQL for processor", check: |_| true }],
);
/// `!exploitable`.
pub(super) static EXPLOITABLE: Reader = one(
    "!exploitable",
    |name| name == "!exploitable",
    &[Signature { literal: "Exploitability Classification:", check: |_| true }],
);

const FILLS: &[Fills] = &[Fills::rows::<ExtensionFact>()];

const fn one(
    name: &'static str,
    is_named: fn(&str) -> bool,
    signatures: &'static [Signature],
) -> Reader {
    Reader { name, is_named, signatures, contains: &[], fills: FILLS, read }
}

/// Whether a typed command belongs to a library whose commands all print in this form.
pub(super) fn is_of_library(command: &str) -> bool {
    let name = command.strip_prefix('!').and_then(|rest| rest.split_whitespace().next());
    let library = name.and_then(|name| name.rsplit_once('.')).map(|(library, _)| library);
    library.is_some_and(|library| {
        let bare = library.rsplit(['\\', '/']).next().unwrap_or(library).to_ascii_lowercase();
        LIBRARIES.contains(&bare.as_str())
    })
}

/// Upper limit on the lines of a chunk that is processed as a whole.
const MAX_CHUNK: usize = 2000;

/// Reads all lines.
pub(super) fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut facts =
        Facts { command: text(&prompt::name(cx.command)), block: Err(Absent::NotApplicable) };
    loop {
        let mut chunk: Vec<Line<'_>> = Vec::new();
        while chunk.len() < MAX_CHUNK
            && let Some(line) = lines.next_if(|line| !line.is_blank())
        {
            chunk.push(line);
        }
        if !chunk.is_empty() {
            facts.chunk(&chunk, sink);
        } else if lines.next().is_none() {
            break;
        }
    }
}

/// The state of reading: what applies to the following lines.
struct Facts {
    command: Cell<String>,
    block: Cell<String>,
}

impl Facts {
    /// Processes lines without a blank line between them: a table, or names with values.
    fn chunk(&mut self, chunk: &[Line<'_>], sink: &mut Sink<'_>) {
        let is_ruled = chunk.iter().any(|line| layout::is_rule(line.trimmed()));
        let sample = || chunk.iter().map(|line| (line.number, line.text.to_string()));
        let table = is_ruled.then(|| sample().collect::<Vec<Numbered>>());
        let Some(found) =
            table.and_then(|sample| layout::find(&sample)).filter(|t| t.names.len() > 1)
        else {
            return chunk.iter().for_each(|line| self.line(line, sink));
        };
        let mut item = 0;
        for line in chunk {
            if layout::is_rule(line.trimmed()) || line.number == found.before {
                continue;
            }
            let is_heading = line
                .text
                .split_whitespace()
                .eq(found.names.iter().flat_map(|n| n.split_whitespace()));
            let cells = found.cut.cells(&line.text, found.names.len());
            match cells.filter(|_| line.number > found.before) {
                _ if is_heading => {}
                Some(cells) => {
                    item += 1;
                    for (name, value) in found.names.iter().zip(cells) {
                        if !value.is_empty() {
                            self.emit(line, Ok(item), name, &value, sink);
                        }
                    }
                }
                None => self.line(line, sink),
            }
        }
    }

    fn line(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let shown = line.trimmed();
        if layout::is_rule(shown) {
            return;
        }
        let pairs = pairs(shown);
        if pairs.is_empty() {
            self.emit(line, Err(Absent::NotApplicable), "", shown, sink);
        }
        for (name, value) in pairs {
            if value.is_empty() {
                // The lines that follow are below this heading.
                self.block = text(name);
            }
            self.emit(line, Err(Absent::NotApplicable), name, value, sink);
        }
    }

    fn emit(&self, line: &Line<'_>, item: Cell<i64>, name: &str, value: &str, sink: &mut Sink<'_>) {
        sink.row(
            line,
            ExtensionFact {
                command: self.command.clone(),
                block: self.block.clone(),
                item,
                name: text(name),
                value: text(value),
                ..ExtensionFact::default()
            },
        );
    }
}

/// The names and values on a line: several if spaces separate them, else one.
fn pairs(line: &str) -> Vec<(&str, &str)> {
    let line = line.trim();
    let parts: Vec<&str> =
        line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect();
    let several: Option<Vec<(&str, &str)>> =
        parts.iter().map(|part| pair(part).filter(|(_, value)| !value.is_empty())).collect();
    match several {
        Some(several) if several.len() > 1 => several,
        _ => pair(line).into_iter().collect(),
    }
}

/// `State : FxPowerD0`, `Flags = 0x4`, `Owner:`.
pub(super) fn pair(line: &str) -> Option<(&str, &str)> {
    let colon = line.find(':').filter(|at| {
        line.get(at + 1..).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    });
    let equals = line.find(" = ").map(|at| at + 1);
    let at = [colon, equals].into_iter().flatten().min()?;
    let (name, value) = (line.get(..at)?.trim(), line.get(at + 1..)?.trim());
    let is_name = name
        .starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '[' | '(' | '~' | '!'))
        && name.len() <= 64
        && !name.contains(['\\', '"'])
        && !(name.contains('!') && name.contains(' '));
    is_name.then_some((name, value))
}

/// Emits a row with one name and value, for readers that have no column for it.
pub(super) fn emit(command: &str, block: &str, line: &Line<'_>, sink: &mut Sink<'_>) -> bool {
    let Some((name, value)) = pair(line.trimmed()) else { return false };
    let row = ExtensionFact {
        command: found(Some(command.to_owned())),
        block: text(block),
        name: text(name),
        value: text(value),
        ..ExtensionFact::default()
    };
    sink.row(line, row);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        assert_eq!(pairs("State : D0   Flags = 0x4"), [("State", "D0"), ("Flags", "0x4")]);
        assert_eq!(
            pairs("LastErrorValue: (Win32) 0x2 (2) - no file"),
            [("LastErrorValue", "(Win32) 0x2 (2) - no file")]
        );
        assert_eq!(pairs("Owner:"), [("Owner", "")]);
        assert!(pairs("C:\\Windows\\a.sys").is_empty() && pairs("nt!Foo at: x").is_empty());
        assert!(
            is_of_library("!wdfkd.wdfdevice 0x1 ff") && is_of_library("!C:\\x\\ndiskd.netadapter")
        );
        assert!(!is_of_library("!analyze -v") && !is_of_library(".reload"));
    }
}
