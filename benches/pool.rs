//! The search through the pool of a large kernel dump: how fast it is beside one pass of `memchr` over
//! as many pages of the same file, and how long a query takes that has an index.
//!
//! `cargo bench --bench pool` writes a dump of 8 GB, mostly holes, with 2,000,000 blocks of pool,
//! 100,000 of them requests, into the folder for temporary files and removes it at the end.
//! `DUMPQL_BENCH_BLOCKS` and `DUMPQL_BENCH_GB` set other sizes.

#![allow(clippy::print_stdout, reason = "a benchmark prints its times")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![allow(clippy::cast_precision_loss, reason = "times and sizes are shown to three digits")]

use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dumpql::catalog::{HintOp, Value};
use dumpql::dump::Image;
use dumpql::model::{Condition, Source, Want};
use dumpql::symbol::Store;
use dumpql::synth::{self, Format, PoolRequest, SystemSpec, Windows};
use dumpql::{Options, Session, source};
use rayon::prelude::*;

const RUNS: usize = 5;
/// Frames are handed out from here on, and a file with all of them holds the first at this offset.
const FIRST_FRAME: usize = 0x3000;
const HEADER: usize = 0x2000;
const PAGE: usize = 0x1000;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A system with that many blocks in non-paged pool, one of twenty a request.
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
    (0..RUNS).map(|_| once(&mut run)).min().unwrap_or_default()
}

/// How many requests a search finds.
fn search(image: &Image) -> usize {
    let source = source::open(image.clone(), &Store::default()).unwrap();
    let op = HintOp::In(vec![Value::text("Irp ")]);
    let conditions = [Condition { column: "tag", op: &op }];
    let mut found = 0;
    let want = Want::only(&["address"]).with(&conditions);
    source
        .pool_allocations(&want, &mut |_| {
            found += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn pages(source: &dyn Source) -> usize {
    let mut pages = 0;
    source
        .pool_pages(&Want::ALL, &mut |page| {
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
    let bytes = &image[start..(start + pages * PAGE).min(image.len())];
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

    let options = Options { cache: Some(folder.join("index")), ..Options::default() };
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

fn main() {
    let (blocks, gigabytes) =
        (number("DUMPQL_BENCH_BLOCKS", 2_000_000), number("DUMPQL_BENCH_GB", 8));
    let folder = std::env::temp_dir().join(format!("dumpql-pool-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for windows in [Windows::Windows7, Windows::Windows10] {
        measure(windows, &folder, blocks, gigabytes);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
