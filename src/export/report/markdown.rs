//! The report as Markdown, for issue trackers and chats.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{ROWS, Report, Section};
use crate::export::Sheet;
use crate::export::markdown::{is_right, push_escaped};

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from("# ");
    push_escaped(&report.title, &mut text);
    text.push_str("\n\n");
    push_escaped(&report.made, &mut text);
    text.push('\n');
    for section in &report.sections {
        push_section(section, "##", &mut text);
        for part in &section.parts {
            push_section(part, "###", &mut text);
        }
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    Ok(())
}

fn push_section(section: &Section<'_>, level: &str, text: &mut String) {
    let _ = write!(text, "\n{level} ");
    push_escaped(&section.title, text);
    if let Some(severity) = &section.severity {
        text.push_str(" (");
        push_escaped(severity, text);
        text.push(')');
    }
    text.push('\n');
    for paragraph in section.text.iter().filter(|paragraph| !paragraph.is_empty()) {
        text.push('\n');
        push_escaped(paragraph, text);
        text.push('\n');
    }
    if !section.list.is_empty() {
        text.push('\n');
    }
    for entry in &section.list {
        text.push_str("- ");
        push_escaped(entry, text);
        text.push('\n');
    }
    for sheet in &section.evidence {
        push_evidence(sheet, text);
    }
}

fn push_evidence(sheet: &Sheet<'_>, text: &mut String) {
    let result = sheet.result;
    text.push('\n');
    for field in result.fields() {
        text.push_str("| ");
        push_escaped(&field.name, text);
        text.push(' ');
    }
    text.push_str("|\n");
    for field in result.fields() {
        text.push_str(if is_right(field.ty) { "| ---: " } else { "| --- " });
    }
    text.push_str("|\n");
    for row in 0..result.len().min(ROWS) {
        for (at, field) in result.fields().iter().enumerate() {
            text.push_str("| ");
            let (value, width) = (result.value(row, at), result.pointer_width());
            match field.format.free_text(&value, width) {
                Some(cell) => push_escaped(&cell, text),
                None => field.format.append(text, &value, width),
            }
            text.push(' ');
        }
        text.push_str("|\n");
    }
    if result.len() > ROWS {
        let _ = writeln!(text, "\n{ROWS} of {} rows.", result.len());
    }
    // A fence that does not occur in the query.
    let fence = if sheet.query.contains("```") { "~~~~" } else { "```" };
    if !sheet.query.is_empty() && !sheet.query.contains("~~~~") {
        let mut query = String::new();
        for c in sheet.query.trim().chars() {
            if c == '\n' {
                query.push(c);
            } else {
                crate::export::visible::push_visible(c, &mut query);
            }
        }
        let _ = writeln!(text, "\n{fence}sql\n{query}\n{fence}");
    }
}
