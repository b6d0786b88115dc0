//! Table function calls over the open sources: one set of columns, and the rows of all sources.
//!
//! Sources may return different columns for one call (a structure grows from build to build). The
//! call has the columns of all sources, by name, and a source without a column has no value there.
//! This file computes no rows itself.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use super::scan::{Cx, NamedSource};
use crate::catalog::{
    Absent, Batch, CallColumn, CallError, Cell, ColumnBuilder, Format, PointerWidth, Ty, Value,
};
use crate::model::{DynRow, DynTable, Refused, Unanswered};

/// The most rows of a call, which also hold where no column is asked for.
const MAX_ROWS: usize = 200_000_000;

/// How many rows are made before their size is looked at.
const UNCOUNTED: usize = 256;
/// So much text has its size looked at sooner.
const MUCH_TEXT: usize = 1 << 20;

/// Collects the rows of a call, within limits.
#[derive(Debug)]
pub struct CallRows<'a> {
    builders: Vec<ColumnBuilder>,
    /// For each column of the call, the index of its builder if the column is wanted.
    slots: Vec<Option<usize>>,
    rows: usize,
    text: usize,
    most: usize,
    cx: &'a Cx<'a>,
    over: bool,
}

impl<'a> CallRows<'a> {
    /// No rows yet. Only the columns `wanted` are built; `limit` rows are enough.
    pub fn new(
        cx: &'a Cx<'a>,
        columns: &[CallColumn],
        wanted: &[usize],
        limit: Option<usize>,
    ) -> Self {
        let ty = |index: &usize| columns.get(*index).map_or(Ty::Null, |c| c.ty);
        let builders = wanted.iter().map(|index| ColumnBuilder::new(ty(index))).collect();
        let slots = (0..columns.len()).map(|i| wanted.iter().position(|w| *w == i)).collect();
        let most = limit.unwrap_or(usize::MAX);
        Self { builders, slots, rows: 0, text: 0, most, cx, over: false }
    }

    /// Whether the column with this index is wanted.
    pub fn wants(&self, index: usize) -> bool {
        self.slots.get(index).is_some_and(Option::is_some)
    }

    /// Takes a row: for each wanted column of the call, its cell.
    pub fn push(&mut self, mut cell: impl FnMut(usize) -> Cell<Value<'static>>) -> ControlFlow<()> {
        if self.rows >= self.most || self.cx.cancelled.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        let is_due = self.rows.is_multiple_of(UNCOUNTED) || self.text >= MUCH_TEXT;
        if is_due {
            self.text = 0;
        }
        if self.rows >= MAX_ROWS || is_due && self.is_too_large() {
            self.over = true;
            return ControlFlow::Break(());
        }
        for (index, slot) in self.slots.iter().enumerate() {
            let Some(builder) = slot.and_then(|slot| self.builders.get_mut(slot)) else { continue };
            self.text = self.text.saturating_add(push(builder, cell(index)));
        }
        self.rows += 1;
        self.cx.progress.add_rows(1);
        if self.rows >= self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn is_too_large(&self) -> bool {
        self.builders.iter().map(ColumnBuilder::bytes).sum::<usize>() > self.cx.room
    }

    /// Takes the rows of a table with the columns of the call.
    pub fn take(&mut self, table: DynTable<'_>) {
        let wanted: Vec<bool> = (0..table.columns.len()).map(|index| self.wants(index)).collect();
        (table.rows)(&wanted, &mut |mut row: DynRow| {
            self.push(|index| {
                row.get_mut(index)
                    .map_or(Err(Absent::NotApplicable), |c| std::mem::replace(c, Ok(Value::Null)))
            })
        });
    }

    /// The rows.
    ///
    /// # Errors
    /// If the query was cancelled, or a limit was exceeded.
    pub fn finish(self) -> Result<Batch, CallError> {
        if self.cx.cancelled.load(Ordering::Relaxed) {
            return Err(CallError::Cancelled);
        }
        if self.over || self.is_too_large() {
            let rows = self.rows;
            let message =
                format!("the call gives more than the {rows} rows that there is memory for");
            return Err(CallError::Limit(message));
        }
        let columns = self.builders.into_iter().map(ColumnBuilder::finish).collect();
        Ok(Batch { columns, rows: self.rows })
    }
}

/// Appends a value, converted to the column's type; returns its size if it is text.
fn push(builder: &mut ColumnBuilder, cell: Cell<Value<'static>>) -> usize {
    let value = match cell {
        Ok(Value::Null) => Err(Absent::NotApplicable),
        other => other,
    };
    let value = match value {
        Ok(value) => value,
        Err(reason) => {
            builder.push_absent(reason);
            return 0;
        }
    };
    match (builder.ty(), value) {
        (Ty::Int, Value::Addr(v)) => {
            builder.push_int(i64::try_from(v).map_err(|_| Absent::Unreadable));
        }
        (Ty::Addr, Value::Int(v)) => builder.push_addr(Ok(v.cast_unsigned())),
        (Ty::Text | Ty::Null, value) => {
            let text = match value {
                Value::Text(text) => text,
                other => Format::Plain.render(&other, PointerWidth::default()).into(),
            };
            builder.push_text(Ok(&text));
            return text.len();
        }
        (ty, value) if value.ty() == ty => builder.push_value(&value),
        _ => builder.push_absent(Absent::Unreadable),
    }
    0
}

const DUMP: &str = "dump";

/// The columns of a call over all sources, with `dump` first.
///
/// # Errors
/// What is wrong with the arguments, from the first source that has the function; else why no
/// source answers.
pub fn columns(
    cx: &Cx<'_>,
    name: &str,
    args: &[Value<'static>],
) -> Result<Vec<CallColumn>, CallError> {
    let hidden = cx.sources.len() <= 1;
    let mut all = vec![CallColumn { hidden, ..CallColumn::new(DUMP, Ty::Text) }];
    let mut refusals = Vec::new();
    let mut answered = false;
    for named in cx.sources {
        match named.source.table_function(name, args) {
            Ok(table) => {
                answered = true;
                for column in table.columns {
                    merge(&mut all, column);
                }
            }
            Err(refused) => refusals.push((named, refused)),
        }
    }
    if answered { Ok(all) } else { Err(none_answers(refusals)) }
}

/// Adds a column. If sources differ in its type, the wider type is used.
fn merge(all: &mut Vec<CallColumn>, column: CallColumn) {
    let Some(known) = all.iter_mut().skip(1).find(|c| c.name.eq_ignore_ascii_case(&column.name))
    else {
        all.push(column);
        return;
    };
    if known.ty != column.ty {
        let numbers = matches!((known.ty, column.ty), (Ty::Int, Ty::Addr) | (Ty::Addr, Ty::Int));
        known.ty = if numbers { Ty::Addr } else { Ty::Text };
        known.format = Format::Plain;
    }
}

fn none_answers(refusals: Vec<(&NamedSource<'_>, Refused)>) -> CallError {
    let mut reasons = Vec::new();
    for (named, refused) in refusals {
        match refused {
            Refused::Argument { index, message, candidates } => {
                return CallError::Argument { index, message, candidates };
            }
            Refused::Unanswered(Unanswered { because: Some(because) }) => {
                reasons.push(format!("{}: {because}", named.name));
            }
            Refused::Unanswered(Unanswered { because: None }) => {
                reasons.push(format!("{} is a {}", named.name, named.source.kind().as_str()));
            }
        }
    }
    CallError::NoSource(reasons)
}

/// The rows of a call, with the columns that [`columns`] returned.
///
/// # Errors
/// If it is cancelled, returns too many rows, or is no longer answered by any source.
pub fn rows(
    cx: &Cx<'_>,
    (name, args): (&str, &[Value<'static>]),
    columns: &[CallColumn],
    wanted: &[usize],
    limit: Option<usize>,
) -> Result<Batch, CallError> {
    let mut rows = CallRows::new(cx, columns, wanted, limit);
    for named in cx.sources {
        if let Ok(table) = named.source.table_function(name, args)
            && one(named, table, columns, &mut rows).is_break()
        {
            break;
        }
    }
    rows.finish()
}

/// The rows of one source; breaks if no more are wanted.
fn one(
    named: &NamedSource<'_>,
    table: DynTable<'_>,
    columns: &[CallColumn],
    rows: &mut CallRows<'_>,
) -> ControlFlow<()> {
    let same = |a: &CallColumn, b: &CallColumn| a.name.eq_ignore_ascii_case(&b.name);
    // For each column of the call, the index of the source's column.
    let own: Vec<Option<usize>> = columns
        .iter()
        .enumerate()
        .map(|(i, c)| if i == 0 { None } else { table.columns.iter().position(|o| same(o, c)) })
        .collect();
    let wants =
        |index: usize| own.iter().enumerate().any(|(i, own)| *own == Some(index) && rows.wants(i));
    let wanted: Vec<bool> = (0..table.columns.len()).map(wants).collect();
    let mut flow = ControlFlow::Continue(());
    (table.rows)(&wanted, &mut |mut row: DynRow| {
        flow = rows.push(|index| match own.get(index).copied().flatten() {
            None if index == 0 => Ok(Value::text(named.name.to_owned())),
            None => Err(Absent::NotApplicable),
            Some(own) => row
                .get_mut(own)
                .map_or(Err(Absent::NotApplicable), |c| std::mem::replace(c, Ok(Value::Null))),
        });
        flow
    });
    flow
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::catalog::{Catalog, Data, SourceKind};
    use crate::model::{Answers, Emit, Machine, Progress, Source};

    /// Answers `pairs` with these columns and two rows.
    struct Pairs(&'static [(&'static str, Ty)]);

    impl Source for Pairs {
        fn kind(&self) -> SourceKind {
            SourceKind::Kernel
        }

        fn machine(&self) -> Machine {
            Machine::default()
        }

        fn answers(&self) -> &Answers {
            static NONE: Answers = Answers::none();
            &NONE
        }

        fn table_function(
            &self,
            name: &str,
            _: &[Value<'static>],
        ) -> Result<DynTable<'_>, Refused> {
            if name != "pairs" || self.0.is_empty() {
                return Err(Refused::because("it has no pairs"));
            }
            let columns = self.0.iter().map(|(name, ty)| CallColumn::new(*name, *ty)).collect();
            let rows = Box::new(|_: &[bool], emit: Emit<'_, DynRow>| {
                for n in [1, 2] {
                    let cell = |(_, ty): &(&str, Ty)| match ty {
                        Ty::Addr => Ok(Value::Addr(n)),
                        Ty::Text => Ok(Value::text(n.to_string())),
                        _ => Ok(Value::Int(-n.cast_signed())),
                    };
                    if emit.row(self.0.iter().map(cell).collect()).is_break() {
                        return;
                    }
                }
            });
            Ok(DynTable { columns, rows })
        }
    }

    fn with<T>(sources: &[(&str, Pairs)], test: impl FnOnce(&Cx<'_>) -> T) -> T {
        let sources: Vec<NamedSource<'_>> =
            sources.iter().map(|(name, source)| NamedSource { name, source }).collect();
        test(&Cx {
            catalog: &Catalog::default(),
            sources: &sources,
            cancelled: &AtomicBool::new(false),
            progress: &Progress::default(),
            room: usize::MAX,
        })
    }

    #[test]
    fn a_call_has_the_columns_of_all_sources() {
        let old = Pairs(&[("a", Ty::Int), ("b", Ty::Addr)]);
        let new = Pairs(&[("b", Ty::Int), ("c", Ty::Text)]);
        with(&[("old", old), ("none", Pairs(&[])), ("new", new)], |cx| {
            let columns = columns(cx, "pairs", &[]).unwrap();
            let shown: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.ty, c.hidden)).collect();
            let expected = [
                ("dump", Ty::Text, false),
                ("a", Ty::Int, false),
                ("b", Ty::Addr, false),
                ("c", Ty::Text, false),
            ];
            assert_eq!(shown, expected);
            let batch = rows(cx, ("pairs", &[]), &columns, &[1, 3], Some(3)).unwrap();
            assert_eq!(batch.rows, 3);
            assert_eq!(batch.columns[0].data, Data::Int(vec![-1, -2, 0]));
            assert_eq!(batch.columns[0].absent(2), Some(Absent::NotApplicable));
            assert_eq!(
                batch.columns[1].data,
                Data::Text { bytes: "1".into(), ends: vec![0, 0, 1] }
            );
        });
    }

    #[test]
    fn a_call_without_an_answer_gives_the_reason() {
        with(&[("a.dmp", Pairs(&[]))], |cx| {
            let reasons = vec!["a.dmp: it has no pairs".to_owned()];
            assert_eq!(columns(cx, "pairs", &[]), Err(CallError::NoSource(reasons)));
        });
    }
}
