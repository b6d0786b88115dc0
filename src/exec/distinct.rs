//! Keeps the first of equal rows.

use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{keys, uses};
use crate::diag::Diagnostic;
use crate::plan::{Expr, Plan};

pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    on: Option<&[Expr]>,
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let Some(on) = on else {
        let frame = engine.run_all(input)?;
        let groups = engine.group(&frame.cols, frame.rows)?;
        return Ok(firsts(&frame, &groups));
    };
    let mut read = need.to_vec();
    for expr in on {
        uses::mark(expr, &mut read);
    }
    let frame = engine.run(input, &read)?;
    let eval = Eval::new(engine, &frame);
    let cols = on.iter().map(|e| eval.column(e)).collect::<Result<Vec<_>, _>>()?;
    let groups = engine.group(&cols, frame.rows)?;
    Ok(firsts(&frame, &groups))
}

fn firsts(frame: &Frame, groups: &keys::Groups) -> Frame {
    if groups.firsts.len() == frame.rows { frame.clone() } else { frame.take(&groups.firsts) }
}
