//! Layouts of tables in text: columns separated by tabs, bars or commas, under a rule of dashes, in
//! a grid, or aligned below headings.
//!
//! This module recognises the form of tables, not their meaning.

use super::scan::{address, hex};

/// Upper limit on columns.
pub(super) const MAX_COLUMNS: usize = 200;
/// A longer line is not a row.
pub(super) const MAX_CHARS: usize = 4000;

/// A line with its number.
pub(super) type Numbered = (u64, String);

/// How a row is split into cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut {
    /// At each occurrence of this character.
    At(char),
    /// At bars, including one at each end.
    Framed,
    /// Between positions of one character, counted in characters.
    Between(Vec<usize>),
    /// At the start positions of columns, counted in characters.
    Starts(Vec<usize>),
    /// At spaces, into this many words.
    Words(usize),
    /// The row is not split.
    Whole,
}

/// A table that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// How its rows are split.
    pub(super) cut: Cut,
    /// The headings; empty if it has none.
    pub(super) names: Vec<String>,
    /// Number of the line before the first row.
    pub(super) before: u64,
}

/// The layout of the table in a text that begins with these lines.
pub(super) fn find(sample: &[Numbered]) -> Option<Found> {
    grid(sample)
        .or_else(|| ruled(sample))
        .or_else(|| separated(sample, '\t'))
        .or_else(|| separated(sample, '|'))
        .or_else(|| separated(sample, ','))
        .or_else(|| separated(sample, ';'))
        .or_else(|| aligned(sample))
}

impl Cut {
    /// Whether columns are determined by position or number; then a blank line ends the table.
    pub(super) const fn is_by_place(&self) -> bool {
        matches!(self, Self::Starts(_) | Self::Words(_))
    }

    /// The cells of a line, at most `most`; `None` if it is not a row.
    pub(super) fn cells(&self, text: &str, most: usize) -> Option<Vec<String>> {
        // The last column may contain the separator too.
        let parts = |text: &str, mark: char| {
            text.splitn(most, mark).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
        };
        match self {
            Self::At(mark) => text.contains(*mark).then(|| parts(text, *mark)),
            Self::Framed => {
                let inside = text.trim().strip_prefix('|')?.strip_suffix('|')?;
                Some(parts(inside, '|'))
            }
            Self::Between(places) => Some(between(text, places)),
            Self::Starts(starts) => Some(at_starts(text, starts)),
            Self::Words(_) => Some(text.split_whitespace().map(str::to_owned).collect()),
            Self::Whole => Some(vec![text.trim().to_owned()]),
        }
    }
}

/// The cells of a line between positions.
fn between(text: &str, places: &[usize]) -> Vec<String> {
    let chars: Vec<char> = text.chars().take(MAX_CHARS).collect();
    let cell = |pair: &[usize]| match pair {
        [start, end] => {
            let end = (*end).min(chars.len());
            chars.get((start + 1).min(end)..end).unwrap_or_default().iter().collect::<String>()
        }
        _ => String::new(),
    };
    places.windows(2).map(|pair| cell(pair).trim().to_owned()).collect()
}

/// Whether a line is only a rule.
pub(super) fn is_rule(text: &str) -> bool {
    let marks = text.chars().filter(|c| matches!(c, '-' | '=' | '_')).count();
    marks >= 2 && text.chars().all(|c| matches!(c, '-' | '=' | '_' | '+' | '|' | ' ' | '\t'))
}

/// A table under a rule. A rule of several parts gives the start of the columns.
fn ruled(sample: &[Numbered]) -> Option<Found> {
    let at = sample.iter().position(|(_, text)| is_rule(text)).filter(|at| *at > 0)?;
    let (number, rule) = sample.get(at)?;
    let (_, header) = sample.get(at.checked_sub(1)?)?;
    let chars: Vec<char> = rule.chars().take(MAX_CHARS).collect();
    let is_start = |&i: &usize| {
        chars.get(i).is_some_and(|c| *c != ' ')
            && i.checked_sub(1).is_none_or(|before| chars.get(before) == Some(&' '))
    };
    let starts: Vec<usize> = (0..chars.len()).filter(is_start).collect();
    if starts.len() > 1 {
        let names = at_starts(header, &starts);
        return Some(Found { cut: Cut::Starts(starts), names, before: *number });
    }
    let below = sample.get(at + 1..)?;
    let bars = below.iter().find(|(_, text)| text.contains('|')).map(|(_, text)| text);
    if let Some(row) = bars {
        // The header may have spaces where the rows have bars.
        let places: Vec<usize> =
            row.chars().enumerate().filter(|(_, c)| *c == '|').map(|(i, _)| i + 1).collect();
        let starts: Vec<usize> = std::iter::once(0).chain(places).collect();
        let cut = bars_cut(below);
        let names = if header.contains('|') {
            cut.cells(header, usize::MAX).unwrap_or_default()
        } else {
            at_starts(header, &starts)
        };
        return Some(Found { cut, names, before: *number });
    }
    let mut block = vec![header.clone()];
    block.extend(below.iter().map(|(_, text)| text.clone()).take_while(|text| !text.is_empty()));
    let starts = common_starts(&block);
    (starts.len() > 1).then(|| {
        let names = at_starts(header, &starts);
        Found { cut: Cut::Starts(starts), names, before: *number }
    })
}

/// A grid of the object model (`dx -g`): rules above and below, `=` between headings and `-`
/// between cells, at the same positions on each line.
fn grid(sample: &[Numbered]) -> Option<Found> {
    let is_full = |text: &str| text.len() > 2 && text.chars().all(|c| c == '=');
    let at = sample.iter().position(|(_, text)| is_full(text))?;
    let (_, header) = sample.get(at + 1)?;
    let (number, _) = sample.get(at + 2).filter(|(_, text)| is_full(text))?;
    let places: Vec<usize> =
        header.chars().enumerate().filter(|(_, c)| *c == '=').map(|(at, _)| at).collect();
    if places.len() < 2 || places.first() != Some(&0) {
        return None;
    }
    let cut = Cut::Between(places);
    let names = cut.cells(header, usize::MAX)?;
    Some(Found { cut, names, before: *number })
}

/// A table between bars: with a bar at both ends of each line, or without.
fn bars_cut(rows: &[Numbered]) -> Cut {
    let mut rows = rows.iter().map(|(_, text)| text.trim()).filter(|text| text.contains('|'));
    let is_framed = |text: &str| text.len() > 1 && text.starts_with('|') && text.ends_with('|');
    if rows.all(is_framed) { Cut::Framed } else { Cut::At('|') }
}

/// A table whose columns are separated by a character.
fn separated(sample: &[Numbered], mark: char) -> Option<Found> {
    let has: Vec<&Numbered> = sample
        .iter()
        .filter(|(_, text)| !is_rule(text) && text.trim_start_matches('\t').contains(mark))
        .collect();
    let lines = sample.iter().filter(|(_, text)| !text.is_empty()).count();
    let (number, first) = has.first()?;
    let count = |text: &str| text.matches(mark).count();
    let same = has.iter().filter(|(_, text)| count(text) == count(first)).count();
    let is_most = has.len() * 2 >= lines && same * 2 >= has.len();
    // Prose contains commas too, but not the same number on each line, and followed by spaces.
    let is_prose = |text: &str| text.contains(", ") || text.contains("; ");
    let is_sure = mark == '\t' || mark == '|';
    let is_list = || same == lines && lines > 1 && !has.iter().any(|(_, text)| is_prose(text));
    if !is_most || !(is_sure || is_list()) {
        return None;
    }
    let cut = if mark == '|' { bars_cut(sample) } else { Cut::At(mark) };
    let cells = cut.cells(first, usize::MAX)?;
    let others = has.iter().skip(1).filter_map(|(_, text)| cut.cells(text, usize::MAX));
    if is_heading(&cells, others) {
        return Some(Found { cut, names: cells, before: *number });
    }
    Some(Found { cut, names: Vec::new(), before: number.saturating_sub(1) })
}

/// A table with aligned columns.
fn aligned(sample: &[Numbered]) -> Option<Found> {
    let block: Vec<String> =
        sample.iter().map(|(_, text)| text.clone()).take_while(|text| !text.is_empty()).collect();
    let (number, first) = sample.first()?;
    let words = first.split_whitespace().count();
    let is_even = block.iter().all(|text| text.split_whitespace().count() == words);
    let starts = common_starts(&block);
    // Prose has gaps too, but only of one space.
    let is_wide = block.iter().any(|text| text.trim_start().contains("  "));
    let (cut, names) = if starts.len() > 1 && is_wide && block.len() > 1 && !is_even {
        let names = at_starts(first, &starts);
        (Cut::Starts(starts), names)
    } else if is_even && words > 1 {
        (Cut::Words(words), first.split_whitespace().map(str::to_owned).collect())
    } else {
        return None;
    };
    let others = block.iter().skip(1).filter_map(|text| cut.cells(text, MAX_COLUMNS));
    if is_heading(&names, others) {
        return Some(Found { cut, names, before: *number });
    }
    Some(Found { cut, names: Vec::new(), before: number.saturating_sub(1) })
}

/// Whether cells are headings: none is a number, and there are numbers below one of them.
fn is_heading(cells: &[String], others: impl Iterator<Item = Vec<String>>) -> bool {
    let is_number = |cell: &String| {
        let cell = cell.trim();
        let has_digit = cell.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        address(cell).is_some()
            || (has_digit && (hex(cell).is_some() || cell.parse::<f64>().is_ok()))
    };
    !cells.iter().any(is_number) && others.take(50).any(|row| row.iter().any(is_number))
}

/// The column starts that all lines have: after a column of spaces.
fn common_starts(block: &[String]) -> Vec<usize> {
    let width = block.iter().map(|text| text.chars().count()).max().unwrap_or(0).min(MAX_CHARS);
    let mut is_used = vec![false; width];
    for text in block.iter().take(200) {
        for (used, c) in is_used.iter_mut().zip(text.chars()) {
            *used |= c != ' ' && c != '\t';
        }
    }
    let is_start = |&i: &usize| {
        is_used.get(i) == Some(&true) && (i == 0 || is_used.get(i - 1) == Some(&false))
    };
    (0..width).filter(is_start).take(MAX_COLUMNS).collect()
}

/// The cells of a line with these column starts. A word that extends beyond its column belongs to
/// it as a whole.
fn at_starts(text: &str, starts: &[usize]) -> Vec<String> {
    let chars: Vec<char> = text.chars().take(MAX_CHARS).collect();
    let is_blank = |at: usize| chars.get(at).is_none_or(|c| matches!(c, ' ' | '\t'));
    let mut cells = Vec::new();
    let mut from = 0;
    for (index, _) in starts.iter().enumerate() {
        let mut to = starts.get(index + 1).copied().unwrap_or(chars.len()).max(from);
        while to > from && !is_blank(to - 1) && !is_blank(to) {
            to += 1;
        }
        let cell: String =
            chars.get(from..to.min(chars.len())).unwrap_or_default().iter().collect();
        cells.push(cell.trim().to_owned());
        from = to.min(chars.len());
    }
    cells
}
