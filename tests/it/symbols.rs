//! Symbol files: real PDB files against the dumps that they belong to, damage, and a server.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use dumpql::symbol::{Layout, Names as _, PdbFile};
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
    let options = Options { symbols, offline, ..Options::default() };
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
fn a_pdb_names_what_its_dump_holds() {
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
fn damaged_files_are_refused_or_read_as_far_as_they_go() {
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
fn a_server_is_asked_when_it_is_named_and_the_file_is_kept() {
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
