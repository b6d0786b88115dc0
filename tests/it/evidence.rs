//! Files in danger: what is there is not replaced unasked, what is written is whole or not there, and a
//! dump that changes while it is open ends in an error. Every test runs the program as a process.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::cli::{Folder, program};
use crate::watchdog::watch;

/// How often the program is killed; `DUMPQL_KILLS` says otherwise.
const KILLS: u32 = 10;
/// Many rows: written in parts that a signal comes between.
const LONG: &str = "SELECT range AS n, repeat('x', 40) AS x FROM range(100000)";

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = program().args(arguments).stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

#[test]
fn a_file_that_is_there_is_replaced_only_where_that_is_said() {
    let folder = Folder::new("force");
    let (csv, page, dump) = (folder.file("x.csv"), folder.file("r.html"), folder.file("s.dmp"));
    let second = folder.file("x-2.csv");
    for file in [&csv, &page, &dump, &second] {
        fs::write(file, "old").unwrap();
    }
    let copy = format!("COPY (SELECT 1 AS a) TO '{csv}'");
    let cases: [(&[&str], i32, &str); 5] = [
        (&["-c", "SELECT 1 AS a", "-o", &csv], 2, "--force"),
        (&["--sample", "--report", &page], 2, "--force"),
        (&["--save-sample", &dump], 2, "--force"),
        (&["-c", &copy], 1, "OVERWRITE"),
        (&["-c", "SELECT 1", "-c", "SELECT 2", "-o", &folder.file("y/../x.csv")], 2, "exists"),
    ];
    fs::create_dir(folder.path().join("y")).unwrap();
    for (arguments, code, names) in cases {
        let (found, told) = run(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {told}");
        assert!(told.contains("exists") && told.contains(names), "{arguments:?}: {told}");
    }
    for file in [&csv, &page, &dump, &second] {
        assert_eq!(fs::read_to_string(file).unwrap(), "old", "{file}");
    }
    // Of several files none is written when one of them is there.
    let (one, two) = (folder.file("z.csv"), folder.file("z-2.csv"));
    fs::write(&two, "old").unwrap();
    let (code, told) = run(&["-c", "SELECT 1", "-c", "SELECT 2", "-o", &one]);
    assert_eq!((code, fs::metadata(&one).is_ok()), (Some(1), false), "{told}");
    for arguments in [
        &["-c", "SELECT 1 AS a", "-o", &csv, "--force"][..],
        &["--save-sample", &dump, "--force"],
        &["-c", &format!("COPY (SELECT 2 AS a) TO '{csv}' (OVERWRITE true)")],
        &["--force", "-c", &format!("COPY (SELECT 3 AS a) TO '{csv}'")],
    ] {
        let (code, told) = run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {told}");
    }
    assert_eq!(fs::read_to_string(&csv).unwrap(), "a\n3\n");
}

#[test]
fn an_index_and_a_symbol_file_are_evidence_too() {
    let folder = Folder::new("index-evidence");
    let (dump, layout) = (folder.file("a.dmp"), folder.file("own.json"));
    assert_eq!(run(&["--save-sample", &dump]).0, Some(0));
    fs::write(&layout, crate::made::layouts().remove(0)).unwrap();
    let caches = folder.path().join("caches");
    let ask = |more: &[&str]| {
        let mut command = program();
        command.arg(&dump).args(more).env("XDG_CACHE_HOME", &caches);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(ask(&["-c", "SELECT count(*) FROM pool_allocations"]).0, Some(0));
    let index = fs::read_dir(caches.join("dumpql/index")).unwrap().next().unwrap().unwrap().path();
    let index = index.display().to_string();
    let before = fs::read(&index).unwrap();
    let to = |file: &str| ask(&["--force", "--format", "csv", "-c", "SELECT 1", "-o", file]);
    let (code, told) = to(&index);
    assert!(code == Some(2) && told.contains("open as an index"), "{told}");
    let symbols =
        ["--symbols", &layout, "--force", "--format", "csv", "-c", "SELECT 1", "-o", &layout];
    let (code, told) = ask(&symbols);
    assert!(code == Some(2) && told.contains("open as a symbol file"), "{told}");
    assert_eq!(fs::read(&index).unwrap(), before);
}

#[test]
fn a_link_stays_a_link() {
    let folder = Folder::new("dangling");
    let (link, made) = (folder.file("link.csv"), folder.file("made.csv"));
    symlink("made.csv", &link).unwrap();
    let (code, told) = run(&["-c", "SELECT 1 AS a", "-o", &link]);
    assert_eq!(code, Some(0), "{told}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&made).unwrap(), "a\n1\n");
    assert_eq!(run(&["-c", "SELECT 1 AS a", "-o", &link]).0, Some(2));
}

/// Starts a long export, and waits until it writes.
fn writing(folder: &Folder, more: &[&str]) -> Child {
    let mut command = program();
    command.args(["-c", LONG, "-o", &folder.file("x.csv")]).args(more).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while !folder.names().iter().any(|name| name.contains(".part")) {
        assert!(child.try_wait().unwrap().is_none(), "it was done before it was seen to write");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

#[test]
fn signals_leave_no_part_behind() {
    use std::os::unix::process::ExitStatusExt as _;
    let _watched = watch("signals");
    let ends =
        |status: ExitStatus, code: i32| status.code() == Some(code) || status.signal().is_some();
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let folder = Folder::new(&format!("signal-{name}"));
        let mut child = writing(&folder, &[]);
        signal(&child, name);
        let status = child.wait().unwrap();
        assert!(ends(status, code), "{name}: {status}");
        assert_eq!(status.code(), Some(code), "{name}");
        assert_eq!(folder.names(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = Folder::new("full");
    let path = folder.file("x.csv");
    fs::write(&path, "old").unwrap();
    // A limit on the size of files is met by the same error as a full disk.
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_dumpql"), "-c", LONG, "--force", "-o", &path])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot write"), "{told}");
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), folder.names().len()), ("old", 1));
    for arguments in [
        &["-c", "SELECT 1", "-o", "/dev/full", "--format", "csv"][..],
        &["--save-sample", "/dev/full"],
        &["--sample", "-c", "COPY (SELECT 1) TO '/dev/full' (FORMAT csv)"],
    ] {
        let (code, told) = run(arguments);
        assert!(code == Some(1) && told.contains("error"), "{arguments:?}: {code:?} {told}");
    }
}

fn kills() -> u32 {
    std::env::var("DUMPQL_KILLS").ok().and_then(|times| times.parse().ok()).unwrap_or(KILLS)
}

/// The old file or the whole new one, whenever the program is killed; and an index that is right.
#[test]
fn killed_in_the_middle_of_writing() {
    let _watched = watch("kills");
    let folder = Folder::new("killed");
    let (path, whole) = (folder.file("x.csv"), folder.file("whole.csv"));
    assert_eq!(run(&["-c", LONG, "-o", &whole]).0, Some(0));
    let whole = fs::read(&whole).unwrap();
    let begun = Instant::now();
    let _ = writing(&folder, &["--force"]).wait();
    let most = begun.elapsed();
    let (mut old, mut new) = (0, 0);
    for number in 0..kills() {
        fs::write(&path, "old").unwrap();
        let mut child = writing(&folder, &["--force"]);
        // From at once to a while after the end.
        std::thread::sleep(most * (number * 7 % 10) / 8);
        let _ = child.kill();
        let _ = child.wait();
        match fs::read(&path).unwrap() {
            bytes if bytes == b"old" => old += 1,
            bytes if bytes == whole => new += 1,
            bytes => panic!("kill {number}: {} bytes that are neither", bytes.len()),
        }
        for name in folder.names().iter().filter(|name| name.contains(".part")) {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
    }
    println!("{old} times the old file, {new} times the new one");

    let (dump, caches) = (folder.file("a.dmp"), folder.path().join("caches"));
    assert_eq!(run(&["--save-sample", &dump]).0, Some(0));
    let ask = || {
        let mut command = program();
        command.args([
            &dump,
            "--format",
            "csv",
            "-c",
            "SELECT count(*), sum(bytes) FROM pool_allocations",
        ]);
        command.env("XDG_CACHE_HOME", &caches).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    let begun = Instant::now();
    let right = ask().output().unwrap().stdout;
    let most = begun.elapsed();
    for number in 0..kills() {
        let _ = fs::remove_dir_all(&caches);
        let mut child = ask().spawn().unwrap();
        std::thread::sleep(most * (number * 7 % 10) / 8);
        let _ = child.kill();
        let _ = child.wait();
        assert_eq!(ask().output().unwrap().stdout, right, "kill {number}");
    }
}

/// What a file is cut to while it is open.
const CUT: u64 = 0x2000;

/// Runs a first query, cuts the file, and lets the others run: what the program answers then.
fn cut_while_open(dump: &str, queries: &[&str], remove: bool) -> (Option<i32>, String, String) {
    let mut command = program();
    // The first answer does not fit the pipe, so the program waits until it is read.
    command.args(["--no-index", "--format", "csv", dump, "-c", "SELECT repeat('x', 1000000) AS x"]);
    for query in queries {
        command.args(["-c", query]);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "x\n");
    fs::OpenOptions::new().write(true).open(dump).unwrap().set_len(CUT).unwrap();
    if remove {
        fs::remove_file(dump).unwrap();
    }
    line.clear();
    out.read_line(&mut line).unwrap();
    let mut answers = String::new();
    out.read_to_string(&mut answers).unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    (child.wait().unwrap().code(), answers, told)
}

#[test]
fn a_dump_that_is_cut_while_it_is_open_ends_in_an_error() {
    let _watched = watch("cut files");
    let queries = [
        "SELECT count(*) FROM threads",
        "SELECT count(*) FROM pool_allocations",
        "FROM stacks LIMIT 3",
    ];
    for remove in [false, true] {
        let folder = Folder::new(&format!("cut-{remove}"));
        let dump = folder.file("a.dmp");
        assert_eq!(run(&["--save-sample", &dump]).0, Some(0));
        let (code, answers, told) = cut_while_open(&dump, &queries, remove);
        assert_eq!((code, answers.as_str()), (Some(1), ""), "{told}");
        let told_of_cut =
            if remove { "can no longer be read" } else { "was cut while it was open" };
        assert_eq!(told.matches(told_of_cut).count(), queries.len(), "{told}");
        assert!(told.contains("a.dmp") && !told.contains("E0901"), "{told}");
    }
}

#[test]
fn a_log_that_is_cut_while_it_is_open_ends_in_an_error() {
    let folder = Folder::new("cut-log");
    let log = folder.file("a.log");
    let mut file = fs::File::create(&log).unwrap();
    for number in 0..20_000 {
        writeln!(file, "0: kd> .echo {number}\n{number}").unwrap();
    }
    drop(file);
    let (code, answers, told) = cut_while_open(&log, &["SELECT count(*) FROM log_commands"], true);
    assert_eq!(code, Some(1), "{told}");
    assert!(answers.is_empty() && told.contains("a.log"), "{answers} {told}");
}
