//! The `dumpql` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dumpql::internals::cli::main(std::env::args_os()))
}
