//! Finds the dumps, and gives each a name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use xxhash_rust::xxh3::xxh3_64;

use super::manifest::Manifest;
use crate::session;

/// Extensions of dumps in folders.
const ENDINGS: [&str; 4] = ["dmp", "mdmp", "hdmp", "kdmp"];
/// The number of bytes at the start of a file that identify it.
const FIRST_BYTES: u64 = 0x2000;
/// The maximum length of a name in bytes: file names have at most 255, including escapes.
const LONGEST: usize = 80;

/// A dump to extract.
#[derive(Debug)]
pub(super) struct Input {
    /// The path as given or found; a URL as it is shown.
    pub(super) path: PathBuf,
    /// The URL, if it is one.
    pub(super) url: Option<String>,
    /// The absolute path or the URL, which is the key in the manifest.
    pub(super) whole: String,
    /// The name in the column `dump`.
    pub(super) name: String,
}

/// Properties that show whether a file has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) bytes: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: u64,
    /// The checksum of its first bytes.
    pub(super) start: u64,
}

impl Input {
    /// What is opened.
    pub(super) fn source(&self) -> &Path {
        self.url.as_ref().map_or(&self.path, Path::new)
    }
}

impl Identity {
    pub(super) fn of(input: &Input) -> io::Result<Self> {
        match &input.url {
            Some(url) => Self::of_url(url),
            None => Self::of_file(&input.path),
        }
    }

    /// An object without a version is another one each time.
    fn of_url(url: &str) -> io::Result<Self> {
        let (bytes, version) = session::about_url(url)?;
        let now = || UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let modified = if version.is_some() { 0 } else { now() };
        Ok(Self {
            bytes,
            modified: u64::try_from(modified).unwrap_or_default(),
            start: xxh3_64(version.unwrap_or_default().as_bytes()),
        })
    }

    fn of_file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
        }
        let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut start = Vec::new();
        file.take(FIRST_BYTES).read_to_end(&mut start)?;
        Ok(Self {
            bytes: metadata.len(),
            modified: u64::try_from(since.as_nanos()).unwrap_or_default(),
            start: xxh3_64(&start),
        })
    }
}

/// The paths of all dumps: those given, those in folders, and those in the list.
///
/// # Errors
///
/// If the list or a folder cannot be read.
pub(super) fn paths(given: &[PathBuf], list: Option<&Path>) -> io::Result<Vec<PathBuf>> {
    let mut all = given.to_vec();
    if let Some(list) = list {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot read {}: {error}", list.display()))
        };
        let reader: Box<dyn BufRead> = if list == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::new(File::open(list).map_err(named)?))
        };
        for line in reader.lines() {
            let line = line.map_err(named)?;
            let line = line.trim_end_matches('\r');
            if !line.trim().is_empty() {
                all.push(PathBuf::from(line));
            }
        }
    }
    let mut found = Vec::new();
    for path in all {
        if path.is_dir() { below(&path, &mut found)? } else { found.push(path) }
    }
    Ok(found)
}

/// The dumps in a folder and its subfolders, by name; links to folders are not followed.
fn below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let named = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot read {}: {error}", folder.display()))
    };
    let entries =
        fs::read_dir(folder).map_err(named)?.collect::<Result<Vec<_>, _>>().map_err(named)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let kind = fs::symlink_metadata(&path).map_err(named)?.file_type();
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if kind.is_dir() {
            below(&path, found)?;
        } else if ENDINGS.contains(&ending.as_str()) {
            found.push(path);
        }
    }
    Ok(())
}

/// The dumps with their names: the name in the manifest; else the file name if no other dump has
/// it; else the whole path. A dump that is given twice is read once.
pub(super) fn named(paths: Vec<PathBuf>, manifest: &Manifest) -> Vec<Input> {
    let mut seen = BTreeSet::new();
    let mut whole: Vec<(PathBuf, Option<String>, String)> = Vec::with_capacity(paths.len());
    for path in paths {
        let url = path.to_str().filter(|path| session::is_url(path)).map(str::to_owned);
        if !seen.insert(url.clone().unwrap_or_else(|| absolute(&path))) {
            continue;
        }
        let Some(url) = url else {
            let name = absolute(&path);
            whole.push((path, None, name));
            continue;
        };
        // The query may be a signature, which differs each time, or name the object.
        let shown = session::shown_url(&url);
        let is_other = whole.iter().any(|(_, _, name)| *name == shown);
        let name =
            if is_other { format!("{shown}#{:x}", xxh3_64(url.as_bytes())) } else { shown.clone() };
        whole.push((PathBuf::from(shown), Some(url), name));
    }
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for (path, ..) in &whole {
        *uses.entry(short(path)).or_default() += 1;
    }
    let known = manifest.names();
    let mut taken: BTreeSet<String> = known.values().cloned().collect();
    let mut inputs = Vec::with_capacity(whole.len());
    for (path, url, whole) in whole {
        let short = short(&path);
        let name = match known.get(&whole) {
            Some(name) => name.clone(),
            None if uses.get(&short) == Some(&1) && !taken.contains(&short) => short,
            None => long(&whole),
        };
        taken.insert(name.clone());
        inputs.push(Input { path, url, whole, name });
    }
    inputs
}

fn absolute(path: &Path) -> String {
    let resolved = path.canonicalize().or_else(|_| std::path::absolute(path));
    resolved.unwrap_or_else(|_| path.to_owned()).display().to_string()
}

fn short(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    if name.len() > LONGEST { long(&name) } else { name }
}

/// A shortened long name: its end, and a checksum of the whole name.
fn long(whole: &str) -> String {
    if whole.len() <= LONGEST {
        return whole.to_owned();
    }
    let from = (whole.len() - LONGEST..whole.len()).find(|at| whole.is_char_boundary(*at));
    let end = from.and_then(|at| whole.get(at..)).unwrap_or_default();
    format!("{:016x}~{end}", xxh3_64(whole.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_file_names_are_used_as_names() {
        let paths = ["a/x.dmp", "b/x.dmp", "a/y.dmp", "./a/y.dmp"];
        let inputs = named(paths.iter().map(PathBuf::from).collect(), &Manifest::default());
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        assert!(names[0].ends_with("a/x.dmp") && names[1].ends_with("b/x.dmp"), "{names:?}");
        assert_eq!(names[2..], ["y.dmp"], "a dump that is given twice is read once");
        let urls = ["https://h/a.dmp?s=1", "https://h/a.dmp?s=2", "https://h/b.dmp?s=1"];
        let inputs = named(urls.iter().map(PathBuf::from).collect(), &Manifest::default());
        let shown: Vec<&str> = inputs.iter().filter_map(|input| input.path.to_str()).collect();
        assert_eq!(shown, ["https://h/a.dmp", "https://h/a.dmp", "https://h/b.dmp"]);
        assert_eq!((inputs[0].whole.as_str(), inputs[2].name.as_str()), (shown[0], "b.dmp"));
        assert!(inputs[1].whole.starts_with("https://h/a.dmp#"), "{}", inputs[1].whole);
        assert_eq!(inputs[1].source(), Path::new(urls[1]));
        let long = long(&"ü".repeat(300));
        assert!(long.len() <= LONGEST + 17 && long.ends_with('ü'), "{long}");
    }
}
