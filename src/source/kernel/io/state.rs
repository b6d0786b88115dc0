//! What is found once of drivers, devices and IRPs, and then asked for by several tables.

use std::collections::HashMap;
use std::sync::OnceLock;

/// What is found once and then asked for by several tables.
#[derive(Debug, Default)]
pub(crate) struct Io {
    pub(crate) drivers: OnceLock<Vec<u64>>,
    pub(crate) devices: OnceLock<Vec<u64>>,
    /// The packets, if a query found all of them and there are not too many.
    pub(crate) packets: OnceLock<Vec<FoundIrp>>,
    pub(crate) images: OnceLock<HashMap<u64, u64>>,
}

/// A place where a packet is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IrpPlace {
    /// The list of a thread.
    Thread,
    /// A device, as the request that it works on or in its queue.
    Device,
    /// A block of the pool.
    Pool,
}

/// A packet, and where it was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoundIrp {
    pub(crate) irp: u64,
    /// The thread on whose list it is.
    pub(crate) thread: Option<u64>,
    pub(crate) places: u8,
}

impl IrpPlace {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Thread, "thread"), (Self::Device, "device"), (Self::Pool, "pool")];

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl FoundIrp {
    /// The words for the places, separated by blanks: where the system itself has it comes first.
    pub(crate) fn found_in(&self) -> String {
        let held = IrpPlace::ALL.iter().filter(|(place, _)| self.places & place.bit() != 0);
        held.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }
}
