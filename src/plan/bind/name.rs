//! Names of unnamed result columns: the name of the column, or the expression as SQL.

use crate::lang::ast::{Expr, ExprKind, Literal, Over, UnaryOp};
use crate::time;

use super::expr::match_words;
use super::ops::{op_words, precedence};

/// The maximum length of a name.
const LONGEST: usize = 60;

/// The name of an item of a select list.
pub(super) fn of(expr: &Expr) -> String {
    if let ExprKind::Column(name) = &expr.kind
        && let Some(last) = name.parts.last()
    {
        return last.text.clone();
    }
    let mut text = String::new();
    write(expr, &mut text, 0);
    if text.chars().count() > LONGEST {
        let mut short: String = text.chars().take(LONGEST - 1).collect();
        short.push('…');
        return short;
    }
    text
}

/// Appends the expression, stopping when the name is long enough.
fn write(expr: &Expr, out: &mut String, depth: usize) {
    if out.len() > 4 * LONGEST {
        return;
    }
    if depth > 24 {
        out.push('…');
        return;
    }
    let sub = |e: &Expr, out: &mut String| write(e, out, depth + 1);
    match &expr.kind {
        ExprKind::Literal(literal) => out.push_str(&literal_text(literal)),
        ExprKind::Column(name) => out.push_str(&super::scope::dotted(&name.parts)),
        ExprKind::Symbol(symbol) => out.push_str(symbol),
        ExprKind::Position(place) => {
            use std::fmt::Write as _;
            let _ = write!(out, "#{place}");
        }
        ExprKind::Parameter(name) => {
            out.push('$');
            out.push_str(name);
        }
        ExprKind::Unary { op, expr } => {
            out.push_str(match op {
                UnaryOp::Not => "NOT ",
                UnaryOp::Negate => "-",
                UnaryOp::Plus => "+",
                UnaryOp::BitNot => "~",
            });
            sub(expr, out);
        }
        ExprKind::Binary { .. } => chain(expr, out, depth),
        ExprKind::IsNull { expr, negated } => {
            sub(expr, out);
            out.push_str(if *negated { " IS NOT NULL" } else { " IS NULL" });
        }
        ExprKind::IsBool { expr, value, negated } => {
            sub(expr, out);
            out.push_str(if *negated { " IS NOT " } else { " IS " });
            out.push_str(if *value { "TRUE" } else { "FALSE" });
        }
        ExprKind::IsDistinct { left, right, negated } => {
            sub(left, out);
            out.push_str(if *negated { " IS NOT DISTINCT FROM " } else { " IS DISTINCT FROM " });
            sub(right, out);
        }
        ExprKind::Between { expr, low, high, negated } => {
            sub(expr, out);
            out.push_str(if *negated { " NOT BETWEEN " } else { " BETWEEN " });
            sub(low, out);
            out.push_str(" AND ");
            sub(high, out);
        }
        ExprKind::InList { expr, list, negated } => {
            sub(expr, out);
            out.push_str(if *negated { " NOT IN (" } else { " IN (" });
            separated(list, out, depth);
            out.push(')');
        }
        ExprKind::InQuery { expr, negated, .. } => {
            sub(expr, out);
            out.push_str(if *negated { " NOT IN (…)" } else { " IN (…)" });
        }
        ExprKind::Match { op, expr, pattern, negated, .. } => {
            sub(expr, out);
            out.push_str(if *negated { " NOT " } else { " " });
            out.push_str(match_words(*op));
            out.push(' ');
            sub(pattern, out);
        }
        ExprKind::MatchList { op, expr, patterns, all, negated } => {
            sub(expr, out);
            out.push_str(if *negated { " NOT " } else { " " });
            out.push_str(match_words(*op));
            out.push_str(if *all { " ALL (" } else { " ANY (" });
            separated(patterns, out, depth);
            out.push(')');
        }
        ExprKind::Collate { expr, collation } => {
            sub(expr, out);
            out.push_str(" COLLATE ");
            out.push_str(&collation.text);
        }
        ExprKind::Case { .. } => out.push_str("case"),
        ExprKind::Cast { expr, ty, lenient } => {
            out.push_str(if *lenient { "TRY_CAST(" } else { "CAST(" });
            sub(expr, out);
            out.push_str(" AS ");
            out.push_str(&ty.text);
            out.push(')');
        }
        ExprKind::Call(call) => {
            out.push_str(&call.name.text);
            out.push('(');
            if call.star {
                out.push('*');
            }
            if call.distinct {
                out.push_str("DISTINCT ");
            }
            separated(&call.args, out, depth);
            out.push(')');
            match call.over.as_deref() {
                Some(Over::Named(name)) => {
                    out.push_str(" OVER ");
                    out.push_str(&name.text);
                }
                Some(Over::Window(_)) => out.push_str(" OVER (…)"),
                None => {}
            }
        }
        ExprKind::Scalar(_) => out.push_str("sub-query"),
        ExprKind::Exists(_) => out.push_str("EXISTS (…)"),
        ExprKind::Row(values) => {
            out.push('(');
            separated(values, out, depth);
            out.push(')');
        }
        ExprKind::Struct(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                if out.len() > 4 * LONGEST {
                    return;
                }
                out.push_str(if index > 0 { ", '" } else { "'" });
                out.push_str(&name.text);
                out.push_str("': ");
                sub(value, out);
            }
            out.push('}');
        }
        ExprKind::Lambda { params, body } => {
            let names: Vec<&str> = params.iter().map(|p| p.text.as_str()).collect();
            out.push_str(&names.join(", "));
            out.push_str(" -> ");
            sub(body, out);
        }
        ExprKind::Quantified { all, .. } => {
            out.push_str(if *all { "ALL (…)" } else { "ANY (…)" });
        }
    }
}

/// A chain of operators, without recursion along its left side.
fn chain(expr: &Expr, out: &mut String, depth: usize) {
    let mut links = Vec::new();
    let mut first = expr;
    while let ExprKind::Binary { op, left, right, .. } = &first.kind {
        links.push((*op, right));
        first = left;
    }
    let start = out.len();
    write(first, out, depth + 1);
    let mut weakest = u8::MAX;
    for (op, right) in links.into_iter().rev() {
        if out.len() > 4 * LONGEST {
            return;
        }
        let strength = precedence(op);
        if weakest < strength {
            out.insert(start, '(');
            out.push(')');
        }
        weakest = strength;
        out.push(' ');
        out.push_str(op_words(op));
        out.push(' ');
        let bare = !matches!(right.kind, ExprKind::Binary { op, .. } if precedence(op) <= strength);
        if bare {
            write(right, out, depth + 1);
        } else {
            out.push('(');
            write(right, out, depth + 1);
            out.push(')');
        }
    }
}

fn separated(list: &[Expr], out: &mut String, depth: usize) {
    for (index, item) in list.iter().enumerate() {
        if out.len() > 4 * LONGEST {
            return;
        }
        if index > 0 {
            out.push_str(", ");
        }
        write(item, out, depth + 1);
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Null => "NULL".to_owned(),
        Literal::Bool(v) => v.to_string(),
        Literal::Int(v) => v.to_string(),
        Literal::Double(v) => format!("{v:?}"),
        Literal::Text(v) => {
            let text: String = v.chars().take(LONGEST).collect();
            format!("'{}'", text.replace('\'', "''"))
        }
        Literal::Addr(v) => format!("{v:#x}"),
        Literal::Date(v) => format!("DATE '{}'", time::render_day(*v)),
        Literal::Time(v) => format!("TIMESTAMP '{}'", time::render_timestamp(*v)),
        Literal::Interval(v) => format!("INTERVAL '{}'", time::interval_literal(*v)),
    }
}
