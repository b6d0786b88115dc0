//! Columns that describe a whole stack: a hash that equal stacks share, and the function that the
//! thread is blocked in.

use super::frames::Scene;
use crate::catalog::{Absent, Cell};
use crate::unwind::Frame;

/// User-mode modules that implement waiting.
const WAITING: [&str; 8] =
    ["ntdll", "kernelbase", "kernel32", "win32u", "wow64", "wow64cpu", "wow64win", "user32"];
/// Kernel-mode modules that switch threads.
const SWITCHING: [&str; 2] = ["nt", "hal"];
/// Prefixes of the kernel functions that wait, switch threads or enter the kernel; they are on top
/// of the stack of every waiting thread.
const WAITS: [&str; 15] = [
    "Ki",
    "Ke",
    "Kf",
    "Kx",
    "Ob",
    "NtWait",
    "NtDelay",
    "NtRemoveIo",
    "IoRemoveIo",
    "NtSignalAnd",
    "ExfAcquire",
    "ExAcquire",
    "ExpAcquire",
    "ExpWait",
    "SwapContext",
];

/// The hash of a stack: stacks share it if their frames are at the same locations of the same
/// modules.
pub(crate) fn stack_id(scene: &dyn Scene, frames: &[Frame]) -> Cell<u64> {
    if frames.is_empty() {
        return Err(Absent::NotInDump);
    }
    let mut hash = Hash::default();
    for frame in frames {
        match scene.place(frame.ip) {
            Some((module, offset)) => {
                hash.add(module.to_ascii_lowercase().as_bytes());
                hash.add(&offset.to_le_bytes());
            }
            // Code that was generated at run time has a different address in each process.
            None => hash.add(&[0xff]),
        }
    }
    Ok(hash.0)
}

/// The first frame that neither waits nor switches threads, as debuggers print it.
pub(crate) fn blocker(scene: &dyn Scene, frames: &[Frame]) -> Cell<String> {
    let mut missing = if frames.is_empty() { Absent::NotInDump } else { Absent::NotApplicable };
    for frame in frames {
        let Ok(place) = scene.locate(frame.ip) else { continue };
        let is_one_of = |all: &[&str]| all.iter().any(|m| place.module.eq_ignore_ascii_case(m));
        if is_one_of(&SWITCHING) {
            let Some(symbol) = &place.symbol else {
                missing = Absent::NoSymbols;
                continue;
            };
            if WAITS.iter().any(|start| symbol.starts_with(start)) {
                continue;
            }
        } else if is_one_of(&WAITING) {
            continue;
        }
        return Ok(place.display());
    }
    Err(missing)
}

/// The first frame in a module that does not merely wait or switch threads. [`blocker`] needs the
/// symbols of this module and of the kernel.
pub(crate) fn blocking<'f>(scene: &dyn Scene, frames: &'f [Frame]) -> Option<&'f Frame> {
    let waits = |module: &str| {
        SWITCHING.iter().chain(&WAITING).any(|known| module.eq_ignore_ascii_case(known))
    };
    frames.iter().find(|frame| scene.place(frame.ip).is_some_and(|(module, _)| !waits(&module)))
}

/// The FNV hash, which is the same on every machine and in every version.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
