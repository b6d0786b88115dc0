//! `dt` and `!ddt`: structures with one field per line, and the fields of nested structures
//! indented below.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::StructureField;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, found, hex, hex_int, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "dt",
    is_named: |name| matches!(name, "dt" | "!ddt"),
    signatures: &[Signature {
        literal: "+0x000 ",
        check: |line| field(line.trim_start()).is_some(),
    }],
    contains: &[],
    fills: &[Fills::rows::<StructureField>()],
    read,
};

/// Upper limit on nesting.
const MAX_DEPTH: usize = 64;

/// ``+0x2e8 UniqueProcessId  : 0x00000000`00000004 Void``.
struct PrintedField<'t> {
    /// None for a static member.
    offset: Option<i64>,
    name: &'t str,
    value: &'t str,
}

fn field(line: &str) -> Option<PrintedField<'_>> {
    let (first, rest) = word(line)?;
    let offset = match first.strip_prefix("+0x") {
        Some(digits) if digits.len() <= 8 => Some(hex_int(digits)?),
        Some(_) => return None,
        // `=77f8c000 ntdll!X`: a static member and its address.
        None => {
            first.strip_prefix('=').and_then(address)?;
            None
        }
    };
    // Without values, only types and names are printed.
    let (name, value) = rest.split_once(':').unwrap_or((rest, ""));
    let name = name.trim();
    let is_name = !name.is_empty()
        && name.chars().all(|c| {
            c.is_alphanumeric() || matches!(c, '_' | '[' | ']' | '$' | '<' | '>' | '~' | '=')
        });
    is_name.then(|| PrintedField { offset, name, value: value.trim() })
}

/// The number that a value starts with: `0x1f`, `0y1`, `0n-5`, `5`, ``0xfffff801`a972c530 _X``.
pub(super) fn number(value: &str) -> Option<u64> {
    let (first, _) = word(value)?;
    if let Some(bits) = first.strip_prefix("0y") {
        return u64::from_str_radix(bits, 2).ok();
    }
    if let Some(digits) = first.strip_prefix("0n") {
        // A negative number has no unsigned form.
        return digits.parse().ok();
    }
    if let Some(digits) = first.strip_prefix("0x") {
        return hex(digits);
    }
    if first.bytes().all(|b| b.is_ascii_digit()) { first.parse().ok() } else { None }
}

/// Whether a value is only a type name, as `dt` prints it without an address.
fn is_type(value: &str) -> bool {
    let bare = value.trim_start_matches(|c: char| matches!(c, '[' | ']') || c.is_ascii_digit());
    let name = bare.trim_start();
    let starts = name.starts_with("Ptr") || name.starts_with("Int") || name.starts_with("Uint");
    let is_simple = matches!(
        name,
        "Char"
            | "UChar"
            | "Void"
            | "Bool"
            | "Float"
            | "Int2B"
            | "Int4B"
            | "Int8B"
            | "Uint2B"
            | "Uint4B"
            | "Uint8B"
    );
    let is_bits = name.starts_with("Pos ") && name.contains("Bit");
    (starts && name.contains('B'))
        || name.starts_with("Ptr")
        || is_simple
        || is_bits
        || name.starts_with('_')
}

/// The type and the address in a line above the fields: `nt!_EPROCESS`,
/// `Local var @ 0x12ff7c Type _FOO*`, `dt nt!_EPROCESS ffffa604f24ec040 () Recursive`.
fn heading(line: &str) -> Option<(String, Cell<u64>)> {
    if let Some((place, kind)) = line.split_once(" Type ") {
        let at = place.split_once(" @ ").and_then(|(_, at)| hex(word(at)?.0));
        return Some((kind.trim().to_owned(), found(at)));
    }
    let rest = line.strip_prefix("dt ").unwrap_or(line);
    let mut words = rest.split_whitespace().filter(|word| !word.starts_with('-'));
    let kinds: Vec<&str> = words.by_ref().take(3).collect();
    let kind = kinds.iter().find(|word| is_type_name(word))?;
    let at = kinds.iter().find_map(|word| address(word));
    let is_alone = rest.len() < line.len() || kinds.len() == 1 || at.is_some();
    is_alone.then(|| ((*kind).to_owned(), found(at)))
}

fn is_type_name(word: &str) -> bool {
    let name = word.rsplit('!').next().unwrap_or(word);
    let is_named = word.contains('!') || name.starts_with('_');
    is_named && !name.is_empty() && !word.ends_with(':') && !word.contains(['+', '\\', '(', '['])
}

/// The structure of the fields that follow.
struct Enclosing {
    structure: Cell<String>,
    address: Cell<u64>,
    /// Indentation and name of the enclosing fields.
    above: Vec<(usize, String)>,
}

impl Enclosing {
    fn row(&mut self, line: &Line<'_>, field: &PrintedField<'_>) -> StructureField {
        let indent = line.indent();
        self.above.retain(|(above, _)| *above < indent);
        self.above.truncate(MAX_DEPTH);
        let mut path: Vec<&str> = self.above.iter().map(|(_, name)| name.as_str()).collect();
        path.push(field.name);
        let path = path.join(".");
        self.above.push((indent, field.name.to_owned()));
        let is_type = is_type(field.value);
        let none = Absent::NotApplicable;
        StructureField {
            structure: self.structure.clone(),
            address: self.address,
            path: text(&path),
            name: text(field.name),
            offset: found(field.offset),
            kind: if is_type { text(field.value) } else { Err(none) },
            value: if is_type { Err(none) } else { text(field.value) },
            number: if is_type { Err(none) } else { found(number(field.value)) },
            ..StructureField::default()
        }
    }
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let none = Absent::NotApplicable;
    let typed = heading(&format!("dt {}", cx.arguments()));
    let (structure, address) = typed.map_or((Err(none), Err(none)), |(kind, at)| (Ok(kind), at));
    let mut place = Enclosing { structure, address, above: Vec::new() };
    for line in lines {
        let shown = line.trimmed();
        if let Some(field) = field(shown) {
            let row = place.row(&line, &field);
            sink.row(&line, row);
        } else if let Some((kind, at)) = heading(shown) {
            // The typed command contains the address, the line above the fields only the type.
            let is_same = place.above.is_empty() && at.is_err();
            let address = if is_same { place.address } else { at };
            place = Enclosing { structure: Ok(kind), address, above: Vec::new() };
        } else if let Some(at) = element(shown) {
            place = Enclosing { structure: place.structure, address: at, above: Vec::new() };
        } else if !(line.is_blank() || is_rule(shown)) {
            sink.unread(&line);
        }
    }
}

/// `[00] @ 0x0012ff7c`, `---------------------------------------------` between elements of a list.
fn element(line: &str) -> Option<Cell<u64>> {
    let rest = line.strip_prefix('[')?;
    let (index, at) = rest.split_once(']')?;
    index.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
    Some(found(at.trim().strip_prefix('@').and_then(|at| hex(at.trim()))))
}

fn is_rule(line: &str) -> bool {
    line.len() > 2 && line.bytes().all(|b| matches!(b, b'=' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_headings() {
        let one = field("+0x2e8 UniqueProcessId  : 0x00000000`00000004 Void").unwrap();
        assert_eq!(
            (one.offset, one.name, number(one.value)),
            (Some(0x2e8), "UniqueProcessId", Some(4))
        );
        let bit = field("+0x004 Active : 0y1").unwrap();
        assert_eq!((bit.offset, number(bit.value)), (Some(4), Some(1)));
        assert!(field("+0x12 is what it says").is_none());
        assert!(is_type("Ptr64 _EPROCESS") && is_type("[15] UChar") && is_type("Pos 0, 1 Bit"));
        assert!(!is_type("0x1f") && !is_type("(null)"));
        let (kind, at) = heading("dt nt!_EPROCESS ffffa604f24ec040 () Recursive: [ -r1 ]").unwrap();
        assert_eq!((kind.as_str(), at), ("nt!_EPROCESS", Ok(0xffff_a604_f24e_c040)));
        let (kind, at) = heading("Local var @ 0x12ff7c Type _FOO*").unwrap();
        assert_eq!((kind.as_str(), at), ("_FOO*", Ok(0x12_ff7c)));
        assert!(heading("some words").is_none() && heading("nt!Foo+0x12").is_none());
        assert_eq!((number("0n-5"), number("'abc'"), number("17")), (None, None, Some(17)));
    }
}
