//! Assigns equal numbers to equal keys: the basis of grouping, joins, DISTINCT and set operations.
//!
//! Numbers are dense and in order of first occurrence, so their users are deterministic. Hashing is
//! seeded randomly for each run of the program, because an input file may hold keys that were
//! chosen to collide.
//!
//! The hash tables are our own: they number keys in order of first occurrence and store row
//! numbers, where `hashbrown` would store the keys.

mod dict;
mod number;
mod parts;
mod text;

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::col::Col;

pub(super) use dict::Dict;
use number::NumDict;
pub(super) use number::numbers;
pub(super) use parts::match_in_parts;
use parts::{group_in_parts, group_numbers_in_parts, is_diverse};
use text::{TextDict, group_texts_in_chunks, same_text, text_hashes};

/// The number of a key that is NULL or unknown.
pub(super) const NONE: u32 = u32::MAX;
/// Fewer rows are processed on one thread.
const PARALLEL_ROWS: usize = 65_536;

/// The groups of rows with equal keys; NULLs are equal.
#[derive(Debug)]
pub(super) struct Groups {
    /// The group of each row.
    pub(super) ids: Vec<u32>,
    /// The first row of each group.
    pub(super) firsts: Vec<u32>,
}

/// A flag, checked every few rows, that ends the work early. Results after that are incomplete and
/// must be dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop<'a>(pub(super) &'a AtomicBool);

impl Stop<'_> {
    fn at(self, row: u32) -> bool {
        row.trailing_zeros() >= 16 && self.now()
    }

    pub(super) fn now(self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Groups rows by the values of the columns; one group if there are rows but no columns.
pub(super) fn group(cols: &[Col], rows: usize, stop: Stop<'_>) -> Groups {
    let Some((first, rest)) = cols.split_first() else {
        return Groups { ids: vec![0; rows], firsts: (0..u32::from(rows > 0)).collect() };
    };
    let mut groups = group_one(first, rows, stop);
    for col in rest {
        if groups.firsts.len() == rows {
            break;
        }
        let other = group_one(col, rows, stop);
        groups = group_pairs(&groups, &other, stop);
    }
    groups
}

fn group_one(col: &Col, rows: usize, stop: Stop<'_>) -> Groups {
    match col {
        Col::Null(_) => group(&[], rows, stop),
        Col::Text(array) => {
            let hashes = text_hashes(array);
            if is_diverse(&hashes) {
                let equal = |a: u32, b: u32| same_text(array, a as usize, array, b as usize);
                return group_in_parts(&hashes, equal, |row| col.is_null(row), stop);
            }
            if rows >= 4 * PARALLEL_ROWS {
                return group_texts_in_chunks(array, &hashes, stop);
            }
            let mut dict = TextDict::new(array);
            let ids = dict.insert_all(hashes, true, stop);
            Groups { ids, firsts: dict.firsts }
        }
        _ => {
            let keys = numbers(col);
            let mut dict = NumDict::new(&keys, rows);
            if dict.is_hash() && is_diverse(&keys) {
                return group_numbers_in_parts(&keys, |row| col.is_null(row), stop);
            }
            let mut firsts = Vec::new();
            let validity = col.validity();
            let mut null = NONE;
            let mut stopped = false;
            let ids = (0u32..).zip(keys.iter()).map(|(row, &key)| {
                stopped = stopped || stop.at(row);
                if stopped {
                    return 0;
                }
                if validity.as_ref().is_some_and(|v| !v.get_bit(row as usize)) {
                    if null == NONE {
                        null = dict.next_id();
                        firsts.push(row);
                    }
                    return null;
                }
                let id = dict.insert(key);
                if id as usize == firsts.len() {
                    firsts.push(row);
                }
                id
            });
            let ids = ids.collect();
            Groups { ids, firsts }
        }
    }
}

fn group_pairs(left: &Groups, right: &Groups, stop: Stop<'_>) -> Groups {
    let codes = pair_codes(&left.ids, &right.ids, right.firsts.len());
    let range = (left.firsts.len() as u64).saturating_mul(right.firsts.len() as u64);
    let mut dict = NumDict::with_range(0, range, codes.len());
    if dict.is_hash() && is_diverse(&codes) {
        return group_numbers_in_parts(&codes, |_| false, stop);
    }
    let mut firsts = Vec::new();
    let mut stopped = false;
    let ids = (0u32..).zip(&codes).map(|(row, &code)| {
        stopped = stopped || stop.at(row);
        if stopped {
            return 0;
        }
        let id = dict.insert(code);
        if id as usize == firsts.len() {
            firsts.push(row);
        }
        id
    });
    let ids = ids.collect();
    Groups { ids, firsts }
}

/// Combines two numbers into one; the right one is below `count`.
fn pair_codes(left: &[u32], right: &[u32], count: usize) -> Vec<u64> {
    let count = count as u64;
    left.iter().zip(right).map(|(&l, &r)| u64::from(l) * count + u64::from(r)).collect()
}

static SEEDS: LazyLock<(u64, u64)> = LazyLock::new(|| {
    let state = RandomState::new();
    (state.hash_one(1u8), state.hash_one(2u8))
});

/// The exclusive or of both halves of the product: every bit of both factors affects every bit.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[allow(clippy::cast_possible_truncation, reason = "the halves of the product")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

#[allow(clippy::cast_possible_truncation, reason = "the mask keeps only the low bits")]
fn start(hash: u64, len: usize) -> usize {
    hash as usize & (len - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::col::bits;

    static NEVER: AtomicBool = AtomicBool::new(false);
    const GO: Stop<'static> = Stop(&NEVER);

    #[test]
    fn key_numbers_are_in_order_of_first_occurrence() {
        let long = ["a name longer than a view", "a name longer than a view!"];
        let texts = [Some("b"), None, Some("a"), Some("b"), None, Some(long[0]), Some(long[1])];
        let text = Col::text(texts.into_iter());
        let groups = group(std::slice::from_ref(&text), 7, GO);
        assert_eq!(groups.ids, [0, 1, 2, 0, 1, 3, 4]);
        assert_eq!(groups.firsts, [0, 1, 2, 5, 6]);
        let int = Col::int(vec![1, 1, 1 << 40, 1, 2, 2, 2], None);
        assert_eq!(group(&[text, int], 7, GO).ids, [0, 1, 2, 0, 3, 4, 5]);
    }

    #[test]
    fn grouping_in_parts_gives_the_same_numbers() {
        let rows = 5 * PARALLEL_ROWS;
        let value = |row: usize| i64::try_from(row * 7919 % (rows * 2 / 3)).unwrap() * 1_000_003;
        let there = bits((0..rows).map(|row| row % 11 != 3));
        let numbers = Col::int((0..rows).map(value).collect(), Some(there.clone()));
        let texts: Vec<String> = (0..rows).map(|row| format!("some text {}", value(row))).collect();
        let texts = Col::text(texts.iter().map(|t| Some(t.as_str()))).mask(&there);
        let mut known = std::collections::HashMap::new();
        let expected: Vec<u32> = (0..rows)
            .map(|row| {
                let next = u32::try_from(known.len()).unwrap();
                *known.entry(there.get_bit(row).then(|| value(row))).or_insert(next)
            })
            .collect();
        for col in [numbers, texts] {
            let groups = group(std::slice::from_ref(&col), rows, GO);
            assert!(groups.ids == expected);
            assert_eq!(groups.firsts.len(), known.len());
            let cols = std::slice::from_ref(&col);
            let (left, right, _) = match_in_parts(cols, cols, GO).unwrap();
            assert!(left == right);
            assert!((0..rows).all(|row| (left[row] == NONE) != there.get_bit(row)));
        }
    }

    #[test]
    fn chunked_numbering_of_few_texts_equals_numbering_at_once() {
        let rows = 4 * PARALLEL_ROWS + 17;
        let of = |row: usize| (row / 1000 * 7 % 50, row % 13 != 5);
        let texts: Vec<String> = (0..rows).map(|row| format!("a text {}", of(row).0)).collect();
        let col = Col::text(texts.iter().map(|t| Some(t.as_str())));
        let col = col.mask(&bits((0..rows).map(|row| of(row).1)));
        let mut known = std::collections::HashMap::new();
        let mut firsts = Vec::new();
        let ids: Vec<u32> = (0..rows)
            .map(|row| {
                let next = u32::try_from(known.len()).unwrap();
                *known.entry(of(row).1.then_some(of(row).0)).or_insert_with(|| {
                    firsts.push(u32::try_from(row).unwrap());
                    next
                })
            })
            .collect();
        let groups = group(std::slice::from_ref(&col), rows, GO);
        assert!(groups.ids == ids);
        assert_eq!(groups.firsts, firsts);
    }

    #[test]
    fn every_key_is_found_again() {
        let many: Vec<i64> = (0..50_000).map(|i| i * 7_919 * 1_000_003).collect();
        let cols = [Col::int(many, None)];
        let (dict, ids, count) = Dict::build(&cols, 50_000, GO);
        assert_eq!(count, 50_000);
        assert_eq!(dict.lookup(&cols, 50_000), ids);
        assert_eq!(dict.lookup(&[Col::int(vec![5], None)], 1), [NONE]);
        assert_eq!(dict.lookup(&[Col::Null(2)], 2), [NONE, NONE]);
    }
}
