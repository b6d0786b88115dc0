//! The public interface of the crate, as a page that every change of it has to touch: the names in
//! `lib.rs`, and the public fields, variants and methods behind them. `UPDATE_DOCS=1` rewrites the
//! page.
//!
//! The source is read as text, so the stable compiler is the only tool needed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::seams::{self, blanked};

const HEAD: &str =
    "# Generated from src/lib.rs by `UPDATE_DOCS=1 cargo test docs`: the public interface.\n";

/// A file of the source without comments and literals.
struct File {
    /// The path below `src`.
    path: String,
    code: String,
}

fn files() -> Vec<File> {
    let src = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("source is text");
        let path = path.strip_prefix(&src).expect("below src");
        File { path: path.to_string_lossy().replace('\\', "/"), code: blanked(&text) }
    };
    let is_source = |path: &PathBuf| {
        let of_tests = |part: &std::ffi::OsStr| part == "tests" || part == "tests.rs";
        path.extension().is_some_and(|end| end == "rs") && !path.iter().any(of_tests)
    };
    seams::files(&src).into_iter().filter(is_source).map(read).collect()
}

/// One exported name: the module that has it, the room that it comes from, the name.
type Export = (String, String, String);

/// The exports of `lib.rs`, except those of its hidden module.
fn exports(lib: &str) -> Vec<Export> {
    let mut all = Vec::new();
    let mut module = String::new();
    let lib = lib.split("pub mod internals").next().expect("a first part");
    for item in lib.split(';') {
        let mut item = item.trim();
        while let Some(rest) = item.strip_prefix('}') {
            module.truncate(module.rfind("::").unwrap_or_default());
            item = rest.trim();
        }
        if let Some(rest) = item.strip_prefix("pub mod ") {
            let (name, rest) = rest.split_once('{').expect("a module's body");
            if !module.is_empty() {
                module.push_str("::");
            }
            module.push_str(name.trim());
            item = rest.trim();
        }
        let Some(path) = item.strip_prefix("pub use ") else { continue };
        let path = path.strip_prefix("crate::").unwrap_or(path);
        let (room, names) = path.split_once("::").unwrap_or((path, path));
        let names = names.trim_matches(['{', '}']).split(',').map(str::trim);
        for name in names.filter(|name| !name.is_empty()) {
            all.push((module.clone(), room.to_owned(), name.to_owned()));
        }
    }
    all
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a declaration's text goes on with `name` as a whole word.
fn names(rest: &str, name: &str) -> bool {
    rest.strip_prefix(name).is_some_and(|after| !after.chars().next().is_some_and(is_word))
}

/// One space between words.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace(",)", ")").replace(", )", ")")
}

/// The length of the text up to the end of what its first bracket opens.
fn block(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

const KINDS: [&str; 8] = ["struct", "enum", "trait", "type", "fn", "const fn", "const", "static"];

/// Where the public items of a file are declared: name, kind, place.
fn declarations(code: &str) -> Vec<(&str, &'static str, usize)> {
    let mut all = Vec::new();
    for (at, start) in code.match_indices("pub ") {
        let rest = &code[at + start.len()..];
        let kind = KINDS.into_iter().find(|kind| names(rest, kind));
        let Some(kind) = kind else { continue };
        let name = rest[kind.len()..].trim_start();
        let end = name.find(|c| !is_word(c)).unwrap_or(name.len());
        all.push((&name[..end], kind, at));
    }
    all
}

/// Where a name is declared in a file: the kind, and the text from there on.
fn declaration<'a>(file: &'a File, name: &str) -> Option<(&'static str, &'a str)> {
    if !file.code.contains(name) {
        return None;
    }
    let found = declarations(&file.code).into_iter().find(|(known, _, _)| *known == name)?;
    Some((found.1, &file.code[found.2..]))
}

/// The public fields of a structure, or the variants of an enumeration.
fn body(kind: &str, text: &str) -> String {
    let end = text.find(['{', ';', '(']).unwrap_or(text.len());
    let head = flat(&text[..end]);
    if !text[end..].starts_with('{') {
        return match (kind, text[end..].starts_with('(')) {
            ("struct", _) => head,
            _ => flat(&text[..text.find(['{', ';', '=']).unwrap_or(text.len())]),
        };
    }
    match kind {
        "struct" => {
            let inside = &text[end..end + block(&text[end..])];
            let fields = inside.split(",\n").map(flat);
            let public = fields.filter_map(|f| {
                let at = f.find("pub ")?;
                Some(f[at..].trim_end_matches([' ', '}', ',']).to_owned())
            });
            let public: Vec<String> = public.filter(|f| !f.starts_with("pub (")).collect();
            if public.is_empty() { head } else { format!("{head} {{ {} }}", public.join(", ")) }
        }
        "enum" | "trait" => flat(&text[..block(text)]),
        _ => head,
    }
}

/// The public methods and the traits of a type, in the order of their text.
fn methods(files: &[&File], name: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in files {
        for (at, _) in file.code.match_indices("\nimpl") {
            let text = &file.code[at + 1..];
            let Some(open) = text.find('{') else { continue };
            if !text[..open].contains(name) {
                continue;
            }
            let head = flat(&text[..open]);
            let subject = head.split(" where ").next().unwrap_or_default();
            let subject = subject.rsplit(" for ").next().unwrap_or_default();
            let subject = match subject.strip_prefix("impl<") {
                Some(rest) => rest.split_once("> ").map_or(rest, |(_, subject)| subject),
                None => subject.trim_start_matches("impl "),
            };
            if !names(subject, name) {
                continue;
            }
            if head.contains(" for ") {
                all.insert(head);
                continue;
            }
            let inside = &text[open..open + block(&text[open..])];
            for start in ["    pub fn ", "    pub const fn "] {
                for (at, _) in inside.match_indices(start) {
                    let signature = &inside[at..];
                    let end = signature.find(['{', ';']).unwrap_or(signature.len());
                    all.insert(flat(&signature[..end]));
                }
            }
        }
    }
    all
}

fn page() -> String {
    let files = files();
    let lib = files.iter().find(|file| file.path == "lib.rs").expect("there is a lib.rs");
    let mut page = HEAD.to_owned();
    for (module, room, name) in exports(&lib.code) {
        let path = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
        let _ = writeln!(page, "\ndumpql::{path}");
        let own = |file: &&File| file.path.starts_with(&format!("{room}/"));
        let rooms = || files.iter().filter(own).chain(files.iter().filter(|f| !own(f)));
        let found = rooms()
            .find_map(|file| declaration(file, &name).map(|(kind, text)| (file, kind, text)));
        let Some((file, kind, text)) = found else { continue };
        let _ = writeln!(page, "    {}", body(kind, text));
        let home = Path::new(&file.path).iter().next().expect("a room").to_string_lossy();
        let of_room: Vec<&File> =
            files.iter().filter(|file| file.path.starts_with(&*home)).collect();
        if ["struct", "enum"].contains(&kind) {
            for method in methods(&of_room, &name) {
                let _ = writeln!(page, "    {method}");
            }
        }
    }
    page
}

#[test]
fn docs_list_the_public_interface() {
    crate::docs::check("api.txt", &page());
}

#[test]
fn the_interface_reader_parses_declarations() {
    let lib = "pub use catalog::{Ty, Value};\npub use polars;\npub mod extend {\n pub use \
               crate::table::Table;\n}\npub mod internals { pub use crate::dump::Image; }";
    let found = exports(lib);
    let found: Vec<String> = found.iter().map(|(m, r, n)| format!("{m}/{r}/{n}")).collect();
    assert_eq!(found, ["/catalog/Ty", "/catalog/Value", "/polars/polars", "extend/table/Table"]);
    let code = "pub struct Twice;\npub struct Two<'a> {\n    pub a: u8,\n    b: u8,\n    pub c: &'a str,\n}\n\
                \nimpl<'a> Two<'a> {\n    pub fn new(a: u8) -> Self {\n    }\n    fn hidden() {}\n}\n\
                \nimpl Clone for Two<'_> {\n}\n";
    let file = File { path: String::new(), code: code.to_owned() };
    let (kind, text) = declaration(&file, "Two").expect("it is declared");
    assert_eq!(body(kind, text), "pub struct Two<'a> { pub a: u8, pub c: &'a str }");
    let expected = ["impl Clone for Two<'_>", "pub fn new(a: u8) -> Self"];
    assert_eq!(methods(&[&file], "Two"), expected.map(str::to_owned).into());
}
