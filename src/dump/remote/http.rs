//! Objects of an HTTP server, read by requests for ranges.
//!
//! Nothing that the server says is believed but what it was asked for: the range, the size and the
//! version of each answer are compared, its body has to have as many bytes as the range, and it has to
//! arrive in time.

use std::io::{self, Read as _};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, StatusCode};
use ureq::{Agent, Body};

use super::{RangeReader, shown_url};

const CONNECT: Duration = Duration::from_secs(10);
/// How often a request is sent that may succeed later.
const TRIES: u32 = 3;
/// The pause before it is sent again; the next one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// How many idle connections are kept open.
const MOST_IDLE: usize = 8;
const MOST_REDIRECTS: u32 = 5;

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    url: String,
    agent: Agent,
    size: u64,
    version: Version,
    limit: Duration,
}

/// What tells the object from a later one of the same name.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    tag: Option<String>,
    modified: Option<String>,
}

/// An answer with a range.
struct Part {
    first: u64,
    last: u64,
    size: u64,
    version: Version,
    body: Body,
}

/// Why there is no answer.
enum Failed {
    /// It may succeed later.
    Now(io::Error),
    ForGood(io::Error),
}

impl Object {
    /// Asks for the size of an object, by a request for its first byte: a signed URL may allow no other
    /// method.
    pub(super) fn open(url: &str, limit: Duration) -> io::Result<Self> {
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(MOST_REDIRECTS)
            .max_idle_connections_per_host(MOST_IDLE)
            .timeout_connect(Some(CONNECT.min(limit)))
            .user_agent(concat!("dumpql/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let mut first = [0];
        let part = again(limit, |left| {
            let mut part = ask(&agent, url, 0, 0, left)?;
            part.read(&mut first)?;
            Ok(part)
        })?;
        if (part.first, part.last) != (0, 0) || part.size == 0 {
            return Err(io::Error::other("the server gave another range than it was asked for"));
        }
        let Part { size, version, .. } = part;
        Ok(Self { url: url.to_owned(), agent, size, version, limit })
    }

    /// Checks that an answer is what was asked for.
    fn check(&self, part: &Part, first: u64, last: u64) -> Result<(), Failed> {
        let wrong = |what: &str| Err(Failed::ForGood(io::Error::other(what.to_owned())));
        if part.size != self.size || part.version != self.version {
            return wrong("the object was replaced or changed while it was open");
        }
        if (part.first, part.last) != (first, last) {
            return wrong("the server gave another range than it was asked for");
        }
        Ok(())
    }
}

impl RangeReader for Object {
    fn size(&self) -> u64 {
        self.size
    }

    fn version(&self) -> Option<String> {
        let Version { tag, modified } = &self.version;
        (tag.is_some() || modified.is_some()).then(|| format!("{tag:?} {modified:?}"))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let Some(more) = (buffer.len() as u64).checked_sub(1) else { return Ok(()) };
        let last = offset.saturating_add(more);
        again(self.limit, |left| {
            let mut part = ask(&self.agent, &self.url, offset, last, left)?;
            self.check(&part, offset, last)?;
            part.read(buffer)
        })
    }
}

impl Part {
    /// Reads the body, which has to fill the buffer.
    fn read(&mut self, buffer: &mut [u8]) -> Result<(), Failed> {
        let mut body = self.body.as_reader();
        body.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Failed::Now(io::Error::other("the answer of the server ended early"))
            }
            _ => Failed::Now(error),
        })?;
        match body.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => {
                let what = "the server sent more than the range that it was asked for";
                Err(Failed::ForGood(io::Error::other(what)))
            }
            Err(error) => Err(Failed::Now(error)),
        }
    }
}

/// Does something within a time until it succeeds, fails for good or was tried often enough. It is
/// told how much time is left.
fn again<T>(
    limit: Duration,
    mut attempt: impl FnMut(Duration) -> Result<T, Failed>,
) -> io::Result<T> {
    let start = Instant::now();
    let (mut left, mut tries, mut pause) = (limit, TRIES, PAUSE);
    loop {
        let error = match attempt(left) {
            Ok(done) => return Ok(done),
            Err(Failed::ForGood(error)) => return Err(error),
            Err(Failed::Now(error)) => error,
        };
        tries = tries.saturating_sub(1);
        left = limit.saturating_sub(start.elapsed().saturating_add(pause));
        if tries == 0 || left.is_zero() {
            return Err(error);
        }
        thread::sleep(pause);
        pause = pause.saturating_mul(2);
    }
}

/// Asks for the bytes from `first` up to and with `last`.
fn ask(agent: &Agent, url: &str, first: u64, last: u64, left: Duration) -> Result<Part, Failed> {
    let request = agent.get(url).header("Range", format!("bytes={first}-{last}"));
    let request = request.header("Accept-Encoding", "identity");
    let response = request.config().timeout_global(Some(left)).build().call();
    let response = response.map_err(|error| refused(url, &error))?;
    let (status, headers) = (response.status(), response.headers());
    if status != StatusCode::PARTIAL_CONTENT {
        return Err(unexpected(status, headers));
    }
    let for_good = |what: &str| Failed::ForGood(io::Error::other(what.to_owned()));
    if text(headers, "content-encoding").is_some_and(|coding| coding != "identity") {
        return Err(for_good("the server compresses what it sends, so its ranges mean nothing"));
    }
    let range = text(headers, "content-range").and_then(|range| parsed(&range));
    let (first, last, size) =
        range.ok_or_else(|| for_good("the server does not say which range it gives"))?;
    let version = Version { tag: text(headers, "etag"), modified: text(headers, "last-modified") };
    Ok(Part { first, last, size, version, body: response.into_body() })
}

/// A request without an answer. A message never repeats the URL, which may hold a signature.
fn refused(url: &str, error: &ureq::Error) -> Failed {
    let text = match error {
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    let text = text.replace(url, &shown_url(url));
    match error {
        ureq::Error::Timeout(_) => {
            Failed::ForGood(io::Error::new(io::ErrorKind::TimedOut, format!("the server: {text}")))
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::TooManyRedirects => {
            Failed::ForGood(io::Error::other(text))
        }
        _ => Failed::Now(io::Error::other(text)),
    }
}

/// An answer without a range.
fn unexpected(status: StatusCode, headers: &HeaderMap) -> Failed {
    let code = status.as_u16();
    let for_good = |kind, text: String| Failed::ForGood(io::Error::new(kind, text));
    match code {
        200 => {
            let text = "the server gives no ranges of it, only the whole: download it first";
            for_good(io::ErrorKind::Unsupported, text.to_owned())
        }
        401 | 403 => {
            let text = format!("the server does not allow to read it (status {code})");
            for_good(io::ErrorKind::PermissionDenied, text)
        }
        404 | 410 => for_good(io::ErrorKind::NotFound, "the server does not have it".to_owned()),
        416 if text(headers, "content-range").is_some_and(|range| range.ends_with("/0")) => {
            for_good(io::ErrorKind::InvalidData, "an empty file".to_owned())
        }
        408 | 429 | 500..=599 => {
            Failed::Now(io::Error::other(format!("the server answered with status {code}")))
        }
        _ => for_good(io::ErrorKind::Other, format!("the server answered with status {code}")),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(|text| text.trim().to_owned())
}

/// The first byte, the last byte and the size of the whole that `Content-Range` states.
fn parsed(range: &str) -> Option<(u64, u64, u64)> {
    let number = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_plain)
    };
    let (unit, rest) = range.split_once(' ')?;
    let (range, size) = rest.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size) = (number(first)?, number(last)?, number(size)?);
    (unit.eq_ignore_ascii_case("bytes") && first <= last && last < size)
        .then_some((first, last, size))
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(parsed("bytes 0-0/5"), Some((0, 0, 5)));
        assert_eq!(parsed("Bytes 3-4/5"), Some((3, 4, 5)));
        let wrong = ["bytes 0-5/5", "bytes 4-3/5", "bytes */5", "bytes 0-1/*", "bytes=0-1/5"];
        let more =
            ["bytes 0-1/+5", "bytes -1-0/5", "lines 0-1/5", "", "bytes 0-1/99999999999999999999"];
        assert!(wrong.into_iter().chain(more).all(|range| parsed(range).is_none()));
    }
}
