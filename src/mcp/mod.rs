//! `dumpql mcp`: the Model Context Protocol over standard input and output, for assistants that
//! investigate dumps.
//!
//! Knows sessions and the protocol; not dumps, not plans. What comes out of a dump is data: it stands
//! between marks, on lines of its own, with characters that act escaped ([`text`]). Files are opened
//! and written below the folders given at start only; the session's options hold to that.

mod answer;
mod call;
mod docs;
mod dumps;
mod pages;
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

/// What the server is started with.
#[derive(Debug)]
pub(crate) struct Config {
    /// The folders below which files are opened.
    pub(crate) roots: Vec<PathBuf>,
    /// How sessions are opened; confined to the folders.
    pub(crate) options: Options,
    /// The saved queries.
    pub(crate) library: Library,
    /// How long a call may take.
    pub(crate) timeout: Duration,
    /// How many bytes a query may fill.
    pub(crate) memory: usize,
}

/// Serves one client until it closes standard input.
///
/// # Errors
/// A client that does not speak the protocol, and failures of the streams.
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
    // Nobody waits for what still runs; a read of standard input cannot be interrupted.
    state.end();
    runtime.shutdown_background();
    served.map(|_| ())
}
