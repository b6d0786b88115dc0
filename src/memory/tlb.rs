//! A lock-free cache of address translations that threads share.
//!
//! A slot is two numbers that are written one after the other. The first is the key mixed with the
//! value, so a reader that sees halves of two different entries finds no matching key.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many translations are cached; a power of two.
const SLOTS: usize = 1 << 13;
/// The number of bits of a page number.
const PAGE_BITS: u32 = 52;
/// How many address spaces can be distinguished.
const MAX_SPACES: usize = (1 << (64 - PAGE_BITS)) - 1;

/// The cache: maps address space and virtual page number to an offset in the file.
pub(super) struct Tlb {
    slots: Box<[Slot]>,
    spaces: Mutex<HashMap<u64, u16>>,
}

#[derive(Default)]
struct Slot {
    mixed: AtomicU64,
    value: AtomicU64,
}

impl Tlb {
    pub(super) fn new() -> Self {
        let slots = (0..SLOTS).map(|_| Slot::default()).collect();
        Self { slots, spaces: Mutex::default() }
    }

    /// The number of an address space, from 1; `None` if there are too many.
    pub(super) fn number(&self, root: u64) -> Option<u16> {
        let mut spaces = self.spaces.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(number) = spaces.get(&root) {
            return Some(*number);
        }
        let number = spaces.len().saturating_add(1);
        if number > MAX_SPACES {
            return None;
        }
        let number = u16::try_from(number).ok()?;
        spaces.insert(root, number);
        Some(number)
    }

    fn slot(&self, key: u64) -> Option<&Slot> {
        let place = (key ^ (key >> PAGE_BITS).wrapping_mul(0x9e5)) & (SLOTS as u64).wrapping_sub(1);
        self.slots.get(usize::try_from(place).ok()?)
    }

    /// The cached offset of a page.
    pub(super) fn get(&self, space: u16, page: u64) -> Option<u64> {
        let key = key(space, page);
        let slot = self.slot(key)?;
        let value = slot.value.load(Ordering::Relaxed);
        let mixed = slot.mixed.load(Ordering::Relaxed);
        (mixed ^ mix(value) == key).then_some(value)
    }

    /// Caches the offset of a page.
    pub(super) fn put(&self, space: u16, page: u64, value: u64) {
        let key = key(space, page);
        if let Some(slot) = self.slot(key) {
            slot.value.store(value, Ordering::Relaxed);
            slot.mixed.store(key ^ mix(value), Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for Tlb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tlb").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

fn key(space: u16, page: u64) -> u64 {
    u64::from(space) << PAGE_BITS | page & ((1 << PAGE_BITS) - 1)
}

/// Mixes the bits of a number; different inputs give different results.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (value ^ value >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_spaces_and_pages_are_distinguished() {
        let tlb = Tlb::new();
        let (a, b) = (tlb.number(0x1000).unwrap(), tlb.number(0x2000).unwrap());
        assert_eq!(tlb.number(0x1000), Some(a));
        assert_eq!(tlb.get(a, 0), None);
        tlb.put(a, 5, 0x7000);
        assert_eq!(tlb.get(a, 5), Some(0x7000));
        assert_eq!(tlb.get(b, 5), None);
        assert_eq!(tlb.get(a, 5 + SLOTS as u64), None);
        tlb.put(a, 5 + SLOTS as u64, 0x8000);
        assert_eq!(tlb.get(a, 5), None, "one slot, one entry");
        for root in 0..2 * MAX_SPACES as u64 {
            let _ = tlb.number(root);
        }
        assert_eq!(tlb.number(u64::MAX), None);
    }

    #[test]
    fn threads_never_see_a_mixture() {
        let tlb = Tlb::new();
        let space = tlb.number(1).unwrap();
        // All keys share one slot.
        let value = |i: u64| i * 0x1000;
        std::thread::scope(|scope| {
            for start in 0..4u64 {
                let tlb = &tlb;
                scope.spawn(move || {
                    for i in 0..20_000u64 {
                        let i = (i + start * 7) % 64;
                        let page = i * SLOTS as u64;
                        tlb.put(space, page, value(i));
                        if let Some(found) = tlb.get(space, page) {
                            assert_eq!(found, value(i));
                        }
                    }
                });
            }
        });
    }
}
