//! Whole queries: `WITH`, set operations, `VALUES`, and the clauses that all of them can have.

mod sets;

use super::expr::Place;
use super::from::scope_of;
use super::order::Order;
use super::scope::Scope;
use super::select::computed_names;
use super::unify::{common_format, settle_nulls};
use super::{Binder, Bound, Cte, Failed, Meaning, rename};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, Body, Ident, Query, With};
use crate::plan::shared::SharedPlan;
use crate::plan::{Expr, Field, Plan, Rel, convert};
pub(super) use sets::{Run, set_tree};

/// The nesting levels that a query counts as: it may consist of this many operators.
const LEVELS: usize = 5;

impl Binder<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Bound<Plan> {
        self.deeper(LEVELS, query.span, |binder| {
            let mark = binder.ctes.len();
            let with = query.with.as_ref().map_or(Ok(()), |with| binder.with(with));
            let plan = with.and_then(|()| match query.pipes.as_slice() {
                [] => binder.ordered(query),
                _ => binder.piped(query),
            });
            binder.ctes.truncate(mark);
            plan
        })
    }

    pub(super) fn with(&mut self, with: &With) -> Bound<()> {
        let mark = self.ctes.len();
        for cte in &with.ctes {
            let name = &cte.name;
            let seen = self.ctes.get(mark..).unwrap_or_default();
            if seen.iter().any(|c| c.name.eq_ignore_ascii_case(&name.text)) {
                let message = format!("two expressions of this WITH are called `{}`", name.text);
                return self.fail_at(Code::BadQuery, name.span, message);
            }
            let plan = if with.recursive {
                self.recursive(cte)
            } else {
                self.query(&cte.query).and_then(|plan| self.named_columns(plan, &cte.columns))
            };
            let meaning = plan.ok().map(|plan| self.meaning(plan, cte.materialized));
            self.ctes.push(Cte { name: name.text.clone(), meaning });
        }
        Ok(())
    }

    /// The plan of a common table expression, with its column names.
    pub(super) fn named_columns(&mut self, plan: Plan, names: &[Ident]) -> Bound<Plan> {
        let mut plan = settle_nulls(plan);
        rename(self, &mut plan, names)?;
        Ok(plan)
    }

    fn meaning(&mut self, plan: Plan, materialized: Option<bool>) -> Meaning {
        if materialized == Some(false) || plan.reads_params() || plan.reads_working() {
            return Meaning::Copied(Box::new(plan), self.frames.len());
        }
        Meaning::Shared(self.share(plan))
    }

    /// Stores a plan that several places may refer to; returns its id.
    pub(super) fn share(&mut self, plan: Plan) -> usize {
        let depth = self.plan_depth(&plan);
        self.shared.push(SharedPlan { plan, uses: 0, depth });
        self.shared.len() - 1
    }

    /// Increases the use counts of the shared plans that a copied plan refers to.
    pub(super) fn count_uses(&mut self, plan: &Plan, copies: usize) {
        if let Rel::Shared { id, .. } = plan.rel
            && let Some(shared) = self.shared.get_mut(id)
        {
            shared.uses = shared.uses.saturating_add(copies);
        }
        for input in plan.inputs() {
            self.count_uses(input, copies);
        }
        for expr in plan.exprs() {
            expr.visit(&mut |e| {
                if let Some(plan) = e.subplan() {
                    self.count_uses(plan, copies);
                }
            });
        }
    }

    /// The depth of a plan, shared plans included.
    fn plan_depth(&self, plan: &Plan) -> usize {
        let below = plan.inputs().into_iter().map(|p| self.plan_depth(p)).max().unwrap_or(0);
        let shared = match plan.rel {
            Rel::Shared { id, .. } => self.shared.get(id).map_or(0, |s| s.depth),
            _ => 0,
        };
        let exprs = plan.exprs().into_iter().map(|e| self.expr_depth(e)).max().unwrap_or(0);
        1 + below.max(shared).max(exprs)
    }

    fn expr_depth(&self, expr: &Expr) -> usize {
        let below = expr.children().into_iter().map(|e| self.expr_depth(e)).max().unwrap_or(0);
        1 + below.max(expr.subplan().map_or(0, |plan| self.plan_depth(plan)))
    }

    /// The rows of a query in their order, before its pipes.
    pub(super) fn ordered(&mut self, query: &Query) -> Bound<Plan> {
        let order = Order { items: &query.order_by, all: query.order_by_all };
        let plan = match &query.body {
            Body::Select(select) => self.select(select, order),
            body => self.body(body).and_then(|plan| self.order_output(plan, order)),
        };
        let (limit, offset) = (query.limit.as_ref(), query.offset.as_ref());
        self.limited(plan, limit, query.limit_percent, offset)
    }

    /// Applies LIMIT and OFFSET.
    pub(super) fn limited(
        &mut self,
        plan: Bound<Plan>,
        limit: Option<&ast::Expr>,
        percent: bool,
        offset: Option<&ast::Expr>,
    ) -> Bound<Plan> {
        let limit = match limit {
            Some(share) if percent => {
                let share = self.share_of_rows(share)?;
                let offset = offset.map_or(Ok(None), |e| self.count(e, "OFFSET"))?;
                return self.first_share(plan?, share, offset.unwrap_or(0));
            }
            limit => limit.map_or(Ok(None), |e| self.count(e, "LIMIT")),
        };
        let offset = offset.map_or(Ok(None), |e| self.count(e, "OFFSET"));
        let (plan, limit, offset) = (plan?, limit?, offset?);
        Ok(if limit.is_some() || offset.unwrap_or(0) > 0 {
            plan.limit(limit, offset.unwrap_or(0))
        } else {
            plan
        })
    }

    pub(super) fn body(&mut self, body: &Body) -> Bound<Plan> {
        match body {
            Body::Select(select) => self.select(select, Order::NONE),
            Body::Values { rows, span } => self.values(rows, *span),
            Body::SetOp { .. } => self.set_operations(body),
            Body::Nested(query) => self.query(query),
        }
    }

    fn count(&mut self, expr: &ast::Expr, what: &'static str) -> Bound<Option<usize>> {
        let scope = Scope::default();
        let mark = self.errors.len();
        let Ok(bound) = self.expr(expr, Place::plain(&scope, what)) else {
            // Replaces the error for an unknown column: no column is allowed here.
            if self.errors.iter().skip(mark).any(|e| e.code == Code::UnknownColumn) {
                self.errors.truncate(mark);
                return self.constant_count(expr.span, what);
            }
            return Err(Failed);
        };
        match bound.as_literal().map(|v| (v, convert::literal(v, Ty::Int))) {
            Some((Value::Null, _)) => Ok(None),
            Some((Value::Bool(_) | Value::Double(_) | Value::Addr(_), _)) | None => {
                self.constant_count(expr.span, what)
            }
            Some((_, Some(Value::Int(n)))) => match usize::try_from(n) {
                Ok(n) => Ok(Some(n)),
                Err(_) => {
                    self.fail_at(Code::BadQuery, expr.span, format!("{what} cannot be negative"))
                }
            },
            Some(_) => self.constant_count(expr.span, what),
        }
    }

    /// The percentage of `LIMIT n%`.
    fn share_of_rows(&mut self, expr: &ast::Expr) -> Bound<f64> {
        let share = match &expr.kind {
            #[allow(clippy::cast_precision_loss, reason = "values above 100 are an error")]
            ast::ExprKind::Literal(ast::Literal::Int(n)) => *n as f64,
            ast::ExprKind::Literal(ast::Literal::Double(n)) => *n,
            _ => f64::NAN,
        };
        if (0.0..=100.0).contains(&share) {
            return Ok(share);
        }
        self.fail_at(Code::BadQuery, expr.span, "LIMIT takes 0 to 100 percent of the rows")
    }

    fn constant_count<T>(&mut self, span: Span, what: &str) -> Bound<T> {
        let message = format!("{what} needs a constant INTEGER");
        self.fail(
            Diagnostic::at(Code::BadQuery, span, message)
                .help(format!("write a number, or a parameter: {what} $n")),
        )
    }

    fn values(&mut self, rows: &[Vec<ast::Expr>], span: Span) -> Bound<Plan> {
        let scope = Scope::default();
        let place = Place::plain(&scope, "VALUES");
        let bound: Vec<Bound<Vec<Expr>>> = rows.iter().map(|row| self.exprs(row, place)).collect();
        let bound = bound.into_iter().collect::<Bound<Vec<_>>>()?;
        let width = bound.first().map_or(0, Vec::len);
        if let Some(odd) = bound.iter().find(|row| row.len() != width) {
            let at = odd.iter().map(|e| e.span).reduce(Span::to).unwrap_or(span);
            let message =
                format!("the first row of VALUES has {}, this one {}", columns(width), odd.len());
            return self.fail_at(Code::BadQuery, at, message);
        }
        let mut columns: Vec<Vec<Expr>> = vec![Vec::with_capacity(bound.len()); width];
        for row in bound {
            for (column, expr) in columns.iter_mut().zip(row) {
                column.push(expr);
            }
        }
        let columns: Vec<Bound<Vec<Expr>>> =
            columns.into_iter().map(|c| self.unify(c, "the rows of VALUES")).collect();
        let columns = columns.into_iter().collect::<Bound<Vec<_>>>()?;
        let field = |(i, column): (usize, &Vec<Expr>)| Field {
            name: format!("col{i}"),
            ty: column.first().map_or(Ty::Null, |e| e.ty),
            format: common_format(column),
        };
        let schema = columns.iter().enumerate().map(field).collect();
        let mut rows: Vec<Vec<Expr>> = (0..rows.len()).map(|_| Vec::with_capacity(width)).collect();
        for column in columns {
            for (row, expr) in rows.iter_mut().zip(column) {
                row.push(expr);
            }
        }
        Ok(Plan::values(rows, schema, span))
    }

    /// `ORDER BY` over the rows of a set operation, of `VALUES`, or of a query in parentheses.
    fn order_output(&mut self, plan: Plan, order: Order<'_>) -> Bound<Plan> {
        if order.is_none() {
            return Ok(plan);
        }
        let scope = scope_of(&plan, "");
        let place = Place::plain(&scope, "ORDER BY");
        let columns: Vec<(String, Expr)> = plan.names().into_iter().zip(plan.columns()).collect();
        let keys = self.order_keys(order, &columns, place)?;
        let width = plan.schema.len();
        let (mut keys, extra) = super::order::split_keys(keys, width);
        let (mut exprs, mut names) = (plan.columns(), plan.names());
        names.extend(computed_names(&plan, &extra));
        exprs.extend(extra);
        super::order::type_keys(&mut keys, &exprs);
        if exprs.len() == width {
            return Ok(plan.sort(keys));
        }
        let sorted = plan.project(exprs, names).sort(keys);
        Ok(first_columns(sorted, width))
    }
}

/// A number of columns in words.
pub(super) fn columns(count: usize) -> String {
    if count == 1 { "1 column".to_owned() } else { format!("{count} columns") }
}

/// The plan with its first columns only.
pub(super) fn first_columns(plan: Plan, width: usize) -> Plan {
    let (mut exprs, mut names) = (plan.columns(), plan.names());
    exprs.truncate(width);
    names.truncate(width);
    plan.project(exprs, names)
}
