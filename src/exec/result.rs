//! What a query returns.

use std::borrow::Cow;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, Int64Chunked, PlSmallStr,
    StringChunked, TimeUnit, TimeZone, UInt64Chunked,
};

use super::col::Col;
use super::from_value::FromValue;
use crate::catalog::{Absent, DecimalTy, Format, Physical, PointerWidth, Ty, Value};

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// The name as selected; names may repeat.
    pub name: String,
    /// The type.
    pub ty: Ty,
    /// How numbers are shown.
    pub format: Format,
}

/// A count of values that a scan could not provide.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Footnote {
    /// The table scanned.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// Why the values are absent.
    pub reason: Absent,
    /// The number of rows.
    pub count: usize,
}

/// A table that no open source answered and that the query treated as empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// The table.
    pub table: &'static str,
    /// The reason given by each open source.
    pub because: Vec<String>,
}

/// The rows of a query: typed columns of equal length.
#[derive(Debug, Clone, Default)]
pub struct ResultSet {
    pub(super) fields: Vec<Field>,
    /// One contiguous column per field, named by position (`0`, `1`, …), in physical types:
    /// timestamps and intervals are microseconds in `Int64`, addresses `UInt64`.
    pub(super) frame: DataFrame,
    pub(super) rows: usize,
    pub(super) width: PointerWidth,
    pub(super) footnotes: Vec<Footnote>,
    pub(super) unread: Vec<Unread>,
}

/// One column, for reading by row.
#[derive(Debug, Clone, Copy)]
pub enum ColumnView<'a> {
    /// `BOOLEAN`.
    Bool(&'a BooleanChunked),
    /// `INTEGER`.
    Int(&'a Int64Chunked),
    /// `DOUBLE`.
    Double(&'a Float64Chunked),
    /// `VARCHAR`.
    Text(&'a StringChunked),
    /// `ADDRESS`.
    Addr(&'a UInt64Chunked),
    /// `TIMESTAMP`.
    Time(&'a Int64Chunked),
    /// `INTERVAL`.
    Interval(&'a Int64Chunked),
    /// `DATE`, `TIME` or `DECIMAL`.
    Number(&'a Int64Chunked, Ty),
    /// `BLOB`, `UUID`, `LIST`, `STRUCT` or `MAP` of that type.
    Coded(&'a StringChunked, Ty),
    /// A column with only NULLs.
    Null,
}

impl<'a> ColumnView<'a> {
    fn new(column: &'a Column, ty: Ty) -> Self {
        match (ty, column.dtype()) {
            (Ty::Bool, DataType::Boolean) => column.bool().map_or(Self::Null, Self::Bool),
            (Ty::Int, DataType::Int64) => column.i64().map_or(Self::Null, Self::Int),
            (Ty::Time, DataType::Int64) => column.i64().map_or(Self::Null, Self::Time),
            (Ty::Interval, DataType::Int64) => column.i64().map_or(Self::Null, Self::Interval),
            (Ty::Double, DataType::Float64) => column.f64().map_or(Self::Null, Self::Double),
            (Ty::Text, DataType::String) => column.str().map_or(Self::Null, Self::Text),
            (Ty::Date | Ty::TimeOfDay | Ty::Decimal(_), DataType::Int64) => {
                column.i64().map_or(Self::Null, |numbers| Self::Number(numbers, ty))
            }
            (_, DataType::String) if ty.physical() == Physical::Text => {
                column.str().map_or(Self::Null, |codes| Self::Coded(codes, ty))
            }
            (Ty::Addr, DataType::UInt64) => column.u64().map_or(Self::Null, Self::Addr),
            _ => Self::Null,
        }
    }

    /// The number of rows; 0 for a column with only NULLs.
    fn len(&self) -> usize {
        match self {
            Self::Bool(c) => c.len(),
            Self::Int(c) | Self::Time(c) | Self::Interval(c) | Self::Number(c, _) => c.len(),
            Self::Double(c) => c.len(),
            Self::Text(c) | Self::Coded(c, _) => c.len(),
            Self::Addr(c) => c.len(),
            Self::Null => 0,
        }
    }

    /// The value of row `row`; NULL beyond the end, where polars would panic.
    pub fn get(&self, row: usize) -> Value<'a> {
        match self {
            _ if row >= self.len() => Value::Null,
            Self::Bool(c) => c.get(row).map_or(Value::Null, Value::Bool),
            Self::Int(c) => c.get(row).map_or(Value::Null, Value::Int),
            Self::Double(c) => c.get(row).map_or(Value::Null, Value::Double),
            Self::Text(c) => c.get(row).map_or(Value::Null, |t| Value::Text(Cow::Borrowed(t))),
            Self::Number(c, ty) => c.get(row).map_or(Value::Null, |v| Value::of_number(v, *ty)),
            Self::Coded(c, ty) => {
                c.get(row).map_or(Value::Null, |code| Value::of_code(Cow::Borrowed(code), *ty))
            }
            Self::Addr(c) => c.get(row).map_or(Value::Null, Value::Addr),
            Self::Time(c) => c.get(row).map_or(Value::Null, Value::Time),
            Self::Interval(c) => c.get(row).map_or(Value::Null, Value::Interval),
            Self::Null => Value::Null,
        }
    }
}

/// One row of a result.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    result: &'a ResultSet,
    row: usize,
}

impl<'a> Row<'a> {
    /// The value of column `column`; NULL if there is no such column.
    pub fn get(&self, column: usize) -> Value<'a> {
        self.result.value(self.row, column)
    }

    /// The value of the first column of that name; `None` if there is none.
    pub fn named(&self, name: &str) -> Option<Value<'a>> {
        self.result.index_of(name).map(|column| self.get(column))
    }
}

impl ResultSet {
    /// A result of computed columns, with the pointer width and the footnotes of `like`.
    pub(super) fn from_cols(fields: Vec<Field>, cols: Vec<Col>, rows: usize, like: &Self) -> Self {
        let columns = cols.into_iter().zip(&fields).enumerate();
        let columns = columns
            .map(|(i, (col, f))| col.into_column(PlSmallStr::from_string(i.to_string()), f.ty));
        let frame = DataFrame::new(rows, columns.collect()).unwrap_or_default();
        let (footnotes, unread) = (like.footnotes.clone(), like.unread.clone());
        Self { fields, frame, rows, width: like.width, footnotes, unread }
    }

    /// The columns.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The number of rows.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The pointer width that determines how addresses are shown.
    pub const fn pointer_width(&self) -> PointerWidth {
        self.width
    }

    /// The counts of values that scans of this query could not provide, by reason (without "not
    /// applicable").
    pub fn footnotes(&self) -> &[Footnote] {
        &self.footnotes
    }

    /// Tables that a saved query names as optional and that no open source answered.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The bytes of text in the rows.
    pub(crate) fn text_bytes(&self) -> usize {
        let column = |index| match self.column(index) {
            ColumnView::Text(texts) | ColumnView::Coded(texts, _) => {
                texts.iter().flatten().fold(0usize, |sum, text| sum.saturating_add(text.len()))
            }
            _ => 0,
        };
        (0..self.fields.len()).map(column).fold(0, usize::saturating_add)
    }

    /// The same rows with some of the columns, in the order given; a place beyond the end is left
    /// out.
    #[must_use]
    pub fn select(&self, columns: &[usize]) -> Self {
        let known: Vec<(&Field, &Column)> = columns
            .iter()
            .filter_map(|at| Some((self.fields.get(*at)?, self.frame.columns().get(*at)?)))
            .collect();
        let name = |at: usize| PlSmallStr::from_string(at.to_string());
        let columns = known.iter().enumerate().map(|(at, (_, c))| (*c).clone().with_name(name(at)));
        Self {
            frame: DataFrame::new(self.rows, columns.collect()).unwrap_or_default(),
            fields: known.iter().map(|(field, _)| (*field).clone()).collect(),
            rows: self.rows,
            width: self.width,
            footnotes: self.footnotes.clone(),
            unread: self.unread.clone(),
        }
    }

    /// The index of the first column of that name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name.eq_ignore_ascii_case(name))
    }

    /// A column for reading row by row; only NULLs if there is no such column.
    pub fn column(&self, index: usize) -> ColumnView<'_> {
        match (self.frame.columns().get(index), self.fields.get(index)) {
            (Some(column), Some(field)) => ColumnView::new(column, field.ty),
            _ => ColumnView::Null,
        }
    }

    /// One value; NULL if the row or column does not exist.
    pub fn value(&self, row: usize, column: usize) -> Value<'_> {
        self.column(column).get(row)
    }

    /// One value as text, as every output format shows it; empty for NULL.
    pub fn text(&self, row: usize, column: usize) -> String {
        let format = self.fields.get(column).map_or(Format::Plain, |f| f.format);
        format.render(&self.value(row, column), self.width)
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows).map(|row| Row { result: self, row })
    }

    /// The result as a polars frame: columns by name (a repeated name gets `_1`, `_2`, …),
    /// timestamps as `Datetime(Microseconds, UTC)`, dates as `Datetime(Microseconds)`, intervals and
    /// times of day as `Duration(Microseconds)`, decimals as `Float64`; bytes, UUIDs, lists, structures and maps as the text
    /// that CSV shows.
    ///
    /// # Errors
    /// None that input can cause; polars refuses frames whose columns differ in length.
    pub fn to_data_frame(&self) -> polars::prelude::PolarsResult<DataFrame> {
        self.frame_of(false)
    }

    /// As [`ResultSet::to_data_frame`]; decimals are the whole numbers of their last digits if
    /// `exact` is set.
    pub(super) fn frame_of(&self, exact: bool) -> polars::prelude::PolarsResult<DataFrame> {
        let mut seen: std::collections::HashSet<String> = std::collections::HashSet::new();
        let mut columns = Vec::with_capacity(self.fields.len());
        for (column, field) in self.frame.columns().iter().zip(&self.fields) {
            let mut name = field.name.clone();
            let mut suffix = 0usize;
            while !seen.insert(name.clone()) {
                suffix += 1;
                name = format!("{}_{suffix}", field.name);
            }
            let typed = match field.ty {
                Ty::Time => {
                    column.cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))?
                }
                Ty::Date => column.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?,
                Ty::Decimal(of) if !exact => as_doubles(column, of),
                Ty::Interval | Ty::TimeOfDay => {
                    column.cast(&DataType::Duration(TimeUnit::Microseconds))?
                }
                ty if ty != Ty::Text && ty.physical() == Physical::Text => {
                    self.as_text(columns.len())
                }
                _ => column.clone(),
            };
            columns.push(typed.with_name(name.into()));
        }
        DataFrame::new(self.rows, columns)
    }

    /// A column as the text that every format shows; NULL stays NULL.
    fn as_text(&self, index: usize) -> Column {
        let texts = (0..self.rows).map(|row| {
            let there = !self.value(row, index).is_null();
            there.then(|| self.text(row, index))
        });
        let texts: Vec<Option<String>> = texts.collect();
        Col::text(texts.iter().map(Option::as_deref)).into_column(PlSmallStr::EMPTY, Ty::Text)
    }

    /// The values of a column as a Rust type, `None` for NULL and for values of another type;
    /// `None` altogether if no column has that name.
    ///
    /// ```
    /// let session = dumpql::Session::sample()?;
    /// let result = session.query("SELECT 1 AS n UNION ALL SELECT NULL")?;
    /// assert_eq!(result.column_values::<i64>("n"), Some(vec![Some(1), None]));
    /// # Ok::<(), dumpql::Error>(())
    /// ```
    pub fn column_values<T: FromValue>(&self, name: &str) -> Option<Vec<Option<T>>> {
        let column = self.column(self.index_of(name)?);
        Some((0..self.rows).map(|row| T::from_value(column.get(row))).collect())
    }
}

/// A column of decimals as floating-point numbers.
fn as_doubles(column: &Column, of: &DecimalTy) -> Column {
    let numbers: Vec<Option<f64>> = column.i64().map_or_else(
        |_| Vec::new(),
        |numbers| numbers.iter().map(|digits| digits.map(|digits| of.double(digits))).collect(),
    );
    let valid = super::col::bits(numbers.iter().map(Option::is_some));
    let values = numbers.into_iter().map(Option::unwrap_or_default).collect();
    Col::double(values, Some(valid)).into_column(PlSmallStr::EMPTY, Ty::Double)
}

#[cfg(test)]
impl ResultSet {
    /// A result with given values, for tests of printing and export: one list of values per column,
    /// `None` for NULL.
    pub(crate) fn of(columns: Vec<(Field, Vec<Value<'static>>)>) -> Self {
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        let (fields, columns): (Vec<_>, Vec<_>) = columns
            .into_iter()
            .enumerate()
            .map(|(at, (field, values))| {
                let column = column_of(at, field.ty, &values);
                (field, column)
            })
            .unzip();
        let frame = DataFrame::new(rows, columns).unwrap();
        let (footnotes, unread) = (Vec::new(), Vec::new());
        Self { fields, frame, rows, width: PointerWidth::Bits64, footnotes, unread }
    }

    /// Adds footnotes.
    pub(crate) fn with_footnotes(mut self, footnotes: Vec<Footnote>) -> Self {
        self.footnotes = footnotes;
        self
    }
}

#[cfg(test)]
fn column_of(at: usize, ty: Ty, values: &[Value<'static>]) -> Column {
    use polars::prelude::{IntoColumn, NewChunkedArray as _};
    let name = at.to_string().into();
    let each = values.iter();
    match ty {
        Ty::Bool => BooleanChunked::from_iter_options(name, each.map(Value::as_bool)).into_column(),
        _ if ty.physical() == Physical::Int => {
            Int64Chunked::from_iter_options(name, each.map(Value::as_number)).into_column()
        }
        Ty::Double => {
            Float64Chunked::from_iter_options(name, each.map(Value::as_double)).into_column()
        }
        Ty::Addr => UInt64Chunked::from_iter_options(name, each.map(Value::as_addr)).into_column(),
        _ => StringChunked::from_iter_options(name, each.map(Value::as_code)).into_column(),
    }
}
