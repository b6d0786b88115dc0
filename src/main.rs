//! The `dumpql` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dumpql::cli::main(std::env::args_os()))
}
