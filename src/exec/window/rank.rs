//! Row numbers, ranks, and `ntile`.

use super::Call;
use crate::diag::{Code, Diagnostic};
use crate::exec::col::{Col, bits};
use crate::plan::WindowKind;

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Call<'_> {
    /// Computes a call that depends only on positions in the partition.
    #[allow(clippy::cast_precision_loss, reason = "a fraction of the rows is a DOUBLE")]
    pub(super) fn rank(&self) -> Result<Col, Diagnostic> {
        let layout = self.layout;
        let number = |at: usize| at - layout.starts[at] as usize;
        let first_peer = |at: usize| layout.peer_starts[at] as usize - layout.starts[at] as usize;
        let length = |at: usize| layout.ends[at] as usize - layout.starts[at] as usize;
        match self.window.kind {
            WindowKind::Rank => self.integers(|at| signed(first_peer(at) + 1)),
            WindowKind::DenseRank => Ok(self.dense()),
            WindowKind::PercentRank => self.doubles(|at| match length(at) {
                0 | 1 => 0.0,
                rows => first_peer(at) as f64 / (rows - 1) as f64,
            }),
            WindowKind::CumeDist => self.doubles(|at| {
                let up_to = layout.peer_ends[at] as usize - layout.starts[at] as usize;
                up_to as f64 / length(at) as f64
            }),
            WindowKind::Ntile => self.ntile(),
            _ => self.integers(|at| signed(number(at) + 1)),
        }
    }

    fn integers(&self, of: impl Fn(usize) -> i64 + Sync) -> Result<Col, Diagnostic> {
        Ok(Col::int(self.layout.by_row(self.each(of)?), None))
    }

    fn doubles(&self, of: impl Fn(usize) -> f64 + Sync) -> Result<Col, Diagnostic> {
        Ok(Col::double(self.layout.by_row(self.each(of)?), None))
    }

    fn dense(&self) -> Col {
        let layout = self.layout;
        let mut rank = 0;
        let ranks = (0..layout.rows()).map(|at| {
            if layout.starts[at] as usize == at {
                rank = 0;
            }
            rank += i64::from(layout.peer_starts[at] as usize == at);
            rank
        });
        Col::int(layout.by_row(ranks.collect()), None)
    }

    /// If the rows cannot be divided evenly, the first buckets have one row more than the others.
    fn ntile(&self) -> Result<Col, Diagnostic> {
        let Some(Col::Int(parts)) = self.argument(0)? else {
            return Ok(Col::Null(self.layout.rows()));
        };
        let layout = self.layout;
        let wanted = Col::Int(parts.clone());
        let few = (0..layout.rows()).any(|row| !wanted.is_null(row) && parts.value(row) < 1);
        if few {
            let span = self.window.call.args.first().map_or(self.window.call.span, |a| a.span);
            let message = "the number of parts of ntile is below 1";
            return Err(Diagnostic::at(Code::BadArguments, span, message));
        }
        let of = |at: usize| {
            let row = layout.row(at);
            if wanted.is_null(row) {
                return 0;
            }
            let number = at - layout.starts[at] as usize;
            let length = layout.ends[at] as usize - layout.starts[at] as usize;
            let parts = usize::try_from(parts.value(row)).unwrap_or(usize::MAX).max(1);
            let (short, longer) = (length / parts, length % parts);
            let in_longer = longer * (short + 1);
            if number < in_longer {
                signed(number / (short + 1) + 1)
            } else {
                signed(longer + (number - in_longer) / short.max(1) + 1)
            }
        };
        let found = layout.by_row(self.each(of)?);
        let there = bits((0..layout.rows()).map(|row| !wanted.is_null(row)));
        Ok(Col::int(found, Some(there)))
    }
}
