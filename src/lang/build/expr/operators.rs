//! Operators, and conversion of operator chains to trees of limited depth.

use pest::iterators::Pair;

use crate::diag::Span;
use crate::lang::ast::{BinaryOp, Expr, ExprKind};
use crate::lang::syntax::Rule;

pub(super) fn binary_op(rule: Rule) -> Option<BinaryOp> {
    Some(match rule {
        Rule::or => BinaryOp::Or,
        Rule::and => BinaryOp::And,
        Rule::eq => BinaryOp::Eq,
        Rule::not_eq => BinaryOp::NotEq,
        Rule::lt => BinaryOp::Lt,
        Rule::lt_eq => BinaryOp::LtEq,
        Rule::gt => BinaryOp::Gt,
        Rule::gt_eq => BinaryOp::GtEq,
        Rule::plus => BinaryOp::Add,
        Rule::minus => BinaryOp::Sub,
        Rule::times => BinaryOp::Mul,
        Rule::div => BinaryOp::Div,
        Rule::int_div => BinaryOp::IntDiv,
        Rule::modulo => BinaryOp::Mod,
        Rule::concat => BinaryOp::Concat,
        Rule::bit_and => BinaryOp::BitAnd,
        Rule::bit_or => BinaryOp::BitOr,
        Rule::shift_left => BinaryOp::ShiftLeft,
        Rule::shift_right => BinaryOp::ShiftRight,
        _ => return None,
    })
}

fn is_operator(rule: Rule) -> bool {
    binary_op(rule).is_some()
        || matches!(rule, Rule::not | Rule::negative | Rule::positive | Rule::bit_not)
        || matches!(rule, Rule::is_null | Rule::null_suffix | Rule::is_bool | Rule::is_distinct)
        || matches!(rule, Rule::between | Rule::in_ | Rule::matches | Rule::cast)
        || matches!(rule, Rule::power | Rule::magnitude | Rule::chained | Rule::at_zone)
        || matches!(rule, Rule::field | Rule::subscript | Rule::lambda_arrow | Rule::long_arrow)
}

pub(super) fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// Whether an expression is a comparison without parentheses (with parentheses, its span would
/// include them).
pub(super) fn chains(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary { op, left, .. } => {
            is_comparison(*op) && expr.span.start == left.span.start
        }
        _ => false,
    }
}

pub(super) fn balanced(op: BinaryOp, first: Expr, mut rest: Vec<(Span, Expr)>) -> Expr {
    if rest.is_empty() {
        return first;
    }
    let half = rest.len() / 2;
    let mut upper = rest.split_off(half).into_iter();
    let left = balanced(op, first, rest);
    match upper.next() {
        Some((op_span, middle)) => {
            let right = balanced(op, middle, upper.collect());
            binary(op, op_span, left, right)
        }
        None => left,
    }
}

pub(super) fn binary(op: BinaryOp, op_span: Span, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let (left, right) = (Box::new(left), Box::new(right));
    Expr { kind: ExprKind::Binary { op, op_span, left, right }, span }
}

/// The number of levels that the operators of one expression can put above an operand. Long chains
/// of AND and OR, which have the lowest precedence, are balanced, so each of their operands is
/// counted separately.
pub(super) fn depth_of_chain(pair: &Pair<'_, Rule>) -> usize {
    let (mut deepest, mut current) = (1usize, 1usize);
    for part in pair.clone().into_inner() {
        match part.as_rule() {
            Rule::and | Rule::or => current = 1,
            rule if is_operator(rule) => current += 1,
            _ => {}
        }
        deepest = deepest.max(current);
    }
    deepest
}
