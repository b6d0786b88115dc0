//! Sorts rows stably; finds the first few without sorting the rest.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::keys::Stop;
use super::order::{Key, sorted};
use super::{filter, uses};
use crate::diag::Diagnostic;
use crate::plan::{Plan, SortKey};

pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    keys: &[SortKey],
    top: Option<usize>,
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let mut read = need.to_vec();
    for key in keys {
        uses::mark(&key.expr, &mut read);
    }
    let span = input.span;
    let frame = engine.run(input, &read)?;
    let keys = compute(&Eval::new(engine, &frame), keys)?;
    let copy = frame.bytes() / frame.rows.max(1) * top.unwrap_or(usize::MAX).min(frame.rows);
    engine.check_room(span, copy.saturating_add(frame.rows.saturating_mul(BYTES_PER_ROW)))?;
    let rows: Vec<u32> = (0u32..).take(frame.rows).collect();
    let order = sorted(&keys, &rows, top, engine.stop());
    engine.check_cancelled()?;
    Ok(filter::only(frame, need).take(&order))
}

/// What sorting takes beside the rows: numbers of rows, and twice their keys.
const BYTES_PER_ROW: usize = 40;

/// The sort keys of all rows.
pub(super) fn compute(eval: &Eval<'_>, keys: &[SortKey]) -> Result<Vec<Key>, Diagnostic> {
    let key = |k: &SortKey| {
        let col = eval.column(&k.expr)?;
        Ok(Key { col, descending: k.descending, nulls_first: k.nulls_first })
    };
    keys.iter().map(key).collect()
}

/// The leading number of a row's sort key, and the row.
type Pair = (u64, u32);

/// Fewer rows than this are sorted in one piece.
const BUCKET_ROWS: usize = 8192;
const BUCKET_BITS: u32 = 11;

/// Rows in the order of their numbers. `ties`, if given, decides between equal numbers; rows that
/// are still equal keep their order. Only the first `top`, if given.
pub(super) fn order_pairs(
    pairs: impl ExactSizeIterator<Item = Pair>,
    top: Option<usize>,
    ties: Option<&(dyn Fn(u32, u32) -> Ordering + Sync)>,
    stop: Stop<'_>,
) -> Vec<u32> {
    let compare = |a: &Pair, b: &Pair| {
        let numbers = a.0.cmp(&b.0);
        let order = if numbers.is_eq() { ties.map_or(numbers, |t| t(a.1, b.1)) } else { numbers };
        order.then(a.1.cmp(&b.1))
    };
    let mut pairs = match top.filter(|&top| top < pairs.len()) {
        Some(top) => first_few(pairs, top, &compare),
        None => pairs.collect(),
    };
    if pairs.len() < BUCKET_ROWS {
        pairs.sort_unstable_by(compare);
    } else {
        let (mut spread, mut lens) = into_buckets(&pairs);
        pairs.clear();
        let mut rest = spread.as_mut_slice();
        let mut buckets = Vec::with_capacity(lens.len());
        for len in lens.drain(..) {
            let (bucket, after) = rest.split_at_mut(len);
            buckets.push(bucket);
            rest = after;
        }
        buckets.into_par_iter().for_each(|bucket| {
            if stop.now() {
                return;
            }
            if bucket.len() > BUCKET_ROWS * 8 {
                bucket.par_sort_unstable_by(compare);
            } else {
                bucket.sort_unstable_by(compare);
            }
        });
        pairs = spread;
    }
    pairs.into_iter().map(|(_, row)| row).collect()
}

/// The pairs distributed over buckets by the leading bits of their numbers, and the buckets'
/// lengths.
fn into_buckets(pairs: &[Pair]) -> (Vec<Pair>, Vec<usize>) {
    let ends = pairs.iter().fold((u64::MAX, 0), |(min, max), p| (p.0.min(min), p.0.max(max)));
    let (min, range) = (ends.0, ends.1.saturating_sub(ends.0));
    let shift = (u64::BITS - range.leading_zeros()).saturating_sub(BUCKET_BITS);
    let bucket = |pair: &Pair| usize::try_from((pair.0 - min) >> shift).unwrap_or(0);
    let mut lens = vec![0usize; 1 << BUCKET_BITS];
    for pair in pairs {
        lens[bucket(pair)] += 1;
    }
    let mut next = lens.clone();
    let mut end = 0;
    for place in &mut next {
        end += std::mem::replace(place, end);
    }
    let mut spread = vec![(0, 0); pairs.len()];
    for pair in pairs {
        let place = &mut next[bucket(pair)];
        spread[*place] = *pair;
        *place += 1;
    }
    (spread, lens)
}

/// The first `top` pairs in any order, found in one pass with little memory.
fn first_few(
    pairs: impl Iterator<Item = Pair>,
    top: usize,
    compare: &impl Fn(&Pair, &Pair) -> Ordering,
) -> Vec<Pair> {
    if top == 0 {
        return Vec::new();
    }
    let room = top.saturating_mul(2).max(1024);
    let mut kept: Vec<Pair> = Vec::new();
    let mut worst = u64::MAX;
    for pair in pairs {
        if pair.0 > worst {
            continue;
        }
        kept.push(pair);
        if kept.len() >= room {
            kept.select_nth_unstable_by(top - 1, compare);
            kept.truncate(top);
            worst = kept.last().map_or(u64::MAX, |p| p.0);
        }
    }
    if kept.len() > top {
        kept.select_nth_unstable_by(top - 1, compare);
        kept.truncate(top);
    }
    kept
}
