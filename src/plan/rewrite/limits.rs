//! Passes limits down: sorts keep only the first rows, and scans stop early.

use crate::plan::{Plan, Rel};

/// Tells sorts and scans below limits how many rows are enough.
pub(super) fn give(plan: &mut Plan) {
    if let Rel::Limit { input, limit: Some(limit), offset } = &mut plan.rel {
        enough(input, limit.saturating_add(*offset));
    }
    for input in plan.inputs_mut() {
        give(input);
    }
}

fn enough(plan: &mut Plan, rows: usize) {
    match &mut plan.rel {
        Rel::Project { input, .. } => enough(input, rows),
        Rel::Scan { limit, .. } => *limit = Some(limit.map_or(rows, |old| old.min(rows))),
        Rel::Sort { top, .. } => *top = Some(top.map_or(rows, |old| old.min(rows))),
        Rel::SetOp { op: crate::lang::ast::SetOp::Union, all: true, left, right } => {
            enough(left, rows);
            enough(right, rows);
        }
        _ => {}
    }
}
