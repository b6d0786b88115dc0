//! Rows while a query runs.

use polars_arrow::bitmap::Bitmap;

use super::buffers::Buffers;
use super::col::Col;

/// Columns of equal length. The number of rows is stored, so that it is known even without columns.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) cols: Vec<Col>,
    pub(super) rows: usize,
    /// The arguments of lambdas, by number, the innermost last.
    pub(super) locals: Vec<(usize, Col)>,
}

impl Frame {
    pub(super) fn new(cols: Vec<Col>, rows: usize) -> Self {
        Self { cols, rows, locals: Vec::new() }
    }

    /// The approximate memory of the columns.
    pub(super) fn bytes(&self) -> usize {
        Buffers::default().add(&self.cols)
    }

    pub(super) fn slice(&self, offset: usize, len: usize) -> Self {
        let cols = self.cols.iter().map(|c| c.slice(offset, len)).collect();
        Self::new(cols, len).with(&self.locals, |c| c.slice(offset, len))
    }

    pub(super) fn take(&self, rows: &[u32]) -> Self {
        if rows.len() == self.rows && (0u32..).zip(rows).all(|(i, &row)| i == row) {
            return self.clone();
        }
        Self::new(each(&self.cols, |c| c.take(rows)), rows.len())
            .with(&self.locals, |c| c.take(rows))
    }

    /// Adds the arguments of the lambdas of another frame.
    pub(super) fn with(mut self, locals: &[(usize, Col)], work: impl Fn(&Col) -> Col) -> Self {
        self.locals = locals.iter().map(|(id, col)| (*id, work(col))).collect();
        self
    }

    pub(super) fn take_opt(&self, rows: &[u32]) -> Self {
        Self::new(each(&self.cols, |c| c.take_opt(rows)), rows.len())
    }

    pub(super) fn filter(&self, keep: &Bitmap) -> Self {
        Self::new(each(&self.cols, |c| c.filter(keep)), keep.set_bits())
            .with(&self.locals, |c| c.filter(keep))
    }

    /// The columns of both frames side by side.
    pub(super) fn beside(mut self, mut other: Self) -> Self {
        self.cols.append(&mut other.cols);
        self
    }

    /// The rows of all frames, one after the other.
    pub(super) fn concat(parts: &[Self]) -> Self {
        let rows = parts.iter().map(|p| p.rows).sum();
        let width = parts.first().map_or(0, |p| p.cols.len());
        let column = |i: usize| {
            let pieces: Vec<Col> = parts.iter().filter_map(|p| p.cols.get(i).cloned()).collect();
            Col::concat(&pieces)
        };
        Self::new((0..width).map(column).collect(), rows)
    }
}

/// Applies `work` to each column, in parallel if there is enough data.
fn each(cols: &[Col], work: impl Fn(&Col) -> Col + Send + Sync) -> Vec<Col> {
    use rayon::prelude::*;
    if cols.len() > 1 && cols.iter().map(Col::len).max().unwrap_or(0) > 10_000 {
        cols.par_iter().map(work).collect()
    } else {
        cols.iter().map(work).collect()
    }
}
