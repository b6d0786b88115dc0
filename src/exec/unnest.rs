//! `UNNEST`: repeats rows for the elements of their lists.

use super::col::Col;
use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::uses;
use crate::catalog::{Nested, Ty, Value};
use crate::diag::{Code, Diagnostic};
use crate::plan::{Expr, Plan};

/// Rows between two checks for cancellation.
const ROWS_BETWEEN_LOOKS: usize = 4096;

/// The number of elements that are converted to a column at a time.
const VALUES_TOGETHER: usize = 1 << 18;

pub(super) fn run(
    engine: &Engine<'_>,
    input: &Plan,
    lists: &[Expr],
    outer: bool,
    plan: &Plan,
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let width = input.schema.len();
    let mut read = need.get(..width).map_or_else(|| vec![true; width], <[bool]>::to_vec);
    for list in lists {
        uses::mark(list, &mut read);
    }
    let frame = engine.run(input, &read)?;
    let eval = Eval::new(engine, &frame);
    let cols = lists.iter().map(|list| eval.column(list)).collect::<Result<Vec<_>, _>>()?;
    let sizes = sizes(engine, &cols, lists, frame.rows, outer)?;
    let total = sizes.iter().fold(0usize, |sum, &size| sum.saturating_add(size));
    let bytes = 8 * frame.cols.len() + 48 * lists.len();
    engine.check_size(plan.span, total, bytes).map_err(|error| {
        let message = format!("unnest yields {total} rows, more than the query has room for");
        if error.code == Code::Limit {
            Diagnostic { message, help: Vec::new(), ..error }
        } else {
            error
        }
    })?;
    let codes = cols.iter().fold(0usize, |sum, col| sum.saturating_add(col.bytes()));
    engine.make(plan.span, codes)?;
    let mut rows: Vec<u32> = Vec::with_capacity(total);
    for (row, &size) in (0u32..).zip(&sizes) {
        rows.extend(std::iter::repeat_n(row, size));
    }
    let mut out = frame.take(&rows).cols;
    for (col, list) in cols.iter().zip(lists) {
        out.push(elements(engine, col, list, &sizes, total)?);
    }
    Ok(Frame::new(out, total))
}

/// The number of output rows of each row.
fn sizes(
    engine: &Engine<'_>,
    cols: &[Col],
    lists: &[Expr],
    rows: usize,
    outer: bool,
) -> Result<Vec<usize>, Diagnostic> {
    let mut sizes = vec![usize::from(outer); rows];
    for (col, list) in cols.iter().zip(lists) {
        let Col::Text(codes) = col else { continue };
        for (row, size) in sizes.iter_mut().enumerate() {
            if row % ROWS_BETWEEN_LOOKS == 0 {
                engine.check_cancelled()?;
            }
            if !col.is_null(row) {
                *size = (*size).max(Nested::read(codes.value(row), list.ty).count());
            }
        }
    }
    Ok(sizes)
}

/// The elements of each row's list, followed by NULLs if other lists of the row are longer.
fn elements(
    engine: &Engine<'_>,
    col: &Col,
    list: &Expr,
    sizes: &[usize],
    total: usize,
) -> Result<Col, Diagnostic> {
    let element = list.ty.element().unwrap_or(Ty::Null);
    let Col::Text(codes) = col else { return Ok(Col::Null(total)) };
    let mut parts = Vec::new();
    let mut values: Vec<Value<'_>> = Vec::new();
    for (row, &size) in sizes.iter().enumerate() {
        let code = if col.is_null(row) { "" } else { codes.value(row) };
        let own = Nested::read(code, list.ty).map(Some).chain(std::iter::repeat(None)).take(size);
        for value in own {
            values.push(value.unwrap_or(Value::Null));
            if values.len() >= VALUES_TOGETHER {
                engine.check_cancelled()?;
                parts.push(Col::from_values(&values, element));
                values.clear();
            }
        }
    }
    parts.push(Col::from_values(&values, element));
    Ok(Col::concat(&parts))
}
