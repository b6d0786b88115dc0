//! The tree as canonical SQL: keywords in capitals, no more parentheses than needed, one line if it
//! fits and otherwise one line per clause. The output parses to the same tree.

mod command;
mod expr;
mod pipe;
mod query;
mod turn;

use super::ast::{Attach, Ident, Name, Query, Statement, StatementKind};

/// The maximum length of a query on one line.
const LINE: usize = 100;

/// Statements as text, each with a semicolon.
pub fn format(statements: &[Statement]) -> String {
    statements.iter().map(|s| format_statement(s) + ";\n").collect()
}

/// One statement as text, without a semicolon.
pub fn format_statement(statement: &Statement) -> String {
    let (prefix, query) = match &statement.kind {
        StatementKind::Query(query) => ("", query),
        StatementKind::Explain { analyze: false, query } => ("EXPLAIN", query),
        StatementKind::Explain { analyze: true, query } => ("EXPLAIN ANALYZE", query),
        StatementKind::DescribeQuery(query) => ("DESCRIBE", query),
        StatementKind::Summarize(query) => ("SUMMARIZE", query),
        StatementKind::Describe(table) => return format!("DESCRIBE {}", name(table)),
        StatementKind::ShowTables => return "SHOW TABLES".to_owned(),
        StatementKind::ShowFunctions => return "SHOW FUNCTIONS".to_owned(),
        StatementKind::Attach(attached) => return attach(attached),
        StatementKind::Detach(attached) => return format!("DETACH {}", ident(attached)),
        StatementKind::Show(subject) => return format!("SHOW {}", name(subject)),
        StatementKind::ShowSettings => return "SHOW SETTINGS".to_owned(),
        StatementKind::Command(command) => return lines(&command::command(command)),
    };
    let mut clauses = query::clauses(query);
    if !prefix.is_empty() {
        clauses.insert(0, prefix.to_owned());
    }
    lines(&clauses)
}

/// A query on one line.
pub fn format_query(whole: &Query) -> String {
    query::query(whole)
}

/// One line if the clauses fit, otherwise one line per clause.
fn lines(clauses: &[String]) -> String {
    let length: usize = clauses.iter().map(|clause| clause.len() + 1).sum();
    clauses.join(if length <= LINE { " " } else { "\n" })
}

fn attach(attach: &Attach) -> String {
    let name = attach.name.as_ref().map(|name| format!(" AS {}", ident(name))).unwrap_or_default();
    let option = |(name, value): &(Ident, Ident)| {
        let value = if value.quoted { text(value) } else { value.text.to_uppercase() };
        format!("{} {value}", name.text)
    };
    let options = if attach.options.is_empty() {
        String::new()
    } else {
        format!(" ({})", list(&attach.options, ", ", option))
    };
    format!("ATTACH {}{name}{options}", text(&attach.file))
}

fn text(value: &Ident) -> String {
    format!("'{}'", value.text.replace('\'', "''"))
}

fn ident(ident: &Ident) -> String {
    if ident.quoted { quoted(&ident.text) } else { ident.text.clone() }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn name(name: &Name) -> String {
    list(&name.parts, ".", ident)
}

fn list<T>(items: &[T], separator: &str, each: impl Fn(&T) -> String) -> String {
    items.iter().map(each).collect::<Vec<_>>().join(separator)
}
