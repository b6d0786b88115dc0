//! Symbols from the export table of an image, for modules without other symbols.

use super::demangle;
use super::names::Names;

/// The exports of an image by offset.
#[derive(Debug, Default)]
pub struct ExportNames(Vec<(u32, String)>);

impl ExportNames {
    /// Takes the exports as [`super::image::Image::exports`] gives them.
    pub fn new(mut exports: Vec<(u32, String)>) -> Self {
        exports.sort();
        Self(exports)
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Names for ExportNames {
    fn nearest(&self, rva: u64) -> Option<(String, u64)> {
        let next = self.0.partition_point(|(at, _)| u64::from(*at) <= rva);
        let (at, name) = self.0.get(next.checked_sub(1)?)?;
        Some((demangle::shown(name).into_owned(), rva.checked_sub((*at).into())?))
    }

    fn address(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|(_, known)| known == name).map(|(at, _)| u64::from(*at))
    }
}
