//! Symbol servers: downloads one file by its identity into a folder.
//!
//! Only the given server is asked; the caller decides which servers may be asked. A download runs
//! on its own thread, so that a waiting query can be cancelled and does not hang on a server that
//! sends nothing.

#[cfg(feature = "net")]
use std::fs;
#[cfg(feature = "net")]
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "net")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::id::PdbId;
#[cfg(feature = "net")]
use crate::parts::Part;

#[cfg(feature = "net")]
/// Upper limit on the size of a download.
const MAX_FILE: u64 = 4 << 30;
#[cfg(feature = "net")]
const CONNECT: Duration = Duration::from_secs(10);
#[cfg(feature = "net")]
const RESPONSE: Duration = Duration::from_secs(30);
#[cfg(feature = "net")]
const BODY: Duration = Duration::from_secs(900);
/// A server that sends nothing for this long counts as unresponsive.
const STALL: Duration = Duration::from_secs(60);
#[cfg(feature = "net")]
/// How many idle connections to a server are kept open.
const MOST_IDLE: usize = 8;
/// The interval of checks for cancellation.
const TICK: Duration = Duration::from_millis(50);
#[cfg(feature = "net")]
const MAGIC: &[u8] = b"Microsoft C/C++ MSF 7.00";

/// Why a file was not downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server does not have it.
    #[cfg_attr(not(feature = "net"), allow(dead_code, reason = "nobody is asked"))]
    Missing,
    /// The server is unresponsive; asking it for other files is useless.
    Silent(String),
    /// The query was cancelled.
    Stopped,
    /// Something else went wrong.
    Other(String),
}

/// The path of a file on a server, and in a folder with the same layout.
pub(super) fn place(id: &PdbId) -> String {
    format!("{name}/{folder}/{name}", name = id.name, folder = id.folder())
}

/// The progress of a download for the waiting query, and whether a query still waits.
#[derive(Debug, Default)]
struct Progress {
    bytes: AtomicU64,
    is_abandoned: AtomicBool,
}

/// Downloads a file, unless `stop` is set meanwhile. The target is either complete or does not
/// exist.
pub(super) fn fetch(
    server: &str,
    id: &PdbId,
    target: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let progress = Arc::<Progress>::default();
    let (done, result) = mpsc::channel();
    let url = format!(
        "{server}/{}",
        place(id).replace('%', "%25").replace(' ', "%20").replace('#', "%23")
    );
    let work = {
        let (server, target, progress) =
            (server.to_owned(), target.to_owned(), Arc::clone(&progress));
        // If the receiver is gone, the result is not needed.
        move || drop(done.send(get(&server, &url, &target, &progress)))
    };
    let started = std::thread::Builder::new().name("symbols".to_owned()).spawn(work);
    started.map_err(|error| Failure::Other(error.to_string()))?;
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        match result.recv_timeout(TICK) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Other(format!("{server}: the download broke off")));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let bytes = progress.bytes.load(Ordering::Relaxed);
        if bytes != seen {
            (seen, since) = (bytes, Instant::now());
        }
        let is_stopped = stop();
        if is_stopped || since.elapsed() > STALL {
            progress.is_abandoned.store(true, Ordering::Relaxed);
            let stall = format!("{server} sent nothing for {} seconds", STALL.as_secs());
            return Err(if is_stopped { Failure::Stopped } else { Failure::Silent(stall) });
        }
    }
}

#[cfg(not(feature = "net"))]
fn get(_: &str, _: &str, _: &Path, _: &Progress) -> Result<(), Failure> {
    let message = "this program was built without network access (the feature `net`)";
    Err(Failure::Other(message.to_owned()))
}

#[cfg(feature = "net")]
fn get(server: &str, url: &str, target: &Path, progress: &Progress) -> Result<(), Failure> {
    let response = agent().get(url).call().map_err(|error| match error {
        ureq::Error::StatusCode(404 | 410) => Failure::Missing,
        ureq::Error::StatusCode(code) => Failure::Other(format!("{server} answered {code}")),
        error => Failure::Silent(format!("{server}: {error}")),
    })?;
    let body = response.into_body().into_with_config().limit(MAX_FILE).reader();
    let body = Watched { body, progress };
    save(body, target).map_err(|error| Failure::Other(format!("{server}: {error}")))
}

#[cfg(feature = "net")]
/// The HTTP agent, which reuses connections.
fn agent() -> &'static ureq::Agent {
    static AGENT: OnceLock<ureq::Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(RESPONSE))
            .timeout_recv_body(Some(BODY))
            .max_idle_connections_per_host(MOST_IDLE)
            .user_agent(concat!("dumpql/", env!("CARGO_PKG_VERSION")))
            .build()
            .into()
    })
}

#[cfg(feature = "net")]
/// A response body that counts its bytes, and that ends when no query waits any more.
struct Watched<'a, R> {
    body: R,
    progress: &'a Progress,
}

#[cfg(feature = "net")]
impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_abandoned.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        let read = self.body.read(buffer)?;
        self.progress.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(feature = "net")]
/// Writes a temporary file next to the target and renames it, so that an incomplete file is never
/// visible.
fn save(mut body: impl Read, target: &Path) -> io::Result<()> {
    let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut start = vec![0; MAGIC.len()];
    body.read_exact(&mut start)?;
    if start != MAGIC {
        return Err(io::Error::other("the answer is no PDB"));
    }
    // An abandoned download may still be writing to another part.
    let (part, mut file) = Part::beside(target)?;
    file.write_all(&start)?;
    io::copy(&mut body, &mut file)?;
    drop(file);
    part.place()
}

#[cfg(all(test, feature = "net"))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn waiting_for_a_silent_server_can_be_cancelled() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let id = PdbId { name: "a.pdb".to_owned(), guid: "0".repeat(32), age: 1 };
        let target = std::env::temp_dir().join(format!("dumpql-stop-{}.pdb", std::process::id()));
        let stop = Arc::<AtomicBool>::default();
        let waiting = {
            let (server, target, stop) = (server, target.clone(), Arc::clone(&stop));
            std::thread::spawn(move || {
                fetch(&server, &id, &target, &|| stop.load(Ordering::Relaxed))
            })
        };
        // The server has accepted the connection and sends nothing.
        let call = listener.accept().unwrap();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(waiting.join().unwrap(), Err(Failure::Stopped));
        assert!(!target.exists());
        drop(call);
    }
}
