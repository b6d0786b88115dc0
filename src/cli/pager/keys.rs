//! Keys as they are pressed, from a terminal that hands them on one by one.
//!
//! The terminal is switched by `stty`, which every Unix has; elsewhere there are no such keys.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::process::{Command, Stdio};

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Backspace,
    /// Escape, Ctrl-C or Ctrl-D.
    Leave,
    Char(char),
    Other,
}

/// A terminal that shows a second screen and hands keys on at once. Dropped, it is as it was.
pub(super) struct Keys {
    terminal: File,
    /// How it was set.
    before: String,
}

impl Keys {
    /// Switches the terminal.
    ///
    /// # Errors
    /// If there is none, or nothing that switches it.
    pub(super) fn new() -> io::Result<Self> {
        if !cfg!(unix) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let terminal = File::open("/dev/tty")?;
        let before = stty(&terminal, &["-g"])?.trim().to_owned();
        let keys = Self { terminal, before };
        stty(&keys.terminal, &["-icanon", "-echo", "-isig", "-ixon", "min", "1", "time", "0"])?;
        write_out("\x1b[?1049h\x1b[?25l")?;
        Ok(keys)
    }

    /// The bytes of the next keys; nothing at the end of the input.
    pub(super) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = [0; 4096];
        loop {
            match self.terminal.read(&mut bytes) {
                Ok(count) => return Ok(bytes.get(..count).unwrap_or_default().to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // There is nobody to tell that it failed.
        let _ = write_out("\x1b[?25h\x1b[?1049l");
        let _ = stty(&self.terminal, &[&self.before]);
    }
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn stty(terminal: &File, arguments: &[&str]) -> io::Result<String> {
    let done = Command::new("stty")
        .args(arguments)
        .stdin(Stdio::from(terminal.try_clone()?))
        .stderr(Stdio::null())
        .output()?;
    if !done.status.success() {
        return Err(io::Error::other("the terminal cannot be switched"));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The first key of some bytes, and what is left of them.
pub(super) fn first(bytes: &[u8]) -> Option<(Key, &[u8])> {
    const SEQUENCES: &[(&str, Key)] = &[
        ("[A", Key::Up),
        ("[B", Key::Down),
        ("[C", Key::Right),
        ("[D", Key::Left),
        ("[H", Key::Home),
        ("[F", Key::End),
        ("[1~", Key::Home),
        ("[4~", Key::End),
        ("[5~", Key::PageUp),
        ("[6~", Key::PageDown),
        ("[7~", Key::Home),
        ("[8~", Key::End),
        ("OA", Key::Up),
        ("OB", Key::Down),
        ("OC", Key::Right),
        ("OD", Key::Left),
        ("OH", Key::Home),
        ("OF", Key::End),
    ];
    let (first, rest) = bytes.split_first()?;
    Some(match first {
        0x1b if rest.is_empty() => (Key::Leave, rest),
        0x1b => {
            let known = SEQUENCES.iter().find(|(text, _)| rest.starts_with(text.as_bytes()));
            let long = match rest.first() {
                Some(b'[') => {
                    rest.iter().skip(1).position(|b| (0x40..0x7f).contains(b)).map(|n| n + 2)
                }
                Some(b'O') => Some(2),
                _ => Some(1),
            };
            let end = known.map_or(long.unwrap_or(rest.len()), |(text, _)| text.len());
            (known.map_or(Key::Other, |(_, key)| *key), rest.get(end..).unwrap_or_default())
        }
        0x03 | 0x04 => (Key::Leave, rest),
        b'\r' | b'\n' => (Key::Enter, rest),
        0x7f | 0x08 => (Key::Backspace, rest),
        0x02 => (Key::PageUp, rest),
        0x06 => (Key::PageDown, rest),
        0x00..0x20 => (Key::Other, rest),
        _ => {
            let chunk = bytes.utf8_chunks().next()?;
            match chunk.valid().chars().next() {
                Some(c) => (Key::Char(c), bytes.get(c.len_utf8()..).unwrap_or_default()),
                None => (Key::Other, rest),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_keys() {
        let mut bytes: &[u8] = b"\x1b[A\x1bOBj\x1b[6~\x1b[1;5C\r\xc3\xa9\xffq\x7f\x01\x1bx\x1b";
        let mut keys = Vec::new();
        while let Some((key, rest)) = first(bytes) {
            assert!(rest.len() < bytes.len());
            keys.push(key);
            bytes = rest;
        }
        let wanted = [
            Key::Up,
            Key::Down,
            Key::Char('j'),
            Key::PageDown,
            Key::Other,
            Key::Enter,
            Key::Char('é'),
            Key::Other,
            Key::Char('q'),
            Key::Backspace,
            Key::Other,
            Key::Other,
            Key::Leave,
        ];
        assert_eq!(keys, wanted);
    }
}
