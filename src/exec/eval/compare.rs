//! Comparisons. Integers compare with addresses as numbers; NaN equals NaN and is greatest; text
//! compares by its bytes, which is the order of code points.

use std::cmp::Ordering;

use polars_arrow::array::Utf8ViewArray;
use polars_arrow::bitmap::Bitmap;

use super::Vector;
use super::lane::{addrs, both_valid, doubles, ints, zip_bits};
use crate::catalog::{Ty, Value};
use crate::exec::col::{Col, bits, boolean};
use crate::exec::order;
use crate::plan::BinaryOp;

/// The outcomes of a comparison that make the condition true.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison {
    less: bool,
    equal: bool,
    greater: bool,
}

impl Comparison {
    pub(super) const EQUAL: Self = Self { less: false, equal: true, greater: false };

    pub(super) const fn of(op: BinaryOp) -> Option<Self> {
        let (less, equal, greater) = match op {
            BinaryOp::Eq => (false, true, false),
            BinaryOp::NotEq => (true, false, true),
            BinaryOp::Lt => (true, false, false),
            BinaryOp::LtEq => (true, true, false),
            BinaryOp::Gt => (false, false, true),
            BinaryOp::GtEq => (false, true, true),
            _ => return None,
        };
        Some(Self { less, equal, greater })
    }

    const fn accepts(self, order: Ordering) -> bool {
        match order {
            Ordering::Less => self.less,
            Ordering::Equal => self.equal,
            Ordering::Greater => self.greater,
        }
    }

    pub(super) fn eval(self, left: &Vector, right: &Vector, rows: usize) -> Vector {
        if left.is_all_null() || right.is_all_null() {
            return Vector::Const(Value::Null);
        }
        let constant = left.is_const() && right.is_const();
        let bits = self.bits(left, right, if constant { 1 } else { rows });
        Vector::of(boolean(bits, both_valid(left, right)), constant, Ty::Bool)
    }

    /// The outcome for each row; the outcome of rows with a NULL is meaningless.
    pub(super) fn bits(self, left: &Vector, right: &Vector, rows: usize) -> Bitmap {
        if let (Some(l), Some(r)) = (ints(left), ints(right)) {
            return self.native(l, r);
        }
        if let (Some(l), Some(r)) = (addrs(left), addrs(right)) {
            return self.native(l, r);
        }
        if let (Some(l), Some(r)) = (doubles(left), doubles(right)) {
            return zip_bits(l, r, |l, r| self.accepts(order::doubles(l, r)));
        }
        // For speed, a number that is compared with a column of addresses is converted to an
        // address.
        if let (Some(_), Some(r)) = (addrs(left), address(right)) {
            return self.bits(left, &r, rows);
        }
        if let (Some(l), Some(_)) = (address(left), addrs(right)) {
            return self.bits(&l, right, rows);
        }
        let mixed = |i: i64, a: u64| u64::try_from(i).map_or(Ordering::Less, |i| i.cmp(&a));
        if let (Some(l), Some(r)) = (ints(left), addrs(right)) {
            return zip_bits(l, r, |l, r| self.accepts(mixed(l, r)));
        }
        if let (Some(l), Some(r)) = (addrs(left), ints(right)) {
            return zip_bits(l, r, |l, r| self.accepts(mixed(r, l).reverse()));
        }
        let at = |vector: &Vector, row: usize| if vector.is_const() { 0 } else { row };
        match (left.to_col(), right.to_col()) {
            (Col::Text(l), Col::Text(r)) => {
                self.text((&l, left.is_const()), (&r, right.is_const()), rows)
            }
            (Col::Bool(l), Col::Bool(r)) => bits((0..rows).map(|row| {
                let order = l.value(at(left, row)).cmp(&r.value(at(right, row)));
                self.accepts(order)
            })),
            _ => Bitmap::new_zeroed(rows),
        }
    }

    /// One loop per operator, so that each compiles to a plain machine comparison.
    fn native<T: Copy + Ord>(
        self,
        l: super::lane::Lane<'_, T>,
        r: super::lane::Lane<'_, T>,
    ) -> Bitmap {
        match (self.less, self.equal, self.greater) {
            (true, true, false) => zip_bits(l, r, |l, r| l <= r),
            (true, false, false) => zip_bits(l, r, |l, r| l < r),
            (false, true, true) => zip_bits(l, r, |l, r| l >= r),
            (false, false, true) => zip_bits(l, r, |l, r| l > r),
            (true, false, true) => zip_bits(l, r, |l, r| l != r),
            _ => zip_bits(l, r, |l, r| l == r),
        }
    }

    fn text(
        self,
        left: (&Utf8ViewArray, bool),
        right: (&Utf8ViewArray, bool),
        rows: usize,
    ) -> Bitmap {
        let at = |one: bool, row: usize| if one { 0 } else { row };
        let pairs = (0..rows).map(|row| (at(left.1, row), at(right.1, row)));
        if self.less == self.greater {
            // Short texts are equal exactly if their views are; texts with equal length and first
            // bytes are rare, so comparing these first decides most rows.
            let (ls, rs) = (left.0.views(), right.0.views());
            return bits(pairs.map(|(i, j)| {
                let (a, b) = (ls[i], rs[j]);
                let equal = if a.length <= 12 || b.length <= 12 {
                    a.as_u128() == b.as_u128()
                } else {
                    a.length == b.length
                        && a.prefix == b.prefix
                        && left.0.value(i) == right.0.value(j)
                };
                equal == self.equal
            }));
        }
        bits(pairs.map(|(i, j)| {
            self.accepts(left.0.value(i).as_bytes().cmp(right.0.value(j).as_bytes()))
        }))
    }
}

/// A constant number as an address, if it is in range.
fn address(vector: &Vector) -> Option<Vector> {
    match vector {
        Vector::Const(Value::Int(number)) => {
            u64::try_from(*number).ok().map(|number| Vector::Const(Value::Addr(number)))
        }
        _ => None,
    }
}

/// `IS [NOT] DISTINCT FROM`: never NULL.
pub(super) fn is_distinct(left: &Vector, right: &Vector, rows: usize, negated: bool) -> Vector {
    let constant = left.is_const() && right.is_const();
    let rows = if constant { 1 } else { rows };
    let valid = |v: &Vector| match v {
        Vector::Const(value) => Bitmap::new_with_value(!value.is_null(), rows),
        Vector::Col(col) => col
            .validity()
            .map_or_else(|| Bitmap::new_with_value(true, rows), std::borrow::Cow::into_owned),
    };
    let (l, r) = (valid(left), valid(right));
    let both = &l & &r;
    let neither = !&(&l | &r);
    let equal = if both.set_bits() == 0 {
        neither
    } else {
        &(&both & &Comparison::EQUAL.bits(left, right, rows)) | &neither
    };
    let bits = if negated { equal } else { !&equal };
    Vector::of(boolean(bits, None), constant, Ty::Bool)
}
