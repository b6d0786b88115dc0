//! Aggregates without a special implementation for frames: the frames are expanded to groups of
//! rows, many at a time.
//!
//! Consecutive equal frames are one group, so whole partitions cost the same as GROUP BY.

use rayon::prelude::*;

use super::Call;
use super::frames::Frames;
use super::layout::place;
use crate::diag::Diagnostic;
use crate::exec::aggregate;
use crate::exec::col::Col;
use crate::exec::frame::Frame;
use crate::exec::{filter, uses};

/// The number of rows that are expanded at a time.
const MOST_ROWS: usize = 1 << 18;

/// Frames that are expanded together.
struct Batch {
    /// The first place of each group.
    firsts: Vec<u32>,
    rows: usize,
}

impl Call<'_> {
    pub(super) fn expanded(&self, frames: &Frames<'_>) -> Result<Col, Diagnostic> {
        let (layout, rows) = (self.layout, self.layout.rows());
        let mut batches: Vec<Batch> = Vec::new();
        let mut group_of = Vec::with_capacity(rows);
        let mut groups = 0usize;
        for at in 0..rows {
            if !frames.repeats(at) || layout.starts[at] as usize == at {
                let length = frames.pieces(at).into_iter().map(|piece| piece.len()).sum();
                match batches.last_mut().filter(|b| b.rows.saturating_add(length) <= MOST_ROWS) {
                    Some(batch) => {
                        batch.firsts.push(place(at));
                        batch.rows += length;
                    }
                    None => batches.push(Batch { firsts: vec![place(at)], rows: length }),
                }
                groups += 1;
            }
            group_of.push(place(groups - 1));
        }
        let need = uses::of(self.window.call.exprs(), self.frame.cols.len());
        let frame = filter::only(self.frame.clone(), &need);
        let of = |batch: &Batch| self.of_batch(&frame, frames, batch);
        let parts: Vec<Result<Col, Diagnostic>> = if self.window.exprs().any(uses::has_query) {
            batches.iter().map(of).collect()
        } else {
            batches.par_iter().map(of).collect()
        };
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Ok(Col::Null(rows));
        }
        Ok(Col::concat(&parts).take(&layout.by_row(group_of)))
    }

    fn of_batch(
        &self,
        frame: &Frame,
        frames: &Frames<'_>,
        batch: &Batch,
    ) -> Result<Col, Diagnostic> {
        self.engine.check_cancelled()?;
        let (mut rows, mut ids) = (Vec::with_capacity(batch.rows), Vec::with_capacity(batch.rows));
        for (group, &at) in (0u32..).zip(&batch.firsts) {
            for piece in frames.pieces(at as usize) {
                for place_of in piece {
                    rows.push(place(self.layout.row(place_of)));
                    ids.push(group);
                }
            }
        }
        let frame = frame.take(&rows);
        self.engine.check_room(self.window.call.span, frame.bytes())?;
        aggregate::of_groups(
            self.engine,
            &frame,
            (Some(&ids), false),
            batch.firsts.len(),
            &self.window.call,
        )
    }
}
