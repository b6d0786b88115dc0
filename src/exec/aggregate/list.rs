//! Aggregates that need all values of a group at once: quantiles, `mode`, `string_agg`.

use super::kernel::{Aggregate, Args, Rows, States, same};
use super::{SAME, quantile, sig};
use crate::catalog::Ty::{self, Double, Interval, Null, Text, Time};
use crate::catalog::{ListBuilder, Nested, Signature};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, NO_ROW};
use crate::exec::keys;

const MIDDLE: &[Signature] =
    &[sig(&[Double], Double), sig(&[Interval], Interval), sig(&[Time], Time)];
const QUANTILE: &[Signature] = &[
    sig(&[Double, Double], Double),
    sig(&[Interval, Double], Interval),
    sig(&[Time, Double], Time),
    sig(&[Double, Ty::ANY_LIST], Ty::ANY_LIST),
];

/// Bytes of lists between two checks of the query's memory limit.
const BYTES_BETWEEN_LOOKS: usize = 1 << 20;

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "string_agg",
        "Joins the values with a separator between them, a comma unless the second argument gives another.",
        &[Signature::new(&[Text, Text], Text).optional(1)],
        &[("string_agg(x::VARCHAR, '-' ORDER BY x)", "1-2-2-5")],
        |_, groups| Lists::start(groups, joined),
    )
    .of_all_rows()
    .or(&["listagg", "group_concat"]),
    Aggregate::new(
        "list",
        "A list of the values, NULLs included, in the order of the rows or of ORDER BY; NULL of no rows.",
        &[sig(&[Null], Ty::ANY_LIST)],
        &[("list(x ORDER BY x DESC)", "[5, 2, 2, 1]")],
        |_, groups| Lists::with_nulls(groups, listed),
    )
    .of_all_rows()
    .or(&["array_agg"]),
    Aggregate::new(
        "median",
        "The middle value, or the mean of the two middle ones.",
        MIDDLE,
        &[("median(x)", "2.0")],
        |_, groups| Lists::start(groups, |args, rows| quantile::of(args, rows, true)),
    )
    .of_all_rows(),
    Aggregate::new(
        "quantile_cont",
        "The value below which the given fraction of values lies, interpolated between neighbours. For a list of fractions, a list.",
        QUANTILE,
        &[("quantile_cont(x, 0.75)", "2.75"), ("quantile_cont(x, [0, 0.5])", "[1.0, 2.0]")],
        |_, groups| Lists::start(groups, |args, rows| quantile::of(args, rows, true)),
    )
    .of_all_rows()
    .or(&["percentile_cont", "approx_quantile"]),
    Aggregate::new(
        "quantile_disc",
        "The smallest value such that at least the given fraction of values is not above it. For a list of fractions, a list.",
        &[sig(&[Null, Double], Null), sig(&[Null, Ty::ANY_LIST], Ty::ANY_LIST)],
        &[("quantile_disc(x, 0.75)", "2")],
        |_, groups| Lists::start(groups, |args, rows| quantile::of(args, rows, false)),
    )
    .of_all_rows()
    .or(&["quantile", "percentile_disc"]),
    Aggregate::new(
        "mode",
        "The most frequent value; among equally frequent ones, the one that comes first.",
        SAME,
        &[("mode(x)", "2")],
        |_, groups| Lists::start(groups, mode),
    )
    .of_all_rows(),
    Aggregate::new(
        "entropy",
        "How many bits it takes to tell one value from the others, on average; 0 of no values.",
        &[sig(&[Null], Double)],
        &[("entropy(x)", "1.5")],
        |_, groups| Lists::start(groups, entropy),
    )
    .or_zero()
    .of_all_rows(),
    Aggregate::new(
        "mad",
        "The median of the distances of the values from their median.",
        &[sig(&[Double], Double), sig(&[Interval], Interval), sig(&[Time], Interval)],
        &[("mad(x)", "0.5")],
        |_, groups| Lists::start(groups, deviation),
    )
    .of_all_rows(),
];

/// Computes the result of each group from the rows whose first argument has a value.
pub(super) type Finish = fn(&Args<'_>, Vec<Vec<u32>>) -> Result<Col, Diagnostic>;

/// The rows of each group whose first argument has a value.
pub(super) struct Lists {
    rows: Vec<Vec<u32>>,
    result: Finish,
    /// Whether rows without a value are kept, too.
    nulls: bool,
}

impl Lists {
    pub(super) fn start(groups: usize, result: Finish) -> Box<dyn States> {
        Box::new(Self { rows: vec![Vec::new(); groups], result, nulls: false })
    }

    /// As above with the rows that have no value.
    pub(super) fn with_nulls(groups: usize, result: Finish) -> Box<dyn States> {
        Box::new(Self { rows: vec![Vec::new(); groups], result, nulls: true })
    }
}

impl States for Lists {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(arg) = args.first() else { return Ok(()) };
        let push = |group: usize, row: usize| {
            if let Ok(row) = u32::try_from(row) {
                self.rows[group].push(row);
            }
        };
        if self.nulls {
            rows.each(push);
        } else {
            rows.each_valid(arg, push);
        }
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

/// The values joined by the separator; a comma if none is given.
#[allow(clippy::needless_pass_by_value, reason = "the signature of `Finish`")]
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

/// The values as lists.
#[allow(clippy::needless_pass_by_value, reason = "the signature of `Finish`")]
pub(super) fn listed(args: &Args<'_>, rows: Vec<Vec<u32>>) -> Result<Col, Diagnostic> {
    let Some(arg) = args.first() else { return Ok(Col::Null(rows.len())) };
    let (ty, element) = (args.call.ty, args.ty());
    let mut lists: Vec<Option<Nested<'static>>> = Vec::with_capacity(rows.len());
    let mut bytes = 0usize;
    for rows in &rows {
        let mut list = ListBuilder::new(element);
        let mut counted = 0;
        for &row in rows {
            list.push(&arg.get(row as usize, element));
            if list.bytes() - counted >= BYTES_BETWEEN_LOOKS {
                args.engine.make(args.call.span, list.bytes() - counted)?;
                counted = list.bytes();
            }
        }
        bytes += list.bytes() - counted;
        if bytes >= BYTES_BETWEEN_LOOKS {
            args.engine.make(args.call.span, std::mem::take(&mut bytes))?;
        }
        lists.push((!rows.is_empty()).then(|| list.finish(ty)));
    }
    Ok(Col::text(lists.iter().map(|list| list.as_ref().map(Nested::code))))
}

/// How often each value occurs in each group: group, row of the first occurrence, count.
pub(super) fn counts(args: &Args<'_>, arg: &Col, rows: &[Vec<u32>]) -> Vec<(usize, u32, usize)> {
    let mut groups: Vec<u64> = Vec::new();
    for (group, rows) in (0u64..).zip(rows) {
        groups.resize(groups.len() + rows.len(), group);
    }
    let rows = rows.concat();
    let of_groups = Col::addr(groups.clone(), None);
    let kinds = keys::group(&[of_groups, arg.take(&rows)], rows.len(), args.engine.stop());
    let mut counts = vec![0usize; kinds.firsts.len()];
    for &kind in &kinds.ids {
        counts[kind as usize] += 1;
    }
    let of = |(&first, count): (&u32, usize)| {
        let group = usize::try_from(groups[first as usize]).unwrap_or_default();
        (group, rows[first as usize], count)
    };
    kinds.firsts.iter().zip(counts).map(of).collect()
}

/// The Shannon entropy of the values, in bits.
#[allow(clippy::cast_precision_loss, reason = "a fraction of the rows")]
#[allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the signature of `Finish`"
)]
fn entropy(args: &Args<'_>, rows: Vec<Vec<u32>>) -> Result<Col, Diagnostic> {
    let Some(arg) = args.first() else { return Ok(Col::Null(rows.len())) };
    let mut bits = vec![0.0f64; rows.len()];
    for (group, _, count) in counts(args, arg, &rows) {
        let part = count as f64 / rows[group].len() as f64;
        bits[group] -= part * part.log2();
    }
    // The sum for a single distinct value is -0.0; adding 0.0 makes it 0.0.
    Ok(Col::double(bits.into_iter().map(|bits| bits + 0.0).collect(), None))
}

/// The median of the absolute deviations from the median.
#[allow(clippy::needless_pass_by_value, reason = "the signature of `Finish`")]
fn deviation(args: &Args<'_>, rows: Vec<Vec<u32>>) -> Result<Col, Diagnostic> {
    let Some(arg) = args.first() else { return Ok(Col::Null(rows.len())) };
    let middles = quantile::of(args, rows.clone(), true)?;
    let count = rows.len();
    // The deviations in the order of the groups, and the rows of each group among them.
    let mut places: Vec<Vec<u32>> = Vec::with_capacity(count);
    let mut next = 0u32;
    for rows in &rows {
        let end = next.saturating_add(u32::try_from(rows.len()).unwrap_or(NO_ROW));
        places.push((next..end).collect());
        next = end;
    }
    let of_groups = rows.iter().enumerate();
    let distances = match (arg, &middles) {
        (Col::Double(values), Col::Double(middles)) => {
            let each = of_groups.flat_map(|(group, rows)| {
                let middle = middles.value(group);
                rows.iter().map(move |&row| (values.value(row as usize) - middle).abs())
            });
            Col::double(each.collect(), None)
        }
        (Col::Int(values), Col::Int(middles)) => {
            let each = of_groups.flat_map(|(group, rows)| {
                let middle = middles.value(group);
                rows.iter().map(move |&row| {
                    let distance = values.value(row as usize).abs_diff(middle);
                    i64::try_from(distance).unwrap_or(i64::MAX)
                })
            });
            Col::int(each.collect(), None)
        }
        _ => return Ok(Col::Null(count)),
    };
    quantile::of(&Args { cols: &[distances], ..*args }, places, true)
}

/// The most frequent value; among equally frequent values, the one that occurs first.
#[allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the signature of `Finish`"
)]
fn mode(args: &Args<'_>, rows: Vec<Vec<u32>>) -> Result<Col, Diagnostic> {
    let Some(arg) = args.first() else { return Ok(Col::Null(rows.len())) };
    let mut best: Vec<(usize, u32)> = vec![(0, NO_ROW); rows.len()];
    for (group, row, count) in counts(args, arg, &rows) {
        if count > best[group].0 {
            best[group] = (count, row);
        }
    }
    let rows: Vec<u32> = best.into_iter().map(|(_, row)| row).collect();
    Ok(arg.take_opt(&rows))
}
