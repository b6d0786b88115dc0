//! The order of values: the base of sorting and of aggregates that look at order.

use std::cmp::Ordering;

use polars_arrow::array::{Array as _, Utf8ViewArray};

use super::col::Col;
use super::keys::Stop;

/// One sort key, computed.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) col: Col,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

/// The order of doubles: NaN equals NaN and is greatest.
pub(super) fn doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The order of two present values of one column.
pub(super) fn values(col: &Col, a: usize, b: usize) -> Ordering {
    match col {
        Col::Null(_) => Ordering::Equal,
        Col::Bool(c) => c.value(a).cmp(&c.value(b)),
        Col::Int(c) => c.value(a).cmp(&c.value(b)),
        Col::Addr(c) => c.value(a).cmp(&c.value(b)),
        Col::Double(c) => doubles(c.value(a), c.value(b)),
        Col::Text(c) => c.value(a).as_bytes().cmp(c.value(b).as_bytes()),
    }
}

impl Key {
    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        match (self.col.is_null(a), self.col.is_null(b)) {
            (false, false) => {
                let order = values(&self.col, a, b);
                if self.descending { order.reverse() } else { order }
            }
            (true, true) => Ordering::Equal,
            (null, _) => {
                if null == self.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

/// A number for each row that orders as the key's values do, or a prefix of them: rows of
/// different numbers are in that order, rows of equal numbers may still differ.
fn leading(key: &Key) -> Vec<u64> {
    const SIGN: u64 = 1 << 63;
    let double = |v: f64| {
        let bits = if v.is_nan() { f64::NAN.to_bits() } else { (v + 0.0).to_bits() };
        if bits & SIGN == 0 { bits | SIGN } else { !bits }
    };
    let mut numbers: Vec<u64> = match &key.col {
        Col::Null(len) => vec![0; *len],
        Col::Bool(c) => c.values().iter().map(u64::from).collect(),
        Col::Int(c) => c.values().iter().map(|v| v.cast_unsigned() ^ SIGN).collect(),
        Col::Addr(c) => c.values().as_slice().to_vec(),
        Col::Double(c) => c.values().iter().map(|&v| double(v)).collect(),
        Col::Text(c) => {
            let skip = common_prefix(c);
            (0..c.len()).map(|row| text_prefix(c.value(row), skip)).collect()
        }
    };
    if key.descending {
        for number in &mut numbers {
            *number = !*number;
        }
    }
    numbers
}

/// 8 bytes from `skip` on, the first one highest.
fn text_prefix(text: &str, skip: usize) -> u64 {
    let rest = text.as_bytes().get(skip..).unwrap_or_default();
    if let Some(first) = rest.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    let mut prefix = [0u8; 8];
    for (to, from) in prefix.iter_mut().zip(rest) {
        *to = *from;
    }
    u64::from_be_bytes(prefix)
}

/// How many bytes all texts begin with in common, as paths often do. They say nothing of the order.
fn common_prefix(texts: &Utf8ViewArray) -> usize {
    let mut there = (0..texts.len()).filter(|&row| texts.is_valid(row));
    let Some(first) = there.next() else { return 0 };
    let first = texts.value(first).as_bytes();
    let mut common = first.len();
    for row in there {
        let text = texts.value(row).as_bytes();
        if text.get(..common) != first.get(..common) {
            common = text.iter().zip(first).take_while(|(a, b)| a == b).count();
        }
        if common == 0 {
            break;
        }
    }
    common
}

/// Whether equal numbers of [`leading`] mean equal values.
const fn leading_decides(col: &Col) -> bool {
    !matches!(col, Col::Text(_))
}

/// The rows in the order of the keys, equal rows in their own order; only the first `top`, if
/// given.
pub(super) fn sorted(keys: &[Key], rows: &[u32], top: Option<usize>, stop: Stop<'_>) -> Vec<u32> {
    let Some((first, rest)) = keys.split_first() else { return rows.to_vec() };
    let numbers = leading(first);
    let (nulls, there): (Vec<u32>, Vec<u32>) = match first.col.validity() {
        None => (Vec::new(), rows.to_vec()),
        Some(v) => rows.iter().partition(|&&row| !v.get_bit(row as usize)),
    };
    let pairs = there.iter().map(|&row| (numbers[row as usize], row));
    let decided = leading_decides(&first.col);
    let ties = |a: u32, b: u32| {
        let (i, j) = (a as usize, b as usize);
        let own = if decided { Ordering::Equal } else { first.compare(i, j) };
        let others = || rest.iter().map(|k| k.compare(i, j)).find(|o| o.is_ne());
        own.then_with(|| others().unwrap_or(Ordering::Equal))
    };
    let plain = decided && rest.is_empty();
    let there = super::sort::order_pairs(pairs, top, (!plain).then_some(&ties), stop);
    let nulls = if rest.is_empty() { nulls } else { sorted(rest, &nulls, top, stop) };
    let (mut out, mut after) = if first.nulls_first { (nulls, there) } else { (there, nulls) };
    out.append(&mut after);
    out.truncate(top.unwrap_or(usize::MAX));
    out
}
