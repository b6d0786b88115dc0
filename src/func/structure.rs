//! Structures: values with names.

use super::def::{Args, Fault, FuncCx, Scalar, bad, sig};
use crate::catalog::Ty::{self, Int, Null, Text};
use crate::catalog::{Nested, Signature, Value};

const ANY: &[Signature] = &[Signature::new(&[Null], Ty::ANY_STRUCT).variadic()];

const fn f(
    name: &'static str,
    doc: &'static str,
    signatures: &'static [Signature],
    examples: &'static [(&'static str, &'static str)],
    eval: super::Eval,
) -> Scalar {
    Scalar::new("structure", name, doc, signatures, examples, eval)
}

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
    ),
];

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
