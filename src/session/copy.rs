//! `COPY query TO 'file'`: writes rows in the formats of the option `-o`.

use super::ResultSet;
use super::attach::placed;
use super::cancel::Run;
use super::query::Prepared;
use crate::diag::{Code, Diagnostic, Span};
use crate::export::{self, FileFormat, Sheet};
use crate::lang;
use crate::lang::ast::{Expr, ExprKind, Ident, Literal, Query, SelectItem};

/// The formats of COPY, by the names of the option FORMAT.
const FORMATS: &str = "csv, tsv, json, jsonl, md, html, xlsx, parquet";

/// The format of a file.
struct Form {
    format: FileFormat,
    delimiter: Option<char>,
    header: bool,
    /// Whether a file that is there is replaced.
    overwrites: bool,
}

impl Prepared<'_> {
    pub(super) fn copy(
        &self,
        query: &Query,
        file: &Ident,
        options: &[(Ident, Option<Ident>)],
        run: &Run,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<bool, Vec<Diagnostic>> {
        let fail = |code, message: String| vec![Diagnostic::at(code, file.span, message)];
        let path = self.session.options.writable(&file.text);
        let path = path.map_err(|error| vec![placed(error, file.span)])?;
        let form = form(file, options).map_err(|error| vec![error])?;
        if let Some(open_as) = self.session.use_of(&path) {
            let message = format!("{} is open as {open_as} and is not written to", file.text);
            return Err(fail(Code::Io, message));
        }
        if path.is_file() && !form.overwrites && !self.session.options.overwrite {
            let error = Diagnostic::at(Code::Io, file.span, format!("{} exists", file.text));
            return Err(vec![error.help("(OVERWRITE true) behind the name replaces it")]);
        }
        let rows = self.rows(query.clone(), &self.params, run)?;
        let text = lang::format_query(query);
        let sheet = Sheet::new("rows", &text, &rows);
        let written = export::write_file(&path, |out| match form.format {
            FileFormat::Csv | FileFormat::Tsv => {
                let tab = form.format == FileFormat::Tsv;
                let delimiter = form.delimiter.unwrap_or(if tab { '\t' } else { ',' });
                export::write_delimited(&rows, delimiter, form.header, out)
            }
            format => export::write(format, &[sheet], &[], out),
        });
        written
            .map_err(|error| fail(Code::Io, format!("{} cannot be written: {error}", file.text)))?;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        Ok(receive(self.rows(count_of(count, file.span), &self.params, run)?))
    }
}

/// `SELECT n AS "Count"`.
fn count_of(rows: i64, span: Span) -> Query {
    let kind = ExprKind::Literal(Literal::Int(rows.unsigned_abs()));
    let mut query = Query::of_value(Expr { kind, span });
    if let lang::ast::Body::Select(select) = &mut query.body
        && let Some(SelectItem::Expr { alias, .. }) = select.items.first_mut()
    {
        *alias = Some(Ident { text: "Count".to_owned(), quoted: true, span });
    }
    query
}

fn form(file: &Ident, options: &[(Ident, Option<Ident>)]) -> Result<Form, Diagnostic> {
    let ending = file.text.rsplit_once('.').map_or("", |(_, ending)| ending);
    let mut format = FileFormat::from_extension(ending);
    let (mut delimiter, mut header, mut array, mut overwrites) = (None, true, None, false);
    for (name, value) in options {
        let span = value.as_ref().map_or(name.span, |value| value.span);
        let bad = |message: String| Diagnostic::at(Code::BadQuery, span, message);
        let text = value.as_ref().map_or("", |value| value.text.as_str());
        match name.text.to_ascii_lowercase().as_str() {
            "format" => {
                let known = FileFormat::from_extension(text).ok_or_else(|| {
                    bad(format!("no format `{text}`")).help(format!("formats: {FORMATS}"))
                })?;
                format = Some(known);
            }
            "header" => header = truth(text).ok_or_else(|| bad(said("HEADER")))?,
            "overwrite" | "overwrite_or_ignore" => {
                overwrites = truth(text).ok_or_else(|| bad(said("OVERWRITE")))?;
            }
            "array" => array = Some(truth(text).ok_or_else(|| bad(said("ARRAY")))?),
            "delimiter" | "delim" | "sep" => {
                let mut chars = text.chars();
                delimiter = match (text, chars.next(), chars.next()) {
                    ("\\t", ..) => Some('\t'),
                    (_, Some(one), None) if !matches!(one, '"' | '\n' | '\r') => Some(one),
                    _ => return Err(bad("DELIMITER is one character, or '\\t'".to_owned())),
                };
            }
            _ => {
                let message = format!("COPY has no option `{}`", name.text);
                return Err(Diagnostic::at(Code::BadQuery, name.span, message)
                    .nearest(&name.text, ["FORMAT", "HEADER", "DELIMITER", "ARRAY", "OVERWRITE"])
                    .help(
                        "options: FORMAT csv, HEADER false, DELIMITER ';', ARRAY true, OVERWRITE true",
                    ));
            }
        }
    }
    let Some(mut format) = format else {
        let message = format!("`{}` does not say its format", file.text);
        return Err(Diagnostic::at(Code::BadQuery, file.span, message)
            .help(format!("write (FORMAT csv) after it; formats: {FORMATS}")));
    };
    let is_json = matches!(format, FileFormat::Json | FileFormat::JsonLines);
    match array {
        Some(true) if is_json => format = FileFormat::Json,
        Some(false) if is_json => format = FileFormat::JsonLines,
        _ => {}
    }
    Ok(Form { format, delimiter, header, overwrites })
}

fn said(option: &str) -> String {
    format!("{option} is true or false")
}

/// An option without a value is true.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "" | "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    }
}
