//! The steps of the pipe syntax as text.

use super::expr::{direction, expr, order_items};
use super::query::{
    alias as table_alias, group_items, item, join_words, limits, query, select_list, set_words,
    windows,
};
use super::{ident, list};
use crate::lang::ast::{Expr, Ident, Pipe, PipeItem, PipeKey, PipeKind, Query};

/// A step with its `|>`.
pub(super) fn pipe(pipe: &Pipe) -> String {
    format!("|> {}", words(&pipe.kind))
}

fn words(kind: &PipeKind) -> String {
    let and = |text: String, more: Option<String>| match more {
        Some(more) => format!("{text} {more}"),
        None => text,
    };
    match kind {
        PipeKind::Select(select) => and(select_list(select), windows(&select.windows)),
        PipeKind::Extend { items, windows: named } => {
            and(format!("EXTEND {}", list(items, ", ", item)), windows(named))
        }
        PipeKind::Set(values) => {
            let one =
                |(name, value): &(Ident, Expr)| format!("{} = {}", ident(name), expr(value, 0));
            format!("SET {}", list(values, ", ", one))
        }
        PipeKind::Drop(names) => format!("DROP {}", list(names, ", ", ident)),
        PipeKind::Rename(names) => {
            let one = |(from, to): &(Ident, Ident)| format!("{} AS {}", ident(from), ident(to));
            format!("RENAME {}", list(names, ", ", one))
        }
        PipeKind::As(name) => format!("AS {}", ident(name)),
        PipeKind::Where(condition) => format!("WHERE {}", expr(condition, 0)),
        PipeKind::Aggregate { items, keys, and_order } => {
            let items = list(items, ", ", pipe_item);
            let by = if *and_order { "GROUP AND ORDER BY" } else { "GROUP BY" };
            let keys = (!keys.is_empty()).then(|| format!("{by} {}", list(keys, ", ", pipe_key)));
            let parts = [Some("AGGREGATE".to_owned()), (!items.is_empty()).then_some(items), keys];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        PipeKind::Distinct => "DISTINCT".to_owned(),
        PipeKind::Join { right, kind, on } => join_words(right, *kind, on),
        PipeKind::Turn { turn, alias } => {
            and(super::turn::turn(turn), alias.as_ref().map(|a| table_alias(a).trim().to_owned()))
        }
        PipeKind::SetOp { op, all, by_name, queries } => {
            let one = |inner: &Query| format!("({})", query(inner));
            format!("{} {}", set_words(*op, *all, *by_name), list(queries, ", ", one))
        }
        PipeKind::Order { items, all } => match all {
            Some(all) => format!("ORDER BY ALL{}", direction(all.descending, all.nulls_first)),
            None => format!("ORDER BY {}", order_items(items)),
        },
        PipeKind::Limit { limit, percent, offset } => {
            limits(limit.as_ref(), *percent, offset.as_ref()).join(" ")
        }
    }
}

fn pipe_item(item: &PipeItem) -> String {
    let alias = item.alias.as_ref().map(|alias| format!(" AS {}", ident(alias)));
    let order = item.order.map(|(descending, nulls)| {
        // A written direction asks for sorting, so the default direction is written too.
        let up = if descending { "" } else { " ASC" };
        format!("{up}{}", direction(descending, nulls))
    });
    expr(&item.expr, 0) + &alias.unwrap_or_default() + &order.unwrap_or_default()
}

fn pipe_key(key: &PipeKey) -> String {
    match key {
        PipeKey::Item(item) => pipe_item(item),
        PipeKey::Sets(sets) => group_items(std::slice::from_ref(sets)),
    }
}
