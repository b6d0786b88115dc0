//! Results of which only a part was shown, kept for the cursors of the remaining rows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::answer::Caps;
use crate::session::ResultSet;

/// The maximum number of results that are kept, and of their bytes; the oldest are dropped first.
const MOST: usize = 16;
const BYTES: usize = 256 << 20;

/// A result and the limits with which it was shown.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) result: Arc<ResultSet>,
    pub(super) caps: Caps,
    number: u64,
    bytes: usize,
}

/// The results that are kept.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<(u64, VecDeque<Kept>)>);

impl Pages {
    /// Keeps a result; returns the number with which its cursors start.
    pub(super) fn keep(&self, result: Arc<ResultSet>, caps: Caps) -> u64 {
        let cells = result.len().saturating_mul(result.fields().len());
        let bytes = cells.saturating_mul(8).saturating_add(result.text_bytes());
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, kept) = &mut *guard;
        *next += 1;
        kept.push_back(Kept { result, caps, number: *next, bytes });
        while kept.len() > 1
            && (kept.len() > MOST
                || kept.iter().map(|k| k.bytes).fold(0, usize::saturating_add) > BYTES)
        {
            kept.pop_front();
        }
        *next
    }

    /// The result and the row that a cursor names.
    pub(super) fn find(&self, cursor: &str) -> Option<(Kept, usize)> {
        let (number, row) = cursor.strip_prefix('q')?.split_once('.')?;
        let (number, row) = (number.parse::<u64>().ok()?, row.parse::<usize>().ok()?);
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = guard.1.iter().find(|kept| kept.number == number)?;
        (row < kept.result.len()).then(|| (kept.clone(), row))
    }
}

/// The cursor for a row of a result.
pub(super) fn cursor(number: u64, row: usize) -> String {
    format!("q{number}.{row}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Options, Session};

    #[test]
    fn the_oldest_results_are_dropped() {
        let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
        let result = Arc::new(session.query("SELECT range FROM range(3)").unwrap());
        let pages = Pages::default();
        let first = pages.keep(Arc::clone(&result), Caps::default());
        assert!(pages.find(&cursor(first, 2)).is_some());
        for bad in [&cursor(first, 3), "q1", "1.1", "q1.x", "", "q9.0"] {
            assert!(pages.find(bad).is_none(), "{bad}");
        }
        for _ in 0..MOST {
            pages.keep(Arc::clone(&result), Caps::default());
        }
        assert!(pages.find(&cursor(first, 0)).is_none());
    }
}
