//! The most frequent aggregates over windows: counts, sums, means, minimum and maximum.
//!
//! Counts and sums of integers are differences of running totals, which are exact. Sums of doubles
//! are computed only from the values in the frame, so that values outside it have no effect.

use std::cmp::Ordering;

use polars_arrow::bitmap::Bitmap;

use super::Call;
use super::fold::{Fold, fold};
use super::frames::Frames;
use super::layout::place;
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};
use crate::exec::aggregate::{OverFrames, unit_of};
use crate::exec::col::{Col, NO_ROW, bits};
use crate::exec::order;

/// For each place, how many of the places before it are counted; the total at the end.
fn counts(rows: usize, counts: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut sum = 0u32;
    let mut before = Vec::with_capacity(rows + 1);
    for at in 0..rows {
        before.push(sum);
        sum += u32::from(counts(at));
    }
    before.push(sum);
    before
}

/// The sum over a frame, from running totals.
fn total<T: Copy + std::ops::Sub<Output = T> + std::iter::Sum>(
    frames: &Frames<'_>,
    before: &[T],
    at: usize,
) -> T {
    frames.pieces(at).into_iter().map(|piece| before[piece.end] - before[piece.start]).sum()
}

impl Call<'_> {
    /// An aggregate over an argument in layout order, in which uncounted rows are NULL; `None` for
    /// types without an implementation. `counted` marks the counted places if there is no argument.
    pub(super) fn native(
        &self,
        native: OverFrames,
        arg: Option<&Col>,
        counted: Option<&Bitmap>,
        frames: &Frames<'_>,
    ) -> Result<Option<Col>, Diagnostic> {
        let Some(arg) = arg else { return Ok(Some(self.count(frames, counted)?)) };
        let validity = arg.validity();
        let there = |at: usize| validity.as_ref().is_none_or(|v| v.get_bit(at));
        Ok(Some(match (native, arg) {
            (OverFrames::Count, _) => self.count(frames, validity.as_deref())?,
            (OverFrames::CountIf, Col::Bool(values)) => {
                let rows = bits((0..arg.len()).map(|at| there(at) && values.value(at)));
                self.count(frames, Some(&rows))?
            }
            (OverFrames::Sum | OverFrames::Mean, Col::Int(values)) => {
                let number = |at: usize| i128::from(values.value(at));
                self.whole_sum(native, frames, arg.len(), number, there)?
            }
            (OverFrames::Sum, Col::Addr(values)) => {
                let number = |at: usize| i128::from(values.value(at));
                self.whole_sum(native, frames, arg.len(), number, there)?
            }
            (OverFrames::Sum | OverFrames::Mean, Col::Double(values)) => {
                let how = Doubles { values: values.values(), there: &there };
                let sums = fold(self.engine, frames, &how)?;
                self.double_sums(native, sums)
            }
            (OverFrames::Least | OverFrames::Greatest, _) => {
                let wanted =
                    if native == OverFrames::Least { Ordering::Less } else { Ordering::Greater };
                self.best(arg, frames, wanted)?
            }
            _ => return Ok(None),
        }))
    }

    fn count(&self, frames: &Frames<'_>, counted: Option<&Bitmap>) -> Result<Col, Diagnostic> {
        let found: Vec<i64> = match counted {
            None => self.each(|at| {
                let rows = frames.pieces(at).into_iter().map(|piece| piece.len()).sum::<usize>();
                i64::try_from(rows).unwrap_or(i64::MAX)
            })?,
            Some(counted) => {
                let before = counts(self.layout.rows(), |at| counted.get_bit(at));
                self.each(|at| i64::from(total(frames, &before, at)))?
            }
        };
        Ok(Col::int(self.layout.by_row(found), None))
    }

    #[allow(clippy::cast_precision_loss, reason = "a mean of numbers is a DOUBLE")]
    fn whole_sum(
        &self,
        native: OverFrames,
        frames: &Frames<'_>,
        rows: usize,
        number: impl Fn(usize) -> i128,
        there: impl Fn(usize) -> bool,
    ) -> Result<Col, Diagnostic> {
        self.engine.make(self.window.call.span, rows.saturating_mul(8 + 4))?;
        let mut sums = Vec::with_capacity(rows + 1);
        let mut sum = 0i128;
        for at in 0..rows {
            sums.push(sum);
            if there(at) {
                sum += number(at);
            }
        }
        sums.push(sum);
        let before = counts(rows, &there);
        let found: Vec<(i128, u32)> =
            self.each(|at| (total(frames, &sums, at), total(frames, &before, at)))?;
        let found = self.layout.by_row(found);
        let valid = Some(bits(found.iter().map(|f| f.1 > 0)));
        let ty = self.window.call.ty;
        if native == OverFrames::Mean && ty == Ty::Double {
            let of = self.window.call.args.first().map_or(Ty::Null, |arg| arg.ty);
            let unit = unit_of(of);
            let mean = |&(sum, count): &(i128, u32)| sum as f64 / f64::from(count.max(1)) / unit;
            let means = found.iter().map(mean);
            return Ok(Col::double(means.collect(), valid));
        }
        let results = found.into_iter().map(|(sum, count)| match native {
            OverFrames::Mean => sum / i128::from(count.max(1)),
            _ => sum,
        });
        if ty == Ty::Addr {
            let fits = |sum: i128| u64::try_from(sum).map_err(|_| self.too_large(sum));
            return Ok(Col::addr(results.map(fits).collect::<Result<_, _>>()?, valid));
        }
        let fits = |sum: i128| i64::try_from(sum).map_err(|_| self.too_large(sum));
        Ok(Col::int(results.map(fits).collect::<Result<_, _>>()?, valid))
    }

    fn too_large(&self, sum: i128) -> Diagnostic {
        let call = &self.window.call;
        let message = format!("{} is {sum}, outside the range of {}", call.function.name, call.ty);
        Diagnostic::at(Code::Overflow, call.span, message)
            .help("cast the argument to DOUBLE for an approximate result")
    }

    fn double_sums(&self, native: OverFrames, sums: Vec<(f64, u32)>) -> Col {
        let sums = self.layout.by_row(sums);
        let valid = bits(sums.iter().map(|s| s.1 > 0));
        let result = |(sum, count): (f64, u32)| match native {
            OverFrames::Mean => sum / f64::from(count.max(1)),
            _ => sum,
        };
        Col::double(sums.into_iter().map(result).collect(), Some(valid))
    }

    /// The least or greatest value of each frame; the first of equal ones.
    fn best(&self, arg: &Col, frames: &Frames<'_>, wanted: Ordering) -> Result<Col, Diagnostic> {
        let places = if let Col::Int(values) = arg {
            let values = values.values();
            let better = |a: usize, b: usize| values[a].cmp(&values[b]) == wanted;
            fold(self.engine, frames, &Best { arg, better })?
        } else {
            let better = |a: usize, b: usize| order::values(arg, a, b) == wanted;
            fold(self.engine, frames, &Best { arg, better })?
        };
        Ok(arg.take_opt(&self.layout.by_row(places)))
    }
}

/// Sums and counts of doubles.
struct Doubles<'a, V> {
    values: &'a [f64],
    there: &'a V,
}

impl<V: Fn(usize) -> bool + Sync> Fold for Doubles<'_, V> {
    type State = (f64, u32);

    fn empty(&self) -> Self::State {
        (0.0, 0)
    }

    fn leaf(&self, at: usize) -> Self::State {
        if (self.there)(at) { (self.values[at], 1) } else { (0.0, 0) }
    }

    fn merge(&self, left: Self::State, right: Self::State) -> Self::State {
        (left.0 + right.0, left.1 + right.1)
    }
}

/// The place of the least or greatest value; [`NO_ROW`] if there is no value.
struct Best<'a, B> {
    arg: &'a Col,
    better: B,
}

impl<B: Fn(usize, usize) -> bool + Sync> Fold for Best<'_, B> {
    type State = u32;

    fn empty(&self) -> u32 {
        NO_ROW
    }

    fn leaf(&self, at: usize) -> u32 {
        if self.arg.is_null(at) { NO_ROW } else { place(at) }
    }

    fn merge(&self, left: u32, right: u32) -> u32 {
        if left == NO_ROW {
            return right;
        }
        let takes = right != NO_ROW && (self.better)(right as usize, left as usize);
        if takes { right } else { left }
    }
}
