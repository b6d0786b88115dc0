//! The structure of a source: the core imports no reader, and imports show all dependencies.
//!
//! This test reads imports and `impl` blocks as text. Calling a method needs no import, so an
//! `impl` block outside the file of its type would hide a dependency: only the core may have such
//! blocks, and only in its own folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::seams::{Source, line_of, report, sources, words};

/// Sources of that shape: the folder, and its core.
const SHAPED: &[(&str, &str)] =
    &[("source/kernel", "source/kernel/core"), ("source/user", "source/user/core")];

/// A source's files, by the modules that they are.
struct Room<'a> {
    core: &'a str,
    files: BTreeMap<String, &'a Source>,
}

/// The module that a file is (`source/kernel/io/mod.rs` is `source/kernel/io`).
fn module_of(path: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    stem.strip_suffix("/mod").unwrap_or(stem).to_owned()
}

/// The paths of a tree of imports such as `io::{state, drivers::{self, Drivers}}`.
fn paths(tree: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '*';
    let head: String = tree.chars().take_while(|c| is_path(*c)).collect();
    let Some(group) = tree[head.len()..].strip_prefix('{') else { return vec![head] };
    let mut all = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, c) in group.char_indices() {
        let ends = match c {
            '{' => {
                depth += 1;
                false
            }
            '}' if depth > 0 => {
                depth -= 1;
                false
            }
            ',' => depth == 0,
            '}' => true,
            _ => false,
        };
        if ends {
            let item = group[start..at].trim();
            if !item.is_empty() {
                all.extend(paths(item).into_iter().map(|path| format!("{head}{path}")));
            }
            start = at + 1;
        }
        if c == '}' && ends {
            break;
        }
    }
    all
}

/// Where a path that begins with `crate`, `super` or `self` leads, from a module.
fn absolute(path: &str, module: &str) -> Option<String> {
    let mut base: Vec<&str> = module.split('/').collect();
    let mut parts = path.split("::").filter(|part| !part.is_empty()).peekable();
    match parts.next()? {
        "crate" => base.clear(),
        "super" => {
            base.pop()?;
            while parts.next_if(|part| *part == "super").is_some() {
                base.pop()?;
            }
        }
        "self" => {}
        _ => return None,
    }
    base.extend(parts.filter(|part| *part != "self" && *part != "*"));
    Some(base.join("/"))
}

/// The type that an `impl` block is of.
fn type_of_block(header: &str) -> String {
    let mut rest = header.trim_start_matches("impl").trim_start();
    if rest.starts_with('<') {
        let (mut depth, mut before) = (0usize, ' ');
        let end = rest.char_indices().find(|(_, c)| {
            depth = match c {
                '<' => depth + 1,
                '>' if before != '-' => depth.saturating_sub(1),
                _ => depth,
            };
            before = *c;
            depth == 0
        });
        rest = end.map_or("", |(at, _)| rest[at + 1..].trim_start());
    }
    let of = rest.split_once(" for ").map_or(rest, |(_, of)| of);
    let name: String =
        of.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
    name.rsplit("::").next().unwrap_or_default().to_owned()
}

/// The `impl` blocks of a file: the type of each, and its line.
fn blocks(code: &str) -> Vec<(String, usize)> {
    let starts = words(code, "impl").filter(|at| {
        let before = code[..*at].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with('\n')
    });
    let block = |at: usize| {
        let header = code[at..].split('{').next().unwrap_or_default();
        (type_of_block(&header.replace('\n', " ")), line_of(code, at))
    };
    starts.map(block).collect()
}

/// The types that a file defines.
fn types(code: &str) -> BTreeSet<String> {
    let after = |keyword: &'static str| {
        words(code, keyword).filter_map(move |at| {
            let rest = code[at + keyword.len()..].trim_start();
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            (!name.is_empty()).then_some(name)
        })
    };
    ["struct", "enum", "trait", "union"].into_iter().flat_map(after).collect()
}

impl<'a> Room<'a> {
    fn new(sources: &'a [Source], folder: &str, core: &'a str) -> Self {
        let own = sources.iter().filter(|source| source.path.starts_with(&format!("{folder}/")));
        Self { core, files: own.map(|source| (module_of(&source.path), source)).collect() }
    }

    fn is_core(&self, module: &str) -> bool {
        module.strip_prefix(self.core).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A module as a floor: the core is one.
    fn floor<'m>(&'m self, module: &'m str) -> &'m str {
        if self.is_core(module) { self.core } else { module }
    }

    /// The file that a path leads into.
    fn file_of(&self, path: &str) -> Option<&str> {
        let mut path = path;
        loop {
            if let Some((module, _)) = self.files.get_key_value(path) {
                return Some(module);
            }
            path = path.rsplit_once('/')?.0;
        }
    }

    /// What a file imports of the room, each with its line.
    fn imports(&self, module: &str, code: &str) -> Vec<(String, usize)> {
        let starts = ["crate", "super", "self"].into_iter().flat_map(|word| words(code, word));
        let starts = starts.filter(|at| {
            let after = code[*at..].trim_start_matches(char::is_alphanumeric);
            after.starts_with("::") && !code[..*at].ends_with("::")
        });
        let mut all = Vec::new();
        for at in starts {
            for path in paths(&code[at..]) {
                let file =
                    absolute(&path, module).and_then(|path| self.file_of(&path).map(str::to_owned));
                let other = file.filter(|file| self.floor(file) != self.floor(module));
                all.extend(other.map(|file| (file, line_of(code, at))));
            }
        }
        all
    }

    /// Every import of one floor by another, and where it stands.
    fn graph(&self) -> BTreeMap<&str, BTreeMap<String, String>> {
        let mut graph: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
        for (module, source) in &self.files {
            for (file, line) in self.imports(module, &source.code) {
                let place = format!("src/{}:{line}", source.path);
                let edges = graph.entry(self.floor(module)).or_default();
                edges.entry(self.floor(&file).to_owned()).or_insert(place);
            }
        }
        graph
    }
}

/// A way from a floor back to itself, if there is one.
fn cycle<'g>(
    graph: &'g BTreeMap<&str, BTreeMap<String, String>>,
    at: &'g str,
    way: &mut Vec<&'g str>,
    done: &mut BTreeSet<&'g str>,
) -> Option<Vec<String>> {
    if let Some(first) = way.iter().position(|seen| *seen == at) {
        let names = way[first..].iter().chain([&at]);
        return Some(names.map(|name| (*name).to_owned()).collect());
    }
    if !done.insert(at) {
        return None;
    }
    way.push(at);
    let next = graph.get(at).into_iter().flat_map(BTreeMap::keys);
    let found = next.into_iter().find_map(|next| cycle(graph, next, way, done));
    way.pop();
    found
}

#[test]
fn readers_import_in_one_direction() {
    let sources = sources();
    let mut broken = Vec::new();
    for (folder, core) in SHAPED {
        let room = Room::new(&sources, folder, core);
        assert!(room.files.contains_key(*core), "{core} is not there");
        let graph = room.graph();
        assert!(graph.len() > 10, "{folder}: imports of {} files are read", graph.len());
        let mut done = BTreeSet::new();
        for start in graph.keys() {
            let Some(way) = cycle(&graph, start, &mut Vec::new(), &mut done) else { continue };
            let steps = way.windows(2).map(|step| {
                let place = graph.get(step[0].as_str()).and_then(|edges| edges.get(&step[1]));
                format!("  {} imports {} at {}", step[0], step[1], place.map_or("", |p| p))
            });
            broken.push(format!("a cycle:\n{}", steps.collect::<Vec<_>>().join("\n")));
        }
    }
    report(&broken);
}

#[test]
fn the_core_imports_no_reader() {
    let sources = sources();
    let mut broken = Vec::new();
    for (folder, core) in SHAPED {
        let room = Room::new(&sources, folder, core);
        let graph = room.graph();
        for (reader, place) in graph.get(core).into_iter().flatten() {
            broken.push(format!("{place}: the core imports {reader}"));
        }
    }
    report(&broken);
}

/// The `impl` blocks away from their types.
fn away(room: &Room<'_>) -> Vec<String> {
    let mut homes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (module, source) in &room.files {
        for name in types(&source.code) {
            homes.entry(name).or_default().push(module);
        }
    }
    let mut broken = Vec::new();
    for (module, source) in &room.files {
        for (name, line) in blocks(&source.code) {
            let Some(homes) = homes.get(&name) else { continue };
            let is_at_home = homes.contains(&module.as_str());
            let is_cores = room.is_core(module) && homes.iter().any(|home| room.is_core(home));
            if !is_at_home && !is_cores {
                let path = &source.path;
                broken.push(format!("src/{path}:{line}: `impl {name}` away from {homes:?}"));
            }
        }
    }
    broken
}

#[test]
fn impl_blocks_are_in_the_file_of_their_type() {
    let sources = sources();
    let rooms = SHAPED.iter().map(|(folder, core)| Room::new(&sources, folder, core));
    report(&rooms.flat_map(|room| away(&room)).collect::<Vec<_>>());
}

#[test]
fn a_cycle_and_a_misplaced_impl_block_are_detected() {
    let source = |path: &str, code: &str| Source {
        path: path.to_owned(),
        text: code.to_owned(),
        code: code.to_owned(),
    };
    let sources = [
        source("source/x/core/mod.rs", "mod part;\npub(crate) struct Core;"),
        source("source/x/core/part.rs", "use super::Core;\nimpl Core {}"),
        source("source/x/a.rs", "use super::core::Core;\nuse crate::source::x::b::{B, f};"),
        source("source/x/b.rs", "pub(crate) struct B;\nfn g() { super::c::h() }"),
        source("source/x/c.rs", "use crate::{model::Row, source::x::a};\nimpl Core {}"),
    ];
    let room = Room::new(&sources, "source/x", "source/x/core");
    let graph = room.graph();
    let way = cycle(&graph, "source/x/a", &mut Vec::new(), &mut BTreeSet::new());
    let expected = ["source/x/a", "source/x/b", "source/x/c", "source/x/a"];
    assert_eq!(way.as_deref(), Some(expected.map(str::to_owned).as_slice()));
    assert!(!graph.contains_key("source/x/core"));
    assert_eq!(away(&room), ["src/source/x/c.rs:2: `impl Core` away from [\"source/x/core\"]"]);
}

#[test]
fn the_import_reader_parses_imports() {
    let tree = "crate::source::{kernel::{core::Core, io::{self, drivers}}, words};";
    assert_eq!(
        paths(tree),
        [
            "crate::source::kernel::core::Core",
            "crate::source::kernel::io::self",
            "crate::source::kernel::io::drivers",
            "crate::source::words"
        ]
    );
    assert_eq!(paths("super::super::look::page(1, 2)"), ["super::super::look::page"]);
    let from = |path| absolute(path, "source/kernel/io/irps");
    assert_eq!(from("super::state::Io").as_deref(), Some("source/kernel/io/state/Io"));
    assert_eq!(from("super::super::core").as_deref(), Some("source/kernel/core"));
    assert_eq!(from("crate::model::Irp").as_deref(), Some("model/Irp"));
    let code = "impl<'a> View<'a> {\n}\nimpl Iterator for Held<'_> {}\n    impl super::Core {}\n\
                fn f() -> impl Iterator {}\nimpl<T: Fn() -> u8> Pair<T> {}\nstruct View;\nenum E {}";
    let found: Vec<(String, usize)> = blocks(code);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["View", "Held", "Core", "Pair"]);
    assert_eq!(types(code).into_iter().collect::<Vec<_>>(), ["E", "View"]);
}
