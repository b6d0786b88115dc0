//! Results that the tests of the writers share.

use crate::catalog::{Format, Ty, Value};
use crate::exec::{Field, ResultSet};

pub(crate) fn field(name: &str, ty: Ty) -> Field {
    Field { name: name.to_owned(), ty, format: Format::Plain }
}

/// A result with every type, NULLs, and text that a malicious dump could contain.
pub(crate) fn hostile() -> ResultSet {
    let text = |t: &'static str| Value::text(t);
    let code = Field { format: Format::Hex, ..field("code", Ty::Int) };
    ResultSet::of(vec![
        (
            field("name", Ty::Text),
            vec![
                text("nt"),
                text("=cmd|' /C calc'!A0"),
                text("a,\"b\"\nc\u{1b}[31m\t|*"),
                text(""),
                Value::Null,
                text("<b>日本 & \u{202e}x</b>"),
            ],
        ),
        (
            field("base", Ty::Addr),
            vec![
                Value::Addr(0xffff_f801_a972_c530),
                Value::Addr(0),
                Value::Addr(u64::MAX),
                Value::Null,
                Value::Addr(0x1000),
                Value::Addr(1),
            ],
        ),
        (
            field("n", Ty::Int),
            vec![
                Value::Int(-1),
                Value::Int(i64::MAX),
                Value::Int(0),
                Value::Null,
                Value::Int(42),
                Value::Int(9_007_199_254_740_993),
            ],
        ),
        (
            code,
            vec![
                Value::Int(0x7e),
                Value::Int(0xc000_0005),
                Value::Null,
                Value::Int(0),
                Value::Int(1),
                Value::Int(-1),
            ],
        ),
        (
            field("share", Ty::Double),
            vec![
                Value::Double(0.5),
                Value::Double(f64::NAN),
                Value::Double(f64::NEG_INFINITY),
                Value::Double(1e300),
                Value::Null,
                Value::Double(-0.0),
            ],
        ),
        (
            field("is_on", Ty::Bool),
            vec![
                Value::Bool(true),
                Value::Bool(false),
                Value::Null,
                Value::Bool(true),
                Value::Bool(true),
                Value::Bool(false),
            ],
        ),
        (
            field("made", Ty::Time),
            vec![
                Value::Time(1_194_652_799_000_001),
                Value::Time(-11_644_473_600_000_000),
                Value::Null,
                Value::Time(0),
                Value::Time(1),
                Value::Time(253_402_300_800_000_000),
            ],
        ),
        (
            field("name", Ty::Interval),
            vec![
                Value::Interval(93_600_000_000),
                Value::Interval(-1),
                Value::Null,
                Value::Interval(0),
                Value::Interval(1),
                Value::Interval(2),
            ],
        ),
    ])
}

/// One column `n`, counting from 0.
pub(crate) fn count(rows: i64) -> ResultSet {
    ResultSet::of(vec![(field("n", Ty::Int), (0..rows).map(Value::Int).collect())])
}

/// The text with invisible and direction-changing characters replaced by their names.
pub(crate) fn marked(text: &str) -> String {
    let names = [
        ('\u{feff}', "<BOM>"),
        ('\u{202e}', "<RLO>"),
        ('\u{1b}', "<ESC>"),
        ('\r', "<CR>"),
        ('\t', "<TAB>"),
    ];
    names.iter().fold(text.to_owned(), |text, (c, name)| text.replace(*c, name))
}
