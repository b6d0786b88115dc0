//! The headers of a driver image in memory, with the CodeView record that names its PDB.

use super::bytes::{Bytes, len32, low32};
use super::spec::{Block, Driver};

const PE: usize = 0x80;
const OPTIONAL: usize = PE + 24;
const DIRECTORY: usize = 0x200;
const RECORD: usize = 0x220;

/// The first page of a 64-bit driver. `pdb` is the path, the GUID in the form of the CodeView
/// record, and the age.
pub fn image_header(driver: &Driver, pdb: (&str, [u8; 16], u32)) -> Block {
    let mut image = Bytes::zeroed(0x400);
    image.put(0, b"MZ");
    image.u32(0x3c, len32(PE));
    image.put(PE, b"PE\0\0");
    image.u16(PE + 4, 0x8664);
    image.u32(PE + 8, driver.timestamp);
    image.u16(PE + 20, 240);
    image.u16(PE + 22, 0x22);
    image.u16(OPTIONAL, 0x20b);
    image.u64(OPTIONAL + 24, driver.base);
    image.u32(OPTIONAL + 32, 0x1000);
    image.u32(OPTIONAL + 36, 0x200);
    image.u32(OPTIONAL + 56, driver.size);
    image.u32(OPTIONAL + 60, 0x400);
    image.u32(OPTIONAL + 64, driver.checksum);
    image.u16(OPTIONAL + 68, 1);
    image.u32(OPTIONAL + 108, 16);
    // Data directory 6 is the debug directory.
    image.u32(OPTIONAL + 112 + 6 * 8, len32(DIRECTORY));
    image.u32(OPTIONAL + 112 + 6 * 8 + 4, 28);
    let (path, guid, age) = pdb;
    image.u32(DIRECTORY + 4, driver.timestamp);
    image.u32(DIRECTORY + 12, 2);
    image.u32(DIRECTORY + 16, low32(25 + path.len() as u64));
    image.u32(DIRECTORY + 20, len32(RECORD));
    image.u32(DIRECTORY + 24, len32(RECORD));
    image.put(RECORD, b"RSDS");
    image.put(RECORD + 4, &guid);
    image.u32(RECORD + 20, age);
    image.put(RECORD + 24, path.as_bytes());
    Block { address: driver.base, bytes: image.into_vec() }
}
