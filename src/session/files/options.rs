//! Options in a query for reading files.

use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::import::{self, Kind};
use crate::lang::ast::{BinaryOp, CallArgument, Expr, ExprKind, Literal, UnaryOp};
use crate::plan::{Params, parameter};

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// As files of one kind.
    Files(Kind),
    /// Each file by its extension.
    ByEnding,
    /// Each file as one text.
    Text,
    /// Only the names of the files.
    Glob,
}

impl Read {
    /// How a function reads files; `None` if it does not.
    pub(super) fn of_function(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "read_csv" | "read_csv_auto" => Self::Files(Kind::Delimited),
            "read_json" | "read_json_auto" | "read_ndjson" | "read_ndjson_auto" => {
                Self::Files(Kind::Json)
            }
            "read_parquet" | "parquet_scan" => Self::Files(Kind::Parquet),
            "read_text" => Self::Text,
            "glob" => Self::Glob,
            _ => return None,
        })
    }

    /// The function that reads in this way.
    const fn function(self) -> &'static str {
        match self {
            Self::Files(Kind::Delimited) | Self::ByEnding => "read_csv",
            Self::Files(Kind::Json) => "read_json",
            Self::Files(Kind::Parquet) => "read_parquet",
            Self::Text => "read_text",
            Self::Glob => "glob",
        }
    }

    /// The option names of the function.
    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Files(Kind::Delimited) => &[
                "all_varchar",
                "columns",
                "delim",
                "filename",
                "header",
                "names",
                "nullstr",
                "skip",
                "union_by_name",
            ],
            Self::Files(_) => &["filename", "union_by_name"],
            Self::ByEnding | Self::Text | Self::Glob => &[],
        }
    }
}

/// Files, and how they are read.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) span: Span,
    pub(super) read: Read,
    pub(super) options: import::Options,
}

impl Request {
    /// `FROM 'file.csv'`.
    pub(super) fn of_file(path: &str, span: Span) -> Result<Self, Diagnostic> {
        if Kind::of_path(path).is_none() {
            let message = format!(
                "the extension of `{path}` is not csv, tsv, tab, json, jsonl, ndjson or parquet"
            );
            return Err(Diagnostic::at(Code::BadQuery, span, message)
                .help("to say how a file is read, write read_csv('…', delim => ';'), read_json('…') and others")
                .help("a dump or a log is added with ATTACH 'file' AS name"));
        }
        let options = import::Options::default();
        Ok(Self { path: path.to_owned(), span, read: Read::ByEnding, options })
    }

    /// `read_csv('file.csv', header => true)` and similar functions.
    pub(super) fn of_call(
        read: Read,
        args: &[CallArgument],
        params: &Params,
        span: Span,
    ) -> Result<Self, Diagnostic> {
        let function = read.function();
        let mut path = None;
        let mut options = import::Options::default();
        for (index, arg) in args.iter().enumerate() {
            let (name, value) = named(arg);
            let at = value.span;
            let values = constants(value, params);
            match name {
                None if index == 0 => match values.as_deref() {
                    Some([Value::Text(text)]) => path = Some((text.to_string(), at)),
                    _ => return Err(bad(at, read, "takes the path of a file as a constant text")),
                },
                None => return Err(bad(at, read, "takes one path")),
                Some(name) => {
                    let known = read.options();
                    let own = match name.as_str() {
                        "delimiter" | "sep" => "delim",
                        other => other,
                    };
                    if !known.contains(&own) {
                        let message = format!("{function} has no option `{name}`");
                        let error = Diagnostic::at(Code::BadArguments, at, message);
                        let error = error.nearest(&name, known.iter().copied());
                        return Err(match known {
                            [] => error,
                            known => error.help(format!("options: {}", known.join(", "))),
                        });
                    }
                    let values = values.unwrap_or_default();
                    set(&mut options, own, &values).map_err(|expected| {
                        let message = format!("{own} is {expected}");
                        Diagnostic::at(Code::BadArguments, at, message)
                    })?;
                }
            }
        }
        let Some((path, span)) = path else {
            return Err(bad(span, read, "takes the path of a file"));
        };
        Ok(Self { path, span, read, options })
    }

    /// The name of the table.
    pub(super) fn table_name(&self) -> String {
        if self.path.contains(['*', '?', '[']) {
            return self.read.function().to_owned();
        }
        import::table_name(&self.path)
    }
}

fn bad(span: Span, read: Read, message: &str) -> Diagnostic {
    let function = read.function();
    let error = Diagnostic::at(Code::BadArguments, span, format!("{function} {message}"));
    error.help(match read {
        Read::Files(Kind::Delimited) => {
            "write read_csv('file.csv', header => true, delim => ';')".to_owned()
        }
        _ => format!("write {function}('path')"),
    })
}

/// The name and the value of an argument; as in DuckDB, it may also be written `header = true`.
fn named(arg: &CallArgument) -> (Option<String>, &Expr) {
    if let Some(name) = &arg.name {
        return (Some(name.text.to_ascii_lowercase()), &arg.value);
    }
    if let ExprKind::Binary { op: BinaryOp::Eq, left, right, .. } = &arg.value.kind
        && let ExprKind::Column(name) = &left.kind
        && let [part] = name.parts.as_slice()
    {
        return (Some(part.text.to_ascii_lowercase()), right);
    }
    (None, &arg.value)
}

/// The values of a literal, a parameter, or several in parentheses.
fn constants(expr: &Expr, params: &Params) -> Option<Vec<Value<'static>>> {
    let one = match &expr.kind {
        ExprKind::Literal(Literal::Text(text)) => Value::text(text.clone()),
        ExprKind::Literal(Literal::Bool(value)) => Value::Bool(*value),
        ExprKind::Literal(Literal::Int(value)) => Value::Int(i64::try_from(*value).ok()?),
        ExprKind::Unary { op: UnaryOp::Plus, expr } => return constants(expr, params),
        ExprKind::Parameter(name) => parameter(params, name)?.clone(),
        ExprKind::Row(values) => {
            let each = values.iter().map(|value| constants(value, params));
            return each.collect::<Option<Vec<_>>>().map(|all| all.concat());
        }
        _ => return None,
    };
    Some(vec![one])
}

/// Sets an option; the error describes the expected value.
fn set(
    options: &mut import::Options,
    name: &str,
    values: &[Value<'_>],
) -> Result<(), &'static str> {
    let flag = || match values {
        [Value::Bool(value)] => Ok(*value),
        [Value::Int(value @ (0 | 1))] => Ok(*value == 1),
        _ => Err("true or false"),
    };
    let texts = || -> Option<Vec<String>> {
        let each = values.iter().map(|value| value.as_text().map(str::to_owned));
        each.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
    };
    match name {
        "header" => options.header = Some(flag()?),
        "all_varchar" => options.all_varchar = flag()?,
        "filename" => options.filename = flag()?,
        "union_by_name" => options.by_name = flag()?,
        "delim" => {
            let mark = texts().unwrap_or_default();
            options.delimiter = Some(match mark.first().map_or(&b""[..], String::as_bytes) {
                b"\\t" => b'\t',
                [one] if one.is_ascii() && !matches!(one, b'"' | b'\n' | b'\r') => *one,
                _ => return Err("one character, or '\\t'"),
            });
        }
        "skip" => match values {
            [Value::Int(lines)] => {
                options.skip = usize::try_from(*lines).map_err(|_| "a number of lines")?;
            }
            _ => return Err("a number of lines"),
        },
        "nullstr" => options.nulls = texts().ok_or("a text, or several in parentheses")?,
        "names" => options.names = texts().ok_or("a name, or several: ('a', 'b')")?,
        _ => {
            const EXPECTED: &str = "names with types: ('id BIGINT', 'name VARCHAR')";
            for text in texts().ok_or(EXPECTED)? {
                let (name, ty) = text.trim().rsplit_once(char::is_whitespace).ok_or(EXPECTED)?;
                let ty = Ty::from_name(ty).ok_or(EXPECTED)?;
                options.names.push(name.trim().to_owned());
                options.types.push((name.trim().to_owned(), ty));
            }
        }
    }
    Ok(())
}
