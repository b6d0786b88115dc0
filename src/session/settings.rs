//! The settings that `SET` changes: limits of the queries of a session.

use std::time::Duration;

use super::options::{MEMORY, Options};
use crate::catalog::{Setting, Value};
use crate::time::{parse_interval, render_interval};

/// The settings of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// The memory limit of a query in bytes.
    pub(super) memory: usize,
    /// The time limit of a statement.
    pub(super) timeout: Option<Duration>,
    /// Whether a value that cannot be read is an error.
    pub(super) strict: bool,
}

/// The names of all settings.
const NAMES: [&str; 3] = ["memory_limit", "strict", "timeout"];

impl Settings {
    /// The initial settings from the options of a session.
    pub(super) fn of(options: &Options) -> Self {
        let memory = options.memory.unwrap_or(MEMORY);
        Self { memory, timeout: None, strict: options.strict }
    }

    /// The names of all settings, for suggestions.
    pub(super) const fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// The documented name of a setting.
    pub(super) fn named(name: &str) -> Option<&'static str> {
        let name = match name.to_ascii_lowercase().as_str() {
            "max_memory" => "memory_limit".to_owned(),
            "statement_timeout" => "timeout".to_owned(),
            other => other.to_owned(),
        };
        NAMES.into_iter().find(|known| *known == name)
    }

    /// All settings with their values and initial values.
    pub(super) fn listed(&self, first: &Self) -> Vec<Setting> {
        let setting = |name, value: &dyn Fn(&Self) -> String, doc| Setting {
            name,
            value: value(self),
            default: value(first),
            doc,
        };
        let timeout = |s: &Self| s.timeout.map_or_else(|| "none".to_owned(), duration);
        vec![
            setting(
                "memory_limit",
                &|s| bytes(s.memory),
                "How many bytes the rows and values of a query may take: a size such as 500MB.",
            ),
            setting(
                "strict",
                &|s| s.strict.to_string(),
                "Whether a value that cannot be read is an error.",
            ),
            setting(
                "timeout",
                &timeout,
                "How long a statement may take: a duration such as 30s, or none.",
            ),
        ]
    }

    /// Sets a setting. Without `trust`, the memory limit cannot exceed that of `first`.
    ///
    /// # Errors
    ///
    /// If the value is invalid.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: &Value<'_>,
        first: &Self,
        trust: bool,
    ) -> Result<(), String> {
        match name {
            "memory_limit" => {
                let size = size(value).ok_or("memory_limit is a size such as 500MB")?;
                if size > first.memory && !trust {
                    return Err(format!("this program allows {} at most", bytes(first.memory)));
                }
                self.memory = size;
            }
            "strict" => self.strict = truth(value).ok_or("strict is true or false")?,
            _ => self.timeout = time(value).ok_or("timeout is a duration such as 30s, or none")?,
        }
        Ok(())
    }

    /// Resets a setting to its initial value.
    pub(super) const fn reset(&mut self, name: &str, first: &Self) {
        match name.as_bytes() {
            b"memory_limit" => self.memory = first.memory,
            b"strict" => self.strict = first.strict,
            _ => self.timeout = first.timeout,
        }
    }
}

fn truth(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Text(word) => match word.to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Some(true),
            "false" | "off" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A number of bytes above 0; 1 KB is 1024 bytes.
fn size(value: &Value<'_>) -> Option<usize> {
    match value {
        Value::Int(bytes) => usize::try_from(*bytes).ok().filter(|&bytes| bytes > 0),
        Value::Text(text) => {
            let lower = text.trim().to_ascii_lowercase();
            let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let shift = match lower.get(number.len()..).unwrap_or_default() {
                "" | "b" | "bytes" => 0,
                "k" | "kb" | "kib" => 10,
                "m" | "mb" | "mib" => 20,
                "g" | "gb" | "gib" => 30,
                "t" | "tb" | "tib" => 40,
                _ => return None,
            };
            let number: u64 = number.trim().parse().ok()?;
            let bytes = number.checked_mul(1u64.checked_shl(shift)?)?;
            usize::try_from(bytes).ok().filter(|&bytes| bytes > 0)
        }
        _ => None,
    }
}

/// A duration; NULL, 0 and words such as `off` mean none.
#[allow(
    clippy::option_option,
    reason = "an invalid value and a value for none are different results"
)]
fn time(value: &Value<'_>) -> Option<Option<Duration>> {
    let micros = match value {
        Value::Null | Value::Int(0) => 0,
        Value::Interval(micros) => *micros,
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "none" | "off" | "unlimited" | "0" | "" => 0,
            text => parse_interval(text).ok()?,
        },
        _ => return None,
    };
    let micros = u64::try_from(micros).ok()?;
    Some((micros > 0).then(|| Duration::from_micros(micros)))
}

fn duration(time: Duration) -> String {
    render_interval(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

/// A size in the largest unit in which it is a whole number.
fn bytes(size: usize) -> String {
    let units = [(30, "GB"), (20, "MB"), (10, "KB")];
    let fits = units.into_iter().find(|(shift, _)| size > 0 && size.is_multiple_of(1 << shift));
    match fits {
        Some((shift, unit)) => format!("{}{unit}", size >> shift),
        None => format!("{size} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Settings {
        Settings::of(&Options::default())
    }

    #[test]
    fn values_are_accepted_in_common_notations() {
        let mut settings = first();
        let mut set =
            |name, value| settings.set(name, &value, &first(), false).map(|()| settings.clone());
        assert_eq!(set("memory_limit", Value::text("64MB")).unwrap().memory, 64 << 20);
        assert_eq!(set("memory_limit", Value::Int(1 << 20)).unwrap().memory, 1 << 20);
        assert!(set("memory_limit", Value::text("64 parsecs")).is_err());
        assert!(set("memory_limit", Value::Int(0)).is_err());
        assert!(set("strict", Value::text("on")).unwrap().strict);
        assert!(set("strict", Value::Double(1.0)).is_err());
        let five = Some(Duration::from_secs(5));
        assert_eq!(set("timeout", Value::Interval(5_000_000)).unwrap().timeout, five);
        assert_eq!(set("timeout", Value::text("00:00:05")).unwrap().timeout, five);
        assert_eq!(set("timeout", Value::text("none")).unwrap().timeout, None);
        assert!(set("timeout", Value::Interval(-1)).is_err());
        assert_eq!(bytes(224 << 20), "224MB");
        assert_eq!(bytes(1000), "1000 bytes");
    }

    #[test]
    fn only_a_trusted_caller_raises_the_memory_limit() {
        let more = Value::text("100GB");
        assert!(first().set("memory_limit", &more, &first(), false).is_err());
        assert!(first().set("memory_limit", &more, &first(), true).is_ok());
    }
}
