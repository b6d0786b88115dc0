//! Files in queries: separated values, JSON, Parquet, text, and path patterns.

use std::path::PathBuf;

use dumpql::internals::diag::Code;
use dumpql::{Options, Session, Value};

use crate::rows::texts as rows;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dumpql-files-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
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

fn session() -> Session {
    Session::open_with(&[], &Options::default().files(true)).unwrap()
}

fn of(session: &Session, sql: &str) -> Vec<String> {
    rows(&session.query(sql).unwrap_or_else(|error| panic!("{sql}\n{}", error.render(None, false))))
}

fn error(session: &Session, sql: &str) -> String {
    session.query(sql).unwrap_err().to_string()
}

#[test]
fn options_of_separated_values() {
    let folder = Folder::new("csv");
    let path = folder.file("a.csv", b"made by x\n1;-;007\n2;b;8\n");
    let session = session();
    let read = |more: &str| of(&session, &format!("FROM read_csv('{path}', delim => ';'{more})"));
    assert_eq!(read(", header => false, skip => 1, nullstr => '-'"), ["1||007", "2|b|8"]);
    let sql = format!(
        "SELECT id + 1, word, n || 'x' FROM read_csv('{path}', sep = ';', header = false, skip = 1, \
         columns => ('id BIGINT', 'word VARCHAR', 'n VARCHAR'))"
    );
    assert_eq!(of(&session, &sql), ["2|-|007x", "3|b|8x"]);
    let sql = format!(
        "SELECT typeof(a), a, b FROM read_csv('{path}', delim => ';', header => false, skip => 1, \
         names => ('a', 'b'), all_varchar => true)"
    );
    assert_eq!(of(&session, &sql), ["VARCHAR|1|-", "VARCHAR|2|b"]);
    assert!(error(&session, &format!("FROM read_csv('{path}', colour => 1)")).contains("colour"));
    assert!(error(&session, &format!("FROM read_csv('{path}', skip => 'x')")).contains("lines"));
    let sql = format!("FROM read_csv('{path}', delim => ';', skip => 1, columns => ('a BOOLEAN'))");
    assert!(error(&session, &sql).contains("line 2: `1` in column `a` is not of type BOOLEAN"));
    let sql = "FROM read_csv($FILE, delim => ';', skip => 1, header => false)";
    let found = session.prepare(sql).unwrap().value("file", Value::text(path)).run().unwrap();
    assert_eq!(found.len(), 2, "parameters are found in any case");
}

#[test]
fn json_gives_columns() {
    let folder = Folder::new("json");
    let lines =
        folder.file("a.jsonl", b"{\"a\": 1, \"b\": {\"c\": [1, 2]}}\n{\"a\": 2.5, \"d\": \"x\"}\n");
    let array =
        folder.file("b.json", b"[{\"a\": 1, \"t\": \"2024-05-01 10:00:00\"}, {\"a\": null}]");
    let session = session();
    assert_eq!(of(&session, &format!("FROM '{lines}'")), ["1.0|{\"c\": [1, 2]}|", "2.5||x"]);
    let sql = format!("SELECT a, t + INTERVAL 1 HOUR FROM read_json('{array}')");
    assert_eq!(of(&session, &sql), ["1|2024-05-01 11:00:00", "|"]);
    let bad = folder.file("c.json", b"[{\"a\": 1},\n{\"a\" 2}]");
    let message = error(&session, &format!("FROM '{bad}'"));
    assert!(message.contains("c.json") && message.contains("line 2"), "{message}");
}

#[test]
fn parquet_is_read_as_it_was_written() {
    let folder = Folder::new("parquet");
    let path = folder.path("a.parquet");
    let session = session();
    let values = "(VALUES (1, 1.5, 'x', true, 0xfffff80000001000, TIMESTAMP '2024-05-01 10:00:00.5', INTERVAL 5 MINUTE), \
                  (NULL, NULL, NULL, NULL, NULL, NULL, NULL)) AS v(i, d, s, b, p, t, n)";
    session.query(&format!("COPY (FROM {values}) TO '{path}'")).unwrap();
    assert_eq!(of(&session, &format!("FROM '{path}'")), of(&session, &format!("FROM {values}")));
    let types = "SELECT typeof(i), typeof(d), typeof(s), typeof(b), typeof(p), typeof(t) FROM";
    let found = of(&session, &format!("{types} read_parquet('{path}') LIMIT 1"));
    assert_eq!(found, ["INTEGER|DOUBLE|VARCHAR|BOOLEAN|ADDRESS|TIMESTAMP"]);
    let attached = format!("ATTACH '{path}' AS p; SELECT count(*) FROM p");
    assert_eq!(of(&session, &attached), ["2"]);
}

#[test]
fn damaged_parquet_is_an_error_that_names_the_file() {
    let folder = Folder::new("damaged");
    let path = folder.path("a.parquet");
    let session = session();
    session
        .query(&format!("COPY (SELECT i, i || 'x' AS s FROM range(5000) AS r(i)) TO '{path}'"))
        .unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for at in (0..bytes.len()).step_by(bytes.len() / 97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        let path = folder.file("b.parquet", &damaged);
        if let Err(error) = session.query(&format!("SELECT count(i), count(s) FROM '{path}'")) {
            assert!(error.to_string().contains("b.parquet"), "{at}: {error}");
            assert_ne!(error.code(), Code::Internal, "{at}");
            refused += 1;
        }
        let path = folder.file("c.parquet", &bytes[..at]);
        let error = session.query(&format!("FROM '{path}'")).unwrap_err();
        assert!(error.to_string().contains("c.parquet"), "{at}: {error}");
    }
    assert!(refused > 5, "{refused}");
}

#[test]
fn patterns_name_several_files() {
    let folder = Folder::new("glob");
    folder.file("a.csv", b"id,x\n1,a\n");
    folder.file("b.csv", b"id,x\n2.5,b\n");
    folder.file("in/c.csv", b"x,y\nc,9\n");
    folder.file(".hidden.csv", b"id,x\n7,z\n");
    let session = session();
    let at = folder.path("");
    assert_eq!(of(&session, &format!("FROM '{at}*.csv'")), ["1.0|a", "2.5|b"]);
    assert_eq!(of(&session, &format!("SELECT id FROM '{at}[b-z].csv'")), ["2.5"]);
    let sql = format!(
        "SELECT id, x, y, replace(filename, '{at}', '') FROM \
         read_csv('{at}**/*.csv', union_by_name => true, filename => true) ORDER BY x"
    );
    assert_eq!(of(&session, &sql), ["1.0|a||a.csv", "2.5|b||b.csv", "|c|9|in/c.csv"]);
    let message = error(&session, &format!("FROM '{at}**/*.csv'"));
    assert!(message.contains("different columns"), "{message}");
    let sql = format!("SELECT replace(file, '{at}', '') FROM glob('{at}**/*.csv')");
    assert_eq!(of(&session, &sql), ["a.csv", "b.csv", "in/c.csv"]);
    assert_eq!(of(&session, &format!("FROM glob('{at}*.none')")), Vec::<String>::new());
    assert_eq!(session.query(&format!("FROM '{at}*.parquet'")).unwrap_err().code(), Code::Io);
    let sql = format!("SELECT content, size FROM read_text('{at}a.csv')");
    assert_eq!(of(&session, &sql), ["id,x\n1,a\n|9"]);
}

#[test]
fn files_are_read_where_the_program_allows_it_and_within_the_memory() {
    let folder = Folder::new("limits");
    let path = folder.file("a.csv", "1234567,abcdefg\n".repeat(100_000).as_bytes());
    let closed = Session::open_with(&[], &Options::default()).unwrap();
    for sql in [
        format!("FROM '{path}'"),
        format!("FROM read_text('{path}')"),
        format!("FROM glob('{path}')"),
        format!("FROM read_json('{path}')"),
        format!("FROM read_parquet('{path}')"),
    ] {
        assert_eq!(closed.query(&sql).unwrap_err().code(), Code::Unsupported, "{sql}");
    }
    let session = session();
    for sql in [format!("FROM '{path}'"), format!("FROM read_text('{path}')")] {
        let small = session.prepare(&sql).unwrap().memory(1 << 20);
        assert_eq!(small.run().unwrap_err().code(), Code::Limit, "{sql}");
    }
    let missing = session.query("FROM '/no/such/file.parquet'").unwrap_err();
    assert_eq!(missing.code(), Code::Io);
}
