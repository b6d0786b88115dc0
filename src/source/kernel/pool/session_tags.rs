//! Session pool usage by tag.
//!
//! Up to Windows 10 1511 the tag table follows the session structure in the session's own view;
//! since 1607 it is the last field of that structure, and since Windows 11 a block that the
//! structure points to. Symbols give the number of entries and, up to 1511, the address. Without
//! symbols a table is accepted if each tag is in the entry that the kernel's hash selects. Tags
//! that do not fit go into an expansion table, which the structure points to since Vista.

use crate::catalog::{Absent, Cell};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::pool::state::{Pool, PoolSession};
use crate::source::kernel::pool::{sessions, trackers};

const SPACE: &str = "_MM_SESSION_SPACE";
const PAGE: u64 = 0x1000;
/// How many pages behind the structure the search for the table covers.
const NEAR_PAGES: u64 = 8;
/// Upper limit on the entries of a session's table.
const MAX_ENTRIES: u64 = 1 << 14;

/// The tag tables of a session.
pub(crate) struct SessionTags<'d> {
    /// The session ID.
    pub(crate) session: Cell<i64>,
    /// The session's address space.
    pub(crate) view: Space<'d>,
    /// Address and number of entries of the first table.
    pub(crate) table: (u64, u64),
    /// The same for the expansion table.
    pub(crate) expansion: Option<(u64, u64)>,
}

/// The tag tables of all sessions in session ID order, for entries of this size.
pub(crate) fn session_tags<'a>(core: &'a Core, pool: &'a Pool, size: u64) -> Vec<SessionTags<'a>> {
    let sessions = sessions::pool_sessions(core, pool).iter();
    let mut all: Vec<SessionTags<'_>> = sessions
        .filter_map(|session| {
            let space = sessions::session_space(core, session);
            let expansion = || {
                let table = space.pointer("PoolTrackTableExpansion").ok()?;
                let entries = space.unsigned("PoolTrackTableExpansionSize").ok()?;
                Some((table, entries.min(MAX_ENTRIES)))
            };
            Some(SessionTags {
                session: session.id.map(i64::from).ok_or(Absent::Unreadable),
                view: sessions::session_view(core, session),
                table: session_tag_table(core, session, size)?,
                expansion: expansion(),
            })
        })
        .collect();
    all.sort_by_key(|tags| tags.session.unwrap_or(i64::MAX));
    all
}

/// Address and number of entries of a session's tag table.
fn session_tag_table(core: &Core, session: &PoolSession, size: u64) -> Option<(u64, u64)> {
    let value = |name| core.pointer_at(core.symbol_address("nt", name)?).ok();
    let named = value("ExpSessionPoolTrackTableSize");
    let named = named.filter(|entries| (1..=MAX_ENTRIES).contains(entries));
    let view = sessions::session_view(core, session);
    let counted = |table: u64| {
        let entries = named.or_else(|| trackers::session_places(core, view, table, size))?;
        view.is_present(table).then_some((table, entries))
    };
    let space = sessions::session_space(core, session);
    if let Some(field) = core.field(SPACE, "PoolTags") {
        let is_pointer = field.size == core.header.width.bytes();
        let table = if is_pointer { space.pointer("PoolTags") } else { space.at("PoolTags") };
        return counted(table.ok()?);
    }
    if let Some(table) = value("ExpSessionPoolTrackTable").filter(|table| *table != 0) {
        return counted(table);
    }
    let own = sessions::own_view_of(core, session)?;
    let behind = own.checked_add(core.size_of(SPACE)?.next_multiple_of(PAGE))?;
    (0..NEAR_PAGES).find_map(|page| {
        let table = behind.checked_add(page * PAGE)?;
        Some((table, trackers::session_places(core, view, table, size)?))
    })
}
