//! The table of big allocations of a session.

use crate::source::kernel::core::Core;
use crate::source::kernel::pool::sessions::SPACE;
use crate::source::kernel::pool::state::{Big, Pool, PoolSession};
use crate::source::kernel::pool::{big, sessions};

/// Upper limit on the big allocations of a session.
const MAX_BIG: u64 = 1 << 15;

/// The table of big allocations of a session, or `None` if it was not found.
pub(crate) fn session_big<'a>(
    core: &'a Core,
    pool: &'a Pool,
    session: &PoolSession,
) -> Option<&'a Big> {
    // The session list lives as long as the dump.
    let known = sessions::pool_sessions(core, pool)
        .iter()
        .find(|known| known.address == session.address)?;
    known.big.get_or_init(|| read_session_big(core, pool, session)).as_ref()
}

fn read_session_big(core: &Core, pool: &Pool, session: &PoolSession) -> Option<Big> {
    let (table, count) = session_big_table(core, session)?;
    let view = sessions::session_view(core, session);
    Some(big::big_blocks(core, pool, view, (table, count.min(MAX_BIG)), session.id))
}

/// Address and number of entries of that table; since Vista the session structure gives them.
fn session_big_table(core: &Core, session: &PoolSession) -> Option<(u64, u64)> {
    if core.has_field(SPACE, "PoolTrackBigPages") {
        let space = sessions::session_space(core, session);
        let count = space.unsigned("PoolTrackBigPagesSize").ok()?;
        return Some((space.pointer("PoolTrackBigPages").ok()?, count));
    }
    let value = |name| core.pointer_at(core.symbol_address("nt", name)?).ok();
    Some((value("ExpSessionPoolBigPageTable")?, value("ExpSessionPoolBigPageTableSize")?))
}
