//! Lists: their elements, parts, order and sets. Positions count from 1.

use std::collections::HashSet;

use super::def::{Args, Fault, FuncCx, Scalar, bad, sig};
use crate::catalog::Ty::{self, Bool, Int, Null, Text};
use crate::catalog::{Format, ListBuilder, Nested, Signature, Value};

const L: Ty = Ty::ANY_LIST;
const TO_SAME: &[Signature] = &[sig(&[L], L)];
const WITH_ELEMENT: &[Signature] = &[sig(&[L, Null], L)];
const TWO: &[Signature] = &[sig(&[L, L], L)];
const TWO_TO_BOOL: &[Signature] = &[sig(&[L, L], Bool)];
const SORT: &[Signature] = &[Signature::new(&[L, Text, Text], L).optional(2)];
const SPLIT: &[Signature] = &[sig(&[Text, Text], Ty::TEXTS)];
const LAMBDA: &[Signature] = &[sig(&[L, Null], Null)];

/// The maximum number of bytes of a list.
const MAX_LIST: usize = 64 << 20;

family!("list");

pub(super) const ALL: &[Scalar] = &[
    f("list_value", "A list of the arguments: `[a, b]`.", &[Signature::new(&[Null], L).variadic(), sig(&[], L)], &[("[1, NULL, 3]", "[1, NULL, 3]"), ("list_value('a', 'b')", "[a, b]")], |cx, a| build(cx, a.iter().map(Value::borrowed))).takes_null().or(&["list_pack"]),
    f("list_extract", "The element of that number, `l[n]`, from the end where it is negative, NULL where there is none. Of text the character, of a structure the field of that name or number.", &[sig(&[L, Int], Null), sig(&[Text, Int], Text), sig(&[Ty::ANY_STRUCT, Text], Null)], &[("[4, 5, 6][2]", "5"), ("[4, 5, 6][-1]", "6"), ("'ntfs'[1]", "n")], |_, a| extract(a)).or(&["list_element", "array_extract"]),
    f("list_slice", "The elements between two places, both included, `l[2:3]`; with a third argument only each of so many. A place that is left out in brackets is the end. Of text the characters.", &[Signature::new(&[L, Int, Int, Int], L).optional(1), sig(&[Text, Int, Int], Text)], &[("[1, 2, 3, 4][2:3]", "[2, 3]"), ("[1, 2, 3, 4][-2:]", "[3, 4]"), ("'ntoskrnl'[3:4]", "os")], slice).takes_null().or(&["array_slice"]),
    f("list_contains", "Whether the element is in the list: `x IN l`.", &[sig(&[L, Null], Bool)], &[("list_contains([1, 2], 2)", "true"), ("3 IN [1, 2]", "false")], |cx, a| Ok(Value::Bool(place_of(cx, a)?.is_some()))).or(&["list_has", "array_contains", "array_has"]),
    f("list_position", "The place of the element in the list, NULL where it is not in it. NULL is an element, too.", &[sig(&[L, Null], Int)], &[("list_position(['a', 'b'], 'b')", "2")], |cx, a| if a.any(0).is_null() { Ok(Value::Null) } else { Ok(place_of(cx, a)?.map_or(Value::Null, Value::Int)) }).takes_null().or(&["list_indexof", "array_position", "array_indexof"]),
    f("list_concat", "The elements of all lists in one: `a || b`. NULL counts as a list without elements.", &[Signature::new(&[L], L).variadic()], &[("list_concat([1], [2, 3])", "[1, 2, 3]"), ("[1] || [2]", "[1, 2]")], concat).takes_null().or(&["list_cat", "array_concat", "array_cat"]),
    f("list_append", "The list with an element more at its end.", WITH_ELEMENT, &[("list_append([1], 2)", "[1, 2]")], |cx, a| build(cx, values(a, 0)?.chain([a.any(1).borrowed()]))).takes_null().or(&["array_append", "array_push_back"]),
    f("list_prepend", "The list with an element more at its start.", &[sig(&[Null, L], L)], &[("list_prepend(1, [2])", "[1, 2]")], |cx, a| build(cx, [a.any(0).borrowed()].into_iter().chain(values(a, 1)?))).takes_null().or(&["array_prepend"]),
    f("array_push_front", "The list with an element more at its start.", WITH_ELEMENT, &[("array_push_front([2], 1)", "[1, 2]")], |cx, a| build(cx, [a.any(1).borrowed()].into_iter().chain(values(a, 0)?))).takes_null(),
    f("array_pop_back", "The list without its last element.", TO_SAME, &[("array_pop_back([1, 2])", "[1]")], |cx, a| { let n = values(a, 0)?.count(); build(cx, values(a, 0)?.take(n.saturating_sub(1))) }),
    f("array_pop_front", "The list without its first element.", TO_SAME, &[("array_pop_front([1, 2])", "[2]")], |cx, a| build(cx, values(a, 0)?.skip(1))),
    f("list_sort", "The list in order, NULLs last; 'DESC' as the second argument, or 'NULLS FIRST' as the third, change that.", SORT, &[("list_sort([3, 1, 2])", "[1, 2, 3]"), ("list_sort([3, NULL, 1], 'DESC', 'NULLS FIRST')", "[NULL, 3, 1]")], |cx, a| { let (down, nulls_first) = (direction(a, 1)?, nulls_first(a, 2)?); sorted(cx, a, down, nulls_first) }).or(&["array_sort"]),
    f("list_reverse_sort", "The list in descending order, NULLs last; 'NULLS FIRST' as the second argument changes that.", &[Signature::new(&[L, Text], L).optional(1)], &[("list_reverse_sort([3, 1, 2])", "[3, 2, 1]")], |cx, a| { let nulls_first = nulls_first(a, 1)?; sorted(cx, a, true, nulls_first) }).or(&["array_reverse_sort"]),
    f("list_grade_up", "The places of the elements in the order of the elements.", &[Signature::new(&[L, Text, Text], Ty::INTS).optional(2)], &[("list_grade_up([30, 10, 20])", "[2, 3, 1]")], |cx, a| { let (down, nulls_first) = (direction(a, 1)?, nulls_first(a, 2)?); let places = places_in_order(cx, a, down, nulls_first)?; build(cx, places.into_iter().map(|at| Value::Int(count(at + 1)))) }).or(&["grade_up", "array_grade_up"]),
    f("list_distinct", "The different elements in the order in which they come; NULL is left out.", TO_SAME, &[("list_distinct([2, 1, 2, NULL])", "[2, 1]")], |cx, a| { let mut seen = HashSet::new(); build(cx, values(a, 0)?.filter(|v| !v.is_null() && seen.insert(key(v)))) }).or(&["array_distinct"]),
    f("list_unique", "How many different elements there are, NULL left out.", &[sig(&[L], Int)], &[("list_unique([2, 1, 2, NULL])", "2")], |_, a| { let mut seen = HashSet::new(); Ok(Value::Int(count(values(a, 0)?.filter(|v| !v.is_null() && seen.insert(key(v))).count()))) }).or(&["array_unique"]),
    f("list_reverse", "The elements from the last to the first.", TO_SAME, &[("list_reverse([1, 2])", "[2, 1]")], |cx, a| { let all: Vec<Value<'_>> = values(a, 0)?.collect(); build(cx, all.into_iter().rev()) }).or(&["array_reverse"]),
    f("flatten", "The elements of the lists in a list, one list after the other.", &[sig(&[Ty::ANY_LISTS], L)], &[("flatten([[1, 2], [], [3]])", "[1, 2, 3]")], flatten),
    f("array_length", "The number of elements.", &[Signature::new(&[L, Int], Int).optional(1)], &[("array_length([4, 5])", "2")], |_, a| if a.get(1).is_some_and(|d| *d != Value::Int(1)) { bad("array_length knows one dimension") } else { Ok(Value::Int(count(values(a, 0)?.count()))) }),
    f("list_has_any", "Whether the lists have an element in common.", TWO_TO_BOOL, &[("list_has_any([1, 2], [2, 3])", "true")], |_, a| { let other = keys(a, 1)?; Ok(Value::Bool(values(a, 0)?.any(|v| !v.is_null() && other.contains(&key(&v))))) }).or(&["array_has_any"]),
    f("list_has_all", "Whether all elements of the second list are in the first.", TWO_TO_BOOL, &[("list_has_all([1, 2, 3], [3, 1])", "true")], |_, a| { let own = keys(a, 0)?; Ok(Value::Bool(values(a, 1)?.all(|v| v.is_null() || own.contains(&key(&v))))) }).or(&["array_has_all"]),
    f("list_intersect", "The different elements that both lists have, in the order of the first.", TWO, &[("list_intersect([3, 1, 2, 3], [2, 3])", "[3, 2]")], |cx, a| { let (other, mut seen) = (keys(a, 1)?, HashSet::new()); build(cx, values(a, 0)?.filter(|v| !v.is_null() && other.contains(&key(v)) && seen.insert(key(v)))) }).or(&["array_intersect"]),
    f("list_resize", "The list with that many elements: cut off at its end, or filled up with the third argument or NULL.", &[Signature::new(&[L, Int, Null], L).optional(1)], &[("list_resize([1, 2], 4, 0)", "[1, 2, 0, 0]"), ("list_resize([1, 2], 1)", "[1]")], resize).takes_null().or(&["array_resize"]),
    f("list_select", "The elements at the places of the second list.", &[sig(&[L, Ty::INTS], L)], &[("list_select(['a', 'b', 'c'], [3, 1])", "[c, a]")], |cx, a| { let all: Vec<Value<'_>> = values(a, 0)?.collect(); build(cx, values(a, 1)?.map(|at| at.as_int().and_then(|at| usize::try_from(at.checked_sub(1)?).ok()).and_then(|at| all.get(at)).map_or(Value::Null, Value::borrowed))) }).or(&["array_select"]),
    f("list_where", "The elements for which the second list is true.", &[sig(&[L, Ty::BOOLS], L)], &[("list_where([5, 6, 7], [true, false, true])", "[5, 7]")], |cx, a| build(cx, values(a, 0)?.zip(values(a, 1)?).filter(|(_, keep)| *keep == Value::Bool(true)).map(|(v, _)| v))).or(&["array_where"]),
    f("array_to_string", "The elements as one text with the second argument between them, NULLs left out.", &[Signature::new(&[L, Text], Text)], &[("array_to_string([1, 2, NULL], '-')", "1-2")], joined).or(&["list_to_string"]),
    f("string_split", "The parts of a text between separators; without a separator, its characters.", SPLIT, &[("string_split('a,b,,c', ',')", "[a, b, '', c]")], |cx, a| { let (text, separator) = (a.text(0)?, a.text(1)?); if separator.is_empty() { build(cx, text.split_inclusive(|_: char| true).map(Value::text)) } else { build(cx, text.split(separator).map(Value::text)) } }).or(&["str_split", "split", "string_to_array"]),
    f("range", "The numbers or times from the first argument, or 0, up to before the second, in steps of the third.", SERIES, &[("range(3)", "[0, 1, 2]"), ("range(5, 1, -2)", "[5, 3]")], |cx, a| series(cx, a, false)),
    f("generate_series", "The numbers or times from the first argument, or 0, up to the second, in steps of the third.", SERIES, &[("generate_series(1, 3)", "[1, 2, 3]")], |cx, a| series(cx, a, true)),
    f("list_transform", "What a lambda makes of each element; its second argument is the place of the element. `[x + 1 FOR x IN l]` is the same.", LAMBDA, &[("list_transform([1, 2], x -> x * 10)", "[10, 20]"), ("[x + i FOR x, i IN [5, 6]]", "[6, 8]")], |_, _| bad("a lambda is expected")).or(&["list_apply", "apply", "array_apply", "array_transform"]),
    f("list_filter", "The elements for which a lambda is true; its second argument is the place of the element.", LAMBDA, &[("list_filter([1, 2, 3], x -> x > 1)", "[2, 3]"), ("[x FOR x IN [1, 2, 3] IF x <> 2]", "[1, 3]")], |_, _| bad("a lambda is expected")).or(&["array_filter", "filter"]),
    f("list_reduce", "What a lambda makes of the result so far and the next element, from the first element or the third argument on.", &[Signature::new(&[L, Null, Null], Null).optional(1)], &[("list_reduce([1, 2, 3], (a, b) -> a * 10 + b)", "123")], |_, _| bad("a lambda is expected")).or(&["array_reduce", "reduce"]),
    f("list_aggregate", "An aggregate of the elements, by its name; `list_sum(l)` and the like are the same. Further arguments are those of the aggregate.", &[Signature::new(&[L, Text, Null], Null).optional(1).variadic()], &[("list_aggregate([1, 2, 3], 'sum')", "6"), ("list_avg([1, 2])", "1.5")], |_, _| bad("the name of an aggregate is expected")).or(&["list_aggr", "array_aggregate", "array_aggr", "aggregate"]),
];

const SERIES: &[Signature] = &[
    Signature::new(&[Int, Int, Int], Ty::INTS).optional(2),
    Signature::new(&[Ty::Time, Ty::Time, Ty::Interval], Ty::TIMES),
];

/// The elements of a list argument; empty for NULL.
pub(super) fn values<'a>(
    args: &'a [Value<'_>],
    index: usize,
) -> Result<Box<dyn Iterator<Item = Value<'a>> + 'a>, Fault> {
    match args.get(index) {
        None | Some(Value::Null) => Ok(Box::new(std::iter::empty())),
        Some(value) => match value.as_nested() {
            Some(nested) => Ok(Box::new(nested.values())),
            None => bad(format!("argument {} is not a list", index + 1)),
        },
    }
}

/// A list of the result type of the call.
pub(super) fn build<'v>(
    cx: &FuncCx<'_>,
    values: impl IntoIterator<Item = Value<'v>>,
) -> Result<Value<'static>, Fault> {
    let mut list = ListBuilder::new(cx.ty.element().unwrap_or(Null));
    for (step, value) in values.into_iter().enumerate() {
        cx.go_on(step)?;
        list.push(&value);
        if list.bytes() > MAX_LIST {
            return bad("the resulting list would be longer than 64 MiB");
        }
    }
    Ok(Value::List(list.finish(cx.ty)))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A text that is the same for equal values.
fn key(value: &Value<'_>) -> String {
    code(value, value.ty())
}

/// A text that orders as the values of a type do.
fn code(value: &Value<'_>, ty: Ty) -> String {
    let mut list = ListBuilder::new(ty);
    list.push(value);
    list.finish(Null).code().to_owned()
}

fn keys(args: &[Value<'_>], index: usize) -> Result<HashSet<String>, Fault> {
    Ok(values(args, index)?.filter(|v| !v.is_null()).map(|v| key(&v)).collect())
}

/// The 0-based index for a position in a list of `len` elements; `None` if it is out of range.
fn place(number: i64, len: usize) -> Option<usize> {
    let at = if number < 0 { count(len).checked_add(number)? } else { number.checked_sub(1)? };
    usize::try_from(at).ok().filter(|at| *at < len)
}

fn extract(args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let number = args.int(1)?;
    if let Value::Text(text) = args.any(0) {
        let at = place(number, text.chars().count());
        let c = at.and_then(|at| text.chars().nth(at));
        return Ok(Value::text(c.map(String::from).unwrap_or_default()));
    }
    let at = if number > 0 {
        usize::try_from(number - 1).ok()
    } else {
        place(number, values(args, 0)?.count())
    };
    let found = match at {
        Some(at) => values(args, 0)?.nth(at),
        None => None,
    };
    Ok(found.map_or(Value::Null, Value::into_owned))
}

fn slice(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    if args.any(0).is_null() {
        return Ok(Value::Null);
    }
    let step = args.get(3).map_or(Some(1), Value::as_int);
    let Some(step) = step else { return Ok(Value::Null) };
    if step == 0 {
        return bad("a step of 0 reaches no element");
    }
    if let Value::Text(text) = args.any(0) {
        let len = text.chars().count();
        let picked = text.chars().skip(start_of(args, len)).take(length_of(args, len));
        return Ok(Value::text(picked.collect::<String>()));
    }
    let all: Vec<Value<'_>> = values(args, 0)?.collect();
    let (skip, take) = (start_of(args, all.len()), length_of(args, all.len()));
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    if step > 0 {
        return build(cx, all.into_iter().skip(skip).take(take).step_by(stride));
    }
    // From the first position down to the second.
    let swapped = [args.any(0).borrowed(), args.any(2).borrowed(), args.any(1).borrowed()];
    let (skip, take) = (start_of(&swapped, all.len()), length_of(&swapped, all.len()));
    let part: Vec<Value<'_>> = all.into_iter().skip(skip).take(take).collect();
    build(cx, part.into_iter().rev().step_by(stride))
}

/// How many of `len` elements precede a slice.
fn start_of(args: &[Value<'_>], len: usize) -> usize {
    let len = count(len);
    let first = args.any(1).as_int().unwrap_or(1);
    let first = if first < 0 { len.saturating_add(first) } else { first.saturating_sub(1) };
    usize::try_from(first.clamp(0, len)).unwrap_or(0)
}

/// How many elements a slice has.
fn length_of(args: &[Value<'_>], len: usize) -> usize {
    let end = count(len);
    let last = args.any(2).as_int().unwrap_or(end);
    let last = if last < 0 { end.saturating_add(last).saturating_add(1) } else { last };
    let last = usize::try_from(last.clamp(0, end)).unwrap_or(0);
    last.saturating_sub(start_of(args, len))
}

fn place_of(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Option<i64>, Fault> {
    let wanted = args.any(1);
    // All NaNs have one code, and so have both zeros.
    let ty = wanted.ty();
    let wanted = code(wanted, ty);
    for (step, value) in values(args, 0)?.enumerate() {
        cx.go_on(step)?;
        if code(&value, ty) == wanted && (ty != Null || value.is_null()) {
            return Ok(Some(count(step + 1)));
        }
    }
    Ok(None)
}

fn concat(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    if args.iter().all(Value::is_null) {
        return Ok(Value::Null);
    }
    build(cx, args.iter().filter_map(Value::as_nested).flat_map(Nested::values))
}

fn direction(args: &[Value<'_>], index: usize) -> Result<bool, Fault> {
    match args.any(index).as_text().map(str::to_ascii_uppercase).as_deref() {
        None | Some("ASC" | "DEFAULT") => Ok(false),
        Some("DESC") => Ok(true),
        Some(_) => Err(Fault::BadArgument(index, "the direction is 'ASC' or 'DESC'".to_owned())),
    }
}

fn nulls_first(args: &[Value<'_>], index: usize) -> Result<bool, Fault> {
    match args.any(index).as_text().map(str::to_ascii_uppercase).as_deref() {
        None | Some("NULLS LAST" | "DEFAULT") => Ok(false),
        Some("NULLS FIRST") => Ok(true),
        Some(_) => {
            Err(Fault::BadArgument(index, "NULLs come 'NULLS FIRST' or 'NULLS LAST'".to_owned()))
        }
    }
}

fn places_in_order(
    cx: &FuncCx<'_>,
    args: &[Value<'_>],
    down: bool,
    nulls_first: bool,
) -> Result<Vec<usize>, Fault> {
    let element = args.any(0).ty().element().unwrap_or(Null);
    let mut codes: Vec<(usize, Option<String>)> = Vec::new();
    for (at, value) in values(args, 0)?.enumerate() {
        cx.go_on(at)?;
        codes.push((at, (!value.is_null()).then(|| code(&value, element))));
    }
    codes.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) => {
            if down {
                b.cmp(a)
            } else {
                a.cmp(b)
            }
        }
        (a, b) => {
            if nulls_first {
                a.is_some().cmp(&b.is_some())
            } else {
                b.is_some().cmp(&a.is_some())
            }
        }
    });
    Ok(codes.into_iter().map(|(at, _)| at).collect())
}

fn sorted(
    cx: &FuncCx<'_>,
    args: &[Value<'_>],
    down: bool,
    nulls_first: bool,
) -> Result<Value<'static>, Fault> {
    let places = places_in_order(cx, args, down, nulls_first)?;
    let all: Vec<Value<'_>> = values(args, 0)?.collect();
    build(cx, places.into_iter().filter_map(|at| all.get(at)).map(Value::borrowed))
}

fn flatten(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let lists: Vec<Value<'_>> = values(args, 0)?.collect();
    build(cx, lists.iter().filter_map(Value::as_nested).flat_map(Nested::values))
}

fn resize(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    if args.any(0).is_null() {
        return Ok(Value::Null);
    }
    let size = args.any(1).as_int().unwrap_or(0);
    let Ok(size) = usize::try_from(size) else {
        return bad("a list has no negative number of elements");
    };
    let rest = std::iter::repeat_with(|| args.any(2).borrowed());
    build(cx, values(args, 0)?.chain(rest).take(size))
}

fn joined(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let separator = args.text(1)?;
    let mut text = String::new();
    let there = values(args, 0)?.filter(|v| !v.is_null());
    for (step, value) in there.enumerate() {
        cx.go_on(step)?;
        if step > 0 {
            text.push_str(separator);
        }
        Format::Plain.append(&mut text, &value, cx.width);
        super::def::check_length(Some(text.len()))?;
    }
    Ok(Value::text(text))
}

fn series(cx: &FuncCx<'_>, args: &[Value<'_>], inclusive: bool) -> Result<Value<'static>, Fault> {
    let number = |value: &Value<'_>| match value {
        Value::Int(v) | Value::Time(v) | Value::Interval(v) => Some(i128::from(*v)),
        _ => None,
    };
    let (start, stop) = match (number(args.any(0)), number(args.any(1))) {
        (Some(stop), None) => (0, stop),
        (Some(start), Some(stop)) => (start, stop),
        _ => return Ok(Value::Null),
    };
    let step = number(args.any(2)).unwrap_or(1);
    let mut at = start;
    let times = cx.ty == Ty::TIMES;
    let next = std::iter::from_fn(|| {
        let ends = step == 0 || if step > 0 { at > stop } else { at < stop };
        if ends || (at == stop && !inclusive) {
            return None;
        }
        let value = i64::try_from(at).ok()?;
        at += step;
        Some(if times { Value::Time(value) } else { Value::Int(value) })
    });
    build(cx, next)
}
