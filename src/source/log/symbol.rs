//! Symbols in stacks and listings: module, function, offset, source line, and the frame data that
//! debuggers print after them.

use super::frame::has_values;
use super::scan::{hex, hex_int, module_of};

/// A symbol in a stack or listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Symbol {
    /// `module!function`, or `module+0x12` without symbols.
    pub(super) name: Option<String>,
    /// The module.
    pub(super) module: Option<String>,
    /// Offset from the symbol, or from the module's base.
    pub(super) offset: Option<i64>,
    /// The address itself, if no module contains it.
    pub(super) address: Option<u64>,
    /// Source file.
    pub(super) file: Option<String>,
    /// Line in the source file.
    pub(super) line: Option<i64>,
}

impl Symbol {
    /// Parses a text, which may have the source line and frame data after the symbol.
    pub(super) fn of(text: &str) -> Self {
        let (text, source) = split_source(without_comment(text).trim());
        let text = without_frame_data(without_caller(text));
        let (file, line) = source.map_or((None, None), |(file, line)| (Some(file), Some(line)));
        if let Some(address) = text.strip_prefix("0x").and_then(hex) {
            return Self { address: Some(address), file, line, ..Self::default() };
        }
        let (name, offset) = match text.rsplit_once('+') {
            Some((name, digits)) if !name.is_empty() && is_offset(digits) => {
                (name, hex_int(digits))
            }
            _ => (text, Some(0)),
        };
        let name = without_parameters(name);
        let module = module_of(name).map(str::to_owned);
        let has_function = name.contains('!');
        let shown = if has_function || offset == Some(0) { name } else { text };
        Self {
            name: (!shown.is_empty()).then(|| shown.to_owned()),
            module,
            offset: offset.filter(|_| !shown.is_empty()),
            address: None,
            file,
            line,
        }
    }
}

fn is_offset(digits: &str) -> bool {
    !digits.is_empty() && hex(digits).is_some() && !digits.contains('`')
}

/// The line without a comment that somebody added.
pub(super) fn without_comment(text: &str) -> &str {
    const MARKS: [&str; 8] = ["<-", "<<", "<=", "-->", "//", "; ", ";\t", ";;"];
    let is_remark = |at: usize| {
        let rest = text.get(at + 1..).unwrap_or_default();
        MARKS.iter().any(|mark| rest.starts_with(mark)) || rest.starts_with("## ")
    };
    let mut blanks = memchr::memchr2_iter(b' ', b'\t', text.as_bytes());
    let end = blanks.find(|at| is_remark(*at)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end()
}

/// A symbol without the function that it was inlined into: `a!B+0x1e [inlined in a!C+0x57]`.
fn without_caller(text: &str) -> &str {
    text.split_once(" [inlined in ").map_or(text, |(symbol, _)| symbol)
}

/// A line without an arrow that somebody put before it.
pub(super) fn without_arrow(text: &str) -> &str {
    const ARROWS: [&str; 9] = ["=>", "->", "-->", "==>", ">>", ">>>", "==>>", "»", "→"];
    // Nearly no line has one, and a byte is quicker to check.
    if !matches!(text.as_bytes().first(), Some(b'=' | b'-' | b'>' | 0x80..)) {
        return text;
    }
    let rest = ARROWS.iter().filter_map(|arrow| text.strip_prefix(arrow));
    rest.filter(|rest| rest.starts_with([' ', '\t'])).map(str::trim_start).next().unwrap_or(text)
}

/// The text before ` [file @ 12]`, and the file and line.
fn split_source(text: &str) -> (&str, Option<(String, i64)>) {
    let split = || {
        let inside = text.strip_suffix(']')?;
        let (before, source) = inside.rsplit_once(" [")?;
        let (file, line) = source.rsplit_once('@')?;
        Some((before.trim_end(), (file.trim().to_owned(), line.trim().parse().ok()?)))
    };
    split().map_or((text, None), |(before, source)| (before, Some(source)))
}

/// The text before `(FPO: [1,2,3])` and the like.
fn without_frame_data(text: &str) -> &str {
    const MARKS: [&str; 7] =
        ["(FPO:", "(CONV:", "(TrapFrame", "(No FPO)", "[Uses EBP]", "[FPO:", "(Managed"];
    let is_data = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        MARKS.iter().any(|mark| rest.starts_with(mark))
    };
    let mut brackets = memchr::memchr2_iter(b'(', b'[', text.as_bytes());
    let end = brackets.find(|at| is_data(*at)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end()
}

/// The function without the parameters and their values, as `kp` and `kP` print them.
fn without_parameters(name: &str) -> &str {
    let bang = name.find('!').unwrap_or(0);
    let has_values = has_values(name) || name.ends_with("(void)");
    let open = name.get(bang..).and_then(|function| function.find('(')).map(|at| at + bang);
    match open.filter(|_| has_values) {
        Some(open) => name.get(..open).unwrap_or(name).trim_end(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols() {
        let of = |text| {
            let s = Symbol::of(text);
            (s.name.unwrap_or_default(), s.module.unwrap_or_default(), s.offset, s.line)
        };
        let is = |name: &str, module: &str, offset, line| {
            (name.to_owned(), module.to_owned(), offset, line)
        };
        assert_eq!(
            of("nt!KiTrap0E+0xdc (FPO: [0,0] TrapFrame @ a03aba2c)"),
            is("nt!KiTrap0E", "nt", Some(0xdc), None)
        );
        assert_eq!(of("Driver+0x11b1"), is("Driver+0x11b1", "Driver", Some(0x11b1), None));
        assert_eq!(
            of("nt! ?? ::FNODOBFM::`string'+0x31868"),
            is("nt! ?? ::FNODOBFM::`string'", "nt", Some(0x31868), None)
        );
        assert_eq!(
            of("a!main(int argc = 0n1, char ** argv = 0x1)+0x5 [f.c @ 3] "),
            is("a!main", "a", Some(5), Some(3))
        );
        assert_eq!(
            of("a!operator()<int>+0x5 <<< here"),
            is("a!operator()<int>", "a", Some(5), None)
        );
        assert_eq!(Symbol::of("0x187fe8f").address, Some(0x187_fe8f));
    }
}
