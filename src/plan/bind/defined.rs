//! Views and macros are expanded where they are named. All parts of the expansion get the span of
//! the name.

use std::sync::{Arc, LazyLock};

use super::expr::Place;
use super::from::{Source, scope_of};
use super::unify::settle_nulls;
use super::{Binder, Bound, Failed, MAX_NODES, rename};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::walk::{self, At, Visit};
use crate::lang::ast::{self, Call, CallArgument, Ident, MacroBody, Query};
use crate::plan::defined::{Macro, View};
use crate::plan::{Expr, Params};

static NO_PARAMETERS: LazyLock<Params> = LazyLock::new(Params::new);

impl Binder<'_> {
    /// The rows of a view, which are computed once even if it is named several times.
    pub(super) fn view(&mut self, view: &Arc<View>, span: Span) -> Bound<Source> {
        let name = view.name.as_str();
        let known = self.views.iter().find(|(known, _)| known == name).map(|(_, id)| *id);
        let id = if let Some(id) = known {
            id
        } else {
            let id = self.expanded(view, span);
            self.views.push((name.to_owned(), id));
            id
        };
        self.reference(id.ok_or(Failed)?, name, span)
    }

    fn expanded(&mut self, view: &View, span: Span) -> Option<usize> {
        if self.expanding.contains(&view.name) {
            let message = format!("the view `{}` refers to itself", view.name);
            self.errors.push(Diagnostic::at(Code::BadQuery, span, message));
            return None;
        }
        let (mut query, mut columns) = (view.query.clone(), view.columns.clone());
        walk::query(&mut At(span), &mut query);
        for column in &mut columns {
            column.span = span;
        }
        self.expanding.push(view.name.clone());
        // A view is bound with the parameters of its own statement, not those of the query that
        // names it.
        let params = std::mem::replace(&mut self.params, &NO_PARAMETERS);
        let plan = self.apart(span, &format!("the view `{}`", view.name), |binder| {
            let mut plan = settle_nulls(binder.query(&query)?);
            rename(binder, &mut plan, &columns)?;
            Ok(plan)
        });
        self.params = params;
        self.expanding.pop();
        plan.ok().map(|plan| self.share(plan))
    }

    /// Binds a definition without access to WITH expressions and outer queries; adds to errors
    /// which definition they come from.
    fn apart<T>(
        &mut self,
        span: Span,
        what: &str,
        bind: impl FnOnce(&mut Self) -> Bound<T>,
    ) -> Bound<T> {
        let ctes = std::mem::take(&mut self.ctes);
        let frames = std::mem::take(&mut self.frames);
        let mark = self.errors.len();
        let bound = bind(self);
        self.ctes = ctes;
        self.frames = frames;
        self.blame(mark, span, what);
        bound
    }

    /// Adds to errors at a position which definition they come from.
    fn blame(&mut self, mark: usize, span: Span, what: &str) {
        for error in self.errors.iter_mut().skip(mark).filter(|e| e.span == Some(span)) {
            if !error.message.starts_with("in the ") {
                error.message = format!("in {what}: {}", error.message);
            }
        }
    }

    /// The value of a call of a scalar macro.
    pub(super) fn scalar_macro(
        &mut self,
        called: &Macro,
        call: &Call,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let MacroBody::Scalar(body) = &called.body else {
            let message = format!("`{}` returns rows, so it can only be used in FROM", called.name);
            return self.fail_at(Code::BadQuery, span, message);
        };
        let plain = !call.star && !call.distinct && call.filter.is_none() && call.over.is_none();
        if !plain || !call.order_by.is_empty() || !call.within_group.is_empty() {
            let message = format!("the macro `{}` takes only values", called.name);
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(
                error.help("write DISTINCT, FILTER and OVER in the definition of the macro"),
            );
        }
        let args: Vec<(Option<&Ident>, &ast::Expr)> =
            call.args.iter().map(|arg| (None, arg)).collect();
        let mut put = self.arguments(called, &args, span)?;
        let mut body = ast::Expr::clone(body);
        walk::expr(&mut At(span), &mut body);
        walk::expr(&mut put, &mut body);
        self.grow(put.nodes, span)?;
        let mark = self.errors.len();
        let bound = self.expr(&body, place);
        self.blame(mark, span, &format!("the macro `{}`", called.name));
        Ok(Expr { span, ..bound? })
    }

    /// The rows of a call of a table macro.
    pub(super) fn table_macro(
        &mut self,
        called: &Macro,
        args: &[CallArgument],
        span: Span,
    ) -> Bound<Source> {
        let MacroBody::Table(query) = &called.body else {
            let message =
                format!("`{}` gives a value, not rows, so it is not allowed in FROM", called.name);
            return self.fail_at(Code::BadQuery, span, message);
        };
        let args: Vec<(Option<&Ident>, &ast::Expr)> =
            args.iter().map(|arg| (arg.name.as_ref(), &arg.value)).collect();
        let mut put = self.arguments(called, &args, span)?;
        let mut query = Query::clone(query);
        walk::query(&mut At(span), &mut query);
        walk::query(&mut put, &mut query);
        self.grow(put.nodes, span)?;
        let what = format!("the macro `{}`", called.name);
        let plan = self.apart(span, &what, |binder| Ok(settle_nulls(binder.query(&query)?)))?;
        let scope = scope_of(&plan, &called.name);
        Ok((plan, scope))
    }

    /// The value of each parameter: the argument, or the default value.
    fn arguments(
        &mut self,
        called: &Macro,
        args: &[(Option<&Ident>, &ast::Expr)],
        span: Span,
    ) -> Bound<Put> {
        let mut values: Vec<Option<ast::Expr>> = vec![None; called.parameters.len()];
        for (index, (name, value)) in args.iter().enumerate() {
            let place = match name {
                None => Some(index),
                Some(name) => called
                    .parameters
                    .iter()
                    .position(|(known, _)| known.text.eq_ignore_ascii_case(&name.text)),
            };
            match place.and_then(|place| values.get_mut(place)) {
                Some(slot @ None) => *slot = Some(ast::Expr::clone(value)),
                _ => return self.wrong_arguments(called, span),
            }
        }
        let mut parameters = Vec::with_capacity(values.len());
        for ((name, default), value) in called.parameters.iter().zip(values) {
            let default = default.clone().map(|mut default| {
                walk::expr(&mut At(span), &mut default);
                default
            });
            let Some(mut value) = value.or(default) else {
                return self.wrong_arguments(called, span);
            };
            let mut size = Size(0);
            walk::expr(&mut size, &mut value);
            parameters.push((name.text.clone(), value, size.0));
        }
        Ok(Put { parameters, nodes: 0 })
    }

    fn wrong_arguments<T>(&mut self, called: &Macro, span: Span) -> Bound<T> {
        let message = format!("the arguments do not fit the macro `{}`", called.name);
        let names: Vec<String> = called
            .parameters
            .iter()
            .map(|(name, default)| match default {
                Some(_) => format!("[{}]", name.text),
                None => name.text.clone(),
            })
            .collect();
        let help = format!("it is called as {}({})", called.name, names.join(", "));
        self.fail(Diagnostic::at(Code::BadArguments, span, message).help(help))
    }

    /// `getvariable('name')`: the value given by `SET VARIABLE`, else NULL.
    pub(super) fn variable(&mut self, call: &Call, span: Span, place: Place<'_>) -> Bound<Expr> {
        let [arg] = call.args.as_slice() else {
            let error = Diagnostic::at(Code::BadArguments, span, "getvariable takes one name");
            return self.fail(error.help("write getvariable('name')"));
        };
        let arg = self.expr(arg, place)?;
        let Some(name) = arg.as_literal().and_then(Value::as_text) else {
            let error =
                Diagnostic::at(Code::BadArguments, arg.span, "getvariable takes a constant name");
            return self.fail(error.help("write getvariable('name')"));
        };
        Ok(match self.definitions.variable(name) {
            Some(value) => Expr::literal(value.clone(), span),
            None => Expr::null(Ty::Null, span),
        })
    }
}

/// Counts the nodes of expressions.
struct Size(usize);

impl Visit for Size {
    fn expr(&mut self, _: &mut ast::Expr) {
        self.0 = self.0.saturating_add(1);
    }
}

/// Replaces parameters by arguments, and counts the resulting nodes.
struct Put {
    parameters: Vec<(String, ast::Expr, usize)>,
    nodes: usize,
}

impl Visit for Put {
    fn expr(&mut self, expr: &mut ast::Expr) {
        self.nodes = self.nodes.saturating_add(1);
        let ast::ExprKind::Column(name) = &expr.kind else { return };
        let [part] = name.parts.as_slice() else { return };
        let same =
            |(name, _, _): &&(String, ast::Expr, usize)| name.eq_ignore_ascii_case(&part.text);
        let Some((_, value, size)) = self.parameters.iter().find(same) else { return };
        self.nodes = self.nodes.saturating_add(*size);
        // Above the limit the query is rejected, so nothing more need be copied.
        if self.nodes <= MAX_NODES {
            *expr = value.clone();
        }
    }
}
