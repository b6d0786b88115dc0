//! Expressions as text, with the parentheses that the precedence table in section 6 of the grammar
//! requires.

use super::query::query;
use super::{ident, list, name, quoted};
use crate::lang::ast::{
    BinaryOp, Bound, Call, Exclude, Expr, ExprKind, Frame, FrameUnit, Ident, Literal, MatchOp,
    OrderItem, Over, UnaryOp, Window,
};
use crate::lang::lexer;
use crate::time;

const LAMBDA: u8 = 0;
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARISON: u8 = 5;
const MATCH: u8 = 6;
const BITS: u8 = 7;
const BIT_NOT: u8 = 8;
const SUM: u8 = 9;
const PRODUCT: u8 = 10;
const SIGN: u8 = 11;
const PRIMARY: u8 = 12;

/// An expression, in parentheses if its precedence is lower than `least`.
pub(super) fn expr(whole: &Expr, least: u8) -> String {
    let (text, level) = shape(whole);
    if level < least { format!("({text})") } else { text }
}

/// The text of an expression and its precedence.
fn shape(whole: &Expr) -> (String, u8) {
    let not = |negated: bool| if negated { "NOT " } else { "" };
    match &whole.kind {
        ExprKind::Literal(value) => (literal(value), PRIMARY),
        ExprKind::Column(column) => (name(column), PRIMARY),
        ExprKind::Symbol(full) => (symbol(full), PRIMARY),
        ExprKind::Parameter(parameter) => (format!("${parameter}"), PRIMARY),
        ExprKind::Position(place) => (format!("#{place}"), PRIMARY),
        ExprKind::Unary { op, expr: operand } => unary(*op, operand),
        ExprKind::Binary { op, left, right, .. } => {
            let (word, level) = operator(*op);
            let left_level = if level == COMPARISON { level + 1 } else { level };
            let (left, right) = (expr(left, left_level), expr(right, level + 1));
            (format!("{left} {word} {right}"), level)
        }
        ExprKind::IsNull { expr: operand, negated } => {
            (format!("{} IS {}NULL", expr(operand, COMPARISON), not(*negated)), IS)
        }
        ExprKind::IsBool { expr: operand, value, negated } => {
            let value = if *value { "TRUE" } else { "FALSE" };
            (format!("{} IS {}{value}", expr(operand, COMPARISON), not(*negated)), IS)
        }
        ExprKind::IsDistinct { left, right, negated } => {
            let (left, right) = (expr(left, COMPARISON), expr(right, COMPARISON));
            (format!("{left} IS {}DISTINCT FROM {right}", not(*negated)), IS)
        }
        ExprKind::Between { expr: operand, low, high, negated } => {
            let (operand, low, high) = (expr(operand, BITS), expr(low, BITS), expr(high, BITS));
            (format!("{operand} {}BETWEEN {low} AND {high}", not(*negated)), MATCH)
        }
        ExprKind::InList { expr: operand, list: entries, negated } => {
            let entries = list(entries, ", ", |entry| expr(entry, 0));
            (format!("{} {}IN ({entries})", expr(operand, BITS), not(*negated)), MATCH)
        }
        ExprKind::InQuery { expr: operand, query: inner, negated } => {
            (format!("{} {}IN ({})", expr(operand, BITS), not(*negated), query(inner)), MATCH)
        }
        ExprKind::Match { op, expr: operand, pattern, escape, negated } => {
            let word = match (op, negated) {
                (MatchOp::Regexp, false) => "~",
                (MatchOp::Regexp, true) => "!~",
                (op, _) => match_words(*op),
            };
            let not = not(*negated && *op != MatchOp::Regexp);
            let escape = escape.as_ref().map(|e| format!(" ESCAPE {}", expr(e, BITS)));
            let (operand, pattern) = (expr(operand, BITS), expr(pattern, BITS));
            (format!("{operand} {not}{word} {pattern}{}", escape.unwrap_or_default()), MATCH)
        }
        ExprKind::MatchList { op, expr: operand, patterns, all, negated } => {
            let word = match (op, negated) {
                (MatchOp::Regexp, false) => "~",
                (MatchOp::Regexp, true) => "!~",
                (op, _) => match_words(*op),
            };
            let not = not(*negated && *op != MatchOp::Regexp);
            let which = if *all { "ALL" } else { "ANY" };
            let patterns = list(patterns, ", ", |pattern| expr(pattern, 0));
            (format!("{} {not}{word} {which} ({patterns})", expr(operand, BITS)), MATCH)
        }
        ExprKind::Collate { expr: operand, collation } => {
            let names: Vec<String> = collation.text.split('.').map(str::to_owned).collect();
            (format!("{} COLLATE {}", expr(operand, PRIMARY), names.join(".")), PRIMARY)
        }
        ExprKind::Case { operand, branches, otherwise } => {
            let part = |word: &str, e: &Expr| format!(" {word} {}", expr(e, 0));
            let operand = operand.as_ref().map(|o| format!(" {}", expr(o, 0))).unwrap_or_default();
            let when = |(c, r): &(Expr, Expr)| part("WHEN", c) + &part("THEN", r);
            let otherwise = otherwise.as_ref().map(|e| part("ELSE", e)).unwrap_or_default();
            (format!("CASE{operand}{}{otherwise} END", list(branches, "", when)), PRIMARY)
        }
        ExprKind::Cast { expr: operand, ty, lenient } => {
            let word = if *lenient { "TRY_CAST" } else { "CAST" };
            (format!("{word}({} AS {})", expr(operand, 0), type_name(ty)), PRIMARY)
        }
        ExprKind::Call(whole) => (call(whole), PRIMARY),
        ExprKind::Scalar(inner) => (format!("({})", query(inner)), PRIMARY),
        ExprKind::Exists(inner) => (format!("EXISTS ({})", query(inner)), PRIMARY),
        ExprKind::Row(values) => (format!("({})", list(values, ", ", |v| expr(v, 0))), PRIMARY),
        ExprKind::Struct(fields) => {
            let field = |(name, value): &(Ident, Expr)| {
                format!("'{}': {}", name.text.replace('\'', "''"), expr(value, 0))
            };
            (format!("{{{}}}", list(fields, ", ", field)), PRIMARY)
        }
        ExprKind::Lambda { params, body } => {
            let names = list(params, ", ", ident);
            let names = if params.len() == 1 { names } else { format!("({names})") };
            (format!("{names} -> {}", expr(body, OR)), LAMBDA)
        }
        ExprKind::Quantified { all, query: inner } => {
            (format!("{} ({})", if *all { "ALL" } else { "ANY" }, query(inner)), PRIMARY)
        }
    }
}

/// The name of a type. Those of lists and structures are not identifiers and are written unquoted.
fn type_name(ty: &Ident) -> String {
    if ty.quoted { ident(ty) } else { ty.text.clone() }
}

fn unary(op: UnaryOp, operand: &Expr) -> (String, u8) {
    let (word, level) = match op {
        UnaryOp::Not => ("NOT ", NOT),
        UnaryOp::Negate => ("-", SIGN),
        UnaryOp::Plus => ("+", SIGN),
        UnaryOp::BitNot => ("~", BIT_NOT),
    };
    let operand = expr(operand, level);
    // Two minus signs would start a comment.
    let space = if word == "-" && operand.starts_with('-') { " " } else { "" };
    (format!("{word}{space}{operand}"), level)
}

fn operator(op: BinaryOp) -> (&'static str, u8) {
    match op {
        BinaryOp::Or => ("OR", OR),
        BinaryOp::And => ("AND", AND),
        BinaryOp::Eq => ("=", COMPARISON),
        BinaryOp::NotEq => ("<>", COMPARISON),
        BinaryOp::Lt => ("<", COMPARISON),
        BinaryOp::LtEq => ("<=", COMPARISON),
        BinaryOp::Gt => (">", COMPARISON),
        BinaryOp::GtEq => (">=", COMPARISON),
        BinaryOp::Concat => ("||", BITS),
        BinaryOp::BitAnd => ("&", BITS),
        BinaryOp::BitOr => ("|", BITS),
        BinaryOp::ShiftLeft => ("<<", BITS),
        BinaryOp::ShiftRight => (">>", BITS),
        BinaryOp::Add => ("+", SUM),
        BinaryOp::Sub => ("-", SUM),
        BinaryOp::Mul => ("*", PRODUCT),
        BinaryOp::Div => ("/", PRODUCT),
        BinaryOp::IntDiv => ("//", PRODUCT),
        BinaryOp::Mod => ("%", PRODUCT),
    }
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Null => "NULL".to_owned(),
        Literal::Bool(true) => "TRUE".to_owned(),
        Literal::Bool(false) => "FALSE".to_owned(),
        Literal::Int(number) => number.to_string(),
        Literal::Double(number) => format!("{number:?}"),
        Literal::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Literal::Addr(address) => format!("0x{address:x}"),
        Literal::Date(micros) => format!("DATE '{}'", time::render_day(*micros)),
        Literal::Time(micros) => format!("TIMESTAMP '{}'", time::render_timestamp(*micros)),
        Literal::Interval(span) => format!("INTERVAL '{}'", time::interval_literal(*span)),
    }
}

/// `module!symbol` with quotes around parts that are not identifiers.
fn symbol(full: &str) -> String {
    let (module, symbol) = full.split_once('!').unwrap_or((full, ""));
    let is_word = |text: &str, more: &[char]| {
        let begins = |c: char| lexer::begins_word(c) || more.contains(&c);
        let goes_on = |c: char| lexer::continues_word(c) || more.contains(&c);
        text.starts_with(begins) && text.chars().all(goes_on)
    };
    let module = if is_word(module, &[]) { module.to_owned() } else { quoted(module) };
    let plain = symbol.split("::").all(|part| is_word(part, &['?', '@']));
    format!("{module}!{}", if plain { symbol.to_owned() } else { quoted(symbol) })
}

fn call(call: &Call) -> String {
    let mut inner = if call.distinct { "DISTINCT ".to_owned() } else { String::new() };
    inner +=
        &if call.star { star(&call.exclude) } else { list(&call.args, ", ", |arg| expr(arg, 0)) };
    if !call.order_by.is_empty() {
        inner = inner + " ORDER BY " + &order_items(&call.order_by);
    }
    if call.ignore_nulls {
        inner += " IGNORE NULLS";
    }
    let mut text = format!("{}({})", ident(&call.name), inner.trim_start());
    if !call.within_group.is_empty() {
        text = text + " WITHIN GROUP (ORDER BY " + &order_items(&call.within_group) + ")";
    }
    if let Some(filter) = &call.filter {
        text = text + " FILTER (WHERE " + &expr(filter, 0) + ")";
    }
    match call.over.as_deref() {
        Some(Over::Named(name)) => text + " OVER " + &ident(name),
        Some(Over::Window(over)) => text + " OVER (" + &window(over) + ")",
        None => text,
    }
}

fn star(exclude: &[Ident]) -> String {
    if exclude.is_empty() {
        return "*".to_owned();
    }
    format!("* EXCLUDE {}", super::query::columns(exclude))
}

/// A window without its parentheses.
pub(super) fn window(window: &Window) -> String {
    let mut parts: Vec<String> = window.base.iter().map(ident).collect();
    if !window.partition_by.is_empty() {
        let keys = list(&window.partition_by, ", ", |key| expr(key, 0));
        parts.push(format!("PARTITION BY {keys}"));
    }
    if !window.order_by.is_empty() {
        parts.push(format!("ORDER BY {}", order_items(&window.order_by)));
    }
    parts.extend(window.frame.as_ref().map(frame));
    parts.join(" ")
}

fn frame(frame: &Frame) -> String {
    let unit = match frame.unit {
        FrameUnit::Rows => "ROWS",
        FrameUnit::Range => "RANGE",
        FrameUnit::Groups => "GROUPS",
    };
    let exclude = match frame.exclude {
        Exclude::NoOthers => "",
        Exclude::CurrentRow => " EXCLUDE CURRENT ROW",
        Exclude::Group => " EXCLUDE GROUP",
        Exclude::Ties => " EXCLUDE TIES",
    };
    format!("{unit} BETWEEN {} AND {}{exclude}", bound(&frame.start), bound(&frame.end))
}

fn bound(bound: &Bound) -> String {
    match bound {
        Bound::UnboundedPreceding => "UNBOUNDED PRECEDING".to_owned(),
        Bound::UnboundedFollowing => "UNBOUNDED FOLLOWING".to_owned(),
        Bound::CurrentRow => "CURRENT ROW".to_owned(),
        Bound::Preceding(offset) => format!("{} PRECEDING", expr(offset, BITS)),
        Bound::Following(offset) => format!("{} FOLLOWING", expr(offset, BITS)),
    }
}

/// The keywords of a match operator.
pub(super) const fn match_words(op: MatchOp) -> &'static str {
    match op {
        MatchOp::Like => "LIKE",
        MatchOp::ILike => "ILIKE",
        MatchOp::Glob => "GLOB",
        MatchOp::SimilarTo => "SIMILAR TO",
        MatchOp::Regexp => "~",
    }
}

/// The keys of ORDER BY.
pub(super) fn order_items(items: &[OrderItem]) -> String {
    list(items, ", ", |item| expr(&item.expr, 0) + &direction(item.descending, item.nulls_first))
}

/// The direction and NULL order of an ORDER BY key; defaults are omitted.
pub(super) fn direction(descending: bool, nulls_first: Option<bool>) -> String {
    let direction = if descending { " DESC" } else { "" };
    let nulls = match nulls_first {
        Some(true) => " NULLS FIRST",
        Some(false) => " NULLS LAST",
        None => "",
    };
    format!("{direction}{nulls}")
}
