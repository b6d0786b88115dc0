//! Operators: their operand and result types. The table is at [`ExprKind::Binary`].

use super::arithmetic::{adapt_literal, literal_as};
use super::collate::is_collated;
use super::expr::{Place, article};
use super::quantified::is_special_comparison;
use super::{Binder, Bound, Failed, calendar};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp, Literal, UnaryOp};
use crate::plan::convert::{self, cast, common};
use crate::plan::fold::fold;
use crate::plan::walk::balanced;
use crate::plan::{Expr, ExprKind};

/// An operator of a chain and its right operand.
struct Link<'a> {
    op: BinaryOp,
    op_span: Span,
    right: &'a ast::Expr,
}

impl Binder<'_> {
    pub(super) fn unary(
        &mut self,
        op: UnaryOp,
        operand: &ast::Expr,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        if op == UnaryOp::Negate
            && let ast::ExprKind::Literal(Literal::Int(magnitude)) = operand.kind
            && magnitude == i64::MIN.unsigned_abs()
        {
            return Ok(Expr::literal(Value::Int(i64::MIN), span));
        }
        if op == UnaryOp::Not {
            let inner = self.condition(operand, place, "NOT")?;
            return Ok(fold(Expr::new(ExprKind::Not(Box::new(inner)), Ty::Bool, span)));
        }
        let inner = self.expr(operand, place)?;
        let inner = if inner.ty == Ty::Null { Expr::null(Ty::Int, inner.span) } else { inner };
        let (ty, format) = (inner.ty, inner.format);
        match (op, ty) {
            (UnaryOp::Plus, Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Interval | Ty::Addr) => {
                Ok(inner)
            }
            (UnaryOp::Negate, Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Interval) => {
                Ok(fold(Expr::new(ExprKind::Negate(Box::new(inner)), ty, span)))
            }
            (UnaryOp::BitNot, Ty::Int | Ty::Addr) => {
                Ok(Expr { kind: ExprKind::BitNot(Box::new(inner)), ty, format, span })
            }
            _ => {
                let sign = match op {
                    UnaryOp::Not => "NOT",
                    UnaryOp::Negate => "-",
                    UnaryOp::Plus => "+",
                    UnaryOp::BitNot => "~",
                };
                let message = format!("`{sign}` does not take {}", article(ty));
                self.fail_at(Code::TypeMismatch, span, message)
            }
        }
    }

    /// A left-associative chain of operators, walked without recursion.
    pub(super) fn chain(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        if let Some(moved) = self.calendar(expr, place) {
            return moved;
        }
        if let Some(compared) = self.special_comparison(expr, place) {
            return compared;
        }
        let mut links = Vec::new();
        let mut first = expr;
        while let ast::ExprKind::Binary { op, op_span, left, right } = &first.kind {
            if calendar::is_step(left) && *op == BinaryOp::Add {
                break;
            }
            if is_special_comparison(first) {
                break;
            }
            links.push(Link { op: *op, op_span: *op_span, right });
            first = left;
        }
        links.reverse();
        let associative = |op| matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Concat);
        let steps = links.windows(2).filter(|w| match w {
            [a, b] => !(a.op == b.op && associative(a.op)),
            _ => false,
        });
        // Chains of one associative operator become trees of logarithmic depth.
        let levels = steps.count() + if links.len() > 1 { links.len().ilog2() as usize } else { 0 };
        let numbers_only = links.iter().all(|l| matches!(l.right.kind, ast::ExprKind::Literal(_)))
            && matches!(first.kind, ast::ExprKind::Literal(_));
        let levels = if numbers_only { 0 } else { levels };
        self.deeper(levels, expr.span, |binder| binder.links(first, &links, place))
    }

    fn links(&mut self, first: &ast::Expr, links: &[Link<'_>], place: Place<'_>) -> Bound<Expr> {
        let mut left = match links.first() {
            // COLLATE is bound with the comparison of which it is an operand.
            Some(link) if is_comparison(link.op) && is_collated(first) => Err(Failed),
            _ => self.expr(first, place),
        };
        let mut rest = links;
        while let Some(link) = rest.first() {
            let run = match link.op {
                BinaryOp::And | BinaryOp::Or | BinaryOp::Concat => {
                    rest.iter().take_while(|l| l.op == link.op).count()
                }
                _ => 1,
            };
            let (now, later) = rest.split_at(run);
            rest = later;
            if matches!(link.op, BinaryOp::Add | BinaryOp::Sub) && calendar::is_step(link.right) {
                left = self.moved(left, link.right, link.op == BinaryOp::Sub, place);
                continue;
            }
            if is_comparison(link.op) {
                let whole = [first, link.right];
                let beside = if rest.len() + 1 == links.len() { &whole[..] } else { &whole[1..] };
                if let Some(collation) = self.collation_of(beside.iter().copied())? {
                    let left = if is_collated(first) && beside.len() == 2 {
                        self.collated(first, Some(collation), place)?
                    } else {
                        self.by_collation(left?, collation)?
                    };
                    let right = self.collated(link.right, Some(collation), place)?;
                    return self.binary(link.op, link.op_span, left, right);
                }
            }
            let rights: Vec<Bound<Expr>> = now.iter().map(|l| self.expr(l.right, place)).collect();
            left = match link.op {
                BinaryOp::And | BinaryOp::Or | BinaryOp::Concat => {
                    self.associative(link.op, left, rights)
                }
                op => match (left, rights.into_iter().next()) {
                    (Ok(left), Some(Ok(right))) => self.binary(op, link.op_span, left, right),
                    _ => Err(Failed),
                },
            };
        }
        left
    }

    fn associative(
        &mut self,
        op: BinaryOp,
        first: Bound<Expr>,
        rest: Vec<Bound<Expr>>,
    ) -> Bound<Expr> {
        let (ty, what) = match op {
            BinaryOp::And => (Ty::Bool, "AND"),
            BinaryOp::Or => (Ty::Bool, "OR"),
            _ => (Ty::Text, "||"),
        };
        let of_lists = |term: &Bound<Expr>| term.as_ref().is_ok_and(|t| t.ty.element().is_some());
        if op == BinaryOp::Concat && (of_lists(&first) || rest.iter().any(of_lists)) {
            let terms = std::iter::once(first).chain(rest).collect::<Bound<Vec<_>>>()?;
            return self.joined_lists(terms);
        }
        let is_blob = |term: &Bound<Expr>| term.as_ref().is_ok_and(|t| t.ty == Ty::Blob);
        if op == BinaryOp::Concat && (is_blob(&first) || rest.iter().any(is_blob)) {
            return self.joined_bytes(std::iter::once(first).chain(rest));
        }
        let mut terms = Vec::with_capacity(rest.len() + 1);
        let mut failed = false;
        for term in std::iter::once(first).chain(rest) {
            let term = term.and_then(|term| match ty {
                Ty::Bool => self.boolean(term, what),
                _ => Ok(to_text(term)),
            });
            match term {
                Ok(term) => terms.push(term),
                Err(Failed) => failed = true,
            }
        }
        let tree = balanced(op, ty, terms).map(fold_tree);
        if failed { Err(Failed) } else { tree.ok_or(Failed) }
    }

    fn binary(&mut self, op: BinaryOp, op_span: Span, left: Expr, right: Expr) -> Bound<Expr> {
        match op {
            BinaryOp::Eq
            | BinaryOp::NotEq
            | BinaryOp::Lt
            | BinaryOp::LtEq
            | BinaryOp::Gt
            | BinaryOp::GtEq => self.compare(op, left, right, op_span),
            _ => self.arithmetic(op, op_span, left, right),
        }
    }

    /// A comparison.
    pub(super) fn compare(
        &mut self,
        op: BinaryOp,
        left: Expr,
        right: Expr,
        op_span: Span,
    ) -> Bound<Expr> {
        let (left, right) = self.comparable(left, right, op_span)?;
        Ok(fold(Expr::binary(op, left, right, Ty::Bool)))
    }

    /// Both sides as one type; an INTEGER and an ADDRESS that are not literals keep their types.
    pub(super) fn comparable(&mut self, left: Expr, right: Expr, at: Span) -> Bound<(Expr, Expr)> {
        let (left, right) = self.both_folded(left, right)?;
        if left.ty == right.ty && left.ty != Ty::Null {
            return Ok((left, right));
        }
        if left.ty == Ty::Null && right.ty == Ty::Null {
            let as_int = |e| convert::implicit(e, Ty::Int).map_err(|_| Failed);
            return Ok((as_int(left)?, as_int(right)?));
        }
        let (left, right) = convert::both_beside_decimals(left, right);
        let adapts =
            |e: &Expr| e.is_null_literal() || (e.ty == Ty::Text && e.as_literal().is_some());
        if adapts(&left) && !adapts(&right) {
            return Ok((self.as_type(left, right.ty, "the comparison")?, right));
        }
        if adapts(&right) && !adapts(&left) {
            let right = self.as_type(right, left.ty, "the comparison")?;
            return Ok((left, right));
        }
        match (left.ty, right.ty) {
            (Ty::Int, Ty::Addr) | (Ty::Addr, Ty::Int) => Ok(adapt_literal(left, right)),
            (a, b) => match common(a, b) {
                Some(ty) => Ok((
                    self.as_type(left, ty, "the comparison")?,
                    self.as_type(right, ty, "the comparison")?,
                )),
                None => self.incomparable(&left, &right, at),
            },
        }
    }

    fn incomparable<T>(&mut self, left: &Expr, right: &Expr, at: Span) -> Bound<T> {
        let message = format!("{} cannot be compared with {}", left.ty, right.ty);
        let error = Diagnostic::at(Code::TypeMismatch, at, message)
            .also(left.span, left.ty.name())
            .also(right.span, right.ty.name());
        self.fail(match (left.ty, right.ty) {
            (Ty::Text, other) | (other, Ty::Text) => {
                error.help(format!("convert the VARCHAR side: CAST(… AS {other})"))
            }
            _ => error,
        })
    }

    /// `[NOT] BETWEEN`, as two comparisons.
    pub(super) fn between(
        &mut self,
        [expr, low, high]: [&ast::Expr; 3],
        negated: bool,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        if super::row::is_row(expr) {
            return self.rows_between([expr, low, high], negated, span, place);
        }
        let collation = self.collation_of([expr, low, high])?;
        let [expr, low, high] = [expr, low, high].map(|part| self.collated(part, collation, place));
        let (expr, low, high) = (expr?, low?, high?);
        let copy = self.copy(&expr)?;
        let (low_op, high_op, join) = if negated {
            (BinaryOp::Lt, BinaryOp::Gt, BinaryOp::Or)
        } else {
            (BinaryOp::GtEq, BinaryOp::LtEq, BinaryOp::And)
        };
        let (low_span, high_span) = (low.span, high.span);
        let low = self.compare(low_op, expr, low, low_span);
        let high = self.compare(high_op, copy, high, high_span);
        Ok(Expr { span, ..fold(Expr::binary(join, low?, high?, Ty::Bool)) })
    }

    /// `[NOT] IN (list)`.
    pub(super) fn in_list(
        &mut self,
        value: Expr,
        list: Vec<Expr>,
        negated: bool,
        span: Span,
    ) -> Bound<Expr> {
        let mut all = vec![value];
        all.extend(list);
        let mixed = all.iter().any(|e| e.ty == Ty::Int) && all.iter().any(|e| e.ty == Ty::Addr);
        if mixed && let [value, list @ ..] = all.as_slice() {
            let ty = value.ty;
            let fits: Option<Vec<Expr>> = list.iter().map(|e| literal_as(e.clone(), ty)).collect();
            return match fits {
                Some(list) => Ok(in_list_of(value.clone(), list, negated, span)),
                None => self.any_equal(value, list, negated, span),
            };
        }
        let mut all = self.unify(all, "the entries of IN")?;
        if all.iter().all(|e| e.ty == Ty::Null) {
            all = all.into_iter().map(|e| Expr::null(Ty::Int, e.span)).collect();
        }
        let mut all = all.into_iter();
        let value = all.next().ok_or(Failed)?;
        Ok(in_list_of(value, all.collect(), negated, span))
    }

    /// An `IN` over integers and addresses, for which there is no type that can hold both.
    fn any_equal(&mut self, value: &Expr, list: &[Expr], negated: bool, span: Span) -> Bound<Expr> {
        let mut terms = Vec::with_capacity(list.len());
        for entry in list {
            let copy = self.copy(value)?;
            terms.push(self.compare(BinaryOp::Eq, copy, entry.clone(), entry.span)?);
        }
        let any = balanced(BinaryOp::Or, Ty::Bool, terms).ok_or(Failed)?;
        let any = Expr { span, ..fold(any) };
        Ok(if negated {
            fold(Expr::new(ExprKind::Not(Box::new(any)), Ty::Bool, span))
        } else {
            any
        })
    }
}

fn in_list_of(value: Expr, list: Vec<Expr>, negated: bool, span: Span) -> Expr {
    Expr::new(ExprKind::InList { expr: Box::new(value), list, negated }, Ty::Bool, span)
}

/// Converts an operand of `||` to text.
fn to_text(expr: Expr) -> Expr {
    match expr.ty {
        Ty::Text => expr,
        Ty::Null => Expr { ty: Ty::Text, ..expr },
        _ => cast(expr, Ty::Text, false),
    }
}

/// Folds the constants of a tree of one associative operator, leaves first.
fn fold_tree(mut expr: Expr) -> Expr {
    if let ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or | BinaryOp::Concat, left, right } =
        &mut expr.kind
    {
        for side in [left, right] {
            let span = side.span;
            let inner = std::mem::replace(&mut **side, Expr::null(Ty::Null, span));
            **side = fold_tree(inner);
        }
    }
    fold(expr)
}

const fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The operator as it is written.
pub(in crate::plan) const fn op_words(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "OR",
        BinaryOp::And => "AND",
        BinaryOp::Eq => "=",
        BinaryOp::NotEq => "<>",
        BinaryOp::Lt => "<",
        BinaryOp::LtEq => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::GtEq => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::IntDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Concat => "||",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::ShiftLeft => "<<",
        BinaryOp::ShiftRight => ">>",
    }
}

/// The precedence of an operator; a higher value binds more tightly.
pub(in crate::plan) const fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Eq
        | BinaryOp::NotEq
        | BinaryOp::Lt
        | BinaryOp::LtEq
        | BinaryOp::Gt
        | BinaryOp::GtEq => 3,
        BinaryOp::Concat
        | BinaryOp::BitAnd
        | BinaryOp::BitOr
        | BinaryOp::ShiftLeft
        | BinaryOp::ShiftRight => 4,
        BinaryOp::Add | BinaryOp::Sub => 5,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::IntDiv | BinaryOp::Mod => 6,
    }
}
