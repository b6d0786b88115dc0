//! The built-in documentation, and its search.

use super::call::State;
use super::tools::described;
use super::{resources, tools};
use crate::catalog::Catalog;
use crate::session::{Options, Session};

/// A page: its name, its title, its text.
pub(super) type Page = (&'static str, &'static str, &'static str);

/// The pages. Tables and saved queries are resources of their own.
pub(super) const PAGES: [Page; 9] = [
    (
        "tutorial",
        "From a dump to a workbook in ten minutes",
        include_str!("../../docs/tutorial.md"),
    ),
    ("language", "The language", include_str!("../../docs/language.md")),
    ("functions", "Functions", include_str!("../../docs/generated/functions.md")),
    ("errors", "Error codes", include_str!("../../docs/generated/errors.md")),
    (
        "from-windbg",
        "What answers each debugger command",
        include_str!("../../docs/from-windbg.md"),
    ),
    ("duckdb-functions", "DuckDB's functions", include_str!("../../docs/duckdb-functions.md")),
    ("logs", "Debugger logs", include_str!("../../docs/logs.md")),
    ("agents", "dumpql for assistants", include_str!("../../docs/agents.md")),
    ("fleet", "Many dumps", include_str!("../../docs/fleet.md")),
];

/// A piece of documentation.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub(super) title: String,
    pub(super) body: String,
    pub(super) uri: String,
}

/// The catalog of built-in definitions, independent of open dumps.
pub(super) fn catalog() -> Option<std::sync::Arc<Catalog>> {
    Some(Session::from_images(Vec::new(), &Options::default()).ok()?.catalog())
}

/// The passages that match the words best.
pub(super) fn search(state: &State, words: &str, most: usize) -> Vec<Passage> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<(usize, Passage)> = passages(state)
        .into_iter()
        .filter_map(|passage| Some((score(&passage, &words)?, passage)))
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().take(most).map(|(_, passage)| passage).collect()
}

/// The score of a passage: it increases with every word found, more so in the title, and again if
/// all words are found.
fn score(passage: &Passage, words: &[String]) -> Option<usize> {
    let (title, body) = (passage.title.to_lowercase(), passage.body.to_lowercase());
    let mut sum = 0;
    let mut there = 0;
    for word in words {
        let in_title = usize::from(title.contains(word.as_str())) * 12;
        let in_body = body.matches(word.as_str()).take(4).count();
        there += usize::from(in_title + in_body > 0);
        sum += in_title + in_body;
    }
    (there > 0).then_some(sum + there * there * 10)
}

fn passages(state: &State) -> Vec<Passage> {
    let mut all = Vec::new();
    for (name, title, text) in PAGES {
        sections(name, title, text, &mut all);
    }
    for table in catalog().iter().flat_map(|catalog| catalog.tables()) {
        all.push(Passage {
            title: format!("table {}", table.name),
            body: described(table),
            uri: resources::table(table.name),
        });
    }
    for query in state.config.library.queries() {
        all.push(Passage {
            title: format!("saved query {}", query.name),
            body: tools::described_query(query),
            uri: resources::query(&query.name),
        });
    }
    all
}

/// The length from which a passage ends at the next paragraph.
const LONG: usize = 400;

/// The passages of a page: its sections, and the paragraphs of long ones. A line of a table of
/// functions or error codes is a separate passage.
fn sections(name: &str, title: &str, text: &str, all: &mut Vec<Passage>) {
    let uri = resources::page(name);
    let by_line = matches!(name, "functions" | "errors");
    let mut heading = title.to_owned();
    let mut body = String::new();
    let mut is_code = false;
    let mut flush = |heading: &str, body: &mut String| {
        let body = std::mem::take(body);
        if !body.trim().is_empty() {
            let title = format!("{title}: {heading}");
            all.push(Passage { title, body: body.trim().to_owned(), uri: uri.clone() });
        }
    };
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        if line.starts_with('#') && !is_code {
            flush(&heading, &mut body);
            line.trim_start_matches('#').trim().clone_into(&mut heading);
        } else if !is_code && line.trim().is_empty() && body.len() > LONG {
            flush(&heading, &mut body);
        } else if by_line && line.starts_with('|') {
            flush(&heading, &mut body);
            body.push_str(line);
        } else {
            body.push_str(line);
            body.push('\n');
        }
    }
    flush(&heading, &mut body);
}
