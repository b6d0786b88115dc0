//! Equal keys get equal numbers: the base of grouping, joins, DISTINCT and set operations.
//!
//! Numbers are dense and given in order of first appearance, so whatever is built on them is
//! deterministic. Hashing is seeded at random for each run of the program, because the keys come
//! from files that someone may have made to collide.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use polars_arrow::array::{Array as _, Utf8ViewArray};
use rayon::prelude::*;

use super::col::Col;

/// The number of a key that is NULL or unknown.
pub(super) const NONE: u32 = u32::MAX;
/// Work on fewer rows is not worth a second thread.
const PARALLEL_ROWS: usize = 65_536;

/// The groups of rows with equal keys; NULLs are equal.
#[derive(Debug)]
pub(super) struct Groups {
    /// The group of each row.
    pub(super) ids: Vec<u32>,
    /// The first row of each group.
    pub(super) firsts: Vec<u32>,
}

/// Groups rows by the values of the columns; one group if there are no columns, and rows.
pub(super) fn group(cols: &[Col], rows: usize) -> Groups {
    let Some((first, rest)) = cols.split_first() else {
        return Groups { ids: vec![0; rows], firsts: (0..u32::from(rows > 0)).collect() };
    };
    let mut groups = group_one(first, rows);
    for col in rest {
        if groups.firsts.len() == rows {
            break;
        }
        let other = group_one(col, rows);
        groups = group_pairs(&groups, &other);
    }
    groups
}

fn group_one(col: &Col, rows: usize) -> Groups {
    match col {
        Col::Null(_) => group(&[], rows),
        Col::Text(array) => {
            let hashes = text_hashes(array);
            if is_diverse(&hashes) {
                let equal = |a: u32, b: u32| same_text(array, a as usize, array, b as usize);
                return group_in_parts(&hashes, equal, |row| col.is_null(row));
            }
            let mut dict = TextDict::new(array);
            let ids = dict.insert_all(hashes, true);
            Groups { ids, firsts: dict.firsts }
        }
        _ => {
            let keys = numbers(col);
            let mut dict = NumDict::new(&keys, rows);
            if dict.is_hash() && is_diverse(&keys) {
                return group_numbers_in_parts(&keys, |row| col.is_null(row));
            }
            let mut firsts = Vec::new();
            let validity = col.validity();
            let mut null = NONE;
            let ids = (0u32..).zip(keys.iter()).map(|(row, &key)| {
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

/// Grouping in parts: rows are divided by their hashes, so that each part's table fits a cache and
/// each thread has parts of its own. Pays when there are many rows and many groups.
fn group_in_parts(
    hashes: &[u64],
    equal: impl Fn(u32, u32) -> bool + Sync,
    skip: impl Fn(usize) -> bool,
) -> Groups {
    let rows = hashes.len();
    let part_of = |hash: u64| usize::try_from(hash >> (u64::BITS - PART_BITS)).unwrap_or(0);
    let mut lens = vec![0usize; 1 << PART_BITS];
    let mut null = None;
    for (row, &hash) in hashes.iter().enumerate() {
        if skip(row) {
            null = null.or(Some(row));
        } else {
            lens[part_of(hash)] += 1;
        }
    }
    let mut parts: Vec<Vec<(u64, u32)>> = lens.iter().map(|&len| Vec::with_capacity(len)).collect();
    for (row, &hash) in (0u32..).zip(hashes) {
        if !skip(row as usize) {
            parts[part_of(hash)].push((hash, row));
        }
    }
    // For each row of a part the first row that is equal to it.
    let leaders: Vec<Vec<u32>> = parts.par_iter().map(|part| leaders_of(part, &equal)).collect();
    let mut leader = vec![null.map_or(NONE, |row| u32::try_from(row).unwrap_or(NONE)); rows];
    for (part, leaders) in parts.iter().zip(leaders) {
        for (&(_, row), first) in part.iter().zip(leaders) {
            leader[row as usize] = first;
        }
    }
    let mut firsts = Vec::new();
    let mut ids = vec![0u32; rows];
    for row in 0..rows {
        let first = leader[row] as usize;
        if first == row {
            ids[row] = u32::try_from(firsts.len()).unwrap_or(NONE);
            firsts.push(leader[row]);
        } else {
            ids[row] = ids[first];
        }
    }
    Groups { ids, firsts }
}

const PART_BITS: u32 = 6;

fn group_numbers_in_parts(keys: &[u64], skip: impl Fn(usize) -> bool) -> Groups {
    let (seed, factor) = *SEEDS;
    let hash = |&key: &u64| fold(key ^ seed, factor | 1);
    let hashes: Vec<u64> = keys.par_iter().with_min_len(4096).map(hash).collect();
    group_in_parts(&hashes, |a, b| keys[a as usize] == keys[b as usize], skip)
}

/// Numbers for the keys of both sides of a join of two large tables, and how many there are:
/// grouping both at once is divided among threads, which a dictionary is not. `None` where a
/// dictionary serves better.
pub(super) fn match_in_parts(left: &[Col], right: &[Col]) -> Option<(Vec<u32>, Vec<u32>, usize)> {
    let [left] = left else { return None };
    let [right] = right else { return None };
    let large = left.len().min(right.len()) >= 4 * PARALLEL_ROWS;
    let hashed = |col: &Col| match col {
        Col::Text(_) => true,
        _ => NumDict::new(&numbers(col), col.len()).is_hash(),
    };
    if !large || !hashed(right) {
        return None;
    }
    let both = Col::concat(&[right.clone(), left.clone()]);
    let groups = group(std::slice::from_ref(&both), both.len());
    let mut right_ids = groups.ids;
    if let Some(validity) = both.validity() {
        for (id, there) in right_ids.iter_mut().zip(validity.iter()) {
            *id = if there { *id } else { NONE };
        }
    }
    let left_ids = right_ids.split_off(right.len());
    Some((left_ids, right_ids, groups.firsts.len()))
}

fn leaders_of(part: &[(u64, u32)], equal: &(impl Fn(u32, u32) -> bool + Sync)) -> Vec<u32> {
    let len = (part.len() * 2).next_power_of_two().max(16);
    let mut slots: Vec<(u64, u32)> = vec![(0, NONE); len];
    let leader = |&(hash, row): &(u64, u32)| {
        let mut at = start(hash, len);
        loop {
            let (known, first) = slots[at];
            if first == NONE {
                slots[at] = (hash, row);
                return row;
            }
            if known == hash && equal(first, row) {
                return first;
            }
            at = (at + 1) & (len - 1);
        }
    };
    part.iter().map(leader).collect()
}

/// Whether the first rows hold so many groups that grouping in parts will pay.
fn is_diverse(keys: &[u64]) -> bool {
    if keys.len() < 4 * PARALLEL_ROWS {
        return false;
    }
    let mut sample: Vec<u64> = keys.iter().step_by(keys.len() / 4096).copied().collect();
    let rows = sample.len();
    sample.sort_unstable();
    sample.dedup();
    sample.len() * 2 > rows
}

fn group_pairs(left: &Groups, right: &Groups) -> Groups {
    let codes = pair_codes(&left.ids, &right.ids, right.firsts.len());
    let range = (left.firsts.len() as u64).saturating_mul(right.firsts.len() as u64);
    let mut dict = NumDict::with_range(0, range, codes.len());
    if dict.is_hash() && is_diverse(&codes) {
        return group_numbers_in_parts(&codes, |_| false);
    }
    let mut firsts = Vec::new();
    let ids = (0u32..).zip(&codes).map(|(row, &code)| {
        let id = dict.insert(code);
        if id as usize == firsts.len() {
            firsts.push(row);
        }
        id
    });
    let ids = ids.collect();
    Groups { ids, firsts }
}

/// One number for two; the right one is below `count`.
fn pair_codes(left: &[u32], right: &[u32], count: usize) -> Vec<u64> {
    let count = count as u64;
    left.iter().zip(right).map(|(&l, &r)| u64::from(l) * count + u64::from(r)).collect()
}

/// The keys of one side of a join, to be looked up with those of the other.
#[derive(Debug)]
pub(super) struct Dict<'a> {
    parts: Vec<Part<'a>>,
    pairs: Vec<(NumDict, usize)>,
}

#[derive(Debug)]
enum Part<'a> {
    Null,
    Num(NumDict),
    Text(TextDict<'a>),
}

impl<'a> Dict<'a> {
    /// The dictionary of the columns, the number of each row ([`NONE`] with a NULL in it), and how
    /// many numbers there are.
    pub(super) fn build(cols: &'a [Col], rows: usize) -> (Self, Vec<u32>, usize) {
        let mut dict = Self { parts: Vec::new(), pairs: Vec::new() };
        let mut ids: Option<(Vec<u32>, usize)> = None;
        for col in cols {
            let (part, own, count) = Part::build(col, rows);
            dict.parts.push(part);
            ids = Some(match ids {
                None => (own, count),
                Some((left, left_count)) => {
                    let range = (left_count as u64).saturating_mul(count as u64);
                    let mut pairs = NumDict::with_range(0, range, rows);
                    let both = left.iter().zip(&own).map(|(&l, &r)| {
                        if l == NONE || r == NONE {
                            return NONE;
                        }
                        pairs.insert(u64::from(l) * count as u64 + u64::from(r))
                    });
                    let both = both.collect();
                    let total = pairs.count as usize;
                    dict.pairs.push((pairs, count));
                    (both, total)
                }
            });
        }
        let (ids, count) = ids.unwrap_or_else(|| (vec![0; rows], usize::from(rows > 0)));
        (dict, ids, count)
    }

    /// The numbers that rows of the other side have in this dictionary; [`NONE`] for no match.
    pub(super) fn lookup(&self, cols: &[Col], rows: usize) -> Vec<u32> {
        let mut parts = self.parts.iter().zip(cols);
        let Some((part, col)) = parts.next() else { return vec![0; rows] };
        let mut ids = part.lookup(col, rows);
        for ((part, col), (pairs, count)) in parts.zip(&self.pairs) {
            let other = part.lookup(col, rows);
            for (id, other) in ids.iter_mut().zip(other) {
                *id = if *id == NONE || other == NONE {
                    NONE
                } else {
                    pairs.find(u64::from(*id) * *count as u64 + u64::from(other))
                };
            }
        }
        ids
    }
}

impl<'a> Part<'a> {
    fn build(col: &'a Col, rows: usize) -> (Self, Vec<u32>, usize) {
        match col {
            Col::Null(_) => (Self::Null, vec![NONE; rows], 0),
            Col::Text(array) => {
                let mut dict = TextDict::new(array);
                let ids = dict.insert_all(text_hashes(array), false);
                let count = dict.firsts.len();
                (Self::Text(dict), ids, count)
            }
            _ => {
                let keys = numbers(col);
                let mut dict = NumDict::new(&keys, rows);
                let ids = match col.validity() {
                    None => keys.iter().map(|&key| dict.insert(key)).collect(),
                    Some(validity) => (keys.iter().zip(validity.iter()))
                        .map(|(&key, there)| if there { dict.insert(key) } else { NONE })
                        .collect(),
                };
                let count = dict.count as usize;
                (Self::Num(dict), ids, count)
            }
        }
    }

    fn lookup(&self, col: &Col, rows: usize) -> Vec<u32> {
        let found = match (self, col) {
            (Self::Num(dict), Col::Bool(_) | Col::Int(_) | Col::Double(_) | Col::Addr(_)) => {
                let keys = numbers(col);
                let find = |chunk: &[u64]| -> Vec<u32> {
                    chunk.iter().map(|&key| dict.find(key)).collect()
                };
                if rows < PARALLEL_ROWS {
                    find(&keys)
                } else {
                    keys.par_chunks(PARALLEL_ROWS / 4).flat_map_iter(find).collect()
                }
            }
            (Self::Text(dict), Col::Text(array)) => {
                (0..rows).into_par_iter().with_min_len(8192).map(|r| dict.find(array, r)).collect()
            }
            _ => vec![NONE; rows],
        };
        let Some(validity) = col.validity() else { return found };
        let masked = found.into_iter().zip(validity.iter());
        masked.map(|(id, there)| if there { id } else { NONE }).collect()
    }
}

/// Values as numbers that are equal exactly if the values are. What stands in NULL rows is of no
/// meaning.
pub(super) fn numbers(col: &Col) -> Cow<'_, [u64]> {
    match col {
        Col::Addr(array) => Cow::Borrowed(array.values().as_slice()),
        Col::Int(array) => array.values().iter().map(|&v| v.cast_unsigned()).collect(),
        Col::Double(array) => array.values().iter().map(|&v| double_bits(v)).collect(),
        Col::Bool(array) => array.values().iter().map(u64::from).collect(),
        Col::Null(len) => Cow::Owned(vec![0; *len]),
        Col::Text(array) => Cow::Owned(vec![0; array.len()]),
    }
}

/// One pattern of bits for all NaNs, and one for both zeros.
pub(super) fn double_bits(v: f64) -> u64 {
    if v.is_nan() {
        f64::NAN.to_bits()
    } else if v == 0.0 {
        0
    } else {
        v.to_bits()
    }
}

static SEEDS: LazyLock<(u64, u64)> = LazyLock::new(|| {
    let state = RandomState::new();
    (state.hash_one(1u8), state.hash_one(2u8))
});

/// The product's halves folded together: every bit of both factors reaches every bit.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[allow(clippy::cast_possible_truncation, reason = "the halves of the product")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// Numbers to dense numbers.
#[derive(Debug)]
struct NumDict {
    table: Table,
    count: u32,
}

#[derive(Debug)]
enum Table {
    /// One slot for every possible key, from `base` on.
    Direct { base: u64, slots: Vec<u32> },
    /// Open addressing; a slot is a key and its number, [`NONE`] when free.
    Hash { slots: Vec<(u64, u32)>, seeds: (u64, u64) },
}

impl NumDict {
    fn new(keys: &[u64], rows: usize) -> Self {
        // Signed and unsigned keys alike lie closely together as signed numbers, except across
        // the sign, where hashing serves as well.
        let signed = keys.iter().map(|&k| k.cast_signed());
        let (min, max) =
            signed.fold((i64::MAX, i64::MIN), |(min, max), k| (min.min(k), max.max(k)));
        let range = if min > max { 0 } else { max.abs_diff(min).saturating_add(1) };
        Self::with_range(min.cast_unsigned(), range, rows)
    }

    fn with_range(base: u64, range: u64, rows: usize) -> Self {
        let few = rows.max(4096).saturating_mul(4);
        let table = match usize::try_from(range) {
            Ok(range) if range <= few => Table::Direct { base, slots: vec![NONE; range] },
            _ => Table::Hash { slots: vec![(0, NONE); 1024], seeds: *SEEDS },
        };
        Self { table, count: 0 }
    }

    const fn is_hash(&self) -> bool {
        matches!(self.table, Table::Hash { .. })
    }

    /// Sets a number aside that no key has.
    fn next_id(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    fn insert(&mut self, key: u64) -> u32 {
        match &mut self.table {
            Table::Direct { base, slots } => {
                let Some(slot) = direct(*base, key, slots.len()).and_then(|i| slots.get_mut(i))
                else {
                    return 0; // The key of a NULL row, whose number nobody looks at.
                };
                if *slot == NONE {
                    *slot = self.count;
                    self.count += 1;
                }
                *slot
            }
            Table::Hash { slots, seeds } => {
                let at = place(slots, *seeds, key);
                if slots[at].1 != NONE {
                    return slots[at].1;
                }
                let id = self.count;
                slots[at] = (key, id);
                self.count += 1;
                if self.count as usize * 2 > slots.len() {
                    grow(slots, *seeds);
                }
                id
            }
        }
    }

    fn find(&self, key: u64) -> u32 {
        match &self.table {
            Table::Direct { base, slots } => {
                let slot = direct(*base, key, slots.len()).and_then(|i| slots.get(i));
                slot.copied().unwrap_or(NONE)
            }
            Table::Hash { slots, seeds } => slots[place(slots, *seeds, key)].1,
        }
    }
}

fn direct(base: u64, key: u64, len: usize) -> Option<usize> {
    usize::try_from(key.wrapping_sub(base)).ok().filter(|&i| i < len)
}

#[allow(clippy::cast_possible_truncation, reason = "the mask keeps the low bits alone")]
fn start(hash: u64, len: usize) -> usize {
    hash as usize & (len - 1)
}

/// The slot of the key, or the free slot where it belongs. There always is a free slot.
fn place(slots: &[(u64, u32)], seeds: (u64, u64), key: u64) -> usize {
    let mut at = start(fold(key ^ seeds.0, seeds.1 | 1), slots.len());
    while slots[at].1 != NONE && slots[at].0 != key {
        at = (at + 1) & (slots.len() - 1);
    }
    at
}

fn grow(slots: &mut Vec<(u64, u32)>, seeds: (u64, u64)) {
    let old = std::mem::take(slots);
    *slots = vec![(0, NONE); old.len() * 4];
    for (key, id) in old {
        if id != NONE {
            let at = place(slots, seeds, key);
            slots[at] = (key, id);
        }
    }
}

/// Texts to dense numbers. Texts of up to 12 bytes lie within their views and are compared as one
/// number.
#[derive(Debug)]
struct TextDict<'a> {
    array: &'a Utf8ViewArray,
    firsts: Vec<u32>,
    /// The hash of a text and its number, [`NONE`] when free.
    slots: Vec<(u64, u32)>,
}

const INLINE: u32 = 12;

impl<'a> TextDict<'a> {
    fn new(array: &'a Utf8ViewArray) -> Self {
        Self { array, firsts: Vec::new(), slots: vec![(0, NONE); 1024] }
    }

    /// Numbers for all rows; NULLs get one number together, or none.
    fn insert_all(&mut self, hashes: Vec<u64>, null_is_key: bool) -> Vec<u32> {
        let mut null = NONE;
        let validity = self.array.validity();
        let insert = |(row, hash): (u32, u64)| {
            if validity.is_some_and(|v| !v.get_bit(row as usize)) {
                if null_is_key && null == NONE {
                    null = self.next_id();
                    self.firsts.push(row);
                }
                return null;
            }
            self.insert(row, hash)
        };
        (0u32..).zip(hashes).map(insert).collect()
    }

    fn next_id(&self) -> u32 {
        u32::try_from(self.firsts.len()).unwrap_or(NONE)
    }

    fn insert(&mut self, row: u32, hash: u64) -> u32 {
        let at = self.place(self.array, row as usize, hash);
        if self.slots[at].1 != NONE {
            return self.slots[at].1;
        }
        let id = self.next_id();
        self.slots[at] = (hash, id);
        self.firsts.push(row);
        if self.firsts.len() * 2 > self.slots.len() {
            self.grow();
        }
        id
    }

    fn find(&self, array: &Utf8ViewArray, row: usize) -> u32 {
        self.slots[self.place(array, row, text_hash(array, row, *SEEDS))].1
    }

    /// The slot of the text, or the free slot where it belongs.
    fn place(&self, array: &Utf8ViewArray, row: usize, hash: u64) -> usize {
        let mut at = start(hash, self.slots.len());
        loop {
            let (known, id) = self.slots[at];
            if id == NONE || (known == hash && self.equal(id, array, row)) {
                return at;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    fn equal(&self, id: u32, array: &Utf8ViewArray, row: usize) -> bool {
        same_text(self.array, self.firsts[id as usize] as usize, array, row)
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 4;
        let mut slots = vec![(0, NONE); len];
        for &(hash, id) in self.slots.iter().filter(|s| s.1 != NONE) {
            let mut at = start(hash, len);
            while slots[at].1 != NONE {
                at = (at + 1) & (len - 1);
            }
            slots[at] = (hash, id);
        }
        self.slots = slots;
    }
}

fn same_text(left: &Utf8ViewArray, i: usize, right: &Utf8ViewArray, j: usize) -> bool {
    let (a, b) = (left.views()[i], right.views()[j]);
    if a.length <= INLINE || b.length <= INLINE {
        return a.as_u128() == b.as_u128();
    }
    a.length == b.length && a.prefix == b.prefix && left.value(i) == right.value(j)
}

/// The hashes of all rows; those of NULL rows are of no meaning.
fn text_hashes(array: &Utf8ViewArray) -> Vec<u64> {
    let seeds = *SEEDS;
    let rows = (0..array.len()).into_par_iter().with_min_len(PARALLEL_ROWS / 4);
    rows.map(|row| text_hash(array, row, seeds)).collect()
}

fn text_hash(array: &Utf8ViewArray, row: usize, seeds: (u64, u64)) -> u64 {
    let view = array.views()[row];
    if view.length <= INLINE {
        let bits = view.as_u128();
        #[allow(clippy::cast_possible_truncation, reason = "the halves of the view")]
        let (low, high) = (bits as u64, (bits >> 64) as u64);
        return fold(low ^ seeds.0, high ^ seeds.1);
    }
    let bytes = array.value(row).as_bytes();
    let mut hash = seeds.0 ^ bytes.len() as u64;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        hash = fold(hash ^ word.try_into().map_or(0, u64::from_le_bytes), seeds.1 | 1);
    }
    let mut last = [0u8; 8];
    for (to, from) in last.iter_mut().zip(words.remainder()) {
        *to = *from;
    }
    fold(hash ^ u64::from_le_bytes(last), seeds.1 | 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::col::bits;

    #[test]
    fn numbers_come_in_order_of_appearance() {
        let long = ["a name longer than a view", "a name longer than a view!"];
        let texts = [Some("b"), None, Some("a"), Some("b"), None, Some(long[0]), Some(long[1])];
        let text = Col::text(texts.into_iter());
        let groups = group(std::slice::from_ref(&text), 7);
        assert_eq!(groups.ids, [0, 1, 2, 0, 1, 3, 4]);
        assert_eq!(groups.firsts, [0, 1, 2, 5, 6]);
        let int = Col::int(vec![1, 1, 1 << 40, 1, 2, 2, 2], None);
        assert_eq!(group(&[text, int], 7).ids, [0, 1, 2, 0, 3, 4, 5]);
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
            let groups = group(std::slice::from_ref(&col), rows);
            assert!(groups.ids == expected);
            assert_eq!(groups.firsts.len(), known.len());
            let cols = std::slice::from_ref(&col);
            let (left, right, _) = match_in_parts(cols, cols).unwrap();
            assert!(left == right);
            assert!((0..rows).all(|row| (left[row] == NONE) != there.get_bit(row)));
        }
    }

    #[test]
    fn every_key_is_found_again() {
        let many: Vec<i64> = (0..50_000).map(|i| i * 7_919 * 1_000_003).collect();
        let cols = [Col::int(many, None)];
        let (dict, ids, count) = Dict::build(&cols, 50_000);
        assert_eq!(count, 50_000);
        assert_eq!(dict.lookup(&cols, 50_000), ids);
        assert_eq!(dict.lookup(&[Col::int(vec![5], None)], 1), [NONE]);
        assert_eq!(dict.lookup(&[Col::Null(2)], 2), [NONE, NONE]);
    }
}
