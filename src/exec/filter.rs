//! Keeps the rows for which a predicate is true.

use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{col::Col, uses};
use crate::diag::Diagnostic;
use crate::plan::{Expr, Plan};

pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    predicate: &Expr,
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let mut read = need.to_vec();
    uses::mark(predicate, &mut read);
    let frame = engine.run(input, &read)?;
    let keep = Eval::new(engine, &frame).predicate(predicate)?;
    let frame = only(frame, need);
    if keep.unset_bits() == 0 {
        return Ok(frame);
    }
    let part = frame.bytes() / frame.rows.max(1);
    engine.check_room(predicate.span, part.saturating_mul(keep.set_bits()))?;
    Ok(frame.filter(&keep))
}

/// The frame with unused columns replaced by NULLs.
pub(super) fn only(frame: Frame, need: &[bool]) -> Frame {
    let Frame { cols, rows, locals } = frame;
    let cols = cols.into_iter().enumerate();
    let cols = cols.map(|(i, col)| if need.get(i) == Some(&false) { Col::Null(rows) } else { col });
    Frame { cols: cols.collect(), rows, locals }
}
