//! Runs the examples of the functions without an engine: only calls and literals.
//! `tests/it/functions.rs` runs all of them as queries.

use super::{Fault, FuncCx, scalars};
use crate::catalog::{Format, PointerWidth, Signature, Ty, Value};
use crate::time::{parse_interval, parse_timestamp};

struct Reader<'a> {
    rest: &'a str,
}

type Outcome = Result<Value<'static>, Fault>;

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn quoted(&mut self) -> String {
        let mut text = String::new();
        loop {
            let end = self.rest.find('\'').expect("a closing quote");
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            if !self.rest.starts_with('\'') {
                return text;
            }
            text.push('\'');
            self.rest = &self.rest[1..];
        }
    }

    fn value(&mut self) -> Outcome {
        if self.eat("'") {
            return Ok(Value::text(self.quoted()));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.rest = &self.rest[end..];
        if let Some(digits) = word.strip_prefix("0x") {
            return Ok(Value::Addr(u64::from_str_radix(digits, 16).expect("hex")));
        }
        if let Ok(number) = word.parse() {
            return Ok(Value::Int(number));
        }
        if let (Ok(number), true) = (word.parse(), word.contains('.')) {
            return Ok(Value::Double(number));
        }
        match word {
            "NULL" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "TIMESTAMP" => {
                assert!(self.eat("'"));
                Ok(Value::Time(parse_timestamp(&self.quoted()).expect("a time")))
            }
            "INTERVAL" => {
                assert!(self.eat("'"));
                Ok(Value::Interval(parse_interval(&self.quoted()).expect("an interval")))
            }
            name => {
                let name = name.to_owned();
                self.call(&name)
            }
        }
    }

    fn call(&mut self, name: &str) -> Outcome {
        assert!(self.eat("("), "{name} is no function");
        let mut args = Vec::new();
        while !self.eat(")") {
            args.push(self.value()?);
            self.eat(",");
        }
        let lower = name.to_lowercase();
        let named = |f: &&super::Scalar| f.spec.name == lower || f.spec.aliases.contains(&&*lower);
        let function = scalars().find(named).unwrap_or_else(|| panic!("no function {name}"));
        let fitting = function.spec.signatures.iter().find_map(|s| converted(s, &args));
        let args = fitting.unwrap_or_else(|| panic!("no signature of {name} takes {args:?}"));
        if !function.spec.takes_null && args.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        (function.eval)(&FuncCx::new(&[], PointerWidth::Bits64), &args)
    }
}

fn converted(signature: &Signature, args: &[Value<'static>]) -> Option<Vec<Value<'static>>> {
    let least = signature.args.len() - signature.optional;
    let most = if signature.variadic { usize::MAX } else { signature.args.len() };
    if args.len() < least || args.len() > most {
        return None;
    }
    let last = signature.args.last().copied().unwrap_or(Ty::Null);
    let types = signature.args.iter().copied().chain(std::iter::repeat(last));
    args.iter().zip(types).map(|(value, ty)| convert(value, ty)).collect()
}

fn convert(value: &Value<'static>, ty: Ty) -> Option<Value<'static>> {
    match (value, ty) {
        (Value::Null, _) => Some(Value::Null),
        (v, ty) if ty == Ty::Null || v.ty() == ty => Some(v.clone()),
        (Value::Int(v), Ty::Double) => v.to_string().parse().ok().map(Value::Double),
        (Value::Int(v), Ty::Addr) => u64::try_from(*v).ok().map(Value::Addr),
        _ => None,
    }
}

fn run(text: &str) -> Outcome {
    let mut reader = Reader { rest: text };
    let value = reader.value();
    assert!(value.is_err() || reader.rest.is_empty(), "{text}: {} is left", reader.rest);
    value
}

#[test]
fn examples_hold() {
    let mut failures = Vec::new();
    // Functions that create lists and structures need the types that planning determines.
    let plain = scalars().filter(|f| !matches!(f.spec.family, "list" | "structure"));
    for (expression, expected) in plain.flat_map(|f| f.spec.examples) {
        // `tests/it/functions.rs` runs the examples with operators.
        let is_call = expression.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_call
            || expected.starts_with(['[', '{'])
            || ["[", "{", "::", "||", " + ", " < ", " > ", " <= ", " = ", " -> ", " ->> "]
                .iter()
                .any(|operator| expression.contains(operator))
        {
            continue;
        }
        let got = run(expression).map(|v| Format::Plain.render(&v, PointerWidth::Bits64));
        if got.as_deref() != Ok(*expected) {
            failures.push(format!("{expression}: {got:?}, not {expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The results of DuckDB 2.0 for the same calls, except for errors where DuckDB returns NaN or
/// infinity.
#[test]
fn edge_cases_equal_those_of_duckdb() {
    let ok: &[(&str, &str)] = &[
        ("substring('hello', 0, 3)", "he"),
        ("substring('hello', -10, 7)", "he"),
        ("substring('hello', 2, -1)", "h"),
        ("substring('hello', -2, -2)", "el"),
        ("substring('héllo', 2, 2)", "él"),
        ("left('abc', -5)", ""),
        ("right('abc', 0)", ""),
        ("right('héllo', 2)", "lo"),
        ("lpad('abc', 5, 'xy')", "xyabc"),
        ("lpad('abc', 2, 'x')", "ab"),
        ("lpad('abc', -1)", ""),
        ("repeat('ab', -1)", ""),
        ("strpos('hello', '')", "1"),
        ("strpos('héllo', 'l')", "3"),
        ("split_part('a,b,c', ',', 0)", ""),
        ("split_part('a,b,c', ',', 9)", ""),
        ("split_part('abc', '', 2)", "b"),
        ("translate('hello', 'el', 'i')", "hio"),
        ("unicode('')", "-1"),
        ("ascii('')", "0"),
        ("concat_ws(NULL, 'a')", ""),
        ("regexp_extract('abc', '[0-9]+')", ""),
        ("regexp_extract('abc', 'a', 1)", ""),
        ("regexp_replace('HELLO', 'l', 'x', 'gi')", "HExxO"),
        ("regexp_replace('abc', 'b', '\\0\\0')", "abbc"),
        ("regexp_replace('abc', 'b', '$1')", "a$1c"),
        ("regexp_replace('abc', '', '-', 'g')", "-a-b-c-"),
        ("replace('abc', '', 'x')", "abc"),
        ("round(-2.5)", "-3.0"),
        ("round(15, -1)", "20"),
        ("round(2.5, 400)", "2.5"),
        ("round(2.5, -400)", "0.0"),
        ("gcd(-12, 18)", "6"),
        ("gcd(0, 0)", "0"),
        ("lcm(-4, 6)", "12"),
        ("lcm(0, 5)", "0"),
        ("mod(7, 0)", ""),
        ("bit_count(-1)", "64"),
        ("to_hex(-1)", "FFFFFFFFFFFFFFFF"),
        ("format_bytes(1)", "1 byte"),
        ("format_bytes(1048575)", "1023.9 KiB"),
        ("format_bytes(-2048)", "-2.0 KiB"),
        ("parse_filename('a/b.tar.gz', true)", "b.tar"),
        ("parse_dirname('c.txt')", ""),
        ("date_trunc('week', TIMESTAMP '2020-01-02')", "2019-12-30 00:00:00"),
        ("date_trunc('quarter', TIMESTAMP '2020-05-02')", "2020-04-01 00:00:00"),
        ("date_trunc('century', TIMESTAMP '2025-05-02')", "2000-01-01 00:00:00"),
        ("date_trunc('minute', TIMESTAMP '1969-12-31 23:59:59.5')", "1969-12-31 23:59:00"),
        ("date_part('week', TIMESTAMP '2021-01-01')", "53"),
        ("date_part('isoyear', TIMESTAMP '2021-01-01')", "2020"),
        ("date_part('millennium', TIMESTAMP '2020-01-02')", "3"),
        ("date_part('isodow', TIMESTAMP '2020-01-05')", "7"),
        ("date_part('day', INTERVAL '1 day 2 hours')", "1"),
        ("date_diff('month', TIMESTAMP '2020-01-31', TIMESTAMP '2020-02-01')", "1"),
        // DuckDB returns 0, contrary to its own documentation: a Monday lies between the two.
        ("date_diff('week', TIMESTAMP '2020-01-05', TIMESTAMP '2020-01-06')", "1"),
        ("date_diff('week', TIMESTAMP '2020-01-06', TIMESTAMP '2020-01-12')", "0"),
        ("date_diff('decade', TIMESTAMP '2019-03-31', TIMESTAMP '2020-04-01')", "1"),
        (
            "strftime(TIMESTAMP '2020-01-02 03:04:05.678901', '%f %g %j %a %b %y %I %p %w %u')",
            "678901 678 002 Thu Jan 20 03 AM 4 4",
        ),
        (
            "strftime(TIMESTAMP '2020-01-02 03:04:05.6', '%U %W %V %G %-d %-H %x %X %%')",
            "00 00 01 2020 2 3 2020-01-02 03:04:05 %",
        ),
    ];
    for (expression, expected) in ok {
        let got = run(expression).map(|v| Format::Plain.render(&v, PointerWidth::Bits64));
        assert_eq!(got.as_deref(), Ok(*expected), "{expression}");
    }
}

#[test]
fn bad_arguments_are_faults() {
    for expression in [
        "abs(-9223372036854775808)",
        "sqrt(-1)",
        "ln(0)",
        "log(1, 5)",
        "exp(1000)",
        "pow(10, 400)",
        "pow(-1, 0.5)",
        "lcm(9223372036854775807, 2)",
        "gcd(-9223372036854775808, 0)",
        "round(9223372036854775807, -1)",
        "align_up(9223372036854775807, 2)",
        "align_down(1, 0)",
        "lpad('a', 5, '')",
        "lpad('a', 99999999999)",
        "repeat('ab', 99999999999)",
        "repeat('ab', 9999999)",
        "chr(-1)",
        "chr(55296)",
        "regexp_matches('a', '(')",
        "regexp_full_match('a', 'a)(a')",
        "regexp_matches('a', 'a', 'q')",
        "regexp_matches('a', '(((a{1000}){1000}){1000})')",
        "regexp_replace('abc', 'b', '\\2')",
        "regexp_replace('abc', 'b', '\\x')",
        "regexp_replace('abc', 'b', '\\')",
        "format('{')",
        "format('{}')",
        "format('{:99999999999}', 1)",
        "format('{:d}', 'a')",
        "printf('%')",
        "printf('%q', 1)",
        "date_trunc('x', TIMESTAMP '2020-05-02')",
        "date_part('month', INTERVAL '1 day')",
        "strftime(TIMESTAMP '2020-01-02', '%q')",
        "strftime(TIMESTAMP '2020-01-02', '%')",
        "make_timestamp(2007, 2, 30, 0, 0, 0)",
        "to_days(9223372036854775807)",
        "to_seconds(99999999999999999999.0)",
        "time_bucket(INTERVAL '0 s', TIMESTAMP '2020-01-02')",
        "addr('xyz')",
        "addr('11112222333344445')",
        "poi(0)",
    ] {
        assert!(run(expression).is_err(), "{expression}: {:?}", run(expression));
    }
}
