//! `!ready`: threads that are ready to run, by processor and priority.

use super::{Context, Fills, Reader, Signature, thread};
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Irp, ReadyThread, Thread, WaitObject};
use crate::source::log::line::Lines;
use crate::source::log::scan::{after, dec, found};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!ready",
    is_named: |name| name == "!ready",
    signatures: &[
        Signature { literal: "Ready Threads at priority", check: |_| true },
        Signature { literal: "No threads in READY state", check: |_| true },
        Signature { literal: "KSHARED_READY_QUEUE", check: |_| true },
    ],
    contains: &["!thread", "k"],
    fills: &[
        Fills::rows::<ReadyThread>(),
        Fills::rows::<Thread>(),
        Fills::rows::<WaitObject>(),
        Fills::rows::<Irp>(),
        Fills::rows::<Frame>(),
    ],
    read,
};

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let (mut processor, mut priority): (Cell<i64>, Cell<i64>) =
        (Err(Absent::NotApplicable), Err(Absent::NotApplicable));
    let mut position = 0;
    while let Some(line) = lines.next() {
        let text = line.trimmed();
        if text.contains("Ready Threads at priority") {
            // Since Windows 8 processors share some queues.
            processor = match text.strip_prefix("Processor ") {
                Some(rest) => found(rest.split(':').next().and_then(dec)),
                None => Err(Absent::NotApplicable),
            };
            priority = found(after(text, "at priority").and_then(dec));
            position = 0;
        } else if thread::is_start(text) {
            let head = thread::head_of(&line, lines);
            if let Some(thread) = head {
                let row = ReadyThread {
                    processor,
                    priority,
                    position: Ok(position),
                    ethread: thread.ethread,
                    tid: thread.tid,
                    pid: thread.pid,
                    ..ReadyThread::default()
                };
                position += 1;
                sink.row(&line, row);
                thread::rest(&line, thread, lines, sink);
            }
        } else if !(line.is_blank()
            || text.contains("No threads in READY state")
            || text.contains("No ready threads")
            || text.starts_with("KSHARED_READY_QUEUE")
            || text.starts_with("DeferredReady")
            || text.starts_with("Processor "))
        {
            sink.unread(&line);
        }
    }
}
