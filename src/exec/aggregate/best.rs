//! `min` and `max`.

use std::cmp::Ordering;

use super::kernel::{Aggregate, Args, OverFrames, Rows, SeenGroups, States, same};
use super::listed::{self, is_several};
use super::number::Truths;
use super::pick::{Pick, Picks};
use super::{order, sig};
use crate::catalog::Ty::{self, Int, Null};
use crate::catalog::{Physical, Signature};
use crate::diag::Diagnostic;
use crate::exec::col::Col;

const ONE_OR_MORE: &[Signature] = &[sig(&[Null], Null), sig(&[Null, Int], Ty::ANY_LIST)];

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "min",
        "The smallest value. With a second argument a list of so many of the smallest values, the smallest first.",
        ONE_OR_MORE,
        &[("min(x)", "1"), ("min(x, 2)", "[1, 2]")],
        |args, groups| start(args, groups, Ordering::Less),
    )
    .over_frames(OverFrames::Least)
    .of_values(),
    Aggregate::new(
        "max",
        "The largest value. With a second argument a list of so many of the largest values, the largest first.",
        ONE_OR_MORE,
        &[("max(x)", "5"), ("max(x, 2)", "[5, 2]")],
        |args, groups| start(args, groups, Ordering::Greater),
    )
    .over_frames(OverFrames::Greatest)
    .of_values(),
];

fn start(args: &Args<'_>, groups: usize, wanted: Ordering) -> Box<dyn States> {
    if is_several(args.call) {
        return listed::best(groups, wanted);
    }
    match args.ty().physical() {
        Physical::Bool => Box::new(Truths::new(groups, wanted == Ordering::Less)),
        Physical::Int => Box::new(Best::<i64>::new(groups, wanted)),
        Physical::Addr => Box::new(Best::<u64>::new(groups, wanted)),
        Physical::Double => Box::new(Best::<f64>::new(groups, wanted)),
        // A single text is stored by value, so that states over different columns can be merged.
        Physical::Text if groups == 1 => Box::new(BestText { best: None, wanted }),
        _ => Box::new(Picks::new(groups, Pick::Best { by: 0, wanted, nulls: true })),
    }
}

/// Numbers with the order of their SQL type.
trait Ordered: Copy + Default + Send + 'static {
    fn order(self, other: Self) -> Ordering;
    /// The values of a column of this type.
    fn values(col: &Col) -> Option<&[Self]>;
    fn column(values: Vec<Self>, seen: &SeenGroups) -> Col;
}

impl Ordered for i64 {
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }

    fn values(col: &Col) -> Option<&[Self]> {
        if let Col::Int(array) = col { Some(array.values()) } else { None }
    }

    fn column(values: Vec<Self>, seen: &SeenGroups) -> Col {
        Col::int(values, seen.validity())
    }
}

impl Ordered for u64 {
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }

    fn values(col: &Col) -> Option<&[Self]> {
        if let Col::Addr(array) = col { Some(array.values()) } else { None }
    }

    fn column(values: Vec<Self>, seen: &SeenGroups) -> Col {
        Col::addr(values, seen.validity())
    }
}

impl Ordered for f64 {
    fn order(self, other: Self) -> Ordering {
        order::doubles(self, other)
    }

    fn values(col: &Col) -> Option<&[Self]> {
        if let Col::Double(array) = col { Some(array.values()) } else { None }
    }

    fn column(values: Vec<Self>, seen: &SeenGroups) -> Col {
        Col::double(values, seen.validity())
    }
}

/// The least or greatest number of each group.
struct Best<T> {
    values: Vec<T>,
    seen: SeenGroups,
    wanted: Ordering,
}

impl<T: Ordered> Best<T> {
    fn new(groups: usize, wanted: Ordering) -> Self {
        Self { values: vec![T::default(); groups], seen: SeenGroups::new(groups), wanted }
    }

    fn offer(&mut self, group: usize, value: T) {
        if !self.seen.has(group) || value.order(self.values[group]) == self.wanted {
            self.values[group] = value;
            self.seen.set(group);
        }
    }
}

impl<T: Ordered> States for Best<T> {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        if let Some(col) = args.first()
            && let Some(values) = T::values(col)
        {
            rows.each_value(col, values, |group, v| self.offer(group, v));
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
                self.offer(into as usize, from.values[of as usize]);
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        Ok(T::column(self.values, &self.seen))
    }
}

/// The least or greatest text, for a single group.
struct BestText {
    best: Option<String>,
    wanted: Ordering,
}

impl BestText {
    fn offer(&mut self, text: &str) {
        let better = |known: &String| text.as_bytes().cmp(known.as_bytes()) == self.wanted;
        if self.best.as_ref().is_none_or(better) {
            self.best = Some(text.to_owned());
        }
    }
}

impl States for BestText {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        if let Some(col @ Col::Text(array)) = args.first() {
            rows.each_valid(col, |_, row| self.offer(array.value(row)));
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
        if let (Some(text), false) = (&from.best, pairs.is_empty()) {
            self.offer(text);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        Ok(Col::text(std::iter::once(self.best.as_deref())))
    }
}
