//! Regular expressions, in linear time and bounded memory.

use std::cell::RefCell;

use regex::{Regex, RegexBuilder};

use super::def::{Args, Fault, FuncCx, Scalar, bad, check_length};
use super::list::build as build_list;
use super::text::int;
use crate::catalog::Ty::{self, Bool, Int, Text};
use crate::catalog::{Signature, Value};

family!("text");

const TEST: &[Signature] = &[Signature::new(&[Text, Text, Text], Bool).optional(1)];

pub(super) const ALL: &[Scalar] = &[
    f(
        "regexp_matches",
        "Whether the regular expression matches somewhere in the text. Options as a third argument: i (without case), s (the dot matches line ends too), l (the pattern is literal text).",
        TEST,
        &[
            ("regexp_matches('ntfs.sys', '^nt.*sys$')", "true"),
            ("regexp_matches('NTFS', 'ntfs', 'i')", "true"),
        ],
        |_, a| matches(a, false),
    ),
    f(
        "regexp_full_match",
        "Whether the regular expression matches the whole text. Options as for regexp_matches.",
        TEST,
        &[("regexp_full_match('ntfs.sys', 'nt')", "false")],
        |_, a| matches(a, true),
    ),
    f(
        "regexp_extract",
        "The first match of the regular expression, or the part of it that a group (by number) matched; empty without a match.",
        &[Signature::new(&[Text, Text, Int, Text], Text).optional(2)],
        &[
            ("regexp_extract('KB5001330', '[0-9]+')", "5001330"),
            ("regexp_extract('a=1', '(.)=(.)', 2)", "1"),
        ],
        |_, a| extract(a),
    ),
    f(
        "regexp_replace",
        "The text with the first match of the regular expression replaced, or with every match under the option g. In the replacement \\1 to \\9 are the groups, and \\0 is the match.",
        &[Signature::new(&[Text, Text, Text, Text], Text).optional(1)],
        &[
            ("regexp_replace('hello', 'l', 'L')", "heLlo"),
            ("regexp_replace('hello', '(l)', '<\\1>', 'g')", "he<l><l>o"),
        ],
        |_, a| replace(a),
    ),
    f(
        "regexp_extract_all",
        "A list of all matches of the regular expression, or of the parts of them that a group (by number) matched.",
        &[Signature::new(&[Text, Text, Int, Text], Ty::TEXTS).optional(2)],
        &[
            ("regexp_extract_all('a1b22', '[0-9]+')", "[1, 22]"),
            ("regexp_extract_all('a=1;b=2', '(.)=(.)', 2)", "[1, 2]"),
        ],
        extract_all,
    ),
    f(
        "regexp_split_to_array",
        "A list of the parts of the text between the matches of the regular expression.",
        &[Signature::new(&[Text, Text, Text], Ty::TEXTS).optional(1)],
        &[("regexp_split_to_array('a1b2c', '[0-9]')", "[a, b, c]")],
        |cx, a| {
            let text = a.text(0)?;
            with(a.text(1)?, options(a, 2, false)?, |regex| {
                build_list(cx, regex.split(text).map(Value::text))
            })
        },
    )
    .or(&["string_split_regex", "str_split_regex"]),
    f(
        "regexp_count",
        "How often the regular expression matches, without overlaps.",
        &[Signature::new(&[Text, Text, Text], Int).optional(1)],
        &[("regexp_count('a1b22', '[0-9]+')", "2")],
        |_, a| count(a),
    ),
    f(
        "regexp_escape",
        "The text as a regular expression that matches just it.",
        &[Signature::new(&[Text], Text)],
        &[("regexp_escape('a.b')", "a\\.b")],
        |_, a| escape(a.text(0)?),
    ),
];

/// The options of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each flag is one letter in a query")]
struct Options {
    no_case: bool,
    dot_is_all: bool,
    literal: bool,
    all: bool,
    whole: bool,
}

impl Options {
    fn parse(text: &str, may_replace: bool) -> Result<Self, Fault> {
        let mut options = Self::default();
        for c in text.chars() {
            match c {
                'i' => options.no_case = true,
                'c' => options.no_case = false,
                's' => options.dot_is_all = true,
                'm' | 'n' | 'p' => options.dot_is_all = false,
                'l' => options.literal = true,
                'g' if may_replace => options.all = true,
                _ => {
                    return bad(format!(
                        "'{}' is not an option of regular expressions",
                        c.escape_default()
                    ));
                }
            }
        }
        Ok(options)
    }
}

fn options(a: &[Value<'_>], index: usize, may_replace: bool) -> Result<Options, Fault> {
    if a.any(index).is_null() {
        Ok(Options::default())
    } else {
        Options::parse(a.text(index)?, may_replace)
    }
}

/// The number of compiled patterns kept per thread, most recently used first. A query uses few
/// patterns for many rows. Each thread uses its compiled pattern in place, because a clone would
/// start with an empty cache of automaton states.
const CACHED: usize = 8;

struct Compiled {
    pattern: String,
    options: Options,
    regex: Regex,
}

thread_local! {
    static CACHE: RefCell<Vec<Compiled>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with the compiled pattern.
fn with<R>(
    pattern: &str,
    options: Options,
    f: impl FnOnce(&Regex) -> Result<R, Fault>,
) -> Result<R, Fault> {
    CACHE.with_borrow_mut(|cache| {
        let found = cache.iter().position(|c| c.options == options && c.pattern == pattern);
        if let Some(index) = found {
            cache.swap(0, index);
        } else {
            let regex = compile(pattern, options)?;
            cache.truncate(CACHED - 1);
            cache.insert(0, Compiled { pattern: pattern.to_owned(), options, regex });
        }
        cache.first().map_or_else(|| bad(""), |c| f(&c.regex))
    })
}

fn compile(pattern: &str, options: Options) -> Result<Regex, Fault> {
    let mut source = if options.literal { regex::escape(pattern) } else { pattern.to_owned() };
    if options.whole {
        // The pattern is compiled alone first, because the group around it could make an invalid
        // pattern valid.
        build(&source, options)?;
        source = format!("\\A(?:{source})\\z");
    }
    build(&source, options)
}

fn build(source: &str, options: Options) -> Result<Regex, Fault> {
    RegexBuilder::new(source)
        .case_insensitive(options.no_case)
        .dot_matches_new_line(options.dot_is_all)
        .size_limit(4 << 20)
        .dfa_size_limit(4 << 20)
        .nest_limit(100)
        .build()
        .map_err(|error| Fault::BadArgument(1, explain(&error)))
}

fn explain(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
        other => {
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default().trim();
            format!("not a regular expression: {}", reason.trim_start_matches("error: "))
        }
    }
}

fn matches(a: &[Value<'_>], whole: bool) -> Result<Value<'static>, Fault> {
    let options = Options { whole, ..options(a, 2, false)? };
    let text = a.text(0)?;
    with(a.text(1)?, options, |regex| Ok(Value::Bool(regex.is_match(text))))
}

fn extract(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let text = a.text(0)?;
    let group = if a.any(2).is_null() { 0 } else { a.int(2)? };
    let Ok(group) = usize::try_from(group) else {
        return bad(format!("{group} is not the number of a group"));
    };
    with(a.text(1)?, options(a, 3, false)?, |regex| {
        let part = match group {
            0 => regex.find(text),
            _ => regex.captures(text).and_then(|found| found.get(group)),
        };
        Ok(Value::text(part.map(|m| m.as_str().to_owned()).unwrap_or_default()))
    })
}

fn extract_all(cx: &FuncCx<'_>, a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let text = a.text(0)?;
    let group = if a.any(2).is_null() { 0 } else { a.int(2)? };
    let Ok(group) = usize::try_from(group) else {
        return bad(format!("{group} is not the number of a group"));
    };
    with(a.text(1)?, options(a, 3, false)?, |regex| {
        if group >= regex.captures_len() {
            return bad(format!("the regular expression has no group {group}"));
        }
        let part = |found: regex::Captures<'_>| {
            Value::text(found.get(group).map_or(String::new(), |m| m.as_str().to_owned()))
        };
        build_list(cx, regex.captures_iter(text).map(part))
    })
}

fn count(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let text = a.text(0)?;
    with(a.text(1)?, options(a, 2, false)?, |regex| int(regex.find_iter(text).count()))
}

fn escape(text: &str) -> Result<Value<'static>, Fault> {
    check_length(text.len().checked_mul(2))?;
    Ok(Value::text(regex::escape(text)))
}

/// A part of a replacement text.
enum Piece {
    Char(char),
    Group(usize),
}

fn pieces(replacement: &str, groups: usize) -> Result<Vec<Piece>, Fault> {
    let mut result = Vec::new();
    let mut chars = replacement.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(Piece::Char(c));
            continue;
        }
        match chars.next() {
            Some('\\') => result.push(Piece::Char('\\')),
            Some(digit @ '0'..='9') => {
                let group = digit.to_digit(10).unwrap_or_default() as usize;
                if group > groups {
                    return bad(format!(
                        "the replacement names group {group} and the pattern has {groups}"
                    ));
                }
                result.push(Piece::Group(group));
            }
            _ => return bad("a backslash in a replacement is followed by a digit or a backslash"),
        }
    }
    Ok(result)
}

fn replace(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let options = options(a, 3, true)?;
    let (text, replacement) = (a.text(0)?, a.text(2)?);
    with(a.text(1)?, Options { all: false, ..options }, |regex| {
        replaced(text, regex, replacement, options.all)
    })
}

fn replaced(
    text: &str,
    regex: &Regex,
    replacement: &str,
    all: bool,
) -> Result<Value<'static>, Fault> {
    let pieces = pieces(replacement, regex.captures_len().saturating_sub(1))?;
    let mut result = String::new();
    let mut from = 0;
    for found in regex.captures_iter(text).take(if all { usize::MAX } else { 1 }) {
        let Some(whole) = found.get(0) else { continue };
        result.push_str(text.get(from..whole.start()).unwrap_or_default());
        from = whole.end();
        for piece in &pieces {
            match *piece {
                Piece::Char(c) => result.push(c),
                Piece::Group(group) => result.push_str(found.get(group).map_or("", |m| m.as_str())),
            }
            check_length(Some(result.len()))?;
        }
    }
    result.push_str(text.get(from..).unwrap_or_default());
    check_length(Some(result.len()))?;
    Ok(Value::text(result))
}
