//! Statements that change the state of a session: views, tables, macros, settings, variables,
//! prepared queries.

mod names;

use names::{check_columns, check_name, is_known, not_prepared, setting};
use std::sync::Arc;

use super::cancel::Run;
use super::query::Prepared;
use super::settings::Settings;
use super::state::State;
use super::{Params, ResultSet, Session};
use crate::catalog::{ColumnSpec, TableSpec, Value, intern};
use crate::diag::{Code, Diagnostic};
use crate::exec::MemTable;
use crate::lang::ast::{
    CallArgument, Command, Create, CreateMode, Created, Dropped, Expr, Ident, Name, Query,
    Statement, StatementKind,
};
use crate::lang::{self, ast::walk::placed};
use crate::plan::{self, Macro, View};

type Failed = Vec<Diagnostic>;

/// Converts one error to a list of errors.
trait One<T> {
    fn one(self) -> Result<T, Failed>;
}

impl<T> One<T> for Result<T, Diagnostic> {
    fn one(self) -> Result<T, Failed> {
        self.map_err(|error| vec![error])
    }
}

impl Prepared<'_> {
    /// Runs a command; returns whether to go on.
    pub(super) fn command(
        &self,
        command: &Command,
        run: &Run,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<bool, Failed> {
        let session = self.session;
        match command {
            Command::Create(create) => self.create(create, run)?,
            Command::Drop { what, name, if_exists } => {
                session.drop(*what, name, *if_exists).one()?;
            }
            Command::Set { name, value } => {
                let setting = setting(name).one()?;
                let found = self.value_of(value, run)?;
                let first = Settings::of(&session.options);
                session
                    .change_settings(|settings| {
                        let set = settings.set(setting, &found, &first, session.options.files);
                        set.map_err(|reason| Diagnostic::at(Code::BadQuery, value.span, reason))
                    })
                    .one()?;
            }
            Command::Reset(name) => {
                let names = match name {
                    Some(name) => vec![setting(name).one()?],
                    None => Settings::names().to_vec(),
                };
                let first = Settings::of(&session.options);
                session
                    .change_settings(|settings| {
                        for name in &names {
                            settings.reset(name, &first);
                        }
                        Ok(())
                    })
                    .one()?;
            }
            Command::SetVariable { name, value } => {
                let value = self.value_of(value, run)?;
                session
                    .define(|defined| {
                        Arc::make_mut(&mut defined.definitions).put_variable(&name.text, value);
                        Ok(())
                    })
                    .one()?;
            }
            Command::ResetVariable(name) => session
                .define(|defined| {
                    let definitions = Arc::make_mut(&mut defined.definitions);
                    if definitions.remove_variable(&name.text) {
                        return Ok(());
                    }
                    let message = format!("no variable `{}`", name.text);
                    let error = Diagnostic::at(Code::BadQuery, name.span, message);
                    Err(error.nearest(&name.text, definitions.variable_names()))
                })
                .one()?,
            Command::Prepare { name, query } => session
                .define(|defined| {
                    let key = name.text.to_ascii_lowercase();
                    defined.prepared.insert(key, Arc::new(Query::clone(query)));
                    Ok(())
                })
                .one()?,
            Command::Execute { name, args } => return self.execute(name, args, run, receive),
            Command::Deallocate(name) => session
                .define(|defined| {
                    let key = name.text.to_ascii_lowercase();
                    let gone = defined.prepared.remove(&key);
                    let names = || defined.prepared.keys().map(String::as_str);
                    gone.map(drop).ok_or_else(|| not_prepared(name, names()))
                })
                .one()?,
            Command::Copy { query, file, options } => {
                return self.copy(query, file, options, run, receive);
            }
        }
        Ok(true)
    }

    /// The rows of one query.
    pub(super) fn rows(
        &self,
        query: Query,
        params: &Params,
        run: &Run,
    ) -> Result<ResultSet, Failed> {
        let span = query.span;
        let statement = Statement { kind: StatementKind::Query(Box::new(query)), span };
        let mut rows = None;
        self.queries(std::slice::from_ref(&statement), params, run, &mut |result| {
            rows = Some(result);
            true
        })?;
        Ok(rows.unwrap_or_default())
    }

    /// The value of an expression without columns.
    fn value_of(&self, expr: &Expr, run: &Run) -> Result<Value<'static>, Failed> {
        let rows = self.rows(Query::of_value(expr.clone()), &self.params, run)?;
        Ok(rows.value(0, 0).into_owned())
    }

    fn execute(
        &self,
        name: &Ident,
        args: &[CallArgument],
        run: &Run,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<bool, Failed> {
        let state = self.session.state();
        let prepared = &state.defined.prepared;
        let Some(query) = prepared.get(&name.text.to_ascii_lowercase()) else {
            return Err(vec![not_prepared(name, prepared.keys().map(String::as_str))]);
        };
        let mut params = self.params.clone();
        for (index, arg) in args.iter().enumerate() {
            let key = arg.name.as_ref().map_or((index + 1).to_string(), |name| name.text.clone());
            params.insert(key, self.value_of(&arg.value, run)?);
        }
        let query = placed(query, name.span);
        let mut failed = self.rows(query, &params, run);
        if let Err(errors) = &mut failed {
            for error in errors.iter_mut().filter(|e| e.code == Code::Parameter) {
                error.help = vec![format!("write EXECUTE {}(value, …)", name.text)];
            }
        }
        Ok(receive(failed?))
    }

    fn create(&self, create: &Create, run: &Run) -> Result<(), Failed> {
        let name = &create.name;
        let state = self.session.state();
        if create.mode == CreateMode::IfNotExists && is_known(&state, create) {
            return Ok(());
        }
        check_name(&state, create).one()?;
        match &create.what {
            Created::View { columns, query } => self.create_view(create, columns, query, run)?,
            Created::Table { columns, query } => {
                let rows = self.rows(Query::clone(query), &self.params, run)?;
                let at = |mut error: Diagnostic| {
                    error.span = Some(name.span);
                    error.help("name the columns: CREATE TABLE t(a, b) AS …, or SELECT … AS a")
                };
                check_columns(columns, rows.fields().len()).one()?;
                let names: Vec<&str> = columns.iter().map(|c| c.text.as_str()).collect();
                let table = MemTable::of_rows(&name.text, &rows, &names).map_err(at).one()?;
                self.session
                    .replace(|state| {
                        check_name(state, create)?;
                        Ok(state.with_table(table))
                    })
                    .one()?;
            }
            Created::Macro { parameters, body } => {
                let new = Macro {
                    name: name.text.clone(),
                    parameters: parameters.clone(),
                    body: body.clone(),
                };
                if new.calls_itself() {
                    let message = format!("the macro `{}` calls itself", name.text);
                    let error = Diagnostic::at(Code::BadQuery, name.span, message);
                    return Err(vec![error.help("WITH RECURSIVE repeats a step")]);
                }
                self.session
                    .replace(|state| {
                        check_name(state, create)?;
                        let mut defined = state.defined.clone();
                        Arc::make_mut(&mut defined.definitions).put_macro(new);
                        Ok(state.with_defined(defined))
                    })
                    .one()?;
            }
        }
        Ok(())
    }

    fn create_view(
        &self,
        create: &Create,
        columns: &[Ident],
        query: &Query,
        run: &Run,
    ) -> Result<(), Failed> {
        let name = &create.name;
        // The query is first planned as written, so that errors show their positions.
        let statement = |query: Query| {
            let span = query.span;
            Statement { kind: StatementKind::Query(Box::new(query)), span }
        };
        let state = self.session.state();
        let none = Params::new();
        let given = self.planned(&state, &statement(query.clone()), &none, run)?;
        check_columns(columns, given.schema().len()).one()?;
        let (own, columns) = (name.text.clone(), columns.to_vec());
        let view = View { name: own, columns, query: query.clone() };
        let mut defined = state.defined.clone();
        Arc::make_mut(&mut defined.definitions).put_view(view);
        // Then it is planned by its name, which detects a view that refers to itself.
        let with_view = state.with_defined(defined.clone());
        let by_name = Query::of_table(Name { parts: vec![name.clone()], span: name.span });
        let planned = self.planned(&with_view, &statement(by_name), &none, run)?;
        let doc = intern(&format!("A view: {}", lang::format_query(query)));
        let column = |field: &plan::Field| ColumnSpec {
            format: field.format,
            ..ColumnSpec::new(intern(&field.name), "A column of the view.", field.ty)
        };
        let columns = planned.schema().iter().map(column).collect();
        let spec = TableSpec::new(intern(&name.text), doc, columns);
        self.session
            .replace(|state| {
                check_name(state, create)?;
                let mut now = state.defined.clone();
                if let Some(view) = defined.definitions.view(&name.text) {
                    Arc::make_mut(&mut now.definitions).share_view(Arc::clone(view));
                }
                now.views.retain(|known| !known.name.eq_ignore_ascii_case(&name.text));
                now.views.push(spec);
                Ok(state.with_defined(now))
            })
            .one()
    }
}

impl Session {
    fn drop(&self, what: Dropped, name: &Ident, if_exists: bool) -> Result<(), Diagnostic> {
        self.replace(|state| {
            let is_view = state.defined.definitions.view(&name.text).is_some();
            let table = |t: &Arc<MemTable>| t.spec().name.eq_ignore_ascii_case(&name.text);
            let is_table = state.attached.iter().any(table);
            let is_macro = state.defined.definitions.macro_of(&name.text).is_some();
            let mut defined = state.defined.clone();
            match what {
                Dropped::View if is_view => {
                    Arc::make_mut(&mut defined.definitions).remove_view(&name.text);
                    defined.views.retain(|known| !known.name.eq_ignore_ascii_case(&name.text));
                    return Ok(state.with_defined(defined));
                }
                Dropped::Macro if is_macro => {
                    Arc::make_mut(&mut defined.definitions).remove_macro(&name.text);
                    return Ok(state.with_defined(defined));
                }
                Dropped::Table if is_table => {
                    return Ok(state.without(&name.text).unwrap_or_else(|| state.clone()));
                }
                _ => {}
            }
            let kind = match what {
                Dropped::View => "view",
                Dropped::Table => "table",
                Dropped::Macro => "macro",
            };
            let known = state.catalog.table(&name.text).is_some();
            let error = if is_view {
                Diagnostic::at(Code::BadQuery, name.span, format!("`{}` is a view", name.text))
                    .help(format!("write DROP VIEW {}", name.text))
            } else if is_table {
                Diagnostic::at(Code::BadQuery, name.span, format!("`{}` is a table", name.text))
                    .help(format!("write DROP TABLE {}", name.text))
            } else if known && what != Dropped::Macro {
                let message = format!("`{}` is read from dumps and cannot be dropped", name.text);
                Diagnostic::at(Code::BadQuery, name.span, message)
            } else if if_exists {
                return Ok(state.clone());
            } else {
                let error = Diagnostic::at(
                    Code::UnknownTable,
                    name.span,
                    format!("no {kind} `{}`", name.text),
                );
                let definitions = &state.defined.definitions;
                let names: Vec<&str> = match what {
                    Dropped::View => state.defined.views.iter().map(|v| v.name).collect(),
                    Dropped::Table => state.attached.iter().map(|t| t.spec().name).collect(),
                    Dropped::Macro => definitions.macro_names().collect(),
                };
                error.nearest(&name.text, names).help(format!("DROP {kind} IF EXISTS … is quiet"))
            };
            Err(error)
        })
    }

    fn define(
        &self,
        change: impl FnOnce(&mut super::state::Defined) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        self.replace(|state| {
            let mut defined = state.defined.clone();
            change(&mut defined)?;
            Ok(State { defined, ..state.clone() })
        })
    }

    fn change_settings(
        &self,
        change: impl FnOnce(&mut Settings) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        self.replace(|state| {
            let mut defined = state.defined.clone();
            change(&mut defined.settings)?;
            Ok(state.with_defined(defined))
        })
    }
}
