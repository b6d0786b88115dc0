//! Aggregates of numbers that are not sums: products, variances, logical and bitwise aggregates.

use super::kernel::{Aggregate, Args, Rows, SeenGroups, States, same};
use super::{TO_DOUBLE, sig};
use crate::catalog::Signature;
use crate::catalog::Ty::{Addr, Bool, Int};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, bits, boolean};

const BITS: &[Signature] = &[sig(&[Int], Int), sig(&[Addr], Addr)];

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "stddev_samp",
        "The standard deviation of a sample; NULL of fewer than two values.",
        TO_DOUBLE,
        &[("round(stddev_samp(x), 4)", "1.7321")],
        |_, groups| Spreads::start(groups, |s| s.variance(1.0).map(f64::sqrt)),
    )
    .or(&["stddev"]),
    Aggregate::new(
        "stddev_pop",
        "The standard deviation of a whole population.",
        TO_DOUBLE,
        &[("round(stddev_pop(x), 4)", "1.5")],
        |_, groups| Spreads::start(groups, |s| s.variance(0.0).map(f64::sqrt)),
    ),
    Aggregate::new(
        "var_samp",
        "The variance of a sample; NULL of fewer than two values.",
        TO_DOUBLE,
        &[("round(var_samp(x), 4)", "3.0")],
        |_, groups| Spreads::start(groups, |s| s.variance(1.0)),
    )
    .or(&["variance"]),
    Aggregate::new(
        "var_pop",
        "The variance of a whole population.",
        TO_DOUBLE,
        &[("round(var_pop(x), 4)", "2.25")],
        |_, groups| Spreads::start(groups, |s| s.variance(0.0)),
    ),
    Aggregate::new(
        "bool_and",
        "Whether the condition is true for all rows.",
        &[sig(&[Bool], Bool)],
        &[("bool_and(x > 0)", "true")],
        |_, groups| Box::new(Truths::new(groups, true)),
    )
    .of_values(),
    Aggregate::new(
        "bool_or",
        "Whether the condition is true for any row.",
        &[sig(&[Bool], Bool)],
        &[("bool_or(x > 4)", "true")],
        |_, groups| Box::new(Truths::new(groups, false)),
    )
    .of_values(),
    Aggregate::new(
        "bit_and",
        "The bits that all values have.",
        BITS,
        &[("bit_and(x)", "0")],
        |_, groups| Box::new(Bits::new(groups, u64::MAX, |a, b| a & b)),
    )
    .of_values(),
    Aggregate::new(
        "bit_or",
        "The bits that any value has.",
        BITS,
        &[("bit_or(x)", "7")],
        |_, groups| Box::new(Bits::new(groups, 0, |a, b| a | b)),
    )
    .of_values(),
    Aggregate::new(
        "bit_xor",
        "The bits that an odd number of values has.",
        BITS,
        &[("bit_xor(x)", "4")],
        |_, groups| Box::new(Bits::new(groups, 0, |a, b| a ^ b)),
    )
    .of_values(),
    Aggregate::new(
        "product",
        "Multiplies; the result is a DOUBLE.",
        TO_DOUBLE,
        &[("product(x)", "20.0")],
        |_, groups| {
            Box::new(Products { products: vec![1.0; groups], seen: SeenGroups::new(groups) })
        },
    ),
];

/// Mean and sum of squared deviations by Welford's method, which keeps its precision where the mean
/// is large.
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

    fn merge(&mut self, other: Self) {
        if other.count == 0.0 {
            return;
        }
        let count = self.count + other.count;
        let from = other.mean - self.mean;
        self.squares += other.squares + from * from * self.count * other.count / count;
        self.mean += from * other.count / count;
        self.count = count;
    }

    /// The sum of squared deviations divided by the number of values less `degrees`.
    fn variance(self, degrees: f64) -> Option<f64> {
        let by = self.count - degrees;
        (by > 0.0).then(|| self.squares / by)
    }
}

struct Spreads {
    states: Vec<Spread>,
    result: fn(Spread) -> Option<f64>,
}

impl Spreads {
    fn start(groups: usize, result: fn(Spread) -> Option<f64>) -> Box<dyn States> {
        Box::new(Self { states: vec![Spread::default(); groups], result })
    }
}

impl States for Spreads {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        if let Some(col @ Col::Double(array)) = args.first() {
            rows.each_value(col, array.values(), |group, v| self.states[group].add(v));
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
            self.states[into as usize].merge(from.states[of as usize]);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        let results = self.states.into_iter().map(self.result);
        let (values, there): (Vec<f64>, Vec<bool>) =
            results.map(|v| (v.unwrap_or_default(), v.is_some())).unzip();
        Ok(Col::double(values, Some(bits(there))))
    }
}

struct Products {
    products: Vec<f64>,
    seen: SeenGroups,
}

impl States for Products {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(col @ Col::Double(array)) = args.first() else { return Ok(()) };
        rows.each_value(col, array.values(), |group, v| {
            self.products[group] *= v;
            self.seen.set(group);
        });
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
            self.products[into as usize] *= from.products[of as usize];
            self.seen.merge(into as usize, &from.seen, of as usize);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        let validity = self.seen.validity();
        Ok(Col::double(self.products, validity))
    }
}

/// `bool_and` starts as true and becomes false at any false value; `bool_or` the reverse.
pub(super) struct Truths {
    start: bool,
    all: Vec<bool>,
    seen: SeenGroups,
}

impl Truths {
    pub(super) fn new(groups: usize, start: bool) -> Self {
        Self { start, all: vec![start; groups], seen: SeenGroups::new(groups) }
    }
}

impl States for Truths {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(col @ Col::Bool(array)) = args.first() else { return Ok(()) };
        rows.each_valid(col, |group, row| {
            self.seen.set(group);
            if array.value(row) != self.start {
                self.all[group] = !self.start;
            }
        });
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
            if from.all[of as usize] != self.start {
                self.all[into as usize] = !self.start;
            }
            self.seen.merge(into as usize, &from.seen, of as usize);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        Ok(boolean(bits(self.all), self.seen.validity()))
    }
}

struct Bits {
    words: Vec<u64>,
    seen: SeenGroups,
    combine: fn(u64, u64) -> u64,
}

impl Bits {
    fn new(groups: usize, start: u64, combine: fn(u64, u64) -> u64) -> Self {
        Self { words: vec![start; groups], seen: SeenGroups::new(groups), combine }
    }

    fn add(&mut self, group: usize, value: u64) {
        self.words[group] = (self.combine)(self.words[group], value);
        self.seen.set(group);
    }
}

impl States for Bits {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        match args.first() {
            Some(col @ Col::Int(a)) => {
                rows.each_value(col, a.values(), |group, v| self.add(group, v.cast_unsigned()));
            }
            Some(col @ Col::Addr(a)) => {
                rows.each_value(col, a.values(), |group, v| self.add(group, v));
            }
            _ => {}
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
            if from.seen.has(of as usize) {
                self.add(into as usize, from.words[of as usize]);
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, args: &Args<'_>) -> Result<Col, Diagnostic> {
        let validity = self.seen.validity();
        Ok(match args.ty() {
            Int => Col::int(self.words.into_iter().map(u64::cast_signed).collect(), validity),
            _ => Col::addr(self.words, validity),
        })
    }
}
