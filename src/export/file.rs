//! Atomic file writes: a file is either complete or unchanged.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::parts::Part;

/// How many links a path may lead through, as the system counts.
const MOST_LINKS: usize = 40;

/// Writes a file through a temporary one next to it, which is renamed when it is complete. On an
/// error the temporary file is removed, and an existing file is unchanged.
///
/// A path that is not a regular file (`/dev/null`, a named pipe) is written to directly.
///
/// # Errors
/// Whatever `write` or the file system reports.
pub fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        write(&mut out)?;
        return out.flush();
    }
    let target = behind_links(path)?;
    if target.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
    }
    let (part, file) = Part::beside(&target)?;
    let replaces = target.exists();
    let mut out = BufWriter::with_capacity(1 << 16, file);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    if replaces {
        // What a server or a quota refuses late is known before the old file is gone.
        file.sync_data()?;
    }
    drop(file);
    part.place()
}

/// The file that a path leads to, through links, whether it exists or not.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("too many links"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dumpql-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_error_leaves_the_old_file_and_nothing_else() {
        let folder = folder("file");
        let path = folder.join("x.csv");
        write_file(&path, |out| out.write_all(b"one")).unwrap();
        let failed = write_file(&path, |out| {
            out.write_all(b"two")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write_file(&path, |out| out.write_all(b"three")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(write_file(&folder, |_| Ok(())).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn links_stay_links() {
        use std::os::unix::fs::symlink;

        let folder = folder("links");
        let below = folder.join("below");
        fs::create_dir_all(&below).unwrap();
        for (link, to) in [("new", "below/made"), ("old", "below/there"), ("far", "new2")] {
            symlink(to, folder.join(link)).unwrap();
        }
        symlink(below.join("far"), folder.join("new2")).unwrap();
        fs::write(below.join("there"), "old").unwrap();
        for (link, file) in [("new", "made"), ("old", "there"), ("far", "far")] {
            write_file(&folder.join(link), |out| out.write_all(b"now")).unwrap();
            assert!(fs::symlink_metadata(folder.join(link)).unwrap().is_symlink(), "{link}");
            assert_eq!(fs::read(below.join(file)).unwrap(), b"now", "{link}");
        }
        symlink("round", folder.join("round")).unwrap();
        assert!(write_file(&folder.join("round"), |out| out.write_all(b"no")).is_err());
        symlink("none/x", folder.join("lost")).unwrap();
        assert!(write_file(&folder.join("lost"), |out| out.write_all(b"no")).is_err());
        assert!(fs::symlink_metadata(folder.join("lost")).unwrap().is_symlink());
        fs::remove_dir_all(&folder).unwrap();
    }
}
