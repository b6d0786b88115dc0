//! Numbered file names, and text wrapped to the width of the terminal.

use std::path::{Path, PathBuf};

use super::super::table::push_clean;

/// `x.csv`, `x-2.csv`, `x-3.csv`, ….
pub(super) fn numbered(path: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Breaks text into lines of at most `width` columns; all except the first are indented by
/// `indent`.
pub(in crate::cli) fn wrap(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let used = super::super::table::width_of(&line) + 1 + super::super::table::width_of(word);
        if !line.trim().is_empty() && used > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        push_clean(word, &mut line);
    }
    lines.push(line);
    lines
}
