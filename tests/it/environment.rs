//! Command lines and environments in process memory match whole synthetic systems of every version.

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Format, System, SystemSpec, Windows};
use dumpql::{Options, Session};

use crate::systems::ALL;

fn build(windows: Windows) -> System {
    synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) })
}

fn open(system: &System, format: Format) -> Session {
    let image = Image::from_bytes("made.dmp", system.to_vec(format));
    Session::from_images(vec![image], &Options::default()).unwrap()
}

fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

#[test]
fn command_lines_match_the_system() {
    for windows in ALL {
        let system = build(windows);
        let session = open(&system, Format::Full);
        let sql = "SELECT pid, command_line FROM processes WHERE peb IS NOT NULL ORDER BY pid";
        let mut processes: Vec<_> = system.facts.processes.iter().filter(|p| p.peb != 0).collect();
        processes.sort_by_key(|process| process.pid);
        let expected: Vec<String> =
            processes.iter().map(|p| format!("{}|{}", p.pid, p.command_line)).collect();
        assert!(expected.len() > 3, "{windows:?}");
        assert_eq!(ask(&session, sql), expected, "{windows:?}");
        let sql = "SELECT DISTINCT why(command_line) FROM processes WHERE peb IS NULL";
        assert_eq!(ask(&session, sql), ["not applicable"], "{windows:?}");
    }
}

#[test]
fn environments_have_their_variables_in_order() {
    for windows in ALL {
        let system = build(windows);
        let session = open(&system, Format::Full);
        let mut expected = Vec::new();
        for process in system.facts.processes.iter().filter(|process| process.peb != 0) {
            let place = if process.session == Some(0) { "Services" } else { "Console" };
            for (name, value) in [
                ("ComSpec", r"C:\WINDOWS\system32\cmd.exe"),
                ("SESSIONNAME", place),
                ("SystemRoot", r"C:\WINDOWS"),
                ("USERDOMAIN", "CONTOSO"),
                ("USERNAME", "operator"),
            ] {
                let own = format!("{}|{}|{:.14}", process.eprocess, process.pid, process.name);
                expected.push(format!("{own}|{name}|{value}"));
            }
        }
        let sql = "SELECT CAST(eprocess AS VARCHAR), pid, left(process, 14), name, value \
                   FROM environment";
        let found: Vec<String> = ask(&session, sql);
        let number = |line: &String| {
            let (address, rest) = line.split_once('|').unwrap();
            let address = u64::from_str_radix(address.trim_start_matches("0x"), 16).unwrap();
            format!("{address}|{rest}")
        };
        let found: Vec<String> = found.iter().map(number).collect();
        assert_eq!(found, expected, "{windows:?}");
        let one = system.facts.processes.iter().rfind(|process| process.peb != 0).unwrap();
        let sql = format!(
            "SELECT count(*), count(DISTINCT pid) FROM environment WHERE pid = {}",
            one.pid
        );
        assert_eq!(ask(&session, &sql), ["5|1"], "{windows:?}");
    }
}

#[test]
fn values_missing_from_a_kernel_dump_have_a_reason() {
    for windows in [Windows::Server2003, Windows::Windows10] {
        let system = build(windows);
        let session = open(&system, Format::KernelSummary);
        let with_peb = system.facts.processes.iter().filter(|process| process.peb != 0).count();
        let sql =
            "SELECT why(command_line), count(*) FROM processes WHERE peb IS NOT NULL GROUP BY 1";
        assert_eq!(ask(&session, sql), [format!("not in dump|{with_peb}")], "{windows:?}");
        let sql = "SELECT why(name), why(value), count(*), count(DISTINCT pid) \
                   FROM environment GROUP BY ALL";
        let expected = format!("not in dump|not in dump|{with_peb}|{with_peb}");
        assert_eq!(ask(&session, sql), [expected], "{windows:?}");
    }
}
