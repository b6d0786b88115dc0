//! `!memusage` and `!session`: lists of physical pages, and the sessions.

use super::{Context, Fills, Reader, Signature};
use crate::model::{MappedFile, MemoryList, SessionSpace};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{dec, found, word};
use crate::source::log::sink::Sink;

/// The reader of `!memusage`.
pub(super) static READER: Reader = Reader {
    name: "!memusage",
    is_named: |name| name == "!memusage",
    signatures: &[
        Signature { literal: "loading PFN database", check: |_| true },
        Signature { literal: "Zeroed:", check: |line| list(line.trim()).is_some() },
    ],
    contains: &[],
    fills: &[Fills::rows::<MemoryList>(), Fills::rows::<MappedFile>()],
    read,
};

/// The reader of `!session`.
pub(super) static SESSION: Reader = Reader {
    name: "!session",
    is_named: |name| name == "!session",
    signatures: &[Signature { literal: "Sessions on machine:", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<SessionSpace>()],
    read: read_sessions,
};

/// `Active/Valid:   321846 ( 1287384 kb)`.
fn list(line: &str) -> Option<MemoryList> {
    let (name, rest) = line.split_once(':')?;
    let (pages, rest) = word(rest)?;
    let pages = dec(pages)?;
    let has_unit = rest.starts_with('(') && rest.to_ascii_lowercase().contains("kb");
    has_unit.then(|| MemoryList {
        list: Ok(name.trim().to_owned()),
        pages: Ok(pages),
        bytes: found(pages.checked_mul(4096)),
        ..MemoryList::default()
    })
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        let text = line.trimmed();
        if let Some(row) = list(text) {
            // The sum of the lists is not a list.
            if row.list.as_deref() != Ok("TOTAL") {
                sink.row(&line, row);
            }
        } else if let Some(row) = super::report::mapped_file(text) {
            sink.row(&line, row);
        } else if !(text.starts_with("Usage Summary")
            || text.starts_with("Control ")
            || is_progress(&line))
        {
            sink.unread(&line);
        }
    }
}

fn is_progress(line: &Line<'_>) -> bool {
    const STARTS: &[&str] = &[
        "loading",
        "(Master",
        "Compiling memory usage",
        "Building kernel map",
        "Finished building",
        "Scanning PFN",
        "counts:",
        "bytes :",
    ];
    let text = line.trimmed();
    line.is_blank() || STARTS.iter().any(|start| text.starts_with(start))
}

fn read_sessions(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        let text = line.trimmed();
        if let Some(all) = text.strip_prefix("Valid Sessions:") {
            for id in all.split_whitespace().filter_map(dec) {
                sink.row(&line, SessionSpace { session: Ok(id), ..SessionSpace::default() });
            }
        } else if !(line.is_blank()
            || text.starts_with("Sessions on machine")
            || text.starts_with("Current Session")
            || text.starts_with("Using session"))
        {
            sink.unread(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let row = list("ModifiedNoWrite:      58 (     232 kb)").unwrap();
        assert_eq!((row.list.as_deref(), row.pages), (Ok("ModifiedNoWrite"), Ok(58)));
        assert!(list("loading: 5").is_none());
    }
}
