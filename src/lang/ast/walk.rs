//! Visits every span and every expression of a tree, and can change them in place.

mod calls;
mod pipe;

use super::{Body, OrderAll, With};
use super::{
    Distinct, Expr, ExprKind, GroupBy, GroupItem, Ident, JoinOn, Name, OrderItem, Query, Select,
    SelectItem, TableAlias, TableRef, TableRefKind,
};
use super::{PivotValues, Turn};
use crate::diag::Span;
use calls::{call, windows};
use pipe::pipe;

/// The changes that are made at the nodes of a tree.
pub trait Visit {
    /// Called for each span.
    fn span(&mut self, _: &mut Span) {}

    /// Called for each expression, after its operands.
    fn expr(&mut self, _: &mut Expr) {}

    /// Called for each item of FROM, after its parts.
    fn table(&mut self, _: &mut TableRef) {}
}

/// Sets all spans to one span.
#[derive(Debug)]
pub struct At(pub Span);

impl Visit for At {
    fn span(&mut self, span: &mut Span) {
        *span = self.0;
    }
}

/// A copy of a query with all spans set to one span.
pub fn placed(whole: &Query, at: Span) -> Query {
    let mut copy = whole.clone();
    query(&mut At(at), &mut copy);
    copy
}

/// Visits a query.
pub fn query(v: &mut dyn Visit, query: &mut Query) {
    if let Some(with) = &mut query.with {
        with_(v, with);
    }
    body(v, &mut query.body);
    for item in &mut query.order_by {
        order_item(v, item);
    }
    order_all(v, query.order_by_all.as_mut());
    for count in query.limit.iter_mut().chain(&mut query.offset) {
        expr(v, count);
    }
    for step in &mut query.pipes {
        pipe(v, step);
    }
    v.span(&mut query.span);
}

fn with_(v: &mut dyn Visit, with: &mut With) {
    v.span(&mut with.span);
    for cte in &mut with.ctes {
        ident(v, &mut cte.name);
        idents(v, &mut cte.columns);
        query(v, &mut cte.query);
    }
}

fn body(v: &mut dyn Visit, whole: &mut Body) {
    match whole {
        Body::Select(whole) => select(v, whole),
        Body::Values { rows, span } => {
            for value in rows.iter_mut().flatten() {
                expr(v, value);
            }
            v.span(span);
        }
        Body::SetOp { left, right, span, .. } => {
            body(v, left);
            body(v, right);
            v.span(span);
        }
        Body::Nested(inner) => query(v, inner),
    }
}

fn select(v: &mut dyn Visit, select: &mut Select) {
    if let Distinct::On(keys) = &mut select.distinct {
        exprs(v, keys);
    }
    for item in &mut select.items {
        select_item(v, item);
    }
    if let Some(from) = &mut select.from {
        table(v, from);
    }
    match &mut select.group_by {
        GroupBy::None => {}
        GroupBy::All(span) => v.span(span),
        GroupBy::Keys(keys) => exprs(v, keys),
        GroupBy::Sets(items) => {
            for item in items {
                group_item(v, item);
            }
        }
    }
    let conditions = [&mut select.filter, &mut select.having, &mut select.qualify];
    for condition in conditions.into_iter().flatten() {
        expr(v, condition);
    }
    windows(v, &mut select.windows);
    v.span(&mut select.span);
}

fn select_item(v: &mut dyn Visit, item: &mut SelectItem) {
    match item {
        SelectItem::Expr { expr: value, alias } => {
            expr(v, value);
            if let Some(alias) = alias {
                ident(v, alias);
            }
        }
        SelectItem::Star { qualifier, exclude, replace, rename, like, span } => {
            if let Some(qualifier) = qualifier {
                name(v, qualifier);
            }
            idents(v, exclude);
            for (value, name) in replace {
                expr(v, value);
                ident(v, name);
            }
            for (from, to) in rename {
                ident(v, from);
                ident(v, to);
            }
            if let Some(like) = like {
                ident(v, &mut like.pattern);
            }
            v.span(span);
        }
    }
}

fn group_item(v: &mut dyn Visit, item: &mut GroupItem) {
    match item {
        GroupItem::Keys(keys) => exprs(v, keys),
        GroupItem::Rollup(lists) | GroupItem::Cube(lists) => {
            for keys in lists {
                exprs(v, keys);
            }
        }
        GroupItem::Sets(items) => {
            for item in items {
                group_item(v, item);
            }
        }
    }
}

fn table(v: &mut dyn Visit, whole: &mut TableRef) {
    match &mut whole.kind {
        TableRefKind::Table(table) => name(v, table),
        TableRefKind::File(file) => ident(v, file),
        TableRefKind::Function { name: function, args, .. } => {
            name(v, function);
            for arg in args {
                if let Some(name) = &mut arg.name {
                    ident(v, name);
                }
                expr(v, &mut arg.value);
            }
        }
        TableRefKind::Subquery { query: inner, .. } => query(v, inner),
        TableRefKind::Turned { input, turn: made } => {
            table(v, input);
            turn(v, made);
        }
        TableRefKind::Join { left, right, on, .. } => {
            table(v, left);
            table(v, right);
            join_on(v, on);
        }
    }
    table_alias(v, &mut whole.alias);
    v.span(&mut whole.span);
    v.table(whole);
}

fn table_alias(v: &mut dyn Visit, alias: &mut Option<TableAlias>) {
    if let Some(TableAlias { name, columns }) = alias {
        ident(v, name);
        idents(v, columns);
    }
}

fn turn(v: &mut dyn Visit, turn: &mut Turn) {
    match turn {
        Turn::Pivot(pivot) => {
            for on in &mut pivot.on {
                expr(v, &mut on.expr);
                match &mut on.values {
                    PivotValues::All => {}
                    PivotValues::Listed(values) => named_exprs(v, values),
                    PivotValues::Queried(inner) => query(v, inner),
                }
            }
            named_exprs(v, &mut pivot.using);
            for key in pivot.keys.iter_mut().flatten() {
                expr(v, key);
            }
            v.span(&mut pivot.span);
        }
        Turn::Unpivot(unpivot) => {
            for item in &mut unpivot.items {
                select_item(v, item);
            }
            ident(v, &mut unpivot.name);
            idents(v, &mut unpivot.values);
            v.span(&mut unpivot.span);
        }
        Turn::Sample(sample) => v.span(&mut sample.span),
    }
}

fn named_exprs(v: &mut dyn Visit, all: &mut [(Expr, Option<Ident>)]) {
    for (value, name) in all {
        expr(v, value);
        if let Some(name) = name {
            ident(v, name);
        }
    }
}

fn join_on(v: &mut dyn Visit, on: &mut JoinOn) {
    match on {
        JoinOn::Condition(condition) => expr(v, condition),
        JoinOn::Using(names) => idents(v, names),
        JoinOn::Natural | JoinOn::None => {}
    }
}

fn order_item(v: &mut dyn Visit, item: &mut OrderItem) {
    expr(v, &mut item.expr);
}

fn order_all(v: &mut dyn Visit, all: Option<&mut OrderAll>) {
    if let Some(all) = all {
        v.span(&mut all.span);
    }
}

fn exprs(v: &mut dyn Visit, all: &mut [Expr]) {
    for one in all {
        expr(v, one);
    }
}

/// Visits an expression.
pub fn expr(v: &mut dyn Visit, whole: &mut Expr) {
    match &mut whole.kind {
        ExprKind::Literal(_)
        | ExprKind::Symbol(_)
        | ExprKind::Parameter(_)
        | ExprKind::Position(_) => {}
        ExprKind::Column(column) => name(v, column),
        ExprKind::Unary { expr: operand, .. }
        | ExprKind::IsNull { expr: operand, .. }
        | ExprKind::IsBool { expr: operand, .. } => expr(v, operand),
        ExprKind::Binary { op_span, left, right, .. } => {
            v.span(op_span);
            expr(v, left);
            expr(v, right);
        }
        ExprKind::IsDistinct { left, right, .. } => {
            expr(v, left);
            expr(v, right);
        }
        ExprKind::Between { expr: operand, low, high, .. } => {
            for part in [operand, low, high] {
                expr(v, part);
            }
        }
        ExprKind::InList { expr: operand, list, .. } => {
            expr(v, operand);
            exprs(v, list);
        }
        ExprKind::InQuery { expr: operand, query: inner, .. } => {
            expr(v, operand);
            query(v, inner);
        }
        ExprKind::Match { expr: operand, pattern, escape, .. } => {
            expr(v, operand);
            expr(v, pattern);
            if let Some(escape) = escape {
                expr(v, escape);
            }
        }
        ExprKind::MatchList { expr: operand, patterns, .. } => {
            expr(v, operand);
            exprs(v, patterns);
        }
        ExprKind::Collate { expr: operand, collation } => {
            expr(v, operand);
            ident(v, collation);
        }
        ExprKind::Case { operand, branches, otherwise } => {
            if let Some(operand) = operand {
                expr(v, operand);
            }
            for (condition, result) in branches {
                expr(v, condition);
                expr(v, result);
            }
            if let Some(result) = otherwise {
                expr(v, result);
            }
        }
        ExprKind::Cast { expr: operand, ty, .. } => {
            expr(v, operand);
            ident(v, ty);
        }
        ExprKind::Call(whole) => call(v, whole),
        ExprKind::Row(values) => exprs(v, values),
        ExprKind::Struct(fields) => {
            for (name, value) in fields {
                ident(v, name);
                expr(v, value);
            }
        }
        ExprKind::Lambda { params, body } => {
            idents(v, params);
            expr(v, body);
        }
        ExprKind::Scalar(inner)
        | ExprKind::Exists(inner)
        | ExprKind::Quantified { query: inner, .. } => query(v, inner),
    }
    v.span(&mut whole.span);
    v.expr(whole);
}

fn ident(v: &mut dyn Visit, ident: &mut Ident) {
    v.span(&mut ident.span);
}

fn idents(v: &mut dyn Visit, all: &mut [Ident]) {
    for one in all {
        ident(v, one);
    }
}

fn name(v: &mut dyn Visit, name: &mut Name) {
    idents(v, &mut name.parts);
    v.span(&mut name.span);
}
