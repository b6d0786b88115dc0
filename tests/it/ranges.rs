//! Dumps that are read range by range: the answers are those of the file, few bytes are read, and what
//! a server does wrong ends in an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::internals::table::ALL;
use dumpql::{CancelToken, Image, Options, RangeReader, Session};

use crate::cli::Folder;
use crate::object_server::{Bytes, Counted, Thin};
use crate::system::{Names, ask};
use crate::{containers, made, watchdog};

/// A session on a file that is read range by range.
fn over(name: &str, reader: impl RangeReader + 'static, options: &Options) -> Session {
    let image = Image::from_reader(name, Box::new(reader));
    Session::from_images(vec![image], options).expect(name)
}

/// What a table answers, or why it does not.
fn answer(session: &Session, table: &str) -> String {
    match session.query(&format!("SELECT * FROM {table}")) {
        Ok(result) => {
            let columns = 0..result.fields().len();
            let line = |row| {
                columns.clone().map(|column| result.text(row, column)).collect::<Vec<_>>().join("|")
            };
            let rows: Vec<String> = (0..result.len()).map(line).collect();
            format!("{}\n{:?}\n{:?}", rows.join("\n"), result.footnotes(), result.unread())
        }
        Err(error) => error.to_string(),
    }
}

/// Compares the answers about a file that is mapped with those about one that is read by ranges.
fn compare(folder: &Folder, name: &str, bytes: Vec<u8>, options: &Options) {
    let path = folder.file(name);
    std::fs::write(&path, &bytes).unwrap();
    let mapped = Session::open_with(&[path.as_ref()], options).expect(name);
    let ranged = over(&path, Bytes(bytes), options);
    for table in ALL {
        let table = table.name();
        let _watched = watchdog::watch(format!("{name}: {table}"));
        let (expected, found) = (answer(&mapped, table), answer(&ranged, table));
        assert_eq!(found, expected, "{name}: {table}");
    }
    std::fs::remove_file(&path).unwrap();
}

/// A system that has something of everything, as a file of a format.
fn compare_system(folder: &Folder, windows: Windows, format: Format) {
    let system = synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::sick(windows) });
    let names = Names::of(&system);
    let options = Options::default().symbols([names.path()]);
    compare(folder, &format!("{windows:?}-{format:?}.dmp"), system.to_vec(format), &options);
}

#[test]
fn kernel_dumps_of_every_form_answer_as_the_mapped_file() {
    let folder = Folder::new("ranges-kernel");
    compare_system(&folder, Windows::Windows10, Format::BitmapFull);
    compare_system(&folder, Windows::Server2003Pae, Format::Full);
    for format in Format::ALL {
        let system = synth::system(&synth::healthy(Windows::Windows10));
        let bytes = system.to_vec(format);
        compare(&folder, &format!("{format:?}.dmp"), bytes, &Options::default());
    }
}

#[test]
fn other_files_answer_as_the_mapped_file() {
    let folder = Folder::new("ranges-other");
    let options = Options::default();
    compare(&folder, "triage.dmp", synth::triage_sample(), &options);
    compare(&folder, "x64.mdmp", made::minidump(true), &options);
    compare(&folder, "x86.mdmp", made::minidump(false), &options);
    let raw = synth::system(&synth::healthy(Windows::Windows7)).to_vec(Format::Raw);
    compare(&folder, "made.lime", containers::lime(&raw), &options);
    for (number, log) in made::files("tests/log/own", "txt").into_iter().enumerate().take(3) {
        compare(&folder, &format!("{number}.txt"), log, &options);
    }
}

#[test]
#[cfg(feature = "archives")]
fn archives_are_read_whole_and_answer_as_the_mapped_file() {
    let folder = Folder::new("ranges-archive");
    let packed = crate::archives::gzip("in.dmp", &synth::triage_sample());
    compare(&folder, "made.gz", packed, &Options::default());
}

/// A whole dump of a machine with much memory, of which most was never written.
fn large(format: Format, physical_pages: u64) -> Thin {
    let spec = SystemSpec { physical_pages, ..synth::sick(Windows::Windows10) };
    let mut file = Thin::default();
    synth::system(&spec).write(format, &mut file).unwrap();
    file
}

/// Asks for what a crash is about, and how many bytes and requests that takes.
fn cost(file: Thin, sql: &[&str]) -> (u64, u64, u64) {
    let size = file.size();
    let (reader, counts, _) = Counted::new(file);
    let session = over("MEMORY.DMP", reader, &Options::default());
    for sql in sql {
        assert!(!ask(&session, sql).is_empty(), "{sql}");
    }
    (size, counts.bytes(), counts.requests())
}

#[test]
fn a_bug_check_costs_few_bytes_of_a_large_dump() {
    let asked = ["FROM bugcheck SELECT code, p1, p2, p3, p4", "FROM dump SELECT build, processors"];
    let gigabyte = (1 << 30) / 4096;
    let (size, bytes, requests) = cost(large(Format::Full, 4 * gigabyte), &asked);
    println!("whole dump of {size} bytes: {bytes} bytes in {requests} requests");
    assert!(size > 4 << 30 && bytes <= FEW, "{bytes} bytes in {requests} requests");
    // It does not grow with the size.
    let (size, more, requests) = cost(large(Format::Full, 32 * gigabyte), &asked);
    println!("whole dump of {size} bytes: {more} bytes in {requests} requests");
    assert!(size > 32 << 30 && more <= FEW, "{more} bytes in {requests} requests");
    for sql in ["FROM bugcheck", "FROM dump", "FROM modules", "FROM threads", "FROM irps"] {
        let (_, bytes, requests) = cost(large(Format::Full, 32 * gigabyte), &[sql]);
        println!("{sql}: {bytes} bytes in {requests} requests");
        assert!(bytes <= 16 << 20, "{sql}: {bytes} bytes in {requests} requests");
    }
    // A bitmap has a bit for each page of the machine, and is read.
    let (_, bytes, requests) = cost(large(Format::BitmapFull, 32 * gigabyte), &asked);
    println!("with a bitmap of 1 MB: {bytes} bytes in {requests} requests");
    assert!(bytes <= FEW + (1 << 20) + (1 << 17), "{bytes} bytes in {requests} requests");
}

/// The bound on what the questions above read.
const FEW: u64 = 1 << 20;

#[test]
fn nothing_is_read_twice_whoever_asks() {
    let system = synth::system(&synth::sick(Windows::Windows10));
    let bytes = system.to_vec(Format::BitmapFull);
    let size = bytes.len() as u64;
    let (reader, counts, _) = Counted::new(Bytes(bytes.clone()));
    let ranged = Arc::new(over("x.dmp", reader, &Options::default()));
    let whole = Session::from_images(vec![Image::from_bytes("x.dmp", bytes)], &Options::default());
    let whole = whole.unwrap();
    let tables = ["threads", "modules", "irps", "handles", "pool_allocations", "processes"];
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (ranged, whole) = (&ranged, &whole);
            scope.spawn(move || {
                for table in tables.iter().cycle().skip(start).take(tables.len()) {
                    assert_eq!(answer(ranged, table), answer(whole, table), "{table}");
                }
            });
        }
    });
    assert!(counts.bytes() <= size, "{} of {size} bytes", counts.bytes());
    let before = counts.bytes();
    answer(&ranged, "irps");
    assert_eq!(counts.bytes(), before);
}

#[test]
fn reads_in_sequence_become_fewer_requests() {
    let log = "0: kd> !irql\nDebugger saved IRQL for processor 0x0 -- 2 (DISPATCH_LEVEL)\n";
    let (reader, counts, _) = Counted::new(Bytes(log.repeat(100_000).into_bytes()));
    over("big.log", reader, &Options::default());
    assert!(counts.bytes() > 6 << 20 && counts.requests() < 10, "{counts:?}");
}

#[test]
fn a_read_that_fails_ends_the_query_and_the_next_one_tries_again() {
    let bytes = synth::system(&synth::sick(Windows::Windows10)).to_vec(Format::BitmapFull);
    let whole = Image::from_bytes("bucket/x.dmp", bytes.clone());
    let whole = Session::from_images(vec![whole], &Options::default()).unwrap();
    let (reader, _, is_broken) = Counted::new(Bytes(bytes));
    let session = over("bucket/x.dmp", reader, &Options::default());
    assert_eq!(ask(&session, "SELECT count(*) FROM bugcheck"), ["1"]);
    is_broken.store(true, Ordering::Relaxed);
    let error = session.query("FROM irps").unwrap_err();
    assert_eq!(error.code().to_string(), "E0402");
    let text = error.to_string();
    assert!(text.contains("bucket/x.dmp: its bytes "), "{text}");
    assert!(text.contains("cannot be read: the bucket is on fire"), "{text}");
    // What was made of the rest may be wrong, and is not kept.
    assert!(session.query("FROM threads").is_err());
    is_broken.store(false, Ordering::Relaxed);
    for table in ["irps", "threads", "processes", "modules"] {
        assert_eq!(answer(&session, table), answer(&whole, table), "{table}");
    }
}

/// A file that says which version it is.
struct Versioned(Counted, &'static str);

impl RangeReader for Versioned {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn version(&self) -> Option<String> {
        Some(self.1.to_owned())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        self.0.read_at(offset, buffer)
    }
}

#[test]
fn a_search_is_kept_for_the_next_session_of_the_same_version() {
    let folder = Folder::new("ranges-index");
    let bytes = synth::system(&synth::sick(Windows::Windows10)).to_vec(Format::BitmapFull);
    let options = Options::default().cache(folder.path());
    let search = |version| {
        let (reader, counts, _) = Counted::new(Bytes(bytes.clone()));
        let session = over("x.dmp", Versioned(reader, version), &options);
        (ask(&session, "SELECT count(*), sum(size_bytes) FROM pool_allocations"), counts.bytes())
    };
    let (rows, first) = search("one");
    assert!(!folder.names().is_empty());
    let (again, second) = search("one");
    assert_eq!(again, rows);
    assert!(second < first, "{second} of {first} bytes");
    let kept = folder.names();
    assert_eq!(search("two"), (rows, first));
    assert!(folder.names().len() > kept.len());
}

/// A file that claims a size.
struct Claims(u64);

impl RangeReader for Claims {
    fn size(&self) -> u64 {
        self.0
    }

    fn read_at(&self, _: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        buffer.fill(0);
        Ok(())
    }
}

#[test]
fn absurd_sizes_are_refused() {
    for size in [u64::MAX, 1 << 63, 1 << 50, (1 << 44) + 1] {
        let image = Image::from_reader("x.dmp", Box::new(Claims(size)));
        let error = Session::from_images(vec![image], &Options::default()).unwrap_err();
        assert!(error.to_string().contains("too large to be a dump"), "{error}");
    }
}

#[test]
fn a_dump_that_cannot_be_read_does_not_open() {
    let (reader, _, is_broken) = Counted::new(Bytes(synth::triage_sample()));
    is_broken.store(true, Ordering::Relaxed);
    let image = Image::from_reader("x.dmp", Box::new(reader));
    assert_eq!((image.file_bytes() > 0, image.fetched_bytes()), (true, Some(0)));
    let error = Session::from_images(vec![image], &Options::default()).unwrap_err().to_string();
    assert!(error.contains("its bytes 0 to ") && error.contains("on fire"), "{error}");
    let image = Image::from_reader("x.dmp", Box::new(Bytes(Vec::new())));
    let error = Session::from_images(vec![image], &Options::default()).unwrap_err().to_string();
    assert!(error.contains("x.dmp: an empty file"), "{error}");
}

#[test]
fn what_is_kept_of_a_file_is_bounded() {
    let bytes = synth::system(&synth::sick(Windows::Windows10)).to_vec(Format::BitmapFull);
    let options = Options::default().unpacked(1 << 20);
    let (reader, counts, _) = Counted::new(Bytes(bytes));
    let session = over("x.dmp", reader, &options);
    let error = ALL.iter().find_map(|table| {
        session.query(&format!("SELECT * FROM {}", table.name())).err().map(|e| e.to_string())
    });
    let error = error.unwrap();
    assert!(error.contains("more than 1MB of temporary files; --unpack-limit"), "{error}");
    assert!(counts.bytes() <= 1 << 20);
}

/// A reader that takes as long as it is told to.
struct Slow {
    inner: Bytes,
    is_held: Arc<AtomicBool>,
    waits: Arc<AtomicBool>,
}

impl RangeReader for Slow {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        while self.is_held.load(Ordering::Relaxed) {
            self.waits.store(true, Ordering::Relaxed);
            std::thread::yield_now();
        }
        self.inner.read_at(offset, buffer)
    }
}

#[test]
fn a_query_that_waits_for_bytes_can_be_cancelled_and_the_next_one_is_right() {
    let bytes = synth::system(&synth::sick(Windows::Windows10)).to_vec(Format::BitmapFull);
    let whole = Image::from_bytes("x.dmp", bytes.clone());
    let whole = Session::from_images(vec![whole], &Options::default()).unwrap();
    let (is_held, waits) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let (held, waiting) = (Arc::clone(&is_held), Arc::clone(&waits));
    let session = over("x.dmp", Slow { inner: Bytes(bytes), is_held, waits }, &Options::default());
    held.store(true, Ordering::Relaxed);
    let token = CancelToken::new();
    let _watched = watchdog::watch("a query that waits for bytes");
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| session.prepare("FROM irps").unwrap().cancel(&token).run());
        while !waiting.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        token.cancel();
        // The reader still holds what the query waits for.
        assert_eq!(asked.join().unwrap().unwrap_err().code().to_string(), "E0306");
    });
    let soon = std::time::Duration::from_millis(100);
    let late = session.prepare("FROM irps").unwrap().timeout(soon).run().unwrap_err();
    assert_eq!(late.code().to_string(), "E0308", "{late}");
    held.store(false, Ordering::Relaxed);
    for table in ["irps", "threads", "processes"] {
        assert_eq!(answer(&session, table), answer(&whole, table), "{table}");
    }
}

/// A reader with a defect.
struct Panics(Bytes);

impl RangeReader for Panics {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        assert!(offset < 0x2_0000, "a defect of the reader");
        self.0.read_at(offset, buffer)
    }
}

#[test]
fn a_reader_that_panics_ends_no_more_than_the_query() {
    let bytes = synth::system(&synth::sick(Windows::Windows10)).to_vec(Format::BitmapFull);
    let image = Image::from_reader("x.dmp", Box::new(Panics(Bytes(bytes))));
    // Other threads do not wait for what never comes.
    let _watched = watchdog::watch("a reader that panics");
    for _ in 0..2 {
        let opened = Session::from_images(vec![image.clone()], &Options::default());
        let error = opened.map_or_else(Some, |session| session.query("FROM irps").err());
        assert!(error.is_some());
    }
}
