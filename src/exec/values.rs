//! Constant rows.

use super::col::Col;
use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use crate::catalog::Value;
use crate::diag::Diagnostic;
use crate::plan::{Expr, Plan};

pub(super) fn run(
    engine: &Engine<'_>,
    rows: &[Vec<Expr>],
    plan: &Plan,
) -> Result<Frame, Diagnostic> {
    let one = Frame::new(Vec::new(), 1);
    let eval = Eval::new(engine, &one);
    let column = |(index, field): (usize, &crate::plan::Field)| {
        let cell = |row: &Vec<Expr>| match row.get(index) {
            Some(expr) => eval.constant(expr),
            None => Ok(Value::Null),
        };
        let values = rows.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
        Ok(Col::from_values(&values, field.ty))
    };
    let cols = plan.schema.iter().enumerate().map(column).collect::<Result<_, _>>()?;
    Ok(Frame::new(cols, rows.len()))
}
