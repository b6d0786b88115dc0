//! The bounds of window frames.

use super::super::expr::Place;
use super::super::{Binder, Bound};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast;
use crate::lang::ast::FrameUnit;
use crate::plan::{Expr, Frame, FrameBound, SortKey, convert};

impl Binder<'_> {
    pub(super) fn frame(
        &mut self,
        frame: &ast::Frame,
        order: &[SortKey],
        place: Place<'_>,
    ) -> Bound<Frame> {
        let start = self.frame_bound(&frame.start, frame, order, place);
        let end = self.frame_bound(&frame.end, frame, order, place);
        Ok(Frame { unit: frame.unit, start: start?, end: end?, exclude: frame.exclude })
    }

    pub(super) fn frame_bound(
        &mut self,
        bound: &ast::Bound,
        frame: &ast::Frame,
        order: &[SortKey],
        place: Place<'_>,
    ) -> Bound<FrameBound> {
        Ok(match bound {
            ast::Bound::UnboundedPreceding => FrameBound::UnboundedPreceding,
            ast::Bound::CurrentRow => FrameBound::CurrentRow,
            ast::Bound::UnboundedFollowing => FrameBound::UnboundedFollowing,
            ast::Bound::Preceding(offset) => {
                FrameBound::Preceding(self.offset(offset, frame, order, place)?)
            }
            ast::Bound::Following(offset) => {
                FrameBound::Following(self.offset(offset, frame, order, place)?)
            }
        })
    }

    /// The offset of a frame bound.
    pub(super) fn offset(
        &mut self,
        offset: &ast::Expr,
        frame: &ast::Frame,
        order: &[SortKey],
        place: Place<'_>,
    ) -> Bound<Expr> {
        let offset = self.expr(offset, place)?;
        let (want, of) = match frame.unit {
            FrameUnit::Rows => (Ty::Int, "a frame of ROWS"),
            FrameUnit::Groups => (Ty::Int, "a frame of GROUPS"),
            FrameUnit::Range => (self.distance(&offset, order, frame.span)?, "this RANGE"),
        };
        if offset.is_null_literal() {
            let message = "the offset of a frame cannot be NULL";
            return self.fail_at(Code::BadQuery, offset.span, message);
        }
        let offset = convert::implicit(offset, want).or_else(|(offset, _)| {
            let message = format!("the offset of {of} is {want}, this is {}", offset.ty);
            self.fail_at(Code::TypeMismatch, offset.span, message)
        })?;
        let negative = match offset.as_literal() {
            Some(Value::Int(n) | Value::Interval(n) | Value::Decimal(n, _)) => *n < 0,
            Some(Value::Double(n)) => *n < 0.0 || n.is_nan(),
            _ => false,
        };
        if negative {
            let message = "the offset of a frame cannot be negative";
            return self.fail_at(Code::BadQuery, offset.span, message);
        }
        Ok(offset)
    }

    /// The type of differences between values of the only sort key.
    pub(super) fn distance(&mut self, offset: &Expr, order: &[SortKey], span: Span) -> Bound<Ty> {
        let [key] = order else {
            let message = "RANGE with a distance needs one key in ORDER BY";
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help("ROWS counts rows, GROUPS counts different keys"));
        };
        Ok(match key.expr.ty {
            Ty::Int if offset.ty == Ty::Double => Ty::Double,
            Ty::Int | Ty::Addr => Ty::Int,
            Ty::Decimal(_) => key.expr.ty,
            Ty::Double => Ty::Double,
            Ty::Time | Ty::Interval | Ty::Date | Ty::TimeOfDay => Ty::Interval,
            other => {
                let message = format!(
                    "RANGE with a distance needs a key that is a number or a time, this is {other}"
                );
                let error = Diagnostic::at(Code::TypeMismatch, key.expr.span, message);
                return self.fail(error.help("ROWS counts rows, GROUPS counts different keys"));
            }
        })
    }
}
