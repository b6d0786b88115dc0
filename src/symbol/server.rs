//! Symbol servers: one file by its identity, fetched into a folder.
//!
//! Asks only the server that it is given. Who may be asked is for others to decide.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::id::PdbId;

/// The largest file that is fetched.
const MAX_FILE: u64 = 4 << 30;
const CONNECT: Duration = Duration::from_secs(10);
const RESPONSE: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(900);
const MAGIC: &[u8] = b"Microsoft C/C++ MSF 7.00";

/// Why a file was not fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server does not have it.
    Missing,
    /// The server does not answer; asking for other files is of no use.
    Silent(String),
    /// Something else went wrong.
    Other(String),
}

/// The path of a file below the address of a server, and below a folder in the same order.
pub(super) fn place(id: &PdbId) -> String {
    format!("{name}/{folder}/{name}", name = id.name, folder = id.folder())
}

/// Fetches a file. It is there whole or not at all.
pub(super) fn fetch(server: &str, id: &PdbId, target: &Path) -> Result<(), Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(RESPONSE))
        .timeout_recv_body(Some(BODY))
        .user_agent(concat!("dumpql/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let url = format!(
        "{server}/{}",
        place(id).replace('%', "%25").replace(' ', "%20").replace('#', "%23")
    );
    let response = agent.get(&url).call().map_err(|error| match error {
        ureq::Error::StatusCode(404 | 410) => Failure::Missing,
        ureq::Error::StatusCode(code) => Failure::Other(format!("{server} answered {code}")),
        error => Failure::Silent(format!("{server}: {error}")),
    })?;
    let body = response.into_body().into_with_config().limit(MAX_FILE).reader();
    save(body, target).map_err(|error| Failure::Other(format!("{server}: {error}")))
}

/// Writes beside the target and renames, so that nobody ever reads half of a file.
fn save(mut body: impl Read, target: &Path) -> io::Result<()> {
    let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let part = target.with_extension(format!("{}.part", std::process::id()));
    let written = (|| {
        let mut start = vec![0; MAGIC.len()];
        body.read_exact(&mut start)?;
        if start != MAGIC {
            return Err(io::Error::other("the answer is no PDB"));
        }
        let mut file = File::options().write(true).create(true).truncate(true).open(&part)?;
        file.write_all(&start)?;
        io::copy(&mut body, &mut file)?;
        fs::rename(&part, target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}
