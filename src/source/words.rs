//! Rows of stack words: what each may point to, and the text in it.

use super::frames::{Owner, OwnerColumns, Scene};
use super::printable;
use crate::catalog::Absent;
use crate::model::{ColumnsOf, Emit, Flow, StackWord, Want};
use crate::unwind::{Cpu, Walker};

/// Upper limit on the text that is read where a word points to.
const MAX_TEXT: usize = 64;
/// Fewer characters may be a coincidence.
const MIN_TEXT: usize = 4;

/// The limit on stack words of a file: each word is in the file once, and more than twice as many
/// mean that threads share a stack.
pub(crate) const fn most(file_bytes: usize, word_bytes: u64) -> u64 {
    2 * file_bytes as u64 / word_bytes
}

/// The columns that identify the thread of a word.
pub(crate) fn owner(c: &ColumnsOf<StackWord>) -> OwnerColumns<StackWord> {
    OwnerColumns { ethread: c.ethread, tid: c.tid, pid: None }
}

/// Emits the words of a range as rows, as far as they are readable. If the start of the range is
/// unreadable there are no rows.
pub(crate) fn each(
    scene: &dyn Scene,
    walker: &mut Walker<'_>,
    (owner, cpu): (&Owner, Option<Cpu>),
    range: std::ops::Range<u64>,
    (want, left): (&Want<'_, StackWord>, &mut u64),
    emit: Emit<'_, StackWord>,
) -> Flow {
    let (first, last) = want.addresses(|c| c.address);
    let width = scene.word_bytes();
    let start = range.start.max(first.saturating_sub(width));
    // The last word of the address space has no word behind it.
    let Some(mut at) = start.checked_next_multiple_of(width) else { return Flow::Continue(()) };
    while at < range.end && at <= last {
        let Ok(value) = scene.word(at) else { break };
        let Some(fewer) = left.checked_sub(1) else { break };
        *left = fewer;
        emit.row(row(scene, walker, (owner, cpu), at, value, want))?;
        let Some(next) = at.checked_add(width) else { break };
        at = next;
    }
    Flow::Continue(())
}

fn row(
    scene: &dyn Scene,
    walker: &mut Walker<'_>,
    (owner, cpu): (&Owner, Option<Cpu>),
    at: u64,
    value: u64,
    want: &Want<'_, StackWord>,
) -> StackWord {
    let none = Absent::NotApplicable;
    let mut row = StackWord {
        ethread: owner.ethread,
        tid: owner.tid,
        address: Ok(at),
        value: Ok(value),
        ..StackWord::default()
    };
    if want.has(|c| c.symbol) {
        row.symbol = scene.locate(value).map(|place| place.display());
    }
    if want.has(|c| c.is_return_address)
        && let Some(cpu) = cpu
    {
        row.is_return_address = Ok(walker.may_return_to(cpu, value));
    }
    if want.has(|c| c.ascii) {
        row.ascii = printable::ascii(value).ok_or(none);
    }
    if want.has(|c| c.utf16) {
        row.utf16 = printable::utf16(value).ok_or(none);
    }
    if want.has(|c| c.string) {
        row.string = text(scene, value).ok_or(none);
    }
    row
}

/// The text at an address up to its null, in single-byte or two-byte characters.
fn text(scene: &dyn Scene, address: u64) -> Option<String> {
    if address < 0x1_0000 {
        return None;
    }
    let bytes = scene.bytes(address, MAX_TEXT);
    let wide = bytes.get(1) == Some(&0);
    let step = if wide { 2 } else { 1 };
    let mut text = String::new();
    for part in bytes.chunks_exact(step) {
        let (low, high) = (*part.first()?, part.get(1).copied().unwrap_or(0));
        if low == 0 && high == 0 {
            return (text.len() >= MIN_TEXT).then_some(text);
        }
        if high != 0 || !(low.is_ascii_graphic() || low == b' ') {
            return None;
        }
        text.push(char::from(low));
    }
    // Only texts that exceed the limit are cut; text that the end of memory cuts off is not
    // returned.
    (bytes.len() == MAX_TEXT && text.len() >= MIN_TEXT).then_some(text)
}
