//! Conditional functions. The planner converts most of these to `CASE`, which evaluates only the
//! selected branch; the code here gives the same results.

use std::cmp::Ordering;

use super::def::{Args, Scalar};
use crate::catalog::Ty::{Bool, Null, Text};
use crate::catalog::{Signature, Value};

family!("conditional".takes_null());

const ANY: &[Signature] = &[Signature::new(&[Null], Null).variadic()];
const TWO: &[Signature] = &[Signature::new(&[Null, Null], Null)];

pub(super) const ALL: &[Scalar] = &[
    f(
        "coalesce",
        "The first argument that is not NULL.",
        ANY,
        &[("coalesce(NULL, NULL, 3)", "3")],
        |_, a| Ok(first_present(a)),
    ),
    f(
        "ifnull",
        "The first argument, or the second where the first is NULL.",
        TWO,
        &[("ifnull(NULL, 2)", "2")],
        |_, a| Ok(first_present(a)),
    ),
    f(
        "nullif",
        "NULL if the arguments are equal, else the first.",
        TWO,
        &[("nullif(1, 2)", "1"), ("nullif(1, 1)", "")],
        |_, a| {
            let (x, y) = (a.any(0), a.any(1));
            let equal = !x.is_null() && !y.is_null() && compare(x, y) == Ordering::Equal;
            Ok(if equal { Value::Null } else { x.clone().into_owned() })
        },
    ),
    f(
        "if",
        "The second argument where the condition is true, else the third.",
        &[Signature::new(&[Bool, Null, Null], Null)],
        &[("if(1 < 2, 'yes', 'no')", "yes")],
        |_, a| {
            let chosen = if a.any(0).as_bool() == Some(true) { a.any(1) } else { a.any(2) };
            Ok(chosen.clone().into_owned())
        },
    )
    .or(&["iff"]),
    f(
        "greatest",
        "The largest of the arguments that are not NULL.",
        ANY,
        &[("greatest(1, NULL, 3)", "3")],
        |_, a| Ok(extreme(a, Ordering::Greater)),
    ),
    f(
        "least",
        "The smallest of the arguments that are not NULL.",
        ANY,
        &[("least(2, NULL, 3)", "2")],
        |_, a| Ok(extreme(a, Ordering::Less)),
    ),
    f(
        "try",
        "The value of the argument; NULL in rows where computing it is an error, such as an overflow or a text that does not convert.",
        &[Signature::new(&[Null], Null)],
        &[("try(5)", "5")],
        |_, a| Ok(a.any(0).clone().into_owned()),
    ),
    f(
        "typeof",
        "The name of the type of an expression.",
        &[Signature::new(&[Null], Text)],
        &[("typeof(1 + 1)", "INTEGER")],
        |_, a| Ok(Value::text(a.any(0).ty().name())),
    ),
    f(
        "why",
        "Why the value of a table's column is absent (not in dump, paged out, demand zero, unreadable, no symbols, not applicable); NULL where it is present. The argument is a column.",
        &[Signature::new(&[Null], Text)],
        &[],
        |_, _| Ok(Value::Null),
    ),
    f(
        "getvariable",
        "The value that SET VARIABLE gave a variable; NULL for one that has none. The name is a constant.",
        &[Signature::new(&[Text], Null)],
        &[],
        |_, _| Ok(Value::Null),
    ),
];

fn first_present(values: &[Value<'_>]) -> Value<'static> {
    values.iter().find(|v| !v.is_null()).map_or(Value::Null, |v| v.clone().into_owned())
}

fn extreme(values: &[Value<'_>], wanted: Ordering) -> Value<'static> {
    let mut best: Option<&Value<'_>> = None;
    for value in values.iter().filter(|v| !v.is_null()) {
        if best.is_none_or(|so_far| compare(value, so_far) == wanted) {
            best = Some(value);
        }
    }
    best.map_or(Value::Null, |v| v.clone().into_owned())
}

/// The order of values of one type; NaN is the greatest number and equals itself.
fn compare(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Bool(x), Value::Bool(y)) => x.cmp(y),
        (Value::Double(x), Value::Double(y)) => {
            x.partial_cmp(y).unwrap_or_else(|| x.is_nan().cmp(&y.is_nan()))
        }
        (Value::Addr(x), Value::Addr(y)) => x.cmp(y),
        _ => (a.as_number(), a.as_code()).cmp(&(b.as_number(), b.as_code())),
    }
}
