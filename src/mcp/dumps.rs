//! The open dumps, by their ids.

use std::sync::{Arc, Mutex, PoisonError};

use super::text;
use crate::diag::{Code, Diagnostic};
use crate::session::{Error, Session};

/// The maximum number of open sessions.
const MOST: usize = 32;

/// One session: a dump, or several that are queried together.
#[derive(Debug)]
pub(super) struct Dump {
    pub(super) id: String,
    pub(super) session: Session,
}

impl Dump {
    /// The id and the names of the files, for the start of answers.
    pub(super) fn title(&self) -> String {
        let names = self.session.source_names();
        let names: Vec<String> = names.iter().map(|name| text::label(name)).collect();
        format!("{} = {}", self.id, names.join(", "))
    }
}

/// All open dumps.
#[derive(Debug, Default)]
pub(super) struct Dumps(Mutex<(u64, Vec<Arc<Dump>>)>);

impl Dumps {
    /// Adds a session with a new id.
    pub(super) fn add(&self, session: Session) -> Result<Arc<Dump>, Error> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, open) = &mut *guard;
        if open.len() >= MOST {
            let message = format!("{MOST} dumps are open, which is the most there can be");
            return Err(Diagnostic::new(Code::Limit, message).help("close one of them").into());
        }
        *next += 1;
        let dump = Arc::new(Dump { id: format!("d{next}"), session });
        open.push(Arc::clone(&dump));
        Ok(dump)
    }

    /// The dump with that id; without an id, the only open one.
    pub(super) fn find(&self, id: Option<&str>) -> Result<Arc<Dump>, Error> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = &guard.1;
        let found = match (id, open.as_slice()) {
            (Some(id), _) => open.iter().find(|dump| dump.id.eq_ignore_ascii_case(id.trim())),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        found.cloned().ok_or_else(|| {
            let titles: Vec<String> = open.iter().map(|dump| dump.title()).collect();
            let message = match id {
                _ if open.is_empty() => "no dump is open".to_owned(),
                Some(id) => format!("no dump has the id `{}`", text::name(id)),
                None => "several dumps are open: the argument `dump` says which".to_owned(),
            };
            let error = Diagnostic::new(Code::NoSource, message);
            let help = if titles.is_empty() {
                "call open with the path of a dump; without arguments it lists files".to_owned()
            } else {
                format!("open: {}", titles.join("; "))
            };
            error.help(help).into()
        })
    }

    /// The ids and names of all open dumps.
    pub(super) fn titles(&self) -> Vec<String> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.iter().map(|dump| dump.title()).collect()
    }

    /// Closes a dump.
    pub(super) fn close(&self, id: &str) -> Result<Arc<Dump>, Error> {
        let dump = self.find(Some(id))?;
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1.retain(|other| other.id != dump.id);
        Ok(dump)
    }
}
