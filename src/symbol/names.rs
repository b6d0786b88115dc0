//! Symbols of an image, by name and by address.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer as _, MapAccess, Visitor};

use super::demangle;
use super::text::{Held, range_in};

/// The symbols of one image. Addresses are offsets from the image's base.
pub trait Names: Send + Sync + fmt::Debug {
    /// The symbol at or before an address as debuggers show it, and the offset of the address from
    /// it.
    fn nearest(&self, rva: u64) -> Option<(String, u64)>;

    /// The address of the symbol with this name.
    fn address(&self, name: &str) -> Option<u64>;

    /// Source file and line of the code at an address.
    fn line(&self, _rva: u64) -> Option<(String, u32)> {
        None
    }
}

/// A symbol name, as a range of the text that it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) address: u64,
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Symbol {
    pub(super) const fn range(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start.saturating_add(self.len as usize)
    }
}

/// The symbols in a text.
#[derive(Debug, Default)]
pub(super) struct TextNames {
    /// The displayed symbols in address order, followed by the others.
    symbols: Vec<Symbol>,
    shown: usize,
    /// Indexes into `symbols`, in name order.
    by_name: Vec<u32>,
}

#[derive(serde::Deserialize)]
struct Described {
    address: u64,
}

impl TextNames {
    /// Parses the object `symbols` of an ISF file. On x86, names are decorated with calling
    /// conventions, which debuggers do not show.
    pub(super) fn read(text: &str, raw: &str, is_decorated: bool) -> Self {
        let mut reader = serde_json::Deserializer::from_str(raw);
        let pairs = reader.deserialize_map(Pairs).unwrap_or_default();
        let place = |(name, address): (&str, u64)| {
            let name = if is_decorated { demangle::without_marks(name) } else { name };
            let range = range_in(text, name)?;
            let (start, len) = (u32::try_from(range.start).ok()?, u32::try_from(name.len()).ok()?);
            Some(Symbol { address, start, len })
        };
        let mut symbols: Vec<_> = pairs.into_iter().filter_map(place).collect();
        let name = |symbol: &Symbol| text.get(symbol.range()).unwrap_or_default();
        // Of several names for one address the undecorated one is last, which is the one that is
        // shown.
        symbols.sort_by(|a, b| {
            let hidden = |symbol: &Symbol| name(symbol).starts_with("$$");
            let plain = |symbol: &Symbol| !name(symbol).starts_with(['?', '_', '$']);
            let order = hidden(a).cmp(&hidden(b)).then(a.address.cmp(&b.address));
            order.then_with(|| plain(a).cmp(&plain(b))).then_with(|| name(b).cmp(name(a)))
        });
        let shown = symbols.partition_point(|symbol| !name(symbol).starts_with("$$"));
        let mut by_name: Vec<(&str, u64, u32)> = symbols
            .iter()
            .zip(0..)
            .map(|(symbol, at)| (name(symbol), symbol.address, at))
            .collect();
        by_name.sort_unstable();
        let by_name = by_name.into_iter().map(|(.., at)| at).collect();
        Self { symbols, shown, by_name }
    }

    /// Symbols that are already sorted.
    pub(super) const fn sorted(symbols: Vec<Symbol>, shown: usize, by_name: Vec<u32>) -> Self {
        Self { symbols, shown, by_name }
    }

    /// The displayed symbols in address order, followed by the others.
    pub(super) fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// How many are displayed.
    pub(super) const fn shown(&self) -> usize {
        self.shown
    }

    /// Indexes into the symbols, in name order.
    pub(super) fn by_name(&self) -> &[u32] {
        &self.by_name
    }

    pub(super) fn find(&self, held: &Held, name: &str) -> Option<u64> {
        let symbol = |at: &u32| self.symbols.get(*at as usize);
        let of = |at: &u32| symbol(at).map_or(&[][..], |symbol| held.bytes(symbol.range()));
        let at = self.by_name.partition_point(|at| of(at) < name.as_bytes());
        let at = self.by_name.get(at)?;
        (of(at) == name.as_bytes()).then(|| symbol(at).map(|symbol| symbol.address))?
    }

    pub(super) fn nearest<'a>(&self, held: &'a Held, address: u64) -> Option<(&'a str, u64)> {
        let shown = self.symbols.get(..self.shown)?;
        let next = shown.partition_point(|symbol| symbol.address <= address);
        let symbol = shown.get(next.checked_sub(1)?)?;
        // Cached tables may be invalid, which must not cause a failure.
        Some((held.get(symbol.range())?, address.checked_sub(symbol.address)?))
    }
}

/// Collects the pairs of a JSON object without building a map; entries of another form are skipped.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(&'de str, u64)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of symbols")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let symbol: Described = map.next_value()?;
            if let Cow::Borrowed(name) = name.0 {
                pairs.push((name, symbol.address));
            }
        }
        Ok(pairs)
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_undecorated_name_is_preferred() {
        let text = r#"{"?x@@3HA": {"address": 16}, "b": {"address": 16}, "a": {"address": 16},
            "$$1": {"address": 20}}"#;
        let of = |raw: &str| {
            let held = Held::Own(text.to_owned());
            let Held::Own(own) = &held else { unreachable!() };
            let raw = if raw.is_empty() { own } else { raw };
            (TextNames::read(own, raw, false), held)
        };
        let (names, held) = of("");
        assert_eq!(names.nearest(&held, 21), Some(("a", 5)));
        assert_eq!(names.find(&held, "?x@@3HA"), Some(16));
        assert_eq!(names.find(&held, "$$1"), Some(20));
        assert_eq!(names.find(&held, "c"), None);
        let (none, held) = of("[]");
        assert_eq!(none.nearest(&held, 99), None);
    }
}
