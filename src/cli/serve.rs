//! `dumpql mcp`: the arguments of the MCP server.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::args::{Colour, size};
use super::commands;
use super::console::Console;
use super::interrupt::Interrupt;
use super::script;
use crate::mcp;
use crate::session::Options;

const EXAMPLES: &str = "\
The program reads requests from standard input and answers on standard output until its input ends.
A client starts it with a line such as

  dumpql mcp --root /data/crashes

No file is opened that is not below a folder of --root or --allow-write, wherever links lead,
and none is written that is not below a folder of --allow-write. No symbol server is asked that
--symbols does not name. The memory of a query and the time of a call are limited.";

/// Serve AI assistants by the Model Context Protocol, on standard input and output
#[derive(Debug, Parser)]
#[command(name = "mcp", version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct ServeArgs {
    /// A folder below which dumps, logs and CSV files may be opened; may be repeated
    #[arg(long, value_name = "DIR", num_args = 1..)]
    root: Vec<PathBuf>,

    /// A folder below which COPY may write files, which may also be opened; may be repeated
    #[arg(long, value_name = "DIR", num_args = 1..)]
    allow_write: Vec<PathBuf>,

    /// Symbols and layouts: a folder, a file, or a path such as srv*CACHE*URL; may be repeated
    #[arg(long, value_name = "PATH")]
    symbols: Vec<PathBuf>,

    /// Use no symbol server, not even one that --symbols names
    #[arg(long)]
    offline: bool,

    /// Add your own saved queries: a file, or a folder of .sql files; may be repeated
    #[arg(long, value_name = "PATH")]
    library: Vec<PathBuf>,

    /// The memory limit of the rows and values of a query
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "224MB")]
    memory: usize,

    /// The time limit of a call in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=86400))]
    timeout: u64,
}

/// Serves until the client disconnects. Returns the exit code.
pub(super) fn main(arguments: &[OsString]) -> u8 {
    let args: ServeArgs = match commands::parse(arguments, "mcp") {
        Ok(args) => args,
        Err(code) => return code,
    };
    let console = Console::new(Colour::Never, Interrupt::default());
    if let Some(missing) = args.root.iter().chain(&args.allow_write).find(|path| !path.is_dir()) {
        console.say(format!("error: {} is not a folder", missing.display()));
        return 2;
    }
    let library = match script::library(&args.library) {
        Ok(library) => library,
        Err(error) => {
            console.say(error.render(None, false));
            return 1;
        }
    };
    let options = Options {
        symbols: args.symbols,
        offline: args.offline,
        memory: Some(args.memory),
        handle_faults: true,
        ..Options::default()
    };
    let config = mcp::Config {
        options: options.folders(&args.root, &args.allow_write),
        roots: args.root,
        library,
        timeout: Duration::from_secs(args.timeout),
        memory: args.memory,
    };
    match mcp::serve(config) {
        Ok(()) => 0,
        Err(error) => {
            console.say(format!("error: {error}"));
            1
        }
    }
}
