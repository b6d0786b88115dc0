//! Defects of the file.

use std::collections::{BTreeMap, HashSet};

use minidump::format as md;

use super::core::Core;
use super::core::memory::signed;
use super::core::streams::kind;
use crate::catalog::Absent;
use crate::model::Problem;

pub(super) fn holds_what_it_promises(core: &Core) -> bool {
    let file = core.streams.image().len() as u64;
    let inside = core.streams.directory().iter().all(|entry| {
        let end = u64::from(entry.location.rva) + u64::from(entry.location.data_size);
        entry.stream_type == 0 || end <= file
    });
    inside && lost_entries(core) == 0 && core.memory().missing() == 0
}

fn lost_entries(core: &Core) -> u64 {
    let promised = u64::from(core.streams.header().stream_count);
    promised.saturating_sub(core.streams.directory().len() as u64)
}

/// Defects of the file.
pub(super) fn findings(core: &Core) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut note = |table: Option<&str>, reason: String, count: u64| {
        if count > 0 {
            found.push(Problem {
                table: table.map(str::to_owned).ok_or(Absent::NotApplicable),
                reason: Ok(reason),
                count: signed(count),
                ..Problem::default()
            });
        }
    };
    note(None, "stream directory entries beyond the end of the file".into(), lost_entries(core));
    let file = core.streams.image().len() as u64;
    let mut times: BTreeMap<u32, u64> = BTreeMap::new();
    for entry in core.streams.directory().iter().filter(|entry| entry.stream_type != 0) {
        let end = u64::from(entry.location.rva) + u64::from(entry.location.data_size);
        let name = name(entry.stream_type);
        if end > file {
            note(None, format!("the {name} ends beyond the end of the file"), 1);
        } else if entry.location.data_size == 0 {
            note(None, format!("the {name} is empty"), 1);
        }
        *times.entry(entry.stream_type).or_default() += 1;
    }
    // All comment streams are read, so several are no defect.
    let is_comment = |id| id == kind::COMMENT_A.id || id == kind::COMMENT_W.id;
    for (id, times) in times.into_iter().filter(|(id, times)| *times > 1 && !is_comment(*id)) {
        let name = name(id);
        note(None, format!("the {name} is there more than once; the first is read"), times - 1);
    }
    count_lost(core, &mut note);
    if let Some(reason) = core.types_note() {
        note(None, reason, 1);
    }
    found
}

/// The name of a stream type.
fn name(id: u32) -> String {
    let known = kind::ALL.iter().find(|kind| kind.id == id);
    known.map_or_else(|| format!("stream {id:#x}"), |kind| kind.name.to_owned())
}

/// Counts records that the lists announce but the file does not hold.
fn count_lost(core: &Core, note: &mut dyn FnMut(Option<&str>, String, u64)) {
    let s = &core.streams;
    let lost = [
        ("threads", s.list::<md::MINIDUMP_THREAD>(kind::THREADS).map(|l| l.missing())),
        ("modules", s.list::<md::MINIDUMP_MODULE>(kind::MODULES).map(|l| l.missing())),
        (
            "unloaded_modules",
            s.wide_list::<md::MINIDUMP_UNLOADED_MODULE>(kind::UNLOADED, false).map(|l| l.missing()),
        ),
        (
            "handles",
            s.wide_list::<md::MINIDUMP_HANDLE_DESCRIPTOR>(kind::HANDLES, false)
                .map(|l| l.missing()),
        ),
        (
            "memory_regions",
            s.wide_list::<md::MINIDUMP_MEMORY_INFO>(kind::MEMORY_INFO, true).map(|l| l.missing()),
        ),
    ];
    for (table, missing) in lost {
        let reason = "records that the list's count includes and the stream does not hold";
        note(Some(table), reason.into(), missing.unwrap_or(0));
    }
    let reason = "threads whose stack is that of an earlier thread; the rows of all stacks \
                  together are bounded by the size of the file";
    note(Some("stacks"), reason.into(), shared_stacks(core));
    let reason = "memory ranges that end beyond the end of the file";
    note(Some("coverage"), reason.into(), core.memory().missing());
    let broken = [
        (kind::SYSTEM, core.system().is_none()),
        (kind::EXCEPTION, core.exception_stream().is_err()),
    ];
    for (kind, is_broken) in broken {
        if is_broken && s.get(kind).is_ok() {
            note(None, format!("the {} is too short", kind.name), 1);
        }
    }
}

/// How many threads share the stack of an earlier thread.
fn shared_stacks(core: &Core) -> u64 {
    let Ok(list) = core.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS) else { return 0 };
    let mut seen = HashSet::new();
    let written = list.iter().map(|thread| thread.stack.memory);
    let again = written.filter(|at| at.data_size != 0 && !seen.insert((at.rva, at.data_size)));
    again.count() as u64
}
