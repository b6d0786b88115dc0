//! The files that match a pattern with wildcards: `logs/*.csv`, `logs/**/a?.json`.

use std::path::{Path, PathBuf};

/// Upper limit on examined directory entries.
const MAX_ENTRIES: usize = 1_000_000;

/// Upper limit on the depth of `**`.
const MAX_DEPTH: usize = 64;

/// The files that match a path with wildcards, in order. A path without wildcards matches itself,
/// if it exists.
///
/// # Errors
/// If there are more than `most` matches, or too many directory entries.
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
    /// Searches a folder for entries that match the first part of the pattern, and continues in
    /// them.
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
        // A folder that cannot be read counts as empty.
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
                // Symbolic links may form cycles.
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

/// Whether a name matches a pattern of `*`, `?` and `[…]`; only a literal dot matches a leading
/// dot.
fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // The position of the last star, and the end of the text that it matches so far.
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

/// The length of the class at the start of the pattern, if the character is in it. An unclosed `[`
/// is a literal bracket.
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
