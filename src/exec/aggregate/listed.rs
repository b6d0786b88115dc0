//! Aggregates whose results are lists, maps or JSON: the best values, quantiles, histograms.

use std::cmp::Ordering;

use super::kernel::{Aggregate, Args, States};
use super::list::{Finish, Lists, counts, listed};
use super::{order, sig};
use crate::catalog::Ty::{self, Int, Null, Text};
use crate::catalog::{ListBuilder, Nested, Signature, Value};
use crate::diag::{Code, Diagnostic};
use crate::exec::col::Col;
use crate::plan::AggregateCall;

/// The maximum number of values that `max(x, n)` and similar calls return.
const MOST: i64 = 1_000_000;

const HISTOGRAM: &[Signature] =
    &[sig(&[Null], Ty::ANY_MAP), sig(&[Null, Ty::ANY_LIST], Ty::ANY_MAP)];

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "histogram",
        "How often each value occurs, as a map in the order of the values. With a list of limits: how many values lie above the limit before and not above the limit itself; what is above all limits is counted under the largest value of the type (infinity, or an empty text).",
        HISTOGRAM,
        &[("histogram(x)", "{1=1, 2=2, 5=1}"), ("histogram(x, [2, 4, 6])", "{2=3, 4=0, 6=1}")],
        |_, groups| Lists::start(groups, |args, rows| histogram(args, &rows, false)),
    )
    .of_all_rows(),
    Aggregate::new(
        "histogram_exact",
        "How often each value of the list occurs, as a map; all others are counted under the largest value of the type (infinity, or an empty text).",
        &[sig(&[Null, Ty::ANY_LIST], Ty::ANY_MAP)],
        &[("histogram_exact(x, [1, 2, 5])", "{1=1, 2=2, 5=1}")],
        |_, groups| Lists::start(groups, |args, rows| histogram(args, &rows, true)),
    )
    .of_all_rows(),
    Aggregate::new(
        "approx_top_k",
        "The most frequent values, at most as many as the second argument says, the most frequent first. The counts are exact.",
        &[sig(&[Null, Int], Ty::ANY_LIST)],
        &[("approx_top_k(x, 1)", "[2]")],
        |_, groups| Lists::start(groups, top),
    )
    .of_all_rows(),
    Aggregate::new(
        "json_group_array",
        "A JSON array of the values, NULLs included.",
        &[sig(&[Null], Text)],
        &[("json_group_array(x ORDER BY x)", "[1,2,2,5]")],
        |_, groups| Lists::with_nulls(groups, |args, rows| Ok(json(args, &rows, false))),
    )
    .of_all_rows(),
    Aggregate::new(
        "json_group_object",
        "A JSON object of keys and values.",
        &[sig(&[Text, Null], Text)],
        &[("json_group_object(x::VARCHAR, x ORDER BY x) FILTER (WHERE x <> 2)", "{\"1\":1,\"5\":5}")],
        |_, groups| Lists::start(groups, |args, rows| Ok(json(args, &rows, true))),
    )
    .of_all_rows(),
];

/// Whether a call returns several values, though the aggregate of that name returns one.
pub(in crate::exec) fn is_several(call: &AggregateCall) -> bool {
    call.ty.element().is_some() && call.args.len() > 1
}

/// The states of `min(x, n)`, `max(x, n)`, `arg_min(x, y, n)` and `arg_max(x, y, n)`.
pub(super) fn best(groups: usize, wanted: Ordering) -> Box<dyn States> {
    let finish: Finish = match wanted {
        Ordering::Greater => |args, rows| ranked(args, rows, Ordering::Greater),
        _ => |args, rows| ranked(args, rows, Ordering::Less),
    };
    Lists::start(groups, finish)
}

/// The first argument in those rows of each group whose last argument but one is best.
fn ranked(args: &Args<'_>, mut rows: Vec<Vec<u32>>, wanted: Ordering) -> Result<Col, Diagnostic> {
    let Some(by) = args.cols.len().checked_sub(2).and_then(|at| args.cols.get(at)) else {
        return Ok(Col::Null(rows.len()));
    };
    for rows in &mut rows {
        let Some(&first) = rows.first() else { continue };
        let most = how_many(args, first)?;
        rows.retain(|&row| !by.is_null(row as usize));
        let compare = |&a: &u32, &b: &u32| {
            let order = order::values(by, a as usize, b as usize);
            let order = if wanted == Ordering::Greater { order.reverse() } else { order };
            order.then(a.cmp(&b))
        };
        if most < rows.len() {
            rows.select_nth_unstable_by(most, compare);
            rows.truncate(most);
        }
        rows.sort_unstable_by(compare);
    }
    listed(args, rows)
}

/// The number of values that the last argument asks for.
fn how_many(args: &Args<'_>, row: u32) -> Result<usize, Diagnostic> {
    let number = match args.cols.last() {
        Some(col @ Col::Int(values)) if !col.is_null(row as usize) => values.value(row as usize),
        _ => 0,
    };
    if (1..=MOST).contains(&number) {
        return Ok(usize::try_from(number).unwrap_or(usize::MAX));
    }
    let name = args.call.function.name;
    let message = format!("the last argument of {name} is the number of values, 1 to {MOST}");
    Err(Diagnostic::at(Code::BadArguments, args.call.span, message))
}

#[allow(clippy::needless_pass_by_value, reason = "the signature of `Finish`")]
fn top(args: &Args<'_>, rows: Vec<Vec<u32>>) -> Result<Col, Diagnostic> {
    let Some(arg) = args.first() else { return Ok(Col::Null(rows.len())) };
    let mut kinds: Vec<Vec<(usize, u32)>> = vec![Vec::new(); rows.len()];
    for (group, row, count) in counts(args, arg, &rows) {
        kinds[group].push((count, row));
    }
    let mut best = Vec::with_capacity(rows.len());
    for (mut kinds, rows) in kinds.into_iter().zip(&rows) {
        let most = rows.first().map_or(Ok(0), |&first| how_many(args, first))?;
        kinds.sort_by_key(|&(count, _)| std::cmp::Reverse(count));
        best.push(kinds.into_iter().take(most).map(|(_, row)| row).collect());
    }
    listed(args, best)
}

/// A map of values, or of limits, and numbers of rows.
fn histogram(args: &Args<'_>, rows: &[Vec<u32>], exact: bool) -> Result<Col, Diagnostic> {
    let (Some(arg), Ty::Map(map)) = (args.first(), args.call.ty) else {
        return Ok(Col::Null(rows.len()));
    };
    let mut kinds: Vec<Vec<(u32, usize)>> = vec![Vec::new(); rows.len()];
    for (group, row, count) in counts(args, arg, rows) {
        kinds[group].push((row, count));
    }
    let mut maps: Vec<Option<Nested<'static>>> = Vec::with_capacity(rows.len());
    for mut kinds in kinds {
        let Some(&(first, _)) = kinds.first() else {
            maps.push(None);
            continue;
        };
        kinds.sort_by(|&(a, _), &(b, _)| order::values(arg, a as usize, b as usize));
        let value = |row: u32| arg.get(row as usize, map.key());
        let entry = map.entries().element().unwrap_or(Null);
        let mut entries = ListBuilder::new(entry);
        let mut add = |key: Value<'_>, count: usize| {
            let count = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
            entries.push(&Value::Struct(Nested::structure(entry, &[key, count])));
        };
        match args.cols.get(1) {
            None => kinds.iter().for_each(|&(row, count)| add(value(row), count)),
            Some(limits) => {
                let list = Ty::list_of(map.key()).unwrap_or(Null);
                let limits = limits_of(args, &limits.get(first as usize, list))?;
                let mut sums = vec![0usize; limits.len() + 1];
                for &(row, count) in &kinds {
                    let code = code(&value(row), map.key());
                    let at = limits.partition_point(|(limit, _)| *limit < code);
                    let hits = !exact || limits.get(at).is_some_and(|(limit, _)| *limit == code);
                    sums[if hits { at } else { limits.len() }] += count;
                }
                let rest = sums.pop().unwrap_or(0);
                for ((_, limit), sum) in limits.iter().zip(sums) {
                    add(limit.borrowed(), sum);
                }
                if rest > 0 {
                    add(beyond(map.key()), rest);
                }
            }
        }
        args.engine.make(args.call.span, entries.bytes())?;
        maps.push(entries.finish(map.entries()).into_map(args.call.ty));
    }
    Ok(Col::text(maps.iter().map(|map| map.as_ref().map(Nested::code))))
}

/// A text that orders as the values of a type do.
fn code(value: &Value<'_>, ty: Ty) -> String {
    let mut list = ListBuilder::new(ty);
    list.push(value);
    list.finish(Null).code().to_owned()
}

/// The limits of a histogram in order, with texts that order as they do.
fn limits_of(
    args: &Args<'_>,
    list: &Value<'_>,
) -> Result<Vec<(String, Value<'static>)>, Diagnostic> {
    let wrong = |message: &str| Err(Diagnostic::at(Code::BadArguments, args.call.span, message));
    let Some(nested) = list.as_nested() else {
        return wrong("the list of a histogram is NULL");
    };
    let mut limits = Vec::new();
    for value in nested.values() {
        if value.is_null() {
            return wrong("a limit of a histogram is NULL");
        }
        limits.push((code(&value, value.ty()), value.into_owned()));
    }
    limits.sort_by(|a, b| a.0.cmp(&b.0));
    limits.dedup_by(|a, b| a.0 == b.0);
    Ok(limits)
}

/// The key under which a histogram counts the values beyond its limits.
fn beyond(ty: Ty) -> Value<'static> {
    match ty {
        Ty::Double => Value::Double(f64::INFINITY),
        Ty::Addr => Value::Addr(u64::MAX),
        Ty::Text => Value::text(""),
        _ => Value::of_number(i64::MAX, ty),
    }
}

/// A JSON array of the first argument, or an object whose keys are the first argument.
fn json(args: &Args<'_>, rows: &[Vec<u32>], is_object: bool) -> Col {
    let width = args.engine.cx.functions.width;
    let value = |at: usize, row: u32, text: &mut String| {
        let Some((col, arg)) = args.cols.get(at).zip(args.call.args.get(at)) else { return };
        arg.format.append_json(text, &col.get(row as usize, arg.ty), width);
    };
    let texts = rows.iter().map(|rows| {
        let mut text = String::from(if is_object { "{" } else { "[" });
        for (place, &row) in rows.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            value(0, row, &mut text);
            if is_object {
                text.push(':');
                value(1, row, &mut text);
            }
        }
        text.push(if is_object { '}' } else { ']' });
        (!rows.is_empty()).then_some(text)
    });
    let texts: Vec<Option<String>> = texts.collect();
    Col::text(texts.iter().map(Option::as_deref))
}
