//! What a scalar function is.

use crate::catalog::{FunctionSpec, PointerWidth, Value};
use crate::model::Source;

/// What a function may look at beside its arguments.
#[derive(Clone, Copy)]
pub struct FuncCx<'a> {
    /// The open sources by name; functions that reach into a dump use the only one, or the one
    /// that an argument names.
    pub sources: &'a [(&'a str, &'a dyn Source)],
    /// The pointer width for text of addresses.
    pub width: PointerWidth,
}

impl std::fmt::Debug for FuncCx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FuncCx").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

/// Why a function has no result. The engine adds where in the query it was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The result is outside the range of its type.
    Overflow(String),
    /// An argument cannot be converted or does not make sense.
    BadValue(String),
}

/// A scalar function: its specification, and the code.
#[derive(Debug)]
pub struct Scalar {
    /// What planning and documentation see.
    pub spec: FunctionSpec,
    /// Called with one value an argument, converted to the types of the chosen signature
    /// (arguments declared [`crate::catalog::Ty::Null`] keep their common type; optional arguments
    /// may be missing from the end). Unless the specification says `takes_null`, no value is NULL.
    pub eval: fn(&FuncCx<'_>, &[Value<'_>]) -> Result<Value<'static>, Fault>,
}
