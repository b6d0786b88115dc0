//! Renders a [`Diagnostic`]: as text in the style of rustc, and as JSON.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Span};

/// The diagnostic as text with the query line and a caret. `origin` names the query's file, if it
/// has one.
pub fn render_text(
    diagnostic: &Diagnostic,
    query: &str,
    origin: Option<&str>,
    colour: bool,
) -> String {
    let code = diagnostic.code.as_str();
    let message = printable(&diagnostic.message);
    let help: Vec<String> = diagnostic.help.iter().map(|h| printable(h)).collect();
    let title = Level::ERROR.primary_title(message.as_str()).id(code);
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let notes = help.iter().map(|h| Level::HELP.message(h.as_str()));
    let Some(span) = diagnostic.span else {
        return renderer.render(&[Group::with_title(title).elements(notes)]);
    };
    let mut primary = AnnotationKind::Primary.span(clamp(span, query));
    if let Some(label) = &diagnostic.label {
        primary = primary.label(label.as_str());
    }
    let also = diagnostic.also.iter().map(|(span, label)| {
        AnnotationKind::Context.span(clamp(*span, query)).label(label.as_str())
    });
    let mut snippet = Snippet::source(query).annotation(primary).annotations(also);
    if let Some(origin) = origin {
        snippet = snippet.path(origin);
    }
    renderer.render(&[title.element(snippet).elements(notes)])
}

/// The diagnostic as one JSON object: `code`, `message`, `start`, `end`, `label`, `help`.
pub fn render_json(diagnostic: &Diagnostic) -> String {
    serde_json::json!({
        "code": diagnostic.code.as_str(),
        "message": diagnostic.message,
        "start": diagnostic.span.map(|s| s.start),
        "end": diagnostic.span.map(|s| s.end),
        "label": diagnostic.label,
        "help": diagnostic.help,
    })
    .to_string()
}

/// The span moved to character boundaries within the text.
fn clamp(span: Span, text: &str) -> std::ops::Range<usize> {
    let floor = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor((span.start as usize).min(text.len()));
    let end = floor((span.end as usize).min(text.len()));
    start..end.max(start)
}

/// Control characters are shown as escapes, so that a malicious name cannot control the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = c.is_control() && c != '\n';
            let plain = (!escape).then_some(c);
            plain.into_iter().chain(escape.then(|| c.escape_default()).into_iter().flatten())
        })
        .collect()
}
