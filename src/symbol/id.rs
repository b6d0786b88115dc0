//! The identity of a PDB, from the CodeView record of an image.

use super::bytes::{cstring, u16_at, u32_at};

/// Size of the signature, the GUID and the age.
const HEAD: usize = 24;
/// The same for an older record: signature, offset, build time and age.
const OLD_HEAD: usize = 16;

/// The PDB that belongs to an image.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PdbId {
    /// The file name, without the path on the build machine.
    pub name: String,
    /// The GUID, upper case without separators; for files before Visual Studio .NET, the build time
    /// in eight digits.
    pub guid: String,
    /// The age.
    pub age: u32,
}

impl PdbId {
    /// The longest record that is read: the fixed part and a path.
    pub const MAX_RECORD: usize = HEAD + 260;

    /// Reads an `RSDS` record, or an `NB10` record of older images, from a debug directory.
    pub fn from_record(record: &[u8]) -> Option<Self> {
        let (guid, age, path) = match record.get(..4)? {
            b"RSDS" => (guid(record.get(4..20)?)?, u32_at(record, 20)?, HEAD),
            b"NB10" => (format!("{:08X}", u32_at(record, 8)?), u32_at(record, 12)?, OLD_HEAD),
            _ => return None,
        };
        let path = String::from_utf8_lossy(cstring(record, path)?).into_owned();
        let name = path.rsplit(['\\', '/']).next().unwrap_or_default();
        let is_text = !name.is_empty() && !name.contains(char::is_control);
        is_text.then(|| Self { name: name.to_owned(), guid, age })
    }

    /// The folder name under which symbol servers and their caches store the file.
    pub(super) fn folder(&self) -> String {
        format!("{}{:X}", self.guid, self.age)
    }

    /// The path of the file in a symbol store, below the store's folder; `None` if the name is not
    /// a plain file name.
    pub fn store_path(&self) -> Option<String> {
        self.is_safe().then(|| format!("{0}/{1}/{0}", self.name, self.folder()))
    }

    /// Whether the name is a plain file name: a damaged dump must not lead to a path outside the
    /// folder.
    pub(super) fn is_safe(&self) -> bool {
        let is_bad = |c: char| c.is_control() || "\\/:*?\"<>|".contains(c);
        !self.name.is_empty()
            && self.name.len() < 200
            && !self.name.starts_with('.')
            && !self.name.contains(is_bad)
            && self.guid.bytes().all(|b| b.is_ascii_hexdigit())
            && (8..=32).contains(&self.guid.len())
    }
}

/// A GUID in memory as text.
pub(super) fn guid(bytes: &[u8]) -> Option<String> {
    let (a, b, c) = (u32_at(bytes, 0)?, u16_at(bytes, 4)?, u16_at(bytes, 6)?);
    let rest = bytes.get(8..16)?.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    Some(format!("{a:08X}{b:04X}{c:04X}{rest:016X}"))
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
        let id = PdbId::from_record(&record).unwrap();
        assert_eq!(id.name, "driver.pdb");
        assert_eq!(id.guid, "123456789ABCDEF00102030405060708");
        assert_eq!((id.age, id.folder().as_str()), (2, "123456789ABCDEF001020304050607082"));
        let at = "driver.pdb/123456789ABCDEF001020304050607082/driver.pdb";
        assert_eq!(id.store_path().as_deref(), Some(at));
        assert_eq!(PdbId { name: "a/b.pdb".to_owned(), ..id }.store_path(), None);
        assert_eq!(PdbId::from_record(&record[..20]), None);
        assert_eq!(PdbId::from_record(b"NB10"), None);
    }

    #[test]
    fn an_older_record() {
        let mut record = b"NB10\0\0\0\0".to_vec();
        record.extend(0x3d6d_d5aau32.to_le_bytes());
        record.extend(b"\x01\0\0\0ntoskrnl.pdb\0");
        let id = PdbId::from_record(&record).unwrap();
        assert_eq!((id.name.as_str(), id.folder().as_str()), ("ntoskrnl.pdb", "3D6DD5AA1"));
        assert!(id.is_safe());
    }

    #[test]
    fn names_with_paths_are_not_safe() {
        for name in ["..", "", "a\0b", "c:x", "a/b", ".hidden"] {
            let id = PdbId { name: name.to_owned(), guid: "0".repeat(32), age: 1 };
            assert!(!id.is_safe(), "{name:?}");
        }
    }
}
