//! The window frame of each row: its range in the layout, and the excluded rows.

use std::borrow::Cow;
use std::ops::Range;

use super::Call;
use super::layout::{Layout, place};
use crate::catalog::Value;
use crate::diag::{Code, Diagnostic};
use crate::exec::col::Col;
use crate::exec::eval::Eval;
use crate::exec::order;
use crate::plan::{Exclude, Expr, ExprKind, FrameBound, FrameUnit};

/// Memory per row for frames and results.
pub(super) const BYTES_PER_ROW: usize = 4 * 8;

/// The frames of all places.
pub(super) struct Frames<'l> {
    pub(super) layout: &'l Layout,
    from: Cow<'l, [u32]>,
    to: Cow<'l, [u32]>,
    exclude: Exclude,
}

/// How the frames of consecutive rows of a partition relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// All start at the start of the partition; none ends before the preceding one.
    Growing,
    /// All end at the end of the partition; none starts before the preceding one.
    Shrinking,
    /// Anything else.
    Any,
}

impl<'l> Frames<'l> {
    pub(super) fn new(call: &'l Call<'_>) -> Result<Self, Diagnostic> {
        let (layout, frame) = (call.layout, &call.window.frame);
        let bounds = Bounds { call, layout, unit: frame.unit };
        let from = bounds.of(&frame.start, false)?;
        let mut to = bounds.of(&frame.end, true)?;
        if from.iter().zip(to.iter()).any(|(from, to)| to < from) {
            for (to, from) in to.to_mut().iter_mut().zip(from.iter()) {
                *to = (*to).max(*from);
            }
        }
        Ok(Self { layout, from, to, exclude: frame.exclude })
    }

    /// The places of a frame as ranges, in order; some may be empty.
    pub(super) fn pieces(&self, at: usize) -> [Range<usize>; 3] {
        let (from, to) = (self.from[at] as usize, self.to[at] as usize);
        let within = |place: usize| place.clamp(from, to);
        let none = to..to;
        let peers = || (self.layout.peer_starts[at] as usize, self.layout.peer_ends[at] as usize);
        match self.exclude {
            Exclude::NoOthers => [from..to, none.clone(), none],
            Exclude::CurrentRow => [from..within(at), within(at + 1)..to, none],
            Exclude::Group => {
                let (start, end) = peers();
                [from..within(start), within(end)..to, none]
            }
            Exclude::Ties => {
                let (start, end) = peers();
                [from..within(start), within(at)..within(at + 1), within(end)..to]
            }
        }
    }

    /// The range of a frame, if EXCLUDE removes no row from it.
    pub(super) fn whole(&self, at: usize) -> Range<usize> {
        self.from[at] as usize..self.to[at] as usize
    }

    /// Whether a frame has the same rows as that of the preceding place.
    pub(super) fn repeats(&self, at: usize) -> bool {
        let same = |before: usize| {
            self.from[before] == self.from[at]
                && self.to[before] == self.to[at]
                && match self.exclude {
                    Exclude::NoOthers => true,
                    Exclude::Group => {
                        self.layout.peer_starts[before] == self.layout.peer_starts[at]
                    }
                    _ => false,
                }
        };
        at.checked_sub(1).is_some_and(same)
    }

    pub(super) fn shape(&self) -> Shape {
        if self.exclude != Exclude::NoOthers {
            return Shape::Any;
        }
        let layout = self.layout;
        let same_part = |at: usize| layout.starts[at] == layout.starts[at - 1];
        let rises =
            |ends: &[u32]| (1..ends.len()).all(|at| ends[at] >= ends[at - 1] || !same_part(at));
        if *self.from == *layout.starts && rises(&self.to) {
            Shape::Growing
        } else if *self.to == *layout.ends && rises(&self.from) {
            Shape::Shrinking
        } else {
            Shape::Any
        }
    }
}

/// Computes the bounds of frames.
struct Bounds<'a, 'l> {
    call: &'a Call<'l>,
    layout: &'l Layout,
    unit: FrameUnit,
}

/// The offsets of a frame bound, by row.
enum Offsets {
    Same(Value<'static>),
    Each(Col),
}

impl<'l> Bounds<'_, 'l> {
    /// Where frames start; if `is_end`, the place after their last row.
    fn of(&self, bound: &FrameBound, is_end: bool) -> Result<Cow<'l, [u32]>, Diagnostic> {
        let layout = self.layout;
        Ok(match (bound, self.unit) {
            (FrameBound::UnboundedPreceding, _) => Cow::Borrowed(&layout.starts),
            (FrameBound::UnboundedFollowing, _) => Cow::Borrowed(&layout.ends),
            (FrameBound::CurrentRow, FrameUnit::Rows) => {
                Cow::Owned(self.call.each(|at| place(at + usize::from(is_end)))?)
            }
            (FrameBound::CurrentRow, _) if is_end => Cow::Borrowed(&layout.peer_ends),
            (FrameBound::CurrentRow, _) => Cow::Borrowed(&layout.peer_starts),
            (FrameBound::Preceding(offset), unit) => {
                Cow::Owned(self.at_distance(offset, unit, false, is_end)?)
            }
            (FrameBound::Following(offset), unit) => {
                Cow::Owned(self.at_distance(offset, unit, true, is_end)?)
            }
        })
    }

    fn at_distance(
        &self,
        offset: &Expr,
        unit: FrameUnit,
        forward: bool,
        is_end: bool,
    ) -> Result<Vec<u32>, Diagnostic> {
        let offsets = self.offsets(offset)?;
        match unit {
            FrameUnit::Rows => self.by_rows(&offsets, forward, is_end),
            FrameUnit::Groups => self.by_groups(&offsets, forward, is_end),
            FrameUnit::Range => self.by_range(&offsets, forward, is_end),
        }
    }

    /// The offsets; a NULL or negative offset is an error.
    fn offsets(&self, offset: &Expr) -> Result<Offsets, Diagnostic> {
        let wrong = |what: &str| {
            let message = format!("the offset of a frame is {what}");
            Diagnostic::at(Code::BadArguments, offset.span, message)
                .help("expected a number or a duration that is not negative")
        };
        if let ExprKind::Literal(value) = &offset.kind {
            return Ok(Offsets::Same(value.clone()));
        }
        let col = Eval::new(self.call.engine, self.call.frame).column(offset)?;
        if col.validity().is_some() {
            return Err(wrong("NULL"));
        }
        let negative = match &col {
            Col::Int(values) => values.values().iter().any(|&v| v < 0),
            Col::Double(values) => values.values().iter().any(|v| v.is_nan() || *v < 0.0),
            _ => false,
        };
        if negative { Err(wrong("negative")) } else { Ok(Offsets::Each(col)) }
    }

    fn by_rows(
        &self,
        offsets: &Offsets,
        forward: bool,
        is_end: bool,
    ) -> Result<Vec<u32>, Diagnostic> {
        let layout = self.layout;
        let behind = usize::from(is_end);
        self.call.each(|at| {
            let by = offsets.count(layout.row(at));
            let (start, end) = (layout.starts[at] as usize, layout.ends[at] as usize);
            let found = if forward {
                at.saturating_add(by).saturating_add(behind).min(end)
            } else {
                (at + behind).saturating_sub(by).max(start)
            };
            place(found)
        })
    }

    fn by_groups(
        &self,
        offsets: &Offsets,
        forward: bool,
        is_end: bool,
    ) -> Result<Vec<u32>, Diagnostic> {
        let layout = self.layout;
        // The start of each run of equal keys, and the number of the run of each place.
        let mut runs: Vec<u32> = Vec::new();
        let mut run_of = Vec::with_capacity(layout.rows());
        for at in 0..layout.rows() {
            if layout.peer_starts[at] as usize == at {
                runs.push(place(at));
            }
            run_of.push(runs.len() - 1);
        }
        self.call.each(|at| {
            let by = offsets.count(layout.row(at));
            let (start, end) = (layout.starts[at], layout.ends[at]);
            let (first, last) = (run_of[start as usize], run_of[end as usize - 1]);
            let run = run_of[at];
            let wanted = if forward { run.checked_add(by) } else { run.checked_sub(by) };
            match wanted {
                Some(run) if run >= first && run <= last && is_end => {
                    layout.peer_ends[runs[run] as usize]
                }
                Some(run) if run >= first && run <= last => runs[run],
                _ if forward => end,
                _ => start,
            }
        })
    }

    fn by_range(
        &self,
        offsets: &Offsets,
        forward: bool,
        is_end: bool,
    ) -> Result<Vec<u32>, Diagnostic> {
        let layout = self.layout;
        let Some(key) = self.call.order.first() else {
            return Ok(if is_end { layout.ends.clone() } else { layout.starts.clone() });
        };
        let keys = layout.laid_out(&key.col);
        // The end lies after the last key within the distance.
        let up = forward != key.descending;
        let search =
            Search { layout, descending: key.descending, nulls_first: key.nulls_first, is_end };
        let by_double =
            matches!(offsets, Offsets::Same(Value::Double(_)) | Offsets::Each(Col::Double(_)));
        match &keys {
            Col::Double(values) => {
                let goal = |at: usize| moved(values.value(at), offsets.double(layout.row(at)), up);
                let compare = |at: usize, goal: f64| order::doubles(values.value(at), goal);
                self.call.each(|at| search.find(at, &keys, goal, compare))
            }
            #[allow(clippy::cast_precision_loss, reason = "the distance is a DOUBLE")]
            Col::Int(values) if by_double => {
                let number = |at: usize| values.value(at) as f64;
                let goal = |at: usize| moved(number(at), offsets.double(layout.row(at)), up);
                let compare = |at: usize, goal: f64| order::doubles(number(at), goal);
                self.call.each(|at| search.find(at, &keys, goal, compare))
            }
            Col::Int(values) => {
                let number = |at: usize| i128::from(values.value(at));
                let goal = |at: usize| offsets.moved(number(at), layout.row(at), up);
                let compare = |at: usize, goal: i128| number(at).cmp(&goal);
                self.call.each(|at| search.find(at, &keys, goal, compare))
            }
            Col::Addr(values) => {
                let number = |at: usize| i128::from(values.value(at));
                let goal = |at: usize| offsets.moved(number(at), layout.row(at), up);
                let compare = |at: usize, goal: i128| number(at).cmp(&goal);
                self.call.each(|at| search.find(at, &keys, goal, compare))
            }
            _ if is_end => Ok(layout.peer_ends.clone()),
            _ => Ok(layout.peer_starts.clone()),
        }
    }
}

fn moved(value: f64, by: f64, up: bool) -> f64 {
    if up { value + by } else { value - by }
}

impl Offsets {
    fn int(&self, row: usize) -> i64 {
        match self {
            Self::Same(value) => value.as_number().unwrap_or(0),
            Self::Each(Col::Int(values)) => values.value(row),
            Self::Each(_) => 0,
        }
    }

    fn count(&self, row: usize) -> usize {
        usize::try_from(self.int(row)).unwrap_or(usize::MAX)
    }

    fn double(&self, row: usize) -> f64 {
        match self {
            Self::Same(Value::Double(n)) => *n,
            Self::Each(Col::Double(values)) => values.value(row),
            _ => 0.0,
        }
    }

    fn moved(&self, value: i128, row: usize, up: bool) -> i128 {
        let by = i128::from(self.int(row));
        if up { value + by } else { value - by }
    }
}

/// Searches the sorted keys of a partition.
struct Search<'l> {
    layout: &'l Layout,
    descending: bool,
    nulls_first: bool,
    is_end: bool,
}

impl Search<'_> {
    /// The first place in the partition of `at` whose key is at or after the goal; for an end,
    /// after it. For a row with a NULL key, the frame is the rows with NULL keys.
    fn find<T: Copy>(
        &self,
        at: usize,
        keys: &Col,
        goal: impl Fn(usize) -> T,
        compare: impl Fn(usize, T) -> std::cmp::Ordering,
    ) -> u32 {
        let layout = self.layout;
        if keys.is_null(at) {
            return if self.is_end { layout.peer_ends[at] } else { layout.peer_starts[at] };
        }
        let (mut low, mut high) = (layout.starts[at] as usize, layout.ends[at] as usize);
        if self.nulls_first && keys.is_null(low) {
            low = layout.peer_ends[low] as usize;
        } else if keys.is_null(high - 1) {
            high = layout.peer_starts[high - 1] as usize;
        }
        let goal = goal(at);
        let before = |place: usize| {
            let order = compare(place, goal);
            let order = if self.descending { order.reverse() } else { order };
            order.is_lt() || (self.is_end && order.is_eq())
        };
        place(seek(low, high, at, before))
    }
}

/// The first number in `low..high` for which `before` is false. The search starts at `near` in
/// growing steps, because the bounds of consecutive frames are close together.
fn seek(low: usize, high: usize, near: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (low, high);
    let mut step = 1usize;
    let mut at = near;
    if at < high && at >= low && before(at) {
        while at < high && before(at) {
            low = at + 1;
            at = at.saturating_add(step);
            step *= 2;
        }
        high = high.min(at);
    } else {
        while at >= low && at < high && !before(at) {
            high = at;
            at = match at.checked_sub(step) {
                Some(at) => at,
                None => break,
            };
            step *= 2;
        }
        if at >= low && at < high {
            low = at + 1;
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::seek;

    #[test]
    fn a_search_from_any_start_finds_the_first_match() {
        for len in 0..20usize {
            for first in 0..=len {
                for near in 0..=len {
                    for low in 0..=first {
                        let found = seek(low, len, near, |at| at < first);
                        assert_eq!(found, first, "{low}..{len} from {near}");
                    }
                }
            }
        }
    }
}
