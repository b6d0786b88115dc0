//! Completion: commands, tables, columns of the tables in scope, functions, keywords, files.

use std::path::Path;

use rustyline::completion::Pair;

use super::command::COMMANDS;
use crate::catalog::Catalog;
use crate::session::{KEYWORDS, Library, Token, TokenKind, tokens};

/// All names that can be completed.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    /// Tables with their columns.
    tables: Vec<(String, Vec<&'static str>)>,
    functions: Vec<&'static str>,
    /// Saved queries.
    queries: Vec<String>,
    /// First words of debugger commands.
    debugger: Vec<String>,
}

/// The texts of candidates.
type Words = Vec<String>;

impl Vocabulary {
    pub(super) fn new(catalog: &Catalog, library: &Library) -> Self {
        // A name with control characters is not offered; it can be typed in quotes.
        let is_plain = |name: &str| !name.chars().any(crate::export::visible::acts);
        let columns = |t: &crate::catalog::TableSpec| {
            t.columns.iter().map(|c| c.name).filter(|name| is_plain(name)).collect()
        };
        let tables = catalog.tables().iter().filter(|t| is_plain(t.name));
        let tables = tables.map(|t| (t.name.to_owned(), columns(t))).collect();
        let functions = catalog.functions().iter().map(|f| f.name).collect();
        let queries = library.queries().map(|query| query.name.clone()).collect();
        let forms = library.queries().flat_map(|query| &query.debugger);
        let firsts = forms.filter_map(|form| form.split_whitespace().next());
        let mut debugger: Vec<String> =
            firsts.flat_map(|word| word.split('|')).map(str::to_owned).collect();
        debugger.sort();
        debugger.dedup();
        Self { tables, functions, queries, debugger }
    }

    /// The start of the word at `at`, and its completions.
    pub(super) fn complete(&self, line: &str, at: usize) -> (usize, Vec<Pair>) {
        let before = line.get(..at).unwrap_or(line);
        if before.trim_start().starts_with('!') && !before.contains(' ') {
            let start = before.len() - before.trim_start().len();
            let word = before.trim_start();
            let words = self.debugger.iter().filter(|name| starts(name, word)).cloned();
            let pair = |word: String| Pair { display: word.clone(), replacement: word };
            return (start, words.map(pair).collect());
        }
        let (start, words) = if before.trim_start().starts_with('.') && !before.contains('\n') {
            self.of_command(before)
        } else {
            self.of_statement(line, before)
        };
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        (start, words.into_iter().map(pair).collect())
    }

    fn of_command(&self, before: &str) -> (usize, Words) {
        let indent = before.len() - before.trim_start().len();
        let body = before.get(indent + 1..).unwrap_or_default();
        let Some((name, _)) = body.split_once(' ') else {
            let names = COMMANDS.iter().map(|c| c.0.to_owned());
            return (indent + 1, names.filter(|n| n.starts_with(body)).collect());
        };
        let start = before.rfind(' ').map_or(before.len(), |space| space + 1);
        let word = before.get(start..).unwrap_or_default();
        let of = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Words>();
        let words = match name {
            "open" | "read" | "output" | "export" => {
                // A name with blanks is in quotes and starts after the opening quote.
                let quote = before.rfind(['"', '\'']).filter(|_| quotes_are_open(before));
                let start = quote.map_or(start, |q| q + 1);
                return files(before, start);
            }
            "describe" | "schema" | "tables" => self.tables.iter().map(|t| t.0.clone()).collect(),
            "functions" => of(&self.functions),
            "run" | "queries" => self.queries.clone(),
            "mode" => {
                of(&["auto", "table", "line", "csv", "tsv", "json", "jsonl", "md", "html", "excel"])
            }
            "timer" => of(&["on", "off"]),
            _ => Words::new(),
        };
        (start, words.into_iter().filter(|w| starts(w, word)).collect())
    }

    fn of_statement(&self, line: &str, before: &str) -> (usize, Words) {
        let seen = tokens(before);
        if let Some(last) = seen.last()
            && last.kind == TokenKind::Unclosed
        {
            let open = last.span.start as usize;
            let is_text = before.get(open..).is_some_and(|t| t.starts_with('\''));
            return if is_text { files(before, open + 1) } else { (before.len(), Words::new()) };
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let start = before.trim_end_matches(is_word).len();
        let word = before.get(start..).unwrap_or_default();
        let head: Vec<Token> =
            seen.into_iter().filter(|t| (t.span.end as usize) <= start).collect();
        let scope = Scope::new(line, start);
        // `owner.` is completed to columns of one table, or to tables of one schema.
        if let [.., owner, dot] = head.as_slice()
            && dot.text(before) == "."
            && dot.span.end as usize == start
        {
            return self.members(
                &scope,
                owner.text(before),
                owner.span.start as usize,
                start,
                word,
            );
        }
        let last = head.last().map(|t| t.text(before).to_ascii_uppercase()).unwrap_or_default();
        let wants_table =
            matches!(last.as_str(), "FROM" | "JOIN" | "DESCRIBE" | "SUMMARIZE" | "TABLE");
        let mut words = Words::new();
        if !wants_table {
            // Before FROM is written, columns of all tables are candidates.
            let any = scope.tables.is_empty() && !word.is_empty();
            let any = self.tables.iter().filter(|_| any).flat_map(|(_, columns)| columns);
            let mut columns: Words = scope
                .tables
                .iter()
                .flat_map(|(_, table)| self.columns(table))
                .chain(any)
                .map(|&c| c.to_owned())
                .filter(|c| starts(c, word))
                .collect();
            columns.sort();
            columns.dedup();
            words.append(&mut columns);
        }
        words.extend(self.tables.iter().map(|t| t.0.clone()).filter(|t| starts(t, word)));
        if !wants_table && !word.is_empty() {
            let functions = self.functions.iter().filter(|f| starts(f, word));
            words.extend(functions.map(|f| format!("{f}(")));
            let lower = word.chars().all(|c| c.is_lowercase() || c == '_');
            words.extend(
                KEYWORDS
                    .iter()
                    .filter(|k| starts(k, word))
                    .map(|k| if lower { k.to_ascii_lowercase() } else { (*k).to_owned() }),
            );
        }
        (start, words)
    }

    /// The names that can follow `owner.`.
    fn members(
        &self,
        scope: &Scope,
        owner: &str,
        owner_start: usize,
        start: usize,
        word: &str,
    ) -> (usize, Words) {
        let schema = format!("{}.", owner.to_ascii_lowercase());
        if self.tables.iter().any(|t| t.0.starts_with(&schema)) {
            let typed = format!("{schema}{word}");
            let names = self.tables.iter().map(|t| t.0.clone());
            return (owner_start, names.filter(|n| starts(n, &typed)).collect());
        }
        let table = scope.tables.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(owner));
        let table = table.map_or(owner, |(_, table)| table.as_str());
        let columns = self.columns(table).iter().map(|&c| c.to_owned());
        (start, columns.filter(|c| starts(c, word)).collect())
    }

    fn columns(&self, table: &str) -> &[&'static str] {
        let found = self.tables.iter().find(|(name, _)| name.eq_ignore_ascii_case(table));
        found.map_or(&[], |(_, columns)| columns)
    }
}

/// The tables that the statement at a position names, by alias.
struct Scope {
    tables: Vec<(String, String)>,
}

impl Scope {
    fn new(line: &str, at: usize) -> Self {
        let all: Vec<Token> =
            tokens(line).into_iter().filter(|t| t.kind != TokenKind::Comment).collect();
        let statement = all
            .split(|t| t.kind == TokenKind::Semicolon)
            .find(|part| part.last().is_some_and(|t| (t.span.end as usize) >= at))
            .unwrap_or_else(|| {
                let open = all.iter().rposition(|t| t.kind == TokenKind::Semicolon);
                open.and_then(|i| all.get(i + 1..)).unwrap_or(&all)
            });
        let word = |i: usize| statement.get(i).map_or("", |t| t.text(line));
        let mut tables = Vec::new();
        for index in 0..statement.len() {
            if !["FROM", "JOIN"].iter().any(|w| word(index).eq_ignore_ascii_case(w)) {
                continue;
            }
            let mut next = index + 1;
            loop {
                let mut table = word(next).to_owned();
                next += 1;
                if word(next) == "." {
                    table = format!("{table}.{}", word(next + 1));
                    next += 2;
                }
                next += usize::from(word(next).eq_ignore_ascii_case("AS"));
                let alias = statement.get(next).filter(|t| t.kind == TokenKind::Name);
                let alias = alias.map_or_else(|| table.clone(), |t| t.text(line).to_owned());
                next += usize::from(alias != table);
                tables.push((alias, table));
                if word(next) != "," {
                    break;
                }
                next += 1;
            }
        }
        Self { tables }
    }
}

fn starts(name: &str, word: &str) -> bool {
    name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn quotes_are_open(text: &str) -> bool {
    text.matches('"').count() % 2 == 1 || text.matches('\'').count() % 2 == 1
}

/// The maximum number of files of a folder that are listed.
const MAX_FILES: usize = 500;

/// Completions of the path from `start` to the end of `before`: files and folders.
fn files(before: &str, start: usize) -> (usize, Words) {
    let typed = before.get(start..).unwrap_or_default();
    let cut = typed.rfind(std::path::is_separator).map_or(0, |i| i + 1);
    let (folder, name) = typed.split_at(cut);
    let listed =
        std::fs::read_dir(if folder.is_empty() { Path::new(".") } else { Path::new(folder) });
    let mut names = Words::new();
    for entry in listed.into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let hidden = file.starts_with('.') && !name.starts_with('.');
        if hidden || !file.starts_with(name) || file.chars().any(crate::export::visible::acts) {
            continue;
        }
        let is_folder = entry.path().is_dir();
        let end = if is_folder { std::path::MAIN_SEPARATOR_STR } else { "" };
        names.push(format!("{folder}{file}{end}"));
        if names.len() == MAX_FILES {
            break;
        }
    }
    names.sort();
    (start, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        Vocabulary {
            tables: vec![
                ("threads".to_owned(), vec!["tid", "pid", "name"]),
                ("modules".to_owned(), vec!["base", "name"]),
                ("meta.tables".to_owned(), vec!["name", "doc"]),
                ("meta.columns".to_owned(), vec!["table_name"]),
            ],
            functions: vec!["trim", "count"],
            queries: vec!["modules".to_owned()],
            debugger: vec!["!locks".to_owned(), "lm".to_owned()],
        }
    }

    /// The candidates at the mark `|`, and the text that they replace.
    fn at(line: &str) -> (String, Words) {
        let place = line.find('|').unwrap();
        let line = line.replace('|', "");
        let (start, pairs) = vocabulary().complete(&line, place);
        (line[start..place].to_owned(), pairs.into_iter().map(|p| p.replacement).collect())
    }

    #[test]
    fn words_are_completed_according_to_context() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("select * from th|", "th", &["threads"]),
            ("FROM |", "", &["threads", "modules", "meta.tables", "meta.columns"]),
            (
                "select t| from threads",
                "t",
                &["tid", "threads", "trim(", "then", "trailing", "true"],
            ),
            ("select T.| from threads as t", "", &["tid", "pid", "name"]),
            ("select m.b| from threads t join modules m", "b", &["base"]),
            ("select b| from threads, modules x;", "b", &["base", "between", "both", "by"]),
            ("from threads; select n| from modules", "n", &["name", "not", "null", "nulls"]),
            ("from meta.t|", "meta.t", &["meta.tables"]),
            ("select cou|", "cou", &["count("]),
            (".mo|", "mo", &["mode"]),
            ("!lo|", "!lo", &["!locks"]),
            (".run mo|", "mo", &["modules"]),
            (".mode js|", "js", &["json", "jsonl"]),
            (".describe mod|", "mod", &["modules"]),
            (".timer |", "", &["on", "off"]),
            ("select \"th|", "", &[]),
        ];
        for (line, replaced, wanted) in cases {
            let (start, words) = at(line);
            assert_eq!(start, *replaced, "{line}");
            let missing: Vec<_> =
                wanted.iter().filter(|w| !words.iter().any(|x| x == *w)).collect();
            assert!(missing.is_empty(), "{line}: {missing:?} not in {words:?}");
            if wanted.is_empty() || replaced.len() > 1 {
                assert_eq!(words.len(), wanted.len(), "{line}: {words:?}");
            }
        }
    }

    #[test]
    fn files_are_completed_below_their_folder() {
        let (start, words) = at(".read src/export/csv|");
        assert_eq!(
            (start.as_str(), words),
            ("src/export/csv", vec!["src/export/csv.rs".to_owned()])
        );
        let (_, words) = at("attach 'src/exp|");
        assert_eq!(words, ["src/export/"]);
    }
}
