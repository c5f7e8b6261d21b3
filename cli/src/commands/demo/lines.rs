//! The sample events as a stream of lines, and how far it is.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use daybook::demo::DemoEvent;
use daybook::{Progress, Step, Unit};

use crate::progress::ProgressLine;

/// Events as JSON lines.
pub struct EventLines<I> {
    events: I,
    line: Vec<u8>,
    taken: usize,
    made: Arc<AtomicU64>,
}

impl<I: Iterator<Item = DemoEvent>> EventLines<I> {
    /// The lines of `events`; `made` counts them.
    pub fn new(events: I, made: Arc<AtomicU64>) -> Self {
        EventLines { events, line: Vec::new(), taken: 0, made }
    }
}

impl<I: Iterator<Item = DemoEvent>> Read for EventLines<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken >= self.line.len() {
            let Some(event) = self.events.next() else { return Ok(0) };
            self.line.clear();
            self.line.extend_from_slice(event.record.as_bytes());
            self.line.push(b'\n');
            self.taken = 0;
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        let mut rest = self.line.get(self.taken..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

/// Progress in events, as the store only knows the bytes of a stream.
pub struct Generated {
    line: ProgressLine,
    made: Arc<AtomicU64>,
    total: u64,
}

impl Generated {
    /// Progress towards `total` events.
    pub fn new(line: ProgressLine, total: u64) -> Generated {
        Generated { line, made: Arc::default(), total }
    }

    /// The count of events made.
    pub fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.made)
    }
}

impl Progress for Generated {
    fn update(&self, _: &Step<'_>) {
        let done = self.made.load(Ordering::Relaxed);
        self.line.update(&Step { done, total: Some(self.total), unit: Unit::Events, events: done, note: "" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_a_line_however_small_the_buffer() {
        let events = (0..3).map(|number| DemoEvent {
            ts_us: number,
            application: "shop",
            record: format!("{{\"n\":{number}}}"),
        });
        let made = Arc::new(AtomicU64::new(0));
        let mut lines = EventLines::new(events, Arc::clone(&made));
        let mut text = Vec::new();
        let mut buffer = [0; 4];
        while let Ok(count @ 1..) = lines.read(&mut buffer) {
            text.extend(buffer.iter().take(count));
        }
        assert_eq!(String::from_utf8_lossy(&text), "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
        assert_eq!(made.load(Ordering::Relaxed), 3);
    }
}
