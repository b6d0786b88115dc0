//! Files that are written beside their place and moved there when they are complete.
//!
//! A part is deleted when it is dropped without having been moved: after an error, a cancellation, on a
//! full disk. Those of a process that a signal ends are deleted by [`close`].

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// What the names of all parts end in.
const ENDING: &str = "part";
/// How old a part is at least that no process writes to any more.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// The parts that are being written.
#[derive(Debug, Default)]
struct Open {
    paths: BTreeSet<PathBuf>,
    is_closed: bool,
}

fn open() -> MutexGuard<'static, Open> {
    static OPEN: Mutex<Open> = Mutex::new(Open { paths: BTreeSet::new(), is_closed: false });
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file of a part, and where it will stand.
#[derive(Debug)]
pub(crate) struct Part {
    path: PathBuf,
    target: PathBuf,
    is_placed: bool,
}

impl Part {
    /// A new file in the folder of `target`; never one that exists.
    ///
    /// # Errors
    /// What the file system reports; [`io::ErrorKind::Interrupted`] after [`close`].
    pub(crate) fn beside(target: &Path) -> io::Result<(Self, File)> {
        let Some(name) = target.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "names no file"));
        };
        for attempt in 0..100u32 {
            let mut beside = OsString::from(".");
            beside.push(name);
            beside.push(format!(".{}-{attempt}.{ENDING}", std::process::id()));
            let path = target.with_file_name(beside);
            let mut open = open();
            if open.is_closed {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "the program is ending"));
            }
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    open.paths.insert(path.clone());
                    let target = target.to_owned();
                    return Ok((Self { path, target, is_placed: false }, file));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Moves the file to its place, with the permissions of the file that stands there.
    ///
    /// # Errors
    /// What the file system reports.
    pub(crate) fn place(mut self) -> io::Result<()> {
        if let Ok(old) = fs::metadata(&self.target) {
            fs::set_permissions(&self.path, old.permissions())?;
        }
        fs::rename(&self.path, &self.target)?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_placed {
            // The first error is the one to tell; a leftover file is the lesser evil.
            let _ = fs::remove_file(&self.path);
        }
        open().paths.remove(&self.path);
    }
}

/// Deletes all parts; no more are made. For a process that ends without unwinding.
pub(crate) fn close() {
    let mut open = open();
    open.is_closed = true;
    for path in &open.paths {
        let _ = fs::remove_file(path);
    }
}

/// Deletes what a killed process left in a folder, a day later.
pub(crate) fn sweep(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.filter_map(Result::ok) {
        let path = file.path();
        let is_part = path.extension().is_some_and(|ending| ending == ENDING)
            && file.file_name().to_string_lossy().starts_with('.');
        let written = file.metadata().and_then(|metadata| metadata.modified());
        let is_old = written.is_ok_and(|at| {
            SystemTime::now().duration_since(at).is_ok_and(|since| since > ABANDONED)
        });
        if is_part && is_old {
            let _ = fs::remove_file(path);
        }
    }
}
