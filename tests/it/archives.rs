//! Archives with dumps and logs: what opens, under which names, and what is an error. Small
//! archives made by other programs (Python's `zipfile` and `gzip`, Info-ZIP, zstd, xz) are in this
//! file; others are written here, byte by byte or with crates that the reader does not use.

use std::fs;
use std::io::{Cursor, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dumpql::internals::dump::Image;
use dumpql::internals::synth;
use dumpql::{Options, Session};
use rayon::prelude::*;

use crate::cli::program;
use crate::watchdog::watch;

/// Made by Python: `logs/session.log` and a text that is not a log.
const ZIP: &str = "UEsDBBQAAAAIAAAAIVgRxsTTmQAAAPwAAAAQAAAAbG9ncy9zZXNzaW9uLmxvZ12Ouw6CQBBF+/2KKaUhw0oIWpiY \
    0NJYaOvizCJxH7oLMf69kqgQTnmSc3Pr7hJ89LqH1SGBU+fIPyNU3AxtywGOHGLnHWSYYiplIbN0XUrY11WRC9zC \
    jXZgrIi9Cj3MYUewxHoaDINTloUeKRHPyApHYDJa5cVoANw0urpTA/FlG29iMstps8w/5ptflfnnxJpDYEp+tx/i \
    DVBLAwQUAAAACAAAACFYBfi0ZR4AAAAcAAAACgAAAHJlYWRtZS50eHQLyUjMyy5WSMsvUsjJz8/OzEtXSCxRKMnI \
    LNbjAgBQSwECFAMUAAAACAAAACFYEcbE05kAAAD8AAAAEAAAAAAAAAAAAAAAgAEAAAAAbG9ncy9zZXNzaW9uLmxv \
    Z1BLAQIUAxQAAAAIAAAAIVgF+LRlHgAAABwAAAAKAAAAAAAAAAAAAACAAccAAAByZWFkbWUudHh0UEsFBgAAAAAC \
    AAIAdgAAAA0BAAAAAA==";
/// Made by Python: `session.log`.
const GZIP: &str = "H4sICAAAAAAC/3Nlc3Npb24ubG9nAF2Ouw6CQBBF+/2KKaUhw0oIWpiY0NJYaOvizCJxH7oLMf69kqgQTnmSc3Pr \
    7hJ89LqH1SGBU+fIPyNU3AxtywGOHGLnHWSYYiplIbN0XUrY11WRC9zCjXZgrIi9Cj3MYUewxHoaDINTloUeKRHP \
    yApHYDJa5cVoANw0urpTA/FlG29iMstps8w/5ptflfnnxJpDYEp+tx/iDRHGxNP8AAAA";
/// Made by Info-ZIP, with a password.
const ENCRYPTED: &str = "UEsDBBQACQAIAOVbgV0RxsTTpQAAAPwAAAALAAAAc2Vzc2lvbi5sb2dVlRBQtvvAOuNYh4RzWAkRI2vWkVoeAi1w \
    6fU0Uxlwdd2c4o8DMN4ywXRkK7wS7+Rym+MhfDct1YgF/5qDe7fQMQ7ci2f4tBLv7vJ8Kz7uYKDW9TKgL9rq0uY8 \
    hjYPcgkLN2IdBPNcRHI7hxgtFrhUsQA0eKzS70xZNUKufbKFVThjcqvtatjj74aojLGMN72hRusEv0fy3LyiKKcF \
    OdJbS8Kr/N9QSwcIEcbE06UAAAD8AAAAUEsBAh4DFAAJAAgA5VuBXRHGxNOlAAAA/AAAAAsAAAAAAAAAAQAAAKSB \
    AAAAAHNlc3Npb24ubG9nUEsFBgAAAAABAAEAOQAAAN4AAAAAAA==";
/// Made by zstd.
const ZSTD: &str = "KLUv/ST8nQQAosgcGWDXAwMdqyztf1KRRLXKf82ELcxlIoBjBwYvC/wx/vlOZYV4kOmVapdbcgyw3UYhZ0P5MILw \
    mO+rtP1081vb7beGpZZfpa341Ql8hcE0S8eDEIZoxChAAQ5tr5XxP42fojbpmc7cdWtBHThAa/PmiyerCQ0gYCct \
    eDpylPkEFmjHhJqP7ThLda9xrB8hhgNm5LJszQ==";
/// Made by xz.
const XZ: &str = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AD7AJldACaaSGdV+Fjew4YH/Awh33haCJ9kMULIRUB1AFzqk2o70prB \
    SIUWmDeOVIL1OqCNFVTmX2YM/oY7SusRNCbRhYqUZqjlXctdmss78JSANi59BX5u+l7K6hZ7yf4sjdyhs1+pKQIT \
    Ic2Ck6pByx2CI8LXFWKCU4+pvsd8+sQMpmhlNeB0c0kCSTE3FY+kvqoxOXAkR/SbmykYnQAAAABEhrbhKqWt8gAB \
    tQH8AQAAg7xAebHEZ/sCAAAAAARZWg==";

fn packed(text: &str) -> Vec<u8> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64_STANDARD.decode(text).unwrap()
}

/// A temporary folder of one test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dumpql-arc-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open_with(name: &str, bytes: &[u8], options: &Options) -> Result<Session, String> {
    let image = Image::from_bytes(name, bytes.to_vec());
    Session::from_images(vec![image], options).map_err(|error| error.to_string())
}

fn open(name: &str, bytes: &[u8]) -> Result<Session, String> {
    open_with(name, bytes, &Options::default())
}

fn refused(name: &str, bytes: &[u8]) -> String {
    open(name, bytes).map(|_| ()).unwrap_err()
}

fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

/// A member of a zip archive that is written byte by byte.
struct Member<'a> {
    name: &'a str,
    method: u16,
    flags: u16,
    plain: &'a [u8],
    packed: Vec<u8>,
}

fn deflated<'a>(name: &'a str, plain: &'a [u8]) -> Member<'a> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    Member { name, method: 8, flags: 0, plain, packed: encoder.finish().unwrap() }
}

fn zip(members: &[Member<'_>]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let mut crc = flate2::Crc::new();
        crc.update(member.plain);
        let at = u32::try_from(file.len()).unwrap();
        let mut head = [20u16, member.flags, member.method, 0, 0x21].map(u16::to_le_bytes).concat();
        let sizes =
            [member.packed.len(), member.plain.len()].map(|len| u32::try_from(len).unwrap());
        head.extend([crc.sum(), sizes[0], sizes[1]].map(u32::to_le_bytes).concat());
        head.extend(u16::try_from(member.name.len()).unwrap().to_le_bytes());
        head.extend([0, 0]);
        file.extend([b"PK\x03\x04", head.as_slice(), member.name.as_bytes()].concat());
        file.extend(&member.packed);
        directory.extend([&b"PK\x01\x02\x14\0"[..], &head, &[0; 10], &at.to_le_bytes()].concat());
        directory.extend(member.name.as_bytes());
    }
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let sizes = [directory.len(), file.len()].map(|len| u32::try_from(len).unwrap().to_le_bytes());
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &sizes.concat(), &[0, 0]].concat();
    [file, directory, end].concat()
}

pub(crate) fn gzip(name: &str, plain: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut encoder = flate2::GzBuilder::new().filename(name).write(Vec::new(), level);
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn seven(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    for (name, bytes) in members {
        let entry = sevenz_rust2::ArchiveEntry::new_file(name);
        writer.push_archive_entry(entry, Some(*bytes)).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn cabinet(members: &[(&str, &[u8])], method: cab::CompressionType) -> Vec<u8> {
    let mut builder = cab::CabinetBuilder::new();
    let folder = builder.add_folder(method);
    for (name, _) in members {
        folder.add_file(*name);
    }
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    for (_, bytes) in members {
        writer.next_file().unwrap().unwrap().write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const MODULES: &str = "SELECT name FROM modules";

#[test]
fn archives_of_other_programs() {
    for (name, bytes, member) in [
        ("upload.zip", ZIP, "upload.zip!logs/session.log"),
        ("upload.gz", GZIP, "upload.gz!session.log"),
        ("session.log.zst", ZSTD, "session.log.zst!session.log"),
        ("session.log.xz", XZ, "session.log.xz!session.log"),
    ] {
        let session = open(name, &packed(bytes)).unwrap();
        assert_eq!(ask(&session, MODULES), ["nt", "hal"], "{name}");
        assert_eq!(ask(&session, "SELECT path, file_bytes FROM dump"), [format!("{member}|252")]);
        assert_eq!(session.source_names(), [member]);
    }
    let error = refused("upload.zip", &packed(ENCRYPTED));
    assert!(error.contains("upload.zip!session.log: an encrypted member"), "{error}");
}

#[test]
fn several_members_are_several_sources() {
    let (triage, sample) = (synth::triage_sample(), synth::sample());
    let members: [(&str, &[u8]); 3] =
        [("a/MINI.DMP", &triage), ("MEMORY.DMP", &sample), ("notes.bin", b"\x01\x02\x03")];
    let zipped = zip(&members.map(|(name, bytes)| deflated(name, bytes)));
    let archives = [
        ("x.zip", zipped),
        ("x.7z", seven(&members)),
        ("x.cab", cabinet(&members, cab::CompressionType::MsZip)),
        ("x.cab", cabinet(&members, cab::CompressionType::None)),
    ];
    for (name, bytes) in &archives {
        let session = open(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let names = [format!("{name}!a/MINI.DMP"), format!("{name}!MEMORY.DMP")];
        assert_eq!(session.source_names(), names, "{name}");
        let alone = open("MEMORY.DMP", &sample).unwrap();
        let sql = format!("SELECT name, base::BIGINT FROM modules WHERE dump = '{}'", names[1]);
        // If a 64-bit dump is open too, addresses are shown with 16 digits.
        let known = ask(&alone, "SELECT name, base::BIGINT FROM modules");
        assert_eq!(ask(&session, &sql), known, "{name}");
        let sql = "SELECT file_bytes FROM dump";
        let sizes = [triage.len().to_string(), sample.len().to_string()];
        assert_eq!(ask(&session, sql), sizes, "{name}");
    }
}

#[test]
fn archives_within_archives() {
    let log = packed(GZIP);
    let inner = zip(&[deflated("inner.log.gz", &log)]);
    let session = open("outer.zip", &inner).unwrap();
    assert_eq!(session.source_names(), ["outer.zip!inner.log.gz!session.log"]);
    let session = open("x.gz", &gzip("packed.zip", &packed(ZIP))).unwrap();
    assert_eq!(session.source_names(), ["x.gz!packed.zip!logs/session.log"]);
    let error = refused("deep.gz", &gzip("outer.zip", &inner));
    assert!(error.contains("an archive in an archive within the archive"), "{error}");
}

#[test]
fn files_without_a_dump_are_an_error() {
    let event_log = [&b"ElfFile\0"[..], &[0; 100]].concat();
    let members = [deflated("System.evtx", &event_log), deflated("empty.txt", b"")];
    let error = refused("x.zip", &zip(&members));
    let wanted = "x.zip: a zip archive without a dump or a log; \
                  System.evtx is a Windows event log (evtx), empty.txt is an empty file";
    assert!(error.contains(wanted), "{error}");
    assert!(refused("x.zip", &zip(&[])).contains("an empty zip archive"));
    let text = deflated("readme.txt", b"Thanks for looking at this.\n");
    let error = refused("x.zip", &zip(&[text]));
    assert!(error.contains("no output of a debugger was found"), "{error}");
    // A damaged dump is reported even if another dump opens.
    let triage = synth::triage_sample();
    let members = [deflated("good.dmp", &triage), deflated("bad.dmp", b"no dump at all\x01\x02")];
    let error = refused("x.zip", &zip(&members));
    assert!(error.contains("x.zip!bad.dmp"), "{error}");
    let mut other = deflated("good.dmp", &triage);
    other.method = 97;
    let error = refused("x.zip", &zip(&[other]));
    assert!(error.contains("compression method not supported: 97"), "{error}");
    // Control characters in names do not reach a terminal.
    let named = zip(&[deflated("\x1b[2J.dmp", &triage)]);
    let names = open("x.zip", &named).unwrap().source_names();
    assert!(names.iter().all(|name| !name.contains(char::is_control)), "{names:?}");
}

/// Windows Explorer compresses large files with Deflate64; streams with short codes are the same as
/// in Deflate.
#[test]
fn zip_members_with_deflate64() {
    let log = packed(GZIP);
    let session = open("x.gz", &log).unwrap();
    let known = ask(&session, MODULES);
    let text = b"0: kd> lm\nstart             end                 module name\n\
                 fffff800`0ea00000 fffff800`0fa46000   nt         (pdb symbols)\n\
                 fffff800`0d900000 fffff800`0d906000   hal        (deferred)\n0: kd> q\n";
    let mut member = deflated("session.log", text);
    member.method = 9;
    assert_eq!(ask(&open("x.zip", &zip(&[member])).unwrap(), MODULES), known);
}

#[test]
fn decompression_bombs_are_rejected() {
    let zeros = [&b"PAGEDU64"[..], &vec![0; 100 << 20]].concat();
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.write_all(&zeros).unwrap();
    let archives = [
        ("x.zip", zip(&[deflated("a.dmp", &zeros)])),
        ("x.gz", gzip("a.dmp", &zeros)),
        ("x.zst", encoder.finish().unwrap()),
        ("x.7z", seven(&[("a.dmp", &zeros)])),
    ];
    for (name, bytes) in &archives {
        let error = refused(name, bytes);
        assert!(error.contains("is more than 250 times as large as it is packed"), "{error}");
        assert!(error.contains("--unpack-limit"), "{error}");
        let most = Options::default().unpacked(200 << 20);
        let opened = open_with(name, bytes, &most).map_or_else(|error| error, |_| String::new());
        assert!(!opened.contains("as it is packed"), "{name}: {opened}");
        let least = Options::default().unpacked(1 << 20);
        let error = open_with(name, bytes, &least).unwrap_err();
        assert!(error.contains("more than 1MB of temporary files"), "{error}");
    }
    // All members opened together.
    let triage = synth::triage_sample();
    let members: Vec<String> = (0..40).map(|index| format!("{index}.dmp")).collect();
    let members: Vec<Member<'_>> = members.iter().map(|name| deflated(name, &triage)).collect();
    let least = Options::default().unpacked(triage.len() as u64 * 10);
    assert!(open_with("x.zip", &zip(&members), &least).unwrap_err().contains("temporary files"));
    let many: Vec<String> = (0..10_001).map(|index| format!("{index}")).collect();
    let many: Vec<Member<'_>> = many.iter().map(|name| deflated(name, b"")).collect();
    assert!(refused("x.zip", &zip(&many)).contains("more than 10000 members"));
}

#[test]
fn damaged_archives_are_reported() {
    let triage = synth::triage_sample();
    let members: [(&str, &[u8]); 2] = [("a.dmp", &triage), ("b.log", b"0: kd> lm\n")];
    let archives = [
        zip(&members.map(|(name, bytes)| deflated(name, bytes))),
        seven(&members),
        cabinet(&members, cab::CompressionType::MsZip),
        gzip("a.dmp", &triage),
        packed(ZSTD),
        packed(XZ),
    ];
    archives.par_iter().enumerate().for_each(|(kind, file)| {
        for seed in 0..120u64 {
            let mut bytes = file.clone();
            let mut state = seed;
            let mut random = |most: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99991);
                usize::try_from(state >> 33).unwrap() % most.max(1)
            };
            match seed % 3 {
                0 => bytes.truncate(random(file.len())),
                1 => {
                    // The headers are at both ends.
                    let at = random(400.min(file.len()));
                    bytes[at] = random(256).to_le_bytes()[0];
                    let at = file.len() - 1 - random(200.min(file.len()));
                    bytes[at] = random(256).to_le_bytes()[0];
                }
                _ => {
                    let at = random(file.len());
                    bytes[at] ^= 1 << random(8);
                }
            }
            let _watched = watch(format!("archive {kind}, seed {seed}"));
            let opened = catch_unwind(AssertUnwindSafe(|| match open("x", &bytes) {
                Ok(_) => String::new(),
                Err(error) => error,
            }));
            let error = opened.unwrap_or_else(|_| panic!("archive {kind}, seed {seed}"));
            assert!(!error.contains("a defect of dumpql"), "archive {kind}, seed {seed}: {error}");
        }
    });
}

/// A 7z header with correct checksums and invalid numbers.
#[test]
fn counts_of_a_7z_header_are_bounded() {
    let with_header = |header: &[u8]| {
        let sum = |bytes: &[u8]| {
            let mut crc = flate2::Crc::new();
            crc.update(bytes);
            crc.sum().to_le_bytes()
        };
        let numbers = [0u64.to_le_bytes(), (header.len() as u64).to_le_bytes()].concat();
        let start = [numbers.as_slice(), &sum(header)].concat();
        let head = [&b"7z\xbc\xaf\x27\x1c\0\x04"[..], &sum(&start), &start].concat();
        [head.as_slice(), header].concat()
    };
    let huge = [0xff; 9];
    for header in [
        [&[1, 5][..], &huge].concat(),
        [&[1, 4, 6, 0][..], &huge, &[9]].concat(),
        [&[1, 4, 7, 11][..], &huge, &[0]].concat(),
        [&[1, 4, 7, 11, 1, 0][..], &huge].concat(),
        [&[1, 4, 7, 11, 1, 0, 1, 0x11][..], &huge, &huge].concat(),
        [&[1, 4, 7, 11, 1, 0, 1, 0x21, 0x21][..], &huge].concat(),
        [&[1, 4, 7, 11, 1, 0, 1, 1, 0, 12, 5, 0, 8, 13][..], &huge].concat(),
        [&[23, 6, 0, 1, 9, 5, 0, 7, 11, 1, 0, 1, 0x21, 0x21, 1, 40, 12][..], &huge, &[0, 0]]
            .concat(),
    ] {
        let error = refused("x.7z", &with_header(&header));
        assert!(error.contains("x.7z: a 7z archive"), "{error}");
    }
    let members: [(&str, &[u8]); 1] = [("a.dmp", &synth::triage_sample())];
    let volume = seven(&members);
    let error = refused("x.7z.001", &volume[..volume.len() / 2]);
    assert!(error.contains("the first part of an archive of several volumes"), "{error}");
}

fn names_in(folder: &Folder) -> usize {
    fs::read_dir(&folder.0).unwrap().count()
}

#[test]
fn the_program_opens_archives_and_deletes_temporary_files() {
    let folder = Folder::new("cli");
    let temporary = Folder::new("tmp");
    let archive = folder.file("upload.zip", &packed(ZIP));
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.arg(&archive).args(arguments).env("TMPDIR", &temporary.0).stdin(Stdio::null());
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, out, err) = run(&["-c", "SELECT name FROM modules", "--format", "csv"]);
    assert_eq!((code, out.as_str()), (Some(0), "name\nnt\nhal\n"), "{err}");
    let place = temporary.0.join("missing").display().to_string();
    let (code, _, err) = run(&["-c", "FROM dump", "--temp-dir", &place]);
    assert!(code == Some(1) && err.contains("no temporary file can be made here"), "{err}");
    let (code, _, err) = run(&["-c", "FROM dump", "--unpack-limit", "100"]);
    assert!(code == Some(1) && err.contains("more than 100 bytes of temporary files"), "{err}");
    // The archive must not be overwritten.
    let target = archive.display().to_string();
    let (code, _, err) = run(&["-c", "FROM modules", "-o", &target, "--format", "csv"]);
    assert!(code == Some(2) && err.contains("is open as a source"), "{err}");
    let (code, _, err) = run(&["-c", &format!("COPY (FROM modules) TO '{target}' (FORMAT csv)")]);
    assert!(code == Some(1) && err.contains("is open as a source"), "{err}");
    assert_eq!(fs::read(&archive).unwrap(), packed(ZIP));
    assert_eq!((names_in(&folder), names_in(&temporary)), (1, 0));
}

#[test]
fn dumps_come_through_pipes() {
    let temporary = Folder::new("pipe");
    let run = |path: &str, arguments: &[&str], input: &[u8]| {
        let mut command = program();
        command.arg(path).args(arguments).env("TMPDIR", &temporary.0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program may report an error before it has read all input.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let sql = ["-c", "SELECT count(*) FROM modules", "--format", "csv"];
    let triage = synth::triage_sample();
    let alone = open("x.dmp", &triage).unwrap();
    let count = ask(&alone, "SELECT count(*) FROM modules").concat();
    let paths: &[&str] = if cfg!(unix) { &["-", "/dev/stdin"] } else { &["-"] };
    for path in paths {
        for input in [triage.clone(), gzip("x.dmp", &triage)] {
            let (code, text) = run(path, &sql, &input);
            assert!(code == Some(0) && text.contains(&count), "{path}: {text}");
        }
    }
    let (code, text) = run("-", &["-c", "SELECT path FROM dump"], &triage);
    assert!(code == Some(0) && text.contains("stdin"), "{text}");
    let (code, text) = run("-", &sql, b"");
    assert!(code == Some(1) && text.contains("no bytes came through the pipe"), "{text}");
    let (code, text) = run("-", &[&sql[..], &["--unpack-limit", "1000"]].concat(), &triage);
    assert!(code == Some(1) && text.contains("more than 1000 bytes"), "{text}");
    let (code, text) = run("-", &[], &triage);
    assert!(code == Some(2) && text.contains("queries are given with -c"), "{text}");
    assert_eq!(names_in(&temporary), 0);
}

#[test]
fn archives_are_attached() {
    let folder = Folder::new("attach");
    let (triage, sample) = (synth::triage_sample(), synth::sample());
    let one = folder.file("one.zip", &zip(&[deflated("a.dmp", &triage)]));
    let two = zip(&[deflated("a.dmp", &triage), deflated("b.dmp", &sample)]);
    let two = folder.file("two.zip", &two);
    let session = Session::from_images(Vec::new(), &Options::default().files(true)).unwrap();
    session.query(&format!("ATTACH '{}' AS single", one.display())).unwrap();
    assert_eq!(session.source_names(), ["single"]);
    session.query(&format!("ATTACH '{}' AS pair", two.display())).unwrap();
    assert_eq!(session.source_names(), ["single", "pair!a.dmp", "pair!b.dmp"]);
    session.query(&format!("ATTACH '{}'", two.display())).unwrap();
    assert_eq!(session.source_names()[3..], ["two.zip!a.dmp", "two.zip!b.dmp"]);
    let error = session.query(&format!("ATTACH '{}'", two.display())).unwrap_err().to_string();
    assert!(error.contains("`two.zip!a.dmp` already"), "{error}");
    session.query("DETACH \"pair!a.dmp\"").unwrap();
    assert_eq!(session.source_names().len(), 4);
}

#[test]
fn cancelling_ends_unpacking() {
    let token = dumpql::CancelToken::new();
    token.cancel();
    let folder = Folder::new("cancel");
    let path = folder.0.join("session.log.gz");
    fs::write(&path, packed(GZIP)).unwrap();
    let options = Options::default().files(true);
    let cancelled = options.clone().cancel(&token);
    let error = Session::open_with(&[&path], &cancelled).unwrap_err();
    assert_eq!(error.code(), dumpql::Code::Cancelled, "{error}");
    assert!(error.to_string().contains("session.log.gz"), "{error}");
    // What was cancelled before is no reason not to open other files.
    let session = Session::open_with(&[&path], &options).unwrap();
    let attach = format!("ATTACH '{}' AS other", path.display());
    let attached = session.prepare(&attach).unwrap().cancel(&token).run_each(&mut |_| true);
    assert_eq!(attached.unwrap_err().code(), dumpql::Code::Cancelled);
    assert_eq!(session.source_names().len(), 1);
}
