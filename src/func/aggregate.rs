//! The aggregates as planning and documentation see them; `exec` computes them.
//!
//! All of them leave out NULLs, except `count(*)`; of no rows all give NULL, except the counts,
//! which give 0.

use super::def::sig;
use crate::catalog::Ty::{Addr, Bool, Double, Int, Interval, Null, Text, Time};
use crate::catalog::{FunctionKind, FunctionSpec, Signature};

const FAMILY: &str = "aggregate";

const fn aggregate(
    name: &'static str,
    doc: &'static str,
    signatures: &'static [Signature],
    examples: &'static [(&'static str, &'static str)],
) -> FunctionSpec {
    FunctionSpec {
        name,
        aliases: &[],
        kind: FunctionKind::Aggregate,
        family: FAMILY,
        signatures,
        takes_null: false,
        is_pure: true,
        doc,
        examples,
    }
}

const fn or(mut spec: FunctionSpec, aliases: &'static [&'static str]) -> FunctionSpec {
    spec.aliases = aliases;
    spec
}

const SAME: &[Signature] = &[sig(&[Null], Null)];
const TO_DOUBLE: &[Signature] = &[sig(&[Double], Double)];
const BITS: &[Signature] = &[sig(&[Int], Int), sig(&[Addr], Addr)];
const ARG: &[Signature] = &[
    sig(&[Bool, Null], Bool),
    sig(&[Int, Null], Int),
    sig(&[Double, Null], Double),
    sig(&[Text, Null], Text),
    sig(&[Addr, Null], Addr),
    sig(&[Time, Null], Time),
    sig(&[Interval, Null], Interval),
];
const MIDDLE: &[Signature] =
    &[sig(&[Double], Double), sig(&[Interval], Interval), sig(&[Time], Time)];
const QUANTILE: &[Signature] = &[
    sig(&[Double, Double], Double),
    sig(&[Interval, Double], Interval),
    sig(&[Time, Double], Time),
];
const QUANTILE_DISC: &[Signature] = &[
    sig(&[Bool, Double], Bool),
    sig(&[Int, Double], Int),
    sig(&[Double, Double], Double),
    sig(&[Text, Double], Text),
    sig(&[Addr, Double], Addr),
    sig(&[Time, Double], Time),
    sig(&[Interval, Double], Interval),
];

/// The aggregates. Examples aggregate over the column `x` of `(VALUES (1), (2), (2), (5)) AS t(x)`.
pub(super) const ALL: &[FunctionSpec] = &[
    aggregate(
        "count",
        "Counts rows, or the rows of which the argument is not NULL.",
        &[sig(&[], Int), sig(&[Null], Int)],
        &[("count(*)", "4"), ("count(DISTINCT x)", "3")],
    ),
    or(
        aggregate(
            "count_if",
            "Counts the rows for which the condition is true.",
            &[sig(&[Bool], Int)],
            &[("count_if(x > 1)", "3")],
        ),
        &["countif"],
    ),
    aggregate(
        "sum",
        "Adds up. A sum outside the range of its type is an error.",
        &[sig(&[Int], Int), sig(&[Addr], Addr), sig(&[Double], Double), sig(&[Interval], Interval)],
        &[("sum(x)", "10")],
    ),
    or(
        aggregate(
            "avg",
            "The arithmetic mean.",
            &[sig(&[Double], Double), sig(&[Interval], Interval), sig(&[Time], Time)],
            &[("avg(x)", "2.5")],
        ),
        &["mean"],
    ),
    aggregate("min", "The smallest value.", SAME, &[("min(x)", "1")]),
    aggregate("max", "The largest value.", SAME, &[("max(x)", "5")]),
    aggregate(
        "any_value",
        "One of the values: the first that is not NULL.",
        SAME,
        &[("any_value(x)", "1")],
    ),
    aggregate(
        "first",
        "The value of the first row, NULL included. Give an ORDER BY within the parentheses to say which row is first.",
        SAME,
        &[("first(x ORDER BY x DESC)", "5")],
    ),
    aggregate(
        "last",
        "The value of the last row, NULL included. Give an ORDER BY within the parentheses to say which row is last.",
        SAME,
        &[("last(x ORDER BY x)", "5")],
    ),
    or(
        aggregate(
            "arg_min",
            "The first argument of the row of which the second is smallest; the earliest such row counts.",
            ARG,
            &[("arg_min(x, -x)", "5")],
        ),
        &["min_by", "argmin"],
    ),
    or(
        aggregate(
            "arg_max",
            "The first argument of the row of which the second is largest; the earliest such row counts.",
            ARG,
            &[("arg_max(x, -x)", "1")],
        ),
        &["max_by", "argmax"],
    ),
    or(
        aggregate(
            "string_agg",
            "Joins the values with a separator between them, a comma unless the second argument gives another.",
            &[Signature::new(&[Text, Text], Text).optional(1)],
            &[("string_agg(x::VARCHAR, '-' ORDER BY x)", "1-2-2-5")],
        ),
        &["listagg", "group_concat"],
    ),
    aggregate(
        "median",
        "The middle value, or the mean of the two middle ones.",
        MIDDLE,
        &[("median(x)", "2.0")],
    ),
    aggregate(
        "quantile_cont",
        "The value below which the given fraction of values lies, interpolated between neighbours.",
        QUANTILE,
        &[("quantile_cont(x, 0.75)", "2.75")],
    ),
    or(
        aggregate(
            "quantile_disc",
            "The smallest value such that at least the given fraction of values is not above it.",
            QUANTILE_DISC,
            &[("quantile_disc(x, 0.75)", "2")],
        ),
        &["quantile"],
    ),
    aggregate(
        "mode",
        "The most frequent value; among equally frequent ones, the one that comes first.",
        SAME,
        &[("mode(x)", "2")],
    ),
    or(
        aggregate(
            "stddev_samp",
            "The standard deviation of a sample; NULL of fewer than two values.",
            TO_DOUBLE,
            &[("round(stddev_samp(x), 4)", "1.7321")],
        ),
        &["stddev"],
    ),
    aggregate(
        "stddev_pop",
        "The standard deviation of a whole population.",
        TO_DOUBLE,
        &[("round(stddev_pop(x), 4)", "1.5")],
    ),
    or(
        aggregate(
            "var_samp",
            "The variance of a sample; NULL of fewer than two values.",
            TO_DOUBLE,
            &[("round(var_samp(x), 4)", "3.0")],
        ),
        &["variance"],
    ),
    aggregate(
        "var_pop",
        "The variance of a whole population.",
        TO_DOUBLE,
        &[("round(var_pop(x), 4)", "2.25")],
    ),
    aggregate(
        "bool_and",
        "Whether the condition is true for all rows.",
        &[sig(&[Bool], Bool)],
        &[("bool_and(x > 0)", "true")],
    ),
    aggregate(
        "bool_or",
        "Whether the condition is true for any row.",
        &[sig(&[Bool], Bool)],
        &[("bool_or(x > 4)", "true")],
    ),
    aggregate("bit_and", "The bits that all values have.", BITS, &[("bit_and(x)", "0")]),
    aggregate("bit_or", "The bits that any value has.", BITS, &[("bit_or(x)", "7")]),
    aggregate(
        "bit_xor",
        "The bits that an odd number of values has.",
        BITS,
        &[("bit_xor(x)", "4")],
    ),
    aggregate(
        "product",
        "Multiplies; the result is a DOUBLE.",
        TO_DOUBLE,
        &[("product(x)", "20.0")],
    ),
    aggregate(
        "approx_count_distinct",
        "The number of distinct values. Exact here, under the name that says it need not be.",
        &[sig(&[Null], Int)],
        &[("approx_count_distinct(x)", "3")],
    ),
];
