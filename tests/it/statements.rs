//! Statements that change the state of a session, as a host program runs them.

use std::path::PathBuf;

use dumpql::internals::diag::Code;
use dumpql::{Options, ResultSet, Session};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("dumpql-statements-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn session(files: bool) -> Session {
    Session::from_images(Vec::new(), &Options::default().files(files)).unwrap()
}

fn rows(result: &ResultSet) -> Vec<String> {
    let cells = |row| (0..result.fields().len()).map(move |c| result.text(row, c));
    (0..result.len()).map(|row| cells(row).collect::<Vec<_>>().join("|")).collect()
}

fn ask(session: &Session, sql: &str) -> Vec<String> {
    rows(&session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}")))
}

fn refusal(session: &Session, sql: &str) -> String {
    session.query(sql).expect_err(sql).to_string()
}

#[test]
fn objects_created_by_a_script_are_kept_in_the_session() {
    let session = session(false);
    ask(&session, "CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE t AS FROM v |> EXTEND a + 1 AS b");
    assert_eq!(ask(&session, "SELECT v.a, b FROM v JOIN t USING (a)"), ["1|2"]);
    assert_eq!(ask(&session, "SHOW memory_limit")[0].split('|').nth(1), Some("224MB"));
    let other = Session::from_images(Vec::new(), &Options::default()).unwrap();
    assert!(other.query("FROM v").is_err());
}

#[test]
fn names_in_use_are_an_error() {
    let session = session(false);
    ask(&session, "CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE t AS SELECT 2 AS a");
    assert!(refusal(&session, "CREATE VIEW v AS SELECT 2").contains("a view is called `v`"));
    assert!(refusal(&session, "CREATE OR REPLACE VIEW t AS SELECT 2").contains("a table"));
    assert!(refusal(&session, "CREATE TABLE threads AS SELECT 2").contains("a table of dumps"));
    assert!(refusal(&session, "CREATE MACRO abs(x) AS x").contains("a function"));
    assert!(refusal(&session, "DROP TABLE v").contains("is a view"));
    assert!(refusal(&session, "DROP TABLE threads").contains("read from dumps"));
    assert!(refusal(&session, "DROP VIEW w").contains("no view `w`"));
    ask(&session, "DROP VIEW IF EXISTS w");
}

#[test]
fn endless_recursion_of_views_and_macros_is_an_error() {
    let session = session(false);
    assert!(refusal(&session, "CREATE MACRO f(x) AS f(x) + 1").contains("calls itself"));
    ask(&session, "CREATE VIEW v AS SELECT 1 AS a");
    let loops = refusal(&session, "CREATE OR REPLACE VIEW v AS FROM v");
    assert!(loops.contains("refers to itself"), "{loops}");
    // Each macro doubles the previous one: the expansion would have 2^40 terms.
    ask(&session, "CREATE MACRO m0(x) AS x + x");
    for n in 1..40 {
        ask(&session, &format!("CREATE MACRO m{n}(x) AS m{}(x) + m{}(x)", n - 1, n - 1));
    }
    assert_eq!(session.query("SELECT m39(1)").expect_err("it is too long").code(), Code::TooDeep);
}

#[test]
fn files_are_opened_and_written_where_the_host_allows_it() {
    let folder = Folder::new("files");
    let (known, copy) = (folder.path("known.csv"), folder.path("copy.csv"));
    std::fs::write(&known, "name,size\nnt,7\nhal,\n").unwrap();
    let strict = session(false);
    for sql in [
        format!("FROM '{known}'"),
        format!("FROM read_csv('{known}')"),
        format!("COPY (SELECT 1) TO '{copy}'"),
    ] {
        assert_eq!(strict.query(&sql).expect_err(&sql).code(), Code::Unsupported, "{sql}");
    }
    let open = session(true);
    assert_eq!(ask(&open, &format!("SELECT known.name, size FROM '{known}'")), ["nt|7", "hal|"]);
    let headless = format!("SELECT count(*) FROM read_csv('{known}', header => false)");
    assert_eq!(ask(&open, &headless), ["3"]);
    let written =
        format!("COPY (FROM '{known}' |> SET size = size + 1) TO '{copy}' (DELIMITER ';')");
    assert_eq!(ask(&open, &written), ["2"]);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "name;size\nnt;8\nhal;\n");
    let lines = folder.path("copy.jsonl");
    ask(&open, &format!("COPY (SELECT 1 AS a) TO '{lines}'"));
    assert_eq!(std::fs::read_to_string(&lines).unwrap(), "{\"a\":1}\n");
    let parquet = folder.path("copy.parquet");
    ask(&open, &format!("COPY (SELECT 1 AS a, 'x' AS b, now() AS c) TO '{parquet}'"));
    assert!(std::fs::read(&parquet).unwrap().starts_with(b"PAR1"));
    assert!(refusal(&open, &format!("CREATE VIEW v AS FROM '{known}'")).contains("views"));
}

#[test]
fn an_open_file_is_never_written_to() {
    let folder = Folder::new("open");
    let known = folder.path("known.csv");
    std::fs::write(&known, "name\nnt\n").unwrap();
    let open = session(true);
    ask(&open, &format!("ATTACH '{known}' AS known"));
    assert!(refusal(&open, &format!("COPY (SELECT 1) TO '{known}'")).contains("is open"));
    assert_eq!(std::fs::read_to_string(&known).unwrap(), "name\nnt\n");
}

#[test]
fn settings_apply_to_later_queries() {
    let session = session(false);
    let raised = refusal(&session, "SET memory_limit = '1TB'");
    assert!(raised.contains("at most"), "{raised}");
    assert!(refusal(&session, "SET memory = 1").contains("no setting `memory`"));
    ask(&session, "SET timeout = 1ms");
    // This number of steps takes a second or more.
    let endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 900000) \
                   SELECT max(n) FROM r";
    assert_eq!(session.query(endless).expect_err("it takes long").code(), Code::Deadline);
    ask(&session, "RESET ALL");
    assert_eq!(ask(&session, "SELECT value FROM meta.settings WHERE name = 'timeout'"), ["none"]);
}

#[test]
fn prepared_queries_take_values() {
    let session = session(false);
    ask(&session, "PREPARE p AS SELECT $a + ?");
    assert_eq!(ask(&session, "EXECUTE p(1, a => 2)"), ["3"]);
    assert_eq!(session.query("EXECUTE p(1)").expect_err("a is missing").code(), Code::Parameter);
    assert!(refusal(&session, "EXECUTE q").contains("no prepared query `q`"));
    ask(&session, "SET VARIABLE x = 5");
    assert_eq!(ask(&session, "SELECT getvariable('x') + 1"), ["6"]);
}

#[test]
fn threads_define_and_query_in_parallel() {
    let session = session(false);
    std::thread::scope(|scope| {
        for n in 0..4 {
            let session = &session;
            scope.spawn(move || {
                for turn in 0..10 {
                    ask(session, &format!("CREATE OR REPLACE VIEW v{n} AS SELECT {turn} AS a"));
                    assert_eq!(ask(session, &format!("SELECT a FROM v{n}")), [turn.to_string()]);
                }
            });
        }
    });
}
