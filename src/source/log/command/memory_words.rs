//! `dps`, `dds`, `dqs` and similar commands: words of memory, and their symbols.

use super::{Context, Fills, Reader};
use crate::catalog::Absent;
use crate::model::StackWord;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, between, found, hex, text, word};
use crate::source::log::sink::Sink;
use crate::source::log::symbol::without_comment;
use crate::source::printable;

pub(super) static READER: Reader = Reader {
    name: "dps",
    is_named: |name| {
        matches!(
            name,
            "dps"
                | "dds"
                | "dqs"
                | "dpa"
                | "dda"
                | "dqa"
                | "dpu"
                | "ddu"
                | "dqu"
                | "dpp"
                | "ddp"
                | "dqp"
                | "dp"
                | "dd"
                | "dq"
                | "kd"
                | "ddr"
                | "dpr"
        )
    },
    signatures: &[],
    contains: &[],
    fills: &[Fills::rows::<StackWord>()],
    read,
};

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let name = cx.command.split_whitespace().next().unwrap_or_default();
    // Without a symbol or a text, a line contains several words.
    let has_many = matches!(name, "dp" | "dd" | "dq");
    let is_followed = matches!(name, "dpp" | "ddp" | "dqp");
    for line in lines {
        if line.is_blank() {
            continue;
        }
        let read =
            if has_many { words(&line) } else { one(&line, is_followed).map(|row| vec![row]) };
        match read {
            Some(rows) => rows.into_iter().for_each(|row| sink.row(&line, row)),
            None => sink.unread(&line),
        }
    }
}

/// `f4265bec  f79c9743 nt!KeBugCheckEx+0x1b`, or a text in quotes.
fn one(line: &Line<'_>, is_followed: bool) -> Option<StackWord> {
    let (first, rest) = word(line.trimmed())?;
    let start = address(first)?;
    let (second, rest) = word(rest)?;
    let value = address(second);
    if value.is_none() && !is_unreadable(second) {
        return None;
    }
    let rest = without_comment(rest);
    let string = between(rest, "\"", "\"").filter(|_| rest.starts_with('"'));
    let is_symbol = string.is_none() && !is_followed;
    Some(StackWord {
        symbol: if is_symbol { text(rest) } else { Err(Absent::NotApplicable) },
        string: found(string.map(str::to_owned)),
        ..stack_word(start, value)
    })
}

/// `9c1f3480  00000001 00000000 8a3da020 00000000`.
fn words(line: &Line<'_>) -> Option<Vec<StackWord>> {
    let (first, rest) = word(line.trimmed())?;
    let start = address(first)?;
    let mut rows = Vec::new();
    let mut at = start;
    for word in without_comment(rest).split_whitespace() {
        let value = hex(word).filter(|_| address(word).is_some());
        if value.is_none() && !is_unreadable(word) {
            return None;
        }
        rows.push(stack_word(at, value));
        at = at.wrapping_add(if word.trim_start_matches("0x").len() > 8 { 8 } else { 4 });
    }
    (!rows.is_empty()).then_some(rows)
}

fn is_unreadable(word: &str) -> bool {
    word.len() >= 8 && word.bytes().all(|b| matches!(b, b'?' | b'`'))
}

fn stack_word(start: u64, value: Option<u64>) -> StackWord {
    StackWord {
        address: Ok(start),
        value: value.ok_or(Absent::NotInDump),
        ascii: found(value.and_then(printable::ascii)),
        utf16: found(value.and_then(printable::utf16)),
        ..StackWord::default()
    }
}
