//! Hand-built minidumps, undamaged and damaged.

use std::ops::ControlFlow;

use crate::catalog::Absent;
use crate::dump::Image;
use crate::model::{
    CoverageRange, DumpInfo, Emit, Frame, Handle, MemoryRegion, Module, Problem, Source, StackWord,
    Thread, Unanswered, Want,
};
use crate::symbol::{Search, Store};

const HEADER: usize = 32;

/// A minidump of these streams, one after another; `tail` follows all of them.
fn minidump(streams: &[(u32, Vec<u8>)], tail: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0x504d_444d, 0xa793, streams.len(), HEADER, 0, 0, 0, 0] {
        put(&mut out, word);
    }
    let mut at = HEADER + 12 * streams.len();
    for (kind, bytes) in streams {
        out.extend(kind.to_le_bytes());
        put(&mut out, bytes.len());
        put(&mut out, at);
        at += bytes.len();
    }
    out.extend(streams.iter().flat_map(|(_, bytes)| bytes));
    out.extend(tail);
    out
}

fn put(out: &mut Vec<u8>, word: usize) {
    out.extend(u32::try_from(word).expect("a small number").to_le_bytes());
}

/// A module list; each module is a base and the offset of its name.
fn modules(of: &[(u64, u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, of.len());
    for (base, name) in of {
        let mut record = [0; 108];
        record[..8].copy_from_slice(&base.to_le_bytes());
        record[8..12].copy_from_slice(&0x1000u32.to_le_bytes());
        record[20..24].copy_from_slice(&name.to_le_bytes());
        out.extend(record);
    }
    out
}

fn counted_text(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, text.len() * 2);
    out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    out
}

fn open(bytes: &[u8]) -> Box<dyn Source> {
    super::open(Image::from_bytes("made.dmp", bytes), &Store::default()).expect("it opens")
}

fn rows<R>(scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>) -> Result<Vec<R>, Unanswered> {
    let mut rows = Vec::new();
    scan(&mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn reasons(dump: &dyn Source) -> Vec<String> {
    let mut reasons = Vec::new();
    let _ = dump.answers().read(&Want::ALL, &mut |problem: Problem| {
        reasons.push(problem.reason.expect("a reason"));
        ControlFlow::Continue(())
    });
    reasons
}

fn dump_row(source: &dyn Source) -> DumpInfo {
    let row = source.answers().first(&Want::ALL).expect("table dump answers");
    row.expect("table dump has a row")
}

#[test]
fn a_damaged_name_costs_one_cell() {
    let list = modules(&[(0x40_0000, 264), (0x50_0000, 0xffff_fff0)]);
    let bytes = minidump(&[(4, list)], &counted_text("C:\\x\\good.dll"));
    let dump = open(&bytes);
    let rows = rows(|emit| dump.answers().read::<Module>(&Want::ALL, emit)).expect("modules");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].name.as_deref(), Ok("good"));
    assert_eq!(rows[0].image_name.as_deref(), Ok("good.dll"));
    assert_eq!(rows[1].name, Err(Absent::Unreadable));
    assert_eq!(rows[1].base, Ok(0x50_0000));
    let at = dump.memory().locate(0x40_0010).expect("a module");
    assert_eq!(at.display(), "good+0x10");
    assert_eq!(dump.memory().locate(0x50_0010), Err(Absent::Unreadable));
    assert_eq!(dump.memory().locate(0x40_1000), Err(Absent::NotApplicable));
}

#[test]
fn a_count_beyond_the_stream_is_a_problem_of_its_table() {
    let mut list = modules(&[(0x40_0000, 0)]);
    list[0] = 9;
    let dump = open(&minidump(&[(4, list)], &[]));
    assert_eq!(
        rows(|emit| dump.answers().read::<Module>(&Want::ALL, emit)).expect("modules").len(),
        1
    );
    let reasons = reasons(&*dump);
    assert_eq!(reasons, ["records that the list's count includes and the stream does not hold"]);
}

#[test]
fn missing_streams_are_the_reason() {
    let dump = open(&minidump(&[(7, vec![0; 4]), (3, vec![])], &[]));
    let why = |result: Result<Vec<_>, Unanswered>| result.expect_err("no rows").because;
    let modules =
        why(rows(|emit| dump.answers().read::<Module>(&Want::ALL, emit)).map(|_| vec![()]));
    assert_eq!(modules.as_deref(), Some("the minidump has no module list"));
    let threads =
        why(rows(|emit| dump.answers().read::<Thread>(&Want::ALL, emit)).map(|_| vec![()]));
    assert_eq!(threads.as_deref(), Some("the thread list lies beyond the end of the file"));
    assert_eq!(dump.machine().arch, "");
    let info = dump_row(&*dump);
    assert_eq!((info.os, info.arch), (Err(Absent::NotInDump), Err(Absent::NotInDump)));
    assert_eq!(
        reasons(&*dump),
        ["the thread list is empty", "the system information is too short"]
    );
}

#[test]
fn truncated_streams_are_reported() {
    let bytes = minidump(&[(4, modules(&[(0x40_0000, 0), (0x50_0000, 0)]))], &[]);
    let dump = open(&bytes[..bytes.len() - 10]);
    assert_eq!(
        rows(|emit| dump.answers().read::<Module>(&Want::ALL, emit)).expect("modules").len(),
        1
    );
    assert_eq!(dump_row(&*dump).is_complete, Ok(false));
    assert!(reasons(&*dump)[0].starts_with("the module list ends beyond"));
    let whole = open(&bytes);
    assert_eq!(dump_row(&*whole).is_complete, Ok(true));
    for end in [3, 20, 32, 40] {
        let image = Image::from_bytes("cut.dmp", &bytes[..end]);
        let error = super::open(image, &Store::default()).map(|_| ()).expect_err("too little");
        assert!(error.to_string().starts_with("cut.dmp: a minidump "), "{error}");
    }
}

#[test]
fn memory_is_read_across_ranges_that_touch_or_overlap() {
    let mut list = Vec::new();
    put(&mut list, 3);
    // The stream begins at 44 and is 52 bytes long.
    for (start, size, offset) in [(0x1004u64, 4, 100), (0x1000, 6, 96), (0x2000, 64, 96)] {
        list.extend(start.to_le_bytes());
        put(&mut list, size);
        put(&mut list, offset);
    }
    let dump = open(&minidump(&[(5, list)], b"abcdefgh"));
    let read = |address, len| {
        let mut bytes = vec![0; len];
        dump.memory().read(address, &mut bytes).map(|()| String::from_utf8(bytes).expect("letters"))
    };
    assert_eq!(read(0x1000, 8), Ok("abcdefgh".to_owned()));
    assert_eq!(read(0x1006, 2), Ok("gh".to_owned()));
    assert_eq!(read(0x1006, 3), Err(Absent::NotInDump));
    assert_eq!(read(0x2000, 8), Ok("abcdefgh".to_owned()), "the part that the file holds");
    assert_eq!(read(0x2000, 9), Err(Absent::NotInDump));
    let ranges =
        rows(|emit| dump.answers().read::<CoverageRange>(&Want::ALL, emit)).expect("coverage");
    assert_eq!(
        ranges.iter().map(|r| r.start).collect::<Vec<_>>(),
        [Ok(0x1000), Ok(0x1004), Ok(0x2000)]
    );
    assert_eq!(reasons(&*dump), ["memory ranges that end beyond the end of the file"]);
}

#[test]
fn handles_of_a_longer_record_are_read() {
    let mut list = Vec::new();
    for word in [16, 40, 1, 0] {
        put(&mut list, word);
    }
    let mut record = [0; 40];
    record[0] = 0x44;
    record[8] = 100;
    list.extend(record);
    let dump = open(&minidump(&[(12, list)], &counted_text("Event")));
    let rows = rows(|emit| dump.answers().read::<Handle>(&Want::ALL, emit)).expect("handles");
    assert_eq!(rows[0].handle, Ok(0x44));
    assert_eq!(rows[0].object_type.as_deref(), Ok("Event"));
    assert_eq!(rows[0].name, Err(Absent::NotApplicable));
}

#[test]
fn lines_of_a_linux_map_are_read() {
    let maps = b"00400000-00415000 r-xp 00000000 08:01 11   /opt/my app\nbroken\n7f00-8000 rw-p 0 00:00 0\n";
    let dump = open(&minidump(&[(0x4767_0009, maps.to_vec())], &[]));
    let rows = rows(|emit| dump.answers().read::<MemoryRegion>(&Want::ALL, emit)).expect("regions");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].file.as_deref(), Ok("/opt/my app"));
    assert_eq!((rows[0].start, rows[0].end), (Ok(0x40_0000), Ok(0x41_5000)));
    assert_eq!(rows[0].kind.as_deref(), Ok("mapped"));
    assert_eq!(rows[1].protection.as_deref(), Ok("rw-p"));
    assert_eq!(rows[1].kind.as_deref(), Ok("private"));
}

/// An image file with two functions that begin with `push rbx; sub rsp, 0x20`, at 0x1000 and
/// 0x1080.
fn image_file() -> Vec<u8> {
    let mut file = vec![0; 0x800];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &0x80u32.to_le_bytes());
    put(0x80, b"PE\0\0\x64\x86\x02\0");
    put(0x88, &0x5f00_0001u32.to_le_bytes());
    put(0x94, &0xf0u16.to_le_bytes());
    put(0x98, &0x20bu16.to_le_bytes());
    put(0x98 + 56, &0x4000u32.to_le_bytes());
    put(0x98 + 0x6c, &16u32.to_le_bytes());
    for (at, number) in [(0x98 + 0x70 + 24, 0x2100u32), (0x98 + 0x70 + 28, 24)] {
        put(at, &number.to_le_bytes());
    }
    for (i, (start, at, flags)) in
        [(0x1000u32, 0x400u32, 0x6000_0020u32), (0x2000, 0x600, 0x4000_0040)].iter().enumerate()
    {
        let section = 0x188 + 40 * i;
        for (place, number) in [(8, 0x1000), (12, *start), (16, 0x200), (20, *at), (36, *flags)] {
            put(section + place, &number.to_le_bytes());
        }
    }
    put(0x400 + 0xbb, &[0xe8, 0, 0, 0, 0]);
    put(0x600, &[1, 5, 2, 0, 5, 0x32, 1, 0x30]);
    for (i, number) in [0x1000u32, 0x1080, 0x2000, 0x1080, 0x1100, 0x2000].iter().enumerate() {
        put(0x700 + 4 * i, &number.to_le_bytes());
    }
    file
}

/// A dump of a thread in the first function, which the second called.
fn two_calls() -> Vec<u8> {
    let base = 0x40_0000u64;
    let mut system = vec![0; 56];
    system[0] = 9;
    system[20] = 2;
    let mut context = vec![0; 0x4d0];
    context[0x30..0x34].copy_from_slice(&0x10_0003u32.to_le_bytes());
    context[0xf8..0x100].copy_from_slice(&(base + 0x1040).to_le_bytes());
    context[0x98..0xa0].copy_from_slice(&0x7000u64.to_le_bytes());
    let mut stack = vec![0; 0x100];
    // A word that looks like a return address, and the return address.
    stack[8..16].copy_from_slice(&(base + 0x1020).to_le_bytes());
    stack[0x28..0x30].copy_from_slice(&(base + 0x10c0).to_le_bytes());
    let streams = [56, 4 + 48, 4 + 108, 4 + 16];
    let tail = HEADER + 12 * streams.len() + streams.iter().sum::<usize>();
    let (context_at, stack_at, name_at) = (tail, tail + 0x4d0, tail + 0x4d0 + 0x100);
    let mut threads = Vec::new();
    for word in [1, 7, 0, 0, 0, 0, 0, 0x7000, 0, 0x100, stack_at, 0x4d0, context_at] {
        put(&mut threads, word);
    }
    let mut modules = modules(&[(base, u32::try_from(name_at).expect("a small number"))]);
    modules[4 + 8..4 + 12].copy_from_slice(&0x4000u32.to_le_bytes());
    modules[4 + 16..4 + 20].copy_from_slice(&0x5f00_0001u32.to_le_bytes());
    let mut memory = Vec::new();
    for word in [1, 0x7000, 0, 0x100, stack_at] {
        put(&mut memory, word);
    }
    let streams = [(7, system), (3, threads), (4, modules), (5, memory)];
    minidump(&streams, &[context, stack, counted_text("C:\\x\\App.exe")].concat())
}

#[test]
fn image_files_on_the_symbol_path_give_unwind_data() {
    let folder = std::env::temp_dir().join(format!("dumpql-images-{}", std::process::id()));
    let stored = folder.join("app.exe").join("5F0000014000");
    std::fs::create_dir_all(&stored).expect("a folder");
    std::fs::write(stored.join("app.exe"), image_file()).expect("a file");
    let frames = |store: &Store, bytes: &[u8]| {
        let dump = super::open(Image::from_bytes("made.dmp", bytes), store).expect("it opens");
        let frames = rows(|emit| dump.answers().read::<Frame>(&Want::ALL, emit)).expect("stacks");
        frames.into_iter().map(|f| (f.ip.expect("an address"), f.trust.expect("trust"))).collect()
    };
    let search = Search { paths: vec![folder.clone()], ..Search::default() };
    let store = Store::new(&search).expect("the folder is there");
    let dump = two_calls();
    let with: Vec<_> = frames(&store, &dump);
    let mut other = dump.clone();
    // The same name with another time date stamp is another image.
    let stamp = other.windows(4).position(|w| *w == 0x5f00_0001u32.to_le_bytes());
    other[stamp.expect("a stamp")] ^= 1;
    let without: Vec<_> = frames(&Store::default(), &dump);
    let wrong: Vec<_> = frames(&store, &other);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let named = |ip: u64, trust: &str| (0x40_0000 + ip, trust.to_owned());
    assert_eq!(with, [named(0x1040, "context"), named(0x10c0, "unwind")]);
    assert_eq!(without[1], named(0x1020, "scan"), "no code tells that it is none");
    assert_eq!(wrong, without);
}

/// Many threads with one context record and one stack give rows in proportion to the file, not to
/// the product of threads and stack.
#[test]
fn threads_with_a_shared_stack_do_not_multiply_its_rows() {
    const WORDS: usize = 1024;
    const THREADS: usize = 2000;
    let base = 0x40_0000u64;
    let mut system = vec![0; 56];
    system[0] = 9;
    system[20] = 2;
    let sizes = [56, 4 + 48 * THREADS, 4 + 108, 4 + 16];
    let tail = HEADER + 12 * sizes.len() + sizes.iter().sum::<usize>();
    let (context_at, stack_at) = (tail, tail + 0x4d0);
    let name_at = stack_at + 8 * WORDS;
    let mut context = vec![0; 0x4d0];
    context[0x30..0x34].copy_from_slice(&0x10_0003u32.to_le_bytes());
    context[0xf8..0x100].copy_from_slice(&(base + 0x1040).to_le_bytes());
    context[0x98..0xa0].copy_from_slice(&0x7000u64.to_le_bytes());
    // Every word looks like a return address.
    let words = (0..WORDS as u64).flat_map(|i| (base + 0x1100 + i % 0x800).to_le_bytes());
    let mut threads = Vec::new();
    put(&mut threads, THREADS);
    for id in 1..=THREADS {
        for word in [id, 0, 0, 0, 0, 0, 0x7000, 0, 8 * WORDS, stack_at, 0x4d0, context_at] {
            put(&mut threads, word);
        }
    }
    let mut modules = modules(&[(base, u32::try_from(name_at).expect("a small number"))]);
    modules[4 + 8..4 + 12].copy_from_slice(&0x4000u32.to_le_bytes());
    let mut memory = Vec::new();
    for word in [1, 0x7000, 0, 8 * WORDS, stack_at] {
        put(&mut memory, word);
    }
    let streams = [(7, system), (3, threads), (4, modules), (5, memory)];
    let tail = [context, words.collect(), counted_text("C:\\x\\App.exe")].concat();
    let file = minidump(&streams, &tail);
    let dump = open(&file);
    let frames = rows(|emit| dump.answers().read::<Frame>(&Want::ALL, emit)).expect("stacks");
    assert!(frames.len() > 1000 && frames.len() <= file.len() / 4, "{} frames", frames.len());
    let words = rows(|emit| dump.answers().read::<StackWord>(&Want::ALL, emit)).expect("words");
    assert!(words.len() <= file.len() / 4, "{} words", words.len());
    assert!(reasons(&*dump).iter().any(|reason| reason.contains("stack is that of an earlier")));
}

/// A stack pointer in the last word of the address space has no stack.
#[test]
fn a_stack_at_the_end_of_the_address_space_is_empty() {
    let mut dump = two_calls();
    let places: Vec<usize> =
        (0..dump.len() - 8).filter(|at| dump[*at..*at + 8] == 0x7000u64.to_le_bytes()).collect();
    assert!(places.len() > 1);
    for at in places {
        dump[at..at + 8].copy_from_slice(&(u64::MAX - 2).to_le_bytes());
    }
    let dump = open(&dump);
    assert_eq!(
        rows(|emit| dump.answers().read::<StackWord>(&Want::ALL, emit)).map(|rows| rows.len()),
        Ok(0)
    );
    let frames = rows(|emit| dump.answers().read::<Frame>(&Want::ALL, emit)).expect("stacks");
    assert!(frames.len() <= 1, "{} frames", frames.len());
    rows(|emit| dump.answers().read::<Thread>(&Want::ALL, emit)).expect("threads");
}

#[test]
fn repeated_and_empty_streams_are_reported() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let list = modules(&[]);
    let streams = [
        (4, list.clone()),
        (3, Vec::new()),
        (4, list),
        (0, Vec::new()),
        (0, Vec::new()),
        (10, b"by procdump\0".to_vec()),
        (11, wide("*** first")),
        (11, wide("*** second")),
        (11, wide("*** first")),
    ];
    let dump = open(&minidump(&streams, b"end"));
    let found = reasons(&*dump);
    for wanted in
        ["the module list is there more than once; the first is read", "the thread list is empty"]
    {
        assert!(found.iter().any(|reason| reason == wanted), "{found:?}");
    }
    assert!(!found.iter().any(|reason| reason.contains("comment")), "{found:?}");
    let comment = dump_row(&*dump).comment;
    assert_eq!(comment.as_deref(), Ok("*** first\n*** second\nby procdump"));
}
