//! What is determined once about drivers, devices and IRPs and used by several tables.

use std::collections::HashMap;
use std::sync::OnceLock;

/// What is determined once and used by several tables.
#[derive(Debug, Default)]
pub(crate) struct Io {
    pub(crate) drivers: OnceLock<Vec<u64>>,
    pub(crate) devices: OnceLock<Vec<u64>>,
    /// The IRPs, if a query found all of them and they are within the limit.
    pub(crate) irps: OnceLock<Vec<FoundIrp>>,
    pub(crate) images: OnceLock<HashMap<u64, u64>>,
}

/// A place where an IRP is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IrpPlace {
    /// The IRP list of a thread.
    Thread,
    /// A device: the IRP is its current one or in its queue.
    Device,
    /// A pool block.
    Pool,
}

/// An IRP, and where it was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FoundIrp {
    pub(crate) irp: u64,
    /// The thread whose list it is on.
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
    /// The names of the places, separated by spaces; the places where the system itself finds it
    /// come first.
    pub(crate) fn found_in(&self) -> String {
        let held = IrpPlace::ALL.iter().filter(|(place, _)| self.places & place.bit() != 0);
        held.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }
}
