//! The encoding keys of timers, `KiWaitNever` and `KiWaitAlways`, derived without symbols.
//!
//! 64-bit kernels since Windows 7 encode the DPC pointer of a timer with these two keys and the
//! timer's address. The encoding is the same for all timers. A timer without a DPC holds only a
//! value that depends on the keys and its own address, so each timer gives a candidate for the
//! keys; the right candidate decodes all other timers to DPCs whose routines are in loaded images.

use std::collections::BTreeSet;

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::data::{Missing, Sought, only};
use crate::source::kernel::scheduler::timer::{DPC, TimerKeys, Timers};
use crate::source::kernel::scheduler::timer_lists;

/// How a kernel's timers hold their DPC pointers.
pub(crate) enum Calls {
    Plain,
    Encoded(Cell<TimerKeys>),
    /// On 64-bit kernels before Windows 7, which encode them only with updates from 2007 on.
    Either(Cell<TimerKeys>),
}

/// How many timers are examined, and how many are too few.
const ASKED: usize = 64;
const LEAST: usize = 4;
/// How many pointers must decode to DPCs.
const CALLS: usize = 2;
/// `_KDPC.Type` of normal and threaded DPCs.
const KINDS: [u64; 2] = [19, 24];

/// A timer, and the encoded pointer that it holds.
type Held = (u64, u64);

pub(crate) fn timer_calls(core: &Core, timers: &Timers) -> Calls {
    let is_early = !core.has_field("_KPRCB", "TimerTable");
    if core.header.width == Width::W32 {
        return Calls::Plain;
    }
    let named = |name| core.symbol_address("nt", name);
    let keys = match named("KiWaitNever").zip(named("KiWaitAlways")) {
        Some((never, always)) => core
            .pointer_at(never)
            .and_then(|never| Ok(TimerKeys { never, always: core.pointer_at(always)? })),
        None => derived_keys(core, timers).map_err(|_| Absent::NoSymbols),
    };
    if is_early { Calls::Either(keys) } else { Calls::Encoded(keys) }
}

/// Keys that decode the DPC pointers of timers as `KiWaitNever` and `KiWaitAlways` do.
///
/// # Errors
/// Why they were not found.
pub(crate) fn derived_keys(core: &Core, timers: &Timers) -> Sought<TimerKeys> {
    *timers.keys.get_or_init(|| {
        let timers = timer_lists::some_timers(core, timers, ASKED);
        if timers.len() < LEAST {
            return Err(Missing::NoData);
        }
        only(candidates(&timers).filter(|keys| is_decoding(core, *keys, &timers)))
    })
}

/// Whether at most one of eight timers decodes to neither null nor a DPC.
fn is_decoding(core: &Core, keys: TimerKeys, timers: &[Held]) -> bool {
    let (mut calls, mut wrong) = (BTreeSet::new(), 0);
    for (timer, held) in timers {
        let dpc = keys.decode(*timer, *held);
        if dpc != 0 && is_call(core, dpc) {
            calls.insert(dpc);
        } else if dpc != 0 {
            wrong += 1;
        }
        if wrong * 8 > timers.len() {
            return false;
        }
    }
    calls.len() >= CALLS
}

/// Whether a DPC whose routine is in a loaded image is at an address.
fn is_call(core: &Core, at: u64) -> bool {
    let dpc = core.structure(DPC, at);
    core.is_system(at)
        && dpc.unsigned("Type").is_ok_and(|kind| KINDS.contains(&(kind & 0xff)))
        && dpc.pointer("DeferredRoutine").is_ok_and(|at| core.modules().contains(at))
}

/// Every rotation, with the key that makes one of the timers a timer without a DPC.
fn candidates(timers: &[Held]) -> impl Iterator<Item = TimerKeys> {
    (0..64).flat_map(|never| {
        timers.iter().map(move |(timer, held)| {
            let always = TimerKeys { never, always: 0 }.decode(*timer, *held);
            TimerKeys { never, always }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_candidate_decodes_as_the_keys_do() {
        let keys = TimerKeys { never: 0x37a1_9c04_e5d2_8b66, always: 0xfe12_4d90_7b3a_c58f };
        let call = |i: u64| if i == 2 { 0 } else { 0xffff_fa80_0180_4560 + i * i * 0x7b8 };
        let held = |i: u64| {
            let timer = 0xffff_fa80_0190_1230 + i * 0x1_0040;
            let turned = (call(i) ^ keys.always).swap_bytes() ^ timer;
            (timer, turned.rotate_right(0x66) ^ keys.never)
        };
        let timers: Vec<Held> = (0..5).map(held).collect();
        let is_right = |keys: &TimerKeys| {
            (0..).zip(&timers).all(|(i, (timer, held))| keys.decode(*timer, *held) == call(i))
        };
        assert_eq!(candidates(&timers).filter(is_right).count(), 1);
        let without: Vec<Held> = [0, 1, 3, 4].map(held).to_vec();
        assert_eq!(candidates(&without).filter(is_right).count(), 0);
    }
}
