//! Prompts: how to investigate a crash, a hang, a leak.

use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};

use super::text;

/// Name, description and text of a prompt.
const ALL: [(&str, &str, &str); 3] = [
    (
        "triage_crash",
        "Why a system or a program crashed, and who is to blame.",
        include_str!("prompts/triage_crash.md"),
    ),
    (
        "investigate_hang",
        "Why a system hangs: who waits for whom, and who holds what all wait for.",
        include_str!("prompts/investigate_hang.md"),
    ),
    (
        "find_leak",
        "What uses up memory: pool tags, handles, commit.",
        include_str!("prompts/find_leak.md"),
    ),
];

pub(super) fn list() -> Vec<Prompt> {
    let dump = || {
        PromptArgument::new("dump")
            .with_description("The path of the dump, or the id of one that is open.")
            .with_required(false)
    };
    let each = ALL.iter().map(|(name, doc, _)| Prompt::new(*name, Some(*doc), Some(vec![dump()])));
    each.collect()
}

pub(super) fn get(name: &str, arguments: Option<&JsonObject>) -> Option<GetPromptResult> {
    let (_, doc, text) = ALL.iter().find(|prompt| prompt.0 == name)?;
    let dump = arguments.and_then(|arguments| arguments.get("dump")).and_then(|dump| dump.as_str());
    let which = match dump {
        Some(dump) => format!("The dump: \"{}\".", text::name(dump)),
        None => "The dump is the one that is open; if none is, open without arguments lists the \
                 files."
            .to_owned(),
    };
    let message = PromptMessage::new_text(Role::User, format!("{which}\n\n{text}"));
    Some(GetPromptResult::new(vec![message]).with_description(*doc))
}
