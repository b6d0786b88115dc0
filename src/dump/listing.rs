//! The files that a pattern names: `logs/*.csv`, `logs/**/a?.json`.

use std::path::{Path, PathBuf};

/// How many entries of folders are looked at.
const MAX_ENTRIES: usize = 1_000_000;

/// How deep `**` goes.
const MAX_DEPTH: usize = 64;

/// The files that a path with wildcards names, in order; without wildcards the path itself, if it is there.
///
/// # Errors
/// If there are more than `most`, or more entries than are looked at.
pub fn files(pattern: &str, most: usize) -> Result<Vec<String>, String> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(Path::new(pattern).exists().then(|| pattern.to_owned()).into_iter().collect());
    }
    let is_separator = |c: char| c == '/' || (cfg!(windows) && c == '\\');
    let parts: Vec<&str> = pattern.split(is_separator).collect();
    let plain = parts.iter().take_while(|part| !part.contains(['*', '?', '['])).count();
    let (start, rest) = parts.split_at_checked(plain).unwrap_or((&[], &parts));
    let start = match start {
        [] => PathBuf::new(),
        [""] => PathBuf::from("/"),
        parts => PathBuf::from(parts.join("/")),
    };
    let mut search = Search { most, left: MAX_ENTRIES, found: Vec::new() };
    search.folder(&start, rest, 0)?;
    search.found.sort();
    search.found.dedup();
    Ok(search.found)
}

struct Search {
    most: usize,
    left: usize,
    found: Vec<String>,
}

impl Search {
    /// The entries of a folder that fit the first of the parts, and what is in them.
    fn folder(&mut self, folder: &Path, parts: &[&str], depth: usize) -> Result<(), String> {
        let Some((part, rest)) = parts.split_first() else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Ok(());
        }
        let all = *part == "**";
        if all {
            self.folder(folder, rest, depth.saturating_add(1))?;
        }
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // A folder that cannot be read has no files.
        let Ok(entries) = std::fs::read_dir(here) else { return Ok(()) };
        let mut names: Vec<String> = Vec::new();
        for entry in entries.flatten() {
            self.left = self.left.checked_sub(1).ok_or("more files than are looked at")?;
            names.extend(entry.file_name().to_str().map(str::to_owned));
        }
        names.sort();
        for name in names {
            let path = folder.join(&name);
            if all {
                // Links may lead back.
                if path.is_dir() && !path.is_symlink() {
                    self.folder(&path, parts, depth.saturating_add(1))?;
                }
            } else if fits(part, &name) {
                if !rest.is_empty() {
                    self.folder(&path, rest, depth.saturating_add(1))?;
                } else if path.is_file() {
                    self.found.extend(path.to_str().map(str::to_owned));
                    if self.found.len() > self.most {
                        return Err(format!("more than {} files", self.most));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a name fits a pattern of `*`, `?` and `[…]`; a leading dot has to be written.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // Where the last star stands, and what it takes so far.
    let (mut p, mut n, mut star) = (0usize, 0usize, None);
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p = p.saturating_add(1);
                continue;
            }
            Some('?') => Some(1),
            Some('[') => class(pattern.get(p..).unwrap_or_default(), name.get(n).copied()),
            Some(c) => (name.get(n) == Some(c)).then_some(1),
            None => None,
        };
        match (step, star) {
            (Some(step), _) => {
                p = p.saturating_add(step);
                n = n.saturating_add(1);
            }
            (None, Some((at, taken))) => {
                p = at.saturating_add(1);
                n = taken.saturating_add(1);
                star = Some((at, n));
            }
            (None, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

/// How long the class is that a pattern begins with, if the character is of it. One that is not closed is a
/// bracket.
fn class(pattern: &[char], c: Option<char>) -> Option<usize> {
    let c = c?;
    let Some(end) = pattern.iter().skip(2).position(|c| *c == ']') else {
        return (c == '[').then_some(1);
    };
    let end = end.saturating_add(2);
    let inner = pattern.get(1..end).unwrap_or_default();
    let (negated, inner) = match inner.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        _ => (false, inner),
    };
    let mut rest = inner;
    let mut found = false;
    while let Some((first, later)) = rest.split_first() {
        (found, rest) = match later {
            ['-', last, later @ ..] => (found || (*first <= c && c <= *last), later),
            later => (found || *first == c, later),
        };
    }
    (found != negated).then(|| end.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_patterns() {
        for (pattern, name) in [
            ("*.csv", "a.csv"),
            ("a?c", "abc"),
            ("[a-c]x[!0-9]", "bxz"),
            ("*a*b*", "xaxxbx"),
            ("[", "["),
            (".*", ".hidden"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.csv", "a.csv2"), ("a?c", "ac"), ("[a-c]", "d"), ("*", ".hidden"), ("[!a]", "a")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
