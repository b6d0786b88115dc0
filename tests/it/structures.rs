//! `struct`, `list` and `array` over whole synthetic systems: any structure as rows.

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Format, System, SystemSpec, Windows};
use dumpql::{Options, Session};

use crate::systems::ALL;

fn build(windows: Windows) -> System {
    synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) })
}

fn open(system: &System) -> Session {
    let image = Image::from_bytes("made.dmp", system.to_vec(Format::Full));
    Session::from_images(vec![image], &Options::default()).unwrap()
}

fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

#[test]
fn a_list_has_every_process_with_its_fields() {
    for windows in ALL {
        let system = build(windows);
        let session = open(&system);
        let listed = system.facts.processes.iter().filter(|process| process.pid != 0);
        let expected: Vec<String> =
            listed.map(|p| format!("true|{}|{:.15}|{}", p.pid, p.name, p.threads.len())).collect();
        let sql = "SELECT l.address = p.eprocess, CAST(l.UniqueProcessId AS BIGINT), \
                   l.ImageFileName, l.ActiveThreads \
                   FROM list('nt!PsActiveProcessHead', '_EPROCESS', 'ActiveProcessLinks') l \
                   LEFT JOIN processes p ON p.pid = CAST(l.UniqueProcessId AS BIGINT)";
        assert_eq!(ask(&session, sql), expected, "{windows:?}");
    }
}

#[test]
fn a_structure_has_the_fields_of_nested_structures() {
    for windows in ALL {
        let system = build(windows);
        let session = open(&system);
        let process = &system.facts.processes[2];
        let thread = &process.threads[0];
        let at = thread.ethread;
        let is_narrow = !windows.is_64_bit();
        let width = if is_narrow { 8 } else { 16 };
        let hex = |value: u64| format!("0x{value:0width$x}");
        let expected = format!("{}|{}|{}", thread.tid, hex(thread.stack.3), hex(process.eprocess));
        // All names lead to the type, and dots to fields of fields.
        for name in ["_ETHREAD", "nt!_ETHREAD", "ethread"] {
            let sql = format!(
                "SELECT CAST(t.Cid.UniqueThread AS BIGINT), Tcb.StackLimit, \
                 \"Tcb.ApcState.Process\" FROM struct('{name}', {at:#x}) t"
            );
            assert_eq!(ask(&session, &sql), [expected.as_str()], "{windows:?} {name}");
        }
        // What `*` shows are the structure's own fields.
        let all = session.query(&format!("SELECT * FROM struct('_ETHREAD', {at:#x})")).unwrap();
        assert!(all.fields().iter().all(|field| !field.name.contains('.')));
        assert!(all.fields().len() > 30);
    }
}

#[test]
fn an_array_steps_by_the_size_of_its_type() {
    for windows in ALL {
        let system = build(windows);
        let session = open(&system);
        let head = system.symbols["PsActiveProcessHead"];
        let sql = format!("SELECT address, Flink FROM array('_LIST_ENTRY', {head:#x}, 3)");
        let rows = ask(&session, &sql);
        let step = if windows.is_64_bit() { 16 } else { 8 };
        for (i, row) in rows.iter().enumerate() {
            let at = format!("{:x}|", head + step * i as u64);
            assert!(row.contains(&at), "{windows:?}: {row} has not {at}");
        }
        assert_eq!(rows.len(), 3);
        assert_eq!(ask(&session, &sql.replace(", 3)", ", 0)")), Vec::<String>::new());
    }
}

#[test]
fn memory_of_a_process_is_read_through_its_own_tables() {
    for windows in [Windows::Server2003Pae, Windows::Windows7, Windows::Windows11] {
        let system = build(windows);
        let session = open(&system);
        let process = system.facts.processes.iter().find(|process| process.peb != 0).unwrap();
        let call = format!("struct('_PEB', {:#x}, {:#x})", process.peb, process.eprocess);
        let sql = format!(
            "SELECT ProcessParameters IS NOT NULL AND ProcessParameters <> 0x0 FROM {call}"
        );
        assert_eq!(ask(&session, &sql), ["true"], "{windows:?}");
        let kernel = format!("SELECT why(Ldr) FROM struct('_PEB', {:#x})", process.peb);
        assert_eq!(ask(&session, &kernel), ["not in dump"], "{windows:?}");
    }
}

#[test]
fn a_singly_linked_list_ends_at_its_last_entry() {
    let system = build(Windows::Windows10);
    let session = open(&system);
    // The variable points to the directory, whose chains are lists of pointers.
    let root = ask(&session, "SELECT poi(nt!ObpRootDirectoryObject)");
    let mut entries = 0;
    for bucket in 0..37 {
        let sql = format!(
            "SELECT \"HashBuckets[{bucket}]\" FROM struct('_OBJECT_DIRECTORY', {})",
            root[0]
        );
        let first = ask(&session, &sql);
        let sql = format!(
            "SELECT count(*), count(Object) FROM list({}, '_OBJECT_DIRECTORY_ENTRY', 'ChainLink')",
            first[0]
        );
        let counts = ask(&session, &sql);
        let (all, with_object) = counts[0].split_once('|').unwrap();
        assert_eq!(all, with_object);
        entries += all.parse::<usize>().unwrap();
    }
    let top = ["ObjectTypes", "Device", "Driver", "FileSystem", "BaseNamedObjects"];
    assert!(entries >= top.len(), "{entries} entries");
}

#[test]
fn a_call_that_fails_gives_the_reason() {
    let system = build(Windows::Windows10);
    let session = open(&system);
    let error =
        |sql: &str| session.query(sql).err().map(|error| error.to_string()).unwrap_or_default();
    let cases = [
        ("SELECT * FROM struct('_ETHRED', 0x1000)", "no type `_ETHRED`"),
        ("SELECT * FROM struct('_ETHREAD', 'nt!NoSuchThing')", "no open source answers"),
        ("SELECT * FROM list(0x1000, '_EPROCESS', 'ActiveLinks')", "no field `ActiveLinks`"),
        ("SELECT * FROM list(0x1000, '_EPROCESS', 'UniqueProcessId.x')", "no field"),
        ("SELECT * FROM list(0x1000, '_EPROCESS', 'ActiveThreads')", "links no structures"),
        ("SELECT * FROM array('_EPROCESS', 0x1000, -1)", "expected 0 to"),
        ("SELECT * FROM struct('nosuch!_X', 0x1000)", "no module `nosuch`"),
        ("SELECT * FROM struct('_PEB', 0x1000, 0x2000)", "no process at that address"),
        ("SELECT Tcb.Stat FROM struct('_ETHREAD', 0x1000)", "no column `Tcb.Stat`"),
    ];
    for (sql, expected) in cases {
        let found = error(sql);
        assert!(found.contains(expected), "{sql}: {found}");
    }
    // Memory that is not there is absent, not an error; a list that leads nowhere is empty.
    let absent =
        ask(&session, "SELECT why(ImageFileName) FROM struct('_EPROCESS', 0xffff900000000000)");
    assert_eq!(absent, ["not in dump"]);
    let sql = "SELECT count(*) FROM list(0xffff900000000000, '_EPROCESS', 'ActiveProcessLinks')";
    assert_eq!(ask(&session, sql), ["0"]);
    let sql = "SELECT count(*) FROM array('_EPROCESS', 0xfffffffffffff000, 10000000)";
    assert_eq!(ask(&session, sql).len(), 1);
}
