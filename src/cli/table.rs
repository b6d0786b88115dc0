//! Results as text: a table that fits the terminal, or one line per value.

mod window;

use std::io::{self, Write};
use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::catalog::Ty;
use crate::export::visible::{acts, push_visible};
use crate::session::{ColumnView, Field, ResultSet};

pub(super) use window::{Window, part};

/// The appearance of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    /// The maximum width; `None` shortens nothing.
    pub(super) width: Option<usize>,
    /// The maximum number of rows; `None` shows all.
    pub(super) max_rows: Option<usize>,
    /// Whether to use colours.
    pub(super) colour: bool,
    /// The text for NULL.
    pub(super) null: String,
}

/// What a table does not show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Columns with shortened cells.
    pub(super) shortened: Vec<String>,
    /// Columns that are omitted.
    pub(super) hidden: Vec<String>,
    /// The number of rows in the middle that are omitted.
    pub(super) rows: usize,
}

/// The minimum width of a text column.
const NARROWEST: usize = 14;

/// Writes the result as a table.
///
/// # Errors
/// Whatever the writer reports.
pub(super) fn write_table(result: &ResultSet, look: &Look, out: &mut dyn Write) -> io::Result<Cut> {
    let (head, tail) = shown_rows(result.len(), look.max_rows);
    let mut cut = Cut { rows: result.len() - head.len() - tail.len(), ..Cut::default() };
    let mut columns: Vec<Column<'_>> = result
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| Column::measured(result, index, field, look, [&head, &tail]))
        .collect();
    if let Some(width) = look.width {
        fit(&mut columns, width, &mut cut);
    }
    let grid = Grid { look, columns: &columns, more: !cut.hidden.is_empty(), result };
    let mut text = String::new();
    grid.push_rule(['┌', '┬', '┐'], &mut text);
    grid.push_header(&mut text);
    grid.push_rule(['├', '┼', '┤'], &mut text);
    for row in head {
        grid.push_row(row, &mut text);
        flush_full(&mut text, out)?;
    }
    if cut.rows > 0 {
        grid.push_gap(&mut text);
    }
    for row in tail {
        grid.push_row(row, &mut text);
        flush_full(&mut text, out)?;
    }
    grid.push_rule(['└', '┴', '┘'], &mut text);
    out.write_all(text.as_bytes())?;
    Ok(cut)
}

fn flush_full(text: &mut String, out: &mut dyn Write) -> io::Result<()> {
    if text.len() > 1 << 15 {
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    Ok(())
}

/// The first and the last rows, if there are too many.
fn shown_rows(rows: usize, max: Option<usize>) -> (Range<usize>, Range<usize>) {
    match max {
        Some(max) if rows > max => {
            let head = max.div_ceil(2);
            (0..head, rows - (max - head)..rows)
        }
        _ => (0..rows, rows..rows),
    }
}

struct Column<'a> {
    field: &'a Field,
    view: ColumnView<'a>,
    name: String,
    /// The width of the widest cell, without the header.
    cells: usize,
    /// The assigned width.
    width: usize,
}

impl<'a> Column<'a> {
    fn measured(
        result: &'a ResultSet,
        index: usize,
        field: &'a Field,
        look: &Look,
        rows: [&Range<usize>; 2],
    ) -> Self {
        let mut name = String::new();
        push_clean(&field.name, &mut name);
        let mut column = Self { field, view: result.column(index), name, cells: 0, width: 0 };
        let mut cell = String::new();
        for row in rows.into_iter().cloned().flatten() {
            cell.clear();
            column.push_cell(row, result, look, &mut cell);
            column.cells = column.cells.max(width_of(&cell));
        }
        column.width = column.cells.max(width_of(&column.name)).max(1);
        column
    }

    /// Appends the cell's text; returns whether it is NULL.
    fn push_cell(&self, row: usize, result: &ResultSet, look: &Look, text: &mut String) -> bool {
        let (value, width) = (self.view.get(row), result.pointer_width());
        if value.is_null() {
            text.push_str(&look.null);
            return true;
        }
        match self.field.format.free_text(&value, width) {
            Some(cell) => push_clean(&cell, text),
            None => self.field.format.append(text, &value, width),
        }
        false
    }

    const fn is_right(&self) -> bool {
        matches!(self.field.ty, Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Interval)
    }

    /// The minimum width. Numbers and addresses are never shortened, because a part of one is
    /// misleading.
    fn least(&self) -> usize {
        match self.field.ty {
            Ty::Text | Ty::Null | Ty::Blob | Ty::List(_) | Ty::Struct(_) | Ty::Map(_) => {
                self.width.min(NARROWEST)
            }
            _ => self.cells.max(self.width.min(4)),
        }
    }
}

/// Reduces the widths of columns, the widest first, until all fit; if that is not enough, the last
/// columns are omitted.
fn fit(columns: &mut Vec<Column<'_>>, width: usize, cut: &mut Cut) {
    // Each column needs a border and two blanks, and each line one more border.
    let total = |widths: usize, count: usize| widths + 3 * count + 1;
    let natural: usize = columns.iter().map(|c| c.width).sum();
    if total(natural, columns.len()) <= width {
        return;
    }
    let mark = |hidden: bool| if hidden { 4 } else { 0 };
    while columns.len() > 1 {
        let least: usize = columns.iter().map(Column::least).sum();
        if total(least, columns.len()) + mark(!cut.hidden.is_empty()) <= width {
            break;
        }
        if let Some(last) = columns.pop() {
            cut.hidden.insert(0, last.name);
        }
    }
    let budget = width.saturating_sub(total(0, columns.len()) + mark(!cut.hidden.is_empty()));
    let given = |level: usize| columns.iter().map(move |c| c.width.min(level.max(c.least())));
    let mut level = 1;
    while level < budget && given(level + 1).sum::<usize>() <= budget {
        level += 1;
    }
    let mut widths: Vec<usize> = given(level).collect();
    if let [only] = widths.as_mut_slice() {
        *only = budget.clamp(1, *only);
    }
    let mut spare = budget.saturating_sub(widths.iter().sum());
    for (column, width) in columns.iter_mut().zip(widths) {
        let more = spare.min(column.width - width).min(usize::from(width >= level));
        spare -= more;
        if width + more < column.width {
            cut.shortened.push(column.name.clone());
        }
        column.width = width + more;
    }
}

struct Grid<'a> {
    look: &'a Look,
    columns: &'a [Column<'a>],
    /// Whether a last column marks omitted columns.
    more: bool,
    result: &'a ResultSet,
}

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

impl Grid<'_> {
    fn styled(&self, style: &str, text: &mut String, push: impl FnOnce(&mut String)) {
        if self.look.colour {
            text.push_str(style);
        }
        push(text);
        if self.look.colour {
            text.push_str(PLAIN);
        }
    }

    fn push_rule(&self, [left, middle, right]: [char; 3], text: &mut String) {
        self.styled(DIM, text, |text| {
            let widths = self.columns.iter().map(|c| c.width).chain(self.more.then_some(1));
            for (index, width) in widths.enumerate() {
                text.push(if index == 0 { left } else { middle });
                text.extend(std::iter::repeat_n('─', width + 2));
            }
            if self.columns.is_empty() {
                text.push(left);
            }
            text.push(right);
        });
        text.push('\n');
    }

    fn push_line<'c>(&self, cells: impl Iterator<Item = (&'c str, &'c str)>, text: &mut String) {
        let border = |text: &mut String| self.styled(DIM, text, |text| text.push('│'));
        for (column, (cell, style)) in self.columns.iter().zip(cells) {
            border(text);
            text.push(' ');
            let shown = shorten(cell, column.width);
            let blanks = column.width.saturating_sub(width_of(&shown));
            if column.is_right() {
                text.extend(std::iter::repeat_n(' ', blanks));
            }
            if style.is_empty() {
                text.push_str(&shown);
            } else {
                self.styled(style, text, |text| text.push_str(&shown));
            }
            if !column.is_right() {
                text.extend(std::iter::repeat_n(' ', blanks));
            }
            text.push(' ');
        }
        if self.more {
            border(text);
            self.styled(DIM, text, |text| text.push_str(" … "));
        }
        border(text);
        text.push('\n');
    }

    fn push_header(&self, text: &mut String) {
        self.push_line(self.columns.iter().map(|c| (c.name.as_str(), BOLD)), text);
    }

    fn push_gap(&self, text: &mut String) {
        self.push_line(self.columns.iter().map(|_| ("⋮", DIM)), text);
    }

    fn push_row(&self, row: usize, text: &mut String) {
        let cells: Vec<(String, &str)> = self
            .columns
            .iter()
            .map(|column| {
                let mut cell = String::new();
                let null = column.push_cell(row, self.result, self.look, &mut cell);
                (cell, if null { DIM } else { "" })
            })
            .collect();
        self.push_line(cells.iter().map(|(cell, style)| (cell.as_str(), *style)), text);
    }
}

/// Writes the result with one line per value and a rule before each row.
///
/// # Errors
///
/// Whatever the writer reports.
pub(super) fn write_lines(result: &ResultSet, look: &Look, out: &mut dyn Write) -> io::Result<Cut> {
    let (head, tail) = shown_rows(result.len(), look.max_rows);
    let cut = Cut { rows: result.len() - head.len() - tail.len(), ..Cut::default() };
    let columns: Vec<Column<'_>> = result
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| Column::measured(result, index, field, look, [&(0..0), &(0..0)]))
        .collect();
    let names = columns.iter().map(|c| width_of(&c.name)).max().unwrap_or(0);
    let grid = Grid { look, columns: &columns, more: false, result };
    let mut text = String::new();
    for row in head.chain(tail) {
        grid.styled(DIM, &mut text, |text| {
            text.push_str("── ");
            text.push_str(&(row + 1).to_string());
            text.push(' ');
            let used = 4 + (row + 1).to_string().len();
            text.extend(std::iter::repeat_n('─', (names + 16).saturating_sub(used)));
        });
        text.push('\n');
        for column in &columns {
            grid.styled(BOLD, &mut text, |text| text.push_str(&column.name));
            let blanks = names.saturating_sub(width_of(&column.name)) + 2;
            text.extend(std::iter::repeat_n(' ', blanks));
            let mut cell = String::new();
            if column.push_cell(row, result, look, &mut cell) {
                grid.styled(DIM, &mut text, |text| text.push_str(&cell));
            } else {
                text.push_str(&cell);
            }
            text.push('\n');
        }
        flush_full(&mut text, out)?;
    }
    out.write_all(text.as_bytes())?;
    Ok(cut)
}

/// Appends text with control characters made visible.
pub(super) fn push_clean(cell: &str, text: &mut String) {
    if cell.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return text.push_str(cell);
    }
    for c in cell.chars() {
        if acts(c) { push_visible(c, text) } else { text.push(c) }
    }
}

/// The number of terminal columns of a text.
pub(super) fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text in at most `width` columns, ending in `…` if it had to be cut.
pub(super) fn shorten(text: &str, width: usize) -> std::borrow::Cow<'_, str> {
    if width_of(text) <= width {
        return text.into();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept.into()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::catalog::Value;
    use crate::export::samples::{count, field, hostile};

    fn look(width: Option<usize>, max_rows: Option<usize>) -> Look {
        Look { width, max_rows, colour: false, null: "NULL".to_owned() }
    }

    fn check(result: &ResultSet, look: &Look, wanted: &Expect) -> Cut {
        let mut out = Vec::new();
        let cut = write_table(result, look, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in text.lines() {
            assert!(look.width.is_none_or(|w| width_of(line) <= w), "{line}");
        }
        wanted.assert_eq(&text);
        cut
    }

    #[test]
    fn nothing_is_shortened_without_a_width() {
        let cut = check(
            &hostile(),
            &look(None, None),
            &expect![[r#"
            ┌─────────────────────────┬────────────────────┬─────────────────────┬────────────────────┬───────┬───────┬────────────────────────────┬──────────────────┐
            │ name                    │ base               │                   n │               code │ share │ is_on │ made                       │             name │
            ├─────────────────────────┼────────────────────┼─────────────────────┼────────────────────┼───────┼───────┼────────────────────────────┼──────────────────┤
            │ nt                      │ 0xfffff801a972c530 │                  -1 │               0x7e │   0.5 │ true  │ 2007-11-09 23:59:59.000001 │   1 day 02:00:00 │
            │ =cmd|' /C calc'!A0      │ 0x0000000000000000 │ 9223372036854775807 │         0xc0000005 │   nan │ false │ 1601-01-01 00:00:00        │ -00:00:00.000001 │
            │ a,"b"\nc\x1b[31m\t|*    │ 0xffffffffffffffff │                   0 │               NULL │  -inf │ NULL  │ NULL                       │             NULL │
            │                         │ NULL               │                NULL │                0x0 │ 1e300 │ true  │ 1970-01-01 00:00:00        │         00:00:00 │
            │ NULL                    │ 0x0000000000001000 │                  42 │                0x1 │  NULL │ true  │ 1970-01-01 00:00:00.000001 │  00:00:00.000001 │
            │ <b>日本 & \u{202e}x</b> │ 0x0000000000000001 │    9007199254740993 │ 0xffffffffffffffff │  -0.0 │ false │ 10000-01-01 00:00:00       │  00:00:00.000002 │
            └─────────────────────────┴────────────────────┴─────────────────────┴────────────────────┴───────┴───────┴────────────────────────────┴──────────────────┘
        "#]],
        );
        assert_eq!(cut, Cut::default());
    }

    #[test]
    fn wide_tables_are_shortened_and_marked() {
        let cut = check(
            &hostile(),
            &look(Some(132), None),
            &expect![[r#"
            ┌─────────────────┬────────────────────┬─────────────────────┬────────────────────┬───────┬───────┬────────────────────────────┬───┐
            │ name            │ base               │                   n │               code │ share │ is_on │ made                       │ … │
            ├─────────────────┼────────────────────┼─────────────────────┼────────────────────┼───────┼───────┼────────────────────────────┼───┤
            │ nt              │ 0xfffff801a972c530 │                  -1 │               0x7e │   0.5 │ true  │ 2007-11-09 23:59:59.000001 │ … │
            │ =cmd|' /C calc… │ 0x0000000000000000 │ 9223372036854775807 │         0xc0000005 │   nan │ false │ 1601-01-01 00:00:00        │ … │
            │ a,"b"\nc\x1b[3… │ 0xffffffffffffffff │                   0 │               NULL │  -inf │ NULL  │ NULL                       │ … │
            │                 │ NULL               │                NULL │                0x0 │ 1e300 │ true  │ 1970-01-01 00:00:00        │ … │
            │ NULL            │ 0x0000000000001000 │                  42 │                0x1 │  NULL │ true  │ 1970-01-01 00:00:00.000001 │ … │
            │ <b>日本 & \u{2… │ 0x0000000000000001 │    9007199254740993 │ 0xffffffffffffffff │  -0.0 │ false │ 10000-01-01 00:00:00       │ … │
            └─────────────────┴────────────────────┴─────────────────────┴────────────────────┴───────┴───────┴────────────────────────────┴───┘
        "#]],
        );
        assert_eq!(cut.shortened, ["name"]);
        let cut = check(
            &hostile(),
            &look(Some(60), None),
            &expect![[r#"
                ┌─────────────────────────┬────────────────────┬───┐
                │ name                    │ base               │ … │
                ├─────────────────────────┼────────────────────┼───┤
                │ nt                      │ 0xfffff801a972c530 │ … │
                │ =cmd|' /C calc'!A0      │ 0x0000000000000000 │ … │
                │ a,"b"\nc\x1b[31m\t|*    │ 0xffffffffffffffff │ … │
                │                         │ NULL               │ … │
                │ NULL                    │ 0x0000000000001000 │ … │
                │ <b>日本 & \u{202e}x</b> │ 0x0000000000000001 │ … │
                └─────────────────────────┴────────────────────┴───┘
            "#]],
        );
        assert_eq!(cut.hidden.first().map(String::as_str), Some("n"));
    }

    #[test]
    fn a_very_small_width_still_shows_a_column() {
        let mut out = Vec::new();
        let cut = write_table(&hostile(), &look(Some(3), None), &mut out).unwrap();
        assert_eq!(cut.hidden.len(), 7);
    }

    #[test]
    fn the_middle_of_many_rows_is_marked() {
        let cut = check(
            &count(1000),
            &look(None, Some(3)),
            &expect![[r#"
            ┌─────┐
            │   n │
            ├─────┤
            │   0 │
            │   1 │
            │   ⋮ │
            │ 999 │
            └─────┘
        "#]],
        );
        assert_eq!(cut.rows, 997);
    }

    #[test]
    fn wide_characters_keep_the_borders_straight() {
        let text = |t: &'static str| Value::text(t);
        let result =
            ResultSet::of(vec![(field("名", Ty::Text), vec![text("日本語のドライバ"), text("a")])]);
        check(
            &result,
            &look(None, None),
            &expect![[r#"
            ┌──────────────────┐
            │ 名               │
            ├──────────────────┤
            │ 日本語のドライバ │
            │ a                │
            └──────────────────┘
        "#]],
        );
        check(
            &result,
            &look(Some(10), None),
            &expect![[r#"
            ┌────────┐
            │ 名     │
            ├────────┤
            │ 日本…  │
            │ a      │
            └────────┘
        "#]],
        );
    }

    #[test]
    fn combining_characters_have_no_width() {
        assert_eq!((width_of("e\u{301}"), width_of("日本")), (1, 4));
    }

    #[test]
    fn no_rows_and_no_columns_are_tables_too() {
        check(
            &count(0),
            &look(Some(80), None),
            &expect![[r#"
            ┌───┐
            │ n │
            ├───┤
            └───┘
        "#]],
        );
        check(
            &ResultSet::of(vec![]),
            &look(Some(80), None),
            &expect![[r#"
            ┌┐
            │
            ├┤
            └┘
        "#]],
        );
    }

    #[test]
    fn line_mode_shows_all_of_a_row() {
        let mut out = Vec::new();
        write_lines(&hostile(), &look(Some(20), Some(2)), &mut out).unwrap();
        expect![[r#"
            ── 1 ────────────────
            name   nt
            base   0xfffff801a972c530
            n      -1
            code   0x7e
            share  0.5
            is_on  true
            made   2007-11-09 23:59:59.000001
            name   1 day 02:00:00
            ── 6 ────────────────
            name   <b>日本 & \u{202e}x</b>
            base   0x0000000000000001
            n      9007199254740993
            code   0xffffffffffffffff
            share  -0.0
            is_on  false
            made   10000-01-01 00:00:00
            name   00:00:00.000002
        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }

    #[test]
    fn colours_mark_header_borders_and_null() {
        let result = ResultSet::of(vec![(field("n", Ty::Int), vec![Value::Null])]);
        let mut out = Vec::new();
        let look = Look { colour: true, ..look(None, None) };
        write_table(&result, &look, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap().replace('\u{1b}', "ESC");
        expect![[r#"
            ESC[2m┌──────┐ESC[0m
            ESC[2m│ESC[0m    ESC[1mnESC[0m ESC[2m│ESC[0m
            ESC[2m├──────┤ESC[0m
            ESC[2m│ESC[0m ESC[2mNULLESC[0m ESC[2m│ESC[0m
            ESC[2m└──────┘ESC[0m
        "#]]
        .assert_eq(&text);
    }
}
