//! Values that a query may not ask for.

use crate::catalog::{Absent, Cell};
use crate::model::{ColumnId, Row, Want};

/// The value if the column is wanted; what nobody asked for costs nothing.
pub(crate) fn wanted<R: Row, T>(
    want: &Want<'_, R>,
    column: impl FnOnce(&R::Columns) -> ColumnId<R>,
    read: impl FnOnce() -> Cell<T>,
) -> Cell<T> {
    if want.has(column) { read() } else { Err(Absent::NotApplicable) }
}
