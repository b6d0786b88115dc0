//! A self-contained HTML page: no scripts, and nothing loaded from elsewhere.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::blocks::write_blocks;
use super::chart::{Data, write_svg};
use super::markdown::is_right;
use super::visible::push_visible;
use super::{Note, Sheet};
use crate::catalog::{Ty, Value};
use crate::exec::ResultSet;

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:14px/1.45 system-ui,sans-serif;margin:2rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{border:1px solid #8886;padding:.2rem .6rem;text-align:left;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere}
th{position:sticky;top:0;background:#e8ecf2;color:#111}
td.n{text-align:right;white-space:nowrap}td.a{font-family:ui-monospace,monospace;white-space:nowrap}
td.null{color:#8888}
svg{display:block;max-width:100%;height:auto;margin:.5rem 0}
pre{background:#8882;padding:.6rem;white-space:pre-wrap}
.rows,.notes{color:#777}
";

/// Writes all results into one page, with their queries and descriptions.
pub(super) fn write(sheets: &[Sheet<'_>], notes: &[Note], out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
    );
    let title = match sheets {
        [only] => only.title,
        _ => "dumpql",
    };
    push_escaped(title, &mut text);
    text.push_str("</title>\n<style>\n");
    text.push_str(STYLE);
    text.push_str("</style>\n</head>\n<body>\n");
    out.write_all(text.as_bytes())?;
    for sheet in sheets {
        write_section(sheet, out)?;
    }
    let mut text = String::new();
    for note in notes {
        text.push_str("<h2>");
        push_escaped(&note.title, &mut text);
        text.push_str("</h2>\n<table>\n");
        for (name, value) in &note.rows {
            text.push_str("<tr><th>");
            push_escaped(name, &mut text);
            text.push_str("</th><td>");
            push_escaped(value, &mut text);
            text.push_str("</td></tr>\n");
        }
        text.push_str("</table>\n");
    }
    text.push_str("</body>\n</html>\n");
    out.write_all(text.as_bytes())
}

fn write_section(sheet: &Sheet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from("<h2>");
    push_escaped(sheet.title, &mut text);
    text.push_str("</h2>\n");
    if !sheet.query.is_empty() {
        text.push_str("<details><summary>query</summary><pre>");
        push_escaped(sheet.query, &mut text);
        text.push_str("</pre></details>\n");
    }
    if let Some(spec) = sheet.chart
        && let Ok(data) = Data::new(spec, sheet.result)
    {
        out.write_all(text.as_bytes())?;
        write_svg(&data, sheet.heading(), out)?;
        text.clear();
    }
    text.push_str("<table>\n<thead><tr>");
    for field in sheet.result.fields() {
        text.push_str("<th>");
        push_escaped(&field.name, &mut text);
        text.push_str("</th>");
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    out.write_all(text.as_bytes())?;
    write_rows(sheet.result, out)?;
    let rows = sheet.result.len();
    let mut text = String::from("</tbody>\n</table>\n");
    let _ = writeln!(text, "<p class=\"rows\">{rows} row{}</p>", if rows == 1 { "" } else { "s" });
    out.write_all(text.as_bytes())
}

fn write_rows(result: &ResultSet, out: &mut dyn Write) -> io::Result<()> {
    let width = result.pointer_width();
    let columns: Vec<_> = result
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (result.column(index), field))
        .collect();
    write_blocks(result, out, |rows, text| {
        for row in rows {
            text.push_str("<tr>");
            for (column, field) in &columns {
                let value = column.get(row);
                match (&value, field.format.free_text(&value, width)) {
                    (Value::Null, _) => text.push_str("<td class=\"null\">NULL"),
                    (_, Some(cell)) => {
                        text.push_str("<td>");
                        push_escaped(&cell, text);
                    }
                    (value, None) => {
                        text.push_str(match field.ty {
                            Ty::Addr => "<td class=\"a\">",
                            ty if is_right(ty) => "<td class=\"n\">",
                            _ => "<td>",
                        });
                        field.format.append(text, value, width);
                    }
                }
                text.push_str("</td>");
            }
            text.push_str("</tr>\n");
        }
    })
}

pub(super) fn push_escaped(cell: &str, text: &mut String) {
    for c in cell.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '\n' | '\t' => text.push(c),
            c => push_visible(c, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::export::samples;

    #[test]
    fn markup_in_cells_is_escaped() {
        let result = samples::hostile();
        let sheet = Sheet::new("<i>", "SELECT 1 < 2", &result);
        let mut out = Vec::new();
        write(&[sheet], &[], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let body = text.split("</head>").nth(1).unwrap();
        expect![[r#"

            <body>
            <h2>&lt;i&gt;</h2>
            <details><summary>query</summary><pre>SELECT 1 &lt; 2</pre></details>
            <table>
            <thead><tr><th>name</th><th>base</th><th>n</th><th>code</th><th>share</th><th>is_on</th><th>made</th><th>name</th></tr></thead>
            <tbody>
            <tr><td>nt</td><td class="a">0xfffff801a972c530</td><td class="n">-1</td><td class="n">0x7e</td><td class="n">0.5</td><td>true</td><td>2007-11-09 23:59:59.000001</td><td class="n">1 day 02:00:00</td></tr>
            <tr><td>=cmd|&#39; /C calc&#39;!A0</td><td class="a">0x0000000000000000</td><td class="n">9223372036854775807</td><td class="n">0xc0000005</td><td class="n">nan</td><td>false</td><td>1601-01-01 00:00:00</td><td class="n">-00:00:00.000001</td></tr>
            <tr><td>a,&quot;b&quot;
            c\x1b[31m	|*</td><td class="a">0xffffffffffffffff</td><td class="n">0</td><td class="null">NULL</td><td class="n">-inf</td><td class="null">NULL</td><td class="null">NULL</td><td class="null">NULL</td></tr>
            <tr><td></td><td class="null">NULL</td><td class="null">NULL</td><td class="n">0x0</td><td class="n">1e300</td><td>true</td><td>1970-01-01 00:00:00</td><td class="n">00:00:00</td></tr>
            <tr><td class="null">NULL</td><td class="a">0x0000000000001000</td><td class="n">42</td><td class="n">0x1</td><td class="null">NULL</td><td>true</td><td>1970-01-01 00:00:00.000001</td><td class="n">00:00:00.000001</td></tr>
            <tr><td>&lt;b&gt;日本 &amp; \u{202e}x&lt;/b&gt;</td><td class="a">0x0000000000000001</td><td class="n">9007199254740993</td><td class="n">0xffffffffffffffff</td><td class="n">-0.0</td><td>false</td><td>10000-01-01 00:00:00</td><td class="n">00:00:00.000002</td></tr>
            </tbody>
            </table>
            <p class="rows">6 rows</p>
            </body>
            </html>
        "#]].assert_eq(body);
    }
}
