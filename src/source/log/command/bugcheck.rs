//! `.bugcheck`.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell, names};
use crate::model::Bugcheck;
use crate::source::log::line::Lines;
use crate::source::log::scan::{found, hex};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: ".bugcheck",
    is_named: |name| name == ".bugcheck",
    signatures: &[Signature { literal: "Bugcheck code ", check: |line| code(line).is_some() }],
    contains: &[],
    fills: &[Fills::rows::<Bugcheck>()],
    read,
};

/// The code of `Bugcheck code 000000D1`.
fn code(line: &str) -> Option<u32> {
    let digits = line.trim().strip_prefix("Bugcheck code ")?.trim();
    hex(digits).and_then(|code| u32::try_from(code).ok())
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while let Some(line) = lines.next() {
        if let Some(code) = code(&line.text) {
            let arguments = lines.next_if(|next| next.trimmed().starts_with("Arguments"));
            let arguments = arguments.as_ref().map_or("", |line| line.trimmed());
            let values: Vec<u64> = arguments.split_whitespace().skip(1).filter_map(hex).collect();
            let mut row = of_code(code);
            set_parameters(&mut row, &values);
            sink.row(&line, row);
        } else if !line.is_blank() {
            sink.unread(&line);
        }
    }
}

/// A bug check with this code, its name, and the meaning of its parameters.
pub(super) fn of_code(code: u32) -> Bugcheck {
    let name = names::bugcheck(code).map(str::to_owned).ok_or(Absent::NotApplicable);
    let meanings = names::bugcheck_parameters(code);
    let meaning = |n: usize| -> Cell<String> {
        let text = meanings.and_then(|all| all.get(n).copied()).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or(Absent::NotApplicable)
    };
    Bugcheck {
        code: Ok(code.into()),
        name,
        p1_description: meaning(0),
        p2_description: meaning(1),
        p3_description: meaning(2),
        p4_description: meaning(3),
        ..Bugcheck::default()
    }
}

/// Sets the parameters from a line.
pub(super) fn set_parameters(row: &mut Bugcheck, values: &[u64]) {
    let value = |n: usize| found(values.get(n).copied());
    (row.p1, row.p2, row.p3, row.p4) = (value(0), value(1), value(2), value(3));
}
