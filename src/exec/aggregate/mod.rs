//! Groups rows and computes one row per group: the keys, then the aggregates. Groups are in the
//! order of their first rows.

mod best;
mod count;
mod host;
mod kernel;
mod list;
mod listed;
mod moments;
mod number;
mod pairs;
mod parts;
mod pick;
mod quantile;
mod sum;

pub use host::Accumulator;
pub use kernel::Aggregate;
pub(super) use kernel::{Args, OverFrames, Rows, States};
pub(super) use listed::is_several;
pub(super) use sum::unit_of;

use rayon::prelude::*;

use super::col::Col;
use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{order, sort, uses};
use crate::catalog::Signature;
use crate::catalog::Ty::{self, Double, Null};
use crate::diag::{Code, Diagnostic};
use crate::plan::{AggregateCall, Expr, Plan};

/// Every aggregate, in the order in which documentation lists them. All ignore NULLs, except
/// `count(*)`, `first` and `last`. Over no rows all give NULL, except the counts, which give 0.
/// Examples aggregate over the column `x` of `(VALUES (1), (2), (2), (5)) AS t(x)`.
pub fn aggregates() -> impl Iterator<Item = &'static Aggregate> {
    const FAMILIES: &[&[Aggregate]] = &[
        count::ALL,
        sum::ALL,
        best::ALL,
        pick::ALL,
        list::ALL,
        listed::ALL,
        number::ALL,
        moments::ALL,
        pairs::ALL,
    ];
    FAMILIES.iter().copied().flatten()
}

const fn sig(args: &'static [Ty], returns: Ty) -> Signature {
    Signature::new(args, returns)
}

const SAME: &[Signature] = &[sig(&[Null], Null)];
const TO_DOUBLE: &[Signature] = &[sig(&[Double], Double)];
/// Roughly what the state of a group takes.
const BYTES_PER_GROUP: usize = 32;

/// Aggregates over fewer rows are computed on one thread.
const PARALLEL_ROWS: usize = 20_000;

pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    by: &[Expr],
    calls: &[AggregateCall],
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    if by.is_empty()
        && let Some(row) = parts::run(engine, input, calls)?
    {
        return Ok(row);
    }
    let mut read = uses::of(by, input.schema.len());
    for call in calls {
        let order = call.order_by.iter().map(|k| &k.expr);
        for expr in call.args.iter().chain(&call.filter).chain(order) {
            uses::mark(expr, &mut read);
        }
    }
    let frame = engine.run(input, &read)?;
    let eval = Eval::new(engine, &frame);
    let cols = by.iter().map(|e| eval.column(e)).collect::<Result<Vec<_>, _>>()?;
    engine.check_cancelled()?;
    let groups = (!by.is_empty()).then(|| engine.group(&cols, frame.rows)).transpose()?;
    let count = groups.as_ref().map_or(1, |g| g.firsts.len());
    let ids = groups.as_ref().map(|g| g.ids.as_slice());
    let firsts = groups.as_ref().map_or(&[][..], |g| &g.firsts);
    let mut out: Vec<Col> = cols.iter().map(|col| col.take(firsts)).collect();
    let compute = |(place, call): (usize, &AggregateCall)| {
        engine.check_cancelled()?;
        if need.get(by.len() + place) == Some(&false) && call.filter.is_none() {
            return Ok(Col::Null(count));
        }
        engine.check_room(call.span, count.saturating_mul(BYTES_PER_GROUP))?;
        let col = of_groups(engine, &frame, (ids, true), count, call)?;
        engine.hold(call.span, &col)?;
        Ok(col)
    };
    let simple = !calls.iter().flat_map(|c| c.args.iter().chain(&c.filter)).any(uses::has_query);
    let computed: Vec<Result<Col, Diagnostic>> = if simple && frame.rows > PARALLEL_ROWS {
        calls.par_iter().enumerate().map(compute).collect()
    } else {
        calls.iter().enumerate().map(compute).collect()
    };
    for col in computed {
        out.push(col?);
    }
    Ok(Frame::new(out, count))
}

/// Computes one aggregate for each group. `ids` is the group of each row.
pub(super) fn of_groups(
    engine: &Engine<'_>,
    frame: &Frame,
    (ids, covers): (Option<&[u32]>, bool),
    groups: usize,
    call: &AggregateCall,
) -> Result<Col, Diagnostic> {
    let mut frame = frame.clone();
    let mut own_ids: Option<Vec<u32>> = None;
    if let Some(filter) = &call.filter {
        let keep = Eval::new(engine, &frame).predicate(filter)?;
        if keep.unset_bits() > 0 {
            own_ids = ids.map(|ids| keep.true_idx_iter().map(|row| ids[row]).collect());
            let exprs = call.args.iter().chain(call.order_by.iter().map(|k| &k.expr));
            let need = uses::of(exprs, frame.cols.len());
            frame = super::filter::only(frame, &need).filter(&keep);
        }
    }
    let eval = Eval::new(engine, &frame);
    let mut args = call.args.iter().map(|a| eval.column(a)).collect::<Result<Vec<_>, _>>()?;
    let mut rows = frame.rows;
    let mut select = |chosen: &[u32], args: &mut Vec<Col>, own_ids: &mut Option<Vec<u32>>| {
        let now = own_ids.as_deref().or(ids);
        *own_ids = now.map(|ids| chosen.iter().map(|&row| ids[row as usize]).collect());
        *args = args.iter().map(|col| col.take(chosen)).collect();
        rows = chosen.len();
    };
    if !call.order_by.is_empty() {
        let keys = sort::compute(&eval, &call.order_by)?;
        let all: Vec<u32> = (0u32..).take(frame.rows).collect();
        let order = order::sorted(&keys, &all, None, engine.stop());
        engine.check_cancelled()?;
        select(&order, &mut args, &mut own_ids);
    }
    let function = function(engine, call)?;
    if (call.distinct || function.distinct) && !args.is_empty() {
        let now = own_ids.as_deref().or(ids);
        let chosen = distinct_rows(engine, now, &args)?;
        select(&chosen, &mut args, &mut own_ids);
    }
    let ids = own_ids.as_deref().or(ids);
    let args = Args { cols: &args, call, engine };
    let mut states = (function.start)(&args, groups);
    states.update(&args, &Rows { range: 0..rows, ids, covers: covers && call.filter.is_none() })?;
    let computed = states.finish(&args)?;
    engine.check_cancelled()?;
    Ok(computed)
}

/// The implementation of a call.
pub(super) fn function<'a>(
    engine: &'a Engine<'_>,
    call: &AggregateCall,
) -> Result<&'a Aggregate, Diagnostic> {
    let name = call.function.name;
    engine.cx.registry.aggregate(name).ok_or_else(|| {
        let message = format!("no code for the aggregate `{name}`");
        Diagnostic::at(Code::Internal, call.span, message)
    })
}

/// The first row of each distinct combination of group and arguments.
fn distinct_rows(
    engine: &Engine<'_>,
    ids: Option<&[u32]>,
    args: &[Col],
) -> Result<Vec<u32>, Diagnostic> {
    let rows = args.first().map_or(0, Col::len);
    let mut cols: Vec<Col> = Vec::with_capacity(args.len() + 1);
    cols.extend(ids.map(|ids| Col::addr(ids.iter().map(|&id| u64::from(id)).collect(), None)));
    cols.extend_from_slice(args);
    Ok(engine.group(&cols, rows)?.firsts)
}
