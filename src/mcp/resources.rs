//! Resources: pages of documentation, tables, saved queries.

use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};

use super::call::State;
use super::docs;
use super::tools::{described, described_query};

const PAGE: &str = "dumpql://docs/";
const TABLE: &str = "dumpql://tables/";
const QUERY: &str = "dumpql://queries/";
const MARKDOWN: &str = "text/markdown";
const SQL: &str = "application/sql";
const PLAIN: &str = "text/plain";

pub(super) fn page(name: &str) -> String {
    format!("{PAGE}{name}")
}

pub(super) fn table(name: &str) -> String {
    format!("{TABLE}{name}")
}

pub(super) fn query(name: &str) -> String {
    format!("{QUERY}{name}")
}

pub(super) fn list(state: &State) -> Vec<Resource> {
    let mut all = Vec::new();
    for (name, title, _) in docs::PAGES {
        all.push(Resource::new(page(name), name).with_title(title).with_mime_type(MARKDOWN));
    }
    for spec in docs::catalog().iter().flat_map(|catalog| catalog.tables()) {
        let resource = Resource::new(table(spec.name), format!("table {}", spec.name));
        all.push(resource.with_description(spec.doc).with_mime_type(PLAIN));
    }
    for saved in state.config.library.queries() {
        let resource = Resource::new(query(&saved.name), format!("query {}", saved.name));
        all.push(resource.with_description(saved.title.clone()).with_mime_type(SQL));
    }
    all
}

pub(super) fn templates() -> Vec<ResourceTemplate> {
    let template = |start: &str, name: &str, doc: &str| {
        ResourceTemplate::new(format!("{start}{{name}}"), name).with_description(doc)
    };
    vec![
        template(PAGE, "documentation", "A page of the documentation."),
        template(TABLE, "table", "A table with its columns and examples."),
        template(QUERY, "saved query", "A saved query: what it finds, its parameters, its SQL."),
    ]
}

pub(super) fn read(state: &State, uri: &str) -> Option<ReadResourceResult> {
    let (kind, text) = if let Some(name) = uri.strip_prefix(PAGE) {
        let page = docs::PAGES.iter().find(|page| page.0 == name)?;
        (MARKDOWN, page.2.to_owned())
    } else if let Some(name) = uri.strip_prefix(TABLE) {
        (PLAIN, described(docs::catalog()?.table(name)?))
    } else {
        let name = uri.strip_prefix(QUERY)?;
        let saved = state.config.library.queries().find(|query| query.name == name)?;
        let about: String =
            described_query(saved).lines().flat_map(|line| ["-- ", line, "\n"]).collect();
        (SQL, format!("{about}{}\n", saved.sql().trim()))
    };
    let contents = ResourceContents::text(text, uri).with_mime_type(kind);
    Some(ReadResourceResult::new(vec![contents]))
}
