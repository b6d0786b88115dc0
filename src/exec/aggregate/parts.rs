//! Aggregates over all rows, without groups: each part of the rows is filtered and aggregated while
//! it is in a thread's cache, and the states of the parts are merged in order.
//!
//! The division into parts does not depend on the number of threads, so neither do sums of doubles.

use rayon::prelude::*;

use super::kernel::{Aggregate, Args, Rows, States};
use super::listed::is_several;
use super::uses;
use crate::diag::Diagnostic;
use crate::exec::engine::Engine;
use crate::exec::eval::{Eval, PART_ROWS};
use crate::exec::filter;
use crate::exec::frame::Frame;
use crate::plan::{AggregateCall, Expr, Plan, Rel};

/// The implementation of a call, if it can be computed part by part.
fn by_parts<'a>(engine: &'a Engine<'_>, call: &AggregateCall) -> Option<&'a Aggregate> {
    let plain = !call.distinct && call.order_by.is_empty() && call.filter.is_none();
    let function = engine.cx.registry.aggregate(call.function.name)?;
    let by_value = function.holds_values && !is_several(call);
    (plain && by_value && !function.distinct).then_some(function)
}

/// The row of aggregates, if all of them can be computed part by part; otherwise `None`.
pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    calls: &[AggregateCall],
) -> Result<Option<Frame>, Diagnostic> {
    let functions: Option<Vec<_>> = calls.iter().map(|call| by_parts(engine, call)).collect();
    let Some(functions) = functions else { return Ok(None) };
    let (source, predicate) = match &input.rel {
        Rel::Filter { input, predicate } => (&**input, Some(predicate)),
        _ => (input, None),
    };
    let args: Vec<&Expr> = calls.iter().flat_map(|call| &call.args).collect();
    let has_query =
        predicate.is_some_and(uses::has_query) || args.iter().any(|arg| uses::has_query(arg));
    if engine.analysis().is_some() || has_query {
        return Ok(None);
    }
    let width = source.schema.len();
    let need = uses::of(args.iter().copied(), width);
    let mut read = need.clone();
    if let Some(predicate) = predicate {
        uses::mark(predicate, &mut read);
    }
    let frame = engine.run(source, &read)?;
    let part = |index: usize| -> Result<Vec<Box<dyn States>>, Diagnostic> {
        engine.check_cancelled()?;
        let from = index * PART_ROWS;
        let rows = frame.slice(from, PART_ROWS.min(frame.rows - from));
        let keep = predicate.map(|p| Eval::new(engine, &rows).predicate(p)).transpose()?;
        let rows = filter::only(rows, &need);
        let rows = match keep.filter(|keep| keep.unset_bits() > 0) {
            Some(keep) => rows.filter(&keep),
            None => rows,
        };
        let eval = Eval::new(engine, &rows);
        let mut all = Vec::with_capacity(calls.len());
        for (call, function) in calls.iter().zip(&functions) {
            let cols = call.args.iter().map(|a| eval.column(a)).collect::<Result<Vec<_>, _>>()?;
            let args = Args { cols: &cols, call, engine };
            let mut states = (function.start)(&args, 1);
            states.update(&args, &Rows { range: 0..rows.rows, ids: None, covers: true })?;
            all.push(states);
        }
        Ok(all)
    };
    let count = frame.rows.div_ceil(PART_ROWS).max(1);
    let parts: Vec<Result<Vec<_>, Diagnostic>> = (0..count).into_par_iter().map(part).collect();
    let mut parts = parts.into_iter();
    let mut whole = parts.next().transpose()?.unwrap_or_default();
    for part in parts {
        for ((states, other), call) in whole.iter_mut().zip(part?).zip(calls) {
            states.merge(&Args { cols: &[], call, engine }, &*other, &[(0, 0)])?;
        }
    }
    let finish = |(states, call): (Box<dyn States>, &AggregateCall)| {
        states.finish(&Args { cols: &[], call, engine })
    };
    let row = whole.into_iter().zip(calls).map(finish).collect::<Result<_, _>>()?;
    Ok(Some(Frame::new(row, 1)))
}
