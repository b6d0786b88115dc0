//! The ranges of virtual memory that a triage dump holds, and the addresses of objects in them.
//!
//! A triage block gives the address of some ranges and only the file offset of others. The missing
//! addresses come from pointers elsewhere in the dump, or else from the objects themselves: empty
//! lists in kernel objects point to their own address.

use std::collections::HashMap;

use crate::dump::bytes::pointer_at;
use crate::dump::kdbg::{self, Kdbg};
use crate::dump::triage::{Piece, Triage};
use crate::dump::{Image, Width};
use crate::memory::{Gva, Region, Regions};

/// Fewer agreeing empty lists may be a coincidence.
const MIN_VOTES: usize = 3;

/// A range at its address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) region: Region,
    /// The contents of the range.
    pub(crate) kind: &'static str,
}

/// The objects that the triage block gives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Objects {
    /// The `_KPRCB` of the processor that wrote the dump.
    pub(crate) prcb: Option<u64>,
    /// The current `_ETHREAD` of that processor.
    pub(crate) thread: Option<u64>,
    /// The current `_EPROCESS` of that processor.
    pub(crate) process: Option<u64>,
}

struct Finder<'a> {
    image: &'a Image,
    width: Width,
    triage: &'a Triage,
    kdbg: Option<Kdbg<'a>>,
    blocks: &'a [Placed],
}

/// The ranges in address order, and the objects.
pub(crate) fn place(
    image: &Image,
    width: Width,
    triage: &Triage,
    kdbg_address: Option<u64>,
) -> (Vec<Placed>, Objects) {
    let kdbg = Kdbg::new(triage.debugger_data.bytes(image), width);
    let mut placed: Vec<Placed> = triage
        .blocks(image, width)
        .filter_map(|b| held(image, b.address, b.piece, "data block"))
        .collect();
    let objects = Finder { image, width, triage, kdbg, blocks: &placed }.objects();
    let sized = |piece: Piece, size| match kdbg.and_then(|k| k.number(size)) {
        Some(size) if size < piece.size as usize => {
            Piece { size: u32::try_from(size).unwrap_or(piece.size), ..piece }
        }
        _ => piece,
    };
    let more = [
        (Some(triage.top_of_stack), triage.call_stack, "stack"),
        (objects.thread, sized(triage.thread, kdbg::THREAD_SIZE), "thread"),
        (objects.process, sized(triage.process, kdbg::PROCESS_SIZE), "process"),
        (objects.prcb, sized(triage.prcb, kdbg::PRCB_SIZE), "prcb"),
        (kdbg_address, triage.debugger_data, "debugger data"),
        (Some(triage.data_page.0), triage.data_page.1, "data page"),
    ];
    placed.extend(
        more.into_iter().filter_map(|(address, piece, kind)| held(image, address?, piece, kind)),
    );
    placed.sort_by_key(|placed| placed.region.start);
    (placed, objects)
}

/// The ranges as readable memory.
pub(crate) fn regions(placed: &[Placed]) -> Regions {
    Regions::new(placed.iter().map(|placed| placed.region).collect())
}

/// The part of a range that the file holds.
fn held(image: &Image, address: u64, piece: Piece, kind: &'static str) -> Option<Placed> {
    let len = piece.bytes(image).len() as u64;
    let region = Region { start: address, len, offset: piece.offset.into() };
    (address != 0 && len != 0).then_some(Placed { region, kind })
}

impl Finder<'_> {
    fn objects(&self) -> Objects {
        let prcb = self.triage.prcb.bytes(self.image);
        let thread = self.triage.thread.bytes(self.image);
        let process = self.triage.process.bytes(self.image);
        Objects {
            prcb: self.own_address(prcb).or_else(|| self.listed_prcb(prcb)),
            thread: self
                .own_address(thread)
                .or_else(|| self.field(prcb, kdbg::PRCB_CURRENT_THREAD)),
            process: self.own_address(process).or_else(|| self.field(thread, kdbg::THREAD_PROCESS)),
        }
    }

    fn field(&self, object: &[u8], offset: kdbg::Number) -> Option<u64> {
        let offset = self.kdbg?.number(offset)?;
        pointer_at(object, offset, self.width).filter(|address| *address != 0)
    }

    /// The entry of `KiProcessorBlock` for the processor of this `_KPRCB`.
    fn listed_prcb(&self, prcb: &[u8]) -> Option<u64> {
        let kdbg = self.kdbg?;
        let number = prcb.get(kdbg.number(kdbg::PRCB_NUMBER)?).copied()?;
        let step = self.width.bytes();
        let at = kdbg.pointer(kdbg::PROCESSOR_BLOCK)?;
        let entry = at.checked_add(u64::from(number) * step as u64)?;
        let mut bytes = [0; 8];
        let memory = regions(self.blocks);
        memory.read(self.image, Gva(entry), bytes.get_mut(..step)?).ok()?;
        Some(u64::from_le_bytes(bytes)).filter(|address| *address != 0)
    }

    /// The address of an object, from its contents: an empty list is two equal pointers to itself,
    /// so each gives a vote for the address of the object.
    fn own_address(&self, object: &[u8]) -> Option<u64> {
        let step = self.width.bytes();
        let mut votes: HashMap<u64, usize> = HashMap::new();
        for at in (0..object.len().saturating_sub(2 * step - 1)).step_by(step) {
            let first = pointer_at(object, at, self.width)?;
            if first != 0 && pointer_at(object, at + step, self.width) == Some(first) {
                *votes.entry(first.wrapping_sub(at as u64)).or_default() += 1;
            }
        }
        let mut votes: Vec<(usize, u64)> = votes.into_iter().map(|(at, n)| (n, at)).collect();
        votes.sort_unstable();
        // Two equal numbers in a row rarely point near their object, and then to different
        // addresses.
        let kernel_half = |address: u64| match self.width {
            Width::W32 => address >= 0x8000_0000,
            Width::W64 => address >> 47 == 0x1_ffff,
        };
        let best = votes.into_iter().rev().find(|(_, address)| kernel_half(*address));
        best.filter(|(count, _)| *count >= MIN_VOTES).map(|(_, address)| address)
    }
}
