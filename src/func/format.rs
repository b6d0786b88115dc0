//! `format` with braces and `printf` with percent signs, with a common description of fields.

use super::def::{Args, Fault, FuncCx, MAX_TEXT, Scalar, bad, check_length};
use super::text::shown;
use crate::catalog::Ty::{Null, Text};
use crate::catalog::{Signature, Value};

const ANY: &[Signature] =
    &[Signature::new(&[Text], Text), Signature::new(&[Text, Null], Text).variadic()];

pub(super) const ALL: &[Scalar] = &[
    Scalar::new(
        "text",
        "format",
        "The text with each pair of braces replaced by an argument: {} takes the next one, {2} the third. After a colon: fill and alignment (<, ^ or >), sign, #, 0, width, comma for thousands, precision, and the form d, x, X, o, b, c, f, e, g or s.",
        ANY,
        &[
            ("format('{} of {}', 1, 'two')", "1 of two"),
            (
                "format('{:>6}|{:05d}|{:.2f}|{:#x}', 'a', 42, 3.14159, 255)",
                "     a|00042|3.14|0xff",
            ),
        ],
        braces,
    ),
    Scalar::new(
        "text",
        "printf",
        "The text with each field such as %d, %5.1f, %-8s, %08x or %% replaced by the next argument. %x, %o, %b and %u show the two's complement of a number below zero, as C does.",
        ANY,
        &[
            ("printf('%5d|%-5s|%.1f|%x', 42, 'ab', 2.5, 255)", "   42|ab   |2.5|ff"),
            ("printf('%08x', -1073741819)", "ffffffffc0000005"),
        ],
        percents,
    ),
];

/// The format of one field.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "one for each flag of a field")]
struct FormatField {
    fill: char,
    /// `<`, `^`, `>`, or `None` for the default alignment of the type.
    align: Option<char>,
    plus: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    comma: bool,
    precision: Option<usize>,
    form: Option<char>,
    /// Whether hex, octal, binary and unsigned formats show the two's complement of a negative
    /// number, as C does.
    wraps: bool,
}

const PLAIN: FormatField = FormatField {
    fill: ' ',
    align: None,
    plus: None,
    alternate: false,
    zero: false,
    width: 0,
    comma: false,
    precision: None,
    form: None,
    wraps: false,
};

/// The maximum number of digits after the point.
const MAX_PRECISION: usize = 1000;

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn braces(cx: &FuncCx<'_>, a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let mut chars = a.text(0)?.chars().peekable();
    let mut result = String::new();
    let mut next = 0;
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => result.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => result.push('}'),
            '}' => return bad("a closing brace alone is written }}"),
            '{' => {
                let index = number(&mut chars)?.unwrap_or_else(|| {
                    next += 1;
                    next - 1
                });
                let field =
                    if chars.next_if_eq(&':').is_some() { brace_field(&mut chars)? } else { PLAIN };
                if chars.next() != Some('}') {
                    return bad(
                        "a field such as {} or {:>8} is not closed, or not of a known form",
                    );
                }
                push(cx, &mut result, &field, a.get(index.saturating_add(1)))?;
            }
            _ => result.push(c),
        }
        check_length(Some(result.len()))?;
    }
    Ok(Value::text(result))
}

fn brace_field(chars: &mut Chars<'_>) -> Result<FormatField, Fault> {
    let mut field = PLAIN;
    let mut ahead = chars.clone();
    let (first, second) = (ahead.next(), ahead.next());
    let is_align = |c: Option<char>| matches!(c, Some('<' | '^' | '>'));
    if is_align(second) && first != Some('}') {
        field.fill = first.unwrap_or(' ');
        field.align = second;
        chars.next();
        chars.next();
    } else if is_align(first) {
        field.align = chars.next();
    }
    field.plus = chars.next_if(|c| matches!(c, '+' | '-' | ' ')).filter(|&c| c != '-');
    field.alternate = chars.next_if_eq(&'#').is_some();
    field.zero = chars.next_if_eq(&'0').is_some();
    field.width = number(chars)?.unwrap_or(0);
    field.comma = chars.next_if_eq(&',').is_some();
    if chars.next_if_eq(&'.').is_some() {
        field.precision = Some(number(chars)?.unwrap_or(0));
    }
    field.form = chars.next_if(char::is_ascii_alphabetic);
    Ok(field)
}

fn percents(cx: &FuncCx<'_>, a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let mut chars = a.text(0)?.chars().peekable();
    let mut result = String::new();
    let mut next = 1;
    while let Some(c) = chars.next() {
        if c != '%' {
            result.push(c);
        } else if chars.next_if_eq(&'%').is_some() {
            result.push('%');
        } else {
            push(cx, &mut result, &percent_field(&mut chars)?, a.get(next))?;
            next += 1;
        }
        check_length(Some(result.len()))?;
    }
    Ok(Value::text(result))
}

fn percent_field(chars: &mut Chars<'_>) -> Result<FormatField, Fault> {
    let mut field = FormatField { align: Some('>'), ..PLAIN };
    while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | ' ' | '#' | '0' | ',')) {
        match flag {
            '-' => field.align = Some('<'),
            '#' => field.alternate = true,
            '0' => field.zero = true,
            ',' => field.comma = true,
            _ => field.plus = Some(flag),
        }
    }
    if field.zero && field.align == Some('>') {
        field.align = None;
    }
    field.width = number(chars)?.unwrap_or(0);
    if chars.next_if_eq(&'.').is_some() {
        field.precision = Some(number(chars)?.unwrap_or(0));
    }
    // The length modifiers of C have no effect here.
    while chars.next_if(|c| matches!(c, 'l' | 'h' | 'z' | 'j')).is_some() {}
    field.wraps = true;
    field.form = match chars.next() {
        Some('i') => Some('d'),
        Some('p') => None,
        Some(c @ ('d' | 'u' | 'x' | 'X' | 'o' | 's' | 'f' | 'e' | 'g' | 'b' | 'c')) => Some(c),
        _ => {
            return bad("a percent sign is followed by a form such as d, x, s or f, or by another");
        }
    };
    Ok(field)
}

/// A run of digits; `None` if there is none.
fn number(chars: &mut Chars<'_>) -> Result<Option<usize>, Fault> {
    let mut value: Option<usize> = None;
    while let Some(c) = chars.next_if(char::is_ascii_digit) {
        let digit = c.to_digit(10).unwrap_or(0) as usize;
        let longer = value.unwrap_or(0).checked_mul(10).and_then(|v| v.checked_add(digit));
        match longer.filter(|&v| v <= MAX_TEXT) {
            Some(longer) => value = Some(longer),
            None => return bad("a width in the format is too large"),
        }
    }
    Ok(value)
}

fn push(
    cx: &FuncCx<'_>,
    result: &mut String,
    field: &FormatField,
    value: Option<&Value<'_>>,
) -> Result<(), Fault> {
    let Some(value) = value else { return bad("the format names more values than there are") };
    if field.precision.is_some_and(|p| p > MAX_PRECISION) {
        return bad("a precision in the format is too large");
    }
    let is_number = matches!(value, Value::Int(_) | Value::Double(_) | Value::Addr(_));
    let (sign, body) = body(cx, field, value)?;
    let missing = field.width.saturating_sub(sign.chars().count() + body.chars().count());
    check_length(result.len().checked_add(missing.saturating_mul(4)))?;
    if field.zero && field.align.is_none() && is_number {
        result.push_str(&sign);
        result.extend(std::iter::repeat_n('0', missing));
        result.push_str(&body);
        return Ok(());
    }
    let before = match field.align.unwrap_or(if is_number { '>' } else { '<' }) {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    result.extend(std::iter::repeat_n(field.fill, before));
    result.push_str(&sign);
    result.push_str(&body);
    result.extend(std::iter::repeat_n(field.fill, missing - before));
    Ok(())
}

/// The sign (with the prefix of the base) and the remaining text of a value.
fn body(
    cx: &FuncCx<'_>,
    field: &FormatField,
    value: &Value<'_>,
) -> Result<(String, String), Fault> {
    let form = field.form;
    match (value, form) {
        (Value::Int(v), Some('x' | 'X' | 'o' | 'b' | 'u')) if field.wraps => {
            Ok(integer(field, false, v.cast_unsigned()))
        }
        (Value::Int(v), None | Some('d' | 'x' | 'X' | 'o' | 'b')) => {
            Ok(integer(field, *v < 0, v.unsigned_abs()))
        }
        (Value::Bool(v), Some('d')) => Ok(integer(field, false, u64::from(*v))),
        (Value::Addr(v), Some('d' | 'u' | 'x' | 'X' | 'o' | 'b')) => Ok(integer(field, false, *v)),
        (Value::Int(v), Some('c')) => {
            let c = u32::try_from(*v).ok().and_then(char::from_u32);
            let text = c.map(String::from);
            text.map(|text| (String::new(), text))
                .map_or_else(|| bad(format!("{v} is not a code point of a character")), Ok)
        }
        #[allow(clippy::cast_precision_loss, reason = "floating point is requested")]
        (Value::Int(v), Some('f' | 'e' | 'g')) => Ok(float(field, *v as f64)),
        (Value::Double(v), Some('f' | 'e' | 'g')) => Ok(float(field, *v)),
        (Value::Double(v), None) if field.precision.is_some() => {
            Ok(float(&FormatField { form: Some('g'), ..*field }, *v))
        }
        (Value::Double(v), None) if field.comma => {
            let text = shown(cx, &Value::Double(v.abs()));
            Ok((sign(field, *v < 0.0), grouped(&text)))
        }
        (_, None | Some('s')) => {
            let text = value.as_text().map_or_else(|| shown(cx, value), str::to_owned);
            let text = match field.precision {
                Some(n) if value.as_text().is_some() => text.chars().take(n).collect(),
                _ => text,
            };
            Ok((String::new(), text))
        }
        (_, Some(form)) => {
            bad(format!("the form {form} does not show a value of type {}", value.ty()))
        }
    }
}

fn sign(field: &FormatField, negative: bool) -> String {
    if negative { "-".to_owned() } else { field.plus.map(String::from).unwrap_or_default() }
}

fn integer(field: &FormatField, negative: bool, magnitude: u64) -> (String, String) {
    let (prefix, digits) = match field.form {
        Some('x') => ("0x", format!("{magnitude:x}")),
        Some('X') => ("0X", format!("{magnitude:X}")),
        Some('o') => ("0", format!("{magnitude:o}")),
        Some('b') => ("0b", format!("{magnitude:b}")),
        _ => ("", magnitude.to_string()),
    };
    let mut sign = sign(field, negative);
    if field.alternate {
        sign.push_str(prefix);
    }
    (sign, if field.comma { thousands(&digits) } else { digits })
}

fn float(field: &FormatField, value: f64) -> (String, String) {
    let sign = sign(field, value.is_sign_negative() && !value.is_nan());
    if !value.is_finite() {
        return (sign, if value.is_nan() { "nan" } else { "inf" }.to_owned());
    }
    let precision = field.precision.unwrap_or(6);
    let magnitude = value.abs();
    let digits = match field.form {
        Some('e') => exponent(&format!("{magnitude:.precision$e}")),
        Some('g') => general(magnitude, precision.max(1)),
        _ => format!("{magnitude:.precision$}"),
    };
    (sign, if field.comma { grouped(&digits) } else { digits })
}

/// This many significant digits without trailing zeros, with an exponent if C would show one.
fn general(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.digits$e}", digits = precision - 1);
    let power: i32 = text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let trimmed = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
            .to_owned()
    };
    let plain = usize::try_from(power).map_or(power >= -4, |power| power < precision);
    if plain {
        let places = i32::try_from(precision).unwrap_or(i32::MAX).saturating_sub(1 + power);
        let places = usize::try_from(places).unwrap_or(0);
        return trimmed(&format!("{magnitude:.places$}"));
    }
    let (mantissa, exponent_text) = text.split_once('e').unwrap_or((&text, "0"));
    exponent(&format!("{}e{exponent_text}", trimmed(mantissa)))
}

/// Adds commas as thousands separators before the point.
fn grouped(number: &str) -> String {
    let at = number.find(['.', 'e']).unwrap_or(number.len());
    let (whole, rest) = number.split_at(at);
    thousands(whole) + rest
}

/// Converts an exponent to the notation of C: `1.5e3` becomes `1.5e+03`.
fn exponent(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn thousands(digits: &str) -> String {
    let count = digits.len();
    let mut result = String::with_capacity(count + count / 3);
    for (index, c) in digits.chars().enumerate() {
        if index > 0 && (count - index).is_multiple_of(3) {
            result.push(',');
        }
        result.push(c);
    }
    result
}
