//! Ends the process when one piece of work hangs, and names it. No test asserts a time: the limit is
//! minutes away from what the slowest machine needs, and only a hang reaches it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// The limit of one piece of work.
const LIMIT: Duration = Duration::from_secs(15 * 60);

static STARTED: Once = Once::new();
static NEXT: AtomicU64 = AtomicU64::new(0);
static RUNNING: Mutex<BTreeMap<u64, (Instant, String)>> = Mutex::new(BTreeMap::new());

/// A piece of work that is watched until this value is dropped.
pub(crate) struct Watched(u64);

/// Watches a piece of work; `what` names it.
pub(crate) fn watch(what: impl Into<String>) -> Watched {
    STARTED.call_once(|| drop(std::thread::spawn(look)));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.insert(number, (Instant::now(), what.into()));
    Watched(number)
}

impl Drop for Watched {
    fn drop(&mut self) {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

fn look() {
    loop {
        std::thread::sleep(Duration::from_secs(10));
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, what)) = running.values().find(|(since, _)| since.elapsed() > LIMIT) {
            // Standard error itself is not captured by the test harness.
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("watchdog: {what} hangs since {:?}\n", since.elapsed()),
            );
            std::process::abort();
        }
    }
}
