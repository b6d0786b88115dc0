//! Table functions in `FROM`: their arguments, which are constants or columns of preceding tables,
//! and the columns of a call, which the owner of the sources determines.

use std::sync::Arc;

use super::expr::Place;
use super::from::{Source, scan_all};
use super::scope::{Scope, dotted, listed};
use super::{Binder, Bound};
use crate::catalog::{CallColumn, CallError, FunctionKind, FunctionSpec, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, CallArgument, Name};
use crate::plan::{Expr, ExprKind, Field, Rel, Scanned, TableCall};

impl Binder<'_> {
    pub(super) fn table_function(
        &mut self,
        name: &Name,
        args: &[CallArgument],
        span: Span,
    ) -> Bound<Source> {
        let shown = dotted(&name.parts);
        if let Some(called) = self.definitions.macro_of(&shown) {
            return self.table_macro(&Arc::clone(called), args, span);
        }
        let Some(function) = self.catalog.table_function(&shown) else {
            let known = self.catalog.function(&shown);
            return self.no_table_function(known, &shown, name.span);
        };
        let (args, missing) = self.call_arguments(function, args)?;
        let spans: Vec<Span> = args.iter().map(|arg| arg.span).collect();
        let fitted = self.fit(function, args, span)?;
        let mut values = Vec::with_capacity(fitted.args.len());
        let mut computed = Vec::new();
        for (place, arg) in fitted.args.into_iter().enumerate() {
            values.push(match &arg.kind {
                ExprKind::Literal(value) => value.clone(),
                ExprKind::Symbol(symbol) => Value::text(symbol.clone()),
                _ => {
                    let stand_in = stand_ins(arg.ty).into_iter().next().unwrap_or(Value::Null);
                    computed.push((place, arg));
                    stand_in
                }
            });
        }
        let empty = self.required(function, &mut values, &missing, &spans, span)?;
        let columns = match self.columns_of(function, &mut values, &computed) {
            Ok(columns) => columns,
            Err(error) => return self.refused(function, error, &spans, span),
        };
        let fields = columns
            .iter()
            .map(|c| (Field { name: c.name.clone(), ty: c.ty, format: c.format }, c.hidden));
        let fields = fields.collect();
        let call = TableCall { function, args: values, columns };
        let (mut plan, scope) =
            scan_all(Scanned::Call(Arc::new(call)), function.name, fields, span);
        if let Rel::Scan { args, .. } = &mut plan.rel {
            *args = computed;
        }
        Ok((if empty { plan.limit(Some(0), 0) } else { plan }, scope))
    }

    /// The columns of a call. They cannot depend on arguments that are known only at run time,
    /// which are replaced by placeholder values.
    fn columns_of(
        &self,
        function: &'static FunctionSpec,
        values: &mut [Value<'static>],
        computed: &[(usize, Expr)],
    ) -> Result<Vec<CallColumn>, CallError> {
        if let (Some((index, _)), true) = (computed.first(), BY_ARGUMENT.contains(&function.name)) {
            return Err(has_to_be_constant(function, *index));
        }
        let mut tries: Vec<usize> = vec![0; values.len()];
        loop {
            let error = match self.calls.describe(function, values) {
                Err(CallError::Argument { index, message, candidates }) => {
                    let known = computed.iter().find(|(place, _)| *place == index);
                    let Some((_, arg)) = known else {
                        return Err(CallError::Argument { index, message, candidates });
                    };
                    (index, arg)
                }
                other => return other,
            };
            let (index, arg) = error;
            let next = tries.get_mut(index).map(|tries| {
                *tries += 1;
                *tries
            });
            let next = next.and_then(|next| stand_ins(arg.ty).into_iter().nth(next));
            match (next, values.get_mut(index)) {
                (Some(next), Some(slot)) => *slot = next,
                _ => return Err(has_to_be_constant(function, index)),
            }
        }
    }

    /// The error for a file name in FROM that the session has not replaced by a table.
    pub(super) fn file<T>(&mut self, span: Span) -> Bound<T> {
        let message = "views and macros do not read files";
        let error = Diagnostic::at(Code::Unsupported, span, message);
        self.fail(error.help("write CREATE TABLE t AS FROM 'file.csv', and name t"))
    }

    /// The arguments in the order of the signature with their names, and which of them are missing.
    fn call_arguments(
        &mut self,
        function: &'static FunctionSpec,
        args: &[CallArgument],
    ) -> Bound<(Vec<Expr>, Vec<bool>)> {
        let mut placed: Vec<Option<Expr>> = Vec::new();
        let known = |name: &str| {
            let position = |s: &crate::catalog::Signature| {
                s.names.iter().position(|n| n.eq_ignore_ascii_case(name))
            };
            let mut fits = function.signatures.iter().filter(|s| s.args.len() >= args.len());
            fits.find_map(position).or_else(|| function.signatures.iter().find_map(position))
        };
        for (index, arg) in args.iter().enumerate() {
            let (place, at) = match &arg.name {
                None => (Some(index), arg.value.span),
                Some(name) => (known(&name.text), name.span),
            };
            let Some(place) = place else {
                let name = arg.name.as_ref().map_or("", |n| n.text.as_str());
                let names: Vec<&str> =
                    function.signatures.iter().flat_map(|s| s.names.iter().copied()).collect();
                let message = format!("`{}` has no argument `{name}`", function.name);
                let error = Diagnostic::at(Code::BadArguments, at, message).nearest(name, names);
                return self.fail(called_as(error, function));
            };
            let value = self.constant_argument(function, &arg.value)?;
            if placed.len() <= place {
                placed.resize(place + 1, None);
            }
            if let Some(slot @ None) = placed.get_mut(place) {
                *slot = Some(value);
            } else {
                let message = format!("argument {} is given twice", place + 1);
                return self.fail_at(Code::BadArguments, at, message);
            }
        }
        let end = args.last().map_or(Span::default(), |arg| arg.value.span);
        let missing = placed.iter().map(Option::is_none).collect();
        let args = placed
            .into_iter()
            .map(|arg| arg.unwrap_or_else(|| Expr::null(crate::catalog::Ty::Null, end)));
        Ok((args.collect(), missing))
    }

    fn constant_argument(
        &mut self,
        function: &'static FunctionSpec,
        value: &ast::Expr,
    ) -> Bound<Expr> {
        let scope = Scope::default();
        let mark = self.errors.len();
        match self.expr(value, Place::plain(&scope, "the arguments of a table function")) {
            // Replaces the errors for unknown columns and tables: no table precedes the function.
            Err(_) if self.errors.iter().skip(mark).any(is_about_columns) => {
                if self.frames.is_empty() {
                    self.errors.truncate(mark);
                    return self.not_constant(function, value.span);
                }
                Err(super::Failed)
            }
            bound => bound,
        }
    }

    fn not_constant<T>(&mut self, function: &'static FunctionSpec, span: Span) -> Bound<T> {
        let message = format!("no table precedes `{}` whose columns it could take", function.name);
        self.fail(
            Diagnostic::at(Code::BadArguments, span, message)
                .help("write a literal, module!symbol, or a parameter: $name")
                .help(format!("or name the table before it: FROM t, {}(t.column)", function.name)),
        )
    }

    /// Whether there are no rows because a required argument is NULL. It is an error if the
    /// argument was not given, or if the rows do not depend on the arguments only.
    fn required(
        &mut self,
        function: &'static FunctionSpec,
        values: &mut [Value<'static>],
        missing: &[bool],
        spans: &[Span],
        span: Span,
    ) -> Bound<bool> {
        let count = function.required(values.len());
        let nulls = values.iter().take(count).enumerate().filter(|(_, value)| value.is_null());
        let nulls: Vec<usize> = nulls.map(|(index, _)| index).collect();
        let is_missing = |index: &&usize| missing.get(**index) == Some(&true);
        let wrong = nulls.iter().find(is_missing);
        let wrong = if function.is_pure { wrong } else { wrong.or(nulls.first()) };
        let Some(&index) = wrong else {
            for index in &nulls {
                if let (Some(value), Some(ty)) = (values.get_mut(*index), taken(function, *index)) {
                    *value = stand_ins(ty).into_iter().next().unwrap_or(Value::Null);
                }
            }
            return Ok(!nulls.is_empty());
        };
        let at = spans.get(index).copied().unwrap_or(span);
        let name = function.signatures.first().and_then(|s| s.names.get(index));
        let message = match name {
            Some(name) => format!("argument `{name}` of `{}` is missing or NULL", function.name),
            None => format!("argument {} of `{}` is NULL", index + 1, function.name),
        };
        let error = called_as(Diagnostic::at(Code::BadArguments, at, message), function);
        self.fail(error)
    }

    fn refused<T>(
        &mut self,
        function: &'static FunctionSpec,
        error: CallError,
        spans: &[Span],
        span: Span,
    ) -> Bound<T> {
        let error = match error {
            CallError::Argument { index, message, candidates } => {
                let at = spans.get(index).copied().unwrap_or(span);
                let wanted = message.split('`').nth(1).unwrap_or_default().to_owned();
                Diagnostic::at(Code::BadArguments, at, message)
                    .nearest(&wanted, candidates.iter().map(String::as_str))
            }
            CallError::NoSource(reasons) => {
                let message = if reasons.is_empty() {
                    format!("`{}` needs a source, and none is open", function.name)
                } else {
                    format!("no open source answers `{}`", function.name)
                };
                let error = Diagnostic::at(Code::NoSource, span, message);
                reasons.into_iter().fold(error, Diagnostic::help)
            }
            CallError::Limit(message) => Diagnostic::at(Code::Limit, span, message),
            CallError::Cancelled => {
                Diagnostic::at(Code::Cancelled, span, "the query was cancelled")
            }
        };
        self.fail(error)
    }

    fn no_table_function<T>(
        &mut self,
        known: Option<&'static FunctionSpec>,
        shown: &str,
        span: Span,
    ) -> Bound<T> {
        if shown.eq_ignore_ascii_case("read_csv") || shown.eq_ignore_ascii_case("read_csv_auto") {
            return self.file(span);
        }
        if self.catalog.table(shown).is_some() {
            let message = format!("`{shown}` is a table, not a function");
            let error = Diagnostic::at(Code::UnknownFunction, span, message);
            return self.fail(error.help(format!("write it without parentheses: FROM {shown}")));
        }
        if known.is_some() {
            let message =
                format!("`{shown}` gives a value, not rows, so it is not allowed in FROM");
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help(format!("write FROM (SELECT {shown}(…)) AS t")));
        }
        let functions = self.catalog.functions().iter();
        let names: Vec<&str> =
            functions.filter(|f| f.kind == FunctionKind::Table).map(|f| f.name).collect();
        let message = format!("no table function `{shown}`");
        let error = Diagnostic::at(Code::UnknownFunction, span, message);
        if let Some(instead) = super::idioms::method(shown) {
            return self.fail(error.help(format!("write steps with |>, as {instead}")));
        }
        let error = error.nearest(shown, names.iter().copied());
        self.fail(error.help(format!("table functions: {}", listed(&names))))
    }
}

/// The type of an argument in the first signature that has it.
fn taken(function: &FunctionSpec, index: usize) -> Option<Ty> {
    function.signatures.iter().find_map(|s| s.args.get(index)).copied()
}

/// Functions whose columns depend on all of their arguments.
const BY_ARGUMENT: &[&str] = &["log_table"];

/// Placeholder values of a type for an argument that is not known yet, in the order in which they
/// are tried.
fn stand_ins(ty: Ty) -> Vec<Value<'static>> {
    let first = match ty {
        Ty::Int => Value::Int(1),
        Ty::Double => Value::Double(1.0),
        Ty::Bool => Value::Bool(true),
        Ty::Addr => Value::Addr(0),
        Ty::Time => Value::Time(0),
        Ty::Interval => Value::Interval(1),
        Ty::Date => Value::Date(0),
        Ty::Text => Value::text(""),
        _ => Value::Null,
    };
    // A text may be the name of a symbol, for which an address can be passed.
    vec![first, Value::Addr(0), Value::Null]
}

fn has_to_be_constant(function: &FunctionSpec, index: usize) -> CallError {
    let name = function.signatures.first().and_then(|s| s.names.get(index)).copied();
    let message = format!(
        "the columns of `{}` depend on its argument `{}`, which has to be constant",
        function.name,
        name.unwrap_or_default()
    );
    CallError::Argument { index, message, candidates: Vec::new() }
}

fn is_about_columns(error: &Diagnostic) -> bool {
    matches!(error.code, Code::UnknownColumn | Code::UnknownTable)
}

fn called_as(error: Diagnostic, function: &FunctionSpec) -> Diagnostic {
    let ways: Vec<String> = function
        .signature_texts()
        .iter()
        .map(|text| text.trim_end_matches(" -> rows").to_owned())
        .collect();
    error.help(format!("it is called as {}", ways.join(", ")))
}
