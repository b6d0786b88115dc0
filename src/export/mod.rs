//! Writes results in file formats: CSV, TSV, JSON, JSON lines, Markdown, HTML, Parquet, Excel
//! workbooks, and charts.
//!
//! This module knows results and formats, but neither queries, dumps, nor the destination of the
//! bytes. Values are rendered by [`crate::catalog::Format`], except where a format has its own type
//! for them.

mod blocks;
pub mod chart;
mod csv;
mod file;
mod html;
mod json;
mod markdown;
mod parquet;
pub mod report;
#[cfg(test)]
pub(crate) mod samples;
mod sheet;
pub mod visible;
#[cfg(feature = "excel")]
mod xlsx;
#[cfg(not(feature = "excel"))]
mod xlsx {
    //! Without the feature `excel`, workbooks cannot be written.

    use std::io::{self, Write};

    use super::{Note, Sheet};

    /// Reports that workbooks are not available.
    pub fn write_workbook(_: &[Sheet<'_>], _: &[Note], _: &mut dyn Write) -> io::Result<()> {
        let message = "this program was built without Excel workbooks (the feature `excel`)";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}

use std::io::{self, Write};

use crate::exec::ResultSet;

pub use file::write_file;
pub use sheet::{Note, Sheet};
pub use xlsx::write_workbook;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileFormat {
    /// Comma-separated values of RFC 4180 with a header line, UTF-8 without a byte order mark,
    /// lines ending in LF. NULL is an empty cell, empty text is `""`.
    Csv,
    /// As [`Self::Csv`], for Excel: a byte order mark, CRLF, and an apostrophe before text that
    /// Excel would evaluate as a formula or round.
    ExcelCsv,
    /// Tab-separated values, quoted as in CSV.
    Tsv,
    /// One array of objects.
    Json,
    /// One object per line.
    JsonLines,
    /// A table of GitHub Flavored Markdown.
    Markdown,
    /// A self-contained page.
    Html,
    /// An Excel workbook.
    Xlsx,
    /// Apache Parquet.
    Parquet,
    /// A chart as a picture of shapes, which any size is sharp in.
    Svg,
    /// A chart as a picture of pixels.
    Png,
}

impl FileFormat {
    /// The format for a file name extension.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            "md" | "markdown" => Self::Markdown,
            "html" | "htm" => Self::Html,
            "xlsx" => Self::Xlsx,
            "parquet" => Self::Parquet,
            "svg" => Self::Svg,
            "png" => Self::Png,
            _ => return None,
        })
    }

    /// Whether one file can hold several results and is still valid.
    pub const fn holds_several(self) -> bool {
        matches!(self, Self::Markdown | Self::Html | Self::Xlsx)
    }

    /// Whether a file of this format is text, which a terminal can show.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Xlsx | Self::Parquet | Self::Png)
    }

    /// Whether a file of this format is a picture of the chart, without the rows.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Svg | Self::Png)
    }

    /// The ending of names of files of this format.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv | Self::ExcelCsv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

/// Writes results in one format. Several results of CSV, TSV, JSON and Markdown follow each other
/// with a blank line between them; `notes` are written in formats that have a place for them.
///
/// # Errors
/// Whatever the writer reports.
pub fn write(
    format: FileFormat,
    results: &[Sheet<'_>],
    notes: &[Note],
    out: &mut dyn Write,
) -> io::Result<()> {
    if format == FileFormat::Xlsx {
        return write_workbook(results, notes, out);
    }
    if format == FileFormat::Html {
        return html::write(results, notes, out);
    }
    for (index, sheet) in results.iter().enumerate() {
        if index > 0 && !matches!(format, FileFormat::JsonLines) {
            out.write_all(b"\n")?;
        }
        write_one(format, sheet, results.len() > 1, out)?;
    }
    Ok(())
}

/// Writes a result as values with a separator, otherwise as [`FileFormat::Csv`].
///
/// # Errors
///
/// Whatever the writer reports.
pub fn write_delimited(
    result: &ResultSet,
    separator: char,
    header: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    csv::write(result, csv::Dialect::plain(separator, header), out)
}

fn write_one(
    format: FileFormat,
    sheet: &Sheet<'_>,
    titled: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let result = sheet.result;
    match format {
        FileFormat::Csv => csv::write(result, csv::Dialect::CSV, out),
        FileFormat::ExcelCsv => csv::write(result, csv::Dialect::EXCEL, out),
        FileFormat::Tsv => csv::write(result, csv::Dialect::TSV, out),
        FileFormat::Json => json::write_array(result, out),
        FileFormat::JsonLines => json::write_lines(result, out),
        FileFormat::Markdown => markdown::write(result, titled.then_some(sheet.title), out),
        FileFormat::Parquet => parquet::write(result, out),
        FileFormat::Svg => write_chart(sheet, chart::write_svg, out),
        FileFormat::Png => write_chart(sheet, chart::write_png, out),
        FileFormat::Html | FileFormat::Xlsx => Ok(()),
    }
}

/// The chart of a result; one of bars where nothing says which.
fn write_chart(
    sheet: &Sheet<'_>,
    draw: impl Fn(&chart::Data, &str, &mut dyn Write) -> io::Result<()>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let guess = chart::Spec::of(chart::ChartKind::Bar);
    let data = chart::Data::new(sheet.chart.unwrap_or(&guess), sheet.result);
    let data = data.map_err(io::Error::other)?;
    if sheet.about.is_empty() {
        return draw(&data, &data.caption(), out);
    }
    draw(&data, sheet.heading(), out)
}

/// Column names made unique as by [`ResultSet::to_data_frame`], for formats that use names as keys.
fn unique_names(result: &ResultSet) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut names = Vec::with_capacity(result.fields().len());
    for field in result.fields() {
        let mut name = field.name.clone();
        let mut suffix = 0usize;
        while !seen.insert(name.clone()) {
            suffix += 1;
            name = format!("{}_{suffix}", field.name);
        }
        names.push(name);
    }
    names
}
