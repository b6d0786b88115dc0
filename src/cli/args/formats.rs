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
