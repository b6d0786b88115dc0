//! The examples run, and print what they demonstrate.

#[path = "../../examples/custom_functions.rs"]
mod custom_functions;
#[path = "../../examples/custom_source.rs"]
mod custom_source;
#[path = "../../examples/custom_table.rs"]
mod custom_table;
#[path = "../../examples/progress.rs"]
mod progress;
#[path = "../../examples/progress_bar.rs"]
mod progress_bar;
#[path = "../../examples/triage_service.rs"]
mod triage_service;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value as Json;

use dumpql::internals::synth::triage_sample;

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

#[test]
fn a_bar_shows_how_far_a_query_is() {
    let text = printed(progress_bar::run);
    let bars: Vec<&str> = text.split('\r').collect();
    assert!(bars.len() > 1 && bars.iter().all(|bar| bar.chars().count() < 80), "{text:?}");
    assert!(text.contains("[####################] 100 %"), "{text:?}");
    assert!(text.trim_end().ends_with("IRPs"), "{text:?}");
}

/// What the service answers to the bytes of a request: its status line and its body.
fn posted(request: &[&[u8]]) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| triage_service::serve(&listener, 1));
        let mut stream = TcpStream::connect(address).unwrap();
        for part in request {
            // The service may have answered and left before it has all.
            let _ = stream.write_all(part);
        }
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let answer = answer.replace("HTTP/1.1 100 Continue\r\n\r\n", "");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    })
}

fn with_length(length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: x\r\ncontent-length: {length}\r\nExpect: 100-continue\r\n\r\n"
    )
}

#[test]
fn the_triage_service_says_what_happened() {
    let dump = triage_sample();
    let (status, body) = posted(&[with_length(dump.len()).as_bytes(), &dump]);
    assert_eq!(status, "HTTP/1.1 200 OK");
    let rows: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(rows[0]["item"], "what happened");
    assert_eq!(rows[0]["value"], "DRIVER_IRQL_NOT_LESS_OR_EQUAL (0xd1)");
    assert!(body.contains("AvFilter"), "{body}");
}

#[test]
fn the_triage_service_refuses_what_is_no_dump_or_too_much() {
    let (status, body) = posted(&[with_length(9).as_bytes(), b"no \"dump\""]);
    assert_eq!(status, "HTTP/1.1 422 Unprocessable Content");
    let error: Json = serde_json::from_str(&body).unwrap();
    assert!(error["code"].as_str().unwrap().starts_with("E04"), "{body}");
    let status = |request: &[&[u8]]| posted(request).0;
    assert!(status(&[b"GET / HTTP/1.1\r\n\r\n"]).contains("405"));
    assert!(status(&[b"POST / HTTP/1.1\r\n\r\n"]).contains("411"));
    assert!(status(&[with_length(usize::MAX).as_bytes()]).contains("413"));
    assert!(status(&[with_length(9).as_bytes(), b"short"]).contains("400"));
    let long = vec![b'x'; 20_000];
    assert!(status(&[b"POST / HTTP/1.1\r\nX: ", &long]).contains("431"));
}
