//! Conversions. A value that cannot be converted is an error, or NULL if the cast is lenient.

use super::{Eval, Vector};
use crate::catalog::{Format, IntRange, ListBuilder, Nested, PointerWidth, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::exec::col::Col;
use crate::plan::Expr;
use crate::time::{DAY, midnight};

/// The first double above the range of integers.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

impl Eval<'_> {
    pub(super) fn cast(
        &self,
        operand: &Expr,
        cast: &Expr,
        lenient: bool,
        range: Option<IntRange>,
    ) -> Result<Vector, Diagnostic> {
        let (to, span) = (cast.ty, cast.span);
        let vector = self.eval(operand)?;
        if vector.is_all_null() || (operand.ty == to && range.is_none()) {
            return Ok(vector);
        }
        if let Some(quick) = quick(&vector, operand.ty, to) {
            return Ok(quick);
        }
        let width = self.engine.cx.functions.width;
        let name = range.map_or(to.name(), |range| range.name);
        let convert = |value: &Value<'_>| {
            let fits = |value: &Value<'_>| match (range, value) {
                (Some(range), Value::Int(v)) => range.holds(*v),
                _ => true,
            };
            match convert(value, to, width, lenient).filter(fits) {
                Some(value) => Ok(value),
                None if lenient => Ok(Value::Null),
                None => Err(failure(value, name, span, width)),
            }
        };
        Ok(match &vector {
            Vector::Const(value) => Vector::Const(convert(value)?),
            Vector::Col(col) => {
                let values = (0..col.len()).map(|row| convert(&col.get(row, operand.ty)));
                Vector::Col(Col::from_values(&values.collect::<Result<Vec<_>, _>>()?, to))
            }
        })
    }
}

/// Conversions that cannot fail, for whole columns at once.
fn quick(vector: &Vector, from: Ty, to: Ty) -> Option<Vector> {
    let Vector::Col(col) = vector else { return None };
    Some(Vector::Col(match (col, from, to) {
        (Col::Int(a), Ty::Int, Ty::Double) => {
            #[allow(clippy::cast_precision_loss, reason = "what a cast to DOUBLE means")]
            let values = a.values().iter().map(|&v| v as f64).collect();
            Col::double(values, a.validity().cloned())
        }
        (Col::Addr(a), Ty::Addr, Ty::Double) => {
            #[allow(clippy::cast_precision_loss, reason = "what a cast to DOUBLE means")]
            let values = a.values().iter().map(|&v| v as f64).collect();
            Col::double(values, a.validity().cloned())
        }
        (Col::Int(a), Ty::Decimal(of), Ty::Double) => {
            let values = a.values().iter().map(|&v| of.double(v)).collect();
            Col::double(values, a.validity().cloned())
        }
        (Col::Int(a), Ty::Decimal(from), Ty::Decimal(of))
            if from.scale() == of.scale() && from.width() <= of.width() =>
        {
            Col::Int(a.clone())
        }
        (Col::Int(a), Ty::Date, Ty::Time) => Col::Int(a.clone()),
        _ => return None,
    }))
}

fn failure(value: &Value<'_>, to: &str, span: Span, width: PointerWidth) -> Diagnostic {
    let shown = Format::Plain.render(value, width);
    let error = if matches!(value, Value::Text(_)) {
        let short: String = shown.chars().take(60).collect();
        let mark = if short.len() < shown.len() { "…" } else { "" };
        Diagnostic::at(Code::Conversion, span, format!("`{short}{mark}` is not of type {to}"))
    } else {
        Diagnostic::at(Code::Conversion, span, format!("{shown} is outside the range of {to}"))
    };
    error.help("TRY_CAST gives NULL for a value that cannot be converted")
}

/// The value in the other type; `None` if it has no equivalent there.
#[allow(clippy::cast_precision_loss, reason = "what a cast to DOUBLE means")]
fn convert(
    value: &Value<'_>,
    to: Ty,
    width: PointerWidth,
    lenient: bool,
) -> Option<Value<'static>> {
    Some(match (value, to) {
        (Value::Null, _) | (_, Ty::Null) => Value::Null,
        (_, Ty::Text) => Value::text(Format::Plain.render(value, width)),
        (Value::Text(text), _) => Value::parse(text, to)?,
        (Value::List(v), Ty::List(of)) => {
            let mut list = ListBuilder::new(of.element());
            for value in v.values() {
                list.push(&convert_within(&value, of.element(), width, lenient)?);
            }
            Value::List(list.finish(to))
        }
        (Value::Struct(v), Ty::Struct(of)) => {
            let fields = v.values().zip(of.fields());
            let fields = fields.map(|(v, (_, ty))| convert_within(&v, *ty, width, lenient));
            Value::Struct(Nested::structure(to, &fields.collect::<Option<Vec<_>>>()?))
        }
        (Value::Map(v), Ty::Map(of)) => {
            let entries = Value::List(v.borrowed().into_entries());
            let Value::List(list) = convert(&entries, of.entries(), width, lenient)? else {
                return None;
            };
            Value::Map(list.into_map(to)?)
        }
        (Value::Decimal(v, of), Ty::Int) => Value::Int(of.whole(*v)),
        (Value::Decimal(v, of), Ty::Double) => Value::Double(of.double(*v)),
        (Value::Decimal(v, of), Ty::Addr) => Value::Addr(u64::try_from(of.whole(*v)).ok()?),
        (_, Ty::Decimal(of)) => of.convert(value)?,
        (Value::Date(v), Ty::Time) => Value::Time(*v),
        (Value::Time(v), Ty::Date) => Value::Date(midnight(*v)),
        (Value::Time(v), Ty::TimeOfDay) => Value::TimeOfDay(v.rem_euclid(DAY)),
        (Value::Bool(v), Ty::Int) => Value::Int(i64::from(*v)),
        (Value::Bool(v), Ty::Double) => Value::Double(f64::from(u8::from(*v))),
        (Value::Bool(v), Ty::Addr) => Value::Addr(u64::from(*v)),
        (Value::Int(v) | Value::Decimal(v, _), Ty::Bool) => Value::Bool(*v != 0),
        (Value::Int(v), Ty::Double) => Value::Double(*v as f64),
        (Value::Int(v), Ty::Addr) => Value::Addr(u64::try_from(*v).ok()?),
        (Value::Double(v), Ty::Bool) => Value::Bool(*v != 0.0),
        (Value::Double(v), Ty::Int) => Value::Int(double_to_int(v.round_ties_even())?),
        (Value::Double(v), Ty::Addr) => Value::Addr(double_to_addr(v.round_ties_even())?),
        (Value::Addr(v), Ty::Bool) => Value::Bool(*v != 0),
        (Value::Addr(v), Ty::Int) => Value::Int(i64::try_from(*v).ok()?),
        (Value::Addr(v), Ty::Double) => Value::Double(*v as f64),
        (same, _) if same.ty() == to => same.clone().into_owned(),
        _ => return None,
    })
}

/// Converts a value in a list or a structure; a lenient cast replaces one that cannot be converted
/// with NULL.
fn convert_within(
    value: &Value<'_>,
    to: Ty,
    width: PointerWidth,
    lenient: bool,
) -> Option<Value<'static>> {
    convert(value, to, width, lenient).or(lenient.then_some(Value::Null))
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked and the number whole")]
fn double_to_int(v: f64) -> Option<i64> {
    (-TWO_63..TWO_63).contains(&v).then_some(v as i64)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked and the number whole"
)]
fn double_to_addr(v: f64) -> Option<u64> {
    (0.0..TWO_64).contains(&v).then_some(v as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_round_to_even() {
        let width = PointerWidth::Bits64;
        for (from, to) in
            [(2.5, Some(2)), (3.5, Some(4)), (-2.5, Some(-2)), (9.3e18, None), (f64::NAN, None)]
        {
            assert_eq!(
                convert(&Value::Double(from), Ty::Int, width, false),
                to.map(Value::Int),
                "{from}"
            );
        }
    }
}
