//! Rows that do not depend on one another: made on all cores, a batch at a time, and handed on in the
//! order of what they are made of.
//!
//! Knows nothing of rows. Batches are small at first, so that who wants a few rows waits for few.

use std::sync::{Mutex, PoisonError};

use crate::model::{Flow, RowSink};

const FIRST: usize = 16;

/// What rows are made of, until there is enough of it.
struct Batches<T> {
    waiting: Vec<T>,
    size: usize,
    most: usize,
}

/// What threads work with that nobody uses now: each takes one, and gives it back with what it learnt.
#[derive(Debug)]
pub(crate) struct Idle<T>(Mutex<Vec<T>>);

impl<T: Sync> Batches<T> {
    /// Batches of at most so many.
    fn of(most: usize) -> Self {
        Self { waiting: Vec::new(), size: FIRST.min(most), most }
    }

    /// Adds something; returns what a whole batch is made of.
    fn add(&mut self, item: T) -> Option<Vec<T>> {
        self.waiting.push(item);
        (self.waiting.len() >= self.size).then(|| {
            self.size = (4 * self.size).min(self.most);
            std::mem::take(&mut self.waiting)
        })
    }

    /// What is left at the end.
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
    /// One that somebody has given back, or else a new one.
    pub(crate) fn take(&self, make: impl FnOnce() -> T) -> T {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(make)
    }

    pub(crate) fn give(&self, item: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(item);
    }
}

/// Puts what a walk visits into batches of at most so many, and hands over each, until told to stop.
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

/// Makes rows of a batch in parts of so many items, and hands them on.
pub(crate) fn hand_on<T: Sync, R>(
    batch: &[T],
    part: usize,
    make: impl Fn(&[T], &mut dyn FnMut(R)) + Sync,
    rows: &mut dyn RowSink<R>,
) -> Flow {
    let items = |number: usize| batch.chunks(part).nth(number).unwrap_or_default();
    rows.parts(batch.len().div_ceil(part), &|number, push| make(items(number), push))
}

/// The same for all items of a list, in batches.
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
    fn rows_come_in_order_and_end_when_told() {
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
            // No more than a few times too many were made.
            assert!(made.into_inner() <= 4 * wanted + FIRST, "{most} {wanted}");
        }
    }
}
