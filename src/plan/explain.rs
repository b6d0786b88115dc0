//! EXPLAIN: the plan as an indented tree, one line per operator, inputs below the operator that
//! reads them.

use std::collections::BTreeSet;

use super::render::{self, value};
use super::{Expr, ExprKind, Field, JoinForm, Plan, QueryKind, Rel, ScanColumn, Scanned};
use crate::catalog::{Catalog, Format, Hint, HintOp, TableSpec};
use crate::diag::Span;
use crate::lang::ast::{BinaryOp, JoinKind, SetOp};

/// The maximum number of names or values of a list that are shown.
const LISTED: usize = 12;

/// The maximum number of lines.
const LINES: usize = 2_000;

/// The plan as constant rows of text.
pub(super) fn rows(plan: &Plan, catalog: &Catalog, span: Span) -> Plan {
    let lines = lines(plan, catalog);
    let row = |line: String| vec![Expr::literal(crate::catalog::Value::text(line), span)];
    Plan::values(lines.into_iter().map(row).collect(), vec![Field::text("plan")], span)
}

/// The lines of the tree.
fn lines(plan: &Plan, catalog: &Catalog) -> Vec<String> {
    let mut tree = Tree { catalog, lines: Vec::new(), shared: BTreeSet::new() };
    tree.plan(plan, 0);
    if tree.lines.len() > LINES {
        let more = tree.lines.len() - LINES;
        tree.lines.truncate(LINES);
        tree.lines.push(format!("… {more} more lines"));
    }
    tree.lines
}

struct Tree<'a> {
    catalog: &'a Catalog,
    lines: Vec<String>,
    /// Shared expressions that have been shown.
    shared: BTreeSet<usize>,
}

impl Tree<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        self.lines.push(format!("{}{text}", "  ".repeat(depth)));
    }

    fn plan(&mut self, plan: &Plan, depth: usize) {
        let text = self.operator(plan);
        self.line(depth, &text);
        let names = read_names(plan);
        for expr in plan.exprs() {
            self.subqueries(expr, &names, depth + 1);
        }
        for input in plan.inputs() {
            self.plan(input, depth + 1);
        }
        if let Rel::Shared { id, plan } = &plan.rel
            && self.shared.insert(*id)
        {
            self.plan(plan, depth + 1);
        }
    }

    fn subquery_line(&mut self, expr: &Expr, names: &[String], depth: usize) {
        let ExprKind::Query(query) = &expr.kind else { return };
        let kind = match query.kind {
            QueryKind::Scalar => "sub-query",
            QueryKind::Exists => "sub-query of EXISTS",
            QueryKind::Any { op: BinaryOp::Eq, .. } => "sub-query of IN",
            QueryKind::Any { .. } => "sub-query of a comparison",
        };
        if query.args.is_empty() {
            return self.line(depth, kind);
        }
        let args: Vec<String> = query.args.iter().map(|arg| over(arg, names)).collect();
        self.line(depth, &format!("{kind}, once for each {}", listed(&args)));
    }

    fn subqueries(&mut self, expr: &Expr, names: &[String], depth: usize) {
        if let Some(plan) = expr.subplan() {
            self.subquery_line(expr, names, depth);
            self.plan(plan, depth + 1);
        }
        for child in expr.children() {
            self.subqueries(child, names, depth);
        }
    }

    fn operator(&self, plan: &Plan) -> String {
        let names = |p: &Plan| -> Vec<String> { p.names() };
        match &plan.rel {
            Rel::Scan { table, columns, hints, limit, args } => {
                self.scan(table, columns, hints, (*limit, args))
            }
            Rel::Values { rows } if plan.schema.is_empty() => match rows.len() {
                1 => "one row".to_owned(),
                n => format!("{n} rows"),
            },
            Rel::Values { rows } => {
                format!("values: {} rows of {}", rows.len(), listed(&plan.names()))
            }
            Rel::Filter { input, predicate } => {
                format!("filter {}", over(predicate, &names(input)))
            }
            Rel::Project { input, exprs } => format!("select {}", projected(plan, input, exprs)),
            Rel::Join { left, right, kind, keys, residual, args, form } => {
                let (mut left, mut right) = (names(left), names(right));
                let left_names = left.clone();
                // The join's own names distinguish the columns of both sides.
                let both = plan.schema.len() == left.len() + right.len();
                if both && *form != JoinForm::Mark {
                    let mut own = plan.names();
                    right = own.split_off(left.len());
                    left = own;
                }
                let mut conditions: Vec<String> = keys
                    .iter()
                    .map(|(l, r)| format!("{} = {}", over(l, &left), over(r, &right)))
                    .collect();
                let both: Vec<String> = left.iter().chain(&right).cloned().collect();
                conditions.extend(residual.as_ref().map(|e| match e.kind {
                    ExprKind::Binary { op: BinaryOp::Or, .. } => format!("({})", over(e, &both)),
                    _ => over(e, &both),
                }));
                let on = if conditions.is_empty() { "" } else { " on " };
                let words = match form {
                    JoinForm::Rows => join_words(*kind),
                    JoinForm::Nearest if *kind == JoinKind::Left => "left as-of",
                    JoinForm::Nearest => "as-of",
                    JoinForm::Single => "left (at most one match)",
                    JoinForm::Mark => "mark",
                };
                let given: Vec<String> = args.iter().map(|arg| over(arg, &left_names)).collect();
                let lateral = if given.is_empty() {
                    String::new()
                } else {
                    format!(" lateral, once for each {}", listed(&given))
                };
                format!("join {words}{lateral}{on}{}", conditions.join(" AND "))
            }
            Rel::Aggregate { input, keys, aggregates } => {
                let names = names(input);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let computed: Vec<String> =
                    aggregates.iter().map(|a| render::aggregate(a, &names)).collect();
                let keys: Vec<String> = keys.iter().map(|k| render::expr(k, &names)).collect();
                match (keys.as_slice(), computed.as_slice()) {
                    ([], _) => format!("aggregate {}", listed(&computed)),
                    (_, []) => format!("group by {}", listed(&keys)),
                    _ => format!("group by {}: {}", listed(&keys), listed(&computed)),
                }
            }
            Rel::Window { input, partition, order, calls } => {
                let names = names(input);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let calls: Vec<String> =
                    calls.iter().map(|c| render::window_call(c, &names)).collect();
                let keys: Vec<String> = partition.iter().map(|k| render::expr(k, &names)).collect();
                let mut text = format!("window {}", listed(&calls));
                if !keys.is_empty() {
                    text = format!("{text} partition by {}", listed(&keys));
                }
                if !order.is_empty() {
                    text = format!("{text} order by {}", render::sort_keys(order, &names));
                }
                text
            }
            Rel::Unnest { input, lists, outer } => {
                let names = names(input);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let lists: Vec<String> = lists.iter().map(|l| render::expr(l, &names)).collect();
                let kept = if *outer { ", keeping rows without elements" } else { "" };
                format!("unnest {}{kept}", listed(&lists))
            }
            Rel::Distinct { input, on: Some(on) } => {
                let names = names(input);
                let on: Vec<String> = on.iter().map(|e| over(e, &names)).collect();
                format!("distinct on {}", listed(&on))
            }
            Rel::Distinct { on: None, .. } => "distinct".to_owned(),
            Rel::Sort { input, keys, top } => {
                let names = names(input);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let keys = render::sort_keys(keys, &names);
                match top {
                    Some(top) => format!("first {top} by {keys}"),
                    None => format!("sort by {keys}"),
                }
            }
            Rel::Limit { limit, offset, .. } => match (limit, offset) {
                (Some(limit), 0) => format!("limit {limit}"),
                (Some(limit), offset) => format!("limit {limit} offset {offset}"),
                (None, offset) => format!("offset {offset}"),
            },
            Rel::SetOp { op, all, .. } => {
                let words = match op {
                    SetOp::Union => "union",
                    SetOp::Intersect => "intersect",
                    SetOp::Except => "except",
                };
                format!("{words}{}", if *all { " all" } else { "" })
            }
            Rel::Recursive { id, all, .. } => {
                let all = if *all { " all" } else { "" };
                format!("recursion {}: union{all} of the first rows and those of each step", id + 1)
            }
            Rel::Working { id } => format!("new rows of recursion {}", id + 1),
            Rel::Shared { id, .. } if self.shared.contains(id) => {
                format!("shared {}, as above", id + 1)
            }
            Rel::Shared { id, .. } => format!("shared {}, computed once", id + 1),
        }
    }

    fn scan(
        &self,
        table: &Scanned,
        columns: &[ScanColumn],
        hints: &[Hint],
        (limit, computed): (Option<usize>, &[(usize, Expr)]),
    ) -> String {
        let spec = match table {
            Scanned::Table(table) => self.catalog.table(table),
            Scanned::Call(_) => None,
        };
        let name = |index: usize| match table {
            Scanned::Table(_) => column_name(spec, index),
            Scanned::Call(call) => call.columns.get(index).map_or("?", |c| c.name.as_str()),
        };
        let names: Vec<String> = columns
            .iter()
            .map(|column| match column {
                ScanColumn::Value(index) => name(*index).to_owned(),
                ScanColumn::Why(index) => format!("why({})", name(*index)),
            })
            .collect();
        let mut text = match table {
            Scanned::Table(table) => format!("scan {table}: "),
            Scanned::Call(call) => {
                let args = call.args.iter().enumerate().map(|(place, arg)| {
                    let computed = computed.iter().find(|(known, _)| *known == place);
                    computed.map_or_else(|| value(arg, Format::Plain), |(_, arg)| over(arg, &[]))
                });
                let args: Vec<String> = args.collect();
                format!("call {}({}): ", call.function.name, args.join(", "))
            }
        };
        if names.is_empty() {
            text.push_str("no columns");
        } else {
            text.push_str("columns ");
            text.push_str(&names.join(", "));
        }
        if !hints.is_empty() {
            let hints: Vec<String> = hints.iter().map(|h| hint_text(h, spec)).collect();
            text.push_str("; hints ");
            text.push_str(&hints.join(" AND "));
        }
        if let Some(limit) = limit {
            use std::fmt::Write as _;
            let _ = write!(text, "; at most {limit} rows");
        }
        text
    }
}

/// The names of the columns that the expressions of an operator read.
fn read_names(plan: &Plan) -> Vec<String> {
    plan.inputs().into_iter().flat_map(Plan::names).collect()
}

fn column_name(spec: Option<&TableSpec>, index: usize) -> &'static str {
    spec.and_then(|s| s.columns.get(index)).map_or("?", |c| c.name)
}

fn hint_text(hint: &Hint, spec: Option<&TableSpec>) -> String {
    let name = column_name(spec, hint.column);
    let format = spec.and_then(|s| s.columns.get(hint.column)).map_or(Format::Plain, |c| c.format);
    match &hint.op {
        HintOp::In(values) => match values.as_slice() {
            [one] => format!("{name} = {}", value(one, format)),
            many => {
                let many: Vec<String> = many.iter().map(|v| value(v, format)).collect();
                format!("{name} IN ({})", listed(&many))
            }
        },
        HintOp::Range(low, high) => match (low, high) {
            (Some(low), Some(high)) => {
                format!("{name} from {} to {}", value(low, format), value(high, format))
            }
            (Some(low), None) => format!("{name} from {}", value(low, format)),
            (None, Some(high)) => format!("{name} up to {}", value(high, format)),
            (None, None) => name.to_owned(),
        },
        HintOp::Prefix(prefix) => {
            format!(
                "{name} begins with {}",
                value(&crate::catalog::Value::text(prefix.as_str()), format)
            )
        }
    }
}

fn over(expr: &Expr, names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    render::expr(expr, &names)
}

/// The expressions of a projection, with names where these differ from the expressions.
fn projected(plan: &Plan, input: &Plan, exprs: &[Expr]) -> String {
    let names = input.names();
    let items: Vec<String> = exprs
        .iter()
        .zip(&plan.schema)
        .map(|(expr, field)| {
            let text = over(expr, &names);
            if text == field.name || text.ends_with(&format!(".{}", field.name)) {
                text
            } else {
                format!("{text} AS {}", field.name)
            }
        })
        .collect();
    if items.is_empty() { "nothing".to_owned() } else { listed(&items) }
}

const fn join_words(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "inner",
        JoinKind::Left => "left",
        JoinKind::Right => "right",
        JoinKind::Full => "full",
        JoinKind::Cross => "cross",
        JoinKind::Semi => "semi",
        JoinKind::Anti => "anti",
        JoinKind::Positional => "positional",
        JoinKind::Asof => "as-of",
        JoinKind::AsofLeft => "left as-of",
    }
}

fn listed(items: &[String]) -> String {
    let shown = items.get(..LISTED.min(items.len())).unwrap_or(items).join(", ");
    match items.len().checked_sub(LISTED) {
        Some(more) if more > 0 => format!("{shown}, … {more} more"),
        _ => shown,
    }
}
