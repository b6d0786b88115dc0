//! JSON: an array of objects, or one object per line.
//!
//! Addresses and integers that are shown in hexadecimal are hexadecimal text, because most readers
//! round numbers beyond 2^53, and codes are known in hexadecimal; timestamps are ISO 8601 in UTC;
//! `nan` and `inf`, which JSON numbers cannot express, are text. Lists are arrays, structures
//! objects.

use std::io::{self, Write};

use super::blocks::write_blocks;
use super::unique_names;
use crate::catalog::{Format, append_json_text};
use crate::exec::{ColumnView, ResultSet};

pub(super) fn write_array(result: &ResultSet, out: &mut dyn Write) -> io::Result<()> {
    if result.is_empty() {
        return out.write_all(b"[]\n");
    }
    out.write_all(b"[")?;
    write_objects(result, out, |row| if row == 0 { "\n" } else { ",\n" }, "")?;
    out.write_all(b"\n]\n")
}

pub(super) fn write_lines(result: &ResultSet, out: &mut dyn Write) -> io::Result<()> {
    write_objects(result, out, |_| "", "\n")
}

fn write_objects(
    result: &ResultSet,
    out: &mut dyn Write,
    before: impl Fn(usize) -> &'static str + Sync,
    after: &'static str,
) -> io::Result<()> {
    let width = result.pointer_width();
    let keys = unique_names(result);
    let columns: Vec<(String, ColumnView<'_>, Format)> = keys
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let mut key = String::new();
            append_json_text(&mut key, name);
            let format = result.fields().get(index).map_or(Format::Plain, |field| field.format);
            (key, result.column(index), format)
        })
        .collect();
    write_blocks(result, out, |rows, text| {
        for row in rows {
            text.push_str(before(row));
            text.push('{');
            for (index, (key, column, format)) in columns.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(key);
                text.push(':');
                format.append_json(text, &column.get(row), width);
            }
            text.push('}');
            text.push_str(after);
        }
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::export::samples;

    #[test]
    fn objects_keep_every_value() {
        let mut out = Vec::new();
        write_array(&samples::hostile(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed.as_array().map(Vec::len), Some(6));
        expect![[r#"
            [
            {"name":"nt","base":"0xfffff801a972c530","n":-1,"code":"0x7e","share":0.5,"is_on":true,"made":"2007-11-09T23:59:59.000001Z","name_1":"1 day 02:00:00"},
            {"name":"=cmd|' /C calc'!A0","base":"0x0000000000000000","n":9223372036854775807,"code":"0xc0000005","share":"nan","is_on":false,"made":"1601-01-01T00:00:00Z","name_1":"-00:00:00.000001"},
            {"name":"a,\"b\"\nc\u001b[31m\t|*","base":"0xffffffffffffffff","n":0,"code":null,"share":"-inf","is_on":null,"made":null,"name_1":null},
            {"name":"","base":null,"n":null,"code":"0x0","share":1e300,"is_on":true,"made":"1970-01-01T00:00:00Z","name_1":"00:00:00"},
            {"name":null,"base":"0x0000000000001000","n":42,"code":"0x1","share":null,"is_on":true,"made":"1970-01-01T00:00:00.000001Z","name_1":"00:00:00.000001"},
            {"name":"<b>日本 & <RLO>x</b>","base":"0x0000000000000001","n":9007199254740993,"code":"0xffffffffffffffff","share":-0.0,"is_on":false,"made":"10000-01-01T00:00:00Z","name_1":"00:00:00.000002"}
            ]
        "#]].assert_eq(&samples::marked(&text));
    }

    #[test]
    fn each_line_is_an_object() {
        let mut out = Vec::new();
        write_lines(&samples::hostile(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 6);
        for line in text.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object());
        }
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        let mut out = Vec::new();
        write_array(&samples::count(0), &mut out).unwrap();
        assert_eq!(out, b"[]\n");
    }
}
