//! The search of the pool of a large kernel dump: its speed compared with one pass of `memchr` over
//! as many pages of the same file, the time of a query with an index, and the time of Volatility 3
//! for a smaller dump.
//!
//! `cargo bench --bench pool` writes a dump of 8 GB, mostly holes, with 2,000,000 pool blocks,
//! 100,000 of them IRPs, into the folder for temporary files and removes it at the end.
//! `DUMPQL_BENCH_BLOCKS` and `DUMPQL_BENCH_GB` set other sizes, `DUMPQL_BENCH_RUNS` the number of
//! runs, of which the shortest counts. A name limits the run to one part: `search`, `requests` or,
//! with `DUMPQL_CORPUS` and `DUMPQL_PYTHON`, `volatility`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its times")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark may stop at the first surprise"
)]
#![allow(clippy::cast_precision_loss, reason = "times and sizes are shown to three digits")]

use std::fs::File;
use std::io::{BufWriter, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dumpql::internals::catalog::{HintOp, Value};
use dumpql::internals::dump::Image;
use dumpql::internals::model::{Condition, PoolBlock, PoolPage, Row as _, Source, Want};
use dumpql::internals::source;
use dumpql::internals::symbol::Store;
use dumpql::internals::synth::{self, Format, KernelFile, PoolRequest, SystemSpec, Windows};
use dumpql::{Options, Session};
use rayon::prelude::*;

const RUNS: u64 = 5;
/// The first frame that is allocated. A file with all frames holds it at this offset.
const FIRST_FRAME: usize = 0x3000;
const HEADER: usize = 0x2000;
const PAGE: usize = 0x1000;
/// The kernel for the comparison with Volatility, from the corpus, and the tags that its pool
/// scanner searches for.
const ISF: &str = "ntkrnlmp.pdb/5278AFF86C341677D7D7835C85B7B844-1.json.xz";
const SCANNED: &str = "SELECT tag, address, size_bytes FROM pool_allocations
    WHERE tag IN ('Proc', 'Thre', 'Driv', 'File', 'Muta', 'MmLd', 'Symb', 'CM10', 'AtmT')";

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A system with this many blocks in nonpaged pool, one of twenty an IRP.
fn spec(windows: Windows, blocks: u64, gigabytes: u64) -> SystemSpec {
    let request = |tag: &[u8; 4], count, bytes| PoolRequest {
        tag: *tag,
        count,
        bytes,
        ..PoolRequest::default()
    };
    let mut spec = SystemSpec {
        physical_pages: gigabytes << 18,
        pool: vec![
            request(b"File", blocks * 5 / 20, 0x180),
            request(b"Irp ", blocks / 20, 0x280),
            request(b"NtFs", blocks * 6 / 20, 0x260),
            request(b"MmCa", blocks * 4 / 20, 0xc0),
            request(b"Toke", blocks * 4 / 20, 0x5c0),
        ],
        ..synth::healthy(windows)
    };
    spec.counters.nonpaged_maximum = gigabytes << 18;
    spec
}

/// The shortest of some runs.
fn best(mut run: impl FnMut()) -> Duration {
    let once = |run: &mut dyn FnMut()| {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    (0..number("DUMPQL_BENCH_RUNS", RUNS)).map(|_| once(&mut run)).min().unwrap_or_default()
}

/// How many IRPs a search finds.
fn search(image: &Image) -> usize {
    let source = source::open(image.clone(), &Store::default()).unwrap();
    let op = HintOp::In(vec![Value::text("Irp ")]);
    let conditions = [Condition { column: PoolBlock::COLUMNS.tag, op: &op }];
    let mut found = 0;
    let want = Want::<PoolBlock>::only(|c| [c.address]).with(&conditions);
    source
        .answers()
        .read::<PoolBlock>(&want, &mut |_| {
            found += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn pages(source: &dyn Source) -> usize {
    let mut pages = 0;
    source
        .answers()
        .read::<PoolPage>(&Want::ALL, &mut |page: PoolPage| {
            pages += usize::from(page.state.as_deref() != Ok("unused"));
            ControlFlow::Continue(())
        })
        .unwrap();
    pages
}

fn measure(windows: Windows, folder: &Path, blocks: u64, gigabytes: u64) {
    let path: PathBuf = folder.join("memory.dmp");
    let begun = Instant::now();
    let system = synth::system(&spec(windows, blocks, gigabytes));
    system.write(Format::Full, &mut BufWriter::new(File::create(&path).unwrap())).unwrap();
    println!("{windows:?}: {} blocks built in {:.1?}", system.pool.len(), begun.elapsed());
    drop(system);

    let image = Image::open(&path).unwrap();
    let source = source::open(image.clone(), &Store::default()).unwrap();
    let pages = pages(&*source);
    let start = HEADER + FIRST_FRAME * PAGE;
    let bytes = &image.whole()[start..(start + pages * PAGE).min(image.len())];
    let mut seen = 0;
    let pass = best(|| {
        let count = |part: &[u8]| memchr::memchr_iter(0xf7, part).count();
        seen = bytes.par_chunks(1 << 21).map(count).sum::<usize>();
    });
    let mut found = 0;
    let scan = best(|| found = search(&image));
    let speed = |time: Duration| bytes.len() as f64 / time.as_secs_f64() / 1e9;
    println!(
        "  one pass of memchr over {pages} pages ({seen} hits): {pass:.1?}, {:.2} GB/s",
        speed(pass)
    );
    println!("  the search, {found} requests: {scan:.1?}, {:.2} GB/s", speed(scan));
    println!("  ratio of speeds: {:.2} (0.50 is wanted)", pass.as_secs_f64() / scan.as_secs_f64());

    let options = Options::default().cache(folder.join("index"));
    let sql =
        "SELECT count(*), min(address), max(address) FROM pool_allocations WHERE tag = 'Irp '";
    let ask = || {
        let session = Session::open_with(&[&path], &options).unwrap();
        session.query(sql).unwrap().text(0, 0)
    };
    let begun = Instant::now();
    let first = ask();
    println!("  first query, which writes the index: {:.1?}", begun.elapsed());
    let again = best(|| assert_eq!(ask(), first));
    println!("  next query, opening included: {again:.1?} (100 ms is wanted)");
    std::fs::remove_file(&path).unwrap();
}

/// How long it takes to count 100,000 IRPs that are pending at one driver.
fn requests(folder: &Path) {
    let path = folder.join("requests.dmp");
    let spec = synth::pile(Windows::Windows10, r"\FileSystem\AvFilter", 100_000);
    let mut file = BufWriter::new(File::create(&path).unwrap());
    synth::system(&spec).write(Format::Full, &mut file).unwrap();
    let options = Options::default().cache(folder.join("index"));
    let open = || Session::open_with(&[&path], &options).unwrap();
    let sql = "SELECT count(*) FROM irps";
    let begun = Instant::now();
    let count = open().query(sql).unwrap().text(0, 0);
    println!("{sql}: {count}, {:.1?} first, which writes the index", begun.elapsed());
    println!("  next: {:.1?}, opening included", best(|| drop(open().query(sql).unwrap())));
    let session = open();
    session.query(sql).unwrap();
    println!("  in the same session: {:.1?}", best(|| drop(session.query(sql).unwrap())));
    std::fs::remove_file(&path).unwrap();
}

/// How long the same search takes here and in Volatility, as processes, on a dump of 1 GB.
fn volatility(folder: &Path) {
    let (Some(corpus), Some(python)) =
        (std::env::var_os("DUMPQL_CORPUS"), std::env::var_os("DUMPQL_PYTHON"))
    else {
        println!("beside Volatility: set DUMPQL_CORPUS and DUMPQL_PYTHON");
        return;
    };
    let isf = PathBuf::from(corpus).join("layouts/isf/windows").join(ISF);
    let mut text = String::new();
    let mut packed = liblzma::read::XzDecoder::new(File::open(&isf).unwrap());
    packed.read_to_string(&mut text).unwrap();
    let kernel = Some(Arc::new(KernelFile::parse(&text).unwrap()));
    let spec = SystemSpec { kernel, kernel_code: true, ..spec(Windows::Windows10, 250_000, 1) };
    let path = folder.join("scanned.dmp");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    synth::system(&spec).write(Format::Full, &mut file).unwrap();
    // Volatility deletes symbol files that do not match, and caches those that it has read.
    let symbols = folder.join("isf");
    let copy = symbols.join("windows").join(ISF);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(&isf, &copy).unwrap();
    let ours = best(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dumpql"));
        command.arg(&path).args(["--no-index", "--format", "csv", "-c", SCANNED]);
        command.arg("--symbols").arg(&isf).stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    });
    println!("1 GB, the blocks that windows.poolscanner looks for, process, no index: {ours:.1?}");
    let begun = Instant::now();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/volatility.py");
    let mut command = Command::new(python);
    command.arg(script).arg("run").arg(&symbols).arg(&path).arg("windows.poolscanner");
    let out = command.output().unwrap();
    assert!(out.status.success() && out.stdout.len() > 1000);
    let theirs = begun.elapsed();
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("1 GB, windows.poolscanner, process: {theirs:.1?}, {ratio:.0} times as long");
}

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_asked = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let (blocks, gigabytes) =
        (number("DUMPQL_BENCH_BLOCKS", 2_000_000), number("DUMPQL_BENCH_GB", 8));
    let folder = std::env::temp_dir().join(format!("dumpql-pool-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    if is_asked("search") {
        for windows in [Windows::Windows7, Windows::Windows10] {
            measure(windows, &folder, blocks, gigabytes);
        }
    }
    if is_asked("requests") {
        requests(&folder);
    }
    if is_asked("volatility") {
        volatility(&folder);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
