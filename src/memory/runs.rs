//! Physical memory as a list of runs.

use super::{PAGE, Run};

/// Runs in page order without overlaps, all within the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runs {
    sorted: Vec<Run>,
    present: u64,
}

impl Runs {
    /// Takes the runs that a file states. Pages beyond the end of the file are left out; of
    /// overlapping runs, the first one that states a page keeps it.
    pub fn new(stated: Vec<Run>, file_len: u64) -> Self {
        let mut whole = stated;
        for run in &mut whole {
            let held = file_len.saturating_sub(run.offset) / PAGE;
            let room = (u64::MAX / PAGE).saturating_sub(run.first);
            run.pages = run.pages.min(held).min(room);
        }
        whole.retain(|run| run.pages != 0);
        let is_sorted = whole.windows(2).all(|pair| matches!(pair, [a, b] if a.end() <= b.first));
        let sorted = if is_sorted { whole } else { disjoint(&whole) };
        let present = sorted.iter().fold(0, |pages: u64, run| pages.saturating_add(run.pages));
        Self { sorted, present }
    }

    /// The runs.
    pub fn list(&self) -> &[Run] {
        &self.sorted
    }

    /// How many pages the file holds.
    pub const fn present(&self) -> u64 {
        self.present
    }

    /// The number of the page after the last.
    pub fn end(&self) -> u64 {
        self.sorted.last().map_or(0, Run::end)
    }

    /// The offset of a page in the file.
    pub(super) fn offset_of(&self, page: u64) -> Option<u64> {
        let next = self.sorted.partition_point(|run| run.first <= page);
        let run = self.sorted.get(next.checked_sub(1)?)?;
        if page >= run.end() {
            return None;
        }
        run.offset.checked_add(page.checked_sub(run.first)?.checked_mul(PAGE)?)
    }

    /// The first run between two pages.
    pub(super) fn next_run(&self, from: u64, to: u64) -> Option<Run> {
        let next = self.sorted.partition_point(|run| run.end() <= from);
        self.sorted.get(next)?.cut(from, to)
    }
}

/// Runs without overlaps; earlier runs keep their pages.
fn disjoint(stated: &[Run]) -> Vec<Run> {
    // Between two adjacent bounds the candidate runs are the same, and the first of them wins.
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(stated.len().saturating_mul(2));
    for (order, run) in stated.iter().enumerate() {
        events.push((run.first, true, order));
        events.push((run.end(), false, order));
    }
    events.sort_unstable();
    let mut open = std::collections::BTreeSet::<usize>::new();
    let mut result: Vec<(usize, Run)> = Vec::new();
    let mut at = 0;
    for (bound, starts, order) in events {
        let winner = open.first().copied();
        let piece = winner.and_then(|winner| Some((winner, stated.get(winner)?.cut(at, bound)?)));
        if let Some((winner, piece)) = piece {
            match result.last_mut() {
                Some((last, run)) if *last == winner && run.end() == piece.first => {
                    run.pages = run.pages.saturating_add(piece.pages);
                }
                _ => result.push((winner, piece)),
            }
        }
        at = bound;
        if starts {
            open.insert(order);
        } else {
            open.remove(&order);
        }
    }
    result.into_iter().map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, pages: u64, offset: u64) -> Run {
        Run { first, pages, offset }
    }

    #[test]
    fn pages_are_found_and_holes_are_holes() {
        let runs = Runs::new(vec![run(1, 2, 0x2000), run(0x100, 1, 0x4000)], 0x5000);
        assert_eq!(runs.offset_of(0), None);
        assert_eq!(runs.offset_of(2), Some(0x3000));
        assert_eq!(runs.offset_of(3), None);
        assert_eq!(runs.offset_of(0x100), Some(0x4000));
        assert_eq!((runs.present(), runs.end()), (3, 0x101));
        assert_eq!(runs.next_run(2, 0x200), Some(run(2, 1, 0x3000)));
        assert_eq!(runs.next_run(3, 0x100), None);
    }

    #[test]
    fn a_cut_file_keeps_the_pages_it_has() {
        let runs = Runs::new(vec![run(0, 4, 0x1000), run(9, 4, 0x5000)], 0x3fff);
        assert_eq!(runs.list(), [run(0, 2, 0x1000)]);
        let absurd = Runs::new(vec![run(u64::MAX - 1, u64::MAX, 0), run(5, u64::MAX, 0)], 0x2000);
        assert_eq!(absurd.list(), [run(5, 2, 0)]);
    }

    #[test]
    fn the_first_of_overlapping_runs_wins() {
        let runs = Runs::new(vec![run(4, 4, 0x1000), run(2, 8, 0x5000)], 0x10_0000);
        assert_eq!(runs.list(), [run(2, 2, 0x5000), run(4, 4, 0x1000), run(8, 2, 0xb000)]);
        // The same, page by page, for random runs.
        let mut seed = 7u64;
        let mut next = |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % most
        };
        for _ in 0..200 {
            let stated: Vec<Run> =
                (0..6).map(|_| run(next(30), next(12), next(50) * PAGE)).collect();
            let runs = Runs::new(stated.clone(), u64::MAX);
            for page in 0..50 {
                let holder = stated.iter().find(|r| (r.first..r.end()).contains(&page));
                let expected = holder.map(|r| r.offset + (page - r.first) * PAGE);
                assert_eq!(runs.offset_of(page), expected, "page {page} of {stated:?}");
            }
        }
    }
}
