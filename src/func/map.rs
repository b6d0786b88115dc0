//! Maps: values by key. The planner finds the types of keys and values.

use super::def::{Args, Fault, FuncCx, Scalar, bad, sig};
use super::list::build;
use crate::catalog::Ty::{self, Bool, Int, Null};
use crate::catalog::{ListBuilder, Nested, Signature, Value};

const L: Ty = Ty::ANY_LIST;
const M: Ty = Ty::ANY_MAP;
const OF_KEY: &[Signature] = &[sig(&[M, Null], Null)];

family!("map");

pub(super) const ALL: &[Scalar] = &[
    f(
        "map",
        "The map of a list of keys and a list of values: `MAP {'a': 1, 'b': 2}` is the same.",
        &[sig(&[L, L], M), sig(&[], M)],
        &[("map(['a', 'b'], [1, 2])", "{a=1, b=2}"), ("MAP {'a': 1}['a']", "1")],
        |cx, a| if a.is_empty() { of_entries(cx, []) } else { of_lists(cx, a) },
    ),
    f(
        "map_from_entries",
        "The map of a list of structures of a key and a value.",
        &[sig(&[L], M)],
        &[("map_from_entries([{'k': 'a', 'v': 1}])", "{a=1}")],
        |cx, a| {
            let pairs = list(a, 0)?.values().map(|entry| {
                let mut fields = entry.as_nested()?.values();
                Some((fields.next()?.into_owned(), fields.next()?.into_owned()))
            });
            match pairs.collect::<Option<Vec<_>>>() {
                Some(pairs) => of_entries(cx, pairs),
                None => bad("an entry of a map is NULL"),
            }
        },
    ),
    f(
        "map_keys",
        "The keys of a map.",
        &[sig(&[M], L)],
        &[("map_keys(MAP {'a': 1, 'b': 2})", "[a, b]")],
        |cx, a| build(cx, list(a, 0)?.entries().map(|(key, _)| key)),
    ),
    f(
        "map_values",
        "The values of a map.",
        &[sig(&[M], L)],
        &[("map_values(MAP {'a': 1, 'b': 2})", "[1, 2]")],
        |cx, a| build(cx, list(a, 0)?.entries().map(|(_, value)| value)),
    ),
    f(
        "map_entries",
        "The entries of a map as structures of `key` and `value`.",
        &[sig(&[M], L)],
        &[("map_entries(MAP {'a': 1})", "[{'key': a, 'value': 1}]")],
        |_, a| Ok(Value::List(list(a, 0)?.borrowed().into_entries().into_owned())),
    ),
    f(
        "map_extract",
        "The value of a key in a list, which is empty where the map does not have the key.",
        &[sig(&[M, Null], L)],
        &[("map_extract(MAP {'a': 1}, 'a')", "[1]"), ("map_extract(MAP {'a': 1}, 'b')", "[]")],
        |cx, a| build(cx, value_of(a)?),
    )
    .or(&["element_at"]),
    f(
        "map_extract_value",
        "The value of a key, `m['a']`; NULL where the map does not have the key.",
        OF_KEY,
        &[("map_extract_value(MAP {'a': 1}, 'a')", "1"), ("MAP {'a': 1}['b']", "")],
        |_, a| Ok(value_of(a)?.map_or(Value::Null, Value::into_owned)),
    ),
    f(
        "map_contains",
        "Whether the map has the key.",
        &[sig(&[M, Null], Bool)],
        &[("map_contains(MAP {'a': 1}, 'a')", "true")],
        |_, a| Ok(Value::Bool(value_of(a)?.is_some())),
    ),
    f(
        "map_contains_entry",
        "Whether the map has the key with this value.",
        &[sig(&[M, Null, Null], Bool)],
        &[("map_contains_entry(MAP {'a': 1}, 'a', 1)", "true")],
        |_, a| {
            if a.any(0).is_null() || a.any(1).is_null() {
                return Ok(Value::Null);
            }
            Ok(Value::Bool(value_of(a)?.is_some_and(|value| value == *a.any(2))))
        },
    )
    .takes_null(),
    f(
        "map_contains_value",
        "Whether the map has the value.",
        &[sig(&[M, Null], Bool)],
        &[("map_contains_value(MAP {'a': 1}, 1)", "true")],
        |_, a| Ok(Value::Bool(list(a, 0)?.entries().any(|(_, value)| value == *a.any(1)))),
    ),
    f(
        "map_concat",
        "The entries of several maps; of a key that more than one has, the last value.",
        &[Signature::new(&[M], M).variadic()],
        &[("map_concat(MAP {1: 2}, MAP {1: 3, 2: 4})", "{1=3, 2=4}")],
        |cx, a| {
            let mut all: Vec<(Value<'static>, Value<'static>)> = Vec::new();
            for at in 0..a.len() {
                for (key, value) in list(a, at)?.entries() {
                    cx.go_on(all.len())?;
                    let value = value.into_owned();
                    match all.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, old)) => *old = value,
                        None => all.push((key.into_owned(), value)),
                    }
                }
            }
            of_entries(cx, all)
        },
    ),
    f(
        "cardinality",
        "The number of entries of a map.",
        &[sig(&[M], Int)],
        &[("cardinality(MAP {'a': 1})", "1")],
        |_, a| Ok(Value::Int(i64::try_from(list(a, 0)?.entries().count()).unwrap_or(i64::MAX))),
    ),
];

fn list<'a>(a: &'a [Value<'_>], at: usize) -> Result<&'a Nested<'a>, Fault> {
    a.any(at).as_nested().ok_or_else(|| Fault::BadArgument(at, "a map is expected".to_owned()))
}

fn value_of<'a>(a: &'a [Value<'_>]) -> Result<Option<Value<'a>>, Fault> {
    let key = a.any(1);
    Ok(list(a, 0)?.entries().find(|(own, _)| own == key).map(|(_, value)| value))
}

fn of_lists(cx: &FuncCx<'_>, a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (keys, values) = (list(a, 0)?, list(a, 1)?);
    if keys.len() != values.len() {
        return bad("a map has as many keys as values");
    }
    of_entries(cx, keys.values().zip(values.values()))
}

fn of_entries<'v>(
    cx: &FuncCx<'_>,
    pairs: impl IntoIterator<Item = (Value<'v>, Value<'v>)>,
) -> Result<Value<'static>, Fault> {
    let Ty::Map(map) = cx.ty else { return bad("the types of a map are not known") };
    let entry = map.entries().element().unwrap_or(Null);
    let mut entries = ListBuilder::new(entry);
    let mut keys = std::collections::HashSet::new();
    for (step, (key, value)) in pairs.into_iter().enumerate() {
        cx.go_on(step)?;
        if key.is_null() {
            return bad("a key of a map is NULL");
        }
        let mut code = ListBuilder::new(map.key());
        code.push(&key);
        if !keys.insert(code.finish(Null).code().to_owned()) {
            return bad("a map has a key twice");
        }
        entries.push(&Value::Struct(Nested::structure(entry, &[key, value])));
    }
    match entries.finish(map.entries()).into_map(cx.ty) {
        Some(nested) => Ok(Value::Map(nested)),
        None => bad("the types of a map are not known"),
    }
}
