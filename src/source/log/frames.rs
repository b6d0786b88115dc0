//! Stacks, as the `k` family prints them and as many other commands print them among their output.
//!
//! Knows the columns of every era and what a symbol looks like; does not know whose stack it is
//! unless it is told.

use super::line::{Line, Lines};
use super::scan::{address, found, hex, hex_int, module_of, word};
use super::sink::Sink;
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Thread};

/// A frame with all parameters of a function (`kP`) takes no more lines than this.
const MAX_LINES: usize = 64;

/// Whose stack it is, as far as the output says.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    /// Thread object.
    pub(super) ethread: Cell<u64>,
    /// Thread id.
    pub(super) tid: Cell<i64>,
    /// Process id.
    pub(super) pid: Cell<i64>,
    /// Process name.
    pub(super) process: Cell<String>,
}

impl Default for Owner {
    fn default() -> Self {
        let none = Absent::NotApplicable;
        Self { ethread: Err(none), tid: Err(none), pid: Err(none), process: Err(none) }
    }
}

impl From<&Thread> for Owner {
    fn from(thread: &Thread) -> Self {
        Self {
            ethread: thread.ethread,
            tid: thread.tid,
            pid: thread.pid,
            process: thread.process.clone(),
        }
    }
}

/// The columns before the symbol.
#[derive(Debug, Clone, Copy)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each column is there or not, whatever others are"
)]
pub(super) struct Columns {
    is_numbered: bool,
    has_memory: bool,
    /// Addresses before the arguments: frame, backing store, return address.
    has_frame: bool,
    has_store: bool,
    has_return: bool,
}

impl Columns {
    /// Those of a stack without a header.
    pub(super) const PLAIN: Self = Self {
        is_numbered: false,
        has_memory: false,
        has_frame: true,
        has_store: false,
        has_return: true,
    };

    /// Those that a header names.
    pub(super) fn named_by(text: &str) -> Self {
        let is_old = text.contains("FramePtr");
        Self {
            is_numbered: text.split_whitespace().any(|word| word == "#"),
            has_memory: text.contains("Memory"),
            has_frame: is_old || text.contains("ChildEBP") || text.contains("Child-SP"),
            has_store: text.contains("Child-BSP"),
            has_return: text.contains("RetAddr"),
        }
    }

    fn leading(self) -> usize {
        [self.has_frame, self.has_store, self.has_return].into_iter().filter(|has| *has).count()
    }
}

/// Reads stacks line by line.
#[derive(Debug)]
pub(super) struct Stack {
    owner: Owner,
    columns: Columns,
    is_open: bool,
    next: i64,
    last_return: Option<u64>,
    /// Frames so far.
    count: i64,
}

impl Stack {
    /// The stack of an owner, which starts at the next header.
    pub(super) fn of(owner: Owner) -> Self {
        Self {
            owner,
            columns: Columns::PLAIN,
            is_open: false,
            next: 0,
            last_return: None,
            count: 0,
        }
    }

    /// A stack that starts at the next line, with or without a header.
    pub(super) fn open(owner: Owner) -> Self {
        Self { is_open: true, ..Self::of(owner) }
    }

    /// A stack whose header has been read.
    pub(super) fn below(columns: Columns, owner: Owner) -> Self {
        Self { columns, ..Self::open(owner) }
    }

    /// Takes the frames that come next, up to a line that is none; returns how many there were.
    pub(super) fn frames(&mut self, lines: &mut Lines<'_>, sink: &mut Sink<'_>) -> i64 {
        let before = self.count;
        while let Some(next) = lines.peek() {
            // Publishing may put a blank line between any two.
            let at = usize::from(next.is_blank());
            let Some(text) = lines.peek_at(at).map(|line| line.trimmed().to_owned()) else { break };
            let goes_on = (is_note(&text) && !text.is_empty() && at == 0)
                || (!is_header(&text)
                    && (self.parse(&text).is_some() || (at == 0 && self.may_go_on(&text))));
            if !goes_on {
                break;
            }
            if at == 1 {
                lines.next();
            }
            let count = self.count;
            let Some(line) = lines.next() else { break };
            if !self.take(&line, lines, sink) {
                // Only a start of a frame that nothing completes gets here.
                sink.unread(&line);
            }
            if self.count == count && !is_note(&text) {
                break;
            }
        }
        self.count - before
    }

    /// No frame follows until the next header.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    /// Whether frames may follow.
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Takes a line if it belongs to a stack: a header, a frame, a warning between frames. A frame
    /// that was broken over several lines takes the others from `lines`.
    pub(super) fn take(
        &mut self,
        line: &Line<'_>,
        lines: &mut Lines<'_>,
        sink: &mut Sink<'_>,
    ) -> bool {
        let text = line.trimmed();
        // Frames come first, being the most.
        let parsed = if self.is_open { self.parse(text) } else { None };
        if parsed.is_none() {
            if is_header(text) {
                self.columns = Columns::named_by(text);
                (self.is_open, self.next, self.last_return) = (true, 0, None);
                return true;
            }
            if !self.is_open {
                return false;
            }
            if is_note(text) {
                return true;
            }
        }
        let is_whole =
            |parts: &Parts<'_>| !ends_in_offset(parts.symbol) && is_balanced(parts.symbol);
        if !sink.wants::<Frame>() && parsed.as_ref().is_some_and(is_whole) {
            self.count += 1;
            sink.pass();
            return true;
        }
        let parts = match parsed {
            Some(parts) if ends_in_offset(parts.symbol) => {
                // The last digits of an offset may stand on the next line.
                let rest = lines.next_if(|next| is_rest_of_offset(&next.text));
                let rest = rest.as_ref().map_or("", |rest| rest.trimmed());
                let symbol = format!("{}{rest}", parts.symbol);
                Some(self.frame(&Parts { symbol: &symbol, ..parts }))
            }
            Some(parts) if is_balanced(parts.symbol) => Some(self.frame(&parts)),
            _ => self.joined(text, lines),
        };
        let Some(frame) = parts else { return false };
        self.count += 1;
        sink.row(line, frame);
        true
    }

    /// A frame whose text goes on in the following lines.
    fn joined(&mut self, text: &str, lines: &mut Lines<'_>) -> Option<Frame> {
        if !self.may_go_on(text) {
            return None;
        }
        let mut whole = text.to_owned();
        for n in 0..MAX_LINES {
            let more = lines.peek_at(n)?;
            if more.is_blank() {
                continue;
            }
            if is_header(more.trimmed()) || (self.parse(more.trimmed()).is_some() && n < 2) {
                return None;
            }
            whole.push(' ');
            whole.push_str(more.trimmed());
            if let Some(parts) = self.parse(&whole).filter(|parts| is_balanced(parts.symbol)) {
                let frame = self.frame(&parts);
                for _ in 0..=n {
                    lines.next();
                }
                return Some(frame);
            }
            // Only the parameters of a function take more than a few lines.
            if n >= 3 && self.parse(&whole).is_none() {
                return None;
            }
        }
        None
    }

    /// Whether a line can be the start of a frame that other lines complete.
    fn may_go_on(&self, text: &str) -> bool {
        let (_, rest) = split_number(text, self.columns.is_numbered);
        let starts = rest.split_whitespace().take(self.columns.leading().max(1));
        starts.clone().count() > 0 && starts.map(address).all(|word| word.is_some())
    }

    fn parse<'t>(&self, text: &'t str) -> Option<Parts<'t>> {
        parse(text, self.columns)
    }

    fn frame(&mut self, parts: &Parts<'_>) -> Frame {
        let none = Absent::NotApplicable;
        let symbol = Symbol::of(parts.symbol);
        let number = parts.number.unwrap_or(self.next);
        self.next = number.saturating_add(1);
        let arg = |n: usize| found(parts.args.get(n).copied());
        // Where a frame stands is where the one before it returns to.
        let ip = symbol.address.or(self.last_return.filter(|_| !parts.is_inline));
        if !parts.is_inline {
            self.last_return = parts.return_address;
        }
        let has_offset = self.columns.leading() > 0 || symbol.offset.is_some_and(|n| n != 0);
        Frame {
            ethread: self.owner.ethread,
            tid: self.owner.tid,
            pid: self.owner.pid,
            process: self.owner.process.clone(),
            frame: Ok(number),
            sp: found(parts.frame),
            ip: found(ip),
            return_address: found(parts.return_address),
            module: symbol.module.ok_or(none),
            symbol: symbol.name.ok_or(none),
            offset: found(symbol.offset.filter(|_| has_offset)),
            source_file: symbol.file.ok_or(none),
            line: found(symbol.line),
            arg1: arg(0),
            arg2: arg(1),
            arg3: arg(2),
            arg4: arg(3),
            is_inline: Ok(parts.is_inline),
            ..Frame::default()
        }
    }
}

/// Whether a line names the columns of a stack.
pub(super) fn is_header(text: &str) -> bool {
    let text = text.trim();
    if text == "# Call Site" || text == "Call Site" {
        return true;
    }
    let has_return = text.contains("RetAddr");
    has_return
        && ["ChildEBP", "Child-SP", "Call Site", "Args to Child", "FramePtr"]
            .iter()
            .any(|word| text.contains(word))
}

/// Whether a line is a frame of the usual form: two addresses and a symbol.
pub(super) fn is_frame(text: &str) -> bool {
    parse(text.trim(), Columns::PLAIN).is_some_and(|parts| parts.frame.is_some())
}

/// What is said between frames.
fn is_note(text: &str) -> bool {
    text.is_empty()
        || text.starts_with("WARNING: ")
        || text == "be wrong."
        || text == "wrong."
        || text.starts_with("*** Stack trace for last set context")
        || text.starts_with("*** WARNING")
        || text.starts_with("*** ERROR")
        || text.starts_with("Unable to read")
}

/// The pieces of a frame's line.
struct Parts<'t> {
    number: Option<i64>,
    frame: Option<u64>,
    return_address: Option<u64>,
    args: Vec<u64>,
    symbol: &'t str,
    is_inline: bool,
}

fn parse(text: &str, columns: Columns) -> Option<Parts<'_>> {
    let (number, rest) = split_number(text, columns.is_numbered);
    if columns.is_numbered && number.is_none() {
        return None;
    }
    if let Some(inline) = rest.strip_prefix("(Inline") {
        let symbol = inline.split_once(')')?.1.trim_start_matches(['-', '`', ':', ' ', '\t']);
        let (frame, return_address, args) = (None, None, Vec::new());
        let is_inline = true;
        return is_symbol(symbol).then_some(Parts {
            number,
            frame,
            return_address,
            args,
            symbol,
            is_inline,
        });
    }
    let rest = if columns.has_memory { without_memory(rest) } else { rest };
    let (leading, rest) = addresses(rest);
    let (args, symbol, leading) = if let Some(rest) = rest.strip_prefix(':') {
        let (args, rest) = addresses(rest.trim_start());
        (args, rest.strip_prefix(':')?.trim_start(), leading)
    } else {
        let split = leading.len().min(columns.leading());
        let (lead, args) = leading.split_at_checked(split)?;
        (args.to_vec(), rest, lead.to_vec())
    };
    if leading.len() != columns.leading() || args.len() > 4 {
        return None;
    }
    let is_bare = columns.has_store && symbol.is_empty();
    let is_name = !leading.is_empty() && is_identifier(symbol);
    if !(is_bare || is_name || is_symbol(symbol)) {
        return None;
    }
    // Without an address, only a module's function is sure to be a frame.
    if leading.is_empty() && !(number.is_some() || symbol.contains('!')) {
        return None;
    }
    let frame = leading.first().copied().filter(|_| columns.has_frame);
    let return_address = leading.last().copied().filter(|_| columns.has_return);
    Some(Parts { number, frame, return_address, args, symbol, is_inline: false })
}

/// The number of a frame, in hex, where the line starts with one.
fn split_number(text: &str, is_numbered: bool) -> (Option<i64>, &str) {
    let none = (None, text);
    let Some((first, rest)) = word(text).filter(|(first, _)| first.len() <= 3) else { return none };
    let next = word(rest).map_or("", |(next, _)| next);
    let may_be = is_numbered || address(next).is_some() || next.starts_with("(Inline");
    match hex_int(first).filter(|_| may_be) {
        Some(number) => (Some(number), rest),
        None => none,
    }
}

/// The text without the distance to the frame before, which the first frame does not have.
fn without_memory(text: &str) -> &str {
    let Some((first, rest)) = text.split_once(char::is_whitespace) else { return text };
    let is_distance = address(first).is_none() && hex(first).is_some();
    if is_distance { rest.trim_start() } else { text }
}

/// The addresses that a text starts with, and the rest of it.
fn addresses(text: &str) -> (Vec<u64>, &str) {
    let mut found = Vec::new();
    let mut rest = text.trim_ascii_start();
    while found.len() < 8 && !rest.starts_with("0x") {
        let Some((word, tail)) = word(rest) else { break };
        if let Some(value) = address(word) {
            found.push(value);
        } else if let Some((a, b)) = word.split_once('.').and_then(two_addresses) {
            // Two columns that touch, with a dot between them.
            found.extend([a, b]);
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
fn has_values(symbol: &str) -> bool {
    // Most symbols have no equals sign, which is quicker to tell.
    symbol.contains('=') && symbol.contains(" = ")
}

fn ends_in_offset(symbol: &str) -> bool {
    symbol.rsplit_once("+0x").is_some_and(|(_, digits)| digits.len() < 3 && hex(digits).is_some())
}

fn is_rest_of_offset(text: &str) -> bool {
    // Where mail broke a line, its rest stands at the margin.
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether every parenthesis of a symbol with parameters is closed.
fn is_balanced(symbol: &str) -> bool {
    // Operators and lambdas may have one side only; parameters start after a name.
    if !symbol.trim_end().ends_with(['(', ',']) && !has_values(symbol) {
        return true;
    }
    let count = |c: char| symbol.matches(c).count();
    count('(') <= count(')')
}

/// A symbol as stacks and listings print it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Symbol {
    /// `module!function`, or `module+0x12` without symbols.
    pub(super) name: Option<String>,
    /// The module.
    pub(super) module: Option<String>,
    /// Bytes from the symbol, or from the module's base.
    pub(super) offset: Option<i64>,
    /// The address itself, where it lies in no module.
    pub(super) address: Option<u64>,
    /// Source file.
    pub(super) file: Option<String>,
    /// Line in the source file.
    pub(super) line: Option<i64>,
}

impl Symbol {
    /// What a text says, which may have the source line and frame data after the symbol.
    pub(super) fn of(text: &str) -> Self {
        let (text, source) = split_source(without_comment(text).trim());
        let text = without_frame_data(text);
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

/// A remark that somebody wrote after a line.
pub(super) fn without_comment(text: &str) -> &str {
    const MARKS: [&str; 6] = ["<-", "<<", "<=", "-->", "//", ";;"];
    let is_remark = |at: usize| {
        let rest = text.get(at + 1..).unwrap_or_default();
        MARKS.iter().any(|mark| rest.starts_with(mark)) || rest.starts_with("## ")
    };
    let mut blanks = memchr::memchr2_iter(b' ', b'\t', text.as_bytes());
    let end = blanks.find(|at| is_remark(*at)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end()
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

/// The line of a thread, as `~`, `~*k` and `!uniqstack` print it:
/// `.  0  Id: 1a4.1b8 Suspend: 1 Teb: 7ffdf000 Unfrozen "name"`.
pub(super) fn thread_header(text: &str) -> Option<Thread> {
    let text = text.trim_start().trim_start_matches(['.', '#']).trim_start();
    let (number, rest) = text.split_once(char::is_whitespace)?;
    number.parse::<u32>().ok()?;
    let rest = rest.trim_start();
    let ids = rest.strip_prefix("Id:").or_else(|| rest.strip_prefix("id:"))?.trim_start();
    let (ids, rest) = ids.split_once(char::is_whitespace)?;
    let (pid, tid) = super::scan::cid(ids)?;
    let suspend = super::scan::after(rest, "Suspend:").and_then(hex_int);
    let teb = super::scan::after(rest, "Teb:").or_else(|| super::scan::after(rest, "Teb"))?;
    let name = super::scan::between(rest, "\"", "\"");
    Some(Thread {
        pid: Ok(pid),
        tid: Ok(tid),
        teb: found(hex(teb)),
        suspend_count: found(suspend),
        name: name.map_or(Err(Absent::NotApplicable), super::scan::text),
        ..Thread::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, header: &str) -> Option<(Option<u64>, Option<u64>, usize, String)> {
        let parts = parse(text, Columns::named_by(header))?;
        Some((parts.frame, parts.return_address, parts.args.len(), parts.symbol.to_owned()))
    }

    #[test]
    fn frames_of_every_era() {
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

    #[test]
    fn threads() {
        let thread = thread_header(" 115  Id: 97bc.bbc0 Suspend: 0 Teb: 0000001a`7a81a000 Unfrozen \"D3D Background Thread 3\"").unwrap();
        assert_eq!((thread.pid, thread.tid, thread.suspend_count), (Ok(0x97bc), Ok(0xbbc0), Ok(0)));
        assert_eq!(thread.name.as_deref(), Ok("D3D Background Thread 3"));
        assert_eq!(
            thread_header(".  0  id: 16.15   Teb 7ffdd000 Unfrozen").unwrap().teb,
            Ok(0x7ffd_d000)
        );
        assert_eq!(thread_header("Id: 1.2 Suspend: 1"), None);
    }
}
