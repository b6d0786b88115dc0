//! Arithmetic, bit operations and `||`. A result outside the range of its type is an error that
//! names the operation and its operands; division by zero is NULL; the contents of NULL rows never
//! cause an error.

use std::cell::Cell;

use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use polars_arrow::types::NativeType;

use super::lane::{Lane, addrs, both_valid, doubles, ints, zip};
use super::{Vector, defect};
use crate::catalog::{Format, PointerWidth, Ty, Value};
use crate::diag::{Code, Diagnostic};
use crate::exec::col::{Col, prim};
use crate::plan::{BinaryOp, Expr};

/// Two evaluated operands and their types.
pub(super) struct Operands<'a> {
    pub(super) left: &'a Vector,
    pub(super) right: &'a Vector,
    pub(super) types: (Ty, Ty),
}

/// The result of one row.
enum Out<R> {
    Value(R),
    Null,
    Overflow,
}

impl<R> From<Option<R>> for Out<R> {
    fn from(value: Option<R>) -> Self {
        value.map_or(Self::Overflow, Self::Value)
    }
}

impl Operands<'_> {
    pub(super) fn eval(
        &self,
        op: BinaryOp,
        expr: &Expr,
        rows: usize,
    ) -> Result<Vector, Diagnostic> {
        if self.left.is_all_null() || self.right.is_all_null() {
            return Ok(Vector::Const(Value::Null));
        }
        let constant = self.left.is_const() && self.right.is_const();
        let col = if op == BinaryOp::Concat {
            Some(concat(self.left, self.right, rows))
        } else {
            self.numbers(op, expr)?
        };
        let col = col.ok_or_else(|| defect(expr.span, "operands of types that do not compute"))?;
        Ok(Vector::of(col, constant, expr.ty))
    }

    fn numbers(&self, op: BinaryOp, expr: &Expr) -> Result<Option<Col>, Diagnostic> {
        if let (Some(l), Some(r)) = (doubles(self.left), doubles(self.right)) {
            return self.double(op, l, r, expr);
        }
        if let (Some(l), Some(r)) = (ints(self.left), ints(self.right)) {
            return self.int(op, l, r, expr).map(|a| a.map(Col::Int));
        }
        if let (Some(l), Some(r)) = (addrs(self.left), ints(self.right)) {
            return self.addr_int(op, l, r, expr).map(|a| a.map(Col::Addr));
        }
        if let (Some(l), Some(r)) = (ints(self.left), addrs(self.right)) {
            return self.int_addr(op, l, r, expr).map(|a| a.map(Col::Addr));
        }
        if let (Some(l), Some(r)) = (addrs(self.left), addrs(self.right)) {
            if op == BinaryOp::Sub {
                let sub = |l: u64, r: u64| i64::try_from(i128::from(l) - i128::from(r)).ok();
                return self.checked(op, l, r, expr, sub).map(|a| Some(Col::Int(a)));
            }
            return self.addr(op, l, r, expr).map(|a| a.map(Col::Addr));
        }
        Ok(None)
    }

    fn double(
        &self,
        op: BinaryOp,
        l: Lane<'_, f64>,
        r: Lane<'_, f64>,
        expr: &Expr,
    ) -> Result<Option<Col>, Diagnostic> {
        let validity = both_valid(self.left, self.right);
        let plain = |values| Ok(Some(Col::double(values, validity.clone())));
        let by_zero = |f: fn(f64, f64) -> f64| {
            let f = move |l: f64, r: f64| {
                if r == 0.0 { Out::Null } else { Out::Value(f(l, r)) }
            };
            self.rows(op, l, r, expr, f).map(|a| Some(Col::Double(a)))
        };
        match op {
            BinaryOp::Add => plain(zip(l, r, |l, r| l + r)),
            BinaryOp::Sub => plain(zip(l, r, |l, r| l - r)),
            BinaryOp::Mul => plain(zip(l, r, |l, r| l * r)),
            // As in DuckDB, `//` of doubles is plain division.
            BinaryOp::Div | BinaryOp::IntDiv => by_zero(|l, r| l / r),
            BinaryOp::Mod => by_zero(|l, r| l % r),
            _ => Ok(None),
        }
    }

    fn int(
        &self,
        op: BinaryOp,
        l: Lane<'_, i64>,
        r: Lane<'_, i64>,
        expr: &Expr,
    ) -> Result<Option<polars_arrow::array::PrimitiveArray<i64>>, Diagnostic> {
        let validity = || both_valid(self.left, self.right);
        let array =
            match op {
                BinaryOp::Add => self.flagged(op, l, r, expr, i64::overflowing_add)?,
                BinaryOp::Sub => self.flagged(op, l, r, expr, i64::overflowing_sub)?,
                BinaryOp::Mul => self.flagged(op, l, r, expr, i64::overflowing_mul)?,
                BinaryOp::Div | BinaryOp::IntDiv => self.rows(op, l, r, expr, |l: i64, r| {
                    if r == 0 { Out::Null } else { l.checked_div(r).into() }
                })?,
                BinaryOp::Mod => self.rows(op, l, r, expr, |l: i64, r| {
                    if r == 0 { Out::Null } else { Out::Value(l.wrapping_rem(r)) }
                })?,
                BinaryOp::BitAnd => prim(zip(l, r, |l, r| l & r), validity()),
                BinaryOp::BitOr => prim(zip(l, r, |l, r| l | r), validity()),
                BinaryOp::ShiftLeft => self.checked(op, l, r, expr, |l: i64, r| {
                    let wide = u64::try_from(l).ok().and_then(|l| shift_left(l, r));
                    wide.and_then(|v| i64::try_from(v).ok())
                })?,
                BinaryOp::ShiftRight => prim(
                    zip(l, r, |l, r| match u32::try_from(r) {
                        Ok(count) if count < 64 => l >> count,
                        _ => 0,
                    }),
                    validity(),
                ),
                _ => return Ok(None),
            };
        Ok(Some(array))
    }

    fn addr_int(
        &self,
        op: BinaryOp,
        l: Lane<'_, u64>,
        r: Lane<'_, i64>,
        expr: &Expr,
    ) -> Result<Option<polars_arrow::array::PrimitiveArray<u64>>, Diagnostic> {
        let wide = |v: Option<i128>| v.and_then(|v| u64::try_from(v).ok());
        let array = match op {
            BinaryOp::Add => self.flagged(op, l, r, expr, u64::overflowing_add_signed)?,
            BinaryOp::Sub => self.checked(op, l, r, expr, |l: u64, r: i64| {
                wide(Some(i128::from(l) - i128::from(r)))
            })?,
            BinaryOp::Mul => self.checked(op, l, r, expr, |l: u64, r: i64| {
                wide(i128::from(l).checked_mul(i128::from(r)))
            })?,
            BinaryOp::IntDiv | BinaryOp::Mod => {
                let is_mod = op == BinaryOp::Mod;
                self.rows(op, l, r, expr, |l: u64, r: i64| {
                    if r == 0 {
                        return Out::Null;
                    }
                    let (l, r) = (i128::from(l), i128::from(r));
                    wide(Some(if is_mod { l % r } else { l / r })).into()
                })?
            }
            BinaryOp::ShiftLeft => self.checked(op, l, r, expr, shift_left)?,
            BinaryOp::ShiftRight => prim(
                zip(l, r, |l, r| match u32::try_from(r) {
                    Ok(count) if count < 64 => l >> count,
                    _ => 0,
                }),
                both_valid(self.left, self.right),
            ),
            _ => return Ok(None),
        };
        Ok(Some(array))
    }

    fn int_addr(
        &self,
        op: BinaryOp,
        l: Lane<'_, i64>,
        r: Lane<'_, u64>,
        expr: &Expr,
    ) -> Result<Option<polars_arrow::array::PrimitiveArray<u64>>, Diagnostic> {
        let wide = |v: Option<i128>| v.and_then(|v| u64::try_from(v).ok());
        let (l_wide, r_wide) = (|l: i64| i128::from(l), |r: u64| i128::from(r));
        Ok(Some(match op {
            BinaryOp::Add => {
                self.checked(op, l, r, expr, |l, r| wide(Some(l_wide(l) + r_wide(r))))?
            }
            BinaryOp::Sub => {
                self.checked(op, l, r, expr, |l, r| wide(Some(l_wide(l) - r_wide(r))))?
            }
            BinaryOp::Mul => {
                self.checked(op, l, r, expr, |l, r| wide(l_wide(l).checked_mul(r_wide(r))))?
            }
            _ => return Ok(None),
        }))
    }

    fn addr(
        &self,
        op: BinaryOp,
        l: Lane<'_, u64>,
        r: Lane<'_, u64>,
        expr: &Expr,
    ) -> Result<Option<polars_arrow::array::PrimitiveArray<u64>>, Diagnostic> {
        let validity = || both_valid(self.left, self.right);
        Ok(Some(match op {
            BinaryOp::Add => self.flagged(op, l, r, expr, u64::overflowing_add)?,
            BinaryOp::Mul => self.flagged(op, l, r, expr, u64::overflowing_mul)?,
            BinaryOp::IntDiv => self
                .rows(op, l, r, expr, |l: u64, r| l.checked_div(r).map_or(Out::Null, Out::Value))?,
            BinaryOp::Mod => self
                .rows(op, l, r, expr, |l: u64, r| l.checked_rem(r).map_or(Out::Null, Out::Value))?,
            BinaryOp::BitAnd => prim(zip(l, r, |l, r| l & r), validity()),
            BinaryOp::BitOr => prim(zip(l, r, |l, r| l | r), validity()),
            _ => return Ok(None),
        }))
    }

    /// The fast form: `f` returns each result with a flag that says whether it is out of range.
    fn flagged<T: Copy, U: Copy, R: NativeType>(
        &self,
        op: BinaryOp,
        l: Lane<'_, T>,
        r: Lane<'_, U>,
        expr: &Expr,
        f: impl Fn(T, U) -> (R, bool),
    ) -> Result<polars_arrow::array::PrimitiveArray<R>, Diagnostic> {
        let mut any = false;
        let values = zip(l, r, |l, r| {
            let (value, overflow) = f(l, r);
            any |= overflow;
            value
        });
        let validity = both_valid(self.left, self.right);
        if any {
            for row in 0..values.len() {
                let valid = validity.as_ref().is_none_or(|v| v.get_bit(row));
                let pair = l.at(row).zip(r.at(row));
                if valid && pair.is_some_and(|(l, r)| f(l, r).1) {
                    return Err(self.overflow(op, expr, row));
                }
            }
        }
        Ok(prim(values, validity))
    }

    fn checked<T: Copy, U: Copy, R: NativeType>(
        &self,
        op: BinaryOp,
        l: Lane<'_, T>,
        r: Lane<'_, U>,
        expr: &Expr,
        f: impl Fn(T, U) -> Option<R>,
    ) -> Result<polars_arrow::array::PrimitiveArray<R>, Diagnostic> {
        self.rows(op, l, r, expr, |l, r| f(l, r).into())
    }

    /// The general form: each row gives a value, NULL or an overflow.
    fn rows<T: Copy, U: Copy, R: NativeType>(
        &self,
        op: BinaryOp,
        l: Lane<'_, T>,
        r: Lane<'_, U>,
        expr: &Expr,
        f: impl Fn(T, U) -> Out<R>,
    ) -> Result<polars_arrow::array::PrimitiveArray<R>, Diagnostic> {
        let valid = both_valid(self.left, self.right);
        let mut there = BitmapBuilder::new();
        let fault: Cell<Option<usize>> = Cell::new(None);
        let mut row = 0;
        let values = zip(l, r, |l, r| {
            let is_valid = valid.as_ref().is_none_or(|v| v.get_bit(row));
            let out = if is_valid { f(l, r) } else { Out::Null };
            if matches!(out, Out::Overflow) && fault.get().is_none() {
                fault.set(Some(row));
            }
            row += 1;
            there.push(matches!(out, Out::Value(_)));
            if let Out::Value(value) = out { value } else { R::default() }
        });
        match fault.get() {
            Some(row) => Err(self.overflow(op, expr, row)),
            None => Ok(prim(values, Some(there.freeze()))),
        }
    }

    fn overflow(&self, op: BinaryOp, expr: &Expr, row: usize) -> Diagnostic {
        let show = |vector: &Vector, ty: Ty| {
            let value = match vector {
                Vector::Const(value) => value.clone(),
                Vector::Col(col) => col.get(row, ty).into_owned(),
            };
            Format::Plain.render(&value, PointerWidth::Bits64)
        };
        let (left, right) = (show(self.left, self.types.0), show(self.right, self.types.1));
        let (sign, ty) = (symbol(op), expr.ty);
        let message = format!("{left} {sign} {right} is outside the range of {ty}");
        Diagnostic::at(Code::Overflow, expr.span, message)
    }
}

fn shift_left(value: u64, count: i64) -> Option<u64> {
    let count = u32::try_from(count).ok()?;
    if value == 0 {
        return Some(0);
    }
    (count <= value.leading_zeros()).then(|| value << count)
}

const fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::IntDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::ShiftLeft => "<<",
        BinaryOp::ShiftRight => ">>",
        _ => "?",
    }
}

pub(super) fn negate(operand: &Vector, expr: &Expr) -> Result<Vector, Diagnostic> {
    if operand.is_all_null() {
        return Ok(Vector::Const(Value::Null));
    }
    if let Some(lane) = doubles(operand) {
        let values = zip(lane, Lane::One(()), |v, ()| -v);
        let col = Col::double(values, both_valid(operand, operand));
        return Ok(Vector::of(col, operand.is_const(), expr.ty));
    }
    let zero = Vector::Const(Value::Int(0));
    let operands = Operands { left: &zero, right: operand, types: (expr.ty, expr.ty) };
    operands.eval(BinaryOp::Sub, expr, 1)
}

pub(super) fn bit_not(operand: &Vector, ty: Ty) -> Vector {
    let validity = both_valid(operand, operand);
    let col = if let Some(lane) = ints(operand) {
        Col::int(zip(lane, Lane::One(()), |v, ()| !v), validity)
    } else if let Some(lane) = addrs(operand) {
        Col::addr(zip(lane, Lane::One(()), |v, ()| !v), validity)
    } else {
        return Vector::Const(Value::Null);
    };
    Vector::of(col, operand.is_const(), ty)
}

fn concat(left: &Vector, right: &Vector, rows: usize) -> Col {
    let constant = left.is_const() && right.is_const();
    let rows = if constant { 1 } else { rows };
    let (l, r) = (left.to_col(), right.to_col());
    let at = |vector: &Vector, row: usize| if vector.is_const() { 0 } else { row };
    let valid: Option<Bitmap> = both_valid(left, right);
    let (Col::Text(l), Col::Text(r)) = (&l, &r) else { return Col::Null(rows) };
    let mut buffer = String::new();
    let mut out = polars_arrow::array::MutableBinaryViewArray::<str>::with_capacity(rows);
    for row in 0..rows {
        if valid.as_ref().is_some_and(|v| !v.get_bit(row)) {
            out.push_null();
            continue;
        }
        buffer.clear();
        buffer.push_str(l.value(at(left, row)));
        buffer.push_str(r.value(at(right, row)));
        out.push_value(buffer.as_str());
    }
    Col::Text(out.into())
}
