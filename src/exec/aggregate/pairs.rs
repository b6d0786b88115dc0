//! Aggregates of pairs of numbers: covariance, correlation, linear regression, weighted means.

use super::kernel::{Aggregate, Args, Rows, States, same};
use super::sig;
use crate::catalog::Signature;
use crate::catalog::Ty::{Double, Int};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, bits};

const TWO: &[Signature] = &[sig(&[Double, Double], Double)];

pub(super) const ALL: &[Aggregate] = &[
    of(
        "corr",
        "The correlation of two numbers, from -1 to 1; not a number where one of them never changes.",
        &[("round(corr(x, x * x), 4)", "0.9891")],
        |_, groups| {
            Pairs::start(groups, |p| {
                p.any().map(|p| p.products / (p.x.squares * p.y.squares).sqrt())
            })
        },
    ),
    of(
        "covar_pop",
        "The covariance of two numbers over a whole population.",
        &[("round(covar_pop(x, x), 4)", "2.25")],
        |_, groups| Pairs::start(groups, |p| p.over(0.0)),
    ),
    of(
        "covar_samp",
        "The covariance of two numbers over a sample; NULL of fewer than two rows.",
        &[("round(covar_samp(x, x), 4)", "3.0")],
        |_, groups| Pairs::start(groups, |p| p.over(1.0)),
    ),
    of(
        "regr_slope",
        "The slope of the line that fits best: how much the first number changes with the second.",
        &[("round(regr_slope(2 * x, x), 4)", "2.0")],
        |_, groups| Pairs::start(groups, |p| p.any().map(Pair::slope)),
    ),
    of(
        "regr_intercept",
        "The value of the line that fits best where the second number is 0.",
        &[("round(regr_intercept(2 * x + 1, x), 4)", "1.0")],
        |_, groups| Pairs::start(groups, |p| p.slanted().map(|p| p.y.mean - p.slope() * p.x.mean)),
    ),
    of(
        "regr_r2",
        "How well the line that fits best does, from 0 to 1.",
        &[("round(regr_r2(2 * x, x), 4)", "1.0")],
        |_, groups| Pairs::start(groups, |p| p.slanted().map(Pair::fit)),
    ),
    Aggregate::new(
        "regr_count",
        "The number of rows in which both numbers are there.",
        &[sig(&[Double, Double], Int)],
        &[("regr_count(x, x)", "4")],
        |_, groups| {
            Box::new(Pairs { states: vec![Pair::default(); groups], result: Outcome::Count })
        },
    )
    .or_zero(),
    of(
        "regr_avgx",
        "The mean of the second number, over rows in which both are there.",
        &[("regr_avgx(1, x)", "2.5")],
        |_, groups| Pairs::start(groups, |p| p.any().map(|p| p.x.mean)),
    ),
    of(
        "regr_avgy",
        "The mean of the first number, over rows in which both are there.",
        &[("regr_avgy(x, 1)", "2.5")],
        |_, groups| Pairs::start(groups, |p| p.any().map(|p| p.y.mean)),
    ),
    of(
        "regr_sxx",
        "The squared deviations of the second number from its mean, added up.",
        &[("round(regr_sxx(1, x), 4)", "9.0")],
        |_, groups| Pairs::start(groups, |p| p.any().map(|p| p.x.squares)),
    ),
    of(
        "regr_syy",
        "The squared deviations of the first number from its mean, added up.",
        &[("round(regr_syy(x, 1), 4)", "9.0")],
        |_, groups| Pairs::start(groups, |p| p.any().map(|p| p.y.squares)),
    ),
    of(
        "regr_sxy",
        "The products of the deviations of both numbers from their means, added up.",
        &[("round(regr_sxy(x, x), 4)", "9.0")],
        |_, groups| Pairs::start(groups, |p| p.any().map(|p| p.products)),
    ),
    of(
        "weighted_avg",
        "The mean of the first number, each value as often as the second number says.",
        &[("round(weighted_avg(x, x), 4)", "3.4")],
        |_, groups| Pairs::start(groups, |p| p.any().map(|p| p.weighted / p.weight)),
    )
    .or(&["wavg"]),
];

const fn of(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    start: super::kernel::Start,
) -> Aggregate {
    Aggregate::new(name, doc, TWO, examples, start)
}

/// Mean and sum of squared deviations of one of the two numbers.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    mean: f64,
    squares: f64,
}

/// The statistics of the pairs of a group, by Welford's method.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    count: i64,
    y: Side,
    x: Side,
    products: f64,
    weighted: f64,
    weight: f64,
}

#[allow(clippy::cast_precision_loss, reason = "numbers of rows")]
impl Pair {
    fn add(&mut self, y: f64, x: f64) {
        self.count += 1;
        let count = self.count as f64;
        let (from_y, from_x) = (y - self.y.mean, x - self.x.mean);
        self.y.mean += from_y / count;
        self.x.mean += from_x / count;
        self.y.squares += from_y * (y - self.y.mean);
        self.x.squares += from_x * (x - self.x.mean);
        self.products += from_x * (y - self.y.mean);
        self.weighted += y * x;
        self.weight += x;
    }

    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (mine, others) = (self.count as f64, other.count as f64);
        let both = mine + others;
        let (from_y, from_x) = (other.y.mean - self.y.mean, other.x.mean - self.x.mean);
        let share = mine * others / both;
        self.y.squares += other.y.squares + from_y * from_y * share;
        self.x.squares += other.x.squares + from_x * from_x * share;
        self.products += other.products + from_y * from_x * share;
        self.y.mean += from_y * others / both;
        self.x.mean += from_x * others / both;
        self.weighted += other.weighted;
        self.weight += other.weight;
        self.count += other.count;
    }

    /// The statistics, if there is a pair.
    fn any(self) -> Option<Self> {
        (self.count > 0).then_some(self)
    }

    /// The statistics, if the second number is not the same in all pairs.
    fn slanted(self) -> Option<Self> {
        (self.count > 0 && self.x.squares != 0.0).then_some(self)
    }

    /// The sum of products of deviations divided by the number of pairs less `degrees`.
    fn over(self, degrees: f64) -> Option<f64> {
        let by = self.count as f64 - degrees;
        (by > 0.0).then(|| self.products / by)
    }

    fn slope(self) -> f64 {
        self.products / self.x.squares
    }

    fn fit(self) -> f64 {
        if self.y.squares == 0.0 {
            return 1.0;
        }
        self.products * self.products / (self.x.squares * self.y.squares)
    }
}

/// The result computed from the pairs.
#[derive(Clone, Copy)]
enum Outcome {
    Count,
    Number(fn(Pair) -> Option<f64>),
}

struct Pairs {
    states: Vec<Pair>,
    result: Outcome,
}

impl Pairs {
    fn start(groups: usize, result: fn(Pair) -> Option<f64>) -> Box<dyn States> {
        Box::new(Self { states: vec![Pair::default(); groups], result: Outcome::Number(result) })
    }
}

impl States for Pairs {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        if let [first @ Col::Double(ys), second @ Col::Double(xs), ..] = args.cols {
            rows.each_valid(first, |group, row| {
                if !second.is_null(row) {
                    self.states[group].add(ys.value(row), xs.value(row));
                }
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
            self.states[into as usize].merge(&from.states[of as usize]);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        let Outcome::Number(result) = self.result else {
            return Ok(Col::int(self.states.iter().map(|pair| pair.count).collect(), None));
        };
        let results = self.states.into_iter().map(result);
        let (values, there): (Vec<f64>, Vec<bool>) =
            results.map(|v| (v.unwrap_or_default(), v.is_some())).unzip();
        Ok(Col::double(values, Some(bits(there))))
    }
}
