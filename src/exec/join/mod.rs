//! Joins. Output is in the order of the left rows, then of the right rows within each; right rows
//! without a match come last, in their own order.

mod hash;
mod nested;

use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use super::col::{Col, NO_ROW};
use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{filter, uses};
use crate::diag::{Diagnostic, Span};
use crate::plan::{Expr, JoinKind, Plan};

/// A join of a plan.
pub(super) struct Join<'p> {
    pub(super) left: &'p Plan,
    pub(super) right: &'p Plan,
    pub(super) kind: JoinKind,
    pub(super) keys: &'p [(Expr, Expr)],
    pub(super) residual: Option<&'p Expr>,
    pub(super) span: Span,
}

/// Rows of both sides that belong together, in the order of the output.
#[derive(Debug, Default)]
struct Pairs {
    left: Vec<u32>,
    right: Vec<u32>,
}

pub(super) fn run(
    engine: &Engine<'_>,
    join: &Join<'_>,
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let left_width = join.left.schema.len();
    let width = left_width + join.right.schema.len();
    let mut wanted = need.to_vec();
    wanted.resize(width, false);
    let mut read = wanted.clone();
    if let Some(residual) = join.residual {
        uses::mark(residual, &mut read);
    }
    let (read_left, read_right) = read.split_at_mut(left_width);
    for (l, r) in join.keys {
        uses::mark(l, read_left);
        uses::mark(r, read_right);
    }
    let left = engine.run(join.left, read_left)?;
    let right = engine.run(join.right, read_right)?;
    let sides = Sides { engine, join, left, right };
    let kind = join.kind;
    if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        let matched = sides.matched_left()?;
        let left = filter::only(sides.left, &wanted[..left_width]);
        return Ok(left.filter(&if kind == JoinKind::Semi { matched } else { !&matched }));
    }
    let pairs = sides.pairs()?;
    sides.output(pairs, &wanted)
}

/// Both inputs, computed.
struct Sides<'s> {
    engine: &'s Engine<'s>,
    join: &'s Join<'s>,
    left: Frame,
    right: Frame,
}

/// How many candidate pairs the residual condition is tested on at a time.
const BLOCK: usize = 1 << 18;

impl Sides<'_> {
    /// The pairs that fulfil the whole condition.
    fn pairs(&self) -> Result<Pairs, Diagnostic> {
        if self.join.keys.is_empty() {
            return self.nested_pairs();
        }
        let matches = self.matches()?;
        let count = matches.count();
        if self.join.residual.is_none() {
            self.check_size(count)?;
            return Ok(matches.pairs());
        }
        let mut kept = Pairs::default();
        for rows in matches.blocks(BLOCK) {
            self.engine.check_cancelled()?;
            let block = matches.pairs_of(rows);
            self.keep(block, &mut kept)?;
        }
        Ok(kept)
    }

    /// Which left rows have a match.
    fn matched_left(&self) -> Result<Bitmap, Diagnostic> {
        if self.join.residual.is_none() && !self.join.keys.is_empty() {
            return Ok(self.matches()?.left_with_match());
        }
        if self.join.residual.is_none() {
            return Ok(Bitmap::new_with_value(self.right.rows > 0, self.left.rows));
        }
        let mut bits = MutableBitmap::from_len_zeroed(self.left.rows);
        for row in self.pairs()?.left {
            bits.set(row as usize, true);
        }
        Ok(bits.freeze())
    }

    /// Adds the pairs that fulfil the residual condition.
    fn keep(&self, block: Pairs, kept: &mut Pairs) -> Result<(), Diagnostic> {
        let Some(residual) = self.join.residual else {
            kept.left.extend(block.left);
            kept.right.extend(block.right);
            return self.check_size(kept.left.len());
        };
        let width = self.left.cols.len() + self.right.cols.len();
        let need = uses::of([residual], width);
        let (need_left, need_right) = need.split_at(self.left.cols.len());
        let some = |frame: &Frame, need: &[bool], rows: &[u32]| {
            let cols = frame.cols.iter().zip(need);
            let cols = cols.map(|(c, n)| if *n { c.take(rows) } else { Col::Null(rows.len()) });
            Frame::new(cols.collect(), rows.len())
        };
        let rows = some(&self.left, need_left, &block.left).beside(some(
            &self.right,
            need_right,
            &block.right,
        ));
        let keep = Eval::new(self.engine, &rows).predicate(residual)?;
        for place in keep.true_idx_iter() {
            kept.left.push(block.left[place]);
            kept.right.push(block.right[place]);
        }
        self.check_size(kept.left.len())
    }

    fn check_size(&self, rows: usize) -> Result<(), Diagnostic> {
        let side = |frame: &Frame| -> usize {
            frame.cols.iter().map(|c| c.bytes().checked_div(frame.rows).unwrap_or(0)).sum()
        };
        let per_row = 8 + side(&self.left) + side(&self.right);
        self.engine.check_size(self.join.span, rows, per_row)
    }

    /// The rows of the result: pairs, with what the kind of join adds to them.
    fn output(self, mut pairs: Pairs, wanted: &[bool]) -> Result<Frame, Diagnostic> {
        let keeps_left = matches!(self.join.kind, JoinKind::Left | JoinKind::Full);
        let keeps_right = matches!(self.join.kind, JoinKind::Right | JoinKind::Full);
        let alone = keeps_right.then(|| unmatched(&pairs.right, self.right.rows));
        if keeps_left {
            pairs = with_unmatched_left(&pairs, self.left.rows);
        }
        if let Some(alone) = alone {
            pairs.left.resize(pairs.left.len() + alone.len(), NO_ROW);
            pairs.right.extend(alone);
        }
        self.check_size(pairs.left.len())?;
        let (want_left, want_right) = wanted.split_at(self.left.cols.len());
        let left = filter::only(self.left, want_left);
        let right = filter::only(self.right, want_right);
        let gather = |frame: &Frame, rows: &[u32], may_lack: bool| {
            if may_lack { frame.take_opt(rows) } else { frame.take(rows) }
        };
        let (left, right) = rayon::join(
            || gather(&left, &pairs.left, keeps_right),
            || gather(&right, &pairs.right, keeps_left),
        );
        Ok(left.beside(right))
    }
}

/// The rows that no pair has.
fn unmatched(paired: &[u32], rows: usize) -> Vec<u32> {
    let mut has = vec![false; rows];
    for &row in paired {
        has[row as usize] = true;
    }
    (0u32..).zip(has).filter(|&(_, has)| !has).map(|(row, _)| row).collect()
}

/// The pairs, which are in the order of left rows, and at its place each left row without one.
fn with_unmatched_left(pairs: &Pairs, rows: usize) -> Pairs {
    let mut out = Pairs::default();
    let mut at = 0;
    for row in (0u32..).take(rows) {
        let from = at;
        while pairs.left.get(at) == Some(&row) {
            out.left.push(row);
            out.right.push(pairs.right[at]);
            at += 1;
        }
        if from == at {
            out.left.push(row);
            out.right.push(NO_ROW);
        }
    }
    out
}
