//! Everything that queries can name, with its code: tables, functions, aggregates, table functions.
//!
//! The session assembles it from the built-in definitions and those of the host program; the engine
//! knows no other names.

use std::collections::BTreeMap;

use super::Aggregate;
use crate::catalog::{FunctionKind, FunctionSpec, Shared, intern_function};
use crate::func::{ScalarFunction, TableFunction};
use crate::table::Table;

/// Tables and functions by name, in the order in which they are listed.
#[derive(Default, Clone)]
pub struct Registry {
    tables: Vec<Shared<dyn Table>>,
    scalars: BTreeMap<&'static str, Shared<dyn ScalarFunction>>,
    aggregates: BTreeMap<&'static str, Shared<Aggregate>>,
    table_functions: BTreeMap<&'static str, Shared<TableFunction>>,
    functions: Vec<&'static FunctionSpec>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("tables", &self.tables.len())
            .field("functions", &self.functions.len())
            .finish_non_exhaustive()
    }
}

/// The error for a name that is already in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken(pub String);

impl Registry {
    /// All tables, in the order in which they are listed.
    pub fn tables(&self) -> impl Iterator<Item = &dyn Table> {
        self.tables.iter().map(|table| &**table)
    }

    /// The specifications of all functions, in the order in which they are listed.
    pub fn functions(&self) -> &[&'static FunctionSpec] {
        &self.functions
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&dyn Table> {
        self.tables().find(|table| table.name().eq_ignore_ascii_case(name))
    }

    /// The scalar function with that main name.
    pub fn scalar(&self, name: &str) -> Option<&dyn ScalarFunction> {
        self.scalars.get(name).map(|function| &**function)
    }

    /// The aggregate with that main name.
    pub fn aggregate(&self, name: &str) -> Option<&Aggregate> {
        self.aggregates.get(name).map(|function| &**function)
    }

    /// The table function with that main name.
    pub fn table_function(&self, name: &str) -> Option<&TableFunction> {
        self.table_functions.get(name).map(|function| &**function)
    }

    /// Adds a table.
    ///
    /// # Errors
    /// If a table already has its name.
    pub fn add_table(&mut self, table: Shared<dyn Table>) -> Result<(), Taken> {
        if self.table(table.name()).is_some() {
            return Err(Taken(table.name().to_owned()));
        }
        self.tables.push(table);
        Ok(())
    }

    /// Adds a scalar function.
    ///
    /// # Errors
    /// If a function already has one of its names.
    pub fn add_scalar(&mut self, function: Shared<dyn ScalarFunction>) -> Result<(), Taken> {
        let spec = self.add_spec(match &function {
            Shared::Static(function) => function.spec(),
            Shared::Owned(function) => intern_function(function.spec()),
        })?;
        self.scalars.insert(spec.name, function);
        Ok(())
    }

    /// Adds an aggregate.
    ///
    /// # Errors
    /// If a function already has one of its names.
    pub fn add_aggregate(&mut self, function: Shared<Aggregate>) -> Result<(), Taken> {
        let spec = self.add_spec(match &function {
            Shared::Static(function) => &function.spec,
            Shared::Owned(function) => intern_function(&function.spec),
        })?;
        self.aggregates.insert(spec.name, function);
        Ok(())
    }

    /// Adds a window function that the engine implements.
    ///
    /// # Errors
    /// If a function already has one of its names.
    pub fn add_window(&mut self, spec: &'static FunctionSpec) -> Result<(), Taken> {
        self.add_spec(spec).map(|_| ())
    }

    /// Adds a table function.
    ///
    /// # Errors
    /// If a function already has one of its names.
    pub fn add_table_function(&mut self, function: Shared<TableFunction>) -> Result<(), Taken> {
        let spec = self.add_spec(match &function {
            Shared::Static(function) => &function.spec,
            Shared::Owned(function) => intern_function(&function.spec),
        })?;
        self.table_functions.insert(spec.name, function);
        Ok(())
    }

    fn add_spec(&mut self, spec: &'static FunctionSpec) -> Result<&'static FunctionSpec, Taken> {
        let names = |f: &FunctionSpec| std::iter::once(f.name).chain(f.aliases.iter().copied());
        let is_taken = |name: &&str| {
            let same = |known: &str| known.eq_ignore_ascii_case(name);
            // Table functions can only be used in FROM, and other functions cannot, so the names do
            // not collide.
            let rows = |f: &FunctionSpec| f.kind == FunctionKind::Table;
            self.functions.iter().any(|f| rows(f) == rows(spec) && names(f).any(same))
        };
        if let Some(name) = names(spec).find(is_taken) {
            return Err(Taken(name.to_owned()));
        }
        self.functions.push(spec);
        Ok(spec)
    }
}
