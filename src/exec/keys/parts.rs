//! Grouping of many rows with many groups, divided by hashes among threads.

use rayon::prelude::*;

use super::{Groups, NONE, NumDict, PARALLEL_ROWS, SEEDS, Stop, fold, group, numbers, start};
use crate::exec::col::Col;

/// Groups rows in parts: rows are divided by their hashes, so that each part's table fits a cache
/// and each thread processes its own parts. Faster for many rows with many groups.
pub(super) fn group_in_parts(
    hashes: &[u64],
    equal: impl Fn(u32, u32) -> bool + Sync,
    skip: impl Fn(usize) -> bool,
    stop: Stop<'_>,
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
    let leaders: Vec<Vec<u32>> =
        parts.par_iter().map(|part| leaders_of(part, &equal, stop)).collect();
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

pub(super) fn group_numbers_in_parts(
    keys: &[u64],
    skip: impl Fn(usize) -> bool,
    stop: Stop<'_>,
) -> Groups {
    let (seed, factor) = *SEEDS;
    let hash = |&key: &u64| fold(key ^ seed, factor | 1);
    let hashes: Vec<u64> = keys.par_iter().with_min_len(4096).map(hash).collect();
    group_in_parts(&hashes, |a, b| keys[a as usize] == keys[b as usize], skip, stop)
}

/// Numbers the keys of both sides of a join of two large tables; also returns how many there are.
/// Both sides are grouped at once, which can be divided among threads, unlike a dictionary. `None`
/// if a dictionary is faster.
pub(in crate::exec) fn match_in_parts(
    left: &[Col],
    right: &[Col],
    stop: Stop<'_>,
) -> Option<(Vec<u32>, Vec<u32>, usize)> {
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
    let groups = group(std::slice::from_ref(&both), both.len(), stop);
    let mut right_ids = groups.ids;
    if let Some(validity) = both.validity() {
        for (id, there) in right_ids.iter_mut().zip(validity.iter()) {
            *id = if there { *id } else { NONE };
        }
    }
    let left_ids = right_ids.split_off(right.len());
    Some((left_ids, right_ids, groups.firsts.len()))
}

pub(super) fn leaders_of(
    part: &[(u64, u32)],
    equal: &(impl Fn(u32, u32) -> bool + Sync),
    stop: Stop<'_>,
) -> Vec<u32> {
    if stop.now() {
        return part.iter().map(|&(_, row)| row).collect();
    }
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

/// Whether the first rows hold so many groups that grouping in parts will be faster.
pub(super) fn is_diverse(keys: &[u64]) -> bool {
    if keys.len() < 4 * PARALLEL_ROWS {
        return false;
    }
    let mut sample: Vec<u64> = keys.iter().step_by(keys.len() / 4096).copied().collect();
    let rows = sample.len();
    sample.sort_unstable();
    sample.dedup();
    sample.len() * 2 > rows
}
