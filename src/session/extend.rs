//! Definitions that a host program adds to a session: tables, functions, sources.
//!
//! They are used like the built-in ones: queries can name them, `SHOW TABLES` and `meta.functions`
//! list them, and errors suggest them.

use std::sync::Arc;

use super::state::OpenSource;
use super::{Error, Session};
use crate::catalog::{FunctionKind, FunctionSpec, Shared, Value};
use crate::diag::{Code, Diagnostic};
use crate::dump::Health;
use crate::exec::{Accumulator, Aggregate, Registry, Taken};
use crate::func::{Fault, FuncCx, HostScalar, TableFunction};
use crate::model::Source;
use crate::table::Table;

/// The error for a name that is already in use.
fn taken(what: &str, name: &str) -> Diagnostic {
    Diagnostic::new(Code::BadQuery, format!("{what} is called `{name}` already"))
}

impl Session {
    /// Adds a table whose rows are computed when a query reads them.
    ///
    /// # Errors
    ///
    /// E0210 if a table already has its name.
    pub fn add_table(&self, table: impl Table + 'static) -> Result<(), Error> {
        let attached = self.state().attached.iter().any(|t| t.spec().name == table.name());
        if attached {
            return Err(taken("a table", table.name()).into());
        }
        self.register("a table", |registry| registry.add_table(Shared::Owned(Arc::new(table))))
    }

    /// Adds a scalar function: `eval` is called with one value per argument, converted to the types
    /// of the matching signature. Unless the specification says `takes_null`, no value is NULL.
    ///
    /// # Errors
    ///
    /// E0210 if a function already has one of its names, or the specification is not of a scalar
    /// function.
    pub fn add_scalar<F>(&self, spec: FunctionSpec, eval: F) -> Result<(), Error>
    where
        F: Fn(&FuncCx<'_>, &[Value<'_>]) -> Result<Value<'static>, Fault> + Send + Sync + 'static,
    {
        is_a(&spec, FunctionKind::Scalar)?;
        let function = Shared::Owned(Arc::new(HostScalar::new(spec, eval)) as Arc<_>);
        self.register("a function", |registry| registry.add_scalar(function))
    }

    /// Adds an aggregate function.
    ///
    /// # Errors
    ///
    /// E0210 if a function already has one of its names, or the specification is not of an
    /// aggregate.
    pub fn add_aggregate<A: Accumulator>(&self, spec: FunctionSpec) -> Result<(), Error> {
        is_a(&spec, FunctionKind::Aggregate)?;
        let function = Shared::Owned(Arc::new(Aggregate::of::<A>(spec)));
        self.register("a function", |registry| registry.add_aggregate(function))
    }

    /// Adds a table function.
    ///
    /// # Errors
    ///
    /// E0210 if a function already has one of its names.
    pub fn add_table_function(&self, function: TableFunction) -> Result<(), Error> {
        let function = Shared::Owned(Arc::new(function));
        self.register("a function", |registry| registry.add_table_function(function))
    }

    /// Adds a source to the open dumps; the column `dump` shows its name.
    ///
    /// # Errors
    ///
    /// E0210 if a source already has that name.
    pub fn add_source(&self, name: &str, source: impl Source + 'static) -> Result<(), Error> {
        let source = OpenSource {
            name: name.to_owned(),
            files: Vec::new(),
            origin: None,
            health: Health::default(),
            source: Box::new(source),
        };
        Ok(self.replace(|state| {
            if state.has_source(name) {
                return Err(taken("a source", name));
            }
            Ok(state.with_source(source))
        })?)
    }

    fn register(
        &self,
        what: &str,
        add: impl FnOnce(&mut Registry) -> Result<(), Taken>,
    ) -> Result<(), Error> {
        Ok(self.replace(|state| {
            let mut registry = Registry::clone(&state.registry);
            add(&mut registry).map_err(|Taken(name)| taken(what, &name))?;
            Ok(state.with_registry(registry))
        })?)
    }
}

fn is_a(spec: &FunctionSpec, kind: FunctionKind) -> Result<(), Error> {
    if spec.kind == kind {
        return Ok(());
    }
    let message = format!("`{}` is specified as another kind of function", spec.name);
    Err(Diagnostic::new(Code::BadQuery, message).into())
}
