//! As-of joins: among the right rows with equal keys, each left row is paired with the one whose
//! value is nearest to its own and fulfils the inequality.

use std::collections::HashMap;

use super::range::{Keys, keys};
use super::{Pairs, Sides};
use crate::diag::{Code, Diagnostic};
use crate::exec::eval::Eval;
use crate::exec::frame::Frame;
use crate::exec::uses;
use crate::plan::{BinaryOp, Expr, ExprKind};

/// The right rows of a group, ordered by value.
type Sorted = Vec<(u64, u32)>;

impl Sides<'_> {
    /// The pairs of an as-of join.
    pub(super) fn nearest(&self) -> Result<Pairs, Diagnostic> {
        let defect = || {
            let message = "an as-of join has no inequality of numbers";
            Diagnostic::at(Code::Internal, self.join.span, message)
        };
        let Some(ExprKind::Binary { op, left, right }) = self.join.residual.map(|e| &e.kind) else {
            return Err(defect());
        };
        let mut of_right = Expr::clone(right);
        uses::shift(&mut of_right, self.left.cols.len());
        let lefts = self.numbers(&self.left, left)?.ok_or_else(defect)?;
        let rights = self.numbers(&self.right, &of_right)?.ok_or_else(defect)?;
        let matches = self.matches()?;
        let sorted = |rows: Vec<u32>| {
            let known = rows.into_iter();
            let known = known.filter_map(|row| Some(((*rights.get(row as usize)?)?, row)));
            let mut sorted: Sorted = known.collect();
            sorted.sort_unstable();
            sorted
        };
        let all = matches.is_none().then(|| sorted((0u32..).take(self.right.rows).collect()));
        let mut groups: HashMap<u32, Sorted> = HashMap::new();
        let mut pairs = Pairs::default();
        for (row, key) in (0u32..).zip(&lefts) {
            if row.trailing_zeros() >= 16 {
                self.engine.check_cancelled()?;
            }
            let Some(key) = *key else { continue };
            let among = match (&matches, &all) {
                (None, Some(all)) => all,
                (Some(matches), _) => {
                    let Some(group) = matches.group_of(row as usize) else { continue };
                    &*groups.entry(group).or_insert_with(|| sorted(matches.rows_of(group)))
                }
                (None, None) => continue,
            };
            if let Some(found) = nearest(among, *op, key) {
                pairs.left.push(row);
                pairs.right.push(found);
            }
        }
        Ok(pairs)
    }

    fn numbers(&self, frame: &Frame, expr: &Expr) -> Result<Option<Keys>, Diagnostic> {
        let col = Eval::new(self.engine, frame).column(expr)?;
        Ok(keys(&col, expr.ty))
    }
}

/// The row nearest to a key for which `key op value` is true; the last of rows with equal values.
fn nearest(sorted: &Sorted, op: BinaryOp, key: u64) -> Option<u32> {
    let before = |end: usize| end.checked_sub(1).and_then(|at| sorted.get(at)).copied();
    let found = match op {
        BinaryOp::GtEq => before(sorted.partition_point(|(value, _)| *value <= key)),
        BinaryOp::Gt => before(sorted.partition_point(|(value, _)| *value < key)),
        BinaryOp::LtEq => sorted.get(sorted.partition_point(|(value, _)| *value < key)).copied(),
        _ => sorted.get(sorted.partition_point(|(value, _)| *value <= key)).copied(),
    };
    found.map(|(_, row)| row)
}
