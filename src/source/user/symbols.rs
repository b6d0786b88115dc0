//! The names of addresses: which file has those of a module, and what is said of it.

use std::sync::Arc;

use super::UserDump;
use super::modules::Span;
use crate::catalog::Absent;
use crate::model::{Emit, NeededSymbol, Unanswered, Want};
use crate::symbol::{Names, Status};

impl UserDump {
    /// The names of a module, from the file that belongs to it.
    pub(super) fn names_in(&self, span: &Span) -> Option<Arc<dyn Names>> {
        self.symbols.names(span.pdb.as_ref()?)
    }

    /// The address of `module!symbol`, or of a module.
    pub(super) fn symbol_address(&self, symbol: &str) -> Option<u64> {
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

    /// What is known of the symbols of the module at a base, without asking a server.
    pub(super) fn symbol_status(&self, base: u64) -> String {
        self.module_map().find(base).map_or_else(|| "none".to_owned(), |span| self.said_of(span))
    }

    fn said_of(&self, span: &Span) -> String {
        let Some(id) = &span.pdb else {
            return "none: the dump does not name its PDB".to_owned();
        };
        let found = self.symbols.find(id);
        match (found.status, found.note) {
            (Status::None, Some(note)) => format!("none: {note}"),
            (status, _) => status.text().to_owned(),
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "what a reader of a table gives")]
    pub(super) fn each_needed(
        &self,
        want: &Want<'_, NeededSymbol>,
        emit: Emit<'_, NeededSymbol>,
    ) -> Result<(), Unanswered> {
        for span in self.module_map().iter() {
            let id = span.pdb.as_ref().ok_or(Absent::NotInDump);
            let found =
                id.ok().filter(|_| want.has(|c| c.found_at)).map(|id| self.symbols.find(id));
            let at = found.and_then(|found| found.at).ok_or(Absent::NoSymbols);
            let file = span.file_name.as_deref().map_err(|e| *e);
            let row = NeededSymbol {
                module: file.map(|file| self.module_name(file).to_owned()),
                base: Ok(span.base),
                pdb: id.map(|id| id.name.clone()),
                guid: id.map(|id| id.guid.clone()),
                age: id.map(|id| id.age.into()),
                found_at: at.map(|path| path.display().to_string()),
                status: Ok(self.said_of(span)),
                ..NeededSymbol::default()
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }
}
