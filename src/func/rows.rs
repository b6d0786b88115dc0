//! Table functions.
//!
//! Functions that compute their rows only from the arguments are implemented here. The others read
//! a dump or a log: only their specifications are here, and `model::Source` returns the rows.

use std::ops::ControlFlow;

use super::def::HOST_FAMILY;
use crate::catalog::Ty::{Addr, Int, Interval, Null, Text, Time};
use crate::catalog::{
    CallColumn, CallError, FunctionKind, FunctionSpec, OfNoRows, Signature, Ty, Value,
};
use crate::model::{DynTable, Refused};

/// Receives one value per row; returns whether more are wanted.
pub type EmitValue<'a> = &'a mut dyn FnMut(Value<'static>) -> ControlFlow<()>;

/// A table function: its specification, and its implementation if it needs no source.
#[derive(Debug)]
pub struct TableFunction {
    /// The specification that planning and documentation use.
    pub spec: FunctionSpec,
    /// The implementation.
    pub code: TableCode,
}

/// Returns the columns and the rows of a call of a host program's table function.
pub type HostRows = dyn Fn(&[Value<'static>]) -> Result<DynTable<'static>, Refused> + Send + Sync;

/// The implementation of a table function.
pub enum TableCode {
    /// One column, computed from the arguments.
    Series(Series),
    /// Implemented by the open sources.
    Sources,
    /// Implemented by a host program.
    Host(Box<HostRows>),
}

impl std::fmt::Debug for TableCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Series(_) => "Series",
            Self::Sources => "Sources",
            Self::Host(_) => "Host",
        })
    }
}

impl TableFunction {
    /// A table function of a host program, in the family `host`: `rows` returns the columns for the
    /// arguments of a call and, at run time, the rows.
    pub fn new(
        name: &'static str,
        signatures: &'static [Signature],
        doc: &'static str,
        rows: impl Fn(&[Value<'static>]) -> Result<DynTable<'static>, Refused> + Send + Sync + 'static,
    ) -> Self {
        let mut function = of(name, HOST_FAMILY, signatures, doc, &[], None);
        function.code = TableCode::Host(Box::new(rows));
        function
    }
}

/// A function with one column: the column type for the arguments, and the values.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    values: fn(&[Value<'static>], EmitValue<'_>) -> Result<(), CallError>,
}

impl Series {
    /// The columns of a call.
    pub fn columns(name: &str, args: &[Value<'static>]) -> Vec<CallColumn> {
        let ty = args.first().map_or(Ty::Int, Value::ty);
        vec![CallColumn::new(name, ty)]
    }

    /// Checks the arguments without computing rows.
    ///
    /// # Errors
    ///
    /// If an argument is invalid.
    pub fn check(&self, args: &[Value<'static>]) -> Result<(), CallError> {
        (self.values)(args, &mut |_| ControlFlow::Break(()))
    }

    /// Computes the values.
    ///
    /// # Errors
    ///
    /// If an argument is invalid.
    pub fn run(&self, args: &[Value<'static>], emit: EmitValue<'_>) -> Result<(), CallError> {
        (self.values)(args, emit)
    }
}

const STEPS: &[Signature] = &[
    Signature::new(&[Int], Null).named(&["stop"]),
    Signature::new(&[Int, Int, Int], Null).optional(1).named(START),
    Signature::new(&[Addr, Addr, Int], Null).optional(1).named(START),
    Signature::new(&[Time, Time, Interval], Null).named(START),
];

const START: &[&str] = &["start", "stop", "step"];

const fn of(
    name: &'static str,
    family: &'static str,
    signatures: &'static [Signature],
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    series: Option<Series>,
) -> TableFunction {
    let spec = FunctionSpec {
        name,
        aliases: &[],
        kind: FunctionKind::Table,
        family,
        signatures,
        takes_null: true,
        is_pure: series.is_some(),
        is_total: false,
        of_no_rows: OfNoRows::Null,
        doc,
        examples,
    };
    let code = match series {
        Some(series) => TableCode::Series(series),
        None => TableCode::Sources,
    };
    TableFunction { spec, code }
}

/// All table functions.
pub(super) static ALL: &[TableFunction] = &[
    of(
        "range",
        "rows",
        STEPS,
        "The numbers, addresses or times from `start` (0 if it is left out) up to, and without, `stop`.",
        &[("range(3)", "0, 1, 2"), ("range(10, 0, -4)", "10, 6, 2")],
        Some(Series { values: |args, emit| series(args, false, emit) }),
    ),
    of(
        "generate_series",
        "rows",
        STEPS,
        "The numbers, addresses or times from `start` (0 if it is left out) up to `stop`, which is one of them.",
        &[("generate_series(1, 3)", "1, 2, 3")],
        Some(Series { values: |args, emit| series(args, true, emit) }),
    ),
    of(
        "struct",
        "dump",
        &[Signature::new(&[Text, Null, Null], Int)
            .optional(1)
            .named(&["type", "address", "process"])],
        "One row: the fields of the structure of that type at an address, a column a field; what `dt` prints. Fields of structures inside it are columns that `*` leaves out (`\"Tcb.WaitBlock[0].Object\"`). In kernel dumps the address is the kernel's, or of the process whose `_EPROCESS` is named last. In user minidumps types without a module are those of `ntdll` (`_PEB`, `_TEB`), then those of any module with symbols; `ntdll32!_PEB` is that of 32-bit code in a 64-bit process.",
        &[],
        None,
    ),
    of(
        "list",
        "dump",
        &[Signature::new(&[Null, Text, Text, Null], Int)
            .optional(1)
            .named(&["head", "type", "link", "process"])],
        "One row for each structure of a linked list, a column a field: from the `_LIST_ENTRY` (or `_SINGLE_LIST_ENTRY`) at `head`, by the field `link` of the type; where that is a pointer to the next structure, `head` is the first one.",
        &[],
        None,
    ),
    of(
        "array",
        "dump",
        &[Signature::new(&[Text, Null, Int, Null], Int)
            .optional(1)
            .named(&["type", "address", "count", "process"])],
        "One row for each of `count` structures that stand one after the other from an address on, a column a field.",
        &[],
        None,
    ),
    of(
        "disasm",
        "dump",
        &[Signature::new(&[Null, Int], Int).optional(1).named(&["address", "count"])],
        "The instructions from an address or a symbol on, 8 unless `count` says otherwise; what `u` prints. Code comes from memory, else from the module's image on the symbol path. Operands are written as WinDbg writes them, addresses with their symbols.",
        &[],
        None,
    ),
    of(
        "disasm_function",
        "dump",
        &[Signature::new(&[Null], Int).named(&["address"])],
        "The instructions of the function that an address or a symbol is in, in blocks by address, as `uf` prints them: what branches reach from its start, within the bounds that unwind tables or symbols give.",
        &[],
        None,
    ),
    of(
        "disasm_back",
        "dump",
        &[Signature::new(&[Null, Int], Int).optional(1).named(&["address", "count"])],
        "The instructions that end at an address, 8 unless `count` says otherwise; what `ub` prints. The column `alignment` says what tells where they start: `known` for the start of the function, `likely` where most readings of the bytes agree, `fixed` where all instructions have one length.",
        &[],
        None,
    ),
    of(
        "calls_to",
        "dump",
        &[Signature::new(&[Null, Text], Int).named(&["target", "module"])],
        "One row for each call of an address or a symbol in the code of a module, by address; `kind` is `call` or `jump`, and `through` the pointer of the module, such as an import, that it goes through.",
        &[],
        None,
    ),
    of(
        "words",
        "dump",
        &[Signature::new(&[Null, Int], Int).optional(1).named(&["address", "count"])],
        "Words of memory from an address or a symbol on, 16 unless `count` says otherwise, with the symbol that each points to; what `dps` prints.",
        &[],
        None,
    ),
    of(
        "file_bytes",
        "dump",
        &[Signature::new(&[Int, Int], Int).named(&["offset", "count"])],
        "Bytes of the dump's file from an offset on, 16 a row, in hex and as ASCII.",
        &[],
        None,
    ),
    of(
        "log_table",
        "log",
        &[Signature::new(&[Int], Int).named(&["n"])],
        "The table that command `n` of a debugger log printed, columns named by its headings; `log_commands` lists the commands.",
        &[],
        None,
    ),
];

/// Counts from the first argument to the second, which is included if `inclusive`.
fn series(args: &[Value<'static>], inclusive: bool, emit: EmitValue<'_>) -> Result<(), CallError> {
    let number = |index: usize| args.get(index).and_then(number);
    let (start, stop) = match (number(0), number(1)) {
        (Some(stop), None) => (0, stop),
        (Some(start), Some(stop)) => (start, stop),
        _ => return Err(wrong(0, "expected a number")),
    };
    let step = number(2).unwrap_or(1);
    if step == 0 {
        return Err(wrong(2, "a step of 0 reaches no end"));
    }
    let ty = args.first().map_or(Ty::Int, Value::ty);
    let mut at = start;
    loop {
        let ends = if step > 0 { at > stop } else { at < stop };
        if ends || (at == stop && !inclusive) {
            return Ok(());
        }
        // A value out of the type's range lies beyond `stop`, which is in range.
        let Some(value) = value(at, ty) else { return Ok(()) };
        if emit(value).is_break() {
            return Ok(());
        }
        at = at.saturating_add(step);
    }
}

fn wrong(index: usize, message: &str) -> CallError {
    CallError::Argument { index, message: message.to_owned(), candidates: Vec::new() }
}

fn number(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(v) | Value::Time(v) | Value::Interval(v) => Some((*v).into()),
        Value::Addr(v) => Some((*v).into()),
        _ => None,
    }
}

fn value(number: i128, ty: Ty) -> Option<Value<'static>> {
    Some(match ty {
        Ty::Addr => Value::Addr(u64::try_from(number).ok()?),
        Ty::Time => Value::Time(i64::try_from(number).ok()?),
        _ => Value::Int(i64::try_from(number).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(args: &[Value<'static>], inclusive: bool) -> Vec<Value<'static>> {
        let mut all = Vec::new();
        series(args, inclusive, &mut |v| {
            all.push(v);
            ControlFlow::Continue(())
        })
        .unwrap();
        all
    }

    #[test]
    fn series_end_at_the_limit_of_their_type() {
        let last = i64::MAX;
        let args = [Value::Int(last - 1), Value::Int(last)];
        assert_eq!(values(&args, true), [Value::Int(last - 1), Value::Int(last)]);
        assert_eq!(values(&args, false), [Value::Int(last - 1)]);
        let args = [Value::Addr(u64::MAX - 8), Value::Addr(u64::MAX), Value::Int(16)];
        assert_eq!(values(&args, true), [Value::Addr(u64::MAX - 8)]);
        let args = [Value::Addr(0x10), Value::Addr(0), Value::Int(-8)];
        assert_eq!(values(&args, true), [Value::Addr(0x10), Value::Addr(8), Value::Addr(0)]);
    }

    #[test]
    fn a_step_of_zero_is_an_error() {
        let args = [Value::Int(0), Value::Int(9), Value::Int(0)];
        assert!(series(&args, true, &mut |_| ControlFlow::Continue(())).is_err());
    }
}
