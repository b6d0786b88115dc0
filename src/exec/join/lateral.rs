//! Lateral joins: the right side reads columns of the left side, and runs once for each combination
//! of their values.

use super::Join;
use super::hash::Matches;
use crate::diag::Diagnostic;
use crate::exec::col::Col;
use crate::exec::engine::Engine;
use crate::exec::eval::Eval;
use crate::exec::frame::Frame;

/// The rows of the right side, with those of each combination together, and the left rows that they
/// belong to.
pub(super) fn right_side(
    engine: &Engine<'_>,
    join: &Join<'_>,
    left: &Frame,
    need: &[bool],
) -> Result<(Frame, Matches), Diagnostic> {
    let eval = Eval::new(engine, left);
    let args = join.args.iter().map(|arg| eval.column(arg)).collect::<Result<Vec<Col>, _>>()?;
    let groups = engine.group(&args, left.rows)?;
    let mut parts = Vec::with_capacity(groups.firsts.len());
    let mut starts = Vec::with_capacity(groups.firsts.len() + 1);
    let mut bytes = 0usize;
    let mut rows = 0;
    starts.push(rows);
    for (index, &row) in groups.firsts.iter().enumerate() {
        let values = args.iter().zip(join.args);
        let values = values.map(|(col, arg)| col.get(row as usize, arg.ty).into_owned());
        let inner = engine.with_params(values.collect(), index == 0);
        let part = inner.run(join.right, need)?;
        rows += part.rows;
        bytes = bytes.saturating_add(part.bytes());
        engine.check_room(join.span, bytes)?;
        starts.push(rows);
        parts.push(part);
    }
    let right = if parts.is_empty() {
        Frame::new(vec![Col::Null(0); join.right.schema.len()], 0)
    } else {
        Frame::concat(&parts)
    };
    Ok((right, Matches::of_groups(groups.ids, starts)))
}
