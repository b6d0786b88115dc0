//! `ATTACH`, `DETACH`, and CSV and TSV files next to dumps.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use dumpql::internals::diag::Code;
use dumpql::internals::dump::Image;
use dumpql::internals::import::Kind;
use dumpql::{Options, ResultSet, Session};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("dumpql-attach-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A session whose queries may open files.
fn triage_sample() -> Session {
    let image = Image::from_bytes("sample", dumpql::internals::synth::triage_sample());
    Session::from_images(vec![image], &Options::default().files(true)).unwrap()
}

fn rows(result: &ResultSet) -> Vec<String> {
    let cells = |row| (0..result.fields().len()).map(move |c| result.text(row, c));
    (0..result.len()).map(|row| cells(row).collect::<Vec<_>>().join("|")).collect()
}

#[test]
fn a_csv_file_becomes_a_table() {
    let folder = Folder::new("csv");
    let path = folder.file("known.csv", b"name,seen\r\nnt,2024-05-01\r\nhal,\r\n");
    let session = triage_sample();
    let sql = format!(
        "ATTACH '{path}' AS known; SELECT k.name, k.seen, m.base IS NOT NULL \
         FROM known k LEFT JOIN modules m ON m.name LIKE k.name || '%' ORDER BY k.name DESC LIMIT 1"
    );
    assert_eq!(rows(&session.query(&sql).unwrap()), ["nt|2024-05-01|true"]);
    assert_eq!(rows(&session.query("SELECT count(*) FROM known").unwrap()), ["2"]);
    let types = session.query("SELECT column, type FROM (DESCRIBE known)");
    assert!(types.is_err(), "DESCRIBE is a statement");
    assert_eq!(session.query("DETACH known").unwrap().fields().len(), 0);
    assert_eq!(session.query("FROM known").unwrap_err().code(), Code::UnknownTable);
    assert_eq!(session.query("DETACH known").unwrap_err().code(), Code::UnknownTable);
}

#[test]
fn what_cannot_be_attached_says_why() {
    let folder = Folder::new("errors");
    let good = folder.file("a.csv", b"a\n1\n");
    let odd = folder.file("b.csv", b"a,b\n1,2\n1,2,3\n");
    let text = folder.file("c.txt", b"a;b\n1;2\n");
    let session = triage_sample();
    let error = |sql: &str| session.query(sql).unwrap_err().to_string();
    assert!(error(&format!("ATTACH '{odd}'")).contains("line 3 has 3 fields, the first line 2"));
    assert!(
        error(&format!("ATTACH '{good}' AS modules"))
            .contains("a table is called `modules` already")
    );
    assert!(
        error(&format!("ATTACH '{good}' AS sample")).contains("a dump is called `sample` already")
    );
    assert!(error("ATTACH '/no/such/file.csv'").starts_with("E0402"));
    assert!(error(&format!("ATTACH '{text}' (COLOUR 'red')")).contains("no option `COLOUR`"));
    assert!(error(&format!("ATTACH '{text}'")).starts_with("E0401"));
    let sql = format!("ATTACH '{text}' AS c (DELIMITER ';', HEADER false); FROM c");
    assert_eq!(rows(&session.query(&sql).unwrap()), ["a|b", "1|2"]);
    let closed = Session::open_with(&[], &Options::default()).unwrap();
    assert_eq!(closed.query(&format!("ATTACH '{good}'")).unwrap_err().code(), Code::Unsupported);
}

#[test]
fn an_attached_dump_is_added_to_the_open_dumps() {
    let folder = Folder::new("dump");
    let path = folder.file("other.dmp", &dumpql::internals::synth::triage_sample());
    let session = triage_sample();
    let one = session.query("SELECT * FROM bugcheck").unwrap();
    let sql = format!("ATTACH '{path}' AS second; SELECT dump, code FROM bugcheck");
    let both = session.query(&sql).unwrap();
    let column = one.fields().iter().position(|f| f.name == "code").unwrap();
    let code = one.text(0, column);
    assert_eq!(rows(&both), [format!("sample|{code}"), format!("second|{code}")]);
    assert_eq!(session.query("FROM bugcheck").unwrap().fields().len(), one.fields().len() + 1);
    session.query("DETACH second").unwrap();
    assert_eq!(session.query("FROM bugcheck").unwrap().fields().len(), one.fields().len());
}

#[test]
fn files_next_to_dumps_are_named_by_their_stems() {
    let folder = Folder::new("beside");
    let known = folder.file("known.tsv", b"tag\tbytes\nIrp \t10\n");
    let taken = folder.file("modules.csv", b"name\nnt\n");
    let paths = [known.as_ref(), taken.as_ref()];
    let (session, failures) = Session::open_each(&paths, true, &Options::default());
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(rows(&session.query("FROM known").unwrap()), ["Irp |10"]);
    assert_eq!(rows(&session.query("FROM modules_csv").unwrap()), ["nt"]);
}

#[test]
fn random_edits_of_a_file_neither_panic_nor_hang() {
    let good = "name,base,size,made,is_on\r\nnt,0xfffff80000000000,17,2024-05-01 10:00:00,true\r\n\
                \"a \"\"b\"\", c\",fffff800`00001000,-1,2024-05-02,false\r\n,,,,\r\n";
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        usize::try_from(state >> 33).unwrap() % below
    };
    let marks = b"\",\r\n\t;|\0\xff0x`'-.eE9";
    for _ in 0..3_000 {
        let mut bytes = good.as_bytes().to_vec();
        for _ in 0..=next(6) {
            let at = next(bytes.len());
            match next(3) {
                0 => bytes[at] = marks[next(marks.len())],
                1 => bytes.insert(at, marks[next(marks.len())]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let tabs = next(4) == 0;
        let path = if tabs { "a.tsv" } else { "a.csv" };
        let kind = [Kind::Delimited, Kind::Json][next(2)];
        let stop = AtomicBool::new(false);
        let options = dumpql::internals::import::Options::default();
        let Ok(columns) = kind.columns(&bytes, path, &options, &stop) else {
            continue;
        };
        let session = Session::open_with(&[], &Options::default()).unwrap();
        session.attach_rows("t", columns).unwrap();
        session.query("FROM t").unwrap();
    }
}
