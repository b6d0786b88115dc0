//! `dx`: objects of the debugger's data model with their fields, and grids of them (`-g`).

use super::facts;
use super::structure::number;
use super::{Context, Fills, Reader};
use crate::catalog::Absent;
use crate::model::{ExtensionFact, StructureField};
use crate::source::log::line::Lines;
use crate::source::log::scan::{between, found, hex_int, text};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "dx",
    is_named: |name| name == "dx",
    signatures: &[],
    contains: &[],
    fills: &[Fills::rows::<StructureField>(), Fills::rows::<ExtensionFact>()],
    read,
};

/// Upper limit on nesting.
const MAX_DEPTH: usize = 64;

/// `[+0x010] Flags  : 0x4000 [Type: unsigned long]`, `Name : lsass.exe`, `KernelObject [Type: _EPROCESS]`.
fn field(line: &str) -> Option<(Option<i64>, &str, &str, Option<&str>)> {
    let (rest, kind) = match line.strip_suffix(']').and_then(|rest| rest.rsplit_once("[Type: ")) {
        Some((rest, kind)) => (rest.trim_end(), Some(kind)),
        None => (line, None),
    };
    let (offset, rest) = match between(rest, "[+0x", "]").filter(|_| rest.starts_with("[+0x")) {
        Some(digits) => {
            let digits = digits.split_whitespace().next()?;
            (Some(hex_int(digits)?), rest.split_once(']')?.1.trim_start())
        }
        None => (None, rest),
    };
    // In a bit field, its position precedes the name: `[+0x004 ( 0: 0)] Active`.
    let (name, value) = rest.split_once(" :").unwrap_or((rest, ""));
    let name = name.trim();
    let is_name = !name.is_empty()
        && name.len() < 200
        && (!name.contains(' ') || name.starts_with(['[', '@', '(']));
    is_name.then(|| (offset, name, value.trim(), kind))
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let is_grid = cx.arguments().split_whitespace().any(|word| word.starts_with("-g"));
    if is_grid {
        return facts::read(cx, lines, sink);
    }
    let none = Absent::NotApplicable;
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut root = Err(none);
    let mut place = Err(none);
    for line in lines {
        let Some((offset, name, value, kind)) = field(line.trimmed()) else {
            if !line.is_blank() {
                sink.unread(&line);
            }
            continue;
        };
        let indent = line.indent();
        above.retain(|(above, _)| *above < indent);
        above.truncate(MAX_DEPTH);
        if above.is_empty() {
            root = text(name);
            place = found(number(value));
            above.push((indent, String::new()));
            if value.is_empty() {
                continue;
            }
            sink.row(&line, row(&root, place, "", (offset, name, value, kind)));
            continue;
        }
        let path: Vec<&str> =
            above.iter().map(|(_, name)| name.as_str()).filter(|n| !n.is_empty()).collect();
        let path = path.join(".");
        above.push((indent, name.to_owned()));
        sink.row(&line, row(&root, place, &path, (offset, name, value, kind)));
    }
}

type Parts<'t> = (Option<i64>, &'t str, &'t str, Option<&'t str>);

fn row(
    root: &crate::catalog::Cell<String>,
    address: crate::catalog::Cell<u64>,
    above: &str,
    (offset, name, value, kind): Parts<'_>,
) -> StructureField {
    let path = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
    StructureField {
        structure: root.clone(),
        address,
        path: text(&path),
        name: text(name),
        offset: found(offset),
        kind: found(kind.map(str::to_owned)),
        value: text(value),
        number: found(number(value)),
        ..StructureField::default()
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields() {
        assert_eq!(field("Name             : lsass.exe"), Some((None, "Name", "lsass.exe", None)));
        assert_eq!(
            field("KernelObject     [Type: _EPROCESS]"),
            Some((None, "KernelObject", "", Some("_EPROCESS")))
        );
        assert_eq!(
            field("[+0x010] Flags            : 0x4000 [Type: unsigned long]"),
            Some((Some(16), "Flags", "0x4000", Some("unsigned long")))
        );
        assert_eq!(
            field("[0x2f4]          : lsass.exe [Switch To]"),
            Some((None, "[0x2f4]", "lsass.exe [Switch To]", None))
        );
        assert_eq!(field("Error: unable to bind name"), None);
    }
}
