//! The fuzz targets: every reader of bytes from outside, through its public interface.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use dumpql::internals::diag::Code;
use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Format, SystemSpec, TriageSpec, Windows};
use dumpql::internals::{import, lang, symbol};
use dumpql::{Options, Session, Value};
use symbol::Names as _;

use super::{query, seeds};

/// A reader and its corpus.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) is_text: bool,
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Runs one input; returns whether it was accepted, or what is wrong with the result.
    pub(crate) run: fn(&[u8]) -> Result<bool, String>,
}

/// Every target.
pub(crate) fn all() -> Vec<Target> {
    let target = |name, is_text, seeds, run| Target { name, is_text, seeds, run };
    vec![
        target("text", true, texts, parse),
        target("query", false, random_bytes, ask),
        target(
            "minidump",
            false,
            || vec![seeds::minidump(true), seeds::minidump(false)],
            read_dump,
        ),
        target("triage", false, triages, read_dump),
        target(
            "summary",
            false,
            || systems(&[Format::KernelSummary, Format::KernelMemory]),
            read_dump,
        ),
        target(
            "bitmap",
            false,
            || systems(&[Format::BitmapFull, Format::CompleteMemory]),
            read_dump,
        ),
        target("core", false, || systems(&[Format::ElfCore, Format::Raw]), read_dump),
        target("pdb", false, || vec![seeds::pdb()], read_pdb),
        target("layout", true, seeds::layouts, read_layout),
        target("log", true, || seeds::files("tests/log/own", "txt"), read_log),
        target("csv", true, seeds::tables, read_table),
        target("index", false, index::seeds, index::read),
    ]
}

fn texts() -> Vec<Vec<u8>> {
    let folders = ["tests/parse/ok", "tests/parse/err", "queries"];
    folders.iter().flat_map(|folder| seeds::files(folder, "sql")).collect()
}

/// Inputs for the grammar: random bytes that select its rules.
fn random_bytes() -> Vec<Vec<u8>> {
    let input = |seed: u64| {
        let mut state = seed;
        let bytes = std::iter::repeat_with(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        });
        bytes.take(400).collect()
    };
    (1..=256).map(input).collect()
}

/// An internal error is a failure, too.
fn judged<T>(outcome: Result<T, dumpql::Error>, sql: &str) -> Result<Option<T>, String> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == Code::Internal => Err(format!("{sql}: {error}")),
        Err(_) => Ok(None),
    }
}

/// Parses a text. If it parses, it is printed, and the printed text must parse to the same tree.
fn parse(input: &[u8]) -> Result<bool, String> {
    let text = String::from_utf8_lossy(input);
    let _ = lang::is_complete(&text);
    match lang::parse(&text) {
        Ok(statements) => {
            let printed = lang::format(&statements);
            let again = lang::parse(&printed).map_err(|error| format!("{printed}: {error}"))?;
            let printed_again = lang::format(&again);
            if printed == printed_again {
                Ok(true)
            } else {
                Err(format!("{printed}\n{printed_again}"))
            }
        }
        Err(error) if error.code == Code::Internal => Err(error.to_string()),
        Err(_) => Ok(false),
    }
}

/// A small system and a table with values of every type.
fn session() -> &'static Session {
    static SESSION: OnceLock<Session> = OnceLock::new();
    SESSION.get_or_init(|| {
        let image = Image::from_bytes("sample", synth::triage_sample());
        let options = Options::default().memory(64 << 20);
        let session = Session::from_images(vec![image], &options).unwrap_or_else(|e| panic!("{e}"));
        let rows = "SELECT * FROM (VALUES
            (1, 'a', 0x1::ADDRESS, 0.5, true, TIMESTAMP '2007-11-09 10:00:00', INTERVAL '1 day'),
            (-2, '', 0xffffffffffffffff::ADDRESS, -1e300, false, TIMESTAMP '1601-01-01 00:00:00', INTERVAL '0 s'),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (9223372036854775807, 'é%_', 0x0::ADDRESS, 0.0, true, TIMESTAMP '9999-12-31 23:59:59', INTERVAL '-1 s'),
            (1, 'a', 0x1::ADDRESS, 0.5, NULL, NULL, INTERVAL '1 day')) AS v(n, s, a, d, b, w, i)";
        let rows = session.query(rows).unwrap_or_else(|error| panic!("{error}"));
        session.attach_result("t", &rows).unwrap_or_else(|error| panic!("{error}"));
        session
    })
}

/// Runs the query that the input generates, and formats it.
fn ask(input: &[u8]) -> Result<bool, String> {
    let Some(text) = query::query(input) else { return Ok(false) };
    parse(text.as_bytes())?;
    judged(session().query(&text), &text).map(|found| found.is_some())
}

fn triages() -> Vec<Vec<u8>> {
    vec![
        synth::triage_sample(),
        synth::triage(&TriageSpec::x86()),
        synth::triage(&TriageSpec::arm64()),
    ]
}

/// Systems of both widths in these forms.
fn systems(formats: &[Format]) -> Vec<Vec<u8>> {
    let versions = [Windows::Server2003Pae, Windows::Windows10];
    let system =
        |windows| synth::system(&SystemSpec { physical_pages: 0x1000, ..synth::healthy(windows) });
    let made: Vec<_> = versions.into_iter().map(system).collect();
    made.iter().flat_map(|system| formats.iter().map(|format| system.to_vec(*format))).collect()
}

/// Opens a dump and reads all tables; no table may have more rows than the file has bytes.
fn read_dump(input: &[u8]) -> Result<bool, String> {
    let image = Image::from_bytes("fuzz", input);
    read_image(image, input.len())
}

fn read_image(image: Image, bytes: usize) -> Result<bool, String> {
    let opened = Session::from_images(vec![image], &Options::default());
    let Some(session) = judged(opened, "open")? else { return Ok(false) };
    for table in tables() {
        let sql = format!("SELECT * FROM {table}");
        let rows = judged(session.query(&sql), &sql)?.map_or(0, |found| found.len());
        if rows > bytes + 4096 {
            return Err(format!("{table}: {rows} rows of {bytes} bytes"));
        }
    }
    Ok(true)
}

/// The tables that are read from a source.
fn tables() -> &'static [String] {
    static TABLES: OnceLock<Vec<String>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let found = session()
            .query("SELECT name FROM meta.tables WHERE name NOT LIKE 'meta.%' AND name <> 't'");
        let found = found.unwrap_or_else(|error| panic!("{error}"));
        found.rows().filter_map(|row| row.get(0).as_text().map(str::to_owned)).collect()
    })
}

/// A temporary file for a reader that opens files.
fn scratch(name: &str, input: &[u8]) -> Option<PathBuf> {
    let path = std::env::temp_dir().join(format!("dumpql-fuzz-{}-{name}", std::process::id()));
    std::fs::write(&path, input).ok()?;
    Some(path)
}

#[allow(clippy::unnecessary_wraps, reason = "what every target gives")]
fn read_pdb(input: &[u8]) -> Result<bool, String> {
    let Some(path) = scratch("pdb", input) else { return Ok(false) };
    let Ok(file) = symbol::PdbFile::open(&path) else { return Ok(false) };
    for rva in [0, 1, 0x1000, 0x1040, 0x1044, 0x105f, u64::from(u32::MAX), u64::MAX] {
        let _ = (file.nearest(rva), file.line(rva));
    }
    for name in ["work", "_start", "int __cdecl work(void)", "?work@@YAHXZ", ""] {
        let _ = file.address(name);
    }
    look_into(&symbol::Layout::from_pdb(file.into()));
    Ok(true)
}

#[allow(clippy::unnecessary_wraps, reason = "what every target gives")]
fn read_layout(input: &[u8]) -> Result<bool, String> {
    let text = String::from_utf8_lossy(input).into_owned();
    let Ok(layout) = symbol::Layout::parse(text) else { return Ok(false) };
    look_into(&layout);
    Ok(true)
}

fn look_into(layout: &symbol::Layout) {
    let _ = (layout.arch(), layout.version(), layout.pdb(), layout.has_symbols());
    let named = layout.type_names();
    let asked = ["_A", "_B", "_THING", "_KIND", "_E", ""].map(str::to_owned);
    for name in named.iter().take(64).chain(&asked) {
        let _ = (layout.size_of(name), layout.members(name), layout.enum_name(name, 1));
        for path in ["Next", "Inner.Next", "Inner", "First", "Bit", ""] {
            let _ = (layout.field(name, path), layout.target(name, path));
        }
    }
    for name in ["KeBugCheckEx", "work", ""] {
        let _ = layout.symbol(name);
    }
    for address in [0, 4096, 4161, u64::MAX] {
        let _ = layout.nearest(address);
    }
}

fn read_log(input: &[u8]) -> Result<bool, String> {
    read_image(Image::from_bytes("fuzz.log", input), input.len())
}

/// A file that becomes a table; its first bytes give its format.
fn read_table(input: &[u8]) -> Result<bool, String> {
    let kind = match input.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => import::Kind::Json,
        _ => import::Kind::Delimited,
    };
    let stop = std::sync::atomic::AtomicBool::new(false);
    let options = import::Options::default();
    let Ok(columns) = kind.columns(input, "fuzz.csv", &options, &stop) else {
        return Ok(false);
    };
    let names: BTreeMap<&str, usize> = columns.iter().map(|(name, _)| (name.as_str(), 1)).collect();
    if names.len() == columns.len() {
        Ok(true)
    } else {
        Err("two columns have one name".to_owned())
    }
}

/// Pool indexes: written by one session, damaged, and read by the next.
mod index {
    use super::{Format, Options, Session, Value, judged, systems};
    use std::path::{Path, PathBuf};
    use std::sync::OnceLock;

    const QUERY: &str = "SELECT count(*), sum(size_bytes) FROM pool_allocations";

    struct Kept {
        folder: PathBuf,
        dump: PathBuf,
        /// The index file, its bytes, and the result without it.
        index: PathBuf,
        bytes: Vec<u8>,
        answer: Vec<Value<'static>>,
    }

    fn kept() -> Option<&'static Kept> {
        static KEPT: OnceLock<Option<Kept>> = OnceLock::new();
        KEPT.get_or_init(make).as_ref()
    }

    fn make() -> Option<Kept> {
        let folder = std::env::temp_dir().join(format!("dumpql-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).ok()?;
        let dump = folder.join("system.dmp");
        std::fs::write(&dump, systems(&[Format::BitmapKernel]).pop()?).ok()?;
        let cache = folder.join("cache");
        let answer = answer(&dump, &cache).ok()??;
        let index = std::fs::read_dir(&cache).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let index = index.filter(|path| path.to_string_lossy().contains("pool-")).min()?;
        let bytes = std::fs::read(&index).ok()?;
        Some(Kept { folder, dump, index, bytes, answer })
    }

    fn answer(dump: &Path, cache: &Path) -> Result<Option<Vec<Value<'static>>>, String> {
        let options = Options::default().cache(cache);
        let Some(session) = judged(Session::open_with(&[dump], &options), "open")? else {
            return Ok(None);
        };
        let found = judged(session.query(QUERY), QUERY)?;
        Ok(found.map(|found| (0..2).map(|column| found.value(0, column).into_owned()).collect()))
    }

    pub(super) fn seeds() -> Vec<Vec<u8>> {
        kept().map(|kept| kept.bytes.clone()).into_iter().collect()
    }

    /// A damaged index must be detected, and the result must not change.
    pub(super) fn read(input: &[u8]) -> Result<bool, String> {
        let Some(kept) = kept() else { return Err("no index was written".to_owned()) };
        if std::fs::write(&kept.index, input).is_err() {
            return Ok(false);
        }
        let found = answer(&kept.dump, &kept.folder.join("cache"))?;
        if found.as_ref() == Some(&kept.answer) { Ok(true) } else { Err(format!("{found:?}")) }
    }
}
