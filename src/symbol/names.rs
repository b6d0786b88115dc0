//! Names of addresses in an image, by name and by address.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer as _, MapAccess, Visitor};

use super::demangle;
use super::layout::range_in;

/// Names of addresses in one image. Addresses are offsets from the image's base.
pub trait Names: Send + Sync + fmt::Debug {
    /// The symbol at or before an address, as debuggers show it, and the bytes from it.
    fn nearest(&self, rva: u64) -> Option<(String, u64)>;

    /// The address of the symbol of that name.
    fn address(&self, name: &str) -> Option<u64>;

    /// File and line of the source that the code at an address was made from.
    fn line(&self, _rva: u64) -> Option<(String, u32)> {
        None
    }
}

/// Names, as places in the text that they were read from.
#[derive(Debug, Default)]
pub(super) struct TextNames {
    by_address: Vec<(u64, Range<usize>)>,
    by_name: Vec<(u64, Range<usize>)>,
}

#[derive(serde::Deserialize)]
struct Symbol {
    address: u64,
}

impl TextNames {
    /// Reads the object `symbols` of an ISF file. On x86, names carry the marks of calling
    /// conventions, which debuggers do not show.
    pub(super) fn read(text: &str, raw: &str, is_decorated: bool) -> Self {
        let mut reader = serde_json::Deserializer::from_str(raw);
        let pairs = reader.deserialize_map(Pairs).unwrap_or_default();
        let place = |(name, address): (&str, u64)| {
            let name = if is_decorated { demangle::without_marks(name) } else { name };
            Some((address, range_in(text, name)?))
        };
        let mut by_address: Vec<_> = pairs.into_iter().filter_map(place).collect();
        let name = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let mut by_name = by_address.clone();
        by_name.sort_by(|a, b| name(&a.1).cmp(name(&b.1)).then(a.0.cmp(&b.0)));
        // Of names for one address the plain one stands last, which is the one that is shown.
        by_address.retain(|(_, range)| !name(range).starts_with("$$"));
        by_address.sort_by(|a, b| {
            let plain = |range: &Range<usize>| !name(range).starts_with(['?', '_', '$']);
            let order = a.0.cmp(&b.0).then(plain(&a.1).cmp(&plain(&b.1)));
            order.then_with(|| name(&b.1).cmp(name(&a.1)))
        });
        Self { by_address, by_name }
    }

    pub(super) fn find(&self, text: &str, name: &str) -> Option<u64> {
        let of = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let at = self.by_name.partition_point(|(_, range)| of(range) < name);
        let (address, range) = self.by_name.get(at)?;
        (of(range) == name).then_some(*address)
    }

    pub(super) fn nearest<'a>(&self, text: &'a str, address: u64) -> Option<(&'a str, u64)> {
        let next = self.by_address.partition_point(|(at, _)| *at <= address);
        let (at, range) = self.by_address.get(next.checked_sub(1)?)?;
        Some((text.get(range.clone())?, address - at))
    }
}

/// Collects the pairs of a map without building it; entries of another form are passed over.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(&'de str, u64)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of symbols")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let symbol: Symbol = map.next_value()?;
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
    fn of_several_names_the_plain_one_is_shown() {
        let text = r#"{"?x@@3HA": {"address": 16}, "b": {"address": 16}, "a": {"address": 16},
            "$$1": {"address": 20}}"#;
        let names = TextNames::read(text, text, false);
        assert_eq!(names.nearest(text, 21), Some(("a", 5)));
        assert_eq!(names.find(text, "?x@@3HA"), Some(16));
        assert_eq!(names.find(text, "c"), None);
        assert_eq!(TextNames::read(text, "[]", false).nearest(text, 99), None);
    }
}
