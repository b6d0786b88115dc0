//! Files that queries name: `FROM 'file.csv'` and `read_csv('file.csv')`. A file is read once for the
//! statements that name it, and its rows go when they are done.

use super::Session;
use super::attach::{placed, read_table};
use super::state::State;
use crate::catalog::Value;
use crate::diag::{Code, Diagnostic, Span};
use crate::import;
use crate::lang::ast::walk::{self, Visit};
use crate::lang::ast::{
    Expr, ExprKind, Ident, Literal, Name, Statement, StatementKind, TableAlias, TableRef,
    TableRefKind,
};
use crate::plan::Params;

/// The functions that read files of separated values.
const READERS: [&str; 2] = ["read_csv", "read_csv_auto"];

impl Session {
    /// The statements with tables in the places of files, and the state that has these tables;
    /// `None` if no file is named.
    pub(super) fn with_files(
        &self,
        state: &State,
        statements: &[Statement],
        params: &Params,
    ) -> Result<Option<(State, Vec<Statement>)>, Vec<Diagnostic>> {
        let mut reader = Reader {
            allowed: &self.options,
            params,
            state: None,
            first: state,
            errors: Vec::new(),
        };
        let mut copies = statements.to_vec();
        for statement in &mut copies {
            if let StatementKind::Query(query)
            | StatementKind::Explain { query, .. }
            | StatementKind::DescribeQuery(query)
            | StatementKind::Summarize(query) = &mut statement.kind
            {
                walk::query(&mut reader, query);
            }
        }
        if !reader.errors.is_empty() {
            return Err(reader.errors);
        }
        Ok(reader.state.map(|state| (state, copies)))
    }
}

/// Reads the files that it meets.
struct Reader<'a> {
    allowed: &'a super::Options,
    params: &'a Params,
    first: &'a State,
    /// The state with the files so far.
    state: Option<State>,
    errors: Vec<Diagnostic>,
}

/// A file and how it is read.
struct Request {
    path: String,
    span: Span,
    options: import::Options,
}

impl Visit for Reader<'_> {
    fn table(&mut self, table: &mut TableRef) {
        let request = match &table.kind {
            TableRefKind::File(file) => Ok(Request {
                path: file.text.clone(),
                span: file.span,
                options: import::Options::default(),
            }),
            TableRefKind::Function { name, args, .. } => match name.parts.as_slice() {
                [part] if READERS.iter().any(|r| r.eq_ignore_ascii_case(&part.text)) => {
                    self.request(args, name.span)
                }
                _ => return,
            },
            _ => return,
        };
        match request.and_then(|request| self.read(&request).map(|name| (request, name))) {
            Ok((request, name)) => {
                let span = request.span;
                let ident = |text: String| Ident { text, quoted: true, span };
                table.kind = TableRefKind::Table(Name { parts: vec![ident(name)], span });
                if table.alias.is_none() {
                    let name = ident(import::table_name(&request.path));
                    table.alias = Some(TableAlias { name, columns: Vec::new() });
                }
            }
            Err(error) => self.errors.push(error),
        }
    }
}

impl Reader<'_> {
    /// Reads a file; returns the name of its table.
    fn read(&mut self, request: &Request) -> Result<String, Diagnostic> {
        let Request { path, span, options } = request;
        let file = self.allowed.readable(path).map_err(|error| placed(error, *span))?;
        if !import::is_delimited(path) && *options == import::Options::default() {
            let message = format!("the ending of `{path}` is none of csv, tsv and tab");
            return Err(Diagnostic::at(Code::BadQuery, *span, message)
                .help("how values are separated is said with read_csv('…', delim => ';')")
                .help("a dump or a log is added with ATTACH 'file' AS name"));
        }
        let name = format!("{path} {options:?}");
        let state = self.state.as_ref().unwrap_or(self.first);
        if state.catalog.table(&name).is_none() {
            let table = read_table(&file, &name, *options).map_err(|error| {
                let mut error = error.first();
                error.span = Some(*span);
                error
            })?;
            self.state = Some(state.with_table(table));
        }
        Ok(name)
    }

    /// What the arguments of `read_csv` say.
    fn request(
        &self,
        args: &[crate::lang::ast::CallArgument],
        span: Span,
    ) -> Result<Request, Diagnostic> {
        let bad = |span, message: &str| {
            Diagnostic::at(Code::BadArguments, span, message)
                .help("write read_csv('file.csv', header => true, delim => ';')")
        };
        let mut request = None;
        let mut options = import::Options::default();
        for (index, arg) in args.iter().enumerate() {
            let at = arg.value.span;
            let value = self.constant(&arg.value);
            let name = arg.name.as_ref().map(|name| name.text.to_ascii_lowercase());
            match (name.as_deref(), value) {
                (None, Some(Value::Text(path))) if index == 0 => {
                    request = Some((path.into_owned(), at));
                }
                (Some("header"), Some(Value::Bool(header))) => options.header = Some(header),
                (Some("delim" | "delimiter" | "sep"), Some(Value::Text(mark))) => {
                    options.delimiter = Some(match mark.as_bytes() {
                        b"\\t" => b'\t',
                        [one] if one.is_ascii() && !matches!(one, b'"' | b'\n' | b'\r') => *one,
                        _ => return Err(bad(at, "a delimiter is one character, or '\\t'")),
                    });
                }
                (None, _) => {
                    return Err(bad(at, "read_csv takes the path of a file as a constant text"));
                }
                (Some("header"), _) => return Err(bad(at, "header is true or false")),
                (Some(name), _) => {
                    return Err(bad(at, &format!("read_csv has no option `{name}`")));
                }
            }
        }
        let Some((path, span)) = request else {
            return Err(bad(span, "read_csv takes the path of a file"));
        };
        Ok(Request { path, span, options })
    }

    /// The value of a literal or a parameter.
    fn constant(&self, expr: &Expr) -> Option<Value<'static>> {
        match &expr.kind {
            ExprKind::Literal(Literal::Text(text)) => Some(Value::text(text.clone())),
            ExprKind::Literal(Literal::Bool(value)) => Some(Value::Bool(*value)),
            ExprKind::Parameter(name) => self.params.get(name).cloned(),
            _ => None,
        }
    }
}
