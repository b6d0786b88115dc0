//! Threads: the thread list, joined by id with thread information and names.

use std::collections::BTreeMap;

use minidump::format as md;

use super::UserDump;
use super::streams::kind;
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Thread, Unanswered, Want};
use crate::time::filetime_micros;

/// Flags of `MINIDUMP_THREAD_INFO.DumpFlags`.
const EXITED: u32 = 4;
const INVALID_INFO: u32 = 8;

impl UserDump {
    pub(super) fn each_thread(
        &self,
        want: &Want<'_, Thread>,
        emit: Emit<'_, Thread>,
    ) -> Result<(), Unanswered> {
        let list = self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS)?;
        let infos = self.thread_infos();
        let names = self.thread_names();
        let mut text = self.streams.text();
        let mut walker = self.walker();
        let (pid, process) = (self.pid(), self.process_name());
        for raw in list.iter() {
            let id = raw.thread_id;
            let stack = if want.has_any(|c| [c.stack_base, c.stack_limit, c.is_stack_resident]) {
                self.stack(&raw)
            } else {
                Stack::default()
            };
            let mut row = Thread {
                tid: Ok(id.into()),
                pid,
                process: process.clone(),
                name: match &names {
                    Ok(names) => names
                        .get(&id)
                        .map_or(Err(Absent::NotApplicable), |&offset| text.utf16(offset)),
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
                row.stack_pointer = self.context_of(&raw).and_then(|context| context.sp());
            }
            if want.has_any(|c| [c.stack_id, c.blocker]) {
                (row.stack_id, row.blocker) = self.verdict(&mut walker, &raw);
            }
            let info = infos.as_ref().map_err(|reason| *reason);
            let info = info.and_then(|infos| infos.get(&id).ok_or(Absent::NotInDump));
            self.add_info(&mut row, info);
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn add_info(&self, row: &mut Thread, info: Cell<&md::MINIDUMP_THREAD_INFO>) {
        let valid = info.and_then(|info| {
            if info.dump_flags & INVALID_INFO == 0 { Ok(info) } else { Err(Absent::NotInDump) }
        });
        row.start_address = valid.and_then(|info| not_zero(info.start_address));
        row.start_symbol = row.start_address.and_then(|address| self.symbol_text(address));
        // What is recorded is what `CreateThread` was given.
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

    fn thread_infos(&self) -> Cell<BTreeMap<u32, md::MINIDUMP_THREAD_INFO>> {
        let list = self.streams.wide_list::<md::MINIDUMP_THREAD_INFO>(kind::THREAD_INFO, false)?;
        Ok(list.iter().map(|info| (info.thread_id, info)).collect())
    }

    fn thread_names(&self) -> Cell<BTreeMap<u32, u64>> {
        let list = self.streams.list::<md::MINIDUMP_THREAD_NAME>(kind::THREAD_NAMES)?;
        Ok(list.iter().map(|name| (name.thread_id, name.thread_name_rva)).collect())
    }

    /// The bounds of a stack: from the TEB if the dump holds it, else what was written of it.
    pub(super) fn stack(&self, raw: &md::MINIDUMP_THREAD) -> Stack {
        let start = raw.stack.start_of_memory_range & self.address_mask();
        let written = self.streams.bytes(raw.stack.memory).filter(|bytes| !bytes.is_empty());
        let written = written.filter(|_| raw.stack.memory.rva != 0);
        let end = start.checked_add(raw.stack.memory.data_size.into());
        let end = end.filter(|_| start != 0).ok_or(Absent::NotInDump);
        let start = if start == 0 { Err(Absent::NotInDump) } else { Ok(start) };
        let is_resident = written.is_some() || start.is_ok_and(|s| self.memory().holds(s));
        let (base, limit) = self.stack_of_teb(raw.teb).unzip();
        Stack { base: base.map_or(end, Ok), limit: limit.map_or(start, Ok), is_resident }
    }

    /// `NT_TIB.StackBase` and `StackLimit`, if they are in the dump and make sense.
    fn stack_of_teb(&self, teb: u64) -> Option<(u64, u64)> {
        let teb = Some(teb & self.address_mask()).filter(|&teb| teb != 0 && self.is_windows())?;
        let width = self.pointer_bytes();
        let base = self.pointer(teb.checked_add(width)?).ok()?;
        let limit = self.pointer(teb.checked_add(2 * width)?).ok()?;
        (limit < base).then_some((base, limit))
    }
}

pub(super) struct Stack {
    pub(super) base: Cell<u64>,
    limit: Cell<u64>,
    is_resident: bool,
}

impl Default for Stack {
    fn default() -> Self {
        Self { base: Err(Absent::NotInDump), limit: Err(Absent::NotInDump), is_resident: false }
    }
}

/// The base priority that a priority class stands for.
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

/// A `FILETIME` in microseconds since 1970; 0 is no time.
pub(super) fn filetime(ticks: u64) -> Cell<i64> {
    if ticks == 0 {
        return Err(Absent::NotApplicable);
    }
    filetime_micros(ticks).ok_or(Absent::Unreadable)
}

fn ticks_to_ms(ticks: u64) -> Cell<i64> {
    i64::try_from(ticks / 10_000).map_err(|_| Absent::Unreadable)
}
