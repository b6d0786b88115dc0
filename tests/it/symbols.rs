//! Symbol files: real PDB files against the dumps that they belong to, damage, and a server.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dumpql::internals::symbol::{Layout, Names as _, PdbFile, PdbId, Search, Status, Store};
use dumpql::internals::synth::{self, Format, KernelFile, SystemSpec, Windows};
use dumpql::{Options, Session, Value};

use crate::corpus;

const DUMP: &str = "dumps/user/llvm-lldb_sigsegv.dmp";
const PDB: &str = "dumps/pdb/llvm-lldb_sigsegv.pdb";
/// How the dump's image names its PDB: GUID with age, as servers write it.
const IDENTITY: &str = "sigsegv.pdb";

fn text(session: &Session, sql: &str) -> String {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    match result.rows().next().expect("a row").get(0) {
        Value::Text(text) => text.to_string(),
        other => panic!("{sql}: {other:?}"),
    }
}

fn open(dump: &Path, symbols: Vec<PathBuf>, offline: bool) -> Session {
    let options = Options::default().symbols(symbols).offline(offline);
    Session::open_with(&[dump], &options).expect("it opens")
}

/// A folder of its own for a test.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("dumpql-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_pdb_gives_the_symbols_of_its_dump() {
    let Some(corpus) = corpus::folder() else { return };
    let session = open(&corpus.join(DUMP), vec![corpus.join(PDB)], true);
    let status = "SELECT symbol_status FROM modules WHERE symbol_status = 'pdb'";
    assert_eq!(text(&session, status), "pdb");
    let symbol = "SELECT symbol FROM exception";
    let found = text(&session, symbol);
    assert!(found.starts_with("sigsegv!"), "{found}");
    let file = PdbFile::open(&corpus.join(PDB)).expect("a PDB");
    let main = file.address("main").expect("a program has main");
    assert_eq!(file.nearest(main + 1), Some(("main".to_owned(), 1)));
    let (source, line) = file.line(main).expect("it has lines");
    assert!(source.ends_with("sigsegv.cpp") && (1..40).contains(&line), "{source}:{line}");
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn damaged_files_are_rejected_or_partly_read() {
    let Some(corpus) = corpus::folder() else { return };
    let bytes = std::fs::read(corpus.join(PDB)).expect("a PDB");
    let path = scratch("damage").join("x.pdb");
    let mut state = 88_172_645_463_325_252u64;
    for round in 0..200usize {
        let mut damaged = bytes.clone();
        if round % 4 == 0 {
            damaged.truncate(bytes.len() * round / 200);
        }
        for _ in 0..64 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let [low, high] = [state & 0xffff_ffff, state >> 32];
            let at = usize::try_from(low).unwrap() % damaged.len().max(1);
            if let Some(byte) = damaged.get_mut(at) {
                *byte = if high % 3 == 0 { 0xff } else { high.to_le_bytes()[0] };
            }
        }
        std::fs::write(&path, &damaged).expect("it can be written");
        let Ok(file) = PdbFile::open(&path) else { continue };
        for rva in (0..0x20000).step_by(0x100) {
            let _ = (file.nearest(rva), file.line(rva));
        }
        let _ = file.address("main");
        let layout = Layout::from_pdb(file.into());
        for name in layout.type_names().iter().take(500) {
            let _ = (layout.members(name), layout.size_of(name));
        }
    }
    let _ = std::fs::remove_dir_all(path.parent().expect("a folder"));
}

/// Serves one file to every request that names it, and 404 to others; returns the address.
fn serve(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            let is_it = String::from_utf8_lossy(&request[..read]).contains(IDENTITY);
            let head = if is_it { "200 OK" } else { "404 Not Found" };
            let body: &[u8] = if is_it { &bytes } else { b"" };
            let _ = write!(
                stream,
                "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(body);
        }
    });
    format!("http://{address}/store")
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_configured_server_is_asked_and_the_file_is_cached() {
    let Some(corpus) = corpus::folder() else { return };
    let server = serve(std::fs::read(corpus.join(PDB)).expect("a PDB"));
    let cache = scratch("cache");
    let path = || vec![PathBuf::from(format!("srv*{}*{server}", cache.display()))];
    let symbol = "SELECT symbol FROM exception";
    let offline = open(&corpus.join(DUMP), path(), true);
    assert!(text(&offline, symbol).starts_with("sigsegv+"));
    assert_eq!(std::fs::read_dir(&cache).expect("a folder").count(), 0);
    let asked = open(&corpus.join(DUMP), path(), false);
    let found = text(&asked, symbol);
    assert!(found.starts_with("sigsegv!"), "{found}");
    let kept = open(&corpus.join(DUMP), vec![cache.clone()], true);
    assert_eq!(text(&kept, symbol), found);
    let _ = std::fs::remove_dir_all(&cache);
}

/// What a slow server was asked.
#[derive(Default)]
struct Asked {
    /// The paths, in the order in which they came.
    paths: Vec<String>,
    now: usize,
    most: usize,
}

/// Serves as [`serve`] does, every request on a thread of its own and after a while.
fn serve_slowly(bytes: Vec<u8>) -> (String, Arc<Mutex<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::<Mutex<Asked>>::default();
    let (seen, bytes) = (Arc::clone(&asked), Arc::new(bytes));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (seen, bytes) = (Arc::clone(&seen), Arc::clone(&bytes));
            std::thread::spawn(move || answer(stream, &seen, &bytes));
        }
    });
    (format!("http://{address}/store"), asked)
}

fn answer(mut stream: std::net::TcpStream, asked: &Mutex<Asked>, bytes: &[u8]) {
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    {
        let mut asked = asked.lock().unwrap();
        asked.paths.push(request.split(' ').nth(1).unwrap_or_default().to_owned());
        asked.now += 1;
        asked.most = asked.most.max(asked.now);
    }
    std::thread::sleep(Duration::from_millis(150));
    asked.lock().unwrap().now -= 1;
    let (head, body) =
        if request.contains(IDENTITY) { ("200 OK", bytes) } else { ("404 Not Found", &[][..]) };
    let length = body.len();
    let _ =
        write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(body);
}

#[test]
fn several_files_are_fetched_in_parallel_and_each_once() {
    let (server, asked) = serve_slowly(Vec::new());
    let cache = scratch("many");
    let paths = vec![PathBuf::from(format!("srv*{}*{server}", cache.display()))];
    let search = Search { paths, ..Search::default() };
    let store = Store::new(&search).expect("a path");
    let id = |i: usize| PdbId { name: format!("m{i}.pdb"), guid: format!("{i:032X}"), age: 1 };
    let ids: Vec<PdbId> = (0..20).chain(0..20).map(id).collect();
    store.fetch_all(&ids);
    let paths = |asked: &Asked| {
        let mut paths = asked.paths.clone();
        paths.sort();
        paths
    };
    let mut expected: Vec<String> =
        (0..20).map(|i| format!("/store/m{i}.pdb/{i:032X}1/m{i}.pdb")).collect();
    expected.sort();
    assert_eq!(paths(&asked.lock().unwrap()), expected);
    let most = asked.lock().unwrap().most;
    assert!((2..=8).contains(&most), "{most} at a time");
    // What is known is not asked for again, whoever wants it.
    store.fetch_all(&ids);
    assert!(store.names(&ids[0]).is_none());
    let found = store.find(&ids[0]);
    assert_eq!((found.status, found.at), (Status::None, None));
    assert!(found.note.expect("a note").contains("does not have it"));
    assert_eq!(asked.lock().unwrap().paths.len(), 20);
    // When all queries that wait are cancelled, nothing more is asked for; one that is not gets all.
    let store = Store::new(&search).expect("a path");
    let flag = |is_set| Arc::new(std::sync::atomic::AtomicBool::new(is_set));
    let cancelled = store.wait_for(&flag(true));
    store.fetch_all(&ids);
    assert_eq!(asked.lock().unwrap().paths.len(), 20);
    let running = store.wait_for(&flag(false));
    store.fetch_all(&ids);
    assert_eq!(asked.lock().unwrap().paths.len(), 40);
    drop((cancelled, running));
    let _ = std::fs::remove_dir_all(&cache);
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn stacks_fetch_their_symbols_in_parallel() {
    let Some(corpus) = corpus::folder() else { return };
    let (server, asked) = serve_slowly(std::fs::read(corpus.join(PDB)).expect("a PDB"));
    let cache = scratch("stacks");
    let path = || vec![PathBuf::from(format!("srv*{}*{server}", cache.display()))];
    let rows = |session: &Session| {
        let result = session.query("SELECT tid, frame, module, symbol FROM stacks").expect("rows");
        let row = |row: usize| (0..4).map(|column| result.text(row, column)).collect::<Vec<_>>();
        (0..result.len()).map(row).collect::<Vec<_>>()
    };
    let found = rows(&open(&corpus.join(DUMP), path(), false));
    let most = asked.lock().unwrap().most;
    assert!(most > 1, "one after the other");
    assert!(found.iter().any(|row| row[3].starts_with("sigsegv!")), "{found:?}");
    assert_eq!(rows(&open(&corpus.join(DUMP), vec![cache.clone()], true)), found);
    let _ = std::fs::remove_dir_all(&cache);
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_layout_file_is_decompressed_once() {
    let Some(corpus) = corpus::folder() else { return };
    let folder = scratch("unpacked");
    let name = "5278AFF86C341677D7D7835C85B7B844-1.json.xz";
    let source = corpus.join("layouts/isf/windows/ntkrnlmp.pdb").join(name);
    let isf = folder.join("ntkrnlmp.pdb").join(name);
    std::fs::create_dir_all(isf.parent().unwrap()).unwrap();
    let packed = std::fs::read(source).unwrap();
    std::fs::write(&isf, &packed).unwrap();
    let text = crate::volatility::unpack(&isf);
    let kernel = Some(Arc::new(KernelFile::parse(&text).unwrap()));
    let spec = SystemSpec { kernel, ..synth::healthy(Windows::Windows10) };
    let dump = folder.join("a.dmp");
    std::fs::write(&dump, synth::system(&spec).to_vec(Format::BitmapFull)).unwrap();
    let cache = folder.join("cache");
    let answers = |symbols: &Path, cache: Option<&Path>| {
        let options = Options::default().symbols([symbols]);
        let options = match cache {
            Some(folder) => options.cache(folder),
            None => options,
        };
        let session = Session::open_with(&[&dump], &options).unwrap();
        let questions = [
            "SELECT * FROM threads",
            "SELECT * FROM processes",
            "SELECT module, status FROM needed_symbols",
            "SELECT symbol(nt!KiIdleLoop) AS idle, symbol(nt!KeBugCheckEx + 5) AS check",
            "SELECT UniqueProcessId, ImageFileName FROM list('nt!PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks')",
        ];
        let mut all = Vec::new();
        for sql in questions {
            let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            for row in 0..result.len() {
                all.extend((0..result.fields().len()).map(|column| result.text(row, column)));
            }
        }
        all
    };
    let kept = || std::fs::read_dir(&cache).map_or(0, Iterator::count);
    // As a file that is named, and as one in a folder that belongs to the kernel by its name.
    for (symbols, entries) in [(&isf, 1), (&folder, 2)] {
        let read = answers(symbols, None);
        assert!(read.iter().any(|text| text.contains("nt!KiIdleLoop")), "{read:?}");
        assert_eq!(answers(symbols, Some(&cache)), read, "first");
        assert_eq!(answers(symbols, Some(&cache)), read, "second");
        assert!((1..=entries).contains(&kept()), "{} entries", kept());
    }
    // Another file in its place is another layout, even of the same size.
    let before = kept();
    let later = std::time::SystemTime::now() + Duration::from_secs(5);
    std::fs::write(&isf, &packed).unwrap();
    std::fs::File::options().write(true).open(&isf).unwrap().set_modified(later).unwrap();
    answers(&isf, Some(&cache));
    assert_eq!(kept(), before + 1);
    let _ = std::fs::remove_dir_all(&folder);
}
