//! The report as one page.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{ROWS, Report, Section};
use crate::catalog::{Ty, Value};
use crate::export::Sheet;
use crate::export::chart::{Data, write_svg};
use crate::export::html::push_escaped;
use crate::export::markdown::is_right;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// The SHA-256 of the script in the page's content security policy, so that no other script runs.
const SCRIPT_HASH: &str = "fbIo0Zt8Kwg76CdhXJdGAy6MJ2edraoq3TPjjxMfD7U=";

/// Names of columns that are shown in a fixed-width font.
const ALIGNED: [&str; 4] = ["map", "bytes", "operands", "store_path"];

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'sha256-{SCRIPT_HASH}'\">\n<title>"
    );
    push_escaped(&report.title, &mut text);
    text.push_str("</title>\n<style>\n");
    text.push_str(STYLE);
    text.push_str("</style>\n</head>\n<body>\n<h1>");
    push_escaped(&report.title, &mut text);
    text.push_str("</h1>\n<p class=\"soft\">");
    push_escaped(&report.made, &mut text);
    text.push_str("</p>\n<nav>");
    for (at, section) in report.sections.iter().enumerate() {
        let _ = write!(text, "<a href=\"#s{at}\">");
        push_escaped(&section.title, &mut text);
        text.push_str("</a>");
    }
    text.push_str("</nav>\n");
    out.write_all(text.as_bytes())?;
    for (at, section) in report.sections.iter().enumerate() {
        let head = format!("<h2 id=\"s{at}\">");
        write_section(section, (&head, "</h2>\n"), out)?;
        for part in &section.parts {
            write_section(part, ("<h3>", "</h3>\n"), out)?;
        }
    }
    write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

fn write_section(
    section: &Section<'_>,
    (head, end): (&str, &str),
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = String::from(head);
    push_escaped(&section.title, &mut text);
    if let Some(severity) = &section.severity {
        let class = match severity.as_str() {
            "high" => "high",
            "medium" => "medium",
            _ => "low",
        };
        let _ = write!(text, "<span class=\"tag {class}\">");
        push_escaped(severity, &mut text);
        text.push_str("</span>");
    }
    text.push_str(end);
    for paragraph in section.text.iter().filter(|paragraph| !paragraph.is_empty()) {
        text.push_str("<p>");
        push_escaped(paragraph, &mut text);
        text.push_str("</p>\n");
    }
    if !section.list.is_empty() {
        text.push_str("<ul>\n");
        for entry in &section.list {
            text.push_str("<li>");
            push_escaped(entry, &mut text);
            text.push_str("</li>\n");
        }
        text.push_str("</ul>\n");
    }
    out.write_all(text.as_bytes())?;
    section.evidence.iter().try_for_each(|sheet| write_evidence(sheet, out))
}

fn write_evidence(sheet: &Sheet<'_>, out: &mut dyn Write) -> io::Result<()> {
    let result = sheet.result;
    if let Some(spec) = sheet.chart
        && result.len() > 1
        && let Ok(data) = Data::new(spec, result)
    {
        write_svg(&data, sheet.heading(), out)?;
    }
    let mut text = String::from("<div class=\"scroll\">\n<table class=\"rows\">\n<thead><tr>");
    for field in result.fields() {
        text.push_str("<th>");
        push_escaped(&field.name, &mut text);
        text.push_str("</th>");
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    let width = result.pointer_width();
    for row in 0..result.len().min(ROWS) {
        text.push_str("<tr>");
        for (at, field) in result.fields().iter().enumerate() {
            let value = result.value(row, at);
            match (&value, field.format.free_text(&value, width)) {
                (Value::Null, _) => text.push_str("<td class=\"null\">NULL"),
                (_, Some(cell)) => {
                    let aligned = ALIGNED.contains(&field.name.as_str());
                    text.push_str(if aligned { "<td class=\"m\">" } else { "<td>" });
                    push_escaped(&cell, &mut text);
                }
                (value, None) => {
                    text.push_str(match field.ty {
                        Ty::Addr => "<td class=\"a\">",
                        ty if is_right(ty) => "<td class=\"n\">",
                        _ => "<td>",
                    });
                    field.format.append(&mut text, value, width);
                }
            }
            text.push_str("</td>");
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n</div>\n");
    if result.len() > ROWS {
        let _ = writeln!(text, "<p class=\"soft\">{ROWS} of {} rows</p>", result.len());
    }
    if !sheet.query.is_empty() {
        text.push_str("<details class=\"sql\"><summary>the query</summary><pre>");
        push_escaped(sheet.query.trim(), &mut text);
        text.push_str("</pre></details>\n");
    }
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 as in FIPS 180-4. Only this test needs it, to check the hash in the page's policy.
    fn sha256(bytes: &[u8]) -> [u8; 32] {
        let primes = || (2u32..).filter(|n| (2..*n).all(|d| n % d != 0));
        // Integer roots: the first 32 bits of the fractional part of a square or cube root.
        let root = |n: u32, power: u32| {
            let wanted = u128::from(n) << (32 * power);
            let (mut low, mut high) = (0u128, 1u128 << 40);
            while low + 1 < high {
                let middle = u128::midpoint(low, high);
                if middle.pow(power) <= wanted { low = middle } else { high = middle }
            }
            u32::try_from(low & 0xffff_ffff).unwrap()
        };
        let keys: Vec<u32> = primes().take(64).map(|n| root(n, 3)).collect();
        let mut state: Vec<u32> = primes().take(8).map(|n| root(n, 2)).collect();
        let mut padded = bytes.to_vec();
        padded.push(0x80);
        while padded.len() % 64 != 56 {
            padded.push(0);
        }
        padded.extend((bytes.len() as u64 * 8).to_be_bytes());
        for block in padded.chunks(64) {
            let mut w: Vec<u32> =
                block.chunks(4).map(|b| u32::from_be_bytes(b.try_into().unwrap())).collect();
            for i in 16..64 {
                let (a, b) = (w[i - 15], w[i - 2]);
                let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
                let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
                w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
            }
            let mut v = state.clone();
            for i in 0..64 {
                let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
                let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
                let t1 = [s1, choice, keys[i], w[i]].iter().fold(v[7], |a, b| a.wrapping_add(*b));
                let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
                let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
                v.pop();
                v.insert(0, t1.wrapping_add(s0).wrapping_add(majority));
                v[4] = v[4].wrapping_add(t1);
            }
            state = state.iter().zip(&v).map(|(a, b)| a.wrapping_add(*b)).collect();
        }
        let bytes: Vec<u8> = state.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.try_into().unwrap()
    }

    #[test]
    fn the_policy_has_the_hash_of_the_script() {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        // The test vector of the standard for "abc".
        assert_eq!(encode(&sha256(b"abc")), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(encode(&sha256(SCRIPT.as_bytes())), SCRIPT_HASH);
    }
}
