//! `!handle` and `!object`: handles of a process or of the kernel, objects and object directories.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Handle, KernelObject, Process};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, after, dec, found, hex, hex_int, rest_after, text, word};
use crate::source::log::sink::Sink;

/// The reader of `!handle`.
pub(super) static HANDLE: Reader = Reader {
    name: "!handle",
    is_named: |name| name == "!handle",
    signatures: &[
        Signature { literal: "GrantedAccess:", check: |line| entry(line.trim()).is_some() },
        Signature { literal: "andle table at ", check: |_| true },
        Signature { literal: "Handle ", check: |line| heading(line.trim()).is_some() },
    ],
    contains: &["!object", "!process"],
    fills: &[Fills::rows::<Handle>(), Fills::rows::<KernelObject>(), Fills::rows::<Process>()],
    read: read_handles,
};

/// The reader of `!object`.
pub(super) static OBJECT: Reader = Reader {
    name: "!object",
    is_named: |name| name == "!object",
    signatures: &[Signature { literal: "Object: ", check: |line| object(line.trim()).is_some() }],
    contains: &[],
    fills: &[Fills::rows::<KernelObject>()],
    read: read_objects,
};

/// `0168: Object: ffb6c748  GrantedAccess: 00000003 (Protected) Entry: …`.
fn entry(line: &str) -> Option<Handle> {
    let (handle, rest) = line.split_once(':')?;
    let handle = hex(handle.trim())?;
    let rest = rest.trim_start();
    if !rest.starts_with("Object:") {
        return None;
    }
    Some(Handle {
        handle: Ok(handle),
        object: found(after(rest, "Object:").and_then(hex)),
        granted_access: found(after(rest, "GrantedAccess:").and_then(hex_int)),
        ..Handle::default()
    })
}

/// `Handle 5c` of a process's own list.
fn heading(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("Handle ")?;
    (!rest.contains(' ')).then(|| hex(rest.trim()))?
}

/// `Object: ffffe602706bda30  Type: (ffffe602696fa7a0) File`.
fn object(line: &str) -> Option<KernelObject> {
    let rest = line.strip_prefix("Object:")?;
    let (at, rest) = word(rest)?;
    let at = address(at)?;
    let kind = rest.split_once(')').map_or("", |(_, kind)| kind);
    rest.contains("Type:").then(|| KernelObject {
        object: Ok(at),
        kind: text(kind),
        ..KernelObject::default()
    })
}

/// The lines below an object.
fn object_detail(line: &str, row: &mut KernelObject) -> bool {
    if let Some(rest) = line.strip_prefix("ObjectHeader:") {
        row.object_header = found(word(rest).and_then(|(at, _)| hex(at)));
    } else if line.starts_with("HandleCount:") {
        row.handle_count = found(after(line, "HandleCount:").and_then(dec));
        row.pointer_count = found(after(line, "PointerCount:").and_then(dec));
    } else if line.starts_with("Directory Object:") {
        row.directory = found(after(line, "Directory Object:").and_then(hex).filter(|at| *at != 0));
        row.name = rest_after(line, "Name:").map_or(Err(Absent::NotApplicable), text);
    } else {
        return false;
    }
    true
}

/// A row of a directory: ` 01  ffffd689fd094560 Type                      Desktop`.
fn directory_row(line: &str) -> Option<KernelObject> {
    let (first, rest) = word(line)?;
    let (at, rest) = match address(first) {
        Some(at) => (at, rest),
        None if first.len() <= 2 && dec(first).is_some() => {
            let (at, rest) = word(rest)?;
            (address(at)?, rest)
        }
        None => return None,
    };
    let (kind, name) = word(rest)?;
    Some(KernelObject {
        object: Ok(at),
        kind: text(kind),
        name: text(name),
        ..KernelObject::default()
    })
}

fn read_objects(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut parent: Cell<u64> = Err(Absent::NotApplicable);
    while let Some(line) = lines.next() {
        let trimmed = line.trimmed();
        if let Some(mut row) = object(trimmed) {
            while let Some(detail) =
                lines.next_if(|l| object_detail(l.trimmed(), &mut KernelObject::default()))
            {
                object_detail(detail.trimmed(), &mut row);
            }
            parent = row.object;
            sink.row(&line, row);
        } else if let Some(mut row) = directory_row(trimmed) {
            row.directory = parent;
            sink.row(&line, row);
        } else if !(line.is_blank()
            || trimmed.starts_with("Hash Address")
            || trimmed.ends_with("snapped through this directory")
            || trimmed.starts_with("----")
            || is_remark(trimmed))
        {
            sink.unread(&line);
        }
    }
}

fn is_remark(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "Optional Header Info",
        "NameInfo",
        "QuotaInfo",
        "Unable to",
        "Scanning ",
        "Symbolic Link",
        "Target String",
        "Drive Letter",
        "ObjectHeader",
    ];
    STARTS.iter().any(|start| text.starts_with(start))
}

/// A line below `Handle 5c`.
fn user_detail(line: &str, row: &mut Handle) -> bool {
    let Some((label, rest)) = word(line) else { return false };
    match label {
        "Type" => row.object_type = text(rest),
        "Attributes" => {
            row.attributes =
                found(word(rest).and_then(|(n, _)| hex_int(n.trim_start_matches("0x"))));
        }
        "GrantedAccess" => {
            row.granted_access = found(
                word(rest)
                    .and_then(|(n, _)| hex_int(n.trim_end_matches(':').trim_start_matches("0x"))),
            );
        }
        "HandleCount" => row.handle_count = found(dec(rest.trim())),
        "PointerCount" => row.pointer_count = found(dec(rest.trim())),
        "Name" => {
            row.name =
                if rest.starts_with("<none>") { Err(Absent::NotApplicable) } else { text(rest) }
        }
        _ => return false,
    }
    true
}

/// What the following lines belong to, and the process of the handles.
#[derive(Default)]
struct Reading {
    handle: Option<(u64, Handle)>,
    is_user: bool,
    process: Process,
    /// The line that names the process, until its row is emitted.
    named_at: Option<u64>,
    summary: bool,
}

impl Reading {
    fn close(&mut self, sink: &mut Sink<'_>) {
        if let Some((at, mut row)) = self.handle.take() {
            row.eprocess = self.process.eprocess;
            row.pid = self.process.pid;
            row.process.clone_from(&self.process.name);
            sink.row_at(at, row);
        }
    }

    fn close_process(&mut self, sink: &mut Sink<'_>) {
        if let Some(at) = self.named_at.take() {
            sink.row_at(at, self.process.clone());
        }
    }

    fn line(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) -> bool {
        let trimmed = line.trimmed();
        if let Some(row) = entry(trimmed) {
            self.close(sink);
            (self.handle, self.is_user) = (Some((line.number, row)), false);
        } else if let Some(handle) = heading(trimmed) {
            self.close(sink);
            (self.handle, self.is_user) =
                (Some((line.number, Handle { handle: Ok(handle), ..Handle::default() })), true);
        } else if let Some(object) = object(trimmed) {
            if let Some((_, row)) = &mut self.handle {
                row.object_type = object.kind;
            }
        } else if self.summary && !self.is_user {
            return word(trimmed).is_some_and(|(_, count)| dec(count.trim()).is_some());
        } else if trimmed.starts_with("Type ") && trimmed.ends_with("Count") {
            self.close(sink);
            (self.summary, self.is_user) = (true, false);
        } else if let Some((_, row)) = &mut self.handle {
            if self.is_user {
                return user_detail(trimmed, row) || line.indent() > 2;
            }
            let mut object = KernelObject::default();
            if !object_detail(trimmed, &mut object) {
                return false;
            }
            row.complete_with(Handle {
                handle_count: object.handle_count,
                pointer_count: object.pointer_count,
                name: object.name,
                ..Handle::default()
            });
        } else {
            return self.process(line, sink);
        }
        true
    }

    /// The process of the handles, as `!process` prints it.
    fn process(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) -> bool {
        let text = line.trimmed();
        if text.starts_with("PROCESS ") {
            self.close_process(sink);
            self.named_at = Some(line.number);
        }
        if let Some(rest) = text.strip_prefix("PROCESS ") {
            self.process = Process {
                eprocess: found(word(rest).and_then(|(at, _)| hex(at))),
                ..Process::default()
            };
        }
        if let Some(pid) = after(text, " Cid:") {
            self.process.pid = found(hex_int(pid));
        }
        if let Some(image) = text.strip_prefix("Image:") {
            self.process.name = self::text(image);
        }
        ["PROCESS ", "SessionId:", "DirBase:", "Image:"].iter().any(|start| text.starts_with(start))
    }
}

fn text_is_known(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.is_empty()
        || lower.contains("handle table at")
        || lower.contains("free handle")
        || lower.contains("version of handle table")
        || lower.starts_with("processor number")
        || lower.starts_with("searching for process")
        || lower.ends_with(" handles")
        || lower.contains(" handles of type ")
        || lower.starts_with("object specific information")
        || lower.starts_with("unable to")
}

fn read_handles(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut reading = Reading::default();
    for line in lines {
        if !reading.line(&line, sink) && !text_is_known(line.trimmed()) {
            sink.unread(&line);
        }
    }
    reading.close(sink);
    reading.close_process(sink);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_of_every_form() {
        let row = entry("0168: Object: ffb6c748  GrantedAccess: 00000003 (Protected)").unwrap();
        assert_eq!(
            (row.handle, row.object, row.granted_access),
            (Ok(0x168), Ok(0xffb6_c748), Ok(3))
        );
        assert!(entry("0170: free handle, Entry address e10022e0").is_none());
        assert_eq!(heading("Handle 5c"), Some(0x5c));
        let mut user = Handle::default();
        assert!(
            user_detail("Type         \tEvent", &mut user)
                && user_detail("GrantedAccess\t0x1f0003:", &mut user)
        );
        assert_eq!(
            (user.object_type.as_deref(), user.granted_access),
            (Ok("Event"), Ok(0x1f_0003))
        );
        let file = object("Object: ffffe602706bda30  Type: (ffffe602696fa7a0) File").unwrap();
        assert_eq!(file.kind.as_deref(), Ok("File"));
        let row = directory_row(" 01  ffffd689fd094560 Type                      Desktop").unwrap();
        assert_eq!((row.kind.as_deref(), row.name.as_deref()), (Ok("Type"), Ok("Desktop")));
    }
}
