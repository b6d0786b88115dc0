//! Rules for the rooms of the source: which room may import which, open files, or print.
//!
//! The test reads the source as text, with comments and literals blanked; docs/architecture.md
//! describes the rules. A message names the file and the line that violates a rule.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which rooms a room may import. `lib` and `main` put the rooms together and are free.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("cli", &["mcp", "session", "export", "diag", "catalog", "parts"]),
    ("mcp", &["session", "export", "diag", "catalog"]),
    ("export", &["exec", "catalog", "time", "parts"]),
    (
        "session",
        &[
            "lang", "plan", "exec", "table", "func", "source", "symbol", "dump", "model",
            "catalog", "diag", "synth", "import", "export", "time",
        ],
    ),
    ("import", &["catalog", "time"]),
    ("exec", &["plan", "table", "func", "catalog", "time", "diag"]),
    ("plan", &["lang", "catalog", "time", "diag"]),
    ("lang", &["time", "diag"]),
    ("table", &["model", "catalog"]),
    ("func", &["catalog", "model", "code", "time"]),
    ("model", &["catalog", "memory"]),
    ("source", &["model", "unwind", "code", "symbol", "memory", "dump", "catalog", "time"]),
    ("unwind", &["code", "symbol", "memory"]),
    ("code", &[]),
    ("dump", &["memory", "parts"]),
    ("synth", &["symbol"]),
    ("symbol", &["dump", "parts"]),
    ("parts", &[]),
    ("memory", &[]),
    ("catalog", &["time"]),
    ("time", &[]),
    ("diag", &[]),
];

/// Of some rooms only a part may be imported: (who, from where, which names).
const ONLY: &[(&str, &str, &[&str])] = &[
    ("export", "exec", &["ResultSet", "ColumnView", "Field", "Footnote", "Row"]),
    ("model", "memory", &["address", "Gva", "Gpa"]),
    ("symbol", "dump", &["Image", "cache"]),
];

/// Words that may stand in some rooms or files only, and why.
const CONFINED: &[(&str, &[&str], &str)] = &[
    (
        "polars",
        &["exec", "export", "import", "lib.rs"],
        "the engine is an implementation detail of three rooms",
    ),
    ("jiff", &["time"], "there is one calendar"),
    (
        "unsafe",
        &["dump/image.rs", "dump/fault.rs", "dump/remote/sparse.rs", "cli/terminate.rs"],
        "only mapping a file and handling a signal need it",
    ),
    ("println!", &["cli"], "results and messages are printed in one room"),
    ("eprintln!", &["cli"], "results and messages are printed in one room"),
    ("print!", &["cli"], "results and messages are printed in one room"),
    ("eprint!", &["cli"], "results and messages are printed in one room"),
    ("std::fs", &["dump", "symbol", "export", "cli", "parts"], "files are opened in few rooms"),
    ("File::open", &["dump", "symbol", "export", "cli"], "files are opened in few rooms"),
    ("File::create", &["export", "cli"], "files are written in few rooms"),
    ("std::net", &["symbol"], "no network unless a symbol server was named"),
    ("ureq", &["symbol", "dump/remote/http.rs"], "no network unless a server was named"),
    ("exit", &["cli", "main.rs"], "nothing below the command line ends the program"),
];

/// The longest file, in lines before its tests.
const LONGEST: usize = 400;

/// Files that may be longer, how long, and why.
const LONGER: &[(&str, usize, &str)] = &[
    ("catalog/names/bugcheck.rs", 560, "a table of names"),
    ("catalog/names/inbox_drivers.rs", 560, "a table of names"),
    ("source/passed_over.rs", 440, "a table of names"),
    ("source/kernel/pool/segment.rs", 405, "25 lines are a layout for tests"),
    ("synth/system/spec.rs", 500, "declarations of what a system holds"),
    ("synth/system/version.rs", 480, "a table of versions"),
    ("synth/triage_sample.rs", 500, "one dump, written down"),
    ("unwind/tests.rs", 500, "tests"),
];

pub(crate) struct Source {
    /// Path below `src`.
    pub(crate) path: String,
    /// The text as it is.
    pub(crate) text: String,
    /// The text without comments, literals and unit tests, line for line.
    pub(crate) code: String,
}

impl Source {
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| *place == self.room() || *place == self.path)
    }

    /// Whether the file is unit tests and nothing else.
    fn is_tests(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the project, sorted by path.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all = Vec::new();
    for path in entries.map(|entry| entry.expect("the project is readable").path()) {
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

pub(crate) fn sources() -> Vec<Source> {
    let src = root().join("src");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("source is text");
        let below =
            path.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/");
        let code = without_tests(&blanked(&text));
        Source { path: below, text, code }
    };
    let all = files(&src).into_iter().filter(|path| is_rust(path)).map(read);
    all.filter(|source| !source.is_tests()).collect()
}

/// The text up to its unit tests.
fn without_tests(code: &str) -> String {
    let tests = code.match_indices("#[cfg(test)]").map(|(at, _)| at);
    let of_module = |at: &usize| {
        let after = code[*at..].trim_start_matches("#[cfg(test)]").trim_start();
        after.starts_with("mod tests")
    };
    let end = tests.into_iter().find(of_module).unwrap_or(code.len());
    code[..end].to_owned()
}

/// The text with comments and the insides of string literals as blanks.
pub(crate) fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = token(rest);
        let (token, after) = rest.split_at(length.max(first.len_utf8()));
        if length == 0 {
            out.push(first);
        } else {
            out.extend(token.chars().map(|c| if c == '\n' { c } else { ' ' }));
        }
        rest = after;
    }
    out
}

/// The length of the comment or literal that the text starts with, else 0.
fn token(text: &str) -> usize {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at);
    if text.starts_with("//") {
        return until("\n", 0);
    }
    if text.starts_with("/*") {
        return (until("*/", 2) + 2).min(text.len());
    }
    if text.starts_with('"') {
        return quoted(text);
    }
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            return (until(&end, hashes + 2) + end.len()).min(text.len());
        }
    }
    // A character literal, as opposed to a lifetime.
    let mut chars = text.char_indices();
    if chars.next().map(|(_, c)| c) == Some('\'') {
        let second = chars.next().map(|(_, c)| c);
        if second == Some('\\') {
            return (until("'", 3) + 1).min(text.len());
        }
        if let Some((at, '\'')) = chars.next() {
            return at + 1;
        }
    }
    0
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

pub(crate) fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where a word stands by itself.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The first names of a path such as `exec::{ResultSet, Field}` that follow a `crate::`.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![path.chars().take_while(|c| is_word(*c)).collect()];
    };
    let mut depth = 0usize;
    let mut all = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => all.push(String::new()),
            _ => {}
        }
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    let head = |item: String| item.trim_start_matches(',').trim().to_owned();
    let items = all.into_iter().map(head).filter(|item| !item.is_empty());
    items.map(|item| item.chars().take_while(|c| is_word(*c)).collect()).collect()
}

/// The edges of a file: the room or name behind each `crate::`, what follows it, and the line.
fn edges(code: &str) -> Vec<(String, Vec<String>, usize)> {
    let mut all = Vec::new();
    for at in words(code, "crate") {
        let Some(path) = code[at + "crate".len()..].strip_prefix("::") else { continue };
        for head in heads(path) {
            let inner = path.strip_prefix(head.as_str()).and_then(|rest| rest.strip_prefix("::"));
            all.push((head, inner.map(heads).unwrap_or_default(), line_of(code, at)));
        }
    }
    all
}

/// What `lib.rs` exports under its own name, and the room that it comes from.
fn exported(sources: &[Source]) -> BTreeMap<String, String> {
    let lib = sources.iter().find(|source| source.path == "lib.rs").expect("there is a lib.rs");
    let mut names = BTreeMap::new();
    for line in lib.code.split(';').filter_map(|item| item.trim().strip_prefix("pub use ")) {
        let (room, rest) = line.split_once("::").unwrap_or((line, ""));
        for name in heads(rest) {
            names.insert(name, room.to_owned());
        }
    }
    names
}

pub(crate) fn report(broken: &[String]) {
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn rooms_import_what_they_may() {
    let sources = sources();
    let exported = exported(&sources);
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut broken = Vec::new();
    for source in sources.iter().filter(|s| s.path != "lib.rs" && s.path != "main.rs") {
        let room = source.room();
        let Some(may) = allowed.get(room) else {
            broken.push(format!("src/{}: room `{room}` is not in the table of rooms", source.path));
            continue;
        };
        for (name, inner, line) in edges(&source.code) {
            let target = exported.get(&name).map_or(name.as_str(), String::as_str);
            let facade = room == "cli" && exported.contains_key(&name);
            if target == room || facade || !allowed.contains_key(target) {
                continue;
            }
            let place = format!("src/{}:{line}", source.path);
            if !may.contains(&target) {
                broken.push(format!("{place}: `{room}` imports `{target}`, may import {may:?}"));
            }
            for (_, _, names) in ONLY.iter().filter(|only| only.0 == room && only.1 == target) {
                let odd = inner.iter().find(|name| !names.contains(&name.as_str()));
                if let Some(odd) = odd {
                    broken.push(format!(
                        "{place}: `{room}` imports `{target}::{odd}`, may {names:?}"
                    ));
                }
            }
        }
    }
    report(&broken);
}

#[test]
fn restricted_words_appear_only_in_their_rooms() {
    let mut broken = Vec::new();
    for source in sources() {
        for (word, places, why) in CONFINED {
            // Attributes and lints carry the word inside a longer one; calls end with a bracket.
            let hits: Vec<usize> = match word.strip_suffix('!') {
                Some(name) => words(&source.code, name)
                    .filter(|at| source.code[at + name.len()..].starts_with("!("))
                    .collect(),
                None if *word == "exit" => words(&source.code, word)
                    .filter(|at| source.code[..*at].ends_with("process::"))
                    .collect(),
                None => words(&source.code, word).collect(),
            };
            for at in hits.into_iter().filter(|_| !source.is_in(places)) {
                let line = line_of(&source.code, at);
                broken.push(format!(
                    "src/{}:{line}: `{word}` outside {places:?}: {why}",
                    source.path
                ));
            }
        }
    }
    report(&broken);
}

#[test]
fn every_table_is_registered() {
    let sources = sources();
    let registry = sources.iter().find(|s| s.path == "table/mod.rs").expect("there is a registry");
    let mut broken = Vec::new();
    for source in &sources {
        let Some(name) = source.path.strip_prefix("table/").and_then(|p| p.strip_suffix(".rs"))
        else {
            continue;
        };
        if source.code.contains("static TABLE")
            && !registry.code.contains(&format!("&{name}::TABLE"))
        {
            broken.push(format!("src/{}: not in `ALL` of src/table/mod.rs", source.path));
        }
    }
    report(&broken);
}

#[test]
fn files_do_not_exceed_the_line_limit() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines = source.code.lines().count();
        let longer = LONGER.iter().find(|(path, _, _)| *path == source.path);
        let most = longer.map_or(LONGEST, |(_, most, _)| *most);
        if lines > most {
            broken.push(format!(
                "src/{}: {lines} lines before its tests, at most {most}",
                source.path
            ));
        }
    }
    report(&broken);
}

#[test]
fn every_file_has_a_module_doc() {
    let rust = ["src", "tests", "examples", "benches"].map(|folder| files(&root().join(folder)));
    let mut broken = Vec::new();
    for path in rust.into_iter().flatten().filter(|path| is_rust(path)) {
        let text = std::fs::read_to_string(&path).expect("source is text");
        if !text.starts_with("//!") {
            broken.push(format!("{}: does not start with `//!`", path.display()));
        }
    }
    report(&broken);
}

#[test]
fn no_todo_is_left() {
    // Put together here so that this file does not find itself.
    let marks = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "todo".to_owned() + "!("];
    let mut broken = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                broken.push(format!("src/{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    report(&broken);
}

#[test]
fn the_source_reader_parses_imports() {
    let code = "use crate::exec::{ResultSet, Field};\n// crate::cli\nlet s = \"crate::cli\"; 'a';\n\
                fn f<'a>(x: &'a str) { crate::{diag::Code, lang::{ast, parse}}; r#\"crate::cli\"#; }";
    let found = edges(&blanked(code));
    let names: Vec<&str> = found.iter().map(|(name, _, _)| name.as_str()).collect();
    assert_eq!(names, ["exec", "diag", "lang"]);
    assert_eq!(found[0].1, ["ResultSet", "Field"]);
    assert_eq!(found[1].2, 4);
}
