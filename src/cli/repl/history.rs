//! The history file.

use std::path::PathBuf;

/// The history file, whose folder is created; `None` if there is no home folder.
pub(super) fn path() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let state = if cfg!(windows) {
        set("APPDATA")?
    } else {
        set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local").join("state")))?
    };
    let folder = state.join("dumpql");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
