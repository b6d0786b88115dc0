//! `r`: the registers of a context, alone or as `.cxr`, `.trap` and other commands print them.

use super::{Context, Reader, Signature};
use crate::catalog::Absent;
use crate::model::Register;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::hex;
use crate::source::log::sink::Sink;

/// The reader.
pub(super) static READER: Reader = Reader {
    name: "r",
    is_named: |name| {
        matches!(name, "r" | "rf" | "rx" | ".cxr" | ".trap" | ".ecxr" | "~*r") || is_thread(name)
    },
    signatures: &[
        Signature { literal: "eax=", check: is_registers },
        Signature { literal: "rax=", check: is_registers },
        Signature { literal: " x0=", check: is_registers },
    ],
    contains: &[],
    tables: &["registers"],
    read,
};

/// `~2r`.
fn is_thread(name: &str) -> bool {
    let number = name.strip_prefix('~').and_then(|rest| rest.strip_suffix('r'));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Names of registers that debuggers print with their values.
const NAMES: &[&str] = &[
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rip", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12",
    "r13", "r14", "r15", "eax", "ebx", "ecx", "edx", "esi", "edi", "eip", "esp", "ebp", "cs", "ss",
    "ds", "es", "fs", "gs", "efl", "dr0", "dr1", "dr2", "dr3", "dr6", "dr7", "cr0", "cr2", "cr3",
    "cr4", "cr8", "gdtr", "gdtl", "idtr", "idtl", "tr", "ldtr", "fp", "lr", "sp", "pc", "psr",
];

fn is_name(name: &str) -> bool {
    let is_arm = name.strip_prefix('x').is_some_and(|n| n.parse::<u8>().is_ok_and(|n| n < 31));
    is_arm || NAMES.contains(&name)
}

/// Whether a line is one of registers.
pub(super) fn is_registers(line: &str) -> bool {
    pairs(line).take(2).count() == 2
}

/// The registers and values of a line.
fn pairs(line: &str) -> impl Iterator<Item = (&str, u64)> {
    // A name may be padded from its value's left: " r8=0", "x0=…".
    line.split_whitespace().filter_map(|word| {
        let (name, value) = word.split_once('=')?;
        is_name(name).then(|| Some((name, hex(value)?)))?
    })
}

/// Reads the lines of registers that come next; returns whether there was one.
pub(super) fn block(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) -> bool {
    let mut any = false;
    while let Some(line) =
        lines.next_if(|line| is_registers(&line.text) || is_part(&line.text, any))
    {
        any = true;
        each(cx, &line, sink);
    }
    any
}

/// Lines that belong to registers and hold none, or one: flags, and what wrapping cut off.
fn is_part(text: &str, any: bool) -> bool {
    let text = text.trim();
    any && (text.starts_with("iopl=") || pairs(text).next().is_some() || is_flags(text))
}

/// The names of flags, `nv up ei pl zr na pe nc`, in what wrapping left of a line.
fn is_flags(text: &str) -> bool {
    !text.is_empty() && text.split_whitespace().all(|word| word.len() == 2 && FLAGS.contains(&word))
}

const FLAGS: &[&str] = &[
    "nv", "ov", "up", "dn", "ei", "di", "pl", "ng", "zr", "nz", "na", "ac", "pe", "po", "nc", "cy",
];

fn each(cx: &Context<'_>, line: &Line<'_>, sink: &mut Sink<'_>) {
    for (name, value) in pairs(&line.text) {
        let number = |is_kernel| {
            cx.number.filter(|_| cx.is_kernel == is_kernel).ok_or(Absent::NotApplicable)
        };
        let row = Register {
            name: Ok(name.to_owned()),
            value: Ok(value),
            processor: number(true),
            ..Register::default()
        };
        sink.row(line, row);
    }
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while let Some(line) = lines.peek() {
        if line.is_blank() || is_frame(line.trimmed()) {
            lines.next();
        } else if !block(cx, lines, sink)
            && let Some(line) = lines.next()
            && !is_place(line.trimmed())
        {
            sink.unread(&line);
        }
    }
}

/// Lines around registers that say nothing of their own.
fn is_frame(text: &str) -> bool {
    text.starts_with("Last set context")
        || text.starts_with("ErrCode =")
        || text.starts_with("iopl=")
        || text == "Resetting default scope"
}

/// The instruction that the registers stand at, which is disassembly: the label and the line.
fn is_place(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    (text.ends_with(':') && !text.contains(' '))
        || (text.contains("!") && text.ends_with(':'))
        || crate::source::log::scan::address(first).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_registers() {
        assert!(is_registers("eax=000fa101 ebx=0000c026 ecx=01010001"));
        assert!(is_registers(" r8=ffffffffffffffff  r9=0000000000000000"));
        assert!(is_registers("cs=0010  ss=0018  ds=0000             efl=00010282"));
        assert!(!is_registers("x=1 y=2"));
        assert_eq!(
            pairs("rax=ffffffff00000080 foo=1").collect::<Vec<_>>(),
            [("rax", 0xffff_ffff_0000_0080)]
        );
    }
}
