//! Quantiles: the values at a fraction of the ordered values of a group.

use super::kernel::Args;
use crate::catalog::{ListBuilder, Nested, Ty, Value};
use crate::diag::{Code, Diagnostic};
use crate::exec::col::{Col, NO_ROW, bits};
use crate::exec::order;

/// The approximate memory of a quantile while a list is made.
const BYTES_PER_VALUE: usize = 48;

/// The quantile of each group, or a list of them; the fractions are the second argument, or 0.5 if
/// there is none.
pub(super) fn of(
    args: &Args<'_>,
    rows: Vec<Vec<u32>>,
    continuous: bool,
) -> Result<Col, Diagnostic> {
    match args.call.args.get(1) {
        Some(fractions) if fractions.ty.element().is_some() => {
            several(args, rows, fractions.ty, continuous)
        }
        _ => single(args, rows, continuous),
    }
}

/// A list of quantiles for each group.
fn several(
    args: &Args<'_>,
    mut rows: Vec<Vec<u32>>,
    ty: Ty,
    continuous: bool,
) -> Result<Col, Diagnostic> {
    let (Some(arg), Some(fractions)) = (args.first(), args.cols.get(1)) else {
        return Ok(Col::Null(rows.len()));
    };
    let down = args.call.order_by.first().is_some_and(|key| key.descending);
    let mut ends = Vec::new();
    let mut counts = Vec::with_capacity(rows.len());
    for rows in &mut rows {
        let before = ends.len();
        let list = rows.first().map(|&first| fractions.get(first as usize, ty));
        for value in list.iter().filter_map(Value::as_nested).flat_map(Nested::values) {
            let fraction = checked(args, value.as_double().unwrap_or(f64::NAN))?;
            ends.push(ends_of(arg, rows, fraction, (continuous, down)));
        }
        args.engine.make(args.call.span, (ends.len() - before) * BYTES_PER_VALUE)?;
        counts.push(list.map(|_| ends.len() - before));
    }
    let (values, element) =
        (between(arg, args.ty(), &ends), args.call.ty.element().unwrap_or(Ty::Null));
    let mut place = 0;
    let lists: Vec<Option<Nested<'static>>> = counts
        .into_iter()
        .map(|count| {
            let count = count?;
            let mut list = ListBuilder::new(element);
            for at in place..place + count {
                list.push(&values.get(at, element));
            }
            place += count;
            Some(list.finish(args.call.ty))
        })
        .collect();
    Ok(Col::text(lists.iter().map(|list| list.as_ref().map(Nested::code))))
}

/// The quantile of each group.
fn single(args: &Args<'_>, mut rows: Vec<Vec<u32>>, continuous: bool) -> Result<Col, Diagnostic> {
    let Some(arg) = args.first() else { return Ok(Col::Null(rows.len())) };
    // WITHIN GROUP (ORDER BY … DESC) counts from the largest value down.
    let down = args.call.order_by.first().is_some_and(|key| key.descending);
    let mut ends = Vec::with_capacity(rows.len());
    for rows in &mut rows {
        ends.push(match rows.first() {
            None => (NO_ROW, NO_ROW, 0.0),
            Some(&first) => ends_of(arg, rows, fraction(args, first)?, (continuous, down)),
        });
    }
    Ok(between(arg, args.ty(), &ends))
}

/// The value of the fraction in a row.
fn fraction(args: &Args<'_>, row: u32) -> Result<f64, Diagnostic> {
    let fraction = match args.cols.get(1) {
        None => 0.5,
        Some(Col::Double(col)) => col.value(row as usize),
        Some(_) => f64::NAN,
    };
    checked(args, fraction)
}

fn checked(args: &Args<'_>, fraction: f64) -> Result<f64, Diagnostic> {
    if (0.0..=1.0).contains(&fraction) {
        return Ok(fraction);
    }
    let message = format!("the fraction of a quantile is {fraction}, expected 0 to 1");
    Err(Diagnostic::at(Code::BadArguments, args.call.span, message))
}

/// The rows between which the quantile lies, and how far it lies from the first to the second.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions within a group, between 0 and its length"
)]
fn ends_of(
    col: &Col,
    rows: &mut [u32],
    fraction: f64,
    (continuous, down): (bool, bool),
) -> (u32, u32, f64) {
    let last = rows.len() - 1;
    let compare = |&a: &u32, &b: &u32| {
        let order = order::values(col, a as usize, b as usize);
        if down { order.reverse() } else { order }.then(a.cmp(&b))
    };
    let place = if continuous {
        fraction * last as f64
    } else {
        ((fraction * rows.len() as f64).ceil() - 1.0).max(0.0)
    };
    let low = (place.floor() as usize).min(last);
    let (_, &mut at, above) = rows.select_nth_unstable_by(low, compare);
    let next = above.iter().copied().min_by(|a, b| compare(a, b)).unwrap_or(at);
    (at, next, place - place.floor())
}

/// Interpolates between a number and a larger one. If one of them is infinite, every value between
/// them is infinite; between two infinities there is no number.
fn between_doubles(low: f64, high: f64, part: f64) -> f64 {
    match (low.is_infinite(), high.is_infinite()) {
        (true, false) if !high.is_nan() => low,
        (false, true) => high,
        (true, true) if low.is_sign_positive() == high.is_sign_positive() => low,
        _ => low + (high - low) * part,
    }
}

/// The values at these positions; numbers are interpolated.
#[allow(clippy::cast_precision_loss, reason = "a fraction of a difference is not exact anyway")]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction of a difference lies between zero and the difference"
)]
fn between(col: &Col, ty: Ty, ends: &[(u32, u32, f64)]) -> Col {
    // A decimal between two is cut off towards zero.
    let is_cut = matches!(ty, Ty::Decimal(_));
    let there = bits(ends.iter().map(|e| e.0 != NO_ROW));
    let at = |row: u32| row as usize;
    match col {
        Col::Double(a) => {
            let mix = |&(low, high, part): &(u32, u32, f64)| {
                if low == NO_ROW {
                    return 0.0;
                }
                let (low, high) = (a.value(at(low)), a.value(at(high)));
                if part == 0.0 { low } else { between_doubles(low, high, part) }
            };
            Col::double(ends.iter().map(mix).collect(), Some(there))
        }
        Col::Int(a) => {
            let mix = |&(low, high, part): &(u32, u32, f64)| {
                if low == NO_ROW {
                    return 0;
                }
                let (low, high) = (a.value(at(low)), a.value(at(high)));
                let step = high.abs_diff(low) as f64 * part;
                let is_part = is_cut && step.fract() != 0.0;
                let step = step as u64;
                if high < low {
                    return low.saturating_sub_unsigned(step).max(high);
                }
                let value = low.saturating_add_unsigned(step);
                value.saturating_add(i64::from(is_part && value < 0)).min(high)
            };
            Col::int(ends.iter().map(mix).collect(), Some(there))
        }
        _ => col.take_opt(&ends.iter().map(|e| e.0).collect::<Vec<_>>()),
    }
}
