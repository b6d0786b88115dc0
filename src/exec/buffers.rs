//! What columns take, where several of them may share a buffer.

use std::collections::HashSet;

use super::col::Col;

/// Buffers that were counted.
#[derive(Debug, Default)]
pub(super) struct Buffers(HashSet<usize>);

impl Buffers {
    /// Counts the buffers of some columns; returns the bytes of those that are new.
    pub(super) fn add(&mut self, cols: &[Col]) -> usize {
        let mut bytes = 0usize;
        for col in cols {
            col.each_buffer(&mut |at, len| {
                if self.0.insert(at) {
                    bytes = bytes.saturating_add(len);
                }
            });
        }
        bytes
    }

    /// The bytes of buffers that were not counted; they still are not.
    pub(super) fn beside(&self, cols: &[Col]) -> usize {
        let mut own = HashSet::new();
        let mut bytes = 0usize;
        for col in cols {
            col.each_buffer(&mut |at, len| {
                if !self.0.contains(&at) && own.insert(at) {
                    bytes = bytes.saturating_add(len);
                }
            });
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Value;

    #[test]
    fn what_is_shared_counts_once() {
        let numbers = Col::int(vec![7; 1000], None);
        let text = Col::constant(&Value::text("a text that is longer than a view"), 1000);
        let cols = [numbers.clone(), text.clone(), numbers.clone(), text.slice(0, 500)];
        let mut buffers = Buffers::default();
        let both = buffers.add(&cols);
        assert!((24_000..25_000).contains(&both), "{both}");
        assert_eq!(buffers.add(&cols), 0);
        let other = Col::int(vec![7; 1000], None);
        assert_eq!(buffers.beside(&[other.clone(), other, numbers]), 8000);
    }
}
