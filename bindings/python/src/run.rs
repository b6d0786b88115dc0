//! Runs queries while other threads of Python continue; Ctrl+C cancels the query.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use engine::{CancelToken, Prepared, QueryProgress, ResultSet};
use pyo3::prelude::*;

use crate::error::{defect, raised};

/// The interval of checks for signals and of progress reports.
const INTERVAL: Duration = Duration::from_millis(50);

/// Runs a query on another thread and waits for it without holding the interpreter.
pub(crate) fn run(
    py: Python<'_>,
    prepared: Prepared<'_>,
    progress: Option<&Py<PyAny>>,
    sql: &str,
) -> PyResult<ResultSet> {
    let (watched, token) = (QueryProgress::new(), CancelToken::new());
    let prepared = prepared.progress(&watched).cancel(&token);
    let (outcome, interrupted) = py.detach(|| {
        std::thread::scope(|scope| {
            let (done, wait) = channel();
            let work = move || {
                // The receiver waits until it has the result.
                let _ = done.send(prepared.run());
            };
            let name = "dumpql".to_owned();
            if let Err(why) = std::thread::Builder::new().name(name).spawn_scoped(scope, work) {
                return (None, Some(PyErr::from(why)));
            }
            let mut interrupted = None;
            loop {
                match wait.recv_timeout(INTERVAL) {
                    Ok(outcome) => return (Some(outcome), interrupted),
                    Err(RecvTimeoutError::Disconnected) => return (None, interrupted),
                    Err(RecvTimeoutError::Timeout) if interrupted.is_some() => {}
                    Err(RecvTimeoutError::Timeout) => {
                        interrupted = look(progress, &watched).err();
                        if interrupted.is_some() {
                            token.cancel();
                        }
                    }
                }
            }
        })
    });
    if let Some(interrupted) = interrupted {
        return Err(interrupted);
    }
    let outcome = outcome.ok_or_else(|| defect("a query ended without a result"))?;
    outcome.map_err(|error| raised(py, &error, Some(sql)))
}

/// Raises the exceptions of signal handlers, and reports the progress of the query.
fn look(progress: Option<&Py<PyAny>>, watched: &QueryProgress) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        if let Some(progress) = progress {
            let (searched, all) = watched.searched().unwrap_or_default();
            progress.call1(py, (watched.rows_read(), searched, all))?;
        }
        Ok(())
    })
}
