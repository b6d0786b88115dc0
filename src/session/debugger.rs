//! Runs saved queries by debugger commands: finds the query with a form that matches a line, and
//! the parameter values in the line.
//!
//! The forms are in the headers of the queries (`-- debugger: u $address [L$count]`); this module
//! contains no commands. The words of a form:
//!
//! - `text`, `one|another`: this text, ignoring case;
//! - `*`: any word;
//! - `$name`, `L$name`, `~~[$name]k`: a word that is the value of a parameter;
//! - `$name...`: the rest of the line;
//! - `[…]` around one of these: optional.

use std::collections::BTreeMap;

use super::{Error, SavedQuery, registry};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};

/// The query for a command, with the values that the command contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called<'a> {
    /// The query.
    pub query: &'a SavedQuery,
    /// Values of parameters, by name.
    pub given: BTreeMap<String, String>,
    /// Words of the command that the query does not depend on, such as flags and the number of a
    /// processor of which the query shows all.
    pub ignored: Vec<String>,
}

/// One word of a form.
struct FormWord<'a> {
    optional: bool,
    kind: WordKind<'a>,
}

enum WordKind<'a> {
    Literal(&'a str),
    Any,
    Value { before: &'a str, name: &'a str, after: &'a str },
    Rest(&'a str),
}

/// Arguments that ask for what a query shows anyway.
const DEFAULTS: [&str; 3] = ["0", "-1", "*"];

/// How well a form matches: more literal words first, then fewer words in total.
type Score = (usize, std::cmp::Reverse<usize>);

/// The line without a debugger prompt: `0: kd> !locks` becomes `!locks`.
fn without_prompt(line: &str) -> &str {
    let line = line.trim();
    let Some((prompt, rest)) = line.split_once('>') else { return line };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let of_program = prompt.split_once(':').is_some_and(|(a, b)| is_number(a) && is_number(b));
    let kernel = ["kd", "lkd", "0: kd"].contains(&prompt)
        || prompt.strip_suffix(": kd").is_some_and(is_number)
        || prompt.strip_suffix(": lkd").is_some_and(is_number);
    if of_program || kernel { rest.trim() } else { line }
}

/// Whether a line is a debugger command: it starts with `!`, or with a word that starts a form of a
/// query.
pub(super) fn is_command<'a>(
    mut queries: impl Iterator<Item = &'a SavedQuery>,
    line: &str,
) -> bool {
    let line = without_prompt(line);
    let Some(first) = line.split_whitespace().next() else { return false };
    let first = first.trim_end_matches(';');
    line.starts_with('!') || queries.any(|query| query.debugger.iter().any(|f| begins(f, first)))
}

/// The query that answers the command, and the values of its parameters.
///
/// # Errors
/// E0201 if no query answers it, with the forms of the command or similar ones.
pub(super) fn called<'a>(
    queries: &(impl Iterator<Item = &'a SavedQuery> + Clone),
    line: &str,
) -> Result<Called<'a>, Error> {
    let line = without_prompt(line).trim_end_matches(';').trim();
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut best: Option<(Score, Called<'a>)> = None;
    for query in queries.clone() {
        for form in &query.debugger {
            let parts: Vec<FormWord<'_>> = form.split_whitespace().map(part).collect();
            let mut fit = Fit { query, line, given: BTreeMap::new(), ignored: Vec::new() };
            if let Some(score) = fit.matches(&parts, &words)
                && best.as_ref().is_none_or(|(other, _)| score > *other)
            {
                let Fit { given, ignored, .. } = fit;
                best = Some((score, Called { query, given, ignored }));
            }
        }
    }
    best.map(|(_, called)| called).ok_or_else(|| unknown(queries, line, &words).into())
}

/// The error for a command that matches no form.
fn unknown<'a>(
    queries: &(impl Iterator<Item = &'a SavedQuery> + Clone),
    line: &str,
    words: &[&str],
) -> Diagnostic {
    let first = words.first().copied().unwrap_or_default();
    let forms = || queries.clone().flat_map(|query| &query.debugger).map(String::as_str);
    let same: Vec<&str> = forms().filter(|form| begins(form, first)).collect();
    if same.is_empty() {
        let error = Diagnostic::new(Code::UnknownTable, format!("no query answers `{first}`"));
        if let Some(table) = table_of(first) {
            return error.help(format!("the table `{table}` has what it prints: FROM {table}"));
        }
        let firsts = forms().filter_map(|form| form.split_whitespace().next());
        return error
            .nearest(first, firsts.flat_map(|word| word.split('|')).filter(|word| word.len() > 2))
            .help(
                "`--queries`, or `.queries` at the prompt, lists the commands that are answered",
            );
    }
    Diagnostic::new(Code::UnknownTable, format!("no query answers `{line}` with these arguments"))
        .help(format!("`{first}` is written: {}", same.join("; ")))
}

/// The table with the output of a command.
fn table_of(command: &str) -> Option<&'static str> {
    let is = |word: &str| word.eq_ignore_ascii_case(command);
    let shipped = registry::shipped();
    let mut specs = shipped.tables().map(|table| table.spec(false));
    specs.find(|spec| spec.answers.split([',', ' ']).any(is)).map(|spec| spec.name)
}

/// The queries of which a form begins with a word.
#[cfg(feature = "cli")]
pub(super) fn begun_by<'a>(
    queries: impl Iterator<Item = &'a SavedQuery>,
    word: &'a str,
) -> impl Iterator<Item = &'a SavedQuery> {
    queries.filter(move |query| query.debugger.iter().any(|form| begins(form, word)))
}

/// Whether `word` matches the first word of the form.
fn begins(form: &str, word: &str) -> bool {
    form.split_whitespace().next().is_some_and(|first| match part(first).kind {
        WordKind::Literal(text) => is_literal(text, word),
        WordKind::Value { before, after, .. } => inner(before, after, word).is_some(),
        WordKind::Any | WordKind::Rest(_) => false,
    })
}

fn part(word: &str) -> FormWord<'_> {
    let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    let (optional, word) = bare.map_or((false, word), |bare| (true, bare));
    let kind = match word.split_once('$') {
        _ if word == "*" => WordKind::Any,
        None => WordKind::Literal(word),
        Some(("", name)) if name.ends_with("...") => WordKind::Rest(name.trim_end_matches('.')),
        Some((before, rest)) => {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            WordKind::Value { before, name, after }
        }
    };
    FormWord { optional, kind }
}

fn is_literal(text: &str, word: &str) -> bool {
    text.split('|').any(|choice| choice.eq_ignore_ascii_case(word))
}

/// The text between a prefix and a suffix, unless it is empty.
fn inner<'w>(before: &str, after: &str, word: &'w str) -> Option<&'w str> {
    let head = word.get(..before.len())?;
    let rest = word.get(before.len()..)?;
    let end = rest.len().checked_sub(after.len())?;
    let fits = head.eq_ignore_ascii_case(before) && rest.get(end..)?.eq_ignore_ascii_case(after);
    rest.get(..end).filter(|value| fits && !value.is_empty())
}

/// A form while it is matched.
struct Fit<'q, 'l> {
    query: &'q SavedQuery,
    line: &'l str,
    given: BTreeMap<String, String>,
    ignored: Vec<String>,
}

impl Fit<'_, '_> {
    fn matches(&mut self, parts: &[FormWord<'_>], words: &[&str]) -> Option<Score> {
        let mut score = (0, std::cmp::Reverse(0));
        let mut rest = words.iter();
        // A word that is no value of its parameter is wrong, and not one of the words after it.
        let mut wrong: Option<&str> = None;
        for part in parts {
            let word = rest.as_slice().first().copied();
            let taken = match (&part.kind, word) {
                (WordKind::Literal(text), Some(word)) if is_literal(text, word) => {
                    score.0 += 1;
                    true
                }
                (WordKind::Any, Some(word)) if wrong.is_none_or(|bad| !std::ptr::eq(bad, word)) => {
                    score.1.0 += 1;
                    if !DEFAULTS.contains(&word) {
                        self.ignored.push(word.to_owned());
                    }
                    true
                }
                (WordKind::Rest(name), Some(word)) => {
                    let at = self.place(word);
                    let text = self.line.get(at..).unwrap_or_default();
                    self.given.insert((*name).to_owned(), text.to_owned());
                    score.1.0 += 2;
                    rest = [].iter();
                    continue;
                }
                (WordKind::Value { before, name, after }, Some(word)) => {
                    let text = inner(before, after, word);
                    let value = text.and_then(|text| self.value(name, text));
                    let is_value = value.is_some();
                    if let Some(value) = value {
                        self.given.insert((*name).to_owned(), value);
                        score.1.0 += 1;
                    } else {
                        wrong = Some(word);
                    }
                    is_value
                }
                _ => false,
            };
            if taken {
                rest.next();
            } else if !part.optional {
                return None;
            }
        }
        rest.as_slice().is_empty().then_some(score)
    }

    /// The position of a word in the line, of which it is a slice.
    fn place(&self, word: &str) -> usize {
        (word.as_ptr() as usize).saturating_sub(self.line.as_ptr() as usize)
    }

    /// A value as the text of a parameter: numbers in debugger commands are hexadecimal unless they
    /// start with `0n`.
    fn value(&self, name: &str, text: &str) -> Option<String> {
        let param = self.query.params.iter().find(|param| param.name == name)?;
        match Ty::from_name(&param.ty) {
            Some(Ty::Int) => number(text).map(|number| number.to_string()),
            Some(Ty::Addr) => address(text),
            // An address, or the name of a symbol.
            _ if name == "address" && is_address(text) => {
                address(text).or_else(|| Some(text.to_owned()))
            }
            _ => Some(text.to_owned()),
        }
    }
}

/// Whether a text is an address rather than a name: `nt` and `ace` are names.
fn is_address(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) || text.len() >= 8
}

/// An address in SQL notation.
fn address(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if let Some(decimal) = lower.strip_prefix("0n") {
        return decimal.parse().ok().map(|address: u64| format!("{address:#x}"));
    }
    let hex = lower.strip_prefix("0x").unwrap_or(&lower).replace('`', "");
    u64::from_str_radix(&hex, 16).ok().map(|_| format!("0x{hex}"))
}

fn number(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    if let Some(decimal) = lower.strip_prefix("0n") {
        return decimal.parse().ok();
    }
    let hex = lower.strip_prefix("0x").unwrap_or(&lower).replace('`', "");
    i64::from_str_radix(&hex, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries() -> Vec<SavedQuery> {
        let made = |name: &str, header: &str| {
            SavedQuery::parse(name, &format!("-- title: t\n{header}\nSELECT 1")).unwrap()
        };
        vec![
            made("locks", "-- debugger: !locks [-v|-d]"),
            made("irps", "-- debugger: !irpfind [*] [*]"),
            made(
                "by-device",
                "-- debugger: !irpfind * * device [$device]\n-- param: device ADDRESS = 0 -- d",
            ),
            made(
                "u",
                "-- debugger: u [$address] [L$count]\n-- param: address VARCHAR = x -- a\n-- param: count INTEGER = 8 -- c",
            ),
            made(
                "k",
                "-- debugger: k|kv [$n], ~~[$tid]k\n-- param: tid INTEGER = 0 -- t\n-- param: n INTEGER = 0 -- n",
            ),
            made("thread", "-- debugger: !thread [$thread] [*]\n-- param: thread ADDRESS = 0 -- t"),
            made("find", "-- debugger: s $text...\n-- param: text VARCHAR -- t"),
        ]
    }

    fn answer(line: &str) -> String {
        let queries = queries();
        match called(&queries.iter(), line) {
            Ok(called) => {
                let given: Vec<String> =
                    called.given.iter().map(|(n, v)| format!(" {n}={v}")).collect();
                let ignored: Vec<String> =
                    called.ignored.iter().map(|word| format!(" (not {word})")).collect();
                format!("{}{}{}", called.query.name, given.concat(), ignored.concat())
            }
            Err(error) => {
                let diagnostic = &error.diagnostics()[0];
                format!("{}; {}", diagnostic.message, diagnostic.help.join("; "))
            }
        }
    }

    #[test]
    fn the_form_with_most_literal_words_answers() {
        for (line, wanted) in [
            ("!locks", "locks"),
            ("!thread 82823440 17", "thread thread=0x82823440 (not 17)"),
            ("!LOCKS -d;", "locks"),
            ("0: kd> !locks", "locks"),
            ("1:001> k 10", "k n=16"),
            ("!irpfind", "irps"),
            ("!irpfind 0 0", "irps"),
            ("!irpfind 0 7", "irps (not 7)"),
            ("!irpfind 0 0 device", "by-device"),
            ("!irpfind 0 0 device 82780000", "by-device device=0x82780000"),
            ("u", "u"),
            ("u nt!KiIdleLoop L20", "u address=nt!KiIdleLoop count=32"),
            ("u fffff801`a972c530", "u address=0xfffff801a972c530"),
            ("u nt L0n20", "u address=nt count=20"),
            ("~~[1f4]k", "k tid=500"),
            ("s -a  two  words", "find text=-a  two  words"),
        ] {
            assert_eq!(answer(line), wanted, "{line}");
        }
    }

    #[test]
    fn an_unmatched_command_lists_the_known_forms() {
        assert_eq!(
            answer("!locks 5"),
            "no query answers `!locks 5` with these arguments; `!locks` is written: !locks [-v|-d]"
        );
        assert_eq!(
            answer("!thread foo"),
            "no query answers `!thread foo` with these arguments; `!thread` is written: !thread [$thread] [*]"
        );
        let table = answer("!peb");
        assert!(table.ends_with("the table `environment` has what it prints: FROM environment"));
        let near = answer("!lock");
        assert!(near.starts_with("no query answers `!lock`") && near.contains("!locks"), "{near}");
    }

    #[test]
    fn a_line_of_sql_is_no_command() {
        let queries = queries();
        let is = |line: &str| is_command(queries.iter(), line);
        for line in ["!anything", "k", "kv;", "~~[5]k", "0: kd> u nt", "s x"] {
            assert!(is(line), "{line}");
        }
        for line in ["select 1", "from threads", "", "keep", ".tables", "1 > 2"] {
            assert!(!is(line), "{line}");
        }
    }
}
