//! Walks over typed expressions and plans: children, columns, sizes, structural equality.
//!
//! Every pass uses these walks, so that a new kind of expression or operator is added in one place.
//! Depth is bounded by the binder, which is why plain recursion is safe here.

mod plans;

use std::sync::Arc;

use super::{Expr, ExprKind, Field, Plan, QueryKind};
use crate::catalog::{Format, Ty, Value};
use crate::diag::Span;
use crate::lang::ast::BinaryOp;

impl Expr {
    /// A constant of its own type.
    pub(super) fn literal(value: Value<'static>, span: Span) -> Self {
        let ty = value.ty();
        Self { kind: ExprKind::Literal(value), ty, format: Format::Plain, span }
    }

    /// NULL of type `ty`.
    pub(super) fn null(ty: Ty, span: Span) -> Self {
        Self { ty, ..Self::literal(Value::Null, span) }
    }

    /// Column `index`, which is `field`.
    pub(super) fn column(index: usize, field: &Field, span: Span) -> Self {
        Self { kind: ExprKind::Column(index), ty: field.ty, format: field.format, span }
    }

    /// An expression with the plain format.
    pub(super) fn new(kind: ExprKind, ty: Ty, span: Span) -> Self {
        Self { kind, ty, format: Format::Plain, span }
    }

    /// A boolean operator between two operands.
    pub(super) fn binary(op: BinaryOp, left: Self, right: Self, ty: Ty) -> Self {
        let span = left.span.to(right.span);
        Self::new(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty, span)
    }

    /// The value, if this is a constant.
    pub(super) const fn as_literal(&self) -> Option<&Value<'static>> {
        if let ExprKind::Literal(value) = &self.kind { Some(value) } else { None }
    }

    /// Whether this is a NULL constant.
    pub(super) const fn is_null_literal(&self) -> bool {
        matches!(&self.kind, ExprKind::Literal(Value::Null))
    }

    /// The direct operands, in order; sub-queries are not included.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Symbol(_)
            | ExprKind::Local(_)
            | ExprKind::Param(_) => Vec::new(),
            ExprKind::Not(e) | ExprKind::Negate(e) | ExprKind::BitNot(e) => vec![e],
            ExprKind::IsNull { expr, .. } | ExprKind::Cast { expr, .. } => vec![expr],
            ExprKind::Binary { left, right, .. } | ExprKind::IsDistinct { left, right, .. } => {
                vec![left, right]
            }
            ExprKind::Match { expr, pattern, .. } => vec![expr, pattern],
            ExprKind::InList { expr, list, .. } => std::iter::once(&**expr).chain(list).collect(),
            ExprKind::Case { branches, otherwise } => {
                let pairs = branches.iter().flat_map(|(when, then)| [when, then]);
                pairs.chain(otherwise.as_deref()).collect()
            }
            ExprKind::Call { args, .. } => args.iter().collect(),
            ExprKind::Query(query) => query.values.iter().chain(&query.args).collect(),
            ExprKind::Each(each) => each.exprs(),
        }
    }

    /// The direct operands, in order.
    pub fn children_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.kind {
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Symbol(_)
            | ExprKind::Local(_)
            | ExprKind::Param(_) => Vec::new(),
            ExprKind::Not(e) | ExprKind::Negate(e) | ExprKind::BitNot(e) => vec![e],
            ExprKind::IsNull { expr, .. } | ExprKind::Cast { expr, .. } => vec![expr],
            ExprKind::Binary { left, right, .. } | ExprKind::IsDistinct { left, right, .. } => {
                vec![left, right]
            }
            ExprKind::Match { expr, pattern, .. } => vec![expr, pattern],
            ExprKind::InList { expr, list, .. } => {
                std::iter::once(&mut **expr).chain(list).collect()
            }
            ExprKind::Case { branches, otherwise } => {
                let pairs = branches.iter_mut().flat_map(|(when, then)| [when, then]);
                pairs.chain(otherwise.as_deref_mut()).collect()
            }
            ExprKind::Call { args, .. } => args.iter_mut().collect(),
            ExprKind::Query(query) => query.values.iter_mut().chain(&mut query.args).collect(),
            ExprKind::Each(each) => each.exprs_mut(),
        }
    }

    /// The sub-query of this node itself.
    pub(super) const fn subplan(&self) -> Option<&Arc<Plan>> {
        match &self.kind {
            ExprKind::Query(query) => Some(&query.plan),
            _ => None,
        }
    }

    /// The sub-query of this node itself.
    pub(super) const fn subplan_mut(&mut self) -> Option<&mut Arc<Plan>> {
        match &mut self.kind {
            ExprKind::Query(query) => Some(&mut query.plan),
            _ => None,
        }
    }

    /// Calls `f` on this and every expression below, parents first.
    pub fn visit(&self, f: &mut dyn FnMut(&Self)) {
        f(self);
        for child in self.children() {
            child.visit(f);
        }
    }

    /// Calls `f` on this and every expression below, parents first.
    pub(super) fn visit_mut(&mut self, f: &mut dyn FnMut(&mut Self)) {
        f(self);
        for child in self.children_mut() {
            child.visit_mut(f);
        }
    }

    /// The number of nodes.
    pub(super) fn size(&self) -> usize {
        let mut count = 0;
        self.visit(&mut |_| count += 1);
        count
    }

    /// The number of nodes on the longest path downwards, including those of sub-queries.
    pub(super) fn depth(&self) -> usize {
        let below = self.children().into_iter().map(Self::depth).max().unwrap_or(0);
        1 + below.max(self.subplan().map_or(0, |plan| plan.depth()))
    }

    /// Marks the columns that the expression reads.
    pub(super) fn mark_columns(&self, marks: &mut [bool]) {
        self.visit(&mut |e| {
            if let ExprKind::Column(index) = e.kind
                && let Some(mark) = marks.get_mut(index)
            {
                *mark = true;
            }
        });
    }

    /// Whether `test` is true for all columns that the expression reads.
    pub(super) fn columns_all(&self, test: impl Fn(usize) -> bool) -> bool {
        let mut all = true;
        self.visit(&mut |e| {
            if let ExprKind::Column(index) = e.kind {
                all &= test(index);
            }
        });
        all
    }

    /// Replaces each column's index.
    pub(super) fn map_columns(&mut self, map: &dyn Fn(usize) -> usize) {
        self.visit_mut(&mut |e| {
            if let ExprKind::Column(index) = &mut e.kind {
                *index = map(*index);
            }
        });
    }

    /// Replaces each column by the expression of that index. Spans of the columns are kept.
    pub(super) fn substitute(&mut self, exprs: &[Self]) {
        if let ExprKind::Column(index) = self.kind {
            if let Some(expr) = exprs.get(index) {
                *self = Self { span: self.span, ..expr.clone() };
            }
            return;
        }
        for child in self.children_mut() {
            child.substitute(exprs);
        }
    }

    /// Whether two expressions compute the same value from the same row: equal except for their
    /// spans.
    pub(super) fn same(&self, other: &Self) -> bool {
        if self.ty != other.ty || !self.same_node(other) {
            return false;
        }
        if let (ExprKind::Each(a), ExprKind::Each(b)) = (&self.kind, &other.kind) {
            return a.same(b);
        }
        let (mine, others) = (self.children(), other.children());
        mine.len() == others.len() && mine.iter().zip(others).all(|(a, b)| a.same(b))
    }

    fn same_node(&self, other: &Self) -> bool {
        use ExprKind as K;
        match (&self.kind, &other.kind) {
            (K::Column(a), K::Column(b))
            | (K::Param(a), K::Param(b))
            | (K::Local(a), K::Local(b)) => a == b,
            (K::Literal(a), K::Literal(b)) => a == b,
            (K::Not(_), K::Not(_))
            | (K::Each(_), K::Each(_))
            | (K::Negate(_), K::Negate(_))
            | (K::BitNot(_), K::BitNot(_)) => true,
            (K::Binary { op: a, .. }, K::Binary { op: b, .. }) => a == b,
            (K::IsNull { negated: a, .. }, K::IsNull { negated: b, .. })
            | (K::IsDistinct { negated: a, .. }, K::IsDistinct { negated: b, .. })
            | (K::InList { negated: a, .. }, K::InList { negated: b, .. }) => a == b,
            (K::Cast { lenient, range, .. }, K::Cast { lenient: lenient2, range: range2, .. }) => {
                lenient == lenient2 && range == range2
            }
            (
                K::Match { op, escape, negated, .. },
                K::Match { op: op2, escape: escape2, negated: negated2, .. },
            ) => op == op2 && escape == escape2 && negated == negated2,
            (K::Case { branches: a, .. }, K::Case { branches: b, .. }) => a.len() == b.len(),
            (K::Call { function: a, .. }, K::Call { function: b, .. }) => a.name == b.name,
            (K::Symbol(a), K::Symbol(b)) => a == b,
            (K::Query(a), K::Query(b)) => {
                Arc::ptr_eq(&a.plan, &b.plan)
                    && a.kind == b.kind
                    && a.values.len() == b.values.len()
            }
            _ => false,
        }
    }

    /// Whether computing it can fail. Such expressions are not computed for rows for which the
    /// query as written would not compute them.
    pub(super) fn can_fail(&self) -> bool {
        let own = match &self.kind {
            ExprKind::Binary { op, .. } => matches!(
                op,
                BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::IntDiv
                    | BinaryOp::Mod
                    | BinaryOp::ShiftLeft
                    | BinaryOp::ShiftRight
            ),
            ExprKind::Cast { range: Some(_), lenient, .. } => !lenient,
            ExprKind::Cast { expr, lenient, .. } => {
                !lenient
                    && self.ty != Ty::Text
                    && !(self.ty == Ty::Double && expr.ty != Ty::Text)
                    && (expr.ty, self.ty) != (Ty::Date, Ty::Time)
            }
            ExprKind::Call { function, .. } => !function.is_total,
            ExprKind::Negate(_) | ExprKind::Symbol(_) | ExprKind::Each(_) => true,
            ExprKind::Query(query) => query.kind == QueryKind::Scalar,
            ExprKind::Match { pattern, .. } => pattern.as_literal().is_none(),
            _ => false,
        };
        own || self.children().into_iter().any(Self::can_fail)
    }
}

/// The conditions that `AND` combines, in order.
pub(super) fn split_and(expr: Expr, into: &mut Vec<Expr>) {
    match expr.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            split_and(*left, into);
            split_and(*right, into);
        }
        _ => into.push(expr),
    }
}

/// The terms combined by one associative operator, as a tree of logarithmic depth; `None` if there
/// are no terms.
pub(super) fn balanced(op: BinaryOp, ty: Ty, mut terms: Vec<Expr>) -> Option<Expr> {
    while terms.len() > 1 {
        let mut next = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            next.push(match rest.next() {
                Some(right) => Expr::binary(op, left, right, ty),
                None => left,
            });
        }
        terms = next;
    }
    terms.pop()
}

/// All conditions combined by `AND`.
pub(super) fn conjunction(terms: Vec<Expr>) -> Option<Expr> {
    balanced(BinaryOp::And, Ty::Bool, terms)
}
