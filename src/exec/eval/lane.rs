//! Operands of kernels: a slice, or one constant for all rows.

use super::Vector;
use crate::catalog::Value;
use crate::exec::col::Col;
use polars_arrow::bitmap::Bitmap;

/// One operand of a kernel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lane<'a, T> {
    One(T),
    Each(&'a [T]),
}

impl<T: Copy> Lane<'_, T> {
    pub(super) fn at(&self, row: usize) -> Option<T> {
        match self {
            Self::One(v) => Some(*v),
            Self::Each(values) => values.get(row).copied(),
        }
    }
}

pub(super) fn ints(vector: &Vector) -> Option<Lane<'_, i64>> {
    match vector {
        Vector::Const(value) => value.as_number().map(Lane::One),
        Vector::Col(Col::Int(a)) => Some(Lane::Each(a.values().as_slice())),
        Vector::Col(_) => None,
    }
}

pub(super) fn doubles(vector: &Vector) -> Option<Lane<'_, f64>> {
    match vector {
        Vector::Const(Value::Double(v)) => Some(Lane::One(*v)),
        Vector::Col(Col::Double(a)) => Some(Lane::Each(a.values().as_slice())),
        _ => None,
    }
}

pub(super) fn addrs(vector: &Vector) -> Option<Lane<'_, u64>> {
    match vector {
        Vector::Const(Value::Addr(v)) => Some(Lane::One(*v)),
        Vector::Col(Col::Addr(a)) => Some(Lane::Each(a.values().as_slice())),
        _ => None,
    }
}

/// Applies `f` to each row; the result for two constants has one row.
pub(super) fn zip<T: Copy, U: Copy, R>(
    left: Lane<'_, T>,
    right: Lane<'_, U>,
    mut f: impl FnMut(T, U) -> R,
) -> Vec<R> {
    match (left, right) {
        (Lane::Each(l), Lane::Each(r)) => l.iter().zip(r).map(|(&l, &r)| f(l, r)).collect(),
        (Lane::Each(l), Lane::One(r)) => l.iter().map(|&l| f(l, r)).collect(),
        (Lane::One(l), Lane::Each(r)) => r.iter().map(|&r| f(l, r)).collect(),
        (Lane::One(l), Lane::One(r)) => vec![f(l, r)],
    }
}

/// As [`zip`] for conditions, packed into bits.
pub(super) fn zip_bits<T: Copy, U: Copy>(
    left: Lane<'_, T>,
    right: Lane<'_, U>,
    f: impl Fn(T, U) -> bool,
) -> Bitmap {
    match (left, right) {
        (Lane::Each(l), Lane::Each(r)) => {
            let len = l.len().min(r.len());
            let (l, r) = (&l[..len], &r[..len]);
            pack(len, |from, to| {
                let pairs = l[from..to].iter().zip(&r[from..to]);
                pairs.rev().fold(0, |word, (&l, &r)| word << 1 | u64::from(f(l, r)))
            })
        }
        (Lane::Each(l), Lane::One(r)) => pack(l.len(), |from, to| {
            l[from..to].iter().rev().fold(0, |word, &l| word << 1 | u64::from(f(l, r)))
        }),
        (Lane::One(l), Lane::Each(r)) => pack(r.len(), |from, to| {
            r[from..to].iter().rev().fold(0, |word, &r| word << 1 | u64::from(f(l, r)))
        }),
        (Lane::One(l), Lane::One(r)) => Bitmap::new_with_value(f(l, r), 1),
    }
}

/// Packs bits, 64 at a time.
fn pack(len: usize, word: impl Fn(usize, usize) -> u64) -> Bitmap {
    let mut bytes = Vec::with_capacity(len.div_ceil(64) * 8);
    let mut from = 0;
    while from < len {
        let to = len.min(from + 64);
        bytes.extend_from_slice(&word(from, to).to_le_bytes());
        from = to;
    }
    Bitmap::from_u8_vec(bytes, len)
}

/// The rows in which both have a value; `None` if all rows do.
pub(super) fn both_valid(left: &Vector, right: &Vector) -> Option<Bitmap> {
    let of = |v: &Vector| match v {
        Vector::Const(_) => None,
        Vector::Col(col) => col.validity().map(std::borrow::Cow::into_owned),
    };
    match (of(left), of(right)) {
        (Some(l), Some(r)) => Some(&l & &r),
        (one, other) => one.or(other),
    }
}
