//! Aggregates whose result types follow from the arguments: lists, maps, and values of any type.

use super::fit::Fitted;
use super::{Binder, Bound};
use crate::catalog::{DecimalTy, Format, FunctionSpec, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::{Expr, convert};

impl Binder<'_> {
    /// The arguments of an aggregate converted to its best signature.
    pub(super) fn fit_aggregate(
        &mut self,
        function: &'static FunctionSpec,
        args: Vec<Expr>,
        span: Span,
    ) -> Bound<Fitted> {
        if let [Expr { ty: Ty::Decimal(of), .. }, ..] = args.as_slice()
            && let Some(fitted) = self.of_decimals(function, of, &args)
        {
            return fitted;
        }
        match (function.name, args.as_slice()) {
            ("min" | "max" | "approx_top_k", [value, many]) if is_count(many) => {
                let ty = self.list_type(value.ty, span)?;
                self.counted(args, ty)
            }
            ("arg_min" | "arg_max", [value, _, many]) if is_count(many) => {
                let ty = self.list_type(value.ty, span)?;
                self.counted(args, ty)
            }
            ("arg_min" | "arg_max" | "arg_min_null" | "arg_max_null", [value, _]) => {
                let (ty, format) = (value.ty, value.format);
                Ok(Fitted { args, ty, format })
            }
            ("histogram" | "histogram_exact", [_, ..]) if args.len() <= 2 => {
                self.histogram(function, args, span)
            }
            ("quantile_cont" | "quantile_disc", [_, fractions])
                if fractions.ty.element().is_some() =>
            {
                self.quantiles(function, args, span)
            }
            ("quantile_disc", [value, fraction]) => {
                let (ty, format) = (value.ty, value.format);
                let fraction = fraction.clone();
                if convert::common(fraction.ty, Ty::Double) != Some(Ty::Double) {
                    return self.fit(function, args, span);
                }
                let fraction = self.as_type(fraction, Ty::Double, "the fraction of a quantile")?;
                Ok(Fitted { args: vec![value.clone(), fraction], ty, format })
            }
            _ => self.fit(function, args, span),
        }
    }

    /// An aggregate of decimals that is exact; `None` for those that compute with DOUBLE.
    fn of_decimals(
        &mut self,
        function: &'static FunctionSpec,
        of: &'static DecimalTy,
        args: &[Expr],
    ) -> Option<Bound<Fitted>> {
        let own = Ty::Decimal(of);
        let ty = match (function.name, args) {
            ("sum", [_]) => convert::widest(of.scale())?,
            ("avg", [_]) => Ty::Double,
            ("median" | "mad", [_]) => own,
            ("quantile_cont", [value, fraction]) if fraction.ty.element().is_none() => {
                let fraction =
                    self.as_type(fraction.clone(), Ty::Double, "the fraction of a quantile");
                return Some(fraction.map(|fraction| {
                    let args = vec![value.clone(), fraction];
                    Fitted { args, ty: own, format: Format::Plain }
                }));
            }
            _ => return None,
        };
        Some(Ok(Fitted { args: args.to_vec(), ty, format: Format::Plain }))
    }

    /// A call whose last argument is a number of values.
    fn counted(&mut self, mut args: Vec<Expr>, ty: Ty) -> Bound<Fitted> {
        let format = args.first().map_or(Format::Plain, |arg| arg.format);
        if let Some(many) = args.pop() {
            args.push(self.as_type(many, Ty::Int, "the number of values")?);
        }
        Ok(Fitted { args, ty, format })
    }

    /// Quantiles for a list of fractions.
    fn quantiles(
        &mut self,
        function: &'static FunctionSpec,
        mut args: Vec<Expr>,
        span: Span,
    ) -> Bound<Fitted> {
        let Some(fractions) = args.pop() else { return self.fit(function, args, span) };
        args.push(Expr::literal(Value::Double(0.5), fractions.span));
        let mut fitted = self.fit_aggregate(function, args, span)?;
        let doubles = self.list_type(Ty::Double, span)?;
        let fractions = self.as_type(fractions, doubles, "the fractions of a quantile")?;
        fitted.args.pop();
        fitted.args.push(fractions);
        fitted.ty = self.list_type(fitted.ty, span)?;
        Ok(fitted)
    }

    fn histogram(
        &mut self,
        function: &'static FunctionSpec,
        mut args: Vec<Expr>,
        span: Span,
    ) -> Bound<Fitted> {
        let limits = if args.len() == 2 { args.pop() } else { None };
        let Some(mut value) = args.pop() else { return self.fit(function, args, span) };
        if let Some(limits) = limits {
            let Some(element) = limits.ty.element() else {
                let message = format!("`{}` takes a list of limits here", function.name);
                return self.fail_at(Code::BadArguments, limits.span, message);
            };
            let ty = match convert::common(value.ty, element) {
                Some(Ty::Null) => Ty::Int,
                Some(ty @ (Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Addr | Ty::Text)) => ty,
                _ => return self.no_limits(value.ty, limits.span),
            };
            value = self.as_type(value, ty, "the value")?;
            let list = self.list_type(ty, span)?;
            args.extend([value, self.as_type(limits, list, "the limits of a histogram")?]);
        } else {
            args.push(value);
        }
        let key = args.first().map_or(Ty::Null, |arg| arg.ty);
        match Ty::map_of(key, Ty::Int) {
            Some(ty) => Ok(Fitted { args, ty, format: Format::Plain }),
            None => self.fail_at(Code::TooDeep, span, "the map is nested too deep"),
        }
    }

    fn no_limits<T>(&mut self, ty: Ty, span: Span) -> Bound<T> {
        let message = format!("a histogram of {ty} has no limits of this type");
        let error = Diagnostic::at(Code::BadArguments, span, message);
        self.fail(error.help(
            "limits are numbers, addresses or texts; times are grouped by time_bucket(…) or date_trunc(…)",
        ))
    }
}

/// Whether an argument can be the number of values that an aggregate returns.
fn is_count(expr: &Expr) -> bool {
    matches!(expr.ty, Ty::Int | Ty::Null)
}
