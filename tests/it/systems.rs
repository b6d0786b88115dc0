//! What tests over whole systems share: the versions that are built, and rows through a source.

use std::ops::ControlFlow;

use dumpql::internals::model::{Emit, Unanswered};
use dumpql::internals::synth::{SystemThread, ThreadState, Windows};

/// Versions of every kind: what one of them lacks or keeps elsewhere, its like do too.
pub(crate) const ALL: [Windows; 15] = [
    Windows::XpSp2,
    Windows::Xp,
    Windows::Server2003,
    Windows::Server2003Pae,
    Windows::Server2003X64,
    Windows::Vista,
    Windows::VistaX64,
    Windows::Windows7X86,
    Windows::Windows7,
    Windows::Windows8,
    Windows::Windows81,
    Windows::Windows10V1607,
    Windows::Windows10X86,
    Windows::Windows10,
    Windows::Windows11,
];

/// The processor in whose queue a thread that is ready stands: since Windows 8.1 some queues belong to
/// several, and in Windows XP all of them do.
pub(crate) fn queued_for(windows: Windows, thread: &SystemThread) -> Option<u64> {
    let is_shared = match thread.state {
        ThreadState::ReadyShared => windows.build() >= 9600,
        _ => false,
    };
    (!is_shared && windows.build() >= 3790).then_some(thread.processor)
}

/// Rows of a table of a dump, through the source.
pub(crate) fn rows<R>(scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>) -> Vec<R> {
    let mut rows = Vec::new();
    scan(&mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })
    .expect("the dump answers");
    rows
}
