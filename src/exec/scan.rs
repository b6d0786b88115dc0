//! Reads virtual and attached tables, and counts the values that are absent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::col::Col;
use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{Footnote, MemTable, Unread};
use crate::catalog::{
    Absent, Batch, ColumnBuilder, ColumnData, Hint, Kinds, SourceKind, Ty, intern,
};
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::{Expr, ScanColumn, Scanned, TableCall};
use crate::table::{Cx, ScanError, ScanRequest, Table, Unanswered};

/// The maximum number of sources whose reason for not answering is shown.
const MOST_REASONS: usize = 3;

/// The scans of the query, so that equal scans run only once.
#[derive(Debug, Default)]
pub(super) struct ScanCache(Vec<(Request, Frame)>);

#[derive(Debug, Clone, PartialEq)]
struct Request {
    table: Scanned,
    columns: Vec<ScanColumn>,
    hints: Vec<Hint>,
    limit: Option<usize>,
}

/// The names of a table and of the columns read from it.
struct Names(&'static str, Vec<&'static str>);

impl ScanCache {
    fn find(&self, request: &Request) -> Option<Frame> {
        self.0.iter().find(|(known, _)| known == request).map(|(_, frame)| frame.clone())
    }
}

impl Engine<'_> {
    pub(super) fn scan(
        &self,
        span: Span,
        table: &Scanned,
        columns: &[ScanColumn],
        hints: &[Hint],
        limit: Option<usize>,
    ) -> Result<Frame, Diagnostic> {
        if let Scanned::Table(name) = table
            && let Some(table) = self.cx.attached.iter().find(|t| t.spec().name == *name)
        {
            let frame = attached(table, columns, limit).ok_or_else(|| {
                Diagnostic::at(Code::Internal, span, "a scan reads no such column")
            })?;
            self.lend(&frame);
            return Ok(frame);
        }
        let request = Request {
            table: table.clone(),
            columns: columns.to_vec(),
            hints: hints.to_vec(),
            limit,
        };
        if let Some(frame) = self.with_scans(|scans| scans.find(&request)) {
            return Ok(frame);
        }
        let frame = self.read(span, &request)?;
        self.keep(&frame);
        self.with_scans(|scans| scans.0.push((request, frame.clone())));
        Ok(frame)
    }

    /// The rows of a call whose arguments are partly known only at run time. If a required argument
    /// is NULL, there are no rows.
    pub(super) fn call_with(
        &self,
        span: Span,
        (table, args): (&Scanned, &[(usize, Expr)]),
        columns: &[ScanColumn],
        limit: Option<usize>,
    ) -> Result<Frame, Diagnostic> {
        let Scanned::Call(call) = table else {
            return Err(Diagnostic::at(Code::Internal, span, "a table takes no arguments"));
        };
        let one = Frame::new(Vec::new(), 1);
        let eval = Eval::new(self, &one);
        let mut call = TableCall::clone(call);
        let needed = call.required();
        for (place, arg) in args {
            let value = eval.constant(arg)?;
            if value.is_null() && *place < needed {
                return Ok(Frame::new(vec![Col::Null(0); columns.len()], 0));
            }
            if let Some(slot) = call.args.get_mut(*place) {
                *slot = value;
            }
        }
        let table = Scanned::Call(Arc::new(call));
        let request = Request { table, columns: columns.to_vec(), hints: Vec::new(), limit };
        self.read(span, &request)
    }

    fn read(&self, span: Span, request: &Request) -> Result<Frame, Diagnostic> {
        let mut wanted: Vec<usize> = request.columns.iter().map(|c| index(*c)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let (batch, names) = match &request.table {
            Scanned::Table(name) => self.read_table(span, name, &wanted, request)?,
            Scanned::Call(call) => {
                let batch = self.call_rows(span, call, &wanted, request.limit)?;
                let column = |index: &usize| call.columns.get(*index).map_or("", |c| &c.name);
                (
                    batch,
                    Names(call.function.name, wanted.iter().map(|i| intern(column(i))).collect()),
                )
            }
        };
        let rows = batch.rows;
        let mut values: BTreeMap<usize, (Col, Vec<u8>)> = BTreeMap::new();
        for ((index, mut data), column) in wanted.into_iter().zip(batch.columns).zip(names.1) {
            self.count_absent(span, names.0, column, &data)?;
            let absent = std::mem::take(&mut data.absent);
            let data = ColumnData { absent: absent.clone(), ..data };
            values.insert(index, (Col::from_data(data), absent));
        }
        let column = |c: &ScanColumn| match (values.get(&index(*c)), c) {
            (Some((col, _)), ScanColumn::Value(_)) => col.clone(),
            (Some((_, absent)), ScanColumn::Why(_)) => why(absent, rows),
            (None, _) => Col::Null(rows),
        };
        Ok(Frame::new(request.columns.iter().map(column).collect(), rows))
    }

    fn read_table(
        &self,
        span: Span,
        name: &'static str,
        wanted: &[usize],
        request: &Request,
    ) -> Result<(Batch, Names), Diagnostic> {
        let Some(table) = self.cx.registry.table(name) else {
            return Err(Diagnostic::at(Code::Internal, span, format!("no table `{name}` to scan")));
        };
        let ask = ScanRequest { columns: wanted, hints: &request.hints, limit: request.limit };
        let spec = table.spec(self.cx.tables.sources.len() > 1);
        let column = |index: &usize| spec.columns.get(*index).map_or("", |c| c.name);
        let names = Names(name, wanted.iter().map(column).collect());
        let cx = Cx { room: self.room(), ..self.cx.tables };
        match table.scan(&cx, &ask) {
            Ok(scan) => {
                self.answered();
                Ok((scan.batch, names))
            }
            Err(ScanError::NoSource(unanswered)) => {
                let error = self.no_source(span, table, &unanswered);
                if !self.cx.optional.iter().any(|optional| optional.eq_ignore_ascii_case(name)) {
                    return Err(error);
                }
                let because = self.reasons(&unanswered);
                self.do_without(Unread { table: name, because }, error);
                let ty = |index: &usize| spec.columns.get(*index).map_or(Ty::Null, |c| c.ty);
                let nothing = |index| ColumnBuilder::new(ty(index)).finish();
                Ok((Batch { columns: wanted.iter().map(nothing).collect(), rows: 0 }, names))
            }
            Err(ScanError::Cancelled) => {
                Err(Diagnostic::new(Code::Cancelled, "the query was cancelled"))
            }
            Err(ScanError::TooMany(rows)) => {
                let limit = self.cx.memory >> 20;
                let message = format!(
                    "the rows of `{name}` need more than the query's {limit} MiB, after {rows}"
                );
                Err(Diagnostic::at(Code::Limit, span, message)
                    .help("--memory gives a query more")
                    .help("ask for fewer columns, or for fewer rows with WHERE or LIMIT"))
            }
            Err(ScanError::Failed(because)) => {
                let message = format!("table `{name}` could not be read: {because}");
                Err(Diagnostic::at(Code::NoSource, span, message))
            }
        }
    }

    /// Why the sources do not answer: the reasons of the first few, and the number of the others.
    fn reasons(&self, unanswered: &[(usize, Unanswered)]) -> Vec<String> {
        let reason = |(index, why): &(usize, Unanswered)| {
            let named = self.cx.tables.sources.get(*index)?;
            Some(match &why.because {
                Some(because) => format!("{}: {because}", named.name),
                None => format!("{} is a {}", named.name, named.source.kind().as_str()),
            })
        };
        let mut reasons: Vec<String> =
            unanswered.iter().filter_map(reason).take(MOST_REASONS).collect();
        let more = unanswered.len().saturating_sub(MOST_REASONS);
        if more > 0 {
            reasons.push(format!("and {more} more"));
        }
        reasons
    }

    /// Counts the values that could not be read, or fails if that is an error.
    fn count_absent(
        &self,
        span: Span,
        table: &'static str,
        column: &'static str,
        data: &ColumnData,
    ) -> Result<(), Diagnostic> {
        for (reason, count) in data.absent_counts() {
            if reason == Absent::NotApplicable {
                continue;
            }
            if self.cx.strict {
                let message = format!(
                    "`{column}` of `{table}` has {} without a value: {reason}",
                    row_count(count)
                );
                return Err(Diagnostic::at(Code::Strict, span, message).help(
                    "without --strict, such values are NULL and `why(column)` says the reason",
                ));
            }
            self.note(Footnote { table, column, reason, count });
        }
        Ok(())
    }

    /// The error if no open source answers the table.
    fn no_source(
        &self,
        span: Span,
        table: &dyn Table,
        unanswered: &[(usize, Unanswered)],
    ) -> Diagnostic {
        let several = self.cx.tables.sources.len() > 1;
        let name = table.name();
        let kinds = table.spec(several).kinds;
        let sources = self.cx.tables.sources;
        let message = if sources.is_empty() {
            format!("`{name}` needs a source, and none is open")
        } else if sources.iter().any(|s| kinds.contains(&s.source.kind())) {
            format!("no open source has the data of `{name}`")
        } else {
            format!("`{name}` is answered by {}; no such source is open", list(kinds))
        };
        let mut error = Diagnostic::at(Code::NoSource, span, message);
        for because in self.reasons(unanswered) {
            error = error.help(because);
        }
        let open: Vec<SourceKind> =
            self.cx.tables.sources.iter().map(|s| s.source.kind()).collect();
        let answers = |t: &&dyn Table| t.spec(several).kinds.iter().any(|k| open.contains(k));
        let tables: Vec<&str> = self
            .cx
            .registry
            .tables()
            .filter(answers)
            .map(Table::name)
            .filter(|t| *t != name)
            .take(10)
            .collect();
        if tables.is_empty() {
            error
        } else {
            error.help(format!("tables to use instead: {}", tables.join(", ")))
        }
    }
}

const fn index(column: ScanColumn) -> usize {
    match column {
        ScanColumn::Value(index) | ScanColumn::Why(index) => index,
    }
}

fn row_count(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// A list such as `a kernel dump, a triage dump or a debugger log`.
fn list(kinds: Kinds) -> String {
    let each: Vec<String> = kinds.iter().map(|k| format!("a {}", k.as_str())).collect();
    match each.split_last() {
        None => "no source".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The reasons as text; NULL where a value is present.
fn why(absent: &[u8], rows: usize) -> Col {
    if absent.is_empty() {
        return Col::Null(rows);
    }
    Col::text(absent.iter().map(|&code| Absent::from_code(code).map(Absent::as_str)))
}

fn attached(table: &MemTable, columns: &[ScanColumn], limit: Option<usize>) -> Option<Frame> {
    let rows = table.frame.rows;
    let column = |c: &ScanColumn| match *c {
        ScanColumn::Value(index) => table.frame.cols.get(index).cloned(),
        ScanColumn::Why(index) => table.absent.get(index).map(|absent| why(absent, rows)),
    };
    let frame = Frame::new(columns.iter().map(column).collect::<Option<_>>()?, rows);
    Some(match limit.filter(|&limit| limit < rows) {
        Some(limit) => frame.slice(0, limit),
        None => frame,
    })
}
