//! Aggregates that count rows.

use super::kernel::{Aggregate, Args, OverFrames, Rows, States, same};
use super::sig;
use crate::catalog::Signature;
use crate::catalog::Ty::{Bool, Int, Null};
use crate::diag::Diagnostic;
use crate::exec::col::Col;

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "count",
        "Counts rows, or the rows of which the argument is not NULL.",
        &[sig(&[], Int), sig(&[Null], Int)],
        &[("count(*)", "4"), ("count(DISTINCT x)", "3")],
        |_, groups| Box::new(Counts(vec![0; groups])),
    )
    .or_zero()
    .over_frames(OverFrames::Count)
    .of_values(),
    Aggregate::new(
        "count_if",
        "Counts the rows for which the condition is true.",
        &[sig(&[Bool], Int)],
        &[("count_if(x > 1)", "3")],
        |_, groups| Box::new(TrueCounts(Counts(vec![0; groups]))),
    )
    .or_zero()
    .or(&["countif"])
    .over_frames(OverFrames::CountIf)
    .of_values(),
    Aggregate::new(
        "approx_count_distinct",
        "The number of distinct values. The result is exact, although the name allows an approximation.",
        DISTINCT,
        &[("approx_count_distinct(x)", "3")],
        |_, groups| Box::new(Counts(vec![0; groups])),
    )
    .or_zero()
    .distinct(),
];

const DISTINCT: &[Signature] = &[sig(&[Null], Int)];

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The number of rows, or of rows with a value, of each group.
struct Counts(Vec<i64>);

impl Counts {
    fn add(&mut self, from: &Self, pairs: &[(u32, u32)]) {
        for &(into, of) in pairs {
            self.0[into as usize] += from.0[of as usize];
        }
    }
}

impl States for Counts {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let validity = args.first().and_then(Col::validity);
        match (validity, rows.ids, args.first()) {
            (None, None, _) => self.0[0] += signed(rows.range.len()),
            (Some(valid), None, _) => {
                let valid = valid.into_owned().sliced(rows.range.start, rows.range.len());
                self.0[0] += signed(valid.set_bits());
            }
            (None, Some(ids), _) => ids.iter().for_each(|&id| self.0[id as usize] += 1),
            (Some(_), Some(_), Some(col)) => rows.each_valid(col, |group, _| self.0[group] += 1),
            (Some(_), Some(_), None) => {}
        }
        Ok(())
    }

    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic> {
        self.add(same::<Self>(args, from)?, pairs);
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        Ok(Col::int(self.0, None))
    }
}

/// The number of rows of each group for which the argument is true.
struct TrueCounts(Counts);

impl States for TrueCounts {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        if let Some(col @ Col::Bool(array)) = args.first() {
            let counts = &mut self.0.0;
            rows.each_valid(col, |group, row| counts[group] += i64::from(array.value(row)));
        }
        Ok(())
    }

    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic> {
        self.0.add(&same::<Self>(args, from)?.0, pairs);
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Args<'_>) -> Result<Col, Diagnostic> {
        Ok(Col::int(self.0.0, None))
    }
}
