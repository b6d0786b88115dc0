//! Texts as keys.

use polars_arrow::array::{Array as _, Utf8ViewArray};
use rayon::prelude::*;

use super::{Groups, NONE, PARALLEL_ROWS, SEEDS, Stop, fold, start};

/// Maps texts to dense numbers. Texts of up to 12 bytes are stored in their views and are compared
/// as one number.
#[derive(Debug)]
pub(super) struct TextDict {
    /// The texts, with shared buffers.
    array: Utf8ViewArray,
    pub(super) firsts: Vec<u32>,
    /// The hash of a text and its number, [`NONE`] if free.
    slots: Vec<(u64, u32)>,
}

const INLINE: u32 = 12;

impl TextDict {
    pub(super) fn new(array: &Utf8ViewArray) -> Self {
        Self { array: array.clone(), firsts: Vec::new(), slots: vec![(0, NONE); 1024] }
    }

    /// Numbers all rows; NULLs get one common number, or none.
    pub(super) fn insert_all(
        &mut self,
        hashes: Vec<u64>,
        null_is_key: bool,
        stop: Stop<'_>,
    ) -> Vec<u32> {
        let mut null = NONE;
        let validity = self.array.validity().cloned();
        let mut stopped = false;
        let insert = |(row, hash): (u32, u64)| {
            stopped = stopped || stop.at(row);
            if stopped {
                return 0;
            }
            if validity.as_ref().is_some_and(|v| !v.get_bit(row as usize)) {
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

    pub(super) fn next_id(&self) -> u32 {
        u32::try_from(self.firsts.len()).unwrap_or(NONE)
    }

    pub(super) fn insert(&mut self, row: u32, hash: u64) -> u32 {
        let at = self.place(&self.array, row as usize, hash);
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

    pub(super) fn find(&self, array: &Utf8ViewArray, row: usize) -> u32 {
        self.slots[self.place(array, row, text_hash(array, row, *SEEDS))].1
    }

    /// The slot of the text, or the free slot for it.
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
        same_text(&self.array, self.firsts[id as usize] as usize, array, row)
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

/// Groups many rows with few groups: each thread numbers the texts of its chunks of rows; then the
/// numbers of the chunks are unified in the order of the chunks.
pub(super) fn group_texts_in_chunks(
    array: &Utf8ViewArray,
    hashes: &[u64],
    stop: Stop<'_>,
) -> Groups {
    let mut ids = vec![0u32; array.len()];
    let number = |(chunk, ids): (usize, &mut [u32])| {
        let mut firsts = Firsts { dict: TextDict::new(array), null: NONE };
        let from = chunk * PARALLEL_ROWS;
        for (row, id) in (from..).zip(ids) {
            if stop.at(u32::try_from(row).unwrap_or(0)) {
                break;
            }
            *id = firsts.number(row, hashes);
        }
        firsts.dict.firsts
    };
    let chunks: Vec<Vec<u32>> = ids.par_chunks_mut(PARALLEL_ROWS).enumerate().map(number).collect();
    let mut all = Firsts { dict: TextDict::new(array), null: NONE };
    let numbers: Vec<Vec<u32>> = chunks
        .iter()
        .map(|firsts| firsts.iter().map(|&row| all.number(row as usize, hashes)).collect())
        .collect();
    ids.par_chunks_mut(PARALLEL_ROWS).zip(&numbers).for_each(|(ids, numbers)| {
        for id in ids {
            *id = numbers.get(*id as usize).copied().unwrap_or(0);
        }
    });
    Groups { ids, firsts: all.dict.firsts }
}

/// Texts and NULL, numbered by their first rows.
struct Firsts {
    dict: TextDict,
    null: u32,
}

impl Firsts {
    fn number(&mut self, row: usize, hashes: &[u64]) -> u32 {
        let at = u32::try_from(row).unwrap_or(0);
        if self.dict.array.is_valid(row) {
            return self.dict.insert(at, hashes[row]);
        }
        if self.null == NONE {
            self.null = self.dict.next_id();
            self.dict.firsts.push(at);
        }
        self.null
    }
}

pub(super) fn same_text(left: &Utf8ViewArray, i: usize, right: &Utf8ViewArray, j: usize) -> bool {
    let (a, b) = (left.views()[i], right.views()[j]);
    if a.length <= INLINE || b.length <= INLINE {
        return a.as_u128() == b.as_u128();
    }
    a.length == b.length && a.prefix == b.prefix && left.value(i) == right.value(j)
}

/// The hashes of all rows; those of NULL rows are meaningless.
pub(super) fn text_hashes(array: &Utf8ViewArray) -> Vec<u64> {
    let seeds = *SEEDS;
    let rows = (0..array.len()).into_par_iter().with_min_len(PARALLEL_ROWS / 4);
    rows.map(|row| text_hash(array, row, seeds)).collect()
}

pub(super) fn text_hash(array: &Utf8ViewArray, row: usize, seeds: (u64, u64)) -> u64 {
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
