//! Which files queries may open and write: all, none, or those below given folders.

use std::path::{Component, Path, PathBuf};

use super::options::Urls;
use super::{Error, Options};
use crate::diag::{Code, Diagnostic};
use crate::dump::{self, Image};

/// The folders to which queries are confined, as canonical paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folders {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
}

impl Folders {
    /// Folders that exist; a path that does not exist allows nothing.
    pub(super) fn new(read: Vec<PathBuf>, write: Vec<PathBuf>) -> Self {
        let known = |folders: Vec<PathBuf>| {
            let found = folders.into_iter().filter_map(|folder| folder.canonicalize().ok());
            found.filter(|folder| folder.is_dir()).collect::<Vec<_>>()
        };
        Self { read: known(read), write: known(write) }
    }

    fn readable(&self, path: &Path) -> Result<PathBuf, Diagnostic> {
        // Files that may be written may also be read.
        let folders: Vec<&PathBuf> = self.read.iter().chain(&self.write).collect();
        for candidate in candidates(path, &folders) {
            let Ok(found) = candidate.canonicalize() else { continue };
            if !within(&found, &folders) {
                return Err(outside(path, "opened in", &folders));
            }
            if found.is_file() {
                return Ok(found);
            }
            // Opening a pipe or a device could block.
            let message = format!("{} is not a regular file", path.display());
            return Err(Diagnostic::new(Code::Io, message));
        }
        // The error does not reveal whether a file outside the folders exists.
        if path.is_absolute() && !(is_plain(path) && within(path, &folders)) {
            return Err(outside(path, "opened in", &folders));
        }
        Err(Diagnostic::new(Code::Io, format!("{}: there is no such file", path.display()))
            .help(listed("files are opened in", &folders)))
    }

    fn writable(&self, path: &Path) -> Result<PathBuf, Diagnostic> {
        let folders: Vec<&PathBuf> = self.write.iter().collect();
        let refused = || outside(path, "written in", &folders);
        let Some(name) = path.file_name() else { return Err(refused()) };
        for candidate in candidates(path, &folders) {
            // A link is resolved to the file that would be replaced.
            let found = match (candidate.canonicalize(), candidate.is_symlink()) {
                (Ok(found), _) => found,
                (Err(_), true) => return Err(refused()),
                (Err(_), false) => match candidate.parent().map(Path::canonicalize) {
                    Some(Ok(folder)) => folder.join(name),
                    _ => continue,
                },
            };
            if !within(&found, &folders) {
                return Err(refused());
            }
            if found.exists() && !found.is_file() {
                let message = format!("{} is not a regular file", path.display());
                return Err(Diagnostic::new(Code::Io, message));
            }
            return Ok(found);
        }
        Err(refused())
    }
}

impl Options {
    /// The bytes of a file, or of a URL, that the program named.
    pub(super) fn image(&self, path: &Path) -> Result<Image, Error> {
        let url = path.to_str().filter(|path| dump::is_url(path));
        match url {
            Some(_) if self.urls < Urls::Named => {
                let message = "this program does not open URLs";
                Err(Diagnostic::new(Code::Unsupported, message).into())
            }
            Some(url) => Ok(Image::open_url(url)?),
            None => Ok(Image::open_with(path, &self.spooling())?),
        }
    }

    /// The bytes of a URL that a query named.
    pub(super) fn url(&self, url: &str) -> Result<Image, Error> {
        match self.urls {
            Urls::All => Ok(Image::open_url(url)?),
            Urls::Named => {
                let message = "queries open no URLs here";
                let help = "name it on the command line, or open it with .open";
                Err(Diagnostic::new(Code::Unsupported, message).help(help).into())
            }
            Urls::None => {
                let message = "this program does not let queries open URLs";
                Err(Diagnostic::new(Code::Unsupported, message).into())
            }
        }
    }

    /// The file to open for a path in a query; links and `..` are resolved.
    pub(crate) fn readable(&self, path: &str) -> Result<PathBuf, Diagnostic> {
        match &self.folders {
            Some(folders) => folders.readable(Path::new(path)),
            None if self.files => Ok(PathBuf::from(path)),
            None => {
                let message = "this program does not let queries open files";
                Err(Diagnostic::new(Code::Unsupported, message))
            }
        }
    }

    /// The files to open for a path in a query that may have wildcards, in order; files outside the
    /// folders are omitted.
    pub(super) fn readable_files(
        &self,
        path: &str,
        most: usize,
    ) -> Result<Vec<String>, Diagnostic> {
        let is_pattern = path.contains(['*', '?', '[']);
        if !is_pattern {
            return match self.readable(path) {
                Ok(file) if file.exists() => Ok(vec![file.to_string_lossy().into_owned()]),
                Ok(_) => Ok(Vec::new()),
                Err(error) if error.code == Code::Io => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let listed = |pattern: &str| {
            let failed = |found| Diagnostic::new(Code::BadFile, format!("{path}: {found}"));
            crate::dump::files(pattern, most).map_err(failed)
        };
        let Some(folders) = &self.folders else {
            self.readable(path)?;
            return listed(path);
        };
        let all: Vec<&PathBuf> = folders.read.iter().chain(&folders.write).collect();
        let pattern = Path::new(path);
        if !is_plain(pattern) || pattern.is_absolute() && !within(pattern, &all) {
            return Err(outside(pattern, "opened in", &all));
        }
        let mut files = Vec::new();
        for place in candidates(pattern, &all) {
            let found = listed(&place.to_string_lossy())?;
            files
                .extend(found.into_iter().filter(|file| folders.readable(Path::new(file)).is_ok()));
        }
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The file to write for a path in a query.
    pub(crate) fn writable(&self, path: &str) -> Result<PathBuf, Diagnostic> {
        match &self.folders {
            Some(folders) => folders.writable(Path::new(path)),
            None if self.files => Ok(PathBuf::from(path)),
            None => {
                let message = "this program does not let queries write files";
                Err(Diagnostic::new(Code::Unsupported, message))
            }
        }
    }
}

/// The possible locations of a file: a relative path is resolved against each of the folders.
fn candidates(path: &Path, folders: &[&PathBuf]) -> Vec<PathBuf> {
    if path.is_absolute() {
        return vec![path.to_owned()];
    }
    folders.iter().map(|folder| folder.join(path)).collect()
}

fn within(path: &Path, folders: &[&PathBuf]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

/// Whether a path contains no `..`.
fn is_plain(path: &Path) -> bool {
    !path.components().any(|part| matches!(part, Component::ParentDir | Component::CurDir))
}

fn outside(path: &Path, what: &str, folders: &[&PathBuf]) -> Diagnostic {
    let message = format!("{} is not below a folder that files are {what}", path.display());
    Diagnostic::new(Code::Unsupported, message).help(listed(&format!("files are {what}"), folders))
}

fn listed(what: &str, folders: &[&PathBuf]) -> String {
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    if names.is_empty() {
        format!("{what} no folder")
    } else {
        format!("{what} {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn links_and_parent_folders_do_not_leave_the_allowed_folders() {
        use std::fs;
        use std::os::unix::fs::symlink;

        let base = std::env::temp_dir().join(format!("dumpql-access-{}", std::process::id()));
        let (root, other) = (base.join("root"), base.join("other"));
        fs::create_dir_all(root.join("deep")).unwrap();
        fs::create_dir_all(&other).unwrap();
        fs::write(root.join("a.csv"), "x").unwrap();
        fs::write(other.join("secret.csv"), "x").unwrap();
        symlink(other.join("secret.csv"), root.join("link.csv")).unwrap();
        symlink(&other, root.join("door")).unwrap();
        symlink(other.join("new.csv"), root.join("dangling.csv")).unwrap();
        symlink(root.join("a.csv"), root.join("inner.csv")).unwrap();
        let options = Options::default().folders([&root], [&root.join("deep")]);
        let real = root.canonicalize().unwrap();
        let shown = |path: &Path| path.display().to_string();
        for path in ["a.csv", "inner.csv", "deep/../a.csv", &shown(&root.join("a.csv"))] {
            assert_eq!(options.readable(path).unwrap(), real.join("a.csv"), "{path}");
        }
        let outside = shown(&other.join("secret.csv"));
        let refused = [
            "link.csv",
            "door/secret.csv",
            "../other/secret.csv",
            &outside,
            "/etc/passwd",
            "/no/such/file",
            "deep/../../other/secret.csv",
        ];
        for path in refused {
            let error = options.readable(path).unwrap_err();
            assert_eq!(error.code, Code::Unsupported, "{path}: {error}");
        }
        let found = options.readable_files("*.csv", 10).unwrap();
        let names = |file: &String| file.rsplit('/').next().unwrap().to_owned();
        assert_eq!(found.iter().map(names).collect::<Vec<_>>(), ["a.csv", "inner.csv"]);
        let all = format!("{}/*.csv", other.display());
        assert!(
            options.readable_files(&all, 10).is_err()
                && options.readable_files("../*/*.csv", 10).is_err()
        );
        assert!(options.readable_files("door/*.csv", 10).unwrap().is_empty());
        assert_eq!(options.readable("deep").unwrap_err().code, Code::Io);
        assert_eq!(options.readable("none.csv").unwrap_err().code, Code::Io);

        let deep = real.join("deep");
        assert_eq!(options.writable("new.csv").unwrap(), deep.join("new.csv"));
        symlink(other.join("new.csv"), deep.join("out.csv")).unwrap();
        for path in ["out.csv", "../a.csv", "../dangling.csv", &shown(&root.join("b.csv")), "/", ""]
        {
            assert!(options.writable(path).is_err(), "{path}");
        }
        let reading = Options::default().folders([&root], [] as [&Path; 0]);
        assert!(reading.writable("new.csv").is_err());
        assert!(Options::default().readable("a.csv").is_err());
        fs::remove_dir_all(&base).unwrap();
    }
}
