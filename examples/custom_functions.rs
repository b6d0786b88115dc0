//! Functions of a host program: a scalar, an aggregate and a table function.
//!
//! ```text
//! cargo run --example custom_functions
//! ```

use std::io::{self, Write};

use dumpql::extend::{
    Accumulator, CallColumn, DynTable, Fault, FunctionKind, FunctionSpec, Refused, Signature,
    TableFunction,
};
use dumpql::{Session, Ty, Value};

const TEXT: &[Signature] = &[Signature::new(&[Ty::Text], Ty::Text)];

/// `longest(text)`: the longest text of a group; of several, the first.
#[derive(Default)]
struct Longest(Option<String>);

impl Accumulator for Longest {
    fn add(&mut self, args: &[Value<'_>]) -> Result<(), Fault> {
        let text = args.first().and_then(Value::as_text).unwrap_or_default();
        if self.0.as_ref().is_none_or(|known| text.len() > known.len()) {
            self.0 = Some(text.to_owned());
        }
        Ok(())
    }

    fn merge(&mut self, later: &Self) -> Result<(), Fault> {
        later.0.iter().try_for_each(|text| self.add(&[Value::text(text.as_str())]))
    }

    fn finish(&self) -> Result<Value<'static>, Fault> {
        Ok(self.0.clone().map_or(Value::Null, Value::text))
    }
}

/// `bits(number)`: a row for each bit that is set.
fn bits() -> TableFunction {
    const SIGNATURES: &[Signature] = &[Signature::new(&[Ty::Int], Ty::Null).named(&["number"])];
    TableFunction::new("bits", SIGNATURES, "A row for each bit that is set.", |args| {
        let number = args.first().and_then(Value::as_int).filter(|number| *number >= 0);
        let Some(number) = number else {
            return Err(Refused::argument(0, "expected a number that is not negative"));
        };
        let columns = vec![CallColumn::new("bit", Ty::Int), CallColumn::hex("mask")];
        Ok(DynTable {
            columns,
            rows: Box::new(move |_wanted, emit| {
                for bit in (0..63).filter(|bit| (number >> bit) & 1 == 1) {
                    let row = vec![Ok(Value::Int(bit)), Ok(Value::Int(1 << bit))];
                    if emit.row(row).is_break() {
                        return;
                    }
                }
            }),
        })
    })
}

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::sample()?;

    // A scalar function: values in, a value out. If an argument is NULL, the result is NULL without
    // a call.
    let doc = "The text without its vowels.";
    let spec = FunctionSpec::new("without_vowels", FunctionKind::Scalar, TEXT, doc);
    session.add_scalar(spec, |_, args| {
        let text = args.first().and_then(Value::as_text).unwrap_or_default();
        Ok(Value::text(text.replace(['a', 'e', 'i', 'o', 'u'], "")))
    })?;

    let doc = "The longest text.";
    let spec = FunctionSpec::new("longest", FunctionKind::Aggregate, TEXT, doc);
    session.add_aggregate::<Longest>(spec)?;
    session.add_table_function(bits())?;

    for sql in [
        "SELECT without_vowels('miniport')",
        "SELECT longest(name) FROM (VALUES ('nt'), ('tcpip'), ('ndis')) AS t(name)",
        "SELECT string_agg(bit::VARCHAR, ' ') FROM bits(161)",
        "SELECT name, kind, family FROM meta.functions WHERE name = 'longest'",
    ] {
        let result = session.query(sql)?;
        let cells: Vec<String> = (0..result.fields().len()).map(|i| result.text(0, i)).collect();
        writeln!(out, "{}", cells.join(" "))?;
    }

    // An error about an argument is shown below that argument.
    if let Err(error) = session.query("FROM bits(-1)") {
        writeln!(out, "{}", error.render(None, false))?;
    }
    Ok(())
}

#[allow(dead_code, reason = "a test runs the example with a writer of its own")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&mut io::stdout().lock())
}
