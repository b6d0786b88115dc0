//! Debugger logs against expectations that were written down by reading the samples.
//!
//! `tests/log/expect/<folder>.txt` has a section for each sample of that folder of the corpus:
//!
//! ```text
//! # a remark
//! [02-interrupt-storm.txt]
//! stacks 20                           the sample holds 20 rows, and all of them are read
//! lock_owners 12 of 14: two are cut   it holds 14, 12 can be read, and why
//! stacks 1 symbol = nt!KiTrap0E       what stands in a column of a row, the first being 1
//! stacks 1 arg1 =                     nothing does
//! ```
//!
//! `reference.txt` is of the folder `reference` beside the logs, `own.txt` of `tests/log/own`. The numbers are those of the text, counted by eye or by search, never by running the reader. A
//! table that a section does not name has no rows there that anybody counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use dumpql::{Session, Value};

use super::corpus;

/// What a sample holds.
#[derive(Debug, Default)]
struct Sample {
    name: String,
    counts: Vec<Count>,
    spots: Vec<Spot>,
}

#[derive(Debug)]
struct Count {
    table: String,
    /// Rows that can be read.
    read: i64,
    /// Rows in the text.
    held: i64,
}

#[derive(Debug)]
struct Spot {
    table: String,
    row: usize,
    column: String,
    value: String,
}

fn expectations() -> Vec<(String, Vec<Sample>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/log/expect");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("expectations are there")
        .map(|entry| entry.expect("expectations are readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    let only = std::env::var("DUMPQL_LOGS").unwrap_or_default();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("expectations are text");
        (name.clone(), parse(&name, &text))
    };
    let all = files.into_iter().map(read);
    all.filter(|(name, _)| only.is_empty() || only.split(',').any(|o| o == name)).collect()
}

fn parse(file: &str, text: &str) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            samples.push(Sample { name: name.to_owned(), ..Sample::default() });
            continue;
        }
        let wrong = || panic!("{file}.txt:{number}: neither a count nor a value: {line}");
        let Some(sample) = samples.last_mut() else { panic!("{file}.txt:{number}: no sample") };
        let mut words = line.split_whitespace();
        let (Some(table), Some(count)) = (words.next(), words.next()) else { wrong() };
        let Ok(count) = count.parse::<i64>() else { wrong() };
        match words.next() {
            None => {
                let table = table.to_owned();
                sample.counts.push(Count { table, read: count, held: count });
            }
            Some("of") => {
                let rest = line.split_once(" of ").unwrap().1;
                let Some((held, reason)) = rest.split_once(':') else { wrong() };
                assert!(!reason.trim().is_empty(), "{file}.txt:{number}: no reason");
                let held = held.trim().parse().unwrap_or_else(|_| wrong());
                sample.counts.push(Count { table: table.to_owned(), read: count, held });
            }
            Some(column) => {
                let Some((_, value)) = line.split_once('=') else { wrong() };
                sample.spots.push(Spot {
                    table: table.to_owned(),
                    row: usize::try_from(count).expect("rows are counted from 1"),
                    column: column.trim_end_matches('=').to_owned(),
                    value: value.trim().to_owned(),
                });
            }
        }
    }
    samples
}

/// Rows of a table; none if the log does not fill it.
fn count(session: &Session, table: &str) -> i64 {
    let Ok(found) = session.query(&format!("SELECT count(*) FROM {table}")) else { return 0 };
    match found.value(0, 0) {
        Value::Int(count) => count,
        other => panic!("{table}: {other:?}"),
    }
}

/// A value as an expectation writes it: addresses in hex without zeros in front.
fn shown(session: &Session, spot: &Spot) -> String {
    let Spot { table, row, column, .. } = spot;
    let sql = format!("SELECT \"{column}\" FROM {table} LIMIT 1 OFFSET {}", row.saturating_sub(1));
    match session.query(&sql) {
        Ok(found) if found.rows().len() == 1 => match found.value(0, 0) {
            Value::Null => String::new(),
            Value::Addr(address) => format!("{address:x}"),
            _ => found.text(0, 0),
        },
        Ok(_) => "(no such row)".to_owned(),
        Err(error) => format!("({error})"),
    }
}

/// An expected value in the same form.
fn plain(value: &str, found: &str) -> String {
    let digits = value.trim_start_matches("0x").replace('`', "");
    let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    // Codes are shown in hex, and may be written in decimal.
    let code = found.strip_prefix("0x").and_then(|code| u64::from_str_radix(code, 16).ok());
    if code.is_some() && value.parse().ok() == code {
        return found.to_owned();
    }
    match u64::from_str_radix(&digits, 16) {
        Ok(number) if is_hex && format!("{number:x}") == found => found.to_owned(),
        _ => value.to_owned(),
    }
}

#[derive(Default)]
struct Tally {
    held: i64,
    read: i64,
}

fn check(path: &Path, sample: &Sample, tally: &mut Tally, wrong: &mut String) {
    let session = match Session::open(path) {
        Ok(session) => session,
        Err(error) => {
            let held: i64 = sample.counts.iter().map(|count| count.held).sum();
            tally.held += held;
            if held > 0 {
                writeln!(wrong, "{}: {error}", path.display()).unwrap();
            }
            return;
        }
    };
    for Count { table, read, held } in &sample.counts {
        let found = count(&session, table);
        tally.held += held;
        tally.read += found.min(*held);
        if found != *read {
            writeln!(wrong, "{}: {table}: {found} rows, expected {read}", path.display()).unwrap();
        }
    }
    for spot in &sample.spots {
        let found = shown(&session, spot);
        if found != plain(&spot.value, &found) {
            let Spot { table, row, column, value } = spot;
            let place = format!("{}: {table} {row} {column}", path.display());
            writeln!(wrong, "{place} = {found}, expected {value}").unwrap();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage")]
fn percent(tally: &Tally) -> f64 {
    if tally.held == 0 { 100.0 } else { tally.read as f64 * 100.0 / tally.held as f64 }
}

#[test]
fn samples_match_their_expected_rows() {
    read_samples(None);
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn corpus_samples_match_their_expected_rows() {
    read_samples(corpus::folder().as_deref());
}

fn read_samples(corpus: Option<&Path>) {
    // The archive that the language comes from is a log of its own, and some are made up.
    let place = |folder: &str| match folder {
        "own" => Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/log/own")),
        "reference" => corpus.map(|corpus| corpus.join(folder)),
        _ => corpus.map(|corpus| corpus.join("logs").join(folder)),
    };
    let mut wrong = String::new();
    let mut all = Tally::default();
    let mut by_folder: BTreeMap<String, Tally> = BTreeMap::new();
    for (folder, samples) in expectations() {
        let Some(place) = place(&folder) else { continue };
        let tally = by_folder.entry(folder.clone()).or_default();
        for sample in &samples {
            check(&place.join(&sample.name), sample, tally, &mut wrong);
        }
        all.held += tally.held;
        all.read += tally.read;
        let known: Vec<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
        for entry in std::fs::read_dir(&place).expect("the folder is there") {
            let name = entry.expect("samples are readable").file_name();
            if !known.contains(&name.to_string_lossy().as_ref()) {
                writeln!(wrong, "{folder}/{}: no expectation", name.to_string_lossy()).unwrap();
            }
        }
    }
    for (folder, tally) in &by_folder {
        eprintln!(
            "{folder:16} {:6} of {:6} rows, {:5.1} %",
            tally.read,
            tally.held,
            percent(tally)
        );
    }
    eprintln!("{:16} {:6} of {:6} rows, {:5.1} %", "all", all.read, all.held, percent(&all));
    assert!(wrong.is_empty(), "{wrong}");
}

/// What publishing, mail and editors do to a log.
fn damaged(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let lines = |change: &dyn Fn(&str) -> String| {
        text.lines().map(change).collect::<Vec<_>>().join("\n").into_bytes()
    };
    let wide: Vec<u8> =
        text.replace('\n', "\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let entities = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let page = format!(
        "<!DOCTYPE html>\n<html><head><style>a > b {{ }}</style></head><body><div>{}</div></body></html>",
        entities.replace('\n', "<br />\n")
    );
    vec![
        ("blanks", lines(&|line| line.split_whitespace().collect::<Vec<_>>().join(" "))),
        ("indented", lines(&|line| format!("    {line}"))),
        ("quoted", lines(&|line| format!("> {line}"))),
        ("quoted twice", lines(&|line| format!("> > {line}"))),
        ("commented", lines(&|line| format!("// {line}"))),
        ("typographic", text.replace("0x", "0×").replace('\'', "’").into_bytes()),
        ("HTML", entities.into_bytes()),
        ("a page of HTML", page.into_bytes()),
        ("fenced", format!("```\n{text}```\n").into_bytes()),
        ("UTF-16", [&b"\xff\xfe"[..], &wide].concat()),
        ("returns", text.replace('\n', "\r\r\n").into_bytes()),
    ]
}

#[test]
fn changes_of_publishing_lose_no_row() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/log/own/forum.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let open = |bytes: Vec<u8>| {
        let image = dumpql::internals::dump::Image::from_bytes("log", bytes);
        Session::from_images(vec![image], &dumpql::Options::default()).unwrap()
    };
    let tables = ["processors", "stacks", "locks", "lock_waiters", "threads", "pool_tags", "dump"];
    let counts = |session: &Session| tables.map(|table| count(session, table));
    let whole = counts(&open(text.clone().into_bytes()));
    assert_eq!(whole, [2, 7, 2, 3, 6, 3, 1]);
    for (how, bytes) in damaged(&text) {
        assert_eq!(counts(&open(bytes)), whole, "{how}");
    }
}

/// A log of so many commands, each a stack; about 3 KB a piece.
fn stacks_log(commands: u64) -> String {
    let mut text = String::new();
    for n in 0..commands {
        writeln!(text, "0: kd> !thread {:016x}", 0xffff_9f8b_0000_0000_u64 + n * 0x40).unwrap();
        text.push_str("Child-SP          RetAddr               : Args to Child : Call Site\n");
        for frame in 0..24 {
            writeln!(
                text,
                "ffffae03`936f{:04x} fffff803`44a2{:04x}     : 00000000`{n:08x} fffff803`712e5000 00000000`00000000 00000000`00000008 : nt!KeWait{frame}+0x{:x}",
                frame * 0x60,
                frame * 16,
                frame * 7 + 100
            )
            .unwrap();
        }
    }
    text
}

/// The most memory of its own that the program takes for a query, in kilobytes, and its answer.
fn own_memory(log: &Path, sql: &str) -> (u64, String) {
    let mut child = crate::cli::program()
        .arg(log)
        .args(["--format", "csv", "-c", sql])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().expect("the program is ours").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let now = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(now.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("the program has ended");
    (most, String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_large_log_takes_little_memory() {
    if !Path::new("/proc/self/status").exists() {
        eprintln!("SKIPPED: this system does not tell the memory of a program");
        return;
    }
    let folder = std::env::temp_dir().join(format!("dumpql-memory-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let [small, large] = [("small.log", 10), ("large.log", 10_000)].map(|(name, commands)| {
        let path = folder.join(name);
        std::fs::write(&path, stacks_log(commands)).unwrap();
        path
    });
    let bytes = std::fs::metadata(&large).unwrap().len();
    let sql = "SELECT count(*), count(DISTINCT symbol) FROM stacks";
    let ((base, few), (most, many)) = (own_memory(&small, sql), own_memory(&large, sql));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(few.ends_with("240,24\n") && many.ends_with("240000,24\n"), "{few}{many}");
    // The rows of the query are in it; the text is not.
    let more = most.saturating_sub(base) * 1024;
    assert!(bytes > 30 << 20 && more < bytes / 2, "{more} bytes more for {bytes} of text");
}
