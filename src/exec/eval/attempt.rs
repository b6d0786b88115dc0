//! `TRY(expr)`: NULL in the rows where computing the value fails.
//!
//! The whole column is computed at once. If that fails, the rows are halved until the failing rows
//! are isolated.

use super::{Eval, Vector};
use crate::catalog::Value;
use crate::diag::{Code, Diagnostic};
use crate::exec::col::Col;
use crate::exec::uses;
use crate::plan::Expr;

impl Eval<'_> {
    pub(super) fn attempt(&self, expr: &Expr) -> Result<Vector, Diagnostic> {
        match self.eval(expr) {
            Err(error) if is_of_value(&error) => {}
            other => return other,
        }
        let reads_rows = uses::of([expr], self.frame.cols.len()).contains(&true);
        if self.frame.rows == 1 || !reads_rows {
            return Ok(Vector::Const(Value::Null));
        }
        let mut parts = Vec::new();
        let mut waiting = vec![(0, self.frame.rows)];
        while let Some((from, rows)) = waiting.pop() {
            self.engine.check_cancelled()?;
            let frame = self.frame.slice(from, rows);
            match Eval::new(self.engine, &frame).eval(expr) {
                Ok(Vector::Const(value)) => parts.push(Col::constant(&value, rows)),
                Ok(Vector::Col(col)) => parts.push(col),
                Err(error) if !is_of_value(&error) => return Err(error),
                Err(_) if rows == 1 => parts.push(Col::Null(1)),
                Err(_) => {
                    let half = rows / 2;
                    waiting.extend([(from + half, rows - half), (from, half)]);
                }
            }
        }
        Ok(Vector::Col(Col::concat(&parts)))
    }
}

/// Whether the error concerns the value of a row rather than the query.
fn is_of_value(error: &Diagnostic) -> bool {
    matches!(error.code, Code::Overflow | Code::Conversion)
}
