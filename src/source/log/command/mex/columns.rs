//! The columns of a table of MEX: where each begins, by its heading.

use super::{HELD, LONG};
use crate::model::ExtensionFact;
use crate::source::log::line::Line;
use crate::source::log::scan::{address, text, word};
use crate::source::log::sink::Sink;

/// Names and positions of columns.
#[derive(Debug, Default)]
pub(super) struct Columns {
    found: Vec<(String, usize, usize)>,
    /// Whether values are aligned with the parts of the rule.
    is_aligned: bool,
}

/// The values of a row.
pub(super) struct Values<'t>(pub(super) Vec<(String, &'t str)>);

/// Whether a line has a space before each column, so that no value extends into the next one.
fn is_cut_between(line: &str, columns: &[(String, usize, usize)]) -> bool {
    let starts = columns.iter().skip(1).map(|(_, start, _)| *start);
    let mut starts = starts.filter(|start| *start <= line.len());
    let is_long = columns.get(1).is_some_and(|(_, start, _)| *start < line.len());
    is_long && starts.all(|start| line.as_bytes().get(start - 1) == Some(&b' '))
}

pub(super) fn is_rule(line: &str) -> bool {
    line.len() > 3 && line.bytes().all(|b| b == b'=' || b == b' ')
}

impl Columns {
    /// The columns of a header and the rule below it.
    pub(super) fn of(header: &str, rule: &str) -> Self {
        let mut found: Vec<(String, usize, usize)> = Vec::new();
        let mut at = 0;
        for run in rule.split(' ') {
            let end = at + run.len();
            if !run.is_empty() {
                found.push((String::new(), at, end));
            }
            at = end + 1;
        }
        let is_aligned = is_cut_between(header, &found);
        if !is_aligned {
            let names = Self::headings(header);
            // If the headings are unknown, so are the positions.
            let found = if names.len() == found.len() { names } else { Vec::new() };
            let found = found.into_iter().map(|name| (name, 0, 0)).collect();
            return Self { found, is_aligned };
        }
        let count = found.len();
        for (n, (name, start, end)) in found.iter_mut().enumerate() {
            let end = if n + 1 == count { header.len() } else { *end };
            header.get(*start..end.min(header.len())).unwrap_or_default().trim().clone_into(name);
        }
        Self { found, is_aligned }
    }

    /// The headings of a header whose spaces were collapsed.
    fn headings(header: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut rest = header.trim();
        while let Some((first, after)) = word(rest) {
            let long = LONG.iter().find(|long| {
                rest.strip_prefix(**long)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            });
            let name = long.copied().unwrap_or(first);
            rest =
                long.map_or(after, |long| rest.get(long.len()..).unwrap_or_default().trim_start());
            names.push(name.to_owned());
        }
        names
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(column, ..)| column == name)
    }

    /// The values of a line with their column names; `None` if the columns cannot be determined.
    pub(super) fn values<'t>(&self, line: &'t str) -> Option<Values<'t>> {
        if self.is_aligned && is_cut_between(line, &self.found) {
            let count = self.found.len();
            let value = |(n, (name, start, end)): (usize, &(String, usize, usize))| {
                let end = if n + 1 == count { line.len() } else { (*end).min(line.len()) };
                Some((name.clone(), line.get((*start).min(line.len())..end)?.trim()))
            };
            return self.found.iter().enumerate().map(value).collect::<Option<_>>().map(Values);
        }
        self.words(line).map(Values)
    }

    /// The values of a line whose spaces were collapsed: the address determines the columns around
    /// it.
    fn words<'t>(&self, line: &'t str) -> Option<Vec<(String, &'t str)>> {
        let names: Vec<&str> = self.found.iter().map(|(name, ..)| name.as_str()).collect();
        let key = if self.has("Thread") { "Thread" } else { "Address" };
        let column = names.iter().position(|name| *name == key)?;
        let mut spans = Vec::new();
        let mut at = 0;
        for word in line.split(' ') {
            if !word.is_empty() {
                spans.push((at, at + word.len()));
            }
            at += word.len() + 1;
        }
        let text = |from: usize, to: usize| -> Option<&'t str> {
            let (start, end) = (spans.get(from)?.0, spans.get(to.checked_sub(1)?)?.1);
            line.get(start..end)
        };
        let place = (0..spans.len()).find(|n| text(*n, n + 1).and_then(address).is_some())?;
        let mut values = vec![(key.to_owned(), text(place, place + 1)?)];
        // The first column, before the address, may contain several words.
        let first_takes = (place + 1).checked_sub(column).filter(|_| column > 0);
        if let Some(words) = first_takes.filter(|n| *n > 0) {
            values.push(((*names.first()?).to_owned(), text(0, words)?));
            for (n, name) in names.iter().enumerate().take(column).skip(1) {
                values.push(((*name).to_owned(), text(words + n - 1, words + n)?));
            }
        }
        let (after, left) = (names.get(column + 1..)?, spans.len() - place - 1);
        // One column after it may contain several words: the name, or the last one.
        let wide =
            after.iter().position(|name| *name == "Name").unwrap_or(after.len().saturating_sub(1));
        let narrow = after.len().saturating_sub(1);
        if left < narrow + 1 {
            // A cell is empty and it cannot be determined which, unless it is the name.
            if wide == 0 && after.first() == Some(&"Name") {
                let end = (place + 1..spans.len()).find(|n| {
                    text(*n, n + 1).is_some_and(|word| word.to_ascii_lowercase().contains(".exe"))
                })?;
                values.push(("Name".to_owned(), text(place + 1, end + 1)?));
            }
            return Some(values);
        }
        let mut from = place + 1;
        for (n, name) in after.iter().enumerate() {
            let words = if n == wide { left - narrow } else { 1 };
            values.push(((*name).to_owned(), text(from, from + words)?));
            from += words;
        }
        Some(values)
    }
}

impl<'t> Values<'t> {
    /// Emits the values of columns that no table has; a dot means an empty cell.
    pub(super) fn others(&self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let who = self.get(&["Address", "Thread"]).unwrap_or_default();
        for (name, value) in &self.0 {
            if HELD.contains(&name.as_str()) || matches!(*value, "" | ".") {
                continue;
            }
            let row = ExtensionFact {
                command: text("!mex"),
                block: text(who),
                name: text(name),
                value: text(value),
                ..ExtensionFact::default()
            };
            sink.row(line, row);
        }
    }

    /// The value of the first of these columns that the row has.
    pub(super) fn get(&self, names: &[&str]) -> Option<&'t str> {
        let found =
            self.0.iter().find(|(name, value)| names.contains(&name.as_str()) && !value.is_empty());
        found.map(|(_, value)| *value)
    }
}
