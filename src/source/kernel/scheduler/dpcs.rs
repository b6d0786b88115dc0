//! Deferred procedure calls (DPCs) that are queued for processors.
//!
//! Windows XP has one queue per processor. Since Windows Server 2003 there are two, for normal and
//! for threaded DPCs. Since Windows 8 the queues are singly linked lists.

use std::collections::HashSet;

use crate::catalog::{Absent, Cell};
use crate::model::{Dpc, Emit, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::scheduler::prcbs;
use crate::source::kernel::scheduler::timer::DPC;

const DATA: &str = "_KDPC_DATA";
const PRCB: &str = "_KPRCB";
/// Upper limit on a queue; a longer one is circular.
const MAX_QUEUED: usize = 100_000;
const KINDS: [&str; 2] = ["Normal", "Threaded"];

pub(crate) fn each_dpc(
    core: &Core,
    want: &Want<'_, Dpc>,
    emit: Emit<'_, Dpc>,
) -> Result<(), Unanswered> {
    let links = core.field(DPC, "DpcListEntry").map(|field| field.offset as u64);
    let links = links.ok_or_else(|| Unanswered::because("no layout of _KDPC is known"))?;
    let mut seen = HashSet::new();
    for (number, prcb) in (0..).zip(prcbs::prcbs(core)) {
        let Some(prcb) = prcb else { continue };
        for (kind, queue) in KINDS.into_iter().zip(dpc_queues(core, &prcb, links)) {
            let new = queue.into_iter().filter(|dpc| seen.insert(*dpc));
            for (position, dpc) in (0..).zip(new) {
                let row = Dpc {
                    processor: Ok(number),
                    position: Ok(position),
                    kind: Ok(kind.to_owned()),
                    ..dpc_row(core, want, dpc)
                };
                if emit.row(row).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn dpc_row(core: &Core, want: &Want<'_, Dpc>, dpc: u64) -> Dpc {
    let routine = core.structure(DPC, dpc).pointer("DeferredRoutine");
    Dpc {
        dpc: Ok(dpc),
        routine,
        routine_symbol: if want.has(|c| c.routine_symbol) {
            core.symbol_text(routine)
        } else {
            Err(Absent::NotApplicable)
        },
        context: core.structure(DPC, dpc).pointer("DeferredContext"),
        ..Dpc::default()
    }
}

/// The DPCs in the queues of a processor.
fn dpc_queues(core: &Core, prcb: &Structure<'_>, links: u64) -> Vec<Vec<u64>> {
    let queue = |head: Cell<u64>| core.listed(head, links, MAX_QUEUED);
    if !core.has_field(PRCB, "DpcData") {
        return vec![queue(prcb.at("DpcListHead"))];
    }
    let size = core.size_of(DATA).unwrap_or(0);
    let data = |i: u64| {
        let first = prcb.at("DpcData")?;
        first.checked_add(i * size).ok_or(Absent::Unreadable)
    };
    let head = |i, path| core.structure(DATA, data(i)?).at(path);
    let is_single = core.has_field(DATA, "DpcList.ListHead");
    (0..KINDS.len() as u64)
        .map(|i| {
            if is_single {
                return singly_listed(core, head(i, "DpcList.ListHead"), links);
            }
            queue(head(i, "DpcListHead"))
        })
        .collect()
}

/// The objects on a null-terminated list.
fn singly_listed(core: &Core, head: Cell<u64>, offset: u64) -> Vec<u64> {
    let mut seen = HashSet::new();
    let mut objects = Vec::new();
    let mut next = head.and_then(|head| core.pointer_at(head));
    while let Ok(entry) = next {
        if entry == 0 || seen.len() >= MAX_QUEUED || !seen.insert(entry) {
            break;
        }
        next = core.pointer_at(entry);
        // An entry whose link cannot be read is left out.
        if next.is_ok() {
            objects.extend(entry.checked_sub(offset));
        }
    }
    objects
}
