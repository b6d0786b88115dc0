//! Symbols of addresses: which file has the symbols of a module, and what is reported about it.

use std::sync::Arc;

use super::Core;
use super::modules::Span;
use crate::symbol::{Names, Status};

impl Core {
    /// The symbols of a module, from its symbol file.
    pub(crate) fn names_in(&self, span: &Span) -> Option<Arc<dyn Names>> {
        self.symbols.names(span.pdb.as_ref()?)
    }

    /// The address of `module!symbol`, or of a module.
    pub(crate) fn symbol_address(&self, symbol: &str) -> Option<u64> {
        let (module, name) = match symbol.split_once('!') {
            Some((module, name)) => (module, Some(name)),
            None => (symbol, None),
        };
        let mut spans = self.module_map().iter().filter(|span| {
            let file = span.file_name.as_deref();
            file.is_ok_and(|file| self.module_name(file).eq_ignore_ascii_case(module))
        });
        match name {
            Some(name) => {
                spans.find_map(|span| span.base.checked_add(self.names_in(span)?.address(name)?))
            }
            None => spans.next().map(|span| span.base),
        }
    }

    /// What is known about the symbols of the module at a base, without asking a symbol server.
    pub(crate) fn symbol_status(&self, base: u64) -> String {
        self.module_map().find(base).map_or_else(|| "none".to_owned(), |span| self.said_of(span))
    }

    pub(crate) fn said_of(&self, span: &Span) -> String {
        let Some(id) = &span.pdb else {
            return "none: the dump does not name its PDB".to_owned();
        };
        let found = self.symbols.find(id);
        match (found.status, found.note) {
            (Status::None, Some(note)) => format!("none: {note}"),
            (status, _) => status.text().to_owned(),
        }
    }
}
