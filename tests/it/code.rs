//! Code, memory words and file bytes of dumps as rows.

use dumpql::{Options, Session};

use crate::corpus;
use crate::system::ask;

/// A process of 32-bit code in Windows 7 with all its memory.
const WOW64: &str = "llvm-lldb_fizzbuzz_wow64.dmp";

fn open(name: &str) -> Option<Session> {
    let path = corpus::folder()?.join("dumps/user").join(name);
    Some(Session::open_with(&[&path], &Options::default()).unwrap())
}

#[test]
fn bytes_of_the_file_begin_with_its_signature() {
    let Some(session) = open(WOW64) else { return };
    let rows = ask(&session, "SELECT \"offset\", bytes, ascii FROM file_bytes(0, 4)");
    assert_eq!(rows, ["0|4d444d50|MDMP"]);
    assert!(ask(&session, "SELECT bytes FROM file_bytes(1000000000000, 4)").is_empty());
}

#[test]
fn words_are_what_poi_reads() {
    let Some(session) = open(WOW64) else { return };
    let sql = "SELECT count(*), bool_and(value = poi(address)) FROM words(0x7efdf000, 40)";
    assert_eq!(ask(&session, sql), ["40|true"]);
}

#[test]
fn instructions_follow_each_other() {
    let Some(session) = open(WOW64) else { return };
    // The first instruction of each frame whose code is there, and nineteen more.
    let places =
        ask(&session, "SELECT DISTINCT ip FROM stacks WHERE module IS NOT NULL ORDER BY ip");
    assert!(!places.is_empty());
    for ip in places {
        let sql = format!(
            "WITH code AS (SELECT address, length(bytes) / 2 AS size, \
                 lead(address) OVER (ORDER BY address) AS next FROM disasm({ip}, 20)) \
             SELECT bool_and(next IS NULL OR address + CAST(size AS BIGINT) = next) FROM code"
        );
        let rows = ask(&session, &sql);
        assert!(rows.iter().all(|row| row != "false"), "{ip}");
        let one = format!(
            "SELECT mnemonic = split_part(instruction({ip}), ' ', 1) OR mnemonic LIKE '% %' FROM disasm({ip}, 1)"
        );
        assert!(ask(&session, &one).iter().all(|row| row == "true"), "{ip}");
    }
}

#[test]
fn wrong_arguments_are_reported() {
    let Some(session) = open(WOW64) else { return };
    let refused = |sql: &str| session.query(sql).unwrap_err().render(None, false);
    let error = refused("SELECT * FROM calls_to(0x1000, 'nosuch')");
    assert!(error.contains("no module `nosuch`"), "{error}");
    let error = refused("SELECT * FROM disasm(0x1000, -1)");
    assert!(error.contains("expected 0 to"), "{error}");
}
