//! The layouts that may fit a kernel, the likeliest first.

use std::io::Read;
use std::path::PathBuf;

use super::Store;
use super::find::LayoutFile;
use super::id::PdbId;
use super::isf;
use super::pack::{self, Pack};
use super::reading::{MAX_PEEK, open};

/// How many files of unknown version are tried.
const MAX_UNKNOWN: usize = 32;
/// How many layouts of other builds are tried.
const MAX_OTHER: usize = 4;

/// The kernel for which a layout is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Build number.
    pub build: u32,
    /// Service pack, 0 for none.
    pub service_pack: u8,
    /// `x86`, `x64`, `arm64`.
    pub arch: &'a str,
    /// Revision of the build, if known.
    pub revision: Option<u16>,
    /// Its PDB, if known.
    pub pdb: Option<&'a PdbId>,
}

/// A layout that may fit; candidates are ordered by likelihood.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub(super) place: LoadedPlace,
    /// Where it comes from, for messages.
    pub label: String,
    /// Why it may fit.
    pub closeness: Closeness,
}

/// Why a layout may fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// The symbol path names the file.
    Named,
    /// The file belongs to the same PDB.
    SamePdb,
    /// The same build.
    SameBuild,
    /// Nothing is known until it is read.
    Unknown,
    /// Another build.
    OtherBuild,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum LoadedPlace {
    File(PathBuf),
    Pack([u16; 4], u8, &'static str),
}

fn closeness(file: &LayoutFile, wanted: &Wanted<'_>) -> Option<(Closeness, u32)> {
    let known = &file.known;
    if file.is_named {
        return Some((Closeness::Named, 0));
    }
    if known.arch.is_some_and(|arch| arch != wanted.arch) {
        return None;
    }
    let pdb = known.pdb.as_ref().map(|(guid, age)| (guid.as_str(), *age));
    if pdb.is_some() && pdb == wanted.pdb.map(|id| (id.guid.as_str(), id.age)) {
        return Some((Closeness::SamePdb, 0));
    }
    let Some([_, _, build, _]) = known.version else { return Some((Closeness::Unknown, 0)) };
    let of_pack = u32::from(known.service_pack.abs_diff(wanted.service_pack));
    // Of one build, files with symbols come before those without.
    let without_names = if pdb.is_some() { 0 } else { 256 };
    Some(match distance(build, wanted.build) {
        0 => (Closeness::SameBuild, of_pack.saturating_add(without_names)),
        far => (Closeness::OtherBuild, far),
    })
}

fn pack_closeness(
    pack: &Pack,
    wanted: &Wanted<'_>,
    known: Option<&pack::KnownPdb>,
) -> (Closeness, u32) {
    if known.is_some_and(|known| known.is_of(pack)) {
        // After the files of that PDB.
        return (Closeness::SamePdb, 1);
    }
    if pack.is_of_build(wanted.build) {
        let revision = known.map(|known| known.version[3]).or(wanted.revision);
        let far = match revision {
            Some(revision) => u32::from(pack.revision().abs_diff(revision)),
            // The latest is the likeliest.
            None => u32::from(u16::MAX.saturating_sub(pack.revision())),
        };
        let of_pack = match pack.version {
            [6, 3, ..] | [10, ..] => 0,
            _ => u32::from(pack.service_pack.abs_diff(wanted.service_pack)),
        };
        // After every file of the same build.
        return (
            Closeness::SameBuild,
            far.saturating_add(of_pack.saturating_mul(1 << 16)).saturating_add(1024),
        );
    }
    (Closeness::OtherBuild, distance(pack.version[2].into(), wanted.build).saturating_add(1))
}

/// The distance of another build; of two equally near builds, the later one is farther.
const fn distance(build: u32, wanted: u32) -> u32 {
    // A damaged header can contain any build number.
    let step = build.abs_diff(wanted).saturating_mul(2);
    if build > wanted { step.saturating_add(1) } else { step }
}

impl Store {
    /// The layouts that may fit a kernel, the most likely first: files before built-in layouts.
    pub fn candidates(&self, wanted: &Wanted<'_>) -> Vec<Candidate> {
        let mut found: Vec<(Closeness, u32, Candidate)> = Vec::new();
        let pdb = wanted.pdb.filter(|_| !self.is_empty());
        if let Some(path) = pdb.and_then(|id| self.inner.lookup.fetch(id).at) {
            let label = path.display().to_string();
            let closeness = Closeness::SamePdb;
            found.push((
                closeness,
                0,
                Candidate { place: LoadedPlace::File(path), label, closeness },
            ));
        }
        let known = found.first().map(|(.., candidate)| candidate.place.clone());
        for file in self.files() {
            let Some((closeness, distance)) = closeness(file, wanted) else { continue };
            let label = file.path.display().to_string();
            let place = LoadedPlace::File(file.path.clone());
            if known.as_ref() == Some(&place) {
                continue;
            }
            found.push((closeness, distance, Candidate { place, label, closeness }));
        }
        let known = wanted.pdb.and_then(pack::of_pdb);
        let packs = pack::all().iter().filter(|pack| pack.arch == wanted.arch);
        let mut last = None;
        for pack in packs.filter(|pack| !self.inner.hidden.contains(&pack.key())) {
            let (closeness, distance) = pack_closeness(pack, wanted, known);
            let is_other = closeness == Closeness::OtherBuild;
            let is_later = u32::from(pack.version[2]) > wanted.build;
            // Of another build, only the update nearest in time is tried.
            if is_other && last == Some(pack.version[2]) {
                if is_later {
                    continue;
                }
                found.pop();
            }
            last = is_other.then_some(pack.version[2]);
            let label = format!("built-in layout {} {}", pack.version_text(), pack.arch);
            let place = LoadedPlace::Pack(pack.version, pack.service_pack, pack.arch);
            found.push((closeness, distance, Candidate { place, label, closeness }));
        }
        found.sort_by_key(|(closeness, distance, _)| (*closeness, *distance));
        let mut room = [MAX_UNKNOWN, MAX_OTHER];
        found.retain(|(closeness, ..)| {
            let room = match closeness {
                Closeness::Unknown => &mut room[0],
                Closeness::OtherBuild => &mut room[1],
                _ => return true,
            };
            let has_room = *room > 0;
            *room = room.saturating_sub(1);
            has_room
        });
        found.into_iter().map(|(_, _, candidate)| candidate).collect()
    }

    /// Whether a layout that was not read yet is of another architecture, judged by its first part.
    pub fn is_foreign(&self, candidate: &Candidate, arch: &str) -> bool {
        let LoadedPlace::File(path) = &candidate.place else { return false };
        if let Some(layout) = self.known(path) {
            return layout.arch().is_some_and(|found| found != arch);
        }
        let mut start = Vec::new();
        let Ok(file) = open(path) else { return false };
        // The readable part is used; `load` reports damage.
        let _ = file.take(MAX_PEEK).read_to_end(&mut start);
        isf::machine(&start).is_some_and(|found| found != arch)
    }
}
