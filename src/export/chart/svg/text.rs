//! Text in a picture: its width, shortened and escaped.

use std::fmt::Write as _;

use super::COLOURS;

/// The font size of labels, and the mean width of their letters.
pub(super) const SIZE: f64 = 12.0;
const LETTER: f64 = 6.9;

pub(in crate::export) fn push_escaped(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            c => crate::export::visible::push_visible(c, into),
        }
    }
}

/// The approximate width of a text.
pub(super) fn width_of(text: &str) -> f64 {
    let width = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | '.' | ',' | ':' | ' ' | '|' | '!' | '\'' => 0.6,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.5,
        'A'..='Z' | '_' | '…' => 1.2,
        c if (c as u32) >= 0x2e80 => 1.8,
        _ => 1.05,
    };
    text.chars().map(|c| width(c) * LETTER).sum()
}

/// The text shortened in its middle to a width, because both ends of a path are informative.
pub(super) fn cut(text: &str, width: f64) -> String {
    let whole = width_of(text);
    if whole <= width {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let mean = whole / letters.len().max(1) as f64;
    let kept = ((width / mean) as usize).saturating_sub(2).min(letters.len());
    let head = kept / 3;
    let begin: String = letters.iter().take(head).collect();
    let end: String = letters.iter().skip(letters.len() - (kept - head)).collect();
    format!("{begin}…{end}")
}

pub(super) fn style() -> String {
    let mut css = String::from(
        ".dq text{font:12px system-ui,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#222}\n\
         .dq .t{font-size:16px;font-weight:600}.dq .v{fill:#555}.dq .b{fill:#fff}\n\
         .dq .g{stroke:#ddd;stroke-width:1}.dq .a{stroke:#888;stroke-width:1}\n",
    );
    let mut dark = String::from(
        "@media screen and (prefers-color-scheme:dark){.dq text{fill:#ddd}.dq .v{fill:#aaa}\
         .dq .b{fill:#16191d}.dq .g{stroke:#333}.dq .a{stroke:#777}",
    );
    for (at, (light, bright)) in COLOURS.iter().enumerate() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            css,
            ".dq .s{at}{{fill:{light}}}.dq .l{at}{{stroke:{light};fill:none;stroke-width:2}}"
        );
        let _ = write!(dark, ".dq .s{at}{{fill:{bright}}}.dq .l{at}{{stroke:{bright}}}");
    }
    css + &dark + "}\n"
}
