//! A dictionary that numbers the keys of one side of a join and looks up those of the other.

use rayon::prelude::*;

use super::text::{TextDict, text_hashes};
use super::{NONE, NumDict, PARALLEL_ROWS, Stop, numbers};
use crate::exec::col::Col;

/// The keys of one side of a join, to be looked up with those of the other.
#[derive(Debug)]
pub(in crate::exec) struct Dict {
    parts: Vec<Part>,
    pairs: Vec<(NumDict, usize)>,
}

#[derive(Debug)]
pub(super) enum Part {
    Null,
    Num(NumDict),
    Text(TextDict),
}

impl Dict {
    /// The dictionary of the columns, the number of each row ([`NONE`] if a key is NULL), and the
    /// number of distinct keys.
    pub(in crate::exec) fn build(
        cols: &[Col],
        rows: usize,
        stop: Stop<'_>,
    ) -> (Self, Vec<u32>, usize) {
        let mut dict = Self { parts: Vec::new(), pairs: Vec::new() };
        let mut ids: Option<(Vec<u32>, usize)> = None;
        for col in cols {
            let (part, own, count) = Part::build(col, rows, stop);
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

    /// The numbers of the other side's rows in this dictionary; [`NONE`] if there is no match.
    pub(in crate::exec) fn lookup(&self, cols: &[Col], rows: usize) -> Vec<u32> {
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

impl Part {
    fn build(col: &Col, rows: usize, stop: Stop<'_>) -> (Self, Vec<u32>, usize) {
        match col {
            Col::Null(_) => (Self::Null, vec![NONE; rows], 0),
            Col::Text(array) => {
                let mut dict = TextDict::new(array);
                let ids = dict.insert_all(text_hashes(array), false, stop);
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
