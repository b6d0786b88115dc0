//! A stack frame as one line of text: its number, addresses, arguments and symbol.
//!
//! This module knows the columns of all debugger versions; it does not look at the surrounding
//! lines.

use super::scan::{address, hex, hex_int, word};
use super::symbol::without_arrow;

/// The columns before the symbol.
#[derive(Debug, Clone, Copy)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each column is there or not, whatever others are"
)]
pub(super) struct Columns {
    /// Whether each frame has a number.
    pub(super) is_numbered: bool,
    has_memory: bool,
    /// Addresses before the arguments: frame, backing store, return address.
    has_frame: bool,
    has_store: bool,
    has_return: bool,
}

impl Columns {
    /// The columns of a stack without a header.
    pub(super) const PLAIN: Self = Self {
        is_numbered: false,
        has_memory: false,
        has_frame: true,
        has_store: false,
        has_return: true,
    };

    /// The columns of a stack that was published as symbols only.
    pub(super) const BARE: Self = Self {
        is_numbered: false,
        has_memory: false,
        has_frame: false,
        has_store: false,
        has_return: false,
    };

    /// The columns of a stack without a header, from its first frame.
    pub(super) fn told_by(text: &str) -> Option<Self> {
        let plain = Self::PLAIN;
        let returns = Self { has_frame: false, ..plain };
        let all = [
            plain,
            Self { is_numbered: true, ..plain },
            returns,
            Self { is_numbered: true, ..returns },
            Self::BARE,
            Self { is_numbered: true, ..Self::BARE },
        ];
        all.into_iter().find(|columns| {
            // The meaning of a single address is unknown, unless the arguments follow it.
            let is_sure = columns.leading() != 1 || text.contains(" : ");
            is_sure && parse(text, *columns).is_some_and(|parts| columns.suits(&parts))
        })
    }

    /// Whether a frame without a header is valid: its symbol names a module.
    fn suits(self, parts: &FrameParts<'_>) -> bool {
        let symbol = parts.symbol;
        let is_whole = symbol.contains('!') || symbol.contains("+0x") || parts.is_inline;
        let is_code = parts.number.is_none() || self.is_numbered;
        let is_sure = self.leading() > 0 || is_function(symbol);
        is_whole && is_code && is_sure
    }

    /// The columns in a header.
    pub(super) fn named_by(text: &str) -> Self {
        let is_old = text.contains("FramePtr");
        Self {
            is_numbered: text.split_whitespace().any(|word| word == "#"),
            has_memory: text.contains("Memory"),
            has_frame: is_old || text.contains("ChildEBP") || text.contains("Child-SP"),
            has_store: text.contains("Child-BSP"),
            has_return: text.contains("RetAddr") || is_spelled_out(text),
        }
    }

    /// How many addresses precede the arguments.
    pub(super) fn leading(self) -> usize {
        [self.has_frame, self.has_store, self.has_return].into_iter().filter(|has| *has).count()
    }
}

/// Whether a line is the header of a stack.
pub(super) fn is_header(text: &str) -> bool {
    let text = text.trim();
    if text == "# Call Site" || text == "Call Site" {
        return true;
    }
    // The MEX extension uses the full word.
    let has_return = text.contains("RetAddr") || is_spelled_out(text);
    has_return
        && ["ChildEBP", "Child-SP", "Call Site", "Args to Child", "FramePtr"]
            .iter()
            .any(|word| text.contains(word))
}

/// `# Child-SP         Return           Call Site`.
fn is_spelled_out(text: &str) -> bool {
    let mut words = text.split_whitespace().filter(|word| *word != "#");
    words.next().is_some_and(|word| matches!(word, "Child-SP" | "ChildEBP"))
        && words.eq(["Return", "Call", "Site"])
}

/// Whether a line is a frame of the usual form: two addresses and a symbol.
pub(super) fn is_frame(text: &str) -> bool {
    parse(text.trim(), Columns::PLAIN).is_some_and(|parts| parts.frame.is_some())
}

/// Whether a text is only a function with its offset or its source line: a frame whose addresses
/// were cut off.
pub(super) fn is_function(text: &str) -> bool {
    let text = text.trim();
    let Some((module, rest)) = text.split_once('!') else { return false };
    let is_named = !module.is_empty() && module.chars().all(is_module_char);
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    let (function, more) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let more = more.trim();
    let has_offset = function.rsplit_once("+0x").is_some_and(|(_, digits)| hex(digits).is_some());
    let has_source = more.starts_with('[') && more.ends_with(']') && more.contains(" @ ");
    let is_frame_data = more.starts_with("(FPO") || more.starts_with("(TrapFrame");
    is_named && (has_source || (has_offset && (more.is_empty() || is_frame_data)))
}

/// Notes between frames.
pub(super) fn is_note(text: &str) -> bool {
    text.is_empty()
        || text.starts_with("WARNING: ")
        || text == "be wrong."
        || text == "wrong."
        || text.starts_with("*** Stack trace for last set context")
        || text.starts_with("*** WARNING")
        || text.starts_with("*** ERROR")
        || text.starts_with("Unable to read")
}

/// A few consecutive addresses on a line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Words {
    values: [u64; Self::MOST],
    count: usize,
}

impl Words {
    /// Upper limit: the arguments and the addresses before them.
    const MOST: usize = 8;

    fn push(&mut self, value: u64) {
        if let Some(place) = self.values.get_mut(self.count) {
            *place = value;
            self.count += 1;
        }
    }

    const fn is_full(&self) -> bool {
        self.count == Self::MOST
    }

    /// The addresses, in their order.
    pub(super) fn all(&self) -> &[u64] {
        self.values.get(..self.count).unwrap_or_default()
    }
}

impl From<&[u64]> for Words {
    fn from(values: &[u64]) -> Self {
        let mut words = Self::default();
        for value in values {
            words.push(*value);
        }
        words
    }
}

/// The parts of a frame line.
#[derive(Debug)]
pub(super) struct FrameParts<'t> {
    /// The number, if there is one.
    pub(super) number: Option<i64>,
    /// Stack pointer, or frame pointer in old stacks.
    pub(super) frame: Option<u64>,
    /// The return address.
    pub(super) return_address: Option<u64>,
    /// The first words of the arguments.
    pub(super) args: Words,
    /// The symbol and the text after it.
    pub(super) symbol: &'t str,
    /// Whether the compiler inlined the function into its caller.
    pub(super) is_inline: bool,
}

/// The parts of a line that is a frame with these columns.
pub(super) fn parse(text: &str, columns: Columns) -> Option<FrameParts<'_>> {
    let text = without_arrow(text);
    let (number, rest) = split_number(text, columns.is_numbered);
    if columns.is_numbered && number.is_none() {
        return None;
    }
    if let Some(inline) = rest.strip_prefix("(Inline") {
        let symbol = inline.split_once(')')?.1.trim_start_matches(['-', '`', ':', ' ', '\t']);
        let (frame, return_address, args) = (None, None, Words::default());
        let is_inline = true;
        return is_symbol(symbol).then_some(FrameParts {
            number,
            frame,
            return_address,
            args,
            symbol,
            is_inline,
        });
    }
    let rest = if columns.has_memory { without_memory(rest) } else { rest };
    let (words, rest) = addresses(rest);
    let (args, symbol, leading) = if let Some(rest) = rest.strip_prefix(':') {
        let (args, rest) = addresses(rest);
        (args, rest.strip_prefix(':')?.trim_ascii_start(), words)
    } else {
        let split = words.count.min(columns.leading());
        let (lead, args) = words.all().split_at_checked(split)?;
        (args.into(), rest, lead.into())
    };
    if leading.count != columns.leading() || args.count > 4 {
        return None;
    }
    let is_bare = columns.has_store && symbol.is_empty();
    let is_name = leading.count > 0 && is_identifier(symbol);
    if !(is_bare || is_symbol(symbol) || is_name) {
        return None;
    }
    // Without an address, only `module!function` is certain to be a frame.
    let is_sure = || symbol.contains('!') || symbol.starts_with("0x");
    if leading.count == 0 && !(number.is_some() || is_sure()) {
        return None;
    }
    let frame = leading.all().first().copied().filter(|_| columns.has_frame);
    let return_address = leading.all().last().copied().filter(|_| columns.has_return);
    Some(FrameParts { number, frame, return_address, args, symbol, is_inline: false })
}

/// The hexadecimal frame number, if the line starts with one.
pub(super) fn split_number(text: &str, is_numbered: bool) -> (Option<i64>, &str) {
    let none = (None, text);
    let Some((first, rest)) = word(text).filter(|(first, _)| first.len() <= 3) else { return none };
    let next = word(rest).map_or("", |(next, _)| next);
    let may_be = is_numbered || address(next).is_some() || next.starts_with("(Inline");
    match hex_int(first).filter(|_| may_be) {
        Some(number) => (Some(number), rest),
        None => none,
    }
}

/// The text without the frame distance, which the first frame does not have.
fn without_memory(text: &str) -> &str {
    let Some((first, rest)) = text.split_once(char::is_whitespace) else { return text };
    let is_distance = address(first).is_none() && hex(first).is_some();
    if is_distance { rest.trim_start() } else { text }
}

/// The addresses at the start of a text, and the rest of it.
fn addresses(text: &str) -> (Words, &str) {
    let mut found = Words::default();
    let mut rest = text.trim_ascii_start();
    while !found.is_full() && !matches!(rest.as_bytes(), [b'0', b'x', ..]) {
        let Some((word, tail)) = word(rest) else { break };
        if let Some(value) = address(word) {
            found.push(value);
        } else if let Some((a, b)) = word.split_once('.').and_then(two_addresses) {
            // Two adjacent columns, separated by a dot.
            found.push(a);
            found.push(b);
        } else {
            break;
        }
        rest = tail;
    }
    (found, rest)
}

fn two_addresses((a, b): (&str, &str)) -> Option<(u64, u64)> {
    Some((address(a)?, address(b)?))
}

/// Whether a text is a symbol with an offset, a function of a module, or a bare address.
fn is_symbol(text: &str) -> bool {
    let is_address =
        text.starts_with("0x") && word(text).is_some_and(|(word, _)| hex(word).is_some());
    let is_module = |at: usize| {
        at > 0 && text.get(..at).is_some_and(|module| module.chars().all(is_module_char))
    };
    is_address
        || text.find('!').is_some_and(is_module)
        || text.find("+0x").is_some_and(|at| at == 0 || is_module(at))
}

fn is_module_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '~' | '@' | '$')
}

fn is_identifier(text: &str) -> bool {
    let text = text.trim();
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    starts && text.chars().all(is_module_char) && text.len() < 80
}

/// Whether a symbol has parameters with their values.
pub(super) fn has_values(symbol: &str) -> bool {
    // Most symbols contain no equals sign, which is quicker to check.
    symbol.contains('=') && symbol.contains(" = ")
}

/// Whether an offset may continue: it has one or two digits.
pub(super) fn ends_in_offset(symbol: &str) -> bool {
    let bytes = symbol.as_bytes();
    [1, 2].into_iter().any(|digits| {
        let Some(at) = bytes.len().checked_sub(digits) else { return false };
        let (before, last) = bytes.split_at(at);
        before.ends_with(b"+0x") && last.iter().all(u8::is_ascii_hexdigit)
    })
}

/// Whether a symbol continues on the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoesOn {
    /// It does not.
    No,
    /// The line is the rest of it.
    Whole,
    /// The line may be the rest of a name, or something else.
    Perhaps,
}

/// Whether the line after a frame is the rest of its symbol: the rest of a wrapped line is not
/// indented.
pub(super) fn goes_on(line: &str, symbol: &str, next: &str) -> GoesOn {
    let Some((rest, more)) = word(next) else { return GoesOn::No };
    let is_alone = more.is_empty() || more.starts_with(['(', '[']);
    if !is_alone || rest.contains('!') {
        return GoesOn::No;
    }
    let digits = |text: &str| hex(text).is_some() && !text.starts_with("0x") && text.len() < 9;
    let is_rest = if ends_in_offset(symbol) {
        more.is_empty() && is_rest_of_offset(next)
    } else if symbol.ends_with("+0x") {
        digits(rest)
    } else if symbol.ends_with("+0") {
        rest.strip_prefix('x').is_some_and(digits)
    } else if symbol.ends_with('+') {
        rest.strip_prefix("0x").is_some_and(digits)
    } else if symbol.contains("+0x") || symbol.contains([' ', '(']) {
        false
    } else {
        let offset = rest.rsplit_once("+0x");
        offset.is_some_and(|(name, offset)| digits(offset) && name.chars().all(is_name_char))
    };
    let is_cut = line.len() >= MIN_WRAPPED && !symbol.contains(['+', ' ', '[']);
    if is_rest {
        GoesOn::Whole
    } else if is_cut && more.is_empty() && rest == next && is_identifier(rest) {
        GoesOn::Perhaps
    } else {
        GoesOn::No
    }
}

/// Mail programs and forums wrap no shorter lines.
const MIN_WRAPPED: usize = 60;

fn is_name_char(c: char) -> bool {
    is_module_char(c) || matches!(c, ':' | '<' | '>' | ',' | '`' | '\'' | '?' | '=')
}

/// Whether a line consists only of the last digits of an offset.
pub(super) fn is_rest_of_offset(text: &str) -> bool {
    // The rest of a wrapped line is not indented.
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether the parentheses of a symbol with parameters are balanced.
pub(super) fn is_balanced(symbol: &str) -> bool {
    // Operators and lambdas may be unbalanced; parameters start after a name.
    if !symbol.trim_end().ends_with(['(', ',']) && !has_values(symbol) {
        return true;
    }
    let count = |c: char| symbol.matches(c).count();
    count('(') <= count(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, header: &str) -> Option<(Option<u64>, Option<u64>, usize, String)> {
        let parts = parse(text, Columns::named_by(header))?;
        Some((parts.frame, parts.return_address, parts.args.count, parts.symbol.to_owned()))
    }

    #[test]
    fn frames_of_every_debugger_version() {
        let x86 = "ChildEBP RetAddr  Args to Child";
        assert_eq!(
            of("f714ee24 8046355a 00000001 00000010 00000030 nt!Foo+0x13e", x86),
            Some((Some(0xf714_ee24), Some(0x8046_355a), 3, "nt!Foo+0x13e".to_owned()))
        );
        let x64 = " # RetAddr : Args to Child : Call Site";
        assert_eq!(
            of(
                "00 fffff800`7a0fa607 : ffffe001`d1182000 ffffe001`d4776d20 ffffe001`d4776bc8 ffffe001`00000000 : a!B::C+0x1dc [c:\\d e\\m.cpp @ 597]",
                x64
            ),
            Some((
                None,
                Some(0xffff_f800_7a0f_a607),
                4,
                "a!B::C+0x1dc [c:\\d e\\m.cpp @ 597]".to_owned()
            ))
        );
        let plain = " # Child-SP          RetAddr               Call Site";
        assert_eq!(
            of("04 00a3f708 01877a26     0x18804f8", plain).map(|f| f.3),
            Some("0x18804f8".to_owned())
        );
        assert_eq!(
            of("0b (Inline Function) --------`--------     App!main+0x22 [x @ 78]", plain)
                .map(|f| f.3),
            Some("App!main+0x22 [x @ 78]".to_owned())
        );
        assert_eq!(
            of("00 ntdll!NtWait", " # Call Site").map(|f| f.3),
            Some("ntdll!NtWait".to_owned())
        );
        let memory = " #   Memory  ChildEBP RetAddr";
        assert_eq!(of("00           0006f9d0 77d4 x", memory), None);
        assert_eq!(
            of("01       1c 0006f9d0 77d42358 a!b", memory).map(|f| f.0),
            Some(Some(0x6_f9d0))
        );
        assert_eq!(of("the quick brown fox", x86), None);
    }
}
