//! Aggregates over frames by merging states of runs of rows, and of runs of such runs.
//!
//! This works for every aggregate with small states; a frame merges the few states that cover it.

use super::Call;
use super::frames::Frames;
use super::layout::place;
use crate::diag::Diagnostic;
use crate::exec::aggregate::{self, Args, Rows, States};
use crate::exec::col::{Col, bits};

/// The number of states that are merged into one of the next level.
const FAN: usize = 8;

/// The number of frames that are computed at a time.
const FRAMES: usize = 1 << 14;

/// The approximate memory of the states of a place, higher levels included.
const BYTES_PER_ROW: usize = 64;

/// The states that a frame merges, level by level: those on its left edge, then those on its right.
struct Taken {
    left: Vec<Vec<(u32, u32)>>,
    right: Vec<Vec<(u32, u32)>>,
}

impl Taken {
    fn new(levels: usize) -> Self {
        Self { left: vec![Vec::new(); levels], right: vec![Vec::new(); levels] }
    }

    /// Records the states that cover a range of places.
    fn add(&mut self, frame: u32, from: usize, to: usize) {
        let (mut from, mut to) = (from, to);
        let last = self.left.len() - 1;
        for level in 0..=last {
            if level == last || to - from <= 2 * FAN {
                self.left[level].extend((from..to).map(|state| (frame, place(state))));
                return;
            }
            let inner = from.next_multiple_of(FAN);
            self.left[level].extend((from..inner).map(|state| (frame, place(state))));
            let end = to - to % FAN;
            self.right[level].extend((end..to).map(|state| (frame, place(state))));
            (from, to) = (inner / FAN, end / FAN);
        }
    }
}

impl Call<'_> {
    /// The aggregate of each frame, by merging states.
    pub(super) fn merged(&self, frames: &Frames<'_>) -> Result<Col, Diagnostic> {
        let (layout, rows) = (self.layout, self.layout.rows());
        let call = &self.window.call;
        self.engine.make(call.span, rows.saturating_mul(BYTES_PER_ROW) / 2)?;
        let function = aggregate::function(self.engine, call)?;
        let keep = self.kept()?;
        let keep = keep.map(|keep| bits((0..rows).map(|at| keep.get_bit(layout.row(at)))));
        let mut cols = Vec::with_capacity(call.args.len());
        for index in 0..call.args.len() {
            let arg = self.argument(index)?.unwrap_or(Col::Null(rows));
            let arg = layout.laid_out(&arg);
            cols.push(keep.as_ref().map_or_else(|| arg.clone(), |keep| arg.filter(keep)));
        }
        let ids: Vec<u32> = match &keep {
            None => (0u32..).take(rows).collect(),
            Some(keep) => keep.true_idx_iter().map(place).collect(),
        };
        let args = Args { cols: &cols, call, engine: self.engine };
        // At least two groups: states for a single group may be of a different type.
        let start = |groups: usize| (function.start)(&args, groups.max(2));
        let mut leaves = start(rows);
        let taken = Rows { range: 0..ids.len(), ids: Some(&ids), covers: keep.is_none() };
        leaves.update(&args, &taken)?;
        let mut levels = vec![leaves];
        let mut len = rows;
        while len > FAN {
            self.engine.check_cancelled()?;
            let mut above = start(len.div_ceil(FAN));
            let pairs: Vec<(u32, u32)> = (0..len).map(|i| (place(i / FAN), place(i))).collect();
            if let Some(below) = levels.last() {
                above.merge(&args, &**below, &pairs)?;
            }
            levels.push(above);
            len = len.div_ceil(FAN);
        }
        let mut parts = Vec::with_capacity(rows.div_ceil(FRAMES));
        for from in (0..rows).step_by(FRAMES) {
            self.engine.check_cancelled()?;
            let count = FRAMES.min(rows - from);
            let mut states = start(count);
            for piece in 0..3 {
                let mut taken = Taken::new(levels.len());
                for (frame, at) in (0u32..).zip(from..from + count) {
                    let range = &frames.pieces(at)[piece];
                    if !range.is_empty() {
                        taken.add(frame, range.start, range.end);
                    }
                }
                merge_all(&args, &mut *states, &levels, &taken)?;
            }
            parts.push(states.finish(&args)?.slice(0, count));
        }
        let order = layout.by_row((0u32..).take(rows).collect());
        Ok(if parts.is_empty() { Col::Null(rows) } else { Col::concat(&parts).take(&order) })
    }
}

/// Merges the recorded states in the order of the places.
fn merge_all(
    args: &Args<'_>,
    states: &mut dyn States,
    levels: &[Box<dyn States>],
    taken: &Taken,
) -> Result<(), Diagnostic> {
    for (level, pairs) in levels.iter().zip(&taken.left) {
        states.merge(args, &**level, pairs)?;
    }
    for (level, pairs) in levels.iter().zip(&taken.right).rev() {
        states.merge(args, &**level, pairs)?;
    }
    Ok(())
}
