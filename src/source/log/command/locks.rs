//! `!locks` of the kernel debugger: executive resources, their owners and their waiters.

use super::stack::Owner;
use super::{Context, Fills, Reader, Signature, thread};
use crate::catalog::Absent;
use crate::model::{CriticalSection, Frame, Irp, Lock, LockOwner, LockWaiter, Thread, WaitObject};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, after, dec, found, hex};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!locks",
    is_named: |name| matches!(name, "!locks" | "!kdext*.locks"),
    signatures: &[
        Signature { literal: "Resource @ ", check: |line| resource(line.trim()).is_some() },
        Signature { literal: "DUMP OF ALL RESOURCE OBJECTS", check: |_| true },
        Signature { literal: "CritSec ", check: super::critical_section::is_start },
    ],
    contains: &["!thread", "k"],
    fills: &[
        Fills::rows::<Lock>(),
        Fills::rows::<LockOwner>(),
        Fills::rows::<LockWaiter>(),
        Fills::rows::<CriticalSection>(),
        Fills::rows::<Thread>(),
        Fills::rows::<WaitObject>(),
        Fills::rows::<Irp>(),
        Fills::rows::<Frame>(),
    ],
    read,
};

/// `Resource @ nt!CmpRegistryLock (0x80478b00)    Shared 10 owning threads`.
fn resource(line: &str) -> Option<Lock> {
    let at = line.find("Resource @ ")?;
    let rest = line.get(at + "Resource @ ".len()..)?;
    let (symbol, rest) = match rest.split_once(" (0x") {
        Some((symbol, rest)) if !symbol.contains("  ") => (Some(symbol), rest),
        _ => (None, rest),
    };
    let (at, rest) = crate::source::log::scan::word(rest)?;
    let at = hex(at.trim_end_matches(')'))?;
    let shared = after(rest, "Shared ").and_then(dec);
    let is_exclusive = rest.contains("Exclusively owned");
    let state = if is_exclusive {
        Some("exclusive")
    } else if shared.is_some() {
        Some("shared")
    } else if rest.contains("Available") || rest.contains("not owned") {
        Some("free")
    } else {
        None
    };
    Some(Lock {
        resource: Ok(at),
        symbol: found(symbol.map(|s| s.trim().to_owned())),
        state: found(state.map(str::to_owned)),
        owner_count: found(shared.or_else(|| is_exclusive.then_some(1))),
        ..Lock::default()
    })
}

/// The owners of a line: `ff688da0-01<*> ff687da0-01<*>`, of which the last may be followed by
/// `*** Actual Thread 80ed0020`.
fn owners(line: &str, lock: &Lock) -> Vec<LockOwner> {
    let is_exclusive = found(lock.state.as_deref().ok().map(|state| state == "exclusive"));
    let mut rows: Vec<LockOwner> = Vec::new();
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if word == "Thread"
            && let Some(actual) = words.peek().copied().and_then(address)
        {
            if let Some(row) = rows.last_mut() {
                // The recorded owner is not a thread, but gives the thread.
                row.owner = row.ethread;
                row.ethread = Ok(actual);
            }
            continue;
        }
        let Some((thread, count)) = word.split_once('-') else { continue };
        let Some(thread) = address(thread) else { continue };
        let count = count.split('<').next().and_then(|n| i64::from_str_radix(n, 16).ok());
        rows.push(LockOwner {
            resource: lock.resource,
            ethread: Ok(thread),
            count: found(count),
            is_exclusive,
            ..LockOwner::default()
        });
    }
    rows
}

/// Whether a line continues a list of owners.
fn is_owners(line: &str) -> bool {
    line.starts_with("Threads:") || !owners(line, &Lock::default()).is_empty()
}

/// A list of addresses only, as waiters are printed; comments of authors may follow.
fn waiters(line: &str) -> Vec<u64> {
    line.split_whitespace().map_while(address).collect()
}

/// The number of held resources in the footer: `2263 total locks, 3 locks currently held`.
fn held_count(line: &str) -> Option<i64> {
    let (before, _) = line.split_once(" locks currently held")?;
    let (total, held) = before.split_once(" total locks,")?;
    dec(total.trim())?;
    dec(held.trim())
}

/// Whether a line starts the lock output of `!analyze`.
pub(super) fn is_start(text: &str) -> bool {
    resource(text).is_some() || super::critical_section::is_start(text)
}

/// Reads the following resources, up to the line with their number or a line that belongs to no
/// lock.
pub(super) fn block(lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut held: Option<Held> = None;
    let mut waiting = None;
    while let Some(line) = lines.peek() {
        let text = line.trimmed();
        if super::critical_section::is_start(text) {
            let Some(line) = lines.next() else { break };
            super::critical_section::block(&line, lines, sink);
            continue;
        }
        let Some(line) = lines.next() else { break };
        let text = line.trimmed();
        if let Some(lock) = resource(text) {
            finish(held.take(), &line, sink);
            held = Some(Held { at: line.number, lock, owners: 0, waiters: [0; 2] });
            waiting = None;
        } else if text.contains(" total locks") {
            return finish(held, &line, sink);
        } else if text.starts_with("Threads Waiting On ") {
            waiting = Some(text.contains("Exclusive"));
        } else if !held.as_mut().is_some_and(|held| belongs(&line, held, waiting, sink))
            && !line.is_blank()
        {
            lines.push_front(line);
            break;
        }
    }
    if let Some(held) = held {
        sink.row_at(held.at, held.lock);
    }
}

/// The state of reading one resource.
struct Held {
    at: u64,
    lock: Lock,
    owners: i64,
    waiters: [i64; 2],
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut held: Option<Held> = None;
    let mut waiting: Option<bool> = None;
    let mut resources = 0;
    while let Some(line) = lines.next() {
        let text = line.trimmed();
        if super::critical_section::is_start(text) {
            super::critical_section::block(&line, lines, sink);
        } else if let Some(lock) = resource(text) {
            finish(held.take(), &line, sink);
            resources += 1;
            held = Some(Held { at: line.number, lock, owners: 0, waiters: [0; 2] });
            waiting = None;
        } else if let Some(said) = held_count(text) {
            if said != resources {
                sink.doubt(
                    &line,
                    format!("{said} locks are held, of which {resources} are listed"),
                );
            }
        } else if text.starts_with("Threads Waiting On ") {
            waiting = Some(text.contains("Exclusive"));
        } else if thread::is_start(text) {
            thread::block(&line, &Owner::default(), Err(Absent::NotApplicable), lines, sink);
        } else if let Some(held) = &mut held {
            if !belongs(&line, held, waiting, sink) && !is_known(&line) {
                sink.unread(&line);
            }
        } else if !is_known(&line) {
            sink.unread(&line);
        }
        if text.contains(" total locks") {
            finish(held.take(), &line, sink);
        }
    }
    if let Some(held) = held {
        sink.row_at(held.at, held.lock);
    }
}

/// Takes a line of a resource.
fn belongs(line: &Line<'_>, held: &mut Held, waiting: Option<bool>, sink: &mut Sink<'_>) -> bool {
    let text = line.trimmed();
    let count = |label: &str| found(after(text, label).and_then(dec));
    if text.starts_with("Contention Count") {
        held.lock.contention_count = count("Contention Count =");
    } else if text.starts_with("NumberOfSharedWaiters") {
        held.lock.shared_waiters = count("NumberOfSharedWaiters =");
    } else if text.starts_with("NumberOfExclusiveWaiters") {
        held.lock.exclusive_waiters = count("NumberOfExclusiveWaiters =");
    } else if let Some(is_exclusive) = waiting {
        let threads = waiters(text);
        for ethread in &threads {
            let position = &mut held.waiters[usize::from(is_exclusive)];
            let row = LockWaiter {
                resource: held.lock.resource,
                ethread: Ok(*ethread),
                position: Ok(*position),
                is_exclusive: Ok(is_exclusive),
                ..LockWaiter::default()
            };
            *position += 1;
            sink.row(line, row);
        }
        return !threads.is_empty();
    } else if is_owners(text) {
        for row in owners(text, &held.lock) {
            held.owners += 1;
            sink.row(line, row);
        }
    } else {
        return false;
    }
    true
}

fn finish(held: Option<Held>, line: &Line<'_>, sink: &mut Sink<'_>) {
    let Some(held) = held else { return };
    if let (Ok(said), Ok("shared")) = (held.lock.owner_count, held.lock.state.as_deref())
        && held.owners > 0
        && held.owners != said
    {
        sink.doubt(
            line,
            format!("a resource with {said} owning threads, of which {} are listed", held.owners),
        );
    }
    sink.row_at(held.at, held.lock);
}

fn is_known(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text.starts_with("KD: Scanning for held locks")
        || text.starts_with("****")
        || text.contains(" total locks")
        || text.starts_with("Scanned ")
        || text.starts_with("remember")
        || text.starts_with("Unable to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_and_owners() {
        let lock =
            resource("Resource @ nt!CmpRegistryLock (0x80478b00)    Shared 10 owning threads")
                .unwrap();
        assert_eq!(
            (lock.resource, lock.symbol.as_deref(), lock.owner_count),
            (Ok(0x8047_8b00), Ok("nt!CmpRegistryLock"), Ok(10))
        );
        let bare = resource("Resource @ 0xffffb40bc8deb908    Exclusively owned").unwrap();
        assert_eq!(
            (bare.state.as_deref(), bare.symbol.clone()),
            (Ok("exclusive"), Err(Absent::NotApplicable))
        );
        let rows = owners("Threads: 80ed0023-01<*> *** Actual Thread 80ed0020", &bare);
        assert_eq!(
            (rows.len(), rows[0].ethread, rows[0].owner, rows[0].count),
            (1, Ok(0x80ed_0020), Ok(0x80ed_0023), Ok(1))
        );
        assert_eq!(owners("Threads: ff688da0-01<*> ff687da0-02<*>", &lock)[1].count, Ok(2));
        assert_eq!(waiters("850bbd78       89b2b3f0  <<<"), [0x850b_bd78, 0x89b2_b3f0]);
        assert!(resource("no resource").is_none());
    }
}
