//! Aggregates over frames: chooses the algorithm.

use polars_arrow::bitmap::Bitmap;

use super::Call;
use super::frames::{Frames, Shape};
use crate::diag::Diagnostic;
use crate::exec::aggregate::{self, OverFrames};
use crate::exec::col::{Col, bits};
use crate::exec::eval::Eval;

impl Call<'_> {
    pub(super) fn aggregate(&self) -> Result<Col, Diagnostic> {
        let call = &self.window.call;
        let frames = self.frames()?;
        let function = aggregate::function(self.engine, call)?;
        let several = aggregate::is_several(call);
        let native = function.over_frames.filter(|_| !several);
        // DISTINCT does not change the least or greatest value.
        let extreme = matches!(native, Some(OverFrames::Least | OverFrames::Greatest));
        // If frames only grow, a distinct value counts from its first occurrence on.
        let firsts =
            call.distinct && call.args.len() == 1 && !extreme && frames.shape() == Shape::Growing;
        if let Some(native) = native.filter(|_| !call.distinct || extreme || firsts) {
            let keep = self.kept()?;
            let counted = keep.as_ref().map(|keep| self.laid_out_bits(keep));
            let arg = self.argument(0)?.map(|arg| self.layout.laid_out(&arg));
            let arg = match (arg, &counted) {
                (Some(arg), Some(counted)) => Some(arg.mask(counted)),
                (arg, _) => arg,
            };
            let arg = match arg {
                Some(arg) if firsts => Some(self.first_of_equal(arg)?),
                arg => arg,
            };
            if let Some(col) = self.native(native, arg.as_ref(), counted.as_ref(), &frames)? {
                return Ok(col);
            }
        }
        let plain = !call.distinct && !function.distinct && call.order_by.is_empty();
        if plain && !several && !function.keeps_rows && self.is_much_to_expand(&frames) {
            return self.merged(&frames);
        }
        self.expanded(&frames)
    }

    /// The values of an argument in layout order at their first occurrence in the partition; NULL
    /// at later ones.
    fn first_of_equal(&self, arg: Col) -> Result<Col, Diagnostic> {
        let rows = self.layout.rows();
        let starts = self.layout.starts.iter().map(|&start| u64::from(start)).collect();
        let groups = self.engine.group(&[Col::addr(starts, None), arg.clone()], rows)?;
        let mut firsts = vec![false; rows];
        for &first in &groups.firsts {
            firsts[first as usize] = true;
        }
        Ok(arg.mask(&bits(firsts)))
    }

    /// Whether the frames together have many more rows than the input.
    fn is_much_to_expand(&self, frames: &Frames<'_>) -> bool {
        let most = self.layout.rows().saturating_mul(4);
        let mut rows = 0usize;
        (0..self.layout.rows()).any(|at| {
            if !frames.repeats(at) {
                rows += frames.pieces(at).into_iter().map(|piece| piece.len()).sum::<usize>();
            }
            rows > most
        })
    }

    /// The rows that fulfil FILTER, if there is one.
    pub(super) fn kept(&self) -> Result<Option<Bitmap>, Diagnostic> {
        let filter = self.window.call.filter.as_ref();
        filter.map(|filter| Eval::new(self.engine, self.frame).predicate(filter)).transpose()
    }

    fn laid_out_bits(&self, rows: &Bitmap) -> Bitmap {
        bits((0..self.layout.rows()).map(|at| rows.get_bit(self.layout.row(at))))
    }
}
