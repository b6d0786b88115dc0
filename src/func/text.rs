//! Text, counted in characters (Unicode scalar values) unless a function says bytes.

use std::collections::{HashMap, HashSet};

use super::def::{Args, Fault, FuncCx, Scalar, bad, check_length, sig};
use crate::catalog::Ty::{self, Bool, Double, Int, Null, Text};
use crate::catalog::{Format, Signature, Value};

const T: &[Signature] = &[sig(&[Text], Text)];
const T_TO_INT: &[Signature] = &[sig(&[Text], Int)];
const TT_TO_BOOL: &[Signature] = &[sig(&[Text, Text], Bool)];
const TT_TO_DOUBLE: &[Signature] = &[sig(&[Text, Text], Double)];
const TT_TO_INT: &[Signature] = &[sig(&[Text, Text], Int)];
const TI: &[Signature] = &[sig(&[Text, Int], Text)];
const TRIM: &[Signature] = &[Signature::new(&[Text, Text], Text).optional(1)];
const PAD: &[Signature] = &[Signature::new(&[Text, Int, Text], Text).optional(1)];
const TTT: &[Signature] = &[sig(&[Text, Text, Text], Text)];

family!("text");

const TB_TO_INT: &[Signature] = &[sig(&[Text], Int), sig(&[Ty::Blob], Int)];

/// The number of bytes of a text or a blob.
fn byte_length(a: &[Value<'_>]) -> Result<usize, super::def::Fault> {
    match a.any(0).as_blob() {
        Some(blob) => Ok(blob.len()),
        None => Ok(a.text(0)?.len()),
    }
}

pub(super) const ALL: &[Scalar] = &[
    f("lower", "The text in lower case.", T, &[("lower('NTFS.SYS')", "ntfs.sys")], |_, a| Ok(Value::text(a.text(0)?.to_lowercase()))).or(&["lcase"]).total(),
    f("upper", "The text in upper case.", T, &[("upper('nt')", "NT")], |_, a| Ok(Value::text(a.text(0)?.to_uppercase()))).or(&["ucase"]).total(),
    f("collate_nocase", "The text, `x COLLATE NOCASE`: as a column or a key, and in comparisons, its case does not matter.", T, &[("collate_nocase('Nt')", "Nt")], |_, a| Ok(Value::text(a.text(0)?.to_owned()))).total(),
    f("length", "The number of characters, or of elements of a list.", &[sig(&[Text], Int), sig(&[Ty::ANY_LIST], Int)], &[("length('héllo')", "5"), ("len([1, 2])", "2")], |_, a| match a.any(0).as_nested() { Some(list) => int(list.len()), None => int(a.text(0)?.chars().count()) }).or(&["len", "char_length", "character_length"]).total(),
    f("strlen", "The number of bytes, of a text in UTF-8.", TB_TO_INT, &[("strlen('héllo')", "6"), ("octet_length('\\xDE\\xAD'::BLOB)", "2")], |_, a| int(byte_length(a)?)).or(&["octet_length"]).total(),
    f("bit_length", "The number of bits, of a text in UTF-8.", TB_TO_INT, &[("bit_length('nt')", "16")], |_, a| int(byte_length(a)?.saturating_mul(8))).total(),
    f("trim", "The text without blanks at both ends, or without the characters of the second argument.", TRIM, &[("trim('  a ')", "a"), ("trim('xyaxy', 'xy')", "a")], |_, a| trimmed(a, true, true)).total(),
    f("ltrim", "The text without blanks at the start, or without the characters of the second argument.", TRIM, &[("ltrim('xxax', 'x')", "ax")], |_, a| trimmed(a, true, false)).total(),
    f("rtrim", "The text without blanks at the end, or without the characters of the second argument.", TRIM, &[("rtrim('xaxx', 'x')", "xa")], |_, a| trimmed(a, false, true)).total(),
    f("substring", "The characters from a position, counted from 1, on; at most as many as the third argument says. A negative position counts from the end.", &[Signature::new(&[Text, Int, Int], Text).optional(1)], &[("substring('ntoskrnl', 3, 2)", "os"), ("substring('ntoskrnl', -4)", "krnl")], |_, a| substring(a)).or(&["substr"]).total(),
    f("left", "The first characters; all but the last ones if the number is negative.", TI, &[("left('ntoskrnl', 2)", "nt"), ("left('abc', -1)", "ab")], |_, a| left(a.text(0)?, a.int(1)?)).total(),
    f("right", "The last characters; all but the first ones if the number is negative.", TI, &[("right('ntoskrnl', 4)", "krnl"), ("right('abc', -1)", "bc")], |_, a| right(a.text(0)?, a.int(1)?)).total(),
    f("lpad", "The text at that length: filled up at the start with the third argument or blanks, or cut off at its end.", PAD, &[("lpad('7', 3, '0')", "007")], |_, a| padded(a, true)),
    f("rpad", "The text at that length: filled up at the end with the third argument or blanks, or cut off.", PAD, &[("rpad('ab', 5, '.')", "ab...")], |_, a| padded(a, false)),
    f("replace", "The text with every occurrence of the second argument replaced by the third.", TTT, &[("replace('a-b-c', '-', '+')", "a+b+c")], |_, a| replace(a.text(0)?, a.text(1)?, a.text(2)?)),
    f("reverse", "The characters in reverse order.", T, &[("reverse('abc')", "cba")], |_, a| Ok(Value::text(a.text(0)?.chars().rev().collect::<String>()))).total(),
    f("repeat", "The text that many times.", TI, &[("repeat('ab', 3)", "ababab")], |_, a| repeat(a.text(0)?, a.int(1)?)),
    f("concat", "All arguments as one text; NULLs count as empty.", &[Signature::new(&[Null], Text).variadic()], &[("concat('pid ', 4, NULL)", "pid 4")], |cx, a| join(cx, "", a)).takes_null(),
    f("concat_ws", "All further arguments as one text with the first between them; NULLs are left out.", &[Signature::new(&[Text, Null], Text).variadic()], &[("concat_ws('-', 'a', NULL, 'b')", "a-b")], |cx, a| if a.any(0).is_null() { Ok(Value::Null) } else { join(cx, a.text(0)?, a.get(1..).unwrap_or_default()) }).takes_null(),
    f("contains", "Whether the second text occurs in the first.", TT_TO_BOOL, &[("contains('ntfs.sys', 'fs')", "true")], |_, a| Ok(Value::Bool(a.text(0)?.contains(a.text(1)?)))).total(),
    f("starts_with", "Whether the first text begins with the second.", TT_TO_BOOL, &[("starts_with('ntfs.sys', 'nt')", "true")], |_, a| Ok(Value::Bool(a.text(0)?.starts_with(a.text(1)?)))).or(&["prefix"]).total(),
    f("ends_with", "Whether the first text ends with the second.", TT_TO_BOOL, &[("ends_with('ntfs.sys', '.sys')", "true")], |_, a| Ok(Value::Bool(a.text(0)?.ends_with(a.text(1)?)))).or(&["suffix"]).total(),
    f("position", "Where the second text first occurs in the first, counted from 1; 0 if it does not. The grammar's position(needle IN text) is the same with its operands swapped.", TT_TO_INT, &[("position('hello', 'l')", "3")], |_, a| position(a.text(0)?, a.text(1)?)).or(&["strpos", "instr"]).total(),
    f("split_part", "The part of that number, counted from 1, of the text cut at each separator; negative numbers count from the end. Empty if there is no such part.", &[sig(&[Text, Text, Int], Text)], &[("split_part('a,b,c', ',', 2)", "b"), ("split_part('a,b,c', ',', -1)", "c")], |_, a| split_part(a.text(0)?, a.text(1)?, a.int(2)?)).total(),
    f("overlay", "The text with the second one in the place of the characters from a position, counted from 1, on: as many as it has, or as the fourth argument says.", &[Signature::new(&[Text, Text, Int, Int], Text).optional(1)], &[("overlay('ntfs.sys', 'FS', 3)", "ntFS.sys"), ("overlay('abcdef', 'x', 2, 3)", "axef")], |_, a| overlay(a)),
    f("translate", "The text with each character of the second argument replaced by the one at the same place of the third, or left out if there is none.", TTT, &[("translate('hello', 'el', 'ip')", "hippo")], |_, a| translate(a.text(0)?, a.text(1)?, a.text(2)?)),
    f("unicode", "The code point of the first character; -1 for empty text.", T_TO_INT, &[("unicode('é')", "233")], |_, a| Ok(Value::Int(a.text(0)?.chars().next().map_or(-1, |c| i64::from(u32::from(c)))))).or(&["ord"]).total(),
    f("chr", "The character of a code point.", &[sig(&[Int], Text)], &[("chr(65)", "A")], |_, a| chr(a.int(0)?)),
    f("levenshtein", "The number of characters to insert, delete or replace to make one text the other.", TT_TO_INT, &[("levenshtein('kitten', 'sitting')", "3")], |_, a| measured("levenshtein", a.text(0)?, a.text(1)?, strsim::levenshtein)).or(&["editdist3"]),
    f("damerau_levenshtein", "The same as levenshtein, where two neighbours that change places are one step.", TT_TO_INT, &[("damerau_levenshtein('ntfs', 'ntsf')", "1")], |_, a| measured("damerau_levenshtein", a.text(0)?, a.text(1)?, strsim::damerau_levenshtein)),
    f("hamming", "The number of places at which two texts of the same length differ.", TT_TO_INT, &[("hamming('ntfs', 'npfs')", "1")], |_, a| hamming(a.text(0)?, a.text(1)?)).or(&["mismatches"]),
    f("jaro_similarity", "How alike two texts are, from 0 to 1, by Jaro's measure.", TT_TO_DOUBLE, &[("jaro_similarity('duck', 'duck')", "1.0")], |_, a| likeness("jaro_similarity", a.text(0)?, a.text(1)?, strsim::jaro)),
    f("jaro_winkler_similarity", "The similarity of two texts from 0 to 1 by the Jaro-Winkler measure, which favours texts with equal beginnings.", TT_TO_DOUBLE, &[("jaro_winkler_similarity('duck', 'duck')", "1.0")], |_, a| likeness("jaro_winkler_similarity", a.text(0)?, a.text(1)?, strsim::jaro_winkler)),
    f("jaccard", "The number of characters that both texts have, of those that either has, from 0 to 1.", TT_TO_DOUBLE, &[("jaccard('ab', 'bc')", "0.3333333333333333")], |_, a| jaccard(a.text(0)?, a.text(1)?)),
    f("printable", "The text with control characters shown as dots.", &[sig(&[Text], Text)], &[("printable('a' || chr(7))", "a.")], |_, a| Ok(Value::text(printable(a.text(0)?.chars())))),
];

/// Text with each control character replaced by a dot.
pub(super) fn printable(chars: impl Iterator<Item = char>) -> String {
    chars.map(|c| if c.is_control() { '.' } else { c }).collect()
}

/// The text of any value, as results show it.
pub(super) fn shown(cx: &FuncCx<'_>, value: &Value<'_>) -> String {
    Format::Plain.render(value, cx.width)
}

pub(super) fn int(count: usize) -> Result<Value<'static>, Fault> {
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn owned(text: &str) -> Value<'static> {
    Value::text(text.to_owned())
}

/// Whether DuckDB's trim removes the character: Unicode space separators, but not tabs or line
/// ends.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

fn trimmed(a: &[Value<'_>], start: bool, end: bool) -> Result<Value<'static>, Fault> {
    let set: Option<Vec<char>> = match a.any(1) {
        Value::Null => None,
        _ => Some(a.text(1)?.chars().take(1024).collect()),
    };
    let goes = |c: char| set.as_ref().map_or_else(|| is_blank(c), |set| set.contains(&c));
    let mut text = a.text(0)?;
    if start {
        text = text.trim_start_matches(goes);
    }
    if end {
        text = text.trim_end_matches(goes);
    }
    Ok(owned(text))
}

/// The byte offset of the character with that index; the end if the text is shorter.
fn offset(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

/// The characters `from..to`, clamped to the text.
fn slice(text: &str, from: i64, to: i64) -> &str {
    let at = |index: i64| offset(text, usize::try_from(index.max(0)).unwrap_or(usize::MAX));
    let (start, end) = (at(from), at(to));
    text.get(start..end).unwrap_or_default()
}

fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn substring(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (text, start) = (a.text(0)?, a.int(1)?);
    let from = match start {
        1.. => start - 1,
        0 => -1,
        _ => count(text).saturating_add(start),
    };
    if a.any(2).is_null() {
        return Ok(owned(slice(text, from, i64::MAX)));
    }
    let to = from.saturating_add(a.int(2)?);
    Ok(owned(slice(text, from.min(to), from.max(to))))
}

fn left(text: &str, n: i64) -> Result<Value<'static>, Fault> {
    let to = if n < 0 { count(text).saturating_add(n) } else { n };
    Ok(owned(slice(text, 0, to)))
}

fn right(text: &str, n: i64) -> Result<Value<'static>, Fault> {
    let from = if n < 0 { n.saturating_neg() } else { count(text).saturating_sub(n) };
    Ok(owned(slice(text, from, i64::MAX)))
}

fn padded(a: &[Value<'_>], start: bool) -> Result<Value<'static>, Fault> {
    let (text, length) = (a.text(0)?, a.int(1)?.max(0));
    let fill = if a.any(2).is_null() { " " } else { a.text(2)? };
    let missing = length.saturating_sub(count(text));
    if missing <= 0 {
        return Ok(owned(slice(text, 0, length)));
    }
    if fill.is_empty() {
        return bad("nothing to fill up the text with: the padding is empty");
    }
    let missing = usize::try_from(missing).unwrap_or(usize::MAX);
    check_length(missing.checked_mul(4).and_then(|n| n.checked_add(text.len())))?;
    let padding = fill.chars().cycle().take(missing);
    let result: String = if start {
        padding.chain(text.chars()).collect()
    } else {
        text.chars().chain(padding).collect()
    };
    Ok(Value::text(result))
}

fn replace(text: &str, from: &str, to: &str) -> Result<Value<'static>, Fault> {
    if from.is_empty() {
        return Ok(owned(text));
    }
    if to.len() > from.len() {
        let growth = text.matches(from).count().checked_mul(to.len() - from.len());
        check_length(growth.and_then(|n| n.checked_add(text.len())))?;
    }
    Ok(Value::text(text.replace(from, to)))
}

fn repeat(text: &str, times: i64) -> Result<Value<'static>, Fault> {
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    if text.is_empty() {
        return Ok(owned(""));
    }
    check_length(text.len().checked_mul(times))?;
    Ok(Value::text(text.repeat(times)))
}

fn join(cx: &FuncCx<'_>, separator: &str, values: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let mut result = String::new();
    let mut first = true;
    for value in values.iter().filter(|v| !v.is_null()) {
        if !first {
            result.push_str(separator);
        }
        first = false;
        match value.as_text() {
            Some(text) => result.push_str(text),
            None => result.push_str(&shown(cx, value)),
        }
        check_length(Some(result.len()))?;
    }
    Ok(Value::text(result))
}

fn position(text: &str, part: &str) -> Result<Value<'static>, Fault> {
    match text.find(part).and_then(|at| text.get(..at)) {
        Some(before) => int(before.chars().count() + 1),
        None => Ok(Value::Int(0)),
    }
}

fn split_part(text: &str, separator: &str, number: i64) -> Result<Value<'static>, Fault> {
    let index = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX).checked_sub(1);
    let Some(index) = index else { return Ok(owned("")) };
    let part = match (separator.is_empty(), number > 0) {
        (true, true) => text.chars().nth(index).map(String::from),
        (true, false) => text.chars().nth_back(index).map(String::from),
        (false, true) => text.split(separator).nth(index).map(str::to_owned),
        (false, false) => text.rsplit(separator).nth(index).map(str::to_owned),
    };
    Ok(Value::text(part.unwrap_or_default()))
}

fn translate(text: &str, from: &str, to: &str) -> Result<Value<'static>, Fault> {
    let mut map: HashMap<char, Option<char>> = HashMap::new();
    let mut targets = to.chars();
    for c in from.chars() {
        let target = targets.next();
        map.entry(c).or_insert(target);
    }
    let translated = text.chars().filter_map(|c| map.get(&c).copied().unwrap_or(Some(c)));
    Ok(Value::text(translated.collect::<String>()))
}

fn overlay(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (text, new) = (a.text(0)?, a.text(1)?);
    check_length(text.len().checked_add(new.len()))?;
    let own = i64::try_from(new.chars().count()).unwrap_or(i64::MAX);
    let (from, count) = (a.int(2)?, a.any(3).as_int().filter(|n| *n >= 0).unwrap_or(own));
    let place = |at: i64| usize::try_from(at.max(0)).unwrap_or(usize::MAX);
    let start = from.saturating_sub(1);
    let end = start.saturating_add(count);
    let head: String = text.chars().take(place(start)).collect();
    let tail: String = text.chars().skip(place(end)).collect();
    Ok(Value::text(format!("{head}{new}{tail}")))
}

fn chr(code: i64) -> Result<Value<'static>, Fault> {
    let c = u32::try_from(code).ok().and_then(char::from_u32);
    c.map_or_else(
        || bad(format!("{code} is not a code point of a character")),
        |c| Ok(Value::text(c.to_string())),
    )
}

/// The maximum product of the lengths of two texts that are compared.
const MAX_CELLS: usize = 1 << 24;

/// A distance or similarity of two texts, if they are not too long.
fn measured(
    function: &str,
    a: &str,
    b: &str,
    measure: fn(&str, &str) -> usize,
) -> Result<Value<'static>, Fault> {
    fits(function, a, b)?;
    int(measure(a, b))
}

fn likeness(
    function: &str,
    a: &str,
    b: &str,
    measure: fn(&str, &str) -> f64,
) -> Result<Value<'static>, Fault> {
    fits(function, a, b)?;
    Ok(Value::Double(measure(a, b)))
}

fn fits(function: &str, a: &str, b: &str) -> Result<(), Fault> {
    match a.len().checked_mul(b.len()) {
        Some(cells) if cells <= MAX_CELLS => Ok(()),
        _ => bad(format!("the texts are too long to compare by {function}")),
    }
}

fn hamming(a: &str, b: &str) -> Result<Value<'static>, Fault> {
    match strsim::hamming(a, b) {
        Ok(count) => int(count),
        Err(_) => bad("hamming compares texts of the same length"),
    }
}

/// The Jaccard similarity of the sets of characters.
fn jaccard(a: &str, b: &str) -> Result<Value<'static>, Fault> {
    if a.is_empty() || b.is_empty() {
        return bad("jaccard compares texts that are not empty");
    }
    let (a, b): (HashSet<char>, HashSet<char>) = (a.chars().collect(), b.chars().collect());
    let (both, either) = (a.intersection(&b).count(), a.union(&b).count());
    #[allow(clippy::cast_precision_loss, reason = "counts of characters")]
    Ok(Value::Double(both as f64 / either as f64))
}
