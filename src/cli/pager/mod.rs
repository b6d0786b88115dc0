//! Results that are larger than the screen: a screen that moves over them, or another program.
//!
//! Knows rows and keys; whether a result needs a pager the prompt decides.

mod keys;

use std::io::{self, Write};
use std::process::{Command, Stdio};

use super::console::Console;
use super::table::{Look, Window, part, write_table};
use crate::session::ResultSet;
use keys::{Key, Keys};

/// How long results are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pager {
    /// All at once.
    Off,
    /// On a screen of our own.
    Own,
    /// By a program, as it is called.
    Program(Vec<String>),
}

impl Pager {
    /// What the variables `DUMPQL_PAGER` and `PAGER` say; our own where they say nothing.
    pub(super) fn of_environment() -> Self {
        let set = |name| std::env::var(name).ok();
        match set("DUMPQL_PAGER").or_else(|| set("PAGER").filter(|name| !name.trim().is_empty())) {
            Some(text) => Self::named(&text),
            None => Self::Own,
        }
    }

    /// The pager of a name: `off`, `on`, or a program with its arguments.
    pub(super) fn named(text: &str) -> Self {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        match words.first().map(String::as_str) {
            None | Some("off" | "cat") => Self::Off,
            Some("on" | "builtin") => Self::Own,
            Some(_) => Self::Program(words),
        }
    }
}

impl std::fmt::Display for Pager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Own => f.write_str("on"),
            Self::Program(words) => f.write_str(&words.join(" ")),
        }
    }
}

/// What is on the screen.
pub(super) enum Shown<'a> {
    /// A table, whose header stays.
    Table(Window<'a>),
    /// Lines, with the first that is seen and how far it is moved to the left.
    Lines { lines: Vec<String>, top: usize, left: usize },
}

impl Shown<'_> {
    fn down(&mut self, by: isize, height: usize) {
        match self {
            Self::Table(window) => window.down(by, height),
            Self::Lines { lines, top, .. } => {
                let last = lines.len().saturating_sub(height.max(1));
                *top = top.saturating_add_signed(by).min(last);
            }
        }
    }

    fn page(&self, height: usize) -> isize {
        let lines = match self {
            Self::Table(_) => Window::page(height),
            Self::Lines { .. } => height.max(1),
        };
        isize::try_from(lines).unwrap_or(1)
    }

    fn across(&mut self, right: bool, width: usize) {
        match self {
            Self::Table(window) => window.across(right, width),
            Self::Lines { left, .. } if right => *left = (*left + width / 2).min(1 << 16),
            Self::Lines { left, .. } => *left = left.saturating_sub(width / 2),
        }
    }

    fn find(&mut self, text: &str) -> bool {
        match self {
            Self::Table(window) => window.find(text),
            Self::Lines { lines, top, .. } => {
                let wanted = text.to_lowercase();
                let holds = |line: &String| line.to_lowercase().contains(&wanted);
                let found = lines.iter().skip(*top + 1).position(holds);
                *top += found.map_or(0, |at| at + 1);
                found.is_some()
            }
        }
    }

    fn screen(&mut self, height: usize, width: usize) -> (Vec<String>, String) {
        match self {
            Self::Table(window) => (window.lines(height, width), window.place(height, width)),
            Self::Lines { lines, top, left } => {
                let seen = lines.iter().skip(*top).take(height);
                let last = (*top + height).min(lines.len());
                let place = format!("lines {}-{last} of {}", *top + 1, lines.len());
                (seen.map(|line| part(line, *left, width)).collect(), place)
            }
        }
    }
}

/// Shows a result until a key leaves it. Returns what was typed that moves nothing: it was meant
/// for the prompt.
///
/// # Errors
/// If keys cannot be read one by one here; nothing is shown then.
pub(super) fn browse(mut shown: Shown<'_>, console: &Console) -> io::Result<String> {
    let mut keys = Keys::new()?;
    let mut says = String::new();
    let mut wanted = String::new();
    loop {
        let (width, height) = console.screen();
        let body = height.saturating_sub(1).max(1);
        draw(&mut shown, (width, body), &says, console)?;
        says.clear();
        let bytes = keys.read()?;
        if bytes.is_empty() {
            return Ok(String::new());
        }
        let mut rest = bytes.as_slice();
        while let Some((key, after)) = keys::first(rest) {
            match key {
                Key::Leave | Key::Char('q' | 'Q') => return Ok(String::new()),
                Key::Up | Key::Char('k') => shown.down(-1, body),
                Key::Down | Key::Enter | Key::Char('j') => shown.down(1, body),
                Key::PageUp | Key::Char('b') => shown.down(-shown.page(body), body),
                Key::PageDown | Key::Char(' ') => shown.down(shown.page(body), body),
                Key::Home | Key::Char('g') => shown.down(isize::MIN, body),
                Key::End | Key::Char('G') => shown.down(isize::MAX, body),
                Key::Left | Key::Char('h') => shown.across(false, width),
                Key::Right => shown.across(true, width),
                Key::Char('/') => {
                    let asked = ask(&mut shown, (width, body), &mut keys, after, console)?;
                    if let Some(text) = asked {
                        wanted = text;
                        says = look_for(&mut shown, &wanted);
                    }
                    break;
                }
                Key::Char('n') if !wanted.is_empty() => says = look_for(&mut shown, &wanted),
                Key::Char(_) => return Ok(String::from_utf8_lossy(rest).into_owned()),
                Key::Backspace | Key::Other => {}
            }
            rest = after;
        }
    }
}

fn look_for(shown: &mut Shown<'_>, text: &str) -> String {
    if text.is_empty() || shown.find(text) {
        String::new()
    } else {
        format!("`{text}` is not below")
    }
}

/// Reads what to look for, on the last line; nothing where it was left.
fn ask(
    shown: &mut Shown<'_>,
    size: (usize, usize),
    keys: &mut Keys,
    typed: &[u8],
    console: &Console,
) -> io::Result<Option<String>> {
    let mut text = String::new();
    let mut bytes = typed.to_vec();
    loop {
        let mut rest = bytes.as_slice();
        while let Some((key, after)) = keys::first(rest) {
            match key {
                Key::Enter => return Ok(Some(text)),
                Key::Leave => return Ok(None),
                Key::Backspace => drop(text.pop()),
                Key::Char(c) => text.push(c),
                _ => {}
            }
            rest = after;
        }
        draw(shown, size, &format!("/{text}"), console)?;
        bytes = keys.read()?;
        if bytes.is_empty() {
            return Ok(None);
        }
    }
}

/// One frame: the lines, and a last one that says where they are, or something else.
fn draw(
    shown: &mut Shown<'_>,
    (width, body): (usize, usize),
    says: &str,
    console: &Console,
) -> io::Result<()> {
    let (lines, place) = shown.screen(body, width);
    let mut frame = String::from("\x1b[H");
    let is_table = matches!(shown, Shown::Table(_));
    for at in 0..body {
        let line = lines.get(at).map_or("", String::as_str);
        let style = match at {
            0 if is_table && console.out_colour => "\x1b[1m",
            1 if is_table && console.out_colour => "\x1b[2m",
            _ => "",
        };
        frame.push_str(style);
        frame.push_str(line);
        frame.push_str(if style.is_empty() { "\x1b[K\r\n" } else { "\x1b[0m\x1b[K\r\n" });
    }
    let help = if says.is_empty() {
        format!(" {place} · q leaves, arrows move, / finds")
    } else {
        says.to_owned()
    };
    let mut clean = String::new();
    super::table::push_clean(&help, &mut clean);
    frame.push_str(if console.out_colour { "\x1b[7m" } else { "" });
    frame.push_str(&part(&clean, 0, width));
    frame.push_str("\x1b[0m\x1b[K");
    let mut out = io::stdout().lock();
    out.write_all(frame.as_bytes())?;
    out.flush()
}

/// Hands a whole table to a program, such as `less -S`.
///
/// # Errors
/// If the program cannot be started.
pub(super) fn hand_over(
    program: &[String],
    result: &ResultSet,
    look: &Look,
    lines: Option<&[String]>,
) -> io::Result<()> {
    let Some((name, arguments)) = program.split_first() else { return Ok(()) };
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Lines are not folded, colours are shown, and what was seen stays on the screen.
        command.env("LESS", "-SRX");
    }
    let mut child = command.spawn()?;
    if let Some(input) = child.stdin.take() {
        let mut input = io::BufWriter::new(input);
        let whole = Look { width: None, max_rows: None, ..look.clone() };
        let written = match lines {
            Some(lines) => lines.iter().try_for_each(|line| writeln!(input, "{line}")),
            None => write_table(result, &whole, &mut input).map(|_| ()),
        };
        // Whoever leaves before the end has seen enough.
        let _ = written.and_then(|()| input.flush());
    }
    child.wait().map(|_| ())
}
