//! Opens files as sources; an archive gives a source for each dump or log in it.

use std::path::{Path, PathBuf};

use super::state::{OpenSource, damaged, short_names};
use super::{Error, guard};
use crate::diag::Code;
use crate::dump::{self, Health, Image, Spooling};
use crate::model::Source;
use crate::source;
use crate::symbol::Store;

/// A source whose name is not chosen yet.
pub(super) struct Opened {
    /// Its member name, if it is in an archive, and the path.
    names: (Option<String>, String),
    files: Vec<PathBuf>,
    health: Health,
    origin: Option<Image>,
    source: Box<dyn Source>,
}

impl Opened {
    /// The source under a name.
    pub(super) fn named(self, name: String) -> OpenSource {
        let Self { files, health, origin, source, .. } = self;
        OpenSource { name, files, health, origin, source }
    }

    /// The name of the member within its archive.
    pub(super) fn member(&self) -> &str {
        let name = self.names.0.as_deref().unwrap_or(&self.names.1);
        name.split_once('!').map_or(name, |(_, member)| member)
    }
}

/// Opens an image, or the members of an archive. Returns the errors of the others, by path.
pub(super) fn open(
    image: Image,
    store: &Store,
    spooling: &Spooling,
    cache: Option<&Path>,
) -> (Vec<Opened>, Vec<(String, Error)>) {
    let path = image.path().to_owned();
    let packed = image.health();
    let expanded = guard::guarded(|| Ok(dump::expand(image, spooling)));
    if let Some(damage) = packed.damage() {
        return (Vec::new(), vec![(path, damaged(damage).into())]);
    }
    let expanded = match expanded {
        Ok(expanded) => expanded,
        Err(error) => return (Vec::new(), vec![(path, error)]),
    };
    let errors = expanded.errors.into_iter();
    let mut failures: Vec<_> =
        errors.map(|error| (error.path().to_owned(), Error::from(error))).collect();
    let mut opened = Vec::new();
    let mut guesses = Vec::new();
    for image in expanded.images {
        let names = (image.member().map(str::to_owned), image.path().to_owned());
        let files = image.files().map(Path::to_owned).collect();
        let is_guess = image.is_guess();
        let health = image.health();
        let image = image.with_cache(cache);
        let origin = image.again();
        let source = guard::guarded(|| Ok(source::open(image, store)?));
        let damage = health.damage().map(|damage| damaged(damage).into());
        match damage.map_or(source, Err) {
            Ok(source) => opened.push(Opened { names, files, health, origin, source }),
            Err(error) if is_guess && error.code() == Code::BadFile => {
                guesses.push((names.1, error));
            }
            Err(error) => failures.push((names.1, error)),
        }
    }
    // A file of another kind beside the dumps in an archive is not an error.
    if opened.is_empty() {
        failures.append(&mut guesses);
    }
    (opened, failures)
}

/// The sources with distinct names.
pub(super) fn named(opened: Vec<Opened>) -> Vec<OpenSource> {
    let pairs = opened.iter().map(|one| (one.names.0.as_deref(), one.names.1.as_str()));
    let names = short_names(pairs);
    opened.into_iter().zip(names).map(|(one, name)| one.named(name)).collect()
}

/// The upper limit on files that one pattern stands for.
#[cfg(feature = "cli")]
const MAX_FILES: usize = 1_000_000;

/// The files that a pattern stands for, or the path itself; shells of Windows leave patterns to the
/// program.
#[cfg(feature = "cli")]
pub(crate) fn expanded(path: &Path) -> Vec<PathBuf> {
    let text = path.to_string_lossy();
    if text.contains(['*', '?']) && !dump::is_url(&text) && !path.exists() {
        let files = dump::files(&text, MAX_FILES).unwrap_or_default();
        if !files.is_empty() {
            return files.into_iter().map(PathBuf::from).collect();
        }
    }
    vec![path.to_owned()]
}
