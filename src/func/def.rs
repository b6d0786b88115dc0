//! The definition of a scalar function.

use crate::catalog::{FunctionKind, FunctionSpec, OfNoRows, PointerWidth, Signature, Ty, Value};
use crate::model::Source;
use std::sync::atomic::{AtomicBool, Ordering};

/// The context that a function may use besides its arguments.
#[derive(Clone, Copy)]
pub struct FuncCx<'a> {
    /// The open sources by name; functions that read a dump use the only one, or the one that an
    /// argument names.
    pub sources: &'a [(&'a str, &'a dyn Source)],
    /// The pointer width, which determines the text of addresses.
    pub width: PointerWidth,
    /// The type of the result, which determines the element and field types of lists and
    /// structures.
    pub ty: Ty,
    /// The cancellation flag, for functions that may take long.
    pub(crate) stop: Option<&'a AtomicBool>,
}

impl<'a> FuncCx<'a> {
    /// The context of a session; the result type is set for each call.
    pub(crate) const fn new(sources: &'a [(&'a str, &'a dyn Source)], width: PointerWidth) -> Self {
        Self { sources, width, ty: Ty::Null, stop: None }
    }

    /// Fails if the query was cancelled; the flag is only checked at some of the steps.
    pub(super) fn go_on(&self, step: usize) -> Result<(), Fault> {
        let stopped = |stop: &AtomicBool| stop.load(Ordering::Relaxed);
        if step % 1024 == 1023 && self.stop.is_some_and(stopped) {
            return Err(Fault::Cancelled);
        }
        Ok(())
    }
}

impl std::fmt::Debug for FuncCx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FuncCx").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

/// Why a function has no result. The engine adds the position of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The result is outside the range of its type.
    Overflow(String),
    /// An argument cannot be converted or is invalid.
    BadValue(String),
    /// The argument with that index, from 0, is invalid.
    BadArgument(usize, String),
    /// The query was cancelled.
    Cancelled,
}

/// A scalar function: its specification and its implementation.
#[derive(Debug)]
pub struct Scalar {
    /// The specification that planning and documentation use.
    pub spec: FunctionSpec,
    /// Called with one value per argument, converted to the types of the chosen signature
    /// (arguments declared [`crate::catalog::Ty::Null`] keep their common type; optional arguments
    /// may be missing from the end). Unless the specification says `takes_null`, no value is NULL.
    pub eval: Eval,
}

/// A scalar function as the engine calls it.
pub trait ScalarFunction: Send + Sync {
    /// The specification that planning and documentation use.
    fn spec(&self) -> &FunctionSpec;

    /// The result for one row; see [`Scalar::eval`].
    ///
    /// # Errors
    ///
    /// If there is no result, the reason.
    fn call(&self, cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault>;
}

impl ScalarFunction for Scalar {
    fn spec(&self) -> &FunctionSpec {
        &self.spec
    }

    fn call(&self, cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
        (self.eval)(cx, args)
    }
}

/// The family under which documentation lists the functions of a host program.
pub(super) const HOST_FAMILY: &str = "host";

/// A scalar function of a host program.
pub struct HostScalar<F> {
    spec: FunctionSpec,
    eval: F,
}

impl<F> std::fmt::Debug for HostScalar<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostScalar").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl<F> HostScalar<F>
where
    F: Fn(&FuncCx<'_>, &[Value<'_>]) -> Result<Value<'static>, Fault> + Send + Sync,
{
    /// A function with that specification.
    pub const fn new(spec: FunctionSpec, eval: F) -> Self {
        Self { spec, eval }
    }
}

impl<F> ScalarFunction for HostScalar<F>
where
    F: Fn(&FuncCx<'_>, &[Value<'_>]) -> Result<Value<'static>, Fault> + Send + Sync,
{
    fn spec(&self) -> &FunctionSpec {
        &self.spec
    }

    fn call(&self, cx: &FuncCx<'_>, args: &[Value<'_>]) -> Result<Value<'static>, Fault> {
        (self.eval)(cx, args)
    }
}

impl Scalar {
    /// A function that depends only on its arguments and is NULL if one of them is.
    pub(super) const fn new(
        family: &'static str,
        name: &'static str,
        doc: &'static str,
        signatures: &'static [Signature],
        examples: &'static [(&'static str, &'static str)],
        eval: Eval,
    ) -> Self {
        let spec = FunctionSpec {
            name,
            aliases: &[],
            kind: FunctionKind::Scalar,
            family,
            signatures,
            takes_null: false,
            is_pure: true,
            is_total: false,
            of_no_rows: OfNoRows::Null,
            doc,
            examples,
        };
        Self { spec, eval }
    }

    /// Adds further names.
    #[must_use]
    pub(super) const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.spec.aliases = aliases;
        self
    }

    /// Declares that the function is called even if an argument is NULL.
    #[must_use]
    pub(super) const fn takes_null(mut self) -> Self {
        self.spec.takes_null = true;
        self
    }

    /// Declares that the function never raises an error.
    #[must_use]
    pub(super) const fn total(mut self) -> Self {
        self.spec = self.spec.total();
        self
    }

    /// Declares that the function reads a dump.
    #[must_use]
    pub(super) const fn reads_dump(mut self) -> Self {
        self.spec.is_pure = false;
        self
    }
}

/// A signature of exactly these arguments.
pub(super) const fn sig(args: &'static [Ty], returns: Ty) -> Signature {
    Signature::new(args, returns)
}

/// The implementation of a function.
pub type Eval = fn(&FuncCx<'_>, &[Value<'_>]) -> Result<Value<'static>, Fault>;

/// The maximum number of bytes of a text result.
pub(super) const MAX_TEXT: usize = 16 << 20;

/// Fails if a text of `bytes` bytes is longer than [`MAX_TEXT`].
pub(super) fn check_length(bytes: Option<usize>) -> Result<usize, Fault> {
    bytes
        .filter(|&n| n <= MAX_TEXT)
        .ok_or_else(|| Fault::BadValue("the resulting text would be longer than 16 MiB".to_owned()))
}

/// A fault of the kind [`Fault::BadValue`].
pub(super) fn bad<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::BadValue(message.into()))
}

/// A fault of the kind [`Fault::Overflow`] for a function's result.
pub(super) fn overflow(function: &str, ty: &str) -> Fault {
    Fault::Overflow(format!("the result of {function} is outside the range of {ty}"))
}

/// Typed access to the arguments of a call. The planner has checked their number and types; a
/// mistake there gives a [`Fault`] and never a wrong value.
pub(super) trait Args<'a> {
    /// Text.
    fn text(&self, index: usize) -> Result<&str, Fault>;
    /// An integer.
    fn int(&self, index: usize) -> Result<i64, Fault>;
    /// A number as floating point.
    fn double(&self, index: usize) -> Result<f64, Fault>;
    /// Microseconds since 1970 UTC.
    fn time(&self, index: usize) -> Result<i64, Fault>;
    /// An address.
    fn addr(&self, index: usize) -> Result<u64, Fault>;
    /// An argument of any type; NULL if it was left out.
    fn any(&self, index: usize) -> &Value<'a>;
}

impl<'a> Args<'a> for [Value<'a>] {
    fn text(&self, index: usize) -> Result<&str, Fault> {
        self.any(index).as_text().ok_or_else(|| not(index, "text"))
    }

    fn int(&self, index: usize) -> Result<i64, Fault> {
        self.any(index).as_int().ok_or_else(|| not(index, "an integer"))
    }

    fn double(&self, index: usize) -> Result<f64, Fault> {
        self.any(index).as_double().ok_or_else(|| not(index, "a number"))
    }

    fn time(&self, index: usize) -> Result<i64, Fault> {
        self.any(index).as_time().ok_or_else(|| not(index, "a timestamp"))
    }

    fn addr(&self, index: usize) -> Result<u64, Fault> {
        self.any(index).as_addr().ok_or_else(|| not(index, "an address"))
    }

    fn any(&self, index: usize) -> &Value<'a> {
        self.get(index).unwrap_or(&Value::Null)
    }
}

fn not(index: usize, expected: &str) -> Fault {
    Fault::BadValue(format!("argument {} is not {expected}", index + 1))
}
