//! The symbol path, in the syntax of Windows debuggers: `srv*cache*url`, `cache*folder`, folders and
//! files, separated by semicolons.
//!
//! Knows what may be searched and in which order; searches nothing.

use std::path::{Path, PathBuf};

/// Where symbols are looked for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Paths that were asked for. Each is a folder, a file, or a path in the debuggers' syntax; the
    /// servers in them are asked.
    pub paths: Vec<PathBuf>,
    /// A path such as the variable `_NT_SYMBOL_PATH` holds. What of it is not there is passed over,
    /// and its servers are not asked: nobody who opens a dump has named them for that.
    pub environment: String,
    /// Whether no server is asked, whoever names it.
    pub offline: bool,
    /// A list of pool tags that goes before the one that is built in.
    pub pool_tags: Option<PathBuf>,
    /// A folder in which what was read of files of layouts is kept for the next session.
    pub cache: Option<PathBuf>,
}

/// A place on the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    /// A folder or file of that name.
    Local(PathBuf),
    /// Stores, the nearest first: what is found in one is kept in the first.
    Chain(Vec<Stop>),
}

/// One store of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// A folder in the order that servers keep.
    Folder(PathBuf),
    /// The address of a server, without a slash at its end.
    Server(String),
}

/// The places of one path.
pub(super) fn elements(path: &Path) -> Vec<Element> {
    let text = path.to_string_lossy();
    // A folder may have a name that looks like several.
    if path.exists() || !text.contains([';', '*']) && !is_server(&text) {
        return vec![Element::Local(path.to_owned())];
    }
    let mut found = Vec::new();
    let mut cache: Option<PathBuf> = None;
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        match parse(part) {
            Part::Cache(folder) => {
                found.push(Element::Chain(vec![Stop::Folder(folder.clone())]));
                cache = Some(folder);
            }
            Part::Chain(mut stops) => {
                if let (Some(cache), Some(Stop::Server(_))) = (&cache, stops.first()) {
                    stops.insert(0, Stop::Folder(cache.clone()));
                }
                found.push(Element::Chain(stops));
            }
            Part::Local(path) => found.push(Element::Local(path)),
        }
    }
    found
}

enum Part {
    Cache(PathBuf),
    Chain(Vec<Stop>),
    Local(PathBuf),
}

fn parse(part: &str) -> Part {
    let mut words = part.split('*');
    let kind = words.next().unwrap_or_default().to_ascii_lowercase();
    match kind.as_str() {
        "cache" => Part::Cache(words.next().map_or_else(default_cache, folder)),
        "srv" => Part::Chain(words.map(stop).collect()),
        // The second word names the library that debuggers load to ask the server.
        "symsrv" => Part::Chain(words.skip(1).map(stop).collect()),
        _ if is_server(part) => Part::Chain(vec![stop(part)]),
        _ => Part::Local(PathBuf::from(part)),
    }
}

fn stop(word: &str) -> Stop {
    let word = word.trim();
    if is_server(word) {
        return Stop::Server(word.trim_end_matches('/').to_owned());
    }
    Stop::Folder(folder(word))
}

/// A folder by name; a nameless one is the default.
fn folder(word: &str) -> PathBuf {
    if word.is_empty() { default_cache() } else { PathBuf::from(word) }
}

fn is_server(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.starts_with("https://") || word.starts_with("http://")
}

/// Where downloads are kept when the path names no place for them.
pub(super) fn default_cache() -> PathBuf {
    own_cache().join("symbols")
}

/// Where this program keeps what can be made again.
pub fn own_cache() -> PathBuf {
    cache_folder().unwrap_or_else(std::env::temp_dir).join("dumpql")
}

/// The user's folder for what can be made again.
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
