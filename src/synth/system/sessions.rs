//! The parts of a session: its structure, which all its processes map at the same address, its
//! paged pool, its tag table, and its table of big allocations.

use super::build::Builder;
use super::pool::BIG_ENTRIES;
use super::pool_tags;
use super::spec::{PoolBlock, SystemSpec};
use crate::synth::memory::PAGE;

const SPACE: &str = "_MM_SESSION_SPACE";
/// Distance of the table of big allocations from the start of session space in pages, for versions
/// that keep it there.
const BIG_PAGES: u64 = 0x20;

/// A session with processes: its index, its ID, and the address space of one of its processes.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionPlace {
    index: usize,
    id: u32,
    dtb: u64,
}

/// The session with this ID, if it has processes.
pub(super) fn find(spec: &SystemSpec, id: u32) -> Option<SessionPlace> {
    let index = spec.sessions.iter().position(|session| session.id == id)?;
    let dtb = spaces(spec, id).next()?;
    Some(SessionPlace { index, id, dtb })
}

/// The address spaces of a session's processes.
fn spaces(spec: &SystemSpec, id: u32) -> impl Iterator<Item = u64> {
    let mine = move |process: &&super::spec::SystemProcess| process.session == Some(id);
    spec.processes.iter().skip(2).filter(mine).map(|process| process.dtb)
}

/// Allocates every session structure and adds a pool for it.
pub(super) fn prepare(builder: &mut Builder<'_>, spec: &mut SystemSpec) {
    let pages = (builder.layout.size(SPACE) as u64).div_ceil(PAGE).max(4);
    for session in &mut spec.sessions {
        if session.address == 0 {
            session.address = builder.pages(pages);
        }
        builder.pools.add(builder.version.session_pool.0);
    }
}

impl Builder<'_> {
    /// Creates blocks for a session; those of its paged pool are in the address space of one of its
    /// processes.
    pub(super) fn in_session(
        &mut self,
        place: Option<SessionPlace>,
        is_paged: bool,
        make: impl FnOnce(&mut Self),
    ) {
        let before = (self.dtb, self.pools.session);
        if let Some(place) = place {
            self.pools.session = Some((place.index, place.id));
            if is_paged {
                self.dtb = place.dtb;
            }
        }
        make(self);
        (self.dtb, self.pools.session) = before;
    }
}

/// Fills up the session pools, writes the tables of sessions, and maps each session in its
/// processes.
pub(super) fn finish(builder: &mut Builder<'_>, spec: &mut SystemSpec) {
    let size = builder.layout.size(SPACE) as u64;
    if size == 0 {
        return;
    }
    let ids: Vec<u32> = spec.sessions.iter().map(|session| session.id).collect();
    for (index, id) in ids.into_iter().enumerate() {
        let Some(place) = find(spec, id) else { continue };
        let address = spec.sessions[index].address;
        builder.in_session(Some(place), true, |builder| builder.close(2 + index));
        show(builder, place, (address, size));
        big_table(builder, place, address);
        let tags = pool_tags::of_session(builder, &spec.sessions[index]);
        spec.sessions[index].pool_tags = tag_table(builder, place, (address, size), &tags);
        let (first, end) = builder.version.session_pool;
        let space = builder.version.session_space;
        for other in spaces(spec, id).skip(1) {
            builder.memory.share_range(place.dtb, other, first..end);
            builder.memory.share_range(place.dtb, other, space..space + 0x4_0000);
        }
    }
}

/// Maps the structure at the address that the session's processes use.
fn show(builder: &mut Builder<'_>, place: SessionPlace, (address, size): (u64, u64)) {
    let own = builder.dtb;
    for page in 0..size.div_ceil(PAGE) {
        let frame = builder.memory.commit(own, address + page * PAGE);
        builder.memory.map(place.dtb, builder.version.session_space + page * PAGE, frame);
    }
}

/// Writes the table of big allocations, to which the structure points since Vista.
fn big_table(builder: &mut Builder<'_>, place: SessionPlace, address: u64) {
    let is_own = |b: &&PoolBlock| b.is_big && b.is_paged && b.session == Some(place.id);
    let big: Vec<PoolBlock> = builder.pools.blocks.iter().filter(is_own).cloned().collect();
    if builder.layout.has(SPACE, "PoolTrackBigPages") {
        let Some(at) = builder.big_room() else { return };
        builder.write_big_table(at, &big);
        for (path, value) in [("PoolTrackBigPages", at), ("PoolTrackBigPagesSize", BIG_ENTRIES)] {
            let offset = builder.offset(SPACE, path);
            builder.put_pointer(address + offset, value);
        }
        return;
    }
    let at = builder.version.session_space + BIG_PAGES * PAGE;
    builder.in_session(Some(place), true, |builder| builder.write_big_table(at, &big));
    let variable = builder.variable("ExpSessionPoolBigPageTable", 8);
    builder.put_pointer(variable, at);
    let width = builder.width();
    builder.number("ExpSessionPoolBigPageTableSize", width, BIG_ENTRIES);
}

/// Writes the tag table; returns the usage that it then contains.
///
/// The table follows the structure; since Windows 10 1607 it is the last field of the structure,
/// and since Windows 11 a block that the structure points to.
fn tag_table(
    builder: &mut Builder<'_>,
    place: SessionPlace,
    (address, size): (u64, u64),
    tags: &[pool_tags::TagUse],
) -> Vec<pool_tags::TagUse> {
    let space = builder.version.session_space;
    let field = builder.layout.place(SPACE, "PoolTags");
    let offset = field.map_or(0, |field| field.offset as u64);
    let (at, seen, bytes) = match field.map(|field| field.size) {
        None => (0, space + size.next_multiple_of(PAGE), 2 * PAGE),
        Some(1) => (address + offset, space + offset, size - offset),
        Some(_) => {
            let table = builder.pages(4);
            builder.put_pointer(address + offset, table);
            (table, table, 4 * PAGE)
        }
    };
    let entry = builder.layout.size("_POOL_TRACKER_TABLE") as u64;
    let places = (bytes / entry.max(1) + 1).next_power_of_two() / 2;
    let is_own = at == 0;
    let table = if is_own { seen } else { at };
    let expands = builder.layout.has(SPACE, "PoolTrackTableExpansion");
    let mut written = (Vec::new(), Vec::new());
    builder.in_session(Some(place).filter(|_| is_own), is_own, |builder| {
        written = pool_tags::table(builder, tags, (table, places), expands);
    });
    let (facts, others) = written;
    let expansion = pool_tags::expansion(builder, &others);
    if expansion != 0 {
        for (path, value) in [
            ("PoolTrackTableExpansion", expansion),
            ("PoolTrackTableExpansionSize", PAGE / entry.max(1)),
        ] {
            let offset = builder.offset(SPACE, path);
            builder.put_pointer(address + offset, value);
        }
    }
    // Windows 11 has no such variable.
    if builder.version.build < 22000 {
        let variable = builder.variable("ExpSessionPoolTrackTable", 8);
        builder.put_pointer(variable, seen);
    }
    let width = builder.width();
    builder.number("ExpSessionPoolTrackTableSize", width, places);
    facts
}
