//! Queries and FROM as text.

use super::expr::{expr, match_words, order_items, window};
use super::{ident, list, name};
use crate::lang::ast::{
    Body, CallArgument, Cte, Distinct, Expr, GroupBy, GroupItem, Ident, JoinKind, JoinOn,
    NamePattern, Query, Select, SelectItem, SetOp, TableAlias, TableRef, TableRefKind, Window,
};

/// A query on one line.
pub(super) fn query(whole: &Query) -> String {
    clauses(whole).join(" ")
}

/// The clauses of a query.
pub(super) fn clauses(whole: &Query) -> Vec<String> {
    let mut clauses = Vec::new();
    if let Some(with) = &whole.with {
        let recursive = if with.recursive { "RECURSIVE " } else { "" };
        clauses.push(format!("WITH {recursive}{}", list(&with.ctes, ", ", cte)));
    }
    body(&whole.body, &mut clauses);
    if !whole.order_by.is_empty() {
        clauses.push(format!("ORDER BY {}", order_items(&whole.order_by)));
    }
    if let Some(all) = &whole.order_by_all {
        let direction = super::expr::direction(all.descending, all.nulls_first);
        clauses.push(format!("ORDER BY ALL{direction}"));
    }
    clauses.extend(limits(whole.limit.as_ref(), whole.limit_percent, whole.offset.as_ref()));
    clauses.extend(whole.pipes.iter().map(super::pipe::pipe));
    clauses
}

/// LIMIT and OFFSET.
pub(super) fn limits(limit: Option<&Expr>, percent: bool, offset: Option<&Expr>) -> Vec<String> {
    let mut clauses = Vec::new();
    match limit {
        Some(share) if percent => clauses.push(format!("LIMIT {}%", expr(share, 0))),
        limit => push(&mut clauses, "LIMIT", limit),
    }
    push(&mut clauses, "OFFSET", offset);
    clauses
}

fn push(clauses: &mut Vec<String>, word: &str, condition: Option<&Expr>) {
    clauses.extend(condition.map(|condition| format!("{word} {}", expr(condition, 0))));
}

fn cte(cte: &Cte) -> String {
    let hint = match cte.materialized {
        None => "",
        Some(true) => "MATERIALIZED ",
        Some(false) => "NOT MATERIALIZED ",
    };
    format!("{}{} AS {hint}({})", ident(&cte.name), columns(&cte.columns), query(&cte.query))
}

pub(super) fn columns(columns: &[Ident]) -> String {
    if columns.is_empty() { String::new() } else { format!("({})", list(columns, ", ", ident)) }
}

fn body(whole: &Body, clauses: &mut Vec<String>) {
    match whole {
        Body::Select(whole) => select(whole, clauses),
        Body::Values { rows, .. } => {
            let row = |row: &Vec<Expr>| format!("({})", exprs(row));
            clauses.push(format!("VALUES {}", list(rows, ", ", row)));
        }
        Body::Nested(inner) => clauses.push(format!("({})", query(inner))),
        Body::SetOp { op, all, by_name, left, right, .. } => {
            body(left, clauses);
            clauses.push(set_words(*op, *all, *by_name));
            body(right, clauses);
        }
    }
}

/// The keywords of a set operation.
pub(super) fn set_words(op: SetOp, all: bool, by_name: bool) -> String {
    let op = match op {
        SetOp::Union => "UNION",
        SetOp::Intersect => "INTERSECT",
        SetOp::Except => "EXCEPT",
    };
    format!("{op}{}{}", if all { " ALL" } else { "" }, if by_name { " BY NAME" } else { "" })
}

fn exprs(all: &[Expr]) -> String {
    list(all, ", ", |one| expr(one, 0))
}

fn select(select: &Select, clauses: &mut Vec<String>) {
    clauses.push(select_list(select));
    clauses.extend(select.from.as_ref().map(|from| format!("FROM {}", table(from))));
    push(clauses, "WHERE", select.filter.as_ref());
    match &select.group_by {
        GroupBy::None => {}
        GroupBy::All(_) => clauses.push("GROUP BY ALL".to_owned()),
        GroupBy::Keys(keys) => clauses.push(format!("GROUP BY {}", exprs(keys))),
        GroupBy::Sets(items) => clauses.push(format!("GROUP BY {}", group_items(items))),
    }
    push(clauses, "HAVING", select.having.as_ref());
    clauses.extend(windows(&select.windows));
    push(clauses, "QUALIFY", select.qualify.as_ref());
}

/// SELECT with its list.
pub(super) fn select_list(select: &Select) -> String {
    let distinct = match &select.distinct {
        Distinct::No => String::new(),
        Distinct::Rows => "DISTINCT ".to_owned(),
        Distinct::On(keys) => format!("DISTINCT ON ({}) ", exprs(keys)),
    };
    format!("SELECT {distinct}{}", list(&select.items, ", ", item))
}

/// The clause WINDOW, if there is one.
pub(super) fn windows(windows: &[(Ident, Window)]) -> Option<String> {
    let one = |(name, over): &(Ident, Window)| format!("{} AS ({})", ident(name), window(over));
    (!windows.is_empty()).then(|| format!("WINDOW {}", list(windows, ", ", one)))
}

pub(super) fn group_items(items: &[GroupItem]) -> String {
    let keys = |keys: &Vec<Expr>| match keys.as_slice() {
        [one] => expr(one, 0),
        many => format!("({})", exprs(many)),
    };
    list(items, ", ", |item| match item {
        GroupItem::Keys(one) => keys(one),
        GroupItem::Rollup(lists) => format!("ROLLUP ({})", list(lists, ", ", keys)),
        GroupItem::Cube(lists) => format!("CUBE ({})", list(lists, ", ", keys)),
        GroupItem::Sets(sets) => format!("GROUPING SETS ({})", group_items(sets)),
    })
}

pub(super) fn item(item: &SelectItem) -> String {
    match item {
        SelectItem::Expr { expr: value, alias } => {
            let alias = alias.as_ref().map(|alias| format!(" AS {}", ident(alias)));
            expr(value, 0) + &alias.unwrap_or_default()
        }
        SelectItem::Star { qualifier, exclude, replace, rename, like, .. } => {
            let mut text = qualifier.as_ref().map(|q| name(q) + ".").unwrap_or_default() + "*";
            if !exclude.is_empty() {
                text = text + " EXCLUDE " + &columns(exclude);
            }
            if !replace.is_empty() {
                let one = |(value, name): &(Expr, Ident)| {
                    format!("{} AS {}", expr(value, 0), ident(name))
                };
                text = text + " REPLACE (" + &list(replace, ", ", one) + ")";
            }
            if !rename.is_empty() {
                let one = |(from, to): &(Ident, Ident)| format!("{} AS {}", ident(from), ident(to));
                text = text + " RENAME (" + &list(rename, ", ", one) + ")";
            }
            if let Some(NamePattern { op, pattern, negated }) = like {
                let not = if *negated { "NOT " } else { "" };
                let words = match_words(*op);
                let pattern = pattern.text.replace('\'', "''");
                text = format!("{text} {not}{words} '{pattern}'");
            }
            text
        }
    }
}

fn table(table_ref: &TableRef) -> String {
    let lateral = |lateral: bool| if lateral { "LATERAL " } else { "" };
    let text = match &table_ref.kind {
        TableRefKind::Table(table) => name(table),
        TableRefKind::File(file) => super::text(file),
        TableRefKind::Function { name: function, args, lateral: l } => {
            format!("{}{}({})", lateral(*l), name(function), list(args, ", ", argument))
        }
        TableRefKind::Subquery { query: inner, lateral: l } => {
            format!("{}({})", lateral(*l), query(inner))
        }
        TableRefKind::Turned { input, turn } => {
            let input = match (&input.kind, &input.alias) {
                (TableRefKind::Join { .. }, None) => format!("({})", table(input)),
                _ => table(input),
            };
            format!("{input} {}", super::turn::turn(turn))
        }
        TableRefKind::Join { left, right, kind, on } => join(left, right, *kind, on),
    };
    text + &table_ref.alias.as_ref().map(alias).unwrap_or_default()
}

pub(super) fn argument(argument: &CallArgument) -> String {
    let name = argument.name.as_ref().map(|name| ident(name) + " => ");
    name.unwrap_or_default() + &expr(&argument.value, 0)
}

pub(super) fn alias(alias: &TableAlias) -> String {
    format!(" AS {}{}", ident(&alias.name), columns(&alias.columns))
}

fn join(left: &TableRef, right: &TableRef, kind: JoinKind, on: &JoinOn) -> String {
    format!("{} {}", table(left), join_words(right, kind, on))
}

/// A join without its left side.
pub(super) fn join_words(right: &TableRef, kind: JoinKind, on: &JoinOn) -> String {
    let natural = if *on == JoinOn::Natural { "NATURAL " } else { "" };
    let kind = match kind {
        JoinKind::Inner => "",
        JoinKind::Left => "LEFT ",
        JoinKind::Right => "RIGHT ",
        JoinKind::Full => "FULL ",
        JoinKind::Cross => "CROSS ",
        JoinKind::Semi => "SEMI ",
        JoinKind::Anti => "ANTI ",
        JoinKind::Asof => "ASOF ",
        JoinKind::AsofLeft => "ASOF LEFT ",
        JoinKind::Positional => "POSITIONAL ",
    };
    // Joins are left-associative, so a join on the right side needs parentheses.
    let right = match right.kind {
        TableRefKind::Join { .. } => format!("({})", table(right)),
        _ => table(right),
    };
    let on = match on {
        JoinOn::Condition(condition) => format!(" ON {}", expr(condition, 0)),
        JoinOn::Using(names) => format!(" USING {}", columns(names)),
        JoinOn::Natural | JoinOn::None => String::new(),
    };
    format!("{natural}{kind}JOIN {right}{on}")
}
