//! Rows: a plain struct, its table, and a typed id for each column.
//!
//! The macro [`row!`](crate::row) declares all three at once, so that a column's field, id and name
//! cannot differ. This module knows neither how a table shows a row nor where rows come from.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::catalog::{Absent, Cell};

/// A field that does not apply.
pub const fn none<T>() -> Cell<T> {
    Err(Absent::NotApplicable)
}

/// The position of a row in a debugger log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// Number of the line, from 1.
    pub line: u64,
    /// The command in whose output it is.
    pub command: Arc<str>,
    /// Number of the debugged target at that line, from 1.
    pub target: u32,
}

/// A row of a table. Sources answer by row type, and each row type has one table.
pub trait Row: Sized + 'static {
    /// The ids of the columns, one field each.
    type Columns: 'static;

    /// The name of the table.
    const TABLE: &'static str;

    /// The ids of the columns.
    const COLUMNS: &'static Self::Columns;

    /// Its position in a debugger log; `None` for rows of dumps.
    fn log_place(&self) -> Option<&LogPlace> {
        None
    }

    /// Sets its position in a debugger log.
    fn set_log_place(&mut self, _place: LogPlace) {}
}

/// The ids of the columns of rows `R`.
pub type ColumnsOf<R> = <R as Row>::Columns;

/// A function that names a column of rows `R`: `|c| c.tid`.
pub type OfRow<R> = fn(&ColumnsOf<R>) -> ColumnId<R>;

/// A column of the table of rows `R`.
pub struct ColumnId<R> {
    index: u8,
    name: &'static str,
    row: PhantomData<fn() -> R>,
}

impl<R> ColumnId<R> {
    /// How many columns a row can have.
    pub const MOST: u8 = 128;

    /// The column of an index that no other column of the row has.
    ///
    /// # Panics
    /// When compiled, from index 128.
    #[must_use]
    pub const fn new(index: u8, name: &'static str) -> Self {
        assert!(index < Self::MOST, "a row has at most 128 columns");
        Self { index, name, row: PhantomData }
    }

    /// The column's name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The column as a set.
    pub(super) const fn bit(self) -> u128 {
        1 << self.index
    }
}

impl<R> Clone for ColumnId<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for ColumnId<R> {}

impl<R> PartialEq for ColumnId<R> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl<R> Eq for ColumnId<R> {}

impl<R> fmt::Debug for ColumnId<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ColumnId").field(&self.name).finish()
    }
}

/// Declares a row: a struct whose fields are all [`Cell`](crate::extend::Cell)s, with a `Default` of
/// "not applicable", and its [`Row`](crate::extend::Row) with an id for each column.
///
/// ```
/// dumpql::row! {
///     /// A service of the system.
///     pub Service in "services" {
///         /// Its name.
///         name: String,
///         /// Its type; the column is called `type`.
///         kind as "type": String,
///     }
/// }
///
/// use dumpql::extend::Row as _;
/// assert_eq!(Service::COLUMNS.kind.name(), "type");
/// assert!(Service::default().name.is_err());
/// ```
#[macro_export]
macro_rules! row {
    (
        $(#[$meta:meta])* $vis:vis $name:ident in $table:literal {
            $($(#[$field_meta:meta])* $field:ident $(as $column:literal)? : $ty:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        $vis struct $name {
            $($(#[$field_meta])* pub $field: $crate::internals::catalog::Cell<$ty>,)*
            /// The position in the log, for rows of a debugger log.
            pub log: ::core::option::Option<$crate::internals::model::LogPlace>,
        }

        impl $name {
            /// Fills the missing values of this row from another row of the same object.
            #[allow(dead_code, reason = "not every row is put together from several")]
            $vis fn complete_with(&mut self, other: Self) {
                $(if self.$field.is_err() && other.$field.is_ok() {
                    self.$field = other.$field;
                })*
            }
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::internals::model::none(),)* log: ::core::option::Option::None }
            }
        }

        const _: () = {
            #[allow(non_camel_case_types, reason = "a variant has the name of a field")]
            #[repr(u8)]
            enum Index { $($field,)* }

            #[doc = concat!("The columns of [`", stringify!($name), "`].")]
            #[derive(Debug)]
            #[allow(unreachable_pub, reason = "it is reached through the trait")]
            pub struct Columns {
                $($(#[$field_meta])* pub $field: $crate::internals::model::ColumnId<$name>,)*
            }

            impl $crate::internals::model::Row for $name {
                type Columns = Columns;
                const TABLE: &'static str = $table;
                const COLUMNS: &'static Columns = &Columns {
                    $($field: $crate::internals::model::ColumnId::new(
                        Index::$field as u8,
                        $crate::row!(@name $field $($column)?),
                    ),)*
                };

                fn log_place(&self) -> ::core::option::Option<&$crate::internals::model::LogPlace> {
                    self.log.as_ref()
                }

                fn set_log_place(&mut self, place: $crate::internals::model::LogPlace) {
                    self.log = ::core::option::Option::Some(place);
                }
            }
        };
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $column:literal) => { $column };
}
