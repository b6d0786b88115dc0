//! Minidumps of one process.

use crate::catalog::SourceKind;
use crate::dump::{Error, Image};
use crate::model::{CoverageRange, DumpInfo, Emit, Machine, Problem, Source, Unanswered, Want};
use crate::symbol::Store;

/// An open minidump.
#[derive(Debug)]
pub struct UserDump {
    image: Image,
}

/// Opens a minidump.
///
/// # Errors
/// [`Error::NotADump`] if the header or the stream directory is damaged beyond use.
pub fn open(image: Image, symbols: &Store) -> Result<UserDump, Error> {
    let _ = symbols;
    Ok(UserDump { image })
}

impl Source for UserDump {
    fn kind(&self) -> SourceKind {
        SourceKind::User
    }

    fn machine(&self) -> Machine {
        Machine::default()
    }

    fn dump(&self, _: &Want<'_>) -> Result<DumpInfo, Unanswered> {
        Ok(DumpInfo { path: Ok(self.image.path().to_owned()), ..DumpInfo::default() })
    }

    fn coverage(&self, _: &Want<'_>, _: Emit<'_, CoverageRange>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    fn problems(&self, _: Emit<'_, Problem>) {}
}
