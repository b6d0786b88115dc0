//! The examples run, and print what they demonstrate.

#[path = "../../examples/custom_functions.rs"]
mod custom_functions;
#[path = "../../examples/custom_source.rs"]
mod custom_source;
#[path = "../../examples/custom_table.rs"]
mod custom_table;
#[path = "../../examples/progress.rs"]
mod progress;

use std::io::Write;

fn printed(run: impl FnOnce(&mut dyn Write) -> Result<(), Box<dyn std::error::Error>>) -> String {
    let mut out = Vec::new();
    run(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_host_table_receives_the_columns_and_hints_of_the_query() {
    let expected = "tcpip belongs to network\nasked for 1 of 4\n\
                    owners: One row a driver that a team owns.\n";
    let text = printed(custom_table::run);
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("no table `owner`"), "{text}");
}

#[test]
fn functions_of_the_host_are_called() {
    let text = printed(custom_functions::run);
    assert!(text.starts_with("mnprt\ntcpip\n0 5 7\nlongest aggregate host\n"), "{text}");
    assert!(text.contains("expected a number that is not negative"), "{text}");
    assert!(text.contains("FROM bits(-1)"), "{text}");
}

#[test]
fn a_source_of_the_host_fills_tables() {
    let text = printed(custom_source::run);
    let rows = "firmware 0x0000000000001000\nradio 0x0000000000008000\ncpu 71\n";
    assert!(text.starts_with(rows), "{text}");
    assert!(text.contains("`threads` is answered by"), "{text}");
}

#[test]
fn a_query_reports_progress_and_is_cancelled() {
    let text = printed(progress::run);
    assert!(text.starts_with("cancelled\n"), "{text}");
}
