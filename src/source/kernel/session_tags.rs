//! Where sessions count their pool by tag.
//!
//! Up to Windows 10 1511 the table follows the structure of the session in what the session alone
//! sees; since 1607 it is the last field of that structure, and since Windows 11 a block that the
//! structure leads to. How many entries it has, and up to 1511 where it is, symbols say; without them
//! a table is believed if its tags stand where the kernel would put them. Tags that find no place in
//! it go into another table, to which the structure leads since Vista.

use super::KernelDump;
use super::memory::Space;
use super::pool::PoolSession;
use crate::catalog::{Absent, Cell};

const SPACE: &str = "_MM_SESSION_SPACE";
const PAGE: u64 = 0x1000;
/// So many pages behind the structure the table is looked for.
const NEAR_PAGES: u64 = 8;
/// No table of a session has more entries.
const MAX_ENTRIES: u64 = 1 << 14;

/// The tables of a session.
pub(super) struct SessionTags<'d> {
    /// Its number.
    pub(super) session: Cell<i64>,
    /// What it sees.
    pub(super) view: Space<'d>,
    /// Address and number of entries of the first table.
    pub(super) table: (u64, u64),
    /// The same of the table for tags without a place in the first.
    pub(super) expansion: Option<(u64, u64)>,
}

impl KernelDump {
    /// The tables of all sessions in the order of their numbers, for entries of so many bytes.
    pub(super) fn session_tags(&self, size: u64) -> Vec<SessionTags<'_>> {
        let sessions = self.pool_sessions().iter();
        let mut all: Vec<SessionTags<'_>> = sessions
            .filter_map(|session| {
                let space = self.session_space(session);
                let expansion = || {
                    let table = space.pointer("PoolTrackTableExpansion").ok()?;
                    let entries = space.unsigned("PoolTrackTableExpansionSize").ok()?;
                    Some((table, entries.min(MAX_ENTRIES)))
                };
                Some(SessionTags {
                    session: session.id.map(i64::from).ok_or(Absent::Unreadable),
                    view: self.session_view(session),
                    table: self.session_tag_table(session, size)?,
                    expansion: expansion(),
                })
            })
            .collect();
        all.sort_by_key(|tags| tags.session.unwrap_or(i64::MAX));
        all
    }

    /// Address and number of entries of a session's table.
    fn session_tag_table(&self, session: &PoolSession, size: u64) -> Option<(u64, u64)> {
        let value = |name| self.pointer_at(self.symbol_address("nt", name)?).ok();
        let named = value("ExpSessionPoolTrackTableSize");
        let named = named.filter(|entries| (1..=MAX_ENTRIES).contains(entries));
        let view = self.session_view(session);
        let counted = |table: u64| {
            let entries = named.or_else(|| self.session_places(view, table, size))?;
            view.is_present(table).then_some((table, entries))
        };
        let space = self.session_space(session);
        if let Some(field) = self.types().other(SPACE, "PoolTags") {
            let is_pointer = field.size == self.header.width.bytes();
            let table = if is_pointer { space.pointer("PoolTags") } else { space.at("PoolTags") };
            return counted(table.ok()?);
        }
        if let Some(table) = value("ExpSessionPoolTrackTable").filter(|table| *table != 0) {
            return counted(table);
        }
        let own = self.own_view_of(session)?;
        let behind = own.checked_add(self.types().size_of(SPACE)?.next_multiple_of(PAGE))?;
        (0..NEAR_PAGES).find_map(|page| {
            let table = behind.checked_add(page * PAGE)?;
            Some((table, self.session_places(view, table, size)?))
        })
    }
}
