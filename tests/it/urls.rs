//! Dumps on HTTP servers, good and hostile ones.

use std::time::Duration;

use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::{Image, Options, RangeReader, Session};

use crate::cli::{Folder, program};
use crate::object_server::{Bytes, Manner, Server, Thin};
use crate::system::ask;
use crate::watchdog;

/// Longer than any answer of a good server takes.
const LIMIT: Duration = Duration::from_secs(60);

fn open(server: &Server, limit: Duration) -> Result<Session, String> {
    let image = Image::open_url_within(&server.url, limit).map_err(|error| error.to_string())?;
    Session::from_images(vec![image], &Options::default()).map_err(|error| error.to_string())
}

/// What goes wrong when a dump of a server is opened and read.
fn failure(manner: Manner) -> String {
    let bytes = synth::system(&synth::healthy(Windows::Windows10)).to_vec(Format::BitmapFull);
    let server = Server::new(Bytes(bytes), manner);
    let _watched = watchdog::watch(format!("{manner:?}"));
    let hangs = matches!(manner, Manner::Drip | Manner::Headers | Manner::Silent);
    let limit = if hangs { Duration::from_secs(1) } else { LIMIT };
    let failed = match open(&server, limit) {
        Ok(session) => session.query("FROM processes").unwrap_err().to_string(),
        Err(error) => error,
    };
    let host = server.url.trim_end_matches("MEMORY.DMP");
    assert!(failed.contains(host), "the message names the object: {failed}");
    failed
}

#[test]
fn the_bug_check_of_a_large_dump_takes_few_bytes_of_a_server() {
    let spec = SystemSpec { physical_pages: 1 << 20, ..synth::sick(Windows::Windows10) };
    let mut file = Thin::default();
    synth::system(&spec).write(Format::Full, &mut file).unwrap();
    assert!(file.size() > 4 << 30);
    let server = Server::new(file, Manner::Good);
    let session = open(&server, LIMIT).unwrap();
    assert_eq!(ask(&session, "SELECT count(*) FROM bugcheck"), ["1"]);
    assert_eq!(ask(&session, "SELECT dump FROM bugcheck"), ["MEMORY.DMP"]);
    let (bytes, requests) = (server.counts.bytes(), server.counts.requests());
    println!("{bytes} bytes in {requests} requests");
    assert!(bytes <= 1 << 20 && requests < 20, "{bytes} bytes in {requests} requests");
    let heads = server.heads.lock().unwrap();
    assert!(
        heads.iter().all(|head| head.to_ascii_lowercase().contains("accept-encoding: identity"))
    );
}

#[test]
fn a_server_answers_as_the_file() {
    let bytes = synth::triage_sample();
    for manner in [Manner::Good, Manner::Flaky(1), Manner::Flaky(2), Manner::Redirect] {
        let server = Server::new(Bytes(bytes.clone()), manner);
        let session = open(&server, LIMIT).unwrap();
        let local = Image::from_bytes("MEMORY.DMP", bytes.clone());
        let local = Session::from_images(vec![local], &Options::default()).unwrap();
        for sql in ["FROM bugcheck", "FROM threads", "FROM modules", "FROM stacks"] {
            assert_eq!(ask(&session, sql), ask(&local, sql), "{manner:?}: {sql}");
        }
    }
}

#[test]
fn servers_that_give_no_ranges_are_refused() {
    for (manner, words) in [
        (Manner::NoRanges, "the server gives no ranges of it, only the whole: download it first"),
        (Manner::NoRange, "the server does not say which range it gives"),
        (Manner::OtherRange, "another range than it was asked for"),
        (Manner::Packed, "the server compresses what it sends"),
        (Manner::Status(404), "the server does not have it"),
        (Manner::Status(403), "does not allow to read it (status 403)"),
        (Manner::Status(418), "answered with status 418"),
        (Manner::Status(500), "answered with status 500"),
        (Manner::Flaky(3), "answered with status 503"),
        (Manner::Noise, ""),
    ] {
        let failed = failure(manner);
        assert!(failed.contains(words), "{manner:?}: {failed}");
    }
    let nobody = Image::open_url_within("http://127.0.0.1:1/x.dmp?signature=secret", LIMIT);
    let failed = nobody.unwrap_err().to_string();
    assert!(failed.contains("http://127.0.0.1:1/x.dmp:") && !failed.contains("secret"), "{failed}");
    for url in ["http://", "http:///x", "https://[/x", "http://a b/", "http://127.0.0.1:99999/"] {
        assert!(Image::open_url_within(url, LIMIT).is_err(), "{url}");
    }
}

#[test]
fn servers_that_lie_or_hang_end_the_query() {
    for (manner, words) in [
        (Manner::Short, "ended early"),
        (Manner::Long, "more than the range"),
        (Manner::LessRange, "another range than it was asked for"),
        (Manner::OtherSize(3), "was replaced or changed"),
        (Manner::OtherTag(3), "was replaced or changed"),
        (Manner::OtherTime(3), "was replaced or changed"),
        (Manner::Gone(3), ""),
        (Manner::Drip, ""),
        (Manner::Headers, ""),
        (Manner::Silent, "timeout"),
    ] {
        let failed = failure(manner);
        assert!(failed.contains(words), "{manner:?}: {failed}");
        assert!(!failed.contains(char::is_control) || failed.lines().count() < 4, "{failed}");
    }
}

#[test]
fn sessions_open_urls_only_where_the_program_allows_it() {
    let server = Server::new(Bytes(synth::triage_sample()), Manner::Good);
    let attach = format!("ATTACH '{}' AS it; SELECT count(*) FROM bugcheck", server.url);
    let closed = Session::open_with(&[], &Options::default().files(true)).unwrap();
    let error = closed.query(&attach).unwrap_err();
    assert_eq!(error.code().to_string(), "E0209", "{error}");
    let error = Session::open_with(&[server.url.as_ref()], &Options::default()).unwrap_err();
    assert!(error.to_string().contains("does not open URLs"), "{error}");
    assert_eq!(server.counts.requests(), 0);
    let options = Options::default().urls(true);
    let open = Session::open_with(&[server.url.as_ref()], &options).unwrap();
    assert_eq!(ask(&open, "SELECT count(*) FROM bugcheck"), ["1"]);
    assert_eq!(ask(&open, &attach), ["2"]);
    let error = open.query(&format!("ATTACH '{}.csv'", server.url)).unwrap_err();
    assert!(error.to_string().contains("download it first"), "{error}");
}

#[test]
fn the_command_line_opens_the_urls_that_it_names() {
    let server = Server::new(Bytes(synth::triage_sample()), Manner::Good);
    let folder = Folder::new("urls");
    let path = folder.file("MEMORY.DMP");
    std::fs::write(&path, synth::triage_sample()).unwrap();
    let run = |dump: &str, query: &[&str]| {
        let output = program().arg(dump).args(query).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let query = ["-q", "overview"];
    let (file, url) = (run(&path, &query), run(&server.url, &query));
    assert_eq!((file.0, &file.1), (Some(0), &url.1), "{}", url.2);
    let signed = format!("{}?signature=secret#part", server.url);
    let shown = run(&signed, &["-c", "SELECT path FROM dump", "--format", "csv"]);
    assert_eq!(shown.1.trim(), format!("path\n{}", server.url));
    let attach = format!("ATTACH '{}' AS other; FROM dump", server.url);
    let refused = run(&path, &["-c", &attach]);
    assert_eq!(refused.0, Some(1));
    assert!(refused.2.contains("name it on the command line"), "{}", refused.2);
    let none = run(&Server::new(Bytes(vec![1; 9]), Manner::NoRanges).url, &query);
    assert!(none.2.contains("download it first"), "{}", none.2);
    let opened = format!(".open {}\nSELECT count(*) FROM bugcheck;\n", server.url);
    let mut prompt = program();
    prompt.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = prompt.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), opened.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains('1'), "{output:?}");
}
