//! A progress bar for a query that searches the memory of a dump.
//!
//! ```text
//! cargo run --example progress_bar
//! ```

use std::io::{self, Write};
use std::sync::mpsc;
use std::time::Duration;

use dumpql::{QueryProgress, Session};

const WIDTH: u64 = 20;

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::sample()?;
    let progress = QueryProgress::new();
    let query = session.prepare("SELECT count(*) FROM irps")?.progress(&progress);

    // The query runs on another thread; this one looks twenty times a second.
    let result = std::thread::scope(|scope| -> Result<_, Box<dyn std::error::Error>> {
        let (done, outcome) = mpsc::channel();
        scope.spawn(move || {
            // The receiver waits until it has the result.
            let _ = done.send(query.run());
        });
        loop {
            match outcome.recv_timeout(Duration::from_millis(50)) {
                Err(mpsc::RecvTimeoutError::Timeout) => bar(out, &progress)?,
                ended => return Ok(ended??),
            }
        }
    })?;
    draw(out, 1, 1)?;
    writeln!(out, "\n{} IRPs", result.text(0, 0))?;
    Ok(())
}

/// Before a search begins, and in a query without one, nobody knows how much there is to do.
fn bar(out: &mut dyn Write, progress: &QueryProgress) -> io::Result<()> {
    match progress.searched() {
        Some((searched, all)) if all > 0 => draw(out, searched.min(all), all),
        _ => write!(out, "\r{} rows", progress.rows_read()).and_then(|()| out.flush()),
    }
}

/// Draws over what was drawn before.
fn draw(out: &mut dyn Write, done: u64, all: u64) -> io::Result<()> {
    let filled = done * WIDTH / all;
    let bar: String = (0..WIDTH).map(|i| if i < filled { '#' } else { '.' }).collect();
    write!(out, "\r[{bar}] {:>3} %", done * 100 / all)?;
    out.flush()
}

#[allow(dead_code, reason = "a test runs the example with a writer of its own")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&mut io::stdout().lock())
}
