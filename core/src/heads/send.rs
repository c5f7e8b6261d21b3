//! Sends heads to an address over HTTP, from a thread of its own. A later head says all that an earlier one does: only
//! the last one that waits is sent.

use crate::error::{Error, ErrorKind, Result};
use reqwest::{Client, Url};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// So long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(10);
/// A head is tried so often, with a pause that grows.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);
/// So long the end of the program waits for the last head.
const LAST: Duration = Duration::from_secs(5);

/// Sends heads.
#[derive(Debug)]
pub(super) struct Sender {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    url: Url,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Option<String>,
    is_sending: bool,
    is_ended: bool,
    failure: Option<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// To an address.
    pub(super) fn new(address: &str) -> Result<Sender> {
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        // The address may have a secret in it.
        let url = url.ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                "`heads.send_to` is no address that begins with `https://` or `http://`",
            )
        })?;
        Ok(Sender { shared: Arc::default(), thread: Mutex::default(), url })
    }

    /// Sends a head soon.
    pub(super) fn send(&self, head: String) {
        self.shared.lock().waiting = Some(head);
        self.shared.changed.notify_all();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let (shared, url) = (Arc::clone(&self.shared), self.url.clone());
            let started =
                std::thread::Builder::new().name("daybook-heads".into()).spawn(move || run(&shared, &url));
            match started {
                Ok(started) => *thread = Some(started),
                Err(error) => self.shared.lock().failure = Some(format!("no thread sends heads: {error}")),
            }
        }
    }

    /// Why the last head could not be sent.
    pub(super) fn failure(&self) -> Option<String> {
        self.shared.lock().failure.clone()
    }

    /// Waits a moment until all is sent.
    pub(super) fn finish(&self) {
        let state = self.shared.lock();
        let busy = |state: &mut State| state.waiting.is_some() || state.is_sending;
        drop(self.shared.changed.wait_timeout_while(state, LAST, busy));
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.shared.lock().is_ended = true;
        self.shared.changed.notify_all();
    }
}

fn run(shared: &Shared, url: &Url) {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let client = Client::builder().timeout(ANSWER).redirect(reqwest::redirect::Policy::none()).build();
    let (Ok(runtime), Ok(client)) = (built, client) else {
        let mut state = shared.lock();
        (state.failure, state.waiting) = (Some("heads cannot be sent from here".to_string()), None);
        return;
    };
    loop {
        let state = shared.lock();
        let idle = |state: &mut State| state.waiting.is_none() && !state.is_ended;
        let mut state = shared.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        let Some(head) = state.waiting.take() else { return };
        state.is_sending = true;
        drop(state);
        let sent = runtime.block_on(send(&client, url, &head, shared));
        let mut state = shared.lock();
        state.is_sending = false;
        let place = url.host_str().unwrap_or_default();
        state.failure =
            sent.err().map(|why| format!("the head of the hash chain could not be sent to `{place}`: {why}"));
        drop(state);
        shared.changed.notify_all();
    }
}

/// Sends a head, several times if need be; gives up early where there is a later one.
async fn send(client: &Client, url: &Url, head: &str, shared: &Shared) -> Result<(), String> {
    let body = serde_json::json!({ "head": head }).to_string();
    let mut pause = PAUSE;
    let mut last = String::new();
    for number in 0..TRIES {
        if number > 0 {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(3);
            if shared.lock().waiting.is_some() {
                break;
            }
        }
        let request = client.post(url.clone()).header("content-type", "application/json").body(body.clone());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => last = format!("it answered {}", answer.status()),
            // The text of the error would name the whole address.
            Err(error) if error.is_timeout() => last = "it did not answer in time".to_string(),
            Err(error) if error.is_connect() => last = "nobody answers there".to_string(),
            Err(_) => last = "the connection broke".to_string(),
        }
    }
    Err(last)
}
