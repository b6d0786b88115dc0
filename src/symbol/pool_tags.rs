//! Descriptions of pool tags: a built-in list, and a file of the user in the format of
//! `pooltag.txt`, which has priority.
//!
//! A line is `Tag - binary - description`. A `?` in a tag matches any character, a trailing `*` any
//! rest; other lines are comments.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use super::Error;

/// What is known about a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolTagName<'a> {
    /// The driver or kernel component that allocates with it.
    pub binary: Option<&'a str>,
    /// The purpose of its allocations.
    pub description: &'a str,
}

/// A list of pool tags.
#[derive(Debug, Default)]
pub struct PoolTags {
    exact: HashMap<[u8; 4], (String, String)>,
    /// Tags with `?`, those with the fewest first.
    patterns: Vec<([u8; 4], (String, String))>,
}

/// A longer line is not part of a pool tag list.
const MAX_LINE: usize = 1024;
/// Upper limit on the size of a file.
const MAX_BYTES: u64 = 16 << 20;

static BUILT_IN: LazyLock<PoolTags> =
    LazyLock::new(|| PoolTags::parse(include_str!("pooltag.txt")));

impl PoolTags {
    /// The built-in list.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or has no line with a tag.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown = || path.display().to_string();
        let io = |source| Error::Io { path: shown(), source };
        let because =
            |because: &str| Error::NotALayout { path: shown(), found: because.to_owned() };
        if std::fs::metadata(path).map_err(io)?.len() > MAX_BYTES {
            return Err(because("it is too large for a list of pool tags"));
        }
        let bytes = std::fs::read(path).map_err(io)?;
        let tags = Self::parse(&String::from_utf8_lossy(&bytes));
        if tags.exact.is_empty() && tags.patterns.is_empty() {
            return Err(because("it has no line of the form `Tag - binary - description`"));
        }
        Ok(tags)
    }

    /// Parses the text of a list; of several lines for a tag the first counts.
    pub fn parse(text: &str) -> Self {
        let mut tags = Self::default();
        for (tag, known) in text.lines().filter_map(line) {
            if tag.contains(&b'?') {
                tags.patterns.push((tag, known));
            } else {
                tags.exact.entry(tag).or_insert(known);
            }
        }
        tags.patterns.sort_by_key(|(tag, _)| tag.map(|b| u8::from(b == b'?')).iter().sum::<u8>());
        tags
    }

    /// What is known about a tag.
    pub fn find(&self, tag: [u8; 4]) -> Option<PoolTagName<'_>> {
        // Short tags are padded with spaces or nulls.
        let tag = tag.map(|b| if b == 0 { b' ' } else { b });
        let fits = |pattern: &[u8; 4]| pattern.iter().zip(tag).all(|(p, b)| *p == b'?' || *p == b);
        let by_pattern = || self.patterns.iter().find(|(pattern, _)| fits(pattern)).map(|(_, k)| k);
        let (binary, description) = self.exact.get(&tag).or_else(by_pattern)?;
        let binary = Some(binary.as_str()).filter(|binary| !binary.is_empty());
        Some(PoolTagName { binary, description })
    }
}

/// A line of a list: the tag, and its binary and description.
fn line(line: &str) -> Option<([u8; 4], (String, String))> {
    if line.len() > MAX_LINE {
        return None;
    }
    let (name, rest) = line.split_once(" - ")?;
    let name = name.trim_end().as_bytes();
    if name.is_empty() || name.len() > 4 {
        return None;
    }
    let (stem, fill) = match name {
        [stem @ .., b'*'] => (stem, b'?'),
        stem => (stem, b' '),
    };
    let mut tag = [fill; 4];
    tag.iter_mut().zip(stem).for_each(|(to, from)| *to = *from);
    let (binary, description) = rest.split_once(" - ").unwrap_or(("", rest));
    let binary = binary.trim();
    let binary = if matches!(binary, "<unknown>" | "unknown" | "") { "" } else { binary };
    let description = description.trim();
    (!description.is_empty()).then(|| (tag, (binary.to_owned(), description.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_by_name_or_pattern() {
        let text = "rem a list\nDdk  - nt!ex - Drivers\nNt*  - ntfs.sys - All\nNtF? - a - Some\n\
                    x - <unknown> - One\nlonger - no - tag\nbad\nDdk  - second - ignored\n";
        let tags = PoolTags::parse(text);
        let find = |tag: &[u8; 4]| tags.find(*tag).map(|known| (known.binary, known.description));
        assert_eq!(find(b"Ddk "), Some((Some("nt!ex"), "Drivers")));
        assert_eq!(find(b"Ddk\0"), Some((Some("nt!ex"), "Drivers")));
        assert_eq!(find(b"NtFs"), Some((Some("a"), "Some")));
        assert_eq!(find(b"Ntff"), Some((Some("ntfs.sys"), "All")));
        assert_eq!(find(b"x   "), Some((None, "One")));
        assert_eq!(find(b"long"), None);
        assert_eq!(find(b"zzzz"), None);
    }

    #[test]
    fn every_line_of_the_built_in_list_is_read() {
        let text = include_str!("pooltag.txt");
        let tags = PoolTags::built_in();
        let lines = text.lines().filter(|line| !line.starts_with("rem")).count();
        assert_eq!(tags.exact.len() + tags.patterns.len(), lines, "a tag is there twice");
        assert!(lines > 300, "{lines}");
        for line in text.lines().filter(|line| !line.starts_with("rem")) {
            assert!(line.is_char_boundary(4) && line[4..].starts_with(" - "), "{line}");
        }
        let known = tags.find(*b"Irp ").unwrap();
        assert_eq!(known.binary, Some("nt!io"));
    }
}
