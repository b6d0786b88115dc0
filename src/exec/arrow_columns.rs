//! Arrow data as columns of a table: what a host program attaches, or returns for each scan.

mod append;

use append::append;
use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::ArrowDataType;

use crate::catalog::{Batch, ColumnBuilder, ColumnData, ColumnSpec, TableSpec, Ty, intern};
use crate::diag::{Code, Diagnostic};
use crate::table::{Cx, Scan, ScanError, ScanRequest, Table};

/// Columns that are filled from Arrow arrays, for
/// [`Session::attach_rows`](crate::Session::attach_rows).
///
/// Integers up to 32 bits and signed ones of 64 become `INTEGER`, unsigned ones of 64 bits
/// `ADDRESS`, floating-point numbers `DOUBLE`, text of every layout `VARCHAR`, binary data `BLOB`,
/// timestamps `TIMESTAMP` (in UTC, rounded down to microseconds), dates `DATE`, times `TIME`,
/// durations `INTERVAL`, decimals of up to 18 digits `DECIMAL` and others `DOUBLE`; dictionaries become their values. Other types are refused rather than changed.
///
/// ```
/// use dumpql::extend::ArrowColumns;
/// use dumpql::polars_arrow::array::Array as _;
///
/// let session = dumpql::Session::sample()?;
/// let result = session.query("SELECT name, base FROM modules LIMIT 2")?;
///
/// // What another program gives as Arrow data becomes a table.
/// let mut columns: Option<ArrowColumns> = None;
/// for batch in result.record_batches().map_err(|e| e.to_string()).unwrap_or_default() {
///     let array = dumpql::extend::struct_array(batch);
///     match &mut columns {
///         Some(columns) => columns.push(&array)?,
///         none => none.insert(ArrowColumns::new(array.dtype())?).push(&array)?,
///     }
/// }
/// session.attach_rows("known", columns.map(ArrowColumns::finish).unwrap_or_default())?;
/// assert_eq!(session.query("FROM known JOIN modules USING (base)")?.len(), 2);
/// # Ok::<(), dumpql::Error>(())
/// ```
#[derive(Debug)]
pub struct ArrowColumns {
    dtype: ArrowDataType,
    columns: Vec<Wanted>,
    rows: usize,
}

/// A column being filled.
#[derive(Debug)]
struct Wanted {
    index: usize,
    name: String,
    builder: ColumnBuilder,
}

impl ArrowColumns {
    /// Columns for rows of a structure type.
    ///
    /// # Errors
    /// E0210 if the type is not a structure, or a column has a type that no table can hold.
    pub fn new(dtype: &ArrowDataType) -> Result<Self, Diagnostic> {
        let count = fields(dtype)?.len();
        Self::of(dtype, &(0..count).collect::<Vec<_>>())
    }

    /// Only some columns.
    fn of(dtype: &ArrowDataType, wanted: &[usize]) -> Result<Self, Diagnostic> {
        let fields = fields(dtype)?;
        let column = |&index: &usize| {
            let field = fields
                .get(index)
                .ok_or_else(|| bad("a scan requests a column that does not exist"))?;
            let ty = ty_of(&field.name, &field.dtype)?;
            Ok(Wanted { index, name: field.name.to_string(), builder: ColumnBuilder::new(ty) })
        };
        let columns = wanted.iter().map(column).collect::<Result<_, Diagnostic>>()?;
        Ok(Self { dtype: dtype.clone(), columns, rows: 0 })
    }

    /// Adds the rows of an array of that structure type.
    ///
    /// # Errors
    /// E0210 if the array has another type or NULL in place of whole rows, E0302 if a point in time
    /// is out of range. The columns must not be used afterwards.
    pub fn push(&mut self, array: &dyn Array) -> Result<(), Diagnostic> {
        let Some(rows) = array.as_any().downcast_ref::<StructArray>() else {
            return Err(bad("Arrow rows are arrays of structures"));
        };
        if !self.fits(rows.dtype()) {
            return Err(bad("the Arrow batches of one table differ in their columns"));
        }
        if rows.null_count() > 0 {
            return Err(bad("an Arrow batch has NULL in place of whole rows"));
        }
        for Wanted { index, name, builder } in &mut self.columns {
            let Some(column) = rows.values().get(*index) else {
                return Err(bad("an Arrow batch has too few columns"));
            };
            append(builder, &**column).map_err(|problem| problem.of(name))?;
        }
        self.rows += rows.len();
        Ok(())
    }

    /// Whether rows of the type have the same columns; names and nullability of fields are not
    /// compared.
    fn fits(&self, dtype: &ArrowDataType) -> bool {
        let (Ok(own), Ok(other)) = (fields(&self.dtype), fields(dtype)) else { return false };
        let mut pairs = own.iter().zip(other);
        own.len() == other.len()
            && pairs.all(|(own, other)| own.name == other.name && own.dtype == other.dtype)
    }

    /// The finished columns with their names.
    pub fn finish(self) -> Vec<(String, ColumnData)> {
        self.columns.into_iter().map(|c| (c.name, c.builder.finish())).collect()
    }

    fn into_batch(self) -> Batch {
        let columns = self.columns.into_iter().map(|c| c.builder.finish()).collect();
        Batch { columns, rows: self.rows }
    }
}

/// A record batch as one array of structures, as [`ArrowColumns::push`] takes it.
pub fn struct_array(batch: polars_arrow::record_batch::RecordBatch) -> StructArray {
    let (rows, schema) = (batch.len(), batch.schema().clone());
    let fields = schema.iter_values().cloned().collect();
    StructArray::new(ArrowDataType::Struct(fields), rows, batch.into_arrays(), None)
}

/// Arrow arrays of structures, one after the other; an error text ends the query.
pub type ArrowBatches = Box<dyn Iterator<Item = Result<Box<dyn Array>, String>>>;

type OpenBatches = dyn Fn() -> Result<ArrowBatches, String> + Send + Sync;

/// A table of a host program whose rows are Arrow batches, made anew for each scan; for
/// [`Session::add_table`](crate::Session::add_table). [`ArrowColumns`] lists the types.
pub struct ArrowTable {
    spec: TableSpec,
    dtype: ArrowDataType,
    open: Box<OpenBatches>,
}

impl std::fmt::Debug for ArrowTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowTable").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl ArrowTable {
    /// A table of rows of a structure type. `open` is called once per scan, on any thread.
    ///
    /// # Errors
    /// E0210 if the type is not a structure, a column has a type that no table can hold, or two
    /// have one name.
    pub fn new(
        name: &str,
        doc: &str,
        dtype: &ArrowDataType,
        open: impl Fn() -> Result<ArrowBatches, String> + Send + Sync + 'static,
    ) -> Result<Self, Diagnostic> {
        let mut columns: Vec<ColumnSpec> = Vec::new();
        for field in fields(dtype)? {
            if columns.iter().any(|c| c.name.eq_ignore_ascii_case(&field.name)) {
                let (column, message) = (&field.name, "has two columns named");
                return Err(bad(&format!("table `{name}` {message} `{column}`")));
            }
            let ty = ty_of(&field.name, &field.dtype)?;
            columns.push(ColumnSpec::new(intern(&field.name), "A column of the program.", ty));
        }
        let spec = TableSpec::new(intern(name), intern(doc), columns);
        Ok(Self { spec, dtype: dtype.clone(), open: Box::new(open) })
    }

    fn read(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError> {
        let failed = |error: Diagnostic| ScanError::Failed(error.message);
        let mut columns = ArrowColumns::of(&self.dtype, request.columns).map_err(failed)?;
        let enough = request.limit.unwrap_or(usize::MAX);
        let mut batches = (self.open)().map_err(ScanError::Failed)?;
        while columns.rows < enough {
            if cx.is_cancelled() {
                return Err(ScanError::Cancelled);
            }
            let Some(batch) = batches.next() else { break };
            let before = columns.rows;
            columns.push(&*batch.map_err(ScanError::Failed)?).map_err(failed)?;
            cx.progress.add_rows(columns.rows - before);
        }
        Ok(Scan::of(columns.into_batch()))
    }
}

impl Table for ArrowTable {
    fn name(&self) -> &'static str {
        self.spec.name
    }

    fn spec(&self, _several: bool) -> TableSpec {
        self.spec.clone()
    }

    fn scan(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError> {
        self.read(cx, request)
    }
}

fn bad(message: &str) -> Diagnostic {
    Diagnostic::new(Code::BadQuery, message)
}

fn fields(dtype: &ArrowDataType) -> Result<&[polars_arrow::datatypes::Field], Diagnostic> {
    let ArrowDataType::Struct(fields) = dtype.to_storage() else {
        return Err(bad("Arrow rows are arrays of structures"));
    };
    Ok(fields)
}

/// The SQL type that holds every value of the Arrow type.
fn ty_of(column: &str, dtype: &ArrowDataType) -> Result<Ty, Diagnostic> {
    use ArrowDataType as A;
    Ok(match dtype.to_storage() {
        A::Null | A::Utf8 | A::LargeUtf8 | A::Utf8View => Ty::Text,
        A::Boolean => Ty::Bool,
        A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt8 | A::UInt16 | A::UInt32 => Ty::Int,
        A::UInt64 => Ty::Addr,
        A::Float32 | A::Float64 => Ty::Double,
        A::Decimal(width, scale) => Ty::of_decimals(*width, *scale),
        A::Timestamp(..) => Ty::Time,
        A::Date32 | A::Date64 => Ty::Date,
        A::Time32(_) | A::Time64(_) => Ty::TimeOfDay,
        A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_) => Ty::Blob,
        A::Duration(_) => Ty::Interval,
        A::Dictionary(_, values, _) if !matches!(**values, A::Dictionary(..)) => {
            return ty_of(column, values);
        }
        other => {
            let message = format!("column `{column}` has the Arrow type {other:?}");
            let help = "a table holds booleans, integers, numbers, text, bytes, times and durations: \
                        cast the column";
            return Err(bad(&message).help(help));
        }
    })
}

/// Why an array cannot become a column.
enum Problem {
    /// The array is not of the type that it states.
    Type,
    /// A point in time or a duration does not fit into microseconds.
    Range,
}

impl Problem {
    fn of(self, column: &str) -> Diagnostic {
        match self {
            Self::Type => bad(&format!("column `{column}` holds no array of its Arrow type")),
            Self::Range => {
                let message = format!("a time in column `{column}` is out of range");
                Diagnostic::new(Code::Overflow, message)
            }
        }
    }
}
