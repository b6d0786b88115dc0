//! Statements that change the state of a session, or write a file, as text.

use super::expr::expr;
use super::query::{argument, columns, query};
use super::{ident, list, text};
use crate::lang::ast::{Command, Create, CreateMode, Created, Dropped, Expr, Ident, MacroBody};

/// The clauses of the statement; those of a query come last.
pub(super) fn command(command: &Command) -> Vec<String> {
    let plain = |text: String| vec![text];
    match command {
        Command::Create(whole) => create(whole),
        Command::Drop { what, name, if_exists } => {
            let what = match what {
                Dropped::View => "VIEW",
                Dropped::Table => "TABLE",
                Dropped::Macro => "MACRO",
            };
            let if_exists = if *if_exists { " IF EXISTS" } else { "" };
            plain(format!("DROP {what}{if_exists} {}", ident(name)))
        }
        Command::Set { name, value } => plain(format!("SET {} = {}", ident(name), expr(value, 0))),
        Command::Reset(None) => plain("RESET ALL".to_owned()),
        Command::Reset(Some(name)) => plain(format!("RESET {}", ident(name))),
        Command::SetVariable { name, value } => {
            plain(format!("SET VARIABLE {} = {}", ident(name), expr(value, 0)))
        }
        Command::ResetVariable(name) => plain(format!("RESET VARIABLE {}", ident(name))),
        Command::Prepare { name, query } => {
            with_query(format!("PREPARE {} AS", ident(name)), query)
        }
        Command::Execute { name, args } => {
            let args = list(args, ", ", argument);
            let args = if args.is_empty() { args } else { format!("({args})") };
            plain(format!("EXECUTE {}{args}", ident(name)))
        }
        Command::Deallocate(name) => plain(format!("DEALLOCATE {}", ident(name))),
        Command::Copy { query: inner, file, options } => {
            let options = if options.is_empty() {
                String::new()
            } else {
                format!(" ({})", list(options, ", ", option))
            };
            plain(format!("COPY ({}) TO {}{options}", query(inner), text(file)))
        }
    }
}

fn create(create: &Create) -> Vec<String> {
    let replace = if create.mode == CreateMode::OrReplace { " OR REPLACE" } else { "" };
    let temporary = if create.temporary { " TEMP" } else { "" };
    let unless = if create.mode == CreateMode::IfNotExists { " IF NOT EXISTS" } else { "" };
    let what = match &create.what {
        Created::View { .. } => "VIEW",
        Created::Table { .. } => "TABLE",
        Created::Macro { .. } => "MACRO",
    };
    let head = format!("CREATE{replace}{temporary} {what}{unless} {}", ident(&create.name));
    match &create.what {
        Created::View { columns: names, query } | Created::Table { columns: names, query } => {
            with_query(format!("{head}{} AS", columns(names)), query)
        }
        Created::Macro { parameters, body } => {
            let one = |(name, value): &(Ident, Option<Expr>)| match value {
                Some(value) => format!("{} := {}", ident(name), expr(value, 0)),
                None => ident(name),
            };
            let head = format!("{head}({}) AS", list(parameters, ", ", one));
            match body {
                MacroBody::Scalar(value) => vec![format!("{head} {}", expr(value, 0))],
                MacroBody::Table(query) => with_query(format!("{head} TABLE"), query),
            }
        }
    }
}

fn with_query(head: String, query: &crate::lang::ast::Query) -> Vec<String> {
    let mut clauses = super::query::clauses(query);
    clauses.insert(0, head);
    clauses
}

/// An option with its value, if it has one.
pub(super) fn option((name, value): &(Ident, Option<Ident>)) -> String {
    match value {
        Some(value) if value.quoted => format!("{} {}", name.text, text(value)),
        Some(value) => format!("{} {}", name.text, value.text),
        None => name.text.clone(),
    }
}
