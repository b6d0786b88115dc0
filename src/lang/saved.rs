//! The header of a saved query file: title, description, parameters, aliases, the debugger commands
//! that it answers, its chart, and the analysis pattern that its rows are evidence of.
//!
//! The header is the comment lines at the start of the file. The types of parameters are stored as
//! names; this module does not know what they mean.

use crate::diag::{Code, Diagnostic, Span};

/// A query with the contents of its header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SavedQuery {
    /// The file name without folder and extension.
    pub name: String,
    /// One line, without a final full stop.
    pub title: String,
    /// What the rows mean, in full sentences.
    pub description: String,
    /// How to read the rows: what is normal and what is not, in full sentences.
    pub reading: String,
    /// Aliases.
    pub aliases: Vec<String>,
    /// The debugger commands that it answers, as forms such as `u $address [L$count]`.
    pub debugger: Vec<String>,
    /// The chart that shows its rows, in the notation of `--chart`.
    pub chart: Option<String>,
    /// The analysis pattern that a row is evidence of.
    pub pattern: Option<SavedPattern>,
    /// Tables that the query requires.
    pub needs: Vec<String>,
    /// Tables that the query can do without.
    pub optional: Vec<String>,
    /// The parameters.
    pub params: Vec<SavedParam>,
    /// The whole text including the header, so that positions in errors are positions in the file.
    pub text: String,
}

/// A pattern of dump analysis. It is present if the saved query returns a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SavedPattern {
    /// Its name, such as `Wait chain`.
    pub title: String,
    /// `high`, `medium` or `low`; any other text counts as `low`.
    pub severity: String,
    /// What it means for the system, in full sentences.
    pub meaning: String,
    /// What to examine next, in full sentences.
    pub next: String,
}

/// One parameter of a saved query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedParam {
    /// The name, without `$`.
    pub name: String,
    /// The name of the type.
    pub ty: String,
    /// The default value, as text.
    pub default: Option<String>,
    /// The description.
    pub doc: String,
    /// The position of its line in the header.
    pub span: Span,
}

impl SavedQuery {
    /// Parses a file. A text without a header is a query without title and parameters.
    ///
    /// # Errors
    ///
    /// E0101 for a parameter line that is not `name TYPE [= default] [-- description]`.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostic> {
        let mut query = Self { name: name.to_owned(), text: text.to_owned(), ..Self::default() };
        let mut running = "";
        for (line, span) in header(text) {
            let Some((key, value)) = entry(line) else {
                if let Some(text) = query.running(running)
                    && !line.trim().is_empty()
                {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                continue;
            };
            running = key;
            match key {
                "title" => value.clone_into(&mut query.title),
                "alias" => query.aliases.extend(names(value)),
                "debugger" => query.debugger.extend(names(value)),
                "chart" => query.chart = Some(value.to_owned()),
                "pattern" => value.clone_into(&mut query.evidence().title),
                "severity" => value.clone_into(&mut query.evidence().severity),
                "needs" => query.needs.extend(names(value)),
                "optional" => query.optional.extend(names(value)),
                "param" => query.params.push(param(value, span)?),
                _ => {
                    if let Some(text) = query.running(key) {
                        value.clone_into(text);
                    }
                }
            }
        }
        Ok(query)
    }

    /// The pattern, which is created at its first use.
    fn evidence(&mut self) -> &mut SavedPattern {
        self.pattern.get_or_insert_default()
    }

    /// The text of an entry that can continue over several lines.
    fn running(&mut self, key: &str) -> Option<&mut String> {
        match key {
            "description" => Some(&mut self.description),
            "reading" => Some(&mut self.reading),
            "meaning" => Some(&mut self.evidence().meaning),
            "next" => Some(&mut self.evidence().next),
            _ => None,
        }
    }

    /// The tables that the header declares as optional, even if the rest of the header is invalid.
    pub fn optional(text: &str) -> Vec<String> {
        let entries = header(text).filter_map(|(line, _)| entry(line));
        entries.filter(|(key, _)| *key == "optional").flat_map(|(_, value)| names(value)).collect()
    }

    /// Whether a text is a saved query that runs on each dump separately: its header has a title,
    /// and does not contain `dumps: together`.
    pub fn is_of_each_dump(text: &str) -> bool {
        let says = |key: &str, is: fn(&str) -> bool| {
            let mut entries = header(text).filter_map(|(line, _)| entry(line));
            entries.any(|(found, value)| found == key && is(value))
        };
        says("title", |title| !title.is_empty()) && !says("dumps", |value| value == "together")
    }

    /// The text without its header.
    pub fn sql(&self) -> &str {
        let start = header(&self.text).last().map_or(0, |(_, span)| span.end as usize);
        self.text.get(start..).unwrap_or_default().trim_start()
    }
}

/// The comma-separated names in a value.
fn names(value: &str) -> impl Iterator<Item = String> {
    value.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The comment lines at the start, without `--`, each with its position.
fn header(text: &str) -> impl Iterator<Item = (&str, Span)> {
    let mut at = 0;
    text.split_inclusive('\n').map_while(move |line| {
        let start = at;
        at += line.len();
        let body = line.trim_end();
        Some((body.strip_prefix("--")?, Span::new(start, start + body.len())))
    })
}

/// The keys of a header.
const KEYS: [&str; 14] = [
    "title",
    "description",
    "reading",
    "alias",
    "debugger",
    "chart",
    "pattern",
    "severity",
    "meaning",
    "next",
    "dumps",
    "needs",
    "optional",
    "param",
];

/// Splits `key: value`, if the key is a known one.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix(' ')?.split_once(':')?;
    KEYS.contains(&key).then_some((key, value.trim()))
}

/// Parses `name TYPE [= default] [-- description]`.
fn param(value: &str, span: Span) -> Result<SavedParam, Diagnostic> {
    let (declared, doc) = match value.split_once(" -- ") {
        Some((declared, doc)) => (declared, doc.trim()),
        None => (value, ""),
    };
    let (declared, default) = match declared.split_once('=') {
        Some((declared, default)) => (declared, Some(unquoted(default.trim()).to_owned())),
        None => (declared, None),
    };
    let words: Vec<&str> = declared.split_whitespace().collect();
    let is_name = |w: &str| {
        w.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && w.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match words.as_slice() {
        [name, ty] if is_name(name) && is_name(ty) => Ok(SavedParam {
            name: (*name).to_owned(),
            ty: (*ty).to_owned(),
            default,
            doc: doc.to_owned(),
            span,
        }),
        _ => Err(Diagnostic::at(Code::Syntax, span, format!("`{value}` is not a parameter"))
            .help("a parameter is written `-- param: name TYPE = default -- what it is for`")),
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_parsed_and_kept_in_the_text() {
        let text = "-- title: Modules\n-- description: All of them,\n--   by name.\n-- alias: lm, lmv\n-- alias: !lm 4\n-- param: pattern VARCHAR = % -- which\n-- param: top INTEGER\n-- needs: modules, dump\n-- optional: idt\nSELECT 1;\n";
        let query = SavedQuery::parse("modules", text).unwrap();
        assert_eq!(query.title, "Modules");
        assert_eq!(query.description, "All of them, by name.");
        assert_eq!(query.aliases, ["lm", "lmv", "!lm 4"]);
        assert_eq!(query.needs, ["modules", "dump"]);
        assert_eq!(
            (&*query.optional, &*SavedQuery::optional(text)),
            (&["idt".to_owned()][..], &["idt".to_owned()][..])
        );
        assert_eq!(query.sql(), "SELECT 1;\n");
        let [pattern, top] = query.params.as_slice() else { panic!("two parameters") };
        assert_eq!((pattern.ty.as_str(), pattern.default.as_deref()), ("VARCHAR", Some("%")));
        assert_eq!((pattern.doc.as_str(), top.default.as_deref()), ("which", None));
    }

    #[test]
    fn commands_chart_and_pattern_are_read() {
        let text = "-- title: Locks\n-- debugger: !locks [-v], !kdext*.locks\n-- debugger: !locks $address\n-- chart: bar x=resource y=waiters\n-- pattern: Wait chain\n-- severity: high\n-- meaning: Threads wait\n--   for locks.\n-- next: Look at owners.\n-- reading: Rows are bad.\nSELECT 1";
        let query = SavedQuery::parse("locks", text).unwrap();
        assert_eq!(query.debugger, ["!locks [-v]", "!kdext*.locks", "!locks $address"]);
        assert_eq!(query.chart.as_deref(), Some("bar x=resource y=waiters"));
        let pattern = query.pattern.unwrap();
        assert_eq!((&*pattern.title, &*pattern.severity), ("Wait chain", "high"));
        assert_eq!(
            (&*pattern.meaning, &*pattern.next),
            ("Threads wait for locks.", "Look at owners.")
        );
        assert_eq!(query.reading, "Rows are bad.");
        assert!(SavedQuery::parse("x", "-- title: x\nSELECT 1").unwrap().pattern.is_none());
    }

    #[test]
    fn text_without_a_header_is_valid_and_a_bad_parameter_is_an_error() {
        let plain = SavedQuery::parse("x", "SELECT 1 -- title: no").unwrap();
        assert!(plain.title.is_empty() && plain.params.is_empty());
        assert_eq!(SavedQuery::parse("x", "").unwrap().sql(), "");
        let text = "-- title: t\n-- param: two words here\nSELECT 1";
        let error = SavedQuery::parse("x", text).unwrap_err();
        let span = error.span.unwrap();
        assert_eq!(&text[span.start as usize..span.end as usize], "-- param: two words here");
    }
}
