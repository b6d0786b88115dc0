//! A position in a text that is parsed from left to right.

/// The remaining text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a>(pub(super) &'a str);

impl<'a> Scan<'a> {
    pub(super) const fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// Consumes the character if it is next.
    pub(super) fn eat(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Consumes the word, ignoring case, if it is next and no letter follows.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let mut ahead = *self;
        let found = ahead.word().eq_ignore_ascii_case(word);
        if found {
            *self = ahead;
        }
        found
    }

    pub(super) fn blanks(&mut self) {
        self.0 = self.0.trim_start();
    }

    /// Consumes up to `most` bytes for which `holds` is true.
    fn take(&mut self, most: usize, holds: impl Fn(u8) -> bool) -> &'a str {
        let length = self.0.bytes().take(most).take_while(|b| holds(*b)).count();
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or(("", self.0));
        self.0 = rest;
        taken
    }

    /// The next letters; may be empty.
    pub(super) fn word(&mut self) -> &'a str {
        self.take(usize::MAX, |b| b.is_ascii_alphabetic())
    }

    /// The next digits, at most this many.
    pub(super) fn digits(&mut self, most: usize) -> &'a str {
        self.take(most, |b| b.is_ascii_digit())
    }

    /// A number with at least one and at most this many digits.
    pub(super) fn number(&mut self, most: usize) -> Option<i64> {
        self.digits(most).parse().ok()
    }

    /// `12:34[:56[.789]]` as microseconds, rounded down.
    pub(super) fn clock(&mut self) -> Option<i64> {
        let hours = self.number(12)?;
        let minutes = self.eat(':').then(|| self.number(2))??;
        let mut micros = 0;
        if self.eat(':') {
            let seconds = self.number(2).filter(|&s| s < 60)?;
            micros = seconds * super::SECOND;
            if self.eat('.') {
                micros += fraction(self.digits(usize::MAX))?;
            }
        }
        let minutes = Some(minutes).filter(|&m| m < 60)?;
        hours.checked_mul(super::HOUR)?.checked_add(minutes * super::MINUTE)?.checked_add(micros)
    }
}

/// The digits after a point as microseconds.
fn fraction(digits: &str) -> Option<i64> {
    let mut micros = 0;
    for digit in digits.chars().chain(std::iter::repeat('0')).take(6) {
        micros = micros * 10 + i64::from(digit.to_digit(10)?);
    }
    Some(micros)
}
