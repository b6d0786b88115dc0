//! Joins without equal keys: every pair of rows is a candidate; candidates are tested in blocks.

use super::{BLOCK, Each, Pairs, Sides};
use crate::diag::Diagnostic;

impl Sides<'_> {
    /// Passes on the pairs that fulfil the condition.
    pub(super) fn nested_pairs(&self, each: Each<'_>) -> Result<(), Diagnostic> {
        let (left, right) = (self.left.rows, self.right.rows);
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
                    each(self.kept(std::mem::take(&mut block))?)?;
                }
            }
        }
        each(self.kept(block)?)
    }
}
