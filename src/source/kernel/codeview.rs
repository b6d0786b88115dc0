//! The identity of a module's PDB, out of the pieces of its image that the dump happens to hold.

use super::KernelDump;
use crate::dump::bytes::{text, u16_at, u32_at, unsigned_at};

/// No debug directory has more entries.
const MAX_ENTRIES: u32 = 64;
/// A record with its name.
const MAX_RECORD: usize = 24 + 260;
const CODEVIEW: u32 = 2;

/// What a debug record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PdbId {
    /// The file name of the PDB.
    pub(super) name: String,
    /// The GUID, upper case without separators.
    pub(super) guid: String,
    /// The age.
    pub(super) age: u32,
}

/// Finds the record of the image between two addresses: by its headers where the dump holds them,
/// else by its signature in the pieces that lie inside the image.
pub(super) fn find(dump: &KernelDump, base: u64, end: u64) -> Option<PdbId> {
    by_directory(dump, base).or_else(|| by_signature(dump, base, end))
}

fn by_directory(dump: &KernelDump, base: u64) -> Option<PdbId> {
    let start = dump.bytes(base, 0x40).ok()?;
    if !start.starts_with(b"MZ") {
        return None;
    }
    let header = base.checked_add(u32_at(&start, 0x3c)?.into())?;
    let header = dump.bytes(header, 0x18 + 0x78 + 0x40).ok()?;
    if !header.starts_with(b"PE\0\0") {
        return None;
    }
    // The directories stand 16 bytes later in 64-bit images.
    let directories = match u16_at(&header, 0x18)? {
        0x10b => 0x18 + 0x60,
        0x20b => 0x18 + 0x70,
        _ => return None,
    };
    let (at, size) = (u32_at(&header, directories + 48)?, u32_at(&header, directories + 52)?);
    let table = base.checked_add(at.into())?;
    for i in 0..(size / 28).min(MAX_ENTRIES) {
        let entry = dump.bytes(table.checked_add(u64::from(i) * 28)?, 28).ok()?;
        if u32_at(&entry, 12)? == CODEVIEW {
            let record = base.checked_add(u32_at(&entry, 20)?.into())?;
            let len = MAX_RECORD.min(u32_at(&entry, 16)? as usize);
            return parse(&dump.prefix(record, len).ok()?);
        }
    }
    None
}

fn by_signature(dump: &KernelDump, base: u64, end: u64) -> Option<PdbId> {
    for (_, bytes) in dump.kernel_space().held(base, end) {
        let found = memchr::memmem::find_iter(bytes, b"RSDS")
            .find_map(|at| parse(bytes.get(at..bytes.len().min(at + MAX_RECORD))?));
        if found.as_ref().is_some_and(|id| id.name.to_ascii_lowercase().ends_with(".pdb")) {
            return found;
        }
    }
    None
}

/// Reads an `RSDS` record.
fn parse(record: &[u8]) -> Option<PdbId> {
    if !record.starts_with(b"RSDS") {
        return None;
    }
    let (a, b, c) = (u32_at(record, 4)?, u16_at(record, 8)?, u16_at(record, 10)?);
    let rest = unsigned_at(record, 12, 8)?.swap_bytes();
    let age = u32_at(record, 20)?;
    let name = text(record.get(24..)?);
    let name = name.rsplit(['\\', '/']).next().unwrap_or_default().to_owned();
    let is_text = !name.is_empty() && !name.contains(char::is_control);
    is_text.then(|| PdbId { name, guid: format!("{a:08X}{b:04X}{c:04X}{rest:016X}"), age })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record() {
        let mut record = b"RSDS".to_vec();
        record.extend(0x1234_5678u32.to_le_bytes());
        record.extend([0xbc, 0x9a, 0xf0, 0xde, 1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0]);
        record.extend(b"d:\\build\\driver.pdb\0junk");
        let id = parse(&record).unwrap();
        assert_eq!(id.name, "driver.pdb");
        assert_eq!(id.guid, "123456789ABCDEF00102030405060708");
        assert_eq!(id.age, 2);
        assert_eq!(parse(&record[..20]), None);
        assert_eq!(parse(b"NB10"), None);
    }
}
