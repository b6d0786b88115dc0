//! `UNION`, `INTERSECT` and `EXCEPT`: over sets and, with `ALL`, over multisets. Rows keep the
//! order of the left input, followed by that of the right.

use super::engine::Engine;
use super::frame::Frame;
use crate::diag::Diagnostic;
use crate::plan::{Plan, SetOp};

pub(super) fn run(
    engine: &Engine<'_>,
    op: SetOp,
    all: bool,
    left: &Plan,
    right: &Plan,
) -> Result<Frame, Diagnostic> {
    let span = right.span;
    let left = engine.run_all(left)?;
    let right = engine.run_all(right)?;
    engine.check_room(span, left.bytes().saturating_add(right.bytes()))?;
    let both = Frame::concat(&[left.clone(), right]);
    if op == SetOp::Union && all {
        return Ok(both);
    }
    let groups = engine.group(&both.cols, both.rows)?;
    if op == SetOp::Union {
        return Ok(both.take(&groups.firsts));
    }
    let (of_left, of_right) = groups.ids.split_at(left.rows);
    // How often each row occurs on the right: with ALL, each match uses up one occurrence.
    let mut there = vec![0usize; groups.firsts.len()];
    for &id in of_right {
        there[id as usize] += 1;
    }
    let mut seen = vec![false; groups.firsts.len()];
    let mut keep = Vec::new();
    for (row, &id) in (0u32..).zip(of_left) {
        let id = id as usize;
        let found = there[id] > 0;
        if all {
            there[id] = there[id].saturating_sub(1);
        } else if std::mem::replace(&mut seen[id], true) {
            continue;
        }
        if found == (op == SetOp::Intersect) {
            keep.push(row);
        }
    }
    Ok(left.take(&keep))
}
