//! Ctrl-C: the first one asks the running work to stop, the second one ends the program at once.

use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use daybook::Error;
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;

use crate::failure::{Exit, Failure};

const AGAIN_AFTER: Duration = Duration::from_millis(100);
const PIECE_BYTES: usize = 256 * 1024;

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

/// Forgets the Ctrl-C that has come, for a program that goes on after it; says whether there was one.
pub fn forget() -> bool {
    HAPPENED.swap(false, Ordering::SeqCst)
}

/// Ends the command here if Ctrl-C has come.
pub fn check() -> Result<(), Failure> {
    if happened() { Err(Failure::interrupted()) } else { Ok(()) }
}

/// The same stream, but Ctrl-C ends the wait for what has not arrived.
pub fn reader(input: impl Read + Send + 'static) -> Result<impl Read + Send, Failure> {
    let (sender, receiver) = sync_channel(4);
    std::thread::Builder::new()
        .name("read input".to_string())
        .spawn(move || read_pieces(input, &sender))
        .map_err(|error| Error::io("start a thread for", "standard input", error))?;
    Ok(Pieces { receiver, piece: io::Cursor::default() })
}

/// A stream that another thread reads; that one is left behind when the program ends first.
struct Pieces {
    receiver: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.receiver.recv_timeout(AGAIN_AFTER) {
                Ok(piece) => self.piece = io::Cursor::new(piece?),
                Err(RecvTimeoutError::Timeout) if happened() => return Err(io::Error::other("interrupted")),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}

fn read_pieces(mut input: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = match input.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read,
        };
        let last = !matches!(read, Ok(1..));
        let sent = match read {
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                sender.send(Ok(piece))
            }
            Err(error) => sender.send(Err(error)),
        };
        if sent.is_err() || last {
            return;
        }
    }
}

/// Work that had not begun at the first call hears a later one.
fn keep_running_actions() {
    run_actions();
    // Without a thread to spare, the first call has to do.
    let _ = std::thread::Builder::new().name("interrupt again".to_string()).spawn(|| {
        loop {
            std::thread::sleep(AGAIN_AFTER);
            if !happened() {
                return;
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_whole_and_its_failure_is_told() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn"))
            }
        }
        let text: Vec<u8> = (0..3 * PIECE_BYTES).map(|byte| byte as u8).collect();
        let mut read = Vec::new();
        reader(io::Cursor::new(text.clone())).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == text);
        let mut read = Vec::new();
        let failed = reader(io::Cursor::new(text).chain(Fails)).unwrap().read_to_end(&mut read);
        assert_eq!(failed.unwrap_err().to_string(), "torn");
        assert_eq!(read.len(), 3 * PIECE_BYTES);
    }
}
