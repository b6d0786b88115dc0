//! Calls that make or read maps, whose types follow from those of keys and values, and bytes that are
//! joined.

use super::expr::article;
use super::{Binder, Bound, Failed};
use crate::catalog::{FunctionSpec, MapTy, Ty};
use crate::diag::{Code, Span};
use crate::lang::ast::BinaryOp;
use crate::plan::walk::balanced;
use crate::plan::{Expr, ExprKind};

impl Binder<'_> {
    /// The call, if it makes or reads a map; `None` for all others.
    pub(super) fn of_map(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Option<Bound<Expr>> {
        let first = args.first().map(|arg| arg.ty);
        match (function.name, first) {
            ("map", _) => Some(self.new_map(function, args, span)),
            ("map_from_entries", Some(Ty::List(list))) => {
                let Ty::Struct(entry) = list.element() else { return None };
                let [(_, key), (_, value)] = entry.fields() else { return None };
                Some(self.map_call(function, args.to_vec(), Ty::map_of(*key, *value), span))
            }
            ("map_concat", Some(Ty::Map(_))) => {
                let args = match self.unify(args.to_vec(), "the maps") {
                    Ok(args) => args,
                    Err(failed) => return Some(Err(failed)),
                };
                let ty = args.first().map(|arg| arg.ty);
                Some(self.map_call(function, args, ty, span))
            }
            (name, Some(Ty::Map(map))) => self.read_map(function, name, map, args, span),
            _ => None,
        }
    }

    fn read_map(
        &mut self,
        function: &'static FunctionSpec,
        name: &str,
        map: &MapTy,
        args: &[Expr],
        span: Span,
    ) -> Option<Bound<Expr>> {
        match (name, args) {
            ("map_contains_value", [of, value]) => {
                return Some(self.in_map(function, of, [(value, map.value(), "value")], span));
            }
            ("map_contains_entry", [of, key, value]) => {
                let rest = [(key, map.key(), "key"), (value, map.value(), "value")];
                return Some(self.in_map(function, of, rest, span));
            }
            _ => {}
        }
        let (ty, takes_key) = match name {
            "map_keys" => (Ty::list_of(map.key()), false),
            "map_values" => (Ty::list_of(map.value()), false),
            "map_entries" => (Some(map.entries()), false),
            "cardinality" => (Some(Ty::Int), false),
            "map_extract" => (Ty::list_of(map.value()), true),
            "map_extract_value" | "list_extract" => (Some(map.value()), true),
            "map_contains" => (Some(Ty::Bool), true),
            _ => return None,
        };
        let function = match name {
            "list_extract" => self.catalog.function("map_extract_value")?,
            _ => function,
        };
        let args = match args {
            [of, key] if takes_key => {
                match self.as_type(key.clone(), map.key(), "the key of the map") {
                    Ok(key) => vec![of.clone(), key],
                    Err(failed) => return Some(Err(failed)),
                }
            }
            [of] if !takes_key => vec![of.clone()],
            _ => return None,
        };
        Some(self.map_call(function, args, ty, span))
    }

    /// A call that looks for a key or a value.
    fn in_map<const N: usize>(
        &mut self,
        function: &'static FunctionSpec,
        of: &Expr,
        rest: [(&Expr, Ty, &str); N],
        span: Span,
    ) -> Bound<Expr> {
        let mut args = vec![of.clone()];
        for (arg, ty, what) in rest {
            args.push(self.as_type(arg.clone(), ty, &format!("the {what} of the map"))?);
        }
        self.map_call(function, args, Some(Ty::Bool), span)
    }

    fn new_map(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Bound<Expr> {
        let mut types = Vec::new();
        for arg in args {
            match arg.ty {
                Ty::List(list) => types.push(list.element()),
                Ty::Null => types.push(Ty::Null),
                other => {
                    let message = format!("`map` takes two lists, this is {}", article(other));
                    return self.fail_at(Code::BadArguments, arg.span, message);
                }
            }
        }
        let ty = match types.as_slice() {
            [] => Ty::map_of(Ty::Null, Ty::Null),
            [key, value] => Ty::map_of(*key, *value),
            _ => return self.fail_at(Code::BadArguments, span, "`map` takes two lists"),
        };
        self.map_call(function, args.to_vec(), ty, span)
    }

    /// Bytes that are joined by `||`.
    pub(super) fn joined_bytes(&mut self, terms: impl Iterator<Item = Bound<Expr>>) -> Bound<Expr> {
        let as_bytes = |term: Bound<Expr>| self.as_type(term?, Ty::Blob, "`||` beside bytes");
        let terms = terms.map(as_bytes).collect::<Bound<Vec<_>>>()?;
        balanced(BinaryOp::Concat, Ty::Blob, terms).ok_or(Failed)
    }

    fn map_call(
        &mut self,
        function: &'static FunctionSpec,
        args: Vec<Expr>,
        ty: Option<Ty>,
        span: Span,
    ) -> Bound<Expr> {
        match ty {
            Some(ty) => Ok(Expr::new(ExprKind::Call { function, args }, ty, span)),
            None => self.fail_at(Code::TooDeep, span, "the map is nested too deep"),
        }
    }
}
