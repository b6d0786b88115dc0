//! Backward disassembly: the instructions before an address. Intel code decodes differently from
//! every byte, so something has to show where an instruction starts.

use super::{Fetch, Flow, Instruction, Isa, LONGEST, Window, decode};

/// A known instruction boundary that is farther away is not used.
const MAX_DISTANCE: u64 = 64 << 10;
/// How many extra bytes decoding starts earlier, so that it can synchronize.
const LEAD: u64 = 64;
/// Upper limit on the instructions returned.
const MAX_COUNT: usize = 1000;

/// The evidence for the instruction boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// Every instruction has the same length.
    Fixed,
    /// Instructions follow from a known start of code without a gap.
    Known,
    /// Most decodings that start at the preceding bytes agree.
    Likely,
}

impl Alignment {
    /// The name that tables show.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Known => "known",
            Self::Likely => "likely",
        }
    }
}

/// Up to `count` instructions that end at an address, in address order. `known` is the start of an
/// instruction at or before the address (a function, a label), if one is known.
pub fn before(
    isa: Isa,
    address: u64,
    count: usize,
    known: Option<u64>,
    fetch: Fetch<'_>,
) -> (Vec<Instruction>, Alignment) {
    let count = count.min(MAX_COUNT);
    if isa == Isa::Arm64 {
        return (fixed(address, count, fetch), Alignment::Fixed);
    }
    let near = known.filter(|known| {
        address.checked_sub(*known).is_some_and(|far| (1..=MAX_DISTANCE).contains(&far))
    });
    if let Some(known) = near
        && let Some(all) = forward(isa, known, address, fetch)
    {
        let first = all.len().saturating_sub(count);
        let some = all.get(first..).unwrap_or_default().to_vec();
        // If the known start is too close, more instructions are searched before it.
        if some.len() == count {
            return (some, Alignment::Known);
        }
        let (mut front, _) = likely(isa, known, count - some.len(), fetch);
        front.extend(some);
        return (front, Alignment::Known);
    }
    likely(isa, address, count, fetch)
}

fn fixed(address: u64, count: usize, fetch: Fetch<'_>) -> Vec<Instruction> {
    let size = Isa::Arm64.shortest() as u64;
    let mut all = Vec::new();
    for i in (1..=count as u64).rev() {
        let Some(at) = i.checked_mul(size).and_then(|by| address.checked_sub(by)) else { continue };
        let mut bytes = [0; 4];
        if fetch(at, &mut bytes) < bytes.len() {
            all.clear();
            continue;
        }
        all.extend(decode(Isa::Arm64, at, &bytes));
    }
    all
}

/// The instructions from a start of code to an address, if an instruction ends there.
fn forward(isa: Isa, start: u64, address: u64, fetch: Fetch<'_>) -> Option<Vec<Instruction>> {
    let mut window = Window::new(fetch);
    let mut all = Vec::new();
    let mut at = start;
    while at < address {
        let instruction = decode(isa, at, window.at(at)).filter(|i| i.flow != Flow::Invalid)?;
        all.push(instruction);
        at = instruction.end();
    }
    (at == address).then_some(all)
}

/// Decodes from every byte before the address, and follows the boundaries on which most decodings
/// agree backwards.
fn likely(isa: Isa, address: u64, count: usize, fetch: Fetch<'_>) -> (Vec<Instruction>, Alignment) {
    let far = (count as u64).saturating_mul(LONGEST as u64).saturating_add(LEAD);
    let (start, bytes) = held_before(address, far, fetch);
    let at = |i: usize| start.wrapping_add(i as u64);
    let decoded: Vec<Option<Instruction>> = (0..bytes.len())
        .map(|i| decode(isa, at(i), bytes.get(i..).unwrap_or_default()))
        .map(|found| found.filter(|found| found.flow != Flow::Invalid))
        .collect();
    let weights = weights(&decoded);
    let mut all = Vec::new();
    let mut end = bytes.len();
    while all.len() < count {
        let first = end.saturating_sub(LONGEST);
        let ends_here = |i: &usize| {
            let found = decoded.get(*i).copied().flatten();
            found.is_some_and(|found| *i + found.bytes().len() == end)
        };
        // Of equally likely ones the longer is used: the shorter is a decoding of its last bytes.
        let best = (first..end)
            .filter(ends_here)
            .max_by_key(|i| (weights.get(*i).copied().unwrap_or(0), end - i));
        let Some(found) = best.and_then(|best| decoded.get(best).copied().flatten()) else { break };
        all.push(found);
        end -= found.bytes().len();
    }
    all.reverse();
    (all, Alignment::Likely)
}

/// The bytes that end at an address, at most this many, and where they start.
fn held_before(address: u64, most: u64, fetch: Fetch<'_>) -> (u64, Vec<u8>) {
    let mut bytes = vec![0; usize::try_from(most.min(address)).unwrap_or(0)];
    let mut is_held = |count: usize| {
        let buffer = bytes.get_mut(..count).unwrap_or_default();
        fetch(address - count as u64, buffer) == count
    };
    // If this many bytes before the address are readable, fewer are too.
    let (mut held, mut beyond) = (0, usize::try_from(most.min(address)).unwrap_or(0) + 1);
    while beyond - held > 1 {
        let middle = held.midpoint(beyond);
        if is_held(middle) {
            held = middle;
        } else {
            beyond = middle;
        }
    }
    is_held(held);
    bytes.truncate(held);
    (address - held as u64, bytes)
}

/// For each byte the number of decodings in which an instruction starts there.
fn weights(decoded: &[Option<Instruction>]) -> Vec<u32> {
    let mut weights = vec![1u32; decoded.len()];
    for (i, found) in decoded.iter().enumerate() {
        let weight = weights.get(i).copied().unwrap_or(0);
        let next = found.map(|found| i + found.bytes().len());
        if let Some(next) = next.and_then(|next| weights.get_mut(next)) {
            *next = next.saturating_add(weight);
        }
    }
    weights
}
