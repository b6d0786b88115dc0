//! `threads`: the threads of the system or of the process.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Thread;

pub(super) static TABLE: TableDef<Thread> = TableDef {
    doc: "One row for each thread that the dump knows.",
    answers: "!thread, !stacks, ~",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[
        Example {
            sql: "SELECT tid, name, start_address, stack_base, stack_limit FROM threads",
            doc: "The threads and their stacks.",
        },
        Example {
            sql: "SELECT state, wait_reason, count(*) FROM threads GROUP BY ALL ORDER BY 3 DESC",
            doc: "The number of threads in each state.",
        },
        Example {
            sql: "SELECT tid, state, why(state) FROM threads",
            doc: "The reason that a state is missing.",
        },
    ],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.ethread,
            "Address of the `_ETHREAD`, in kernel dumps.",
            Get::Addr(|r| r.ethread),
        ),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(
            |c| c.eprocess,
            "Address of the `_EPROCESS`, in kernel dumps.",
            Get::Addr(|r| r.eprocess),
        ),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(
            |c| c.name,
            "Name that the program gave the thread.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(
            |c| c.state,
            "Scheduling state, as in `_KTHREAD_STATE`.",
            Get::Text(|r| text(&r.state)),
        ),
        Column::new(
            |c| c.wait_reason,
            "Why it waits, as in `_KWAIT_REASON`.",
            Get::Text(|r| text(&r.wait_reason)),
        ),
        Column::new(
            |c| c.wait_mode,
            "`KernelMode` or `UserMode`.",
            Get::Text(|r| text(&r.wait_mode)),
        ),
        Column::new(
            |c| c.is_alertable,
            "Whether the wait is alertable.",
            Get::Bool(|r| r.is_alertable),
        ),
        Column::new(
            |c| c.wait_ticks,
            "Clock ticks since it began to wait.",
            Get::Int(|r| r.wait_ticks),
        ),
        Column::new(|c| c.wait_ms, "Time since it began to wait.", Get::Int(|r| r.wait_ms)),
        Column::new(|c| c.priority, "Current priority.", Get::Int(|r| r.priority)),
        Column::new(|c| c.base_priority, "Base priority.", Get::Int(|r| r.base_priority)),
        Column::new(
            |c| c.priority_decrement,
            "Priority boost that decays.",
            Get::Int(|r| r.priority_decrement),
        ),
        Column::new(
            |c| c.processor,
            "Processor on which it runs, or ran last.",
            Get::Int(|r| r.processor),
        ),
        Column::new(|c| c.ideal_processor, "Ideal processor.", Get::Int(|r| r.ideal_processor)),
        Column::new(
            |c| c.context_switches,
            "Number of context switches.",
            Get::Int(|r| r.context_switches),
        ),
        Column::new(
            |c| c.user_time_ms,
            "Processor time in user mode.",
            Get::Int(|r| r.user_time_ms),
        ),
        Column::new(
            |c| c.kernel_time_ms,
            "Processor time in kernel mode.",
            Get::Int(|r| r.kernel_time_ms),
        ),
        Column::new(|c| c.start_address, "Start address.", Get::Addr(|r| r.start_address)),
        Column::new(
            |c| c.start_symbol,
            "Symbol of the start address, or the module and offset.",
            Get::Text(|r| text(&r.start_symbol)),
        ),
        Column::new(
            |c| c.win32_start_address,
            "Win32 start address.",
            Get::Addr(|r| r.win32_start_address),
        ),
        Column::new(
            |c| c.win32_start_symbol,
            "Symbol of the Win32 start address, or the module and offset.",
            Get::Text(|r| text(&r.win32_start_symbol)),
        ),
        Column::new(|c| c.teb, "Address of the thread environment block.", Get::Addr(|r| r.teb)),
        Column::new(
            |c| c.win32_thread,
            "Address of the win32k thread.",
            Get::Addr(|r| r.win32_thread),
        ),
        Column::new(
            |c| c.stack_base,
            "Upper end of the stack: the kernel stack in kernel dumps.",
            Get::Addr(|r| r.stack_base),
        ),
        Column::new(|c| c.stack_limit, "Lower end of the stack.", Get::Addr(|r| r.stack_limit)),
        Column::new(
            |c| c.stack_pointer,
            "Stack pointer: current, or saved at the last switch.",
            Get::Addr(|r| r.stack_pointer),
        ),
        Column::new(
            |c| c.is_stack_resident,
            "Whether the kernel stack is in memory.",
            Get::Bool(|r| r.is_stack_resident),
        ),
        Column::new(|c| c.trap_frame, "Address of the trap frame.", Get::Addr(|r| r.trap_frame)),
        Column::new(|c| c.irp_count, "Number of IRPs in its list.", Get::Int(|r| r.irp_count)),
        Column::new(
            |c| c.wait_object,
            "First object that it waits for.",
            Get::Addr(|r| r.wait_object),
        ),
        Column::new(
            |c| c.wait_object_type,
            "Type of that object.",
            Get::Text(|r| text(&r.wait_object_type)),
        ),
        Column::new(
            |c| c.is_impersonating,
            "Whether it impersonates a client.",
            Get::Bool(|r| r.is_impersonating),
        ),
        Column::new(
            |c| c.is_lpc_server,
            "Whether it is processing an LPC message.",
            Get::Bool(|r| r.is_lpc_server),
        ),
        Column::new(
            |c| c.attached_eprocess,
            "Process that it is attached to.",
            Get::Addr(|r| r.attached_eprocess),
        ),
        Column::new(|c| c.suspend_count, "Suspend count.", Get::Int(|r| r.suspend_count)),
        Column::new(
            |c| c.blocker,
            "First frame of the stack that is not the wait itself.",
            Get::Text(|r| text(&r.blocker)),
        ),
        Column::new(|c| c.stack_id, "Number that equal stacks share.", Get::Addr(|r| r.stack_id)),
        Column::new(
            |c| c.create_time,
            "When it was created, in UTC.",
            Get::Time(|r| r.create_time),
        ),
        Column::new(|c| c.exit_time, "When it ended, in UTC.", Get::Time(|r| r.exit_time)),
    ],
};
