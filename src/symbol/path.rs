//! The symbol path, in the syntax of Windows debuggers: `srv*cache*url`, `cache*folder`, folders
//! and files, separated by semicolons.
//!
//! This module determines what is searched and in which order; it searches nothing.

use std::path::{Path, PathBuf};

/// Where symbols are searched.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Configured paths. Each is a folder, a file, or a path in the debuggers' syntax; servers in
    /// them are asked.
    pub paths: Vec<PathBuf>,
    /// A path such as the value of `_NT_SYMBOL_PATH`. Missing folders are skipped and its servers
    /// are not asked, because the user did not configure them for this program.
    pub environment: String,
    /// Whether no server is asked at all.
    pub offline: bool,
    /// A pool tag list that has priority over the built-in one.
    pub pool_tags: Option<PathBuf>,
    /// The cache directory for parsed layout files.
    pub cache: Option<PathBuf>,
}

/// An element of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    /// A folder or a file.
    Local(PathBuf),
    /// Symbol stores, nearest first: a file that is found in one is copied to the first.
    Chain(Vec<Stop>),
}

/// One store of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// A folder in the directory layout of symbol servers.
    Folder(PathBuf),
    /// The address of a server, without trailing slash.
    Server(String),
}

/// The elements of a path.
pub(super) fn elements(path: &Path) -> Vec<Element> {
    let text = path.to_string_lossy();
    // A folder name may look like several elements.
    if path.exists() || !text.contains([';', '*']) && !is_server(&text) {
        return vec![Element::Local(path.to_owned())];
    }
    let mut found = Vec::new();
    let mut cache: Option<PathBuf> = None;
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        match parse(part) {
            PathPart::Cache(folder) => {
                found.push(Element::Chain(vec![Stop::Folder(folder.clone())]));
                cache = Some(folder);
            }
            PathPart::Chain(mut stops) => {
                if let (Some(cache), Some(Stop::Server(_))) = (&cache, stops.first()) {
                    stops.insert(0, Stop::Folder(cache.clone()));
                }
                found.push(Element::Chain(stops));
            }
            PathPart::Local(path) => found.push(Element::Local(path)),
        }
    }
    found
}

enum PathPart {
    Cache(PathBuf),
    Chain(Vec<Stop>),
    Local(PathBuf),
}

fn parse(part: &str) -> PathPart {
    let mut words = part.split('*');
    let kind = words.next().unwrap_or_default().to_ascii_lowercase();
    match kind.as_str() {
        "cache" => PathPart::Cache(words.next().map_or_else(default_cache, folder)),
        "srv" => PathPart::Chain(words.map(stop).collect()),
        // The second word names the library that debuggers load to access the server.
        "symsrv" => PathPart::Chain(words.skip(1).map(stop).collect()),
        _ if is_server(part) => PathPart::Chain(vec![stop(part)]),
        _ => PathPart::Local(PathBuf::from(part)),
    }
}

fn stop(word: &str) -> Stop {
    let word = word.trim();
    if is_server(word) {
        return Stop::Server(word.trim_end_matches('/').to_owned());
    }
    Stop::Folder(folder(word))
}

/// A folder by name; the default folder if the name is empty.
fn folder(word: &str) -> PathBuf {
    if word.is_empty() { default_cache() } else { PathBuf::from(word) }
}

fn is_server(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.starts_with("https://") || word.starts_with("http://")
}

/// Where downloads are stored if the path does not say it.
pub(super) fn default_cache() -> PathBuf {
    own_cache().join("symbols")
}

/// The cache directory of this program.
pub fn own_cache() -> PathBuf {
    cache_folder().unwrap_or_else(std::env::temp_dir).join("dumpql")
}

/// The user's cache directory.
fn cache_folder() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    of("XDG_CACHE_HOME")
        .or_else(|| of("LOCALAPPDATA"))
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(of("HOME")?).join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Vec<Element> {
        elements(Path::new(path))
    }

    #[test]
    fn the_syntax_of_debuggers() {
        let folder = |name: &str| Stop::Folder(PathBuf::from(name));
        let server = |name: &str| Stop::Server(name.to_owned());
        assert_eq!(of("no/such/folder"), [Element::Local("no/such/folder".into())]);
        let chain = [folder("/sym"), folder("/far"), server("https://sym.example/store")];
        let wanted = [Element::Chain(chain.to_vec()), Element::Local("/own".into())];
        assert_eq!(of("srv*/sym*/far*https://sym.example/store/; /own;"), wanted);
        let symsrv = of("SYMSRV*symsrv.dll*/sym*http://sym.example");
        assert_eq!(symsrv, [Element::Chain(vec![folder("/sym"), server("http://sym.example")])]);
        let cached = of("cache*/c;srv*https://sym.example");
        let chain = vec![folder("/c"), server("https://sym.example")];
        assert_eq!(cached, [Element::Chain(vec![folder("/c")]), Element::Chain(chain)]);
        assert_eq!(of("https://a.example/"), [Element::Chain(vec![server("https://a.example")])]);
        let nameless = Stop::Folder(default_cache());
        assert_eq!(
            of("srv**https://a.example"),
            [Element::Chain(vec![nameless, server("https://a.example")])]
        );
        assert_eq!(of(";;"), []);
    }
}
