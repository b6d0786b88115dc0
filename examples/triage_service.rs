//! A triage service: a dump is posted, and what happened, whose it is and what to look at next comes back.
//!
//! ```text
//! cargo run --example triage_service -- 127.0.0.1:8080
//! curl --data-binary @MEMORY.DMP http://127.0.0.1:8080/
//! ```
//!
//! It answers one client after the other, one request each, and what a request may take is bounded: bytes,
//! memory and time. A service on a network stands behind a server that knows TLS and who may ask.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use dumpql::library::find_query;
use dumpql::output::{FileFormat, Sheet, write};
use dumpql::{Image, Options, ResultSet, Session};

const LARGEST_HEAD: u64 = 16 << 10;
const LARGEST_DUMP: u64 = 64 << 20;
const MEMORY: usize = 256 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client sends, until its time is over, however slowly it sends.
struct Bounded<'a>(&'a TcpStream, Instant);

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.1.saturating_duration_since(Instant::now());
        // A timeout of zero would be none.
        self.0.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        self.0.read(buffer)
    }
}

/// Answers so many clients.
pub(crate) fn serve(listener: &TcpListener, clients: usize) {
    for stream in listener.incoming().take(clients).flatten() {
        // A client that breaks off concerns no other.
        let _ = answer(&stream);
    }
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let (status, body) = match upload(stream)? {
        Err(refused) => (refused, Vec::new()),
        Ok(dump) => match triage(dump) {
            Ok(rows) => ("200 OK", json(&rows)?),
            Err(error) => ("422 Unprocessable Content", refusal(&error)),
        },
    };
    let length = body.len();
    let head = "Content-Type: application/json\r\nConnection: close\r\nContent-Length:";
    write!(stream, "HTTP/1.1 {status}\r\n{head} {length}\r\n\r\n")?;
    stream.write_all(&body)
}

/// The body of a request, or the status that refuses it.
fn upload(mut stream: &TcpStream) -> io::Result<Result<Vec<u8>, &'static str>> {
    let mut reader = BufReader::new(Bounded(stream, Instant::now() + PATIENCE));
    let mut head = String::new();
    while reader.by_ref().take(LARGEST_HEAD).read_line(&mut head)? > 2 {
        if head.len() as u64 >= LARGEST_HEAD {
            return Ok(Err("431 Request Header Fields Too Large"));
        }
    }
    let field = |name: &str| {
        let named =
            |line: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        head.lines()
            .skip(1)
            .find(named)
            .and_then(|line| line.split_once(':'))
            .map(|(_, v)| v.trim())
    };
    let length = field("content-length").and_then(|length| length.parse::<u64>().ok());
    Ok(match length {
        _ if !head.starts_with("POST / ") => Err("405 Method Not Allowed"),
        None => Err("411 Length Required"),
        Some(length) if length > LARGEST_DUMP => Err("413 Content Too Large"),
        Some(length) => {
            if field("expect").is_some() {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            let mut dump = Vec::new();
            let read = reader.take(length).read_to_end(&mut dump)?;
            if read as u64 == length { Ok(dump) } else { Err("400 Bad Request") }
        }
    })
}

/// What the saved query `crash` says of a dump.
fn triage(dump: Vec<u8>) -> Result<ResultSet, dumpql::Error> {
    let options = Options::default().offline(true).memory(MEMORY);
    let session = Session::from_images(vec![Image::from_bytes("upload", dump)], &options)?;
    session.prepare(&find_query("crash")?.text)?.timeout(PATIENCE).run()
}

fn json(rows: &ResultSet) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    write(FileFormat::Json, &[Sheet::new("crash", "", rows)], &[], &mut body)?;
    Ok(body)
}

fn refusal(error: &dumpql::Error) -> Vec<u8> {
    let message = error.diagnostics().first().map_or("", |d| d.message.as_str());
    serde_json::json!({ "code": error.code().as_str(), "message": message })
        .to_string()
        .into_bytes()
}

#[allow(dead_code, reason = "a test runs the example on a port of its own")]
fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    serve(&TcpListener::bind(address)?, usize::MAX);
    Ok(())
}
