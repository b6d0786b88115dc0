//! Subcommands with their own arguments: `dumpql extract`, `dumpql mcp`.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _, Parser};

use super::args::Args;
use super::extract;

/// Runs the subcommand that the first argument names, unless it is a file. Returns the exit code.
pub(super) fn run(arguments: &[OsString]) -> Option<u8> {
    let name = arguments.get(1)?;
    if Path::new(name).exists() {
        return None;
    }
    match name.to_str()? {
        "extract" => Some(extract::main(arguments)),
        "mcp" => Some(serve(arguments)),
        _ => None,
    }
}

#[cfg(feature = "mcp")]
fn serve(arguments: &[OsString]) -> u8 {
    super::serve::main(arguments)
}

#[cfg(not(feature = "mcp"))]
fn serve(_: &[OsString]) -> u8 {
    let _ = writeln!(io::stderr(), "error: this program was built without the feature `mcp`");
    2
}

/// Parses the arguments after the name of a subcommand.
///
/// # Errors
///
/// The exit code, if help was requested or the arguments are wrong; this has been printed.
pub(super) fn parse<A: Parser>(arguments: &[OsString], name: &str) -> Result<A, u8> {
    let command = A::command().bin_name(format!("dumpql {name}"));
    let matches = command.try_get_matches_from(arguments.get(1..).unwrap_or_default());
    matches.and_then(|matches| A::from_arg_matches(&matches)).map_err(|error| printed(&error))
}

/// Prints help, or what is wrong with the arguments. Returns the exit code: help that cannot be
/// printed is a failure, unless nobody reads it.
pub(super) fn printed(error: &clap::Error) -> u8 {
    let written = error.print().and_then(|()| io::stdout().flush());
    match (written, error.use_stderr()) {
        (Err(failure), false) if failure.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "error: the help cannot be written: {failure}");
            1
        }
        _ => u8::try_from(error.exit_code()).unwrap_or(2),
    }
}

/// The subcommands, for completions and the manual page.
fn all() -> Vec<Command> {
    let doctor = Command::new("doctor")
        .about("Say what opened, what is missing, and which symbols would help")
        .arg(clap::Arg::new("dumps").value_name("DUMP").num_args(0..));
    let mut all = vec![doctor, extract::ExtractArgs::command()];
    #[cfg(feature = "mcp")]
    all.push(super::serve::ServeArgs::command());
    all
}

/// The whole command line, for completions.
pub(super) fn whole() -> Command {
    Args::command().subcommands(all())
}

/// The manual page: that of the program, with the options of the subcommands.
///
/// # Errors
///
/// Whatever the writer reports.
pub(super) fn manual(page: &mut Vec<u8>) -> io::Result<()> {
    clap_mangen::Man::new(whole()).render(page)?;
    for command in all() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(page, ".SH \"DUMPQL {}\"\n{about}", command.get_name().to_uppercase())?;
        clap_mangen::Man::new(command).render_options_section(page)?;
    }
    Ok(())
}
