//! `!htrace`: stacks recorded when handles were opened, closed or misused.

use super::critical_section::traced;
use super::{Context, Fills, Reader, Signature};
use crate::catalog::Cell;
use crate::model::VerifierFrame;
use crate::source::log::line::Lines;
use crate::source::log::scan::{found, hex, text};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!htrace",
    is_named: |name| name == "!htrace",
    signatures: &[Signature { literal: "Handle ", check: |l| start(l.trim_start()).is_some() }],
    contains: &[],
    fills: &[Fills::rows::<VerifierFrame>()],
    read,
};

/// `Handle 0x7CC - CLOSE:` or `Handle = 0x0000000000000580 - OPEN`.
fn start(line: &str) -> Option<(u64, String)> {
    let (handle, what) = line.strip_prefix("Handle ")?.split_once(" - ")?;
    let handle = hex(handle.trim_start_matches("= ").trim())?;
    let what = what.trim().trim_end_matches(':');
    let is_event = !what.is_empty() && what.bytes().all(|b| b.is_ascii_uppercase() || b == b' ');
    is_event.then(|| (handle, format!("handle {}", what.to_ascii_lowercase())))
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let (mut object, mut kind, mut number): (Cell<u64>, Cell<String>, i64) =
        (found(None), found(None), 0);
    for line in lines.by_ref() {
        let shown = line.trimmed();
        if let Some((handle, what)) = start(shown) {
            (object, kind, number) = (Ok(handle), Ok(what), 0);
        } else if let Some((at, symbol)) = traced(shown).filter(|_| kind.is_ok()) {
            let row = VerifierFrame {
                kind: kind.clone(),
                object,
                frame: Ok(number),
                address: Ok(at),
                symbol: text(symbol),
                ..VerifierFrame::default()
            };
            number += 1;
            sink.row(&line, row);
        } else if !(line.is_blank() || is_known(shown)) {
            sink.unread(&line);
        }
    }
}

fn is_known(text: &str) -> bool {
    const STARTS: &[&str] =
        &["-----", "Process ", "ObjectTable ", "Parsed ", "Dumped ", "Thread ID", "Handle tracing"];
    STARTS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::start;

    #[test]
    fn starts() {
        assert_eq!(start("Handle 0x7CC - CLOSE:"), Some((0x7cc, "handle close".to_owned())));
        assert_eq!(
            start("Handle = 0x0000000000000580 - OPEN"),
            Some((0x580, "handle open".to_owned()))
        );
        assert_eq!(start("Handle 0000000000000008"), None);
    }
}
