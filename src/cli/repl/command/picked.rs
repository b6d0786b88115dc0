//! The last result again: all of it, or some of its columns.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::Repl;
use super::words;
use crate::cli::output::{Answer, wrap};
use crate::cli::table::push_clean;
use crate::diag::nearest;
use crate::session::ResultSet;

impl Repl<'_> {
    pub(super) fn show_last(&mut self) {
        match self.last_picked() {
            Some(answer) => {
                let outcome = self.show(&answer);
                self.written(outcome);
            }
            None => self.complain("there is no result yet"),
        }
    }

    /// The last result with the columns that were picked.
    pub(super) fn last_picked(&self) -> Option<Answer> {
        let last = self.last.as_ref()?;
        let picked = self.picked.as_ref();
        Some(picked.map_or_else(
            || last.clone(),
            |picked| Answer { result: last.result.select(picked), ..last.clone() },
        ))
    }

    /// Lists the columns of the last result, or picks some of them and shows it.
    pub(super) fn columns(&mut self, written: &str) {
        let Some(last) = &self.last else {
            return self.complain("there is no result yet");
        };
        if written.is_empty() {
            let text = listed(&last.result, self.picked.as_deref(), self.console.text_width());
            return self.print(&text);
        }
        match picked(&last.result, written) {
            Ok(picked) => {
                self.picked = picked;
                self.show_last();
            }
            Err(message) => self.complain(&message),
        }
    }
}

/// Names with their numbers; those that are picked are marked.
fn listed(result: &ResultSet, picked: Option<&[usize]>, width: usize) -> String {
    let mut line = String::new();
    for (at, field) in result.fields().iter().enumerate() {
        let mark = if picked.is_some_and(|picked| picked.contains(&at)) { "*" } else { "" };
        // A name is not torn from its number; writing into a `String` cannot fail.
        let _ = write!(line, "{}{}\u{a0}{mark}", if at == 0 { "" } else { ", " }, at + 1);
        push_clean(&field.name, &mut line);
    }
    let lines = wrap(&line, width, "").join("\n").replace('\u{a0}', " ");
    format!("{lines}\n.columns 1-3 NAME shows some of them, .columns all shows all\n")
}

/// The places that numbers, ranges and names stand for; `None` for all.
fn picked(result: &ResultSet, written: &str) -> Result<Option<Vec<usize>>, String> {
    let fields = result.fields();
    let mut places = Vec::new();
    for word in words(&written.replace(',', " ")) {
        if let Some(at) = result.index_of(&word) {
            places.push(at);
            continue;
        }
        if word.eq_ignore_ascii_case("all") {
            return Ok(None);
        }
        let ends = word.split_once('-').unwrap_or((&word, &word));
        let number = |text: &str| text.parse().ok().filter(|n| (1..=fields.len()).contains(n));
        let (Some(first), Some(last)) = (number(ends.0), number(ends.1)) else {
            let near = nearest(&word, fields.iter().map(|f| f.name.as_str()));
            let near = match near.as_slice() {
                [] => String::new(),
                near => format!("; similar: {}", near.join(", ")),
            };
            let count = fields.len();
            return Err(format!("the last result has no column `{word}`; it has {count}{near}"));
        };
        places.extend(first - 1..last);
    }
    let mut seen = BTreeSet::new();
    places.retain(|place| seen.insert(*place));
    Ok(Some(places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples::hostile;

    #[test]
    fn columns_are_picked_by_number_range_and_name() {
        let result = hostile();
        let of = |text| picked(&result, text);
        assert_eq!(of("1-3 is_on"), Ok(Some(vec![0, 1, 2, 5])));
        assert_eq!(of("base,name"), Ok(Some(vec![1, 0])));
        assert_eq!(of("all"), Ok(None));
        assert!(of("9").unwrap_err().contains("no column `9`"));
        assert!(of("bse").unwrap_err().contains("similar: base"));
        let text = listed(&result, Some(&[1]), 40);
        assert!(text.contains("1 name") && text.contains("2 *base"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }
}
