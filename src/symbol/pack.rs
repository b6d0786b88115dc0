//! Structure layouts of Windows kernels that are built into the program.
//!
//! They are facts about sizes and offsets, limited to the structures that tables read, and packed
//! by `tools/make_pack.py`. They contain no symbols. A pack is two `nt-layout-1` documents, each
//! complete or a list of differences from that of another kernel of the build; this file finds them
//! and does not interpret their contents.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::{Arc, Mutex, PoisonError};

use liblzma::read::XzDecoder;

use super::id::PdbId;

/// Major and minor version, build and revision; revision 0 if only the build is known.
pub type Version = [u16; 4];

/// The layouts of one kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pack {
    /// The kernel.
    pub version: Version,
    /// Service pack, or update of Windows 8.1.
    pub service_pack: u8,
    /// `x86`, `x64` or `arm64`.
    pub arch: &'static str,
    /// The archive with the types that the first queries of a session read, and the archive with the
    /// other types.
    archives: [&'static [u8]; 2],
    /// The number of its line in both archives, and of the line from which it differs.
    lines: [usize; 2],
}

/// A PDB whose kernel has a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPdb {
    guid: &'static str,
    age: u32,
    /// The kernel of the PDB.
    pub version: Version,
    /// The kernel whose layout is the same.
    layout: Version,
}

/// One of the two documents of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// Types that the first queries of a session read.
    First,
    /// The others.
    Rest,
}

/// How well a pack matches a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The same build and service pack, or a build that shares its kernel.
    Same,
    /// The same build, another service pack or update.
    SameBuild,
    /// The latest earlier build; fields may have moved since.
    Earlier,
}

/// Builds that are another build with features enabled: they share its kernel and its layouts.
const SHARED: [(std::ops::RangeInclusive<u16>, u16); 5] = [
    (6003..=6003, 6002),
    (18362..=18363, 18362),
    (19041..=19045, 19041),
    (22621..=22635, 22621),
    (26100..=26200, 26100),
];

/// Every pack, oldest kernel first.
static ALL: &[Pack] = include!("pack/index.inc");

/// The PDBs of the kernels in the packs.
static PDBS: &[KnownPdb] = include!("pack/pdbs.inc");

const fn row(
    version: Version,
    service_pack: u8,
    arch: &'static str,
    archives: [&'static [u8]; 2],
    lines: [usize; 2],
) -> Pack {
    Pack { version, service_pack, arch, archives, lines }
}

const fn pdb(guid: &'static str, age: u32, version: Version, layout: Version) -> KnownPdb {
    KnownPdb { guid, age, version, layout }
}

/// The kernel of a PDB.
pub fn of_pdb(id: &PdbId) -> Option<&'static KnownPdb> {
    PDBS.iter().find(|known| known.guid == id.guid && known.age == id.age)
}

/// The build under which the layouts of a kernel are stored.
fn kernel_of(build: u16) -> u16 {
    let shared = SHARED.iter().find(|(range, _)| range.contains(&build));
    shared.map_or(build, |(_, kernel)| *kernel)
}

/// Every pack, oldest kernel first.
pub fn all() -> &'static [Pack] {
    ALL
}

/// The pack that matches a kernel best; `None` if the architecture has none, or none this old.
pub fn find(build: u16, service_pack: u8, arch: &str) -> Option<(&'static Pack, Fit)> {
    let kernel = kernel_of(build);
    let of_arch = || ALL.iter().filter(|pack| pack.arch == arch);
    let same_build = || of_arch().filter(|pack| pack.version[2] == kernel);
    if let Some(pack) = same_build().find(|pack| pack.service_pack == service_pack) {
        return Some((pack, Fit::Same));
    }
    if let Some(pack) = same_build().next_back() {
        // Since Windows 10 there are no service packs, so the number is ignored.
        let fit = if pack.version[0] >= 10 { Fit::Same } else { Fit::SameBuild };
        return Some((pack, fit));
    }
    of_arch().rfind(|pack| pack.version[2] < kernel).map(|pack| (pack, Fit::Earlier))
}

impl KnownPdb {
    /// Whether a pack is the layout of the PDB's kernel.
    pub fn is_of(&self, pack: &Pack) -> bool {
        // All kernels whose PDBs are known are of this architecture.
        pack.arch == "x64" && pack.version == self.layout
    }
}

impl Pack {
    /// A label that distinguishes the pack from others.
    pub const fn key(&self) -> (Version, u8, &'static str) {
        (self.version, self.service_pack, self.arch)
    }

    /// The revision of the build; for the release version of a build, the revision of that release.
    pub const fn revision(&self) -> u16 {
        match (self.version, self.service_pack) {
            ([6, 1, 7601, 0], _) => 17514,
            ([6, 3, 9600, 0], 0) => 16384,
            ([6, 3, 9600, 0], _) => 17031,
            ([.., revision], _) => revision,
        }
    }

    /// Whether it is of this build, or of one with the same kernel.
    pub fn is_of_build(&self, build: u32) -> bool {
        u16::try_from(build).is_ok_and(|build| kernel_of(build) == self.version[2])
    }

    /// The version as text; without the revision (`10.0.19041`) if it is unknown.
    pub fn version_text(&self) -> String {
        let known = if self.version[3] == 0 { 3 } else { 4 };
        let numbers: Vec<_> = self.version.iter().take(known).map(u16::to_string).collect();
        numbers.join(".")
    }

    /// A `nt-layout-1` document of the pack; `None` only if the program itself is damaged.
    pub fn text(&self, part: Document) -> Option<Arc<str>> {
        self.line(part, self.lines[0])
    }

    /// The document from which this one differs; `None` if [`Self::text`] is complete.
    pub fn base(&self, part: Document) -> Option<Arc<str>> {
        let [own, base] = self.lines;
        if own == base { None } else { self.line(part, base) }
    }

    fn line(&self, part: Document, number: usize) -> Option<Arc<str>> {
        let [first, rest] = self.archives;
        unpacked(if part == Document::First { first } else { rest })?.get(number).cloned()
    }
}

/// The lines of an archive, decompressed on first use, because the kernels in it are tried in turn.
fn unpacked(archive: &'static [u8]) -> Option<Arc<[Arc<str>]>> {
    type Lines = BTreeMap<usize, Arc<[Arc<str>]>>;
    static UNPACKED: Mutex<Lines> = Mutex::new(Lines::new());
    let key = archive.as_ptr() as usize;
    // Concurrent callers wait instead of decompressing it too.
    let mut unpacked = UNPACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(lines) = unpacked.get(&key) {
        return Some(Arc::clone(lines));
    }
    let lines = BufReader::new(XzDecoder::new(archive)).lines();
    let lines: Arc<[Arc<str>]> =
        lines.map(|line| line.map(Arc::from)).collect::<Result<_, _>>().ok()?;
    unpacked.insert(key, Arc::clone(&lines));
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::Layout;

    #[test]
    fn every_pack_is_a_document_of_its_kernel() {
        for pack in all() {
            let version = pack.version_text();
            let mut types: Vec<serde_json::Value> = Vec::new();
            for part in [Document::First, Document::Rest] {
                let text = pack.text(part).unwrap();
                let document: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(document["format"], "nt-layout-1");
                assert_eq!(document["windows"], version);
                assert_eq!(document["arch"], pack.arch);
                let layout = Layout::of_pack(pack).unwrap();
                let names: &[&str] = match part {
                    Document::First => &["_ETHREAD", "_EPROCESS", "_KPRCB", "_DISPATCHER_HEADER"],
                    Document::Rest => &["_WORK_QUEUE_ITEM", "_KDEVICE_QUEUE"],
                };
                for name in names {
                    assert!(layout.size_of(name) > Some(7), "{version} {name}");
                }
                types.push(document["types"].clone());
            }
            for name in types[0].as_object().unwrap().keys() {
                assert!(types[1].get(name).is_none(), "{version} {name}");
            }
        }
    }

    #[test]
    fn a_pdb_names_its_layout() {
        let id = |guid: &str, age| PdbId { name: String::new(), guid: guid.to_owned(), age };
        let known = of_pdb(&id("616A94E33A4827B451B0E19C14C03792", 1)).unwrap();
        assert_eq!(known.version, [10, 0, 18326, 535]);
        assert_eq!(all().iter().filter(|pack| known.is_of(pack)).count(), 1);
        assert_eq!(of_pdb(&id("616A94E33A4827B451B0E19C14C03792", 2)), None);
        for known in PDBS {
            assert_eq!(all().iter().filter(|pack| known.is_of(pack)).count(), 1, "{}", known.guid);
        }
    }

    #[test]
    fn offsets_that_are_well_known() {
        let (pack, fit) = find(19044, 0, "x64").unwrap();
        assert_eq!((pack.version, fit), ([10, 0, 19041, 0], Fit::Same));
        let layout = Layout::of_pack(pack).unwrap();
        let offset = |ty: &str, field: &str| layout.field(ty, field).unwrap().offset;
        assert_eq!(offset("_EPROCESS", "UniqueProcessId"), 0x440);
        assert_eq!(offset("_EPROCESS", "ImageFileName"), 0x5a8);
        assert_eq!(offset("_ETHREAD", "Cid"), 0x478);
        assert_eq!(offset("_KTHREAD", "Teb"), 0xf0);
        assert_eq!(offset("_KPRCB", "CurrentThread"), 8);
    }

    #[test]
    fn the_best_matching_pack_is_found() {
        let fit = |build, sp, arch| find(build, sp, arch).map(|(pack, fit)| (pack.version[2], fit));
        assert_eq!(fit(7601, 1, "x86"), Some((7601, Fit::Same)));
        assert_eq!(fit(3790, 1, "x64"), Some((3790, Fit::Same)));
        assert_eq!(fit(2600, 1, "x86"), Some((2600, Fit::SameBuild)));
        assert_eq!(fit(22631, 0, "x64"), Some((22621, Fit::Same)));
        assert_eq!(fit(26200, 0, "x64"), Some((26100, Fit::Same)));
        assert_eq!(fit(27000, 0, "x64"), Some((26100, Fit::Earlier)));
        assert_eq!(fit(2195, 4, "x86"), None);
        assert_eq!(fit(22000, 0, "arm64"), Some((22000, Fit::Same)));
    }
}
