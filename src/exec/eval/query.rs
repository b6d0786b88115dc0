//! Sub-queries of expressions: as values, with EXISTS, and compared with values by IN, ANY and ALL.
//!
//! An uncorrelated sub-query runs once per query; a correlated one runs once for each combination
//! of the values that it reads.

use polars_arrow::bitmap::Bitmap;

use super::compare::Comparison;
use super::member::outcome;
use super::{Eval, Vector};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::exec::col::{Col, NO_ROW, bits};
use crate::exec::frame::Frame;
use crate::exec::keys::{Dict, Groups, NONE};
use crate::exec::order::{Key, sorted};
use crate::plan::{BinaryOp, Expr, QueryKind, SubQuery};

impl Eval<'_> {
    pub(super) fn query(&self, query: &SubQuery, expr: &Expr) -> Result<Vector, Diagnostic> {
        if query.args.is_empty() {
            let rows = self.engine.sub_query(&query.plan)?;
            return self.made_of(query, &rows, expr);
        }
        let args = query.args.iter().map(|arg| self.column(arg)).collect::<Result<Vec<_>, _>>()?;
        let groups = self.engine.group(&args, self.frame.rows)?;
        if let QueryKind::Any { .. } = query.kind {
            return self.by_group(query, &args, &groups, expr);
        }
        let mut values = Vec::with_capacity(groups.firsts.len());
        for (index, &row) in groups.firsts.iter().enumerate() {
            let rows = self.run_for(query, &args, row, index == 0)?;
            values.push(value_of(query, &rows, expr)?);
        }
        let constant = self.frame.rows == 1 && self.frame.cols.is_empty();
        let each = Col::from_values(&values, expr.ty);
        Ok(Vector::of(each.take(&groups.ids), constant, expr.ty))
    }

    /// The rows of a sub-query for the values of one outer row.
    fn run_for(
        &self,
        query: &SubQuery,
        args: &[Col],
        row: u32,
        first: bool,
    ) -> Result<Frame, Diagnostic> {
        let values = args.iter().zip(&query.args);
        let values = values.map(|(col, arg)| col.get(row as usize, arg.ty).into_owned()).collect();
        self.engine.with_params(values, first).run_uncounted(&query.plan)
    }

    fn made_of(&self, query: &SubQuery, rows: &Frame, expr: &Expr) -> Result<Vector, Diagnostic> {
        let QueryKind::Any { op, negated } = query.kind else {
            return Ok(Vector::Const(value_of(query, rows, expr)?));
        };
        if rows.rows == 0 {
            return Ok(Vector::Const(Value::Bool(negated)));
        }
        let values = query.values.iter().map(|v| self.eval(v)).collect::<Result<Vec<_>, _>>()?;
        match (values.as_slice(), rows.cols.as_slice(), op) {
            ([value], [entries], BinaryOp::Eq) => Ok(self.look_up(value, entries, negated)),
            ([value], [entries], _) => Ok(self.compared(op, value, entries, negated)),
            _ => self.row_in(query, &values, rows, negated),
        }
    }

    /// A comparison with the rows of a correlated sub-query, which differ from group to group.
    fn by_group(
        &self,
        query: &SubQuery,
        args: &[Col],
        groups: &Groups,
        expr: &Expr,
    ) -> Result<Vector, Diagnostic> {
        let mut of_group: Vec<Vec<u32>> = vec![Vec::new(); groups.firsts.len()];
        for (row, &id) in (0u32..).zip(&groups.ids) {
            if let Some(rows) = of_group.get_mut(id as usize) {
                rows.push(row);
            }
        }
        let mut places = vec![NO_ROW; self.frame.rows];
        let mut pieces = Vec::with_capacity(of_group.len());
        let mut len = 0u32;
        for (index, own) in of_group.iter().enumerate() {
            let Some(&first) = own.first() else { continue };
            let rows = self.run_for(query, args, first, index == 0)?;
            let part = self.part(own, expr);
            let found = match Eval::new(self.engine, &part).made_of(query, &rows, expr)? {
                Vector::Const(value) => Col::constant(&value, own.len()),
                Vector::Col(col) => col,
            };
            for (&row, place) in own.iter().zip(len..) {
                places[row as usize] = place;
            }
            len = len.saturating_add(u32::try_from(found.len()).unwrap_or(0));
            pieces.push(found);
        }
        let constant = self.frame.rows == 1 && self.frame.cols.is_empty();
        Ok(Vector::of(Col::concat(&pieces).take_opt(&places), constant, Ty::Bool))
    }

    /// Whether a comparison is true for some entry. The least or the greatest entry decides.
    fn compared(&self, op: BinaryOp, value: &Vector, entries: &Col, negated: bool) -> Vector {
        let Some(comparison) = Comparison::of(op) else { return Vector::Const(Value::Null) };
        let rows = self.frame.rows;
        let (mut found, mut unknown) = (Bitmap::new_zeroed(rows), Bitmap::new_zeroed(rows));
        if entries.validity().is_some() {
            unknown = Bitmap::new_with_value(true, rows);
        }
        let ends: &[bool] = match op {
            BinaryOp::Lt | BinaryOp::LtEq => &[true],
            BinaryOp::Gt | BinaryOp::GtEq => &[false],
            _ => &[true, false],
        };
        for &greatest in ends {
            let end = Vector::Const(self.end_of(entries, greatest));
            match comparison.eval(value, &end, rows) {
                Vector::Const(Value::Bool(true)) => found = Bitmap::new_with_value(true, rows),
                Vector::Const(Value::Bool(false)) => {}
                Vector::Col(Col::Bool(array)) => match array.validity() {
                    None => found = &found | array.values(),
                    Some(valid) => {
                        found = &found | &(array.values() & valid);
                        unknown = &unknown | &!valid;
                    }
                },
                _ => unknown = Bitmap::new_with_value(true, rows),
            }
        }
        outcome(found, &unknown, negated)
    }

    /// The least or the greatest entry that is not NULL.
    fn end_of(&self, entries: &Col, greatest: bool) -> Value<'static> {
        let key = Key { col: entries.clone(), descending: greatest, nulls_first: false };
        let rows: Vec<u32> = (0u32..).take(entries.len()).collect();
        let first = sorted(&[key], &rows, Some(1), self.engine.stop());
        let ty = match entries {
            Col::Bool(_) => Ty::Bool,
            Col::Int(_) => Ty::Int,
            Col::Double(_) => Ty::Double,
            Col::Addr(_) => Ty::Addr,
            Col::Text(_) => Ty::Text,
            Col::Null(_) => Ty::Null,
        };
        first.first().map_or(Value::Null, |&row| entries.get(row as usize, ty).into_owned())
    }

    /// Whether a row of values is among rows: NULL if only unknown values could make it equal.
    fn row_in(
        &self,
        query: &SubQuery,
        values: &[Vector],
        rows: &Frame,
        negated: bool,
    ) -> Result<Vector, Diagnostic> {
        let count = self.frame.rows;
        let values: Vec<Col> = values
            .iter()
            .map(|value| match value {
                Vector::Const(value) => Col::constant(value, count),
                Vector::Col(col) => col.clone(),
            })
            .collect();
        let (dict, _, _) = Dict::build(&rows.cols, rows.rows, self.engine.stop());
        let ids = dict.lookup(&values, count);
        let found = bits(ids.iter().map(|&id| id != NONE));
        let partial: Vec<u32> = (0u32..)
            .take(rows.rows)
            .filter(|&row| rows.cols.iter().any(|col| col.is_null(row as usize)))
            .collect();
        let with_nulls = rows.take(&partial);
        let mut unknown = vec![false; count];
        for (row, slot) in unknown.iter_mut().enumerate() {
            let own_null = values.iter().any(|col| col.is_null(row));
            if ids.get(row).is_some_and(|&id| id != NONE) || (!own_null && partial.is_empty()) {
                continue;
            }
            self.engine.check_cancelled()?;
            let among = if own_null { rows } else { &with_nulls };
            *slot = may_equal(query, &values, row, among);
        }
        Ok(outcome(found, &bits(unknown), negated))
    }
}

/// The value of a sub-query that is not a comparison.
fn value_of(query: &SubQuery, rows: &Frame, expr: &Expr) -> Result<Value<'static>, Diagnostic> {
    if query.kind == QueryKind::Exists {
        return Ok(Value::Bool(rows.rows > 0));
    }
    if rows.rows > 1 {
        return Err(several(rows.rows, expr.span));
    }
    let value = rows.cols.first().filter(|_| rows.rows == 1);
    Ok(value.map_or(Value::Null, |col| col.get(0, expr.ty).into_owned()))
}

/// Whether some row could be equal to the values of `row`, depending on the values of NULLs.
fn may_equal(query: &SubQuery, values: &[Col], row: usize, among: &Frame) -> bool {
    let mut open = Bitmap::new_with_value(true, among.rows);
    for ((col, entries), value) in values.iter().zip(&among.cols).zip(&query.values) {
        let value = Vector::Const(col.get(row, value.ty).into_owned());
        match Comparison::EQUAL.eval(&value, &Vector::Col(entries.clone()), among.rows) {
            Vector::Col(Col::Bool(array)) => {
                let unequal = !array.values();
                open = match array.validity() {
                    None => &open & array.values(),
                    Some(valid) => &open & &!&(&unequal & valid),
                };
            }
            Vector::Const(Value::Bool(false)) => return false,
            _ => {}
        }
    }
    open.set_bits() > 0
}

/// The error for a scalar sub-query that returns several rows.
pub(in crate::exec) fn several(rows: usize, span: Span) -> Diagnostic {
    let message = format!("a sub-query used as a value gave {rows} rows");
    Diagnostic::at(Code::Cardinality, span, message)
        .help("add LIMIT 1, an aggregate such as max(…), or a condition that fits one row")
}
