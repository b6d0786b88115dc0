//! `x` and `ln`: symbols with their addresses; `dv`: local variables.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{KnownSymbol, Local};
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, found, hex_int, module_of, text, word};
use crate::source::log::sink::Sink;

/// The reader of `x` and `ln`.
pub(super) static SYMBOLS: Reader = Reader {
    name: "ln",
    is_named: |name| matches!(name, "x" | "ln"),
    signatures: &[Signature {
        literal: ")   ",
        check: |line| nearest(line).is_some() && line.contains('|'),
    }],
    contains: &[],
    fills: &[Fills::rows::<KnownSymbol>(), Fills::rows::<Local>()],
    read: read_symbols,
};

/// The reader of `dv`.
pub(super) static LOCALS: Reader = Reader {
    name: "dv",
    is_named: |name| name == "dv",
    signatures: &[],
    contains: &[],
    fills: &[Fills::rows::<Local>()],
    read: read_locals,
};

/// A symbol, its parameters or type, and its value: `nt!KiIdleLoop (void)`, `a!count = 0n5`,
/// `nt!X = <no type information>`.
fn symbol(rest: &str) -> Option<KnownSymbol> {
    let (before, value) = rest.split_once(" = ").unwrap_or((rest, ""));
    let before = before.trim();
    let bang = before.find('!')?;
    // Parameters follow the name; names of operators and templates may contain parentheses and
    // spaces too.
    let end = before.get(bang..)?.find(" (").map_or(before.len(), |at| bang + at);
    let (name, kind) = before.split_at_checked(end)?;
    let (shown, offset) = match name.rsplit_once("+0x") {
        Some((shown, digits)) => (shown, hex_int(digits)?),
        None => (name, 0),
    };
    let is_known = !value.contains("<no type information>");
    let kind = kind.trim().trim_start_matches('(').trim_end_matches(')');
    Some(KnownSymbol {
        module: found(module_of(shown).map(str::to_owned)),
        symbol: text(shown),
        offset: Ok(offset),
        kind: text(kind),
        value: if is_known { text(value) } else { Err(Absent::NotApplicable) },
        ..KnownSymbol::default()
    })
}

/// ``fffff803`7f0c5b20 nt!KiIdleLoop (void)``.
fn listed(line: &str) -> Option<KnownSymbol> {
    let (first, rest) = word(line)?;
    let at = address(first)?;
    // With `/t` or `/2`, a type may precede the symbol.
    let symbol = symbol(rest).filter(|row| row.symbol.as_ref().is_ok_and(|s| !s.contains(' ')))?;
    Some(KnownSymbol { address: Ok(at), ..symbol })
}

/// `(fffff803`7f0c5b20)   nt!KiIdleLoop   |  (fffff803`7f0c5b80)   nt!KiNext`; newer debuggers
/// print the source line before it.
fn nearest(line: &str) -> Option<Vec<KnownSymbol>> {
    let mut rows = Vec::new();
    let mut rest = match line.trim_start().strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.1.trim_start(),
        None => line.trim_start(),
    };
    for part in rest.split('|').take(2) {
        rest = part.trim();
        let (at, name) = rest.strip_prefix('(')?.split_once(')')?;
        let row = symbol(name.trim())?;
        rows.push(KnownSymbol { address: Ok(address(at)?), ..row });
    }
    (!rows.is_empty()).then_some(rows)
}

fn read_symbols(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let is_asked = cx.command.starts_with("ln");
    let asked =
        found(cx.arguments().split_whitespace().next().and_then(address).filter(|_| is_asked));
    for line in lines {
        let shown = line.trimmed();
        if let Some(rows) = nearest(shown) {
            for row in rows {
                sink.row(&line, row);
            }
        } else if let Some(row) = listed(shown) {
            sink.row(&line, row);
        } else if let Some(row) = exact(shown).filter(|_| is_asked) {
            sink.row(&line, KnownSymbol { address: asked, ..row });
        } else if let Some(row) = local(shown).filter(|_| !is_asked) {
            sink.row(&line, row);
        } else if !(line.is_blank() || is_known(shown)) {
            sink.unread(&line);
        }
    }
}

/// A symbol below `Exact matches:`.
fn exact(line: &str) -> Option<KnownSymbol> {
    let row = symbol(line)?;
    row.symbol.as_ref().is_ok_and(|symbol| !symbol.contains(' ')).then_some(row)
}

fn is_known(text: &str) -> bool {
    text.starts_with("Exact matches:")
        || text.starts_with("Browse module")
        || text.starts_with("Set bu breakpoint")
        || text.starts_with("^ ")
}

/// `argc = 0n1`, `int argc = 0n1`, `prv param  000000c1`0012ff7c argc = 0n1`,
/// `000000c1`0012ff7c @rsp+0x20     argc = 0n1`.
fn local(line: &str) -> Option<Local> {
    let (before, value) = line.split_once(" = ")?;
    let mut is_parameter: Cell<bool> = Err(Absent::NotApplicable);
    let mut place: Cell<u64> = Err(Absent::NotApplicable);
    let mut words: Vec<&str> = Vec::new();
    for (n, word) in before.split_whitespace().enumerate() {
        match word {
            "prv" | "pub" if n == 0 => {}
            "param" | "local" | "global" | "func" if n == 1 => is_parameter = Ok(word == "param"),
            word if word.starts_with('@') => {}
            word if address(word).is_some() && place.is_err() => place = found(address(word)),
            word => words.push(word),
        }
    }
    let name = words.pop()?;
    let is_name =
        name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ':' | '[' | ']'))
            && name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '$'));
    let kind = words.join(" ");
    is_name.then(|| Local {
        name: text(name),
        kind: text(&kind),
        value: text(value),
        address: place,
        is_parameter,
        ..Local::default()
    })
}

fn read_locals(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for line in lines {
        match local(line.trimmed()) {
            Some(row) => sink.row(&line, row),
            None if line.is_blank() => {}
            None => sink.unread(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_both_commands() {
        let row = listed("fffff803`7f0c5b20 nt!KiIdleLoop (void)").unwrap();
        assert_eq!((row.symbol.as_deref(), row.kind.as_deref()), (Ok("nt!KiIdleLoop"), Ok("void")));
        let row = listed("00007ff6`1c3d5000 app!count = 0n5").unwrap();
        assert_eq!((row.module.as_deref(), row.value.as_deref()), (Ok("app"), Ok("0n5")));
        let rows = nearest("(80501c20)   nt!KiIdleLoop+0x10   |  (80501c80)   nt!KiNext").unwrap();
        assert_eq!((rows.len(), rows[0].offset, rows[1].address), (2, Ok(16), Ok(0x8050_1c80)));
        assert!(listed("80501c20 some prose! or other").is_none());
    }

    #[test]
    fn locals_with_and_without_type_and_place() {
        let row = local("int argc = 0n1").unwrap();
        assert_eq!(
            (row.name.as_deref(), row.kind.as_deref(), row.value.as_deref()),
            (Ok("argc"), Ok("int"), Ok("0n1"))
        );
        let row =
            local("prv param  000000c1`0012ff7c @rsp+0x20 argv = 0x000001d0`445131c0").unwrap();
        assert_eq!(
            (row.is_parameter, row.address, row.name.as_deref()),
            (Ok(true), Ok(0xc1_0012_ff7c), Ok("argv"))
        );
        assert!(local("no value").is_none());
    }
}
