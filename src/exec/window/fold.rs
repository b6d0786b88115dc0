//! States over frames: values combined from left to right, each frame in at most logarithmic time.
//!
//! If frames only grow or shrink, a single state is updated. Otherwise the states of runs of rows,
//! and of runs of such runs, are stored, and a frame combines the few that cover it.

use rayon::prelude::*;

use super::frames::{Frames, Shape};
use crate::diag::Diagnostic;
use crate::exec::engine::Engine;

/// The number of states that are merged into one of the next level.
const FAN: usize = 8;

/// Computes and merges states.
pub(super) trait Fold: Sync {
    type State: Copy + Send + Sync;

    /// The state of an empty range.
    fn empty(&self) -> Self::State;

    /// The state of one place.
    fn leaf(&self, at: usize) -> Self::State;

    /// The state of the places of `left` followed by those of `right`.
    fn merge(&self, left: Self::State, right: Self::State) -> Self::State;
}

/// The state of each place's frame.
pub(super) fn fold<F: Fold>(
    engine: &Engine<'_>,
    frames: &Frames<'_>,
    how: &F,
) -> Result<Vec<F::State>, Diagnostic> {
    let found = match frames.shape() {
        Shape::Growing => along(engine, frames, |range| grow(how, frames, range)),
        Shape::Shrinking => along(engine, frames, |range| shrink(how, frames, range)),
        Shape::Any => {
            let tree = Tree::new(engine, how, frames.layout.rows());
            let of = |at: usize| {
                let pieces = frames.pieces(at).map(|piece| tree.over(piece.start, piece.end));
                pieces.into_iter().fold(how.empty(), |left, right| how.merge(left, right))
            };
            frames.layout.map(engine.stop(), of)
        }
    };
    engine.check_cancelled()?;
    Ok(found)
}

/// The states of whole partitions, computed in parallel.
fn along<S: Send>(
    engine: &Engine<'_>,
    frames: &Frames<'_>,
    work: impl Fn(std::ops::Range<usize>) -> Vec<S> + Sync,
) -> Vec<S> {
    let stop = engine.stop();
    let chunks = frames.layout.chunks().into_par_iter();
    let parts: Vec<Vec<S>> =
        chunks.map(|range| if stop.now() { Vec::new() } else { work(range) }).collect();
    let mut all = Vec::with_capacity(frames.layout.rows());
    for part in parts {
        all.extend(part);
    }
    all
}

fn grow<F: Fold>(how: &F, frames: &Frames<'_>, range: std::ops::Range<usize>) -> Vec<F::State> {
    let (mut state, mut next) = (how.empty(), range.start);
    let step = |at: usize| {
        let frame = frames.whole(at);
        if frames.layout.starts[at] as usize == at {
            (state, next) = (how.empty(), frame.start);
        }
        while next < frame.end {
            state = how.merge(state, how.leaf(next));
            next += 1;
        }
        state
    };
    range.map(step).collect()
}

fn shrink<F: Fold>(how: &F, frames: &Frames<'_>, range: std::ops::Range<usize>) -> Vec<F::State> {
    let (mut state, mut first) = (how.empty(), range.end);
    let step = |at: usize| {
        let frame = frames.whole(at);
        if frames.layout.ends[at] as usize == at + 1 {
            (state, first) = (how.empty(), frame.end);
        }
        while first > frame.start {
            first -= 1;
            state = how.merge(how.leaf(first), state);
        }
        state
    };
    let mut states: Vec<F::State> = range.rev().map(step).collect();
    states.reverse();
    states
}

/// States of runs of places, level by level.
struct Tree<'f, F: Fold> {
    how: &'f F,
    levels: Vec<Vec<F::State>>,
}

impl<'f, F: Fold> Tree<'f, F> {
    fn new(engine: &Engine<'_>, how: &'f F, rows: usize) -> Self {
        let stop = engine.stop();
        let mut tree = Self { how, levels: Vec::new() };
        let mut len = rows;
        while len > FAN {
            let level = tree.levels.len();
            let run = |run: usize| {
                if run.is_multiple_of(1024) && stop.now() {
                    return how.empty();
                }
                let from = run * FAN;
                let states = (from..len.min(from + FAN)).map(|i| tree.state(level, i));
                states.fold(how.empty(), |left, right| how.merge(left, right))
            };
            let states = (0..len.div_ceil(FAN)).into_par_iter().with_min_len(1024).map(run);
            let states = states.collect();
            tree.levels.push(states);
            len = len.div_ceil(FAN);
        }
        tree
    }

    fn state(&self, level: usize, index: usize) -> F::State {
        match level.checked_sub(1) {
            None => self.how.leaf(index),
            Some(level) => self.levels[level][index],
        }
    }

    /// The state of the places in `from..to`.
    fn over(&self, from: usize, to: usize) -> F::State {
        let how = self.how;
        let (mut from, mut to) = (from, to);
        let (mut left, mut right) = (how.empty(), how.empty());
        let mut level = 0;
        while to - from > 2 * FAN && level < self.levels.len() {
            while !from.is_multiple_of(FAN) {
                left = how.merge(left, self.state(level, from));
                from += 1;
            }
            while !to.is_multiple_of(FAN) {
                to -= 1;
                right = how.merge(self.state(level, to), right);
            }
            (from, to) = (from / FAN, to / FAN);
            level += 1;
        }
        for index in from..to {
            left = how.merge(left, self.state(level, index));
        }
        how.merge(left, right)
    }
}
