//! The order of values, for sorting and for aggregates that depend on order.

use std::cmp::Ordering;

use polars_arrow::array::{Array as _, Utf8ViewArray};

use super::col::Col;
use super::keys::{self, Stop};

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

/// Numbers in the order of the values of one key.
struct Codes {
    /// One number per row, NULLs included.
    numbers: Vec<u64>,
    /// The number of bits that the largest number needs.
    bits: u32,
    /// Whether equal numbers mean equal values.
    exact: bool,
}

const SIGN: u64 = 1 << 63;

fn double_code(v: f64) -> u64 {
    let bits = if v.is_nan() { f64::NAN.to_bits() } else { (v + 0.0).to_bits() };
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The codes of a key. They start at 0, so that a small range of values needs few bits and several
/// keys fit into one number.
fn codes(key: &Key, stop: Stop<'_>) -> Codes {
    let (mut codes, exact): (Vec<u64>, bool) = match &key.col {
        Col::Null(len) => (vec![0; *len], true),
        Col::Bool(c) => (c.values().iter().map(u64::from).collect(), true),
        Col::Int(c) => (c.values().iter().map(|v| v.cast_unsigned() ^ SIGN).collect(), true),
        Col::Addr(c) => (c.values().as_slice().to_vec(), true),
        Col::Double(c) => (c.values().iter().map(|&v| double_code(v)).collect(), true),
        Col::Text(c) => {
            if let Some(ranks) = text_ranks(&key.col, c, stop) {
                (ranks, true)
            } else {
                let skip = common_prefix(c);
                ((0..c.len()).map(|row| text_prefix(c.value(row), skip)).collect(), false)
            }
        }
    };
    let validity = key.col.validity();
    let valid = |row: usize| validity.as_ref().is_none_or(|v| v.get_bit(row));
    let there = codes.iter().enumerate().filter(|&(row, _)| valid(row));
    let (low, high) =
        there.fold((u64::MAX, 0), |(low, high), (_, &code)| (code.min(low), code.max(high)));
    let range = high.saturating_sub(low);
    for code in &mut codes {
        let from_low = code.wrapping_sub(low);
        *code = if key.descending { range.wrapping_sub(from_low) } else { from_low };
    }
    let Some(validity) = validity else {
        return Codes { numbers: codes, bits: u64::BITS - range.leading_zeros(), exact };
    };
    // NULL needs one more code; if none is left, the lowest bit of the others is dropped.
    let (shift, exact) = if range == u64::MAX { (1, false) } else { (0, exact) };
    let range = range >> shift;
    for (code, there) in codes.iter_mut().zip(validity.iter()) {
        *code = match (there, key.nulls_first) {
            (true, true) => (*code >> shift) + 1,
            (true, false) => *code >> shift,
            (false, true) => 0,
            (false, false) => range + 1,
        };
    }
    Codes { numbers: codes, bits: u64::BITS - (range + 1).leading_zeros(), exact }
}

/// The rank of each text among the distinct texts, if there are few of these; ranks are cheaper to
/// compare than texts.
fn text_ranks(col: &Col, texts: &Utf8ViewArray, stop: Stop<'_>) -> Option<Vec<u64>> {
    const LEAST_ROWS: usize = 10_000;
    if texts.len() < LEAST_ROWS {
        return None;
    }
    let mut sample: Vec<&str> =
        (0..texts.len()).step_by(texts.len() / 256).map(|row| texts.value(row)).collect();
    let rows = sample.len();
    sample.sort_unstable();
    sample.dedup();
    if sample.len() * 2 > rows {
        return None;
    }
    let groups = keys::group(std::slice::from_ref(col), texts.len(), stop);
    let text = |group: u32| groups.firsts.get(group as usize).map(|&row| texts.value(row as usize));
    let mut order: Vec<u32> = (0u32..).take(groups.firsts.len()).collect();
    order.sort_unstable_by_key(|&group| text(group));
    let mut ranks = vec![0u64; order.len()];
    for (rank, group) in (0u64..).zip(order) {
        ranks[group as usize] = rank;
    }
    Some(groups.ids.iter().map(|&id| ranks.get(id as usize).copied().unwrap_or(0)).collect())
}

/// A number for each row that packs the codes of as many keys as fit, the first key highest; and
/// the first key that has to be compared where numbers are equal.
fn leading(keys: &[Key], rows: usize, stop: Stop<'_>) -> (Vec<u64>, usize) {
    let mut all: Vec<u64> = Vec::new();
    let mut used = 0;
    for (index, key) in keys.iter().enumerate() {
        let Codes { numbers: codes, bits, exact } = codes(key, stop);
        let room = u64::BITS - used;
        if bits > room {
            let more = codes.iter().map(|code| code >> (bits - room));
            for (number, more) in all.iter_mut().zip(more) {
                *number = number.checked_shl(room).unwrap_or(0) | more;
            }
            return (all, index);
        }
        if all.is_empty() {
            all = codes;
        } else {
            for (number, code) in all.iter_mut().zip(codes) {
                *number = number.checked_shl(bits).unwrap_or(0) | code;
            }
        }
        used += bits;
        if !exact {
            return (all, index);
        }
        if used == u64::BITS {
            return (all, index + 1);
        }
    }
    all.resize(rows, 0);
    (all, keys.len())
}

/// The 8 bytes from `skip` on as a number, the first byte highest.
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

/// The length of the prefix that all texts share, as paths often do. It does not affect the order.
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

/// The rows in the order of the keys, with equal rows in their original order; only the first
/// `top`, if given.
pub(super) fn sorted(keys: &[Key], rows: &[u32], top: Option<usize>, stop: Stop<'_>) -> Vec<u32> {
    let Some(first) = keys.first() else { return rows.to_vec() };
    let (numbers, from) = leading(keys, first.col.len(), stop);
    if stop.now() {
        return rows.to_vec();
    }
    let pairs = rows.iter().map(|&row| (numbers[row as usize], row));
    let rest = keys.get(from..).unwrap_or_default();
    let ties = |a: u32, b: u32| {
        let differing = rest.iter().map(|k| k.compare(a as usize, b as usize)).find(|o| o.is_ne());
        differing.unwrap_or(Ordering::Equal)
    };
    super::sort::order_pairs(pairs, top, (!rest.is_empty()).then_some(&ties), stop)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::exec::col::bits;

    /// Small pseudo-random numbers, the same on every machine.
    fn numbers(seed: u64, rows: usize, below: u64) -> Vec<u64> {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        (0..rows).map(next).collect()
    }

    fn columns(rows: usize) -> Vec<Col> {
        let n = |seed, below| numbers(seed, rows, below);
        let wide = |v: u64| v.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let odd = [f64::NAN, -f64::NAN, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, -1.5, 1e300];
        let texts = |below: u64| -> Vec<String> {
            n(7, below).into_iter().map(|v| format!("\\Device\\some{v}\u{e9}")).collect()
        };
        let text = |texts: Vec<String>| Col::text(texts.iter().map(|t| Some(t.as_str())));
        let there = |seed| bits(n(seed, 5).into_iter().map(|v| v > 0));
        let all = vec![
            Col::int(n(1, 4).into_iter().map(|v| v.cast_signed() - 2).collect(), None),
            Col::int(n(2, 1000).into_iter().map(|v| wide(v).cast_signed()).collect(), None),
            Col::addr(n(3, 50).into_iter().map(wide).collect(), None),
            Col::double(
                n(4, 8).into_iter().map(|v| odd[usize::try_from(v).unwrap()]).collect(),
                None,
            ),
            text(texts(20)),
            text(texts(100_000)),
            Col::Null(rows),
            Col::addr(n(5, 2).into_iter().map(|v| v * u64::MAX).collect(), None),
        ];
        let masked: Vec<Col> =
            (10..).zip(&all).map(|(seed, col)| col.clone().mask(&there(seed))).collect();
        all.into_iter().chain(masked).collect()
    }

    #[test]
    fn key_codes_order_like_comparisons() {
        let never = AtomicBool::new(false);
        for rows in [1, 300, 12_000] {
            let columns = columns(rows);
            let choice = numbers(99, 240, 64);
            for picks in choice.chunks(3).take(if rows > 1000 { 12 } else { 80 }) {
                let key = |pick: &u64| Key {
                    col: columns[usize::try_from(pick / 4).unwrap() % columns.len()].clone(),
                    descending: pick % 2 == 1,
                    nulls_first: pick % 4 > 1,
                };
                let keys: Vec<Key> = picks.iter().map(key).collect();
                let all: Vec<u32> = (0u32..).take(rows).collect();
                let mut expected = all.clone();
                expected.sort_by(|&a, &b| {
                    let orders = keys.iter().map(|k| k.compare(a as usize, b as usize));
                    orders.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
                });
                let found = sorted(&keys, &all, None, Stop(&never));
                assert!(found == expected, "{rows} rows by {keys:?}");
                expected.truncate(7);
                assert_eq!(sorted(&keys, &all, Some(7), Stop(&never)), expected);
            }
        }
    }
}
