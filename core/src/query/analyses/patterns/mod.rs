//! Patterns: what is usual, what is new and what is wrong, without being asked. The engine counts, and what the
//! counts mean is worked out here.

mod actors;
mod bursts;
mod changes;
mod compared;
mod examine;
mod finding;
mod fit;
mod math;
mod period;
mod rhythms;
mod samples;
mod sequences;
mod series;
mod shifts;
mod silences;
mod stretches;
mod summary;
mod templates;
#[cfg(test)]
mod tests;
mod vectors;

pub use actors::{Activity, Actors, ActorsReport, UnusualHour};
pub use bursts::{Bursts, BurstsReport};
pub use changes::{CoChanges, CoChangesReport, Entity, HotSpot, Together};
pub use finding::{Finding, What};
pub use rhythms::{Rhythm, Rhythms, RhythmsReport};
pub use samples::Samples;
pub use sequences::{FrequentPath, Pair, Sequences, SequencesReport, UnusualSession};
pub use summary::{Patterns, PatternsReport};
pub use templates::{TemplateChange, TemplateCount, Templates, TemplatesReport};

use crate::error::{Error, ErrorKind, Result};

/// The share of findings that may be chance, where nothing else is asked for.
const ALARM: f64 = 0.01;

fn alarm() -> f64 {
    ALARM
}

fn kind() -> String {
    "kind".to_string()
}

fn findings_shown() -> u64 {
    30
}

/// A rate of false alarms lies between none and all.
fn alarm_is_valid(alarm: f64) -> Result<()> {
    if alarm > 0.0 && alarm < 1.0 {
        return Ok(());
    }
    let message = format!("the rate of false alarms is {alarm}; it lies between 0 and 1");
    Err(Error::new(ErrorKind::Invalid, message))
}
