//! `--list`, `--describe` and `--queries`: the available tables and queries as text.

use std::fmt::Write as _;

use super::console::Console;
use super::output::wrap;
use super::table::width_of;
use crate::catalog::{Catalog, ColumnSpec, TableSpec, Unit};
use crate::export::visible::push_visible;
use crate::session::{SavedQuery, library};

/// One line a table, with what it holds.
pub(super) fn tables<'a>(
    tables: impl IntoIterator<Item = &'a TableSpec>,
    console: &Console,
) -> String {
    let tables: Vec<&TableSpec> = tables.into_iter().collect();
    let entries = tables.iter().map(|t| (t.name, format!("{} {}", t.doc, from(t))));
    columns(entries.collect(), console)
}

/// One line a shipped query, with its parameters and other names.
pub(super) fn queries(console: &Console) -> String {
    let entry = |query: &'static SavedQuery| {
        let mut doc = format!("{}.", query.title);
        let params = query.params.iter().map(|p| match p.default.as_deref() {
            Some(default) => format!("{} = {}", p.name, brief(default)),
            None => p.name.clone(),
        });
        let params: Vec<String> = params.collect();
        if !params.is_empty() {
            let _ = write!(doc, " Parameters: {}.", params.join(", "));
        }
        if !query.aliases.is_empty() {
            let _ = write!(doc, " [{}]", query.aliases.join(", "));
        }
        (query.name.as_str(), doc)
    };
    columns(library().iter().map(entry).collect(), console)
}

/// A default that fits into a line of a list: nothing as quotes, a long one by its beginning.
fn brief(default: &str) -> String {
    const MOST: usize = 24;
    match default.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &default[..end]),
        None if default.is_empty() => "''".to_owned(),
        None => default.to_owned(),
    }
}

/// Names on the left, text wrapped on the right.
pub(super) fn columns(entries: Vec<(&str, String)>, console: &Console) -> String {
    let entries: Vec<(String, String)> =
        entries.into_iter().map(|(name, doc)| (seen(name), doc)).collect();
    let names = entries.iter().map(|(name, _)| width_of(name)).max().unwrap_or(0) + 2;
    let indent = " ".repeat(names);
    let mut text = String::new();
    for (name, doc) in entries {
        // The name is set afterwards, so that wrapping does not take its blanks away.
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

/// A name in a form that is safe for a terminal: files may contain any name.
fn seen(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    name.chars().for_each(|c| push_visible(c, &mut text));
    text
}

fn bold(text: &str, console: &Console) -> String {
    if console.out_colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

/// The kinds of source, in brackets; nothing for tables about dumpql itself.
fn from(table: &TableSpec) -> String {
    let kinds: Vec<&str> = table.kinds.iter().map(|k| k.as_str()).collect();
    if kinds.is_empty() { String::new() } else { format!("[{}]", kinds.join(", ")) }
}

/// All of one table.
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

/// Wraps the documentation behind a type, keeping the blanks between the two.
fn wrap_after_type(text: &str, types: usize, width: usize) -> Vec<String> {
    let (head, doc) = text.split_at(text.len().min(types + 2));
    let mut lines = wrap(doc, width.saturating_sub(types + 2), "");
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, head);
    }
    lines
}

/// The names of all tables, for "nearest names".
pub(super) fn table_names(catalog: &Catalog) -> impl Iterator<Item = &str> {
    catalog.tables().iter().map(|t| t.name)
}
