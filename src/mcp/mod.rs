//! `dumpql mcp`: the Model Context Protocol over standard input and output, for assistants that
//! investigate dumps.
//!
//! This module knows sessions and the protocol, but neither dumps nor plans. Text from a dump is
//! data: it is written between delimiters on separate lines, with control characters escaped
//! ([`text`]). Files are opened and written only below the folders given at the start; the
//! session's options enforce this.

mod answer;
mod call;
mod docs;
mod dumps;
mod pages;
mod progress;
mod prompts;
mod resources;
mod server;
mod text;
mod tools;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt as _;

use crate::session::{Library, Options};

/// The configuration of the server.
#[derive(Debug)]
pub(crate) struct Config {
    /// The folders below which files may be opened.
    pub(crate) roots: Vec<PathBuf>,
    /// The options of sessions, confined to the folders.
    pub(crate) options: Options,
    /// The saved queries.
    pub(crate) library: Library,
    /// The time limit of a call.
    pub(crate) timeout: Duration,
    /// The memory limit of the rows and values of a query in bytes.
    pub(crate) memory: usize,
}

/// Serves one client until it closes standard input.
///
/// # Errors
///
/// If the client violates the protocol, or a stream fails.
pub(crate) fn serve(config: Config) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no threads to serve with: {error}"))?;
    let state = Arc::new(call::State::new(config));
    let server = server::Server::new(Arc::clone(&state));
    let served = runtime.block_on(async {
        let running = server.serve(rmcp::transport::stdio()).await;
        let running = running.map_err(|error| format!("the client did not begin: {error}"))?;
        running.waiting().await.map_err(|error| format!("the connection broke: {error}"))
    });
    // Running calls are not awaited; a read of standard input cannot be interrupted.
    state.end();
    runtime.shutdown_background();
    served.map(|_| ())
}
