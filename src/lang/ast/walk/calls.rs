//! Visits calls and their windows.

use super::super::{Bound, Call, Ident, Over, Window};
use super::{Visit, expr, exprs, ident, idents, order_item};

pub(super) fn call(v: &mut dyn Visit, call: &mut Call) {
    ident(v, &mut call.name);
    exprs(v, &mut call.args);
    idents(v, &mut call.exclude);
    let keys = call.order_by.iter_mut().chain(&mut call.within_group);
    for key in keys {
        order_item(v, key);
    }
    if let Some(filter) = &mut call.filter {
        expr(v, filter);
    }
    match call.over.as_deref_mut() {
        Some(Over::Named(name)) => ident(v, name),
        Some(Over::Window(over)) => window(v, over),
        None => {}
    }
}

pub(super) fn windows(v: &mut dyn Visit, named: &mut [(Ident, Window)]) {
    for (name, over) in named {
        ident(v, name);
        window(v, over);
    }
}

fn window(v: &mut dyn Visit, window: &mut Window) {
    if let Some(base) = &mut window.base {
        ident(v, base);
    }
    exprs(v, &mut window.partition_by);
    for key in &mut window.order_by {
        order_item(v, key);
    }
    if let Some(frame) = &mut window.frame {
        v.span(&mut frame.span);
        for bound in [&mut frame.start, &mut frame.end] {
            if let Bound::Preceding(offset) | Bound::Following(offset) = bound {
                expr(v, offset);
            }
        }
    }
    v.span(&mut window.span);
}
