//! `open`, `close`, `list_open`: dumps and their ids.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::overview;
use super::{Call, Caps, Outcome, Tool};
use crate::mcp::answer::{CLOSE, OPEN};
use crate::mcp::call::Reply;
use crate::mcp::text;
use crate::session::Session;

/// The maximum depth of folders, and the maximum number of files that are listed.
const DEPTH: usize = 4;
const FILES: usize = 200;

pub(super) struct Open;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct OpenArguments {
    /// Paths of dumps, logs or CSV files, absolute or below the folders that the server was started
    /// with. Several become one session whose tables cover all of them (column `dump`). Without
    /// paths, the files that may be opened are listed.
    #[serde(default)]
    paths: Vec<String>,
    /// Open the built-in sample, the kernel dump of a hung server.
    #[serde(default)]
    sample: bool,
}

impl Tool for Open {
    type Arguments = OpenArguments;
    const NAME: &'static str = "open";
    const DOC: &'static str = "Opens crash dumps (kernel, triage or user minidump), raw memory or debugger logs, \
        and returns the id by which the other tools name them, with an overview. Without arguments it \
        lists the files that may be opened. Several dumps can be open side by side.";
    const READS_ONLY: bool = false;

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        if arguments.paths.is_empty() && !arguments.sample {
            return Ok(listed(&call.state.config.roots).into());
        }
        let options = &call.state.config.options;
        let (mut files, mut failures) = (Vec::new(), Vec::new());
        for path in &arguments.paths {
            match options.readable(path) {
                Ok(file) => files.push(file),
                Err(error) => failures.push((path.clone(), error.into())),
            }
        }
        let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        if !paths.is_empty() || arguments.sample {
            let (session, unread) = Session::open_each(&paths, arguments.sample, options);
            failures.extend(unread);
            if !session.source_names().is_empty() || failures.is_empty() {
                let dump = call.state.dumps.add(session)?;
                let mut reply = Reply::from(format!("opened {}\n", dump.title()));
                for (path, error) in &failures {
                    let (path, error) = (text::name(path), text::name(&error.to_string()));
                    let _ = writeln!(reply.text, "not opened: {path}: {error}");
                }
                overview::tell(call, &dump, &mut reply);
                return Ok(reply);
            }
        }
        let first = failures.into_iter().next().map(|(_, error)| error);
        Err(first.unwrap_or_else(|| super::bad(Self::NAME, "nothing to open")))
    }
}

/// The files below the folders, by name.
fn listed(roots: &[PathBuf]) -> String {
    let mut found = Vec::new();
    for root in roots {
        look(root, DEPTH, &mut found);
    }
    if found.is_empty() {
        return "no files below the folders that the server was started with; \
                open with sample=true opens the built-in sample\n"
            .to_owned();
    }
    let mut text = String::from("files that may be opened (bytes,path):\n");
    text.push_str(OPEN);
    for (path, bytes) in &found {
        let _ = write!(text, "{bytes},");
        text::push_quoted(&text::seen(&path.display().to_string(), 1000).text, &mut text);
        text.push('\n');
    }
    text.push_str(CLOSE);
    if found.len() >= FILES {
        let _ = writeln!(text, "cut: only {FILES} files are listed");
    }
    text
}

/// The files of a folder, followed by those of its subfolders. Links are not followed.
fn look(folder: &Path, depth: usize, found: &mut Vec<(PathBuf, u64)>) {
    let Ok(entries) = folder.read_dir() else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut folders = Vec::new();
    for path in paths {
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if metadata.is_dir() {
            folders.push(path);
        } else if metadata.is_file() && found.len() < FILES {
            found.push((path, metadata.len()));
        }
    }
    for folder in folders {
        if depth > 1 && found.len() < FILES {
            look(&folder, depth - 1, found);
        }
    }
}

pub(super) struct Close;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct CloseArguments {
    /// The id of the dump, such as d1.
    dump: String,
}

impl Tool for Close {
    type Arguments = CloseArguments;
    const NAME: &'static str = "close";
    const DOC: &'static str = "Closes a dump, so that its id is no longer valid.";
    const READS_ONLY: bool = false;

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.close(&arguments.dump)?;
        Ok(format!("closed {}\n", dump.title()).into())
    }
}

pub(super) struct ListOpen;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct NoArguments {}

impl Tool for ListOpen {
    type Arguments = NoArguments;
    const NAME: &'static str = "list_open";
    const DOC: &'static str = "Lists the dumps that are open, with their ids.";

    fn run(call: &Call<'_>, NoArguments {}: Self::Arguments) -> Outcome {
        let titles = call.state.dumps.titles();
        if titles.is_empty() {
            return Ok("no dump is open\n".to_owned().into());
        }
        Ok(format!("{OPEN}{}\n{CLOSE}", titles.join("\n")).into())
    }
}

/// The limits for the few rows of an overview.
pub(super) fn short() -> Caps {
    Caps { rows: 10, bytes: 4 << 10, ..Caps::default() }
}
