//! PIVOT: an aggregation with one column for each value and aggregate; each aggregate is computed
//! over the rows with the value.

use super::expr::Place;
use super::from::{Source, scope_of};
use super::order::Order;
use super::scope::{Scope, ScopeColumn};
use super::unify::settle_nulls;
use super::{Binder, Bound, Failed};
use crate::catalog::{Format, FunctionKind, PointerWidth, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::walk::{self, Visit};
use crate::lang::ast::{
    self, BinaryOp, Call, ExprKind as AstKind, GroupBy, GroupItem, Ident, Literal, Pivot, PivotOn,
    PivotValues, Select, SelectItem,
};
use crate::plan::{Expr, ExprKind, Plan, SortKey, convert};

/// The maximum number of columns that a PIVOT creates.
const MAX_COLUMNS: usize = 1_000;

/// A value of an ON expression: the condition that selects its rows, and the name of its columns.
#[derive(Clone)]
struct Choice {
    condition: Option<ast::Expr>,
    name: String,
}

impl Binder<'_> {
    /// Binds a PIVOT over the rows of a table.
    pub(super) fn pivot(&mut self, source: Source, pivot: &Pivot) -> Bound<Source> {
        let mut columns = vec![Choice { condition: None, name: String::new() }];
        let aggregates = pivot.using.len().max(1);
        let keys = match &pivot.keys {
            Some(keys) => keys.clone(),
            None => other_columns(&source.1, pivot),
        };
        let (mut plan, mut scope) = source;
        for on in &pivot.on {
            let (rows, names, choices) = self.choices((plan, scope), on, pivot.span)?;
            (plan, scope) = (rows, names);
            if columns.len().saturating_mul(choices.len()).saturating_mul(aggregates) > MAX_COLUMNS
            {
                return self.too_many(on.expr.span);
            }
            columns = columns
                .iter()
                .flat_map(|column| choices.iter().map(|choice| column.and(choice)))
                .collect();
        }
        let mut items: Vec<SelectItem> =
            keys.iter().map(|key| SelectItem::Expr { expr: key.clone(), alias: None }).collect();
        let count = [(count_of_rows(pivot.span), None)];
        let using = if pivot.using.is_empty() { &count[..] } else { &pivot.using };
        for column in &columns {
            for (expr, alias) in using {
                items.push(self.made_column(column, expr, alias.as_ref(), using.len())?);
            }
        }
        if items.is_empty() {
            let message = "PIVOT leaves no column: there is no value and no key";
            return self.fail_at(Code::BadQuery, pivot.span, message);
        }
        self.grow(items.len(), pivot.span)?;
        let group_by = if keys.is_empty() {
            GroupBy::Sets(vec![GroupItem::Keys(Vec::new())])
        } else {
            GroupBy::Keys(keys)
        };
        let select = Select { items, group_by, ..Select::blank(pivot.span) };
        let plan = self.select_over(&select, plan, &scope, Order::NONE)?;
        Ok(distinctly_named(plan))
    }

    /// One column: an aggregate over the rows with the value.
    fn made_column(
        &mut self,
        column: &Choice,
        expr: &ast::Expr,
        alias: Option<&Ident>,
        of: usize,
    ) -> Bound<SelectItem> {
        let aggregate = alias.map_or_else(|| super::name::of(expr), |alias| alias.text.clone());
        let text = match (column.name.is_empty() && column.condition.is_none(), of, alias) {
            (true, _, _) => aggregate,
            (false, 1, None) => column.name.clone(),
            _ => format!("{}_{aggregate}", column.name),
        };
        let mut expr = expr.clone();
        let mut filter = Filtered { binder: self, condition: column.condition.as_ref(), found: 0 };
        walk::expr(&mut filter, &mut expr);
        if filter.found != 1 {
            let message = format!(
                "PIVOT takes one aggregate for a column, this has {}",
                if filter.found == 0 { "none".to_owned() } else { filter.found.to_string() }
            );
            let error = Diagnostic::at(Code::Grouping, expr.span, message);
            return self.fail(error.help("write USING sum(x), or several with commas between"));
        }
        let alias = Some(Ident { text, quoted: true, span: expr.span });
        Ok(SelectItem::Expr { expr, alias })
    }

    fn too_many<T>(&mut self, span: Span) -> Bound<T> {
        let message = format!("PIVOT makes more than {MAX_COLUMNS} columns");
        self.fail(
            Diagnostic::at(Code::Limit, span, message)
                .help("say which values are meant: ON x IN ('a', 'b')"),
        )
    }

    /// The values of an ON expression. The rows may get a further column for it.
    fn choices(
        &mut self,
        (plan, scope): Source,
        on: &PivotOn,
        span: Span,
    ) -> Bound<(Plan, Scope, Vec<Choice>)> {
        if let PivotValues::Listed(values) = &on.values {
            let choices = self.listed(on, values)?;
            return Ok((plan, scope, choices));
        }
        // Values that are read from rows are compared as texts, which are computed once.
        let value = self.expr(&on.expr, Place::plain(&scope, "PIVOT"))?;
        let at = value.span;
        let text = convert::explicit(value, Ty::Text, false, None);
        let values = match &on.values {
            PivotValues::Queried(query) => {
                let rows = self.query(query)?;
                let mut columns = rows.columns();
                let (Some(column), true) = (columns.pop(), columns.is_empty()) else {
                    return self.one_column(rows.schema.len(), at);
                };
                let only = convert::explicit(column, Ty::Text, false, None);
                self.asked(rows, only, false, at)?
            }
            _ => self.asked(plan.clone(), text.clone(), true, at)?,
        };
        let width = plan.schema.len();
        let (mut exprs, mut names) = (plan.columns(), plan.names());
        exprs.push(text);
        names.push(super::name::of(&on.expr));
        let plan = plan.project(exprs, names);
        let mut scope = scope;
        // A name that cannot be written in a query.
        let name = format!("\u{0}{width}");
        scope.columns.push(ScopeColumn {
            qualifier: None,
            name: name.clone(),
            expr: plan.columns().pop().ok_or(Failed)?,
            hidden: true,
            shadowed: false,
            why: None,
        });
        let column = column_of(vec![name], span);
        let choice = |text: String| {
            let literal = AstKind::Literal(Literal::Text(text.clone()));
            let literal = ast::Expr { kind: literal, span };
            Choice { condition: Some(equal(column.clone(), literal, span)), name: text }
        };
        Ok((plan, scope, values.into_iter().map(choice).collect()))
    }

    /// Reads the distinct values of an expression over a plan, without NULL.
    fn asked(&mut self, plan: Plan, value: Expr, sorted: bool, span: Span) -> Bound<Vec<String>> {
        if plan.reads_params() || plan.reads_working() || value.reads_params() {
            let message = "the values that PIVOT makes columns of depend on the outer query";
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help("name them: ON x IN ('a', 'b')"));
        }
        let plan = plan.project(vec![value], vec!["value".to_owned()]);
        let column = plan.columns().pop().ok_or(Failed)?;
        let there = ExprKind::IsNull { expr: Box::new(column.clone()), negated: true };
        let mut plan = plan.filter(Expr::new(there, Ty::Bool, span)).distinct(None);
        if sorted {
            let key = SortKey { expr: column, descending: false, nulls_first: false };
            plan = plan.sort(vec![key]);
        }
        let values = match self.texts(plan.limit(Some(MAX_COLUMNS + 1), 0)) {
            Ok(values) => values,
            Err(error) => return self.fail(error),
        };
        if values.len() > MAX_COLUMNS { self.too_many(span) } else { Ok(values) }
    }

    fn listed(
        &mut self,
        on: &PivotOn,
        values: &[(ast::Expr, Option<Ident>)],
    ) -> Bound<Vec<Choice>> {
        let mut choices: Vec<Choice> = Vec::with_capacity(values.len());
        let mut known = std::collections::BTreeSet::new();
        for (value, alias) in values {
            let (condition, name) = self.listed_value(&on.expr, value)?;
            if !known.insert(name.clone()) {
                let message = format!("the value `{name}` is in the list twice");
                return self.fail_at(Code::BadQuery, value.span, message);
            }
            choices.push(Choice { condition: Some(condition), name });
            if choices.len() > MAX_COLUMNS {
                return self.too_many(value.span);
            }
            if let (Some(alias), Some(choice)) = (alias, choices.last_mut()) {
                choice.name.clone_from(&alias.text);
            }
        }
        Ok(choices)
    }

    /// The condition that an expression has a value, and the value as text.
    fn listed_value(&mut self, on: &ast::Expr, value: &ast::Expr) -> Bound<(ast::Expr, String)> {
        let (ons, values) = match (&on.kind, &value.kind) {
            (AstKind::Row(ons), AstKind::Row(values)) if ons.len() == values.len() => {
                (ons.as_slice(), values.as_slice())
            }
            (AstKind::Row(_), _) | (_, AstKind::Row(_)) => {
                let message = "a value of PIVOT has as many parts as what it is a value of";
                return self.fail_at(Code::BadQuery, value.span, message);
            }
            _ => (std::slice::from_ref(on), std::slice::from_ref(value)),
        };
        let mut whole: Option<(ast::Expr, String)> = None;
        for (on, value) in ons.iter().zip(values) {
            let scope = Scope::default();
            let bound = self.expr(value, Place::plain(&scope, "the values of PIVOT"))?;
            let Some(constant) = bound.as_literal() else {
                let message = "a value of PIVOT is a constant";
                return self.fail_at(Code::BadQuery, value.span, message);
            };
            let (condition, name) = if constant.is_null() {
                let expr = Box::new(on.clone());
                let kind = AstKind::IsNull { expr, negated: false };
                (ast::Expr { kind, span: value.span }, "NULL".to_owned())
            } else {
                let name = Format::Plain.render(constant, PointerWidth::Bits64);
                (equal(on.clone(), value.clone(), value.span), name)
            };
            whole = Some(match whole {
                None => (condition, name),
                Some((before, names)) => (both(before, condition), format!("{names}_{name}")),
            });
        }
        whole.ok_or(Failed)
    }
}

impl Choice {
    fn and(&self, other: &Self) -> Self {
        let condition = match (self.condition.clone(), other.condition.clone()) {
            (Some(left), Some(right)) => Some(both(left, right)),
            (left, right) => left.or(right),
        };
        let name = match self.condition {
            Some(_) => format!("{}_{}", self.name, other.name),
            None => other.name.clone(),
        };
        Self { condition, name }
    }
}

/// Adds a filter to the aggregates of an expression, and counts them.
struct Filtered<'b, 'c> {
    binder: &'b Binder<'c>,
    condition: Option<&'b ast::Expr>,
    found: usize,
}

impl Visit for Filtered<'_, '_> {
    fn expr(&mut self, expr: &mut ast::Expr) {
        let AstKind::Call(call) = &mut expr.kind else { return };
        let function = self.binder.catalog.function(&call.name.text);
        let aggregate = function.is_some_and(|f| f.kind == FunctionKind::Aggregate);
        if !aggregate || call.over.is_some() {
            return;
        }
        self.found += 1;
        let Some(condition) = self.condition.cloned() else { return };
        call.filter = Some(Box::new(match call.filter.take() {
            Some(own) => both(condition, *own),
            None => condition,
        }));
    }
}

/// Collects the columns that expressions name.
struct Named<'s> {
    scope: &'s Scope,
    found: Vec<Expr>,
}

impl Visit for Named<'_> {
    fn expr(&mut self, expr: &mut ast::Expr) {
        if let AstKind::Column(name) = &expr.kind
            && let Ok(column) = self.scope.find(name)
        {
            self.found.push(column.expr.clone());
        }
    }
}

/// The columns that neither ON nor USING names.
fn other_columns(scope: &Scope, pivot: &Pivot) -> Vec<ast::Expr> {
    let mut named = Named { scope, found: Vec::new() };
    let exprs = pivot.on.iter().map(|on| &on.expr).chain(pivot.using.iter().map(|(expr, _)| expr));
    for expr in exprs {
        walk::expr(&mut named, &mut expr.clone());
    }
    let columns = scope.star(None).unwrap_or_default();
    let other = columns.into_iter().filter(|c| !named.found.iter().any(|f| f.same(&c.expr)));
    other
        .map(|column| {
            let parts = column.qualifier.iter().chain([&column.name]).cloned().collect();
            column_of(parts, pivot.span)
        })
        .collect()
}

fn column_of(parts: Vec<String>, span: Span) -> ast::Expr {
    let ident = |text: String| Ident { text, quoted: true, span };
    let parts = parts.into_iter().map(ident).collect();
    ast::Expr { kind: AstKind::Column(ast::Name { parts, span }), span }
}

fn count_of_rows(span: Span) -> ast::Expr {
    let call = Call {
        name: Ident { text: "count".to_owned(), quoted: false, span },
        args: Vec::new(),
        star: true,
        exclude: Vec::new(),
        distinct: false,
        order_by: Vec::new(),
        within_group: Vec::new(),
        ignore_nulls: false,
        filter: None,
        over: None,
    };
    ast::Expr { kind: AstKind::Call(call), span }
}

fn equal(left: ast::Expr, right: ast::Expr, span: Span) -> ast::Expr {
    binary(BinaryOp::Eq, left, right, span)
}

fn both(left: ast::Expr, right: ast::Expr) -> ast::Expr {
    let span = right.span;
    binary(BinaryOp::And, left, right, span)
}

fn binary(op: BinaryOp, left: ast::Expr, right: ast::Expr, span: Span) -> ast::Expr {
    let (left, right) = (Box::new(left), Box::new(right));
    ast::Expr { kind: AstKind::Binary { op, op_span: span, left, right }, span }
}

/// Rows without a table name, whose columns get distinct names: `k`, `k_1`.
pub(super) fn distinctly_named(plan: Plan) -> Source {
    let mut plan = settle_nulls(plan);
    let mut known = std::collections::BTreeSet::new();
    for field in &mut plan.schema {
        let (base, mut n) = (field.name.clone(), 1);
        while !known.insert(field.name.to_lowercase()) {
            field.name = format!("{base}_{n}");
            n += 1;
        }
    }
    let scope = scope_of(&plan, "");
    (plan, scope)
}

#[cfg(test)]
mod tests {
    use super::{Choice, both, count_of_rows};
    use crate::diag::Span;

    #[test]
    fn combinations_are_named_after_their_values() {
        let choice = |name: &str| Choice {
            condition: Some(count_of_rows(Span::default())),
            name: name.to_owned(),
        };
        let none = Choice { condition: None, name: String::new() };
        let combined = none.and(&choice("a")).and(&choice("b"));
        assert_eq!(combined.name, "a_b");
        let one = count_of_rows(Span::default());
        assert_eq!(combined.condition, Some(both(one.clone(), one)));
    }
}
