//! `!analyze`: the bug check or exception, the result of the analysis, and the context records and
//! stacks that are printed on the way.
//!
//! The output is written for people: keys with values, blocks that other commands print too, and
//! prose. The description of the crash is one row, at the line where the analysis starts.

mod lines;

use lines::{MAX_VALUE, argument, fact_of, is_known, key, short, title};
use std::collections::HashSet;

use super::banner::fact;
use super::bugcheck::{of_code, set_parameters};
use super::exception::{is_record, record};
use super::{Context, Fills, Reader, Signature};
use crate::catalog::Cell;
use crate::model::{
    AnalysisKey, Bugcheck, CriticalSection, DumpInfo, Exception, Frame, Instruction, Lock,
    LockOwner, LockWaiter, Register,
};
use crate::source::log::code::{ListedAt, instruction, label, shown_symbol};
use crate::source::log::context::{self, Holder, is_registers};
use crate::source::log::frames::{Owner, Stack};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{
    address, between, dec, found, hex, hex_int, rest_after, text as cell,
};
use crate::source::log::sink::Sink;
use crate::time::parse_timestamp;

pub(super) static READER: Reader = Reader {
    name: "!analyze",
    is_named: |name| name == "!analyze",
    signatures: &[
        Signature { literal: "Bugcheck Analysis", check: is_title },
        Signature { literal: "Exception Analysis", check: is_title },
        Signature { literal: "BugCheck ", check: |line| short(line.trim()).is_some() },
    ],
    contains: &["k", "r", ".exr", "u", ".lastevent", "!locks"],
    fills: &[
        Fills::rows::<Bugcheck>(),
        Fills::rows::<Exception>(),
        Fills::rows::<Register>(),
        Fills::rows::<Frame>(),
        Fills::rows::<Instruction>(),
        Fills::rows::<DumpInfo>(),
        Fills::rows::<AnalysisKey>(),
        Fills::rows::<Lock>(),
        Fills::rows::<LockOwner>(),
        Fills::rows::<LockWaiter>(),
        Fills::rows::<CriticalSection>(),
    ],
    read,
};

/// Thread objects are above this address, thread IDs below.
const USER_END: u64 = 0x8000_0000;

fn is_title(line: &str) -> bool {
    let inside = line.trim().trim_matches('*').trim();
    inside == "Bugcheck Analysis" || inside == "Exception Analysis"
}

/// What was gathered so far.
struct Analysis {
    bugcheck: Bugcheck,
    has_bugcheck: bool,
    bugcheck_line: u64,
    is_user: bool,
    owner: Owner,
    exceptions: Vec<(u64, Exception)>,
    info: DumpInfo,
    instructions: HashSet<u64>,
    /// Whether the details have begun; no prose follows them.
    is_past: bool,
    /// The last line of the value of a key.
    said_to: u64,
    /// The argument whose description may continue.
    argument: Option<usize>,
    place: ListedAt,
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut all = Analysis {
        bugcheck: Bugcheck::default(),
        has_bugcheck: false,
        bugcheck_line: 0,
        is_user: cx.number.is_some() && !cx.is_kernel,
        owner: Owner::default(),
        exceptions: Vec::new(),
        info: DumpInfo::default(),
        instructions: HashSet::new(),
        is_past: false,
        said_to: 0,
        argument: None,
        place: ListedAt::default(),
    };
    let mut stack = Stack::of(Owner::default());
    let mut first = None;
    while let Some(line) = lines.next() {
        let text = line.trimmed();
        first.get_or_insert(line.number);
        if super::locks::is_start(text) {
            lines.push_front(line);
            super::locks::block(lines, sink);
        } else if let Some((key, value)) = key(text) {
            stack.close();
            all.is_past = true;
            all.argument = None;
            if key == "STACK_TEXT" {
                stack = Stack::open(all.owner.clone());
            } else {
                all.key(key, value, &line, lines);
            }
            if key != "STACK_TEXT" {
                all.said_to = said(key, value, &line, lines, sink);
            }
        } else if stack.take(&line, lines, sink) {
        } else if !all.block(&line, lines, sink) {
            let is_head = all.head(&line);
            if fact_of(&line, lines, sink) || is_head || is_known(text) {
                continue;
            }
            // The rest is prose, except for text among frames that looks like a frame.
            let first = text.split_whitespace().next().unwrap_or_default();
            let is_said = line.number <= all.said_to;
            if (stack.is_open() && address(first).is_some()) || (all.is_past && !is_said) {
                sink.unread(&line);
            }
        }
    }
    all.finish(first.unwrap_or_default(), sink);
}

impl Analysis {
    /// A block that other commands print too.
    fn block<'t>(&mut self, line: &Line<'t>, lines: &mut Lines<'t>, sink: &mut Sink<'_>) -> bool {
        let text = line.trimmed();
        if is_registers(text) {
            let holder = Holder { owner: self.owner.clone(), processor: None };
            if let Some((at, row)) = context::read(line, lines, &holder, sink) {
                self.instruction(at, row, sink);
            }
        } else if is_record(text) {
            lines.push_front(line.clone());
            self.exceptions.extend(record(lines));
        } else if let Some(label) = label(text) {
            self.place.symbol = shown_symbol(label);
        } else if let Some(row) = instruction(text, &self.place).filter(|i| i.bytes.is_ok()) {
            self.instruction(line.number, row, sink);
        } else {
            return false;
        }
        self.argument = None;
        true
    }

    /// Several keys show the same instruction.
    fn instruction(&mut self, at: u64, row: Instruction, sink: &mut Sink<'_>) {
        if row.address.is_ok_and(|address| self.instructions.insert(address)) {
            sink.row_at(at, row);
        }
    }

    /// The name of the bug check, its arguments, and the text of the command's short form.
    fn head(&mut self, line: &Line<'_>) -> bool {
        let text = line.trimmed();
        if let Some((code, values)) = short(text) {
            self.found(line, of_code(code));
            set_parameters(&mut self.bugcheck, &values);
        } else if let Some((name, code)) = title(text).filter(|_| !self.has_bugcheck) {
            self.found(line, of_code(code));
            self.bugcheck.name = cell(name);
        } else if let Some((n, value, description)) = argument(text) {
            self.argument = None;
            if let Some((parameter, meaning)) = self.parameter(n) {
                *parameter = Ok(value);
                if !description.is_empty() {
                    *meaning = cell(description);
                    self.argument = Some(n);
                }
            }
        } else if text.starts_with("Connected to ") && fact(text, &mut self.info) {
            // Text about the target that the debugger received in between.
        } else if let Some(rest) = rest_after(text, "Probably caused by :") {
            self.cause(rest);
        } else if let Some(n) = self.argument.filter(|_| !text.is_empty()) {
            self.go_on(n, text);
        } else {
            return false;
        }
        true
    }

    fn found(&mut self, line: &Line<'_>, row: Bugcheck) {
        if !self.has_bugcheck {
            self.bugcheck_line = line.number;
        }
        self.has_bugcheck = true;
        self.bugcheck.complete_with(row);
    }

    fn parameter(&mut self, n: usize) -> Option<(&mut Cell<u64>, &mut Cell<String>)> {
        let row = &mut self.bugcheck;
        match n {
            1 => Some((&mut row.p1, &mut row.p1_description)),
            2 => Some((&mut row.p2, &mut row.p2_description)),
            3 => Some((&mut row.p3, &mut row.p3_description)),
            4 => Some((&mut row.p4, &mut row.p4_description)),
            _ => None,
        }
    }

    /// The continuation of an argument's description.
    fn go_on(&mut self, n: usize, text: &str) {
        let is_end = text.starts_with("Debugging Details")
            || text.starts_with("---")
            || text.starts_with("## ");
        if is_end {
            self.argument = None;
        } else if let Some((_, Ok(meaning))) = self.parameter(n)
            && meaning.len() < 2000
        {
            meaning.push(' ');
            meaning.push_str(text);
        }
    }

    /// `win32k.sys ( win32k!EPATHOBJ::pprFlattenRec+82 )`.
    fn cause(&mut self, text: &str) {
        let image = text.split_whitespace().next().unwrap_or_default();
        let symbol = between(text, "(", ")").map(str::trim).unwrap_or_default();
        let stem = image.rsplit_once('.').map_or(image, |(stem, _)| stem);
        let module = symbol.split(['!', '+']).next().filter(|m| !m.is_empty()).unwrap_or(stem);
        self.bugcheck.symbol = cell(symbol);
        self.bugcheck.module = cell(module);
    }

    fn key(&mut self, key: &str, value: &str, line: &Line<'_>, lines: &mut Lines<'_>) {
        let first = value.split_whitespace().next().unwrap_or_default();
        match key {
            "PROCESS_NAME" => {
                self.bugcheck.process = cell(value);
                self.owner.process = cell(value);
            }
            "FAULTING_THREAD" => self.thread(first),
            "SYMBOL_NAME" => self.bugcheck.symbol = cell(value),
            "MODULE_NAME" => self.bugcheck.module = cell(value),
            "FAILURE_BUCKET_ID" => self.bugcheck.bucket_id = cell(value),
            "BUCKET_ID" if self.bugcheck.bucket_id.is_err() => {
                self.bugcheck.bucket_id = cell(value);
            }
            "BUGCHECK_CODE" => {
                if let Some(code) = hex(first).and_then(|code| u32::try_from(code).ok())
                    && !self.is_user
                {
                    self.found(line, of_code(code));
                }
            }
            "BUGCHECK_P1" | "BUGCHECK_P2" | "BUGCHECK_P3" | "BUGCHECK_P4" => {
                let n =
                    key.bytes().last().map_or(0, |digit| usize::from(digit.saturating_sub(b'0')));
                if let Some((parameter, _)) = self.parameter(n)
                    && parameter.is_err()
                {
                    *parameter = found(hex(first));
                }
            }
            "EXCEPTION_RECORD" => {
                // The record may start on the line of its key.
                if let Some(at) = value.find("ExceptionAddress:") {
                    let shown = value.get(at..).unwrap_or_default().to_owned();
                    lines.push_front(Line { number: line.number, text: shown.into() });
                    self.exceptions.extend(record(lines));
                }
            }
            _ => self.fact(key, value),
        }
    }

    /// The thread object in kernel targets, the thread ID in user-mode targets.
    fn thread(&mut self, value: &str) {
        let Some(value) = hex(value) else { return };
        if value < USER_END {
            // For a hang, this is the debugger's own thread number. A thread ID is a multiple of
            // four, and small ones belong to the system.
            let is_id = value >= 0x100 && value.is_multiple_of(4) && u32::try_from(value).is_ok();
            self.owner.tid = found(i64::try_from(value).ok().filter(|_| is_id));
        } else {
            self.owner.ethread = Ok(value);
            self.bugcheck.ethread = Ok(value);
        }
    }

    fn fact(&mut self, key: &str, value: &str) {
        let info = &mut self.info;
        match key {
            "OSNAME" => info.os = cell(value),
            "OSPLATFORM_TYPE" => info.arch = cell(value),
            "OSBUILD" => info.build = found(dec(value)),
            "OS_VERSION" if info.build.is_err() => {
                info.build = found(value.split('.').nth(2).and_then(dec));
            }
            "BUILD_VERSION_STRING" => info.build_lab = cell(value),
            "CPU_COUNT" => info.processors = found(hex_int(value)),
            "TARGET_TIME" => info.system_time = found(parse_timestamp(value)),
            _ => {}
        }
    }

    fn finish(self, first: u64, sink: &mut Sink<'_>) {
        if self.has_bugcheck {
            sink.row_at(self.bugcheck_line, self.bugcheck);
        }
        let mut seen: Vec<Exception> = Vec::new();
        for (at, mut row) in self.exceptions {
            (row.tid, row.ethread) = (self.owner.tid, self.owner.ethread);
            if seen.len() < 64 && !seen.contains(&row) {
                seen.push(row.clone());
                sink.row_at(at, row);
            }
        }
        if self.info != DumpInfo::default() {
            sink.row_at(first, self.info);
        }
    }
}

/// A key with its value, which may be on the following lines; returns the last of them.
fn said(
    key: &str,
    value: &str,
    line: &Line<'_>,
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
) -> u64 {
    let mut value = value.to_owned();
    let mut last = line.number;
    for n in 0..MAX_VALUE {
        let is_whole = !value.is_empty() && n == 0;
        let next = lines.peek_at(n).filter(|next| !is_whole && !next.is_blank());
        let Some(next) = next.filter(|next| self::key(next.trimmed()).is_none()) else { break };
        if n > 0 {
            value.push('\n');
        }
        value.push_str(next.trimmed());
        last = next.number;
    }
    let row = AnalysisKey { key: cell(key), value: cell(&value), ..AnalysisKey::default() };
    sink.row(line, row);
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        assert_eq!(
            short("BugCheck 8E, {c0000005, ac08f2fa, 93df4a50, 0}").map(|s| (s.0, s.1.len())),
            Some((0x8e, 4))
        );
        assert_eq!(
            title("DRIVER_VERIFIER_DETECTED_VIOLATION (c4)"),
            Some(("DRIVER_VERIFIER_DETECTED_VIOLATION", 0xc4))
        );
        assert_eq!(title("Unknown bugcheck code (0)"), Some(("Unknown bugcheck code", 0)));
        assert_eq!(title("caused by drivers (d1)"), None);
        assert_eq!(argument("Arg4: 0000000000000000"), Some((4, 0, "")));
        assert_eq!(
            argument("Arg2: fffff88000e16f50, A pointer"),
            Some((2, 0xffff_f880_00e1_6f50, "A pointer"))
        );
        assert_eq!(
            key("FAILURE_BUCKET_ID:  AV_X!a::b+0x1"),
            Some(("FAILURE_BUCKET_ID", "AV_X!a::b+0x1"))
        );
        assert_eq!((key("Arg1: 0"), key("nt!Foo: x")), (None, None));
        assert!(is_title(
            "*                        Bugcheck Analysis                                    *"
        ));
    }
}
