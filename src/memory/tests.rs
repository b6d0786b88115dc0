//! Hand-built and random page tables, checked against an independent walker.

use super::{Fault, Gpa, Gva, Machine, Mode, PAGE, PageMap, Run, Runs, Via};

/// How many pages the machines of these tests have.
const PAGES: u64 = 64;

/// A machine whose memory is at the start of a file.
struct Made {
    file: Vec<u8>,
}

impl Made {
    fn new() -> Self {
        Self { file: vec![0; (PAGES * PAGE) as usize] }
    }

    fn put(&mut self, at: u64, bytes: &[u8]) {
        self.file[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
    }

    fn put64(&mut self, at: u64, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    fn machine(&self, mode: Mode, base: u64) -> Machine {
        let all = vec![Run { first: 0, pages: PAGES, offset: 0 }];
        Machine::new(PageMap::Runs(Runs::new(all, self.file.len() as u64)), mode, base)
    }

    fn number(&self, at: u64, size: usize) -> Option<u64> {
        let bytes = self.file.get(at as usize..at as usize + size)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

/// An independent walker after the processor manuals, one level after another, that shares no code
/// with the reader.
fn slowly(made: &Made, mode: Mode, base: u64, at: u64) -> Option<u64> {
    let (last, size, top) = match mode {
        Mode::X86 => (2, 4, at >> 32 == 0),
        Mode::Pae => (3, 8, at >> 32 == 0),
        Mode::X64 | Mode::Arm64 => (4, 8, !(1 << 47..u64::MAX << 47).contains(&at)),
        Mode::X64La57 => (5, 8, !(1 << 56..u64::MAX << 56).contains(&at)),
    };
    if !top {
        return None;
    }
    let per = if size == 4 { 10 } else { 9 };
    let numbers = if mode == Mode::X86 { 0xffff_f000 } else { 0xf_ffff_ffff_f000 };
    let numbers = if mode == Mode::Arm64 { 0xffff_ffff_f000 } else { numbers };
    let mut table = base & numbers;
    if mode == Mode::Pae {
        table = base & 0xffff_ffe0;
    }
    for level in (1..=last).rev() {
        let shift = 12 + per * (level - 1);
        let index = (at >> shift) % (1 << per);
        let index = if mode == Mode::Pae && level == 3 { at >> 30 } else { index };
        let entry = made.number(table + index * size as u64, size)?;
        let span = 1u64 << shift;
        let (valid, is_page) = match mode {
            Mode::Arm64 if level == 1 => (entry & 3 == 3, true),
            Mode::Arm64 if level == 4 => (entry & 3 == 3, false),
            Mode::Arm64 => (entry & 1 == 1, entry & 2 == 0),
            Mode::X86 | Mode::Pae => {
                (entry & 1 == 1, level == 1 || level == 2 && entry & 128 == 128)
            }
            _ => (entry & 1 == 1, level == 1 || level <= 3 && entry & 128 == 128),
        };
        if valid && is_page {
            let mut page = entry & numbers;
            page -= page % span;
            if mode == Mode::X86 && level == 2 {
                page += ((entry >> 13) % 256) << 32;
            }
            return Some(page + at % span);
        }
        if valid {
            table = entry & numbers;
        } else if entry & 1 == 0 && entry & 0x800 != 0 && entry & 0x400 == 0 {
            let page = entry & if mode == Mode::X86 { 0xffff_f000 } else { 0xf_ffff_ffff_f000 };
            if level == 1 {
                return Some(page + at % PAGE);
            }
            table = page;
        } else {
            return None;
        }
    }
    None
}

struct Random(u64);

impl Random {
    fn next(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Low bits of entries: present, large, transition, prototype, page file, ARM64 blocks and tables.
const LOW: [u64; 12] = [1, 3, 0x63, 0xe3, 0x81, 0x880, 0x8a0, 0x8c0, 0x400, 0x80, 0, 0x403];

#[test]
fn every_paging_mode_agrees_with_the_independent_walker() {
    for (mode, size) in
        [(Mode::X86, 4), (Mode::Pae, 8), (Mode::X64, 8), (Mode::X64La57, 8), (Mode::Arm64, 8)]
    {
        let mut random = Random(mode as u64 + 1);
        let mut found = 0;
        for _ in 0..30 {
            let mut made = Made::new();
            for at in (0..PAGES * PAGE).step_by(size) {
                // Most entries point to a page, often to their own table.
                let page = random.next(PAGES) * PAGE;
                let entry = page | LOW[random.next(LOW.len() as u64) as usize];
                made.put(at, &entry.to_le_bytes()[..size]);
            }
            let base = random.next(PAGES) * PAGE + if mode == Mode::Pae { 0x40 } else { 0 };
            let machine = made.machine(mode, base | 0x3);
            for _ in 0..2000 {
                let at = random.next(u64::MAX) << 32 ^ random.next(u64::MAX);
                let at = match (mode, random.next(10)) {
                    (_, 0) => at,
                    (Mode::X86 | Mode::Pae, _) => at & 0xffff_ffff,
                    (Mode::X64La57, _) => (at.cast_signed() << 8 >> 8).cast_unsigned(),
                    _ => (at.cast_signed() << 17 >> 17).cast_unsigned(),
                };
                let answer = machine.translate(&made.file, machine.kernel(), Gva(at));
                let answer = answer.ok().filter(|t| t.via != Via::Prototype);
                let expected = slowly(&made, mode, base, at);
                assert_eq!(answer.map(|t| t.address.0), expected, "{mode:?} {at:#x}");
                let bytes = machine.at(&made.file, machine.kernel(), Gva(at));
                if let Some(place) = expected.filter(|place| *place < PAGES * PAGE) {
                    found += 1;
                    let end = (place / PAGE + 1) * PAGE;
                    assert_eq!(bytes.unwrap(), &made.file[place as usize..end as usize]);
                    // The second time from the cache.
                    assert_eq!(machine.at(&made.file, machine.kernel(), Gva(at)), bytes);
                }
            }
        }
        assert!(found > 1000, "{mode:?}: only {found} addresses lead to memory");
    }
}

/// A kernel with one page table: pages 0 to 3 are the tables.
fn x64() -> Made {
    let mut made = Made::new();
    made.put64(0xff8, 0x1003);
    made.put64(0x1ff8, 0x2003);
    made.put64(0x2ff8, 0x3003);
    made
}

const LAST: u64 = 0xffff_ffff_ffe0_0000;

#[test]
fn prototype_ptes_lead_to_the_shared_page() {
    let mut made = x64();
    // The page of the prototype PTEs, at the start of the table's range.
    made.put64(0x3000, 0x5003);
    let prototype = |index: u64| (LAST + index * 8) << 16 | 0x400;
    for index in 0..6 {
        made.put64(0x3008 + index * 8, prototype(index));
    }
    made.put64(0x5000, 0x6001);
    made.put64(0x5008, 0x7880);
    made.put64(0x5010, 0x1234_0000_0080);
    made.put64(0x5018, 0x0000_0001_0000_0080);
    made.put64(0x5020, LAST << 16 | 0x400);
    made.put64(0x5028, 0);
    let machine = made.machine(Mode::X64, 0);
    let at = |index: u64| Gva(LAST + 0x1000 * (index + 1) + 0x10);
    let of = |index| machine.translate(&made.file, machine.kernel(), at(index));
    assert_eq!(of(0).map(|t| (t.address, t.via)), Ok((Gpa(0x6010), Via::Prototype)));
    assert_eq!(of(1).map(|t| (t.address, t.via)), Ok((Gpa(0x7010), Via::Prototype)));
    assert_eq!(of(2), Err(Fault::PagedOut { at: at(2), level: 1 }));
    assert_eq!(of(3), Err(Fault::PagedOut { at: at(3), level: 1 }));
    assert_eq!(of(4), Err(Fault::PagedOut { at: at(4), level: 1 }));
    assert_eq!(of(5), Err(Fault::Unmapped { at: at(5), level: 1 }));
    // A prototype PTE whose own page is mapped by a prototype PTE.
    made.put64(0x3038, (LAST + 0x1000) << 16 | 0x400);
    assert_eq!(
        machine.translate(&made.file, machine.kernel(), at(6)),
        Err(Fault::Damaged { at: at(6), level: 1 })
    );
}

#[test]
fn faults_give_the_level_that_failed() {
    let mut made = x64();
    made.put64(0x3000, 0x1_0000_0080);
    made.put64(0x3008, 0x80);
    made.put64(0x3010, (PAGES * PAGE) | 3);
    made.put64(0x2ff0, (PAGES * PAGE) | 3);
    let machine = made.machine(Mode::X64, 0);
    let of = |at: u64| machine.at(&made.file, machine.kernel(), Gva(at)).map(<[u8]>::len);
    let (a, b, c) = (LAST, LAST + 0x1000, LAST + 0x2000);
    assert_eq!(of(a), Err(Fault::PagedOut { at: Gva(a), level: 1 }));
    assert_eq!(of(b), Err(Fault::DemandZero(Gva(b))));
    assert_eq!(of(c), Err(Fault::NotPresent(Gva(c))));
    assert_eq!(of(LAST - 1), Err(Fault::NoTable { at: Gva(LAST - 1), level: 1 }));
    assert_eq!(of(0x1000), Err(Fault::Unmapped { at: Gva(0x1000), level: 4 }));
    assert_eq!(of(1 << 60), Err(Fault::NotCanonical(Gva(1 << 60))));
}

#[test]
fn mapped_pages_are_found_without_visiting_every_page() {
    let mut made = x64();
    made.put64(0x3000 + 5 * 8, 0x9003);
    made.put64(0x3000 + 511 * 8, 0xa003);
    let machine = made.machine(Mode::X64, 0);
    let next = |from: u64, to: u64| {
        machine.next_present(&made.file, machine.kernel(), Gva(from), Gva(to)).map(|at| at.0)
    };
    let first = LAST + 5 * PAGE;
    assert_eq!(next(0, u64::MAX), Some(first));
    assert_eq!(next(first + 7, u64::MAX), Some(first + 7));
    assert_eq!(next(first + PAGE, u64::MAX), Some(u64::MAX - 0xfff));
    assert_eq!(next(first + PAGE, u64::MAX - 0xfff), None);
    assert_eq!(next(u64::MAX, u64::MAX), None);
    assert_eq!(next(0, first), None);
}

#[test]
fn walks_of_self_referencing_tables_end() {
    for mode in [Mode::X86, Mode::Pae, Mode::X64, Mode::X64La57, Mode::Arm64] {
        let mut made = Made::new();
        let size = mode.entry_bytes();
        for at in (0..PAGE).step_by(size as usize) {
            made.put(at, &0x3u64.to_le_bytes()[..size as usize]);
        }
        let machine = made.machine(mode, 0);
        for at in [0, 0x1234_5678, 0x7fff_ffff, 0xffff_f000] {
            let found = machine.translate(&made.file, machine.kernel(), Gva(at)).unwrap();
            assert_eq!(found.address, Gpa(at % PAGE), "{mode:?}");
        }
    }
}

#[test]
fn threads_share_translations() {
    let mut made = x64();
    for index in 0..512 {
        made.put64(0x3000 + index * 8, (0x4000 + index % 32 * PAGE) | 3);
    }
    for page in 4..PAGES {
        made.put64(page * PAGE, page);
    }
    let machine = made.machine(Mode::X64, 0);
    std::thread::scope(|scope| {
        for start in 0..4u64 {
            let (machine, made) = (&machine, &made);
            scope.spawn(move || {
                let spaces = [machine.kernel(), machine.root(0x1000), machine.root(0x3000)];
                for step in 0..5000 {
                    let index = (step * 7 + start * 31) % 512;
                    let at = Gva(LAST + index * PAGE);
                    let page = machine.at(&made.file, spaces[0], at).unwrap();
                    assert_eq!(u64::from(page[0]), 4 + index % 32);
                    for other in &spaces[1..] {
                        // Translations of other page tables at the same addresses are never mixed
                        // up with these.
                        let (found, asked) = (
                            machine.at(&made.file, *other, at),
                            machine.translate(&made.file, *other, at),
                        );
                        let asked = asked.ok().filter(|t| t.address.0 < PAGES * PAGE);
                        assert_eq!(
                            found.ok().map(<[u8]>::as_ptr),
                            asked.map(|t| made.file[t.address.0 as usize..].as_ptr())
                        );
                    }
                }
            });
        }
    });
}
