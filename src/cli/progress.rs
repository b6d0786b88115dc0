//! A spinner with the rows read so far, once a query has taken half a second.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::session::Session;

const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Says when nothing may be drawn.
#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    since: Instant,
    paused: bool,
    done: bool,
    bar: Option<ProgressBar>,
}

/// Runs `work` while a second thread shows progress on standard error, if `shown`.
pub(super) fn with_progress<T>(
    session: &Session,
    shown: bool,
    work: impl FnOnce(&Progress) -> T,
) -> T {
    let progress = Progress {
        state: Mutex::new(State { since: Instant::now(), paused: false, done: false, bar: None }),
        changed: Condvar::new(),
    };
    if !shown {
        return work(&progress);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| progress.draw(session));
        let _end = End(&progress);
        work(&progress)
    })
}

/// Ends the drawing thread, also when the work panics.
struct End<'a>(&'a Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.done = true);
    }
}

impl Progress {
    /// Does something that writes to the terminal, with the spinner gone.
    pub(super) fn paused<T>(&self, work: impl FnOnce() -> T) -> T {
        self.change(|state| state.paused = true);
        let outcome = work();
        self.change(|state| {
            state.paused = false;
            state.since = Instant::now();
        });
        outcome
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
        change(&mut state);
        drop(state);
        self.changed.notify_all();
    }

    fn draw(&self, session: &Session) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.done {
            if !state.paused && state.since.elapsed() >= PATIENCE {
                let seconds = state.since.elapsed().as_secs();
                let rows = grouped(session.rows_read());
                let bar = state.bar.get_or_insert_with(spinner);
                bar.set_message(format!("{rows} rows read, {seconds} s"));
                bar.tick();
            }
            let waited = self.changed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  (Ctrl-C cancels)") {
        bar.set_style(style);
    }
    bar
}

/// A number with its thousands set apart.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
