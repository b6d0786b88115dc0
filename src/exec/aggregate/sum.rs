//! Sums and means.
//!
//! A sum of 64-bit numbers is exact: it keeps the wrapped sum and how often it wrapped, so that
//! only the result has to be in range and not every step.

use super::kernel::{Aggregate, Args, OverFrames, Rows, SeenGroups, States, same};
use super::sig;
use crate::catalog::Ty::{self, Addr, Double, Int, Interval, Time};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, bits};

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "sum",
        "Adds up. A sum outside the range of its type is an error.",
        &[sig(&[Int], Int), sig(&[Addr], Addr), sig(&[Double], Double), sig(&[Interval], Interval)],
        &[("sum(x)", "10")],
        |args, groups| match args.ty() {
            Double => {
                Box::new(DoubleSums { sums: vec![0.0; groups], seen: SeenGroups::new(groups) })
            }
            Addr => Box::new(Sums::<u64>::new(groups)),
            _ => Box::new(Sums::<i64>::new(groups)),
        },
    )
    .over_frames(OverFrames::Sum)
    .of_values(),
    Aggregate::new(
        "avg",
        "The arithmetic mean.",
        &[sig(&[Double], Double), sig(&[Interval], Interval), sig(&[Time], Time)],
        &[("avg(x)", "2.5")],
        |args, groups| match args.ty() {
            Double => Box::new(DoubleMeans(vec![(0.0, 0); groups])),
            _ => Box::new(Means { sums: Wide::new(groups), counts: vec![0; groups] }),
        },
    )
    .or(&["mean"])
    .over_frames(OverFrames::Mean)
    .of_values(),
];

/// The number of last digits of a decimal in 1; 1 for other types.
pub(in crate::exec) fn unit_of(ty: Ty) -> f64 {
    if let Ty::Decimal(of) = ty { 10f64.powi(of.scale().into()) } else { 1.0 }
}

/// A number type that can be summed.
pub(super) trait Whole: Copy + Default + Send + 'static {
    /// The wrapped sum, and the carry: 1 or -1 if it wrapped upwards or downwards, else 0.
    fn add(self, other: Self) -> (Self, i64);
    /// The number as 128 bits.
    fn wide(self) -> i128;
    /// The values of a column of this type.
    fn values(col: &Col) -> Option<&[Self]>;
    /// A column of these values; `None` where a number is out of range.
    fn column(values: Vec<Self>, seen: &SeenGroups) -> Col;
}

impl Whole for i64 {
    fn add(self, other: Self) -> (Self, i64) {
        let (sum, wrapped) = self.overflowing_add(other);
        let way = if other < 0 { -1 } else { 1 };
        (sum, if wrapped { way } else { 0 })
    }

    fn wide(self) -> i128 {
        self.into()
    }

    fn values(col: &Col) -> Option<&[Self]> {
        if let Col::Int(array) = col { Some(array.values()) } else { None }
    }

    fn column(values: Vec<Self>, seen: &SeenGroups) -> Col {
        Col::int(values, seen.validity())
    }
}

impl Whole for u64 {
    fn add(self, other: Self) -> (Self, i64) {
        let (sum, wrapped) = self.overflowing_add(other);
        (sum, i64::from(wrapped))
    }

    fn wide(self) -> i128 {
        self.into()
    }

    fn values(col: &Col) -> Option<&[Self]> {
        if let Col::Addr(array) = col { Some(array.values()) } else { None }
    }

    fn column(values: Vec<Self>, seen: &SeenGroups) -> Col {
        Col::addr(values, seen.validity())
    }
}

/// Sums of any size: the wrapped sums and, once one has wrapped, the carries.
struct Wide<T> {
    sums: Vec<T>,
    wraps: Vec<i64>,
}

impl<T: Whole> Wide<T> {
    fn new(groups: usize) -> Self {
        Self { sums: vec![T::default(); groups], wraps: Vec::new() }
    }

    fn add(&mut self, group: usize, value: T) {
        let (sum, wrapped) = self.sums[group].add(value);
        self.sums[group] = sum;
        if wrapped != 0 {
            self.wrap(group, wrapped);
        }
    }

    #[cold]
    fn wrap(&mut self, group: usize, by: i64) {
        self.wraps.resize(self.sums.len(), 0);
        self.wraps[group] += by;
    }

    fn merge(&mut self, group: usize, from: &Self, other: usize) {
        self.add(group, from.sums[other]);
        let wraps = from.wraps.get(other).copied().unwrap_or_default();
        if wraps != 0 {
            self.wrap(group, wraps);
        }
    }

    fn wide(&self, group: usize) -> i128 {
        let wraps = self.wraps.get(group).copied().unwrap_or_default();
        self.sums[group].wide().saturating_add(i128::from(wraps) << 64)
    }

    /// The first sum that is out of range.
    fn too_large(&self) -> Option<i128> {
        let wrapped = self.wraps.iter().position(|&wraps| wraps != 0)?;
        Some(self.wide(wrapped))
    }
}

/// Exact sums, in the type of the values.
struct Sums<T> {
    sums: Wide<T>,
    seen: SeenGroups,
}

impl<T: Whole> Sums<T> {
    fn new(groups: usize) -> Self {
        Self { sums: Wide::new(groups), seen: SeenGroups::new(groups) }
    }
}

impl<T: Whole> States for Sums<T> {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(col) = args.first() else { return Ok(()) };
        let Some(values) = T::values(col) else { return Ok(()) };
        let Self { sums, seen } = self;
        if seen.fill(rows, col) {
            rows.each_value(col, values, |group, v| sums.add(group, v));
        } else {
            rows.each_value(col, values, |group, v| {
                sums.add(group, v);
                seen.set(group);
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
            self.sums.merge(into as usize, &from.sums, of as usize);
            self.seen.merge(into as usize, &from.seen, of as usize);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, args: &Args<'_>) -> Result<Col, Diagnostic> {
        match self.sums.too_large() {
            Some(sum) => Err(args.overflow(sum)),
            None => Ok(T::column(self.sums.sums, &self.seen)),
        }
    }
}

/// Sums of floating-point numbers.
struct DoubleSums {
    sums: Vec<f64>,
    seen: SeenGroups,
}

impl States for DoubleSums {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(col @ Col::Double(array)) = args.first() else { return Ok(()) };
        let Self { sums, seen } = self;
        if seen.fill(rows, col) {
            rows.each_value(col, array.values(), |group, v| sums[group] += v);
        } else {
            rows.each_value(col, array.values(), |group, v| {
                sums[group] += v;
                seen.set(group);
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
            self.sums[into as usize] += from.sums[of as usize];
            self.seen.merge(into as usize, &from.seen, of as usize);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        let validity = self.seen.validity();
        Ok(Col::double(self.sums, validity))
    }
}

/// Sums and counts of floating-point numbers.
struct DoubleMeans(Vec<(f64, usize)>);

impl States for DoubleMeans {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(col @ Col::Double(array)) = args.first() else { return Ok(()) };
        rows.each_value(col, array.values(), |group, v| {
            let (sum, count) = &mut self.0[group];
            *sum += v;
            *count += 1;
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
            let (sum, count) = from.0[of as usize];
            self.0[into as usize].0 += sum;
            self.0[into as usize].1 += count;
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, reason = "a mean is a DOUBLE")]
    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        let there = bits(self.0.iter().map(|&(_, count)| count > 0));
        let mean = |(sum, count): (f64, usize)| if count > 0 { sum / count as f64 } else { 0.0 };
        Ok(Col::double(self.0.into_iter().map(mean).collect(), Some(there)))
    }
}

/// Exact sums and counts of instants or durations.
struct Means {
    sums: Wide<i64>,
    counts: Vec<u32>,
}

impl States for Means {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(col @ Col::Int(array)) = args.first() else { return Ok(()) };
        let Self { sums, counts } = self;
        rows.each_value(col, array.values(), |group, v| {
            sums.add(group, v);
            counts[group] += 1;
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
            self.sums.merge(into as usize, &from.sums, of as usize);
            self.counts[into as usize] += from.counts[of as usize];
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, reason = "a mean is a DOUBLE")]
    fn finish(self: Box<Self>, args: &Args<'_>) -> Result<Col, Diagnostic> {
        let there = Some(bits(self.counts.iter().map(|&count| count > 0)));
        let groups = self.counts.iter().enumerate();
        if args.call.ty == Ty::Double {
            let unit = unit_of(args.ty());
            let mean = |(group, &count): (usize, &u32)| {
                self.sums.wide(group) as f64 / f64::from(count.max(1)) / unit
            };
            return Ok(Col::double(groups.map(mean).collect(), there));
        }
        // The mean of instants or durations lies between them, so it is in range.
        let mean = |(group, &count): (usize, &u32)| {
            i64::try_from(self.sums.wide(group) / i128::from(count.max(1))).unwrap_or_default()
        };
        Ok(Col::int(groups.map(mean).collect(), there))
    }
}
