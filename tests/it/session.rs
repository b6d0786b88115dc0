//! The session as a host program uses it: strictness, plans with times, batches, memory of dumps.

use dumpql::internals::diag::Code;
use dumpql::internals::dump::Image;
use dumpql::internals::session::Options;
use dumpql::{ResultSet, Session, Value};

fn rows(result: &ResultSet) -> Vec<String> {
    let cells = |row| (0..result.fields().len()).map(move |c| result.text(row, c));
    (0..result.len()).map(|row| cells(row).collect::<Vec<_>>().join("|")).collect()
}

/// A minidump of an x64 process with only `bytes` at an address.
fn minidump(address: u64, bytes: &[u8]) -> Image {
    let mut file = Vec::new();
    let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
    // Header: signature, version, streams, their directory, checksum, time, flags.
    for value in [u32::from_le_bytes(*b"MDMP"), 0xa793, 2, 32, 0, 0, 0, 0] {
        word(&mut file, value);
    }
    let (system, list) = (56, 56 + 56);
    for (kind, size, at) in [(7, 56, system), (5, 20, list)] {
        for value in [kind, size, at] {
            word(&mut file, value);
        }
    }
    // System information: the processor is x64, the system Windows 10.
    let start = file.len();
    file.extend(9u16.to_le_bytes());
    file.resize(start + 8, 0);
    for value in [10, 0, 19041, 2] {
        word(&mut file, value);
    }
    file.resize(start + 56, 0);
    word(&mut file, 1);
    file.extend(address.to_le_bytes());
    for value in [u32::try_from(bytes.len()).unwrap(), list + 20] {
        word(&mut file, value);
    }
    file.extend(bytes);
    Image::from_bytes("memory.dmp", file)
}

fn with_memory() -> Session {
    let mut bytes = 0x1122_3344_5566_7788u64.to_le_bytes().to_vec();
    bytes.extend(b"plain\0\0\0");
    bytes.extend("wide\0".encode_utf16().flat_map(u16::to_le_bytes));
    Session::from_images(vec![minidump(0x1000, &bytes)], &Options::default()).unwrap()
}

#[test]
fn functions_read_memory() {
    let session = with_memory();
    let sql = "SELECT poi(0x1000), u8(0x1000), u16(0x1001), u32(0x1004), u64(0x1000), \
               ascii(0x1008), utf16(0x1010), poi(0x2000)";
    let expected = "0x1122334455667788|136|26231|287454020|0x1122334455667788|plain|wide|";
    assert_eq!(rows(&session.query(sql).unwrap()), [expected]);
}

#[test]
fn a_function_that_reads_memory_is_told_which_dump() {
    let bytes = |n: u64| n.to_le_bytes().to_vec();
    let images = vec![minidump(0x1000, &bytes(7)), Image::from_bytes("sample", sample())];
    let session = Session::from_images(images, &Options::default()).unwrap();
    let error = session.query("SELECT poi(0x1000)").unwrap_err();
    assert!(error.to_string().contains("dump"), "{error}");
    let sql = "SELECT poi(0x1000, 'memory.dmp')";
    assert_eq!(rows(&session.query(sql).unwrap()), ["0x0000000000000007"]);
    let sql = "SELECT dump, symbol(base + 16, dump) FROM modules WHERE dump = 'sample' LIMIT 1";
    assert_eq!(rows(&session.query(sql).unwrap()), ["sample|nt+0x10"]);
    let error = session.query("SELECT poi(0x1000, 'other.dmp')").unwrap_err();
    assert!(error.to_string().contains("other.dmp"), "{error}");
}

fn sample() -> Vec<u8> {
    dumpql::internals::synth::triage_sample()
}

#[test]
fn strict_makes_values_that_cannot_be_read_errors() {
    let sql = "SELECT company FROM modules";
    let open = |strict| {
        let options = Options::default().strict(strict);
        Session::from_images(vec![Image::from_bytes("sample", sample())], &options).unwrap()
    };
    let lenient = open(false).query(sql).unwrap();
    assert!(lenient.footnotes().iter().any(|note| note.column == "company" && note.count > 0));
    let error = open(true).query(sql).unwrap_err();
    assert_eq!(error.code(), Code::Strict);
    assert!(error.to_string().contains("`company` of `modules`"), "{error}");
    assert!(open(true).query("SELECT name FROM modules").is_ok());
}

#[test]
fn explain_analyze_shows_each_operator() {
    let session = crate::corpus::triage_sample();
    let sql =
        "EXPLAIN ANALYZE SELECT count(*) FROM modules m JOIN range(3) r ON true WHERE m.base > 0";
    let result = session.query(sql).unwrap();
    let names: Vec<&str> = result.fields().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["operator", "rows", "ms"]);
    let modules = session.query("SELECT count(*) FROM modules").unwrap().value(0, 0).as_int();
    let rows_of = |label: &str| {
        let found =
            (0..result.len()).find(|&row| result.text(row, 0).trim_start().starts_with(label));
        found.map(|row| result.value(row, 1))
    };
    assert_eq!(rows_of("scan modules"), modules.map(Value::Int));
    assert_eq!(rows_of("call range"), Some(Value::Int(3)));
    assert_eq!(rows_of("aggregate"), Some(Value::Int(1)));
}

#[test]
fn batches_hold_the_rows() {
    let session = crate::corpus::triage_sample();
    let result = session.query("SELECT name, base, size_bytes, why(company) FROM modules").unwrap();
    let batches = result.record_batches().unwrap();
    let mut rows = 0;
    for batch in &batches {
        rows += batch.len();
    }
    assert_eq!(rows, result.len());
    assert!(batches.iter().all(|batch| batch.arrays().len() == 4));
    assert_eq!(result.to_data_frame().unwrap().width(), 4);
}

#[test]
#[expect(unsafe_code, reason = "the stream is read as a program in another language would")]
fn the_arrow_stream_holds_the_rows() {
    use polars_arrow::array::StructArray;
    use polars_arrow::ffi::ArrowArrayStreamReader;

    let session = crate::corpus::triage_sample();
    let sql = "SELECT range AS n, 'x' || range AS t, TIMESTAMP '2007-11-01' AS at FROM range(5)";
    let result = session.query(sql).unwrap();
    let stream = Box::new(result.to_arrow_stream().unwrap());
    // SAFETY: the stream was made by `to_arrow_stream`, and there is no other reader.
    let mut reader = unsafe { ArrowArrayStreamReader::try_new(stream) }.unwrap();
    let (mut rows, mut names) = (0, Vec::new());
    // SAFETY: as above.
    while let Some(array) = unsafe { reader.next() } {
        let array = array.unwrap();
        let batch = array.as_any().downcast_ref::<StructArray>().unwrap();
        names = batch.fields().iter().map(|field| field.name.to_string()).collect();
        rows += batch.len();
    }
    assert_eq!((rows, names), (5, vec!["n".to_owned(), "t".to_owned(), "at".to_owned()]));
}

#[test]
fn a_result_without_rows_has_no_first_row() {
    let session = Session::sample().unwrap();
    let sql = "SELECT true, 1, 1.5, 'x', 0x1::ADDRESS, now(), INTERVAL '1 day', NULL WHERE false";
    let sql = sql.replace("now()", "TIMESTAMP '2007-11-01'");
    let result = session.query(&sql).unwrap();
    assert!(result.is_empty());
    for column in 0..=result.fields().len() {
        assert_eq!(result.value(0, column), Value::Null);
        assert_eq!(result.text(0, column), "");
        assert_eq!(result.column(column).get(usize::MAX), Value::Null);
    }
}

/// A panic inside a query is an internal error, and the session answers the next query.
#[test]
fn a_panic_never_crosses_the_public_interface() {
    let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    let outcome = session.prepare("SELECT 1").unwrap().run_each(&mut |_| panic!("on purpose"));
    let error = outcome.expect_err("the receiver panics");
    assert_eq!(error.code(), Code::Internal);
    assert!(error.to_string().contains("on purpose"), "{error}");
    assert_eq!(session.query("SELECT 1").unwrap().text(0, 0), "1");
}
