//! Calls of scalar functions, row by row over values.

use super::{Eval, Vector, defect};
use crate::catalog::{FunctionSpec, Value};
use crate::diag::{Code, Diagnostic};
use crate::exec::col::Col;
use crate::func::{Fault, FuncCx, ScalarFunction};
use crate::plan::Expr;

/// Rows between two checks for cancellation.
const ROWS_BETWEEN_LOOKS: usize = 4096;

/// Bytes of text between two checks of the query's memory limit.
const TEXT_BETWEEN_LOOKS: usize = 1 << 20;

impl Eval<'_> {
    pub(super) fn call(
        &self,
        spec: &'static FunctionSpec,
        args: &[Expr],
        expr: &Expr,
    ) -> Result<Vector, Diagnostic> {
        let Some(function) = self.engine.cx.registry.scalar(spec.name) else {
            let message = format!("no code for the function `{}`", spec.name);
            return Err(defect(expr.span, &message));
        };
        let vectors = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
        if !spec.takes_null && vectors.iter().any(Vector::is_all_null) {
            return Ok(Vector::Const(Value::Null));
        }
        if spec.is_pure && vectors.iter().all(Vector::is_const) {
            let values: Vec<Value<'_>> = vectors.iter().map(|v| at(v, 0, expr)).collect();
            let value = self.one(function, &values, args, expr)?;
            let bytes = super::each::size(&value);
            if bytes >= TEXT_BETWEEN_LOOKS {
                self.engine.make(expr.span, bytes)?;
            }
            return Ok(Vector::Const(value));
        }
        let mut row_values: Vec<Value<'_>> = vectors.iter().map(|v| at(v, 0, expr)).collect();
        let mut text_bytes = 0usize;
        let mut results = Vec::with_capacity(self.frame.rows);
        for row in 0..self.frame.rows {
            if row % ROWS_BETWEEN_LOOKS == 0 {
                self.engine.check_cancelled()?;
            }
            for ((slot, vector), arg) in row_values.iter_mut().zip(&vectors).zip(args) {
                if let Vector::Col(col) = vector {
                    *slot = col.get(row, arg.ty);
                }
            }
            let value = self.one(function, &row_values, args, expr)?;
            text_bytes = text_bytes.saturating_add(super::each::size(&value));
            if text_bytes >= TEXT_BETWEEN_LOOKS {
                self.engine.make(expr.span, std::mem::take(&mut text_bytes))?;
            }
            results.push(value);
        }
        Ok(Vector::Col(Col::from_values(&results, expr.ty)))
    }

    fn one(
        &self,
        function: &dyn ScalarFunction,
        args: &[Value<'_>],
        exprs: &[Expr],
        expr: &Expr,
    ) -> Result<Value<'static>, Diagnostic> {
        if !function.spec().takes_null && args.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        let span = expr.span;
        let stop = Some(self.engine.cx.tables.cancelled);
        let cx = FuncCx { ty: expr.ty, stop, ..self.engine.cx.functions };
        let fault = match function.call(&cx, args) {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        let (code, message) = match fault {
            Fault::Overflow(message) => (Code::Overflow, message),
            Fault::BadValue(message) => (Code::Conversion, message),
            Fault::Cancelled => (Code::Cancelled, "the query was cancelled".to_owned()),
            Fault::BadArgument(index, message) => {
                let at = exprs.get(index).map_or(span, |arg| arg.span);
                return Err(Diagnostic::at(Code::Conversion, at, message));
            }
        };
        Err(Diagnostic::at(code, span, message))
    }
}

fn at<'v>(vector: &'v Vector, row: usize, expr: &Expr) -> Value<'v> {
    match vector {
        Vector::Const(value) => value.borrowed(),
        Vector::Col(col) => col.get(row, expr.ty),
    }
}
