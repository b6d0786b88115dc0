//! Pure data that every stage uses: types, values, reasons for absence, and the specifications of
//! tables and functions.
//!
//! This module knows nothing of dumps, queries or polars, and imports only the module `time`.

mod absent;
mod batch;
mod blob;
mod call;
mod decimal;
mod hint;
mod intern;
mod json;
pub mod names;
mod nested;
mod parse;
mod parse_nested;
mod physical;
mod render;
mod shared;
mod spec;
mod ty;
mod type_name;
mod value;

pub use absent::{Absent, Cell};
pub use batch::{Batch, ColumnBuilder, ColumnData, Data};
pub use blob::Blob;
pub use call::{CallColumn, CallError, TableFunctions};
pub use decimal::DecimalTy;
pub use hint::{Hint, HintOp};
pub use intern::{intern, intern_function};
pub use json::append_json_text;
pub(crate) use nested::ListBuilder;
pub use nested::{Nested, Values};
pub(crate) use physical::Physical;
pub use render::{Format, PointerWidth};
pub use shared::Shared;
pub use spec::{
    Catalog, ColumnSpec, Example, FunctionKind, FunctionSpec, Kinds, OfNoRows, Setting, Signature,
    SourceKind, TableSpec, Unit,
};
pub use ty::{IntRange, ListTy, MapTy, StructTy, Ty};
pub use value::Value;
