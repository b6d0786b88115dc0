//! Window functions. Calls are collected while a select is bound; their operators are placed
//! between its aggregation and its select list.

mod bounds;

use super::expr::Place;
use super::select::Clauses;
use super::{Binder, Bound, Failed};
use crate::catalog::{Format, FunctionKind, FunctionSpec, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp, Call, Ident, Over};
use crate::plan::convert;
use crate::plan::{
    AggregateCall, Expr, ExprKind, Field, Frame, Plan, Rel, SortKey, WindowCall, WindowKind, render,
};

/// Until the window operators are placed, column `WINDOWS + i` of an expression is the `i`th call.
pub(super) const WINDOWS: usize = usize::MAX / 2;

/// The maximum number of window functions of a select.
const MAX_CALLS: usize = 1_000;

/// The named windows of a select.
pub(super) type Named = [(Ident, ast::Window)];

/// A call and the window it is over.
#[derive(Debug)]
pub(super) struct Pending {
    partition: Vec<Expr>,
    order: Vec<SortKey>,
    call: WindowCall,
}

impl Pending {
    fn same_window(&self, other: &Self) -> bool {
        let (mine, others) = (&self.partition, &other.partition);
        mine.len() == others.len()
            && mine.iter().zip(others).all(|(a, b)| a.same(b))
            && self.order.len() == other.order.len()
            && self.order.iter().zip(&other.order).all(|(a, b)| a.same(b))
    }

    /// The expressions over the rows of the select.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let order = self.order.iter_mut().map(|k| &mut k.expr);
        self.partition.iter_mut().chain(order).chain(self.call.exprs_mut())
    }
}

/// A window with the parts that it inherits from named windows.
struct Spec<'w> {
    partition: &'w [ast::Expr],
    order: &'w [ast::OrderItem],
    frame: Option<&'w ast::Frame>,
}

/// Whether an expression contains the result of a window function.
pub(super) fn holds_window(expr: &Expr) -> bool {
    !expr.columns_all(|index| !(WINDOWS..super::nested::UNNESTS).contains(&index))
}

impl Binder<'_> {
    /// A call with OVER.
    pub(super) fn window(
        &mut self,
        call: &Call,
        over: &Over,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let Some(into) = place.windows else {
            return self.misplaced_window(&format!("`{}`", call.name.text), span, place.clause);
        };
        let Some(function) = self.catalog.function(&call.name.text) else {
            return self.unknown_function(&call.name.text, call.name.span);
        };
        let kind = self.window_kind(function, call)?;
        let inner = Place { windows: None, unnests: None, clause: "a window function", ..place };
        let bound = if kind == WindowKind::Aggregate {
            self.aggregate_call(function, call, span, inner)
        } else {
            self.window_function(function, call, span, inner)
        };
        let spec = self.window_spec(over, place.named)?;
        let partition = self.all_folded(spec.partition, inner);
        let order = self.sort_keys(spec.order, inner);
        let (call_bound, partition, order) = (bound?, partition?, order?);
        let frame = match spec.frame {
            Some(frame) => self.frame(frame, &order, inner)?,
            None => Frame::UP_TO_CURRENT,
        };
        let call = WindowCall { kind, call: call_bound, ignore_nulls: call.ignore_nulls, frame };
        let (ty, format) = (call.call.ty, call.call.format);
        let pending = Pending { partition, order, call };
        if into.borrow().len() >= MAX_CALLS {
            let message = format!("more than {MAX_CALLS} window functions in one SELECT");
            return self.fail_at(Code::TooDeep, span, message);
        }
        let mut all = into.borrow_mut();
        let same = |p: &Pending| p.same_window(&pending) && p.call.same(&pending.call);
        let index = all.iter().position(same).unwrap_or_else(|| {
            all.push(pending);
            all.len() - 1
        });
        Ok(Expr { kind: ExprKind::Column(WINDOWS + index), ty, format, span })
    }

    /// The kind of window function; fails if the function cannot be used with OVER or does not
    /// accept the call's modifiers.
    fn window_kind(&mut self, function: &FunctionSpec, call: &Call) -> Bound<WindowKind> {
        let (name, span) = (function.name, call.name.span);
        let kind = match (function.kind, name) {
            (FunctionKind::Aggregate, _) => WindowKind::Aggregate,
            (FunctionKind::Window, "row_number") => WindowKind::RowNumber,
            (FunctionKind::Window, "rank") => WindowKind::Rank,
            (FunctionKind::Window, "dense_rank") => WindowKind::DenseRank,
            (FunctionKind::Window, "percent_rank") => WindowKind::PercentRank,
            (FunctionKind::Window, "cume_dist") => WindowKind::CumeDist,
            (FunctionKind::Window, "ntile") => WindowKind::Ntile,
            (FunctionKind::Window, "lag") => WindowKind::Lag,
            (FunctionKind::Window, "lead") => WindowKind::Lead,
            (FunctionKind::Window, "first_value") => WindowKind::FirstValue,
            (FunctionKind::Window, "last_value") => WindowKind::LastValue,
            (FunctionKind::Window, "nth_value") => WindowKind::NthValue,
            _ => {
                let message = format!("`{name}` is neither an aggregate nor a window function");
                let error = Diagnostic::at(Code::BadQuery, span, message);
                return self.fail(error.help("omit OVER: it is computed from one row alone"));
            }
        };
        let takes_nulls = matches!(
            kind,
            WindowKind::Lag
                | WindowKind::Lead
                | WindowKind::FirstValue
                | WindowKind::LastValue
                | WindowKind::NthValue
        );
        if call.ignore_nulls && !takes_nulls {
            let message = format!("`{name}` takes no IGNORE NULLS");
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help(
                "lag, lead, first_value, last_value and nth_value take it; aggregates ignore NULLs",
            ));
        }
        Ok(kind)
    }

    fn window_function(
        &mut self,
        function: &'static FunctionSpec,
        call: &Call,
        span: Span,
        place: Place<'_>,
    ) -> Bound<AggregateCall> {
        let ordered = !call.order_by.is_empty() || !call.within_group.is_empty();
        if call.star || call.distinct || call.filter.is_some() || ordered {
            let message = format!(
                "`*`, DISTINCT, FILTER and ORDER BY are only for aggregates, and `{}` is not one",
                function.name
            );
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help("write the order of rows in OVER (ORDER BY …)"));
        }
        let args = self.exprs(&call.args, place)?;
        let fitted = self.fit(function, args, span)?;
        Ok(AggregateCall {
            function,
            args: fitted.args,
            distinct: false,
            filter: None,
            order_by: Vec::new(),
            ty: fitted.ty,
            format: fitted.format,
            span,
        })
    }

    /// The error for a window function where none is allowed.
    pub(super) fn misplaced_window<T>(&mut self, what: &str, span: Span, clause: &str) -> Bound<T> {
        let message = format!("window function {what} is not allowed in {clause}");
        let error = Diagnostic::at(Code::BadQuery, span, message);
        self.fail(match clause {
            "WHERE" | "HAVING" => {
                error.help("conditions on window functions are written with QUALIFY")
            }
            _ => error.help("compute it in a sub-query first, then use its column"),
        })
    }

    /// The window after OVER, with the parts from named windows.
    fn window_spec<'w>(&mut self, over: &'w Over, named: &'w Named) -> Bound<Spec<'w>> {
        match over {
            Over::Window(window) => self.built_on(window, named),
            Over::Named(name) => {
                let index = self.named_window(name, named)?;
                let Some((_, window)) = named.get(index) else { return Err(Failed) };
                self.built_on(window, named.get(..index).unwrap_or_default())
            }
        }
    }

    /// Checks every window of the clause WINDOW.
    pub(super) fn check_named(&mut self, named: &Named) -> Bound<()> {
        for (index, (name, window)) in named.iter().enumerate() {
            let before = named.get(..index).unwrap_or_default();
            self.grow(1 + before.len() / 64, name.span)?;
            if before.iter().any(|(n, _)| n.text.eq_ignore_ascii_case(&name.text)) {
                let message = format!("two windows are called `{}`", name.text);
                return self.fail_at(Code::BadQuery, name.span, message);
            }
            self.built_on(window, before)?;
        }
        Ok(())
    }

    fn named_window(&mut self, name: &Ident, named: &Named) -> Bound<usize> {
        let fits = |(n, _): &(Ident, ast::Window)| n.text.eq_ignore_ascii_case(&name.text);
        if let Some(index) = named.iter().position(fits) {
            return Ok(index);
        }
        let message = format!("no window `{}`", name.text);
        let error = Diagnostic::at(Code::BadQuery, name.span, message);
        let names: Vec<&str> = named.iter().map(|(n, _)| n.text.as_str()).collect();
        let error = error.nearest(&name.text, names.iter().copied());
        self.fail(if names.is_empty() {
            error.help("windows are named after HAVING: WINDOW w AS (PARTITION BY …)")
        } else {
            error.help(format!("windows: {}", super::scope::listed(&names)))
        })
    }

    fn built_on<'w>(&mut self, window: &'w ast::Window, mut named: &'w Named) -> Bound<Spec<'w>> {
        let mut spec = Spec {
            partition: &window.partition_by,
            order: &window.order_by,
            frame: window.frame.as_ref(),
        };
        let mut current = window;
        while let Some(base) = &current.base {
            self.grow(1 + named.len() / 64, base.span)?;
            let index = self.named_window(base, named)?;
            let Some((_, found)) = named.get(index) else { return Err(Failed) };
            let clash = if !current.partition_by.is_empty() {
                Some("PARTITION BY is given by")
            } else if !spec.order.is_empty() && !found.order_by.is_empty() {
                Some("ORDER BY is given by")
            } else if found.frame.is_some() {
                Some("nothing can build on the frame of")
            } else {
                None
            };
            if let Some(clash) = clash {
                let message = format!("{clash} window `{}`", base.text);
                return self.fail_at(Code::BadQuery, current.span, message);
            }
            if spec.order.is_empty() {
                spec.order = &found.order_by;
            }
            if !found.partition_by.is_empty() {
                spec.partition = &found.partition_by;
            }
            current = found;
            named = named.get(..index).unwrap_or_default();
        }
        Ok(spec)
    }

    /// The first `share` percent of the rows, after `offset` rows.
    pub(super) fn first_share(&mut self, plan: Plan, share: f64, offset: usize) -> Bound<Plan> {
        let span = plan.span;
        let call = |binder: &mut Self, name: &str, kind: WindowKind| {
            let Some(function) = binder.catalog.function(name) else {
                return binder.unknown_function(name, span);
            };
            let call = AggregateCall {
                function,
                args: Vec::new(),
                distinct: false,
                filter: None,
                order_by: Vec::new(),
                ty: Ty::Int,
                format: Format::Plain,
                span,
            };
            Ok(WindowCall { kind, call, ignore_nulls: false, frame: Frame::UP_TO_CURRENT })
        };
        let number = call(self, "row_number", WindowKind::RowNumber)?;
        let count = call(self, "count", WindowKind::Aggregate)?;
        let width = plan.schema.len();
        let field =
            |name: &str| Field { name: name.to_owned(), ty: Ty::Int, format: Format::Plain };
        let mut schema = plan.schema.clone();
        schema.extend([field("row"), field("rows")]);
        let columns = [
            Expr::column(width, &field("row"), span),
            Expr::column(width + 1, &field("rows"), span),
        ];
        let [row, rows] = columns.map(|column| convert::cast(column, Ty::Double, false));
        let double = |value: f64| Expr::literal(Value::Double(value), span);
        #[allow(clippy::cast_precision_loss, reason = "row counts are below 2^53")]
        let behind = Expr::binary(BinaryOp::Sub, row, double(offset as f64), Ty::Double);
        let hundredfold = Expr::binary(BinaryOp::Mul, behind.clone(), double(100.0), Ty::Double);
        let share = Expr::binary(BinaryOp::Mul, rows, double(share), Ty::Double);
        let within = Expr::binary(BinaryOp::LtEq, hundredfold, share, Ty::Bool);
        let begun = Expr::binary(BinaryOp::Gt, behind, double(0.0), Ty::Bool);
        let rel = Rel::Window {
            input: Box::new(plan),
            partition: Vec::new(),
            order: Vec::new(),
            calls: vec![number, count],
        };
        let plan = Plan { rel, schema, span };
        let plan = plan.filter(Expr::binary(BinaryOp::And, begun, within, Ty::Bool));
        Ok(super::query::first_columns(plan, width))
    }

    /// The plan with operators for all windows, and the clauses rewritten over it.
    pub(super) fn windowed(
        &mut self,
        plan: Plan,
        clauses: &mut Clauses,
        windows: Vec<Pending>,
    ) -> Bound<Plan> {
        let qualify = clauses.qualify.take();
        if windows.is_empty() {
            let Some(qualify) = qualify else { return Ok(plan) };
            let error = Diagnostic::at(
                Code::BadQuery,
                qualify.span,
                "QUALIFY needs a window function, in it or in the list",
            );
            return self.fail(
                error.help("conditions on rows are written with WHERE, on groups with HAVING"),
            );
        }
        let mut different: Vec<&Pending> = Vec::new();
        for window in &windows {
            if !different.iter().any(|known| known.same_window(window)) {
                different.push(window);
            }
        }
        self.check_depth(different.len(), plan.span)?;
        let (plan, places) = place_windows(plan, windows);
        let place = |index: usize| {
            let window = index.checked_sub(WINDOWS).and_then(|i| places.get(i));
            window.copied().unwrap_or(index)
        };
        for expr in clauses.exprs_mut() {
            expr.map_columns(&place);
        }
        Ok(match qualify {
            Some(mut predicate) => {
                predicate.map_columns(&place);
                plan.filter(predicate)
            }
            None => plan,
        })
    }
}

/// Adds one operator for each distinct window; returns the columns of the calls.
fn place_windows(mut plan: Plan, windows: Vec<Pending>) -> (Plan, Vec<usize>) {
    let mut places = vec![0; windows.len()];
    let mut rest: Vec<(usize, Pending)> = windows.into_iter().enumerate().collect();
    while !rest.is_empty() {
        let mut together = Vec::new();
        let mut others = Vec::new();
        for (index, pending) in rest {
            let fits =
                together.first().is_none_or(|(_, p): &(usize, Pending)| p.same_window(&pending));
            if fits { together.push((index, pending)) } else { others.push((index, pending)) }
        }
        rest = others;
        let names: Vec<String> = plan.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut schema = plan.schema.clone();
        let (mut partition, mut order, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for (index, pending) in together {
            if let Some(place) = places.get_mut(index) {
                *place = schema.len();
            }
            let call = &pending.call.call;
            let name = render::window_call(&pending.call, &names);
            schema.push(Field { name, ty: call.ty, format: call.format });
            calls.push(pending.call);
            (partition, order) = (pending.partition, pending.order);
        }
        let span = plan.span;
        let rel = Rel::Window { input: Box::new(plan), partition, order, calls };
        plan = Plan { rel, schema, span };
    }
    (plan, places)
}
