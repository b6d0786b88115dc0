//! The corpus: small files of every format, made here or by the library's own synthetic dumps.
//! Nothing is read from real dumps.

use std::path::Path;

/// Consecutive little-endian numbers.
#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn to(mut self, len: usize) -> Self {
        self.0.resize(len.max(self.0.len()), 0);
        self
    }
}

fn len32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// A UTF-16 string after its length in bytes.
fn counted(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Out::default().u32(len32(&units)).bytes(&units).0
}

/// A minidump of an x64 process (`wide`) or an x86 one: two threads, a module, memory, an exception,
/// handles, unloaded modules, a map of the address space, names.
pub(crate) fn minidump(wide: bool) -> Vec<u8> {
    const DATA: u32 = 0x1000;
    let sp = 0x7000_u64;
    let base = 0x40_0000_u64;
    // The data that streams point to follows the streams.
    let context = if wide {
        Out::default()
            .to(0x30)
            .u32(0x10_000b)
            .to(0x98)
            .u64(sp)
            .to(0xf8)
            .u64(base + 0x1040)
            .to(0x4d0)
            .0
    } else {
        Out::default()
            .u32(0x1_0007)
            .to(0xb4)
            .u32(0x7080)
            .u32(0x40_1040)
            .to(0xc4)
            .u32(0x7000)
            .to(0x2cc)
            .0
    };
    let words = (0..64_u64).flat_map(|i| (base + 0x1000 + 8 * i).to_le_bytes());
    let stack: Vec<u8> = words.collect();
    let names = [counted("C:\\x\\App.exe"), counted("worker"), counted("Event")];
    let pieces = [context, stack, names[0].clone(), names[1].clone(), names[2].clone()];
    let mut places = Vec::new();
    let mut data = Vec::new();
    for piece in &pieces {
        places.push((DATA + len32(&data), len32(piece)));
        data.extend(piece);
    }
    let at = |index: usize| places.get(index).map_or(0, |place| place.0);
    let size = |index: usize| places.get(index).map_or(0, |place| place.1);
    let system = Out::default()
        .u16(if wide { 9 } else { 0 })
        .to(6)
        .u16(2)
        .u32(10)
        .u32(0)
        .u32(19041)
        .u32(2)
        .to(56)
        .0;
    let mut threads = Out::default().u32(2);
    for id in [7, 8] {
        threads = threads.u32(id).u32(0).u32(0x20).u32(8).u64(0x9000).u64(sp);
        threads = threads.u32(size(1)).u32(at(1)).u32(size(0)).u32(at(0));
    }
    let module = Out::default().u64(base).u32(0x4000).u32(0).u32(0x5f00_0001).u32(at(2)).to(108).0;
    let modules = Out::default().u32(1).bytes(&module).0;
    let memory = Out::default().u32(1).u64(sp).u32(size(1)).u32(at(1)).0;
    let exception = Out::default().u32(7).u32(0).u32(0xc000_0005).u32(0).u64(0).u64(base + 0x1040);
    let exception = exception.u32(2).u32(0).u64(0).u64(0x10).to(8 + 152).u32(size(0)).u32(at(0)).0;
    let handle = Out::default().u64(4).u32(at(4)).u32(0).u32(0).u32(3).u32(1).u32(2).0;
    let handles = Out::default().u32(16).u32(32).u32(1).u32(0).bytes(&handle).0;
    let gone = Out::default().u64(0x50_0000).u32(0x1000).u32(0).u32(1).u32(at(2)).0;
    let unloaded = Out::default().u32(12).u32(24).u32(1).bytes(&gone).0;
    let region = Out::default()
        .u64(base)
        .u64(base)
        .u32(4)
        .u32(0)
        .u64(0x4000)
        .u32(0x1000)
        .u32(0x20)
        .u32(0x100_0000)
        .u32(0);
    let regions = Out::default().u32(16).u32(48).u64(1).bytes(&region.0).0;
    let thread_names = Out::default().u32(1).u32(7).u64(at(3).into()).0;
    let misc = Out::default().u32(24).u32(3).u32(0x123).u32(1_600_000_000).u32(1).u32(2).0;
    let streams = [
        (7, system),
        (3, threads.0),
        (4, modules),
        (5, memory),
        (6, exception),
        (12, handles),
        (14, unloaded),
        (16, regions),
        (24, thread_names),
        (15, misc),
    ];
    let count = u32::try_from(streams.len()).unwrap_or(0);
    let mut out = Out::default().u32(0x504d_444d).u32(0xa793).u32(count).u32(32).to(32);
    let mut place = 32 + 12 * count;
    for (kind, bytes) in &streams {
        out = out.u32(*kind).u32(len32(bytes)).u32(place);
        place += len32(bytes);
    }
    for (_, bytes) in &streams {
        out = out.bytes(bytes);
    }
    out.to(DATA as usize).bytes(&data).0
}

/// A symbol or type record: length, kind, contents, padded to a multiple of 4.
#[allow(clippy::needless_pass_by_value, reason = "each content is made for its record")]
fn record(kind: u16, content: Out) -> Vec<u8> {
    let len = (content.0.len() + 4).next_multiple_of(4);
    let size = u16::try_from(len - 2).unwrap_or(u16::MAX);
    Out::default().u16(size).u16(kind).bytes(&content.0).to(len).0
}

/// A PDB of one module: a function with lines, public symbols, a structure and an enumeration.
pub(crate) fn pdb() -> Vec<u8> {
    let strings = b"/names\0";
    let info =
        Out::default().u32(20_000_404).u32(1).u32(2).bytes(&[0xab; 16]).u32(7).bytes(strings);
    let info = info.u32(1).u32(1).u32(1).u32(1).u32(0).u32(0).u32(7).0;
    let field = |name: &[u8], offset: u16| {
        Out::default().u16(0x150d).u16(3).u32(0x75).u16(offset).bytes(name).bytes(b"\0").0
    };
    let fields = Out::default().bytes(&field(b"First", 0)).bytes(&[0xf2, 0xf1]);
    let fields = record(0x1203, fields.bytes(&field(b"Next", 4)));
    let structure =
        Out::default().u16(2).u16(0).u32(0x1000).u32(0).u32(0).u16(8).bytes(b"_THING\0");
    let values = Out::default()
        .u16(0x1502)
        .u16(3)
        .u16(1)
        .bytes(b"One\0")
        .u16(0x1502)
        .u16(3)
        .u16(2)
        .bytes(b"Two\0");
    let enumeration = Out::default().u16(2).u16(0).u32(0x74).u32(0x1002).bytes(b"_KIND\0");
    let types = [
        fields,
        record(0x1505, structure),
        record(0x1203, values),
        record(0x1507, enumeration),
        record(0x1002, Out::default().u32(0x1001).u32(0x1000c)),
        record(0x1503, Out::default().u32(0x1001).u32(0x75).u16(80).bytes(b"\0")),
        record(0x1205, Out::default().u32(0x75).bytes(&[3, 4])),
    ]
    .concat();
    let tpi = Out::default().u32(20_040_203).u32(56).u32(0x1000).u32(0x1007).u32(len32(&types));
    let tpi = tpi.to(56).bytes(&types).0;
    let public =
        |name: &[u8], offset| Out::default().u32(2).u32(offset).u16(1).bytes(name).bytes(b"\0");
    let symbols = [
        record(0x110e, public(b"?work@@YAHXZ", 0x40)),
        record(0x110e, public(b"_start", 0)),
        record(0x1125, Out::default().u32(0).u32(4).u16(1).bytes(b"work\0")),
    ]
    .concat();
    let function =
        Out::default().u32(0).u32(0).u32(0).u32(0x20).u32(0).u32(0).u32(0x74).u32(0x40).u16(1);
    let function = record(0x1110, function.bytes(&[0]).bytes(b"work\0"));
    let end = record(0x6, Out::default());
    let module_symbols = Out::default().u32(4).bytes(&function).bytes(&end).0;
    let checksums = Out::default().u32(0xf4).u32(8).u32(1).u32(0).0;
    let lines = Out::default().u32(0x40).u16(1).u16(0).u32(0x20).u32(0).u32(2).u32(28);
    let lines = lines.u32(0).u32(10).u32(8).u32(11);
    let lines = Out::default().u32(0xf2).u32(len32(&lines.0)).bytes(&lines.0).bytes(&checksums).0;
    let module = Out::default().bytes(&module_symbols).bytes(&lines).0;
    let entry =
        Out::default().to(34).u16(5).u32(len32(&module_symbols)).u32(0).u32(len32(&lines)).to(64);
    let entry = entry.bytes(b"work.obj\0work.obj\0").0;
    let entry = Out::default().bytes(&entry).to(entry.len().next_multiple_of(4)).0;
    let contributions =
        Out::default().u32(0xeffe_0000 + 19_970_605).u16(1).u16(0).u32(0x40).u32(0x20).to(32).0;
    let optional: Vec<u8> =
        (0..11_u16).flat_map(|i| if i == 5 { 6_u16 } else { 0xffff }.to_le_bytes()).collect();
    let dbi = Out::default()
        .u32(u32::MAX)
        .u32(19_990_903)
        .u32(2)
        .u16(0xffff)
        .u16(0)
        .u16(0xffff)
        .u16(0)
        .u16(4)
        .u16(0);
    let dbi = dbi.u32(len32(&entry)).u32(len32(&contributions)).u32(0).u32(0).u32(0).u32(0);
    let dbi = dbi.u32(len32(&optional)).u32(0).u16(0).u16(0x8664).to(64);
    let dbi = dbi.bytes(&entry).bytes(&contributions).bytes(&optional).0;
    let headers = Out::default().bytes(b".text\0\0\0").u32(0x1000).u32(0x1000).to(40).0;
    let names = Out::default().u32(0xeffe_effe).u32(1).u32(8).bytes(b"work.c\0\0").0;
    msf(&[Vec::new(), info, tpi, dbi, symbols, module, headers, names])
}

/// The container of a PDB, with pages of 512 bytes.
fn msf(streams: &[Vec<u8>]) -> Vec<u8> {
    const PAGE: usize = 512;
    let mut pages: Vec<u8> = Vec::new();
    // The header, two maps of free pages, and the page list of the directory come first.
    let mut next = 4_u32;
    let mut add = |bytes: &[u8]| -> Vec<u32> {
        let mut numbers = Vec::new();
        for piece in bytes.chunks(PAGE) {
            pages.extend(piece);
            pages.resize(pages.len().next_multiple_of(PAGE), 0);
            numbers.push(next);
            next += 1;
        }
        numbers
    };
    let mut directory = Out::default().u32(u32::try_from(streams.len()).unwrap_or(0));
    for stream in streams {
        directory = directory.u32(len32(stream));
    }
    for stream in streams {
        for number in add(stream) {
            directory = directory.u32(number);
        }
    }
    let of_directory = add(&directory.0);
    let list =
        of_directory.iter().fold(Out::default(), |list, number| list.u32(*number)).to(PAGE).0;
    let head = Out::default().bytes(b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0");
    let head = head.u32(512).u32(1).u32(next).u32(len32(&directory.0)).u32(0).u32(3).to(3 * PAGE);
    head.bytes(&list).bytes(&pages).0
}

/// The texts in a folder of the repository, if the folder exists.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// Layout files in both formats.
pub(crate) fn layouts() -> Vec<Vec<u8>> {
    let isf = r#"{"metadata":{"windows":{"pdb":{"GUID":"00AA","age":2,"database":"nt.pdb","machine_type":34404},
"pe":{"major":10,"minor":0,"build":19041,"revision":1}}},"base_types":{},"enums":{"_E":{"size":4,"constants":{"A":1,"B":-2}}},
"symbols":{"KeBugCheckEx":{"address":4096},"KiIdleLoop":{"address":8192}},
"user_types":{"_A":{"kind":"struct","size":24,"fields":{
"Bit":{"offset":4,"type":{"kind":"bitfield","bit_position":3,"bit_length":2,"type":{"kind":"base","name":"unsigned long"}}},
"Inner":{"offset":8,"type":{"kind":"array","count":2,"subtype":{"kind":"struct","name":"_B"}}},
"E":{"offset":0,"type":{"kind":"enum","name":"_E"}}}},
"_B":{"kind":"struct","size":8,"fields":{"Next":{"offset":0,"type":{"kind":"pointer","subtype":{"kind":"struct","name":"_A"}}}}}}}"#;
    let vtypes = r#"{"format":"nt-layout-1","windows":"10.0.19041.1","service_pack":"","arch":"x64","types":{
"_A":{"size":24,"fields":{"Bit":{"offset":4,"type":["BitField",{"start_bit":3,"end_bit":5,"native_type":"unsigned long"}]},
"Inner":{"offset":8,"type":["array",2,["_B"]]}}},
"_B":{"size":8,"fields":{"Next":{"offset":0,"type":["pointer64",["_A"]]}}}}}"#;
    vec![isf.into(), vtypes.into()]
}

/// Tables as users write them.
pub(crate) fn tables() -> Vec<Vec<u8>> {
    let texts = [
        "name,base,size,when,ok,share\nnt,0xfffff801a972c530,1024,2007-11-09 23:59:59,true,0.5\n\"a,\"\"b\"\"\",0x0,-1,,false,nan\n",
        "a;b;c\r\n1;2,5;x\r\n3;4,5;\"y\r\nz\"\r\n",
        "tag\tuses\nIrp \t12\nFile\t0x1f\n",
        "x\n1\n\n2\n",
        "\u{feff}name,n\nä,1\n",
    ];
    let wide = "n\tm\r\n1\t2\r\n".encode_utf16().flat_map(u16::to_le_bytes);
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push([0xff, 0xfe].into_iter().chain(wide).collect());
    all
}
