//! What a timer is, and what is determined once for all timers.

use crate::source::kernel::core::data::Sought;
use std::sync::OnceLock;

use crate::catalog::Cell;
use crate::source::kernel::core::Core;

pub(crate) const TIMER: &str = "_KTIMER";
pub(crate) const ENTRY: &str = "_KTIMER_TABLE_ENTRY";
/// `_DISPATCHER_HEADER.Type` of the two kinds of timers, and of threads.
const TIMERS: [u64; 2] = [8, 9];

/// The two encoding keys of a 64-bit kernel, `KiWaitNever` and `KiWaitAlways`: from symbols, or
/// derived from the timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerKeys {
    pub(crate) never: u64,
    pub(crate) always: u64,
}

pub(crate) const DPC: &str = "_KDPC";

/// The timer table: the address of the first list head, the distance between heads, and their
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerTable {
    pub(crate) first: u64,
    pub(crate) step: u64,
    pub(crate) count: u64,
}

/// What is determined once for all timers, on first use.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    pub(crate) table: OnceLock<Sought<TimerTable>>,
    pub(crate) keys: OnceLock<Sought<TimerKeys>>,
}

impl TimerKeys {
    /// Decodes the DPC pointer of the timer at an address.
    pub(crate) fn decode(self, timer: u64, hidden: u64) -> u64 {
        let turns = u32::from(self.never.to_le_bytes()[0]);
        ((hidden ^ self.never).rotate_left(turns) ^ timer).swap_bytes() ^ self.always
    }
}

/// The possible distances between the list heads of an early table. Where no type information says,
/// an entry is either a list head or a list head followed by a time.
pub(crate) fn early_steps(core: &Core) -> Vec<u64> {
    let plain = 2 * core.header.width.bytes() as u64;
    let known = core.size_of(ENTRY).filter(|size| *size > 0);
    known.map_or_else(|| vec![plain, plain + 8], |step| vec![step])
}

pub(crate) fn header_type(core: &Core, object: u64) -> Cell<u64> {
    // The highest bit is a flag.
    core.structure("_DISPATCHER_HEADER", object).unsigned("Type").map(|kind| kind & 0x7f)
}

pub(crate) fn is_timer(core: &Core, timer: u64) -> bool {
    header_type(core, timer).is_ok_and(|kind| TIMERS.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_inverts_the_kernels_encoding() {
        let keys = TimerKeys { never: 0x37a1_9c04_e5d2_8b66, always: 0xfe12_4d90_7b3a_c58f };
        let (timer, dpc) = (0xffff_fa80_0180_1230, 0xffff_fa80_0180_4560);
        // The kernel's encoding, step by step.
        let hidden = ((dpc ^ keys.always).swap_bytes() ^ timer).rotate_right(0x66) ^ keys.never;
        assert_eq!(keys.decode(timer, hidden), dpc);
        assert_ne!(keys.decode(timer + 0x10, hidden), dpc);
    }
}
