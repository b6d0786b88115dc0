//! JSON in text: extraction by path, and conversion of values to JSON.

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::def::{Args, Fault, FuncCx, Scalar, bad, check_length, sig};
use super::list::build;
use crate::catalog::Ty::{self, Bool, Int, Null, Text};
use crate::catalog::{Format, Signature, Value};

const AT: &[Signature] = &[sig(&[Text, Text], Text), sig(&[Text, Int], Text)];
const TEXT: &[Signature] = &[Signature::new(&[Text, Text], Text).optional(1)];
const COUNT: &[Signature] = &[Signature::new(&[Text, Text], Int).optional(1)];

family!("json");

pub(super) const ALL: &[Scalar] = &[
    f("json_extract", "The part of a JSON text at a path, as JSON: `j -> 'a'`. A path is a key, `$.a.b[0]`, `/a/b/0`, or a number of an element from 0, from the end where it is negative. NULL where there is no such part.", AT, &[("json_extract('{\"a\": [1, \"x\"]}', '$.a[1]')", "\"x\""), ("'{\"a\": {\"b\": 2}}' -> 'a'", "{\"b\":2}")], |_, a| Ok(part(a)?.map_or(Value::Null, |raw| Value::text(compact(raw))))).or(&["json_extract_path"]),
    f("json_extract_string", "The part of a JSON text at a path, texts without their quotes: `j ->> 'a'`. NULL where there is no such part, or null.", AT, &[("json_extract_string('{\"a\": \"x\"}', 'a')", "x"), ("'[1, 2]' ->> 1", "2")], |_, a| Ok(part(a)?.map_or(Value::Null, plain))).or(&["json_extract_path_text"]),
    f("json_array_length", "The number of elements of a JSON array, at a path; 0 of what is no array.", COUNT, &[("json_array_length('[1, 2]')", "2")], |_, a| Ok(part(a)?.map_or(Value::Null, |raw| Value::Int(count(raw))))),
    f("json_type", "What a JSON text is, at a path: OBJECT, ARRAY, VARCHAR, UBIGINT, BIGINT, DOUBLE, BOOLEAN or NULL.", TEXT, &[("json_type('[1]')", "ARRAY")], |_, a| Ok(part(a)?.map_or(Value::Null, |raw| Value::text(kind(raw))))),
    f("json_keys", "The keys of a JSON object, at a path.", &[Signature::new(&[Text, Text], Ty::TEXTS).optional(1)], &[("json_keys('{\"b\": 1, \"a\": 2}')", "[b, a]")], |cx, a| match part(a)? { Some(raw) => build(cx, keys(raw).into_iter().map(Value::text)), None => Ok(Value::Null) }),
    f("json_valid", "Whether a text is JSON.", &[sig(&[Text], Bool)], &[("json_valid('{bad')", "false")], |_, a| Ok(Value::Bool(serde_json::from_str::<&RawValue>(a.text(0)?).is_ok()))),
    f("json", "A JSON text without blanks.", &[sig(&[Text], Text)], &[("json('{ \"a\" : 1 }')", "{\"a\":1}")], |_, a| Ok(Value::text(compact(parsed(a.text(0)?)?)))),
    f("to_json", "A value as JSON text: lists as arrays, structures as objects, addresses and times as texts.", &[sig(&[Null], Text)], &[("to_json([1, NULL])", "[1,null]"), ("to_json({'a': 'x'})", "{\"a\":\"x\"}")], to_json).or(&["json_quote", "array_to_json", "row_to_json"]),
    f("json_exists", "Whether a JSON text has a part at a path; null is one.", &[sig(&[Text, Text], Bool)], &[("json_exists('{\"a\": null}', '$.a')", "true")], |_, a| Ok(Value::Bool(part(a)?.is_some()))),
    f("json_value", "The part of a JSON text at a path, as JSON; NULL if it is an object, an array or null, or is not there.", AT, &[("json_value('{\"a\": 1}', '$.a')", "1"), ("json_value('{\"a\": []}', '$.a')", "")], |_, a| Ok(part(a)?.filter(|raw| !raw.starts_with(['{', '[', 'n'])).map_or(Value::Null, |raw| Value::text(compact(raw))))),
];

fn to_json(cx: &FuncCx<'_>, a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let mut text = String::new();
    Format::Plain.append_json(&mut text, a.any(0), cx.width);
    check_length(Some(text.len()))?;
    Ok(Value::text(text))
}

fn parsed(text: &str) -> Result<&str, Fault> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => Ok(raw.get()),
        Err(error) => bad(format!("the text is not JSON: {error}")),
    }
}

/// A step from a JSON value to a value within it.
enum Step {
    Key(String),
    /// The index of an element: from 0, or negative from the end.
    Element(i64),
    /// A key of an object, or the index of an element.
    Either(String),
}

/// The part that the path in the second argument selects; the whole text if there is no path.
fn part<'t>(args: &'t [Value<'_>]) -> Result<Option<&'t str>, Fault> {
    let text = parsed(args.text(0)?)?;
    let steps = match args.any(1) {
        Value::Null => Vec::new(),
        Value::Int(at) => vec![Step::Element(*at)],
        _ => steps(args.text(1)?)?,
    };
    let mut at = Some(text);
    for step in &steps {
        at = at.and_then(|raw| within(raw, step));
    }
    Ok(at)
}

/// Parses a path.
fn steps(path: &str) -> Result<Vec<Step>, Fault> {
    let wrong = || Fault::BadArgument(1, "a path is a key, `$.key[0]`, or `/key/0`".to_owned());
    if path.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(pointer) = path.strip_prefix('/') {
        let step = |part: &str| Step::Either(part.replace("~1", "/").replace("~0", "~"));
        return Ok(pointer.split('/').map(step).collect());
    }
    let Some(mut rest) = path.strip_prefix('$') else {
        return Ok(vec![Step::Key(path.to_owned())]);
    };
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inner, after) = after.split_once(']').ok_or_else(wrong)?;
            let number = inner.strip_prefix('#').unwrap_or(inner);
            steps.push(Step::Element(number.parse().map_err(|_| wrong())?));
            rest = after;
        } else if let Some(after) = rest.strip_prefix(".\"") {
            let (key, after) = after.split_once('"').ok_or_else(wrong)?;
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        } else {
            let after = rest.strip_prefix('.').ok_or_else(wrong)?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, after) = after.split_at_checked(end).ok_or_else(wrong)?;
            if key.is_empty() || key.contains('*') {
                return Err(wrong());
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        }
    }
    Ok(steps)
}

/// The value that a step selects.
fn within<'t>(raw: &'t str, step: &Step) -> Option<&'t str> {
    let is_array = raw.starts_with('[');
    match step {
        Step::Key(key) => member(raw, key),
        Step::Element(at) => element(raw, *at),
        Step::Either(part) if is_array => element(raw, part.parse().ok()?),
        Step::Either(part) => member(raw, part),
    }
}

/// The value of the first member with that name.
fn member<'t>(raw: &'t str, key: &str) -> Option<&'t str> {
    let mut reader = serde_json::Deserializer::from_str(raw);
    reader.deserialize_map(Member { key, found: None }).ok().flatten()
}

fn element(raw: &str, at: i64) -> Option<&str> {
    let at = if at < 0 { count(raw).checked_add(at)? } else { at };
    let at = usize::try_from(at).ok()?;
    let mut reader = serde_json::Deserializer::from_str(raw);
    reader.deserialize_seq(Element { at }).ok().flatten()
}

fn count(raw: &str) -> i64 {
    let mut reader = serde_json::Deserializer::from_str(raw);
    reader.deserialize_seq(Count).unwrap_or(0)
}

fn keys(raw: &str) -> Vec<String> {
    let mut reader = serde_json::Deserializer::from_str(raw);
    reader.deserialize_map(Keys).unwrap_or_default()
}

struct Member<'k, 't> {
    key: &'k str,
    found: Option<&'t str>,
}

impl<'de> Visitor<'de> for Member<'_, 'de> {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let value: &'de RawValue = map.next_value()?;
            if self.found.is_none() && key == self.key {
                self.found = Some(value.get());
            }
        }
        Ok(self.found)
    }
}

struct Element {
    at: usize,
}

impl<'de> Visitor<'de> for Element {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (mut found, mut at) = (None, 0);
        while let Some(value) = seq.next_element::<&'de RawValue>()? {
            if at == self.at {
                found = Some(value.get());
            }
            at += 1;
        }
        Ok(found)
    }
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = i64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<i64, A::Error> {
        let mut count = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            keys.push(key);
        }
        Ok(keys)
    }
}

/// JSON without the blanks between its tokens.
fn compact(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let (mut in_text, mut escaped) = (false, false);
    for c in raw.chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_text = c == '"';
        }
        text.push(c);
    }
    text
}

fn plain(raw: &str) -> Value<'static> {
    match serde_json::from_str::<String>(raw) {
        Ok(text) => Value::text(text),
        Err(_) if raw == "null" => Value::Null,
        Err(_) => Value::text(compact(raw)),
    }
}

fn kind(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'{') => "OBJECT",
        Some(b'[') => "ARRAY",
        Some(b'"') => "VARCHAR",
        Some(b't' | b'f') => "BOOLEAN",
        Some(b'n') => "NULL",
        _ if raw.parse::<u64>().is_ok() => "UBIGINT",
        _ if raw.parse::<i64>().is_ok() => "BIGINT",
        _ => "DOUBLE",
    }
}
