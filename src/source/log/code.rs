//! Instructions in disassembly listings, and the current instruction that many commands print.
//!
//! This module knows the format of a listed line, not the meaning of an instruction.

use super::scan::{address, between, found, hex};
use super::symbol::{Symbol, without_arrow, without_comment};
use crate::catalog::{Absent, Cell};
use crate::model::Instruction;

/// The position of an instruction in a listing.
#[derive(Debug, Clone)]
pub(super) struct ListedAt {
    /// Symbol of the listing.
    pub(super) symbol: Cell<String>,
    /// Label of the block.
    pub(super) block: Cell<String>,
}

impl Default for ListedAt {
    fn default() -> Self {
        Self { symbol: Err(Absent::NotApplicable), block: Err(Absent::NotApplicable) }
    }
}

/// The parts of a listed line.
struct CodeParts<'t> {
    address: u64,
    bytes: Option<&'t str>,
    mnemonic: &'t str,
    operands: &'t str,
}

/// Whether a line is an instruction with its bytes; nothing else has this form.
pub(super) fn is_instruction(text: &str) -> bool {
    split(text.trim()).is_some_and(|parts| parts.bytes.is_some())
}

/// The instruction on a line, with or without its bytes, or with a source line number before it.
pub(super) fn instruction(text: &str, place: &ListedAt) -> Option<Instruction> {
    let parts = split(text.trim())?;
    let is_known = parts.mnemonic != "???";
    let (operands, memory) = without_memory(without_remark(parts.operands));
    let operands = operands.trim_end_matches("Branch").trim_end();
    let (target, target_symbol) = target(parts.mnemonic, operands);
    let is_call = parts.mnemonic.starts_with("call") || matches!(parts.mnemonic, "bl" | "blr");
    let bytes = parts.bytes.filter(|bytes| !bytes.starts_with('?'));
    Some(Instruction {
        address: Ok(parts.address),
        symbol: place.symbol.clone(),
        bytes: match parts.bytes {
            Some(_) => bytes.map(str::to_owned).ok_or(Absent::NotInDump),
            None => Err(Absent::NotApplicable),
        },
        mnemonic: if is_known || bytes.is_some() {
            Ok(parts.mnemonic.to_owned())
        } else {
            Err(Absent::NotInDump)
        },
        operands: super::scan::text(operands),
        target: found(target.or(memory)),
        target_symbol: target_symbol.ok_or(Absent::NotApplicable),
        is_call: Ok(is_call),
        block: place.block.clone(),
        ..Instruction::default()
    })
}

/// The label of a listing: `nt!KiIdleLoop+0x2:`, possibly with a source line.
pub(super) fn label(text: &str) -> Option<&str> {
    let text = without_comment(text.trim());
    let text = text.strip_suffix(':')?.trim_end();
    let names = text.contains('!') || text.contains("+0x");
    let module = text.split(['!', '+']).next().unwrap_or_default();
    let is_module = !module.is_empty() && !module.contains([' ', ':', '(', '[']);
    (names && is_module && text.len() < 1000).then_some(text)
}

fn split(text: &str) -> Option<CodeParts<'_>> {
    let (first, rest) = word(without_arrow(text))?;
    let (start, rest) = match address(first) {
        Some(start) => (start, rest),
        // A source line number precedes the address.
        None if first.len() <= 6 && first.bytes().all(|b| b.is_ascii_digit()) => {
            let (second, rest) = word(rest)?;
            (address(second)?, rest)
        }
        None => return None,
    };
    let (second, rest) = word(rest)?;
    if is_bytes(second)
        && let Some((mnemonic, operands)) = word(rest).filter(|(word, _)| is_mnemonic(word))
    {
        return Some(CodeParts { address: start, bytes: Some(second), mnemonic, operands });
    }
    let (mnemonic, operands) = (second, rest);
    is_mnemonic(mnemonic).then_some(CodeParts { address: start, bytes: None, mnemonic, operands })
}

fn word(text: &str) -> Option<(&str, &str)> {
    super::scan::word(text)
}

fn is_bytes(text: &str) -> bool {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    text == "??" || (is_hex && (2..=32).contains(&text.len()))
}

fn is_mnemonic(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.');
    // A column of hexadecimal digits is not a mnemonic; mnemonics that consist of such letters are
    // short.
    let is_number = text.len() > 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
    text == "???" || (starts && rest && !is_number && (2..=16).contains(&text.len()))
}

/// The operands without the debugger's text about the memory operand (`ds:0023:000fa101=??`), and
/// the address of that memory.
fn without_memory(operands: &str) -> (&str, Option<u64>) {
    const SEGMENTS: [&str; 6] = ["ds:", "ss:", "es:", "fs:", "gs:", "cs:"];
    let is_place = |at: usize| {
        let before = operands.get(..at).unwrap_or_default();
        let place = operands.get(at + 3..).unwrap_or_default();
        // An operand may contain a segment too, but then in brackets.
        before.ends_with([' ', '\t'])
            && place.starts_with(|c: char| c.is_ascii_hexdigit())
            && place.contains('=')
    };
    let starts = SEGMENTS.iter().flat_map(|s| operands.match_indices(s)).map(|(at, _)| at);
    let Some(at) = starts.filter(|at| is_place(*at)).min() else { return (operands, None) };
    let Some((before, memory)) = operands.split_at_checked(at) else { return (operands, None) };
    let place = memory.split('=').next().unwrap_or_default();
    let target = place.rsplit(':').next().and_then(|word| address(word.trim()));
    (before.trim_end(), target)
}

/// The operands without a comment, which begins with a semicolon.
fn without_remark(operands: &str) -> &str {
    let operands = without_comment(operands);
    let end = operands.find(" ;").or_else(|| operands.find("\t;")).unwrap_or(operands.len());
    operands.get(..end).unwrap_or(operands).trim_end()
}

/// The address that operands refer to: in parentheses after its symbol, or on its own.
fn target(mnemonic: &str, operands: &str) -> (Option<u64>, Option<String>) {
    if let Some(open) = operands.rfind('(')
        && let Some(target) =
            operands.get(open..).and_then(|t| between(t, "(", ")")).and_then(address)
    {
        let before = operands.get(..open).unwrap_or_default().trim_end();
        let symbol = before.rsplit(['[', ',']).next().unwrap_or(before);
        let symbol = symbol.trim().trim_start_matches("offset ").trim();
        return (Some(target), (!symbol.is_empty()).then(|| symbol.to_owned()));
    }
    let branches = mnemonic.starts_with(['j', 'b']) || mnemonic == "call" || mnemonic == "loop";
    (address(operands).filter(|_| branches), None)
}

/// `nt!KiIdleLoop+0xa` in the form of all sources: without zeros before the offset.
pub(super) fn shown_symbol(text: &str) -> Cell<String> {
    let symbol = Symbol::of(text);
    match (symbol.name, symbol.offset) {
        (Some(name), Some(offset)) if offset != 0 && name.contains('!') => {
            Ok(format!("{name}+{offset:#x}"))
        }
        (Some(name), _) => Ok(name),
        (None, _) => Err(Absent::NotApplicable),
    }
}

/// A call of `uf /c`: `call to nt!ExAllocatePool (8089c8c0)`.
pub(super) fn call_to(text: &str) -> Option<(Cell<u64>, Cell<String>)> {
    let called = text.trim().strip_prefix("call to ")?;
    let target = called.rfind('(').and_then(|at| between(called.get(at..)?, "(", ")"));
    let symbol = called.rsplit_once(" (").map_or(called, |(symbol, _)| symbol);
    Some((found(target.and_then(hex)), super::scan::text(symbol)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (String, String, String, Option<u64>, Option<String>) {
        let i = instruction(text, &ListedAt::default()).expect("an instruction");
        let (bytes, mnemonic) = (i.bytes.unwrap_or_default(), i.mnemonic.unwrap_or_default());
        (bytes, mnemonic, i.operands.unwrap_or_default(), i.target.ok(), i.target_symbol.ok())
    }

    fn is(
        bytes: &str,
        mnemonic: &str,
        operands: &str,
        target: Option<u64>,
        symbol: Option<&str>,
    ) -> (String, String, String, Option<u64>, Option<String>) {
        (bytes.into(), mnemonic.into(), operands.into(), target, symbol.map(str::to_owned))
    }

    #[test]
    fn listed_lines() {
        assert_eq!(
            of(
                "fffff807`3d05101a 488b05df1f0000  mov     rax,qword ptr [Driver+0x3000 (fffff807`3d053000)]"
            ),
            is(
                "488b05df1f0000",
                "mov",
                "rax,qword ptr [Driver+0x3000 (fffff807`3d053000)]",
                Some(0xffff_f807_3d05_3000),
                Some("Driver+0x3000")
            )
        );
        assert_eq!(
            of(
                "fffff807`3d0510ea 7908            jns     Driver+0x10f4 (fffff807`3d0510f4)  Branch"
            ),
            is(
                "7908",
                "jns",
                "Driver+0x10f4 (fffff807`3d0510f4)",
                Some(0xffff_f807_3d05_10f4),
                Some("Driver+0x10f4")
            )
        );
        assert_eq!(
            of("15edb533 75eb            jne     15edb520"),
            is("75eb", "jne", "15edb520", Some(0x15ed_b520), None)
        );
        assert_eq!(of("f6e73ca0 sti"), is("", "sti", "", None, None));
        assert_eq!(of("77e416db lea     eax,[ebp-28h]").1, "lea");
        assert_eq!(
            of("fffff802`8c407570 d43e0000 brk         #0xF000"),
            is("d43e0000", "brk", "#0xF000", None, None)
        );
        assert_eq!(
            of("8f18972e 8918            mov     dword ptr [eax],ebx  ds:0023:cccccccc=????????"),
            is("8918", "mov", "dword ptr [eax],ebx", Some(0xcccc_cccc), None)
        );
        assert_eq!(
            of("6c29af1c f3a5 rep movs dword ptr es:[edi],dword ptr [esi] es:0023:075d9000=???????? ds:0023:00130000=00").2,
            "movs dword ptr es:[edi],dword ptr [esi]"
        );
        assert_eq!(of("14424d86 50              push    eax <-- here").2, "eax");
        let none =
            instruction("fffff803`712e5000 ??              ???", &ListedAt::default()).unwrap();
        assert_eq!((none.bytes, none.mnemonic), (Err(Absent::NotInDump), Err(Absent::NotInDump)));
        assert!(instruction("f714ee24 8046355a 00000001 nt!Foo", &ListedAt::default()).is_none());
        assert!(instruction("8a3da020 8a3d nt!Foo+0x12", &ListedAt::default()).is_none());
    }

    #[test]
    fn labels() {
        assert_eq!(label("nt!KiIdleLoop+0x2:"), Some("nt!KiIdleLoop+0x2"));
        assert_eq!(label("Driver+0x1000:"), Some("Driver+0x1000"));
        assert_eq!(
            label("nt! ?? ::OKHAJAOM::`string'+0x32fc:"),
            Some("nt! ?? ::OKHAJAOM::`string'+0x32fc")
        );
        assert_eq!((label("FAULTING_IP:"), label("Use !analyze -v:")), (None, None));
        assert_eq!(call_to("    call to nt!ExFree (8089c8c0)").unwrap().0, Ok(0x8089_c8c0));
        assert_eq!(
            shown_symbol("FORMATS!ReadXPM_W+0x00003de3").as_deref(),
            Ok("FORMATS!ReadXPM_W+0x3de3")
        );
    }
}
