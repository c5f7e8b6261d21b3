//! Metrics as text that Prometheus and OpenMetrics parsers read. All are gauges, in base units.

use super::MetricsReport;
use serde::Serialize;
use std::collections::BTreeSet;

/// So many characters of a label's value are written.
const LABEL_MAX: usize = 120;

/// What is known of the store itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoreMetrics {
    /// Events in all.
    pub events: u64,
    /// Bytes of data files.
    pub bytes: u64,
    /// Data files.
    pub files: u64,
    /// Events that are not yet in data files.
    pub wal_events: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// When the last commit was, in seconds since 1970.
    pub last_commit_seconds: f64,
    /// Records in the quarantine.
    pub quarantined: u64,
}

/// The text of metrics.
pub fn text(metrics: &MetricsReport, store: &StoreMetrics) -> String {
    let mut text = Exposition::default();
    of_window(&mut text, metrics);
    of_sources(&mut text, metrics);
    of_store(&mut text, store);
    text.finish()
}

fn of_window(text: &mut Exposition, metrics: &MetricsReport) {
    let window = metrics.window_seconds as f64;
    text.one("daybook_window_seconds", "seconds", "How long the window is.", window);
    text.one("daybook_events", "", "Events in the window.", metrics.events as f64);
    text.one("daybook_changes", "", "Events about an entity in the window.", metrics.changes as f64);
    text.one(
        "daybook_changes_per_hour",
        "",
        "Events about an entity by hour of the window.",
        metrics.changes_per_hour,
    );
    text.one("daybook_actions_per_minute", "", "Events by minute of the window.", metrics.actions_per_minute);
    text.one("daybook_errors", "", "Errors in the window.", metrics.errors as f64);
    text.one("daybook_error_ratio", "ratio", "Errors over all events of the window.", metrics.error_rate);
    text.one("daybook_actors", "", "Actors in the window.", metrics.actors as f64);
    text.one("daybook_sessions", "", "Sessions with an id in the window.", metrics.sessions as f64);
    let lists = [
        ("daybook_kind_events", "kind", "Events of a kind in the window.", &metrics.by_kind),
        ("daybook_level_events", "level", "Events of a level in the window.", &metrics.by_level),
    ];
    for (name, label, help, counts) in lists {
        let samples = counts.0.iter().map(|(value, count)| (vec![(label, value.as_str())], *count as f64));
        text.family(name, "", help, samples);
    }
    let entities = metrics.most_changed.iter().map(|entity| {
        let of_type = entity.entity_type.as_deref().unwrap_or_default();
        (vec![("entity_type", of_type), ("entity_id", entity.entity_id.as_str())], entity.changes as f64)
    });
    text.family("daybook_entity_changes", "", "Events about the most changed entities.", entities);
}

fn of_sources(text: &mut Exposition, metrics: &MetricsReport) {
    type Value = fn(&super::SourceMetrics) -> Option<f64>;
    let seconds = "seconds";
    let families: [(&str, &str, &str, Value); 7] = [
        ("daybook_source_events", "", "Events of a source in the window.", |of| Some(of.events as f64)),
        ("daybook_source_errors", "", "Errors of a source in the window.", |of| Some(of.errors as f64)),
        ("daybook_source_success_ratio", "ratio", "Events of a source that are no errors, over all.", |of| {
            Some(of.success_rate)
        }),
        ("daybook_source_duration_mean_seconds", seconds, "How long things take, on average.", |of| {
            of.duration_ms.mean
        }),
        ("daybook_source_duration_p50_seconds", seconds, "How long things take, median.", |of| {
            of.duration_ms.p50
        }),
        ("daybook_source_duration_p95_seconds", seconds, "How long things take, 95th percentile.", |of| {
            of.duration_ms.p95
        }),
        ("daybook_source_duration_p99_seconds", seconds, "How long things take, 99th percentile.", |of| {
            of.duration_ms.p99
        }),
    ];
    for (name, unit, help, value) in families {
        let scale = if unit == seconds { 1_000.0 } else { 1.0 };
        let samples = metrics
            .sources
            .iter()
            .filter_map(|source| Some((vec![("source", source.source.as_str())], value(source)? / scale)));
        text.family(name, unit, help, samples);
    }
}

fn of_store(text: &mut Exposition, store: &StoreMetrics) {
    text.one("daybook_store_events", "", "Events in the store.", store.events as f64);
    text.one("daybook_store_size_bytes", "bytes", "Bytes of the store's data files.", store.bytes as f64);
    text.one("daybook_store_files", "", "Data files of the store.", store.files as f64);
    text.one("daybook_wal_events", "", "Events that are not yet in data files.", store.wal_events as f64);
    text.one("daybook_wal_size_bytes", "bytes", "Bytes of the write-ahead log.", store.wal_bytes as f64);
    text.one(
        "daybook_last_commit_timestamp_seconds",
        "seconds",
        "When the last commit was, in seconds since 1970.",
        store.last_commit_seconds,
    );
    text.one("daybook_quarantined_records", "", "Records in the quarantine.", store.quarantined as f64);
}

/// Text in the form that both the classic parsers and those of OpenMetrics read.
#[derive(Debug, Default)]
struct Exposition(String);

impl Exposition {
    fn one(&mut self, name: &str, unit: &str, help: &str, value: f64) {
        self.family(name, unit, help, [(Vec::new(), value)]);
    }

    fn family<'a>(
        &mut self,
        name: &str,
        unit: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Vec<(&'static str, &'a str)>, f64)>,
    ) {
        let mut written = BTreeSet::new();
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            // Values that are the same once they are cut would be one series twice.
            if !value.is_finite() || !written.insert(labels.clone()) {
                continue;
            }
            if written.len() == 1 {
                self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
                if !unit.is_empty() {
                    self.0.push_str(&format!("# UNIT {name} {unit}\n"));
                }
            }
            self.0.push_str(&format!("{name}{labels} {value}\n"));
        }
    }

    fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

/// A label's value. Control characters become spaces, so that no parser trips over them.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for char in value.chars().take(LABEL_MAX) {
        match char {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            char if char.is_control() => text.push(' '),
            char => text.push(char),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::analyses::{Counts, Durations, SourceMetrics};

    #[test]
    fn labels_are_escaped_and_each_series_stands_once() {
        let kinds = [("a\"b\\c\nd\u{1b}", 3), (&"x".repeat(200), 2), (&"x".repeat(201), 1)];
        let kinds = kinds.map(|(kind, count)| (kind.to_string(), count)).to_vec();
        let metrics = MetricsReport { by_kind: Counts(kinds), ..MetricsReport::default() };
        let text = text(&metrics, &StoreMetrics::default());
        assert!(text.contains("daybook_kind_events{kind=\"a\\\"b\\\\c\\nd \"} 3\n"), "{text}");
        assert_eq!(text.matches("kind=\"xxx").count(), 1);
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn each_family_has_its_help_and_type_before_its_samples() {
        let source = SourceMetrics {
            source: "api".to_string(),
            events: 4,
            errors: 1,
            success_rate: 0.75,
            duration_ms: Durations { p95: Some(1500.0), mean: Some(f64::NAN), ..Durations::default() },
        };
        let metrics = MetricsReport { sources: vec![source], ..MetricsReport::default() };
        let text = text(&metrics, &StoreMetrics::default());
        let p95 = "# HELP daybook_source_duration_p95_seconds How long things take, 95th percentile.\n\
                   # TYPE daybook_source_duration_p95_seconds gauge\n\
                   # UNIT daybook_source_duration_p95_seconds seconds\n\
                   daybook_source_duration_p95_seconds{source=\"api\"} 1.5\n";
        assert!(text.contains(p95), "{text}");
        for absent in ["daybook_source_duration_mean_seconds", "daybook_source_duration_p50_seconds", "NaN"] {
            assert!(!text.contains(absent), "{text}");
        }
        let mut names = BTreeSet::new();
        for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
            assert!(names.insert(line.to_string()), "{line} stands twice");
        }
    }
}
