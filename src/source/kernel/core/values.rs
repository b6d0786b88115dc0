//! Derives the offsets of fields of processes and threads from their values.
//!
//! The process list is circular, process IDs are multiples of four, the system process is named
//! `System`, and a thread points to its process. An offset is accepted if all examined processes
//! and threads confirm it and no other offset fits.

use std::collections::BTreeSet;

use crate::dump::kdbg;
use crate::source::kernel::core::Core;

/// Upper limits on the processes that are examined, and on the threads of each.
const MOST_PROCESSES: usize = 64;
const MOST_THREADS: usize = 4;
/// A longer list of processes is damaged.
const MAX_LIST: usize = 1 << 16;
/// Upper limit on the offsets that are tried.
const FAR: usize = 0x1000;
/// The minimum number of processes that prove anything.
const FEWEST: usize = 3;
/// Upper limit on process and thread IDs.
const MAX_ID: u64 = 1 << 28;
/// Process ID and name of the system process.
const SYSTEM: (u64, &[u8]) = (4, b"System\0");
/// Length of `_EPROCESS.ImageFileName`: 15 characters and, since Windows 7, a terminating null.
const NAME: usize = 15;
const PROCESS_OBJECT: u8 = 3;
const THREAD_OBJECT: u8 = 6;

/// Field offsets that were derived from values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SeenFields {
    /// `_EPROCESS.ActiveProcessLinks`.
    pub(super) links: Option<usize>,
    /// `_EPROCESS.UniqueProcessId`.
    pub(super) pid: Option<usize>,
    /// `_EPROCESS.ImageFileName`.
    pub(super) name: Option<usize>,
    /// `_EPROCESS.ThreadListHead`.
    pub(super) threads: Option<usize>,
    /// `_ETHREAD.ThreadListEntry`.
    pub(super) entry: Option<usize>,
    /// `_ETHREAD.Cid`.
    pub(super) cid: Option<usize>,
    /// The number of processes that confirm them.
    pub(super) processes: usize,
}

/// What is examined.
struct Look<'a> {
    core: &'a Core,
    /// The size of a pointer in bytes.
    width: usize,
    /// Address and process ID of each process.
    processes: Vec<(u64, u64)>,
}

/// Examines the processes and threads of a dump with complete memory. `dtb` is the offset of the
/// page directory base in a process, `owner` the offset of the process pointer in a thread.
pub(super) fn look(core: &Core, dtb: usize, owner: usize) -> SeenFields {
    let mut seen = SeenFields::default();
    if core.pages.is_none() {
        return seen;
    }
    let width = core.header.width.bytes();
    let mut look = Look { core, width, processes: Vec::new() };
    let Some((entries, links)) = look.links(dtb) else { return seen };
    seen.links = Some(links);
    seen.processes = entries.len();
    let own = |entry: &u64| entry.checked_sub(links as u64);
    let pid = |entry: &u64| look.pointer(entry.checked_sub(width as u64)?);
    let pairs = entries.iter().map(|entry| Some((own(entry)?, pid(entry)?)));
    let Some(pairs) = pairs.collect::<Option<Vec<_>>>() else { return seen };
    let ids: BTreeSet<u64> = pairs.iter().map(|(_, pid)| *pid).collect();
    let are_ids = ids.iter().all(|id| id % 4 == 0 && (1..MAX_ID).contains(id));
    if !are_ids || ids.len() != pairs.len() {
        return seen;
    }
    seen.pid = links.checked_sub(width);
    look.processes = pairs;
    seen.name = look.name();
    if let Some((threads, entry)) = look.threads(links, owner) {
        (seen.threads, seen.entry) = (Some(threads), Some(entry));
        seen.cid = look.cid(threads, entry);
    }
    seen
}

impl Look<'_> {
    fn pointer(&self, at: u64) -> Option<u64> {
        self.core.pointer_at(at).ok()
    }

    fn kind(&self, at: u64) -> Option<u8> {
        let byte = self.core.kernel_space().page(at).ok()?.first()?;
        Some(byte & 0x7f)
    }

    /// The offsets at which a pointer can be.
    fn places(&self) -> impl Iterator<Item = usize> {
        (0..FAR).step_by(self.width)
    }

    /// The offset that satisfies a condition, if exactly one does.
    fn only(&self, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mut found = self.places().filter(|place| is_it(*place));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Entries of the process list, and the offset of the entry in a process.
    fn links(&self, dtb: usize) -> Option<(Vec<u64>, usize)> {
        let stated = || self.core.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::PROCESS_HEAD));
        let head = self.core.header.process_head.or_else(stated)?;
        let list = self.core.kernel_space().list(head, MAX_LIST);
        let mut entries = list.entries;
        if entries.len() < FEWEST {
            return None;
        }
        entries.truncate(MOST_PROCESSES);
        let links = self.only(|place| {
            let mut bases = BTreeSet::new();
            let are_processes = entries.iter().all(|entry| {
                let Some(process) = entry.checked_sub(place as u64) else { return false };
                let base = process.checked_add(dtb as u64).and_then(|at| self.pointer(at));
                // The low bits of a page directory base are flags, or select a page directory
                // pointer table.
                bases.extend(base.filter(|base| base >> 12 != 0 && base >> 52 == 0));
                self.kind(process) == Some(PROCESS_OBJECT)
            });
            // A process that has exited may have no page tables any more.
            are_processes && is_most(bases.len(), entries.len())
        })?;
        Some((entries, links))
    }

    /// The offset of the image file name in a process.
    fn name(&self) -> Option<usize> {
        let (system, _) = self.processes.iter().find(|(_, pid)| *pid == SYSTEM.0)?;
        let bytes = self.core.prefix(*system, FAR).ok()?;
        let mut found = memchr::memmem::find_iter(&bytes, SYSTEM.1).filter(|place| {
            self.processes.iter().all(|(process, _)| {
                let at = process.checked_add(*place as u64);
                let name = at.and_then(|at| self.core.bytes(at, NAME).ok());
                name.is_some_and(|name| is_name(&name))
            })
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// The threads of a process, from the offsets of the list head and of the list entries.
    fn listed(&self, process: u64, head: usize, entry: usize) -> Option<Vec<u64>> {
        let head = process.checked_add(head as u64)?;
        let list = self.core.kernel_space().list(head, MOST_THREADS);
        list.entries.iter().map(|at| at.checked_sub(entry as u64)).collect()
    }

    /// The offset of the thread list head in a process, and of the list entry in a thread. A
    /// process has another thread list in its first part (`_KPROCESS`), before its links.
    fn threads(&self, links: usize, owner: usize) -> Option<(usize, usize)> {
        let mut found = Vec::new();
        for head in self.places().filter(|head| *head > links) {
            let is_list = self.processes.iter().all(|(process, _)| {
                process.checked_add(head as u64).is_some_and(|at| self.core.is_list_head(at))
            });
            if !is_list {
                continue;
            }
            let firsts: Vec<(u64, u64)> = self
                .processes
                .iter()
                .filter_map(|(process, _)| {
                    let head = process.checked_add(head as u64)?;
                    let first = self.pointer(head).filter(|first| *first != head)?;
                    Some((*process, first))
                })
                .collect();
            let entry = self.only(|entry| {
                let threads = || {
                    let all = firsts.iter();
                    all.filter_map(|(process, at)| Some((*process, at.checked_sub(entry as u64)?)))
                };
                let is_owner = |(process, thread): &(u64, u64)| {
                    let owner = thread.checked_add(owner as u64).and_then(|at| self.pointer(at));
                    owner == Some(*process)
                };
                // A thread may be attached to another process.
                firsts.len() >= FEWEST
                    && threads().all(|(_, thread)| self.kind(thread) == Some(THREAD_OBJECT))
                    && is_most(threads().filter(is_owner).count(), firsts.len())
            });
            found.extend(entry.map(|entry| (head, entry)));
        }
        match found[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The offset of the client ID in a thread: the ID of its process, and an ID that no other
    /// thread has.
    fn cid(&self, head: usize, entry: usize) -> Option<usize> {
        let step = self.width as u64;
        let threads: Vec<(u64, u64)> = self
            .processes
            .iter()
            .filter_map(|(process, pid)| Some((self.listed(*process, head, entry)?, *pid)))
            .flat_map(|(threads, pid)| threads.into_iter().map(move |thread| (thread, pid)))
            .collect();
        self.only(|place| {
            let mut ids = BTreeSet::new();
            !threads.is_empty()
                && threads.iter().all(|(thread, pid)| {
                    let Some(at) = thread.checked_add(place as u64) else { return false };
                    let id = at.checked_add(step).and_then(|at| self.pointer(at));
                    let is_id = id.is_some_and(|id| id % 4 == 0 && (1..MAX_ID).contains(&id));
                    is_id && self.pointer(at) == Some(*pid) && ids.insert(id)
                })
        })
    }
}

/// Whether bytes can be an image file name: text up to a null.
fn is_name(bytes: &[u8]) -> bool {
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let is_text = bytes.iter().take(len).all(|byte| *byte >= b' ' && *byte != 0x7f);
    len > 1 && is_text
}

/// Whether a count is at least three quarters of another.
const fn is_most(count: usize, all: usize) -> bool {
    count * 4 >= all * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text() {
        assert!(is_name(b"System\0\0\0") && is_name(b"explorer.exe.mu"));
        assert!(!is_name(b"\0\0\0\0") && !is_name(b"S\0\0\0") && !is_name(b"Sys\x01em\0\0"));
    }
}
