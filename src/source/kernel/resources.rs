//! Executive resources: the list that the debugger data points to, their owners and their waiters.

use super::KernelDump;
use super::structure::Structure;
use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::{Emit, Lock, LockOwner, Unanswered, Want};

/// No system has more resources; more is a damaged list.
const MAX_RESOURCES: usize = 1_000_000;
/// No resource has more owners.
const MAX_OWNERS: u64 = 65_536;
/// `ResourceOwnedExclusive` of `_ERESOURCE.Flag`.
const OWNED_EXCLUSIVE: u64 = 0x80;
/// Bits of an owner that is recorded by another address than the thread's.
const MARKS: u64 = 3;
pub(super) const RESOURCE: &str = "_ERESOURCE";
const ENTRY: &str = "_OWNER_ENTRY";

/// An owner as a resource records it.
struct Owner {
    raw: u64,
    count: Cell<i64>,
}

impl KernelDump {
    /// The resources on the list of all.
    pub(super) fn resources(&self) -> Result<Vec<u64>, Unanswered> {
        let block = || Unanswered::because("the dump holds no debugger data block");
        let head = self.kdbg().ok_or_else(block)?.pointer(kdbg::RESOURCES);
        let head = head
            .ok_or_else(|| Unanswered::because("the debugger data names no list of resources"))?;
        let links = self.types().other(RESOURCE, "SystemResourcesList");
        let links = links.ok_or_else(|| Unanswered::because("no layout of _ERESOURCE is known"))?;
        if self.pointer_at(head).is_err() {
            return Err(Unanswered::because("the list of resources is not in the dump"));
        }
        Ok(self.listed(Ok(head), links.offset as u64, MAX_RESOURCES))
    }

    pub(super) fn each_lock(
        &self,
        want: &Want<'_, Lock>,
        emit: Emit<'_, Lock>,
    ) -> Result<(), Unanswered> {
        for address in self.resources()? {
            if emit.row(self.lock_row(want, address)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn lock_row(&self, want: &Want<'_, Lock>, address: u64) -> Lock {
        let resource = self.structure(RESOURCE, address);
        let active = resource.int("ActiveCount");
        let flags = resource.unsigned("Flag");
        let state = active.and_then(|active| {
            Ok(match (active, flags?) {
                (0, _) => "free",
                (_, flags) if flags & OWNED_EXCLUSIVE != 0 => "exclusive",
                _ => "shared",
            })
        });
        Lock {
            resource: Ok(address),
            symbol: if want.has(|c| c.symbol) {
                self.place_of(address).map(|place| place.display())
            } else {
                Err(Absent::NotApplicable)
            },
            state: state.map(str::to_owned),
            active_count: active,
            owner_count: if want.has(|c| c.owner_count) {
                let owners = self.owners(resource);
                owners.and_then(|all| i64::try_from(all.len()).map_err(|_| Absent::Unreadable))
            } else {
                Err(Absent::NotApplicable)
            },
            contention_count: resource.int("ContentionCount"),
            shared_waiters: resource.int("NumberOfSharedWaiters"),
            exclusive_waiters: resource.int("NumberOfExclusiveWaiters"),
            flags: flags.and_then(|flags| i64::try_from(flags).map_err(|_| Absent::Unreadable)),
            ..Lock::default()
        }
    }

    /// The owners: the one in the resource (before Windows 7 two), and those of its table.
    fn owners(&self, resource: Structure<'_>) -> Cell<Vec<Owner>> {
        let mut entries = Vec::new();
        if self.knows(RESOURCE, "OwnerEntry") {
            entries.push(resource.at("OwnerEntry")?);
        } else {
            let first = resource.at("OwnerThreads")?;
            let size = self.structure(ENTRY, first).size()?;
            entries.extend([Some(first), first.checked_add(size)].into_iter().flatten());
        }
        if let Ok(table) = resource.pointer("OwnerTable") {
            let header = self.structure(ENTRY, table);
            let (count, size) = (header.unsigned("TableSize")?, header.size()?);
            // The first element holds the size of the table, which counts itself.
            let places = (1..count.min(MAX_OWNERS)).filter_map(|i| table.checked_add(i * size));
            entries.extend(places);
        }
        let owner = |at| {
            let entry = self.structure(ENTRY, at);
            Some(Owner { raw: entry.pointer("OwnerThread").ok()?, count: entry.int("OwnerCount") })
        };
        Ok(entries.into_iter().filter_map(owner).collect())
    }

    /// The thread of an owner. A driver may record another address, with the lowest bits set, and so
    /// may the kernel, which then counts references to the thread.
    fn owning_thread(&self, raw: u64) -> Cell<u64> {
        let address = raw & !MARKS;
        if raw == address || self.is_thread(address) {
            Ok(address)
        } else {
            Err(Absent::NotApplicable)
        }
    }

    pub(super) fn each_lock_owner(
        &self,
        want: &Want<'_, LockOwner>,
        emit: Emit<'_, LockOwner>,
    ) -> Result<(), Unanswered> {
        let wants_names = want.has_any(|c| [c.tid, c.pid, c.process]);
        for address in self.resources()? {
            let resource = self.structure(RESOURCE, address);
            let is_exclusive = resource.unsigned("Flag").map(|flags| flags & OWNED_EXCLUSIVE != 0);
            for owner in self.owners(resource).unwrap_or_default() {
                let ethread = self.owning_thread(owner.raw);
                let is_thread = ethread == Ok(owner.raw);
                let mut row = LockOwner {
                    resource: Ok(address),
                    ethread,
                    count: owner.count,
                    is_exclusive,
                    owner: if is_thread { Err(Absent::NotApplicable) } else { Ok(owner.raw) },
                    ..LockOwner::default()
                };
                if let Ok(ethread) = ethread
                    && wants_names
                {
                    let thread = self.named_thread(ethread);
                    (row.tid, row.pid, row.process) = (thread.tid, thread.pid, thread.process);
                }
                if emit.row(row).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
