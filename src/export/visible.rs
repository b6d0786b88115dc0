//! Makes characters visible that are not displayed but have an effect.

use std::fmt::Write as _;

/// Whether the character controls the terminal, changes the text direction, is invisible, or is not
/// allowed in XML.
pub const fn acts(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// Appends the character, or its escape (`\n`, `\x1b`, `\u{202e}`) if it [acts].
pub fn push_visible(c: char, text: &mut String) {
    if !acts(c) {
        return text.push(c);
    }
    // Writing to a `String` cannot fail.
    let _ = match c {
        '\n' => text.write_str("\\n"),
        '\r' => text.write_str("\\r"),
        '\t' => text.write_str("\\t"),
        c if u32::from(c) < 0x100 => write!(text, "\\x{:02x}", u32::from(c)),
        c => write!(text, "\\u{{{:x}}}", u32::from(c)),
    };
}
