//! Deferred procedure calls that are queued for processors.
//!
//! XP has one queue a processor; since 2003 there are two, of normal calls and of those that a thread
//! makes. Since Windows 8 the queues are singly linked.

use std::collections::HashSet;

use super::KernelDump;
use super::object::Object;
use crate::catalog::{Absent, Cell};
use crate::model::{Dpc, Emit, Unanswered, Want};

pub(super) const DPC: &str = "_KDPC";
const DATA: &str = "_KDPC_DATA";
const PRCB: &str = "_KPRCB";
/// No queue is longer; a longer one runs in a circle.
const MAX_QUEUED: usize = 100_000;
const KINDS: [&str; 2] = ["Normal", "Threaded"];

impl KernelDump {
    pub(super) fn each_dpc(
        &self,
        want: &Want<'_, Dpc>,
        emit: Emit<'_, Dpc>,
    ) -> Result<(), Unanswered> {
        let links = self.field(DPC, "DpcListEntry").map(|field| field.offset as u64);
        let links = links.ok_or_else(|| Unanswered::because("no layout of _KDPC is known"))?;
        let mut seen = HashSet::new();
        for (number, prcb) in (0..).zip(self.prcbs()) {
            let Some(prcb) = prcb else { continue };
            for (kind, queue) in KINDS.into_iter().zip(self.dpc_queues(&prcb, links)) {
                let new = queue.into_iter().filter(|dpc| seen.insert(*dpc));
                for (position, dpc) in (0..).zip(new) {
                    let row = Dpc {
                        processor: Ok(number),
                        position: Ok(position),
                        kind: Ok(kind.to_owned()),
                        ..self.dpc_row(want, dpc)
                    };
                    if emit.row(row).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn dpc_row(&self, want: &Want<'_, Dpc>, dpc: u64) -> Dpc {
        let routine = self.structure(DPC, dpc).pointer("DeferredRoutine");
        Dpc {
            dpc: Ok(dpc),
            routine,
            routine_symbol: if want.has(|c| c.routine_symbol) {
                self.symbol_text(routine)
            } else {
                Err(Absent::NotApplicable)
            },
            context: self.structure(DPC, dpc).pointer("DeferredContext"),
            ..Dpc::default()
        }
    }

    /// A routine as debuggers print it.
    pub(super) fn symbol_text(&self, routine: Cell<u64>) -> Cell<String> {
        routine.and_then(|at| self.place_of(at)).map(|place| place.display())
    }

    /// The calls in the queues of a processor.
    fn dpc_queues(&self, prcb: &Object<'_>, links: u64) -> Vec<Vec<u64>> {
        let queue = |head: Cell<u64>| self.listed(head, links, MAX_QUEUED);
        if !self.knows(PRCB, "DpcData") {
            return vec![queue(prcb.address_of("DpcListHead"))];
        }
        let size = self.types().size_of(DATA).unwrap_or(0);
        let data = |i: u64| {
            let first = prcb.address_of("DpcData")?;
            first.checked_add(i * size).ok_or(Absent::Unreadable)
        };
        let head = |i, path| self.structure(DATA, data(i)?).at(path);
        let is_single = self.knows(DATA, "DpcList.ListHead");
        (0..KINDS.len() as u64)
            .map(|i| {
                if is_single {
                    return self.singly_listed(head(i, "DpcList.ListHead"), links);
                }
                queue(head(i, "DpcListHead"))
            })
            .collect()
    }

    /// The objects on a list that a null ends.
    fn singly_listed(&self, head: Cell<u64>, offset: u64) -> Vec<u64> {
        let mut seen = HashSet::new();
        let mut objects = Vec::new();
        let mut next = head.and_then(|head| self.pointer_at(head));
        while let Ok(entry) = next {
            if entry == 0 || seen.len() >= MAX_QUEUED || !seen.insert(entry) {
                break;
            }
            next = self.pointer_at(entry);
            // An entry whose own pointer cannot be read is none.
            if next.is_ok() {
                objects.extend(entry.checked_sub(offset));
            }
        }
        objects
    }
}
