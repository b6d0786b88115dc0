//! Makes independent rows on all cores in batches, and passes them on in the order of their inputs.
//!
//! This module knows nothing about the rows. The first batches are small, so that a reader that
//! wants few rows does not wait for many.

use std::sync::{Mutex, PoisonError};

use crate::model::{Flow, RowSink};

const FIRST: usize = 16;

/// Collects the inputs of rows until there are enough for a batch.
struct Batches<T> {
    waiting: Vec<T>,
    size: usize,
    most: usize,
}

/// Worker state that is not in use. Each thread takes one, and returns it with what it has learnt.
#[derive(Debug)]
pub(crate) struct Idle<T>(Mutex<Vec<T>>);

impl<T: Sync> Batches<T> {
    /// The maximum size of a batch.
    fn of(most: usize) -> Self {
        Self { waiting: Vec::new(), size: FIRST.min(most), most }
    }

    /// Adds an input; returns a batch once it is full.
    fn add(&mut self, item: T) -> Option<Vec<T>> {
        self.waiting.push(item);
        (self.waiting.len() >= self.size).then(|| {
            self.size = (4 * self.size).min(self.most);
            std::mem::take(&mut self.waiting)
        })
    }

    /// The incomplete batch at the end.
    fn rest(self) -> Vec<T> {
        self.waiting
    }
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Idle<T> {
    /// A state that another thread returned, or a new one.
    pub(crate) fn take(&self, make: impl FnOnce() -> T) -> T {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(make)
    }

    pub(crate) fn give(&self, item: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(item);
    }
}

/// Collects the items that a walk visits in batches of at most `most`, and passes on each batch
/// until told to stop.
pub(crate) fn of_walk<T: Sync, E>(
    most: usize,
    walk: impl FnOnce(&mut dyn FnMut(T) -> Flow) -> Result<(), E>,
    mut each: impl FnMut(Vec<T>) -> Flow,
) -> Result<(), E> {
    let mut batches = Batches::of(most);
    let mut flow = Flow::Continue(());
    walk(&mut |item| {
        flow = batches.add(item).map_or(Flow::Continue(()), &mut each);
        flow
    })?;
    if flow.is_continue() {
        let _ = each(batches.rest());
    }
    Ok(())
}

/// Makes the rows of a batch in parallel tasks of this many inputs, and passes them on.
pub(crate) fn hand_on<T: Sync, R>(
    batch: &[T],
    part: usize,
    make: impl Fn(&[T], &mut dyn FnMut(R)) + Sync,
    rows: &mut dyn RowSink<R>,
) -> Flow {
    let items = |number: usize| batch.chunks(part).nth(number).unwrap_or_default();
    rows.parts(batch.len().div_ceil(part), &|number, push| make(items(number), push))
}

/// Makes the rows for all inputs of a list, in batches.
pub(crate) fn all<T: Sync, R>(
    items: &[T],
    most: usize,
    part: usize,
    make: impl Fn(&[T], &mut dyn FnMut(R)) + Sync,
    rows: &mut dyn RowSink<R>,
) -> Flow {
    let (mut rest, mut size) = (items, FIRST.min(most));
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(size.min(rest.len()));
        hand_on(batch, part, &make, rows)?;
        (rest, size) = (later, (4 * size).min(most));
    }
    Flow::Continue(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn rows_are_in_order_and_end_when_told() {
        for (most, wanted) in [(1, 5000), (7, 40), (1000, 5000), (1000, 333), (64, 1)] {
            let mut rows = Vec::new();
            let made = AtomicUsize::new(0);
            let mut emit = |row: usize| {
                rows.push(row);
                if rows.len() < wanted { Flow::Continue(()) } else { Flow::Break(()) }
            };
            let make = |part: &[usize], push: &mut dyn FnMut(usize)| {
                made.fetch_add(part.len(), Ordering::Relaxed);
                part.iter().flat_map(|i| [2 * i, 2 * i + 1]).for_each(push);
            };
            let walk = |visit: &mut dyn FnMut(usize) -> Flow| -> Result<(), ()> {
                let _ = (0..2000).try_for_each(visit);
                Ok(())
            };
            of_walk(most, walk, |batch| hand_on(&batch, 32, make, &mut emit)).unwrap();
            assert_eq!(rows, (0..wanted.min(4000)).collect::<Vec<_>>());
            // Only a small multiple of the wanted rows was made.
            assert!(made.into_inner() <= 4 * wanted + FIRST, "{most} {wanted}");
        }
    }
}
