//! Excel workbooks: a cover, one sheet per result as an Excel table with its chart, a sheet with
//! the data of charts that show sums, and the queries on the last sheet.
//!
//! Values that Excel would change are written as text: addresses, integers beyond 2^53, times
//! before 1900. Text is never written as a formula.

mod cells;
mod cover;
mod pictures;

use std::collections::HashSet;
use std::io::{self, Write};

use rust_xlsxwriter::{
    Color, Format as Style, FormatAlign, Table, TableColumn, TableStyle, Workbook, Worksheet,
    XlsxError,
};

use super::{Note, Sheet};
use crate::exec::{Field, ResultSet};
use cells::{Column, cell_text};

/// Excel's maximum number of rows of a sheet (including the header) and of columns.
const MAX_ROWS: usize = 1_048_576;
const MAX_COLUMNS: usize = 16_384;
/// Excel's maximum number of UTF-16 code units of a cell.
const MAX_TEXT: usize = 32_767;
/// From this number of cells on, a sheet is written through a temporary file and is not an Excel
/// table, so that memory stays small for any number of rows.
const MANY: usize = 2_000_000;

/// Writes a workbook: a cover sheet with the notes, a sheet per result (several if it has too many
/// rows for one), and a sheet with the queries.
///
/// # Errors
/// Whatever the writer reports; also if a result has more columns than Excel allows.
pub fn write_workbook(sheets: &[Sheet<'_>], notes: &[Note], out: &mut dyn Write) -> io::Result<()> {
    if let Some(sheet) = sheets.iter().find(|s| s.result.fields().len() > MAX_COLUMNS) {
        let columns = sheet.result.fields().len();
        return Err(io::Error::other(format!(
            "a sheet of Excel has {MAX_COLUMNS} columns, the result {columns}"
        )));
    }
    // Written to memory first, because the library aborts the program if a write fails.
    let bytes = build(sheets, notes).map_err(io::Error::other)?;
    out.write_all(&bytes)
}

/// A range of a result's rows that one sheet holds.
struct SheetPart<'a> {
    name: String,
    sheet: &'a Sheet<'a>,
    rows: std::ops::Range<usize>,
    /// Whether the result continues on other sheets.
    is_cut: bool,
}

fn build(sheets: &[Sheet<'_>], notes: &[Note]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let styles = Styles::new();
    let mut names = Names::default();
    let cover_name = names.unique("cover");
    let parts = parts(sheets, &mut names);
    let sql_name = names.unique("SQL");
    let mut pictures = pictures::Pictures::new(names.unique("chart data"));
    let cover = book.add_worksheet();
    cover.set_name(&cover_name)?;
    cover::write(cover, &parts, notes, &sql_name, &styles)?;
    for part in &parts {
        let is_large = part.rows.len().saturating_mul(part.sheet.result.fields().len()) > MANY;
        let sheet = if is_large {
            book.add_worksheet_with_constant_memory()?
        } else {
            book.add_worksheet()
        };
        sheet.set_name(&part.name)?;
        write_rows(sheet, part, is_large, &styles)?;
        if !is_large && !part.is_cut {
            pictures.draw(sheet, part)?;
        }
    }
    pictures.finish(&mut book, &styles)?;
    write_index(book.add_worksheet(), &sql_name, &parts, &styles)?;
    book.save_to_buffer()
}

fn parts<'a>(sheets: &'a [Sheet<'a>], names: &mut Names) -> Vec<SheetPart<'a>> {
    let mut parts = Vec::new();
    for sheet in sheets {
        let rows = sheet.result.len();
        let is_cut = rows >= MAX_ROWS;
        let mut start = 0;
        loop {
            let end = rows.min(start + MAX_ROWS - 1);
            let name = names.unique(sheet.title);
            parts.push(SheetPart { name, sheet, rows: start..end, is_cut });
            start = end;
            if start == rows {
                break;
            }
        }
    }
    parts
}

struct Styles {
    title: Style,
    head: Style,
    /// The header of a column of numbers, which is right-aligned like them.
    number_head: Style,
    text: Style,
    time: Style,
    fine_time: Style,
    date: Style,
    clock: Style,
    span: Style,
    mono: Style,
    top: Style,
    link: Style,
    /// Counts, with thousands separators.
    count: Style,
    /// Numbers that are identifiers.
    id: Style,
    percent: Style,
    milliseconds: Style,
    double: Style,
}

impl Styles {
    fn new() -> Self {
        let head = Style::new().set_bold().set_background_color(Color::RGB(0x00DD_E3EC));
        let number = |format: &str| Style::new().set_num_format(format);
        Self {
            number_head: head.clone().set_align(FormatAlign::Right),
            title: Style::new().set_bold().set_font_size(16),
            // The indent separates text from a right-aligned number to its left.
            head: head.set_indent(1),
            text: Style::new().set_indent(1),
            time: number("yyyy-mm-dd hh:mm:ss"),
            fine_time: number("yyyy-mm-dd hh:mm:ss.000"),
            date: number("yyyy-mm-dd"),
            clock: number("hh:mm:ss"),
            span: number("[h]:mm:ss.000"),
            mono: Style::new().set_font_name("Consolas").set_indent(1),
            top: Style::new().set_text_wrap().set_align(FormatAlign::Top).set_indent(1),
            link: Style::new().set_font_color(Color::RGB(0x0005_63C1)).set_align(FormatAlign::Top),
            count: number("#,##0"),
            id: number("0"),
            percent: number("0.0\" %\""),
            milliseconds: number("#,##0\" ms\""),
            double: number("#,##0.00"),
        }
    }
}

/// The names of sheets so far: valid, and unique ignoring case.
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
    // Excel reserves the name "History".
    if name.is_empty() || name.eq_ignore_ascii_case("history") {
        "result".to_owned()
    } else {
        name.to_owned()
    }
}

/// The longest prefix of whole characters with at most `units` UTF-16 code units.
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

/// Writes the rows in order, which sheets with a temporary file require.
fn write_rows(
    sheet: &mut Worksheet,
    part: &SheetPart<'_>,
    is_large: bool,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let result = part.sheet.result;
    let headers = headers(result);
    let columns: Vec<Column<'_>> =
        (0..result.fields().len()).map(|at| Column::new(result, at, styles)).collect();
    for ((column, header), at) in columns.iter().zip(&headers).zip(0u16..) {
        sheet.set_column_width(at, column.width(header, part.rows.clone()))?;
        sheet.write_string_with_format(0, at, header, &styles.head)?;
    }
    for (row, line) in part.rows.clone().zip(1u32..) {
        for (column, at) in columns.iter().zip(0u16..) {
            column.write(sheet, (line, at), row, styles)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    // Printed with all columns on one page, and the header on each page.
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    let Some(last) = u16::try_from(headers.len()).unwrap_or(u16::MAX).checked_sub(1) else {
        return Ok(());
    };
    let rows = u32::try_from(part.rows.len()).unwrap_or(u32::MAX);
    if is_large || rows == 0 {
        sheet.autofilter(0, 0, rows, last)?;
        return Ok(());
    }
    let named = |(header, field): (&String, &Field)| {
        let head = if Column::is_number(field) { &styles.number_head } else { &styles.head };
        TableColumn::new().set_header(header).set_header_format(head)
    };
    let named: Vec<TableColumn> = headers.iter().zip(result.fields()).map(named).collect();
    let table = Table::new().set_columns(&named).set_style(TableStyle::Medium2);
    sheet.add_table(0, 0, rows, last, &table)?;
    Ok(())
}

/// The column names of an Excel table: not empty, and unique ignoring case.
fn headers(result: &ResultSet) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut headers = Vec::new();
    for field in result.fields() {
        // Excel allows 255 characters for the name of a column.
        let text = cell_text(&field.name).replace(['\n', '\t'], " ");
        let base = cut(&text, 240).trim().to_owned();
        let base = if base.is_empty() { "column".to_owned() } else { base };
        let mut name = base.clone();
        let mut number = 1usize;
        while !seen.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        headers.push(name);
    }
    headers
}

fn write_index(
    sheet: &mut Worksheet,
    name: &str,
    parts: &[SheetPart<'_>],
    styles: &Styles,
) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    for (column, (title, width)) in
        (0u16..).zip([("sheet", 32.0), ("rows", 10.0), ("query", 90.0), ("absent values", 60.0)])
    {
        sheet.write_string_with_format(0, column, title, &styles.head)?;
        sheet.set_column_width(column, width)?;
    }
    for (row, part) in (1u32..).zip(parts) {
        let absent = absent(part.sheet.result).join("\n");
        let rows = f64::from(u32::try_from(part.rows.len()).unwrap_or(u32::MAX));
        sheet.write_string_with_format(row, 0, &part.name, &styles.top)?;
        sheet.write_number_with_format(row, 1, rows, &styles.top)?;
        let query = part.sheet.query.trim();
        sheet.write_string_with_format(row, 2, cell_text(query), &styles.top)?;
        sheet.write_string_with_format(row, 3, cell_text(&absent), &styles.top)?;
        sheet.set_row_height(row, height(query, 90).max(height(&absent, 60)))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    Ok(())
}

/// The values that could not be provided, and tables that were not answered.
fn absent(result: &ResultSet) -> Vec<String> {
    let unread = result.unread().iter();
    let unread = unread.map(|u| format!("{}: {}", u.table, u.because.join("; ")));
    let footnotes = result.footnotes().iter();
    let footnotes =
        footnotes.map(|f| format!("{}.{}: {} × {}", f.table, f.column, f.count, f.reason));
    footnotes.chain(unread).collect()
}

/// The height of a row that shows text completely in a column of a given width; not every program
/// computes it when it opens a workbook.
fn height(text: &str, width: usize) -> f64 {
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(width).max(1)).sum();
    // 15 points per line; the maximum of a row is 409.
    f64::from(u32::try_from(lines.clamp(1, 27)).unwrap_or(27)) * 15.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn names_of_sheets_are_valid_and_unique() {
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
    fn long_text_is_shortened_with_a_mark() {
        let cell = cell_text(&"é".repeat(40_000));
        assert!(cell.encode_utf16().count() <= MAX_TEXT);
        assert!(cell.ends_with("é… [cut: 40000 characters]"));
        assert_eq!(cell_text("a\u{1b}[1m\nb"), "a\\x1b[1m\nb");
    }

    #[test]
    fn a_workbook_is_a_zip_of_all_sheets() {
        let result = samples::hostile();
        let sheet = Sheet::new("first", "FROM x", &result);
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
