//! Values of columns that a query may not want.

use crate::catalog::{Absent, Cell};
use crate::model::{ColumnId, Row, Want};

/// The value if the column is wanted; it is computed only then.
pub(crate) fn wanted<R: Row, T>(
    want: &Want<'_, R>,
    column: impl FnOnce(&R::Columns) -> ColumnId<R>,
    read: impl FnOnce() -> Cell<T>,
) -> Cell<T> {
    if want.has(column) { read() } else { Err(Absent::NotApplicable) }
}
