//! How far long work is.

/// Told from time to time; it decides how often to show something.
pub trait Progress: Sync {
    /// How far it is now.
    fn update(&self, now: &Step<'_>);
}

/// A moment of long work.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// How much is done.
    pub done: u64,
    /// Of how much, if that is known.
    pub total: Option<u64>,
    /// Of what.
    pub unit: Unit,
    /// Events so far.
    pub events: u64,
    /// What is being worked on.
    pub note: &'a str,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of input.
    Bytes,
    /// Events.
    Events,
    /// Files.
    Files,
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn update(&self, _now: &Step<'_>) {}
}
