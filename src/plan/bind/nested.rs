//! Lists and structures: literals, elements, fields, and unnesting.

use super::expr::{Place, article};
use super::from::Source;
use super::join::Joined;
use super::unify::common_format;
use super::{Binder, Bound, Failed};
use crate::catalog::{FunctionSpec, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, Call, Ident, JoinKind, JoinOn, Name};
use crate::plan::{Expr, ExprKind, Field, Plan, Rel};

/// Until lists are unnested, column `UNNESTS + i` of an expression is an element of the `i`th list.
pub(super) const UNNESTS: usize = usize::MAX / 4 * 3;

/// The maximum number of lists that a select may unnest.
const MAX_UNNESTS: usize = 100;

/// The signatures of a function, for help.
pub(super) fn ways(function: &FunctionSpec) -> String {
    let texts = function.signature_texts();
    texts.join(", ")
}

/// Whether an expression contains an element of an unnested list.
pub(super) fn holds_unnest(expr: &Expr) -> bool {
    !expr.columns_all(|index| index < UNNESTS)
}

/// Whether a call unnests a list.
pub(super) fn is_unnest(name: &str) -> bool {
    name.eq_ignore_ascii_case("unnest")
}

impl Binder<'_> {
    /// The type of a list with elements of this type.
    pub(super) fn list_type(&mut self, element: Ty, span: Span) -> Bound<Ty> {
        let message = format!("lists and structures may be nested {} deep", Ty::MAX_DEPTH);
        match Ty::list_of(element) {
            Some(ty) => Ok(ty),
            None => self.fail_at(Code::TooDeep, span, message),
        }
    }

    /// A structure: `{'a': 1, 'b': x}`.
    pub(super) fn structure(
        &mut self,
        fields: &[(Ident, ast::Expr)],
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let values: Vec<Bound<Expr>> = fields.iter().map(|(_, e)| self.expr(e, place)).collect();
        let values = values.into_iter().collect::<Bound<Vec<_>>>()?;
        for (at, (name, _)) in fields.iter().enumerate() {
            let same =
                |(other, _): &(Ident, ast::Expr)| other.text.eq_ignore_ascii_case(&name.text);
            if fields.iter().take(at).any(same) {
                let message = format!("two fields are called `{}`", name.text);
                return self.fail_at(Code::BadQuery, name.span, message);
            }
        }
        let names = fields.iter().map(|(name, _)| name.text.clone());
        self.structure_of(names, values, span)
    }

    pub(super) fn structure_of(
        &mut self,
        names: impl Iterator<Item = String>,
        values: Vec<Expr>,
        span: Span,
    ) -> Bound<Expr> {
        let fields: Vec<(String, Ty)> = names.zip(&values).map(|(n, v)| (n, v.ty)).collect();
        let Some(ty) = Ty::struct_of(&fields) else {
            let message = "the structure has too many fields, or is nested too deep";
            return self.fail_at(Code::TooDeep, span, message);
        };
        let Some(function) = self.catalog.function("struct_pack") else {
            return self.unknown_function("struct_pack", span);
        };
        Ok(Expr::new(ExprKind::Call { function, args: values }, ty, span))
    }

    /// A field of a column: the column's name precedes the last dots; `None` if there is no such
    /// column.
    pub(super) fn field_of_column(&mut self, name: &Name, place: Place<'_>) -> Option<Bound<Expr>> {
        for split in (1..name.parts.len()).rev() {
            let (column, fields) = name.parts.split_at_checked(split)?;
            let column = Name { parts: column.to_vec(), span: name.span };
            let own = place.scope.find(&column).ok().map(|c| c.expr.clone());
            let own = own.or_else(|| {
                let [part] = column.parts.as_slice() else { return None };
                let fits = |a: &&super::expr::Alias| a.name.eq_ignore_ascii_case(&part.text);
                place.aliases.iter().find(fits).and_then(|a| a.expr.clone())
            });
            let is_struct = |e: &Expr| matches!(e.ty, Ty::Struct(_));
            if let Some(own) = own.filter(is_struct) {
                let copy = self.copy(&Expr { span: name.span, ..own });
                return Some(copy.and_then(|own| self.fields_of(own, fields)));
            }
            let mut scopes = self.frames.iter().rev().map(|frame| &frame.scope);
            let outer = scopes.find_map(|scope| scope.find(&column).ok());
            if outer.is_some_and(|c| is_struct(&c.expr)) {
                let outer = self.outer_column(&column)?;
                return Some(outer.and_then(|outer| self.fields_of(outer, fields)));
            }
        }
        None
    }

    /// A field of a structure, or of a field of it, and so on.
    pub(super) fn fields_of(&mut self, of: Expr, names: &[Ident]) -> Bound<Expr> {
        names.iter().try_fold(of, |of, name| self.field(of, &name.text, name.span))
    }

    fn field(&mut self, of: Expr, name: &str, span: Span) -> Bound<Expr> {
        let Ty::Struct(ty) = of.ty else {
            let message = format!("{} has no field `{name}`", of.ty);
            return self.fail_at(Code::TypeMismatch, span, message);
        };
        if let Some((at, ty)) = ty.field(name) {
            return self.field_at(of, at, ty, span);
        }
        let names: Vec<&str> = ty.fields().iter().map(|(name, _)| *name).collect();
        let error = Diagnostic::at(Code::UnknownColumn, span, format!("no field `{name}`"));
        let error = error.nearest(name, names.iter().copied());
        self.fail(error.help(format!("fields: {}", super::scope::listed(&names))))
    }

    pub(super) fn field_at(&mut self, of: Expr, at: usize, ty: Ty, span: Span) -> Bound<Expr> {
        let Some(function) = self.catalog.function("struct_extract") else {
            return self.unknown_function("struct_extract", span);
        };
        let place = i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1);
        let place = Expr::literal(Value::Int(place), span);
        let span = of.span.to(span);
        Ok(Expr::new(ExprKind::Call { function, args: vec![of, place] }, ty, span))
    }

    /// Calls that create lists and structures, or read structures, whose types depend on the
    /// arguments; `None` for all others.
    pub(super) fn of_structure(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Option<Bound<Expr>> {
        match (function.name, args) {
            ("list_value", [_, ..]) => Some(self.list_of(function, args.to_vec(), span)),
            ("row", [_, ..]) => {
                let names = args.iter().map(|_| String::new());
                Some(self.structure_of(names, args.to_vec(), span))
            }
            (name, [_, ..]) if super::structs::is_rebuilt(name) => {
                self.rebuilt(function, args, span)
            }
            ("struct_extract" | "list_extract", [of, which]) => {
                let Ty::Struct(ty) = of.ty else { return None };
                Some(match which.as_literal() {
                    Some(Value::Text(name)) => self.field(of.clone(), name, which.span),
                    Some(Value::Int(place)) => {
                        let at = usize::try_from(*place).ok().and_then(|at| at.checked_sub(1));
                        let found = at.and_then(|at| Some((at, ty.fields().get(at)?.1)));
                        if let Some((at, ty)) = found {
                            self.field_at(of.clone(), at, ty, which.span)
                        } else {
                            let message = format!("the structure has {} fields", ty.fields().len());
                            self.fail_at(Code::BadArguments, which.span, message)
                        }
                    }
                    _ => {
                        let message = "the name of a field is a constant";
                        self.fail_at(Code::BadArguments, which.span, message)
                    }
                })
            }
            _ => None,
        }
    }

    fn list_of(
        &mut self,
        function: &'static FunctionSpec,
        values: Vec<Expr>,
        span: Span,
    ) -> Bound<Expr> {
        let args = self.unify(values, "the elements of a list")?;
        let format = common_format(&args);
        let ty = self.list_type(args.first().map_or(Ty::Null, |e| e.ty), span)?;
        Ok(Expr { kind: ExprKind::Call { function, args }, ty, format, span })
    }

    /// Concatenates lists with `||`.
    pub(super) fn joined_lists(&mut self, terms: Vec<Expr>) -> Bound<Expr> {
        let terms = self.unify(terms, "the operands of ||")?;
        let span = terms.iter().map(|t| t.span).reduce(Span::to).unwrap_or_default();
        if let Some(other) = terms.iter().find(|t| t.ty.element().is_none()) {
            let message = format!("a list is joined with lists, this is {}", article(other.ty));
            return self.fail_at(Code::TypeMismatch, other.span, message);
        }
        let Some(function) = self.catalog.function("list_concat") else {
            return self.unknown_function("list_concat", span);
        };
        let ty = terms.first().map_or(Ty::Null, |t| t.ty);
        Ok(Expr::new(ExprKind::Call { function, args: terms }, ty, span))
    }

    /// `unnest(list)` in the select list: a row for each element.
    pub(super) fn unnest(&mut self, call: &Call, span: Span, place: Place<'_>) -> Bound<Expr> {
        let Some(into) = place.unnests else {
            let message = format!("`unnest` is not allowed in {}", place.clause);
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help("write FROM t, unnest(t.list) AS u(x)"));
        };
        let [list] = call.args.as_slice() else {
            return self.fail_at(Code::BadArguments, span, "`unnest` takes one list");
        };
        let list = self.expr(list, Place { unnests: None, clause: "unnest", ..place })?;
        let (list, ty) = self.unnested(list)?;
        let mut all = into.borrow_mut();
        if all.len() >= MAX_UNNESTS {
            drop(all);
            let message = format!("more than {MAX_UNNESTS} lists in one SELECT");
            return self.fail_at(Code::TooDeep, span, message);
        }
        let index = all.iter().position(|known| known.same(&list)).unwrap_or(all.len());
        if index == all.len() {
            all.push(list);
        }
        Ok(Expr::new(ExprKind::Column(UNNESTS + index), ty, span))
    }

    /// The list to unnest, and the type of its elements.
    fn unnested(&mut self, list: Expr) -> Bound<(Expr, Ty)> {
        match list.ty {
            Ty::List(of) if of.element() == Ty::Null => Ok((list, Ty::Int)),
            Ty::List(of) => Ok((list, of.element())),
            Ty::Null => Ok((Expr::null(Ty::INTS, list.span), Ty::Int)),
            other => {
                let message = format!("`unnest` takes a list, this is {}", article(other));
                self.fail_at(Code::BadArguments, list.span, message)
            }
        }
    }

    /// Adds a column for each list, with a row for each element of the longest list.
    pub(super) fn with_unnests(plan: Plan, lists: Vec<Expr>) -> Plan {
        let (mut schema, span) = (plan.schema.clone(), plan.span);
        schema.extend(lists.iter().map(unnest_field));
        Plan { rel: Rel::Unnest { input: Box::new(plan), lists, outer: false }, schema, span }
    }

    /// `FROM unnest(list)`: one row for each element.
    pub(super) fn unnest_table(&mut self, args: &[ast::CallArgument], span: Span) -> Bound<Plan> {
        let [ast::CallArgument { value, name: None }] = args else {
            return self.fail_at(Code::BadArguments, span, "`unnest` takes one list");
        };
        let scope = super::scope::Scope::default();
        let list = self.expr(value, Place::plain(&scope, "the argument of unnest"))?;
        let (list, _) = self.unnested(list)?;
        let one = Plan::values(vec![Vec::new()], Vec::new(), span);
        Ok(Self::with_unnests(one, vec![list]))
    }

    /// Whether an item is `unnest` of a structure.
    pub(super) fn is_structure(&mut self, expr: &ast::Expr, place: Place<'_>) -> bool {
        let ast::ExprKind::Call(call) = &expr.kind else { return false };
        let [arg] = call.args.as_slice() else { return false };
        if !is_unnest(&call.name.text) {
            return false;
        }
        let mark = self.errors.len();
        let bound = self.expr(arg, place);
        self.errors.truncate(mark);
        bound.is_ok_and(|bound| matches!(bound.ty, Ty::Struct(_)))
    }

    /// The fields of a structure as items of the select list.
    pub(super) fn structure_items(
        &mut self,
        expr: &ast::Expr,
        place: Place<'_>,
    ) -> Bound<Vec<(String, Expr)>> {
        let ast::ExprKind::Call(call) = &expr.kind else { return Err(Failed) };
        let arg = call.args.first().ok_or(Failed)?;
        let bound = self.expr(arg, place)?;
        self.spread_structure(&bound).ok_or(Failed)?
    }

    /// `s.*`, where `s` is a column with structures.
    pub(super) fn structure_star(
        &mut self,
        qualifier: Option<&ast::Name>,
        place: Place<'_>,
    ) -> Option<Bound<Vec<(String, Expr)>>> {
        let name = qualifier?;
        let found = place.scope.find(name).ok().map(|c| Expr { span: name.span, ..c.expr.clone() });
        self.spread_structure(&found?)
    }

    /// The fields of a structure that replace `s.*` or `unnest(s)`; `None` if it is not a
    /// structure.
    pub(super) fn spread_structure(&mut self, of: &Expr) -> Option<Bound<Vec<(String, Expr)>>> {
        let Ty::Struct(ty) = of.ty else { return None };
        let mut fields = Vec::with_capacity(ty.fields().len());
        for (at, (name, field)) in ty.fields().iter().enumerate() {
            let own = match self.copy(of) {
                Ok(own) => own,
                Err(Failed) => return Some(Err(Failed)),
            };
            let name =
                if name.is_empty() { format!("element{}", at + 1) } else { (*name).to_owned() };
            match self.field_at(own, at, *field, of.span) {
                Ok(field) => fields.push((name, field)),
                Err(Failed) => return Some(Err(Failed)),
            }
        }
        Some(Ok(fields))
    }
}

/// The column of the elements of a list.
fn unnest_field(list: &Expr) -> Field {
    let ty = list.ty.element().filter(|ty| *ty != Ty::Null).unwrap_or(Ty::Int);
    Field { name: "unnest".to_owned(), ty, format: list.format }
}

/// A join with `unnest` of a list of the left side: the left rows repeated for the elements; `None`
/// for other joins.
pub(super) fn unnested(joined: &mut Joined, on: &JoinOn) -> Option<Source> {
    let always = match on {
        JoinOn::None => true,
        JoinOn::Condition(on) => {
            matches!(on.kind, ast::ExprKind::Literal(ast::Literal::Bool(true)))
        }
        _ => false,
    };
    let kind = matches!(joined.kind, JoinKind::Inner | JoinKind::Left | JoinKind::Cross);
    let alone = match &joined.right.rel {
        Rel::Unnest { input, .. } => matches!(&input.rel, Rel::Values { rows } if rows.len() == 1),
        _ => false,
    };
    if !(always && kind && alone) || joined.args.is_empty() {
        return None;
    }
    let scope = joined.both();
    let args = std::mem::take(&mut joined.args);
    joined.right.map_params(&mut |i, param| args.get(i).unwrap_or(param).clone());
    let one = Plan::values(Vec::new(), Vec::new(), joined.span);
    let left = std::mem::replace(&mut joined.left, one);
    let mut schema = left.schema.clone();
    schema.extend(joined.right.schema.iter().cloned());
    let Rel::Unnest { input, lists, outer } = &mut joined.right.rel else { return None };
    **input = left;
    *outer = joined.kind == JoinKind::Left;
    let rel = Rel::Unnest {
        input: std::mem::replace(
            input,
            Box::new(Plan::values(Vec::new(), Vec::new(), joined.span)),
        ),
        lists: std::mem::take(lists),
        outer: *outer,
    };
    Some((Plan { rel, schema, span: joined.span }, scope))
}
