//! Threads: the thread list, joined by thread ID with thread information and names.

use std::collections::BTreeMap;

use minidump::format as md;

use super::bounds::{self, Stack};
use super::core::Core;
use super::core::streams::kind;
use super::{registers, stacks};
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Thread, Unanswered, Want};
use crate::time::filetime_micros;

/// Flags of `MINIDUMP_THREAD_INFO.DumpFlags`.
const EXITED: u32 = 4;
const INVALID_INFO: u32 = 8;

pub(super) fn each_thread(
    core: &Core,
    want: &Want<'_, Thread>,
    emit: Emit<'_, Thread>,
) -> Result<(), Unanswered> {
    let list = core.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS)?;
    let infos = thread_infos(core);
    let names = thread_names(core);
    let mut text = core.streams.text();
    let mut walker = stacks::walker(core);
    let (pid, process) = (core.pid(), core.process_name());
    for raw in list.iter() {
        let id = raw.thread_id;
        let stack = if want.has_any(|c| [c.stack_base, c.stack_limit, c.is_stack_resident]) {
            bounds::of(core, &raw)
        } else {
            Stack::default()
        };
        let mut row = Thread {
            tid: Ok(id.into()),
            pid,
            process: process.clone(),
            name: match &names {
                Ok(names) => {
                    names.get(&id).map_or(Err(Absent::NotApplicable), |&offset| text.utf16(offset))
                }
                Err(reason) => Err(*reason),
            },
            priority: Ok(raw.priority.cast_signed().into()),
            base_priority: base_priority(raw.priority_class),
            suspend_count: Ok(raw.suspend_count.into()),
            teb: if raw.teb == 0 { Err(Absent::NotApplicable) } else { Ok(raw.teb) },
            stack_base: stack.base,
            stack_limit: stack.limit,
            is_stack_resident: Ok(stack.is_resident),
            ..Thread::default()
        };
        if want.has(|c| c.stack_pointer) {
            row.stack_pointer = registers::context_of(core, &raw).and_then(|context| context.sp());
        }
        if want.has_any(|c| [c.stack_id, c.blocker]) {
            (row.stack_id, row.blocker) = stacks::verdict(core, &mut walker, &raw);
        }
        let info = infos.as_ref().map_err(|reason| *reason);
        let info = info.and_then(|infos| infos.get(&id).ok_or(Absent::NotInDump));
        add_info(core, &mut row, info);
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn add_info(core: &Core, row: &mut Thread, info: Cell<&md::MINIDUMP_THREAD_INFO>) {
    let valid = info.and_then(|info| {
        if info.dump_flags & INVALID_INFO == 0 { Ok(info) } else { Err(Absent::NotInDump) }
    });
    row.start_address = valid.and_then(|info| not_zero(info.start_address));
    row.start_symbol = row.start_address.and_then(|address| core.symbol_text(address));
    // The recorded address is the one that was passed to `CreateThread`.
    row.win32_start_address = row.start_address;
    row.win32_start_symbol.clone_from(&row.start_symbol);
    row.create_time = valid.and_then(|info| filetime(info.create_time));
    row.exit_time = valid.and_then(|info| filetime(info.exit_time));
    row.user_time_ms = valid.and_then(|info| ticks_to_ms(info.user_time));
    row.kernel_time_ms = valid.and_then(|info| ticks_to_ms(info.kernel_time));
    if info.is_ok_and(|info| info.dump_flags & EXITED != 0) {
        row.state = Ok("Terminated".to_owned());
    }
}

fn thread_infos(core: &Core) -> Cell<BTreeMap<u32, md::MINIDUMP_THREAD_INFO>> {
    let list = core.streams.wide_list::<md::MINIDUMP_THREAD_INFO>(kind::THREAD_INFO, false)?;
    Ok(list.iter().map(|info| (info.thread_id, info)).collect())
}

fn thread_names(core: &Core) -> Cell<BTreeMap<u32, u64>> {
    let list = core.streams.list::<md::MINIDUMP_THREAD_NAME>(kind::THREAD_NAMES)?;
    Ok(list.iter().map(|name| (name.thread_id, name.thread_name_rva)).collect())
}

/// The base priority of a priority class.
fn base_priority(class: u32) -> Cell<i64> {
    match class {
        0x40 => Ok(4),
        0x4000 => Ok(6),
        0x20 => Ok(8),
        0x8000 => Ok(10),
        0x80 => Ok(13),
        0x100 => Ok(24),
        0 => Err(Absent::NotInDump),
        _ => Err(Absent::Unreadable),
    }
}

fn not_zero(value: u64) -> Cell<u64> {
    if value == 0 { Err(Absent::NotInDump) } else { Ok(value) }
}

/// A `FILETIME` in microseconds since 1970; 0 means absent.
pub(super) fn filetime(ticks: u64) -> Cell<i64> {
    if ticks == 0 {
        return Err(Absent::NotApplicable);
    }
    filetime_micros(ticks).ok_or(Absent::Unreadable)
}

fn ticks_to_ms(ticks: u64) -> Cell<i64> {
    i64::try_from(ticks / 10_000).map_err(|_| Absent::Unreadable)
}
