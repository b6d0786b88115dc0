//! Computes columns.

use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{col::Col, uses};
use crate::diag::Diagnostic;
use crate::plan::{Expr, ExprKind, Plan};

pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    exprs: &[Expr],
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let wanted = |i: usize| need.get(i) != Some(&false);
    let used = exprs.iter().enumerate().filter(|&(i, _)| wanted(i)).map(|(_, e)| e);
    let frame = engine.run(input, &uses::of(used, input.schema.len()))?;
    let eval = Eval::new(engine, &frame);
    let column = |(i, expr): (usize, &Expr)| {
        if !wanted(i) {
            return Ok(Col::Null(frame.rows));
        }
        let col = eval.column(expr)?;
        if !matches!(expr.kind, ExprKind::Column(_)) {
            engine.hold(expr.span, &col)?;
        }
        Ok(col)
    };
    let cols = exprs.iter().enumerate().map(column).collect::<Result<_, _>>()?;
    Ok(Frame::new(cols, frame.rows))
}
