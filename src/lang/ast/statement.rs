//! Statements that change the state of a session, or write a file.

use super::{CallArgument, Expr, Ident, Query};

/// `CREATE …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    /// The new name.
    pub name: Ident,
    /// What happens if the name exists.
    pub mode: CreateMode,
    /// Whether `TEMP` was written; everything that is created lasts as long as the session.
    pub temporary: bool,
    /// The object to create.
    pub what: Created,
}

/// What `CREATE` does if the name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateMode {
    /// It is an error.
    New,
    /// `OR REPLACE`.
    OrReplace,
    /// `IF NOT EXISTS`.
    IfNotExists,
}

/// What `CREATE` creates.
#[derive(Debug, Clone, PartialEq)]
pub enum Created {
    /// `VIEW name [(columns)] AS query`.
    View {
        /// Names for the columns.
        columns: Vec<Ident>,
        /// The query.
        query: Box<Query>,
    },
    /// `TABLE name [(columns)] AS query`.
    Table {
        /// Names for the columns.
        columns: Vec<Ident>,
        /// The query.
        query: Box<Query>,
    },
    /// `MACRO name(parameters) AS …`.
    Macro {
        /// The parameters with their default values.
        parameters: Vec<(Ident, Option<Expr>)>,
        /// What a call expands to.
        body: MacroBody,
    },
}

/// What a call of a macro expands to.
#[derive(Debug, Clone, PartialEq)]
pub enum MacroBody {
    /// A value.
    Scalar(Box<Expr>),
    /// `AS TABLE query`: rows.
    Table(Box<Query>),
}

/// What `DROP` removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// A view.
    View,
    /// A table that a statement or the host program made.
    Table,
    /// A macro.
    Macro,
}

/// A statement that the session itself runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `CREATE …`.
    Create(Create),
    /// `DROP kind [IF EXISTS] name`.
    Drop {
        /// The kind of object.
        what: Dropped,
        /// Its name.
        name: Ident,
        /// Whether `IF EXISTS` was given.
        if_exists: bool,
    },
    /// `SET name = value`.
    Set {
        /// The setting.
        name: Ident,
        /// The value; a word such as `on` is a text.
        value: Expr,
    },
    /// `RESET name`, or `RESET ALL`.
    Reset(Option<Ident>),
    /// `SET VARIABLE name = value`.
    SetVariable {
        /// The variable.
        name: Ident,
        /// The value.
        value: Expr,
    },
    /// `RESET VARIABLE name`.
    ResetVariable(Ident),
    /// `PREPARE name AS query`.
    Prepare {
        /// The name.
        name: Ident,
        /// The query.
        query: Box<Query>,
    },
    /// `EXECUTE name(values)`.
    Execute {
        /// The name.
        name: Ident,
        /// Values of the parameters.
        args: Vec<CallArgument>,
    },
    /// `DEALLOCATE name`.
    Deallocate(Ident),
    /// `COPY query TO 'file' (options)`.
    Copy {
        /// The rows.
        query: Box<Query>,
        /// The path as written.
        file: Ident,
        /// Options, by name; the value is text, or `true`, `false` or a word.
        options: Vec<(Ident, Option<Ident>)>,
    },
}
