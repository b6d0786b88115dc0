//! Pages of the pools as a map shows them: in use or not, alone or part of a run.

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, PoolPage, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::pool::block::{PoolHint, PoolKind};
use crate::source::kernel::pool::frames::Mark;
use crate::source::kernel::pool::merge::Reported;
use crate::source::kernel::pool::seen::{PageSeen, PageUse};
use crate::source::kernel::pool::state::Pool;
use crate::source::kernel::pool::{index, scan};

const PAGE: u64 = 0x1000;
/// Unused pages are listed if any of the 64 pages of their map row is used.
const ROW: u64 = 64 * PAGE;
/// Rows between two listed rows are listed too, up to this many bytes.
const GAP: u64 = 16 * ROW;

/// Emits used pages and the unused pages between them.
struct Map<'e> {
    emit: Emit<'e, PoolPage>,
    /// The range and the row of the last page, and the address behind that page.
    last: Option<Last>,
    /// Whether the last page belongs to a run that continues.
    is_in_run: bool,
}

#[derive(Clone, Copy)]
struct Last {
    range: (u64, u64),
    kind: PoolKind,
    session: Option<u32>,
    row: u64,
    next: u64,
}

pub(crate) fn each_pool_page(
    core: &Core,
    pool: &Pool,
    want: &Want<'_, PoolPage>,
    emit: Emit<'_, PoolPage>,
) -> Result<(), Unanswered> {
    let mut map = Map { emit, last: None, is_in_run: false };
    let mut is_over = false;
    let hint = PoolHint::pages(want.control());
    let mut take = |page| {
        let flow = map.take(page);
        is_over = flow.is_break();
        flow
    };
    core.whole_memory()?;
    if index::indexed_pages(core, pool, &hint, &mut take).is_none() {
        let _ = scan::pool_pass(core, pool, &hint, true, &mut |seen| match seen {
            Reported::Page(page) => take(page),
            Reported::Block(_) => Flow::Continue(()),
        })?;
    }
    if !is_over {
        let _ = map.end_row();
    }
    Ok(())
}

impl Map<'_> {
    fn take(&mut self, page: PageSeen) -> Flow {
        let row = page.address & !(ROW - 1);
        let is_same = self.last.is_some_and(|last| {
            (last.row, last.range, last.session) == (row, page.range, page.session)
        });
        if !is_same {
            let before =
                self.last.filter(|last| (last.range, last.session) == (page.range, page.session));
            self.is_in_run &= before.is_some();
            self.end_row()?;
            let start = row.max(page.range.0);
            let end = before.map(|last| last.row.saturating_add(ROW));
            let next = end.filter(|end| start.saturating_sub(*end) <= GAP).unwrap_or(start);
            self.last =
                Some(Last { range: page.range, kind: page.kind, session: page.session, row, next });
        }
        self.unused_before(page.address)?;
        if let Some(last) = &mut self.last {
            last.next = page.address.saturating_add(PAGE);
        }
        let row = self.row(page);
        self.emit.row(row)
    }

    /// Emits the rest of the row of the last page.
    fn end_row(&mut self) -> Flow {
        let Some(last) = self.last else { return Flow::Continue(()) };
        self.unused_before(last.row.saturating_add(ROW).min(last.range.1))?;
        self.last = None;
        Flow::Continue(())
    }

    fn unused_before(&mut self, end: u64) -> Flow {
        let Some(Last { next, kind, session, .. }) = self.last else { return Flow::Continue(()) };
        for address in (next..end).step_by(0x1000) {
            self.emit.row(PoolPage {
                address: Ok(address),
                pool_type: name(kind),
                state: Ok("unused".to_owned()),
                is_paged_out: Ok(false),
                session: number(session),
                ..PoolPage::default()
            })?;
        }
        Flow::Continue(())
    }

    /// The row of a page that the dump holds.
    fn row(&mut self, page: PageSeen) -> PoolPage {
        let (state, run): (Cell<&str>, Cell<i64>) = match (page.page_use, page.mark) {
            (PageUse::Big { first, last }, _) => {
                let is_first = page.address & !(PAGE - 1) <= first;
                let is_last = page.address | (PAGE - 1) >= last;
                let pages = (last - first) / PAGE + 1;
                let pages = i64::try_from(pages).map_err(|_| Absent::Unreadable);
                (Ok(place(is_first, is_last)), pages)
            }
            (_, Some(mark)) => self.marked(mark),
            (PageUse::Blocks, None) => (Ok("one page"), Ok(1)),
            // Only the table of big allocations says whether it is a single page or part of a run.
            _ if !page.has_table => (Err(Absent::NoSymbols), Err(Absent::NoSymbols)),
            (PageUse::Other, None) => (Ok("unused"), Err(Absent::NotApplicable)),
            (PageUse::Missing(_), None) if page.is_paged_out => (Ok("one page"), Ok(1)),
            (PageUse::Missing(why), None) => (Err(why), Err(why)),
        };
        PoolPage {
            address: Ok(page.address),
            pool_type: name(page.kind),
            state: state.map(str::to_owned),
            is_paged_out: Ok(page.is_paged_out),
            run_pages: run,
            session: number(page.session),
            ..PoolPage::default()
        }
    }

    /// What the PFN database says. It does not give the length of a run.
    fn marked(&mut self, mark: Mark) -> (Cell<&'static str>, Cell<i64>) {
        let Mark { is_first, is_last, is_large } = mark;
        let was_in_run = self.is_in_run;
        self.is_in_run = (is_first || was_in_run) && !is_last;
        if !is_first && !is_last && is_large && !was_in_run {
            return (Ok("unused"), Err(Absent::NotApplicable));
        }
        let run = if is_first && is_last { Ok(1) } else { Err(Absent::NotApplicable) };
        (Ok(place(is_first, is_last)), run)
    }
}

/// The position of a page in its run.
const fn place(is_first: bool, is_last: bool) -> &'static str {
    match (is_first, is_last) {
        (true, true) => "one page",
        (true, false) => "first",
        (false, true) => "last",
        (false, false) => "middle",
    }
}

fn name(kind: PoolKind) -> Cell<String> {
    kind.text().map(str::to_owned).ok_or(Absent::NotApplicable)
}

fn number(session: Option<u32>) -> Cell<i64> {
    session.map(i64::from).ok_or(Absent::NotApplicable)
}
