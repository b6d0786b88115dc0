//! Calls: chooses the function and its signature, and distinguishes scalar functions from
//! aggregates.

use std::cell::RefCell;

use super::expr::{Place, aggregate_help, article};
use super::unify::common_format;
use super::{Binder, Bound, Failed, calendar};
use crate::catalog::{Format, FunctionKind, FunctionSpec, Signature, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Call, OrderItem};
use crate::plan::convert;
use crate::plan::render;
use crate::plan::{AggregateCall, Expr, ExprKind, SortKey};

/// Arguments converted to a signature, and the result.
pub(super) struct Fitted {
    pub(super) args: Vec<Expr>,
    pub(super) ty: Ty,
    pub(super) format: Format,
}

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
                let message = format!("`{}` returns rows, so it stands in FROM", function.name);
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
                "`*`, DISTINCT, ORDER BY and FILTER belong to aggregates, `{}` is none",
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
            let message = format!("aggregate `{}` cannot stand in {}", function.name, place.clause);
            let error = Diagnostic::at(Code::Grouping, span, message);
            return self.fail(aggregate_help(error, place.clause));
        };
        if call.ignore_nulls {
            let message = format!("`{}` takes no IGNORE NULLS", function.name);
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self
                .fail(error.help("aggregates leave NULLs out; any_value is the first value"));
        }
        let inner = Place { aggregates: None, windows: None, clause: "an aggregate", ..place };
        let aggregate = self.aggregate_call(function, call, span, inner)?;
        Ok(add_aggregate(into, aggregate, place.width))
    }

    /// An aggregate of which everything stands at `inner`.
    pub(super) fn aggregate_call(
        &mut self,
        function: &'static FunctionSpec,
        call: &Call,
        span: Span,
        inner: Place<'_>,
    ) -> Bound<AggregateCall> {
        let args = self.exprs(&call.args, inner);
        let filter = call.filter.as_deref().map(|f| self.condition(f, inner, "FILTER"));
        let order_by = self.sort_keys(&call.order_by, inner);
        let within = self.sort_keys(&call.within_group, inner);
        let (mut args, filter, mut order_by) = (args?, filter.transpose()?, order_by?);
        if args.iter().any(Expr::reads_params) && !args.iter().any(Expr::reads_columns) {
            return self.outer_aggregate(function, span);
        }
        self.within_group(function, within?, &mut args, &mut order_by)?;
        let args = adapted(function, args);
        // `arg_min` and its kin hand on a value of their first argument.
        let hex = args.first().filter(|_| function.name.starts_with("arg_")).map(|a| a.format);
        let mut fitted = if call.star {
            self.star_argument(function, call, span)?
        } else {
            self.fit(function, args, span)?
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

    /// An aggregate in a sub-query over columns of the query around alone belongs to that query.
    fn outer_aggregate<T>(&mut self, function: &FunctionSpec, span: Span) -> Bound<T> {
        let name = function.name;
        let message =
            format!("`{name}` reads columns of the query around alone, and aggregates its rows");
        self.fail(
            Diagnostic::at(Code::Unsupported, span, message)
                .help(format!("compute {name}(…) in the query around, and name the result here")),
        )
    }

    /// Puts the values of WITHIN GROUP where the function takes them.
    fn within_group(
        &mut self,
        function: &'static FunctionSpec,
        within: Vec<SortKey>,
        args: &mut Vec<Expr>,
        order_by: &mut Vec<SortKey>,
    ) -> Bound<()> {
        let is_quantile = matches!(function.name, "quantile_cont" | "quantile_disc");
        if is_quantile {
            // Values are put in order by the function itself; which way, WITHIN GROUP says alone.
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
            let expr = self.expr(&item.expr, place)?;
            keys.push(sort_key(expr, item.descending, item.nulls_first));
        }
        Ok(keys)
    }

    /// The arguments as the best signature takes them.
    pub(super) fn fit(
        &mut self,
        function: &'static FunctionSpec,
        args: Vec<Expr>,
        span: Span,
    ) -> Bound<Fitted> {
        let scored =
            function.signatures.iter().filter_map(|s| score(s, &args).map(|cost| (cost, s)));
        // The first of the cheapest: `min_by_key` keeps the earlier of equals.
        let Some((_, signature)) = scored.min_by_key(|(cost, _)| *cost) else {
            return self.misfit(function, &args, span);
        };
        let converted: Option<Vec<Expr>> = args
            .into_iter()
            .enumerate()
            .map(|(i, arg)| convert::implicit(arg, wanted(signature, i)).ok())
            .collect();
        let Some(args) = converted else { return Err(Failed) };
        let Some(any) = unified(signature, &args) else { return Err(Failed) };
        let args = args.into_iter().enumerate().map(|(i, arg)| match wanted(signature, i) {
            Ty::Null => convert::implicit(arg, any).map_err(|_| Failed),
            _ => Ok(arg),
        });
        let args = args.collect::<Bound<Vec<_>>>()?;
        let generic: Vec<Expr> = args
            .iter()
            .enumerate()
            .filter(|(i, _)| wanted(signature, *i) == Ty::Null)
            .map(|(_, arg)| arg.clone())
            .collect();
        let (ty, format) = match signature.returns {
            Ty::Null => (any, common_format(&generic)),
            ty => (ty, Format::Plain),
        };
        Ok(Fitted { args, ty, format })
    }

    fn misfit<T>(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Bound<T> {
        if let Some((index, arg)) = the_misfit(function, args) {
            let message = format!("`{}` does not take {} here", function.name, article(arg.ty));
            let want = function.signatures.first().map_or(Ty::Text, |s| wanted(s, index));
            let ways: Vec<String> =
                function.signatures.iter().map(|s| signature_text(function.name, s)).collect();
            let error = Diagnostic::at(Code::BadArguments, arg.span, message)
                .help(format!("it is called as {}", ways.join(", ")));
            return self.fail(match (arg.ty, want, &arg.kind) {
                (_, Ty::Text, ExprKind::Literal(value)) => {
                    let value = render::value(value, arg.format);
                    error.help(format!("write CAST({value} AS VARCHAR), or '{value}'"))
                }
                (_, Ty::Text, _) => error.help("other types become text with CAST(… AS VARCHAR)"),
                _ => error,
            });
        }
        let types: Vec<&str> = args.iter().map(|a| a.ty.name()).collect();
        let message = match args {
            [] => format!("`{}` needs arguments", function.name),
            [one] => format!("`{}` does not take {}", function.name, article(one.ty)),
            _ => format!("`{}` does not take ({})", function.name, types.join(", ")),
        };
        let ways: Vec<String> =
            function.signatures.iter().map(|s| signature_text(function.name, s)).collect();
        let error = Diagnostic::at(Code::BadArguments, span, message)
            .help(format!("it is called as {}", ways.join(", ")));
        let wants_text = function.signatures.iter().any(|s| {
            s.args.len() == args.len()
                && s.args.iter().zip(args).all(|(want, arg)| *want == Ty::Text || *want == arg.ty)
        });
        self.fail(if wants_text {
            error.help("other types become text with CAST(… AS VARCHAR)")
        } else {
            error
        })
    }
}

/// The only argument that does not fit, where all ways to call the function with so many arguments
/// agree on that.
fn the_misfit<'a>(function: &FunctionSpec, args: &'a [Expr]) -> Option<(usize, &'a Expr)> {
    let fits_count = |s: &&Signature| {
        let declared = s.args.len();
        args.len() >= declared.saturating_sub(s.optional)
            && (args.len() <= declared || (s.variadic && declared > 0))
    };
    let mut found = None;
    for signature in function.signatures.iter().filter(fits_count) {
        let misfits =
            |(i, arg): &(usize, &Expr)| conversion_cost(arg, wanted(signature, *i)).is_none();
        let mut wrong = args.iter().enumerate().filter(misfits);
        let (index, arg) = wrong.next()?;
        if wrong.next().is_some() || found.is_some_and(|(known, _)| known != index) {
            return None;
        }
        found = Some((index, arg));
    }
    found
}

/// Collects an aggregate and returns the reference to it; equal ones are computed once.
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

/// A key with the defaults of the language: NULLs last, whatever the direction.
pub(super) fn sort_key(expr: Expr, descending: bool, nulls_first: Option<bool>) -> SortKey {
    SortKey { expr, descending, nulls_first: nulls_first.unwrap_or(false) }
}

/// The type that argument `index` has in a signature.
fn wanted(signature: &Signature, index: usize) -> Ty {
    let last = signature.args.last().copied().unwrap_or(Ty::Null);
    signature.args.get(index).copied().unwrap_or(last)
}

/// The arguments of an aggregate as it takes them: truth values are summed as 0 and 1, and everything
/// is text to what joins texts.
fn adapted(function: &FunctionSpec, mut args: Vec<Expr>) -> Vec<Expr> {
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

/// How far the arguments are from the signature; `None` if they do not fit.
fn score(signature: &Signature, args: &[Expr]) -> Option<usize> {
    let declared = signature.args.len();
    let least = declared.saturating_sub(signature.optional);
    if args.len() < least || (args.len() > declared && !(signature.variadic && declared > 0)) {
        return None;
    }
    let mut total = 0;
    for (index, arg) in args.iter().enumerate() {
        total += conversion_cost(arg, wanted(signature, index))?;
    }
    unified(signature, args)?;
    Some(total)
}

/// The common type of the arguments declared as any type. They need one only where the result
/// takes it: the arguments of `concat` and `format` keep a type each.
fn unified(signature: &Signature, args: &[Expr]) -> Option<Ty> {
    if signature.returns != Ty::Null {
        return Some(Ty::Null);
    }
    let any: Vec<&Expr> = args
        .iter()
        .enumerate()
        .filter(|(i, _)| wanted(signature, *i) == Ty::Null)
        .map(|(_, arg)| arg)
        .collect();
    let firm = any.iter().filter(|e| !(e.ty == Ty::Text && e.as_literal().is_some()));
    let mut ty = Ty::Null;
    for arg in firm {
        ty = convert::common(ty, arg.ty)?;
    }
    for arg in any {
        if ty == Ty::Null {
            ty = arg.ty;
        } else if arg.ty == Ty::Text && ty != Ty::Text {
            convert::literal(arg.as_literal()?, ty)?;
        }
    }
    Some(ty)
}

fn conversion_cost(arg: &Expr, to: Ty) -> Option<usize> {
    if arg.ty == to {
        return Some(0);
    }
    match (arg.ty, to) {
        (_, Ty::Null) | (Ty::Null, _) => Some(1),
        (Ty::Bool, _) => None,
        (Ty::Int, Ty::Double) => Some(2),
        (Ty::Int, Ty::Addr) => {
            arg.as_literal().is_none_or(|v| convert::literal(v, to).is_some()).then_some(3)
        }
        (Ty::Addr, Ty::Double) => Some(5),
        _ => arg.as_literal().and_then(|v| convert::literal(v, to)).map(|_| 4),
    }
}

/// A signature as documentation writes it.
fn signature_text(name: &str, signature: &Signature) -> String {
    let required = signature.args.len().saturating_sub(signature.optional);
    let mut text = format!("{name}(");
    for (index, ty) in signature.args.iter().enumerate() {
        if index >= required {
            text.push('[');
        }
        if index > 0 {
            text.push_str(", ");
        }
        if let Some(name) = signature.names.get(index) {
            text.push_str(name);
            text.push(' ');
        }
        text.push_str(if *ty == Ty::Null { "any" } else { ty.name() });
    }
    if signature.variadic {
        text.push_str(", …");
    }
    for _ in required..signature.args.len() {
        text.push(']');
    }
    text.push(')');
    text
}
