//! Results as rows and cells.

use std::ffi::{CString, c_char};
use std::sync::Arc;

use engine::{ResultSet, Session, Ty, Value};

use crate::guard::{c_text, free, quiet};

/// The rows of a query. Free it with `dumpql_result_free`.
pub struct dumpql_result {
    pub(crate) rows: ResultSet,
    pub(crate) session: Arc<Session>,
    names: Vec<CString>,
    types: Vec<CString>,
    footnotes: Vec<[CString; 3]>,
}

impl dumpql_result {
    pub(crate) fn new(rows: ResultSet, session: &Arc<Session>) -> Self {
        let names = rows.fields().iter().map(|field| c_text(&field.name)).collect();
        let types = rows.fields().iter().map(|field| c_text(field.ty.name())).collect();
        let footnote = |note: &engine::Footnote| {
            [c_text(note.table), c_text(note.column), c_text(note.reason.as_str())]
        };
        let footnotes = rows.footnotes().iter().map(footnote).collect();
        Self { rows, session: Arc::clone(session), names, types, footnotes }
    }
}

/// The type of a column or of a value.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum dumpql_type {
    /// No value (NULL).
    Null = 0,
    /// A Boolean.
    Boolean = 1,
    /// A signed 64-bit integer.
    Integer = 2,
    /// A floating-point number.
    Double = 3,
    /// UTF-8 text.
    Text = 4,
    /// An address, or another unsigned 64-bit number.
    Address = 5,
    /// A point in time: microseconds since 1970-01-01 UTC.
    Timestamp = 6,
    /// A duration in microseconds.
    Interval = 7,
    /// A type without a member in this version of the interface; `dumpql_result_render` and the
    /// Arrow interfaces give its values.
    Other = 8,
}

impl dumpql_type {
    fn of(ty: Ty) -> Self {
        match ty {
            Ty::Null => Self::Null,
            Ty::Bool => Self::Boolean,
            Ty::Int => Self::Integer,
            Ty::Double => Self::Double,
            Ty::Text => Self::Text,
            Ty::Addr => Self::Address,
            Ty::Time => Self::Timestamp,
            Ty::Interval => Self::Interval,
            _ => Self::Other,
        }
    }
}

/// One value. `type` says which of the other members holds it; the rest are 0.
#[repr(C)]
pub struct dumpql_cell {
    /// The type of the value; `DUMPQL_TYPE_NULL` if there is none.
    pub r#type: dumpql_type,
    /// The value of a `BOOLEAN`.
    pub boolean: bool,
    /// The value of an `INTEGER`; the microseconds of a `TIMESTAMP` and of an `INTERVAL`.
    pub integer: i64,
    /// The value of an `ADDRESS`.
    pub address: u64,
    /// The value of a `DOUBLE`.
    pub number: f64,
    /// The bytes of a text, which belong to the result and do not end with a NUL.
    pub text: *const c_char,
    /// The number of bytes of the text.
    pub length: usize,
}

impl dumpql_cell {
    fn of(value: &Value<'_>) -> Self {
        let mut cell = Self {
            r#type: dumpql_type::of(value.ty()),
            boolean: false,
            integer: 0,
            address: 0,
            number: 0.0,
            text: std::ptr::null(),
            length: 0,
        };
        match value {
            Value::Bool(value) => cell.boolean = *value,
            Value::Int(value) | Value::Time(value) | Value::Interval(value) => {
                cell.integer = *value;
            }
            Value::Double(value) => cell.number = *value,
            Value::Addr(value) => cell.address = *value,
            // Only borrowed text lives as long as the result.
            Value::Text(std::borrow::Cow::Borrowed(value)) => {
                cell.text = value.as_ptr().cast();
                cell.length = value.len();
            }
            Value::Null => {}
            _ => cell.r#type = dumpql_type::Other,
        }
        cell
    }
}

/// Why values of a column of a table were absent, and how often.
#[repr(C)]
pub struct dumpql_footnote {
    /// The table that was read. The text belongs to the result.
    pub table: *const c_char,
    /// Its column. The text belongs to the result.
    pub column: *const c_char,
    /// The reason: `not in dump`, `paged out`, `demand zero`, `unreadable` or `no symbols`. The text
    /// belongs to the result.
    pub reason: *const c_char,
    /// The number of rows.
    pub count: usize,
}

/// A property of a result; `otherwise` if the result is NULL.
///
/// # Safety
/// `result` is NULL or a live result.
unsafe fn of<T>(
    result: *const dumpql_result,
    otherwise: T,
    get: impl FnOnce(&dumpql_result) -> Option<T>,
) -> T {
    // SAFETY: the caller's promise.
    quiet(otherwise, || get(unsafe { result.as_ref() }?))
}

/// The number of rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_rows(result: *const dumpql_result) -> usize {
    // SAFETY: the header requires NULL or a live result, as do the functions below.
    unsafe { of(result, 0, |result| Some(result.rows.len())) }
}

/// The number of columns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_columns(result: *const dumpql_result) -> usize {
    // SAFETY: as with `dumpql_result_rows`.
    unsafe { of(result, 0, |result| Some(result.names.len())) }
}

/// The name of a column as selected, which need not be unique; NULL if `column` is beyond the last
/// one. The text belongs to the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_column_name(
    result: *const dumpql_result,
    column: usize,
) -> *const c_char {
    let name = |result: &dumpql_result| result.names.get(column).map(|name| name.as_ptr());
    // SAFETY: as with `dumpql_result_rows`.
    unsafe { of(result, std::ptr::null(), name) }
}

/// The type of a column; `DUMPQL_TYPE_NULL` beyond the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_column_type(
    result: *const dumpql_result,
    column: usize,
) -> dumpql_type {
    let ty = |result: &dumpql_result| Some(dumpql_type::of(result.rows.fields().get(column)?.ty));
    // SAFETY: as with `dumpql_result_rows`.
    unsafe { of(result, dumpql_type::Null, ty) }
}

/// The name of a column's type as SQL writes it, such as `ADDRESS`; NULL beyond the last column. The
/// text belongs to the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_column_type_name(
    result: *const dumpql_result,
    column: usize,
) -> *const c_char {
    let name = |result: &dumpql_result| result.types.get(column).map(|name| name.as_ptr());
    // SAFETY: as with `dumpql_result_rows`.
    unsafe { of(result, std::ptr::null(), name) }
}

/// One value; NULL (`DUMPQL_TYPE_NULL`) beyond the last row or column. Returns false, and sets
/// nothing, if an argument is NULL. For the reason of an absent value, select `why(column)`; for
/// the reasons in a whole column, see `dumpql_result_footnote`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_cell(
    result: *const dumpql_result,
    row: usize,
    column: usize,
    cell: *mut dumpql_cell,
) -> bool {
    let get = |result: &dumpql_result| {
        let found = dumpql_cell::of(&result.rows.value(row, column));
        // SAFETY: the header requires NULL or a place to write to.
        *unsafe { cell.as_mut() }? = found;
        Some(true)
    };
    // SAFETY: as with `dumpql_result_rows`.
    unsafe { of(result, false, get) }
}

/// One value as text, in the form of every output: addresses in hexadecimal at the dump's pointer
/// width, times in UTC; empty for NULL and beyond the last row or column. A NUL in the text is
/// replaced by its symbol. Free it with `dumpql_string_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_render(
    result: *const dumpql_result,
    row: usize,
    column: usize,
) -> *mut c_char {
    let text = |result: &dumpql_result| Some(c_text(&result.rows.text(row, column)).into_raw());
    // SAFETY: as with `dumpql_result_rows`.
    unsafe { of(result, std::ptr::null_mut(), text) }
}

/// Values that are absent in the tables of the query, with the reason; values that do not apply to
/// a row are not counted. Returns false, and sets nothing, once `index` is beyond the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_footnote(
    result: *const dumpql_result,
    index: usize,
    footnote: *mut dumpql_footnote,
) -> bool {
    let get = |result: &dumpql_result| {
        let [table, column, reason] = result.footnotes.get(index)?;
        let count = result.rows.footnotes().get(index)?.count;
        let (table, column, reason) = (table.as_ptr(), column.as_ptr(), reason.as_ptr());
        // SAFETY: the header requires NULL or a place to write to.
        *unsafe { footnote.as_mut() }? = dumpql_footnote { table, column, reason, count };
        Some(true)
    };
    // SAFETY: as with `dumpql_result_rows`.
    unsafe { of(result, false, get) }
}

/// Frees a result. Arrow data that was exported from it stays valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_free(result: *mut dumpql_result) {
    // SAFETY: the header requires NULL or a result that nobody uses any more.
    unsafe { free(result) };
}
