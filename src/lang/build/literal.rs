//! Literals: converts the text to a value and checks its range.

use pest::iterators::Pair;

use super::{Builder, Built, defect, found, last, unquoted};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::Literal;
use crate::lang::syntax::Rule;
use crate::time::{self, Interval, Unit};

impl Builder {
    pub(super) fn literal(&self, pair: Pair<'_, Rule>) -> Built<Literal> {
        let span = self.span(&pair);
        let token = pair.as_str();
        match pair.as_rule() {
            Rule::null => Ok(Literal::Null),
            Rule::boolean => Ok(Literal::Bool(last(pair)?.as_rule() == Rule::TRUE)),
            Rule::text => Ok(Literal::Text(unquoted(token, '\''))),
            Rule::escaped => escaped(token, span),
            Rule::address => address(token, span),
            Rule::integer => {
                let number = token.replace('_', "").parse();
                let message = "a whole number is beyond 18446744073709551615";
                number.map(Literal::Int).map_err(|_| {
                    bad(span, message).help("write it with a point, as 1.0e20, for a DOUBLE")
                })
            }
            Rule::double => match token.replace('_', "").parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Literal::Double(number)),
                _ => Err(bad(span, "a number is out of the range of DOUBLE")),
            },
            Rule::duration_or_size => with_unit(pair, span),
            Rule::timestamp => {
                let is_date = pair.clone().into_inner().any(|p| p.as_rule() == Rule::DATE);
                let quoted = last(pair)?;
                let place = self.span(&quoted);
                let text = unquoted(quoted.as_str(), '\'');
                let parsed = if is_date {
                    time::parse_date(&text).map(Literal::Date)
                } else {
                    time::parse_timestamp(&text).map(Literal::Time)
                };
                parsed.ok_or_else(|| {
                    let (what, form) = if is_date {
                        ("date", "DATE '2024-05-01'")
                    } else {
                        ("timestamp", "TIMESTAMP '2024-05-01 12:34:56.789'")
                    };
                    bad(place, format!("found {}, expected a {what}", shown(&text)))
                        .help(format!("write {form}, in UTC"))
                })
            }
            Rule::interval => self.interval(pair, span),
            rule => Err(defect(rule)),
        }
    }

    fn interval(&self, pair: Pair<'_, Rule>, span: Span) -> Built<Literal> {
        let (mut amount, mut unit) = (None, None);
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::text => amount = Some((unquoted(part.as_str(), '\''), place)),
                Rule::amount => amount = Some((part.as_str().replace('_', ""), place)),
                Rule::interval_unit => unit = Some((part.as_str().to_owned(), place)),
                _ => {}
            }
        }
        let (amount, place) = found(amount)?;
        let (text, place) = match unit {
            Some((unit, end)) => (format!("{amount} {unit}"), place.to(end)),
            None => (amount, place),
        };
        time::parse_months(&text).map(Literal::Interval).map_err(|problem| match problem {
            time::Problem::Calendar => {
                bad(place, "a fraction of a month has no fixed length, expected whole months")
                    .help("write INTERVAL '1 month 15 days'")
            }
            time::Problem::Range => bad(span, "an interval is beyond 292,000 years"),
            time::Problem::Form => {
                bad(place, format!("found {}, expected an interval", shown(&text))).help(
                    "write INTERVAL '1 day 02:30:00', INTERVAL '5 minutes' or INTERVAL 5 MINUTE",
                )
            }
        })
    }
}

fn bad(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::at(Code::BadLiteral, span, message)
}

/// A text shortened for messages.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("'{short}…'") } else { format!("'{short}'") }
}

fn address(token: &str, span: Span) -> Built<Literal> {
    let digits = token.strip_prefix("0x").or_else(|| token.strip_prefix("0X")).unwrap_or(token);
    u64::from_str_radix(&digits.replace('`', ""), 16)
        .map(Literal::Addr)
        .map_err(|_| bad(span, "an address has more than 16 hex digits"))
}

/// A number with a unit, such as `64KB` or `1.5h`: bytes or an interval.
fn with_unit(pair: Pair<'_, Rule>, span: Span) -> Built<Literal> {
    let mut parts = pair.into_inner();
    let quantity = found(parts.next())?.as_str().replace('_', "");
    let unit = found(parts.next())?.as_str().to_ascii_lowercase();
    let (factor, is_size) = match unit.as_str() {
        "kb" | "kib" => (1 << 10, true),
        "mb" | "mib" => (1 << 20, true),
        "gb" | "gib" => (1 << 30, true),
        "tb" | "tib" => (1 << 40, true),
        other => (Unit::parse_length(other).and_then(Unit::length).unwrap_or(1), false),
    };
    let Some(value) = time::scaled(&quantity, factor) else {
        let what = if is_size { "bytes" } else { "microseconds" };
        let message = format!("found a literal that is not a whole number of {what} in 64 bits");
        return Err(bad(span, message));
    };
    Ok(if is_size {
        Literal::Int(value.unsigned_abs())
    } else {
        Literal::Interval(Interval { months: 0, micros: value })
    })
}

/// `E'…'` with its escapes resolved.
fn escaped(token: &str, span: Span) -> Built<Literal> {
    let inner = token.get(2..token.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                chars.next();
                text.push('\'');
            }
            '\\' => {
                let rest = chars.as_str();
                let Some((resolved, used)) = escape(rest) else {
                    let at = span.start as usize + 2 + (inner.len() - rest.len());
                    let next = rest.chars().next().map_or(0, char::len_utf8);
                    let place = Span::new(at - 1, at + next);
                    return Err(bad(place, "unknown escape")
                        .help(r"write \n, \t, \r, \b, \f, \\, \', \x41, \u00e9 or \U0001f600"));
                };
                text.push(resolved);
                chars = rest.get(used..).unwrap_or_default().chars();
            }
            other => text.push(other),
        }
    }
    Ok(Literal::Text(text))
}

/// The character after a backslash, and the number of bytes of the escape after that character.
fn escape(rest: &str) -> Option<(char, usize)> {
    let coded = |digits: usize| {
        let hex = rest.get(1..=digits).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, digits + 1))
    };
    match rest.chars().next()? {
        'n' => Some(('\n', 1)),
        't' => Some(('\t', 1)),
        'r' => Some(('\r', 1)),
        'b' => Some(('\u{8}', 1)),
        'f' => Some(('\u{c}', 1)),
        c @ ('\\' | '\'' | '"') => Some((c, 1)),
        'x' => coded(2),
        'u' => coded(4),
        'U' => coded(8),
        _ => None,
    }
}
