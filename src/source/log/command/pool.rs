//! `!pool`, `!poolfind` and `xpool -map`: pool blocks and pool pages.

use super::{Context, Fills, Reader, Signature, facts};
use crate::catalog::{Absent, Cell};
use crate::model::{ExtensionFact, PoolBlock, PoolPage};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, after, between, found, hex_int, text, word};
use crate::source::log::sink::Sink;

/// The reader of blocks.
pub(super) static READER: Reader = Reader {
    name: "!pool",
    is_named: |name| matches!(name, "!pool" | "!poolfind"),
    signatures: &[
        Signature { literal: "previous size:", check: |line| block(line, None).is_some() },
        Signature {
            literal: "Pool page ",
            check: |line| line.trim_start().starts_with("Pool page "),
        },
        Signature {
            literal: "Scanning large pool allocation table for",
            check: |line| !line.contains("Irp"),
        },
        Signature { literal: " : tag ", check: |line| found_block(line).is_some() },
    ],
    contains: &[],
    fills: &[Fills::rows::<PoolBlock>()],
    read,
};

/// The reader of the page map.
pub(super) static MAP: Reader = Reader {
    name: "!xpool",
    is_named: |name| name == "!xpool",
    signatures: &[Signature { literal: "Status Map of Pool Area Pages", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<PoolPage>(), Fills::rows::<ExtensionFact>()],
    read: read_map,
};

/// ` e1001040 size:   10 previous size:   40  (Free)       Mm  `; an asterisk marks the block that
/// contains the requested address. For special pool the address of the data is printed instead.
fn block(line: &str, region: Option<&str>) -> Option<PoolBlock> {
    let (at, rest) = word(line.trim_start().trim_start_matches('*'))?;
    let at = address(at.trim_end_matches(':'))?;
    let rest = rest.strip_prefix("size:")?;
    let (size, _) = word(rest)?;
    let size = hex_int(size)?;
    let previous = after(rest, "previous size:").and_then(hex_int);
    let state = between(rest, "(", ")")?;
    let tail = rest.get(rest.find(')')? + 1..).unwrap_or_default();
    let tag = tail.trim_start().trim_start_matches('*');
    let is_protected = tag.contains("(Protected)");
    let tag = tag.split(" (").next().unwrap_or(tag).split(" Process:").next().unwrap_or(tag);
    let tag = tag.split(" <").next().unwrap_or(tag);
    let is_special = rest.contains("data:");
    let pool_type = if is_special { Some(state) } else { region };
    Some(PoolBlock {
        address: Ok(at),
        size_bytes: Ok(size),
        previous_bytes: found(previous),
        tag: tag_of(tag),
        pool_type: found(pool_type.map(pool_name)),
        state: Ok(state_of(state, is_protected, is_special)),
        eprocess: found(after(tail, "Process:").and_then(address)),
        page: Ok(at & !0xfff),
        is_big: Err(Absent::NotApplicable),
        ..PoolBlock::default()
    })
}

fn state_of(state: &str, is_protected: bool, is_special: bool) -> String {
    if is_special {
        return "allocated".to_owned();
    }
    let state = state.trim().to_ascii_lowercase();
    if is_protected { format!("{state}, protected") } else { state }
}

/// `Nonpaged pool` as tables write it.
fn pool_name(region: &str) -> String {
    region.trim().trim_end_matches(" pool").to_ascii_lowercase()
}

/// A tag is any text of up to four characters.
fn tag_of(text_after: &str) -> Cell<String> {
    let tag: String = text_after.chars().take(4).collect();
    text(&tag)
}

/// `ffffd48ca040f340 : tag Proc, size     0xb70, Nonpaged pool`.
fn found_block(line: &str) -> Option<PoolBlock> {
    let (at, rest) = line.trim_start().trim_start_matches('*').split_once(" : tag ")?;
    let at = address(at.trim())?;
    let (tag, rest) = rest.split_once(", size")?;
    let (size, rest) = rest.split_once(',')?;
    Some(PoolBlock {
        address: Ok(at),
        size_bytes: found(hex_int(size.trim().trim_start_matches("0x"))),
        tag: tag_of(tag),
        pool_type: Ok(pool_name(rest)),
        state: Ok("allocated".to_owned()),
        page: Ok(at & !0xfff),
        ..PoolBlock::default()
    })
}

/// `*ffffa28a9a5d4000 : large page allocation, tag is ViIR, size is 0x1000 bytes`.
fn large_block(line: &str, region: Option<&str>) -> Option<PoolBlock> {
    let (at, rest) = line.trim_start_matches('*').split_once(" : large page allocation, ")?;
    let at = address(at.trim())?;
    let (tag, size) = rest.split_once(", size ")?;
    let (_, tag) = tag.split_once("is ")?;
    let size = size.trim_start_matches("is ").split_whitespace().next()?;
    Some(PoolBlock {
        address: Ok(at),
        size_bytes: Ok(hex_int(size)?),
        tag: tag_of(tag),
        pool_type: found(region.map(pool_name)),
        state: Ok("allocated".to_owned()),
        page: Ok(at & !0xfff),
        is_big: Ok(true),
        ..PoolBlock::default()
    })
}

/// The pool in a heading: `Pool page 8628a008 region is Nonpaged pool`.
fn region(line: &str) -> Option<&str> {
    line.split_once(" region is ").map(|(_, region)| region.trim())
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut current: Option<String> = None;
    let mut last: Option<(u64, PoolBlock)> = None;
    for line in lines {
        let trimmed = line.trimmed();
        let region_of = current.as_deref();
        let row = block(trimmed, region_of)
            .or_else(|| found_block(trimmed))
            .or_else(|| large_block(trimmed, region_of));
        if let Some(row) = row {
            emit(last.replace((line.number, row)), sink);
        } else if let Some(rest) = trimmed.strip_prefix("Pooltag ") {
            if let (Some((_, row)), Some((_, description))) = (&mut last, rest.split_once(" : ")) {
                row.description = text(description.split(", Binary").next().unwrap_or(description));
            }
        } else if let Some(name) = region(trimmed) {
            current = Some(name.to_owned()).filter(|name| name != "Unknown");
        } else if let Some(rest) = trimmed.strip_prefix("Searching ") {
            current = rest.split(" pool").next().map(str::to_owned);
        } else if !is_known(&line) {
            sink.unread(&line);
        }
    }
    emit(last, sink);
}

fn emit(row: Option<(u64, PoolBlock)>, sink: &mut Sink<'_>) {
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

fn is_known(line: &Line<'_>) -> bool {
    const STARTS: &[&str] = &[
        "Scanning ",
        "...terminating",
        "Owning component",
        "Unable to read",
        "Address ",
        "Validating Pool headers",
        "Pool page [",
        "Analyzing linked list",
        "None found",
        "[ ",
        "counts:",
        "bytes :",
        "*** CacheSize",
        "Error",
        "Pool page ",
    ];
    let text = line.trimmed();
    // Detail 1 prints the first words of each block.
    let words = text.split_whitespace().filter_map(address).count();
    let is_dump = words >= 2 && words == text.split_whitespace().count();
    line.is_blank()
        || is_dump
        || STARTS.iter().any(|s| text.starts_with(s))
        || text.contains(" is not a valid ")
        || text.contains(" is not valid pool")
        || text.contains(": invalid previous size")
}

/// The meaning of a map character: the state of the page, and whether it is paged out.
fn page_state(c: char) -> Option<(&'static str, bool)> {
    Some(match c {
        '.' => ("unused", false),
        'O' => ("one page", false),
        'P' => ("one page", true),
        '<' => ("first", false),
        '{' => ("first", true),
        '=' => ("middle", false),
        '-' => ("middle", true),
        '>' => ("last", false),
        '}' => ("last", true),
        _ => return None,
    })
}

/// `82780000: ..OO.OO.OO..O.OO .O..OO.OO.OO..O. …`: one character per page.
fn map_row(line: &str) -> Option<(u64, Vec<(&'static str, bool)>)> {
    let (at, rest) = line.split_once(':')?;
    let at = address(at.trim())?;
    let states: Option<Vec<_>> =
        rest.chars().filter(|c| !c.is_whitespace()).map(page_state).collect();
    states.filter(|states| !states.is_empty()).map(|states| (at, states))
}

fn read_map(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut pool: Cell<String> = Err(Absent::NotApplicable);
    for line in lines {
        let text = line.trimmed();
        if let Some((at, states)) = map_row(text) {
            for (index, (state, is_paged_out)) in (0u64..).zip(states) {
                let row = PoolPage {
                    address: found(at.checked_add(index * 0x1000)),
                    pool_type: pool.clone(),
                    state: Ok(state.to_owned()),
                    is_paged_out: Ok(is_paged_out),
                    ..PoolPage::default()
                };
                sink.row(&line, row);
            }
        } else if text.contains("Pool Area Summary") {
            pool = Ok(if text.starts_with("Non") { "nonpaged" } else { "paged" }.to_owned());
        } else if text.contains("Number of Pages") {
            let block = pool.clone().unwrap_or_default();
            facts::emit("!xpool", &block, &line, sink);
        } else if !is_of_map(&line) {
            sink.unread(&line);
        }
    }
}

/// The legend and the headings of the map.
fn is_of_map(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text.starts_with("unable to get")
        || text.starts_with("Status Map")
        || text.starts_with('\'')
        || text.starts_with("+0")
        || text.chars().all(|c| matches!(c, '=' | '-' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_form() {
        let row = block(
            "*8628a000 size:   40 previous size:    0  (Allocated) *Even (Protected)",
            Some("Nonpaged pool"),
        )
        .unwrap();
        assert_eq!(
            (row.size_bytes, row.tag.as_deref(), row.state.as_deref(), row.pool_type.as_deref()),
            (Ok(0x40), Ok("Even"), Ok("allocated, protected"), Ok("nonpaged"))
        );
        assert_eq!(
            block(" e1001040 size:   10 previous size:   40  (Free)       Mm  ", None)
                .unwrap()
                .tag
                .as_deref(),
            Ok("Mm")
        );
        let large = "*ffffa28a9a5d4000 : large page allocation, tag is ViIR, size is 0x1000 bytes";
        let large = large_block(large, Some("Nonpaged pool")).unwrap();
        assert_eq!((large.tag.as_deref(), large.size_bytes), (Ok("ViIR"), Ok(0x1000)));
        let found =
            found_block("*ffff8287b5c5b060 : tag Proc, size     0xe70, Nonpaged pool").unwrap();
        assert_eq!((found.size_bytes, found.pool_type.as_deref()), (Ok(0xe70), Ok("nonpaged")));
        let special =
            block("*fbffe000 size:  898 data: fbffe768 (Paged session) *Adbe", None).unwrap();
        assert_eq!(
            (special.pool_type.as_deref(), special.tag.as_deref()),
            (Ok("paged session"), Ok("Adbe"))
        );
        assert!(block("e1001008  ffffffff 0057005c", None).is_none());
    }

    #[test]
    fn rows_of_the_map() {
        let (at, states) = map_row("82780000: ..OO <=>.").unwrap();
        assert_eq!(
            (at, states.len(), states[2].0, states[5].0),
            (0x8278_0000, 8, "one page", "middle")
        );
        assert!(map_row("8278: text").is_none());
    }
}
