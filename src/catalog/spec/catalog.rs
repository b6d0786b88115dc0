//! The tables, functions and settings that a query can name.

use std::collections::BTreeMap;

use super::{FunctionKind, FunctionSpec, TableSpec};

/// Everything that can be named in a query: the registry that planning, completion,
/// `meta.tables` and documentation read.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    tables: Vec<TableSpec>,
    functions: Vec<&'static FunctionSpec>,
    by_function: BTreeMap<&'static str, usize>,
    by_table_function: BTreeMap<&'static str, usize>,
    views: Vec<&'static str>,
    settings: Vec<Setting>,
}

/// A setting of a session, as `SET` changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value as text.
    pub value: String,
    /// The value that it has at first.
    pub default: String,
    /// What it is for.
    pub doc: &'static str,
}

impl Catalog {
    /// A catalog of the given tables and functions, in the order in which they are to be listed.
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

    /// Adds a table, in the place of the one of that name if there is one.
    pub fn put_table(&mut self, table: TableSpec) {
        let same = |t: &&mut TableSpec| t.name.eq_ignore_ascii_case(table.name);
        match self.tables.iter_mut().find(same) {
            Some(known) => *known = table,
            None => self.tables.push(table),
        }
    }

    /// Adds a view, which is a table that a query makes.
    pub fn put_view(&mut self, view: TableSpec) {
        self.views.push(view.name);
        self.put_table(view);
    }

    /// Whether the table of that name is a view.
    pub fn is_view(&self, name: &str) -> bool {
        self.views.iter().any(|view| view.eq_ignore_ascii_case(name))
    }

    /// Says what the settings are.
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

    /// The table of that name, in any ASCII case.
    pub fn table(&self, name: &str) -> Option<&TableSpec> {
        self.tables.iter().find(|t| t.name.eq_ignore_ascii_case(name))
    }

    /// The function of that name or alias, in any ASCII case. Of a table function and another of one
    /// name it is the other.
    pub fn function(&self, name: &str) -> Option<&'static FunctionSpec> {
        let lower = name.to_ascii_lowercase();
        let maps = [&self.by_function, &self.by_table_function];
        let index = maps.into_iter().find_map(|map| map.get(lower.as_str()));
        index.and_then(|&i| self.functions.get(i).copied())
    }

    /// The table function of that name or alias, in any ASCII case.
    pub fn table_function(&self, name: &str) -> Option<&'static FunctionSpec> {
        let lower = name.to_ascii_lowercase();
        self.by_table_function.get(lower.as_str()).and_then(|&i| self.functions.get(i).copied())
    }
}
