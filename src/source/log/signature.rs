//! Which lines of a log may start a command: one search over all bytes finds the lines that contain
//! a text of any signature, and a check of the start of each line finds those that may be prompts.

use std::sync::OnceLock;

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Span};

use super::command::{ALL, Reader, Signature};

/// A text that occurs only in the opening banner of a debugger.
pub(super) const BANNER: &str = "Microsoft (R) Windows Debugger";
/// The line of a banner that names the file.
pub(super) const LOADING: &str = "Loading Dump File [";

/// All signatures of all readers, searched at once.
struct Signatures {
    /// Determines which of them a line contains.
    searcher: Option<AhoCorasick>,
    /// The same texts in groups for a vectorized search; empty if the processor does not support
    /// it.
    quick: Vec<packed::Searcher>,
    /// By pattern: the reader and its signature; texts that start a target follow them.
    by_pattern: Vec<(usize, Signature)>,
}

/// How many texts one vectorized search takes.
const GROUP: usize = 64;
/// How far from the start of a line the end of a prompt may be.
const NEAR: usize = 64;

fn signatures() -> &'static Signatures {
    static FOUND: OnceLock<Signatures> = OnceLock::new();
    FOUND.get_or_init(|| {
        let of = |(index, reader): (usize, &&'static Reader)| {
            let all = reader.signatures.iter().map(move |s| (index, *s));
            all.collect::<Vec<_>>()
        };
        let by_pattern: Vec<(usize, Signature)> = ALL.iter().enumerate().flat_map(of).collect();
        let literals = by_pattern.iter().map(|(_, signature)| signature.literal);
        let literals: Vec<&str> = literals.chain([BANNER, LOADING]).collect();
        // One table for every state: the search examines each byte once.
        let searcher = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(&literals);
        // Short texts slow down the search of their group, so they share one.
        let mut by_length = literals.clone();
        by_length.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
        by_length.dedup();
        let groups = by_length.chunks(GROUP).map(packed::Searcher::new);
        let quick = groups.collect::<Option<Vec<_>>>().unwrap_or_default();
        Signatures { searcher: searcher.ok(), quick, by_pattern }
    })
}

/// The positions of signature texts in a text, searched on demand.
pub(super) struct Hits<'a> {
    bytes: &'a [u8],
    /// For each group, the first position at or after the last requested one.
    next: Vec<usize>,
}

impl<'a> Hits<'a> {
    /// The signature texts in a text.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let groups = signatures().quick.len().max(1);
        Self { bytes, next: vec![0; groups] }
    }

    /// Whether a signature text starts in a range; ranges must be requested in order.
    pub(super) fn within(&mut self, start: usize, end: usize) -> bool {
        let Self { bytes, next } = self;
        let mut found = false;
        for (group, next) in next.iter_mut().enumerate() {
            if *next <= start {
                *next = Self::after(bytes, group, start).unwrap_or(usize::MAX);
            }
            found |= *next < end;
        }
        found
    }

    fn after(bytes: &[u8], group: usize, start: usize) -> Option<usize> {
        let Signatures { searcher, quick, .. } = signatures();
        match quick.get(group) {
            Some(quick) => Some(quick.find_in(bytes, Span::from(start..bytes.len()))?.start()),
            None => Some(start + searcher.as_ref()?.find(bytes.get(start..)?)?.start()),
        }
    }
}

/// Whether a line may be a prompt, or a command whose prompt is missing.
pub(super) fn may_be_command(line: &[u8]) -> bool {
    let near = line.get(..NEAR).unwrap_or(line);
    let ends_prompt = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| near.get(before));
        before.is_some_and(|b| b.is_ascii_digit() || matches!(b, b'd' | b'c' | b' '))
    };
    let may_end_prompt = |at: usize| match near.get(at..) {
        // The HTML entity of the character.
        Some([b'&', rest @ ..]) => rest.starts_with(b"gt;"),
        _ => ends_prompt(at),
    };
    memchr::memchr2_iter(b'>', b'&', near).any(may_end_prompt)
        || near.starts_with(b"> ")
        || near.iter().find(|b| !matches!(b, b' ' | b'\t' | b'>' | b'/')) == Some(&b'!')
}

/// The first reader that recognises a line.
pub(super) fn reader_of(line: &str) -> Option<usize> {
    first_reader(line, |signature| (signature.check)(line))
}

/// The first reader one of whose signatures passes a check. Each signature is checked once, however
/// often a line contains its text.
fn first_reader(line: &str, mut check: impl FnMut(&Signature) -> bool) -> Option<usize> {
    let Signatures { searcher, by_pattern, .. } = signatures();
    let mut seen: Vec<usize> = Vec::new();
    let mut first: Option<usize> = None;
    for hit in searcher.as_ref()?.find_overlapping_iter(line) {
        let pattern = hit.pattern().as_usize();
        let Some((reader, signature)) = by_pattern.get(pattern) else { continue };
        if first.is_some_and(|first| first <= *reader) || seen.contains(&pattern) {
            continue;
        }
        seen.push(pattern);
        if check(signature) {
            first = Some(*reader);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_checked_once_for_each_signature() {
        let literals = signatures().by_pattern.len();
        for word in ["rax=1 ", " x0=1", "0: kd> RetAddr ", "Cid PROCESS THREAD Irp is active with "]
        {
            let mut checks = 0;
            let line = word.repeat(10_000);
            let _ = first_reader(&line, |_| {
                checks += 1;
                false
            });
            assert!(checks > 0 && checks <= literals, "{word}: {checks} checks");
        }
    }
}
