//! Calls that make structures of other structures, or of lists side by side. Their types follow from
//! those of the arguments.

use super::expr::article;
use super::{Binder, Bound, Failed};
use crate::catalog::{FunctionSpec, Ty};
use crate::diag::{Code, Span};
use crate::plan::{Expr, ExprKind};

/// Whether a function makes a structure of structures, or of lists.
pub(super) fn is_rebuilt(name: &str) -> bool {
    matches!(
        name,
        "struct_concat" | "struct_insert" | "struct_update" | "struct_values" | "list_zip"
    )
}

impl Binder<'_> {
    /// The call, if its arguments are structures, or lists for `list_zip`; `None` for others.
    pub(super) fn rebuilt(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Option<Bound<Expr>> {
        if function.name == "list_zip" {
            return Some(self.zipped(function, args, span));
        }
        let types: Option<Vec<Ty>> =
            args.iter().map(|arg| matches!(arg.ty, Ty::Struct(_)).then_some(arg.ty)).collect();
        types?;
        if function.name == "struct_values" {
            let [Expr { ty: Ty::Struct(of), .. }] = args else { return None };
            let fields: Vec<_> = of.fields().iter().map(|(_, ty)| (String::new(), *ty)).collect();
            let kind = ExprKind::Call { function, args: args.to_vec() };
            return Ty::struct_of(&fields).map(|ty| Ok(Expr::new(kind, ty, span)));
        }
        Some(self.merged(function.name == "struct_update", args, span))
    }

    /// One structure with the fields of several; later ones replace earlier ones of the same name if
    /// `replaces` is set.
    fn merged(&mut self, replaces: bool, args: &[Expr], span: Span) -> Bound<Expr> {
        let mut names: Vec<String> = Vec::new();
        let mut values: Vec<Expr> = Vec::new();
        for arg in args {
            let Ty::Struct(of) = arg.ty else { return Err(Failed) };
            for (at, (name, ty)) in of.fields().iter().enumerate() {
                let copy = self.copy(arg)?;
                let value = self.field_at(copy, at, *ty, arg.span)?;
                let known = names.iter().position(|known| known.eq_ignore_ascii_case(name));
                match known.filter(|_| !name.is_empty()) {
                    Some(known) if replaces => {
                        if let Some(old) = values.get_mut(known) {
                            *old = value;
                        }
                    }
                    Some(_) => {
                        let message = format!("two fields are called `{name}`");
                        return self.fail_at(Code::BadQuery, arg.span, message);
                    }
                    None => {
                        names.push((*name).to_owned());
                        values.push(value);
                    }
                }
            }
        }
        let named = names.iter().filter(|name| !name.is_empty()).count();
        if named != 0 && named != names.len() {
            let message = "structures with and without names are not joined";
            return self.fail_at(Code::BadArguments, span, message);
        }
        self.structure_of(names.into_iter(), values, span)
    }

    /// `list_zip(a, b, …)`.
    fn zipped(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Bound<Expr> {
        let lists = match args.split_last() {
            Some((last, lists)) if last.ty == Ty::Bool && !lists.is_empty() => lists,
            _ => args,
        };
        let mut fields = Vec::with_capacity(lists.len());
        for list in lists {
            let element = match list.ty {
                Ty::List(of) => of.element(),
                Ty::Null => Ty::Null,
                other => {
                    let message = format!("`list_zip` takes lists, this is {}", article(other));
                    return self.fail_at(Code::BadArguments, list.span, message);
                }
            };
            fields.push((String::new(), if element == Ty::Null { Ty::Int } else { element }));
        }
        let ty = Ty::struct_of(&fields).and_then(Ty::list_of);
        let kind = ExprKind::Call { function, args: args.to_vec() };
        match ty {
            Some(ty) => Ok(Expr::new(kind, ty, span)),
            None => self.fail_at(Code::TooDeep, span, "the lists are nested too deep"),
        }
    }
}
