//! Rows of the pool tables.

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::model::{BigBlock, Emit, PoolBlock, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::pool::block::{Block, FoundBy, PoolHint, State};
use crate::source::kernel::pool::state::Pool;
use crate::source::kernel::pool::tag::is_tag;
use crate::source::kernel::pool::{big, scan, session_big, sessions};
use crate::source::kernel::scheduler::thread;
use crate::source::kernel::wanted::wanted;

/// Windows 8, the first version that encodes the pointer to the charged process.
const WINDOWS_8: u32 = 9200;
const PAGE: u64 = 0x1000;

fn signed(number: u64) -> Cell<i64> {
    i64::try_from(number).map_err(|_| Absent::Unreadable)
}

pub(crate) fn each_pool_block(
    core: &Core,
    pool: &Pool,
    want: &Want<'_, PoolBlock>,
    emit: Emit<'_, PoolBlock>,
) -> Result<(), Unanswered> {
    let _ = scan::pool_blocks(
        core,
        pool,
        &PoolHint::of(want, |c| [c.tag, c.pool_type, c.address]),
        &mut |block| emit.row(pool_row(core, block, want)),
    )?;
    Ok(())
}

fn pool_row(core: &Core, block: &Block, want: &Want<'_, PoolBlock>) -> PoolBlock {
    let wants_process = want.has_any(|c| [c.eprocess, c.process]);
    let eprocess = if wants_process { charged(core, block) } else { Err(Absent::NotApplicable) };
    PoolBlock {
        address: Ok(block.address),
        size_bytes: signed(block.bytes),
        previous_bytes: block.previous.map(i64::from).ok_or(Absent::NotApplicable),
        tag: wanted(want, |c| c.tag, || tag_of(block)),
        pool_type: wanted(
            want,
            |c| c.pool_type,
            || block.kind.text().map(str::to_owned).ok_or(Absent::NotApplicable),
        ),
        state: wanted(want, |c| c.state, || Ok(block.state.text().to_owned())),
        eprocess,
        process: thread::process_name(core, eprocess),
        page: Ok(block.address & !(PAGE - 1)),
        is_big: Ok(block.found == FoundBy::BigTable),
        session: block.session.map(i64::from).ok_or(Absent::NotApplicable),
        found_by: wanted(want, |c| c.found_by, || Ok(block.found.text().to_owned())),
        description: use_of(core, block, want),
        ..PoolBlock::default()
    }
}

/// The description of the block's pool tag.
fn use_of(core: &Core, block: &Block, want: &Want<'_, PoolBlock>) -> Cell<String> {
    let known = want.has(|c| c.description).then(|| core.symbols.pool_tag(block.tag)).flatten();
    known.map(|known| known.description.to_owned()).ok_or(Absent::NotApplicable)
}

/// The process that is charged for a block.
fn charged(core: &Core, block: &Block) -> Cell<u64> {
    if !block.is_charged {
        return Err(Absent::NotApplicable);
    }
    let at = match core.header.width {
        // A 32-bit block ends with the pointer.
        Width::W32 => block.address.checked_add(block.bytes).and_then(|end| end.checked_sub(4)),
        Width::W64 => {
            let field = core.field("_POOL_HEADER", "ProcessBilled");
            block.address.checked_add(field.ok_or(Absent::NoSymbols)?.offset as u64)
        }
    };
    let stated = core.pointer_at(at.ok_or(Absent::Unreadable)?)?;
    let is_hidden = core.header.build.is_some_and(|build| build >= WINDOWS_8);
    let process = if is_hidden {
        let cookie = core.symbol_address("nt", "ExpPoolQuotaCookie").ok_or(Absent::NoSymbols)?;
        stated ^ block.address ^ core.pointer_at(cookie)?
    } else {
        stated
    };
    if core.is_kernels(process) { Ok(process) } else { Err(Absent::Unreadable) }
}

pub(crate) fn each_big_block(
    core: &Core,
    pool: &Pool,
    want: &Want<'_, BigBlock>,
    emit: Emit<'_, BigBlock>,
) -> Result<(), Unanswered> {
    core.whole_memory()?;
    let unknown = || Unanswered::because("the kernel's table of big allocations was not found");
    let hint = PoolHint::of(want, |c| [c.tag, c.pool_type, c.address]);
    let all = big::big_pool(core, pool).ok_or_else(unknown)?;
    let sessions = sessions::pool_sessions(core, pool)
        .iter()
        .filter_map(|session| session_big::session_big(core, pool, session));
    let blocks = std::iter::once(all).chain(sessions).flat_map(|big| &big.blocks);
    for block in blocks.filter(|block| hint.takes(block)) {
        let row = BigBlock {
            session: block.session.map(i64::from).ok_or(Absent::NotApplicable),
            address: Ok(block.address),
            tag: tag_of(block),
            pool_type: block.kind.text().map(str::to_owned).ok_or(Absent::NotApplicable),
            size_bytes: signed(block.bytes),
            is_free: Ok(block.state == State::Free),
            ..BigBlock::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// The tag; for a damaged block only if it looks like a tag.
fn tag_of(block: &Block) -> Cell<String> {
    match block.state {
        State::Damaged if !is_tag(block.tag) => return Err(Absent::Unreadable),
        // The tag of a free block is soon overwritten.
        State::Free if !is_tag(block.tag) => return Err(Absent::NotApplicable),
        _ => {}
    }
    Ok(block.tag_text())
}
