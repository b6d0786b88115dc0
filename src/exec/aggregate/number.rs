//! Aggregates that compute: counts, sums, means, spreads, bits.

use polars_arrow::array::PrimitiveArray;

use super::Input;
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};
use crate::exec::col::{Col, bits, boolean};

/// Mean and squared deviations by Welford's method, which does not lose digits where the mean is
/// large.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let from = value - self.mean;
        self.mean += from / self.count;
        self.squares += from * (value - self.mean);
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Numbers of groups of which some have none.
fn doubles(values: impl Iterator<Item = Option<f64>>) -> Col {
    let (values, there): (Vec<f64>, Vec<bool>) =
        values.map(|v| (v.unwrap_or_default(), v.is_some())).unzip();
    Col::double(values, Some(bits(there)))
}

impl Input<'_> {
    pub(super) fn count(&self, arg: Option<&Col>) -> Col {
        let mut counts = vec![0i64; self.groups];
        match (arg, self.ids) {
            (None, None) => counts[0] = signed(self.rows),
            (Some(col), None) => {
                let nulls = col.validity().map_or(0, |v| v.unset_bits());
                counts[0] = signed(self.rows - nulls);
            }
            (None, Some(ids)) => ids.iter().for_each(|&id| counts[id as usize] += 1),
            (Some(col), Some(_)) => self.each_valid(col, |group, _| counts[group] += 1),
        }
        Col::int(counts, None)
    }

    pub(super) fn count_if(&self, arg: &Col) -> Col {
        let mut counts = vec![0i64; self.groups];
        if let Col::Bool(array) = arg {
            self.each_valid(arg, |group, row| counts[group] += i64::from(array.value(row)));
        }
        Col::int(counts, None)
    }

    pub(super) fn sum(&self, arg: &Col) -> Result<Col, Diagnostic> {
        match arg {
            Col::Double(array) if self.is_full(arg) => {
                let mut sums = vec![0.0f64; self.groups];
                self.each_value(arg, array.values(), |group, v| sums[group] += v);
                Ok(Col::double(sums, None))
            }
            Col::Double(array) => {
                let mut sums = vec![(0.0f64, false); self.groups];
                self.each_value(arg, array.values(), |group, v| {
                    let (sum, any) = &mut sums[group];
                    *sum += v;
                    *any = true;
                });
                Ok(doubles(sums.into_iter().map(|(sum, any)| any.then_some(sum))))
            }
            Col::Int(array) => {
                if let Some(sums) = self.narrow_sums(arg, array) {
                    return Ok(Col::int(sums, None));
                }
                let sums = self.int_sums(arg, array);
                let mut out = Vec::with_capacity(sums.len());
                let there = bits(sums.iter().map(|&(_, count)| count > 0));
                for (sum, _) in sums {
                    out.push(i64::try_from(sum).map_err(|_| self.too_large(sum))?);
                }
                Ok(Col::int(out, Some(there)))
            }
            Col::Addr(array) => {
                let mut sums = vec![(0u128, false); self.groups];
                self.each_value(arg, array.values(), |group, v| {
                    sums[group].0 += u128::from(v);
                    sums[group].1 = true;
                });
                let there = bits(sums.iter().map(|s| s.1));
                let narrow = |(sum, _): (u128, bool)| {
                    u64::try_from(sum).map_err(|_| self.too_large(sum.cast_signed()))
                };
                let out = sums.into_iter().map(narrow).collect::<Result<_, _>>()?;
                Ok(Col::addr(out, Some(there)))
            }
            _ => Ok(Col::Null(self.groups)),
        }
    }

    /// Sums in the narrow type, if every group has a value and no step leaves the range.
    fn narrow_sums(&self, arg: &Col, array: &PrimitiveArray<i64>) -> Option<Vec<i64>> {
        if !self.is_full(arg) {
            return None;
        }
        let mut sums = vec![0i64; self.groups];
        let mut left_range = false;
        self.each_value(arg, array.values(), |group, v| {
            let (sum, overflow) = sums[group].overflowing_add(v);
            sums[group] = sum;
            left_range |= overflow;
        });
        (!left_range).then_some(sums)
    }

    fn int_sums(&self, arg: &Col, array: &PrimitiveArray<i64>) -> Vec<(i128, usize)> {
        let mut sums = vec![(0i128, 0usize); self.groups];
        self.each_value(arg, array.values(), |group, v| {
            let (sum, count) = &mut sums[group];
            *sum += i128::from(v);
            *count += 1;
        });
        sums
    }

    fn too_large(&self, sum: i128) -> Diagnostic {
        let (name, ty) = (self.call.function.name, self.call.ty);
        let message = format!("{name} is {sum}, outside the range of {ty}");
        Diagnostic::at(Code::Overflow, self.call.span, message)
            .help("cast the argument to DOUBLE for an approximate result")
    }

    #[allow(clippy::cast_precision_loss, reason = "a mean is a DOUBLE")]
    pub(super) fn avg(&self, arg: &Col) -> Col {
        match arg {
            Col::Double(array) => {
                let mut sums = vec![(0.0f64, 0usize); self.groups];
                self.each_value(arg, array.values(), |group, v| {
                    sums[group].0 += v;
                    sums[group].1 += 1;
                });
                doubles(sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / n as f64)))
            }
            Col::Int(array) => {
                let sums = self.int_sums(arg, array);
                if self.call.ty == Ty::Double {
                    let mean = |(sum, n): (i128, usize)| (n > 0).then(|| sum as f64 / n as f64);
                    return doubles(sums.into_iter().map(mean));
                }
                // The mean of instants or durations lies between them, so it fits.
                let there = bits(sums.iter().map(|&(_, n)| n > 0));
                let mean = |(sum, n): (i128, usize)| sum / i128::try_from(n.max(1)).unwrap_or(1);
                let mean = sums.into_iter().map(mean).map(|v| i64::try_from(v).unwrap_or_default());
                Col::int(mean.collect(), Some(there))
            }
            _ => Col::Null(self.groups),
        }
    }

    pub(super) fn product(&self, arg: &Col) -> Col {
        let Col::Double(array) = arg else { return Col::Null(self.groups) };
        let mut products = vec![(1.0f64, false); self.groups];
        self.each_value(arg, array.values(), |group, v| {
            products[group].0 *= v;
            products[group].1 = true;
        });
        doubles(products.into_iter().map(|(product, any)| any.then_some(product)))
    }

    pub(super) fn spread(&self, arg: &Col) -> Col {
        let Col::Double(array) = arg else { return Col::Null(self.groups) };
        let mut spreads = vec![Spread::default(); self.groups];
        self.each_value(arg, array.values(), |group, v| spreads[group].add(v));
        let name = self.call.function.name;
        let (sample, root) = (name.ends_with("samp"), name.starts_with("stddev"));
        doubles(spreads.into_iter().map(|s| {
            let by = if sample { s.count - 1.0 } else { s.count };
            let variance = (by > 0.0).then(|| s.squares / by)?;
            Some(if root { variance.sqrt() } else { variance })
        }))
    }

    /// `bool_and` starts from true and is made false by any false; `bool_or` the reverse.
    pub(super) fn truth(&self, arg: &Col, start: bool) -> Col {
        let Col::Bool(array) = arg else { return Col::Null(self.groups) };
        let mut truths = vec![(start, false); self.groups];
        self.each_valid(arg, |group, row| {
            let (truth, any) = &mut truths[group];
            *any = true;
            if array.value(row) != start {
                *truth = !start;
            }
        });
        let there = bits(truths.iter().map(|t| t.1));
        boolean(bits(truths.iter().map(|t| t.0)), Some(there))
    }

    pub(super) fn bits(&self, arg: &Col, combine: impl Fn(u64, u64) -> u64) -> Col {
        let mut found: Vec<Option<u64>> = vec![None; self.groups];
        let mut add = |group: usize, v: u64| {
            let slot = &mut found[group];
            *slot = Some(slot.map_or(v, |known| combine(known, v)));
        };
        match arg {
            Col::Int(a) => {
                self.each_value(arg, a.values(), |group, v| add(group, v.cast_unsigned()));
            }
            Col::Addr(a) => self.each_value(arg, a.values(), add),
            _ => return Col::Null(self.groups),
        }
        let there = bits(found.iter().map(Option::is_some));
        let values = found.into_iter().map(Option::unwrap_or_default);
        match arg {
            Col::Int(_) => Col::int(values.map(u64::cast_signed).collect(), Some(there)),
            _ => Col::addr(values.collect(), Some(there)),
        }
    }
}
