//! Text in a picture: its width, shortened and escaped.

use std::fmt::Write as _;

use super::COLOURS;
use crate::export::chart::spec::Theme;

/// The font size of labels, and the mean width of their letters.
pub(super) const SIZE: f64 = 12.0;

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

/// The width of a text in labels, in the widest of the fonts that are asked for (that of PNG); other
/// fonts leave some room.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars().map(letter).sum()
}

/// The advance of a letter, in groups of about the same width.
fn letter(c: char) -> f64 {
    let of_size = match c {
        '\'' | 'i' | 'j' | 'l' | 'I' | 'J' => 0.295,
        ' ' | ',' | '.' | '/' | ':' | ';' | '\\' | '|' | 'f' | '-' => 0.36,
        '(' | ')' | '[' | ']' | 't' | '!' | 'r' => 0.41,
        '"' | '*' | '_' | '`' | 's' | 'z' | '?' => 0.53,
        'c' | 'L' | 'F' | 'k' | 'v' | 'x' | 'y' | 'P' => 0.6,
        '#' | '+' | '<' | '=' | '>' | '^' | '~' | '×' | '−' | 'w' => 0.84,
        'U' | 'N' | 'H' | 'D' | 'G' | '&' | 'O' | 'Q' => 0.79,
        '%' | 'm' | 'W' | '@' | 'M' | '…' => 1.0,
        'A'..='Z' => 0.7,
        ' '..='~' => 0.64,
        c if u32::from(c) >= 0x2e80 => 1.05,
        _ => 0.75,
    };
    of_size * SIZE
}

/// The text shortened in its middle to a width, because both ends of a path are informative.
pub(super) fn cut(text: &str, width: f64) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let room = width - letter('…');
    let end: String = fitting(text.chars().rev(), room * 2.0 / 3.0).chars().rev().collect();
    let begin = fitting(text.chars(), room - width_of(&end));
    format!("{}…{}", begin.trim_end(), end.trim_start())
}

/// The first letters that fit into so many units.
fn fitting(letters: impl Iterator<Item = char>, room: f64) -> String {
    let mut used = 0.0;
    let fits = |c: &char| {
        used += letter(*c);
        used <= room
    };
    letters.take_while(fits).collect()
}

pub(super) fn style(theme: Theme) -> String {
    const LIGHT: [&str; 5] = ["#222", "#555", "#fff", "#ddd", "#888"];
    const DARK: [&str; 5] = ["#ddd", "#aaa", "#16191d", "#333", "#777"];
    let mut css = String::from(
        ".dq text{font:12px system-ui,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif}\n\
         .dq .t{font-size:16px;font-weight:600}.dq .g,.dq .a{stroke-width:1}.dq .k{fill:none;stroke-width:3}\n",
    );
    for at in 0..COLOURS.len() {
        // Writing into a `String` cannot fail.
        let _ = write!(css, ".dq .l{at}{{fill:none;stroke-width:2}}");
    }
    css.push('\n');
    let light = |css: &mut String| colours(&LIGHT, |(light, _)| light, css);
    let dark = |css: &mut String| colours(&DARK, |(_, bright)| bright, css);
    match theme {
        Theme::Light => light(&mut css),
        Theme::Dark => dark(&mut css),
        Theme::Auto => {
            light(&mut css);
            css.push_str("@media screen and (prefers-color-scheme:dark){");
            dark(&mut css);
            css.push_str("}\n");
        }
    }
    css
}

/// The rules of one theme: letters, lesser letters, ground, grid and axes, then the series.
fn colours(
    [letters, lesser, ground, grid, axes]: &[&str; 5],
    pick: impl Fn((&'static str, &'static str)) -> &'static str,
    css: &mut String,
) {
    let _ = writeln!(
        css,
        ".dq text{{fill:{letters}}}.dq .v{{fill:{lesser}}}.dq .b{{fill:{ground}}}\
         .dq .g{{stroke:{grid}}}.dq .a{{stroke:{axes}}}.dq .k{{stroke:{ground}}}"
    );
    for (at, pair) in COLOURS.into_iter().enumerate() {
        let colour = pick(pair);
        let _ = writeln!(css, ".dq .s{at}{{fill:{colour}}}.dq .l{at}{{stroke:{colour}}}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_keeps_both_ends_and_fits() {
        for text in [
            "\\Driver\\a rather long name of a driver.sys",
            "日本語日本語日本語日本語",
            "WWWWWWWWWWWW",
        ] {
            for width in [0.0, 10.0, 40.0, 90.0] {
                let shown = cut(text, width);
                assert!(width_of(&shown) <= width.max(letter('…')), "{shown}");
            }
        }
        assert_eq!(cut("\\Driver\\abcdefghijklmnop", 100.0), "\\Driv…ijklmnop");
    }

    #[test]
    fn a_theme_is_light_or_dark_or_what_the_page_is() {
        let has = |theme| {
            let css = style(theme);
            (css.contains("#fff"), css.contains("#16191d"), css.contains("@media"))
        };
        assert_eq!(has(Theme::Light), (true, false, false));
        assert_eq!(has(Theme::Dark), (false, true, false));
        assert_eq!(has(Theme::Auto), (true, true, true));
    }
}
