//! What a call may use, and which version it is about.

use daybook::{AskOptions, At, Store};
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// What a call may use, as Python gives it.
#[derive(FromPyObject)]
pub struct Limits {
    #[pyo3(item)]
    timeout: Option<f64>,
    #[pyo3(item)]
    memory: Option<u64>,
    #[pyo3(item)]
    at_version: Option<u64>,
    #[pyo3(item)]
    at_ms: Option<i64>,
    #[pyo3(item)]
    lenient: bool,
}

impl Limits {
    /// The version that is asked.
    pub fn at(&self) -> At {
        match (self.at_version, self.at_ms) {
            (Some(version), _) => At::Version(version),
            (None, Some(time_ms)) => At::Time(time_ms),
            (None, None) => At::Latest,
        }
    }

    /// Sets them as limits of a question.
    pub fn set(&self, limits: &mut daybook::Limits) {
        limits.timeout = self.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        limits.since = Some(Instant::now());
        limits.memory_bytes = self.memory.unwrap_or(limits.memory_bytes);
    }

    /// The same with everything else that a question takes.
    pub fn options<'a>(&self, store: &Store, text: &'a str) -> AskOptions<'a> {
        let mut options = AskOptions {
            at: self.at(),
            lenient: self.lenient,
            context: store.context(),
            ..AskOptions::default()
        };
        self.set(&mut options.limits);
        AskOptions { text, ..options }
    }
}
