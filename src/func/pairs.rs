//! Lists side by side: zipped, and as vectors of numbers.

use super::def::{Fault, FuncCx, Scalar, bad, sig};
use super::list::{build, values};
use crate::catalog::Ty::{self, Double, Null};
use crate::catalog::{Nested, Signature, Value};

const L: Ty = Ty::ANY_LIST;
const VECTORS: &[Signature] = &[sig(&[Ty::DOUBLES, Ty::DOUBLES], Double)];

family!("list");

pub(super) const ALL: &[Scalar] = &[
    f(
        "list_zip",
        "A list of structures of the first elements of the lists, the second ones, and so on. Shorter lists are filled up with NULL, or end all if the last argument is true.",
        &[Signature::new(&[L], L).variadic()],
        &[
            ("list_zip([1, 2], ['a', 'b'])", "[(1, a), (2, b)]"),
            ("list_zip([1, 2], ['a'])", "[(1, a), (2, NULL)]"),
            ("list_zip([1, 2], ['a'], true)", "[(1, a)]"),
        ],
        zip,
    )
    .takes_null()
    .or(&["array_zip"]),
    f(
        "list_dot_product",
        "The sum of the products of the elements of two lists.",
        VECTORS,
        &[("list_dot_product([1, 2], [3, 4])", "11.0")],
        |_, a| Ok(Value::Double(vectors(a)?.iter().map(|(x, y)| x * y).sum::<f64>() + 0.0)),
    )
    .or(&["list_inner_product"]),
    f(
        "list_negative_dot_product",
        "The sum of the products of the elements of two lists with the other sign.",
        VECTORS,
        &[("list_negative_dot_product([1, 2], [3, 4])", "-11.0")],
        |_, a| Ok(Value::Double(-vectors(a)?.iter().map(|(x, y)| x * y).sum::<f64>())),
    )
    .or(&["list_negative_inner_product"]),
    f(
        "list_distance",
        "The distance of two points, which are lists of coordinates.",
        VECTORS,
        &[("list_distance([0, 0], [3, 4])", "5.0")],
        |_, a| {
            let squares = vectors(a)?.into_iter().map(|(x, y)| (x - y) * (x - y));
            Ok(Value::Double((squares.sum::<f64>() + 0.0).sqrt()))
        },
    ),
    f(
        "list_cosine_similarity",
        "The cosine of the angle between two vectors.",
        VECTORS,
        &[("list_cosine_similarity([1, 0], [2, 0])", "1.0")],
        |_, a| Ok(Value::Double(cosine(&vectors(a)?))),
    ),
    f(
        "list_cosine_distance",
        "1 minus the cosine of the angle between two vectors.",
        VECTORS,
        &[("list_cosine_distance([1, 0], [0, 2])", "1.0")],
        |_, a| Ok(Value::Double(1.0 - cosine(&vectors(a)?))),
    ),
];

fn zip(cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (lists, is_cut) = match args.split_last() {
        Some((Value::Bool(cut), lists)) => (lists, *cut),
        _ => (args, false),
    };
    let entry = cx.ty.element().unwrap_or(Null);
    let Ty::Struct(of) = entry else { return bad("the types of the lists are not known") };
    let count = of.fields().len().min(lists.len());
    let mut parts = (0..count).map(|at| values(lists, at)).collect::<Result<Vec<_>, _>>()?;
    let rows = std::iter::from_fn(move || {
        let row: Vec<Option<Value<'_>>> = parts.iter_mut().map(Iterator::next).collect();
        let ends =
            if is_cut { row.iter().any(Option::is_none) } else { row.iter().all(Option::is_none) };
        let row = row.into_iter().map(|value| value.unwrap_or(Value::Null));
        (!ends).then(|| Value::Struct(Nested::structure(entry, &row.collect::<Vec<_>>())))
    });
    build(cx, rows)
}

/// The numbers of two lists of one length.
fn vectors(args: &[Value<'_>]) -> Result<Vec<(f64, f64)>, Fault> {
    let (left, right) = (numbers(args, 0)?, numbers(args, 1)?);
    if left.len() != right.len() {
        return bad(format!("the lists have {} and {} elements", left.len(), right.len()));
    }
    Ok(left.into_iter().zip(right).collect())
}

fn numbers(args: &[Value<'_>], index: usize) -> Result<Vec<f64>, Fault> {
    let number = |value: Value<'_>| value.as_double();
    values(args, index)?
        .map(number)
        .collect::<Option<_>>()
        .ok_or_else(|| Fault::BadArgument(index, "an element of the list is NULL".to_owned()))
}

fn cosine(both: &[(f64, f64)]) -> f64 {
    let sum = |of: fn(f64, f64) -> f64| both.iter().map(|(x, y)| of(*x, *y)).sum::<f64>();
    let cosine = sum(|x, y| x * y) / (sum(|x, _| x * x) * sum(|_, y| y * y)).sqrt();
    // Rounding may lead out of the range of a cosine; NaN stays.
    cosine.clamp(-1.0, 1.0)
}
