//! Structures: values with names.

use super::def::{Args, Fault, FuncCx, Scalar, bad, sig};
use super::list::build;
use crate::catalog::Ty::{self, Int, Null, Text};
use crate::catalog::{Nested, Signature, Value};

const ANY: &[Signature] = &[Signature::new(&[Null], Ty::ANY_STRUCT).variadic()];

family!("structure");

pub(super) const ALL: &[Scalar] = &[
    f(
        "struct_pack",
        "A structure of values by name: `{'a': 1, 'b': x}` or `struct_pack(a := 1, b := x)`.",
        ANY,
        &[("{'a': 1, 'b': 'x'}", "{'a': 1, 'b': x}"), ("struct_pack(a := 1).a", "1")],
        pack,
    )
    .takes_null(),
    f("row", "A structure of values without names.", ANY, &[("row(1, 'x')", "(1, x)")], pack)
        .takes_null(),
    f(
        "struct_extract",
        "The field of that name or number: `s.a` or `s['a']`.",
        &[sig(&[Ty::ANY_STRUCT, Text], Null), sig(&[Ty::ANY_STRUCT, Int], Null)],
        &[("struct_extract({'a': 1}, 'a')", "1"), ("{'a': 1}['a']", "1")],
        |_, a| extract(a),
    )
    .or(&["struct_extract_at"]),
    f(
        "struct_concat",
        "A structure with the fields of all arguments.",
        ALL_STRUCTS,
        &[("struct_concat({'a': 1}, {'b': 2})", "{'a': 1, 'b': 2}")],
        |_, _| unplanned(),
    ),
    f(
        "struct_insert",
        "The structure with further fields: `struct_insert(s, b := 2)`.",
        ALL_STRUCTS,
        &[("struct_insert({'a': 1}, b := 2)", "{'a': 1, 'b': 2}")],
        |_, _| unplanned(),
    ),
    f(
        "struct_update",
        "The structure with other values of its fields, and with further fields: `struct_update(s, a := 2)`.",
        ALL_STRUCTS,
        &[("struct_update({'a': 1, 'b': 2}, b := 'x', c := 3)", "{'a': 1, 'b': x, 'c': 3}")],
        |_, _| unplanned(),
    ),
    f(
        "struct_keys",
        "The names of the fields.",
        &[sig(&[Ty::ANY_STRUCT], Ty::TEXTS)],
        &[("struct_keys({'a': 1, 'b': 2})", "[a, b]")],
        |cx, a| {
            let Ty::Struct(of) = a.any(0).ty() else { return unplanned() };
            build(cx, of.fields().iter().map(|(name, _)| Value::text(*name)))
        },
    ),
    f(
        "struct_values",
        "The values of the fields, as a structure without names.",
        &[sig(&[Ty::ANY_STRUCT], Ty::ANY_STRUCT)],
        &[("struct_values({'a': 1, 'b': 2})", "(1, 2)")],
        |cx, a| match a.any(0).as_nested() {
            Some(of) => {
                let values: Vec<Value<'_>> = of.values().collect();
                Ok(Value::Struct(Nested::structure(cx.ty, &values)))
            }
            None => unplanned(),
        },
    ),
];

const ALL_STRUCTS: &[Signature] = &[Signature::new(&[Ty::ANY_STRUCT], Ty::ANY_STRUCT).variadic()];

/// The planner replaces the calls that need the names of fields.
fn unplanned<T>() -> Result<T, Fault> {
    bad("the fields of a structure are not known")
}

fn pack(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    match cx.ty {
        Ty::Struct(_) => Ok(Value::Struct(Nested::structure(cx.ty, args))),
        _ => bad("the fields of a structure have names"),
    }
}

/// The planner has determined the index of the field.
fn extract(args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let Some(of) = args.any(0).as_nested() else { return bad("argument 1 is not a structure") };
    let at = usize::try_from(args.int(1)?).ok().and_then(|at| at.checked_sub(1));
    let value = at.and_then(|at| of.values().nth(at));
    Ok(value.map_or(Value::Null, Value::into_owned))
}
