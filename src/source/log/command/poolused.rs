//! `!poolused`: pool usage by tag.
//!
//! The header determines the columns of a row: allocations, frees, difference and bytes, for one
//! pool or both. Flag 1 adds frees and differences, flags 2 and 4 sort, flag 8 shows session pool.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::PoolTag;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::text;
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!poolused",
    is_named: |name| name == "!poolused",
    signatures: &[
        Signature { literal: "Pool Used:", check: |line| line.trim() == "Pool Used:" },
        Signature {
            literal: "Pool Consumed",
            check: |line| line.trim_start().starts_with("Sorting by"),
        },
        Signature { literal: "Allocs", check: |line| columns(line).is_some() },
    ],
    contains: &[],
    fills: &[Fills::rows::<PoolTag>()],
    read,
};

/// The kind of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberKind {
    Allocs,
    Frees,
    Diff,
    Used,
}

/// The columns of a header: ` Tag    Allocs    Frees     Diff     Used    Allocs …`.
fn columns(line: &str) -> Option<Vec<NumberKind>> {
    let mut words = line.split_whitespace();
    if words.next()? != "Tag" {
        return None;
    }
    words
        .map(|word| match word {
            "Allocs" => Some(NumberKind::Allocs),
            "Frees" => Some(NumberKind::Frees),
            "Diff" => Some(NumberKind::Diff),
            "Used" => Some(NumberKind::Used),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()
        .filter(|columns| columns.first() == Some(&NumberKind::Allocs))
}

/// The pools of the columns, from the line above them and from the columns.
fn pools(heading: &str, columns: &[NumberKind]) -> (bool, bool) {
    let has_both = columns.iter().filter(|kind| **kind == NumberKind::Allocs).count() > 1;
    let has_nonpaged = heading.contains("NonPaged");
    let has_paged = heading.replace("NonPaged", "").contains("Paged");
    if has_both || !(has_nonpaged || has_paged) {
        (true, has_both)
    } else {
        (has_nonpaged, has_paged && !has_nonpaged)
    }
}

/// The parts of a row: the tag, a number for each column, and the description.
struct TagParts<'t> {
    tag: &'t str,
    numbers: [i64; MAX_COLUMNS],
    rest: &'t str,
}

/// Both pools have allocations, frees, differences and bytes.
const MAX_COLUMNS: usize = 8;

/// Splits a row. The tag is the first four characters, including spaces; a number may follow it
/// directly. Published rows may have lost spaces, so that a tag is shorter.
fn parts(line: &str, count: usize) -> Option<TagParts<'_>> {
    let line = line.strip_prefix(' ').unwrap_or(line);
    let at_four = line.char_indices().nth(4).map_or(line.len(), |(at, _)| at);
    let (tag, rest) = line.split_at_checked(at_four)?;
    // Spaces inside four characters followed by a digit are not part of the tag but mean that
    // columns were collapsed.
    let ends_in_number =
        tag.trim_end().rsplit_once(' ').is_some_and(|(_, t)| t.parse::<i64>().is_ok());
    if !tag.trim().is_empty()
        && !ends_in_number
        && let Some((numbers, rest)) = numbers(rest, count)
    {
        return Some(TagParts { tag: tag.trim_end(), numbers, rest });
    }
    let (tag, rest) = crate::source::log::scan::word(line)?;
    let (numbers, rest) = numbers(rest, count).filter(|_| tag.chars().count() <= 4)?;
    Some(TagParts { tag, numbers, rest })
}

/// This many numbers, and the text after them.
fn numbers(text: &str, count: usize) -> Option<([i64; MAX_COLUMNS], &str)> {
    let mut found = [0; MAX_COLUMNS];
    let mut rest = text;
    for place in found.get_mut(..count)? {
        (*place, rest) = leading_number(rest)?;
    }
    Some((found, rest))
}

/// The number at the start, and the text after it, with or without a space in between.
fn leading_number(text: &str) -> Option<(i64, &str)> {
    let text = text.trim_ascii_start();
    let is_part = |b: &u8| b.is_ascii_digit() || *b == b'-';
    let end = text.as_bytes().iter().take_while(|b| is_part(b)).count();
    let (digits, rest) = text.split_at_checked(end)?;
    // 32-bit counters that went below zero are printed as they are.
    Some((digits.parse().ok()?, rest))
}

fn row(parts: &TagParts<'_>, columns: &[NumberKind], pools: (bool, bool)) -> PoolTag {
    let mut row = PoolTag { tag: Ok(parts.tag.to_owned()), ..PoolTag::default() };
    let mut is_second = false;
    for (index, (kind, number)) in columns.iter().zip(parts.numbers).enumerate() {
        if index > 0 && *kind == NumberKind::Allocs {
            is_second = true;
        }
        let nonpaged = pools.0 && !is_second;
        let field = match (kind, nonpaged) {
            (NumberKind::Allocs, true) => &mut row.nonpaged_allocs,
            (NumberKind::Frees, true) => &mut row.nonpaged_frees,
            (NumberKind::Diff, true) => &mut row.nonpaged_diff,
            (NumberKind::Used, true) => &mut row.nonpaged_bytes,
            (NumberKind::Allocs, false) => &mut row.paged_allocs,
            (NumberKind::Frees, false) => &mut row.paged_frees,
            (NumberKind::Diff, false) => &mut row.paged_diff,
            (NumberKind::Used, false) => &mut row.paged_bytes,
        };
        *field = Ok(number);
    }
    let (description, binary) = described(parts.rest);
    (row.description, row.binary) = (description, binary);
    row
}

/// `ERESOURCE , Binary: ntfs.sys` as description and binary. The debugger's text for an unknown tag
/// is not a description.
fn described(rest: &str) -> (Cell<String>, Cell<String>) {
    let rest = rest.trim();
    if rest.starts_with("UNKNOWN pooltag") {
        return (Err(Absent::NotApplicable), Err(Absent::NotApplicable));
    }
    match rest.split_once("Binary:") {
        Some((description, binary)) => {
            (text(description.trim_end().trim_end_matches([',', ' '])), text(binary))
        }
        None => (text(rest), Err(Absent::NotApplicable)),
    }
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut heading = String::new();
    let mut shape: Option<(Vec<NumberKind>, (bool, bool))> = None;
    for line in lines {
        let trimmed = line.trimmed();
        if trimmed.starts_with("NonPaged") || trimmed.starts_with("Paged") {
            trimmed.clone_into(&mut heading);
        } else if let Some(columns) = columns(trimmed) {
            let pools = pools(&heading, &columns);
            shape = Some((columns, pools));
        } else if let Some((columns, pools)) = &shape
            && let Some(parts) = parts(&line.text, columns.len())
        {
            // The sum is not a tag.
            if is_total(&line) {
                continue;
            }
            if sink.wants::<PoolTag>() {
                sink.row(&line, row(&parts, columns, *pools));
            } else {
                sink.pass::<PoolTag>();
            }
        } else if !is_known(&line) {
            sink.unread(&line);
        }
    }
}

fn is_total(line: &Line<'_>) -> bool {
    line.trimmed().starts_with("TOTAL ")
}

fn is_known(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text == "Pool Used:"
        || is_total(line)
        || ["Sorting by", "*** CacheSize", "counts:", "bytes :", "```", "unable to get"]
            .iter()
            .any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str, columns: &[NumberKind], pools: (bool, bool)) -> Option<PoolTag> {
        parts(line, columns.len()).map(|parts| super::row(&parts, columns, pools))
    }

    #[test]
    fn rows_of_every_form() {
        let both = columns(" Tag    Allocs     Used    Allocs     Used").unwrap();
        let two = row(" MmSt        0        0     85622 140642616     Mm section object prototype ptes , Binary: nt!mm", &both, pools("NonPaged            Paged", &both)).unwrap();
        assert_eq!(
            (two.tag.as_deref(), two.nonpaged_bytes, two.paged_bytes),
            (Ok("MmSt"), Ok(0), Ok(140_642_616))
        );
        assert_eq!(
            (two.description.as_deref(), two.binary.as_deref()),
            (Ok("Mm section object prototype ptes"), Ok("nt!mm"))
        );
        let one = columns("Tag    Allocs    Frees     Diff     Used").unwrap();
        let frees = row(
            " File 32630649 32618671    11978  3752928  File objects",
            &one,
            pools("NonPaged", &one),
        )
        .unwrap();
        assert_eq!(
            (frees.nonpaged_frees, frees.nonpaged_diff, frees.paged_bytes),
            (Ok(32_618_671), Ok(11_978), Err(Absent::NotApplicable))
        );
        let touching = row(
            " Ddk 12345678 1 2 3UNKNOWN pooltag 'Ddk ', please update pooltag.txt",
            &one,
            (true, false),
        )
        .unwrap();
        assert_eq!(
            (touching.tag.as_deref(), touching.description),
            (Ok("Ddk"), Err(Absent::NotApplicable))
        );
        let paged = columns("Tag    Allocs    Frees     Diff     Used").unwrap();
        assert_eq!(pools("Paged", &paged), (false, true));
        assert_eq!(
            row(" CM         85     5440     11045 47915424", &both, (true, true))
                .unwrap()
                .tag
                .as_deref(),
            Ok("CM")
        );
        assert_eq!(
            row(" .UMD           2           1         1          144", &one, (true, false))
                .unwrap()
                .tag
                .as_deref(),
            Ok(".UMD")
        );
    }
}
