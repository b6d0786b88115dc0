//! Temporary files for decompressed data and for data from a pipe. Where the system allows it, a
//! temporary file has no name that another program could open. The system deletes it when it is
//! closed, also after an error and when the process is killed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Error, Image};

/// The default limit on the decompressed size of one file.
const MOST: u64 = 64 << 30;
/// The compression ratio of a smaller file is not checked.
const UNSUSPICIOUS: u64 = 64 << 20;
/// Upper limit on the compression ratio. A dump of which nine tenths are zeros has a ratio of about
/// a hundred.
const RATIO: u64 = 250;
/// The size of the buffer for copying, in bytes.
pub(super) const PART: usize = 1 << 18;

/// Where temporary files are created, and how large they may become.
#[derive(Debug, Clone, Default)]
pub struct Spooling {
    /// The folder; `None` means that of the system.
    pub folder: Option<PathBuf>,
    /// Upper limit on the decompressed size of one file; it replaces the check of the compression
    /// ratio.
    pub limit: Option<u64>,
    /// Unpacking ends soon after this is set.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Spooling {
    fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// A new temporary file for data of the file with that path.
    pub(super) fn file(&self, of: &str) -> Result<Spool, Error> {
        let file = BufWriter::with_capacity(PART, self.created()?);
        let folder = self.folder().display().to_string();
        Ok(Spool { file, of: of.to_owned(), folder, bytes: 0, stop: self.stop.clone() })
    }

    /// Fails if unpacking was cancelled.
    #[cfg(feature = "archives")]
    pub(super) fn go_on(&self, path: &str) -> Result<(), Error> {
        go_on(self.stop.as_ref(), path)
    }

    /// A new temporary file of a size, in which nothing is written yet.
    pub(super) fn sparse(&self, bytes: u64) -> Result<File, Error> {
        let file = self.created()?;
        let folder = self.folder().display().to_string();
        file.set_len(bytes).map_err(|error| full(&folder, &error))?;
        Ok(file)
    }

    fn created(&self) -> Result<File, Error> {
        let folder = self.folder();
        create(&folder).map_err(|error| Error::Io {
            path: folder.display().to_string(),
            source: io::Error::new(
                error.kind(),
                format!("no temporary file can be made here: {error}"),
            ),
        })
    }

    /// The most that a temporary file may take.
    pub(super) fn most(&self) -> u64 {
        self.limit.unwrap_or(MOST)
    }

    /// What more than that would be, as the end of a sentence.
    pub(super) fn too_much(&self) -> String {
        let most = size(self.most());
        format!("would take more than {most} of temporary files; --unpack-limit allows more")
    }

    /// An error of writing a temporary file.
    pub(super) fn full(&self, error: &io::Error) -> Error {
        full(&self.folder().display().to_string(), error)
    }

    /// The limits for one file.
    pub(super) fn budget(&self) -> Budget {
        Budget { left: self.most(), limit: self.limit }
    }
}

/// How much more of a file may be decompressed.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    limit: Option<u64>,
}

impl Budget {
    /// Counts decompressed bytes.
    ///
    /// # Errors
    /// Why the limit is exceeded, as the end of a sentence.
    pub(super) fn spend(&mut self, bytes: u64, total: u64, packed: u64) -> Result<(), String> {
        let option = "--unpack-limit allows more";
        let Some(left) = self.left.checked_sub(bytes) else {
            let most = size(self.limit.unwrap_or(MOST));
            return Err(format!("would take more than {most} of temporary files; {option}"));
        };
        self.left = left;
        if self.limit.is_none() && total > UNSUSPICIOUS && total / RATIO > packed {
            return Err(format!(
                "is more than {RATIO} times as large as it is packed, as no dump is; {option}"
            ));
        }
        Ok(())
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 30 && bytes.trailing_zeros() >= 30 => format!("{}GB", bytes >> 30),
        bytes if bytes >= 1 << 20 && bytes.trailing_zeros() >= 20 => format!("{}MB", bytes >> 20),
        bytes => format!("{bytes} bytes"),
    }
}

/// Why a copy failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The source cannot be read.
    Source(io::Error),
    /// A limit is exceeded; the end of a sentence.
    TooMuch(String),
    /// The temporary file cannot be written.
    Target(Error),
}

/// A temporary file that is being written.
#[derive(Debug)]
pub(super) struct Spool {
    file: BufWriter<File>,
    of: String,
    folder: String,
    bytes: u64,
    stop: Option<Arc<AtomicBool>>,
}

impl Spool {
    /// The number of bytes written.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        go_on(self.stop.as_ref(), &self.of)?;
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        self.file.write_all(bytes).map_err(|error| full(&self.folder, &error))
    }

    /// Adds all bytes of a reader.
    pub(super) fn copy(
        &mut self,
        from: &mut dyn Read,
        packed: u64,
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        let mut part = vec![0; PART];
        loop {
            let len = match from.read(&mut part) {
                Ok(0) => return Ok(()),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Source(error)),
            };
            let bytes = part.get(..len).unwrap_or_default();
            let total = self.bytes.saturating_add(bytes.len() as u64);
            budget.spend(bytes.len() as u64, total, packed).map_err(Failure::TooMuch)?;
            self.write(bytes).map_err(Failure::Target)?;
        }
    }

    /// The file as an image.
    pub(super) fn finish(self) -> Result<Image, Error> {
        let folder = self.folder;
        let file = self.file.into_inner().map_err(|error| full(&folder, error.error()))?;
        Image::of_temporary(&self.of, file).map_err(|source| Error::Io { path: folder, source })
    }
}

fn go_on(stop: Option<&Arc<AtomicBool>>, path: &str) -> Result<(), Error> {
    if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
        return Err(Error::Cancelled { path: path.to_owned() });
    }
    Ok(())
}

fn full(folder: &str, error: &io::Error) -> Error {
    let hint = "a temporary file cannot be written here, --temp-dir names another folder";
    let source = io::Error::new(error.kind(), format!("{hint}: {error}"));
    Error::Io { path: folder.to_owned(), source }
}

/// Creates a file that is deleted when it is closed.
fn create(folder: &Path) -> io::Result<File> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let time = time.map_or(0, |time| time.subsec_nanos());
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        // FILE_ATTRIBUTE_TEMPORARY and FILE_FLAG_DELETE_ON_CLOSE; no other program may open the
        // file.
        options.attributes(0x100).custom_flags(0x0400_0000).share_mode(0);
    }
    for _ in 0..16 {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("dumpql-{}-{time:08x}-{number}.tmp", std::process::id()));
        match options.open(&path) {
            Ok(file) => {
                #[cfg(unix)]
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Whether the path names a pipe that the process inherited.
pub(super) fn is_inherited(path: &Path) -> bool {
    ["/dev/stdin", "/dev/fd", "/proc/self/fd"].iter().any(|place| path.starts_with(place))
}

/// The contents of a pipe as an image.
pub(super) fn pipe(name: &str, from: &mut dyn Read, spooling: &Spooling) -> Result<Image, Error> {
    let mut spool = spooling.file(name)?;
    let not = |found: String| Error::NotADump { path: name.to_owned(), found };
    match spool.copy(from, u64::MAX, &mut spooling.budget()) {
        Ok(()) if spool.bytes() == 0 => Err(not("no bytes came through the pipe".to_owned())),
        Ok(()) => spool.finish(),
        Err(Failure::Source(source)) => Err(Error::Io { path: name.to_owned(), source }),
        Err(Failure::TooMuch(why)) => Err(not(format!("a pipe that {why}"))),
        Err(Failure::Target(error)) => Err(error),
    }
}

/// Standard input as an image.
///
/// # Errors
/// [`Error::Io`] if it cannot be read or copied, [`Error::NotADump`] if it is empty or too long.
pub fn stdin(spooling: &Spooling) -> Result<Image, Error> {
    pipe("stdin", &mut io::stdin().lock(), spooling)
}

/// The last component of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_files_are_readable_and_deleted() {
        let folder = std::env::temp_dir().join(format!("dumpql-spool-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let spooling = Spooling { folder: Some(folder.clone()), limit: None, stop: None };
        let bytes = vec![7; 3 * PART + 1];
        let image = pipe("stdin", &mut bytes.as_slice(), &spooling).unwrap();
        assert_eq!(image.whole(), bytes);
        if cfg!(unix) {
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        }
        drop(image);
        std::fs::remove_dir(&folder).unwrap();
        let error = pipe("stdin", &mut bytes.as_slice(), &spooling).unwrap_err().to_string();
        assert!(error.contains("no temporary file can be made here"), "{error}");
    }

    #[test]
    fn the_unpack_limit_holds() {
        let spooling = Spooling { folder: None, limit: Some(1 << 20), stop: None };
        let error = pipe("stdin", &mut io::repeat(1), &spooling).unwrap_err().to_string();
        assert!(error.contains("more than 1MB of temporary files"), "{error}");
        let mut budget = Spooling::default().budget();
        assert!(budget.spend(1, UNSUSPICIOUS, 1).is_ok());
        assert!(budget.spend(1, UNSUSPICIOUS + 1, 1).unwrap_err().contains("250 times"));
        let error = pipe("stdin", &mut io::empty(), &spooling).unwrap_err().to_string();
        assert!(error.contains("no bytes"), "{error}");
    }

    #[test]
    fn unpacking_ends_when_it_is_cancelled() {
        let stop = Arc::<AtomicBool>::default();
        let spooling = Spooling { stop: Some(Arc::clone(&stop)), ..Spooling::default() };
        let mut endless = Endless { reads: 0, stop };
        let error = pipe("stdin", &mut endless, &spooling).unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }), "{error}");
        assert_eq!(endless.reads, 10);
    }

    /// Zeros without end, that sets a flag at its tenth read.
    struct Endless {
        reads: usize,
        stop: Arc<AtomicBool>,
    }

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.reads += 1;
            self.stop.store(self.reads == 10, Ordering::Relaxed);
            into.fill(0);
            Ok(into.len())
        }
    }
}
