//! Aggregates of one number: skewness, kurtosis, the standard error, geometric and harmonic means,
//! and compensated sums.

use super::TO_DOUBLE;
use super::kernel::{Aggregate, Args, Rows, States, same};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, bits};

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "skewness",
        "How far the values lean to one side; NULL of fewer than three values.",
        TO_DOUBLE,
        &[("round(skewness(x), 4)", "1.5396")],
        |_, groups| Moments::start(groups, Moment::skewness),
    ),
    Aggregate::new(
        "kurtosis",
        "How heavy the tails are, against those of a normal distribution, of a sample; NULL of fewer than four values.",
        TO_DOUBLE,
        &[("round(kurtosis(x), 4)", "2.8889")],
        |_, groups| Moments::start(groups, Moment::kurtosis),
    ),
    Aggregate::new(
        "kurtosis_pop",
        "How heavy the tails are, against those of a normal distribution, of a whole population.",
        TO_DOUBLE,
        &[("round(kurtosis_pop(x), 4)", "-0.8148")],
        |_, groups| Moments::start(groups, Moment::kurtosis_pop),
    ),
    Aggregate::new(
        "sem",
        "The standard error of the mean.",
        TO_DOUBLE,
        &[("round(sem(x), 4)", "0.75")],
        |_, groups| Moments::start(groups, |m| m.any().map(|m| m.m2.sqrt() / m.count)),
    ),
    Aggregate::new(
        "geomean",
        "The geometric mean: the root of the product.",
        TO_DOUBLE,
        &[("round(geomean(x), 4)", "2.1147")],
        |_, groups| Totals::start(groups, f64::ln, |t| (t.sum / t.count).exp()),
    )
    .or(&["geometric_mean"]),
    Aggregate::new(
        "fsum",
        "Adds up numbers and keeps the digits that a plain sum of DOUBLE loses.",
        TO_DOUBLE,
        &[("fsum(x)", "10.0")],
        |_, groups| Totals::start(groups, |v| v, |t| t.sum + t.lost),
    )
    .or(&["sumkahan", "kahan_sum"]),
    Aggregate::new(
        "favg",
        "The mean of numbers by a sum that keeps the digits that a plain one loses.",
        TO_DOUBLE,
        &[("favg(x)", "2.5")],
        |_, groups| Totals::start(groups, |v| v, |t| (t.sum + t.lost) / t.count),
    ),
];

/// The number of values, their mean, and the sums of powers of their deviations from the mean.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    count: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moment {
    fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, ..Self::default() }
    }

    /// The moments of both sets of values together, by the formulas of Chan and Pébay.
    fn merged(a: Self, b: Self) -> Self {
        if a.count == 0.0 {
            return b;
        }
        if b.count == 0.0 {
            return a;
        }
        let n = a.count + b.count;
        let d = b.mean - a.mean;
        let (d2, ab) = (d * d, a.count * b.count);
        let m3 = a.m3
            + b.m3
            + d2 * d * ab * (a.count - b.count) / (n * n)
            + 3.0 * d * (a.count * b.m2 - b.count * a.m2) / n;
        let m4 = a.m4
            + b.m4
            + d2 * d2 * ab * (a.count * a.count - ab + b.count * b.count) / (n * n * n)
            + 6.0 * d2 * (a.count * a.count * b.m2 + b.count * b.count * a.m2) / (n * n)
            + 4.0 * d * (a.count * b.m3 - b.count * a.m3) / n;
        Self { count: n, mean: a.mean + d * b.count / n, m2: a.m2 + b.m2 + d2 * ab / n, m3, m4 }
    }

    fn any(self) -> Option<Self> {
        (self.count > 0.0).then_some(self)
    }

    fn skewness(self) -> Option<f64> {
        let n = self.count;
        let variance = self.m2 / n;
        if n < 3.0 || variance == 0.0 {
            return None;
        }
        Some((n * (n - 1.0)).sqrt() / (n - 2.0) * (self.m3 / n) / variance.powf(1.5))
    }

    fn kurtosis(self) -> Option<f64> {
        let n = self.count;
        let ratio = self.ratio().filter(|_| n > 3.0)?;
        Some((n - 1.0) * ((n + 1.0) * ratio - 3.0 * (n - 1.0)) / ((n - 2.0) * (n - 3.0)))
    }

    fn kurtosis_pop(self) -> Option<f64> {
        self.ratio().filter(|_| self.count > 1.0).map(|ratio| ratio - 3.0)
    }

    /// The fourth moment divided by the square of the second.
    fn ratio(self) -> Option<f64> {
        (self.m2 != 0.0).then(|| self.m4 * self.count / (self.m2 * self.m2))
    }
}

struct Moments {
    states: Vec<Moment>,
    result: fn(Moment) -> Option<f64>,
}

impl Moments {
    fn start(groups: usize, result: fn(Moment) -> Option<f64>) -> Box<dyn States> {
        Box::new(Self { states: vec![Moment::default(); groups], result })
    }
}

impl States for Moments {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        if let Some(col @ Col::Double(array)) = args.cols.first() {
            rows.each_value(col, array.values(), |group, v| {
                self.states[group] = Moment::merged(self.states[group], Moment::of(v));
            });
        }
        Ok(())
    }

    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic> {
        let from = same::<Self>(args, from)?;
        for &(into, of) in pairs {
            let into = &mut self.states[into as usize];
            *into = Moment::merged(*into, from.states[of as usize]);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        Ok(doubles(self.states.into_iter().map(self.result)))
    }
}

/// A sum with the part that rounding lost (Neumaier's summation).
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    count: f64,
    sum: f64,
    lost: f64,
}

impl Total {
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        let lost = if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        if lost.is_finite() {
            self.lost += lost;
        }
        self.sum = sum;
    }
}

struct Totals {
    states: Vec<Total>,
    of: fn(f64) -> f64,
    result: fn(Total) -> f64,
}

impl Totals {
    fn start(groups: usize, of: fn(f64) -> f64, result: fn(Total) -> f64) -> Box<dyn States> {
        Box::new(Self { states: vec![Total::default(); groups], of, result })
    }
}

impl States for Totals {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        if let Some(col @ Col::Double(array)) = args.cols.first() {
            rows.each_value(col, array.values(), |group, v| {
                let total = &mut self.states[group];
                total.add((self.of)(v));
                total.count += 1.0;
            });
        }
        Ok(())
    }

    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic> {
        let from = same::<Self>(args, from)?;
        for &(into, of) in pairs {
            let (into, of) = (&mut self.states[into as usize], from.states[of as usize]);
            into.add(of.sum);
            into.lost += of.lost;
            into.count += of.count;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        let result = self.result;
        Ok(doubles(self.states.into_iter().map(|t| (t.count > 0.0).then(|| result(t)))))
    }
}

fn doubles(values: impl Iterator<Item = Option<f64>>) -> Col {
    let (values, there): (Vec<f64>, Vec<bool>) =
        values.map(|v| (v.unwrap_or_default(), v.is_some())).unzip();
    Col::double(values, Some(bits(there)))
}
