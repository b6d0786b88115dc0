//! Aggregates of a host program, which work on one value at a time.

use super::kernel::{Aggregate, Args, Rows, States, same};
use crate::catalog::{FunctionSpec, Value};
use crate::diag::{Code, Diagnostic};
use crate::exec::col::Col;
use crate::func::Fault;

/// The state of one group for an aggregate of a host program; its default is the state before any
/// rows.
pub trait Accumulator: Default + Send + 'static {
    /// Adds the arguments of one row, converted to the types of a signature. No value is NULL
    /// unless the function takes NULL.
    ///
    /// # Errors
    ///
    /// If the values are not valid for the aggregate.
    fn add(&mut self, args: &[Value<'_>]) -> Result<(), Fault>;

    /// Merges the state of rows that follow those already added.
    ///
    /// # Errors
    ///
    /// As [`Accumulator::add`].
    fn merge(&mut self, later: &Self) -> Result<(), Fault>;

    /// The result, of the type of the signature.
    ///
    /// # Errors
    ///
    /// If the result is out of range.
    fn finish(&self) -> Result<Value<'static>, Fault>;
}

impl Aggregate {
    /// An aggregate of a host program.
    pub fn of<A: Accumulator>(spec: FunctionSpec) -> Self {
        let start = |_: &Args<'_>, groups: usize| -> Box<dyn States> {
            Box::new(Accumulators((0..groups).map(|_| A::default()).collect()))
        };
        Self {
            spec,
            start,
            holds_values: true,
            keeps_rows: false,
            over_frames: None,
            distinct: false,
        }
    }
}

struct Accumulators<A>(Vec<A>);

fn failed(args: &Args<'_>, fault: Fault) -> Diagnostic {
    let (code, message) = match fault {
        Fault::Overflow(message) => (Code::Overflow, message),
        Fault::BadValue(message) | Fault::BadArgument(_, message) => (Code::Conversion, message),
        Fault::Cancelled => (Code::Cancelled, "the query was cancelled".to_owned()),
    };
    Diagnostic::at(code, args.call.span, message)
}

/// Rows between two checks for cancellation.
const ROWS_BETWEEN_LOOKS: usize = 4096;

impl<A: Accumulator> States for Accumulators<A> {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let takes_null = args.call.function.takes_null;
        let types: Vec<_> = args.call.args.iter().map(|arg| arg.ty).collect();
        for (at, row) in rows.range.clone().enumerate() {
            if at % ROWS_BETWEEN_LOOKS == 0 {
                args.engine.check_cancelled()?;
            }
            let group = rows.ids.map_or(0, |ids| ids[at] as usize);
            if !takes_null && args.cols.iter().any(|col| col.is_null(row)) {
                continue;
            }
            let cols = args.cols.iter().zip(&types);
            let values: Vec<Value<'_>> = cols.map(|(col, ty)| col.get(row, *ty)).collect();
            self.0[group].add(&values).map_err(|fault| failed(args, fault))?;
        }
        Ok(())
    }

    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic> {
        let from = same::<Self>(args, from)?;
        for &(into, of) in pairs {
            self.0[into as usize]
                .merge(&from.0[of as usize])
                .map_err(|fault| failed(args, fault))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, args: &Args<'_>) -> Result<Col, Diagnostic> {
        let results = self.0.iter().map(Accumulator::finish).collect::<Result<Vec<_>, _>>();
        let results = results.map_err(|fault| failed(args, fault))?;
        Ok(Col::from_values(&results, args.call.ty))
    }
}
