//! The tables, functions and settings that a query can name.

use std::collections::BTreeMap;

use super::{FunctionKind, FunctionSpec, TableSpec};

/// All names that a query can use. Planning, completion, `meta.tables` and documentation read the
/// catalog.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    tables: Vec<TableSpec>,
    functions: Vec<&'static FunctionSpec>,
    by_function: BTreeMap<&'static str, usize>,
    by_table_function: BTreeMap<&'static str, usize>,
    views: Vec<&'static str>,
    settings: Vec<Setting>,
}

/// A setting of a session, which `SET` changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value as text.
    pub value: String,
    /// The initial value.
    pub default: String,
    /// Its purpose.
    pub doc: &'static str,
}

impl Catalog {
    /// A catalog with these tables and functions, in the order in which they are listed.
    pub fn new(tables: Vec<TableSpec>, functions: Vec<&'static FunctionSpec>) -> Self {
        let (mut by_function, mut by_table_function) = (BTreeMap::new(), BTreeMap::new());
        for (index, function) in functions.iter().enumerate() {
            let rows = function.kind == FunctionKind::Table;
            let by_name = if rows { &mut by_table_function } else { &mut by_function };
            for name in std::iter::once(&function.name).chain(function.aliases) {
                by_name.entry(*name).or_insert(index);
            }
        }
        let (views, settings) = (Vec::new(), Vec::new());
        Self { tables, functions, by_function, by_table_function, views, settings }
    }

    /// Adds a table, or replaces the one with that name.
    pub fn put_table(&mut self, table: TableSpec) {
        let same = |t: &&mut TableSpec| t.name.eq_ignore_ascii_case(table.name);
        match self.tables.iter_mut().find(same) {
            Some(known) => *known = table,
            None => self.tables.push(table),
        }
    }

    /// Adds a view.
    pub fn put_view(&mut self, view: TableSpec) {
        self.views.push(view.name);
        self.put_table(view);
    }

    /// Whether the table with that name is a view.
    pub fn is_view(&self, name: &str) -> bool {
        self.views.iter().any(|view| view.eq_ignore_ascii_case(name))
    }

    /// Sets the list of settings.
    pub fn put_settings(&mut self, settings: Vec<Setting>) {
        self.settings = settings;
    }

    /// The settings of the session.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// All tables.
    pub fn tables(&self) -> &[TableSpec] {
        &self.tables
    }

    /// All functions.
    pub fn functions(&self) -> &[&'static FunctionSpec] {
        &self.functions
    }

    /// The table with that name, ignoring ASCII case.
    pub fn table(&self, name: &str) -> Option<&TableSpec> {
        self.tables.iter().find(|t| t.name.eq_ignore_ascii_case(name))
    }

    /// The function with that name or alias, ignoring ASCII case. If a table function and another
    /// function have the same name, it is the other one.
    pub fn function(&self, name: &str) -> Option<&'static FunctionSpec> {
        let lower = name.to_ascii_lowercase();
        let maps = [&self.by_function, &self.by_table_function];
        let index = maps.into_iter().find_map(|map| map.get(lower.as_str()));
        index.and_then(|&i| self.functions.get(i).copied())
    }

    /// The table function with that name or alias, ignoring ASCII case.
    pub fn table_function(&self, name: &str) -> Option<&'static FunctionSpec> {
        let lower = name.to_ascii_lowercase();
        self.by_table_function.get(lower.as_str()).and_then(|&i| self.functions.get(i).copied())
    }
}
