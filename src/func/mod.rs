//! Functions: one file a family, one line a function in the family's `ALL`.
//!
//! A scalar function is a pure function of values. It knows neither plans nor polars; `exec` calls
//! it row by row. Aggregates are declared here and computed by `exec`.

#![allow(
    clippy::unnecessary_wraps,
    reason = "what evaluates a function returns a Result, also where it cannot fail"
)]

mod address;
mod aggregate;
mod conditional;
mod def;
mod dump;
#[cfg(test)]
mod examples;
mod format;
mod names;
mod number;
mod path;
mod regexp;
mod rows;
mod strftime;
mod text;
mod time;

pub use def::{Eval, Fault, FuncCx, Scalar};
pub use rows::{EmitValue, Series, TableFunction};

use crate::catalog::FunctionSpec;

const FAMILIES: &[&[Scalar]] = &[
    text::ALL,
    regexp::ALL,
    format::ALL,
    path::ALL,
    number::ALL,
    time::ALL,
    conditional::ALL,
    address::ALL,
    names::ALL,
    dump::ALL,
];

/// Every scalar function, family by family.
pub fn scalars() -> impl Iterator<Item = &'static Scalar> {
    FAMILIES.iter().copied().flatten()
}

/// The scalar function of that (primary) name.
pub fn scalar(name: &str) -> Option<&'static Scalar> {
    scalars().find(|f| f.spec.name == name)
}

/// The specifications of all functions, aggregates included, in the order of documentation.
pub fn specs() -> Vec<&'static FunctionSpec> {
    let tables = rows::ALL.iter().map(|f| &f.spec);
    scalars().map(|f| &f.spec).chain(aggregate::ALL).chain(tables).collect()
}

/// The table function of that name.
pub fn table_function(name: &str) -> Option<&'static TableFunction> {
    rows::ALL.iter().find(|f| f.spec.name == name)
}
