//! `--report`: what the dump is, the crash, the patterns that match, the machine, and what is
//! missing. The headers of the saved queries define the patterns.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::console::Console;
use super::interrupt::INTERRUPTED;
use super::output::{Answer, Target};
use super::script::{self, Script};
use crate::catalog::{Format, PointerWidth, Value};
use crate::diag::Code;
use crate::export;
use crate::export::report::{Report, Section, write_html, write_markdown};
use crate::session::{self, CancelToken, Error, Library, SavedPattern, SavedQuery, Session};

/// A section: its heading, and the queries of its evidence.
type Plan = (&'static str, &'static [(&'static str, &'static str)]);

/// Headings with the answers below each.
type Parts = Vec<(&'static str, Vec<Answer>)>;

/// Sections on the machine, after the patterns.
const MACHINE: Plan = (
    "The machine",
    &[
        ("Processors", "running"),
        ("Memory", "vm"),
        ("Drivers of other companies", "third-party"),
        ("The oldest modules", "oldest-modules"),
        ("IRPs by driver", "irp-distribution"),
        ("Threads over processes", "pid-tid"),
        ("How long threads have waited", "threads-by-ticks"),
        ("Non-paged pool by tag", "poolused-nonpaged"),
        ("Paged pool by tag", "poolused-paged"),
        ("Where the pool is in use", "pool-use"),
    ],
);
const MISSING: Plan = (
    "What is missing",
    &[
        ("What the file holds", "completeness"),
        ("Absent values", "missing"),
        ("Symbol files that would help", "needed-symbols"),
    ],
);
/// Sections for several dumps.
const FLEET: Plan = (
    "The dumps",
    &[
        ("Equal crashes", "buckets"),
        ("Crashes by driver and version", "driver-crashes"),
        ("Modules that differ", "version-spread"),
        ("Each dump", "overview"),
    ],
);

/// The outcome of a query of the report.
enum Outcome {
    Rows(Vec<Answer>),
    /// The sources do not have the tables.
    NotThere(String),
    Failed(Error),
}

struct Maker<'a> {
    session: &'a Session,
    library: &'a Library,
    token: &'a CancelToken,
}

impl Maker<'_> {
    fn ask(&self, script: &Script) -> Outcome {
        let mut answers = Vec::new();
        let outcome = session::parameters(&script.query, &BTreeMap::new()).and_then(|params| {
            let query = self.session.prepare(&script.query.text)?.with(&params);
            query.cancel(self.token).run_each(&mut |result| {
                let count = answers.len() + 1;
                answers.push(Answer::of(script, count, None, result, &BTreeMap::new()));
                true
            })
        });
        match outcome {
            Ok(_) => Outcome::Rows(answers),
            Err(error) if error.code() == Code::NoSource => {
                let first = error.diagnostics().first();
                Outcome::NotThere(first.map_or_else(String::new, |d| d.message.clone()))
            }
            Err(error) => Outcome::Failed(error),
        }
    }

    fn named(&self, name: &str) -> Option<Script> {
        script::named(name, self.library).ok()
    }

    /// The queries that are evidence of patterns, by descending severity.
    fn patterns(&self) -> Vec<(&SavedQuery, &SavedPattern)> {
        let all = self.library.queries();
        let mut patterns: Vec<_> =
            all.filter_map(|query| Some((query, query.pattern.as_ref()?))).collect();
        patterns.sort_by_key(|(_, pattern)| match pattern.severity.as_str() {
            "high" => 0,
            "medium" => 1,
            _ => 2,
        });
        patterns
    }
}

/// Creates and writes the report. Returns the exit code.
pub(super) fn run(
    target: Target<'_>,
    session: &Session,
    library: &Library,
    token: &CancelToken,
    console: &Console,
) -> u8 {
    let maker = Maker { session, library, token };
    let written = target.check(session).and_then(|()| write(target.path, &maker, console));
    match written {
        Ok(code) => code,
        Err(error) => {
            console.say(format!("error: {error}"));
            1
        }
    }
}

/// Returns the exit code: a report with a missing part is not a success.
fn write(path: &Path, maker: &Maker<'_>, console: &Console) -> io::Result<u8> {
    let is_markdown = match path.extension().and_then(|ending| ending.to_str()) {
        Some("md") => true,
        Some("html" | "htm") => false,
        _ => return Err(io::Error::other("the name of a report ends in .html or .md")),
    };
    let names = maker.session.source_names();
    let kept = Kept::make(maker, names.len() > 1);
    let title = match names.as_slice() {
        [only] => format!("Report on {only}"),
        many => format!("Report on {} dumps", many.len()),
    };
    let made = format!("Made by dumpql {} on {} UTC.", env!("CARGO_PKG_VERSION"), now());
    let report = Report::new(title, made, kept.sections());
    export::write_file(path, |out| {
        if is_markdown { write_markdown(&report, out) } else { write_html(&report, out) }
    })?;
    console.say(format!("{}: {} patterns match", path.display(), kept.found.len()));
    for failed in &kept.failed {
        console.say(format!("error: {failed}"));
    }
    Ok(if maker.token.is_cancelled() { INTERRUPTED } else { u8::from(!kept.failed.is_empty()) })
}

/// The results that the report shows, kept until it is written.
#[derive(Default)]
struct Kept {
    /// Sections before the patterns, with the text that is shown if there are no rows.
    first: Vec<(&'static str, Vec<Answer>, String)>,
    found: Vec<(SavedPattern, Vec<Answer>)>,
    /// Patterns without evidence, and those that could not be checked.
    not_found: Vec<String>,
    not_there: Vec<String>,
    /// The parts that failed, with the errors.
    failed: Vec<String>,
    plans: Vec<(&'static str, Parts)>,
}

impl Kept {
    fn make(maker: &Maker<'_>, is_fleet: bool) -> Self {
        let mut kept = Self::default();
        if is_fleet {
            kept.plan(maker, FLEET);
            return kept;
        }
        for (title, name) in [
            ("What the dump is", "overview"),
            ("What it stopped with", "crash"),
            ("The stack", "stack"),
        ] {
            let Some(script) = maker.named(name) else { continue };
            let (answers, note) = match maker.ask(&script) {
                Outcome::Rows(answers) => (answers, "The dump records nothing of it.".to_owned()),
                Outcome::NotThere(reason) => (Vec::new(), reason),
                Outcome::Failed(error) => (Vec::new(), kept.failed(title, &error)),
            };
            kept.first.push((title, answers, note));
        }
        for (query, pattern) in maker.patterns() {
            let title = format!("{} ({})", pattern.title, query.name);
            let Some(script) = maker.named(&query.name) else { continue };
            match maker.ask(&script) {
                Outcome::Rows(answers) if answers.iter().any(|a| !a.result.is_empty()) => {
                    kept.found.push((pattern.clone(), answers));
                }
                Outcome::Rows(_) => kept.not_found.push(title),
                Outcome::NotThere(reason) => kept.not_there.push(format!("{title}: {reason}")),
                Outcome::Failed(error) => {
                    kept.failed(&title, &error);
                }
            }
        }
        kept.plan(maker, MACHINE);
        kept.plan(maker, MISSING);
        kept
    }

    /// Adds the results of a section.
    fn plan(&mut self, maker: &Maker<'_>, (heading, queries): Plan) {
        let mut parts = Vec::new();
        for (title, name) in queries {
            let Some(script) = maker.named(name) else { continue };
            match maker.ask(&script) {
                Outcome::Rows(answers) if answers.iter().any(|a| !a.result.is_empty()) => {
                    parts.push((*title, answers));
                }
                Outcome::Rows(_) | Outcome::NotThere(_) => (),
                Outcome::Failed(error) => {
                    self.failed(title, &error);
                }
            }
        }
        self.plans.push((heading, parts));
    }

    /// Records that a part failed. Returns the text that is shown instead.
    fn failed(&mut self, title: &str, error: &Error) -> String {
        self.failed.push(format!("{title}: {error}"));
        error.to_string()
    }

    fn sections(&self) -> Vec<Section<'_>> {
        let mut sections = Vec::new();
        for (title, answers, note) in &self.first {
            let mut section = Section::new(*title);
            section
                .evidence
                .extend(answers.iter().filter(|a| !a.result.is_empty()).map(Answer::sheet));
            if section.evidence.is_empty() {
                section.text.push(note.clone());
            }
            sections.push(section);
        }
        if !self.first.is_empty() {
            sections.push(self.patterns());
            let mut others = Section::new("Patterns that were looked for and not found");
            others.list.extend(self.not_found.iter().cloned());
            if !self.not_there.is_empty() {
                let mut part = Section::new("Patterns that this file cannot show");
                part.list.extend(self.not_there.iter().cloned());
                others.parts.push(part);
            }
            sections.push(others);
        }
        if !self.failed.is_empty() {
            let mut section = Section::new("Parts that failed");
            section.list.extend(self.failed.iter().cloned());
            sections.push(section);
        }
        for (title, parts) in &self.plans {
            let mut section = Section::new(*title);
            for (title, answers) in parts {
                let mut part = Section::new(*title);
                part.text.extend(answers.first().map(|answer| answer.about.clone()));
                part.evidence.extend(answers.iter().map(Answer::sheet));
                section.parts.push(part);
            }
            sections.push(section);
        }
        sections
    }

    fn patterns(&self) -> Section<'_> {
        let mut section = Section::new("Patterns that match");
        if self.found.is_empty() {
            section.text.push("None of the patterns that were checked.".to_owned());
        }
        for (pattern, answers) in &self.found {
            let mut part = Section::new(pattern.title.clone());
            part.severity = Some(pattern.severity.clone());
            part.text.push(pattern.meaning.clone());
            part.text.push(format!("Next: {}", pattern.next));
            part.evidence
                .extend(answers.iter().filter(|a| !a.result.is_empty()).map(Answer::sheet));
            section.parts.push(part);
        }
        section
    }
}

fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_secs()).unwrap_or(0).saturating_mul(1_000_000);
    Format::Plain.render(&Value::Time(micros), PointerWidth::Bits64)
}
