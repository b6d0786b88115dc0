//! Window functions: their specifications for planning and documentation. `exec` computes them.
//! Every aggregate is also a window function.

use super::def::sig;
use crate::catalog::Ty::{Double, Int, Null};
use crate::catalog::{FunctionKind, FunctionSpec, OfNoRows, Signature};

const FAMILY: &str = "window";

const fn window(
    name: &'static str,
    doc: &'static str,
    signatures: &'static [Signature],
    examples: &'static [(&'static str, &'static str)],
) -> FunctionSpec {
    FunctionSpec {
        name,
        aliases: &[],
        kind: FunctionKind::Window,
        family: FAMILY,
        signatures,
        takes_null: true,
        is_pure: true,
        is_total: false,
        of_no_rows: OfNoRows::Null,
        doc,
        examples,
    }
}

const SHIFTED: &[Signature] = &[Signature::new(&[Null, Int, Null], Null).optional(2)];
const VALUE: &[Signature] = &[sig(&[Null], Null)];

/// All window functions. Examples run over the column `x` of `(VALUES (1), (2), (2), (5)) AS t(x)`.
pub(super) const ALL: &[FunctionSpec] = &[
    window(
        "row_number",
        "The number of the row in its partition, from 1.",
        &[sig(&[], Int)],
        &[("row_number() OVER (ORDER BY x)", "1, 2, 3, 4")],
    ),
    window(
        "rank",
        "The number of the first row with equal keys: equal rows have one rank, and gaps follow.",
        &[sig(&[], Int)],
        &[("rank() OVER (ORDER BY x)", "1, 2, 2, 4")],
    ),
    FunctionSpec {
        aliases: &["rank_dense"],
        ..window(
            "dense_rank",
            "The rank without gaps: how many different keys come up to the row's.",
            &[sig(&[], Int)],
            &[("dense_rank() OVER (ORDER BY x)", "1, 2, 2, 3")],
        )
    },
    window(
        "percent_rank",
        "The part of the other rows that come before: (rank - 1) / (rows - 1), and 0 for a single row.",
        &[sig(&[], Double)],
        &[("round(percent_rank() OVER (ORDER BY x), 2)", "0.0, 0.33, 0.33, 1.0")],
    ),
    window(
        "cume_dist",
        "The part of the rows that come before the row or are equal to it.",
        &[sig(&[], Double)],
        &[("cume_dist() OVER (ORDER BY x)", "0.25, 0.75, 0.75, 1.0")],
    ),
    window(
        "ntile",
        "The number, from 1, of the row's part when the partition is divided into this many parts of equal length; the first parts get the remaining rows.",
        &[sig(&[Int], Int)],
        &[("ntile(3) OVER (ORDER BY x)", "1, 1, 2, 3")],
    ),
    window(
        "lag",
        "The value in an earlier row of the partition: one row before, or as many as the second argument says. The third argument is the value where there is no such row, else NULL.",
        SHIFTED,
        &[("lag(x, 1, 0) OVER (ORDER BY x)", "0, 1, 2, 2")],
    ),
    window(
        "lead",
        "The value in a later row of the partition: one row behind, or as many as the second argument says. The third argument is the value where there is no such row, else NULL.",
        SHIFTED,
        &[("lead(x, 1, 0) OVER (ORDER BY x)", "2, 2, 5, 0")],
    ),
    window(
        "first_value",
        "The value in the first row of the frame.",
        VALUE,
        &[("first_value(x) OVER (ORDER BY x DESC)", "5, 5, 5, 5")],
    ),
    window(
        "last_value",
        "The value in the last row of the frame, which ends with the rows equal to the current one unless OVER says otherwise.",
        VALUE,
        &[("last_value(x) OVER (ORDER BY x)", "1, 2, 2, 5")],
    ),
    window(
        "nth_value",
        "The value in the row of that number, from 1, of the frame; NULL if the frame is shorter.",
        &[sig(&[Null, Int], Null)],
        &[("coalesce(nth_value(x, 2) OVER (ORDER BY x), 0)", "0, 2, 2, 2")],
    ),
];
