//! Functions: one file a family, one line a function in the family's `ALL`.
//!
//! A scalar function is a pure function of values. It knows neither plans nor polars; `exec` calls
//! it row by row. Aggregates are declared here and computed by `exec`.

mod def;

pub use def::{Fault, FuncCx, Scalar};

use crate::catalog::FunctionSpec;

/// Every scalar function, family by family.
pub fn scalars() -> impl Iterator<Item = &'static Scalar> {
    let families: &[&[Scalar]] = &[];
    families.iter().copied().flatten()
}

/// The scalar function of that (primary) name.
pub fn scalar(name: &str) -> Option<&'static Scalar> {
    scalars().find(|f| f.spec.name == name)
}

/// The specifications of all functions, aggregates included, in the order of documentation.
pub fn specs() -> Vec<&'static FunctionSpec> {
    scalars().map(|f| &f.spec).collect()
}
