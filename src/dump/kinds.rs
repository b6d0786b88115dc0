//! What a path names: a file that can be mapped, or something else.

use std::fs::FileType;
use std::path::Path;

/// A description of file types that cannot be read.
pub(super) fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        return Some("a folder, not a file; `FOLDER/*.dmp` names the dumps in it");
    }
    if is_pipe(kind) {
        return Some("a named pipe, not a file; `dumpql -` reads a dump from standard input");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_socket() {
            return Some("a socket, not a file");
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device, not a file");
        }
    }
    (!kind.is_file()).then_some("not a file")
}

/// Whether it is a named pipe.
#[cfg(unix)]
pub(super) fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

/// Whether it is a named pipe.
#[cfg(not(unix))]
pub(super) const fn is_pipe(_: FileType) -> bool {
    false
}

/// Whether the file is on another machine, so that a mapping of it may fail at any time and nothing
/// handles that. Elsewhere such a fault is handled.
#[cfg(windows)]
pub(super) fn is_remote(path: &Path) -> bool {
    let real = path.canonicalize();
    real.is_ok_and(|real| real.as_os_str().to_string_lossy().starts_with(r"\\?\UNC\"))
}

/// Whether the file is on another machine and nothing handles that.
#[cfg(not(windows))]
pub(super) const fn is_remote(_: &Path) -> bool {
    false
}
