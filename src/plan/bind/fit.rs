//! Overload resolution: chooses the best signature for a call, converts the arguments, and computes
//! the type of the result.

use super::expr::article;
use super::unify::common_format;
use super::{Binder, Bound, Failed};
use crate::catalog::{Format, FunctionKind, FunctionSpec, Signature, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::{Expr, ExprKind, convert, render};

/// Arguments converted to a signature, and the result.
pub(super) struct Fitted {
    pub(super) args: Vec<Expr>,
    pub(super) ty: Ty,
    pub(super) format: Format,
}

impl Binder<'_> {
    /// The arguments converted to the best signature.
    pub(super) fn fit(
        &mut self,
        function: &'static FunctionSpec,
        args: Vec<Expr>,
        span: Span,
    ) -> Bound<Fitted> {
        let scored = function
            .signatures
            .iter()
            .filter_map(|s| score(function, s, &args).map(|cost| (cost, s)));
        // The first of the cheapest signatures: `min_by_key` returns the first of equal elements.
        let Some((_, signature)) = scored.min_by_key(|(cost, _)| *cost) else {
            return self.misfit(function, &args, span);
        };
        if is_of_lists(signature) {
            return self.fit_lists(function, signature, args, span);
        }
        let any_struct = |ty: Ty| ty == Ty::ANY_STRUCT;
        let converted: Option<Vec<Expr>> = args
            .into_iter()
            .enumerate()
            .map(|(i, arg)| match wanted(signature, i) {
                ty if any_struct(ty) => Some(arg),
                ty => convert::implicit(arg, ty).ok(),
            })
            .collect();
        let Some(args) = converted else { return Err(Failed) };
        let Some(any) = unified(signature, &args) else { return Err(Failed) };
        let args = args.into_iter().enumerate().map(|(i, arg)| match wanted(signature, i) {
            Ty::Null => convert::implicit(arg, any).map_err(|_| Failed),
            _ => Ok(arg),
        });
        let args = args.collect::<Bound<Vec<_>>>()?;
        let generic: Vec<Expr> = args
            .iter()
            .enumerate()
            .filter(|(i, _)| wanted(signature, *i) == Ty::Null)
            .map(|(_, arg)| arg.clone())
            .collect();
        let (ty, format) = match signature.returns {
            Ty::Null => (any, common_format(&generic)),
            ty if any_struct(ty) => (args.first().map_or(ty, |arg| arg.ty), Format::Plain),
            ty => (ty, Format::Plain),
        };
        Ok(Fitted { args, ty, format })
    }

    /// As above for a signature with lists of any type: lists and elements get one element type.
    fn fit_lists(
        &mut self,
        function: &'static FunctionSpec,
        signature: &Signature,
        args: Vec<Expr>,
        span: Span,
    ) -> Bound<Fitted> {
        let Some(element) = element_of(function, signature, &args) else { return Err(Failed) };
        let list = self.list_type(element, span)?;
        let takes_elements = function.kind == FunctionKind::Scalar;
        let mut fitted = Vec::with_capacity(args.len());
        for (index, arg) in args.into_iter().enumerate() {
            let ty = match wanted(signature, index) {
                Ty::ANY_LIST => list,
                Ty::ANY_LISTS => self.list_type(list, span)?,
                Ty::Null if takes_elements => element,
                ty => ty,
            };
            fitted.push(convert::implicit(arg, ty).map_err(|_| Failed)?);
        }
        let (ty, format) = match signature.returns {
            Ty::ANY_LIST => (list, common_format(&fitted)),
            Ty::ANY_LISTS => (self.list_type(list, span)?, Format::Plain),
            Ty::Null => (element, fitted.first().map_or(Format::Plain, |list| list.format)),
            ty => (ty, Format::Plain),
        };
        Ok(Fitted { args: fitted, ty, format })
    }

    fn misfit<T>(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Bound<T> {
        if let Some((index, arg)) = the_misfit(function, args) {
            let message = format!("`{}` does not take {} here", function.name, article(arg.ty));
            let want = function.signatures.first().map_or(Ty::Text, |s| wanted(s, index));
            let ways: Vec<String> =
                function.signatures.iter().map(|s| signature_text(function.name, s)).collect();
            let error = Diagnostic::at(Code::BadArguments, arg.span, message)
                .help(format!("it is called as {}", ways.join(", ")));
            return self.fail(match (arg.ty, want, &arg.kind) {
                (_, Ty::Text, ExprKind::Literal(value)) => {
                    let value = render::value(value, arg.format);
                    error.help(format!("write CAST({value} AS VARCHAR), or '{value}'"))
                }
                (_, Ty::Text, _) => error.help("other types become text with CAST(… AS VARCHAR)"),
                _ => error,
            });
        }
        let types: Vec<&str> = args.iter().map(|a| a.ty.name()).collect();
        let message = match args {
            [] => format!("`{}` needs arguments", function.name),
            [one] => format!("`{}` does not take {}", function.name, article(one.ty)),
            _ => format!("`{}` does not take ({})", function.name, types.join(", ")),
        };
        let ways: Vec<String> =
            function.signatures.iter().map(|s| signature_text(function.name, s)).collect();
        let error = Diagnostic::at(Code::BadArguments, span, message)
            .help(format!("it is called as {}", ways.join(", ")));
        let wants_text = function.signatures.iter().any(|s| {
            s.args.len() == args.len()
                && s.args.iter().zip(args).all(|(want, arg)| *want == Ty::Text || *want == arg.ty)
        });
        self.fail(if wants_text {
            error.help("other types become text with CAST(… AS VARCHAR)")
        } else {
            error
        })
    }
}

/// The only argument that does not fit, if this is the same for all signatures with that number of
/// arguments.
fn the_misfit<'a>(function: &FunctionSpec, args: &'a [Expr]) -> Option<(usize, &'a Expr)> {
    let fits_count = |s: &&Signature| {
        let declared = s.args.len();
        args.len() >= declared.saturating_sub(s.optional)
            && (args.len() <= declared || (s.variadic && declared > 0))
    };
    let mut found = None;
    for signature in function.signatures.iter().filter(fits_count) {
        let misfits =
            |(i, arg): &(usize, &Expr)| conversion_cost(arg, wanted(signature, *i)).is_none();
        let mut wrong = args.iter().enumerate().filter(misfits);
        let (index, arg) = wrong.next()?;
        if wrong.next().is_some() || found.is_some_and(|(known, _)| known != index) {
            return None;
        }
        found = Some((index, arg));
    }
    found
}

/// The type of argument `index` in a signature.
fn wanted(signature: &Signature, index: usize) -> Ty {
    let last = signature.args.last().copied().unwrap_or(Ty::Null);
    signature.args.get(index).copied().unwrap_or(last)
}

/// The cost of converting the arguments to the signature; `None` if they do not fit.
fn score(function: &FunctionSpec, signature: &Signature, args: &[Expr]) -> Option<usize> {
    let declared = signature.args.len();
    let least = declared.saturating_sub(signature.optional);
    if args.len() < least || (args.len() > declared && !(signature.variadic && declared > 0)) {
        return None;
    }
    let mut total = 0;
    for (index, arg) in args.iter().enumerate() {
        total += conversion_cost(arg, wanted(signature, index))?;
    }
    if is_of_lists(signature) {
        element_of(function, signature, args)?;
    } else {
        unified(signature, args)?;
    }
    Some(total)
}

/// Whether a signature has lists of any type.
fn is_of_lists(signature: &Signature) -> bool {
    let is_list = |ty: &Ty| matches!(*ty, Ty::ANY_LIST | Ty::ANY_LISTS);
    signature.args.iter().any(is_list) || is_list(&signature.returns)
}

/// The element type of the lists of a call; `None` if there is no common type.
fn element_of(function: &FunctionSpec, signature: &Signature, args: &[Expr]) -> Option<Ty> {
    let has_lists = signature.args.iter().any(|ty| matches!(*ty, Ty::ANY_LIST | Ty::ANY_LISTS));
    let takes_elements = function.kind == FunctionKind::Scalar || !has_lists;
    let is_text = |arg: &Expr| arg.ty == Ty::Text && arg.as_literal().is_some();
    let mut texts = Vec::new();
    let mut element = Ty::Null;
    for (index, arg) in args.iter().enumerate() {
        let own = match (wanted(signature, index), arg.ty) {
            (_, Ty::Null) => Ty::Null,
            (Ty::ANY_LIST, Ty::List(list)) => list.element(),
            (Ty::ANY_LISTS, Ty::List(list)) => match list.element() {
                Ty::List(inner) => inner.element(),
                Ty::Null => Ty::Null,
                _ => return None,
            },
            (Ty::ANY_LIST | Ty::ANY_LISTS, _) => return None,
            (Ty::Null, _) if takes_elements && is_text(arg) => {
                texts.push(arg);
                continue;
            }
            (Ty::Null, ty) if takes_elements => ty,
            _ => continue,
        };
        element = convert::common(element, own)?;
    }
    if element == Ty::Null && !texts.is_empty() {
        return Some(Ty::Text);
    }
    let fits =
        |text: &&Expr| text.as_literal().and_then(|v| convert::literal(v, element)).is_some();
    texts.iter().all(fits).then_some(element)
}

/// The common type of the arguments declared as any type. They need one only if it is the type of
/// the result: each argument of `concat` and `format` keeps its own type.
fn unified(signature: &Signature, args: &[Expr]) -> Option<Ty> {
    if signature.returns != Ty::Null {
        return Some(Ty::Null);
    }
    let any: Vec<&Expr> = args
        .iter()
        .enumerate()
        .filter(|(i, _)| wanted(signature, *i) == Ty::Null)
        .map(|(_, arg)| arg)
        .collect();
    let firm = any.iter().filter(|e| !(e.ty == Ty::Text && e.as_literal().is_some()));
    let mut ty = Ty::Null;
    for arg in firm {
        ty = convert::common(ty, arg.ty)?;
    }
    for arg in any {
        if ty == Ty::Null {
            ty = arg.ty;
        } else if arg.ty == Ty::Text && ty != Ty::Text {
            convert::literal(arg.as_literal()?, ty)?;
        }
    }
    Some(ty)
}

fn conversion_cost(arg: &Expr, to: Ty) -> Option<usize> {
    if arg.ty == to {
        return Some(0);
    }
    match (arg.ty, to) {
        (_, Ty::Null) | (Ty::Null, _) => Some(1),
        (Ty::List(_), Ty::ANY_LIST)
        | (Ty::Struct(_), Ty::ANY_STRUCT)
        | (Ty::Map(_), Ty::ANY_MAP) => Some(0),
        (Ty::List(list), Ty::ANY_LISTS) => {
            matches!(list.element(), Ty::List(_) | Ty::Null).then_some(0)
        }
        (from, to) if from.is_nested() => (convert::common(from, to) == Some(to)).then_some(2),
        (_, Ty::ANY_LIST | Ty::ANY_LISTS | Ty::ANY_STRUCT | Ty::ANY_MAP) | (Ty::Bool, _) => None,
        (Ty::Int | Ty::Decimal(_), Ty::Double) | (Ty::Date, Ty::Time) => Some(2),
        (Ty::Int, Ty::Addr) => {
            arg.as_literal().is_none_or(|v| convert::literal(v, to).is_some()).then_some(3)
        }
        (Ty::Addr, Ty::Double) => Some(5),
        _ => arg.as_literal().and_then(|v| convert::literal(v, to)).map(|_| 4),
    }
}

/// A signature in the notation of the documentation.
fn signature_text(name: &str, signature: &Signature) -> String {
    let required = signature.args.len().saturating_sub(signature.optional);
    let mut text = format!("{name}(");
    for (index, ty) in signature.args.iter().enumerate() {
        if index >= required {
            text.push('[');
        }
        if index > 0 {
            text.push_str(", ");
        }
        if let Some(name) = signature.names.get(index) {
            text.push_str(name);
            text.push(' ');
        }
        text.push_str(if *ty == Ty::Null { "any" } else { ty.name() });
    }
    if signature.variadic {
        text.push_str(", …");
    }
    for _ in required..signature.args.len() {
        text.push(']');
    }
    text.push(')');
    text
}
