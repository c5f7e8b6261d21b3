//! Ctrl-C: the first one asks the running work to stop, the second one ends the program at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daybook::Error;
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;

use crate::failure::{Exit, Failure};

const AGAIN_AFTER: Duration = Duration::from_millis(100);

type Action = Box<dyn Fn() + Send>;

static HAPPENED: AtomicBool = AtomicBool::new(false);
static ACTIONS: Mutex<Vec<Action>> = Mutex::new(Vec::new());

/// Starts to listen.
pub fn install() -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT]).map_err(|error| Error::io("listen for", "Ctrl-C", error))?;
    std::thread::Builder::new()
        .name("interrupt".to_string())
        .spawn(move || {
            for _ in signals.forever() {
                if HAPPENED.swap(true, Ordering::SeqCst) {
                    std::process::exit(i32::from(Exit::Interrupted.code()));
                }
                keep_running_actions();
            }
        })
        .map_err(|error| Error::io("start a thread for", "Ctrl-C", error))?;
    Ok(())
}

/// Has `action` run at the first Ctrl-C, also when that one has come already.
pub fn on_interrupt(action: impl Fn() + Send + 'static) {
    lock().push(Box::new(action));
    if happened() {
        run_actions();
    }
}

/// Whether Ctrl-C has come.
pub fn happened() -> bool {
    HAPPENED.load(Ordering::SeqCst)
}

/// Ends the command here if Ctrl-C has come.
pub fn check() -> Result<(), Failure> {
    if happened() { Err(Failure::interrupted()) } else { Ok(()) }
}

/// Work that had not begun at the first call hears a later one.
fn keep_running_actions() {
    run_actions();
    // Without a thread to spare, the first call has to do.
    let _ = std::thread::Builder::new().name("interrupt again".to_string()).spawn(|| {
        loop {
            std::thread::sleep(AGAIN_AFTER);
            run_actions();
        }
    });
}

fn run_actions() {
    for action in lock().iter() {
        action();
    }
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Action>> {
    ACTIONS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
