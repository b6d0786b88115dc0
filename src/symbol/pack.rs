//! Structure layouts of Windows kernels that are built into the program.
//!
//! Facts of sizes and offsets, cut to the structures that tables read, packed by
//! `tools/make_pack.py`. No symbols: names of functions and variables come from elsewhere. The text
//! of a pack is one `nt-layout-1` document; this file finds it and knows nothing of its content.

use std::io::{BufRead, BufReader};

use liblzma::read::XzDecoder;

/// The layouts of one kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pack {
    /// Major and minor version, build and revision; revision 0 where the build is what is known.
    pub version: [u16; 4],
    /// Service pack, or update of Windows 8.1.
    pub service_pack: u8,
    /// `x86` or `x64`.
    pub arch: &'static str,
    /// What the first queries of a session read, and the rest.
    archives: [&'static [u8]; 2],
    line: usize,
}

/// How well a pack fits a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The same build and service pack, or a build that shares its kernel.
    Same,
    /// The same build, another service pack or update.
    SameBuild,
    /// The latest build before; fields may have moved since.
    Earlier,
}

/// Builds that are others with features switched on: one kernel, one set of layouts.
const SHARED: [(std::ops::RangeInclusive<u16>, u16); 3] =
    [(18362..=18363, 18362), (19041..=19045, 19041), (6003..=6003, 6002)];

/// Every pack, oldest kernel first.
static ALL: &[Pack] = include!("pack/index.inc");

const fn row(
    version: [u16; 4],
    service_pack: u8,
    arch: &'static str,
    archives: [&'static [u8]; 2],
    line: usize,
) -> Pack {
    Pack { version, service_pack, arch, archives, line }
}

/// Every pack, oldest kernel first.
pub fn all() -> &'static [Pack] {
    ALL
}

/// The pack that fits a kernel best; `None` if the architecture has none, or none so old.
pub fn find(build: u16, service_pack: u8, arch: &str) -> Option<(&'static Pack, Fit)> {
    let shared = SHARED.iter().find(|(range, _)| range.contains(&build));
    let kernel = shared.map_or(build, |(_, kernel)| *kernel);
    let of_arch = || ALL.iter().filter(|pack| pack.arch == arch);
    let same_build = || of_arch().filter(|pack| pack.version[2] == kernel);
    if let Some(pack) = same_build().find(|pack| pack.service_pack == service_pack) {
        return Some((pack, Fit::Same));
    }
    if let Some(pack) = same_build().next_back() {
        // From Windows 10 on there are no service packs, so a number there says nothing.
        let fit = if pack.version[0] >= 10 { Fit::Same } else { Fit::SameBuild };
        return Some((pack, fit));
    }
    of_arch().rfind(|pack| pack.version[2] < kernel).map(|pack| (pack, Fit::Earlier))
}

impl Pack {
    /// The pack's `nt-layout-1` document; `None` only if the program itself is damaged.
    pub fn text(&self) -> Option<String> {
        self.line_of(self.archives[0])
    }

    /// A second document of the same kernel: types that fewer queries read.
    pub fn rest(&self) -> Option<String> {
        self.line_of(self.archives[1])
    }

    fn line_of(&self, archive: &[u8]) -> Option<String> {
        BufReader::new(XzDecoder::new(archive)).lines().nth(self.line)?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_is_a_document_of_its_kernel() {
        for pack in all() {
            let text = pack.text().unwrap();
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            let [major, minor, build, revision] = pack.version;
            let version = match revision {
                0 => format!("{major}.{minor}.{build}"),
                _ => format!("{major}.{minor}.{build}.{revision}"),
            };
            assert_eq!(document["format"], "nt-layout-1");
            assert_eq!(document["windows"], version);
            assert_eq!(document["arch"], pack.arch);
            for name in ["_ETHREAD", "_EPROCESS", "_KPRCB", "_DISPATCHER_HEADER"] {
                assert!(document["types"][name]["size"].as_u64() > Some(15), "{version} {name}");
            }
            let rest: serde_json::Value = serde_json::from_str(&pack.rest().unwrap()).unwrap();
            assert_eq!(rest["windows"], version);
            for name in ["_WORK_QUEUE_ITEM", "_KDEVICE_QUEUE", "_GENERAL_LOOKASIDE"] {
                assert!(rest["types"][name]["size"].as_u64() > Some(7), "{version} {name}");
                assert!(document["types"].get(name).is_none(), "{version} {name}");
            }
        }
    }

    #[test]
    fn offsets_that_are_well_known() {
        let (pack, fit) = find(19044, 0, "x64").unwrap();
        assert_eq!((pack.version, fit), ([10, 0, 19041, 0], Fit::Same));
        let document: serde_json::Value = serde_json::from_str(&pack.text().unwrap()).unwrap();
        let offset =
            |ty: &str, field: &str| document["types"][ty]["fields"][field]["offset"].clone();
        assert_eq!(offset("_EPROCESS", "UniqueProcessId"), 0x440);
        assert_eq!(offset("_EPROCESS", "ImageFileName"), 0x5a8);
        assert_eq!(offset("_ETHREAD", "Cid"), 0x478);
        assert_eq!(offset("_KTHREAD", "Teb"), 0xf0);
        assert_eq!(offset("_KPRCB", "CurrentThread"), 8);
    }

    #[test]
    fn the_best_fit() {
        let fit = |build, sp, arch| find(build, sp, arch).map(|(pack, fit)| (pack.version[2], fit));
        assert_eq!(fit(7601, 1, "x86"), Some((7601, Fit::Same)));
        assert_eq!(fit(3790, 1, "x64"), Some((3790, Fit::Same)));
        assert_eq!(fit(2600, 1, "x86"), Some((2600, Fit::SameBuild)));
        assert_eq!(fit(22631, 0, "x64"), Some((22000, Fit::Earlier)));
        assert_eq!(fit(2195, 4, "x86"), None);
        assert_eq!(fit(22000, 0, "arm64"), None);
    }
}
