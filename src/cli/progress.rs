//! Progress display, shown after half a second: a bar for a search of memory, or a spinner with the
//! number of rows.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::session::QueryProgress;

const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Shared state that stops or pauses the drawing.
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
    query: &QueryProgress,
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
        // If no thread can be started, nothing is drawn.
        let _ = std::thread::Builder::new().spawn_scoped(scope, || progress.draw(query));
        let _end = End(&progress);
        work(&progress)
    })
}

/// Stops the drawing thread, even if the work panics.
struct End<'a>(&'a Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.done = true);
    }
}

impl Progress {
    /// Runs code that writes to the terminal while the spinner is hidden.
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

    fn draw(&self, query: &QueryProgress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.done {
            if !state.paused && state.since.elapsed() >= PATIENCE {
                let seconds = state.since.elapsed().as_secs();
                let bar = state.bar.get_or_insert_with(spinner);
                show(bar, query, seconds);
                bar.tick();
            }
            let waited = self.changed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn spinner() -> ProgressBar {
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
}

/// Shows the progress of a search, or else the number of rows read.
fn show(bar: &ProgressBar, query: &QueryProgress, seconds: u64) {
    let search = query.searched();
    let (template, text) = if let Some((done, all)) = search {
        ("{spinner} [{bar:30}] {msg}  (Ctrl-C cancels)", searched(done, all))
    } else {
        let rows = grouped(query.rows_read());
        ("{spinner} {msg}  (Ctrl-C cancels)", format!("{rows} rows read"))
    };
    // The style is set first, because every change is drawn.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(format!("{text}, {seconds} s"));
    if let Some((done, all)) = search {
        bar.set_length(all);
        bar.set_position(done);
    }
}

/// How much of the memory has been searched.
fn searched(done: u64, all: u64) -> String {
    let megabytes = |bytes: u64| grouped(usize::try_from(bytes >> 20).unwrap_or(usize::MAX));
    format!("{} of {} MB of memory searched", megabytes(done), megabytes(all))
}

/// A number with thousands separators.
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
    use super::{grouped, searched};

    #[test]
    fn memory_is_counted_in_megabytes() {
        assert_eq!(searched(3 << 29, 1 << 33), "1,536 of 8,192 MB of memory searched");
    }

    #[test]
    fn numbers_have_thousands_separators() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
