//! The program as users and scripts see it: exit codes, streams, files.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A cache directory for the tests.
pub(crate) const CACHES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/caches");

/// The program, with a cache directory other than that of the user who runs the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dumpql"));
    command.env("XDG_CACHE_HOME", CACHES);
    command
}

fn run_with(arguments: &[&str], input: Option<&str>) -> Output {
    let mut command = program();
    command.args(arguments).env_remove("NO_COLOR").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().unwrap();
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(text.as_bytes()).unwrap();
    }
    child.wait_with_output().unwrap()
}

fn run(arguments: &[&str]) -> Output {
    run_with(arguments, None)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A temporary folder of one test, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dumpql-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// The name of the folder itself.
    pub(crate) fn name(&self) -> String {
        self.0.file_name().unwrap().to_string_lossy().into_owned()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const HOSTILE: &str = "SELECT '=1+1' AS a, CAST(4096 AS ADDRESS) AS b, 'x,\"y\"' AS c, 12 AS d";

#[test]
fn exit_codes_distinguish_success_failure_and_usage_errors() {
    let cases: &[(&[&str], i32)] = &[
        (&["-c", "SELECT 1"], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["--list"], 0),
        (&["--queries"], 0),
        (&["--describe", "threads"], 0),
        (&["--describe", "thread"], 1),
        (&["-c", "SELECT"], 1),
        (&["-c", "SELECT nothing FROM modules"], 1),
        (&["-q", "no-such-query"], 1),
        (&["-f", "no-such-file.sql"], 1),
        (&["no-such-file.dmp", "-c", "SELECT 1"], 1),
        (&["--format", "pdf"], 2),
        (&["--no-such-option"], 2),
        (&["-o", "x.unknown", "-c", "SELECT 1"], 2),
        (&["--excel", "--format", "json", "-c", "SELECT 1"], 2),
        (&["-c", "SELECT 1", "-p", "x=1"], 2),
    ];
    for (arguments, code) in cases {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}\n{}", err(&output));
        assert_eq!(output.stderr.is_empty(), *code == 0, "{arguments:?}\n{}", err(&output));
    }
}

#[test]
fn results_and_messages_are_kept_apart() {
    let output = run(&["-c", "SELECT 1 AS one", "-c", "SELECT nothing", "-c", "SELECT 2 AS two"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("one") && out(&output).contains("two"));
    assert!(err(&output).contains("E0202") && !out(&output).contains("E0202"));
    assert!(!out(&output).contains('\u{1b}') && !err(&output).contains('\u{1b}'));
}

#[test]
fn one_bad_dump_does_not_hide_the_others() {
    let folder = Folder::new("bad");
    let bad = folder.file("bad.dmp");
    std::fs::write(&bad, "not a dump").unwrap();
    let output =
        run(&["--sample", &bad, "--format", "csv", "-c", "SELECT count(*) AS n FROM dump"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), "n\n1\n"));
    assert!(err(&output).contains("E0401"), "{}", err(&output));
}

#[test]
fn standard_input_is_a_script() {
    let output = run_with(&["--format", "csv"], Some("SELECT 1 AS a; SELECT 2 AS b"));
    assert_eq!(out(&output), "a\n1\n\nb\n2\n".replace("\n\nb", "\nb"));
    let output = run_with(&["--format", "csv", "-c", "-"], Some("\u{feff}SELECT 3 AS c"));
    assert_eq!(out(&output), "c\n3\n");
}

#[test]
fn commands_may_stand_between_statements() {
    let script =
        ".mode csv\nSELECT 1\n AS a;\n.param p=x\n.mode jsonl\nSELECT $p AS b;\n.quit\nSELECT 2;";
    let output = run_with(&[], Some(script));
    assert_eq!((out(&output).as_str(), output.status.code()), ("a\n1\n{\"b\":\"x\"}\n", Some(0)));
    let output = run_with(&[], Some(".tabels\n"));
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains(".tables"), "{}", err(&output));
}

#[test]
fn the_excel_dialect_has_the_expected_bytes() {
    let output = run(&["--excel", "-c", HOSTILE]);
    let wanted = "\u{feff}a,b,c,d\r\n'=1+1,0x0000000000001000,\"x,\"\"y\"\"\",12\r\n";
    assert_eq!(out(&output), wanted);
    let output = run(&["--format", "csv", "-c", HOSTILE]);
    assert_eq!(out(&output), "a,b,c,d\n=1+1,0x0000000000001000,\"x,\"\"y\"\"\",12\n");
}

#[test]
fn the_file_extension_selects_the_format() {
    let folder = Folder::new("formats");
    for (name, start) in [
        ("x.csv", "a,b,c,d\n".as_bytes()),
        ("x.tsv", b"a\tb\tc\td\n"),
        ("x.json", b"[\n{\"a\":"),
        ("x.jsonl", b"{\"a\":\"=1+1\",\"b\":\"0x00001000\""),
        ("x.md", b"| a | b | c | d |"),
        ("x.html", b"<!DOCTYPE html>"),
        ("x.xlsx", b"PK\x03\x04"),
    ] {
        let path = folder.file(name);
        let output = run(&["--sample", "-c", HOSTILE, "-o", &path]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", err(&output));
        assert!(output.stdout.is_empty() && err(&output).contains("1 row"), "{name}");
        assert!(std::fs::read(&path).unwrap().starts_with(start), "{name}");
    }
    assert_eq!(folder.names().len(), 7);
}

#[test]
fn several_results_are_numbered_or_share_a_document() {
    let folder = Folder::new("several");
    for ending in ["csv", "md", "xlsx"] {
        let path = folder.file(&format!("x.{ending}"));
        let output = run(&["-c", "SELECT 1; SELECT 2", "-c", "SELECT 3", "-o", &path]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    }
    assert_eq!(folder.names(), ["x-2.csv", "x-3.csv", "x.csv", "x.md", "x.xlsx"]);
}

#[test]
fn a_failed_query_leaves_the_old_file() {
    let folder = Folder::new("old");
    let path = folder.file("x.csv");
    std::fs::write(&path, "old").unwrap();
    let output = run(&["-c", "SELECT nothing", "-o", &path, "--force"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((std::fs::read(&path).unwrap().as_slice(), folder.names().len()), (&b"old"[..], 1));
    let output = run(&["-c", "SELECT 1", "-o", &folder.file("no/such/x.csv")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("cannot write"), "{}", err(&output));
}

#[test]
fn an_open_source_is_never_written_to() {
    let folder = Folder::new("evidence");
    let (dump, table) = (folder.file("a.dmp"), folder.file("t.csv"));
    assert_eq!(run(&["--save-sample", &dump]).status.code(), Some(0));
    std::fs::write(&table, "a\n1\n").unwrap();
    let before = std::fs::read(&dump).unwrap();
    let mut outputs = vec![dump.clone(), folder.file("../") + &format!("{}/a.dmp", folder.name())];
    #[cfg(unix)]
    {
        let link = folder.file("link.csv");
        std::os::unix::fs::symlink(&dump, &link).unwrap();
        let hard = folder.file("hard.csv");
        std::fs::hard_link(&dump, &hard).unwrap();
        outputs.extend([link, hard]);
    }
    for output in &outputs {
        let refused = run(&[&dump, "--format", "csv", "-c", "SELECT 1", "-o", output]);
        assert_eq!(refused.status.code(), Some(2), "{output}");
        assert!(err(&refused).contains("is open as a source"), "{}", err(&refused));
    }
    let refused = run(&[&dump, &table, "-c", "SELECT 1", "-o", &table]);
    assert_eq!(refused.status.code(), Some(2));
    let typed = format!(".output '{dump}'\nSELECT 1;\n");
    let refused = run_with(&[&dump], Some(&typed));
    assert!(err(&refused).contains("is open as a source"), "{}", err(&refused));
    // A file that the script itself attaches must not be written to either.
    let attach = format!("ATTACH '{dump}' AS d; SELECT 1");
    let refused = run(&["--format", "csv", "-c", &attach, "-o", &dump, "--force"]);
    assert_eq!(refused.status.code(), Some(1), "{}", err(&refused));
    assert_eq!(std::fs::read(&dump).unwrap(), before);
    assert_eq!(std::fs::read_to_string(&table).unwrap(), "a\n1\n");
}

#[test]
fn every_name_of_a_query_is_found() {
    for name in ["stack", "k", "kv"] {
        let output = run(&["--sample", "-q", name]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", err(&output));
    }
}

#[test]
fn debugger_commands_are_answered() {
    let csv = |command: &str| run(&["--sample", "--format", "csv", "-c", command]);
    for command in [
        "!locks",
        "!irpfind 0 0 device",
        "!poolused 3",
        "!stacks 1",
        "!process 0 0",
        "k",
        "~*k",
        "lm",
        "lmvm nt",
        "r",
        "!vm 4",
        "!analyze -v",
        ".bugcheck",
        "vertarget",
        "!running -it",
        "!handle",
        "!thread",
        "!uniqstack",
        "u nt L2",
        "dps nt L2",
    ] {
        let output = csv(command);
        assert_eq!(output.status.code(), Some(0), "{command}: {}", err(&output));
        assert!(out(&output).lines().count() > 1 || command == "!locks", "{command}");
    }
    // In a file they are on separate lines; -q accepts them too.
    let script =
        run_with(&["--sample", "--format", "csv"], Some("!process 0 0\nSELECT 1 AS one;\n"));
    assert!(out(&script).ends_with("one\n1\n"), "{}", out(&script));
    assert_eq!(
        out(&run(&["--sample", "--format", "csv", "-q", "!process 0 0"])),
        out(&csv("!process 0 0"))
    );
    let unknown = csv("!lock");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("!locks"), "{}", err(&unknown));
    let wrong = csv("!locks 1 2 3");
    assert!(err(&wrong).contains("`!locks` is written: !locks [-v|-d]"), "{}", err(&wrong));
}

#[test]
fn a_log_answers_commands_too() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/log/own/kernel.txt");
    for command in ["!locks", "!process 0 0", "!irpfind", "!vm"] {
        let output = run(&[log, "--format", "csv", "-c", command]);
        assert_eq!(output.status.code(), Some(0), "{command}: {}", err(&output));
        assert!(out(&output).lines().count() > 1, "{command}: {}", out(&output));
    }
}

#[test]
fn queries_of_a_user_can_have_debugger_commands() {
    let folder = Folder::new("library");
    let text = "-- title: Mine\n-- debugger: !mine $n\n-- param: n INTEGER\nSELECT $n AS n;\n";
    std::fs::write(folder.file("mine.sql"), text).unwrap();
    let library = folder.0.display().to_string();
    let output = run(&["--library", &library, "--sample", "--format", "csv", "-c", "!mine 10"]);
    assert_eq!(out(&output), "n\n16\n", "{}", err(&output));
    let listed = run(&["--library", &library, "--queries", "mine"]);
    assert!(out(&listed).contains("!mine $n"), "{}", out(&listed));
    let described = run(&["--describe-query", "!locks"]);
    assert!(out(&described).contains("How to read it"), "{}", out(&described));
}

#[test]
fn charts_are_drawn_and_written() {
    let folder = Folder::new("charts");
    let drawn = run(&["--sample", "-q", "irp-distribution", "--chart"]);
    assert!(out(&drawn).contains('█'), "{}", out(&drawn));
    let (picture, book) = (folder.file("x.svg"), folder.file("x.xlsx"));
    let written = run(&["--sample", "-q", "pid-tid", "-o", &picture]);
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    assert!(std::fs::read_to_string(&picture).unwrap().contains("<circle"));
    let written = run(&["--sample", "-q", "irp-distribution", "-q", "pid-tid", "-o", &book]);
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    let bytes = std::fs::read(&book).unwrap();
    for part in ["xl/charts/chart1.xml", "xl/charts/chart2.xml", "xl/tables/table1.xml"] {
        assert!(bytes.windows(part.len()).any(|w| w == part.as_bytes()), "{part}");
    }
    let pixels = folder.file("x.png");
    let written = run(&["--sample", "-q", "irp-distribution", "-o", &pixels]);
    if cfg!(feature = "png") {
        assert_eq!(written.status.code(), Some(0), "{}", err(&written));
        let bytes = std::fs::read(&pixels).unwrap();
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 10_000);
        // The width of the picture, in pixels.
        assert_eq!(bytes[16..20], 1920u32.to_be_bytes());
    } else {
        assert!(err(&written).contains("the feature `png`"), "{}", err(&written));
    }
    let wrong = run(&["--sample", "-c", "SELECT 'a' AS b", "--chart", "bar", "y=c"]);
    assert!(err(&wrong).contains("the result has no column `c`"), "{}", err(&wrong));
}

#[test]
fn a_report_is_written() {
    let folder = Folder::new("report");
    for name in ["r.html", "r.md"] {
        let path = folder.file(name);
        let output = run(&["--sample", "--report", &path]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let text = std::fs::read_to_string(&path).unwrap();
        for part in ["What the dump is", "Patterns that match", "What is missing", "The machine"] {
            assert!(text.contains(part), "{name}: {part}");
        }
        assert!(text.len() < 5_000_000);
    }
    assert_eq!(run(&["--sample", "--report", &folder.file("r.txt")]).status.code(), Some(1));
}

/// The words of a line as a shell takes them.
pub(crate) fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Runs every command of the guides in a folder of its own.
#[test]
fn commands_of_the_guides_run() {
    let mut count = 0;
    for guide in ["tutorial.md", "excel.md", "from-windbg.md", "from-volatility.md"] {
        let folder = Folder::new(guide);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(guide);
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("dumpql ")) {
            let output = program().args(shell_words(line)).current_dir(&folder.0).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{guide}: {line}\n{}", err(&output));
            count += 1;
        }
    }
    assert!(count >= 15, "{count}");
}

#[test]
fn saved_queries_take_parameters_of_their_types() {
    let folder = Folder::new("params");
    let path = folder.file("mine.sql");
    let text = "-- title: Mine\n-- param: n INTEGER = 2 -- a number\nSELECT $n + 1 AS n;\n";
    std::fs::write(&path, text).unwrap();
    let csv = |more: &[&str]| {
        let mut arguments = vec!["--format", "csv", "-f", &path];
        arguments.extend(more);
        run(&arguments)
    };
    assert_eq!(out(&csv(&[])), "n\n3\n");
    assert_eq!(out(&csv(&["-p", "n=41"])), "n\n42\n");
    let wrong = csv(&["-p", "n=x"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(err(&wrong).contains("E0208"), "{}", err(&wrong));
}

#[test]
fn a_reader_that_closes_the_pipe_is_not_a_failure() {
    let sql = "WITH t AS (SELECT a.name FROM meta.columns a, meta.columns b) SELECT * FROM t";
    let mut child = program()
        .args(["--format", "csv", "-c", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
}

#[test]
fn the_sample_is_written_and_read_back() {
    let folder = Folder::new("sample");
    let path = folder.file("sample.dmp");
    assert_eq!(run(&["--save-sample", &path]).status.code(), Some(0));
    let sql = "SELECT name, base FROM modules ORDER BY base, name";
    let saved = run(&[&path, "--format", "csv", "-c", sql]);
    let built = run(&["--sample", "--format", "csv", "-c", sql]);
    assert_eq!((out(&saved), saved.status.code()), (out(&built), Some(0)));
}

#[test]
fn an_index_is_kept_in_the_folder_for_caches() {
    let folder = Folder::new("index");
    let (path, caches) = (folder.file("sample.dmp"), folder.0.join("caches"));
    assert_eq!(run(&["--save-sample", &path]).status.code(), Some(0));
    let sql = "SELECT count(*) FROM pool_allocations";
    let ask = |more: &[&str]| {
        let mut command = program();
        command.args([&path, "--format", "csv", "-c", sql]).args(more);
        let answer = out(&command.env("XDG_CACHE_HOME", &caches).output().unwrap());
        let kept = std::fs::read_dir(caches.join("dumpql").join("index"));
        (answer, kept.map_or(0, |files| files.flatten().count()))
    };
    let (searched, kept) = ask(&["--no-index"]);
    assert_eq!(kept, 0);
    // One index of blocks and one of pages.
    assert_eq!(ask(&[]), (searched.clone(), 2));
    assert_eq!(ask(&[]), (searched, 2));
}

/// The prompt needs a terminal, which the Linux tool `script` creates.
#[test]
#[cfg(target_os = "linux")]
fn the_prompt_works_on_a_terminal() {
    let folder = Folder::new("prompt");
    let program = env!("CARGO_BIN_EXE_dumpql");
    let typed = "SELECT base FROM modules LIMIT 1;\n.mode line\nSELECT 1 AS\none;\nSELECT nmae FROM modules;\n.quit\n";
    let child = Command::new("script")
        .args(["-qec", &format!("{program} --sample --color never"), "/dev/null"])
        .env("HOME", &folder.0)
        .env("XDG_CACHE_HOME", CACHES)
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        println!("SKIPPED: the tool `script` does not run; it makes the terminal of this test");
        return;
    };
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let seen = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    for wanted in ["sample · kernel", "│ 0x80800000 │", "\none  1\n", "similar names: name"] {
        assert!(seen.contains(wanted), "no {wanted:?} in:\n{seen}");
    }
}

/// Names come from files too: listing them must not control the terminal.
#[test]
fn control_characters_in_column_names_are_escaped() {
    let folder = Folder::new("names");
    let file = folder.file("seen.csv");
    std::fs::write(&file, "re\u{1b}[31md,be\u{7}ll,\u{202e}turned\n1,2,3\n").unwrap();
    let output = run(&[&file, "--describe", "seen"]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    for name in ["re\\x1b[31md", "be\\x07ll", "\\u{202e}turned"] {
        assert!(text.contains(name), "{text}");
    }
    assert!(
        !text.chars().any(|c| c != '\n' && dumpql::internals::export::visible::acts(c)),
        "{text}"
    );
}
