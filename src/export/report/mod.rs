//! Reports on dumps: sections of text, evidence and charts, as one page or as Markdown.
//!
//! The page is self-contained: nothing is loaded, everything from a dump is escaped, and its
//! content security policy allows only its own script, by a hash. It is readable without scripts.

mod html;
mod markdown;

use std::io::{self, Write};

use super::Sheet;

/// The maximum number of rows of a result that a report shows.
const ROWS: usize = 100;

/// A report.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report<'a> {
    /// The subject.
    pub title: String,
    /// When and by which program it was made.
    pub made: String,
    /// The sections in their order.
    pub sections: Vec<Section<'a>>,
}

impl<'a> Report<'a> {
    /// A report with these sections.
    pub const fn new(title: String, made: String, sections: Vec<Section<'a>>) -> Self {
        Self { title, made, sections }
    }
}

/// A section: a heading, text, evidence, and subsections.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Section<'a> {
    /// The heading.
    pub title: String,
    /// `high`, `medium` or `low`, for patterns.
    pub severity: Option<String>,
    /// Paragraphs.
    pub text: Vec<String>,
    /// Results with their queries and charts.
    pub evidence: Vec<Sheet<'a>>,
    /// Short entries.
    pub list: Vec<String>,
    /// Subsections, one level below.
    pub parts: Vec<Section<'a>>,
}

impl Section<'_> {
    /// An empty section.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
}

/// Writes the report as an HTML page.
///
/// # Errors
///
/// Whatever the writer reports.
pub fn write_html(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    html::write(report, out)
}

/// Writes the report as Markdown.
///
/// # Errors
/// Whatever the writer reports.
pub fn write_markdown(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    markdown::write(report, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::chart::{ChartKind, Spec};
    use crate::export::samples::hostile;

    fn both() -> (String, String) {
        let result = hostile();
        let spec = Spec::of(ChartKind::Bar);
        let evil = "</script><script>alert(1)</script>\"'&";
        let mut section = Section::new(evil);
        section.severity = Some(evil.to_owned());
        section.text.push(evil.to_owned());
        section.list.push(evil.to_owned());
        section.evidence.push(Sheet::new(evil, evil, &result).with_chart(Some(&spec)));
        let mut top = Section::new("top");
        top.parts.push(section);
        let report = Report::new(evil.to_owned(), evil.to_owned(), vec![top]);
        let (mut page, mut text) = (Vec::new(), Vec::new());
        write_html(&report, &mut page).unwrap();
        write_markdown(&report, &mut text).unwrap();
        (String::from_utf8(page).unwrap(), String::from_utf8(text).unwrap())
    }

    #[test]
    fn text_of_a_dump_is_escaped() {
        let (page, text) = both();
        assert_eq!(page.matches("<script>").count(), 1, "{page}");
        assert_eq!(page.matches("</script>").count(), 1, "{page}");
        assert!(!page.contains("<b>") && !page.contains('\u{1b}') && !page.contains('\u{202e}'));
        // Text in a fence is not markup.
        let text = text.split("```sql").next().unwrap();
        assert!(!text.contains("<script>") && !text.contains("<b>"), "{text}");
        assert!(page.contains("default-src 'none'") && !page.contains("http-equiv=\"refresh\""));
        for loaded in ["src=", "href=\"http", "@import", "url("] {
            assert!(!page.contains(loaded), "{loaded}");
        }
    }
}
