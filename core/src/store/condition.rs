//! What analyses say of the store itself: its health, its size, its chain.

use super::Store;
use super::ask::AskOptions;
use super::quarantine::QuarantineFilter;
use crate::error::{Error, ErrorKind, Result};
use crate::event::time::rfc3339;
use crate::layout;
use crate::log::{At, CommitRecord, Snapshot};
use crate::query::analyses::prometheus::StoreMetrics;
use crate::query::analyses::{
    Audit, AuditReport, ChainHead, Check, Counts, Health, HealthReport, HealthStatus, Hours, Maintenance,
    Metrics, MetricsReport, StoreState,
};
use crate::query::filter::{Context, Filter, Op, Term, Value};
use crate::wal::list_writers;
use crate::zone;
use serde::Serialize;

/// So many commits are looked at for an audit report, and so many that did not add events are listed.
const COMMITS_MAX: u64 = 20_000;
const MAINTENANCE_MAX: usize = 500;
/// More events than this wait in the write-ahead log only if nobody seals them.
const WAITING_MAX: u64 = 1_000_000;
/// A larger share of records in quarantine means that a producer is not understood.
const QUARANTINED_MAX: f64 = 0.05;

/// Whether all that a commit did was to add events.
fn adds_only(commit: &CommitRecord) -> bool {
    commit.removes.is_empty() && ["WRITE", "CREATE TABLE"].contains(&commit.operation.as_str())
}

fn told(commit: &CommitRecord) -> Maintenance {
    Maintenance {
        ts: rfc3339(commit.timestamp_ms.saturating_mul(1_000)),
        version: commit.version,
        operation: commit.operation.clone(),
        data_change: commit.data_change,
        events_added: commit.adds.iter().map(|file| file.rows).sum(),
        events_removed: commit.removes.iter().map(|file| file.rows).sum(),
    }
}

/// The metrics of a window and of the store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricsOfStore {
    /// Of the window.
    #[serde(flatten)]
    pub window: MetricsReport,
    /// Of the store.
    pub store: StoreMetrics,
}

impl Store {
    /// Whether the store and what it holds of the last hour is well.
    pub fn health(&self, health: &Health, options: &AskOptions<'_>) -> Result<HealthReport> {
        let info = self.info()?;
        let mut checks = Vec::new();
        let mut add = |name, status, message| checks.push(Check { name, status, message });
        match info.warnings.is_empty() {
            true => add("store", HealthStatus::Ok, "nothing is wrong with the files".to_string()),
            false => add("store", HealthStatus::Failing, info.warnings.join("; ")),
        }
        let waiting = if info.wal_events > WAITING_MAX { HealthStatus::Degraded } else { HealthStatus::Ok };
        add("waiting", waiting, format!("{} events are not yet in data files", info.wal_events));
        let records = info.events.saturating_add(info.quarantined);
        let share = if records == 0 { 0.0 } else { info.quarantined as f64 / records as f64 };
        let status = if share > QUARANTINED_MAX { HealthStatus::Degraded } else { HealthStatus::Ok };
        add("quarantine", status, format!("{} records are in quarantine", info.quarantined));
        checks.extend(self.ask(health, options)?);
        Ok(HealthReport::of(checks))
    }

    /// The metrics of a window and of the store.
    pub fn metrics(&self, metrics: &Metrics, options: &AskOptions<'_>) -> Result<MetricsOfStore> {
        Ok(MetricsOfStore { window: self.ask(metrics, options)?, store: self.store_metrics()? })
    }

    /// The size of the store.
    fn store_metrics(&self) -> Result<StoreMetrics> {
        let info = self.info()?;
        let logs = list_writers(&self.tables.storage)?;
        let segments = logs.iter().flat_map(|log| &log.segments);
        let snapshot = self.tables.events.snapshot(At::Latest)?;
        Ok(StoreMetrics {
            events: info.events,
            bytes: info.bytes,
            files: info.files,
            wal_events: info.wal_events,
            wal_bytes: segments.map(|(_, bytes)| *bytes).sum(),
            last_commit_seconds: snapshot.timestamp_ms as f64 / 1_000.0,
            quarantined: info.quarantined,
        })
    }

    /// The audit report of a period, with what the store says of itself.
    pub fn audit(&self, audit: &Audit, options: &AskOptions<'_>) -> Result<AuditReport> {
        let mut report = self.ask(audit, options)?;
        let (from_us, until_us) = (audit.from.0, audit.until.0);
        let filter = QuarantineFilter {
            from_us: Some(from_us),
            until_us: Some(until_us),
            ..QuarantineFilter::default()
        };
        let quarantined = self.quarantined(&filter)?;
        let by_reason = quarantined.by_reason.into_iter().map(|group| (group.reason, group.count));
        let (start, end) = (self.chain_at(from_us)?, self.chain_at(until_us)?);
        let (commits, maintenance, left_out) = self.maintenance(start.as_ref(), end.as_ref())?;
        report.left_out.extend(left_out);
        report.store = StoreState {
            quarantined: quarantined.records,
            quarantined_by_reason: Counts(by_reason.collect()),
            quarantined_ever: self.info()?.quarantined,
            commits,
            maintenance,
            chain_at_start: start,
            chain_at_end: end,
            chain_now: self.chain_at(i64::MAX)?,
        };
        Ok(report)
    }

    /// The audit report of a period as people write it: `from` begins with a day or a time, and the day of `to` is part
    /// of it; without one it ends now. The hours of work and their zone are those of the settings.
    pub fn audit_between(
        &self,
        from: &str,
        to: Option<&str>,
        gap_hours: Option<u32>,
        filter: Filter,
        options: &AskOptions<'_>,
    ) -> Result<AuditReport> {
        let (from, until) = (since(from, &options.context)?, until(to, &options.context)?);
        let (hours, zone) = self.hours()?;
        let zone = zone::parse(&zone).map_err(|why| {
            let place = format!("`hours.zone` in `{}` is `{zone}`: {why}", layout::SETTINGS);
            Error::new(ErrorKind::Invalid, place)
        })?;
        let offset = move |instant_us: i64| zone.offset_at(instant_us);
        let context = Context::new((self.clock)()).with_zone(&offset);
        let mut audit = Audit { filter, hours, ..Audit::new(from, until) };
        audit.gap_hours = gap_hours.unwrap_or(audit.gap_hours);
        self.audit(&audit, &AskOptions { context, ..options.clone() })
    }

    /// How many commits there are after one and up to another, and those of them that did not add events.
    fn maintenance(
        &self,
        start: Option<&ChainHead>,
        end: Option<&ChainHead>,
    ) -> Result<(u64, Vec<Maintenance>, Option<String>)> {
        let Some(last) = end.map(|head| head.version) else { return Ok((0, Vec::new(), None)) };
        let first = start.map_or(0, |head| head.version.saturating_add(1));
        let mut found = Vec::new();
        let mut left_out = None;
        for version in (first..=last).rev() {
            if last.saturating_sub(version) >= COMMITS_MAX || found.len() >= MAINTENANCE_MAX {
                left_out =
                    Some(format!("actions on the store: none before version {} are listed", version + 1));
                break;
            }
            match self.tables.events.commits(version, version) {
                Ok(commits) => found.extend(commits.iter().filter(|commit| !adds_only(commit)).map(told)),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let gone =
                        format!("actions on the store: commits up to version {version} were cleaned up");
                    left_out = Some(gone);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(((last + 1).saturating_sub(first), found, left_out))
    }

    /// When people work, and in which zone, by the settings.
    fn hours(&self) -> Result<(Hours, String)> {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let settings = &self.settings.hours;
        let invalid = |what: String| {
            Error::new(ErrorKind::Invalid, format!("`hours` in `{}`: {what}", layout::SETTINGS))
                .with_hint("such as: days = [\"mon\", \"tue\"], from = 8, to = 18")
        };
        if settings.from > 24 || settings.to > 24 || settings.from > settings.to {
            return Err(invalid(format!("from {} to {} is no time of day", settings.from, settings.to)));
        }
        let day = |name: &String| {
            let known = (1_u8..).zip(NAMES).find(|(_, known)| name.to_ascii_lowercase().starts_with(known));
            known.map(|(day, _)| day).ok_or_else(|| invalid(format!("`{name}` is no day")))
        };
        let days = settings.days.iter().map(day).collect::<Result<_>>()?;
        Ok((Hours { days, from: settings.from, to: settings.to }, settings.zone.clone()))
    }

    /// The head of the chain at an instant; none before the first commit that is kept.
    fn chain_at(&self, instant_us: i64) -> Result<Option<ChainHead>> {
        let latest = self.tables.events.snapshot(At::Latest)?;
        if latest.timestamp_ms <= instant_us / 1_000 {
            return Ok(Some(chain_head(&latest)));
        }
        let record = self.tables.events.chain_record_at(latest.version, instant_us / 1_000)?;
        Ok(record.map(|record| ChainHead {
            version: record.version,
            committed_at: rfc3339(record.timestamp_ms.saturating_mul(1_000)),
            head: record.hash,
        }))
    }
}

/// The head of the chain at a snapshot.
pub(super) fn chain_head(snapshot: &Snapshot) -> ChainHead {
    ChainHead {
        version: snapshot.version,
        committed_at: rfc3339(snapshot.timestamp_ms.saturating_mul(1_000)),
        head: snapshot.chain_head().to_string(),
    }
}

/// The first instant of a day, or the instant of a time.
fn since(text: &str, context: &Context<'_>) -> Result<i64> {
    match Filter::flag("since", text, context)? {
        Filter::Term(Term::Since(instant_us)) => Ok(instant_us),
        _ => Err(no_time(text)),
    }
}

/// The instant after the last of a day, or after a time.
fn until(text: Option<&str>, context: &Context<'_>) -> Result<i64> {
    let text = text.unwrap_or("now");
    match Filter::field("ts", Op::LessOrEqual, vec![Value::text(text)], context)? {
        Filter::Term(Term::Until(instant_us)) => Ok(instant_us),
        _ => Err(no_time(text)),
    }
}

fn no_time(text: &str) -> Error {
    Error::new(ErrorKind::Syntax, format!("`{text}` is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_part_of_an_audits_period() {
        const DAY_US: i64 = 86_400_000_000;
        let context = Context::new(5 * DAY_US);
        assert_eq!(since("1970-01-02", &context).ok(), Some(DAY_US));
        assert_eq!(until(Some("1970-01-02"), &context).ok(), Some(2 * DAY_US));
        assert_eq!(until(None, &context).ok(), Some(5 * DAY_US + 1));
        assert!(since("someday", &context).is_err());
    }
}
