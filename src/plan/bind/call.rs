//! Calls: chooses the function and its signature, and distinguishes scalar functions from
//! aggregates.

use std::cell::RefCell;

use super::expr::{Place, aggregate_help};
use super::fit::Fitted;
use super::{Binder, Bound, calendar};
use crate::catalog::{Format, FunctionKind, FunctionSpec, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Call, OrderItem};
use crate::plan::convert;
use crate::plan::{AggregateCall, Expr, ExprKind, SortKey};

impl Binder<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span, place: Place<'_>) -> Bound<Expr> {
        let name = &call.name.text;
        if name.eq_ignore_ascii_case("grouping") || name.eq_ignore_ascii_case("grouping_id") {
            return self.grouping(call, span, place);
        }
        if name.eq_ignore_ascii_case("columns") {
            return self.columns(call, span, place);
        }
        if let Some(called) = self.definitions.macro_of(name) {
            return self.scalar_macro(&std::sync::Arc::clone(called), call, span, place);
        }
        if name.eq_ignore_ascii_case("getvariable") {
            return self.variable(call, span, place);
        }
        if super::nested::is_unnest(name) && call.over.is_none() {
            return self.unnest(call, span, place);
        }
        if let Some(each) = self.each_call(call, span, place) {
            return each;
        }
        if let Some(over) = &call.over {
            return self.window(call, over, span, place);
        }
        let Some(function) = self.catalog.function(&call.name.text) else {
            if calendar::is_step_function(&call.name.text) {
                return self.months_alone(span);
            }
            return self.unknown_function(&call.name.text, call.name.span);
        };
        match function.kind {
            FunctionKind::Aggregate => self.aggregate(function, call, span, place),
            FunctionKind::Scalar => self.scalar(function, call, span, place),
            FunctionKind::Window => {
                let message = format!("window function `{}` needs OVER", function.name);
                let error = Diagnostic::at(Code::BadQuery, span, message);
                self.fail(error.help(format!("write {}(…) OVER (ORDER BY …)", function.name)))
            }
            FunctionKind::Table => {
                let message =
                    format!("`{}` returns rows, so it can only be used in FROM", function.name);
                self.fail_at(Code::BadQuery, span, message)
            }
        }
    }

    pub(super) fn unknown_function<T>(&mut self, name: &str, span: Span) -> Bound<T> {
        let error = Diagnostic::at(Code::UnknownFunction, span, format!("no function `{name}`"));
        if let Some(instead) = super::idioms::function(name) {
            return self.fail(error.help(instead));
        }
        let names = self
            .catalog
            .functions()
            .iter()
            .flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()));
        let error = error.nearest(name, names.chain(self.definitions.macro_names()));
        self.fail(error.help("SHOW FUNCTIONS lists them all"))
    }

    fn scalar(
        &mut self,
        function: &'static FunctionSpec,
        call: &Call,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let ordered = !call.order_by.is_empty() || !call.within_group.is_empty();
        if call.star || call.distinct || call.filter.is_some() || ordered || call.ignore_nulls {
            let message = format!(
                "`*`, DISTINCT, ORDER BY and FILTER are only for aggregates, and `{}` is not one",
                function.name
            );
            return self.fail_at(Code::BadQuery, span, message);
        }
        if function.name == "why" {
            return self.why(&call.args, span, place);
        }
        if let Some(moved) = self.calendar_call(function, &call.args, span, place) {
            return moved;
        }
        let args = self.exprs(&call.args, place)?;
        if let Some(lowered) = self.special(function, &args, span) {
            return lowered;
        }
        let fitted = self.fit(function, args, span)?;
        let kind = ExprKind::Call { function, args: fitted.args };
        Ok(Expr { kind, ty: fitted.ty, format: fitted.format, span })
    }

    fn aggregate(
        &mut self,
        function: &'static FunctionSpec,
        call: &Call,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let Some(into) = place.aggregates else {
            let message =
                format!("aggregate `{}` is not allowed in {}", function.name, place.clause);
            let error = Diagnostic::at(Code::Grouping, span, message);
            return self.fail(aggregate_help(error, place.clause));
        };
        if call.ignore_nulls {
            let message = format!("`{}` takes no IGNORE NULLS", function.name);
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help("aggregates ignore NULLs; any_value is the first value"));
        }
        let inner = Place {
            aggregates: None,
            windows: None,
            unnests: None,
            clause: "an aggregate",
            ..place
        };
        let aggregate = self.aggregate_call(function, call, span, inner)?;
        Ok(add_aggregate(into, aggregate, place.width))
    }

    /// An aggregate whose arguments and clauses are bound at `inner`.
    pub(super) fn aggregate_call(
        &mut self,
        function: &'static FunctionSpec,
        call: &Call,
        span: Span,
        inner: Place<'_>,
    ) -> Bound<AggregateCall> {
        let args = self.all_keyed(&call.args, inner);
        let filter = call.filter.as_deref().map(|f| self.condition(f, inner, "FILTER"));
        let order_by = self.sort_keys(&call.order_by, inner);
        let within = self.sort_keys(&call.within_group, inner);
        let (mut args, filter, mut order_by) = (args?, filter.transpose()?, order_by?);
        if args.iter().any(Expr::reads_params) && !args.iter().any(Expr::reads_columns) {
            return self.outer_aggregate(function, span);
        }
        self.within_group(function, within?, &mut args, &mut order_by)?;
        let args = adapted(function, args);
        let (function, args) = self.collated_arguments(function, args, call.distinct)?;
        // `arg_min` and similar functions return a value of their first argument, so they keep its
        // format.
        let hex = args.first().filter(|_| function.name.starts_with("arg_")).map(|a| a.format);
        let mut fitted = if call.star {
            self.star_argument(function, call, span)?
        } else {
            self.fit_aggregate(function, args, span)?
        };
        fitted.format = hex.unwrap_or(fitted.format);
        Ok(AggregateCall {
            function,
            args: fitted.args,
            distinct: call.distinct,
            filter,
            order_by,
            ty: fitted.ty,
            format: fitted.format,
            span,
        })
    }

    /// The error for an aggregate in a sub-query over columns of the outer query only, which would
    /// belong to that query.
    fn outer_aggregate<T>(&mut self, function: &FunctionSpec, span: Span) -> Bound<T> {
        let name = function.name;
        let message =
            format!("`{name}` reads only columns of the outer query, and aggregates its rows");
        self.fail(
            Diagnostic::at(Code::Unsupported, span, message)
                .help(format!("compute {name}(…) in the outer query, and name the result here")),
        )
    }

    /// Moves the expressions of WITHIN GROUP to the position where the function takes them.
    fn within_group(
        &mut self,
        function: &'static FunctionSpec,
        within: Vec<SortKey>,
        args: &mut Vec<Expr>,
        order_by: &mut Vec<SortKey>,
    ) -> Bound<()> {
        let is_quantile = matches!(function.name, "quantile_cont" | "quantile_disc");
        if is_quantile {
            // The function sorts the values itself; WITHIN GROUP only gives the direction.
            order_by.clear();
        }
        let of_values = is_quantile || function.name == "mode";
        let Some(first) = within.first() else { return Ok(()) };
        let span = first.expr.span;
        match within.as_slice() {
            [key] if of_values && args.len() < 2 => {
                args.insert(0, key.expr.clone());
                *order_by = within;
                Ok(())
            }
            _ if function.name == "string_agg" && order_by.is_empty() => {
                *order_by = within;
                Ok(())
            }
            _ => {
                let message = format!("`{}` takes no WITHIN GROUP like this", function.name);
                let error = Diagnostic::at(Code::BadQuery, span, message);
                self.fail(error.help("write ORDER BY within the parentheses of the aggregate"))
            }
        }
    }

    fn star_argument(
        &mut self,
        function: &'static FunctionSpec,
        call: &Call,
        span: Span,
    ) -> Bound<Fitted> {
        if function.name != "count" {
            let message = format!("`{}(*)` has no meaning, only count(*) has", function.name);
            return self.fail_at(Code::BadArguments, span, message);
        }
        if call.distinct {
            let error =
                Diagnostic::at(Code::BadArguments, span, "count(DISTINCT *) has no meaning");
            return self.fail(
                error.help(
                    "count distinct values of a column, or rows of a sub-query with DISTINCT",
                ),
            );
        }
        Ok(Fitted { args: Vec::new(), ty: Ty::Int, format: Format::Plain })
    }

    /// Sort keys within an aggregate.
    pub(super) fn sort_keys(
        &mut self,
        items: &[OrderItem],
        place: Place<'_>,
    ) -> Bound<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            let expr = self.keyed(&item.expr, place)?;
            let expr = self.folded(expr)?;
            keys.push(sort_key(expr, item.descending, item.nulls_first));
        }
        Ok(keys)
    }
}

/// Collects an aggregate and returns the reference to it; equal aggregates are computed once.
pub(super) fn add_aggregate(
    into: &RefCell<Vec<AggregateCall>>,
    aggregate: AggregateCall,
    width: usize,
) -> Expr {
    let (ty, format, span) = (aggregate.ty, aggregate.format, aggregate.span);
    let mut all = into.borrow_mut();
    let index = all.iter().position(|a| a.same(&aggregate)).unwrap_or_else(|| {
        all.push(aggregate);
        all.len() - 1
    });
    Expr { kind: ExprKind::Column(width + index), ty, format, span }
}

/// A key with the default NULL order: NULLs last, for both directions.
pub(super) fn sort_key(expr: Expr, descending: bool, nulls_first: Option<bool>) -> SortKey {
    SortKey { expr, descending, nulls_first: nulls_first.unwrap_or(false) }
}

/// Converts the arguments of an aggregate: truth values are summed as 0 and 1, and aggregates that
/// join texts take every type as text.
pub(super) fn adapted(function: &FunctionSpec, mut args: Vec<Expr>) -> Vec<Expr> {
    if let Some(first) = args.first_mut() {
        let ty = match (function.name, first.ty) {
            ("sum", Ty::Bool) => Ty::Int,
            ("string_agg", ty) if !matches!(ty, Ty::Text | Ty::Null) => Ty::Text,
            _ => return args,
        };
        let plain = std::mem::replace(first, Expr::null(Ty::Null, first.span));
        *first = convert::cast(plain, ty, false);
    }
    args
}
