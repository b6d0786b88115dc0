//! Small minidumps made here, sound and broken.

use std::ops::ControlFlow;

use crate::catalog::Absent;
use crate::dump::Image;
use crate::model::{Emit, Source, Unanswered, Want};
use crate::symbol::Store;

const HEADER: usize = 32;

/// A minidump of these streams, each behind the next; `tail` lies behind all of them.
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

/// A module list; each module is base and offset of its name.
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

fn open(bytes: &[u8]) -> super::UserDump {
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

fn reasons(dump: &super::UserDump) -> Vec<String> {
    let mut reasons = Vec::new();
    dump.problems(&mut |problem| {
        reasons.push(problem.reason.expect("a reason"));
        ControlFlow::Continue(())
    });
    reasons
}

#[test]
fn a_broken_name_costs_one_cell() {
    let list = modules(&[(0x40_0000, 264), (0x50_0000, 0xffff_fff0)]);
    let bytes = minidump(&[(4, list)], &counted_text("C:\\x\\good.dll"));
    let dump = open(&bytes);
    let rows = rows(|emit| dump.modules(&Want::ALL, emit)).expect("modules");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].name.as_deref(), Ok("good"));
    assert_eq!(rows[0].image_name.as_deref(), Ok("good.dll"));
    assert_eq!(rows[1].name, Err(Absent::Unreadable));
    assert_eq!(rows[1].base, Ok(0x50_0000));
    let at = dump.locate(0x40_0010).expect("a module");
    assert_eq!(at.display(), "good+0x10");
    assert_eq!(dump.locate(0x50_0010), Err(Absent::Unreadable));
    assert_eq!(dump.locate(0x40_1000), Err(Absent::NotApplicable));
}

#[test]
fn a_count_beyond_the_stream_is_a_problem_of_its_table() {
    let mut list = modules(&[(0x40_0000, 0)]);
    list[0] = 9;
    let dump = open(&minidump(&[(4, list)], &[]));
    assert_eq!(rows(|emit| dump.modules(&Want::ALL, emit)).expect("modules").len(), 1);
    let reasons = reasons(&dump);
    assert_eq!(reasons, ["records that the list's count promises and the stream does not hold"]);
}

#[test]
fn streams_that_are_not_there_say_so() {
    let dump = open(&minidump(&[(7, vec![0; 4]), (3, vec![])], &[]));
    let why = |result: Result<Vec<_>, Unanswered>| result.expect_err("no rows").because;
    let modules = why(rows(|emit| dump.modules(&Want::ALL, emit)).map(|_| vec![()]));
    assert_eq!(modules.as_deref(), Some("the minidump has no module list"));
    let threads = why(rows(|emit| dump.threads(&Want::ALL, emit)).map(|_| vec![()]));
    assert_eq!(threads.as_deref(), Some("the thread list lies beyond the end of the file"));
    assert_eq!(dump.machine().arch, "");
    let info = dump.dump(&Want::ALL).expect("table dump");
    assert_eq!((info.os, info.arch), (Err(Absent::NotInDump), Err(Absent::NotInDump)));
    assert_eq!(reasons(&dump), ["the system information is too short"]);
}

#[test]
fn what_the_file_cuts_off_is_told() {
    let bytes = minidump(&[(4, modules(&[(0x40_0000, 0), (0x50_0000, 0)]))], &[]);
    let dump = open(&bytes[..bytes.len() - 10]);
    assert_eq!(rows(|emit| dump.modules(&Want::ALL, emit)).expect("modules").len(), 1);
    assert_eq!(dump.dump(&Want::ALL).expect("table dump").is_complete, Ok(false));
    assert!(reasons(&dump)[0].starts_with("the module list ends beyond"));
    let whole = open(&bytes);
    assert_eq!(whole.dump(&Want::ALL).expect("table dump").is_complete, Ok(true));
    for end in [3, 20, 32, 40] {
        let image = Image::from_bytes("cut.dmp", &bytes[..end]);
        let error = super::open(image, &Store::default()).expect_err("too little");
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
        dump.read(address, &mut bytes).map(|()| String::from_utf8(bytes).expect("letters"))
    };
    assert_eq!(read(0x1000, 8), Ok("abcdefgh".to_owned()));
    assert_eq!(read(0x1006, 2), Ok("gh".to_owned()));
    assert_eq!(read(0x1006, 3), Err(Absent::NotInDump));
    assert_eq!(read(0x2000, 8), Ok("abcdefgh".to_owned()), "the part that the file holds");
    assert_eq!(read(0x2000, 9), Err(Absent::NotInDump));
    let ranges = rows(|emit| dump.coverage(&Want::ALL, emit)).expect("coverage");
    assert_eq!(
        ranges.iter().map(|r| r.start).collect::<Vec<_>>(),
        [Ok(0x1000), Ok(0x1004), Ok(0x2000)]
    );
    assert_eq!(reasons(&dump), ["memory ranges that end beyond the end of the file"]);
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
    let rows = rows(|emit| dump.handles(&Want::ALL, emit)).expect("handles");
    assert_eq!(rows[0].handle, Ok(0x44));
    assert_eq!(rows[0].object_type.as_deref(), Ok("Event"));
    assert_eq!(rows[0].name, Err(Absent::NotApplicable));
}

#[test]
fn lines_of_a_linux_map_are_read() {
    let maps = b"00400000-00415000 r-xp 00000000 08:01 11   /opt/my app\nbroken\n7f00-8000 rw-p 0 00:00 0\n";
    let dump = open(&minidump(&[(0x4767_0009, maps.to_vec())], &[]));
    let rows = rows(|emit| dump.memory_regions(&Want::ALL, emit)).expect("regions");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].file.as_deref(), Ok("/opt/my app"));
    assert_eq!((rows[0].start, rows[0].end), (Ok(0x40_0000), Ok(0x41_5000)));
    assert_eq!(rows[0].kind.as_deref(), Ok("mapped"));
    assert_eq!(rows[1].protection.as_deref(), Ok("rw-p"));
    assert_eq!(rows[1].kind.as_deref(), Ok("private"));
}
