//! Executive resources: the list that the debugger data block points to, their owners and their
//! waiters.

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::{Emit, Lock, LockOwner, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::scheduler::{dispatcher, thread};

/// Upper limit on resources; a longer list is damaged.
const MAX_RESOURCES: usize = 1_000_000;
/// Upper limit on the owners of a resource.
const MAX_OWNERS: u64 = 65_536;
/// `ResourceOwnedExclusive` of `_ERESOURCE.Flag`.
const OWNED_EXCLUSIVE: u64 = 0x80;
/// Low bits of an owner that is recorded by another address than its thread's.
const MARKS: u64 = 3;
pub(crate) const RESOURCE: &str = "_ERESOURCE";
const ENTRY: &str = "_OWNER_ENTRY";

/// An owner as a resource records it.
struct Owner {
    raw: u64,
    count: Cell<i64>,
}

/// The resources on the system's resource list.
pub(crate) fn resources(core: &Core) -> Result<Vec<u64>, Unanswered> {
    let block = || Unanswered::because("the dump holds no debugger data block");
    let head = core.kdbg().ok_or_else(block)?.pointer(kdbg::RESOURCES);
    let head = head.ok_or_else(|| {
        Unanswered::because("the debugger data block does not give the list of resources")
    })?;
    let links = core.field(RESOURCE, "SystemResourcesList");
    let links = links.ok_or_else(|| Unanswered::because("no layout of _ERESOURCE is known"))?;
    if core.pointer_at(head).is_err() {
        return Err(Unanswered::because("the list of resources is not in the dump"));
    }
    Ok(core.listed(Ok(head), links.offset as u64, MAX_RESOURCES))
}

pub(crate) fn each_lock(
    core: &Core,
    want: &Want<'_, Lock>,
    emit: Emit<'_, Lock>,
) -> Result<(), Unanswered> {
    for address in resources(core)? {
        if emit.row(lock_row(core, want, address)).is_break() {
            break;
        }
    }
    Ok(())
}

fn lock_row(core: &Core, want: &Want<'_, Lock>, address: u64) -> Lock {
    let resource = core.structure(RESOURCE, address);
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
            core.place_of(address).map(|place| place.display())
        } else {
            Err(Absent::NotApplicable)
        },
        state: state.map(str::to_owned),
        active_count: active,
        owner_count: if want.has(|c| c.owner_count) {
            let owners = owners(core, resource);
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

/// The owners: the one in the resource (two before Windows 7), and those of its owner table.
fn owners(core: &Core, resource: Structure<'_>) -> Cell<Vec<Owner>> {
    let mut entries = Vec::new();
    if core.has_field(RESOURCE, "OwnerEntry") {
        entries.push(resource.at("OwnerEntry")?);
    } else {
        let first = resource.at("OwnerThreads")?;
        let size = core.structure(ENTRY, first).size()?;
        entries.extend([Some(first), first.checked_add(size)].into_iter().flatten());
    }
    if let Ok(table) = resource.pointer("OwnerTable") {
        let header = core.structure(ENTRY, table);
        let (count, size) = (header.unsigned("TableSize")?, header.size()?);
        // The first element holds the size of the table, including itself.
        let places = (1..count.min(MAX_OWNERS)).filter_map(|i| table.checked_add(i * size));
        entries.extend(places);
    }
    let owner = |at| {
        let entry = core.structure(ENTRY, at);
        Some(Owner { raw: entry.pointer("OwnerThread").ok()?, count: entry.int("OwnerCount") })
    };
    Ok(entries.into_iter().filter_map(owner).collect())
}

/// The thread of an owner. A driver may record another address with the lowest bits set
/// (`ExSetResourceOwnerPointer`), and so may the kernel, which then references the thread.
fn owning_thread(core: &Core, raw: u64) -> Cell<u64> {
    let address = raw & !MARKS;
    if raw == address || dispatcher::is_thread(core, address) {
        Ok(address)
    } else {
        Err(Absent::NotApplicable)
    }
}

pub(crate) fn each_lock_owner(
    core: &Core,
    want: &Want<'_, LockOwner>,
    emit: Emit<'_, LockOwner>,
) -> Result<(), Unanswered> {
    let wants_names = want.has_any(|c| [c.tid, c.pid, c.process]);
    for address in resources(core)? {
        let resource = core.structure(RESOURCE, address);
        let is_exclusive = resource.unsigned("Flag").map(|flags| flags & OWNED_EXCLUSIVE != 0);
        for owner in owners(core, resource).unwrap_or_default() {
            let ethread = owning_thread(core, owner.raw);
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
                let thread = thread::named_thread(core, ethread);
                (row.tid, row.pid, row.process) = (thread.tid, thread.pid, thread.process);
            }
            if emit.row(row).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
