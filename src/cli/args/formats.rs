//! The names of formats, and the modes of showing results.

use clap::ValueEnum;

use crate::export::FileFormat;

/// The names of formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// A table, or one line per value if rows do not fit.
    Auto,
    /// A table for reading.
    Table,
    /// One line per value, for wide rows.
    Line,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// An array of objects.
    Json,
    /// One object per line.
    Jsonl,
    /// A Markdown table.
    Md,
    /// An HTML page.
    Html,
    /// An Excel workbook.
    Xlsx,
    /// Apache Parquet, one file per result.
    Parquet,
    /// A chart as a picture of shapes.
    Svg,
    /// A chart as a picture of pixels.
    Png,
}

/// How results are shown: as text for reading, or in a file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Mode {
    /// A table if all columns fit, else one line per value.
    Auto,
    /// A table with borders.
    Table,
    /// One line per value.
    Line,
    /// A file format.
    File(FileFormat),
}

impl From<Format> for Mode {
    fn from(format: Format) -> Self {
        Self::File(match format {
            Format::Auto => return Self::Auto,
            Format::Table => return Self::Table,
            Format::Line => return Self::Line,
            Format::Csv => FileFormat::Csv,
            Format::Tsv => FileFormat::Tsv,
            Format::Json => FileFormat::Json,
            Format::Jsonl => FileFormat::JsonLines,
            Format::Md => FileFormat::Markdown,
            Format::Html => FileFormat::Html,
            Format::Xlsx => FileFormat::Xlsx,
            Format::Parquet => FileFormat::Parquet,
            Format::Svg => FileFormat::Svg,
            Format::Png => FileFormat::Png,
        })
    }
}

/// A number of bytes, with or without a unit of 1024 or its powers.
pub(in crate::cli) fn size(text: &str) -> Result<usize, String> {
    let bad = || format!("expected a size such as 500MB or 2GB, found `{text}`");
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match lower.get(digits.len()..).unwrap_or_default() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(bad()),
    };
    let number: usize = digits.trim().parse().map_err(|_| bad())?;
    number.checked_mul(1 << shift).filter(|&bytes| bytes > 0).ok_or_else(bad)
}
