//! The row order of a window: the partitions one after the other, each sorted, with the positions
//! where partitions and runs of equal keys start and end.

use rayon::prelude::*;

use crate::diag::Diagnostic;
use crate::exec::col::{Col, NO_ROW};
use crate::exec::engine::Engine;
use crate::exec::keys::Stop;
use crate::exec::order::{self, Key};

/// Memory per row for a layout.
pub(super) const BYTES_PER_ROW: usize = 5 * 4;

/// The number of places that one thread processes at a time.
const PART_PLACES: usize = 1 << 14;

/// The order of rows. A place is the position of a row in that order.
pub(super) struct Layout {
    /// The row at each place; `None` if the order is that of the input.
    order: Option<Vec<u32>>,
    rows: usize,
    /// The start and end of the partition of each place.
    pub(super) starts: Vec<u32>,
    pub(super) ends: Vec<u32>,
    /// The start and end of the run of rows with equal keys (peers).
    pub(super) peer_starts: Vec<u32>,
    pub(super) peer_ends: Vec<u32>,
}

/// The number of a place as 32 bits; the engine has no more rows.
pub(super) fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NO_ROW)
}

impl Layout {
    pub(super) fn new(
        engine: &Engine<'_>,
        partition: &[Col],
        keys: &[Key],
        rows: usize,
    ) -> Result<Self, Diagnostic> {
        let stop = engine.stop();
        let ids =
            if partition.is_empty() { None } else { Some(engine.group(partition, rows)?.ids) };
        let order =
            (ids.is_some() || !keys.is_empty()).then(|| sorted(ids.as_deref(), keys, rows, stop));
        engine.check_cancelled()?;
        let row = |at: usize| order.as_ref().map_or(at, |order| order[at] as usize);
        let begins = |at: usize| match &ids {
            Some(ids) => at == 0 || ids[row(at)] != ids[row(at - 1)],
            None => at == 0,
        };
        let parts = map(rows, stop, begins);
        let differs = |at: usize| {
            let (here, before) = (row(at), at.checked_sub(1).map(row));
            parts[at] || before.is_some_and(|b| keys.iter().any(|k| k.compare(here, b).is_ne()))
        };
        let peers = if keys.is_empty() { parts.clone() } else { map(rows, stop, differs) };
        engine.check_cancelled()?;
        Ok(Self {
            starts: starts(&parts),
            ends: ends(&parts),
            peer_starts: starts(&peers),
            peer_ends: ends(&peers),
            order,
            rows,
        })
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// The row at a place.
    pub(super) fn row(&self, at: usize) -> usize {
        self.order.as_ref().map_or(at, |order| order[at] as usize)
    }

    /// A column of the input in layout order.
    pub(super) fn laid_out(&self, col: &Col) -> Col {
        self.order.as_ref().map_or_else(|| col.clone(), |order| col.take(order))
    }

    /// Values in layout order, rearranged in the order of the input rows.
    pub(super) fn by_row<T: Copy + Default>(&self, values: Vec<T>) -> Vec<T> {
        let Some(order) = &self.order else { return values };
        let mut out = vec![T::default(); values.len()];
        for (&row, value) in order.iter().zip(values) {
            out[row as usize] = value;
        }
        out
    }

    /// Computes `of` for each place.
    pub(super) fn map<T: Send>(&self, stop: Stop<'_>, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
        map(self.rows, stop, of)
    }

    /// Ranges of whole partitions, each large enough for a thread.
    pub(super) fn chunks(&self) -> Vec<std::ops::Range<usize>> {
        let mut chunks = Vec::new();
        let mut from = 0;
        while from < self.rows {
            let mut to = from;
            while to < self.rows && to - from < PART_PLACES {
                to = self.ends[to] as usize;
            }
            chunks.push(from..to);
            from = to;
        }
        chunks
    }
}

/// Computes `of` for the numbers below `rows`. After a cancellation the result is incomplete and
/// must be dropped.
fn map<T: Send>(rows: usize, stop: Stop<'_>, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let part = |index: usize| -> Vec<T> {
        let from = index * PART_PLACES;
        (from..rows.min(from + PART_PLACES)).map(&of).collect()
    };
    if rows <= 2 * PART_PLACES {
        return (0..rows).map(&of).collect();
    }
    let parts = (0..rows.div_ceil(PART_PLACES)).into_par_iter();
    // Cancellation leaves rows without a value, hence the `Option`.
    let parts: Vec<Option<Vec<T>>> =
        parts.map(|index| (!stop.now()).then(|| part(index))).collect();
    let mut out = Vec::with_capacity(rows);
    parts.into_iter().flatten().for_each(|part| out.extend(part));
    out
}

/// The rows ordered by partition, then by the keys.
fn sorted(ids: Option<&[u32]>, keys: &[Key], rows: usize, stop: Stop<'_>) -> Vec<u32> {
    let all: Vec<u32> = (0u32..).take(rows).collect();
    let Some(ids) = ids else { return order::sorted(keys, &all, None, stop) };
    let ids = ids.iter().map(|&id| u64::from(id)).collect();
    let mut whole = vec![Key { col: Col::addr(ids, None), descending: false, nulls_first: false }];
    whole.extend(keys.iter().map(|key| Key {
        col: key.col.clone(),
        descending: key.descending,
        nulls_first: key.nulls_first,
    }));
    order::sorted(&whole, &all, None, stop)
}

fn starts(begins: &[bool]) -> Vec<u32> {
    let mut last = 0;
    let start = |(at, &begin): (usize, &bool)| {
        if begin {
            last = place(at);
        }
        last
    };
    begins.iter().enumerate().map(start).collect()
}

fn ends(begins: &[bool]) -> Vec<u32> {
    let mut next = place(begins.len());
    let mut out = vec![0; begins.len()];
    for (at, &begin) in begins.iter().enumerate().rev() {
        out[at] = next;
        if begin {
            next = place(at);
        }
    }
    out
}
