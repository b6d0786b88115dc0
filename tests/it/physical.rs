//! Hand-built dumps with physical memory: the same small system gives the same values in every
//! container format, and damaged dumps give what is left.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dumpql::internals::dump::Image;
use dumpql::{Options, Session};
use rayon::prelude::*;

use crate::watchdog::watch;

const PAGE: usize = 0x1000;
const PAGES: usize = 300;
/// Pages that no dump holds: the first, as on every system, and one between the runs.
const LEFT_OUT: [usize; 2] = [0, 159];

/// How the machine translates addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    X86,
    Pae,
    X64,
}

/// A machine with a kernel that has empty lists and two processors.
struct System {
    kind: Kind,
    memory: Vec<u8>,
}

impl System {
    fn new(kind: Kind) -> Self {
        let mut system = Self { kind, memory: vec![0; PAGES * PAGE] };
        system.tables();
        system.kernel();
        system
    }

    fn is_wide(&self) -> bool {
        self.kind == Kind::X64
    }

    fn base(&self) -> u64 {
        if self.is_wide() { 0xffff_f800_0001_0000 } else { 0x8001_0000 }
    }

    /// Address of the first page of the kernel's range, which is page 16.
    fn range(&self) -> u64 {
        self.base() - 0x10000
    }

    fn dtb(&self) -> u64 {
        if self.kind == Kind::Pae { 0x5020 } else { 0x1000 }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.memory[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn entry(&mut self, table: usize, index: usize, page: usize) {
        let entry = (page * PAGE) as u64 | 0x63;
        if self.kind == Kind::X86 {
            self.put(table * PAGE + index * 4, &(entry as u32).to_le_bytes());
        } else {
            self.put(table * PAGE + index * 8, &entry.to_le_bytes());
        }
    }

    fn tables(&mut self) {
        match self.kind {
            Kind::X64 => {
                self.entry(1, 0x1ed, 1);
                self.entry(1, 0x1f0, 2);
                self.entry(2, 0, 3);
                self.entry(3, 0, 4);
            }
            Kind::X86 => {
                self.entry(1, 0x300, 1);
                self.entry(1, 0x200, 4);
            }
            Kind::Pae => {
                // Directories in pages 6 to 9, the last of which maps all four.
                for i in 0..4 {
                    let pointer = ((6 + i) * PAGE) as u64 | 1;
                    self.put(0x5020 + i * 8, &pointer.to_le_bytes());
                    self.entry(9, i, 6 + i);
                }
                self.entry(8, 0, 4);
            }
        }
        for i in 0..200 {
            self.entry(4, i, 16 + i);
        }
        // In transition, paged out, and not in the dump.
        let wide = if self.kind == Kind::X86 { 4 } else { 8 };
        let file = if self.kind == Kind::X86 { 0x5080u64 } else { 0x5_0000_0080 };
        for (i, entry) in [(200u64, (250 * PAGE as u64) | 0x880), (201, file), (202, 0x80)] {
            self.put(4 * PAGE + i as usize * wide, &entry.to_le_bytes()[..wide]);
        }
        self.put(250 * PAGE, b"in transition");
    }

    /// Writes at an address of the kernel.
    fn kernel_put(&mut self, offset: usize, bytes: &[u8]) {
        self.put(32 * PAGE + offset, bytes);
    }

    fn pointer(&mut self, offset: usize, value: u64) {
        let bytes = value.to_le_bytes();
        let len = if self.is_wide() { 8 } else { 4 };
        self.kernel_put(offset, &bytes[..len]);
    }

    fn kernel(&mut self) {
        let base = self.base();
        let step = if self.is_wide() { 8 } else { 4 };
        self.kernel_put(0, b"MZ");
        let block = 0x1200;
        self.kernel_put(block + 0x10, b"KDBG");
        self.kernel_put(block + 0x14, &0x380u32.to_le_bytes());
        // Pointers of the block are 64 bits wide and extended by their sign everywhere.
        let extended = |at: u64| if at >> 32 == 0 { at | 0xffff_ffff << 32 } else { at };
        for (field, at) in [
            (0, base + block as u64),
            (8, base + block as u64),
            (0x18, base),
            (0x48, base + 0x2000),
            (0x50, base + 0x2010),
            (0xf8, base + 0x2300),
            (0x208, base + 0x2100),
            (0x218, base + 0x2200),
        ] {
            self.kernel_put(block + field, &extended(at).to_le_bytes());
        }
        for head in [0x2000, 0x2010] {
            self.pointer(head, base + head as u64);
            self.pointer(head + step, base + head as u64);
        }
        self.kernel_put(0x2100, b"3790.srv03_sp1_rtm.050324-1447\0");
        self.pointer(0x2200, base + 0x3000);
        self.pointer(0x2200 + step, base + 0x4000);
        self.pointer(0x2300, PAGES as u64);
    }

    fn header(&self, code: u32) -> Vec<u8> {
        let size = if self.is_wide() { 0x2000 } else { 0x1000 };
        let mut file = b"PAGE".repeat(size / 4);
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(4, if self.is_wide() { b"DU64" } else { b"DUMP" });
        put(12, &3790u32.to_le_bytes());
        let base = self.base();
        let (dtb, module_list, process_head, kdbg) = (
            self.dtb() | if self.is_wide() { 2 } else { 0 },
            base + 0x2000,
            base + 0x2010,
            base + 0x1200,
        );
        if self.is_wide() {
            for (at, value) in
                [(0x10, dtb), (0x20, module_list), (0x28, process_head), (0x80, kdbg)]
            {
                put(at, &value.to_le_bytes());
            }
            put(0x30, &0x8664u32.to_le_bytes());
            put(0x34, &2u32.to_le_bytes());
            put(0xf98, &code.to_le_bytes());
        } else {
            for (at, value) in
                [(0x10, dtb), (0x18, module_list), (0x1c, process_head), (0x60, kdbg)]
            {
                put(at, &(value as u32).to_le_bytes());
            }
            put(0x20, &0x14cu32.to_le_bytes());
            put(0x24, &2u32.to_le_bytes());
            put(0x5c, &[u8::from(self.kind == Kind::Pae)]);
            put(0xf88, &code.to_le_bytes());
        }
        file
    }

    fn runs() -> [(usize, usize); 2] {
        [(1, LEFT_OUT[1] - 1), (LEFT_OUT[1] + 1, PAGES - LEFT_OUT[1] - 1)]
    }

    fn pages(&self) -> Vec<u8> {
        let pages = Self::runs().into_iter().flat_map(|(first, pages)| first..first + pages);
        pages.flat_map(|page| self.memory[page * PAGE..(page + 1) * PAGE].to_vec()).collect()
    }

    fn full(&self) -> Vec<u8> {
        let mut file = self.header(1);
        let runs = Self::runs();
        let total = runs.iter().map(|(_, pages)| pages).sum::<usize>();
        let mut numbers = vec![runs.len(), total];
        numbers.extend(runs.into_iter().flat_map(|(first, pages)| [first, pages]));
        for (i, number) in numbers.into_iter().enumerate() {
            if self.is_wide() {
                file[0x88 + i * 8..0x90 + i * 8].copy_from_slice(&(number as u64).to_le_bytes());
            } else {
                file[0x64 + i * 4..0x68 + i * 4].copy_from_slice(&(number as u32).to_le_bytes());
            }
        }
        [file, self.pages()].concat()
    }

    fn bitmap(&self, code: u32) -> Vec<u8> {
        let mut file = self.header(code);
        let start = file.len();
        file.extend(if code == 5 { b"FDMPDUMP" } else { b"SDMPDUMP" });
        let (first, total) = (start + PAGE, PAGES - LEFT_OUT.len());
        if code == 2 {
            file.extend([0, first, PAGES, total, PAGES].map(|n| (n as u32).to_le_bytes()).concat());
            file.extend(vec![0; if self.is_wide() { 12 } else { 4 }]);
        } else {
            file.extend([0; 0x18]);
            file.extend([first, total, PAGES].map(|n| (n as u64).to_le_bytes()).concat());
        }
        let mut bits = vec![0u8; PAGES.div_ceil(8)];
        for page in (0..PAGES).filter(|page| !LEFT_OUT.contains(page)) {
            bits[page / 8] |= 1 << (page % 8);
        }
        file.extend(bits);
        file.resize(first, 0);
        [file, self.pages()].concat()
    }

    fn ranges(&self, code: u32) -> Vec<u8> {
        let mut file = self.header(code);
        let first = file.len() as u64 + 0x1000;
        file.extend(0x40u32.to_le_bytes());
        file.extend(b"RDMPDUMP\0\0\0\0");
        let runs = Self::runs();
        let total = (PAGES - LEFT_OUT.len()) as u64;
        file.extend([first - 0x2020, first, 2, total].map(u64::to_le_bytes).concat());
        for (first, pages) in runs {
            file.extend([first as u64, pages as u64].map(u64::to_le_bytes).concat());
        }
        file.resize(first as usize, 0);
        [file, self.pages()].concat()
    }

    fn elf(&self) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0\x3e\0\x01\0\0\0".to_vec();
        file.resize(0x1000, 0);
        file[0x20] = 64;
        file[0x36..0x3a].copy_from_slice(&[56, 0, 2, 0]);
        let mut offset = 0x1000u64;
        for (i, (first, pages)) in Self::runs().into_iter().enumerate() {
            let at = 64 + i * 56;
            let (address, size) = ((first * PAGE) as u64, (pages * PAGE) as u64);
            file[at] = 1;
            let numbers = [offset, 0, address, size, size].map(u64::to_le_bytes).concat();
            file[at + 8..at + 48].copy_from_slice(&numbers);
            offset += size;
        }
        [file, self.pages()].concat()
    }

    /// The system in every format, with the words for each.
    fn formats(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut all = vec![
            ("full memory", self.full()),
            ("kernel memory (summary)", self.bitmap(2)),
            ("full memory (bitmap)", self.bitmap(5)),
            ("kernel memory (bitmap)", self.bitmap(6)),
            ("automatic", self.bitmap(7)),
            ("raw physical memory", self.memory.clone()),
            ("physical memory (ELF core)", self.elf()),
        ];
        if self.is_wide() {
            all.push(("kernel memory (live)", self.ranges(8)));
            all.push(("kernel and user memory (live)", self.ranges(9)));
            all.push(("complete memory (live)", self.ranges(10)));
        }
        all
    }
}

const KINDS: [Kind; 3] = [Kind::X86, Kind::Pae, Kind::X64];

fn open(bytes: &[u8]) -> Result<Session, String> {
    let image = Image::from_bytes("made.dmp", bytes.to_vec());
    Session::from_images(vec![image], &Options::default()).map_err(|error| error.to_string())
}

/// The rows of a query, cells separated by bars.
fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

#[test]
fn every_format_gives_the_same_values() {
    for kind in KINDS {
        let system = System::new(kind);
        for (words, file) in system.formats() {
            let what = format!("{kind:?}, {words}");
            let session = open(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
            let said = ask(&session, "SELECT dump_type, build, processors, is_complete FROM dump");
            assert_eq!(said, [format!("{words}|3790|2|true")], "{what}");
            let base = system.base();
            let sql = format!(
                "SELECT kernel_base = {base:#x}, dtb - {} < 16, module_list = {base:#x} + 8192, \
                 build_lab, arch FROM dump",
                system.dtb()
            );
            let arch = if kind == Kind::X64 { "x64" } else { "x86" };
            let lab = "3790.srv03_sp1_rtm.050324-1447";
            assert_eq!(ask(&session, &sql), [format!("true|true|true|{lab}|{arch}")], "{what}");
            let range = system.range();
            let sql = format!(
                "SELECT ascii({range:#x} + 200 * 4096), u8({range:#x} + 201 * 4096) IS NULL, \
                 poi({base:#x} + 8192) = {base:#x} + 8192"
            );
            assert_eq!(ask(&session, &sql), ["in transition|true|true"], "{what}");
            let pages = if words.starts_with("raw") { PAGES } else { PAGES - LEFT_OUT.len() };
            let sql = "SELECT sum(present_pages), count(DISTINCT space) FROM coverage";
            assert_eq!(ask(&session, sql), [format!("{pages}|1")], "{what}");
            let problems = ask(
                &session,
                "SELECT reason FROM problems WHERE \"column\" IS NULL AND reason NOT LIKE '%layout%'",
            );
            assert!(problems.is_empty(), "{what}: {problems:?}");
        }
    }
}

#[test]
fn a_wrong_pae_flag_is_detected() {
    for kind in [Kind::X86, Kind::Pae] {
        let system = System::new(kind);
        let mut file = system.full();
        for lie in [u8::from(kind == Kind::X86), b'P'] {
            file[0x5c] = lie;
            let session = open(&file).unwrap();
            let lab = ask(&session, "SELECT build_lab FROM dump");
            assert_eq!(lab, ["3790.srv03_sp1_rtm.050324-1447"], "{kind:?} {lie}");
        }
    }
}

#[test]
fn memory_without_windows_is_rejected_in_one_line() {
    let system = System::new(Kind::X64);
    let mut blind = system.memory.clone();
    // The lists no longer point back, and the image has no name.
    blind[32 * PAGE + 0x2008] ^= 0x10;
    blind[32 * PAGE + 0x2018] ^= 0x10;
    let refusals = [
        blind,
        vec![0; 1 << 20],
        vec![0x5a; 1 << 20],
        (0..1u32 << 18).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect(),
    ];
    for bytes in refusals {
        let said = open(&bytes).expect_err("no Windows, no dump");
        assert!(!said.contains('\n') && said.contains("expected"), "{said}");
    }
    let mut elf = system.elf();
    elf.truncate(0x1000);
    let said = open(&elf).expect_err("no memory, no dump");
    assert!(said.contains("an ELF core file without the memory of a Windows system"), "{said}");
}

/// Tables that say all that is read of a container, and more that read memory.
const SHALLOW: [&str; 3] = ["dump", "coverage", "modules"];
const DEEP: [&str; 9] = [
    "bugcheck",
    "exception",
    "registers",
    "unloaded_modules",
    "threads",
    "processors",
    "processes",
    "memory_regions",
    "problems",
];

/// Opens the bytes and asks for these tables, and for some memory.
fn read(what: &str, bytes: &[u8], base: u64, tables: &[&[&str]]) {
    let _watched = watch(what);
    let read = catch_unwind(AssertUnwindSafe(|| {
        let Ok(session) = open(bytes) else { return };
        for table in tables.iter().copied().flatten() {
            let _ = session.query(&format!("SELECT * FROM {table}"));
        }
        let _ = session.query(&format!(
            "SELECT poi({base:#x}), ascii({base:#x} + 8448), hex({base:#x}, 9000)"
        ));
    }));
    assert!(read.is_ok(), "{what}: panicked");
}

#[test]
fn cut_off_at_every_percent() {
    for kind in KINDS {
        let system = System::new(kind);
        for (words, file) in system.formats() {
            // One kind at every percent, the others in between.
            let step = if kind == Kind::X64 { 1 } else { 7 };
            (0..100 / step).into_par_iter().map(|i| i * step).for_each(|percent| {
                let cut = file.len() * percent / 100;
                let what = format!("{kind:?}, {words}, cut off at {percent} %");
                read(&what, &file[..cut], system.base(), &[&SHALLOW]);
            });
        }
    }
}

#[test]
fn pages_before_the_cut_are_used() {
    let system = System::new(Kind::X64);
    for file in [system.full(), system.bitmap(2), system.bitmap(6), system.ranges(8)] {
        let cut = &file[..file.len() * 9 / 10];
        let session = open(cut).unwrap();
        let said = ask(&session, "SELECT build_lab, is_complete FROM dump");
        assert_eq!(said, ["3790.srv03_sp1_rtm.050324-1447|false"]);
        let problems =
            ask(&session, "SELECT reason FROM problems WHERE reason LIKE 'the file is cut%'");
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

/// Numbers that break careless arithmetic.
const EXTREMES: [u64; 5] = [0, 0xfff, 1 << 32, 1 << 63, u64::MAX - 0xfff];

#[test]
fn absurd_numbers_in_every_header() {
    for kind in KINDS {
        let system = System::new(kind);
        let mut headed = vec![
            ("runs", system.full()),
            ("narrow bitmap", system.bitmap(2)),
            ("bitmap", system.bitmap(6)),
            ("segments", system.elf()),
        ];
        if system.is_wide() {
            headed.push(("ranges", system.ranges(8)));
        }
        for (words, file) in headed {
            // What describes pages: runs in the header, and all that follows it.
            let (places, end) = if system.is_wide() { (0x80, 0x2000) } else { (0x60, 0x1000) };
            let mut at: Vec<usize> = (0..0x40).chain(places..places + 0x60).collect();
            at.extend(end..end + 0x60);
            at.retain(|at| at % 4 == 0);
            at.into_par_iter().for_each(|at| {
                for value in EXTREMES {
                    let mut file = file.clone();
                    file[at..at + 8].copy_from_slice(&value.to_le_bytes());
                    let what = format!("{kind:?}, {words}, {value:#x} at {at:#x}");
                    read(&what, &file, system.base(), &[&SHALLOW]);
                }
            });
        }
    }
}

#[test]
fn tables_that_point_anywhere() {
    for kind in KINDS {
        let system = System::new(kind);
        (0..40u64).into_par_iter().for_each(|seed| {
            let mut broken = System { kind, memory: system.memory.clone() };
            let mut state = seed;
            let mut random = |most: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99991);
                (state >> 33) % most
            };
            for _ in 0..=random(400) {
                let at = (PAGE as u64 + random(9 * PAGE as u64 / 8) * 8) as usize;
                let low = [1, 3, 0x63, 0xe3, 0x880, 0x400, 0x81][random(7) as usize];
                let value = random(2 * PAGES as u64) << 12 | low | random(3) << 62;
                broken.put(at, &value.to_le_bytes());
            }
            // Every table is its own table in some.
            if seed % 10 == 0 {
                let first = (system.dtb() as usize) & !0xfff;
                for at in (first..first + PAGE).step_by(8) {
                    broken.put(at, &(first as u64 | 0x63).to_le_bytes());
                }
            }
            for (words, file) in [("full", broken.full()), ("raw", broken.memory.clone())] {
                let what = format!("{kind:?}, {words}, seed {seed}");
                read(&what, &file, system.base(), &[&SHALLOW, &DEEP]);
            }
        });
    }
}
