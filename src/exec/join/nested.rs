//! Joins without equal keys: every pair of rows is a candidate, a block of them at a time.

use super::{BLOCK, Pairs, Sides};
use crate::diag::Diagnostic;

impl Sides<'_> {
    pub(super) fn nested_pairs(&self) -> Result<Pairs, Diagnostic> {
        let (left, right) = (self.left.rows, self.right.rows);
        if self.join.residual.is_none() {
            self.check_size(left.saturating_mul(right))?;
        }
        let mut kept = Pairs::default();
        let mut block = Pairs::default();
        for l in (0u32..).take(left) {
            let mut from = 0;
            while from < right {
                let room = BLOCK - block.left.len();
                let to = right.min(from + room);
                block.left.extend(std::iter::repeat_n(l, to - from));
                block.right.extend((0u32..).skip(from).take(to - from));
                from = to;
                if block.left.len() >= BLOCK {
                    self.engine.check_cancelled()?;
                    self.keep(std::mem::take(&mut block), &mut kept)?;
                }
            }
        }
        self.keep(block, &mut kept)?;
        Ok(kept)
    }
}
