//! Groups rows and computes one row a group: the keys, then the aggregates. Groups come in the
//! order of their first rows.

mod number;
mod parts;
mod pick;
mod quantile;
mod text;

use rayon::prelude::*;

use super::col::{Col, NO_ROW};
use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{order, sort, uses};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};
use crate::plan::{AggregateCall, Expr, Plan};

/// Aggregates of fewer rows are computed one after the other.
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
        aggregate(engine, &frame, ids, count, call)
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

/// The arguments of one aggregate, ready to be computed: rows that do not count are gone, and the
/// rest is in the order asked for.
struct Input<'a> {
    /// The group of each row; `None` if there is one group.
    ids: Option<&'a [u32]>,
    /// The number of groups.
    groups: usize,
    args: Vec<Col>,
    rows: usize,
    call: &'a AggregateCall,
    engine: &'a Engine<'a>,
}

fn aggregate(
    engine: &Engine<'_>,
    frame: &Frame,
    ids: Option<&[u32]>,
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
    if (call.distinct || call.function.name == "approx_count_distinct") && !args.is_empty() {
        let now = own_ids.as_deref().or(ids);
        let chosen = distinct_rows(engine, now, &args)?;
        select(&chosen, &mut args, &mut own_ids);
    }
    let ids = own_ids.as_deref().or(ids);
    let computed = Input { ids, groups, args, rows, call, engine }.compute()?;
    engine.check_cancelled()?;
    Ok(computed)
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

impl Input<'_> {
    fn compute(self) -> Result<Col, Diagnostic> {
        let name = self.call.function.name;
        self.compute_as(name)
    }

    /// The aggregate of that name.
    fn compute_as(self, name: &str) -> Result<Col, Diagnostic> {
        let arg = self.args.first();
        Ok(match (name, arg) {
            ("count", None) => self.count(None),
            ("count" | "approx_count_distinct", Some(arg)) => self.count(Some(arg)),
            ("count_if", Some(arg)) => self.count_if(arg),
            ("sum", Some(arg)) => self.sum(arg)?,
            ("avg", Some(arg)) => self.avg(arg),
            ("product", Some(arg)) => self.product(arg),
            ("stddev_samp" | "stddev_pop" | "var_samp" | "var_pop", Some(arg)) => self.spread(arg),
            ("bool_and", Some(arg)) => self.truth(arg, true),
            ("bool_or", Some(arg)) => self.truth(arg, false),
            ("bit_and", Some(arg)) => self.bits(arg, |a, b| a & b),
            ("bit_or", Some(arg)) => self.bits(arg, |a, b| a | b),
            ("bit_xor", Some(arg)) => self.bits(arg, |a, b| a ^ b),
            ("min", Some(arg)) => self.extreme(arg, false),
            ("max", Some(arg)) => self.extreme(arg, true),
            ("arg_min", Some(arg)) => self.arg_extreme(arg, false),
            ("arg_max", Some(arg)) => self.arg_extreme(arg, true),
            ("any_value", Some(arg)) => self.first(arg, true),
            ("first", Some(arg)) => self.first(arg, false),
            ("last", Some(arg)) => self.last(arg),
            ("mode", Some(arg)) => self.mode(arg),
            ("string_agg", Some(arg)) => self.string_agg(arg)?,
            ("median" | "quantile_cont", Some(arg)) => self.quantile(arg, true)?,
            ("quantile_disc", Some(arg)) => self.quantile(arg, false)?,
            (name, _) => {
                let message = format!("no code for the aggregate `{name}`");
                return Err(Diagnostic::at(Code::Internal, self.call.span, message));
            }
        })
    }

    /// Whether each group has a value, because no row is without one.
    fn is_full(&self, arg: &Col) -> bool {
        let kept_all = self.call.filter.is_none() && self.rows > 0;
        kept_all && arg.validity().is_none()
    }

    /// Calls `f` with the group and the number of each row for which `col` has a value.
    fn each_valid(&self, col: &Col, mut f: impl FnMut(usize, usize)) {
        match (self.ids, col.validity()) {
            (None, None) => (0..self.rows).for_each(|row| f(0, row)),
            (None, Some(valid)) => valid.true_idx_iter().for_each(|row| f(0, row)),
            (Some(ids), None) => {
                ids.iter().enumerate().for_each(|(row, &id)| f(id as usize, row));
            }
            (Some(ids), Some(valid)) => {
                valid.true_idx_iter().for_each(|row| f(ids[row] as usize, row));
            }
        }
    }

    /// Calls `f` with the group and the value of each row that has one.
    fn each_value<T: Copy>(&self, col: &Col, values: &[T], mut f: impl FnMut(usize, T)) {
        match (self.ids, col.validity()) {
            (None, None) => values.iter().for_each(|&v| f(0, v)),
            (Some(ids), None) => {
                ids.iter().zip(values).for_each(|(&id, &v)| f(id as usize, v));
            }
            _ => self.each_valid(col, |group, row| f(group, values[row])),
        }
    }

    /// A result that takes rows of `col`; [`NO_ROW`] gives NULL.
    fn rows_of(&self, col: &Col, rows: &[u32]) -> Col {
        let ty = self.call.ty;
        match col.take_opt(rows) {
            Col::Null(len) if ty == Ty::Null => Col::Null(len),
            taken => taken,
        }
    }

    fn no_rows(&self) -> Vec<u32> {
        vec![NO_ROW; self.groups]
    }
}
