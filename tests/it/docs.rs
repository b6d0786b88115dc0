//! The generated documentation matches the definitions. `UPDATE_DOCS=1` rewrites it.

use std::fmt::Write as _;
use std::path::PathBuf;

use dumpql::internals::catalog::{Catalog, FunctionKind, FunctionSpec, TableSpec};
use dumpql::internals::diag::Code;
use dumpql::{Options, Session};

const NOTE: &str =
    "<!-- Generated from the definitions by `UPDATE_DOCS=1 cargo test docs`. -->\n\n";

#[test]
fn generated_pages_are_up_to_date() {
    let session = Session::sample().unwrap();
    let catalog = session.catalog();
    check("tables.md", &tables(&catalog));
    check("functions.md", &functions(&catalog));
    check("errors.md", &errors());
    check("queries.md", &queries());
}

/// The picture of the README is drawn by what it shows.
#[test]
fn the_picture_of_the_readme_is_as_it_is_drawn() {
    use dumpql::output::{FileFormat, Sheet, chart::Spec, write};
    let session = Session::sample().unwrap();
    let query = dumpql::library::find_query("irp-distribution").unwrap();
    let params = dumpql::library::parameters(query, &std::collections::BTreeMap::new()).unwrap();
    let result = session.query_with(&query.text, &params).unwrap();
    let spec = Spec::parse(query.chart.as_deref().unwrap()).unwrap();
    let about = format!("{}. ", query.title);
    let sheet = Sheet::new("", "", &result).with_about(&about).with_chart(Some(&spec));
    let mut out = Vec::new();
    write(FileFormat::Svg, &[sheet], &[], &mut out).unwrap();
    check("irps.svg", &String::from_utf8(out).unwrap());
}

pub(crate) fn check(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/generated").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/generated/{name} is stale: run UPDATE_DOCS=1 cargo test docs");
}

fn tables(catalog: &Catalog) -> String {
    let mut page = format!("{NOTE}# Tables\n\n");
    page.push_str("The column `dump` (which source a row is from) is on every table that has sources; `SELECT *` shows it when several dumps are open.\n\n");
    page.push_str("| table | answers | sources | one row is |\n|---|---|---|---|\n");
    for table in catalog.tables() {
        let TableSpec { name, doc, answers, .. } = table;
        let sources = table.kind_names();
        let _ = writeln!(page, "| [`{name}`](#{}) | {answers} | {sources} | {doc} |", anchor(name));
    }
    for table in catalog.tables() {
        table_section(&mut page, table);
    }
    page
}

fn table_section(page: &mut String, table: &TableSpec) {
    let _ = writeln!(page, "\n## {}\n\n{}\n", table.name, table.doc);
    page.push_str("| column | type | unit | what it is |\n|---|---|---|---|\n");
    for column in table.columns.iter().filter(|c| c.name != "dump" || table.name == "dump") {
        let hidden = if column.hidden { " (hidden)" } else { "" };
        let (name, ty, unit) = (column.name, column.ty, column.unit.as_str());
        let _ = writeln!(page, "| `{name}`{hidden} | {ty} | {unit} | {} |", cell(column.doc));
    }
    for example in table.examples {
        let _ = writeln!(page, "\n{}\n\n```sql\n{}\n```", example.doc, example.sql);
    }
}

fn functions(catalog: &Catalog) -> String {
    let mut page = format!("{NOTE}# Functions\n");
    let mut families: Vec<&str> = Vec::new();
    for function in catalog.functions() {
        if !families.contains(&function.family) {
            families.push(function.family);
        }
    }
    for family in families {
        let _ = writeln!(
            page,
            "\n## {family}\n\n| function | what it returns | example |\n|---|---|---|"
        );
        for function in catalog.functions().iter().filter(|f| f.family == family) {
            function_row(&mut page, function);
        }
    }
    page
}

fn function_row(page: &mut String, function: &FunctionSpec) {
    let calls: Vec<String> =
        function.signature_texts().iter().map(|s| format!("`{}`", cell(s))).collect();
    let also = if function.aliases.is_empty() {
        String::new()
    } else {
        format!(" Also `{}`.", function.aliases.join("`, `"))
    };
    let aggregate = match function.kind {
        FunctionKind::Aggregate => " Aggregate.",
        FunctionKind::Window => " Window function.",
        _ => "",
    };
    let examples: Vec<String> = function
        .examples
        .iter()
        .map(|(e, result)| format!("`{}` → `{}`", cell(e), cell(result)))
        .collect();
    let _ = writeln!(
        page,
        "| {} | {}{also}{aggregate} | {} |",
        calls.join("<br>"),
        cell(function.doc),
        examples.join("<br>")
    );
}

fn errors() -> String {
    let mut page = format!("{NOTE}# Error codes\n\n| code | what it stands for |\n|---|---|\n");
    for code in Code::ALL {
        let _ = writeln!(page, "| {code} | {} |", code.doc());
    }
    page
}

fn queries() -> String {
    let mut page = format!(
        "{NOTE}# Shipped queries\n\nRun one with `dumpql DUMP -q NAME`, with parameters as `-p name=value`.\n"
    );
    for query in dumpql::internals::session::library() {
        let _ = writeln!(page, "\n## {}\n\n{}. {}", query.name, query.title, query.description);
        if !query.reading.is_empty() {
            let _ = writeln!(page, "\n{}", query.reading);
        }
        if let Some(pattern) = &query.pattern {
            let _ = writeln!(
                page,
                "\nEvidence of the pattern *{}* ({}): {} {}",
                pattern.title, pattern.severity, pattern.meaning, pattern.next
            );
        }
        if !query.debugger.is_empty() {
            let _ = writeln!(page, "\nAnswers `{}`.", query.debugger.join("`, `"));
        }
        if let Some(chart) = &query.chart {
            let _ = writeln!(page, "\nChart: `{chart}`.");
        }
        if !query.aliases.is_empty() {
            let _ = writeln!(page, "\nAlso called `{}`.", query.aliases.join("`, `"));
        }
        for param in &query.params {
            let default = param
                .default
                .as_deref()
                .map_or("required".to_owned(), |d| format!("default `{d}`"));
            let _ = writeln!(page, "\n- `{}` {}, {default}: {}", param.name, param.ty, param.doc);
        }
        let _ = writeln!(page, "\n```sql\n{}\n```", query.sql().trim());
    }
    page
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', "\\n")
}

fn anchor(name: &str) -> String {
    name.replace('.', "")
}

/// The contents of the fenced SQL blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match (&mut block, line.trim_end()) {
            (None, "```sql") => block = Some(String::new()),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// The parameters that examples use.
fn params() -> dumpql::internals::session::Params {
    let text = |name: &str, value: &'static str| (name.to_owned(), dumpql::Value::text(value));
    let minutes = ("minutes".to_owned(), dumpql::Value::Int(5));
    [text("tag", "Irp "), text("company", "Microsoft%"), minutes].into()
}

#[test]
fn examples_of_the_guides_run() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for name in [
        "docs/language.md",
        "README.md",
        "docs/logs.md",
        "docs/tutorial.md",
        "docs/cookbook.md",
        "docs/from-volatility.md",
    ] {
        let page = std::fs::read_to_string(folder.join(name)).unwrap();
        for block in blocks(&page) {
            let statements = dumpql::internals::lang::parse(&block)
                .unwrap_or_else(|d| panic!("{name}: {}\n{block}", d.message));
            count += statements.len();
            // Examples about logs run on a log.
            let log = folder.join("tests/log/own/kernel.txt");
            let options = Options::default().files(true);
            let (session, failures) = match name {
                "docs/logs.md" => Session::open_each(&[&log], false, &options),
                _ => Session::open_each(&[], true, &options),
            };
            assert!(failures.is_empty(), "{failures:?}");
            let params = params();
            let outcome = session.query_with(&block, &params);
            // Files of the reader do not exist here, and the sample does not have every table.
            let known = [Code::Io, Code::NoSource];
            if let Err(error) = outcome
                && !known.contains(&error.code())
            {
                panic!("{name}: {}\n{block}", error.render(None, false));
            }
        }
    }
    assert!(count >= 10, "only {count} examples were found");
}
