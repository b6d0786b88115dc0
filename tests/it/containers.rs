//! Memory in the files of tools and hypervisors: `LiME`, AVML, `VMware`, hibernation files. Each file
//! is written here from a raw image, by code and crates that the readers do not use, and gives the
//! same rows as the raw image.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::{Options, Session};
use rayon::prelude::*;

use crate::watchdog::watch;

const PAGE: usize = 0x1000;

/// A folder of this test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dumpql-in-{}-{name}", std::process::id()));
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

/// The memory of a small system.
fn memory(windows: Windows) -> Vec<u8> {
    let spec = SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) };
    synth::system(&spec).to_vec(Format::Raw)
}

fn open(name: &str, bytes: &[u8]) -> Result<Session, String> {
    let image = Image::from_bytes(name, bytes.to_vec());
    Session::from_images(vec![image], &Options::default()).map_err(|error| error.to_string())
}

fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

const TABLES: [&str; 3] = [
    "SELECT pid, name, eprocess FROM processes",
    "SELECT base, size_bytes, name FROM modules",
    "SELECT pid, tid, ethread, start_address FROM threads",
];

/// A container has the rows of the raw image, and nothing is missing.
fn same_rows(raw: &[u8], made: &Session, format: &str, words: &str) {
    let raw = open("made.raw", raw).unwrap();
    for sql in TABLES {
        assert_eq!(ask(made, sql), ask(&raw, sql), "{format}: {sql}");
    }
    let sql = "SELECT format, dump_type, is_complete FROM dump";
    assert_eq!(ask(made, sql), [format!("{format}|{words}|true")]);
    let problems = ask(made, "SELECT reason FROM problems WHERE \"table\" IS NULL");
    assert!(problems.is_empty(), "{format}: {problems:?}");
}

/// Truncations and edits of a file end with an error or with rows, and soon.
fn do_no_harm(what: &str, file: &[u8], edited: &[std::ops::Range<usize>]) {
    (0..24u64).into_par_iter().for_each(|seed| {
        let mut bytes = file.to_vec();
        let mut state = seed;
        let mut random = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99991);
            usize::try_from(state >> 33).unwrap() % most.max(1)
        };
        if seed % 3 == 0 {
            bytes.truncate(file.len() * usize::try_from(seed).unwrap() / 24);
        } else {
            for _ in 0..seed {
                let range = &edited[random(edited.len())];
                let at = range.start + random(range.len());
                bytes[at] = random(256).to_le_bytes()[0];
            }
        }
        let name = format!("{what}, seed {seed}");
        let _watched = watch(name.clone());
        let read = catch_unwind(AssertUnwindSafe(|| {
            let Ok(session) = open("made.bin", &bytes) else { return };
            for table in ["dump", "coverage", "problems", "modules", "processes"] {
                let _ = session.query(&format!("SELECT * FROM {table}"));
            }
        }));
        assert!(read.is_ok(), "{name}: panicked");
    });
}

/// The header of a range in a `LiME` image.
fn range(magic: [u8; 4], version: u32, first: usize, len: usize) -> Vec<u8> {
    let numbers = [first as u64, (first + len - 1) as u64, 0].map(u64::to_le_bytes);
    [&magic[..], &version.to_le_bytes(), &numbers.concat()].concat()
}

pub(crate) fn lime(raw: &[u8]) -> Vec<u8> {
    let middle = 0x80_0000;
    let part = |at: usize, bytes: &[u8]| [&range(*b"EMiL", 1, at, bytes.len()), bytes].concat();
    [part(0, &raw[..middle]), part(middle, &raw[middle..])].concat()
}

#[test]
fn lime_images() {
    let raw = memory(Windows::Windows10);
    let file = lime(&raw);
    let made = open("made.lime", &file).unwrap();
    same_rows(&raw, &made, "LiME", "physical memory (LiME)");
    do_no_harm("LiME", &file, &[0..32, 0x80_0020..0x80_0040]);
    // A range that is missing is a gap, and no shift of what follows.
    let gap = [lime(&raw[..0x80_0000]), range(*b"EMiL", 1, 0x180_0000, 0x10_0000)].concat();
    let gap = [gap, raw[0x180_0000..0x190_0000].to_vec()].concat();
    if let Ok(made) = open("gap.lime", &gap) {
        let known = ask(&open("made.raw", &raw).unwrap(), TABLES[1]);
        assert!(ask(&made, TABLES[1]).iter().all(|row| known.contains(row)));
    }
    let other = range(*b"EMiL", 7, 0, PAGE);
    assert!(open("x", &other).unwrap_err().contains("a LiME image of version 7"));
    let empty = [range(*b"EMiL", 1, 0, PAGE), vec![7; PAGE]].concat();
    let error = open("x", &empty).unwrap_err();
    assert!(error.contains("a LiME image without the memory of a Windows system"), "{error}");
}

fn avml(raw: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for (index, part) in raw.chunks(0x100_0000).enumerate() {
        let mut frames = snap::write::FrameEncoder::new(Vec::new());
        std::io::Write::write_all(&mut frames, part).unwrap();
        let frames = frames.into_inner().unwrap();
        file.extend(range(*b"AVML", 2, index * 0x100_0000, part.len()));
        file.extend(&frames);
        file.extend((frames.len() as u64).to_le_bytes());
    }
    file
}

#[test]
fn avml_images() {
    let raw = memory(Windows::Windows10);
    let file = avml(&raw);
    assert!(file.len() < raw.len() / 2);
    let made = open("made.avml", &file).unwrap();
    same_rows(&raw, &made, "AVML", "physical memory (AVML)");
    assert_eq!(ask(&made, "SELECT file_bytes FROM dump"), [file.len().to_string()]);
    do_no_harm("AVML", &file, &[0..64, 0..file.len()]);
    // What a header promises beyond its frames is no bomb.
    let bomb = [range(*b"AVML", 2, 0, 1 << 46), avml(&raw[..PAGE])[32..].to_vec()].concat();
    assert!(open("bomb.avml", &bomb).is_err());
    let limited = Options::default().unpacked(1 << 20);
    let image = Image::from_bytes("made.avml", file);
    let error = Session::from_images(vec![image], &limited).unwrap_err().to_string();
    assert!(error.contains("more than 1MB of temporary files"), "{error}");
}

/// An item of a `VMware` state.
fn item(name: &str, indices: &[u32], value: &[u8]) -> Vec<u8> {
    let flags = u8::try_from(value.len() | indices.len() << 6).unwrap();
    let indices: Vec<u8> = indices.iter().flat_map(|index| index.to_le_bytes()).collect();
    let head = [flags, u8::try_from(name.len()).unwrap()];
    [&head, name.as_bytes(), &indices, value].concat()
}

fn block(name: &str, indices: &[u32], compressed: bool, value: &[u8]) -> Vec<u8> {
    let mut bytes = item(name, indices, &[]);
    bytes[0] |= if compressed { 62 } else { 63 };
    let len = (value.len() as u64).to_le_bytes();
    [bytes.as_slice(), &len, &len, &3u16.to_le_bytes(), &[0xee; 3], value].concat()
}

/// A state whose memory has these regions: page, page in the saved memory, pages.
pub(crate) fn state(regions: &[[u32; 3]], cpu: &[u8], memory: &[u8]) -> Vec<u8> {
    let count = u32::try_from(regions.len()).unwrap();
    let mut items = item("regionsCount", &[], &count.to_le_bytes());
    for (index, region) in (0u32..).zip(regions) {
        for (name, number) in ["regionPPN", "regionPageNum", "regionSize"].into_iter().zip(region) {
            items.extend(item(name, &[index], &number.to_le_bytes()));
        }
    }
    items.extend(memory);
    items.extend([0, 0]);
    let cpu = [cpu, &[0, 0]].concat();
    let mut file = [&b"\xd2\xbe\xd2\xbe"[..], &[8, 0, 0, 0], &[2, 0, 0, 0]].concat();
    let start = 12 + 2 * 80;
    for (name, at) in [("cpu", start), ("memory", start + cpu.len())] {
        let mut group = name.as_bytes().to_vec();
        group.resize(64, 0);
        group.extend((at as u64).to_le_bytes());
        group.extend(0u64.to_le_bytes());
        file.extend(group);
    }
    [file, cpu, items].concat()
}

/// The halves of memory the other way round, and regions that say so.
pub(crate) fn turned(raw: &[u8]) -> (Vec<u8>, [[u32; 3]; 2]) {
    let middle = raw.len() / 2;
    let pages = u32::try_from(middle / PAGE).unwrap();
    let turned = [&raw[middle..], &raw[..middle]].concat();
    (turned, [[0, pages, pages], [pages, 0, pages]])
}

#[test]
fn vmware_machines() {
    let raw = memory(Windows::Windows10);
    let (turned, regions) = turned(&raw);
    let folder = Folder::new("vmware");
    let words = "physical memory (VMware)";
    for ending in ["vmss", "vmsn"] {
        let memory = folder.file("machine.vmem", &turned);
        assert!(Session::open(&memory).is_err(), "halves in the wrong order are no system");
        let cpu = [
            item("cpu:numVCPUs", &[], &1u32.to_le_bytes()),
            item("rip", &[0], &0xffff_f800_1234_5678u64.to_le_bytes()),
            item("CR64", &[0, 3], &0x001a_a000_u64.to_le_bytes()),
            block("gpregs", &[0], false, &[0x11; 128]),
        ];
        let state = folder.file(&format!("machine.{ending}"), &state(&regions, &cpu.concat(), &[]));
        for path in [&memory, &state] {
            let made = Session::open(path).unwrap();
            same_rows(&raw, &made, "VMware", words);
            assert!(made.is_open(&memory) && made.is_open(&state), "both are evidence");
            let sql = "SELECT name, value FROM registers WHERE name IN ('rip', 'cr3', 'r15')";
            assert_eq!(
                ask(&made, sql),
                ["rip|0xfffff80012345678", "r15|0x1111111111111111", "cr3|0x00000000001aa000"]
            );
        }
        fs::remove_file(state).unwrap();
    }
    // The memory in the state itself.
    let within = state(&regions, &[], &block("Memory", &[0, 0], false, &turned));
    same_rows(&raw, &open("machine.vmss", &within).unwrap(), "VMware", words);
    let whole = state(&[], &[], &block("Memory", &[0, 0], false, &raw));
    same_rows(&raw, &open("machine.vmss", &whole).unwrap(), "VMware", words);
    do_no_harm("VMware", &within, &[0..12, 0..500]);
    let packed = state(&regions, &[], &block("Memory", &[0, 0], true, &turned));
    assert!(open("x.vmss", &packed).unwrap_err().contains("compressed memory"));
    let alone = folder.file("alone.vmss", &state(&regions, &[], &[]));
    let error = Session::open(&alone).unwrap_err().to_string();
    assert!(error.contains("a VMware state without memory"), "{error}");
}

/// Memory above the hole for devices has no known place without a state.
#[test]
#[cfg(unix)]
fn vmware_memory_without_a_state_ends_at_the_device_hole() {
    let raw = memory(Windows::Windows10);
    let folder = Folder::new("hole");
    let path = folder.file("big.vmem", &raw);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len((3 << 30) + 0x10_0000).unwrap();
    let made = Session::open(&path).unwrap();
    let problems = ask(&made, "SELECT reason FROM problems WHERE \"table\" IS NULL");
    assert!(problems.iter().any(|p| p.contains("the last 256 pages")), "{problems:?}");
    assert_eq!(ask(&made, "SELECT max(\"end\") <= 0xc0000000 FROM coverage"), ["true"]);
    assert_eq!(ask(&made, "SELECT is_complete FROM dump"), ["false"]);
}

/// How the pages of a set are packed.
#[derive(Clone, Copy)]
enum How {
    Stored,
    Plain,
    Huffman,
}

fn pack(how: How, pages: &[u8]) -> Vec<u8> {
    match how {
        How::Stored => pages.to_vec(),
        How::Plain => crate::xpress::plain(pages),
        How::Huffman => crate::xpress::huffman(pages),
    }
}

/// Sets of pages as Windows 8 and later write them.
fn sets(raw: &[u8], pages: std::ops::Range<usize>, width: usize) -> Vec<u8> {
    let starts: Vec<usize> = pages.clone().step_by(16).collect();
    let set = |start: &usize| {
        let end = (start + 16).min(pages.end);
        let data = &raw[start * PAGE..end * PAGE];
        // What becomes no smaller is stored.
        let how = [How::Huffman, How::Plain, How::Stored][start / 16 % 3];
        let packed = Some(pack(how, data)).filter(|packed| packed.len() < data.len());
        let is_huffman = u32::from(matches!(how, How::Huffman) && packed.is_some());
        let packed = packed.unwrap_or_else(|| data.to_vec());
        // Two descriptors a set: the first page, and the others.
        let places = [(*start, 1), (start + 1, end - start - 1)];
        let places = places.into_iter().filter(|(_, pages)| *pages != 0);
        let places: Vec<u64> = places.map(|(at, pages)| (at << 4 | (pages - 1)) as u64).collect();
        let head = places.len() as u32 | (packed.len() as u32) << 8 | is_huffman << 31;
        let places = places.iter().flat_map(|place| place.to_le_bytes()[..width].to_vec());
        [head.to_le_bytes().to_vec(), places.collect(), packed].concat()
    };
    starts.par_iter().map(set).collect::<Vec<_>>().concat()
}

/// Where the header of a version has its fields: size, width, first page and count of the boot set,
/// and of the kernel set.
type Form = (u32, usize, [usize; 2], [usize; 2]);

const WINDOWS_8: Form = (0x360, 8, [0x60, 0x58], [0x68, 0x1c8]);
const WINDOWS_10: Form = (0x3e0, 8, [0x68, 0x58], [0x70, 0x230]);
const WINDOWS_11: Form = (0x448, 8, [0x68, 0x58], [0x70, 0x230]);
const WINDOWS_10_X86: Form = (0x340, 4, [0x50, 0x48], [0x54, 0x210]);

fn hibernated(raw: &[u8], (size, width, boot, kernel): Form) -> Vec<u8> {
    let mut file = vec![0; 5 * PAGE];
    file[..4].copy_from_slice(b"HIBR");
    file[0xc..0x10].copy_from_slice(&size.to_le_bytes());
    let page_size = if width == 8 { 0x18 } else { 0x14 };
    file[page_size..page_size + 4].copy_from_slice(&0x1000u32.to_le_bytes());
    let (all, some) = (raw.len() / PAGE, 0x300);
    for (pages, [first, count]) in [(0..some, boot), (some..all, kernel)] {
        file.resize(file.len().next_multiple_of(PAGE), 0);
        let at = (file.len() / PAGE) as u64;
        file[first..first + width].copy_from_slice(&at.to_le_bytes()[..width]);
        file[count..count + 8].copy_from_slice(&(pages.len() as u64).to_le_bytes());
        file.extend(sets(raw, pages, width));
    }
    file
}

#[test]
fn hibernation_files_since_windows_8() {
    let words = "physical memory (hibernation file)";
    for (windows, form) in [
        (Windows::Windows81, WINDOWS_8),
        (Windows::Windows10, WINDOWS_10),
        (Windows::Windows11, WINDOWS_11),
        (Windows::Windows10X86, WINDOWS_10_X86),
    ] {
        let raw = memory(windows);
        let file = hibernated(&raw, form);
        assert!(file.len() < raw.len());
        same_rows(&raw, &open("hiberfil.sys", &file).unwrap(), "hiberfil", words);
        if windows != Windows::Windows10 {
            continue;
        }
        do_no_harm("hibernation", &file, &[0..0x300, 5 * PAGE..6 * PAGE, 0..file.len()]);
        for (signature, said) in [(b"wake", "was resumed"), (b"RSTR", "was being resumed")] {
            let mut resumed = file.clone();
            resumed[..4].copy_from_slice(signature);
            let problems = ask(&open("x", &resumed).unwrap(), "SELECT reason FROM problems");
            assert!(problems.iter().any(|p| p.contains(said)), "{problems:?}");
        }
        let mut other = file.clone();
        other[0xc] = 0x44;
        let error = open("x", &other).unwrap_err();
        assert!(error.contains("whose header has 0x344 bytes"), "{error}");
        // A set that cannot be decompressed costs its pages only.
        let mut damaged = file.clone();
        let at = file.len() - 3000;
        damaged[at..at + 40].fill(0xff);
        if let Ok(made) = open("x", &damaged) {
            let problems = ask(&made, "SELECT reason FROM problems");
            let known = ["cannot be decompressed", "pages before its end"];
            let is_said = |p: &String| known.iter().any(|known| p.contains(known));
            assert!(problems.iter().any(is_said) || ask(&made, TABLES[0]).len() > 3);
        }
    }
}

/// Tables of ranges, each followed by its blocks, as Windows 7 writes them.
fn hibernated_7(raw: &[u8], width: usize) -> Vec<u8> {
    let mut file = vec![0; 2 * PAGE];
    file[..4].copy_from_slice(b"HIBR");
    let (size, page_size, first): (u32, _, _) =
        if width == 8 { (0x128, 0x18, 0x68) } else { (0xe0, 0x14, 0x4c) };
    file[0xc..0x10].copy_from_slice(&size.to_le_bytes());
    file[page_size..page_size + 4].copy_from_slice(&0x1000u32.to_le_bytes());
    file[first] = 2;
    let number = |value: usize| (value as u64).to_le_bytes()[..width].to_vec();
    let all = raw.len() / PAGE;
    let middle = 0x1237;
    for (ranges, is_last) in
        [(vec![0..0x21, 0x21..middle], false), (vec![middle..all - 5, all - 5..all], true)]
    {
        file.resize(file.len().next_multiple_of(PAGE), 0);
        let table = file.len();
        file.resize(table + PAGE, 0);
        let pages: Vec<usize> = ranges.iter().cloned().flatten().collect();
        let blocks: Vec<Vec<u8>> = pages
            .par_chunks(16)
            .map(|pages| {
                let data: Vec<u8> =
                    pages.iter().flat_map(|at| raw[at * PAGE..(at + 1) * PAGE].to_vec()).collect();
                let packed = Some(pack(How::Plain, &data)).filter(|p| p.len() < data.len());
                let packed = packed.unwrap_or(data);
                let mut block = b"\x81\x81xpress".to_vec();
                block.push(u8::try_from(pages.len() - 1).unwrap());
                block.extend((packed.len() as u32 * 4 - 1).to_le_bytes());
                block.resize(32, 0);
                block.extend(packed);
                block.resize(block.len().next_multiple_of(8), 0);
                block
            })
            .collect();
        file.extend(blocks.concat());
        let next = if is_last { 0 } else { file.len().div_ceil(PAGE) };
        let count = (ranges.len() as u32).to_le_bytes();
        let mut head = [number(next), count.to_vec()].concat();
        head.resize(2 * width, 0);
        head.extend(
            ranges.iter().flat_map(|range| [number(range.start), number(range.end)].concat()),
        );
        file[table..table + head.len()].copy_from_slice(&head);
    }
    file
}

#[test]
fn hibernation_files_of_windows_7() {
    let words = "physical memory (hibernation file)";
    for (windows, width) in [(Windows::Windows7, 8), (Windows::Windows7X86, 4)] {
        let raw = memory(windows);
        let file = hibernated_7(&raw, width);
        same_rows(&raw, &open("hiberfil.sys", &file).unwrap(), "hiberfil", words);
        do_no_harm("hibernation", &file, &[0..0x100, 2 * PAGE..3 * PAGE, 0..file.len()]);
        if width == 8 {
            let mut cleared = file;
            cleared[..PAGE].fill(0);
            let made = open("x", &cleared).unwrap();
            let problems = ask(&made, "SELECT reason FROM problems");
            assert!(problems.iter().any(|p| p.contains("cleared")), "{problems:?}");
            assert_eq!(ask(&made, TABLES[0]), ask(&open("raw", &raw).unwrap(), TABLES[0]));
        }
    }
}

#[test]
fn pages_of_a_decompression_bomb_are_limited() {
    let mut file = vec![0; 5 * PAGE];
    file[..4].copy_from_slice(b"HIBR");
    file[0xc..0x10].copy_from_slice(&0x3e0u32.to_le_bytes());
    file[0x18..0x1c].copy_from_slice(&0x1000u32.to_le_bytes());
    file[0x58..0x60].copy_from_slice(&u64::MAX.to_le_bytes());
    file[0x68] = 1;
    // 16 descriptors of 16 pages, and a letter that is repeated two thousand million times.
    let set = [
        vec![16, 15, 0, 0],
        0xfu64.to_le_bytes().repeat(16),
        vec![0, 0, 0, 0x40, 65, 7, 0, 15, 255, 0, 0, 0xff, 0xff, 0xff, 0x7f],
    ];
    file.truncate(PAGE);
    for _ in 0..200 {
        file.extend(set.concat());
    }
    for (options, why) in [
        (Options::default().unpacked(64 << 20), "more than 64MB of temporary files"),
        (Options::default(), "more than 250 times as large"),
    ] {
        let image = Image::from_bytes("x", file.clone());
        let error = Session::from_images(vec![image], &options).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// Pages of a path that has no file are an error, and special files are said at once.
#[test]
#[cfg(unix)]
fn paths_that_are_not_files_are_reported() {
    let folder = Folder::new("special");
    let path = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    let refused = |path: &Path| Session::open(path).unwrap_err().to_string();
    if made.is_ok_and(|status| status.success()) {
        assert!(refused(&path).contains("a named pipe, not a file"), "{}", refused(&path));
    }
    let socket = folder.0.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(refused(&socket).contains("a socket, not a file"));
    assert!(refused(Path::new("/dev/null")).contains("a device, not a file"));
    assert!(refused(&folder.0).contains("a folder, not a file"));
}
