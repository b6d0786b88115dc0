//! The first lines of a prompt: what is open, and what to ask of it.

use std::time::Duration;

use super::Repl;
use crate::cli::output;
use crate::cli::table::push_clean;

/// How long the first screen may think about what to ask of the dump.
const GREETING: Duration = Duration::from_secs(2);

impl Repl<'_> {
    /// A few quiet lines: what is open, what to ask of it, and where to go from here.
    pub(super) fn greet(&mut self) {
        let hint = "Statements end with ; and debugger commands such as !locks need none. .tables \
                    lists what can be asked, .queries the saved queries, .help the commands.";
        let width = self.console.text_width();
        let lines = [Some(self.opened()), self.first_questions(), Some(hint.to_owned())];
        let lines = lines.iter().flatten().flat_map(|line| output::wrap(line, width, ""));
        let text: String = lines.map(|line| line + "\n").collect();
        self.print(&text);
    }

    /// Three things to ask of the dump that is open: what the query `crash` says to look at.
    fn first_questions(&self) -> Option<String> {
        if self.session.source_names().len() != 1 {
            return None;
        }
        let query = self.library.find("crash").ok()?.query;
        let prepared = self.session.prepare(&query.text).ok()?.timeout(GREETING);
        let result = prepared.run().ok()?;
        let row = (0..result.len()).find(|row| result.text(*row, 0) == "look next at")?;
        let mut clean = String::new();
        push_clean(&result.text(row, 1), &mut clean);
        let queries = |name: &&str| self.library.find(name).is_ok();
        let names = clean.split(", ").filter(queries).take(2);
        let asked: Vec<&str> = std::iter::once("!analyze").chain(names).collect();
        Some(format!("Of this dump, ask: {}", asked.join(", .run ")))
    }

    /// One line about the open sources.
    pub(super) fn opened(&self) -> String {
        let facts = |sql: &str| {
            let result = self.session.query(sql).ok()?;
            let columns = 0..result.fields().len();
            let values = columns.map(|c| result.text(0, c)).filter(|t| !t.is_empty());
            let line = values.collect::<Vec<_>>().join(" ");
            let mut clean = String::new();
            push_clean(&line, &mut clean);
            (!result.is_empty() && !clean.is_empty()).then_some(clean)
        };
        match self.session.source_names().as_slice() {
            [] => "no dump is open: .open FILE opens one".to_owned(),
            [name] => {
                let dump = facts("SELECT dump_type, os, 'build ' || build, arch FROM dump");
                let stop = facts("SELECT code, name FROM bugcheck");
                let parts = [Some(name.clone()), dump, stop];
                parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
            }
            names => format!("{} dumps are open; the column `dump` tells them apart", names.len()),
        }
    }
}
