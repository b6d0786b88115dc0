//! Tables in GitHub Flavored Markdown, which issue trackers and chats display.

use std::io::{self, Write};

use super::blocks::write_blocks;
use super::visible::{acts, push_visible};
use crate::catalog::Ty;
use crate::exec::ResultSet;

pub(super) fn write(
    result: &ResultSet,
    title: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut head = String::new();
    if let Some(title) = title {
        head.push_str("## ");
        push_escaped(title, &mut head);
        head.push_str("\n\n");
    }
    for field in result.fields() {
        head.push_str("| ");
        push_escaped(&field.name, &mut head);
        head.push(' ');
    }
    head.push_str("|\n");
    for field in result.fields() {
        head.push_str(if is_right(field.ty) { "| ---: " } else { "| --- " });
    }
    head.push_str("|\n");
    out.write_all(head.as_bytes())?;
    let width = result.pointer_width();
    let columns: Vec<_> = result
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (result.column(index), field.format))
        .collect();
    write_blocks(result, out, |rows, text| {
        for row in rows {
            for (column, format) in &columns {
                text.push_str("| ");
                let value = column.get(row);
                match format.free_text(&value, width) {
                    Some(cell) => push_escaped(&cell, text),
                    None => format.append(text, &value, width),
                }
                text.push(' ');
            }
            text.push_str("|\n");
        }
    })
}

/// Whether values of the type are right-aligned, so that their last digits can be compared.
pub(super) const fn is_right(ty: Ty) -> bool {
    matches!(ty, Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Interval)
}

/// Escapes everything that Markdown or HTML would interpret as markup.
pub(super) fn push_escaped(cell: &str, text: &mut String) {
    let mut before = ' ';
    let mut rest = cell.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' | '|' | '`' | '*' | '[' | ']' | '~' => {
                text.push('\\');
                text.push(c);
            }
            // An underscore within a word is not markup, and names often contain underscores.
            '_' if !(before.is_alphanumeric()
                && rest.peek().is_some_and(|c| c.is_alphanumeric())) =>
            {
                text.push_str("\\_");
            }
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '\n' => text.push_str("<br>"),
            '\t' => text.push(' '),
            c if acts(c) => {
                // The backslash of a visible escape is not markup itself.
                text.push('\\');
                push_visible(c, text);
            }
            c => text.push(c),
        }
        before = c;
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::export::samples;

    #[test]
    fn markup_in_cells_is_escaped() {
        let mut out = Vec::new();
        write(&samples::hostile(), Some("a *b*"), &mut out).unwrap();
        expect![[r###"
            ## a \*b\*

            | name | base | n | code | share | is_on | made | name |
            | --- | --- | ---: | ---: | ---: | --- | --- | ---: |
            | nt | 0xfffff801a972c530 | -1 | 0x7e | 0.5 | true | 2007-11-09 23:59:59.000001 | 1 day 02:00:00 |
            | =cmd\|' /C calc'!A0 | 0x0000000000000000 | 9223372036854775807 | 0xc0000005 | nan | false | 1601-01-01 00:00:00 | -00:00:00.000001 |
            | a,"b"<br>c\\x1b\[31m \|\* | 0xffffffffffffffff | 0 |  | -inf |  |  |  |
            |  |  |  | 0x0 | 1e300 | true | 1970-01-01 00:00:00 | 00:00:00 |
            |  | 0x0000000000001000 | 42 | 0x1 |  | true | 1970-01-01 00:00:00.000001 | 00:00:00.000001 |
            | &lt;b&gt;日本 &amp; \\u{202e}x&lt;/b&gt; | 0x0000000000000001 | 9007199254740993 | 0xffffffffffffffff | -0.0 | false | 10000-01-01 00:00:00 | 00:00:00.000002 |
        "###]].assert_eq(&String::from_utf8(out).unwrap());
    }

    #[test]
    fn underscores_within_words_stay() {
        let mut text = String::new();
        push_escaped("size_bytes _EPROCESS_ a__b", &mut text);
        assert_eq!(text, "size_bytes \\_EPROCESS\\_ a\\_\\_b");
    }
}
