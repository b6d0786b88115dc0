//! The cover sheet: what the dump is, what each sheet shows and how to read it, and what is
//! missing.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use rust_xlsxwriter::{Url, Worksheet, XlsxError};

use super::{Note, SheetPart, Styles, absent, cell_text, height};
use crate::catalog::{Format, PointerWidth, Value};

/// Writes the cover sheet.
pub(super) fn write(
    sheet: &mut Worksheet,
    parts: &[SheetPart<'_>],
    notes: &[Note],
    sql: &str,
    styles: &Styles,
) -> Result<(), XlsxError> {
    for (column, width) in (0u16..).zip([30.0, 12.0, 80.0, 50.0]) {
        sheet.set_column_width(column, width)?;
    }
    sheet.write_string_with_format(0, 0, "dumpql", &styles.title)?;
    let made = format!("Made by dumpql {} on {} UTC", env!("CARGO_PKG_VERSION"), now());
    sheet.write_string(1, 0, made)?;
    let mut row = 3;
    for (column, title) in (0u16..).zip(["sheet", "rows", "what it shows", "absent values"]) {
        sheet.write_string_with_format(row, column, title, &styles.head)?;
    }
    for part in parts {
        row += 1;
        let target = format!("internal:'{}'!A1", part.name.replace('\'', "''"));
        let link = Url::new(target).set_text(&part.name);
        sheet.write_url_with_format(row, 0, link, &styles.link)?;
        let rows = f64::from(u32::try_from(part.rows.len()).unwrap_or(u32::MAX));
        sheet.write_number_with_format(row, 1, rows, &styles.top)?;
        let mut about = part.sheet.about.to_owned();
        if part.is_cut {
            // Writing to a `String` cannot fail.
            let _ = write!(
                about,
                " A sheet of Excel holds no more rows; this one has rows {} to {} of {}.",
                part.rows.start + 1,
                part.rows.end,
                part.sheet.result.len()
            );
        }
        let absent = absent(part.sheet.result).join("\n");
        sheet.write_string_with_format(row, 2, cell_text(about.trim()), &styles.top)?;
        sheet.write_string_with_format(row, 3, cell_text(&absent), &styles.top)?;
        sheet.set_row_height(row, height(&about, 80).max(height(&absent, 50)))?;
    }
    row += 1;
    let target = format!("internal:'{sql}'!A1");
    sheet.write_url_with_format(row, 0, Url::new(target).set_text(sql), &styles.link)?;
    sheet.write_string_with_format(row, 2, "The queries that gave the sheets.", &styles.top)?;
    for note in notes {
        row += 2;
        sheet.write_string_with_format(row, 0, cell_text(&note.title), &styles.head)?;
        for column in 1..4 {
            sheet.write_blank(row, column, &styles.head)?;
        }
        for (name, value) in note.rows.iter().filter(|(_, value)| !value.is_empty()) {
            row += 1;
            sheet.write_string_with_format(row, 0, cell_text(name), &styles.text)?;
            sheet.write_string_with_format(row, 1, cell_text(value), &styles.text)?;
        }
    }
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    Ok(())
}

/// The current time, to the second.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_secs()).unwrap_or(0).saturating_mul(1_000_000);
    Format::Plain.render(&Value::Time(micros), PointerWidth::Bits64)
}
