//! JSON that is made of values.

use super::def::{Fault, FuncCx, Scalar, bad, check_length, sig};
use crate::catalog::Ty::{Null, Text};
use crate::catalog::{Format, Signature, Value};

const ANY: &[Signature] = &[Signature::new(&[Null], Text).variadic(), sig(&[], Text)];

family!("json");

pub(super) const ALL: &[Scalar] = &[
    f(
        "json_array",
        "A JSON array of the arguments.",
        ANY,
        &[("json_array(1, 'x', NULL)", "[1,\"x\",null]")],
        |cx, a| joined(cx, a, ('[', ']'), |_| ','),
    )
    .takes_null(),
    f(
        "json_object",
        "A JSON object of keys and values, which follow each other.",
        ANY,
        &[("json_object('a', 1, 'b', [2])", "{\"a\":1,\"b\":[2]}")],
        |cx, a| {
            if a.len() % 2 == 1 || !a.iter().step_by(2).all(|key| key.ty() == Text) {
                return bad("json_object takes keys, which are texts, and values in turn");
            }
            joined(cx, a, ('{', '}'), |at| if at % 2 == 1 { ':' } else { ',' })
        },
    )
    .takes_null(),
];

fn joined(
    cx: &FuncCx<'_>,
    args: &[Value<'_>],
    (start, end): (char, char),
    mark: fn(usize) -> char,
) -> Result<Value<'static>, Fault> {
    let mut text = String::from(start);
    for (at, value) in args.iter().enumerate() {
        if at > 0 {
            text.push(mark(at));
        }
        Format::Plain.append_json(&mut text, value, cx.width);
        check_length(Some(text.len()))?;
    }
    text.push(end);
    Ok(Value::text(text))
}
