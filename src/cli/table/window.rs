//! The part of a table that a screen shows: the header, and some rows, moved in all directions.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use super::{Column, Grid, Look, width_of};
use crate::session::ResultSet;

/// Rows at each end of the result that are measured before any is shown; columns grow when wider
/// cells come into sight.
const MEASURED: usize = 500;
/// Lines that do not move: the names, and a rule below them.
const FROZEN: usize = 2;

/// A table behind a screen.
pub(in crate::cli) struct Window<'a> {
    result: &'a ResultSet,
    look: Look,
    columns: Vec<Column<'a>>,
    /// The first row that is shown.
    top: usize,
    /// How many columns of text are to the left of the screen, behind the first column.
    left: usize,
}

impl<'a> Window<'a> {
    /// The upper left corner of a result.
    pub(in crate::cli) fn new(result: &'a ResultSet, null: &str) -> Self {
        let look = Look { width: None, max_rows: None, colour: false, null: null.to_owned() };
        let head = 0..result.len().min(MEASURED);
        let tail = result.len().saturating_sub(MEASURED).max(head.end)..result.len();
        let measured =
            |(index, field)| Column::measured(result, index, field, &look, [&head, &tail]);
        let columns = result.fields().iter().enumerate().map(measured).collect();
        Self { result, look, columns, top: 0, left: 0 }
    }

    /// How many rows fit below the header.
    pub(in crate::cli) fn page(height: usize) -> usize {
        height.saturating_sub(FROZEN).max(1)
    }

    /// Moves up or down; the last page is the end.
    pub(in crate::cli) fn down(&mut self, rows: isize, height: usize) {
        let last = self.result.len().saturating_sub(Self::page(height));
        self.top = self.top.saturating_add_signed(rows).min(last);
    }

    /// Moves to the next row in which some cell holds the text, without regard to case, from the
    /// row below the first that is shown on. Whether there is one.
    pub(in crate::cli) fn find(&mut self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        let holds = |row: &usize| {
            let mut cell = String::new();
            self.columns.iter().any(|column| {
                cell.clear();
                column.push_cell(*row, self.result, &self.look, &mut cell);
                cell.to_lowercase().contains(&wanted)
            })
        };
        let found = (self.top + 1..self.result.len()).find(holds);
        self.top = found.unwrap_or(self.top);
        found.is_some()
    }

    /// Moves right or left by a column, or within one that is wider than the screen.
    pub(in crate::cli) fn across(&mut self, right: bool, width: usize) {
        let frozen = self.frozen(width);
        let room = width.saturating_sub(frozen).max(1);
        let starts = self.starts();
        let origin = starts.first().copied().unwrap_or(0);
        let end = starts.last().copied().unwrap_or(0).saturating_sub(origin).saturating_sub(room);
        let step = (room / 2).max(1);
        let places = || starts.iter().map(|start| start.saturating_sub(origin));
        self.left = if right {
            let next = places().find(|start| *start > self.left).unwrap_or(end);
            next.min(self.left + room.max(step)).min(end)
        } else {
            let before = places().rfind(|start| *start < self.left).unwrap_or(0);
            before.max(self.left.saturating_sub(room))
        };
    }

    /// Where each column behind those that do not move begins, and where the table ends.
    fn starts(&self) -> Vec<usize> {
        let mut at = 0;
        let mut starts = Vec::with_capacity(self.columns.len() + 1);
        for column in &self.columns {
            starts.push(at);
            at += column.width + 3;
        }
        starts.push(at + 1);
        // The first column does not move.
        starts.drain(..1.min(starts.len().saturating_sub(1)));
        starts
    }

    /// The width of the part that does not move sideways: the first column, where it leaves room.
    fn frozen(&self, width: usize) -> usize {
        let first = self.columns.first().map_or(0, |column| column.width + 3);
        if first * 3 <= width * 2 { first } else { 0 }
    }

    /// The lines of a screen of that size: the header, then rows.
    pub(in crate::cli) fn lines(&mut self, height: usize, width: usize) -> Vec<String> {
        let rows = self.top..(self.top + Self::page(height)).min(self.result.len());
        let fields = self.result.fields().iter().enumerate();
        for (column, (index, field)) in self.columns.iter_mut().zip(fields) {
            let seen = Column::measured(self.result, index, field, &self.look, [&rows, &(0..0)]);
            column.width = column.width.max(seen.width);
        }
        let frozen = self.frozen(width);
        let grid =
            Grid { look: &self.look, columns: &self.columns, more: false, result: self.result };
        let mut text = String::new();
        grid.push_header(&mut text);
        grid.push_rule(['├', '┼', '┤'], &mut text);
        for row in rows {
            grid.push_row(row, &mut text);
        }
        let cut = |line: &str| {
            let mut shown = part(line, 0, frozen);
            shown.push_str(&part(line, frozen + self.left, width - frozen));
            shown
        };
        text.lines().map(cut).collect()
    }

    /// What is shown of what there is: `rows 1-20 of 300, columns 1-5 of 42`.
    pub(in crate::cli) fn place(&self, height: usize, width: usize) -> String {
        let rows = self.result.len();
        let last = (self.top + Self::page(height)).min(rows);
        let mut text = format!("rows {}-{last} of {rows}", (self.top + 1).min(rows));
        let room = width.saturating_sub(self.frozen(width));
        let starts = self.starts();
        let origin = starts.first().copied().unwrap_or(0);
        if starts.last().is_some_and(|end| end - origin > room) {
            let inside = |pair: &[usize]| {
                pair[0] - origin < self.left + room && pair[1] - origin > self.left
            };
            let seen: Vec<usize> = starts
                .windows(2)
                .enumerate()
                .filter(|(_, p)| inside(p))
                .map(|(at, _)| at)
                .collect();
            if let (Some(first), Some(last)) = (seen.first(), seen.last()) {
                // Writing into a `String` cannot fail.
                let _ =
                    write!(text, ", columns {}-{} of {}", first + 2, last + 2, self.columns.len());
            }
        }
        text
    }
}

/// The columns of a line from one on; half a wide character is a blank.
pub(in crate::cli) fn part(line: &str, from: usize, width: usize) -> String {
    let mut shown = String::new();
    let (mut at, end) = (0, from.saturating_add(width));
    for c in line.chars() {
        let columns = c.width().unwrap_or(0);
        let next = at + columns;
        if at >= from && next <= end {
            shown.push(c);
        } else if next > from && at < end {
            let inside = next.min(end) - at.max(from);
            shown.extend(std::iter::repeat_n(' ', inside));
        }
        at = next;
        if at >= end {
            break;
        }
    }
    debug_assert!(width_of(&shown) <= width, "{shown}");
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples::{count, hostile};

    #[test]
    fn the_header_stays_while_rows_and_columns_move() {
        let result = hostile();
        let mut window = Window::new(&result, "NULL");
        let first = window.lines(5, 60);
        assert_eq!(first.len(), 5);
        assert!(first[0].contains("name") && first[0].contains("base"), "{first:?}");
        assert!(first.iter().all(|line| width_of(line) <= 60));
        assert_eq!(window.place(5, 60), "rows 1-3 of 6, columns 2-3 of 8");
        window.down(2, 5);
        window.across(true, 60);
        let moved = window.lines(5, 60);
        assert!(moved[0].contains("name") && !moved[0].contains("base"), "{moved:?}");
        assert!(moved[2].contains("a,\"b\""), "{moved:?}");
        window.down(1000, 5);
        assert!(window.place(5, 60).starts_with("rows 4-6 of 6"));
        for _ in 0..50 {
            window.across(true, 60);
        }
        assert!(window.lines(5, 60)[0].ends_with("│"));
        for _ in 0..50 {
            window.across(false, 60);
        }
        window.down(-1000, 5);
        assert_eq!(window.lines(5, 60), first);
    }

    #[test]
    fn any_screen_is_filled_and_never_left() {
        for result in [hostile(), count(3)] {
            let mut window = Window::new(&result, "NULL");
            for width in [1, 2, 7, 40, 500] {
                for height in [1, 2, 3, 50] {
                    window.across(true, width);
                    window.down(1, height);
                    let lines = window.lines(height, width);
                    assert!(lines.iter().all(|line| width_of(line) <= width), "{width} {lines:?}");
                    assert!(!window.place(height, width).is_empty());
                }
            }
        }
    }

    #[test]
    fn texts_are_found_below() {
        let result = hostile();
        let mut window = Window::new(&result, "NULL");
        assert!(window.find("CALC"));
        assert!(window.place(5, 60).starts_with("rows 2-4"));
        assert!(!window.find("nothing of that"));
    }

    #[test]
    fn parts_are_cut_at_columns() {
        assert_eq!(part("abcdef", 2, 3), "cde");
        assert_eq!(part("日本語", 1, 4), " 本 ");
        assert_eq!(part("ab", 5, 3), "");
    }
}
