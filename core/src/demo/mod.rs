//! A year of believable events from five applications, the same for the same options on every platform.
//!
//! They are the change log of a game bot, the change log of AI agents, the four channels of a billing
//! application, the action and audit logs of a multi-tenant integration platform, and the activity log of a
//! shop. Each record is one JSON object with the names and the enumerations of its own application.
//!
//! Hidden in the year, with days counted back from [`DemoOptions::until`] (1 is the last day), all times UTC:
//!
//! | day | hour | what happens |
//! |---|---|---|
//! | 134 to 121 | all | provider `hubspot` gets slower, up to four times its latency; repaired on day 120 |
//! | 88, 31 | 02:00 | the billing application's nightly backup is missing |
//! | 47, or the workday before | 13:00 to 16:00 | `zendesk` times out; retries; quiet until 17:30 |
//! | 40, or the workday before | 15:20, for 26 hours | the bot's release brings `GlyphAtlasMissing` |
//! | 23 | 03:04 to 03:14 | an administrator deletes 64 resources at night, from an address not seen before |
//! | 15 | 22:14 to 22:26 | 260 failed log-ins to the bot's admin panel, then a critical lock |
//! | all year | all | the agents' `model_inference` events grow to three times, their other work does not |
//!
//! Some values are awkward and legal: quotes, backslashes, emoji and line breaks in text, numbers beyond
//! 2^53, nulls, empty and nested objects, fields that are a number here and a string there.

mod agent;
mod billing;
mod game_bot;
mod names;
mod platform;
mod platform_audit;
mod record;
mod rng;
mod shop;
mod simulation;
mod story;
#[cfg(test)]
mod tests;

use std::iter::Peekable;

use chrono::NaiveDate;

use agent::Agents;
use billing::Billing;
use game_bot::GameBot;
use platform::Platform;
use shop::Shop;
use simulation::{Application, Simulation};
pub use story::{Story, stories};

/// What to generate.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoOptions {
    /// Another seed gives another year with the same stories in it.
    pub seed: u64,
    /// The first day that is not included.
    pub until: NaiveDate,
    /// How many days before `until` there are.
    pub days: u32,
    /// How many events there are on an average day, more or less.
    pub events_per_day: f64,
}

impl DemoOptions {
    /// A year of about 230,000 events.
    pub fn new(until: NaiveDate) -> DemoOptions {
        DemoOptions { seed: 20_260_203, until, days: 365, events_per_day: 605.0 }
    }
}

/// An event as its application wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoEvent {
    /// When it happened, in microseconds since 1970: the time that the record states.
    pub ts_us: i64,
    /// `game-bot`, `agent`, `billing`, `platform` or `shop`.
    pub application: &'static str,
    /// One JSON object on one line.
    pub record: String,
}

/// The events of all applications in order of time. Memory stays small however many there are.
pub fn events(options: &DemoOptions) -> impl Iterator<Item = DemoEvent> + Send + use<> {
    Merged {
        streams: vec![
            stream(GameBot::new(options), options),
            stream(Agents::new(options), options),
            stream(Billing::new(options), options),
            stream(Platform::new(options), options),
            stream(Shop::new(options), options),
        ],
    }
}

type Stream = Peekable<Box<dyn Iterator<Item = DemoEvent> + Send>>;

fn stream<A>(application: A, options: &DemoOptions) -> Stream
where
    A: Application + Send + 'static,
    A::Task: Send,
{
    let simulation = Simulation::new(application, options);
    (Box::new(simulation) as Box<dyn Iterator<Item = DemoEvent> + Send>).peekable()
}

struct Merged {
    streams: Vec<Stream>,
}

impl Iterator for Merged {
    type Item = DemoEvent;

    fn next(&mut self) -> Option<DemoEvent> {
        let heads = self.streams.iter_mut().filter_map(|stream| Some((stream.peek()?.ts_us, stream)));
        heads.min_by_key(|(ts_us, _)| *ts_us)?.1.next()
    }
}
