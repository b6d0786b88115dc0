//! Aggregates that look at all values of a group at once: quantiles, `mode`, `string_agg`.

use super::kernel::{Aggregate, Args, Rows, States, same};
use super::{ANY_BY_DOUBLE, SAME, quantile, sig};
use crate::catalog::Signature;
use crate::catalog::Ty::{Double, Interval, Text, Time};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, NO_ROW};
use crate::exec::keys;

const MIDDLE: &[Signature] =
    &[sig(&[Double], Double), sig(&[Interval], Interval), sig(&[Time], Time)];
const QUANTILE: &[Signature] = &[
    sig(&[Double, Double], Double),
    sig(&[Interval, Double], Interval),
    sig(&[Time, Double], Time),
];

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "string_agg",
        "Joins the values with a separator between them, a comma unless the second argument gives another.",
        &[Signature::new(&[Text, Text], Text).optional(1)],
        &[("string_agg(x::VARCHAR, '-' ORDER BY x)", "1-2-2-5")],
        |_, groups| Lists::start(groups, joined),
    )
    .or(&["listagg", "group_concat"]),
    Aggregate::new(
        "median",
        "The middle value, or the mean of the two middle ones.",
        MIDDLE,
        &[("median(x)", "2.0")],
        |_, groups| Lists::start(groups, |args, rows| quantile::of(args, rows, true)),
    ),
    Aggregate::new(
        "quantile_cont",
        "The value below which the given fraction of values lies, interpolated between neighbours.",
        QUANTILE,
        &[("quantile_cont(x, 0.75)", "2.75")],
        |_, groups| Lists::start(groups, |args, rows| quantile::of(args, rows, true)),
    ),
    Aggregate::new(
        "quantile_disc",
        "The smallest value such that at least the given fraction of values is not above it.",
        ANY_BY_DOUBLE,
        &[("quantile_disc(x, 0.75)", "2")],
        |_, groups| Lists::start(groups, |args, rows| quantile::of(args, rows, false)),
    )
    .or(&["quantile"]),
    Aggregate::new(
        "mode",
        "The most frequent value; among equally frequent ones, the one that comes first.",
        SAME,
        &[("mode(x)", "2")],
        |_, groups| Lists::start(groups, mode),
    ),
];

/// Computes the result of each group from the rows of which the first argument has a value.
type Finish = fn(&Args<'_>, Vec<Vec<u32>>) -> Result<Col, Diagnostic>;

/// The rows of each group of which the first argument has a value.
struct Lists {
    rows: Vec<Vec<u32>>,
    result: Finish,
}

impl Lists {
    fn start(groups: usize, result: Finish) -> Box<dyn States> {
        Box::new(Self { rows: vec![Vec::new(); groups], result })
    }
}

impl States for Lists {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(arg) = args.first() else { return Ok(()) };
        rows.each_valid(arg, |group, row| {
            if let Ok(row) = u32::try_from(row) {
                self.rows[group].push(row);
            }
        });
        Ok(())
    }

    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic> {
        let from = same::<Self>(args, from)?;
        for &(into, of) in pairs {
            self.rows[into as usize].extend_from_slice(&from.rows[of as usize]);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, args: &Args<'_>) -> Result<Col, Diagnostic> {
        (self.result)(args, self.rows)
    }
}

/// The values with separators between them; a comma if none is given.
fn joined(args: &Args<'_>, rows: Vec<Vec<u32>>) -> Result<Col, Diagnostic> {
    let Some(Col::Text(texts)) = args.first() else { return Ok(Col::Null(rows.len())) };
    let separator = |row: usize| match args.cols.get(1) {
        None => ",",
        Some(col @ Col::Text(separators)) if !col.is_null(row) => separators.value(row),
        Some(_) => "",
    };
    let length = |&row: &u32| texts.value(row as usize).len() + separator(row as usize).len();
    let bytes = rows.iter().flatten().map(length).fold(0, usize::saturating_add);
    args.engine.make(args.call.span, bytes)?;
    let join = |rows: &Vec<u32>| {
        let (&first, rest) = rows.split_first()?;
        let mut text = texts.value(first as usize).to_owned();
        for &row in rest {
            text.push_str(separator(row as usize));
            text.push_str(texts.value(row as usize));
        }
        Some(text)
    };
    let joined: Vec<Option<String>> = rows.iter().map(join).collect();
    Ok(Col::text(joined.iter().map(Option::as_deref)))
}

/// The most frequent value; among equally frequent ones, the one that came first.
fn mode(args: &Args<'_>, rows: Vec<Vec<u32>>) -> Result<Col, Diagnostic> {
    let Some(arg) = args.first() else { return Ok(Col::Null(rows.len())) };
    let mut groups: Vec<u64> = Vec::new();
    for (group, rows) in (0u64..).zip(&rows) {
        groups.resize(groups.len() + rows.len(), group);
    }
    let mut best: Vec<(usize, u32)> = vec![(0, NO_ROW); rows.len()];
    let rows = rows.concat();
    let of_groups = Col::addr(groups.clone(), None);
    let kinds = keys::group(&[of_groups, arg.take(&rows)], rows.len(), args.engine.stop());
    let mut counts = vec![0usize; kinds.firsts.len()];
    for &kind in &kinds.ids {
        counts[kind as usize] += 1;
    }
    for (&first, count) in kinds.firsts.iter().zip(counts) {
        let group = usize::try_from(groups[first as usize]).unwrap_or_default();
        if count > best[group].0 {
            best[group] = (count, rows[first as usize]);
        }
    }
    let rows: Vec<u32> = best.into_iter().map(|(_, row)| row).collect();
    Ok(arg.take_opt(&rows))
}
