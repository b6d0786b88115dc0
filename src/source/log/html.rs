//! Converts an HTML page to the text that a browser shows: logs are often saved from forums and
//! blogs.
//!
//! This module knows tags that break lines and tags without text; other tags only format. Lines are
//! counted in the text, not in the page.

use super::line::entity;

/// Upper limit on the size of a page.
const MAX_PAGE: usize = 64 << 20;
/// Upper limit on the length of a tag.
const MAX_TAG: usize = 2048;

/// The text of a page; `None` if the bytes are not HTML.
pub(super) fn text(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let head = start.get(..14).unwrap_or(start).to_ascii_lowercase();
    let is_page = head.starts_with(b"<!doctype html") || head.starts_with(b"<html");
    (is_page && bytes.len() <= MAX_PAGE).then(|| shown(start))
}

fn shown(page: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.len() / 2);
    let mut at = 0;
    while let Some(rest) = page.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = memchr::memchr2(b'<', b'&', rest).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..plain).unwrap_or_default());
        let Some(mark) = rest.get(plain..).filter(|mark| !mark.is_empty()) else { break };
        at += plain;
        if let Some((c, len)) = entity(mark).or_else(|| number(mark)) {
            let mut buffer = [0; 4];
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            at += len;
        } else if let Some(len) = tag(mark, &mut out) {
            at += len;
        } else {
            out.extend(mark.first());
            at += 1;
        }
    }
    out
}

/// `&#8217;` and `&#x27;`: the character and the length.
fn number(mark: &[u8]) -> Option<(char, usize)> {
    let digits = mark.strip_prefix(b"&#")?;
    let end = memchr::memchr(b';', digits.get(..10).unwrap_or(digits))?;
    let text = std::str::from_utf8(digits.get(..end)?).ok()?;
    let code = match text.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    Some((char::from_u32(code)?, end + 3))
}

/// The length of a tag and of the content that it hides; a tag that breaks the line adds a line
/// break.
fn tag(mark: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    if mark.starts_with(b"<!--") {
        return Some(memchr::memmem::find(mark, b"-->").map_or(mark.len(), |end| end + 3));
    }
    let inside = mark.get(1..)?;
    let is_tag =
        inside.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!'));
    let near = inside.get(..MAX_TAG).unwrap_or(inside);
    let end = memchr::memchr(b'>', near).filter(|_| is_tag)?;
    let name = inside.strip_prefix(b"/").unwrap_or(inside);
    let len = name.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let name = name.get(..len)?.to_ascii_lowercase();
    let length = end + 2;
    match name.as_slice() {
        b"script" | b"style" if !inside.starts_with(b"/") => {
            let close: &[u8] = if name == b"script" { b"</script" } else { b"</style" };
            let hidden = memchr::memmem::find(mark, close);
            return Some(hidden.unwrap_or(mark.len()));
        }
        b"br" => {
            out.push(b'\n');
            // The source of the page also breaks the line there.
            let after = mark.get(length..).unwrap_or_default();
            let feed = after.iter().take_while(|b| **b == b'\r').count();
            let is_feed = after.get(feed) == Some(&b'\n');
            return Some(length + if is_feed { feed + 1 } else { 0 });
        }
        b"p" | b"div" | b"tr" | b"li" | b"pre" | b"table" | b"ul" | b"ol" | b"blockquote"
        | b"title" | b"h1" | b"h2" | b"h3" | b"h4"
            if out.last().is_some_and(|b| *b != b'\n') =>
        {
            out.push(b'\n');
        }
        b"td" | b"th" if inside.starts_with(b"/") => out.push(b' '),
        _ => {}
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(page: &str) -> Option<String> {
        Some(String::from_utf8(text(page.as_bytes())?).unwrap())
    }

    #[test]
    fn a_page_is_the_text_that_it_shows() {
        let page = "<!DOCTYPE html>\n<html><head><style>p { a<b }</style><title>x</title></head><body>\
                    <p>0: kd&gt; k<br>\nChild-SP &nbsp; RetAddr<br/>a&#33;b<!-- no --></p><pre>1 < 2\n</pre></body></html>";
        assert_eq!(of(page).unwrap(), "\nx\n0: kd> k\nChild-SP   RetAddr\na!b\n1 < 2\n");
        assert_eq!((of("0: kd> k"), of("<b>bold")), (None, None));
        assert_eq!(of("<html><script>never ends").as_deref(), Some(""));
        assert_eq!(of("<html>&#xfffffff; &# <").as_deref(), Some("&#xfffffff; &# <"));
    }
}
