//! What reveals the calls that 64-bit kernels since Windows 7 hide in timers, by the timers themselves.
//!
//! A timer holds the address of its call, changed by its own address, by a rotation and by a number;
//! both follow from two secrets of the kernel and are the same for all. A timer without a call holds
//! the number alone, so each that there is gives one to try, and the right one turns what all others
//! hold into deferred calls of loaded images.

use std::collections::BTreeSet;

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::data::{Missing, Sought, only};
use crate::source::kernel::scheduler::timer::{DPC, Secrets, Timers};
use crate::source::kernel::scheduler::timer_lists;

/// How a kernel's timers hold their calls.
pub(crate) enum Calls {
    Plain,
    Hidden(Cell<Secrets>),
    /// As 64-bit kernels before Windows 7: since 2007 updates hide them.
    Either(Cell<Secrets>),
}

/// So many timers are asked, and so few are not enough.
const ASKED: usize = 64;
const LEAST: usize = 4;
/// Calls that have to come out.
const CALLS: usize = 2;
/// `_KDPC.Type` of calls, and of those that a thread makes.
const KINDS: [u64; 2] = [19, 24];

/// A timer, and what it holds.
type Held = (u64, u64);

pub(crate) fn timer_calls(core: &Core, timers: &Timers) -> Calls {
    let is_early = !core.knows("_KPRCB", "TimerTable");
    if core.header.width == Width::W32 {
        return Calls::Plain;
    }
    let named = |name| core.symbol_address("nt", name);
    let secrets = match named("KiWaitNever").zip(named("KiWaitAlways")) {
        Some((never, always)) => core
            .pointer_at(never)
            .and_then(|never| Ok(Secrets { never, always: core.pointer_at(always)? })),
        None => found_secrets(core, timers).map_err(|_| Absent::NoSymbols),
    };
    if is_early { Calls::Either(secrets) } else { Calls::Hidden(secrets) }
}

/// Numbers that reveal the calls of timers as the two secrets do.
///
/// # Errors
/// Why they were not found.
pub(crate) fn found_secrets(core: &Core, timers: &Timers) -> Sought<Secrets> {
    *timers.secrets.get_or_init(|| {
        let timers = timer_lists::some_timers(core, timers, ASKED);
        if timers.len() < LEAST {
            return Err(Missing::NoData);
        }
        only(candidates(&timers).filter(|secrets| is_revealing(core, *secrets, &timers)))
    })
}

/// Whether at most one of eight timers holds what is neither a call nor nothing.
fn is_revealing(core: &Core, secrets: Secrets, timers: &[Held]) -> bool {
    let (mut calls, mut wrong) = (BTreeSet::new(), 0);
    for (timer, held) in timers {
        let dpc = secrets.reveal(*timer, *held);
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

/// Whether a deferred call of a loaded image is at an address.
fn is_call(core: &Core, at: u64) -> bool {
    let dpc = core.structure(DPC, at);
    core.is_system(at)
        && dpc.unsigned("Type").is_ok_and(|kind| KINDS.contains(&(kind & 0xff)))
        && dpc.pointer("DeferredRoutine").is_ok_and(|at| core.modules().contains(at))
}

/// Every rotation, with the number that makes one of the timers one without a call.
fn candidates(timers: &[Held]) -> impl Iterator<Item = Secrets> {
    (0..64).flat_map(|never| {
        timers.iter().map(move |(timer, held)| {
            let always = Secrets { never, always: 0 }.reveal(*timer, *held);
            Secrets { never, always }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_candidate_reveals_what_the_secrets_do() {
        let secrets = Secrets { never: 0x37a1_9c04_e5d2_8b66, always: 0xfe12_4d90_7b3a_c58f };
        let call = |i: u64| if i == 2 { 0 } else { 0xffff_fa80_0180_4560 + i * i * 0x7b8 };
        let held = |i: u64| {
            let timer = 0xffff_fa80_0190_1230 + i * 0x1_0040;
            let turned = (call(i) ^ secrets.always).swap_bytes() ^ timer;
            (timer, turned.rotate_right(0x66) ^ secrets.never)
        };
        let timers: Vec<Held> = (0..5).map(held).collect();
        let is_right = |secrets: &Secrets| {
            (0..).zip(&timers).all(|(i, (timer, held))| secrets.reveal(*timer, *held) == call(i))
        };
        assert_eq!(candidates(&timers).filter(is_right).count(), 1);
        let without: Vec<Held> = [0, 1, 3, 4].map(held).to_vec();
        assert_eq!(candidates(&without).filter(is_right).count(), 0);
    }
}
