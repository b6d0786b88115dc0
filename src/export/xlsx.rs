//! Excel workbooks: typed cells, one sheet per result, and the queries and the facts about the dump
//! at the end.
//!
//! Values that Excel would change are written as text: addresses, integers beyond 2^53, times
//! before 1900. Text is never a formula.

use std::collections::HashSet;
use std::io::{self, Write};

use rust_xlsxwriter::{Color, Format as Style, FormatAlign, Workbook, Worksheet, XlsxError};

use super::visible::push_visible;
use super::{Note, Sheet};
use crate::catalog::{Format, PointerWidth, Ty, Value};
use crate::exec::{ColumnView, Field, ResultSet};

/// Rows of a sheet, header included, and columns; Excel's own limits.
const MAX_ROWS: usize = 1_048_576;
const MAX_COLUMNS: usize = 16_384;
/// Characters of a cell, in UTF-16.
const MAX_TEXT: usize = 32_767;
/// Rows that are measured for the width of columns.
const MEASURED: usize = 500;
/// Integers up to this have their own floating-point number.
const EXACT: u64 = 1 << 53;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days from Excel's day zero to 1970-01-01.
const EPOCH: i64 = 25_569;
/// The first day from which Excel's calendar is right: it believes in 1900-02-29.
const FIRST_DAY: i64 = 61;
/// The last day, 9999-12-31.
const LAST_DAY: i64 = 2_958_465;

/// Writes a workbook: a sheet each result (more where a result has too many rows for one), then a
/// sheet of the queries, then one each note.
///
/// # Errors
/// Whatever the writer reports, and a result with more columns than Excel has.
pub fn write_workbook(sheets: &[Sheet<'_>], notes: &[Note], out: &mut dyn Write) -> io::Result<()> {
    if let Some(sheet) = sheets.iter().find(|s| s.result.fields().len() > MAX_COLUMNS) {
        let columns = sheet.result.fields().len();
        return Err(io::Error::other(format!(
            "a sheet of Excel has {MAX_COLUMNS} columns, the result {columns}"
        )));
    }
    // Written to memory first: the library ends the program when a write fails.
    let bytes = build(sheets, notes).map_err(io::Error::other)?;
    out.write_all(&bytes)
}

fn build(sheets: &[Sheet<'_>], notes: &[Note]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let styles = Styles::new();
    let mut names = Names::default();
    let mut index = Vec::new();
    for sheet in sheets {
        let rows = sheet.result.len();
        let mut start = 0;
        loop {
            let end = rows.min(start + MAX_ROWS - 1);
            let name = names.unique(sheet.title);
            let worksheet = book.add_worksheet();
            worksheet.set_name(&name)?;
            write_rows(worksheet, sheet.result, start, end, &styles)?;
            index.push((name, sheet, end - start));
            start = end;
            if start == rows {
                break;
            }
        }
    }
    write_index(book.add_worksheet(), &names.unique("queries"), &index, &styles)?;
    for note in notes {
        let worksheet = book.add_worksheet();
        worksheet.set_name(names.unique(&note.title))?;
        write_pairs(worksheet, &note.rows, &styles)?;
    }
    book.save_to_buffer()
}

struct Styles {
    head: Style,
    /// The head of a column of numbers, which stand at its right.
    number_head: Style,
    text: Style,
    time: Style,
    fine_time: Style,
    span: Style,
    mono: Style,
    top: Style,
}

impl Styles {
    fn new() -> Self {
        let head = Style::new().set_bold().set_background_color(Color::RGB(0x00DD_E3EC));
        Self {
            number_head: head.clone().set_align(FormatAlign::Right),
            // Text keeps off the number to its left, which ends at the edge of its cell.
            head: head.set_indent(1),
            text: Style::new().set_indent(1),
            time: Style::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            fine_time: Style::new().set_num_format("yyyy-mm-dd hh:mm:ss.000"),
            span: Style::new().set_num_format("[h]:mm:ss.000"),
            mono: Style::new().set_font_name("Consolas").set_indent(1),
            top: Style::new().set_text_wrap().set_align(FormatAlign::Top).set_indent(1),
        }
    }
}

/// Names of sheets: legal, and unique without regard to case.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn unique(&mut self, title: &str) -> String {
        let legal = legal_name(title);
        let mut name = legal.clone();
        let mut number = 1usize;
        while !self.0.insert(name.to_lowercase()) {
            number += 1;
            let suffix = format!(" ({number})");
            name = cut(&legal, 31 - suffix.len()).to_owned() + &suffix;
        }
        name
    }
}

fn legal_name(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars() {
        match c {
            '*' | '?' | ':' | '[' | ']' | '\\' | '/' => name.push(' '),
            c if super::visible::acts(c) => name.push(' '),
            c => name.push(c),
        }
    }
    let name = cut(name.trim().trim_matches('\''), 31).trim().trim_matches('\'');
    // Excel keeps the name "History" for itself.
    if name.is_empty() || name.eq_ignore_ascii_case("history") {
        "result".to_owned()
    } else {
        name.to_owned()
    }
}

/// As many whole characters of the text as have `units` UTF-16 units.
fn cut(text: &str, units: usize) -> &str {
    let mut left = units;
    for (at, c) in text.char_indices() {
        match left.checked_sub(c.len_utf16()) {
            Some(rest) => left = rest,
            None => return text.get(..at).unwrap_or_default(),
        }
    }
    text
}

fn write_rows(
    sheet: &mut Worksheet,
    result: &ResultSet,
    start: usize,
    end: usize,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let width = result.pointer_width();
    for ((index, field), at) in result.fields().iter().enumerate().zip(0u16..) {
        let column = result.column(index);
        let is_number = matches!(field.ty, Ty::Int | Ty::Double | Ty::Time | Ty::Interval);
        let is_shown_as_one = is_number && field.format == Format::Plain;
        let head = if is_shown_as_one { &styles.number_head } else { &styles.head };
        sheet.write_string_with_format(0, at, cell_text(&field.name), head)?;
        sheet.set_column_width(at, column_width(field, column, start..end, width))?;
        for (row, line) in (start..end).zip(1u32..) {
            write_cell(sheet, line, at, (&column.get(row), field.format, width), styles)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    // On paper: all columns on one page, and the header on each.
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    let last = u16::try_from(result.fields().len()).unwrap_or(u16::MAX);
    if let Some(last) = last.checked_sub(1) {
        sheet.autofilter(0, 0, u32::try_from(end - start).unwrap_or(u32::MAX), last)?;
    }
    Ok(())
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    (value, format, width): (&Value<'_>, Format, PointerWidth),
    styles: &Styles,
) -> Result<(), XlsxError> {
    match value {
        Value::Null => {}
        Value::Bool(v) => {
            sheet.write_boolean(row, column, *v)?;
        }
        Value::Int(v) if format == Format::Plain && v.unsigned_abs() <= EXACT => {
            #[allow(clippy::cast_precision_loss, reason = "up to 2^53 nothing is lost")]
            sheet.write_number(row, column, *v as f64)?;
        }
        Value::Double(v) if v.is_finite() => {
            sheet.write_number(row, column, *v)?;
        }
        Value::Time(v) if on_calendar(*v) => {
            let style = if v % 1_000_000 == 0 { &styles.time } else { &styles.fine_time };
            sheet.write_number_with_format(
                row,
                column,
                days(*v + EPOCH * MICROS_PER_DAY),
                style,
            )?;
        }
        Value::Interval(v) if *v >= 0 => {
            sheet.write_number_with_format(row, column, days(*v), &styles.span)?;
        }
        Value::Text(v) => {
            sheet.write_string_with_format(row, column, cell_text(v), &styles.text)?;
        }
        Value::Addr(_) | Value::Int(_) => {
            let text = format.render(value, width);
            sheet.write_string_with_format(row, column, text, &styles.mono)?;
        }
        Value::Double(_) | Value::Time(_) | Value::Interval(_) => {
            sheet.write_string(row, column, format.render(value, width))?;
        }
    }
    Ok(())
}

fn on_calendar(micros: i64) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&(micros.div_euclid(MICROS_PER_DAY) + EPOCH))
}

#[allow(clippy::cast_precision_loss, reason = "Excel's times are floating-point days")]
fn days(micros: i64) -> f64 {
    micros as f64 / MICROS_PER_DAY as f64
}

/// Text as a cell can hold it: no control characters, no more than Excel takes, and marked where
/// it was cut.
fn cell_text(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\n' | '\t') { cell.push(c) } else { push_visible(c, &mut cell) }
    }
    let kept = cut(&cell, MAX_TEXT);
    if kept.len() == cell.len() {
        return cell;
    }
    let mark = format!("… [cut: {} characters]", text.chars().count());
    cut(kept, MAX_TEXT - mark.encode_utf16().count()).to_owned() + &mark
}

/// The width that shows most cells whole; very long text stays cut by the next column.
fn column_width(
    field: &Field,
    column: ColumnView<'_>,
    rows: std::ops::Range<usize>,
    width: PointerWidth,
) -> f64 {
    let cells = rows.take(MEASURED).map(|row| match (column.get(row), field.ty) {
        (Value::Null, _) => 0,
        (_, Ty::Time) => 20,
        (Value::Text(text), _) => text.lines().map(|l| l.chars().count()).max().unwrap_or(0),
        (value, _) => field.format.render(&value, width).len(),
    });
    // The header also holds the button of the filter.
    let widest = cells.max().unwrap_or(0).max(field.name.chars().count() + 3);
    f64::from(u32::try_from(widest.clamp(6, 90)).unwrap_or(90)) + 1.5
}

fn write_index(
    sheet: &mut Worksheet,
    name: &str,
    index: &[(String, &Sheet<'_>, usize)],
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    for (column, (title, width)) in
        (0u16..).zip([("sheet", 32.0), ("rows", 10.0), ("query", 90.0), ("absent values", 60.0)])
    {
        sheet.write_string_with_format(0, column, title, &styles.head)?;
        sheet.set_column_width(column, width)?;
    }
    for (row, (name, from, rows)) in (1u32..).zip(index) {
        let unread = from.result.unread().iter();
        let unread = unread.map(|u| format!("{}: {}", u.table, u.because.join("; ")));
        let absent: Vec<String> = from
            .result
            .footnotes()
            .iter()
            .map(|f| format!("{}.{}: {} × {}", f.table, f.column, f.count, f.reason))
            .chain(unread)
            .collect();
        let rows = f64::from(u32::try_from(*rows).unwrap_or(u32::MAX));
        sheet.write_string_with_format(row, 0, name, &styles.top)?;
        sheet.write_number_with_format(row, 1, rows, &styles.top)?;
        let query = from.query.trim();
        sheet.write_string_with_format(row, 2, cell_text(query), &styles.top)?;
        sheet.write_string_with_format(row, 3, cell_text(&absent.join("\n")), &styles.top)?;
        sheet.set_row_height(row, height(query, 90).max(height(&absent.join("\n"), 60)))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    Ok(())
}

/// The height of a row that shows text whole in a column of so many characters: not every program
/// that reads workbooks finds it out by itself.
fn height(text: &str, width: usize) -> f64 {
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(width).max(1)).sum();
    // 15 points a line, 409 are the most of a row.
    f64::from(u32::try_from(lines.clamp(1, 27)).unwrap_or(27)) * 15.0
}

fn write_pairs(
    sheet: &mut Worksheet,
    rows: &[(String, String)],
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.write_string_with_format(0, 0, "name", &styles.head)?;
    sheet.write_string_with_format(0, 1, "value", &styles.head)?;
    sheet.set_column_width(0, 24.0)?;
    sheet.set_column_width(1, 80.0)?;
    for (row, (name, value)) in (1u32..).zip(rows) {
        sheet.write_string_with_format(row, 0, cell_text(name), &styles.text)?;
        sheet.write_string_with_format(row, 1, cell_text(value), &styles.top)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn names_of_sheets_are_legal_and_unique() {
        let mut names = Names::default();
        let long = "a query with a very long title, indeed";
        for (title, name) in [
            ("irps", "irps"),
            ("IRPS", "IRPS (2)"),
            ("a/b:c", "a b c"),
            ("'", "result"),
            ("history", "result (2)"),
            (long, "a query with a very long title,"),
            (long, "a query with a very long ti (2)"),
        ] {
            assert_eq!(names.unique(title), name);
            assert!(Worksheet::new().set_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn text_is_cut_with_a_mark() {
        let cell = cell_text(&"é".repeat(40_000));
        assert!(cell.encode_utf16().count() <= MAX_TEXT);
        assert!(cell.ends_with("é… [cut: 40000 characters]"));
        assert_eq!(cell_text("a\u{1b}[1m\nb"), "a\\x1b[1m\nb");
    }

    #[test]
    fn a_workbook_is_a_zip_of_all_sheets() {
        let result = samples::hostile();
        let sheet = Sheet { title: "first", query: "FROM x", result: &result };
        let note = Note { title: "dump".to_owned(), rows: vec![("os".into(), "=1".into())] };
        let mut out = Vec::new();
        write_workbook(&[sheet, sheet], &[note], &mut out).unwrap();
        assert!(out.starts_with(b"PK\x03\x04"));
        for part in 1..=4 {
            let name = format!("xl/worksheets/sheet{part}.xml");
            assert!(out.windows(name.len()).any(|w| w == name.as_bytes()), "{name}");
        }
    }
}
