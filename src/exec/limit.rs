//! `LIMIT` and `OFFSET`.

use super::engine::Engine;
use super::frame::Frame;
use crate::diag::Diagnostic;
use crate::plan::Plan;

pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    limit: Option<usize>,
    offset: usize,
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let frame = engine.run(input, need)?;
    let start = offset.min(frame.rows);
    let len = limit.unwrap_or(usize::MAX).min(frame.rows - start);
    Ok(if len == frame.rows { frame } else { frame.slice(start, len) })
}
