//! Which files on the symbol path may fit a kernel, by their names and by an index file next to
//! them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Deeper folders are not searched.
const MAX_DEPTH: usize = 8;
/// Upper limit on examined files.
const MAX_FILES: usize = 20_000;
/// File names of kernel PDBs.
const KERNELS: [&str; 6] = ["ntkrnlmp", "ntoskrnl", "ntkrnlpa", "ntkrpamp", "ntkrla57", "ntkrnlup"];
/// The version table that may be in a folder of ISF files.
const INDEX: &str = "INDEX.csv";

/// A file that may hold the layout of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LayoutFile {
    pub(super) path: PathBuf,
    pub(super) known: Known,
    /// Whether the path names exactly this file.
    pub(super) is_named: bool,
}

/// What the name and the index say about a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Known {
    pub(super) pdb: Option<(String, u32)>,
    /// Major and minor version, build and revision.
    pub(super) version: Option<[u32; 4]>,
    pub(super) service_pack: u8,
    pub(super) arch: Option<&'static str>,
}

/// The files on a path in name order. Unreadable files are skipped; whether a path exists is
/// checked when it is configured.
pub(super) fn files(paths: &[PathBuf]) -> Vec<LayoutFile> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut folder = Folder { files: Vec::new(), versions: HashMap::new() };
            let _ = folder.walk(path, 0);
            folder.finish(&mut found);
        } else if let Some(known) = named(path) {
            found.push(LayoutFile { path: path.clone(), known, is_named: true });
        }
    }
    found
}

/// What is known about a file that the path names. A PDB may belong to any image, so its name
/// decides whether it is that of a kernel.
fn named(path: &Path) -> Option<Known> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    match name.strip_suffix(".pdb") {
        Some(stem) if !KERNELS.contains(&stem) => None,
        _ => Some(known(path).unwrap_or_default()),
    }
}

struct Folder {
    files: Vec<PathBuf>,
    /// Versions by GUID and age.
    versions: HashMap<(String, u32), [u32; 4]>,
}

impl Folder {
    fn walk(&mut self, folder: &Path, depth: usize) -> std::io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            // An unreadable subfolder is not an error, because nothing in it was asked for by name.
            if entry.file_type()?.is_dir() {
                let pdb = name.to_ascii_lowercase();
                let is_foreign =
                    pdb.strip_suffix(".pdb").is_some_and(|stem| !KERNELS.contains(&stem));
                // Symbol stores have a folder for each file that was ever downloaded.
                if depth < MAX_DEPTH && !is_foreign {
                    let _ = self.walk(&path, depth.saturating_add(1));
                }
            } else if name == INDEX {
                self.read_index(&path);
            } else if is_layout(&name) && self.files.len() < MAX_FILES {
                self.files.push(path);
            }
        }
        Ok(())
    }

    /// Reads rows of `windows_version,pdb,guid,age`.
    fn read_index(&mut self, path: &Path) {
        let Ok(text) = fs::read_to_string(path) else { return };
        let rows = text.lines().filter_map(|line| {
            let mut cells = line.split(',').map(str::trim);
            let version = version(cells.next()?)?;
            let (_, guid, age) = (cells.next()?, cells.next()?, cells.next()?);
            Some(((guid.to_ascii_uppercase(), age.parse().ok()?), version))
        });
        self.versions.extend(rows);
    }

    fn finish(self, found: &mut Vec<LayoutFile>) {
        for path in self.files {
            let Some(mut known) = known(&path) else { continue };
            if let Some(pdb) = &known.pdb {
                known.version = self.versions.get(pdb).copied();
            }
            found.push(LayoutFile { path, known, is_named: false });
        }
    }
}

fn is_layout(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".xz").unwrap_or(&name);
    name.strip_suffix(".json").is_some()
}

/// What the name of a file says; `None` if the file does not belong to a kernel.
fn known(path: &Path) -> Option<Known> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let stem = name.split(".json").next().unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let folder = folder.to_ascii_lowercase();
    if let Some(pdb) = folder.strip_suffix(".pdb") {
        let (guid, age) = stem.rsplit_once('-')?;
        let pdb = KERNELS
            .contains(&pdb)
            .then(|| Some((guid.to_ascii_uppercase(), age.parse().ok()?)))??;
        return Some(Known { pdb: Some(pdb), ..Known::default() });
    }
    Some(by_version(stem).unwrap_or_default())
}

/// Names like `nt-6.1.7601-sp1-x86`.
fn by_version(stem: &str) -> Option<Known> {
    let mut parts = stem.strip_prefix("nt-")?.split('-');
    let version = version(parts.next()?)?;
    let mut known = Known { version: Some(version), ..Known::default() };
    for part in parts {
        if let Some(arch) = ["x86", "x64", "arm64"].into_iter().find(|arch| *arch == part) {
            known.arch = Some(arch);
        } else if let Ok(number) = part.trim_start_matches(char::is_alphabetic).parse() {
            known.service_pack = number;
        }
    }
    Some(known)
}

fn version(text: &str) -> Option<[u32; 4]> {
    let mut version = [0; 4];
    let mut parts = text.split('.');
    for number in &mut version {
        match parts.next() {
            Some(part) => *number = part.parse().ok()?,
            None => break,
        }
    }
    (version[2] != 0).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_give_version_or_pdb() {
        let of = |path: &str| known(Path::new(path));
        let isf = of("a/windows/ntkrnlmp.pdb/5278aff8-1.json.xz").unwrap();
        assert_eq!(isf.pdb, Some(("5278AFF8".to_owned(), 1)));
        assert_eq!(of("windows/tcpip.pdb/5278AFF8-1.json"), None);
        assert_eq!(of("windows/ntkrnlmp.pdb/readme.json"), None);
        let layout = of("nt-6.1.7601.24000-sp1-x86.json.xz").unwrap();
        assert_eq!(layout.version, Some([6, 1, 7601, 24000]));
        assert_eq!((layout.service_pack, layout.arch), (1, Some("x86")));
        assert_eq!(of("nt-6.3.9600-u1-x64.json").unwrap().service_pack, 1);
        assert_eq!(of("mine.json").unwrap(), Known::default());
        assert_eq!(version("10.0"), None);
        assert_eq!(version("10.0.x"), None);
    }
}
