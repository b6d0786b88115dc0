//! Names that statements give and refer to.

use super::super::settings::Settings;
use super::super::state::State;
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Create, CreateMode, Created, Ident};

pub(super) fn setting(name: &Ident) -> Result<&'static str, Diagnostic> {
    Settings::named(&name.text).ok_or_else(|| {
        Diagnostic::at(Code::BadQuery, name.span, format!("no setting `{}`", name.text))
            .nearest(&name.text, Settings::names().iter().copied())
            .help(format!(
                "settings: {}; FROM meta.settings shows them",
                Settings::names().join(", ")
            ))
            .help(format!("a variable is set with SET VARIABLE {} = …", name.text))
    })
}

pub(super) fn not_prepared<'n>(name: &Ident, names: impl Iterator<Item = &'n str>) -> Diagnostic {
    Diagnostic::at(Code::BadQuery, name.span, format!("no prepared query `{}`", name.text))
        .nearest(&name.text, names)
        .help(format!("write PREPARE {} AS SELECT …", name.text))
}

/// More names than columns are an error.
pub(super) fn check_columns(names: &[Ident], width: usize) -> Result<(), Diagnostic> {
    let Some(extra) = names.get(width) else { return Ok(()) };
    let message = format!("{} column names for {width} columns", names.len());
    Err(Diagnostic::at(Code::BadQuery, extra.span, message))
}

/// Whether the object that a statement creates exists already.
pub(super) fn is_known(state: &State, create: &Create) -> bool {
    match create.what {
        Created::Macro { .. } => state.defined.definitions.macro_of(&create.name.text).is_some(),
        _ => state.catalog.table(&create.name.text).is_some(),
    }
}

/// Fails if an object that the statement does not replace has the name.
pub(super) fn check_name(state: &State, create: &Create) -> Result<(), Diagnostic> {
    let name = create.name.text.as_str();
    let replaces = create.mode == CreateMode::OrReplace;
    let definitions = &state.defined.definitions;
    let attached = state.attached.iter().any(|t| t.spec().name.eq_ignore_ascii_case(name));
    let (what, replaceable) = match &create.what {
        Created::Macro { .. } if definitions.macro_of(name).is_some() => ("a macro", true),
        Created::Macro { .. } if state.catalog.function(name).is_some() => ("a function", false),
        Created::Macro { .. } => return Ok(()),
        what if definitions.view(name).is_some() => {
            ("a view", matches!(what, Created::View { .. }))
        }
        what if attached => ("a table", matches!(what, Created::Table { .. })),
        _ if state.catalog.table(name).is_some() => ("a table of dumps", false),
        _ if state.has_source(name) => ("a dump", false),
        _ => return Ok(()),
    };
    if replaceable && replaces {
        return Ok(());
    }
    let error = taken(what, name, create.name.span);
    Err(if replaceable {
        let kind = match create.what {
            Created::View { .. } => "VIEW",
            Created::Table { .. } => "TABLE",
            Created::Macro { .. } => "MACRO",
        };
        error.help(format!("write CREATE OR REPLACE {kind}, or IF NOT EXISTS"))
    } else {
        error.help(format!("give another name: {name}2"))
    })
}

fn taken(what: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::at(Code::BadQuery, span, format!("{what} is called `{name}` already"))
}
