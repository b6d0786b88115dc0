//! A query that another thread monitors and may end: progress, a cancel token, a deadline.
//!
//! ```text
//! cargo run --example progress
//! ```

use std::io::{self, Write};
use std::sync::mpsc;
use std::time::Duration;

use dumpql::{CancelToken, Code, QueryProgress, Session};

/// The number of rows after which the user cancels.
const PATIENCE: usize = 1_000_000;

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::sample()?;
    let (token, progress) = (CancelToken::new(), QueryProgress::new());
    let query = session
        .prepare("SELECT max(range * 7 % 1000003) FROM range(1000000000)")?
        .cancel(&token)
        .progress(&progress)
        .timeout(Duration::from_secs(600));

    let (done, ended) = mpsc::channel::<()>();
    let outcome = std::thread::scope(|scope| {
        let (token, progress) = (&token, &progress);
        scope.spawn(move || {
            // Checks from time to time, until the query is finished or has read too many rows.
            while ended.recv_timeout(Duration::from_millis(10))
                == Err(mpsc::RecvTimeoutError::Timeout)
            {
                if progress.rows_read() > PATIENCE {
                    token.cancel();
                }
            }
        });
        let outcome = query.run();
        drop(done);
        outcome
    });
    match outcome {
        Err(error) if error.code() == Code::Cancelled => writeln!(out, "cancelled")?,
        Err(error) => writeln!(out, "{error}")?,
        Ok(result) => writeln!(out, "{}", result.text(0, 0))?,
    }

    // The session and its other queries continue.
    writeln!(out, "{} modules", session.query("FROM modules")?.len())?;
    Ok(())
}

#[allow(dead_code, reason = "a test runs the example with a writer of its own")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&mut io::stdout().lock())
}
