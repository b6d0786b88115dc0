//! Functions: one file per family, and one line per function in the family's `ALL`.
//!
//! A scalar function is a pure function of values. It knows neither plans nor polars; `exec` calls
//! it row by row. Aggregates work on columns and are in `exec::aggregate`.

#![allow(clippy::unnecessary_wraps, reason = "all implementations of functions return a Result")]

/// Defines `f`, which makes a function of a family, by its name, documentation, signatures, examples
/// and implementation. What follows the name of the family holds for each of its functions.
macro_rules! family {
    ($family:literal $(.$each:ident())*) => {
        const fn f(
            name: &'static str,
            doc: &'static str,
            signatures: &'static [$crate::catalog::Signature],
            examples: &'static [(&'static str, &'static str)],
            eval: $crate::func::Eval,
        ) -> $crate::func::Scalar {
            $crate::func::Scalar::new($family, name, doc, signatures, examples, eval)$(.$each())*
        }
    };
}

mod address;
mod clock;
mod conditional;
mod def;
mod dump;
mod encode;
#[cfg(test)]
mod examples;
mod format;
mod json;
mod json_make;
mod list;
mod map;
mod names;
mod number;
mod pairs;
mod path;
mod regexp;
mod rows;
mod structure;
mod text;
mod time;
mod window;

pub use crate::model::{DynTable, Refused};
pub use def::{Eval, Fault, FuncCx, HostScalar, Scalar, ScalarFunction};
pub use rows::{EmitValue, HostRows, Series, TableCode, TableFunction};

use crate::catalog::FunctionSpec;

const FAMILIES: &[&[Scalar]] = &[
    text::ALL,
    regexp::ALL,
    format::ALL,
    encode::ALL,
    path::ALL,
    number::ALL,
    time::ALL,
    clock::ALL,
    conditional::ALL,
    address::ALL,
    names::ALL,
    list::ALL,
    pairs::ALL,
    structure::ALL,
    map::ALL,
    json::ALL,
    json_make::ALL,
    dump::ALL,
];

/// All scalar functions, by family.
pub fn scalars() -> impl Iterator<Item = &'static Scalar> {
    FAMILIES.iter().copied().flatten()
}

/// All table functions.
pub fn table_functions() -> impl Iterator<Item = &'static TableFunction> {
    rows::ALL.iter()
}

/// The specifications of all window functions; the engine implements them.
pub fn window_functions() -> impl Iterator<Item = &'static FunctionSpec> {
    window::ALL.iter()
}
