//! Aggregates of all rows, without groups: a part of the rows is filtered and aggregated while it
//! is in a thread's cache, and the parts' results are put together in their order.
//!
//! The parts are the same whatever the number of threads, and so are sums of doubles.

use rayon::prelude::*;

use super::{Input, uses};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};
use crate::exec::col::Col;
use crate::exec::engine::Engine;
use crate::exec::eval::{Eval, PART_ROWS};
use crate::exec::filter;
use crate::exec::frame::Frame;
use crate::plan::{AggregateCall, Expr, Plan, Rel};

/// What is computed of each part, and what puts the results together: names of aggregates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    One(&'static str, &'static str),
    /// The mean of doubles: their sum by their count.
    Mean,
}

fn way(call: &AggregateCall) -> Option<Way> {
    let plain = !call.distinct && call.order_by.is_empty() && call.filter.is_none();
    let arg = call.args.first().map(|arg| arg.ty);
    Some(match (call.function.name, arg) {
        _ if !plain => return None,
        ("count", _) => Way::One("count", "sum"),
        ("count_if", _) => Way::One("count_if", "sum"),
        ("sum", Some(Ty::Int | Ty::Double | Ty::Interval)) => Way::One("sum", "sum"),
        ("min", Some(_)) => Way::One("min", "min"),
        ("max", Some(_)) => Way::One("max", "max"),
        ("avg", Some(Ty::Double)) => Way::Mean,
        _ => return None,
    })
}

/// The row of aggregates, if they can be computed so; `None` if they are to be computed as a whole.
pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    calls: &[AggregateCall],
) -> Result<Option<Frame>, Diagnostic> {
    let ways: Option<Vec<Way>> = calls.iter().map(way).collect();
    let Some(ways) = ways else { return Ok(None) };
    let (source, predicate) = match &input.rel {
        Rel::Filter { input, predicate } => (&**input, Some(predicate)),
        _ => (input, None),
    };
    let args: Vec<&Expr> = calls.iter().flat_map(|call| &call.args).collect();
    let has_query =
        predicate.is_some_and(uses::has_query) || args.iter().any(|arg| uses::has_query(arg));
    if engine.analysis.is_some() || has_query {
        return Ok(None);
    }
    let width = source.schema.len();
    let need = uses::of(args.iter().copied(), width);
    let mut read = need.clone();
    if let Some(predicate) = predicate {
        uses::mark(predicate, &mut read);
    }
    let frame = engine.run(source, &read)?;
    let part = |index: usize| -> Result<Vec<Col>, Diagnostic> {
        engine.check_cancelled()?;
        let from = index * PART_ROWS;
        let rows = frame.slice(from, PART_ROWS.min(frame.rows - from));
        let keep = predicate.map(|p| Eval::new(engine, &rows).predicate(p)).transpose()?;
        let rows = filter::only(rows, &need);
        let rows = match keep.filter(|keep| keep.unset_bits() > 0) {
            Some(keep) => rows.filter(&keep),
            None => rows,
        };
        let mut out = Vec::with_capacity(calls.len() + 1);
        for (call, way) in calls.iter().zip(&ways) {
            let eval = Eval::new(engine, &rows);
            let args = call.args.iter().map(|a| eval.column(a)).collect::<Result<Vec<_>, _>>()?;
            let input = || Input {
                ids: None,
                groups: 1,
                args: args.clone(),
                rows: rows.rows,
                call,
                engine,
            };
            match way {
                Way::One(name, _) => out.push(input().compute_as(name)?),
                Way::Mean => {
                    out.push(input().compute_as("sum")?);
                    out.push(input().compute_as("count")?);
                }
            }
        }
        Ok(out)
    };
    let count = frame.rows.div_ceil(PART_ROWS).max(1);
    let parts: Vec<Result<Vec<Col>, Diagnostic>> = (0..count).into_par_iter().map(part).collect();
    let parts = match parts.into_iter().collect::<Result<Vec<_>, _>>() {
        Ok(parts) => parts,
        Err(error) if error.code == Code::Cancelled => return Err(error),
        // The sum of a part may leave the range that the sum of all is in: the whole tells.
        Err(_) => return Ok(None),
    };
    let mut column = 0;
    let mut all = |call: &AggregateCall, name: &str| {
        let pieces: Vec<Col> = parts.iter().filter_map(|part| part.get(column).cloned()).collect();
        column += 1;
        let rows = pieces.len();
        Input { ids: None, groups: 1, args: vec![Col::concat(&pieces)], rows, call, engine }
            .compute_as(name)
    };
    let mut out = Vec::with_capacity(calls.len());
    for (call, way) in calls.iter().zip(&ways) {
        out.push(match way {
            Way::One(_, name) => all(call, name)?,
            Way::Mean => mean(&all(call, "sum")?, &all(call, "sum")?),
        });
    }
    Ok(Some(Frame::new(out, 1)))
}

#[allow(clippy::cast_precision_loss, reason = "a mean is a DOUBLE")]
fn mean(sum: &Col, count: &Col) -> Col {
    match (sum, count) {
        (Col::Double(sum), Col::Int(count)) if sum.len() == 1 && count.len() == 1 => {
            let (sum, count) = (sum.value(0), count.value(0));
            if count == 0 { Col::Null(1) } else { Col::double(vec![sum / count as f64], None) }
        }
        _ => Col::Null(1),
    }
}
