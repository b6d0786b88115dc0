//! Machines that are small: each run works, or ends in a sentence and exit code 1. None aborts.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::cli::Folder;
use crate::watchdog::watch;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dumpql");
const QUERY: &str = "SELECT count(*) AS n, max(repeat('x', 10) || range) AS x FROM range(200000) WHERE range % 3 = 1";
const ANSWER: &str = "66667,xxxxxxxxxx99997";

/// Runs the program by a shell that sets limits first.
fn limited(limits: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let _watched = watch(format!("{limits} {arguments:?}"));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limits} exec \"$0\" \"$@\""), PROGRAM]).args(arguments);
    // Large stacks would take the address space.
    command.env_remove("RUST_MIN_STACK");
    command.envs(environment.iter().copied()).stdin(Stdio::null());
    command.output().unwrap()
}

/// The answer, or a sentence that says what is missing.
fn works_or_says(output: &Output, about: &str, expected: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    let shown = String::from_utf8_lossy(&output.stdout);
    match output.status.code() {
        Some(0) => assert!(shown.contains(expected), "{about}: {shown} {told}"),
        Some(1) => {
            assert!(told.contains("error") && !told.contains("E0901"), "{about}: {told}");
            assert!(!told.contains("panicked"), "{about}: {told}");
        }
        _ => panic!("{about}: {:?} {told}", output.status),
    }
}

fn works(output: &Output, about: &str, expected: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{about}: {told}");
    works_or_says(output, about, expected);
}

#[test]
fn little_stack_memory_and_few_descriptors() {
    let sample = [
        "--sample",
        "--no-index",
        "--format",
        "csv",
        "-c",
        "SELECT count(*) FROM threads",
        "-c",
        QUERY,
    ];
    for limits in ["ulimit -s 512;", "ulimit -n 100;"] {
        works(&limited(limits, &sample, &[]), limits, ANSWER);
    }
    // 200 MB beside the program itself, which is large with debug information.
    let program = fs::metadata(PROGRAM).unwrap().len() / 1024;
    let limits = format!("ulimit -v {};", 204_800 + program);
    works_or_says(&limited(&limits, &sample, &[]), &limits, ANSWER);
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let nested = format!("{}SELECT 1{}", "SELECT * FROM (".repeat(3000), ")".repeat(3000));
    for sql in [&deep, &nested] {
        let output = limited("ulimit -s 512;", &["-c", sql], &[]);
        works_or_says(&output, "a deep query", "1");
    }
}

#[test]
fn many_dumps_and_few_descriptors() {
    let folder = Folder::new("descriptors");
    let dump = crate::made::minidump(true);
    let paths: Vec<String> = (0..150).map(|number| folder.file(&format!("{number}.dmp"))).collect();
    for path in &paths {
        fs::write(path, &dump).unwrap();
    }
    let mut arguments =
        vec!["--no-index", "--format", "csv", "-c", "SELECT count(DISTINCT dump) FROM dump"];
    arguments.extend(paths.iter().map(String::as_str));
    works(&limited("ulimit -n 100;", &arguments, &[]), "150 dumps", "150");
}

#[test]
fn any_number_of_threads() {
    let arguments = ["--sample", "--no-index", "--format", "csv", "-c", QUERY];
    let many = limited("", &arguments, &[("RAYON_NUM_THREADS", "100000")]);
    works(&many, "100,000 threads", ANSWER);
    // The limit does not hold for root, who has to become somebody else first.
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout == b"0\n");
    let folder = Folder::new("threads");
    let copy = folder.file("dumpql");
    fs::copy(PROGRAM, &copy).unwrap();
    let run = format!("ulimit -u 0; exec {} {copy} \"$@\"", if is_root { nobody } else { "" });
    let mut command = Command::new("sh");
    command.args(["-c", &run, "sh"]).args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("setpriv") {
        println!("SKIPPED: the tool `setpriv` does not run: {told}");
        return;
    }
    works_or_says(&output, "no thread", ANSWER);
}

#[test]
fn no_home_and_a_home_that_is_read_only() {
    let folder = Folder::new("home");
    let dump = folder.file("a.dmp");
    fs::write(&dump, dumpql::sample_file()).unwrap();
    let arguments =
        [&*dump, "--format", "csv", "-c", "SELECT count(*) > 0 AS x FROM pool_allocations"];
    for (limits, home) in [
        ("unset HOME XDG_CACHE_HOME;", None),
        ("unset XDG_CACHE_HOME;", Some("/nonexistent")),
        ("unset XDG_CACHE_HOME;", Some("/proc")),
        ("unset XDG_CACHE_HOME;", Some("/dev/null")),
        ("", Some("")),
    ] {
        let environment: Vec<_> = home.into_iter().map(|home| ("HOME", home)).collect();
        works(&limited(limits, &arguments, &environment), &format!("{limits} {home:?}"), "true");
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["--man"],
        &["--list"],
        &["--completions", "bash"],
        &["extract", "--help"],
        &["-c", QUERY],
        &["--format", "csv", "-c", "SELECT range FROM range(100000)"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(PROGRAM)
            .args(arguments)
            .stdout(full)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("error: "), "{arguments:?}: {told}");
    }
    let temporary = limited("ulimit -f 8; trap '' XFSZ;", &["/dev/stdin", "-c", "SELECT 1"], &[]);
    works_or_says(&temporary, "a full folder for temporary files", "");
}
