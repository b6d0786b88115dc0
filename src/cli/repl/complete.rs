//! Completion: commands, tables, columns of the tables in scope, functions, keywords, files.

use std::path::Path;

use rustyline::completion::Pair;

use super::call::OpenCall;
use super::command::COMMANDS;
use crate::catalog::{Catalog, FunctionKind, FunctionSpec, Value};
use crate::session::{KEYWORDS, Library, Session, Token, TokenKind, tokens};

/// All names that can be completed.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    /// Tables with their columns.
    tables: Vec<(String, Vec<&'static str>)>,
    functions: Vec<FunctionSpec>,
    /// Saved queries.
    queries: Vec<String>,
    /// The forms of debugger commands.
    forms: Vec<String>,
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
        let functions = catalog.functions().iter().map(|f| **f).collect();
        let queries = library.queries().map(|query| query.name.clone()).collect();
        let forms: Vec<String> =
            library.queries().flat_map(|query| &query.debugger).cloned().collect();
        let firsts = forms.iter().filter_map(|form| form.split_whitespace().next());
        let mut debugger: Vec<String> =
            firsts.flat_map(|word| word.split('|')).map(str::to_owned).collect();
        debugger.sort();
        debugger.dedup();
        Self { tables, functions, queries, forms, debugger }
    }

    /// How what is being typed is written: the function whose call is open, the command, or the
    /// forms of the debugger command.
    pub(super) fn hint(&self, before: &str) -> Option<String> {
        let line = before.trim_start();
        if let Some((name, _)) = line.strip_prefix('.').and_then(|line| line.split_once(' '))
            && let Some((name, arguments, doc)) = COMMANDS.iter().find(|c| c.0 == name)
        {
            return Some(format!(".{name} {arguments}  {doc}"));
        }
        if let Some((word, _)) = line.split_once(' ')
            && (word.starts_with('!') || self.debugger.iter().any(|d| d.eq_ignore_ascii_case(word)))
        {
            let of_word = |form: &&String| {
                let first = form.split_whitespace().next().unwrap_or_default();
                first.split('|').any(|name| name.eq_ignore_ascii_case(word))
            };
            let forms: Vec<&str> = self.forms.iter().filter(of_word).map(String::as_str).collect();
            return (!forms.is_empty()).then(|| forms.join("; "));
        }
        let call = OpenCall::at_end(before)?;
        let is = |name: &str| name.eq_ignore_ascii_case(call.name);
        // An aggregate and a table function may have the same name.
        let named = |f: &&FunctionSpec| is(f.name) || f.aliases.iter().any(|a| is(a));
        let fits = |f: &&FunctionSpec| (f.kind == FunctionKind::Table) == call.is_table;
        let mut functions = self.functions.iter().filter(named);
        let first = functions.clone().next()?;
        let function = functions.find(fits).unwrap_or(first);
        Some(format!("{}  {}", function.signature_texts().join("; "), function.doc))
    }

    /// Where the word at `at` starts, and what it may become.
    pub(super) fn complete(
        &self,
        line: &str,
        at: usize,
        session: Option<&Session>,
    ) -> (usize, Vec<Pair>) {
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
            self.of_statement(line, before, session)
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
            "functions" => self.functions.iter().map(|f| f.name.to_owned()).collect(),
            "columns" => self.columns("_").iter().map(|&c| c.to_owned()).collect(),
            "pager" => of(&["on", "off", "less -S"]),
            "chart" => return (start, self.of_chart(before, word)),
            "run" | "queries" => self.queries.clone(),
            "mode" => {
                of(&["auto", "table", "line", "csv", "tsv", "json", "jsonl", "md", "html", "excel"])
            }
            "timer" => of(&["on", "off"]),
            _ => Words::new(),
        };
        (start, words.into_iter().filter(|w| starts(w, word)).collect())
    }

    /// A kind of chart, then its axes with columns of the last result.
    fn of_chart(&self, before: &str, word: &str) -> Words {
        let kinds = ["bar", "column", "line", "area", "scatter", "heat", "histogram"];
        let axes = ["x", "y", "series", "value"];
        let is_first = before.split_whitespace().count() == 1 + usize::from(!word.is_empty());
        let mut words: Words = match word.split_once('=') {
            None if is_first => kinds.iter().map(|&kind| kind.to_owned()).collect(),
            None => axes.iter().map(|axis| format!("{axis}=")).collect(),
            Some((axis, _)) => {
                self.columns("_").iter().map(|column| format!("{axis}={column}")).collect()
            }
        };
        words.retain(|candidate| starts(candidate, word));
        words
    }

    fn of_statement(&self, line: &str, before: &str, session: Option<&Session>) -> (usize, Words) {
        let seen = tokens(before);
        if let Some(last) = seen.last()
            && last.kind == TokenKind::Unclosed
        {
            let open = last.span.start as usize;
            let is_text = before.get(open..).is_some_and(|t| t.starts_with('\''));
            if let Some(names) = session.filter(|_| is_text).and_then(|s| names(before, s)) {
                let word = before.get(open + 1..).unwrap_or_default();
                return (open + 1, names.into_iter().filter(|name| starts(name, word)).collect());
            }
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
            let functions = self.functions.iter().filter(|f| starts(f.name, word));
            words.extend(functions.map(|f| format!("{}(", f.name)));
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

/// The names of types and fields that may stand in the text at the end, which is an argument of
/// `struct`, `list` or `array`. `None` where it is anything else.
fn names(before: &str, session: &Session) -> Option<Words> {
    let call = OpenCall::at_end(before)?;
    let name = call.name.to_ascii_lowercase();
    let nowhere = Value::Addr(0);
    let args = match (name.as_str(), call.arguments.as_slice()) {
        ("struct" | "array", []) => vec![Value::text(String::new())],
        ("list", [_]) => vec![nowhere, Value::text(String::new())],
        ("list", [_, ty]) => {
            let ty = ty.trim_matches('\'').to_owned();
            vec![nowhere, Value::text(ty), Value::text(String::new())]
        }
        _ => return None,
    };
    Some(session.argument_names(&name, &args))
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
            functions: crate::session::shipped().functions().iter().map(|f| **f).collect(),
            queries: vec!["modules".to_owned()],
            forms: vec!["!locks [-v|-d]".to_owned(), "lm m $pattern".to_owned()],
            debugger: vec!["!locks".to_owned(), "lm".to_owned()],
        }
    }

    /// The candidates at the mark `|`, and the text that they replace.
    fn at(line: &str) -> (String, Words) {
        let place = line.find('|').unwrap();
        let line = line.replace('|', "");
        let (start, pairs) = vocabulary().complete(&line, place, None);
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
            ("select cou|", "cou", &["count(", "count_if("]),
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
    fn types_and_fields_are_completed() {
        let session = Session::sample().unwrap();
        let words = |line: &str| {
            let (start, pairs) = vocabulary().complete(line, line.len(), Some(&session));
            (line[start..].to_owned(), pairs.into_iter().map(|p| p.replacement).collect::<Words>())
        };
        let (typed, types) = words("from struct('_ERES");
        assert_eq!((typed.as_str(), types), ("_ERES", vec!["_ERESOURCE".to_owned()]));
        let (_, types) = words("from list('nt!ExpSystemResourcesList', '_eres");
        assert_eq!(types, ["_ERESOURCE"]);
        let (_, fields) = words("from list(0x1, '_ERESOURCE', 'Sys");
        assert_eq!(fields, ["SystemResourcesList"]);
        let (_, fields) = words("from array('_ERESOURCE', '");
        assert!(!fields.iter().any(|f| f.starts_with('_')), "{fields:?}");
    }

    #[test]
    fn what_is_typed_is_hinted_at() {
        let hint = |line: &str| vocabulary().hint(line).unwrap_or_default();
        assert!(
            hint("select substr(name, ").starts_with("substring("),
            "{}",
            hint("select substr(")
        );
        assert!(hint("from list('nt!A', ").contains("link VARCHAR"), "{}", hint("from list("));
        assert!(hint(".chart ").starts_with(".chart [KIND"), "{}", hint(".chart "));
        assert_eq!(hint("!locks "), "!locks [-v|-d]");
        assert_eq!(hint("lm m "), "lm m $pattern");
        assert_eq!(hint("select name"), "");
        assert_eq!(hint(".chart"), "");
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
