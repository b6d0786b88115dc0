//! `CASE`: each condition is evaluated for the rows that no earlier condition accepted, and each
//! result for the rows that select it.

use super::{Eval, Vector, rows_of};
use crate::catalog::Ty;
use crate::diag::Diagnostic;
use crate::exec::col::{Col, NO_ROW};
use crate::plan::Expr;

/// The results so far, and the position of each row's result among them.
struct Pieces {
    cols: Vec<Col>,
    len: u32,
    places: Vec<u32>,
}

impl Pieces {
    /// Adds the results of these rows.
    fn add(&mut self, rows: &[u32], result: Vector) {
        let (col, each) = match result {
            Vector::Const(value) => (Col::constant(&value, 1), 0),
            Vector::Col(col) => (col, 1),
        };
        for (offset, &row) in (0u32..).zip(rows) {
            self.places[row as usize] = self.len + offset * each;
        }
        self.len += u32::try_from(col.len()).unwrap_or(0);
        self.cols.push(col);
    }
}

impl Eval<'_> {
    pub(super) fn case(
        &self,
        ty: Ty,
        branches: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Result<Vector, Diagnostic> {
        let total = self.frame.rows;
        let mut rest: Vec<u32> = (0u32..).take(total).collect();
        let mut pieces = Pieces { cols: Vec::new(), len: 0, places: vec![NO_ROW; total] };
        for (condition, result) in branches {
            if rest.is_empty() {
                break;
            }
            let part = self.part(&rest, condition);
            let chosen = Eval::new(self.engine, &part).predicate(condition)?;
            let at = |places: Vec<u32>| -> Vec<u32> {
                places.into_iter().map(|place| rest[place as usize]).collect()
            };
            let (rows, others) = (at(rows_of(&chosen)), at(rows_of(&!&chosen)));
            self.branch(&mut pieces, &rows, result)?;
            rest = others;
        }
        if let Some(otherwise) = otherwise {
            self.branch(&mut pieces, &rest, otherwise)?;
        }
        let results = Col::concat(&pieces.cols);
        let constant = total == 1 && self.frame.cols.is_empty();
        Ok(Vector::of(results.take_opt(&pieces.places), constant, ty))
    }

    fn branch(&self, pieces: &mut Pieces, rows: &[u32], result: &Expr) -> Result<(), Diagnostic> {
        if !rows.is_empty() {
            let part = self.part(rows, result);
            pieces.add(rows, Eval::new(self.engine, &part).eval(result)?);
        }
        Ok(())
    }
}
