//! What a timer is, and what is found once of all timers.

use crate::source::kernel::core::data::Sought;
use std::sync::OnceLock;

use crate::catalog::Cell;
use crate::source::kernel::core::Core;

pub(crate) const TIMER: &str = "_KTIMER";
pub(crate) const ENTRY: &str = "_KTIMER_TABLE_ENTRY";
/// `_DISPATCHER_HEADER.Type` of the two kinds of timers, and of threads.
const TIMERS: [u64; 2] = [8, 9];

/// The two secrets of a 64-bit kernel: variables that symbols name, or that timers give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secrets {
    pub(crate) never: u64,
    pub(crate) always: u64,
}

pub(crate) const DPC: &str = "_KDPC";

/// The table: where the first head is, how far apart they are, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerTable {
    pub(crate) first: u64,
    pub(crate) step: u64,
    pub(crate) count: u64,
}

/// What is found once of timers; looked for when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    pub(crate) table: OnceLock<Sought<TimerTable>>,
    pub(crate) secrets: OnceLock<Sought<Secrets>>,
}

impl Secrets {
    /// The pointer that a timer at an address holds.
    pub(crate) fn reveal(self, timer: u64, hidden: u64) -> u64 {
        let turns = u32::from(self.never.to_le_bytes()[0]);
        ((hidden ^ self.never).rotate_left(turns) ^ timer).swap_bytes() ^ self.always
    }
}

/// How far apart the lists of an early table may be. Where no layout says, they are heads of
/// lists, or heads with a time behind them.
pub(crate) fn early_steps(core: &Core) -> Vec<u64> {
    let plain = 2 * core.header.width.bytes() as u64;
    let known = core.size_of(ENTRY).filter(|size| *size > 0);
    known.map_or_else(|| vec![plain, plain + 8], |step| vec![step])
}

pub(crate) fn header_type(core: &Core, object: u64) -> Cell<u64> {
    // Bits above the seventh are flags.
    core.structure("_DISPATCHER_HEADER", object).unsigned("Type").map(|kind| kind & 0x7f)
}

pub(crate) fn is_timer(core: &Core, timer: u64) -> bool {
    header_type(core, timer).is_ok_and(|kind| TIMERS.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revealing_undoes_what_the_kernel_does() {
        let secrets = Secrets { never: 0x37a1_9c04_e5d2_8b66, always: 0xfe12_4d90_7b3a_c58f };
        let (timer, dpc) = (0xffff_fa80_0180_1230, 0xffff_fa80_0180_4560);
        // What the kernel does, in its order.
        let hidden =
            ((dpc ^ secrets.always).swap_bytes() ^ timer).rotate_right(0x66) ^ secrets.never;
        assert_eq!(secrets.reveal(timer, hidden), dpc);
        assert_ne!(secrets.reveal(timer + 0x10, hidden), dpc);
    }
}
