//! What a question may use: time and memory.

use std::time::Duration;

use clap::Args;
use daybook::Limits;

use super::units;

/// Limits as typed.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Limits")]
pub struct RawLimits {
    /// Give up after this long: 500ms, 30s, 5m; 0 for never [default: never]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub timeout: Option<Duration>,
    /// Use at most this much memory: 512MB, 2GB [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub memory: Option<u64>,
}

/// What was asked for in place of the library's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsInput {
    pub timeout: Timeout,
    memory_bytes: Option<u64>,
}

/// When to give up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timeout {
    /// As the library does.
    #[default]
    Default,
    Never,
    After(Duration),
}

impl RawLimits {
    pub fn check(&self) -> LimitsInput {
        LimitsInput { timeout: timeout(self.timeout), memory_bytes: self.memory }
    }
}

impl LimitsInput {
    /// Puts what was asked for in place of the library's limits.
    pub fn apply(self, limits: &mut Limits) {
        match self.timeout {
            Timeout::Default => {}
            Timeout::Never => limits.timeout = None,
            Timeout::After(duration) => limits.timeout = Some(duration),
        }
        if let Some(bytes) = self.memory_bytes {
            limits.memory_bytes = bytes;
        }
    }
}

/// A time limit as it is typed.
pub fn read_timeout(text: &str) -> Result<Timeout, String> {
    units::duration(text).map(|duration| timeout(Some(duration)))
}

fn timeout(raw: Option<Duration>) -> Timeout {
    match raw {
        None => Timeout::Default,
        Some(Duration::ZERO) => Timeout::Never,
        Some(duration) => Timeout::After(duration),
    }
}
