//! Numeric keys: a direct lookup table if the keys are close together, otherwise a hash table.

use std::borrow::Cow;

use super::{NONE, SEEDS, fold, start};
use crate::exec::col::Col;

/// Values as numbers that are equal exactly if the values are. The numbers of NULL rows are
/// meaningless.
pub(in crate::exec) fn numbers(col: &Col) -> Cow<'_, [u64]> {
    match col {
        Col::Addr(array) => Cow::Borrowed(array.values().as_slice()),
        Col::Int(array) => array.values().iter().map(|&v| v.cast_unsigned()).collect(),
        Col::Double(array) => array.values().iter().map(|&v| double_bits(v)).collect(),
        Col::Bool(array) => array.values().iter().map(u64::from).collect(),
        Col::Null(len) => Cow::Owned(vec![0; *len]),
        Col::Text(array) => Cow::Owned(vec![0; array.len()]),
    }
}

/// The bits of a double, the same for all NaNs and for both zeros.
fn double_bits(v: f64) -> u64 {
    if v.is_nan() {
        f64::NAN.to_bits()
    } else if v == 0.0 {
        0
    } else {
        v.to_bits()
    }
}

/// Maps numbers to dense numbers.
#[derive(Debug)]
pub(super) struct NumDict {
    table: Table,
    pub(super) count: u32,
}

#[derive(Debug)]
pub(super) enum Table {
    /// One slot for every possible key from `base` up.
    Direct { base: u64, slots: Vec<u32> },
    /// Open addressing; a slot is a key and its number, [`NONE`] if free.
    Hash { slots: Vec<(u64, u32)>, seeds: (u64, u64) },
}

impl NumDict {
    pub(super) fn new(keys: &[u64], rows: usize) -> Self {
        // As signed numbers, both signed and unsigned keys are close together, except unsigned keys
        // around 2^63, for which a hash table is used.
        let signed = keys.iter().map(|&k| k.cast_signed());
        let (min, max) =
            signed.fold((i64::MAX, i64::MIN), |(min, max), k| (min.min(k), max.max(k)));
        let range = if min > max { 0 } else { max.abs_diff(min).saturating_add(1) };
        Self::with_range(min.cast_unsigned(), range, rows)
    }

    pub(super) fn with_range(base: u64, range: u64, rows: usize) -> Self {
        let few = rows.max(4096).saturating_mul(4);
        let table = match usize::try_from(range) {
            Ok(range) if range <= few => Table::Direct { base, slots: vec![NONE; range] },
            _ => Table::Hash { slots: vec![(0, NONE); 1024], seeds: *SEEDS },
        };
        Self { table, count: 0 }
    }

    pub(super) const fn is_hash(&self) -> bool {
        matches!(self.table, Table::Hash { .. })
    }

    /// Reserves a number that no key has.
    pub(super) fn next_id(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    pub(super) fn insert(&mut self, key: u64) -> u32 {
        match &mut self.table {
            Table::Direct { base, slots } => {
                let Some(slot) = direct(*base, key, slots.len()).and_then(|i| slots.get_mut(i))
                else {
                    return 0; // The key of a NULL row, whose number is unused.
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

    pub(super) fn find(&self, key: u64) -> u32 {
        match &self.table {
            Table::Direct { base, slots } => {
                let slot = direct(*base, key, slots.len()).and_then(|i| slots.get(i));
                slot.copied().unwrap_or(NONE)
            }
            Table::Hash { slots, seeds } => slots[place(slots, *seeds, key)].1,
        }
    }
}

pub(super) fn direct(base: u64, key: u64, len: usize) -> Option<usize> {
    usize::try_from(key.wrapping_sub(base)).ok().filter(|&i| i < len)
}

/// The slot of the key, or the free slot for it. There is always a free slot.
pub(super) fn place(slots: &[(u64, u32)], seeds: (u64, u64), key: u64) -> usize {
    let mut at = start(fold(key ^ seeds.0, seeds.1 | 1), slots.len());
    while slots[at].1 != NONE && slots[at].0 != key {
        at = (at + 1) & (slots.len() - 1);
    }
    at
}

pub(super) fn grow(slots: &mut Vec<(u64, u32)>, seeds: (u64, u64)) {
    let old = std::mem::take(slots);
    *slots = vec![(0, NONE); old.len() * 4];
    for (key, id) in old {
        if id != NONE {
            let at = place(slots, seeds, key);
            slots[at] = (key, id);
        }
    }
}
