//! Three-valued `AND`, `OR`, `NOT`, and `IS NULL`. If evaluating the right side may fail, it is
//! evaluated only for rows that the left side does not decide.

use polars_arrow::bitmap::Bitmap;

use super::{Eval, Vector, rows_of};
use crate::catalog::{Ty, Value};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, NO_ROW, boolean};
use crate::exec::uses;
use crate::plan::{BinaryOp, Expr};

/// For each row whether the condition is true, and whether it is false; it is NULL if neither.
struct Truth {
    yes: Bitmap,
    no: Bitmap,
}

impl Truth {
    fn of(vector: &Vector, rows: usize) -> Self {
        match vector {
            Vector::Const(value) => Self {
                yes: Bitmap::new_with_value(value.as_bool() == Some(true), rows),
                no: Bitmap::new_with_value(value.as_bool() == Some(false), rows),
            },
            Vector::Col(Col::Bool(array)) => match array.validity() {
                None => Self { yes: array.values().clone(), no: !array.values() },
                Some(v) => Self { yes: array.values() & v, no: &!array.values() & v },
            },
            Vector::Col(_) => Self { yes: Bitmap::new_zeroed(rows), no: Bitmap::new_zeroed(rows) },
        }
    }

    fn into_col(self) -> Col {
        let valid = &self.yes | &self.no;
        boolean(self.yes, Some(valid))
    }
}

impl Eval<'_> {
    /// `AND` and `OR`.
    pub(super) fn connect(
        &self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
    ) -> Result<Vector, Diagnostic> {
        let rows = self.frame.rows;
        let decides = Value::Bool(op == BinaryOp::Or);
        let l = self.eval(left)?;
        if matches!(&l, Vector::Const(value) if *value == decides) {
            return Ok(l);
        }
        let l_truth = Truth::of(&l, rows);
        let decided = if op == BinaryOp::Or { &l_truth.yes } else { &l_truth.no };
        if decided.unset_bits() == 0 {
            return Ok(Vector::Const(decides));
        }
        let r = if decided.set_bits() > 0 && uses::may_fault(right) {
            Vector::Col(self.eval_part(right, &rows_of(&!decided))?)
        } else {
            self.eval(right)?
        };
        let constant = l.is_const() && r.is_const();
        let r = Truth::of(&r, rows);
        let both = if op == BinaryOp::Or {
            Truth { yes: &l_truth.yes | &r.yes, no: &l_truth.no & &r.no }
        } else {
            Truth { yes: &l_truth.yes & &r.yes, no: &l_truth.no | &r.no }
        };
        let col = both.into_col();
        Ok(if constant {
            Vector::Const(col.get(0, Ty::Bool).into_owned())
        } else {
            Vector::Col(col)
        })
    }

    /// The expression for some rows; NULL in the others.
    pub(super) fn eval_part(&self, expr: &Expr, rows: &[u32]) -> Result<Col, Diagnostic> {
        let frame = self.part(rows, expr);
        let col = Eval::new(self.engine, &frame).column(expr)?;
        if rows.len() == self.frame.rows {
            return Ok(col);
        }
        let mut places = vec![NO_ROW; self.frame.rows];
        for (place, &row) in (0u32..).zip(rows) {
            places[row as usize] = place;
        }
        Ok(col.take_opt(&places))
    }
}

pub(super) fn not(operand: &Vector) -> Vector {
    match operand {
        Vector::Const(value) => {
            Vector::Const(value.as_bool().map_or(Value::Null, |v| Value::Bool(!v)))
        }
        Vector::Col(Col::Bool(array)) => {
            Vector::Col(boolean(!array.values(), array.validity().cloned()))
        }
        Vector::Col(col) => Vector::Col(Col::Null(col.len())),
    }
}

pub(super) fn is_null(operand: &Vector, negated: bool) -> Vector {
    match operand {
        Vector::Const(value) => Vector::Const(Value::Bool(value.is_null() != negated)),
        Vector::Col(col) => {
            let there = col.validity();
            let there = there.map_or_else(
                || Bitmap::new_with_value(true, col.len()),
                std::borrow::Cow::into_owned,
            );
            Vector::Col(boolean(if negated { there } else { !&there }, None))
        }
    }
}
