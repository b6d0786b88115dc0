//! Tables of rows that the program supplies, which queries can join with those of dumps.

use std::sync::atomic::AtomicBool;

use super::col::Col;
use super::frame::Frame;
use super::keys::{self, Stop};
use super::result::ResultSet;
use crate::catalog::{
    ColumnData, ColumnSpec, Data, Format, Physical, TableSpec, Ty, Unit, Value, intern,
};
use crate::diag::{Code, Diagnostic};

/// A table held in memory in the engine's own form, so that scanning it copies nothing.
#[derive(Debug, Clone)]
pub struct MemTable {
    spec: TableSpec,
    /// The file that the rows come from.
    file: Option<String>,
    pub(super) frame: Frame,
    /// The reasons of absent values, one vector per column (empty if all are present).
    pub(super) absent: Vec<Vec<u8>>,
}

impl MemTable {
    /// A table of that name with these columns.
    ///
    /// # Errors
    /// E0210 when two columns have one name, or the columns differ in length.
    pub fn new(name: &str, columns: Vec<(String, ColumnData)>) -> Result<Self, Diagnostic> {
        let bad = |message: String| Err(Diagnostic::new(Code::BadQuery, message));
        let rows = columns.first().map_or(0, |(_, data)| data.rows());
        let mut specs: Vec<ColumnSpec> = Vec::with_capacity(columns.len());
        let mut cols = Vec::with_capacity(columns.len());
        let mut absent = Vec::with_capacity(columns.len());
        for (column, data) in columns {
            if specs.iter().any(|s| s.name.eq_ignore_ascii_case(&column)) {
                return bad(format!("table `{name}` has two columns named `{column}`"));
            }
            let found = data.rows();
            let codes = data.absent.len();
            if !fits(&data) {
                let expected = data.ty;
                return bad(format!(
                    "column `{column}` of table `{name}` does not hold {expected}"
                ));
            }
            if found != rows || (codes != 0 && codes != rows) || rows > MAX_ROWS {
                return bad(format!(
                    "column `{column}` of table `{name}` has {found} rows, expected {rows}"
                ));
            }
            specs.push(ColumnSpec {
                name: intern(&column),
                doc: "A column that the program attached.",
                ty: data.ty,
                unit: Unit::None,
                format: Format::Plain,
                hidden: false,
            });
            absent.push(data.absent.clone());
            cols.push(Col::from_data(data));
        }
        Ok(Self { spec: spec(name, specs), file: None, frame: Frame::new(cols, rows), absent })
    }

    /// A table of the rows of a result, with the result's column names.
    ///
    /// # Errors
    ///
    /// E0210 when two columns have one name.
    pub fn from_result(name: &str, result: &ResultSet) -> Result<Self, Diagnostic> {
        Self::of_rows(name, result, &[])
    }

    /// As [`MemTable::from_result`] with other names for the first columns.
    ///
    /// # Errors
    ///
    /// E0210 when two columns have one name.
    pub fn of_rows(name: &str, result: &ResultSet, names: &[&str]) -> Result<Self, Diagnostic> {
        let mut table = Self::new(name, Vec::new())?;
        let columns = result.fields().iter().zip(result.frame.columns());
        for (index, (field, column)) in columns.enumerate() {
            let own = names.get(index).copied().unwrap_or(&field.name);
            if table.spec.column(own).is_some() {
                let message = format!("table `{name}` has two columns named `{own}`");
                return Err(Diagnostic::new(Code::BadQuery, message));
            }
            table.spec.columns.push(ColumnSpec {
                name: intern(own),
                doc: "A column of a query's result.",
                ty: field.ty,
                unit: Unit::None,
                format: field.format,
                hidden: false,
            });
            table.frame.cols.push(Col::from_column(column));
            table.absent.push(Vec::new());
        }
        table.frame.rows = result.len();
        Ok(table)
    }

    /// Sets the file that the rows come from.
    #[must_use]
    pub fn of_file(mut self, path: &str) -> Self {
        self.file = Some(path.to_owned());
        self.spec.doc = intern(&format!("The rows of {path}."));
        for column in &mut self.spec.columns {
            column.doc = "A column of the file.";
        }
        self
    }

    /// The file that the rows come from.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The number of rows.
    pub(super) const fn rows(&self) -> usize {
        self.frame.rows
    }

    /// Roughly the number of different values of a column, by some of its rows.
    pub(super) fn distinct(&self, column: usize) -> Option<usize> {
        const SAMPLE: usize = 2_048;
        let never = AtomicBool::new(false);
        let stop = Stop(&never);
        let (col, rows) = (self.frame.cols.get(column)?, self.frame.rows);
        if rows <= SAMPLE {
            return Some(keys::group(std::slice::from_ref(col), rows, stop).firsts.len());
        }
        let some: Vec<u32> =
            (0..SAMPLE).map(|at| u32::try_from(at * rows / SAMPLE).unwrap_or(0)).collect();
        let found = keys::group(&[col.take(&some)], SAMPLE, stop).firsts.len();
        // Few different values are all of them; if nearly all differ, they do so everywhere.
        Some(match found {
            few if few < SAMPLE / 4 => few,
            most if most > SAMPLE / 10 * 9 => rows,
            some => rows / SAMPLE * some,
        })
    }

    /// The memory of the rows.
    pub fn bytes(&self) -> usize {
        self.frame.bytes()
    }

    /// The specification, for planning and completion.
    pub const fn spec(&self) -> &TableSpec {
        &self.spec
    }
}

/// Row indices have 32 bits, and one value is reserved.
const MAX_ROWS: usize = u32::MAX as usize - 1;

fn spec(name: &str, columns: Vec<ColumnSpec>) -> TableSpec {
    TableSpec {
        name: intern(name),
        doc: "Rows that the program attached.",
        answers: "",
        kinds: &[],
        columns,
        examples: &[],
    }
}

/// Whether the values have the physical form of the column's type.
fn fits(data: &ColumnData) -> bool {
    match data.ty.physical() {
        Physical::Bool => matches!(data.data, Data::Bool(_)),
        Physical::Int => matches!(data.data, Data::Int(_)),
        Physical::Double => matches!(data.data, Data::Double(_)),
        Physical::Addr => matches!(data.data, Data::Addr(_)),
        Physical::Text | Physical::Null => match &data.data {
            Data::Text { bytes, ends } => are_codes(bytes, ends, data.ty),
            _ => false,
        },
    }
}

/// Whether the texts are what a column keeps for values of the type.
fn are_codes(bytes: &str, ends: &[usize], ty: Ty) -> bool {
    match ty {
        Ty::Text | Ty::Null => true,
        Ty::Blob => bytes.chars().all(|c| u8::try_from(c).is_ok()),
        Ty::Uuid => {
            let mut start = 0;
            ends.iter().all(|&end| {
                let text = bytes.get(start..end).unwrap_or_default();
                start = end;
                text.is_empty()
                    || Value::parse(text, ty).as_ref().and_then(Value::as_uuid) == Some(text)
            })
        }
        _ => false,
    }
}
