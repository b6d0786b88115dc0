//! An image as the loader leaves it in memory: headers, sections, the CodeView record that names
//! its PDB, and the version resource.

use super::bytes::{Bytes, len32, low32, utf16};

const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
/// The offset of the debug directory, which the CodeView record follows.
const DEBUG: usize = 0x1000;
/// The offset of the resources.
const RESOURCES: usize = 0x1200;
/// How many bytes of the image are written; the rest is code without known contents.
const WRITTEN: usize = 0x2000;

/// The four numbers of a version, and the strings of its resource.
pub(super) type Version<'a> = ([u16; 4], Vec<(&'a str, String)>);

/// The contents of an image.
#[derive(Debug, Clone, Default)]
pub(super) struct Image<'a> {
    pub(super) is_64_bit: bool,
    pub(super) base: u64,
    pub(super) size: u32,
    pub(super) timestamp: u32,
    pub(super) checksum: u32,
    pub(super) subsystem: u16,
    pub(super) is_dll: bool,
    /// The system version in the headers.
    pub(super) system: (u16, u16),
    /// Path of the PDB, GUID in the form of the CodeView record, age.
    pub(super) pdb: Option<(&'a str, [u8; 16], u32)>,
    /// The version resource.
    pub(super) version: Option<Version<'a>>,
    /// Offset and size of the function table.
    pub(super) functions: Option<(u32, u32)>,
    /// More sections between code and resources: name, first address, size.
    pub(super) sections: Vec<(&'a str, u32, u32)>,
}

impl Image<'_> {
    /// The offset of the directory entry of the function table in the header of a 64-bit image.
    pub(super) const FUNCTIONS_OF_64_BIT: u64 = (OPTIONAL + 112 + 3 * 8) as u64;

    /// The first pages of the image.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Bytes::zeroed(0x1000);
        out.put(0, b"MZ\x90\0\x03\0\0\0");
        out.u32(0x3c, len32(PE));
        out.put(0x4e, b"This program cannot be run in DOS mode.\r\r\n$");
        out.put(PE, b"PE\0\0");
        out.u16(PE + 4, if self.is_64_bit { 0x8664 } else { 0x14c });
        out.u32(PE + 8, self.timestamp);
        let directories = if self.is_64_bit { 112 } else { 96 };
        out.u16(PE + 20, if self.is_64_bit { 240 } else { 224 });
        let dll = if self.is_dll { 0x2000 } else { 0 };
        out.u16(PE + 22, dll | if self.is_64_bit { 0x22 } else { 0x102 });
        self.optional(&mut out, directories);
        let resources = self.debug_and_resources(&mut out);
        let data = OPTIONAL + directories;
        if self.pdb.is_some() {
            out.u32(data + 6 * 8, len32(DEBUG));
            out.u32(data + 6 * 8 + 4, 28);
        }
        if let Some((table, size)) = self.functions {
            out.u32(data + 3 * 8, table);
            out.u32(data + 3 * 8 + 4, size);
        }
        if resources > 0 {
            out.u32(data + 2 * 8, len32(RESOURCES));
            out.u32(data + 2 * 8 + 4, resources);
        }
        self.sections(&mut out, data + 16 * 8);
        out.into_vec()
    }

    fn optional(&self, out: &mut Bytes, directories: usize) {
        out.u16(OPTIONAL, if self.is_64_bit { 0x20b } else { 0x10b });
        out.u32(OPTIONAL + 16, 0x3000.min(self.size));
        if self.is_64_bit {
            out.u64(OPTIONAL + 24, self.base);
        } else {
            out.u32(OPTIONAL + 28, low32(self.base));
        }
        out.u32(OPTIONAL + 32, 0x1000);
        out.u32(OPTIONAL + 36, 0x200);
        for at in [40, 44, 48] {
            out.u16(OPTIONAL + at, self.system.0);
            out.u16(OPTIONAL + at + 2, self.system.1);
        }
        out.u32(OPTIONAL + 56, self.size);
        out.u32(OPTIONAL + 60, 0x400);
        out.u32(OPTIONAL + 64, self.checksum);
        out.u16(OPTIONAL + 68, self.subsystem);
        out.u32(OPTIONAL + directories - 4, 16);
    }

    fn debug_and_resources(&self, out: &mut Bytes) -> u32 {
        if let Some((path, guid, age)) = self.pdb {
            out.put(DEBUG, &[0; 28]);
            out.u32(DEBUG + 4, self.timestamp);
            out.u32(DEBUG + 12, 2);
            out.u32(DEBUG + 16, low32(25 + path.len() as u64));
            out.u32(DEBUG + 20, len32(DEBUG + 0x20));
            out.u32(DEBUG + 24, len32(DEBUG + 0x20));
            out.put(DEBUG + 0x20, b"RSDS");
            out.put(DEBUG + 0x24, &guid);
            out.u32(DEBUG + 0x34, age);
            out.put(DEBUG + 0x38, path.as_bytes());
            out.put(DEBUG + 0x38 + path.len(), &[0]);
        }
        let Some((numbers, strings)) = &self.version else { return 0 };
        let tree = resources(&version_resource(*numbers, strings));
        out.put(RESOURCES, &tree);
        len32(tree.len())
    }

    fn sections(&self, out: &mut Bytes, at: usize) {
        let rest = self.size.saturating_sub(len32(WRITTEN));
        let mut sections =
            vec![(".rdata", len32(DEBUG), 0x200), (".rsrc", len32(RESOURCES), 0xe00)];
        if self.sections.is_empty() {
            sections.push((".text", len32(WRITTEN), rest));
        }
        sections.extend(self.sections.iter().copied());
        sections.sort_by_key(|section| section.1);
        out.u16(PE + 6, u16::try_from(sections.len()).unwrap_or(0));
        for (i, (name, address, size)) in sections.into_iter().enumerate() {
            let at = at + i * 40;
            let name: Vec<u8> = name.bytes().take(8).collect();
            out.put(at, &[0; 40]);
            out.put(at, &name);
            out.u32(at + 8, size);
            out.u32(at + 12, address);
            out.u32(at + 16, size.next_multiple_of(0x200));
            out.u32(at + 20, address);
            let flags = match name.as_slice() {
                b".text" | b"PAGE" => 0x6000_0020,
                b".data" => 0xc000_0040,
                _ => 0x4000_0040,
            };
            out.u32(at + 36, flags);
        }
    }
}

/// The resource tree with the version resource: type 16, name 1, English.
fn resources(version: &[u8]) -> Vec<u8> {
    let mut tree = Bytes::zeroed(0x60);
    for (at, id, next) in [(0, 16, 0x8000_0018), (0x18, 1, 0x8000_0030), (0x30, 0x409, 0x48)] {
        tree.u16(at + 14, 1);
        tree.u32(at + 16, id);
        tree.u32(at + 20, next);
    }
    tree.u32(0x48, len32(RESOURCES + 0x60));
    tree.u32(0x4c, len32(version.len()));
    tree.put(0x60, version);
    tree.into_vec()
}

fn version_resource(numbers: [u16; 4], strings: &[(&str, String)]) -> Vec<u8> {
    let mut fixed = Bytes::zeroed(52);
    fixed.u32(0, 0xfeef_04bd);
    fixed.u32(4, 0x0001_0000);
    let [a, b, c, d] = numbers.map(u32::from);
    for at in [8, 16] {
        fixed.u32(at, a << 16 | b);
        fixed.u32(at + 4, c << 16 | d);
    }
    fixed.u32(24, 0x3f);
    fixed.u32(32, 0x0004_0004);
    fixed.u32(36, 3);
    let text = |text: &str| [utf16(text), vec![0, 0]].concat();
    let strings: Vec<Vec<u8>> = strings
        .iter()
        .map(|(key, value)| {
            let words = value.encode_utf16().count() + 1;
            block(key, &text(value), u16::try_from(words).unwrap_or(0), true, &[])
        })
        .collect();
    let table = block("040904B0", &[], 0, true, &strings);
    let info = block("StringFileInfo", &[], 0, true, &[table]);
    let translation = block("Translation", &[9, 4, 0xb0, 4], 4, false, &[]);
    let var = block("VarFileInfo", &[], 0, true, &[translation]);
    block("VS_VERSION_INFO", fixed.as_slice(), 52, false, &[info, var])
}

/// One block of a version resource: its length, the length of its value, whether the value is text,
/// its key, the value and the blocks in it, each aligned to four bytes.
fn block(key: &str, value: &[u8], length: u16, is_text: bool, inner: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Bytes::zeroed(6);
    out.u16(2, length);
    out.u16(4, u16::from(is_text));
    out.put(6, &[utf16(key), vec![0, 0]].concat());
    out.append(&[], 4);
    if !value.is_empty() {
        out.append(value, 4);
    }
    for inner in inner {
        out.append(inner, 4);
    }
    out.u16(0, u16::try_from(out.len()).unwrap_or(0));
    out.into_vec()
}
