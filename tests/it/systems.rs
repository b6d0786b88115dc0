//! What tests over whole systems share: the versions that are built, and rows through a source.

use std::ops::ControlFlow;

use dumpql::model::{Emit, Unanswered};
use dumpql::synth::Windows;

/// Every version that a system can be built of.
pub(crate) const ALL: [Windows; 6] = [
    Windows::Server2003,
    Windows::Server2003Pae,
    Windows::Windows7,
    Windows::Windows81,
    Windows::Windows10,
    Windows::Windows11,
];

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
