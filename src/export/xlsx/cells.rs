//! Cells: values as Excel types; each column has the number format of its unit.

use std::ops::Range;

use rust_xlsxwriter::{Format as Style, Worksheet, XlsxError};

use super::{MAX_TEXT, Styles, cut};
use crate::catalog::{Format, PointerWidth, Ty, Unit, Value};
use crate::exec::{ColumnView, Field, ResultSet};
use crate::export::visible::push_visible;

/// The number of rows that determine the width of a column.
const MEASURED: usize = 500;
/// The largest integer up to which all integers are exact as doubles.
const EXACT: u64 = 1 << 53;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days from Excel's day zero to 1970-01-01.
const EPOCH: i64 = 25_569;
/// The first day with a correct Excel date: Excel has a day 1900-02-29.
const FIRST_DAY: i64 = 61;
/// The last day, 9999-12-31.
const LAST_DAY: i64 = 2_958_465;

/// Columns with a fixed-width font: maps, bytes, code.
const ALIGNED: [&str; 8] =
    ["map", "bytes", "mnemonic", "operands", "instruction", "hex", "value", "store_path"];

/// Last words of the names of columns whose numbers are identifiers and not counts.
const IDS: [&str; 22] = [
    "pid",
    "tid",
    "ppid",
    "id",
    "build",
    "session",
    "processor",
    "vector",
    "major",
    "minor",
    "index",
    "frame",
    "n",
    "line",
    "position",
    "altitude",
    "timestamp",
    "age",
    "priority",
    "port",
    "number",
    "year",
];

/// A column that is being written.
pub(super) struct Column<'a> {
    field: &'a Field,
    view: ColumnView<'a>,
    width: PointerWidth,
    /// The number format.
    number: &'a Style,
    text: &'a Style,
}

impl<'a> Column<'a> {
    pub(super) fn new(result: &'a ResultSet, at: usize, styles: &'a Styles) -> Self {
        let field = &result.fields()[at];
        let name = field.name.to_ascii_lowercase();
        let last = name.rsplit('_').next().unwrap_or(&name);
        let number = match Unit::of_name(&field.name) {
            Unit::Milliseconds => &styles.milliseconds,
            _ if name.starts_with("percent") || last == "percent" => &styles.percent,
            _ if matches!(field.ty, Ty::Double | Ty::Decimal(_)) => &styles.double,
            _ if IDS.contains(&last) => &styles.id,
            _ => &styles.count,
        };
        let text = if ALIGNED.contains(&&*name) { &styles.mono } else { &styles.text };
        Self { field, view: result.column(at), width: result.pointer_width(), number, text }
    }

    /// Whether Excel stores the column's cells as numbers.
    pub(super) fn is_number(field: &Field) -> bool {
        matches!(field.ty, Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Time | Ty::Date)
            && field.format == Format::Plain
    }

    pub(super) fn write(
        &self,
        sheet: &mut Worksheet,
        (line, at): (u32, u16),
        row: usize,
        styles: &Styles,
    ) -> Result<(), XlsxError> {
        let value = self.view.get(row);
        match &value {
            Value::Null => {}
            Value::Bool(v) => {
                sheet.write_boolean(line, at, *v)?;
            }
            Value::Int(v) if self.field.format == Format::Plain && v.unsigned_abs() <= EXACT => {
                #[allow(clippy::cast_precision_loss, reason = "numbers up to 2^53 are exact")]
                sheet.write_number_with_format(line, at, *v as f64, self.number)?;
            }
            Value::Decimal(v, of) if v.unsigned_abs() <= EXACT => {
                sheet.write_number_with_format(line, at, of.double(*v), self.number)?;
            }
            Value::Double(v) if v.is_finite() => {
                sheet.write_number_with_format(line, at, *v, self.number)?;
            }
            Value::Time(v) if on_calendar(*v) => {
                let style = if v % 1_000_000 == 0 { &styles.time } else { &styles.fine_time };
                let days = days(*v + EPOCH * MICROS_PER_DAY);
                sheet.write_number_with_format(line, at, days, style)?;
            }
            Value::Date(v) if on_calendar(*v) => {
                let days = days(*v + EPOCH * MICROS_PER_DAY);
                sheet.write_number_with_format(line, at, days, &styles.date)?;
            }
            Value::TimeOfDay(v) => {
                sheet.write_number_with_format(line, at, days(*v), &styles.clock)?;
            }
            Value::Interval(v) if *v >= 0 => {
                sheet.write_number_with_format(line, at, days(*v), &styles.span)?;
            }
            Value::Text(v) => {
                sheet.write_string_with_format(line, at, cell_text(v), self.text)?;
            }
            Value::List(_) | Value::Struct(_) | Value::Map(_) | Value::Blob(_) => {
                let text = self.field.format.render(&value, self.width);
                sheet.write_string_with_format(line, at, cell_text(&text), self.text)?;
            }
            Value::Addr(_) | Value::Int(_) | Value::Decimal(..) | Value::Uuid(_) => {
                let text = self.field.format.render(&value, self.width);
                sheet.write_string_with_format(line, at, text, &styles.mono)?;
            }
            Value::Double(_) | Value::Time(_) | Value::Interval(_) | Value::Date(_) => {
                sheet.write_string(line, at, self.field.format.render(&value, self.width))?;
            }
        }
        Ok(())
    }

    /// The width that shows most cells completely; very long text is cut off by the next column.
    pub(super) fn width(&self, header: &str, rows: Range<usize>) -> f64 {
        let cells = rows.take(MEASURED).map(|row| match (self.view.get(row), self.field.ty) {
            (Value::Null, _) => 0,
            (_, Ty::Time) => 20,
            (_, Ty::Date) => 11,
            (Value::Text(text), _) => text.lines().map(|l| l.chars().count()).max().unwrap_or(0),
            (value, ty) => {
                let text = self.field.format.render(&value, self.width).len();
                // Space for thousands separators and the unit.
                if ty == Ty::Int { text + text / 3 + 2 } else { text }
            }
        });
        // The header needs space for the filter button.
        let widest = cells.max().unwrap_or(0).max(header.chars().count() + 3);
        let aligned = ALIGNED.contains(&&*self.field.name) || self.field.ty == Ty::Addr;
        let widest = if aligned { widest + widest / 8 } else { widest };
        f64::from(u32::try_from(widest.clamp(6, 90)).unwrap_or(90)) + 1.5
    }
}

fn on_calendar(micros: i64) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&(micros.div_euclid(MICROS_PER_DAY) + EPOCH))
}

#[allow(clippy::cast_precision_loss, reason = "Excel's times are floating-point days")]
fn days(micros: i64) -> f64 {
    micros as f64 / MICROS_PER_DAY as f64
}

/// Text that is valid in a cell: no control characters, and shortened with a mark to Excel's
/// maximum length.
pub(super) fn cell_text(text: &str) -> String {
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
