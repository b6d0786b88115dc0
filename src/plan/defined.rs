//! Definitions made by statements of a session: views, macros, variables. A set of definitions is
//! immutable; a statement makes a new one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::Value;
use crate::lang::ast::walk::{self, Visit};
use crate::lang::ast::{Expr, ExprKind, Ident, MacroBody, Query};

/// A view.
#[derive(Debug)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Names for its columns.
    pub columns: Vec<Ident>,
    /// Its rows.
    pub query: Query,
}

/// A macro.
#[derive(Debug)]
pub struct Macro {
    /// Its name.
    pub name: String,
    /// Its parameters with their default values.
    pub parameters: Vec<(Ident, Option<Expr>)>,
    /// What a call expands to.
    pub body: MacroBody,
}

/// All definitions of a session; names match in any ASCII case.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    views: BTreeMap<String, Arc<View>>,
    macros: BTreeMap<String, Arc<Macro>>,
    variables: BTreeMap<String, Value<'static>>,
}

impl Definitions {
    /// The view of that name.
    pub fn view(&self, name: &str) -> Option<&Arc<View>> {
        self.views.get(&name.to_ascii_lowercase())
    }

    /// The macro of that name.
    pub fn macro_of(&self, name: &str) -> Option<&Arc<Macro>> {
        self.macros.get(&name.to_ascii_lowercase())
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&Value<'static>> {
        self.variables.get(&name.to_ascii_lowercase())
    }

    /// The names of all macros.
    pub fn macro_names(&self) -> impl Iterator<Item = &str> {
        self.macros.values().map(|known| known.name.as_str())
    }

    /// The names of all variables.
    pub fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Adds a view, or replaces the one with its name.
    pub fn put_view(&mut self, view: View) {
        self.views.insert(view.name.to_ascii_lowercase(), Arc::new(view));
    }

    /// Adds a view that other definitions share.
    pub fn share_view(&mut self, view: Arc<View>) {
        self.views.insert(view.name.to_ascii_lowercase(), view);
    }

    /// Adds a macro, or replaces the one with its name.
    pub fn put_macro(&mut self, new: Macro) {
        self.macros.insert(new.name.to_ascii_lowercase(), Arc::new(new));
    }

    /// Sets a variable.
    pub fn put_variable(&mut self, name: &str, value: Value<'static>) {
        self.variables.insert(name.to_ascii_lowercase(), value);
    }

    /// Removes a view; returns whether it existed.
    pub fn remove_view(&mut self, name: &str) -> bool {
        self.views.remove(&name.to_ascii_lowercase()).is_some()
    }

    /// Removes a macro; returns whether it existed.
    pub fn remove_macro(&mut self, name: &str) -> bool {
        self.macros.remove(&name.to_ascii_lowercase()).is_some()
    }

    /// Removes a variable; returns whether it existed.
    pub fn remove_variable(&mut self, name: &str) -> bool {
        self.variables.remove(&name.to_ascii_lowercase()).is_some()
    }
}

impl Macro {
    /// Whether the macro calls itself, which would never end.
    pub fn calls_itself(&self) -> bool {
        let mut body = match &self.body {
            MacroBody::Scalar(body) => Expr::clone(body),
            MacroBody::Table(_) => return false,
        };
        let mut calls = Calls { name: &self.name, found: false };
        walk::expr(&mut calls, &mut body);
        calls.found
    }
}

struct Calls<'a> {
    name: &'a str,
    found: bool,
}

impl Visit for Calls<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        if let ExprKind::Call(call) = &expr.kind {
            self.found |= call.name.text.eq_ignore_ascii_case(self.name);
        }
    }
}
