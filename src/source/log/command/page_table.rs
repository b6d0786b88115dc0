//! `!pte`: the page table entries of an address, with address, contents and meaning below one
//! another.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::PageTableEntry;
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, found, hex, text};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!pte",
    is_named: |name| name == "!pte",
    signatures: &[Signature { literal: "PTE at ", check: |line| entries(line).len() > 1 }],
    contains: &[],
    fills: &[Fills::rows::<PageTableEntry>()],
    read,
};

const LEVELS: [&str; 5] = ["PXE", "PPE", "PDPE", "PDE", "PTE"];

/// `PXE at FFFFF6FB7DBEDFF8    PPE at FFFFF6FB7DBFFFF8`: levels and the addresses of their entries.
fn entries(line: &str) -> Vec<(&'static str, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let entry = |three: &[&str]| match three {
        [level, "at", at] => {
            let level = LEVELS.iter().find(|known| **known == *level)?;
            Some((*level, address(at)?))
        }
        _ => None,
    };
    words.windows(3).filter_map(entry).collect()
}

/// The address that is translated: `VA ffffffffffd00000`, `801544F4  - PDE at …`.
fn translated(line: &str) -> Option<u64> {
    let line = line.trim();
    let line = line.strip_prefix("VA ").unwrap_or(line);
    address(line.split_whitespace().next()?)
}

/// The values after each `contains`.
fn contents(line: &str) -> Option<Vec<Option<u64>>> {
    let mut parts = line.trim().split("contains ");
    let is_start = parts.next()?.is_empty();
    let values: Vec<_> = parts.map(|part| part.split_whitespace().next().and_then(hex)).collect();
    (is_start && !values.is_empty()).then_some(values)
}

/// The text for each entry: `pfn a1f -- - DA--KWEV  pfn a20 …`, `not valid`.
fn meanings(line: &str) -> Option<Vec<Vec<&str>>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    let mut before = "";
    for word in line.split_whitespace() {
        let starts = matches!(word, "LARGE" | "not" | "no") || (word == "pfn" && before != "PAGE");
        if starts {
            found.push(Vec::new());
        }
        found.last_mut()?.push(word);
        before = word;
    }
    (!found.is_empty()).then_some(found)
}

fn mean(row: &mut PageTableEntry, words: &[&str]) {
    row.is_large_page = Ok(words.first() == Some(&"LARGE"));
    let pfn = words.iter().position(|word| *word == "pfn");
    // There may be no space between number and bits: `pfn a1f-- - DA--KWEV`.
    let after = pfn.and_then(|at| words.get(at + 1..)).and_then(<[&str]>::split_first);
    let number = after.and_then(|(word, flags)| {
        let end = word.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(word.len());
        let (digits, bits) = word.split_at_checked(end)?;
        Some((hex(digits)?, format!("{bits} {}", flags.join(" "))))
    });
    row.is_valid = Ok(number.is_some());
    row.flags = text(&number.as_ref().map_or_else(|| words.join(" "), |(_, bits)| bits.clone()));
    row.pfn = found(number.map(|(number, _)| number));
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut at: Cell<u64> = Err(Absent::NotApplicable);
    while let Some(line) = lines.next() {
        let places = entries(&line.text);
        at = found(translated(&line.text)).or(at);
        if places.is_empty() {
            if !(line.is_blank() || translated(&line.text).is_some()) {
                sink.unread(&line);
            }
            continue;
        }
        let row = |(level, entry): (&str, u64)| PageTableEntry {
            address: at,
            level: Ok(level.to_owned()),
            entry: Ok(entry),
            ..PageTableEntry::default()
        };
        let mut rows: Vec<PageTableEntry> = places.into_iter().map(row).collect();
        if let Some(next) = lines.next_if(|next| contents(&next.text).is_some()) {
            for (row, value) in rows.iter_mut().zip(contents(&next.text).unwrap_or_default()) {
                row.contents = value.ok_or(Absent::NotInDump);
            }
        }
        if let Some(next) = lines.next_if(|next| meanings(&next.text).is_some()) {
            for (row, words) in rows.iter_mut().zip(meanings(&next.text).unwrap_or_default()) {
                mean(row, &words);
            }
        }
        // For an invalid entry, further lines give the location of the page.
        while let Some(next) = lines.next_if(|next| says_where(next.trimmed())) {
            if let Some(row) = rows.last_mut() {
                let before = row.flags.clone().unwrap_or_default();
                row.flags = text(&format!("{before} {}", next.trimmed()));
            }
        }
        for row in rows {
            sink.row(&line, row);
        }
    }
}

fn says_where(line: &str) -> bool {
    ["PageFile", "Offset", "Protect", "Transition", "DemandZero", "Proto", "Prototype", "Pool"]
        .iter()
        .any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_every_width() {
        let x86 = "801544F4  - PDE at C0300800        PTE at C0200550";
        assert_eq!(entries(x86), [("PDE", 0xc030_0800), ("PTE", 0xc020_0550)]);
        assert_eq!(translated(x86), Some(0x8015_44f4));
        assert_eq!(
            contents("   contains 0003B163      contains 00154121"),
            Some(vec![Some(0x3_b163), Some(0x15_4121)])
        );
        assert_eq!(contents("what it contains 1"), None);
        let said = meanings("pfn a1f-- - DA--KWEV  LARGE PAGE pfn 3800  not valid").unwrap();
        assert_eq!(said.len(), 3);
        let mut row = PageTableEntry::default();
        mean(&mut row, &said[0]);
        assert_eq!((row.pfn, row.flags.as_deref()), (Ok(0xa1f), Ok("-- - DA--KWEV")));
        mean(&mut row, &said[1]);
        assert_eq!((row.pfn, row.is_large_page, row.is_valid), (Ok(0x3800), Ok(true), Ok(true)));
        mean(&mut row, &said[2]);
        assert_eq!((row.is_valid, row.flags.as_deref()), (Ok(false), Ok("not valid")));
    }
}
