//! `r`, and the commands that set a register context and print its registers: `.trap`, `.cxr`,
//! `.ecxr`.

use super::{Context, Fills, Reader, Signature};
use crate::model::{Instruction, Register};
use crate::source::log::code::{ListedAt, instruction, label};
use crate::source::log::context::{self, Holder, is_registers};
use crate::source::log::frames::Owner;
use crate::source::log::line::Lines;
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "r",
    is_named: |name| {
        matches!(name, "r" | "rf" | "rx" | ".trap" | ".cxr" | ".ecxr" | ".tss" | "~*r")
            || is_thread(name)
    },
    signatures: &[
        Signature { literal: "eax=", check: is_start },
        Signature { literal: "rax=", check: is_start },
        Signature { literal: " x0=", check: is_start },
        Signature { literal: " r0=", check: is_start },
    ],
    contains: &["u"],
    fills: &[Fills::rows::<Register>(), Fills::rows::<Instruction>()],
    read,
};

/// `~2r`.
fn is_thread(name: &str) -> bool {
    let number = name.strip_prefix('~').and_then(|rest| rest.strip_suffix('r'));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn is_start(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '#', '/', '*', '>']);
    ["eax=", "rax=", "x0=", "r0="].iter().any(|first| line.starts_with(first)) && is_registers(line)
}

/// Reads the registers that follow, with the instruction after them; returns whether there were
/// any. The surrounding output determines their thread and processor.
pub(super) fn block(holder: &Holder, lines: &mut Lines<'_>, sink: &mut Sink<'_>) -> bool {
    let Some(line) = lines.next_if(|line| is_registers(line.trimmed())) else { return false };
    if let Some((at, row)) = context::read(&line, lines, holder, sink) {
        sink.row_at(at, row);
    }
    true
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    // Only `r` itself shows the processor of the prompt, unless a context was set.
    let is_plain = cx.command == "r" || cx.command.starts_with("r ");
    let mut processor = cx.number.filter(|_| cx.is_kernel && is_plain);
    while let Some(line) = lines.next() {
        let text = line.trimmed();
        if is_registers(text) {
            let holder = Holder { owner: Owner::default(), processor };
            lines.push_front(line);
            block(&holder, lines, sink);
        } else if text.starts_with("Last set context") {
            processor = None;
        } else if let Some(row) = instruction(text, &ListedAt::default()) {
            sink.row(&line, row);
        } else if !(line.is_blank() || is_known(text)) {
            sink.unread(&line);
        }
    }
}

fn is_known(text: &str) -> bool {
    label(text).is_some()
        || text.starts_with("NOTE: ")
        || text.starts_with("Some register values may be zeroed")
        || text.starts_with("ErrCode = ")
        || text.starts_with("Resetting default scope")
        || text.starts_with("*** Stack trace for last set context")
        || text.starts_with("Unable to ")
        || text.starts_with("Page ")
}
