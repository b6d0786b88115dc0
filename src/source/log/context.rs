//! Registers, as `r` and many other commands print them: the values, then the symbol and the
//! current instruction.

use super::code::{ListedAt, instruction, label, shown_symbol};
use super::frames::Owner;
use super::line::{Line, Lines};
use super::scan::{found, hex};
use super::sink::Sink;
use crate::catalog::{Absent, Cell};
use crate::model::{Instruction, Register};
use crate::source::printable;

/// The thread and processor of the registers, as far as the output says.
#[derive(Debug, Clone, Default)]
pub(super) struct Holder {
    /// The thread.
    pub(super) owner: Owner,
    /// The processor.
    pub(super) processor: Option<i64>,
}

/// Whether a line contains registers.
pub(super) fn is_registers(text: &str) -> bool {
    !values(text).is_empty()
}

/// Reads the registers that start on a line; returns the instruction after them, and its line.
pub(super) fn read(
    line: &Line<'_>,
    lines: &mut Lines<'_>,
    holder: &Holder,
    sink: &mut Sink<'_>,
) -> Option<(u64, Instruction)> {
    let is_wanted = sink.wants::<Register>();
    let mut rows: Vec<(u64, Register)> = Vec::new();
    let mut take = |line: &Line<'_>| {
        for (name, value) in values(line.trimmed()) {
            if is_wanted {
                rows.push((line.number, row(name, value, holder)));
            } else {
                sink.pass::<Register>();
            }
        }
    };
    take(line);
    while let Some(more) = lines.next_if(|more| is_registers(more.trimmed()) || more.is_blank()) {
        take(&more);
    }
    let next = lines.next_if(|line| label(line.trimmed()).is_some());
    let symbol = next.as_ref().and_then(|line| label(line.trimmed()));
    let names_pc = |register: &Register| {
        register.name.as_ref().is_ok_and(|name| matches!(name.as_str(), "rip" | "eip" | "pc"))
    };
    for (number, mut register) in rows {
        if let Some(symbol) = symbol.filter(|_| names_pc(&register)) {
            register.symbol = shown_symbol(symbol);
            register.is_in_module = Ok(true);
        }
        sink.row_at(number, register);
    }
    let place = ListedAt {
        symbol: symbol.map_or(Err(Absent::NotApplicable), shown_symbol),
        ..ListedAt::default()
    };
    let line = lines.next_if(|line| instruction(line.trimmed(), &place).is_some())?;
    Some((line.number, instruction(line.trimmed(), &place)?))
}

fn row(name: &str, value: u64, holder: &Holder) -> Register {
    let text = |found: Option<String>| -> Cell<String> { found.ok_or(Absent::NotApplicable) };
    Register {
        ethread: holder.owner.ethread,
        tid: holder.owner.tid,
        processor: found(holder.processor),
        name: Ok(name.to_ascii_lowercase()),
        value: Ok(value),
        ascii: text(printable::ascii(value)),
        utf16: text(printable::utf16(value)),
        ..Register::default()
    }
}

/// The names and values on a line; none if it contains anything else but flags.
fn values(text: &str) -> Vec<(&str, u64)> {
    let mut found = Vec::new();
    if !text.contains('=') {
        return found;
    }
    for word in text.split_whitespace() {
        match word.split_once('=') {
            Some((name, value)) => {
                let name = name.trim_start_matches('@');
                let Some(value) = hex(value).filter(|_| is_register(name)) else {
                    return Vec::new();
                };
                found.push((name, value));
            }
            // `nv up ei pl zr na po nc`, `N--- EL1`, after the first register.
            None if found.is_empty() || word.len() > 5 || !is_flag(word) => return Vec::new(),
            None => {}
        }
    }
    found
}

fn is_flag(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
        || word.strip_prefix("EL").is_some_and(|level| level.len() == 1)
}

fn is_register(name: &str) -> bool {
    let wide = name.strip_prefix(['e', 'r']).unwrap_or(name);
    let is_numbered = |prefix: &str, max: u32| {
        let digits = name.strip_prefix(prefix).unwrap_or_default();
        let digits = digits.trim_end_matches(['d', 'w', 'b', 'l']);
        digits.len() < 4 && digits.parse::<u32>().is_ok_and(|n| n <= max)
    };
    let is_named = matches!(
        wide,
        "ax" | "bx" | "cx" | "dx" | "si" | "di" | "bp" | "sp" | "ip" | "fl" | "flags"
    );
    is_named
        || matches!(
            name,
            "cs" | "ds"
                | "es"
                | "fs"
                | "gs"
                | "ss"
                | "iopl"
                | "pc"
                | "fp"
                | "lr"
                | "psr"
                | "cpsr"
                | "al"
                | "bl"
                | "cl"
                | "dl"
                | "ah"
                | "bh"
                | "ch"
                | "dh"
                | "gdtr"
                | "gdtl"
                | "idtr"
                | "idtl"
                | "tr"
                | "ldtr"
                | "fpcw"
                | "fpsw"
                | "fptw"
                | "mxcsr"
                | "fpcr"
                | "fpsr"
        )
        || is_numbered("r", 15)
        || is_numbered("x", 30)
        || is_numbered("cr", 8)
        || is_numbered("dr", 7)
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn registers_of_a_line() {
        assert_eq!(
            values("eip=0048004a esp=0012f158 iopl=0  nv up ei pl nz na po nc"),
            [("eip", 0x48_004a), ("esp", 0x12_f158), ("iopl", 0)]
        );
        assert_eq!(
            values(" r8=0000000000000002  r9=00000410000002ff r10=fffff803712e1060").len(),
            3
        );
        assert_eq!(values("cs=0010  ss=0018  ds=0000  efl=00010282").len(), 4);
        assert_eq!(
            values("fp=0000000000000000   lr=00007ffa28ebc9d0 psr=80000044 N--- EL1").len(),
            3
        );
        assert!(values("ErrCode = 00000002").is_empty());
        assert!(values("x=1 y=2").is_empty());
        assert!(values("the value eax=1").is_empty());
    }
}
