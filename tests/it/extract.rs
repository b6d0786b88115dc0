//! `dumpql extract`: the files that it writes and keeps, and the state after an interrupted run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dumpql::Session;
use dumpql::internals::synth::{triage, triage_sample_spec};
use dumpql::polars::prelude::DataFrame;
use polars_io::SerReader as _;
use polars_io::parquet::read::ParquetReader;
use serde_json::Value as Json;

use crate::cli::{Folder, program};

const TABLES: &str = "bugcheck,modules,threads,irps";

/// Triage dumps with several kinds of crashes; one of every `damaged` dumps is damaged.
pub(crate) fn dumps(folder: &Path, count: usize, damaged: usize) {
    fs::create_dir_all(folder).unwrap();
    let codes = [0xd1, 0x50, 0x1e, 0xd1, 0x3b];
    for i in 0..count {
        let mut spec = triage_sample_spec();
        spec.bugcheck = codes[i % codes.len()];
        spec.system_time += i as u64 * 600_000_000;
        spec.drivers.truncate(30 + i % 12);
        let mut bytes = triage(&spec);
        if i % damaged == damaged - 1 {
            bytes.truncate(700 + i);
        }
        fs::write(folder.join(format!("Mini {i:04}.dmp")), bytes).unwrap();
    }
}

fn command(from: &Path, out: &Path, tables: &str, more: &[&str]) -> Command {
    let mut command = program();
    command.arg("extract").arg(from).args(["--tables", tables]).arg("-o").arg(out).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn extract(from: &Path, out: &Path, tables: &str, more: &[&str]) -> Output {
    command(from, out, tables, more).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All files below a folder with their bytes, except the manifest.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    crate::seams::files(folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            (name, fs::read(&path).unwrap())
        })
        .filter(|(name, _)| name != "manifest.jsonl")
        .collect()
}

fn frame(path: &Path) -> DataFrame {
    ParquetReader::new(fs::File::open(path).unwrap()).finish().unwrap()
}

/// The texts of a column.
fn texts(frame: &DataFrame, column: &str) -> Vec<String> {
    let column = frame.column(column).unwrap();
    column.str().unwrap().iter().flatten().map(str::to_owned).collect()
}

fn manifest(out: &Path) -> Vec<Json> {
    let text = fs::read_to_string(out.join("manifest.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_table_of_every_dump_is_a_file() {
    let folder = Folder::new("extract");
    let (crash, out) = (folder.path().join("crash"), folder.path().join("out"));
    dumps(&crash, 6, 6);
    let done = extract(&crash, &out, TABLES, &["--partition-by", "dump"]);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(0), 0), "{}", said(&done));
    assert!(said(&done).contains("6 dumps in"), "{}", said(&done));
    assert!(said(&done).contains("26 files written, 0 already there, 1 dumps"), "{}", said(&done));

    for i in 0..5 {
        let session = Session::open(crash.join(format!("Mini {i:04}.dmp"))).unwrap();
        for table in ["bugcheck", "modules", "threads"] {
            let ours = session.query(&format!("SELECT * FROM {table}")).unwrap();
            let path = out.join(format!("{table}/dump=Mini%20{i:04}.dmp/data.parquet"));
            let theirs = frame(&path);
            assert!(theirs.equals_missing(&ours.to_data_frame().unwrap()), "{table} of {i}");
        }
    }
    // A table that the dumps do not answer has its columns, no rows, and the reason.
    let irps = frame(&out.join("irps/dump=Mini%200000.dmp/data.parquet"));
    assert_eq!(irps.height(), 0);
    assert!(irps.get_column_names().iter().any(|name| name.as_str() == "driver"));
    let problems =
        |i: usize| frame(&out.join(format!("problems/dump=Mini%20{i:04}.dmp/data.parquet")));
    assert!(
        texts(&problems(0), "table").contains(&"irps".to_owned()),
        "{:?}",
        texts(&problems(0), "table")
    );
    assert_eq!(problems(5).height(), 1);
    assert_eq!(texts(&problems(5), "code"), ["E0401"]);
    assert!(!out.join("threads/dump=Mini%200005.dmp").exists());

    let lines = manifest(&out);
    assert_eq!(lines.len(), 26);
    for line in &lines {
        let file = out.join(line["file"].as_str().unwrap());
        assert_eq!(fs::metadata(&file).unwrap().len(), line["file_bytes"], "{line}");
        assert_eq!(frame(&file).height() as u64, line["rows"], "{line}");
        let dump = Path::new(line["path"].as_str().unwrap());
        assert_eq!(fs::metadata(dump).unwrap().len(), line["bytes"], "{line}");
    }
}

#[test]
#[cfg(feature = "net")]
fn dumps_on_a_server_are_extracted_and_known_again() {
    use crate::object_server::{Bytes, Manner, Server};

    let folder = Folder::new("extract-url");
    let (crash, out, local) =
        (folder.path().join("crash"), folder.path().join("out"), folder.path().join("local"));
    dumps(&crash, 1, 100);
    let dump = crash.join("Mini 0000.dmp");
    let server = Server::new(Bytes(fs::read(&dump).unwrap()), Manner::Good);
    let signed = |signature| PathBuf::from(format!("{}?signature={signature}", server.url));
    let done = extract(&signed(1), &out, TABLES, &[]);
    assert!(said(&done).contains("5 files written, 0 already there, 0 dumps"), "{}", said(&done));
    assert!(extract(&dump, &local, TABLES, &[]).status.success());
    for table in ["bugcheck", "modules", "threads"] {
        let [ours, theirs] = [local.join(table).join("Mini%200000.dmp"), out.join(table)];
        let path = |start: &Path| PathBuf::from(format!("{}.parquet", start.display()));
        let (ours, theirs) = (frame(&path(&ours)), frame(&path(&theirs.join("MEMORY.DMP"))));
        assert_eq!(ours.height(), theirs.height(), "{table}");
        assert!(ours.drop("dump").unwrap().equals_missing(&theirs.drop("dump").unwrap()));
    }
    // Another signature is the same object.
    let again = extract(&signed(2), &out, TABLES, &[]);
    assert!(said(&again).contains("0 files written, 5 already there"), "{}", said(&again));
    for line in manifest(&out) {
        assert_eq!(line["path"], server.url.as_str());
        assert!(!line.to_string().contains("signature"), "{line}");
    }
    let gone = Server::new(Bytes(vec![1]), Manner::Status(403));
    let done = extract(Path::new(&format!("{}?signature=3", gone.url)), &out, TABLES, &[]);
    assert!(said(&done).contains("1 dumps could not be read"), "{}", said(&done));
    let problems = fs::read_dir(out.join("problems")).unwrap();
    let mut problems = problems.map(|entry| frame(&entry.unwrap().path()));
    let told = problems.any(|frame| {
        texts(&frame, "reason").iter().any(|message| {
            message.contains("does not allow to read it") && !message.contains("signature")
        })
    });
    assert!(told);
}

#[test]
fn complete_files_are_not_written_again() {
    let folder = Folder::new("extract-again");
    let (crash, out) = (folder.path().join("crash"), folder.path().join("out"));
    dumps(&crash, 3, 100);
    let parted = ["--partition-by", "dump"];
    assert!(extract(&crash, &out, "modules,bugcheck", &parted).status.success());
    let before = files(&out);
    let again = extract(&crash, &out, "modules,bugcheck", &parted);
    assert!(said(&again).contains(" 0 files written, 9 already there"), "{}", said(&again));

    // A truncated file, an additional table, and a changed dump.
    let cut = out.join("modules/dump=Mini%200000.dmp/data.parquet");
    fs::write(&cut, "PAR1").unwrap();
    let again = extract(&crash, &out, "modules,bugcheck", &parted);
    assert!(said(&again).contains(" 2 files written, 7 already there"), "{}", said(&again));
    assert!(files(&out) == before);
    let more = extract(&crash, &out, "modules,bugcheck,threads", &parted);
    assert!(said(&more).contains(" 6 files written, 6 already there"), "{}", said(&more));
    let mut spec = triage_sample_spec();
    spec.drivers.truncate(7);
    fs::write(crash.join("Mini 0001.dmp"), triage(&spec)).unwrap();
    let changed = extract(&crash, &out, "modules,bugcheck,threads", &parted);
    assert!(said(&changed).contains(" 4 files written"), "{}", said(&changed));
    assert_eq!(frame(&out.join("modules/dump=Mini%200001.dmp/data.parquet")).height(), 7);

    // If a dump becomes unreadable, its earlier rows are removed.
    fs::write(crash.join("Mini 0001.dmp"), "nothing").unwrap();
    assert!(extract(&crash, &out, "modules", &parted).status.success());
    assert!(!out.join("modules/dump=Mini%200001.dmp/data.parquet").exists());
}

#[test]
fn dumps_with_equal_file_names_get_distinct_names() {
    let folder = Folder::new("extract-names");
    let (crash, out) = (folder.path().join("crash"), folder.path().join("out"));
    dumps(&crash.join("a"), 1, 100);
    dumps(&crash.join("b"), 2, 100);
    // The first dump keeps its name when another one with the same name is added.
    assert!(extract(&crash.join("a"), &out, "bugcheck", &[]).status.success());
    assert!(extract(&crash, &out, "bugcheck", &[]).status.success());
    let tables: Vec<PathBuf> = crate::seams::files(&out.join("bugcheck"));
    assert_eq!(tables.len(), 3, "{tables:?}");
    let names: BTreeSet<String> = tables
        .iter()
        .map(|path| {
            let frame = frame(path);
            assert_eq!(frame.height(), 1);
            frame.column("dump").unwrap().str().unwrap().get(0).unwrap().to_owned()
        })
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains("Mini 0000.dmp") && names.contains("Mini 0001.dmp"), "{names:?}");
}

/// Waits until a run has recorded this number of files; returns whether it is still running.
fn wait_for(child: &mut Child, out: &Path, lines: usize) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(120) {
        let text = fs::read_to_string(out.join("manifest.jsonl")).unwrap_or_default();
        if text.lines().count() >= lines {
            return child.try_wait().unwrap().is_none();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_continues_without_missing_or_duplicate_rows() {
    let folder = Folder::new("extract-kill");
    let crash = folder.path().join("crash");
    dumps(&crash, 60, 10);
    let (whole, out) = (folder.path().join("whole"), folder.path().join("out"));
    let parted = ["--partition-by", "dump", "--jobs", "3"];
    assert!(extract(&crash, &whole, TABLES, &parted).status.success());

    // The run is killed twice, then interrupted, then completed.
    for (signal, lines) in [("-KILL", 12), ("-KILL", 60), ("-INT", 110)] {
        let mut child = command(&crash, &out, TABLES, &parted).spawn().unwrap();
        assert!(wait_for(&mut child, &out, lines), "the run was done before it was ended");
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let ended = child.wait_with_output().unwrap();
        if signal == "-INT" {
            assert_eq!(ended.status.code(), Some(130), "{}", said(&ended));
            let parts = files(&out)
                .into_keys()
                .filter(|name| name.split('.').next_back() == Some("part"))
                .count();
            assert_eq!(parts, 0, "an interrupted run leaves nothing half written");
        }
    }
    // A temporary file that a killed run may leave.
    let partition = out.join("modules/dump=Mini%200001.dmp");
    fs::write(partition.join(".data.parquet.1-0.part"), "PAR1").unwrap();
    fs::remove_file(partition.join("data.parquet")).unwrap();
    let done = extract(&crash, &out, TABLES, &parted);
    assert!(done.status.success(), "{}", said(&done));
    assert!(!said(&done).contains(" 0 already there"), "{}", said(&done));
    let (found, wanted) = (files(&out), files(&whole));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted));
    let odd: Vec<&String> = wanted.keys().filter(|name| found[*name] != wanted[*name]).collect();
    assert!(odd.is_empty(), "{odd:?} differ");
    let stated: BTreeSet<String> =
        manifest(&out).iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(stated, files(&out).into_keys().collect::<BTreeSet<_>>());
}

#[test]
fn the_command_line_is_checked() {
    let folder = Folder::new("extract-usage");
    let out = folder.path().join("out");
    let none = folder.path().join("none.dmp");
    assert_eq!(extract(&none, &out, "thread", &[]).status.code(), Some(2));
    assert_eq!(extract(&none, &out, "threads", &["--partition-by", "day"]).status.code(), Some(2));
    let usage = program().args(["extract", "--tables", "threads"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let help = program().args(["extract", "--help"]).output().unwrap();
    assert!(
        help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--partition-by")
    );
    // A dump that does not exist is a problem.
    assert!(extract(&none, &out, "threads", &[]).status.success());
    let problems = frame(&out.join("problems/none.dmp.parquet"));
    assert_eq!(texts(&problems, "code"), ["E0402"]);
    fs::write(folder.file("list"), format!("{}\r\n\n", none.display())).unwrap();
    let listed = program()
        .args(["extract", "--from", &folder.file("list"), "--tables", "threads", "-o"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", said(&listed));
    // A folder that cannot be written to is an error.
    let file = folder.file("file");
    fs::write(&file, "x").unwrap();
    assert_eq!(extract(&none, Path::new(&file), "threads", &[]).status.code(), Some(1));
}
