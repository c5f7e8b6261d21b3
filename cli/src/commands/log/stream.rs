//! `daybook log -`: one event a line, acknowledged in order as soon as it is on disk.
//!
//! Lines that arrive together share one sync to disk, so that a fast stream is not held up by one a line;
//! a slow one has each line acknowledged before the next is waited for.

use std::io::{self, BufReader, IsTerminal, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use daybook::{Appended, Durability, Error, RECORD_BYTES_MAX, Store};

use super::Acknowledged;
use super::lines::read_group;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::{Data, Printer};

const BUFFER_BYTES: usize = 256 * 1024;

enum Message {
    Lines(Vec<Vec<u8>>),
    End(io::Result<()>),
    Stop,
}

/// Records the lines of standard input.
pub fn run(context: &Context<'_>) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        context.printer.note("reading JSON events from the terminal, one a line; end with Ctrl-D");
    }
    let store = context.open_or_create()?;
    let messages = start_reading()?;
    let recorded = record_all(context.printer, &store, &messages);
    let closed = store.close();
    recorded?;
    closed?;
    Ok(())
}

/// A thread reads, so that Ctrl-C is heard while there is nothing to read. It is left behind at the end.
fn start_reading() -> Result<Receiver<Message>, Failure> {
    let (sender, receiver) = sync_channel(0);
    let stop = sender.clone();
    interrupt::on_interrupt(move || {
        // Fails when the command has ended by itself.
        let _ = stop.try_send(Message::Stop);
    });
    std::thread::Builder::new()
        .name("read lines".to_string())
        .spawn(move || read_all(io::stdin().lock(), &sender))
        .map_err(|error| Error::io("start a thread for", "standard input", error))?;
    Ok(receiver)
}

fn read_all(input: impl Read, sender: &SyncSender<Message>) {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, input);
    loop {
        let message = match read_group(&mut reader, RECORD_BYTES_MAX) {
            Ok(Some(lines)) => Message::Lines(lines),
            Ok(None) => Message::End(Ok(())),
            Err(error) => Message::End(Err(error)),
        };
        let last = matches!(message, Message::End(_));
        if sender.send(message).is_err() || last {
            return;
        }
    }
}

fn record_all(printer: &Printer, store: &Store, messages: &Receiver<Message>) -> Result<(), Failure> {
    let mut data = printer.data();
    loop {
        interrupt::check()?;
        match messages.recv() {
            Ok(Message::Lines(lines)) => record(printer.json(), store, &lines, &mut data)?,
            Ok(Message::End(ended)) => {
                return ended.map_err(|error| Error::io("read", "standard input", error).into());
            }
            Ok(Message::Stop) | Err(_) => return Err(Failure::interrupted()),
        }
    }
}

/// Records lines with one sync, then acknowledges them. When one cannot be recorded, those before it are
/// still acknowledged.
fn record(json: bool, store: &Store, lines: &[Vec<u8>], data: &mut Data<'_>) -> Result<(), Failure> {
    let mut appended = Vec::with_capacity(lines.len());
    let mut failure = None;
    for line in lines {
        match store.append_json(line, Durability::Batched) {
            Ok(one) => appended.push(one),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    let flushed = if appended.is_empty() { Ok(()) } else { store.flush() };
    if let Err(error) = flushed {
        return Err(failure.unwrap_or(error).into());
    }
    for one in appended {
        data.write(acknowledgement(json, one).as_bytes())?;
    }
    data.flush()?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

fn acknowledgement(json: bool, appended: Appended) -> String {
    let (seq, quarantined) = match appended {
        Appended::Stored { seq } => (seq, None),
        Appended::Quarantined { seq, reason } => (seq, Some(reason)),
    };
    match (json, &quarantined) {
        (true, _) => {
            let mut text = serde_json::to_string(&Acknowledged { seq, quarantined }).unwrap_or_default();
            text.push('\n');
            text
        }
        (false, Some(reason)) => format!("quarantined: {}\n", escape::visible(reason)),
        (false, None) => format!("{seq}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_one_line() {
        let bad = || Appended::Quarantined { seq: 8, reason: "not JSON:\nat 1".to_string() };
        assert_eq!(acknowledgement(false, Appended::Stored { seq: 7 }), "7\n");
        assert_eq!(acknowledgement(false, bad()), "quarantined: not JSON:\\nat 1\n");
        assert_eq!(acknowledgement(true, Appended::Stored { seq: 7 }), "{\"seq\":7}\n");
        assert_eq!(acknowledgement(true, bad()), "{\"seq\":8,\"quarantined\":\"not JSON:\\nat 1\"}\n");
    }

    #[test]
    fn the_reader_says_when_it_ends() {
        let (sender, receiver) = sync_channel(8);
        read_all(&b"a\nb\n"[..], &sender);
        drop(sender);
        let messages: Vec<Message> = receiver.iter().collect();
        assert!(
            matches!(messages.as_slice(), [Message::Lines(lines), Message::End(Ok(()))] if lines.len() == 2)
        );
    }
}
