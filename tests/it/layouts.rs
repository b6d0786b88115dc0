//! Layouts of kernels: which one is believed, and what is read by it when nobody knows the update.

use std::path::PathBuf;
use std::sync::Arc;

use dumpql::internals::catalog::{SourceKind, Value};
use dumpql::internals::dump::Image;
use dumpql::internals::model::{AddressSpace, Answers, DynTable, Machine, Refused, Source};
use dumpql::internals::source;
use dumpql::internals::symbol::pack::{self, Document, Pack};
use dumpql::internals::symbol::{Search, Store};
use dumpql::internals::synth::{self, Block, Format, KernelFile, SystemSpec, Windows};
use dumpql::{Options, Session};
use rayon::prelude::*;

use crate::system::ask;

/// A source that a session takes.
struct Opened(Box<dyn Source>);

impl Source for Opened {
    fn kind(&self) -> SourceKind {
        self.0.kind()
    }

    fn machine(&self) -> Machine {
        self.0.machine()
    }

    fn answers(&self) -> &Answers {
        self.0.answers()
    }

    fn memory(&self) -> &dyn AddressSpace {
        self.0.memory()
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        self.0.table_function(name, args)
    }
}

fn session(bytes: &[u8], store: &Store) -> Session {
    let image = Image::from_bytes("made", bytes.to_vec());
    let source = source::open(image, store).expect("it is a dump");
    let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    session.add_source("made", Opened(source)).unwrap();
    session
}

/// The layout as a file, which a symbol path names.
struct File(PathBuf);

impl File {
    fn of(pack: &Pack) -> Self {
        let mut types = serde_json::Map::new();
        let mut head = serde_json::Value::Null;
        for part in [Document::First, Document::Rest] {
            for text in [pack.base(part), pack.text(part)].into_iter().flatten() {
                head = serde_json::from_str(&text).unwrap();
                types.extend(head["types"].as_object().unwrap().clone());
            }
        }
        types.retain(|_, ty| !ty.is_null());
        head["types"] = types.into();
        let (version, pid) = (pack.version_text(), std::process::id());
        let name = format!("dumpql-{pid}-{version}-{}-{}.json", pack.service_pack, pack.arch);
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, head.to_string()).unwrap();
        Self(path)
    }

    fn store(&self) -> Store {
        Store::new(&Search { paths: vec![self.0.clone()], ..Search::default() }).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The version of Windows that a system with a layout is built as; none of arm64 is.
fn windows(pack: &Pack) -> Option<Windows> {
    let fits = |windows: &&Windows| {
        windows.is_64_bit() == (pack.arch == "x64") && windows.build() <= pack.version[2]
    };
    let key = |windows: &&Windows| {
        let (version, service_pack) = windows.version();
        (windows.build(), service_pack == pack.service_pack, version[3] <= pack.version[3])
    };
    let all = Windows::ALL.iter().filter(fits).filter(|_| pack.arch != "arm64");
    all.max_by_key(key).copied()
}

/// Tables of which every row has to be there.
const TABLES: [&str; 7] =
    ["processes", "threads", "modules", "irps", "locks", "drivers", "pool_tags"];

/// The one update whose table of pool tags is found in part alone.
const OTHER_TAGS: &str = "6.3.9600 0 x86";

/// What is read wrong still: 32-bit Windows 8.1 Update 1 put a field before this one while the structure
/// grew, and of no update between the two are there layouts.
const READ_WRONG: (&str, &str) = ("6.3.9600 1 x86", "processes.commit_bytes");

/// How a request was found says nothing of the request.
const NO_FACT: &str = "irps.found_in";

/// What differs where an update is read that nobody has seen.
#[derive(Default)]
struct Difference {
    /// Rows, and those without a value that is wrong.
    rows: usize,
    right: usize,
    /// Cells that have another value.
    wrong: Vec<String>,
}

fn compare(
    truth: &Session,
    other: &Session,
    (kernel, table): (&str, &str),
    found: &mut Difference,
) {
    let sql = format!("SELECT * FROM {table}");
    let (truth, other) = match (truth.query(&sql), other.query(&sql)) {
        (Ok(truth), Ok(other)) => (truth, other),
        (Err(_), Err(_)) => return,
        (truth, other) => {
            found.wrong.push(format!("{table}: {:?} {:?}", truth.err(), other.err()));
            return;
        }
    };
    found.rows += truth.len().max(other.len());
    for row in 0..truth.len().min(other.len()) {
        let mut is_right = true;
        for column in 0..truth.fields().len() {
            let (there, here) = (truth.text(row, column), other.text(row, column));
            if there != here && !here.is_empty() {
                let name = format!("{table}.{}", truth.fields()[column].name);
                if name == NO_FACT || (kernel, name.as_str()) == READ_WRONG {
                    continue;
                }
                found.wrong.push(format!("{name}: {there} read as {here}"));
                is_right = false;
            }
        }
        found.right += usize::from(is_right);
    }
}

#[test]
fn an_unknown_update_is_read_by_known_fields() {
    let read = |pack: &'static Pack| {
        let spec = SystemSpec {
            kernel: KernelFile::of_pack(pack).map(Arc::new),
            ..synth::healthy(windows(pack)?)
        };
        let bytes = synth::system(&spec).to_vec(Format::BitmapFull);
        let file = File::of(pack);
        let (truth, other) =
            (session(&bytes, &file.store()), session(&bytes, &Store::without(pack)));
        let name = format!("{} {} {}", pack.version_text(), pack.service_pack, pack.arch);
        let mut found = Difference::default();
        for table in TABLES {
            if !(table == "pool_tags" && name == OTHER_TAGS) {
                compare(&truth, &other, (&name, table), &mut found);
            }
        }
        Some((name, found))
    };
    let is_update = |pack: &&Pack| pack::all().iter().filter(|o| is_alike(pack, o)).count() > 1;
    let updates: Vec<_> = pack::all().iter().filter(is_update).collect();
    let all: Vec<_> = updates.into_par_iter().filter_map(read).collect();
    let mut odd = Vec::new();
    for (name, found) in &all {
        odd.extend(found.wrong.iter().take(5).map(|wrong| format!("{name}: {wrong}")));
        if found.right * 100 < found.rows * 99 {
            odd.push(format!("{name}: {} of {} rows", found.right, found.rows));
        }
    }
    assert!(all.len() > 60, "{}", all.len());
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

/// Whether two layouts are of updates of one build.
fn is_alike(a: &Pack, b: &Pack) -> bool {
    (a.version[2], a.arch) == (b.version[2], b.arch)
}

/// Exports of an image by their offsets, as a linker lays them out in the space behind the headers,
/// and the entry of the directory that leads to them.
fn exports(base: u64, names: &[(&str, u64)]) -> [Block; 2] {
    const AT: u32 = 0x600;
    let len = |count: usize| u32::try_from(count).unwrap();
    let (functions, pointers) = (AT + 40, AT + 40 + 4 * len(names.len()));
    let ordinals = pointers + 4 * len(names.len());
    let text = ordinals + 2 * len(names.len());
    let mut out = vec![0u32; 10];
    (out[3], out[4], out[5], out[6]) = (text, 1, len(names.len()), len(names.len()));
    (out[7], out[8], out[9]) = (functions, pointers, ordinals);
    out.extend(names.iter().map(|(_, address)| u32::try_from(address - base).unwrap()));
    let mut tail = b"ntoskrnl.exe\0".to_vec();
    for (name, _) in names {
        out.push(text + len(tail.len()));
        tail.extend(name.bytes().chain([0]));
    }
    let mut bytes: Vec<u8> = out.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend((0..names.len()).flat_map(|i| u16::try_from(i).unwrap().to_le_bytes()));
    bytes.extend(tail);
    let size = len(bytes.len());
    assert!(AT + size < 0x1000);
    let entry = [AT, size].into_iter().flat_map(u32::to_le_bytes).collect();
    let directory = base + 0x80 + 24 + 112;
    [Block { address: base + u64::from(AT), bytes }, Block { address: directory, bytes: entry }]
}

#[test]
fn raw_memory_whose_debugger_data_block_is_encoded_needs_no_symbols() {
    let spec = synth::healthy(Windows::Windows10);
    let plain = synth::system(&spec);
    let base = plain.kernel.0;
    let names =
        ["PsInitialSystemProcess", "PsLoadedModuleList"].map(|name| (name, plain.symbols[name]));
    // What an encoded block looks like to who does not know the secrets.
    let noise = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
    let noise = (0..0x380).map(noise).collect();
    let noise = Block { address: plain.debugger_data, bytes: noise };
    let blocks = exports(base, &names).into_iter().chain([noise]).collect();
    let encoded = synth::system(&SystemSpec { blocks, ..spec });
    for format in [Format::Raw, Format::ElfCore] {
        let with_block = session(&plain.to_vec(format), &Store::default());
        let without = session(&encoded.to_vec(format), &Store::default());
        for sql in [
            "SELECT pid, name, eprocess, create_time FROM processes",
            "SELECT pid, tid, ethread, state, start_address FROM threads",
            "SELECT name, base, size_bytes FROM modules",
            "SELECT build, kernel_base, process_head FROM dump",
            "SELECT module, pdb, guid, age FROM needed_symbols",
        ] {
            let rows = ask(&without, sql);
            assert!(!rows.is_empty(), "{format:?}: {sql}");
            assert_eq!(rows, ask(&with_block, sql), "{format:?}: {sql}");
        }
        assert_eq!(ask(&without, "SELECT kdbg FROM dump"), [""], "{format:?}");
    }
}

#[test]
fn the_bug_check_of_raw_memory() {
    let spec = SystemSpec { bugcheck: (0xd1, [1, 2, 3, 4]), ..synth::healthy(Windows::Windows10) };
    let bytes = synth::system(&spec).to_vec(Format::Raw);
    let rows =
        ask(&session(&bytes, &Store::default()), "SELECT code, p1, p2, p3, p4 FROM bugcheck");
    let words = ["1", "2", "3", "4"].map(|digit| format!("0x{digit:0>16}"));
    assert_eq!(rows.len(), 1);
    assert!(words.iter().all(|word| rows[0].contains(word.as_str())), "{rows:?}");
}
