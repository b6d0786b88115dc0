//! The blocks of a dump's pools as a pass found them, kept for the next query.
//!
//! An index holds every block in its order, 32 bytes each. It is of one file, one layout of
//! structures and one version of this program, and is written by the first pass that reads all pools.

use super::block::{Block, Found, Kind, PoolHint, State};
use crate::dump::bytes::{u16_at, u32_at, u64_at};
use crate::dump::cache::{Entry, Kept, Writer};
use crate::model::Flow;
use crate::source::kernel::KernelDump;

const RECORD: usize = 32;
/// What records mean; another number makes old indexes strangers.
const VERSION: &str = "2";
/// After so many records a pass asks whether it is still wanted.
const PATIENCE: usize = 1 << 16;
const NO_SESSION: u32 = u32::MAX;
const NO_PREVIOUS: u16 = u16::MAX;
const FOUND: [Found; 6] =
    [Found::Headers, Found::BigTable, Found::Chunks, Found::OneSize, Found::Search, Found::Special];
const STATES: [State; 4] = [State::Allocated, State::Protected, State::Free, State::Damaged];

impl KernelDump {
    fn pool_entry(&self) -> Option<Entry> {
        let (layout, label) = self.types().source()?;
        let names = if self.types().names().is_some() { "names" } else { "" };
        let pdb = layout.pdb().map(|(guid, age)| format!("{guid}{age}")).unwrap_or_default();
        let about = [VERSION, env!("CARGO_PKG_VERSION"), label, names, &pdb];
        Entry::of(&self.image, "pool", &about)
    }

    /// Visits the blocks that an index has and a hint asks for; `None` if there is no index.
    pub(super) fn indexed_blocks(
        &self,
        hint: &PoolHint<'_>,
        visit: &mut dyn FnMut(&Block) -> Flow,
    ) -> Option<()> {
        let kept = self.kept_index()?;
        for (index, record) in kept.chunks_exact(RECORD).enumerate() {
            if index % PATIENCE == 0 && hint.is_cancelled() {
                break;
            }
            let Some(block) = decode(record) else { continue };
            if hint.takes(&block) && visit(&block).is_break() {
                break;
            }
        }
        Some(())
    }

    /// The index, opened when first asked for after it was written.
    fn kept_index(&self) -> Option<&Kept> {
        if let Some(kept) = self.pool.index.get() {
            return Some(kept);
        }
        let kept = self.pool_entry()?.open().filter(|kept| kept.len().is_multiple_of(RECORD))?;
        Some(self.pool.index.get_or_init(|| kept))
    }

    /// Begins an index, if there is a place for one.
    pub(super) fn new_index(&self) -> Option<Writer> {
        self.pool_entry()?.write()
    }
}

/// The record of a block.
pub(super) fn encode(block: &Block) -> [u8; RECORD] {
    let place = |found: bool, bit: u32| u16::from(found) << bit;
    let state = STATES.iter().position(|state| *state == block.state).unwrap_or(0);
    let found = FOUND.iter().position(|found| *found == block.found).unwrap_or(0);
    let flags = place(block.kind.is_paged == Some(true), 0)
        | place(block.kind.is_paged.is_none(), 1)
        | place(block.kind.is_session, 2)
        | place(block.is_charged, 3)
        | u16::try_from(state << 4 | found << 8).unwrap_or(0);
    let [a0, a1, a2, a3, a4, a5, a6, a7] = block.address.to_le_bytes();
    let [b0, b1, b2, b3, b4, b5, b6, b7] = block.bytes.to_le_bytes();
    let [t0, t1, t2, t3] = block.tag;
    let [s0, s1, s2, s3] = block.session.unwrap_or(NO_SESSION).to_le_bytes();
    let [p0, p1] = block.previous.unwrap_or(NO_PREVIOUS).to_le_bytes();
    let [f0, f1] = flags.to_le_bytes();
    [
        a0,
        a1,
        a2,
        a3,
        a4,
        a5,
        a6,
        a7,
        b0,
        b1,
        b2,
        b3,
        b4,
        b5,
        b6,
        b7,
        t0,
        t1,
        t2,
        t3,
        s0,
        s1,
        s2,
        s3,
        p0,
        p1,
        f0,
        f1,
        block.header,
        0,
        0,
        0,
    ]
}

fn decode(record: &[u8]) -> Option<Block> {
    let flags = u16_at(record, 26)?;
    let has = |bit: u32| flags >> bit & 1 == 1;
    let is_paged = if has(1) { None } else { Some(has(0)) };
    Some(Block {
        address: u64_at(record, 0)?,
        bytes: u64_at(record, 8)?,
        header: *record.get(28)?,
        previous: Some(u16_at(record, 24)?).filter(|bytes| *bytes != NO_PREVIOUS),
        tag: *record.get(16..)?.first_chunk::<4>()?,
        kind: Kind { is_paged, is_session: has(2) },
        state: *STATES.get(usize::from(flags >> 4 & 0xf))?,
        is_charged: has(3),
        found: *FOUND.get(usize::from(flags >> 8))?,
        session: Some(u32_at(record, 20)?).filter(|session| *session != NO_SESSION),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_give_back_their_blocks() {
        let block = Block {
            address: 0xffff_c08b_d8c0_0010,
            bytes: 0x1_2345_6780,
            header: 16,
            previous: Some(0xff0),
            tag: *b"Irp ",
            kind: Kind { is_paged: Some(true), is_session: true },
            state: State::Damaged,
            is_charged: true,
            found: Found::Search,
            session: Some(9),
        };
        assert_eq!(decode(&encode(&block)), Some(block));
        let plain = Block {
            previous: None,
            session: None,
            kind: Kind::default(),
            state: State::Free,
            is_charged: false,
            found: Found::BigTable,
            ..block
        };
        assert_eq!(decode(&encode(&plain)), Some(plain));
        assert_eq!(decode(&[0xff; RECORD]), None);
    }
}
