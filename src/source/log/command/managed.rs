//! SOS, the extension for .NET: `!clrstack`, `!threads` and `!pe`.

use super::facts;
use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Exception, ExtensionFact, Frame, Thread};
use crate::source::log::frames::Owner;
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, dec, found, hex_int, text, word};
use crate::source::log::sink::Sink;

/// The reader of `!clrstack`.
pub(super) static STACK: Reader = Reader {
    name: "!clrstack",
    is_named: |name| name == "!clrstack",
    signatures: &[Signature { literal: "OS Thread Id: 0x", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<Frame>()],
    read: read_stack,
};

/// The reader of `!threads`.
pub(super) static THREADS: Reader = Reader {
    name: "!threads",
    is_named: |name| matches!(name, "!threads" | "!clrthreads"),
    signatures: &[Signature { literal: "UnstartedThread:", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<Thread>(), Fills::rows::<ExtensionFact>()],
    read: read_threads,
};

/// The reader of `!pe`.
pub(super) static EXCEPTION: Reader = Reader {
    name: "!pe",
    is_named: |name| matches!(name, "!pe" | "!printexception"),
    signatures: &[Signature { literal: "Exception object: ", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<Exception>(), Fills::rows::<Frame>(), Fills::rows::<ExtensionFact>()],
    read: read_exception,
};

/// `000000c1f5afec68 00007ffb9d1e4aa4 System.Threading.Thread.Sleep(Int32) [c:\a.cs @ 12]`.
fn frame(line: &str, owner: &Owner, number: i64) -> Option<Frame> {
    let (sp, rest) = word(line)?;
    let (ip, symbol) = word(rest)?;
    let (sp, ip) = (address(sp)?, address(ip)?);
    let (symbol, source) = match symbol.strip_suffix(']').and_then(|s| s.rsplit_once(" [")) {
        Some((name, source)) if source.contains(" @ ") => (name, Some(source)),
        _ => (symbol, None),
    };
    let source = source.and_then(|source| source.rsplit_once(" @ "));
    let (symbol, offset) = match symbol.rsplit_once("+0x") {
        Some((name, digits)) => (name, hex_int(digits)),
        None => (symbol, None),
    };
    let is_frame = symbol.starts_with('[') || symbol.contains(['(', '.', '!']);
    is_frame.then(|| Frame {
        tid: owner.tid,
        frame: Ok(number),
        sp: Ok(sp),
        ip: Ok(ip),
        symbol: text(symbol),
        offset: found(offset),
        module: found(symbol.split_once('!').map(|(module, _)| module.to_owned())),
        source_file: found(source.map(|(file, _)| file.trim().to_owned())),
        line: found(source.and_then(|(_, line)| dec(line.trim()))),
        ..Frame::default()
    })
}

fn is_heading(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    matches!(
        *words.as_slice(),
        ["Child", "SP", "IP", "Call", "Site"]
            | ["Child-SP", "IP", "Call", "Site"]
            | ["ESP", "EIP"]
            | ["SP", "IP", "Function"]
    ) || matches!(*words.as_slice(), ["Child-SP", "RetAddr", "Call", "Site"])
}

fn read_stack(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut owner = Owner::default();
    let mut number = 0;
    // According to some headings the second column is the return address.
    let mut returns = false;
    for line in lines {
        let shown = line.trimmed();
        if let Some(id) = shown.strip_prefix("OS Thread Id: ") {
            owner =
                Owner { tid: found(word(id).and_then(|(id, _)| hex_int(id))), ..Owner::default() };
            number = 0;
        } else if is_heading(shown) {
            returns = shown.contains("RetAddr");
        } else if let Some(mut row) = frame(shown, &owner, number) {
            if returns {
                (row.return_address, row.ip) = (row.ip, Err(Absent::NotApplicable));
            }
            number += 1;
            sink.row(&line, row);
        } else if !(line.is_blank() || shown.starts_with("Unable to walk") || is_local(shown)) {
            sink.unread(&line);
        }
    }
}

/// Headings of `!clrstack -a`; the lines below them are counted.
fn is_local(text: &str) -> bool {
    matches!(text, "PARAMETERS:" | "LOCALS:" | "<no data>")
}

/// `   0    1 2b84 000001d04451   2a020 Preemptive …`: number, managed ID, ID of the system.
fn thread(line: &str) -> Option<Thread> {
    let (first, rest) = word(line)?;
    let is_number = first == "XXXX" || dec(first).is_some();
    let (id, rest) = word(rest).filter(|_| is_number)?;
    dec(id)?;
    let (os, rest) = word(rest)?;
    let (object, _) = word(rest)?;
    address(object)?;
    // A thread that has ended has no system ID any more.
    let tid: Cell<i64> = found(hex_int(os).filter(|tid| *tid != 0));
    Some(Thread { tid, ..Thread::default() })
}

fn read_threads(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        let shown = line.trimmed();
        if let Some(row) = thread(shown) {
            sink.row(&line, row);
        } else if !(facts::emit("!threads", "", &line, sink) || line.is_blank() || is_head(shown)) {
            sink.unread(&line);
        }
    }
}

fn is_head(text: &str) -> bool {
    text.contains("OSID") || text.split_whitespace().eq(["Lock"]) || text.starts_with("Lock")
}

fn read_exception(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row: Option<(u64, Exception)> = None;
    let mut number = 0;
    for line in lines {
        let shown = line.trimmed();
        let value = |label: &str| shown.strip_prefix(label).map(str::trim);
        if value("Exception object:").is_some() {
            if let Some((at, row)) = row.take() {
                sink.row_at(at, row);
            }
            number = 0;
            let is_clr = Ok(true);
            row = Some((line.number, Exception { is_clr, ..Exception::default() }));
        } else if let (Some((_, row)), Some(kind)) = (&mut row, value("Exception type:")) {
            row.name = text(kind);
        } else if let (Some((_, row)), Some(message)) = (&mut row, value("Message:")) {
            row.description = text(message)
                .and_then(|m| if m == "<none>" { Err(Absent::NotApplicable) } else { Ok(m) });
        } else if let Some(frame) = frame(shown, &Owner::default(), number) {
            number += 1;
            sink.row(&line, frame);
            continue;
        } else if is_heading(shown) || line.is_blank() {
            continue;
        }
        if !facts::emit("!pe", "", &line, sink) {
            sink.unread(&line);
        }
    }
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_threads() {
        let row = frame(
            "000000c1f5afec68 00007ffb9d1e4aa4 App.Worker.Run(Int32) [c:\\a.cs @ 12]",
            &Owner::default(),
            3,
        )
        .unwrap();
        assert_eq!(
            (row.symbol.as_deref(), row.line, row.frame),
            (Ok("App.Worker.Run(Int32)"), Ok(12), Ok(3))
        );
        assert!(frame("0012ff7c 00401000", &Owner::default(), 0).is_none());
        let row = thread(
            "0    1 2b84 000001d044513100    2a020 Preemptive  00000001:00000002 00 0     MTA",
        )
        .unwrap();
        assert_eq!(row.tid, Ok(0x2b84));
        assert!(thread("ThreadCount:      5").is_none());
    }
}
