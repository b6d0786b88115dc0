//! Joins by ranges, such as `left.a BETWEEN right.low AND right.high`. The right rows are sorted
//! once, and each left row examines only the rows in its range.

use super::{BLOCK, Each, Pairs, Sides};
use crate::catalog::Ty;
use crate::diag::Diagnostic;
use crate::exec::col::Col;
use crate::exec::eval::Eval;
use crate::exec::uses;
use crate::plan::{BinaryOp, Expr, ExprKind};

/// A condition between an expression over the right rows and one over the left.
struct Bound<'e> {
    right: &'e Expr,
    left: &'e Expr,
    /// Whether equal values fulfil the condition.
    equal: bool,
}

/// The bounds on the right rows of a left row.
#[derive(Default)]
struct Bounds<'e> {
    /// The right value must not be above the left value.
    above: Option<Bound<'e>>,
    /// The right value must not be below the left value.
    below: Option<Bound<'e>>,
}

/// Sorted right rows, and the bounds that select those for a left row.
struct Index {
    /// Right rows in the order of their keys, without those that cannot fulfil the condition.
    rows: Vec<u32>,
    /// By position: the key that must be at most the left value.
    at_most: Option<Vec<u64>>,
    /// By position, as a running maximum: the key that must be at least the left value.
    at_least: Option<Vec<u64>>,
}

/// Left rows between two checks for cancellation.
const ROWS_BETWEEN_LOOKS: usize = 1 << 12;

/// Fewer pairs than this are tested one by one.
const FEW: usize = 1 << 12;

impl Sides<'_> {
    /// Passes on the pairs that fulfil the condition; returns false if the condition has no range.
    pub(super) fn range_pairs(&self, each: Each<'_>) -> Result<bool, Diagnostic> {
        let few = self.left.rows.saturating_mul(self.right.rows) < FEW;
        let Some(residual) = self.join.residual.filter(|_| !few) else { return Ok(false) };
        let width = self.left.cols.len();
        let mut bounds = Bounds::default();
        bounds.find(residual, width);
        if bounds.above.is_none() && bounds.below.is_none() {
            return Ok(false);
        }
        let Some(index) = self.index(&bounds, width)? else { return Ok(false) };
        let above = self.left_keys(bounds.above.as_ref())?;
        let below = self.left_keys(bounds.below.as_ref())?;
        let mut block = Pairs::default();
        for row in 0..self.left.rows {
            if row % ROWS_BETWEEN_LOOKS == 0 {
                self.engine.check_cancelled()?;
            }
            let from = match (&index.at_least, &below, &bounds.below) {
                (Some(keys), Some(left), Some(bound)) => match left.get(row) {
                    Some(Some(key)) if bound.equal => keys.partition_point(|k| k < key),
                    Some(Some(key)) => keys.partition_point(|k| k <= key),
                    _ => continue,
                },
                _ => 0,
            };
            let to = match (&index.at_most, &above, &bounds.above) {
                (Some(keys), Some(left), Some(bound)) => match left.get(row) {
                    Some(Some(key)) if bound.equal => keys.partition_point(|k| k <= key),
                    Some(Some(key)) => keys.partition_point(|k| k < key),
                    _ => continue,
                },
                _ => index.rows.len(),
            };
            let mut found = index.rows.get(from..to).unwrap_or_default().to_vec();
            found.sort_unstable();
            let left = u32::try_from(row).unwrap_or(u32::MAX);
            let mut found = found.as_slice();
            while !found.is_empty() {
                let room = BLOCK.saturating_sub(block.left.len());
                let (now, later) = found.split_at(room.min(found.len()));
                block.left.extend(std::iter::repeat_n(left, now.len()));
                block.right.extend_from_slice(now);
                found = later;
                if block.left.len() >= BLOCK {
                    self.engine.check_cancelled()?;
                    each(self.kept(std::mem::take(&mut block))?)?;
                }
            }
        }
        each(self.kept(block)?)?;
        Ok(true)
    }

    fn index(&self, bounds: &Bounds<'_>, width: usize) -> Result<Option<Index>, Diagnostic> {
        let right = |bound: &Bound<'_>| -> Result<Option<Keys>, Diagnostic> {
            let mut expr = bound.right.clone();
            uses::shift(&mut expr, width);
            Ok(keys(&Eval::new(self.engine, &self.right).column(&expr)?, expr.ty))
        };
        let above = bounds.above.as_ref().map(right).transpose()?;
        let below = bounds.below.as_ref().map(right).transpose()?;
        let (above, below) = match (above, below) {
            // The type has no numeric order.
            (Some(None), _) | (_, Some(None)) => return Ok(None),
            (above, below) => (above.flatten(), below.flatten()),
        };
        let Some(first) = above.as_ref().or(below.as_ref()) else { return Ok(None) };
        let there = |keys: &Option<Keys>, row: u32| {
            keys.as_ref().is_none_or(|keys| keys.get(row as usize).is_some_and(Option::is_some))
        };
        let all = (0u32..).take(self.right.rows);
        let mut rows: Vec<u32> =
            all.filter(|&row| there(&above, row) && there(&below, row)).collect();
        let key = |keys: &Keys, row: u32| keys.get(row as usize).copied().flatten().unwrap_or(0);
        rows.sort_by_key(|&row| key(first, row));
        let at_most = above.map(|keys| rows.iter().map(|&row| key(&keys, row)).collect());
        let at_least = below.map(|keys| {
            let each = rows.iter().map(|&row| key(&keys, row));
            // The running maximum: a left value above it lies in none of the ranges so far.
            each.scan(0, |most, key| {
                *most = key.max(*most);
                Some(*most)
            })
            .collect()
        });
        Ok(Some(Index { rows, at_most, at_least }))
    }

    fn left_keys(&self, bound: Option<&Bound<'_>>) -> Result<Option<Keys>, Diagnostic> {
        let Some(bound) = bound else { return Ok(None) };
        let col = Eval::new(self.engine, &self.left).column(bound.left)?;
        Ok(keys(&col, bound.left.ty))
    }
}

impl<'e> Bounds<'e> {
    /// Takes the first condition of each direction from the conditions combined with AND.
    fn find(&mut self, expr: &'e Expr, width: usize) {
        let ExprKind::Binary { op, left, right } = &expr.kind else { return };
        if *op == BinaryOp::And {
            self.find(left, width);
            self.find(right, width);
            return;
        }
        if left.ty != right.ty || uses::may_fault(left) || uses::may_fault(right) {
            return;
        }
        let of_left = |e: &Expr| uses::reads(e) && uses::all(e, |i| i < width);
        let of_right = |e: &Expr| uses::reads(e) && uses::all(e, |i| i >= width);
        // Normalized as `right op left`.
        let (op, of_right, of_left) = if of_left(left) && of_right(right) {
            (op.mirrored(), &**right, &**left)
        } else if of_right(left) && of_left(right) {
            (*op, &**left, &**right)
        } else {
            return;
        };
        let bound = |equal| Bound { right: of_right, left: of_left, equal };
        let slot = match op {
            BinaryOp::Lt | BinaryOp::LtEq => &mut self.above,
            BinaryOp::Gt | BinaryOp::GtEq => &mut self.below,
            _ => return,
        };
        slot.get_or_insert(bound(matches!(op, BinaryOp::LtEq | BinaryOp::GtEq)));
    }
}

/// Numbers in the order of the values; `None` for NULL.
pub(super) type Keys = Vec<Option<u64>>;

pub(super) fn keys(col: &Col, ty: Ty) -> Option<Keys> {
    const SIGN: u64 = 1 << 63;
    Some(match col {
        Col::Null(rows) if ty != Ty::Text => vec![None; *rows],
        Col::Int(a) => a.iter().map(|v| v.map(|v| v.cast_unsigned() ^ SIGN)).collect(),
        Col::Addr(a) => a.iter().map(Option::<&u64>::copied).collect(),
        Col::Double(a) => a.iter().map(|v| v.map(|v| double(*v))).collect(),
        _ => return None,
    })
}

/// NaN is the greatest and equal to itself; both zeros are equal.
fn double(value: f64) -> u64 {
    if value.is_nan() {
        return u64::MAX;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
