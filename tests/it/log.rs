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
//! `reference.txt` is of the folder `reference` beside the logs. The numbers are those of the text, counted by eye or by search, never by running the reader. A
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
fn samples_are_read_as_a_person_reads_them() {
    let Some(corpus) = corpus::folder() else { return };
    let logs = corpus.join("logs");
    if !logs.is_dir() {
        eprintln!("SKIPPED: no logs in {}", corpus.display());
        return;
    }
    // The archive that the language comes from is a log of its own.
    let place = |folder: &str| match folder {
        "reference" => corpus.join(folder),
        _ => logs.join(folder),
    };
    let mut wrong = String::new();
    let mut all = Tally::default();
    let mut by_folder: BTreeMap<String, Tally> = BTreeMap::new();
    for (folder, samples) in expectations() {
        let tally = by_folder.entry(folder.clone()).or_default();
        for sample in &samples {
            check(&place(&folder).join(&sample.name), sample, tally, &mut wrong);
        }
        all.held += tally.held;
        all.read += tally.read;
        let known: Vec<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
        for entry in std::fs::read_dir(place(&folder)).expect("the folder is there") {
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
