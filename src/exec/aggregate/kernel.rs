//! Aggregates: the specification, and the states that it keeps for groups of rows.
//!
//! An aggregate creates states for a number of groups, updates them with ranges of rows, merges
//! states, and finishes all groups into one column. GROUP BY, aggregates over all rows and window
//! frames use the same four steps.

use std::any::Any;
use std::fmt;
use std::ops::Range;

use crate::catalog::{FunctionKind, FunctionSpec, OfNoRows, Signature, Ty};
use crate::diag::{Code, Diagnostic};
use crate::exec::col::{Col, bits};
use crate::exec::engine::Engine;
use crate::plan::AggregateCall;

/// Creates states for this number of groups, for the types of the arguments.
pub(in crate::exec) type Start = fn(&Args<'_>, usize) -> Box<dyn States>;

/// An aggregate function: its specification, and its code.
pub struct Aggregate {
    /// The specification that planning and documentation use.
    pub spec: FunctionSpec,
    pub(in crate::exec) start: Start,
    /// Whether states for a single group hold values instead of row numbers, so that states over
    /// different columns can be merged.
    pub(in crate::exec) holds_values: bool,
    /// Whether states keep all rows, so that a merge costs as much as an update with the rows.
    pub(in crate::exec) keeps_rows: bool,
    /// A faster implementation for window frames, if there is one.
    pub(in crate::exec) over_frames: Option<OverFrames>,
    /// Whether only distinct arguments are aggregated even without DISTINCT.
    pub(in crate::exec) distinct: bool,
}

/// Aggregates with their own implementation for window frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) enum OverFrames {
    /// The number of rows, or of rows with a value.
    Count,
    /// The number of rows for which the argument is true.
    CountIf,
    /// The sum.
    Sum,
    /// The mean.
    Mean,
    /// The smallest value.
    Least,
    /// The largest value.
    Greatest,
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregate").field("name", &self.spec.name).finish_non_exhaustive()
    }
}

impl Aggregate {
    /// An aggregate that ignores NULLs and whose states hold row numbers.
    pub(super) const fn new(
        name: &'static str,
        doc: &'static str,
        signatures: &'static [Signature],
        examples: &'static [(&'static str, &'static str)],
        start: Start,
    ) -> Self {
        let spec = FunctionSpec {
            name,
            aliases: &[],
            kind: FunctionKind::Aggregate,
            family: "aggregate",
            signatures,
            takes_null: false,
            is_pure: true,
            is_total: false,
            of_no_rows: OfNoRows::Null,
            doc,
            examples,
        };
        Self {
            spec,
            start,
            holds_values: false,
            keeps_rows: false,
            over_frames: None,
            distinct: false,
        }
    }

    /// Adds further names.
    #[must_use]
    pub(super) const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.spec.aliases = aliases;
        self
    }

    /// Makes the result 0 if there are no rows.
    #[must_use]
    pub(super) const fn or_zero(mut self) -> Self {
        self.spec = self.spec.of_no_rows(OfNoRows::Zero);
        self
    }

    /// Declares that the states hold values.
    #[must_use]
    pub(super) const fn of_values(mut self) -> Self {
        self.holds_values = true;
        self
    }

    /// Declares that the states keep all rows.
    #[must_use]
    pub(super) const fn of_all_rows(mut self) -> Self {
        self.keeps_rows = true;
        self
    }

    /// Sets an implementation for window frames.
    #[must_use]
    pub(super) const fn over_frames(mut self, way: OverFrames) -> Self {
        self.over_frames = Some(way);
        self
    }

    /// Aggregates distinct arguments only.
    #[must_use]
    pub(super) const fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }
}

/// The evaluated arguments of a call. All steps over one set of states see the same arguments,
/// unless the aggregate [holds values](Aggregate::holds_values).
#[derive(Clone, Copy)]
pub(in crate::exec) struct Args<'a> {
    pub(in crate::exec) cols: &'a [Col],
    pub(in crate::exec) call: &'a AggregateCall,
    pub(in crate::exec) engine: &'a Engine<'a>,
}

impl<'a> Args<'a> {
    pub(super) fn first(&self) -> Option<&'a Col> {
        self.cols.first()
    }

    /// The type of the first argument.
    pub(super) fn ty(&self) -> Ty {
        self.call.args.first().map_or(Ty::Null, |arg| arg.ty)
    }

    pub(super) fn overflow(&self, result: impl fmt::Display) -> Diagnostic {
        let (name, ty) = (self.call.function.name, self.call.ty);
        let message = format!("{name} is {result}, outside the range of {ty}");
        Diagnostic::at(Code::Overflow, self.call.span, message)
            .help("cast the argument to DOUBLE for an approximate result")
    }
}

/// Rows with which states are updated.
#[derive(Debug, Clone)]
pub(in crate::exec) struct Rows<'a> {
    /// The range of rows of the arguments.
    pub(in crate::exec) range: Range<usize>,
    /// The group of each row of the range, in row order; `None` if all rows belong to group 0.
    pub(in crate::exec) ids: Option<&'a [u32]>,
    /// Whether each group is known to have a row in the range.
    pub(in crate::exec) covers: bool,
}

impl Rows<'_> {
    /// Calls `f` with the group and the number of each row.
    pub(super) fn each(&self, mut f: impl FnMut(usize, usize)) {
        match self.ids {
            None => self.range.clone().for_each(|row| f(0, row)),
            Some(ids) => {
                ids.iter().zip(self.range.clone()).for_each(|(&id, row)| f(id as usize, row));
            }
        }
    }

    /// Calls `f` with the group and the number of each row for which `col` has a value.
    pub(super) fn each_valid(&self, col: &Col, mut f: impl FnMut(usize, usize)) {
        let Some(valid) = col.validity() else { return self.each(f) };
        let from = self.range.start;
        let valid = valid.into_owned().sliced(from, self.range.len());
        match self.ids {
            None => valid.true_idx_iter().for_each(|at| f(0, from + at)),
            Some(ids) => valid.true_idx_iter().for_each(|at| f(ids[at] as usize, from + at)),
        }
    }

    /// Calls `f` with the group and the value of each row that has one.
    pub(super) fn each_value<T: Copy>(&self, col: &Col, values: &[T], mut f: impl FnMut(usize, T)) {
        if col.validity().is_some() {
            return self.each_valid(col, |group, row| f(group, values[row]));
        }
        let values = &values[self.range.clone()];
        match self.ids {
            None => values.iter().for_each(|&v| f(0, v)),
            Some(ids) => ids.iter().zip(values).for_each(|(&id, &v)| f(id as usize, v)),
        }
    }

    /// Whether each group receives a value of `col`.
    pub(super) fn fills(&self, col: &Col) -> bool {
        self.covers && !self.range.is_empty() && col.validity().is_none()
    }
}

/// The states of one call for all groups.
pub(in crate::exec) trait States: Any + Send {
    /// Updates the states with rows that follow those already seen.
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic>;

    /// Merges states of the same call over later rows: each pair names a group here and the group
    /// of `from` that is merged into it.
    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic>;

    /// The results, one row per group.
    fn finish(self: Box<Self>, args: &Args<'_>) -> Result<Col, Diagnostic>;
}

/// Downcasts `from` to the given type of states; any other type is an internal error.
pub(super) fn same<'s, S: States>(
    args: &Args<'_>,
    from: &'s dyn States,
) -> Result<&'s S, Diagnostic> {
    (from as &dyn Any).downcast_ref::<S>().ok_or_else(|| {
        let message = "states of different aggregates meet";
        Diagnostic::at(Code::Internal, args.call.span, message)
    })
}

/// The groups that have a value. If all groups are known to have one, nothing is recorded per row.
#[derive(Debug, Default)]
pub(super) struct SeenGroups {
    all: bool,
    each: Vec<bool>,
}

impl SeenGroups {
    pub(super) fn new(groups: usize) -> Self {
        Self { all: false, each: vec![false; groups] }
    }

    /// Records rows; `true` if they need not be recorded one by one.
    pub(super) fn fill(&mut self, rows: &Rows<'_>, col: &Col) -> bool {
        self.all |= rows.fills(col);
        self.all
    }

    pub(super) fn set(&mut self, group: usize) {
        self.each[group] = true;
    }

    pub(super) fn has(&self, group: usize) -> bool {
        self.all || self.each[group]
    }

    /// Merges one group of other states.
    pub(super) fn merge(&mut self, group: usize, from: &Self, other: usize) {
        if from.has(other) {
            self.set(group);
        }
    }

    pub(super) fn validity(&self) -> Option<polars_arrow::bitmap::Bitmap> {
        (!self.all).then(|| bits(self.each.iter().copied()))
    }
}
