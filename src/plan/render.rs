//! Typed expressions as SQL text, for EXPLAIN and for the names of computed columns.

use super::bind::expr::match_words;
use super::bind::ops::{op_words, precedence};
use super::bind::quantified::opposite;
use super::{
    AggregateCall, EachWork, Expr, ExprKind, Frame, FrameBound, QueryKind, SortKey, WindowCall,
    WindowKind,
};
use crate::catalog::{Format, PointerWidth, Value};
use crate::lang::ast::{BinaryOp, Exclude, FrameUnit};

/// The maximum number of entries of a list that are shown.
const LISTED: usize = 8;

/// The maximum depth at which expressions are shown.
const DEEP: usize = 40;

/// The expression over columns with these names.
pub(super) fn expr(expr: &Expr, names: &[&str]) -> String {
    let mut out = String::new();
    write(expr, names, &mut out, 0, 0);
    out
}

/// The aggregate over columns with these names.
pub(super) fn aggregate(call: &AggregateCall, names: &[&str]) -> String {
    let mut out = format!("{}(", call.function.name);
    if call.distinct {
        out.push_str("DISTINCT ");
    }
    if call.args.is_empty() {
        out.push('*');
    }
    separated(&call.args, names, &mut out, 0);
    if !call.order_by.is_empty() {
        out.push_str(" ORDER BY ");
        out.push_str(&sort_keys(&call.order_by, names));
    }
    out.push(')');
    if let Some(filter) = &call.filter {
        out.push_str(" FILTER (WHERE ");
        write(filter, names, &mut out, 0, 0);
        out.push(')');
    }
    out
}

/// The window function call over columns with these names, with its frame if one was given.
pub(super) fn window_call(call: &WindowCall, names: &[&str]) -> String {
    let mut out = if call.kind == WindowKind::Aggregate {
        aggregate(&call.call, names)
    } else {
        let args: Vec<String> = call.call.args.iter().map(|a| expr(a, names)).collect();
        format!("{}({})", call.call.function.name, args.join(", "))
    };
    if call.ignore_nulls {
        out.push_str(" ignoring nulls");
    }
    if call.frame != Frame::UP_TO_CURRENT {
        out.push_str(" over ");
        out.push_str(&frame(&call.frame, names));
    }
    out
}

fn frame(frame: &Frame, names: &[&str]) -> String {
    let unit = match frame.unit {
        FrameUnit::Rows => "rows",
        FrameUnit::Range => "range",
        FrameUnit::Groups => "groups",
    };
    let exclude = match frame.exclude {
        Exclude::NoOthers => "",
        Exclude::CurrentRow => " without the current row",
        Exclude::Group => " without the group",
        Exclude::Ties => " without ties",
    };
    let bound = |bound: &FrameBound| match bound {
        FrameBound::UnboundedPreceding => "the first".to_owned(),
        FrameBound::Preceding(offset) => format!("{} preceding", expr(offset, names)),
        FrameBound::CurrentRow => "the current".to_owned(),
        FrameBound::Following(offset) => format!("{} following", expr(offset, names)),
        FrameBound::UnboundedFollowing => "the last".to_owned(),
    };
    format!("{unit} from {} to {}{exclude}", bound(&frame.start), bound(&frame.end))
}

/// The sort keys over columns with these names.
pub(super) fn sort_keys(keys: &[SortKey], names: &[&str]) -> String {
    let each = keys.iter().map(|key| {
        let direction = if key.descending { " DESC" } else { "" };
        let nulls = if key.nulls_first { " NULLS FIRST" } else { "" };
        format!("{}{direction}{nulls}", expr(&key.expr, names))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// A constant in SQL syntax.
pub(super) fn value(value: &Value<'_>, format: Format) -> String {
    let text = |v: &Value<'_>| Format::Plain.render(v, PointerWidth::default());
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Text(v) => {
            let shown: String = v.chars().take(200).collect();
            format!("'{}'", shown.replace('\'', "''"))
        }
        Value::Addr(v) => format!("{v:#x}"),
        Value::Time(_) => format!("TIMESTAMP '{}'", text(value)),
        Value::Date(_) => format!("DATE '{}'", text(value)),
        Value::TimeOfDay(_) => format!("'{}'::TIME", text(value)),
        Value::Blob(_) => format!("'{}'::BLOB", text(value)),
        Value::Uuid(_) => format!("'{}'::UUID", text(value)),
        Value::Decimal(_, of) => format!("{}::DECIMAL({},{})", text(value), of.width(), of.scale()),
        Value::Interval(_) => format!("INTERVAL '{}'", text(value)),
        Value::List(_) | Value::Struct(_) | Value::Map(_) => {
            text(value).chars().take(200).collect()
        }
        _ => format.render(value, PointerWidth::default()),
    }
}

/// Appends the expression; `outer` is the precedence of the enclosing operator.
fn write(expr: &Expr, names: &[&str], out: &mut String, outer: u8, depth: usize) {
    if depth > DEEP {
        out.push('…');
        return;
    }
    let sub = |e: &Expr, strength: u8, out: &mut String| {
        write(e, names, out, strength, depth + 1);
    };
    // Postfix tests have the precedence of comparisons.
    let tests = precedence(BinaryOp::Eq);
    let open = |out: &mut String, strength: u8| {
        if outer > strength {
            out.push('(');
        }
    };
    let close = |out: &mut String, strength: u8| {
        if outer > strength {
            out.push(')');
        }
    };
    match &expr.kind {
        ExprKind::Column(index) => out.push_str(names.get(*index).copied().unwrap_or("?")),
        ExprKind::Literal(v) => out.push_str(&value(v, expr.format)),
        ExprKind::Symbol(symbol) => out.push_str(symbol),
        ExprKind::Not(e) => {
            open(out, tests - 1);
            out.push_str("NOT ");
            sub(e, tests, out);
            close(out, tests - 1);
        }
        ExprKind::Negate(e) => {
            out.push('-');
            sub(e, u8::MAX, out);
        }
        ExprKind::BitNot(e) => {
            out.push('~');
            sub(e, u8::MAX, out);
        }
        ExprKind::Binary { op, left, right } => {
            let strength = precedence(*op);
            open(out, strength);
            sub(left, strength, out);
            out.push(' ');
            out.push_str(op_words(*op));
            out.push(' ');
            let associative = matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Concat);
            sub(right, strength + u8::from(!associative), out);
            close(out, strength);
        }
        ExprKind::IsNull { expr, negated } => {
            open(out, tests);
            sub(expr, tests + 1, out);
            out.push_str(if *negated { " IS NOT NULL" } else { " IS NULL" });
            close(out, tests);
        }
        ExprKind::IsDistinct { left, right, negated } => {
            open(out, tests);
            sub(left, tests + 1, out);
            out.push_str(if *negated { " IS NOT DISTINCT FROM " } else { " IS DISTINCT FROM " });
            sub(right, tests + 1, out);
            close(out, tests);
        }
        ExprKind::InList { expr, list, negated } => {
            open(out, tests);
            sub(expr, tests + 1, out);
            out.push_str(if *negated { " NOT IN (" } else { " IN (" });
            separated(list, names, out, depth);
            out.push(')');
            close(out, tests);
        }
        ExprKind::Match { op, expr, pattern, escape, negated } => {
            open(out, tests);
            sub(expr, tests + 1, out);
            out.push_str(if *negated { " NOT " } else { " " });
            out.push_str(match_words(*op));
            out.push(' ');
            sub(pattern, tests + 1, out);
            if let Some(escape) = escape {
                out.push_str(" ESCAPE ");
                out.push_str(&value(&Value::text(escape.to_string()), Format::Plain));
            }
            close(out, tests);
        }
        ExprKind::Case { branches, otherwise } => {
            out.push_str("CASE");
            for (when, then) in branches.iter().take(LISTED) {
                out.push_str(" WHEN ");
                sub(when, 0, out);
                out.push_str(" THEN ");
                sub(then, 0, out);
            }
            if branches.len() > LISTED {
                out.push_str(" …");
            }
            if let Some(otherwise) = otherwise {
                out.push_str(" ELSE ");
                sub(otherwise, 0, out);
            }
            out.push_str(" END");
        }
        ExprKind::Cast { expr: inner, lenient, range } => {
            out.push_str(if *lenient { "TRY_CAST(" } else { "CAST(" });
            sub(inner, 0, out);
            out.push_str(" AS ");
            out.push_str(range.map_or(expr.ty.name(), |range| range.name));
            out.push(')');
        }
        ExprKind::Call { function, args } => {
            out.push_str(function.name);
            out.push('(');
            separated(args, names, out, depth);
            out.push(')');
        }
        ExprKind::Local(id) => {
            use std::fmt::Write as _;
            let _ = write!(out, "x{id}");
        }
        ExprKind::Each(each) => {
            out.push_str("list_");
            out.push_str(match &each.work {
                EachWork::Transform(_) => "transform",
                EachWork::Filter(_) => "filter",
                EachWork::Reduce { .. } => "reduce",
                EachWork::Aggregate(call) => call.function.name,
            });
            out.push('(');
            sub(&each.list, 0, out);
            if let EachWork::Transform(body)
            | EachWork::Filter(body)
            | EachWork::Reduce { body, .. } = &each.work
            {
                let params: Vec<String> = each.params.iter().map(|id| format!("x{id}")).collect();
                out.push_str(", lambda ");
                out.push_str(&params.join(", "));
                out.push_str(": ");
                sub(body, 0, out);
            }
            out.push(')');
        }
        ExprKind::Param(index) => {
            use std::fmt::Write as _;
            let _ = write!(out, "outer.{}", index + 1);
        }
        ExprKind::Query(query) => match query.kind {
            QueryKind::Scalar => out.push_str("(sub-query)"),
            QueryKind::Exists => out.push_str("EXISTS (sub-query)"),
            QueryKind::Any { op, negated } => {
                open(out, tests);
                match query.values.as_slice() {
                    [value] => sub(value, tests + 1, out),
                    row => {
                        out.push('(');
                        separated(row, names, out, depth);
                        out.push(')');
                    }
                }
                match (op, negated) {
                    (BinaryOp::Eq, false) => out.push_str(" IN (sub-query)"),
                    (BinaryOp::Eq, true) => out.push_str(" NOT IN (sub-query)"),
                    (op, all) => {
                        let op = if all { opposite(op) } else { op };
                        out.push(' ');
                        out.push_str(op_words(op));
                        out.push_str(if all { " ALL (sub-query)" } else { " ANY (sub-query)" });
                    }
                }
                close(out, tests);
            }
        },
    }
}

fn separated(list: &[Expr], names: &[&str], out: &mut String, depth: usize) {
    use std::fmt::Write as _;
    for (index, item) in list.iter().take(LISTED).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, names, out, 0, depth + 1);
    }
    if list.len() > LISTED {
        let _ = write!(out, ", … {} more", list.len() - LISTED);
    }
}
