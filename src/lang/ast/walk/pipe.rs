//! Visits the steps of a pipe.

use super::super::{Pipe, PipeItem, PipeKey, PipeKind};
use super::{
    Visit, expr, group_item, ident, idents, join_on, order_all, order_item, query, select,
    select_item, table, table_alias, turn, windows,
};

pub(super) fn pipe(v: &mut dyn Visit, step: &mut Pipe) {
    v.span(&mut step.span);
    match &mut step.kind {
        PipeKind::Select(whole) => select(v, whole),
        PipeKind::Extend { items, windows: named } => {
            for item in items {
                select_item(v, item);
            }
            windows(v, named);
        }
        PipeKind::Set(values) => {
            for (name, value) in values {
                ident(v, name);
                expr(v, value);
            }
        }
        PipeKind::Drop(names) => idents(v, names),
        PipeKind::Rename(names) => {
            for (from, to) in names {
                ident(v, from);
                ident(v, to);
            }
        }
        PipeKind::As(name) => ident(v, name),
        PipeKind::Where(condition) => expr(v, condition),
        PipeKind::Aggregate { items, keys, .. } => {
            for item in items {
                pipe_item(v, item);
            }
            for key in keys {
                match key {
                    PipeKey::Item(item) => pipe_item(v, item),
                    PipeKey::Sets(item) => group_item(v, item),
                }
            }
        }
        PipeKind::Distinct => {}
        PipeKind::Join { right, on, .. } => {
            table(v, right);
            join_on(v, on);
        }
        PipeKind::SetOp { queries, .. } => {
            for inner in queries {
                query(v, inner);
            }
        }
        PipeKind::Turn { turn: made, alias } => {
            turn(v, made);
            table_alias(v, alias);
        }
        PipeKind::Order { items, all } => {
            for item in items {
                order_item(v, item);
            }
            order_all(v, all.as_mut());
        }
        PipeKind::Limit { limit, offset, .. } => {
            for count in limit.iter_mut().chain(offset) {
                expr(v, count);
            }
        }
    }
}

fn pipe_item(v: &mut dyn Visit, item: &mut PipeItem) {
    expr(v, &mut item.expr);
    if let Some(alias) = &mut item.alias {
        ident(v, alias);
    }
}
