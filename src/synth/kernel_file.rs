//! The types and symbols of a kernel, from an ISF file.

use std::collections::HashMap;

use serde_json::Value;

use super::layout::Layout;
use crate::symbol::pack::Pack;

/// What an ISF file says about a kernel. A system that is built from it has the kernel's PDB
/// identity, symbol addresses and structures, so that other tools with the same ISF file can read
/// the system.
#[derive(Debug)]
pub struct KernelFile {
    pub(super) layout: Layout,
    pub(super) pdb: String,
    pub(super) guid: [u8; 16],
    pub(super) age: u32,
    pub(super) symbols: HashMap<String, u64>,
    /// The build of the kernel, if it differs from that of the version.
    pub(super) build: Option<u16>,
}

impl KernelFile {
    /// Reads the text of an ISF file; `None` if it is not that of a Windows kernel.
    pub fn parse(text: &str) -> Option<Self> {
        let isf: Value = serde_json::from_str(text).ok()?;
        let pdb = isf.get("metadata")?.get("windows")?.get("pdb")?;
        let Value::Object(symbols) = isf.get("symbols")? else { return None };
        let address = |fact: &Value| fact.get("address").and_then(Value::as_u64);
        let symbols =
            symbols.iter().filter_map(|(name, fact)| Some((name.clone(), address(fact)?)));
        Some(Self {
            layout: Layout::of_isf(&isf)?,
            pdb: pdb.get("database")?.as_str()?.to_owned(),
            guid: guid(pdb.get("GUID")?.as_str()?)?,
            age: u32::try_from(pdb.get("age")?.as_u64()?).ok()?,
            symbols: symbols.collect(),
            build: None,
        })
    }

    /// A kernel with a built-in layout, but with an unknown build and an unknown PDB.
    pub fn of_pack(pack: &Pack) -> Option<Self> {
        let [_, _, build, revision] = pack.version;
        let mut guid = [0x5a; 16];
        guid[..2].copy_from_slice(&build.to_le_bytes());
        guid[2..4].copy_from_slice(&revision.to_le_bytes());
        Some(Self {
            layout: Layout::of_pack(pack)?,
            pdb: "ntkrnlmp.pdb".to_owned(),
            guid,
            age: 1,
            symbols: HashMap::new(),
            build: Some(build),
        })
    }
}

/// The 32 digits of a GUID as the bytes of a CodeView record, whose first three numbers are
/// little-endian.
pub(super) fn guid(digits: &str) -> Option<[u8; 16]> {
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32)?;
    let mut bytes = number.to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Some(bytes)
}
