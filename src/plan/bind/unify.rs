//! Common types for several expressions, and for the columns of several queries.

use super::expr::article;
use super::{Binder, Bound};
use crate::catalog::{Format, Ty, Value};
use crate::diag::{Code, Diagnostic};
use crate::plan::convert::{self, Refusal};
use crate::plan::{Expr, Field, Plan, Rel};

impl Binder<'_> {
    /// All expressions converted to their common type; if all are NULL, they stay NULL.
    pub(super) fn unify(&mut self, exprs: Vec<Expr>, what: &str) -> Bound<Vec<Expr>> {
        let exprs = convert::beside_decimals(exprs);
        let ty = self.common_of(&exprs, what)?;
        let beside = exprs.iter().find(|e| e.ty == ty).map(|e| e.span);
        let mark = self.errors.len();
        let each: Vec<Bound<Expr>> = exprs.into_iter().map(|e| self.as_type(e, ty, what)).collect();
        if let Some(beside) = beside {
            for error in self.errors.iter_mut().skip(mark) {
                error.also.push((beside, format!("{what} have the type of this: {ty}")));
            }
        }
        each.into_iter().collect()
    }

    fn common_of(&mut self, exprs: &[Expr], what: &str) -> Bound<Ty> {
        // Text literals adapt to the others; hex literals adapt to an INTEGER that is not a
        // literal.
        let text = |e: &&Expr| e.ty == Ty::Text && e.as_literal().is_some();
        let hex =
            |e: &&Expr| matches!(e.as_literal(), Some(Value::Addr(v)) if i64::try_from(*v).is_ok());
        let firm = exprs.iter().filter(|e| !text(e) && !hex(e));
        let mut found: Option<&Expr> = None;
        let mut ty = Ty::Null;
        for expr in firm {
            match convert::common(ty, expr.ty) {
                Some(common) => ty = common,
                None => return self.no_common(found, ty, expr, what),
            }
            if found.is_none() && expr.ty != Ty::Null {
                found = Some(expr);
            }
        }
        let firm_integer = exprs.iter().any(|e| e.ty == Ty::Int && e.as_literal().is_none());
        for expr in exprs.iter().filter(hex) {
            if !(ty == Ty::Int && firm_integer) {
                match convert::common(ty, Ty::Addr) {
                    Some(common) => ty = common,
                    None => return self.no_common(found, ty, expr, what),
                }
            }
        }
        let any_text = exprs.iter().any(|e| text(&e));
        Ok(if ty == Ty::Null && any_text { Ty::Text } else { ty })
    }

    fn no_common(&mut self, first: Option<&Expr>, ty: Ty, other: &Expr, what: &str) -> Bound<Ty> {
        let message = format!("{what} have different types: {ty} and {}", other.ty);
        let mut error = Diagnostic::at(Code::TypeMismatch, other.span, message)
            .label(format!("this is {}", article(other.ty)));
        if let Some(first) = first {
            error = error.also(first.span, format!("this is {}", article(first.ty)));
        }
        self.fail(error.help("convert one of them with CAST(… AS type)"))
    }

    /// The expression converted to `ty` by the implicit conversions.
    pub(super) fn as_type(&mut self, expr: Expr, ty: Ty, what: &str) -> Bound<Expr> {
        convert::implicit(expr, ty).or_else(|(expr, refusal)| match refusal {
            Refusal::Text => self.bad_text(&expr, ty),
            Refusal::Types => {
                let message = format!("{what}: {} is expected, this is {}", ty, expr.ty);
                self.fail_at(Code::TypeMismatch, expr.span, message)
            }
        })
    }

    /// The error for a text literal that is not a value of the type of the other operand.
    pub(super) fn bad_text<T>(&mut self, expr: &Expr, ty: Ty) -> Bound<T> {
        let text = expr.as_literal().and_then(|v| v.as_text()).unwrap_or_default();
        let shown: String = text.chars().take(60).collect();
        let message = format!("'{shown}' is not {}", article(ty));
        let error = Diagnostic::at(Code::Conversion, expr.span, message);
        self.fail(match ty {
            Ty::Time => error.help("times are written '2007-11-09 23:59:59.123', in UTC"),
            Ty::Interval => {
                error.help("durations are written '5 minutes', '1 day 02:00:00' or '250 ms'")
            }
            Ty::Addr => error.help("addresses are written 0xfffff80000000000 or fffff800`00000000"),
            Ty::Bool => error.help("truth values are true and false"),
            Ty::Decimal(_) => error.help("exact numbers are written '12.50'"),
            Ty::Date => error.help("days are written '2007-11-09'"),
            Ty::TimeOfDay => error.help("times of day are written '23:59:59.123'"),
            Ty::Blob => error.help("bytes are written as ASCII characters and '\\xDE\\xAD'"),
            Ty::Uuid => error.help("UUIDs are written 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
            _ => error,
        })
    }
}

/// The plan with its columns converted to `types`; a projection is changed in place.
pub(super) fn coerce_columns(mut plan: Plan, types: &[Ty]) -> Plan {
    if plan.schema.iter().map(|f| f.ty).eq(types.iter().copied()) {
        return plan;
    }
    let convert = |expr: &mut Expr, ty: Ty| {
        let old = std::mem::replace(expr, Expr::null(Ty::Null, expr.span));
        *expr = convert::implicit(old, ty).unwrap_or_else(|(e, _)| convert::cast(e, ty, false));
    };
    let cells: Vec<&mut [Expr]> = match &mut plan.rel {
        Rel::Project { exprs, .. } => vec![exprs.as_mut_slice()],
        Rel::Values { rows } => rows.iter_mut().map(Vec::as_mut_slice).collect(),
        _ => {
            let (mut exprs, names) = (plan.columns(), plan.names());
            for (expr, ty) in exprs.iter_mut().zip(types) {
                convert(expr, *ty);
            }
            return plan.project(exprs, names);
        }
    };
    for row in cells {
        for (expr, ty) in row.iter_mut().zip(types) {
            convert(expr, *ty);
        }
    }
    for (field, ty) in plan.schema.iter_mut().zip(types) {
        field.ty = *ty;
    }
    plan
}

/// The plan of a derived table: columns with only NULLs become INTEGER, as in DuckDB.
pub(super) fn settle_nulls(plan: Plan) -> Plan {
    let settled = |f: &Field| settled(f.ty);
    let types: Vec<Ty> = plan.schema.iter().map(settled).collect();
    coerce_columns(plan, &types)
}

/// The type of a table column: INTEGER if only NULLs are known.
fn settled(ty: Ty) -> Ty {
    match ty {
        Ty::Null => Ty::Int,
        Ty::List(list) => Ty::list_of(settled(list.element())).unwrap_or(ty),
        Ty::Struct(of) => {
            let fields = of.fields().iter().map(|(name, ty)| ((*name).to_owned(), settled(*ty)));
            Ty::struct_of(&fields.collect::<Vec<_>>()).unwrap_or(ty)
        }
        Ty::Map(of) => Ty::map_of(settled(of.key()), settled(of.value())).unwrap_or(ty),
        _ => ty,
    }
}

/// Whether the type can have the format hex: integers, or lists of them.
fn hex_type(ty: Ty) -> bool {
    ty == Ty::Int || ty.element() == Some(Ty::Int)
}

/// Hex if all expressions that are not NULL are hex.
pub(super) fn common_format(exprs: &[Expr]) -> Format {
    let mut shown = exprs.iter().filter(|e| !e.is_null_literal()).peekable();
    if shown.peek().is_some() && shown.all(|e| e.format == Format::Hex && hex_type(e.ty)) {
        Format::Hex
    } else {
        Format::Plain
    }
}
