//! `u`, `ub` and `uf`: disassembly listings.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::Absent;
use crate::model::Instruction;
use crate::source::log::code::{ListedAt, call_to, instruction, is_instruction, label};
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, between, found, text};
use crate::source::log::sink::Sink;
use crate::source::log::symbol::Symbol;

/// A signature for a mnemonic: the line must be an instruction with its bytes.
const fn with(literal: &'static str) -> Signature {
    Signature { literal, check: is_instruction }
}

/// The reader. Without a prompt, a listing is recognised by the most common instructions.
pub(super) static READER: Reader = Reader {
    name: "u",
    is_named: |name| matches!(name, "u" | "ub" | "uf" | "uu" | "up" | "ur" | "ux"),
    signatures: &[
        with(" mov "),
        with(" push "),
        with(" call "),
        with(" lea "),
        with(" cmp "),
        with(" xor "),
        with(" test "),
        with(" int "),
        with(" ret"),
        with(" nop"),
        with(" jmp "),
        with(" sub "),
        with(" pop "),
        with(" ldr "),
        with(" brk "),
        with("???"),
    ],
    contains: &[],
    fills: &[Fills::rows::<Instruction>()],
    read,
};

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let is_function = cx.command.starts_with("uf");
    let mut place = ListedAt::default();
    let mut is_past = false;
    while let Some(line) = lines.next() {
        let shown = line.trimmed();
        if let Some(label) = label(shown) {
            let symbol = text(&Symbol::of(label).name.unwrap_or_else(|| label.to_owned()));
            if is_function {
                if place.symbol.is_err() {
                    place.symbol = symbol;
                }
                place.block = text(label);
            } else {
                place.symbol = symbol;
            }
        } else if let Some(row) = instruction(shown, &place).filter(|row| is_wanted(row, is_past)) {
            sink.row(&line, row);
        } else if let Some(head) = call_head(shown)
            && let Some(next) = lines.next_if(|next| call_to(next.trimmed()).is_some())
            && let Some((target, target_symbol)) = call_to(next.trimmed())
        {
            let symbol = place.symbol.clone();
            let is_call = Ok(true);
            let address = found(Some(head));
            sink.row(
                &line,
                Instruction {
                    address,
                    symbol,
                    target,
                    target_symbol,
                    is_call,
                    ..Instruction::default()
                },
            );
        } else if !(line.is_blank() || is_known(shown)) {
            // Text that somebody wrote below the listing is not an instruction, even if it looks
            // like one.
            is_past = true;
            sink.unread(&line);
        }
    }
}

/// After text, only a line with bytes is certain to be an instruction.
fn is_wanted(row: &Instruction, is_past: bool) -> bool {
    !is_past || row.bytes != Err(Absent::NotApplicable)
}

/// `Driver!Entry+0x12 (7ffb1a76):`, above a call of `uf /c`.
fn call_head(text: &str) -> Option<u64> {
    let text = text.strip_suffix(':')?;
    let open = text.rfind('(')?;
    address(between(text.get(open..)?, "(", ")")?)
}

fn is_known(text: &str) -> bool {
    text.starts_with("Flow analysis was incomplete")
        || text.starts_with("No code found, aborting")
        || text.starts_with("Couldn't resolve error at")
        || text.starts_with("^ ")
        || text.starts_with("//")
        || (text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.contains(" (")
            && text.ends_with(')')
            && text.contains('!'))
}
