//! Where names and layouts come from: files on the symbol path, and layouts built into the program.
//!
//! A [`Store`] knows which of them may fit a kernel, and reads one when a source asks for it. Which
//! of them does fit is for the source to judge, which has the kernel's memory to hold them against.

mod error;
mod find;
mod isf;
mod layout;
mod names;
pub mod pack;
mod vtypes;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

pub use error::Error;
pub use layout::{Field, Format, Layout};

use self::find::LayoutFile;
use self::pack::{Fit, Pack};

/// The largest text of a layout; real ones are below 20 MB.
const MAX_TEXT: u64 = 256 << 20;
/// Memory that unpacking may take.
const MAX_UNPACK: u64 = 128 << 20;
/// How many files of unknown version are tried.
const MAX_UNKNOWN: usize = 32;
/// How many layouts of other builds are tried.
const MAX_OTHER: usize = 4;
/// How much of a file is read to tell its architecture.
const MAX_PEEK: u64 = 256 << 10;
const XZ: &[u8] = b"\xfd7zXZ\0";

/// The symbol path and what was loaded from it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    paths: Vec<PathBuf>,
    files: Vec<LayoutFile>,
    loaded: Mutex<HashMap<Place, Arc<Layout>>>,
}

/// The kernel that a layout is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Build number.
    pub build: u32,
    /// Service pack, 0 for none.
    pub service_pack: u8,
    /// `x86`, `x64`, `arm64`.
    pub arch: &'a str,
    /// GUID and age of its PDB, if known.
    pub pdb: Option<(&'a str, u32)>,
}

/// A layout that may fit, nearest first.
#[derive(Debug, Clone)]
pub struct Candidate {
    place: Place,
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
    /// The file is of the same PDB.
    SamePdb,
    /// The same build.
    SameBuild,
    /// Nothing is known before it is read.
    Unknown,
    /// Another build.
    OtherBuild,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    File(PathBuf),
    Pack([u16; 4], u8, &'static str),
}

impl Store {
    /// A store over folders and files of layouts. Files that are named are read at once.
    ///
    /// # Errors
    /// A path that does not exist, or a named file that is no layout.
    pub fn new(paths: Vec<PathBuf>) -> Result<Self, Error> {
        let files = find::files(&paths)?;
        let store = Self { inner: Arc::new(Inner { paths, files, loaded: Mutex::default() }) };
        for file in store.inner.files.iter().filter(|file| file.is_named) {
            store.load_place(&Place::File(file.path.clone()))?;
        }
        Ok(store)
    }

    /// The folders and files, in the order in which they are searched.
    pub fn paths(&self) -> &[PathBuf] {
        &self.inner.paths
    }

    /// The layouts that may fit a kernel, the likeliest first: files before what is built in.
    pub fn candidates(&self, wanted: &Wanted<'_>) -> Vec<Candidate> {
        let mut found: Vec<(Closeness, u32, Candidate)> = Vec::new();
        for file in &self.inner.files {
            let Some((closeness, distance)) = closeness(file, wanted) else { continue };
            let label = file.path.display().to_string();
            let place = Place::File(file.path.clone());
            found.push((closeness, distance, Candidate { place, label, closeness }));
        }
        for pack in pack::all().iter().filter(|pack| pack.arch == wanted.arch) {
            let (closeness, distance) = pack_closeness(pack, wanted);
            let [major, minor, build, _] = pack.version;
            let label = format!("built-in layout {major}.{minor}.{build} {}", pack.arch);
            let place = Place::Pack(pack.version, pack.service_pack, pack.arch);
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

    /// Whether a layout that was not read yet is of another architecture, by its first part.
    pub fn is_foreign(&self, candidate: &Candidate, arch: &str) -> bool {
        let Place::File(path) = &candidate.place else { return false };
        let mut start = Vec::new();
        let Ok(file) = open(path) else { return false };
        // What can be read before damage counts; damage itself is for `load` to say.
        let _ = file.take(MAX_PEEK).read_to_end(&mut start);
        isf::machine(&start).is_some_and(|found| found != arch)
    }

    /// Reads a layout, once in the life of the store.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn load(&self, candidate: &Candidate) -> Result<Arc<Layout>, Error> {
        self.load_place(&candidate.place)
    }

    fn load_place(&self, place: &Place) -> Result<Arc<Layout>, Error> {
        let loaded = || self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = loaded().get(place) {
            return Ok(Arc::clone(layout));
        }
        let layout = Arc::new(read(place)?);
        loaded().insert(place.clone(), Arc::clone(&layout));
        Ok(layout)
    }
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
    if pdb.is_some() && pdb == wanted.pdb {
        return Some((Closeness::SamePdb, 0));
    }
    let Some([_, _, build, _]) = known.version else { return Some((Closeness::Unknown, 0)) };
    let of_pack = u32::from(known.service_pack.abs_diff(wanted.service_pack));
    // Of one build, files that have names of symbols come before those that have not.
    let without_names = if pdb.is_some() { 0 } else { 256 };
    Some(match distance(build, wanted.build) {
        0 => (Closeness::SameBuild, of_pack + without_names),
        far => (Closeness::OtherBuild, far),
    })
}

fn pack_closeness(pack: &Pack, wanted: &Wanted<'_>) -> (Closeness, u32) {
    let build = u16::try_from(wanted.build).unwrap_or(u16::MAX);
    if let Some((found, Fit::Same | Fit::SameBuild)) =
        pack::find(build, wanted.service_pack, wanted.arch)
        && found.version[2] == pack.version[2]
    {
        let of_pack = u32::from(pack.service_pack.abs_diff(wanted.service_pack));
        // After every file of the same build.
        return (Closeness::SameBuild, 1024 + 2 * of_pack + u32::from(found != pack));
    }
    (Closeness::OtherBuild, distance(pack.version[2].into(), wanted.build).saturating_add(1))
}

/// How far another build is; a later one is farther than an earlier one as near.
const fn distance(build: u32, wanted: u32) -> u32 {
    // A damaged header can name any build.
    let step = build.abs_diff(wanted).saturating_mul(2);
    if build > wanted { step.saturating_add(1) } else { step }
}

fn read(place: &Place) -> Result<Layout, Error> {
    match place {
        Place::File(path) => read_file(path),
        Place::Pack(version, service_pack, arch) => {
            let bad = |found: &str| Error::NotALayout {
                path: "built-in layout".to_owned(),
                found: found.to_owned(),
            };
            let is_it = |pack: &&Pack| {
                (pack.version, pack.service_pack, pack.arch) == (*version, *service_pack, *arch)
            };
            let text = pack::all().iter().find(is_it).and_then(Pack::text);
            let text = text.ok_or_else(|| bad("a layout that cannot be unpacked"))?;
            Layout::parse(text).map_err(|found| bad(&found))
        }
    }
}

/// A file's text, unpacked if need be.
fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(XZ.len() as u64).read_to_end(&mut start)?;
    let is_packed = start == XZ;
    let whole = Cursor::new(start).chain(file);
    if !is_packed {
        return Ok(Box::new(whole));
    }
    let stream = Stream::new_stream_decoder(MAX_UNPACK, 0)?;
    Ok(Box::new(XzDecoder::new_stream(BufReader::new(whole), stream)))
}

fn read_file(path: &Path) -> Result<Layout, Error> {
    let name = || path.display().to_string();
    let bad = |found: String| Error::NotALayout { path: name(), found };
    let file = open(path).map_err(|source| Error::Io { path: name(), source })?;
    let mut text = String::new();
    let expected = "expected a layout in Volatility's symbol format or nt-layout-1";
    file.take(MAX_TEXT).read_to_string(&mut text).map_err(|error| {
        bad(format!("a file that cannot be read as text ({error}); {expected}"))
    })?;
    Layout::parse(text).map_err(|found| bad(format!("{found}; {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(build: u32, service_pack: u8, arch: &str) -> Wanted<'_> {
        Wanted { build, service_pack, arch, pdb: None }
    }

    #[test]
    fn without_a_path_the_nearest_built_in_layouts_are_there() {
        let store = Store::default();
        let labels = |wanted: &Wanted<'_>| -> Vec<String> {
            store.candidates(wanted).into_iter().map(|candidate| candidate.label).collect()
        };
        assert_eq!(labels(&wanted(19045, 0, "x64"))[0], "built-in layout 10.0.19041 x64");
        let later = labels(&wanted(22631, 0, "x64"));
        assert_eq!(later[0], "built-in layout 10.0.22000 x64");
        assert_eq!(later.len(), MAX_OTHER);
        assert!(labels(&wanted(22000, 0, "arm64")).is_empty());
        let candidate = &store.candidates(&wanted(7601, 1, "x86"))[0];
        let layout = store.load(candidate).unwrap();
        assert_eq!(layout.field("_ETHREAD", "Tcb.Teb").map(|field| field.offset), Some(0x88));
        assert!(Arc::ptr_eq(&layout, &store.load(candidate).unwrap()));
    }

    #[test]
    fn a_path_that_does_not_exist_is_named() {
        let error = Store::new(vec!["no/such/folder".into()]).unwrap_err().to_string();
        assert!(error.starts_with("no/such/folder: "), "{error}");
    }

    #[test]
    fn a_named_file_that_is_no_layout_is_an_error() {
        let error = Store::new(vec![file!().into()]).unwrap_err().to_string();
        assert!(error.contains("no layout file"), "{error}");
    }
}
