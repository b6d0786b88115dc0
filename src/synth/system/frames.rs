//! The PFN database, as far as page maps of nonpaged pool need it: for each page, whether an
//! allocation begins or ends there. Kernels before Vista keep that in the PFN entries.

use std::collections::BTreeMap;

use super::build::Builder;
use super::spec::{PoolState, SystemSpec};
use crate::synth::memory::PAGE;

/// The address range of the PFN database.
const DATABASE: std::ops::Range<u64> = 0x8100_0000..0x8270_0000;
const FRAME: &str = "_MMPFN";
/// The page location value of a page in use.
const ACTIVE: u64 = 6;

/// For each page, whether an allocation begins and whether one ends there.
type Marks = BTreeMap<u64, (bool, bool)>;

/// Writes the PFN entries of the nonpaged pool, including pages that exist only in a page map.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let size = builder.layout.size(FRAME) as u64;
    if builder.version.build >= 6000 || size == 0 {
        return;
    }
    let mut marks = of_blocks(builder);
    let own = marks.len() as u64;
    let rows: Vec<(u64, String)> =
        spec.pool_map.rows.iter().cloned().chain(fill(spec, &marks, own)).collect();
    for (start, text) in rows {
        for (page, mark) in (start / PAGE..).zip(text.bytes()).filter(|(_, mark)| *mark != b'.') {
            // The pages are never written, so they take no space.
            let frame = builder.memory.frame();
            builder.memory.map(builder.dtb, page * PAGE, frame);
            marks.insert(page, (b"O<".contains(&mark), b"O>".contains(&mark)));
        }
    }
    let at = builder.variable("MmPfnDatabase", 8);
    builder.put_pointer(at, DATABASE.start);
    for (page, (is_first, is_last)) in marks {
        let frame = builder.memory.commit(builder.dtb, page * PAGE);
        let at = DATABASE.start + frame * size;
        if at + size > DATABASE.end {
            continue;
        }
        let mut object = builder.new_object(FRAME);
        object.set("u3.e1.PageLocation", ACTIVE);
        object.set("u3.e1.ReadInProgress", is_first.into());
        object.set("u3.e1.WriteInProgress", is_last.into());
        builder.place(at, object);
    }
}

/// Rows that the page map does not specify, each with so many used pages that the total is reached.
fn fill(spec: &SystemSpec, marks: &Marks, own: u64) -> Vec<(u64, String)> {
    const ROW: u64 = 64;
    let map = &spec.pool_map;
    let used = |text: &str| text.bytes().filter(|mark| *mark != b'.').count() as u64;
    let given: u64 = map.rows.iter().map(|(_, text)| used(text)).sum();
    let mut left = map.pages.saturating_sub(given + own);
    let (first, end) = (map.start / PAGE, map.start / PAGE + spec.counters.nonpaged_maximum);
    let is_free = |row: &u64| {
        let is_given = map.rows.iter().any(|(start, _)| start / PAGE == *row);
        !is_given && marks.range(*row..*row + ROW).next().is_none()
    };
    let rows: Vec<u64> = (first..end).step_by(64).filter(is_free).collect();
    let mut filled = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let share = left.div_ceil((rows.len() - index) as u64).min(ROW).min(end - row);
        left -= share;
        let share = usize::try_from(share).unwrap_or(0);
        let text =
            if share < 8 { "O".repeat(share) } else { format!("<==>{}", "O".repeat(share - 4)) };
        filled.push((row * PAGE, text));
    }
    filled
}

fn of_blocks(builder: &Builder<'_>) -> Marks {
    let mut marks = Marks::new();
    for block in builder.pools.blocks.iter().filter(|block| !block.is_paged && !block.is_special) {
        let (first, last) = (block.address / PAGE, (block.address + block.bytes - 1) / PAGE);
        if block.is_big && block.state == PoolState::Free {
            continue;
        }
        for page in first..=last {
            let mark = if block.is_big { (page == first, page == last) } else { (true, true) };
            marks.insert(page, mark);
        }
    }
    marks
}
