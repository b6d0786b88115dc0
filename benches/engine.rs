//! The engine on 1,000,000 generated rows, compared with DuckDB on the same rows.
//!
//! `cargo bench --bench engine` prints for each query the best of three runs of both, and their
//! ratio (below 1: dumpql is faster). DuckDB runs in `python3` with the package `duckdb`; without
//! it, only dumpql's times are printed. Both start from tables in memory, use all cores, and
//! materialise the whole result. With a word as argument, only queries whose name contains it run.

#![allow(clippy::print_stdout, reason = "a benchmark prints its times")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dumpql::internals::catalog::{Absent, ColumnBuilder, ColumnData};
use dumpql::{Options, Session, Ty};

const ROWS: u64 = 1_000_000;
const RUNS: usize = 3;

/// Name and text; the text is the same for both engines.
const QUERIES: &[(&str, &str)] = &[
    ("filter, count", "SELECT count(*) AS n, sum(x) AS s FROM t WHERE k < 100 AND x > 0.5"),
    ("filter, rows", "SELECT id, x, name FROM t WHERE k < 100"),
    ("filter, most rows", "SELECT id, x, name, path, addr FROM t WHERE k >= 100"),
    ("filter, text prefix", "SELECT count(*) AS n FROM t WHERE name LIKE 'driver1%'"),
    ("filter, text contains", "SELECT count(*) AS n FROM t WHERE path LIKE '%77%'"),
    ("filter, address", "SELECT id FROM t WHERE addr BETWEEN 1000000 AND 900000000"),
    (
        "compute",
        "SELECT id * 2 + k AS a, x * 1.5 - 1 AS b, CASE WHEN k > 500 THEN id ELSE k END AS c FROM t",
    ),
    (
        "group, small integer",
        "SELECT k, count(*) AS n, sum(id) AS s, avg(x) AS a FROM t GROUP BY k",
    ),
    (
        "group, few texts",
        "SELECT name, count(*) AS n, max(id) AS m, sum(x) AS s FROM t GROUP BY name",
    ),
    ("group, many integers", "SELECT h, count(*) AS n, sum(x) AS s FROM t GROUP BY h"),
    ("group, many texts", "SELECT path, count(*) AS n FROM t GROUP BY path"),
    ("group, two keys", "SELECT k, name, count(*) AS n, min(x) AS m FROM t GROUP BY k, name"),
    ("group, addresses", "SELECT addr, count(*) AS n FROM t GROUP BY addr"),
    (
        "no group",
        "SELECT count(*) AS n, sum(id) AS s, min(x) AS a, max(x) AS b, avg(k) AS c FROM t",
    ),
    ("count distinct", "SELECT count(DISTINCT h) AS n FROM t"),
    ("distinct", "SELECT DISTINCT k, name FROM t"),
    ("join, small table", "SELECT t.id, d.label FROM t JOIN d ON t.k = d.k"),
    (
        "join, aggregate",
        "SELECT d.label, count(*) AS n, sum(t.x) AS s FROM t JOIN d ON t.k = d.k GROUP BY d.label",
    ),
    ("join, large table", "SELECT t.id, u.v FROM t JOIN u ON t.id = u.id"),
    ("join, left, text", "SELECT t.id, u.v FROM t LEFT JOIN u ON t.path = u.path"),
    ("semi join", "SELECT id FROM t WHERE h IN (SELECT id FROM u WHERE v > 500000)"),
    (
        "exists, correlated",
        "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.h AND u.v > t.k)",
    ),
    ("not in, correlated", "SELECT id FROM t WHERE k NOT IN (SELECT v FROM u WHERE u.id = t.h)"),
    ("value, correlated", "SELECT id, (SELECT max(v) FROM u WHERE u.id = t.h) AS m FROM t"),
    (
        "join, range of 100,000 x 300",
        "SELECT a.id, b.k FROM (SELECT id, h FROM t WHERE id < 100000) a \
         JOIN (SELECT id * 3000 AS low, id * 3000 + 2000 AS high, k FROM t WHERE id < 300) b \
         ON a.h BETWEEN b.low AND b.high",
    ),
    ("sort, doubles", "SELECT id, x FROM t ORDER BY x"),
    ("sort, integers", "SELECT id, k FROM t ORDER BY k DESC, id"),
    ("sort, texts", "SELECT path, id FROM t ORDER BY path"),
    ("sort, few texts", "SELECT name, x FROM t ORDER BY name, x"),
    ("first ten", "SELECT id, x, name FROM t ORDER BY x DESC LIMIT 10"),
];

const PYTHON: &str = r#"
import sys, time
try:
    import duckdb
except ImportError:
    sys.exit(3)
folder, runs = sys.argv[1], int(sys.argv[2])
c = duckdb.connect()
columns = {
    "t": "id BIGINT, k BIGINT, h BIGINT, x DOUBLE, name VARCHAR, path VARCHAR, addr UBIGINT",
    "u": "id BIGINT, v BIGINT, path VARCHAR",
    "d": "k BIGINT, label VARCHAR",
}
for name, spec in columns.items():
    c.execute(f"CREATE TABLE {name} ({spec})")
    c.execute(f"COPY {name} FROM '{folder}/{name}.csv' (HEADER false)")
print("version", duckdb.__version__, sep="\t")
for line in sys.stdin:
    name, sql = line.rstrip("\n").split("\t")
    best = None
    for _ in range(runs):
        c.execute("DROP TABLE IF EXISTS result")
        start = time.perf_counter()
        c.execute(f"CREATE TEMP TABLE result AS {sql}")
        took = time.perf_counter() - start
        best = took if best is None else min(best, took)
    rows = c.execute("SELECT count(*) FROM result").fetchone()[0]
    print(name, best, rows, sep="\t")
"#;

/// A small random number generator with the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> i64 {
        i64::try_from(self.next() % limit).unwrap_or(0)
    }
}

/// A table that is built as columns for dumpql and as CSV for DuckDB at the same time.
struct Table {
    columns: Vec<(String, ColumnBuilder)>,
    csv: String,
}

impl Table {
    fn new(columns: &[(&str, Ty)]) -> Self {
        let columns = columns.iter().map(|(n, ty)| ((*n).to_owned(), ColumnBuilder::new(*ty)));
        Self { columns: columns.collect(), csv: String::new() }
    }

    fn separate(&mut self, column: usize) {
        let end = if column + 1 == self.columns.len() { '\n' } else { ',' };
        self.csv.push(end);
    }

    fn int(&mut self, column: usize, value: Option<i64>) {
        self.columns[column].1.push_int(value.ok_or(Absent::PagedOut));
        if let Some(value) = value {
            write!(self.csv, "{value}").unwrap();
        }
        self.separate(column);
    }

    fn double(&mut self, column: usize, value: f64) {
        self.columns[column].1.push_double(Ok(value));
        write!(self.csv, "{value:?}").unwrap();
        self.separate(column);
    }

    fn addr(&mut self, column: usize, value: u64) {
        self.columns[column].1.push_addr(Ok(value));
        write!(self.csv, "{value}").unwrap();
        self.separate(column);
    }

    fn text(&mut self, column: usize, value: &str) {
        self.columns[column].1.push_text(Ok(value));
        self.csv.push_str(value);
        self.separate(column);
    }

    fn attach(self, session: &mut Session, folder: &Path, name: &str) {
        fs::write(folder.join(format!("{name}.csv")), &self.csv).unwrap();
        let finish = |(n, b): (String, ColumnBuilder)| (n, b.finish());
        let columns: Vec<(String, ColumnData)> = self.columns.into_iter().map(finish).collect();
        session.attach_rows(name, columns).unwrap();
    }
}

fn main() {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let folder = std::env::temp_dir().join(format!("dumpql-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    fill(&mut session, &folder);
    let chosen = |name: &str| wanted.as_deref().is_none_or(|w| name.contains(w));
    let queries: Vec<_> = QUERIES.iter().filter(|(name, _)| chosen(name)).collect();
    let theirs = duckdb(&folder, &queries);
    fs::remove_dir_all(&folder).unwrap();
    println!("{:<24}{:>10}{:>12}{:>12}{:>8}", "query", "rows", "dumpql ms", "duckdb ms", "ratio");
    for (name, sql) in queries {
        let (took, rows) = ours(&session, sql);
        let ms = took.as_secs_f64() * 1e3;
        let line = format!("{name:<24}{rows:>10}{ms:>12.2}");
        match theirs.as_ref().and_then(|t| t.get(*name)) {
            Some((seconds, their_rows)) => {
                let ratio = took.as_secs_f64() / seconds;
                let note = if *their_rows == rows { "" } else { "  ROWS DIFFER" };
                println!("{line}{:>12.2}{ratio:>8.2}{note}", seconds * 1e3);
            }
            None => println!("{line}"),
        }
    }
}

fn ours(session: &Session, sql: &str) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut rows = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        let result = session.query(sql).unwrap_or_else(|e| panic!("{}", e.render(None, false)));
        best = best.min(start.elapsed());
        rows = result.len();
    }
    (best, rows)
}

fn fill(session: &mut Session, folder: &Path) {
    let mut random = Random(42);
    let mut t = Table::new(&[
        ("id", Ty::Int),
        ("k", Ty::Int),
        ("h", Ty::Int),
        ("x", Ty::Double),
        ("name", Ty::Text),
        ("path", Ty::Text),
        ("addr", Ty::Addr),
    ]);
    for row in 0..ROWS {
        let k = random.below(1000);
        t.int(0, i64::try_from(row * 7919 % ROWS).ok());
        t.int(1, (k != 999).then_some(k));
        t.int(2, Some(random.below(ROWS * 4)));
        #[allow(clippy::cast_precision_loss, reason = "53 bits are taken")]
        t.double(3, (random.next() >> 11) as f64 / (1u64 << 53) as f64);
        t.text(4, &format!("driver{}.sys", random.below(100)));
        t.text(5, &format!("\\Device\\HarddiskVolume1\\file{}.dat", random.below(ROWS / 2)));
        t.addr(6, 0xffff_8000_0000_0000 + (random.next() % 300_000) * 64);
    }
    t.attach(session, folder, "t");
    let mut u = Table::new(&[("id", Ty::Int), ("v", Ty::Int), ("path", Ty::Text)]);
    for row in 0..ROWS {
        u.int(0, i64::try_from(row * 104_729 % ROWS).ok());
        u.int(1, Some(random.below(ROWS)));
        u.text(2, &format!("\\Device\\HarddiskVolume1\\file{row}.dat"));
    }
    u.attach(session, folder, "u");
    let mut d = Table::new(&[("k", Ty::Int), ("label", Ty::Text)]);
    for k in 0..1000 {
        d.int(0, Some(k));
        d.text(1, &format!("label {}", k % 50));
    }
    d.attach(session, folder, "d");
}

/// Seconds and rows by query; `None`, with a message, if DuckDB is not available.
fn duckdb(folder: &Path, queries: &[&(&str, &str)]) -> Option<BTreeMap<String, (f64, usize)>> {
    let python = Command::new("python3")
        .args(["-c", PYTHON])
        .arg(folder)
        .arg(RUNS.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        println!("no python3: DuckDB is not compared");
        return None;
    };
    let lines: String =
        queries.iter().fold(String::new(), |all, (name, sql)| all + name + "\t" + sql + "\n");
    python.stdin.take().unwrap().write_all(lines.as_bytes()).ok();
    let output = python.wait_with_output().unwrap();
    if !output.status.success() {
        let why = if output.status.code() == Some(3) { "no package duckdb" } else { "it failed" };
        println!("{why}: DuckDB is not compared");
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut times = BTreeMap::new();
    for line in text.lines() {
        match line.split('\t').collect::<Vec<_>>().as_slice() {
            ["version", version] => println!("DuckDB {version}, best of {RUNS} runs each"),
            [name, seconds, rows] => {
                times.insert((*name).to_owned(), (seconds.parse().unwrap(), rows.parse().unwrap()));
            }
            _ => {}
        }
    }
    Some(times)
}
