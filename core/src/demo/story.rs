//! When the things worth finding happen, and how to find them.

use chrono::{DateTime, Datelike, Days, NaiveDate, Weekday};

use super::DemoOptions;
use super::platform_audit::odd_actor;
use super::simulation::{DAY, HOUR, MINUTE, midnight_us};

/// Something worth finding in the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What happened, in a sentence.
    pub title: String,
    /// When, for a reader.
    pub when: String,
    /// A question to the table `events` that shows it.
    pub sql: String,
}

/// What can be found in the events of these options; what would lie before their first day is left out.
pub fn stories(options: &DemoOptions) -> Vec<Story> {
    let calendar = Calendar::new(options);
    let first_us = midnight_us(options.until) - i64::from(options.days) * DAY;
    let told = [
        (calendar.outage.from_us, outage(&calendar)),
        (calendar.slow.from_us, slow_provider(&calendar)),
        (calendar.odd_actor.from_us, night_deletions(&calendar)),
        (calendar.missed_backups.iter().copied().min().unwrap_or(i64::MIN), missed_backups(&calendar)),
        (calendar.failed_logins.from_us, failed_logins(&calendar)),
        (calendar.faulty_release.from_us, faulty_release(&calendar)),
        (first_us, growth()),
    ];
    told.into_iter().filter(|(from_us, _)| *from_us >= first_us).map(|(_, story)| story).collect()
}

/// A stretch of time; its end is not included.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) from_us: i64,
    pub(super) until_us: i64,
}

impl Span {
    pub(super) fn contains(&self, us: i64) -> bool {
        (self.from_us..self.until_us).contains(&us)
    }

    fn sql(&self) -> String {
        format!("ts >= TIMESTAMP '{}' AND ts < TIMESTAMP '{}'", time(self.from_us), time(self.until_us))
    }

    fn wider(&self, by_us: i64) -> Span {
        Span { from_us: self.from_us - by_us, until_us: self.until_us + by_us }
    }
}

/// When each story happens.
#[derive(Clone, Copy)]
pub(super) struct Calendar {
    pub(super) outage: Span,
    /// The users of the provider that failed stay away for a while.
    pub(super) quiet: Span,
    pub(super) slow: Span,
    pub(super) missed_backups: [i64; 2],
    pub(super) faulty_release: Span,
    pub(super) odd_actor: Span,
    pub(super) failed_logins: Span,
}

impl Calendar {
    pub(super) fn new(options: &DemoOptions) -> Calendar {
        let end_us = midnight_us(options.until);
        let span = |start_us: i64, from_us: i64, length_us: i64| Span {
            from_us: start_us + from_us,
            until_us: start_us + from_us + length_us,
        };
        let outage_day = workday_us(options.until, 47);
        let release_day = workday_us(options.until, 40);
        Calendar {
            outage: span(outage_day, 13 * HOUR, 3 * HOUR),
            quiet: span(outage_day, 16 * HOUR, 90 * MINUTE),
            slow: span(end_us - 134 * DAY, 0, 14 * DAY),
            missed_backups: [end_us - 88 * DAY + 2 * HOUR, end_us - 31 * DAY + 2 * HOUR],
            faulty_release: span(release_day, 15 * HOUR + 20 * MINUTE, 26 * HOUR),
            odd_actor: span(end_us - 23 * DAY, 3 * HOUR + 4 * MINUTE, 10 * MINUTE),
            failed_logins: span(end_us - 15 * DAY, 22 * HOUR + 14 * MINUTE, 12 * MINUTE),
        }
    }
}

/// Midnight of the last day from Monday to Friday that lies at least `days` days before `until`.
fn workday_us(until: NaiveDate, days: u64) -> i64 {
    let mut date = until.checked_sub_days(Days::new(days)).unwrap_or(until);
    while matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
        let Some(earlier) = date.pred_opt() else { break };
        date = earlier;
    }
    midnight_us(date)
}

fn time(us: i64) -> String {
    DateTime::from_timestamp_micros(us).map(|at| at.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

fn date(us: i64) -> String {
    time(us).chars().take(10).collect()
}

fn story(title: &str, when: String, sql: String) -> Story {
    Story { title: title.to_owned(), when, sql }
}

fn outage(calendar: &Calendar) -> Story {
    let span = calendar.outage;
    let sql = format!(
        "SELECT date_trunc('hour', ts) AS hour, count(*) AS calls, \
         count(*) FILTER (WHERE status IN ('timeout', 'retry')) AS unanswered \
         FROM events WHERE source = 'zendesk' AND {} GROUP BY hour ORDER BY hour",
        span.wider(4 * HOUR).sql()
    );
    let when = format!("{} to {}", time(span.from_us), time(span.until_us));
    story("The provider `zendesk` stops answering for three hours", when, sql)
}

fn slow_provider(calendar: &Calendar) -> Story {
    let span = calendar.slow;
    let sql = format!(
        "SELECT day, round(median(duration_ms)) AS median_ms, count(*) AS calls \
         FROM events WHERE source = 'hubspot' AND status = 'success' AND {} GROUP BY day ORDER BY day",
        span.wider(5 * DAY).sql()
    );
    let when = format!("{} to {}", date(span.from_us), date(span.until_us - 1));
    story("The provider `hubspot` gets slower for two weeks", when, sql)
}

fn night_deletions(calendar: &Calendar) -> Story {
    let sql = format!(
        "SELECT ip_address, kind, count(*) AS events, max(ts) AS latest \
         FROM events WHERE actor = '{}' GROUP BY ip_address, kind ORDER BY events DESC",
        odd_actor()
    );
    let when = time(calendar.odd_actor.from_us);
    story("An administrator deletes keys and workflows at night, from a new address", when, sql)
}

fn missed_backups(calendar: &Calendar) -> Story {
    let sql = "SELECT day FROM events GROUP BY day \
               HAVING count(*) FILTER (WHERE kind = 'database_backup') = 0 ORDER BY day";
    let [first, second] = calendar.missed_backups;
    let when = format!("{} and {}", time(first), time(second));
    story("The billing application's nightly backup does not run", when, sql.to_owned())
}

fn failed_logins(calendar: &Calendar) -> Story {
    let span = calendar.failed_logins;
    let sql = format!(
        "SELECT date_trunc('minute', ts) AS minute, count(*) AS attempts \
         FROM events WHERE kind = 'security' AND {} GROUP BY minute ORDER BY minute",
        span.wider(30 * MINUTE).sql()
    );
    story("Hundreds of failed log-ins to the bot's admin panel", time(span.from_us), sql)
}

fn faulty_release(calendar: &Calendar) -> Story {
    let span = calendar.faulty_release;
    let sql = "SELECT error_type, min(ts) AS first_seen, max(ts) AS last_seen, count(*) AS errors \
               FROM events WHERE kind = 'error' GROUP BY error_type ORDER BY first_seen DESC";
    let when = format!("{} to {}", time(span.from_us), time(span.until_us));
    story("A deployment of the bot brings an error never seen before", when, sql.to_owned())
}

fn growth() -> Story {
    let sql = "SELECT date_trunc('month', ts) AS month, \
               count(*) FILTER (WHERE kind = 'model_inference') AS inferences, \
               count(*) FILTER (WHERE kind = 'git_commit') AS commits \
               FROM events GROUP BY month ORDER BY month";
    story("The agents ask their model more and more often", "all year".to_owned(), sql.to_owned())
}
