//! Pool tags: how they are shown, and how they are told in memory.

/// Tags that are asked for, as words of memory: those that may be one, and perhaps others.
#[derive(Debug, Clone)]
pub(crate) struct Tags {
    /// Bits that have to be so, and how; `None` if every tag is asked for.
    words: Option<Vec<(u32, u32)>>,
}

/// A tag as a text of four characters, each byte that is no printable character a stop.
pub(crate) fn tag_text(tag: [u8; 4]) -> String {
    tag.into_iter().map(|byte| char::from(shown(byte))).collect()
}

/// A byte of a tag as it is shown.
pub(crate) const fn shown(byte: u8) -> u8 {
    if is_shown(byte) { byte } else { b'.' }
}

/// Whether a byte of a tag is shown as it is.
pub(crate) const fn is_shown(byte: u8) -> bool {
    byte >= 0x20 && byte < 0x7f
}

/// Tags of texts; a text of another length is no tag.
pub(crate) fn shown_tags(texts: &[&str]) -> Vec<[u8; 4]> {
    texts.iter().filter_map(|text| text.as_bytes().try_into().ok()).collect()
}

/// Whether the bytes may be a tag that somebody chose.
pub(crate) fn is_tag(tag: [u8; 4]) -> bool {
    let is_text = |byte: &u8| (0x20..0x7f).contains(byte);
    tag.first().is_some_and(is_text) && tag.iter().all(|byte| is_text(byte) || *byte == 0)
}

impl Tags {
    /// Those of tags as they are shown; every tag without them.
    pub(crate) fn of(shown: Option<&[[u8; 4]]>) -> Self {
        let word = |tag: &[u8; 4]| {
            // A stop stands for all bytes that are not shown.
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

    /// Whether a tag, its protecting bit included, may be asked for.
    pub(crate) fn may_take(&self, raw: [u8; 4]) -> bool {
        let raw = u32::from_le_bytes(raw);
        self.words.as_ref().is_none_or(|words| words.iter().any(|(mask, is)| raw & mask == *is))
    }
}
