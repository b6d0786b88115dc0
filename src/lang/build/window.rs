//! Windows: OVER, the clause WINDOW, and frames.

use pest::iterators::Pair;

use super::query::has;
use super::{Builder, Built, defect, found, last, only};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Bound, Exclude, Frame, FrameUnit, Ident, Over, Window};
use crate::lang::syntax::Rule;

impl Builder {
    /// The window after OVER.
    pub(super) fn over(&mut self, pair: Pair<'_, Rule>) -> Built<Over> {
        let subject = last(pair)?;
        if subject.as_rule() == Rule::window {
            return Ok(Over::Window(self.window(subject)?));
        }
        Ok(Over::Named(self.ident(subject)?))
    }

    /// The clause WINDOW.
    pub(super) fn windows(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<(Ident, Window)>> {
        let all = pair.into_inner().filter(|p| p.as_rule() == Rule::named_window);
        all.map(|one| {
            let name = self.ident(only(one.clone())?)?;
            Ok((name, self.window(last(one)?)?))
        })
        .collect()
    }

    fn window(&mut self, pair: Pair<'_, Rule>) -> Built<Window> {
        let span = self.span(&pair);
        let mut window = Window {
            base: None,
            partition_by: Vec::new(),
            order_by: Vec::new(),
            frame: None,
            span,
        };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::window_name => window.base = Some(self.ident(part)?),
                Rule::partition => window.partition_by = self.exprs(part)?,
                Rule::order_by => window.order_by = self.call_order(part)?,
                Rule::frame => window.frame = Some(self.frame(part)?),
                _ => {}
            }
        }
        Ok(window)
    }

    fn frame(&mut self, pair: Pair<'_, Rule>) -> Built<Frame> {
        let span = self.span(&pair);
        let (mut unit, mut exclude) = (FrameUnit::Rows, Exclude::NoOthers);
        let mut bounds = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::RANGE => unit = FrameUnit::Range,
                Rule::GROUPS => unit = FrameUnit::Groups,
                Rule::bound => bounds.push(self.bound(only(part)?)?),
                Rule::left_out => exclude = left_out(&part),
                _ => {}
            }
        }
        let mut bounds = bounds.into_iter();
        let start = found(bounds.next())?;
        let end = bounds.next().unwrap_or(Bound::CurrentRow);
        check(&start, &end, span)?;
        Ok(Frame { unit, start, end, exclude, span })
    }

    fn bound(&mut self, pair: Pair<'_, Rule>) -> Built<Bound> {
        Ok(match pair.as_rule() {
            Rule::unbounded_preceding => Bound::UnboundedPreceding,
            Rule::unbounded_following => Bound::UnboundedFollowing,
            Rule::current_row => Bound::CurrentRow,
            Rule::bound_offset => {
                let before = has(&pair, Rule::PRECEDING);
                let offset = Box::new(self.expr(only(pair)?)?);
                if before { Bound::Preceding(offset) } else { Bound::Following(offset) }
            }
            rule => return Err(defect(rule)),
        })
    }
}

fn left_out(pair: &Pair<'_, Rule>) -> Exclude {
    if has(pair, Rule::CURRENT) {
        Exclude::CurrentRow
    } else if has(pair, Rule::GROUP) {
        Exclude::Group
    } else if has(pair, Rule::TIES) {
        Exclude::Ties
    } else {
        Exclude::NoOthers
    }
}

/// Rejects frames that end before they start.
fn check(start: &Bound, end: &Bound, span: Span) -> Built<()> {
    const WORDS: [&str; 5] =
        ["UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING", "UNBOUNDED FOLLOWING"];
    let place = |bound: &Bound| match bound {
        Bound::UnboundedPreceding => 0usize,
        Bound::Preceding(_) => 1,
        Bound::CurrentRow => 2,
        Bound::Following(_) => 3,
        Bound::UnboundedFollowing => 4,
    };
    let (from, to) = (place(start), place(end));
    if from <= to && from < 4 && to > 0 {
        return Ok(());
    }
    let word = |place: usize| WORDS.get(place).copied().unwrap_or_default();
    let message = format!("the frame starts at {} and ends at {}", word(from), word(to));
    Err(Diagnostic::at(Code::Syntax, span, message)
        .help("the start comes first: BETWEEN … PRECEDING AND … FOLLOWING"))
}
