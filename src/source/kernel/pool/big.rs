//! Allocations larger than a page: the kernel's big page table, `PoolBigPageTable`.
//!
//! Symbols give the address of the table. Without symbols the reader searches the kernel's
//! variables near the pool tracker variable, whose address the debugger data block gives, and
//! accepts a table only if its entries name valid pool blocks.

use std::borrow::Cow;

use crate::dump::bytes::{pointer_at, unsigned_at};
use crate::dump::kdbg;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::pool::block::{Block, FoundBy, PoolKind, State};
use crate::source::kernel::pool::ranges;
use crate::source::kernel::pool::state::{Big, Pool};
use crate::source::kernel::pool::tag::is_tag;

const ENTRY: &str = "_POOL_TRACKER_BIG_PAGES";
const PAGE: u64 = 0x1000;
/// Upper limit on the entries of a table.
const MAX_ENTRIES: u64 = 1 << 22;
/// How far from the pool tracker variable the search for the table's variable reaches, in bytes.
const NEAR: u64 = 0x10_000;
/// A guessed table must have at least this many entries, and this many of the blocks they name must
/// be valid.
const FIRST_ENTRIES: u64 = 64;
const LEAST_USED: usize = 4;
/// How many of the first blocks that are checked may be damaged.
const MOST_DAMAGED: usize = 8;
/// The table is a hash table over addresses and is allocated with this many entries, so this many
/// empty entries in a row show that there is no table.
const MOST_EMPTY: u64 = 1 << 12;
/// This many impossible entries in a row mark the end of the table, not damage.
const END: u64 = 16;
/// The address bit that marks an entry as free.
const FREE: u64 = 1;
/// Bits of a pool type: paged, session.
const PAGED: u64 = 1;
const SESSION: u64 = 0x20;

/// Where the fields of an entry are.
#[derive(Debug, Clone, Copy)]
struct Fields {
    entry: u64,
    address: usize,
    tag: usize,
    /// Offset, size and first bit of the pool type; present since Vista.
    ty: Option<(usize, usize, u8, u8)>,
    /// Offset and size of the allocation's size: in bytes, or in pages before Vista.
    size: (usize, usize),
    unit: u64,
}

/// Reads the entries of a table page by page.
struct Entries<'a> {
    space: Space<'a>,
    /// The address of the bytes that were read last, up to the end of their page.
    near: (u64, &'a [u8]),
    /// Size of an entry in bytes.
    bytes: u64,
}

impl<'a> Entries<'a> {
    fn at(&mut self, table: u64, index: u64) -> Option<Cow<'a, [u8]>> {
        let at = table.checked_add(index.checked_mul(self.bytes)?)?;
        let len = usize::try_from(self.bytes).ok()?;
        if let Some(entry) = self.near(at, len) {
            return Some(Cow::Borrowed(entry));
        }
        self.near = (at, self.space.page(at).ok()?);
        match self.near(at, len) {
            Some(entry) => Some(Cow::Borrowed(entry)),
            None => self.space.slice(at, len).ok(),
        }
    }

    fn near(&self, at: u64, len: usize) -> Option<&'a [u8]> {
        let skip = usize::try_from(at.checked_sub(self.near.0)?).ok()?;
        self.near.1.get(skip..)?.get(..len)
    }
}

/// The table of big allocations, or `None` if it was not found.
pub(crate) fn big_pool<'a>(core: &'a Core, pool: &'a Pool) -> Option<&'a Big> {
    pool.big.get_or_init(|| read_big_pool(core, pool)).as_ref()
}

fn big_fields(core: &Core) -> Option<Fields> {
    let field = |path| core.field(ENTRY, path);
    let (size, unit) = match field("NumberOfBytes") {
        Some(size) => (size, 1),
        None => (field("NumberOfPages")?, PAGE),
    };
    let ty = field("PoolType").map(|ty| {
        let (start, len) = ty.bits.unwrap_or((0, 32));
        (ty.offset, ty.size.clamp(1, 8), start, len)
    });
    Some(Fields {
        entry: core.size_of(ENTRY).filter(|size| *size >= 8)?,
        address: field("Va")?.offset,
        tag: field("Key")?.offset,
        ty,
        size: (size.offset, size.size.clamp(1, 8)),
        unit,
    })
}

fn read_big_pool(core: &Core, pool: &Pool) -> Option<Big> {
    let table = big_table(core, pool, &big_fields(core)?)?;
    Some(big_blocks(core, pool, core.kernel_space(), table, None))
}

/// The allocations of a table with the given number of entries, read through an address space.
pub(crate) fn big_blocks(
    core: &Core,
    pool: &Pool,
    space: Space<'_>,
    (table, count): (u64, u64),
    session: Option<u32>,
) -> Big {
    let mut big = Big::default();
    let Some(fields) = big_fields(core) else { return big };
    let mut entries = Entries { space, near: (0, &[]), bytes: fields.entry };
    for index in 0..count.min(MAX_ENTRIES) {
        let Some(entry) = entries.at(table, index) else { continue };
        let Some(Some(block)) = big_entry(core, pool, &fields, &entry) else { continue };
        big.blocks.push(Block { session, ..block });
    }
    big.blocks.sort_by_key(|block| (block.address, block.state == State::Allocated));
    let used = big.blocks.iter().filter(|block| block.is_in_use() && block.bytes != 0);
    big.used =
        used.map(|block| (block.address, block.address.saturating_add(block.bytes - 1))).collect();
    big
}

/// Address and number of entries of the table.
fn big_table(core: &Core, pool: &Pool, fields: &Fields) -> Option<(u64, u64)> {
    let value = |name| {
        let at = core.symbol_address("nt", name)?;
        core.pointer_at(at).ok().filter(|value| *value != 0)
    };
    if let (Some(table), Some(count)) = (value("PoolBigPageTable"), value("PoolBigPageTableSize")) {
        return Some((table, count));
    }
    guessed_table(core, pool, fields)
}

/// Searches the kernel's variables for the table.
fn guessed_table(core: &Core, pool: &Pool, fields: &Fields) -> Option<(u64, u64)> {
    let near = core.kdbg()?.pointer(kdbg::POOL_TRACK_TABLE)?;
    let step = core.header.width.bytes() as u64;
    let slots = (0..NEAR / step).map(|i| i * step);
    let around = slots.flat_map(|far| [near.checked_add(far), near.checked_sub(far)]);
    let mut left = MAX_ENTRIES;
    for slot in around.flatten() {
        let Ok(table) = core.pointer_at(slot) else { continue };
        if !table.is_multiple_of(PAGE) || !core.is_kernels(table) {
            continue;
        }
        let (count, used) = big_entries(core, pool, fields, table, left);
        if count >= FIRST_ENTRIES && used >= LEAST_USED {
            return Some((table, count));
        }
        left = left.saturating_sub(count);
    }
    None
}

/// The number of entries at an address, and how many of them are in use.
fn big_entries(core: &Core, pool: &Pool, fields: &Fields, table: u64, most: u64) -> (u64, usize) {
    let (mut used, mut odd, mut count) = (0, 0, 0);
    let mut entries = Entries { space: core.kernel_space(), near: (0, &[]), bytes: fields.entry };
    for index in 0..most {
        let is_none =
            (index == FIRST_ENTRIES && odd > MOST_DAMAGED) || (index == MOST_EMPTY && used == 0);
        if is_none {
            return (0, 0);
        }
        let entry = entries.at(table, index);
        let Some(entry) = entry.and_then(|entry| big_entry(core, pool, fields, &entry)) else {
            odd += 1;
            if index - count + 1 >= END {
                break;
            }
            continue;
        };
        count = index + 1;
        if let Some(block) = entry.filter(Block::is_in_use) {
            let is_sound = block.bytes != 0 && is_tag(block.tag);
            *(if is_sound { &mut used } else { &mut odd }) += 1;
        }
    }
    (count, used)
}

/// Decodes an entry: `None` if the bytes cannot be an entry, `Some(None)` if the entry is empty.
#[allow(clippy::option_option, reason = "an invalid entry and an empty entry are two cases")]
fn big_entry(core: &Core, pool: &Pool, fields: &Fields, entry: &[u8]) -> Option<Option<Block>> {
    let raw = pointer_at(entry, fields.address, core.header.width)?;
    let address = raw & !FREE;
    if address == 0 {
        return Some(None);
    }
    if !address.is_multiple_of(PAGE) || !core.is_kernels(address) {
        return None;
    }
    let tag = *entry.get(fields.tag..)?.first_chunk::<4>()?;
    let size = unsigned_at(entry, fields.size.0, fields.size.1)?.checked_mul(fields.unit)?;
    let kind = match fields.ty {
        Some((offset, bytes, start, len)) => {
            let word = unsigned_at(entry, offset, bytes)?.checked_shr(start.into())?;
            let ty = word & 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
            PoolKind { is_paged: Some(ty & PAGED != 0), is_session: ty & SESSION != 0 }
        }
        None => kind_at(core, pool, address),
    };
    let [a, b, c, d] = tag;
    let (tag, is_protected) = ([a, b, c, d & 0x7f], d & 0x80 != 0);
    let state = match (raw & FREE != 0, is_protected) {
        (true, _) => State::Free,
        (false, true) => State::Protected,
        (false, false) => State::Allocated,
    };
    let found = FoundBy::BigTable;
    Some(Some(Block {
        address,
        bytes: size,
        header: 0,
        previous: None,
        tag,
        kind,
        state,
        is_charged: false,
        found,
        session: None,
    }))
}

/// The pool of the range that contains an address.
fn kind_at(core: &Core, pool: &Pool, address: u64) -> PoolKind {
    let ranges = ranges::pool_ranges_known(core, pool);
    let range = ranges.iter().find(|range| (range.start..range.end).contains(&address));
    range.map(|range| range.kind).unwrap_or_default()
}
