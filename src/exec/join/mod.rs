//! Joins. The output is in the order of the left rows and, for each left row, of the right rows;
//! right rows without a match come last, in their own order.

mod hash;
mod lateral;
mod nearest;
mod nested;
mod range;

use std::borrow::Cow;

use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use super::col::{Col, NO_ROW, boolean};
use super::engine::Engine;
use super::eval::{Eval, several};
use super::frame::Frame;
use super::{filter, uses};
use crate::diag::{Diagnostic, Span};
use crate::plan::{Expr, JoinForm, JoinKind, Plan};
pub(super) use hash::Hashed;
use hash::Matches;

/// A join operator.
pub(super) struct Join<'p> {
    pub(super) left: &'p Plan,
    pub(super) right: &'p Plan,
    pub(super) kind: JoinKind,
    pub(super) keys: &'p [(Expr, Expr)],
    pub(super) residual: Option<&'p Expr>,
    pub(super) args: &'p [Expr],
    pub(super) form: JoinForm,
    pub(super) span: Span,
}

/// Pairs of a left and a right row, in the order of the output.
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
    if join.form == JoinForm::Mark {
        wanted.truncate(left_width);
    }
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
    for arg in join.args {
        uses::mark(arg, read_left);
    }
    let left = engine.run(join.left, read_left)?;
    let (right, lateral) = if join.args.is_empty() {
        (engine.run(join.right, read_right)?, None)
    } else {
        let (right, matches) = lateral::right_side(engine, join, &left, read_right)?;
        (right, Some(matches))
    };
    let sides = Sides { engine, join, left, right, lateral };
    let kind = join.kind;
    if join.form == JoinForm::Mark {
        let matched = sides.matched_left()?;
        let mut left = filter::only(sides.left, &wanted[..left_width]);
        left.cols.push(boolean(matched, None));
        return Ok(left);
    }
    if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        let matched = sides.matched_left()?;
        let left = filter::only(sides.left, &wanted[..left_width]);
        return Ok(left.filter(&if kind == JoinKind::Semi { matched } else { !&matched }));
    }
    if kind == JoinKind::Positional {
        return Ok(sides.side_by_side(&wanted));
    }
    // Hash tables, or the numbers of sorted rows.
    let rows = sides.left.rows.saturating_add(sides.right.rows);
    engine.check_room(join.span, rows.saturating_mul(BYTES_PER_ROW))?;
    let pairs = match join.form {
        JoinForm::Nearest => sides.nearest()?,
        _ => sides.pairs()?,
    };
    if join.form == JoinForm::Single
        && let Some([row, _]) = pairs.left.windows(2).find(|w| matches!(w, [a, b] if a == b))
    {
        let rows = pairs.left.iter().filter(|left| *left == row).count();
        return Err(several(rows, join.span));
    }
    sides.output(pairs, &wanted)
}

/// What finding the pairs takes for each row of both sides.
const BYTES_PER_ROW: usize = 24;

/// Both inputs, computed.
struct Sides<'s> {
    engine: &'s Engine<'s>,
    join: &'s Join<'s>,
    left: Frame,
    right: Frame,
    /// The right rows of each left row, in a lateral join.
    lateral: Option<Matches>,
}

/// Receives pairs that fulfil the condition.
type Each<'e> = &'e mut dyn FnMut(Pairs) -> Result<(), Diagnostic>;

/// The number of candidate pairs for which the residual condition is evaluated at a time.
const BLOCK: usize = 1 << 18;

impl Sides<'_> {
    /// The candidate right rows of each left row; `None` if all are candidates.
    fn matches(&self) -> Result<Option<Cow<'_, Matches>>, Diagnostic> {
        Ok(match &self.lateral {
            Some(matches) => Some(Cow::Borrowed(matches)),
            None if self.join.keys.is_empty() => None,
            None => Some(Cow::Owned(self.key_matches()?)),
        })
    }

    /// The pairs that fulfil the whole condition.
    fn pairs(&self) -> Result<Pairs, Diagnostic> {
        if self.join.residual.is_none() {
            match self.matches()? {
                Some(matches) => {
                    self.check_size(matches.count())?;
                    return Ok(matches.pairs());
                }
                None => self.check_size(self.left.rows.saturating_mul(self.right.rows))?,
            }
        }
        let mut kept = Pairs::default();
        self.each_kept(&mut |pairs| {
            kept.left.extend(pairs.left);
            kept.right.extend(pairs.right);
            self.check_size(kept.left.len())
        })?;
        Ok(kept)
    }

    /// The left rows that have a match.
    fn matched_left(&self) -> Result<Bitmap, Diagnostic> {
        if self.join.residual.is_none() {
            return Ok(match self.matches()? {
                Some(matches) => matches.left_with_match(),
                None => Bitmap::new_with_value(self.right.rows > 0, self.left.rows),
            });
        }
        let mut bits = MutableBitmap::from_len_zeroed(self.left.rows);
        self.each_kept(&mut |pairs| {
            for row in pairs.left {
                bits.set(row as usize, true);
            }
            Ok(())
        })?;
        Ok(bits.freeze())
    }

    /// Passes on the pairs that fulfil the whole condition, a block at a time.
    fn each_kept(&self, each: Each<'_>) -> Result<(), Diagnostic> {
        let Some(matches) = self.matches()? else {
            let found = self.range_pairs(each)?;
            return if found { Ok(()) } else { self.nested_pairs(each) };
        };
        for rows in matches.blocks(BLOCK) {
            self.engine.check_cancelled()?;
            each(self.kept(matches.pairs_of(rows))?)?;
        }
        Ok(())
    }

    /// The pairs that fulfil the residual condition.
    fn kept(&self, block: Pairs) -> Result<Pairs, Diagnostic> {
        let Some(residual) = self.join.residual else { return Ok(block) };
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
        let mut kept = Pairs::default();
        for place in keep.true_idx_iter() {
            kept.left.push(block.left[place]);
            kept.right.push(block.right[place]);
        }
        Ok(kept)
    }

    /// The rows of both sides by position; the shorter side ends with NULLs.
    fn side_by_side(self, wanted: &[bool]) -> Frame {
        let rows = self.left.rows.max(self.right.rows);
        let (want_left, want_right) = wanted.split_at(self.left.cols.len());
        let place = |frame: Frame, want: &[bool]| {
            let all = (0u32..).take(frame.rows).chain(std::iter::repeat(NO_ROW)).take(rows);
            let all: Vec<u32> = all.collect();
            let short = frame.rows < rows;
            let frame = filter::only(frame, want);
            if short { frame.take_opt(&all) } else { frame }
        };
        let right = place(self.right, want_right);
        let left = place(self.left, want_left);
        Frame::new(left.beside(right).cols, rows)
    }

    fn check_size(&self, rows: usize) -> Result<(), Diagnostic> {
        let side = |frame: &Frame| -> usize {
            frame.cols.iter().map(|c| c.bytes().checked_div(frame.rows).unwrap_or(0)).sum()
        };
        let per_row = 8 + side(&self.left) + side(&self.right);
        self.engine.check_size(self.join.span, rows, per_row)
    }

    /// The rows of the result: the pairs, and the unmatched rows that the kind of join adds.
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

/// The rows that are in no pair.
fn unmatched(paired: &[u32], rows: usize) -> Vec<u32> {
    let mut has = vec![false; rows];
    for &row in paired {
        has[row as usize] = true;
    }
    (0u32..).zip(has).filter(|&(_, has)| !has).map(|(row, _)| row).collect()
}

/// The pairs, in the order of left rows, with each unmatched left row in its place.
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
