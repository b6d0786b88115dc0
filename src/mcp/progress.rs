//! Notifications of how far a call is, for a client that asked for them by a token.

use std::convert::Infallible;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;

use crate::session::QueryProgress;

/// How often a client is told.
const INTERVAL: Duration = Duration::from_millis(500);

/// Tells how far a call is, for as long as somebody waits for it.
pub(super) async fn tell(
    context: &RequestContext<RoleServer>,
    progress: &QueryProgress,
) -> Infallible {
    let mut last = 0;
    if let Some(token) = context.meta.get_progress_token() {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let (done, total, message) = state(progress, last);
            last = done;
            let told = ProgressNotificationParam::new(token.clone(), f64::from(done));
            let told = told.with_message(message);
            let told = match total {
                Some(total) => told.with_total(f64::from(total)),
                None => told,
            };
            if context.peer.notify_progress(told).await.is_err() {
                break;
            }
        }
    }
    std::future::pending().await
}

/// How much is done, of how much while that is known, and in words.
///
/// The protocol wants a number that grows each time: megabytes searched and thousands of rows are added
/// up, and a call that has neither, such as one that opens a dump, counts by ones.
fn state(progress: &QueryProgress, last: u32) -> (u32, Option<u32>, String) {
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let rows = progress.rows_read() as u64;
    let (searched, all) = progress.searched().unwrap_or_default();
    let (searched, all) = (number(searched >> 20), number(all >> 20));
    let done = number(rows / 1000).saturating_add(searched).max(last.saturating_add(1));
    let total = (all > 0).then(|| done.saturating_add(all.saturating_sub(searched)));
    let message = match all {
        0 => format!("{rows} rows read"),
        all => format!("{rows} rows read, {searched} of {all} MB searched"),
    };
    (done, total, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_grows_though_nothing_is_read() {
        let progress = QueryProgress::new();
        assert_eq!(state(&progress, 0), (1, None, "0 rows read".to_owned()));
        assert_eq!(state(&progress, 7).0, 8);
    }
}
