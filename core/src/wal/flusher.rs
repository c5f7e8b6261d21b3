//! The thread that syncs batched events in time.

use super::commit::Commit;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Starts the thread. It ends when the log is closed or broken.
pub(super) fn start(commit: Arc<Commit>, within: Duration) -> std::io::Result<JoinHandle<()>> {
    // Half of the time is left for the sync itself.
    let delay = within / 2;
    std::thread::Builder::new().name("daybook-wal".to_string()).spawn(move || run(&commit, delay))
}

fn run(commit: &Commit, delay: Duration) {
    let mut state = commit.lock();
    while !state.closed && state.broken.is_none() {
        let Some(since) = state.batched_since else {
            state = commit.wake_flusher.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let left = delay.saturating_sub(since.elapsed());
        if !left.is_zero() {
            let waited = commit.wake_flusher.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        let ticket = state.appended;
        // A full disk is tried again after the same delay; the next flush tells the caller.
        let _ = commit.wait_durable(state, ticket);
        state = commit.lock();
    }
}
