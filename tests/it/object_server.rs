//! Files that are read range by range, for tests: in memory, counted, and served by HTTP in good and
//! bad manners.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dumpql::RangeReader;

const PAGE: u64 = 4096;

/// A file in memory that has room only for what was written.
#[derive(Debug, Default)]
pub(crate) struct Thin {
    pages: BTreeMap<u64, Vec<u8>>,
    at: u64,
    len: u64,
}

impl Write for Thin {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skip = usize::try_from(self.at % PAGE).unwrap();
        let now = &bytes[..bytes.len().min(4096 - skip)];
        let page = self.pages.entry(self.at / PAGE).or_insert_with(|| vec![0; 4096]);
        page[skip..skip + now.len()].copy_from_slice(now);
        self.at += now.len() as u64;
        self.len = self.len.max(self.at);
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Thin {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len.checked_add_signed(by).unwrap(),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

impl RangeReader for Thin {
    fn size(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        assert!(offset + buffer.len() as u64 <= self.len, "nothing is read beyond the end");
        let mut done = 0;
        while done < buffer.len() {
            let at = offset + done as u64;
            let skip = usize::try_from(at % PAGE).unwrap();
            let now = (4096 - skip).min(buffer.len() - done);
            let part = &mut buffer[done..done + now];
            match self.pages.get(&(at / PAGE)) {
                Some(page) => part.copy_from_slice(&page[skip..skip + now]),
                None => part.fill(0),
            }
            done += now;
        }
        Ok(())
    }
}

/// Bytes in memory.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl RangeReader for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        buffer.copy_from_slice(&self.0[start..start + buffer.len()]);
        Ok(())
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

impl Counts {
    fn add(&self, bytes: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// A reader whose reads are counted, and which fails from when it is told to on.
pub(crate) struct Counted {
    pub(crate) inner: Arc<dyn RangeReader>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) is_broken: Arc<AtomicBool>,
}

impl Counted {
    pub(crate) fn new(inner: impl RangeReader + 'static) -> (Self, Arc<Counts>, Arc<AtomicBool>) {
        let (counts, is_broken) = (Arc::<Counts>::default(), Arc::<AtomicBool>::default());
        let reader = Self {
            inner: Arc::new(inner),
            counts: Arc::clone(&counts),
            is_broken: Arc::clone(&is_broken),
        };
        (reader, counts, is_broken)
    }
}

impl RangeReader for Counted {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(io::Error::other("the bucket is on fire"));
        }
        self.counts.add(buffer.len() as u64);
        self.inner.read_at(offset, buffer)
    }
}

/// How a server answers; `usize` is the number of good answers before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Good,
    /// The whole, whatever is asked for.
    NoRanges,
    /// `Content-Range` is missing.
    NoRange,
    /// A body shorter than its range.
    Short,
    /// A body longer than its range.
    Long,
    /// Another range than was asked for.
    OtherRange,
    /// Fewer bytes than were asked for, and said so.
    LessRange,
    /// Another size, entity tag or time after some good answers.
    OtherSize(usize),
    OtherTag(usize),
    OtherTime(usize),
    /// A byte now and then, without an end.
    Drip,
    /// Headers without an end.
    Headers,
    /// Nothing.
    Silent,
    /// Some answers, and then none any more.
    Gone(usize),
    /// These many failures before each good answer.
    Flaky(usize),
    Status(u16),
    Packed,
    /// From everywhere to here.
    Redirect,
    /// No HTTP at all.
    Noise,
}

/// A server of one object on this machine.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) counts: Arc<Counts>,
    /// The heads of the requests.
    pub(crate) heads: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new(object: impl RangeReader + 'static, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (counts, heads) = (Arc::<Counts>::default(), Arc::default());
        let shared = Arc::new(Shared {
            object: Box::new(object),
            manner,
            counts: Arc::clone(&counts),
            heads: Arc::clone(&heads),
            answers: AtomicU64::new(0),
        });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // The client may leave at any time.
                    let _ = shared.answer(stream);
                });
            }
        });
        Self { url: format!("http://{address}/bucket/MEMORY.DMP"), counts, heads }
    }
}

struct Shared {
    object: Box<dyn RangeReader>,
    manner: Manner,
    counts: Arc<Counts>,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
    answers: AtomicU64,
}

fn head_of(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The range that a request asks for.
fn range_of(head: &str) -> Option<(u64, u64)> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("range:"))?;
    let (first, last) = line.split_once("bytes=")?.1.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let head = head_of(&mut stream)?;
        self.heads.lock().unwrap().push(head.clone());
        let number = usize::try_from(self.answers.fetch_add(1, Ordering::Relaxed)).unwrap();
        let size = self.object.size();
        let (first, last) = range_of(&head).expect("only ranges are asked for");
        let status = |stream: &mut TcpStream, line: &str| {
            write!(stream, "HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        };
        match self.manner {
            Manner::NoRanges => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\nPAGE")?;
                return Ok(());
            }
            Manner::Silent => return forever(&mut stream, b""),
            Manner::Headers => return forever(&mut stream, b"HTTP/1.1 206 Partial Content\r\nX: "),
            Manner::Gone(good) if number >= good => return Ok(()),
            Manner::Flaky(bad) if number % (bad + 1) != bad => {
                return status(&mut stream, "503 Slow Down");
            }
            Manner::Status(code) => return status(&mut stream, &format!("{code} No")),
            Manner::Noise => return stream.write_all(&[0xff; 300]),
            Manner::Redirect if !head.contains("/elsewhere") => {
                return write!(
                    stream,
                    "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\
                     Connection: close\r\n\r\n"
                );
            }
            _ => {}
        }
        let is_late = |good: usize| number >= good;
        let (mut from, mut to, mut whole, mut tag, mut day) = (first, last, size, "one", 1);
        match self.manner {
            Manner::OtherRange => (from, to) = (first + 1, last + 1),
            Manner::LessRange if last > first => to = last - 1,
            Manner::OtherSize(good) if is_late(good) => whole += 1,
            Manner::OtherTag(good) if is_late(good) => tag = "two",
            Manner::OtherTime(good) if is_late(good) => day = 2,
            _ => {}
        }
        let mut body = vec![0; usize::try_from(to.min(size - 1) - from + 1).unwrap()];
        self.object.read_at(from, &mut body)?;
        let length = match self.manner {
            Manner::Long => {
                body.extend([7; 100]);
                body.len()
            }
            _ => body.len(),
        };
        write!(stream, "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\n")?;
        if self.manner != Manner::NoRange {
            write!(stream, "Content-Range: bytes {from}-{to}/{whole}\r\n")?;
        }
        if self.manner == Manner::Packed {
            write!(stream, "Content-Encoding: gzip\r\n")?;
        }
        write!(stream, "ETag: \"{tag}\"\r\nLast-Modified: Thu, 0{day} Jan 2026 00:00:00 GMT\r\n")?;
        write!(stream, "Connection: close\r\n\r\n")?;
        self.counts.add(body.len() as u64);
        match self.manner {
            Manner::Short => stream.write_all(&body[..body.len() / 2]),
            Manner::Drip if number != 0 => forever(&mut stream, &body[..1]),
            _ => stream.write_all(&body),
        }
    }
}

/// Sends something, and then a byte now and then, until the client leaves.
fn forever(stream: &mut TcpStream, first: &[u8]) -> io::Result<()> {
    stream.write_all(first)?;
    loop {
        std::thread::sleep(std::time::Duration::from_millis(20));
        if first.is_empty() {
            stream.set_read_timeout(Some(std::time::Duration::from_millis(20)))?;
            if matches!(stream.read(&mut [0]), Ok(0)) {
                return Ok(());
            }
        } else {
            stream.write_all(b"x")?;
        }
    }
}
