//! Stacks, as the `k` family and many other commands print them.
//!
//! This module determines which lines belong to a stack; the caller says whose stack it is.

use super::frame::{
    Columns, FrameParts, GoesOn, goes_on, is_balanced, is_header, is_note, parse, split_number,
};
use super::line::{Line, Lines};
use super::scan::{address, found};
use super::sink::Sink;
use super::symbol::Symbol;
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Thread};

/// Upper limit on the lines of a frame with all parameters of its function (`kP`).
const MAX_LINES: usize = 64;

/// The thread of a stack, as far as the output says.
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

/// Reads stacks line by line.
#[derive(Debug)]
pub(super) struct Stack {
    owner: Owner,
    columns: Columns,
    is_open: bool,
    /// Whether its columns are unknown until its first frame.
    is_untold: bool,
    next: i64,
    last_return: Option<u64>,
    /// Frames so far.
    count: i64,
}

impl Stack {
    /// The stack of a thread; it starts at the next header.
    pub(super) fn of(owner: Owner) -> Self {
        Self {
            owner,
            columns: Columns::PLAIN,
            is_open: false,
            is_untold: false,
            next: 0,
            last_return: None,
            count: 0,
        }
    }

    /// A stack that starts at the next line, with or without a header.
    pub(super) fn open(owner: Owner) -> Self {
        Self { is_open: true, is_untold: true, ..Self::of(owner) }
    }

    /// A stack whose header has been read.
    pub(super) fn below(columns: Columns, owner: Owner) -> Self {
        Self { columns, is_untold: false, ..Self::open(owner) }
    }

    /// Takes the frames that follow, up to another line; returns their number.
    pub(super) fn frames(&mut self, lines: &mut Lines<'_>, sink: &mut Sink<'_>) -> i64 {
        let before = self.count;
        while let Some(line) = lines.next() {
            if self.take_whole(&line, lines, sink) {
                continue;
            }
            lines.push_front(line);
            if !self.take_other(lines, sink) {
                break;
            }
        }
        self.count - before
    }

    /// Takes a frame on a single line, as nearly all are.
    fn take_whole(&mut self, line: &Line<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) -> bool {
        if !self.is_open {
            return false;
        }
        self.tell(line.trimmed());
        let Some(parts) = self.parse(line.trimmed()) else { return false };
        if self.rest_of(line, parts.symbol, lines) != GoesOn::No || !is_balanced(parts.symbol) {
            return false;
        }
        self.count += 1;
        if sink.wants::<Frame>() {
            let frame = self.frame(&parts);
            sink.row(line, frame);
        } else {
            sink.pass::<Frame>();
        }
        true
    }

    /// Determines the columns of a stack without a header from its first frame.
    fn tell(&mut self, text: &str) {
        if !self.is_untold {
            return;
        }
        if self.parse(text).is_none()
            && let Some(columns) = Columns::told_by(text)
        {
            self.columns = columns;
        }
        self.is_untold = self.parse(text).is_none();
    }

    /// Whether the next line is the rest of a frame's symbol.
    fn rest_of(&self, line: &Line<'_>, symbol: &str, lines: &mut Lines<'_>) -> GoesOn {
        // If a frame is only a symbol, the next line may be a frame too.
        if self.columns.leading() == 0 && !self.columns.is_numbered {
            return GoesOn::No;
        }
        lines.peek().map_or(GoesOn::No, |next| goes_on(&line.text, symbol, next.trimmed()))
    }

    /// Takes the next line if it belongs to a stack without being a frame; returns whether frames
    /// may follow.
    fn take_other(&mut self, lines: &mut Lines<'_>, sink: &mut Sink<'_>) -> bool {
        // Published logs may have a blank line between any two lines.
        let at = usize::from(lines.peek().is_some_and(Line::is_blank));
        let Some(text) = lines.peek_at(at).map(|line| line.trimmed().to_owned()) else {
            return false;
        };
        let is_remark = is_note(&text) && !text.is_empty() && at == 0;
        let may_go_on = || self.parse(&text).is_some() || (at == 0 && self.may_go_on(&text));
        if !(is_remark || (!is_header(&text) && may_go_on())) {
            return false;
        }
        if at == 1 {
            lines.next();
        }
        let count = self.count;
        let Some(line) = lines.next() else { return false };
        if !self.take(&line, lines, sink) {
            // This is the start of a frame that nothing completes.
            sink.unread(&line);
        }
        self.count > count || is_note(&text)
    }

    /// No frame follows until the next header.
    pub(super) fn close(&mut self) {
        self.is_open = false;
    }

    /// Whether frames may follow.
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Takes a line if it belongs to a stack: a header, a frame, a note between frames. A frame
    /// that was wrapped takes its other lines from `lines`.
    pub(super) fn take(
        &mut self,
        line: &Line<'_>,
        lines: &mut Lines<'_>,
        sink: &mut Sink<'_>,
    ) -> bool {
        // Frames are checked first because they are the most frequent.
        if self.take_whole(line, lines, sink) {
            return true;
        }
        let text = line.trimmed();
        let parsed = if self.is_open { self.parse(text) } else { None };
        if parsed.is_none() {
            if is_header(text) {
                self.columns = Columns::named_by(text);
                (self.is_open, self.is_untold) = (true, false);
                (self.next, self.last_return) = (0, None);
                return true;
            }
            if !self.is_open {
                return false;
            }
            if is_note(text) {
                return true;
            }
        }
        let frame = match parsed {
            Some(parts) => match self.rest_of(line, parts.symbol, lines) {
                GoesOn::Whole => {
                    let rest = lines.next();
                    let rest = rest.as_ref().map_or("", |rest| rest.trimmed());
                    let symbol = format!("{}{rest}", parts.symbol);
                    Some(self.frame(&FrameParts { symbol: &symbol, ..parts }))
                }
                // An incomplete name is worse than none.
                GoesOn::Perhaps => {
                    self.frame(&parts);
                    sink.unread(line);
                    if let Some(rest) = lines.next() {
                        sink.unread(&rest);
                    }
                    return true;
                }
                GoesOn::No => self.joined(text, lines),
            },
            None => self.joined(text, lines),
        };
        let Some(frame) = frame else { return false };
        self.count += 1;
        sink.row(line, frame);
        true
    }

    /// A frame whose text continues on the following lines.
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

    fn parse<'t>(&self, text: &'t str) -> Option<FrameParts<'t>> {
        parse(text, self.columns)
    }

    fn frame(&mut self, parts: &FrameParts<'_>) -> Frame {
        let none = Absent::NotApplicable;
        let symbol = Symbol::of(parts.symbol);
        let number = parts.number.unwrap_or(self.next);
        self.next = number.saturating_add(1);
        let arg = |n: usize| found(parts.args.all().get(n).copied());
        // The instruction pointer of a frame is the return address of the frame before it.
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
