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
    Ok(match len {
        len if len == frame.rows => frame,
        // A slice keeps all rows in memory.
        len if len < frame.rows / 4 => {
            let rows: Vec<u32> =
                (start..start + len).filter_map(|row| u32::try_from(row).ok()).collect();
            frame.take(&rows)
        }
        _ => frame.slice(start, len),
    })
}
