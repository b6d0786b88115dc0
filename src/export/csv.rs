//! Comma- and tab-separated values, and a variant that is safe to open in Excel.

use std::io::{self, Write};

use super::blocks::write_blocks;
use crate::catalog::{Format, PointerWidth, Value};
use crate::exec::{ColumnView, ResultSet};

/// How cells are separated and protected from misinterpretation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    separator: char,
    line_end: &'static str,
    /// Whether the file is for Excel, which evaluates text that looks like a formula and rounds
    /// numbers with more than 15 digits.
    excel: bool,
    /// Whether the first line contains the column names.
    header: bool,
}

impl Dialect {
    pub(super) const CSV: Self = Self::plain(',', true);
    pub(super) const TSV: Self = Self::plain('\t', true);
    pub(super) const EXCEL: Self = Self { line_end: "\r\n", excel: true, ..Self::plain(',', true) };

    /// Unprotected cells with that separator.
    pub(super) const fn plain(separator: char, header: bool) -> Self {
        Self { separator, line_end: "\n", excel: false, header }
    }
}

/// The largest number of decimal digits that Excel keeps.
const EXCEL_EXACT: u64 = 999_999_999_999_999;

pub(super) fn write(result: &ResultSet, dialect: Dialect, out: &mut dyn Write) -> io::Result<()> {
    if dialect.excel {
        out.write_all("\u{feff}".as_bytes())?;
    }
    if dialect.header {
        let mut header = String::new();
        for (index, field) in result.fields().iter().enumerate() {
            dialect.separate(index, &mut header);
            dialect.push_text(&field.name, &mut header);
        }
        header.push_str(dialect.line_end);
        out.write_all(header.as_bytes())?;
    }
    let width = result.pointer_width();
    let columns: Vec<(ColumnView<'_>, Format)> = result
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (result.column(index), field.format))
        .collect();
    let single = columns.len() == 1;
    write_blocks(result, out, |rows, text| {
        for row in rows {
            let start = text.len();
            for (index, (column, format)) in columns.iter().enumerate() {
                dialect.separate(index, text);
                dialect.push(&column.get(row), *format, width, text);
            }
            // Many readers ignore an empty line, so the row is written as an empty quoted text.
            if single && text.len() == start {
                text.push_str("\"\"");
            }
            text.push_str(dialect.line_end);
        }
    })
}

impl Dialect {
    fn separate(self, index: usize, text: &mut String) {
        if index > 0 {
            text.push(self.separator);
        }
    }

    fn push(self, value: &Value<'_>, format: Format, width: PointerWidth, text: &mut String) {
        match value {
            Value::Text(cell) => self.push_text(cell, text),
            Value::List(_) | Value::Struct(_) | Value::Map(_) | Value::Blob(_) => {
                self.push_text(&format.render(value, width), text);
            }
            Value::Int(v) if self.excel && v.unsigned_abs() > EXCEL_EXACT => {
                text.push('\'');
                format.append(text, value, width);
            }
            // `-inf` and `+inf` look like formulas, and Excel has no such numbers.
            Value::Double(v) if self.excel && !v.is_finite() => {
                self.push_text(&format.render(value, width), text);
            }
            Value::Interval(..0) if self.excel => {
                self.push_text(&format.render(value, width), text);
            }
            _ => format.append(text, value, width),
        }
    }

    fn push_text(self, cell: &str, text: &mut String) {
        let formula = self.excel
            && (cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) || is_changed(cell));
        let special =
            |b: u8| b == b'"' || b == b'\n' || b == b'\r' || char::from(b) == self.separator;
        if !cell.is_empty() && !cell.bytes().any(special) {
            if formula {
                text.push('\'');
            }
            text.push_str(cell);
            return;
        }
        text.push('"');
        if formula {
            text.push('\'');
        }
        let mut rest = cell;
        while let Some(at) = rest.find('"') {
            let (before, after) = rest.split_at(at);
            text.push_str(before);
            text.push_str("\"\"");
            rest = after.strip_prefix('"').unwrap_or_default();
        }
        text.push_str(rest);
        text.push('"');
    }
}

/// Whether Excel would convert the text to a number and show it differently: digits with leading
/// zeros, more than 15 digits, or an exponent.
fn is_changed(cell: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let exponent = cell.split_once(['e', 'E']);
    let is_power = exponent.is_some_and(|(number, power)| is_digits(number) && is_digits(power));
    let leads = cell.starts_with('0') && cell.len() > 1;
    is_power || (is_digits(cell) && (leads || cell.len() > 15))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::export::samples::{self, marked};

    fn csv(dialect: Dialect) -> String {
        let mut out = Vec::new();
        write(&samples::hostile(), dialect, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_cells_are_quoted_as_the_rfc_says() {
        expect![[r#"
            name,base,n,code,share,is_on,made,name
            nt,0xfffff801a972c530,-1,0x7e,0.5,true,2007-11-09 23:59:59.000001,1 day 02:00:00
            =cmd|' /C calc'!A0,0x0000000000000000,9223372036854775807,0xc0000005,nan,false,1601-01-01 00:00:00,-00:00:00.000001
            "a,""b""
            c<ESC>[31m<TAB>|*",0xffffffffffffffff,0,,-inf,,,
            "",,,0x0,1e300,true,1970-01-01 00:00:00,00:00:00
            ,0x0000000000001000,42,0x1,,true,1970-01-01 00:00:00.000001,00:00:00.000001
            <b>日本 & <RLO>x</b>,0x0000000000000001,9007199254740993,0xffffffffffffffff,-0.0,false,10000-01-01 00:00:00,00:00:00.000002
        "#]].assert_eq(&marked(&csv(Dialect::CSV)));
    }

    #[test]
    fn excel_files_have_a_byte_order_mark_and_no_formulas() {
        let text = csv(Dialect::EXCEL);
        assert!(text.starts_with('\u{feff}'));
        assert!(text.ends_with("\r\n"));
        expect![[r#"
            <BOM>name,base,n,code,share,is_on,made,name<CR>
            nt,0xfffff801a972c530,-1,0x7e,0.5,true,2007-11-09 23:59:59.000001,1 day 02:00:00<CR>
            '=cmd|' /C calc'!A0,0x0000000000000000,'9223372036854775807,0xc0000005,nan,false,1601-01-01 00:00:00,'-00:00:00.000001<CR>
            "a,""b""
            c<ESC>[31m<TAB>|*",0xffffffffffffffff,0,,'-inf,,,<CR>
            "",,,0x0,1e300,true,1970-01-01 00:00:00,00:00:00<CR>
            ,0x0000000000001000,42,0x1,,true,1970-01-01 00:00:00.000001,00:00:00.000001<CR>
            <b>日本 & <RLO>x</b>,0x0000000000000001,'9007199254740993,0xffffffffffffffff,-0.0,false,10000-01-01 00:00:00,00:00:00.000002<CR>
        "#]].assert_eq(&marked(&text));
    }

    #[test]
    fn digits_that_excel_would_change_stay_text() {
        for cell in ["007", "1234567890123456", "12E45", "00"] {
            assert!(is_changed(cell), "{cell}");
        }
        for cell in ["7", "0", "123456789012345", "0x07", "E5", "1.5", "", "12 E5"] {
            assert!(!is_changed(cell), "{cell}");
        }
    }

    #[test]
    fn tabs_separate_and_are_quoted() {
        expect![[r#"
            name<TAB>base<TAB>n<TAB>code<TAB>share<TAB>is_on<TAB>made<TAB>name
            nt<TAB>0xfffff801a972c530<TAB>-1<TAB>0x7e<TAB>0.5<TAB>true<TAB>2007-11-09 23:59:59.000001<TAB>1 day 02:00:00
            =cmd|' /C calc'!A0<TAB>0x0000000000000000<TAB>9223372036854775807<TAB>0xc0000005<TAB>nan<TAB>false<TAB>1601-01-01 00:00:00<TAB>-00:00:00.000001
            "a,""b""
            c<ESC>[31m<TAB>|*"<TAB>0xffffffffffffffff<TAB>0<TAB><TAB>-inf<TAB><TAB><TAB>
            ""<TAB><TAB><TAB>0x0<TAB>1e300<TAB>true<TAB>1970-01-01 00:00:00<TAB>00:00:00
            <TAB>0x0000000000001000<TAB>42<TAB>0x1<TAB><TAB>true<TAB>1970-01-01 00:00:00.000001<TAB>00:00:00.000001
            <b>日本 & <RLO>x</b><TAB>0x0000000000000001<TAB>9007199254740993<TAB>0xffffffffffffffff<TAB>-0.0<TAB>false<TAB>10000-01-01 00:00:00<TAB>00:00:00.000002
        "#]].assert_eq(&marked(&csv(Dialect::TSV)));
    }

    #[test]
    fn another_reader_agrees_on_every_cell() {
        let result = samples::hostile();
        let text = csv(Dialect::CSV);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        for (row, record) in reader.records().enumerate() {
            for (column, cell) in record.unwrap().iter().enumerate() {
                assert_eq!(cell, result.text(row, column), "row {row}, column {column}");
            }
        }
    }

    #[test]
    fn blocks_keep_the_order_of_rows() {
        let mut out = Vec::new();
        write(&samples::count(50_000), Dialect::CSV, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let wanted: String = std::iter::once("n\n".to_owned())
            .chain((0..50_000).map(|n| format!("{n}\n")))
            .collect();
        assert!(text == wanted);
    }
}
