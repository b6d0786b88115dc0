//! Values of other rows: preceding and following rows, and rows of the frame.

use std::ops::Range;

use super::Call;
use super::layout::place;
use crate::catalog::Value;
use crate::diag::Diagnostic;
use crate::exec::col::{Col, NO_ROW};
use crate::plan::{ExprKind, WindowKind};

/// The places whose value counts: all, or with IGNORE NULLS those that have a value.
struct Counted {
    /// For each place, the number of counted places before it; one more entry at the end. `None` if
    /// all places count.
    before: Option<Vec<u32>>,
    /// The counted places, if not all places count.
    places: Vec<u32>,
}

impl Counted {
    fn new(call: &Call<'_>, arg: &Col) -> Self {
        if !call.window.ignore_nulls || arg.validity().is_none() {
            return Self { before: None, places: Vec::new() };
        }
        let rows = call.layout.rows();
        let mut before = Vec::with_capacity(rows + 1);
        let mut places = Vec::new();
        for at in 0..rows {
            before.push(place(places.len()));
            if !arg.is_null(call.layout.row(at)) {
                places.push(place(at));
            }
        }
        before.push(place(places.len()));
        Self { before: Some(before), places }
    }

    /// The number of counted places before this one.
    fn before(&self, at: usize) -> usize {
        self.before.as_ref().map_or(at, |before| before[at] as usize)
    }

    /// The counted place with this index.
    fn place(&self, index: usize) -> usize {
        if self.before.is_none() { index } else { self.places[index] as usize }
    }

    /// The indices, among counted places, of the places of a range.
    fn within(&self, range: &Range<usize>) -> Range<usize> {
        self.before(range.start)..self.before(range.end)
    }
}

impl Call<'_> {
    /// `lag` and `lead`.
    pub(super) fn shifted(&self, forward: bool) -> Result<Col, Diagnostic> {
        let layout = self.layout;
        let Some(arg) = self.argument(0)? else { return Ok(Col::Null(layout.rows())) };
        let steps = match self.window.call.args.get(1).map(|arg| &arg.kind) {
            None => Some(1),
            Some(ExprKind::Literal(Value::Int(steps))) => Some(*steps),
            Some(_) => None,
        };
        let each_steps = if steps.is_none() { self.argument(1)? } else { None };
        let steps = |row: usize| match &each_steps {
            None => steps,
            Some(col @ Col::Int(values)) if !col.is_null(row) => Some(values.value(row)),
            Some(_) => None,
        };
        let other = self.argument(2)?;
        let counted = Counted::new(self, &arg);
        // The index of the first default value, which follow the rows of the column.
        let default = place(arg.len());
        let of = |at: usize| {
            let row = layout.row(at);
            let Some(steps) = steps(row) else { return NO_ROW };
            let back = if forward { steps < 0 } else { steps > 0 };
            let count = usize::try_from(steps.unsigned_abs()).unwrap_or(usize::MAX);
            let found = if count == 0 {
                Some(at)
            } else if back {
                let (first, here) =
                    (counted.before(layout.starts[at] as usize), counted.before(at));
                here.checked_sub(count).filter(|&i| i >= first).map(|i| counted.place(i))
            } else {
                let (here, end) =
                    (counted.before(at + 1), counted.before(layout.ends[at] as usize));
                here.checked_add(count - 1).filter(|&i| i < end).map(|i| counted.place(i))
            };
            match found {
                Some(found) => place(layout.row(found)),
                None if other.is_some() => default.saturating_add(place(row)),
                None => NO_ROW,
            }
        };
        let rows = layout.by_row(self.each(of)?);
        Ok(match other {
            Some(other) => Col::concat(&[arg, other]).take_opt(&rows),
            None => arg.take_opt(&rows),
        })
    }

    /// `first_value`, `last_value`, `nth_value`.
    pub(super) fn of_frame(&self) -> Result<Col, Diagnostic> {
        let layout = self.layout;
        let Some(arg) = self.argument(0)? else { return Ok(Col::Null(layout.rows())) };
        let frames = self.frames()?;
        let counted = Counted::new(self, &arg);
        let nth = self.argument(1)?;
        let kind = self.window.kind;
        let of = |at: usize| {
            let pieces = frames.pieces(at).map(|piece| counted.within(&piece));
            let mut there = pieces.iter().filter(|piece| !piece.is_empty());
            let found = match kind {
                WindowKind::LastValue => there.next_back().map(|piece| piece.end - 1),
                WindowKind::NthValue => {
                    let row = layout.row(at);
                    let nth = match &nth {
                        Some(col @ Col::Int(values)) if !col.is_null(row) => values.value(row),
                        _ => 0,
                    };
                    usize::try_from(nth).ok().and_then(|n| n.checked_sub(1)).and_then(|mut left| {
                        there.find_map(|piece| {
                            let found = (left < piece.len()).then(|| piece.start + left);
                            left = left.saturating_sub(piece.len());
                            found
                        })
                    })
                }
                _ => there.next().map(|piece| piece.start),
            };
            found.map_or(NO_ROW, |index| place(layout.row(counted.place(index))))
        };
        let rows = layout.by_row(self.each(of)?);
        Ok(arg.take_opt(&rows))
    }
}
