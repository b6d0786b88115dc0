//! `--list`, `--describe` and `--queries`: the available tables and queries as text.

use std::fmt::Write as _;

use super::console::Console;
use super::output::wrap;
use super::table::width_of;
use crate::catalog::{Catalog, ColumnSpec, TableSpec, Unit};
use crate::export::visible::push_visible;
use crate::session::{Library, SavedQuery};

/// One line per table, with its description.
pub(super) fn tables<'a>(
    tables: impl IntoIterator<Item = &'a TableSpec>,
    console: &Console,
) -> String {
    let tables: Vec<&TableSpec> = tables.into_iter().collect();
    let entries = tables.iter().map(|t| (t.name, format!("{} {}", t.doc, from(t))));
    columns(entries.collect(), console)
}

/// One line per query, with the commands that it answers; only those that match the pattern, if it
/// is not empty.
pub(super) fn queries(library: &Library, pattern: &str, console: &Console) -> String {
    let wanted = pattern.to_ascii_lowercase();
    let fits = |query: &&SavedQuery| {
        let texts = [&query.name, &query.title, &query.description].into_iter();
        let mut all = texts.chain(&query.aliases).chain(&query.debugger).chain(&query.needs);
        all.any(|text| text.to_ascii_lowercase().contains(&wanted))
    };
    let entry = |query: &SavedQuery| {
        let mut doc = format!("{}.", query.title);
        let params: Vec<String> = query.params.iter().map(|p| format!("${}", p.name)).collect();
        if !params.is_empty() {
            let _ = write!(doc, " {}.", params.join(", "));
        }
        let firsts = query.debugger.iter().map(|form| brief(form));
        let names: Vec<String> = query.aliases.iter().cloned().chain(firsts).collect();
        if !names.is_empty() {
            let _ = write!(doc, " [{}]", names.join("; "));
        }
        doc
    };
    let shown: Vec<&SavedQuery> = library.queries().filter(fits).collect();
    let mut text = columns(shown.iter().map(|q| (q.name.as_str(), entry(q))).collect(), console);
    if !text.is_empty() {
        text += "\nThe words in brackets run a query as its name does: dumpql DUMP -q NAME, -c '!locks', or the\n\
                 prompt. --describe-query NAME shows how to read it.\n";
    }
    text
}

/// The description of a query: what it finds, how to read it, its parameters, its SQL.
pub(super) fn describe_query(query: &SavedQuery, console: &Console) -> String {
    let width = console.text_width();
    let mut text = format!("{} - {}\n", bold(&seen(&query.name), console), seen(&query.title));
    let mut say = |line: &str| {
        for line in wrap(line, width, "  ") {
            text += &line;
            text.push('\n');
        }
    };
    say(&query.description);
    if !query.reading.is_empty() {
        say(&format!("How to read it: {}", query.reading));
    }
    if let Some(pattern) = &query.pattern {
        say(&format!("Pattern: {} ({}). {}", pattern.title, pattern.severity, pattern.meaning));
        say(&format!("Next: {}", pattern.next));
    }
    if !query.debugger.is_empty() {
        say(&format!("Debugger commands: {}", query.debugger.join("; ")));
    }
    if !query.aliases.is_empty() {
        say(&format!("Also called: {}", query.aliases.join(", ")));
    }
    if !query.needs.is_empty() {
        say(&format!("Tables: {}", query.needs.join(", ")));
    }
    if let Some(chart) = &query.chart {
        say(&format!("Chart: {chart}"));
    }
    for param in &query.params {
        let default = param.default.as_deref();
        let default = default.map_or("required".to_owned(), |d| format!("default {}", brief(d)));
        say(&format!("-p {}=… ({}, {default}): {}", param.name, param.ty, param.doc));
    }
    text.push('\n');
    for line in query.sql().trim().lines() {
        text += &seen(line);
        text.push('\n');
    }
    text
}

/// A default value, shortened for a list; empty text as quotes.
fn brief(default: &str) -> String {
    const MOST: usize = 24;
    match default.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &default[..end]),
        None if default.is_empty() => "''".to_owned(),
        None => default.to_owned(),
    }
}

/// Names on the left, wrapped text on the right.
pub(super) fn columns(entries: Vec<(&str, String)>, console: &Console) -> String {
    let entries: Vec<(String, String)> =
        entries.into_iter().map(|(name, doc)| (seen(name), doc)).collect();
    let names = entries.iter().map(|(name, _)| width_of(name)).max().unwrap_or(0) + 2;
    let indent = " ".repeat(names);
    let mut text = String::new();
    for (name, doc) in entries {
        // The name is inserted afterwards, so that wrapping does not remove its blanks.
        let width = console.text_width().max(names + 20) - names;
        for (index, line) in wrap(&doc, width, "").into_iter().enumerate() {
            if index == 0 {
                text += &bold(&name, console);
                text += &" ".repeat(names.saturating_sub(width_of(&name)));
            } else {
                text += &indent;
            }
            text += &line;
            text.push('\n');
        }
    }
    text
}

/// A name that is safe for a terminal: file names may contain any character.
fn seen(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    name.chars().for_each(|c| push_visible(c, &mut text));
    text
}

fn bold(text: &str, console: &Console) -> String {
    if console.out_colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

/// The kinds of source, in brackets; empty for tables about dumpql itself.
fn from(table: &TableSpec) -> String {
    let kinds: Vec<&str> = table.kinds.iter().map(|k| k.as_str()).collect();
    if kinds.is_empty() { String::new() } else { format!("[{}]", kinds.join(", ")) }
}

/// The description of a table.
pub(super) fn describe(table: &TableSpec, console: &Console) -> String {
    let width = console.text_width();
    let mut text = bold(&seen(table.name), console) + "\n";
    let mut say = |line: &str| {
        for line in wrap(line, width, "  ") {
            text += &line;
            text.push('\n');
        }
    };
    say(table.doc);
    if !table.answers.is_empty() {
        say(&format!("Answers: {}.", table.answers));
    }
    if !table.kinds.is_empty() {
        let kinds: Vec<&str> = table.kinds.iter().map(|k| k.as_str()).collect();
        say(&format!("From: {}.", kinds.join(", ")));
    }
    text.push('\n');
    let types = table.columns.iter().map(|c| c.ty.name().len()).max().unwrap_or(0);
    let described = |column: &ColumnSpec| {
        let unit = match column.unit {
            Unit::None => String::new(),
            unit => format!(" [{}]", unit.as_str()),
        };
        let hidden = if column.hidden { " (Not in SELECT *.)" } else { "" };
        format!("{:types$}  {}{unit}{hidden}", column.ty.name(), column.doc)
    };
    let shown: Vec<String> = table.columns.iter().map(|c| seen(c.name)).collect();
    let names = shown.iter().map(|name| width_of(name)).max().unwrap_or(0) + 2;
    let indent = " ".repeat(names + types + 2);
    for (column, name) in table.columns.iter().zip(&shown) {
        text += &bold(name, console);
        text += &" ".repeat(names.saturating_sub(width_of(name)));
        let lines =
            wrap_after_type(&described(column), types, width.max(names + types + 30) - names);
        for (index, line) in lines.into_iter().enumerate() {
            if index > 0 {
                text += &indent;
            }
            text += &line;
            text.push('\n');
        }
    }
    for example in table.examples {
        text += "\n-- ";
        text += example.doc;
        text.push('\n');
        text += example.sql.trim_end_matches(';');
        text += ";\n";
    }
    text
}

/// Wraps the documentation after a type, and keeps the blanks between them.
fn wrap_after_type(text: &str, types: usize, width: usize) -> Vec<String> {
    let (head, doc) = text.split_at(text.len().min(types + 2));
    let mut lines = wrap(doc, width.saturating_sub(types + 2), "");
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, head);
    }
    lines
}

/// The names of all tables, for suggestions.
pub(super) fn table_names(catalog: &Catalog) -> impl Iterator<Item = &str> {
    catalog.tables().iter().map(|t| t.name)
}
