//! The threads that wait for the network.

use crate::error::{Error, Result};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Builder, Runtime};

const THREADS: usize = 2;

/// The runtime of this process, with the process that made it.
static RUNTIME: Mutex<Option<(u32, Arc<Runtime>)>> = Mutex::new(None);

/// Waits for something that the runtime does.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> Result<T> {
    Ok(runtime()?.block_on(work))
}

/// The runtime of this process. One that `fork` carried over has no threads: it is left as it is.
pub(super) fn runtime() -> Result<Arc<Runtime>> {
    let process = std::process::id();
    let mut slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, runtime)) = &*slot
        && *owner == process
    {
        return Ok(Arc::clone(runtime));
    }
    let built =
        Builder::new_multi_thread().worker_threads(THREADS).thread_name("daybook-net").enable_all().build();
    let runtime = Arc::new(built.map_err(|error| Error::io("start threads for", "the network", error))?);
    std::mem::forget(slot.replace((process, Arc::clone(&runtime))));
    Ok(runtime)
}
