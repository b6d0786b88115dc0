//! Prompts: where a command starts, and the processor, thread and target in its prompt.

/// A prompt and the text after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt<'a> {
    /// The text before it on the line, which may precede every line of the command.
    pub(super) prefix: &'a str,
    /// The prompt itself, without the space after it (`0: kd>`).
    pub(super) text: &'a str,
    /// Whether it is a kernel debugger's prompt.
    pub(super) is_kernel: bool,
    /// The processor of a kernel prompt, the thread of a user-mode prompt.
    pub(super) number: Option<i64>,
    /// The typed command, or what the debugger printed on the same line.
    pub(super) rest: &'a str,
}

/// A longer prefix is text.
const MAX_PREFIX: usize = 24;
/// Upper limit on the length of a prompt.
const MAX_PROMPT: usize = 40;

/// The prompt that a line starts with.
pub(super) fn find(line: &str) -> Option<Prompt<'_>> {
    // Every prompt ends in '>', near the start of the line.
    let near = line.as_bytes().get(..line.len().min(MAX_PREFIX + MAX_PROMPT))?;
    memchr::memchr(b'>', near)?;
    let start =
        line.find(|c: char| !matches!(c, ' ' | '\t' | '/' | '#' | '*' | '>' | '|' | '-'))?;
    if start > MAX_PREFIX {
        return None;
    }
    // The bars of a session with several systems belong to the prompt.
    let bars = line.get(..start)?.trim_end_matches('|').len();
    let (prefix, body) = line.split_at_checked(bars)?;
    let (text, rest) = body.split_once('>')?;
    if text.len() > MAX_PROMPT {
        return None;
    }
    let (is_kernel, number) = kind(text)?;
    let text = body.get(..=text.len())?;
    Some(Prompt { prefix, text, is_kernel, number, rest: rest.trim() })
}

/// Whether a text is a prompt without its last character: whether it is a kernel prompt, and its
/// number.
fn kind(text: &str) -> Option<(bool, Option<i64>)> {
    let text = text.trim_start_matches('|').trim();
    if let Some(before) = kernel_words(text) {
        // "3: kd", "kd", "lkd", ": kd", or with a system "0:3: kd"
        let before = before.trim_end().trim_end_matches(':');
        if before.is_empty() {
            return Some((true, None));
        }
        let mut numbers = before.split(':').map(|n| n.trim().parse::<i64>().ok());
        let all: Option<Vec<i64>> = numbers.by_ref().collect();
        return all.map(|all| (true, all.last().copied()));
    }
    // "0:000", "0:000:x86", with a system "0:0:000"
    let text = text.strip_suffix(":x86").or_else(|| text.strip_suffix(":arm64")).unwrap_or(text);
    let text = text.strip_suffix(":arm64ec").unwrap_or(text);
    let (process, thread) = text.rsplit_once(':')?;
    let is_number =
        |n: &str| !n.is_empty() && n.len() <= 6 && n.bytes().all(|b| b.is_ascii_digit());
    let is_thread = thread.len() >= 3 && is_number(thread);
    let is_prompt = is_thread && process.split(':').all(is_number);
    is_prompt.then(|| (false, thread.parse().ok()))
}

/// The part before the words of a kernel prompt.
fn kernel_words(text: &str) -> Option<&str> {
    let text = text.strip_suffix(":x86").or_else(|| text.strip_suffix(":x64")).unwrap_or(text);
    let before = text.strip_suffix("kd")?;
    let before = before.strip_suffix('l').unwrap_or(before);
    before.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b' ')).then_some(before)
}

/// The commands of a line: `r;!exploitable -v;q` has three. A semicolon outside quotes and braces
/// ends a command.
pub(super) fn commands(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut depth, mut is_quoted) = (0, 0u32, false);
    for (at, c) in line.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '{' if !is_quoted => depth += 1,
            '}' if !is_quoted => depth = depth.saturating_sub(1),
            ';' if !is_quoted && depth == 0 => {
                found.extend(line.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.extend(line.get(start..));
    found.into_iter().map(str::trim).filter(|command| !command.is_empty()).collect()
}

/// The name of a command, without its extension library and arguments: `!irpfind` of
/// `!kdexts.irpfind -v 0`, `lm` of `lm m foo`.
pub(super) fn name(command: &str) -> String {
    let mut words = command.split_whitespace();
    let word = words.next().unwrap_or_default();
    // A space may separate a thread and the command for it: `~6 kb`.
    if word.starts_with('~')
        && let Some(next) = words.next()
    {
        return format!("{word}{}", next.to_ascii_lowercase());
    }
    let word = word.trim_end_matches(',');
    match word.strip_prefix('!') {
        Some(extension) => {
            let bare = extension.rsplit(['.', '\\', '/']).next().unwrap_or(extension);
            format!("!{}", bare.to_ascii_lowercase())
        }
        None => word.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<(bool, Option<i64>, &str)> {
        find(line).map(|p| (p.is_kernel, p.number, p.rest))
    }

    #[test]
    fn every_form_of_prompt() {
        assert_eq!(of("kd> !vm"), Some((true, None, "!vm")));
        assert_eq!(of("0: kd> !vm 1"), Some((true, Some(0), "!vm 1")));
        assert_eq!(of("12: kd>"), Some((true, Some(12), "")));
        assert_eq!(of("lkd> !irp 1"), Some((true, None, "!irp 1")));
        assert_eq!(of("0:kd> !deadlock 1"), Some((true, Some(0), "!deadlock 1")));
        assert_eq!(of(": kd> r"), Some((true, None, "r")));
        assert_eq!(of("0:000> k"), Some((false, Some(0), "k")));
        assert_eq!(of("0:012:x86> k"), Some((false, Some(12), "k")));
        assert_eq!(of("||1:0:kd> r"), Some((true, Some(0), "r")));
        assert_eq!(
            of("1: kd> start   end        module name"),
            Some((true, Some(1), "start   end        module name"))
        );
        assert_eq!(of("    lkd>!session"), Some((true, None, "!session")));
        assert_eq!(find("# 0:000> r").map(|p| p.prefix), Some("# "));
        assert_eq!(find("// kd> r").map(|p| p.prefix), Some("// "));
    }

    #[test]
    fn text_that_is_not_a_prompt() {
        for line in ["a -> b", "if (x > 3)", "12:30> x", "<html>", "mkd> ls", "C:\\> dir", "00 > 1"]
        {
            assert_eq!(find(line), None, "{line}");
        }
    }

    #[test]
    fn a_line_may_have_several_commands() {
        assert_eq!(
            commands(".symfix;.reload ; !analyze -v"),
            [".symfix", ".reload", "!analyze -v"]
        );
        assert_eq!(commands("ba e 1 x \"dd 1; gc\"; g"), ["ba e 1 x \"dd 1; gc\"", "g"]);
        assert_eq!(commands(".foreach (a {b;c}) { d;e }"), [".foreach (a {b;c}) { d;e }"]);
        assert_eq!(name("!w2kfre\\kdex2x86.xpool -map"), "!xpool");
        assert_eq!(name("!kdexts.IrpFind -v"), "!irpfind");
        assert_eq!(name("lm m foo"), "lm");
        assert_eq!((name("~*kv"), name("~6 kb")), ("~*kv".to_owned(), "~6kb".to_owned()));
    }
}
