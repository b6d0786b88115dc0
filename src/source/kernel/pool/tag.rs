//! Pool tags: how they are displayed, and how they are matched in memory.

/// The requested tags as 32-bit words: a filter that accepts every requested tag and possibly
/// others.
#[derive(Debug, Clone)]
pub(crate) struct Tags {
    /// Pairs of mask and value; `None` if every tag is requested.
    words: Option<Vec<(u32, u32)>>,
}

/// A tag as text of four characters; each byte that is not printable becomes a full stop.
pub(crate) fn tag_text(tag: [u8; 4]) -> String {
    tag.into_iter().map(|byte| char::from(shown(byte))).collect()
}

/// A byte of a tag as it is displayed.
pub(crate) const fn shown(byte: u8) -> u8 {
    if is_shown(byte) { byte } else { b'.' }
}

/// Whether a byte of a tag is displayed as it is.
pub(crate) const fn is_shown(byte: u8) -> bool {
    byte >= 0x20 && byte < 0x7f
}

/// The tags of texts; a text of another length is not a tag.
pub(crate) fn shown_tags(texts: &[&str]) -> Vec<[u8; 4]> {
    texts.iter().filter_map(|text| text.as_bytes().try_into().ok()).collect()
}

/// Whether the bytes look like a tag that a programmer chose.
pub(crate) fn is_tag(tag: [u8; 4]) -> bool {
    let is_text = |byte: &u8| (0x20..0x7f).contains(byte);
    tag.first().is_some_and(is_text) && tag.iter().all(|byte| is_text(byte) || *byte == 0)
}

impl Tags {
    /// The filter for tags as they are displayed; without tags it accepts all.
    pub(crate) fn of(shown: Option<&[[u8; 4]]>) -> Self {
        let word = |tag: &[u8; 4]| {
            // A full stop matches every byte that is not printable.
            let mask = tag.map(|byte| if byte == b'.' { 0 } else { 0xff });
            let [a, b, c, d] = mask;
            let mask = u32::from_le_bytes([a, b, c, d & 0x7f]);
            (mask, u32::from_le_bytes(*tag) & mask)
        };
        let all = |tags: &[[u8; 4]]| {
            tags.iter().filter(|tag| tag.iter().all(|byte| is_shown(*byte))).map(word).collect()
        };
        Self { words: shown.map(all) }
    }

    /// Whether a tag, including its protection bit, may be requested.
    pub(crate) fn may_take(&self, raw: [u8; 4]) -> bool {
        let raw = u32::from_le_bytes(raw);
        self.words.as_ref().is_none_or(|words| words.iter().any(|(mask, is)| raw & mask == *is))
    }
}
