//! `IN`, over lists and over sub-queries: true if found, NULL if not found but the value or some
//! entry is NULL, else false.

use polars_arrow::bitmap::Bitmap;

use super::compare::Comparison;
use super::{Eval, Vector};
use crate::catalog::Value;
use crate::diag::Diagnostic;
use crate::exec::col::{Col, bits, boolean};
use crate::exec::keys::{Dict, NONE};
use crate::plan::{Expr, ExprKind};

/// Longer lists of constants are looked up by hash.
const SHORT_LIST: usize = 4;

impl Eval<'_> {
    pub(super) fn in_list(
        &self,
        expr: &Expr,
        list: &[Expr],
        negated: bool,
    ) -> Result<Vector, Diagnostic> {
        let value = self.eval(expr)?;
        let literal = |e: &Expr| match &e.kind {
            ExprKind::Literal(value) if e.ty == expr.ty || value.is_null() => Some(value.clone()),
            _ => None,
        };
        if list.len() > SHORT_LIST
            && let Some(entries) = list.iter().map(literal).collect::<Option<Vec<_>>>()
        {
            return Ok(self.look_up(&value, &Col::from_values(&entries, expr.ty), negated));
        }
        let rows = self.frame.rows;
        let (mut found, mut unknown) = (Bitmap::new_zeroed(rows), Bitmap::new_zeroed(rows));
        for entry in list {
            let entry = self.eval(entry)?;
            match Comparison::EQUAL.eval(&value, &entry, rows) {
                Vector::Const(Value::Bool(false)) => {}
                Vector::Const(Value::Bool(true)) => found = Bitmap::new_with_value(true, rows),
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
        Ok(outcome(found, &unknown, negated))
    }

    pub(super) fn look_up(&self, value: &Vector, entries: &Col, negated: bool) -> Vector {
        let rows = self.frame.rows;
        let value = match value {
            Vector::Const(v) => Col::constant(v, rows),
            Vector::Col(col) => col.clone(),
        };
        let has_null = entries.validity().is_some();
        let (entries, keys) = comparable(entries, &value);
        let (dict, _, _) =
            Dict::build(std::slice::from_ref(&entries), entries.len(), self.engine.stop());
        let ids = dict.lookup(std::slice::from_ref(&keys), rows);
        let found = bits(ids.iter().map(|&id| id != NONE));
        let unknown = if has_null {
            !&found
        } else {
            value.validity().map_or_else(|| Bitmap::new_zeroed(rows), |valid| !valid.as_ref())
        };
        outcome(found, &unknown, negated)
    }
}

/// Entries and values as columns of one type. A negative integer equals no address: it is removed
/// from the entries, and matches nothing as a value.
fn comparable(entries: &Col, value: &Col) -> (Col, Col) {
    let address = |v: i64| u64::try_from(v).ok();
    match (entries, value) {
        (Col::Addr(_), Col::Int(a)) => {
            let values = a.iter().map(|v| v.copied().and_then(address));
            let there = bits(values.clone().map(|v| v.is_some()));
            (
                entries.clone(),
                Col::addr(values.map(Option::unwrap_or_default).collect(), Some(there)),
            )
        }
        (Col::Int(a), Col::Addr(_)) => {
            let kept = a.iter().flatten().copied().filter_map(address).collect();
            (Col::addr(kept, None), value.clone())
        }
        _ => (entries.clone(), value.clone()),
    }
}

pub(super) fn outcome(found: Bitmap, unknown: &Bitmap, negated: bool) -> Vector {
    let valid = &found | &!unknown;
    let bits = if negated { !&found } else { found };
    Vector::Col(boolean(bits, Some(valid)))
}
