//! The text of a layout file, and what was parsed of it.
//!
//! This module knows where types, enumerations and symbols are in the text; the readers of the
//! formats parse them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use super::kept;
use super::layout::{Enum, Format, Type};
use super::names::TextNames;
use super::{isf, vtypes};
use crate::dump::cache::Kept;

/// A text file, and what was parsed of it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) held: Held,
    pub(super) head: Head,
    names: OnceLock<TextNames>,
    enums: OnceLock<HashMap<Box<str>, Enum>>,
}

/// The metadata of a file.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) format: Format,
    pub(super) arch: Option<&'static str>,
    /// Version and service pack of the system, as the file gives them.
    pub(super) version: Option<String>,
    pub(super) pdb: Option<(String, u32)>,
    pub(super) types: HashMap<Box<str>, Range<usize>>,
    pub(super) symbols: Option<Range<usize>>,
    pub(super) enums: Option<Range<usize>>,
}

/// Where a text is: in memory, or behind the tables of a cache entry.
#[derive(Debug)]
pub(super) enum Held {
    Own(String),
    Kept(Box<Kept>, kept::Places),
}

impl Held {
    /// A range of the text.
    pub(super) fn get(&self, range: Range<usize>) -> Option<&str> {
        match self {
            Self::Own(text) => text.get(range),
            Self::Kept(kept, places) => std::str::from_utf8(kept.get(places.text(range)?)?).ok(),
        }
    }

    /// The bytes of a range, for comparisons.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        let bytes = match self {
            Self::Own(text) => text.as_bytes().get(range),
            Self::Kept(kept, places) => places.text(range).and_then(|range| kept.get(range)),
        };
        bytes.unwrap_or_default()
    }
}

impl Text {
    pub(super) fn new(held: Held, head: Head) -> Self {
        Self { held, head, names: OnceLock::new(), enums: OnceLock::new() }
    }

    /// Parses the metadata of a file.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn parse(text: String) -> Result<Self, String> {
        let head = match vtypes::head(&text) {
            Some(head) => head,
            None => isf::head(&text)?,
        };
        if head.types.is_empty() {
            return Err("a layout file without a single type".to_owned());
        }
        Ok(Self::new(Held::Own(text), head))
    }

    /// Whether the file has symbols.
    pub(super) fn has_symbols(&self) -> bool {
        match &self.held {
            Held::Own(_) => self.head.symbols.as_ref().is_some_and(|range| range.len() > 2),
            Held::Kept(_, places) => places.has_symbols(),
        }
    }

    pub(super) fn names(&self) -> &TextNames {
        self.names.get_or_init(|| match &self.held {
            Held::Own(text) => {
                let raw = self.part(self.head.symbols.as_ref());
                TextNames::read(text, raw, self.head.arch == Some("x86"))
            }
            Held::Kept(kept, places) => places.names(kept),
        })
    }

    pub(super) fn enums(&self) -> &HashMap<Box<str>, Enum> {
        self.enums.get_or_init(|| isf::read_enums(self.part(self.head.enums.as_ref())))
    }

    pub(super) fn read_type(&self, name: &str) -> Option<Type> {
        let raw = self.held.get(self.head.types.get(name)?.clone())?;
        match self.head.format {
            Format::Isf => isf::read_type(raw),
            Format::Vtypes => vtypes::read_type(raw),
            Format::Pdb => None,
        }
    }

    fn part(&self, range: Option<&Range<usize>>) -> &str {
        range.and_then(|range| self.held.get(range.clone())).unwrap_or("{}")
    }
}

/// The range of a part that was borrowed from the text.
pub(super) fn range_in(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let range = start..start.checked_add(part.len())?;
    (text.get(range.clone()) == Some(part)).then_some(range)
}
