use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::OnceLock;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value;

use super::simulation::{DAY, HOUR, MINUTE};
use super::story::Calendar;
use super::*;

fn options() -> DemoOptions {
    DemoOptions::new(NaiveDate::from_ymd_opt(2026, 7, 1).unwrap())
}

/// The whole year, read once.
fn year() -> &'static [(DemoEvent, Value)] {
    static YEAR: OnceLock<Vec<(DemoEvent, Value)>> = OnceLock::new();
    YEAR.get_or_init(|| {
        let parsed = events(&options()).map(|event| {
            let value = serde_json::from_str(&event.record)
                .unwrap_or_else(|error| panic!("{error}: {}", event.record));
            (event, value)
        });
        parsed.collect()
    })
}

fn of<'a>(application: &'a str) -> impl Iterator<Item = (i64, &'static Value)> + 'a {
    year()
        .iter()
        .filter(move |(event, _)| event.application == application)
        .map(|(event, value)| (event.ts_us, value))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn hash(options: &DemoOptions, count: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    for event in events(options).take(count) {
        hasher.write(event.record.as_bytes());
        hasher.write_i64(event.ts_us);
    }
    hasher.finish()
}

#[test]
fn the_same_options_give_the_same_bytes() {
    let short = DemoOptions { days: 20, ..options() };
    for count in [1_000, usize::MAX] {
        assert_eq!(hash(&short, count), hash(&short, count));
        assert_ne!(hash(&short, count), hash(&DemoOptions { seed: 1, ..short.clone() }, count));
    }
}

#[test]
fn the_year_is_pinned() {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in year().iter().flat_map(|(event, _)| event.record.bytes()) {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    assert_eq!(sum, PINNED, "other records than those that this version has always made");
}

const PINNED: u64 = 6_967_532_071_452_269_650;

#[test]
fn there_are_enough_events_of_each_application_in_order() {
    let mut counts = BTreeMap::<&str, usize>::new();
    for (event, _) in year() {
        *counts.entry(event.application).or_default() += 1;
    }
    assert!((215_000..255_000).contains(&year().len()), "{counts:?}");
    assert_eq!(counts.len(), 5, "{counts:?}");
    assert!(counts.values().all(|count| *count > 20_000), "{counts:?}");
    assert!(year().is_sorted_by_key(|(event, _)| event.ts_us));
    let end_us = simulation::midnight_us(options().until);
    assert!(year().iter().all(|(event, _)| (end_us - 365 * DAY..end_us).contains(&event.ts_us)));
}

#[test]
fn every_day_has_events_and_weeks_have_a_rhythm() {
    let mut days = BTreeMap::<i64, usize>::new();
    let mut nightly = 0;
    for (ts_us, _) in of("billing") {
        *days.entry(ts_us / DAY).or_default() += 1;
        nightly += usize::from(ts_us % DAY < 4 * HOUR);
    }
    assert_eq!(days.len(), 365);
    // Day 0 of 1970 was a Thursday.
    let weekend: usize =
        days.iter().filter(|(day, _)| matches!((*day + 3) % 7, 5 | 6)).map(|(_, count)| count).sum();
    let all: usize = days.values().sum();
    assert!(weekend * 5 < all, "{weekend} of {all}");
    assert!(nightly * 30 < all, "{nightly} of {all}");
}

#[test]
fn the_time_in_a_record_is_the_time_of_the_event() {
    for (event, value) in year() {
        let name = if event.application == "platform" { "/created_at" } else { "/timestamp" };
        let written = text(value, name);
        let read = match event.application {
            "billing" | "platform" => DateTime::parse_from_rfc3339(written).unwrap().to_utc(),
            _ => written.parse::<NaiveDateTime>().unwrap().and_utc(),
        };
        assert_eq!(read.timestamp_micros(), event.ts_us, "{}", event.record);
    }
}

#[track_caller]
fn check_values(application: &str, pointer: &str, expected: &str) {
    let found: BTreeSet<&str> = of(application).map(|(_, value)| text(value, pointer)).collect();
    let expected: BTreeSet<&str> = expected.split_whitespace().collect();
    let found: BTreeSet<&str> = found.into_iter().filter(|value| !value.is_empty()).collect();
    assert_eq!(found, expected, "{application} {pointer}");
}

#[test]
fn every_enumerated_value_occurs() {
    let categories = "pack_creation card_generation user_action system_event error security payment \
                      admin_action deployment database";
    check_values("game-bot", "/category", categories);
    check_values("game-bot", "/severity", "critical high medium low");
    check_values("game-bot", "/severity_emoji", "🔴 🟠 🟡 ⚪");
    let change_types = "file_create file_update file_delete git_commit git_push api_call \
                        system_command agent_decision config_change model_inference database_write \
                        service_start service_stop deployment";
    check_values("agent", "/change_type", change_types);
    check_values("agent", "/level", "debug info warning error critical");
    check_values("billing", "/channel", "finance system errors activity");
    let lines = "invoice_created invoice_updated payment_received payment_failed btw_calculated \
                 high_value_alert app_started app_stopped database_backup database_operation \
                 performance_warning file_operation daily_summary application_error validation_error \
                 critical_failure user_action file_upload file_download form_submitted";
    check_values("billing", "/event_type", lines);
    let actions = "crm_create crm_update crm_delete crm_get crm_list crm_search \
                   helpdesk_create_ticket helpdesk_update_ticket helpdesk_get_ticket \
                   helpdesk_list_tickets helpdesk_add_comment calendar_create_event \
                   calendar_update_event calendar_delete_event calendar_get_event \
                   calendar_list_events email_send email_get email_list email_search knowledge_store \
                   knowledge_search knowledge_get knowledge_delete";
    check_values("platform", "/action_type", actions);
    check_values("platform", "/status", "pending success failure timeout retry");
    check_values("platform", "/action", "create update delete login login_failed");
    check_values("shop", "/event_type", "CREATE UPDATE DELETE PAYMENT");
    check_values("shop", "/entity_type", "order customer product shipment payment");
}

#[test]
fn records_have_the_fields_of_their_application() {
    let check = |application: &str, first: &str, expected: &str| {
        let found = of(application).find(|(_, value)| value.get(first).is_some()).unwrap().1;
        let names: BTreeSet<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, expected.split_whitespace().collect(), "{application}");
    };
    check(
        "game-bot",
        "category",
        "timestamp category category_name description user_id severity severity_emoji metadata",
    );
    check(
        "agent",
        "change_type",
        "id timestamp session_id agent_id change_type description level file_path file_hash_before \
         file_hash_after before_state after_state metadata",
    );
    check(
        "platform",
        "action_type",
        "id tenant_id action_type provider_name request_payload response_data status error_message \
         execution_time_ms metadata created_at updated_at",
    );
    check(
        "platform",
        "action",
        "id tenant_id user_id action resource_type resource_id changes ip_address user_agent metadata \
         created_at updated_at",
    );
    check(
        "shop",
        "event_type",
        "id timestamp event_type entity_type entity_id user_id description metadata ip_address \
         user_agent",
    );
}

#[test]
fn states_follow_on_each_other() {
    let mut orders = BTreeMap::<&str, &str>::new();
    for (_, value) in of("shop").filter(|(_, value)| text(value, "/entity_type") == "order") {
        let id = text(value, "/entity_id");
        if let Some(known) = orders.insert(id, text(value, "/metadata/new_status")) {
            assert_eq!(known, text(value, "/metadata/old_status"), "{value}");
        }
    }
    let delivered = orders.values().filter(|status| **status == "DELIVERED").count();
    assert!(delivered * 10 > orders.len() * 8, "{delivered} of {}", orders.len());

    let mut files = BTreeMap::<&str, (&Value, &Value)>::new();
    for (_, value) in of("agent").filter(|(_, value)| value["file_path"].is_string()) {
        let known =
            files.insert(text(value, "/file_path"), (&value["file_hash_after"], &value["after_state"]));
        if let Some(known) = known {
            assert_eq!(known, (&value["file_hash_before"], &value["before_state"]), "{value}");
        }
    }

    let mut settings = BTreeMap::<(String, &str, &str), &Value>::new();
    for (_, value) in of("platform").filter(|(_, value)| value["action"] == "update") {
        let before = value["changes"]["before"].as_object().unwrap();
        let (name, state) = before.iter().next().unwrap();
        let key = (name.clone(), text(value, "/resource_id"), text(value, "/tenant_id"));
        if let Some(known) = settings.insert(key, &value["changes"]["after"][name]) {
            assert_eq!(known, state, "{value}");
        }
    }
    assert!(settings.len() > 50);
}

#[test]
fn ids_of_the_shop_are_consecutive() {
    let ids: Vec<i64> = of("shop").map(|(_, value)| value["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|left, right| left + 1 == *right));
}

#[test]
fn a_provider_times_out_and_is_quiet_afterwards() {
    let calendar = Calendar::new(&options());
    let count = |span: story::Span, status: Option<&str>| {
        let calls = of("platform")
            .filter(|(ts_us, value)| span.contains(*ts_us) && value["provider_name"] == "zendesk");
        calls.filter(|(_, value)| status.is_none_or(|status| value["status"] == status)).count()
    };
    let down = calendar.outage;
    assert!(count(down, Some("timeout")) >= 10, "{}", count(down, Some("timeout")));
    assert!(count(down, Some("retry")) >= 10);
    assert_eq!(count(down, Some("success")), 0);
    assert!(count(calendar.quiet, None) <= 4, "{}", count(calendar.quiet, None));
    let week_before = story::Span { from_us: down.from_us - 7 * DAY, until_us: down.until_us - 7 * DAY };
    assert!(count(week_before, Some("success")) > 10 * count(week_before, Some("timeout")));
}

#[test]
fn a_provider_gets_slower() {
    let calendar = Calendar::new(&options());
    let median = |from_us: i64, until_us: i64| {
        let calls = of("platform").filter(|(ts_us, value)| {
            (from_us..until_us).contains(ts_us)
                && value["provider_name"] == "hubspot"
                && value["status"] == "success"
        });
        let mut times: Vec<i64> =
            calls.map(|(_, value)| value["execution_time_ms"].as_i64().unwrap()).collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (from_us, until_us) = (calendar.slow.from_us, calendar.slow.until_us);
    let (before, late, after) = (
        median(from_us - 7 * DAY, from_us),
        median(until_us - 2 * DAY, until_us),
        median(until_us, until_us + 7 * DAY),
    );
    assert!(late > 3 * before && late > 3 * after, "{before} {late} {after}");
}

#[test]
fn an_administrator_deletes_at_night() {
    let night: Vec<(i64, &Value)> =
        of("platform").filter(|(_, value)| value["ip_address"] == "203.0.113.66").collect();
    let odd_actor = platform_audit::odd_actor();
    assert!(night.iter().all(|(_, value)| value["user_id"] == odd_actor.as_str()));
    let deletions: Vec<i64> =
        night.iter().filter(|(_, value)| value["action"] == "delete").map(|(ts_us, _)| *ts_us).collect();
    assert_eq!(deletions.len(), 64);
    let span = Calendar::new(&options()).odd_actor;
    assert!(deletions.iter().all(|ts_us| span.contains(*ts_us)));
    assert!(deletions.iter().filter(|ts_us| deletions.last().unwrap() - **ts_us < MINUTE).count() > 50);
    let usual = of("platform").filter(|(_, value)| value["user_id"] == odd_actor.as_str()).count();
    assert!(usual > night.len() + 100, "{usual}");
}

#[test]
fn two_backups_are_missing() {
    let nights: BTreeSet<i64> = of("billing")
        .filter(|(_, value)| value["event_type"] == "database_backup")
        .map(|(ts_us, _)| ts_us / DAY)
        .collect();
    let until = simulation::midnight_us(options().until) / DAY;
    let missing: Vec<i64> = (1..=365).filter(|back| !nights.contains(&(until - back))).collect();
    assert_eq!(missing, [31, 88]);
}

#[test]
fn failed_logins_come_in_a_burst() {
    let span = Calendar::new(&options()).failed_logins;
    let security = |(_, value): &(i64, &Value)| {
        value["category"] == "security" && value["metadata"]["account"].is_string()
    };
    let all: Vec<(i64, &Value)> = of("game-bot").filter(security).collect();
    assert_eq!(all.len(), 260);
    assert!(all.iter().all(|(ts_us, _)| span.contains(*ts_us)));
    assert_eq!(all.last().unwrap().1["severity"], "critical");
}

#[test]
fn a_release_brings_a_new_error() {
    let span = Calendar::new(&options()).faulty_release;
    let of_type = |(_, value): &(i64, &Value)| value["metadata"]["error_type"] == "GlyphAtlasMissing";
    let errors: Vec<i64> = of("game-bot").filter(of_type).map(|(ts_us, _)| ts_us).collect();
    assert!(errors.len() >= 4, "{}", errors.len());
    assert!(errors.iter().all(|ts_us| span.contains(*ts_us)));
    let deployments: Vec<i64> = of("game-bot")
        .filter(|(_, value)| value["category"] == "deployment")
        .map(|(ts_us, _)| ts_us)
        .collect();
    assert!(deployments.contains(&span.from_us) && deployments.contains(&span.until_us));
}

#[test]
fn inferences_grow_and_commits_do_not() {
    let end_us = simulation::midnight_us(options().until);
    let count = |change_type: &str, back: std::ops::Range<i64>| {
        let days = end_us - back.end * DAY..end_us - back.start * DAY;
        of("agent")
            .filter(|(ts_us, value)| days.contains(ts_us) && value["change_type"] == change_type)
            .count()
    };
    let (early, late) = (count("model_inference", 305..365), count("model_inference", 0..60));
    assert!(late * 10 > early * 22, "{early} {late}");
    let (early, late) = (count("git_commit", 305..365), count("git_commit", 0..60));
    assert!(late * 10 < early * 13 && early * 10 < late * 13, "{early} {late}");
}

#[test]
fn some_fields_change_their_type() {
    let check = |application: &str, pointer: &str| {
        let found: Vec<&Value> = of(application).filter_map(|(_, value)| value.pointer(pointer)).collect();
        assert!(found.iter().any(|value| value.is_string()), "{pointer}");
        assert!(found.iter().any(|value| value.is_number()), "{pointer}");
    };
    check("game-bot", "/metadata/retry_after");
    check("billing", "/details/invoice_id");
    check("shop", "/metadata/items_count");
    check("platform", "/response_data/comment_id");
}

#[test]
fn stories_outside_the_days_are_not_told() {
    assert_eq!(stories(&options()).len(), 7);
    let month: Vec<String> =
        stories(&DemoOptions { days: 30, ..options() }).into_iter().map(|story| story.title).collect();
    assert_eq!(month.len(), 3, "{month:?}");
}

#[test]
fn the_scale_is_followed() {
    for events_per_day in [0.0, 40.0, 5_000.0] {
        let scaled = DemoOptions { days: 60, events_per_day, ..options() };
        let fixed = 1_000.0;
        let count = events(&scaled).count() as f64;
        let wanted = 60.0 * events_per_day;
        assert!((wanted * 0.85..=wanted * 1.12 + fixed).contains(&count), "{events_per_day}: {count}");
    }
    assert_eq!(events(&DemoOptions { days: 0, ..options() }).count(), 0);
    let first = NaiveDate::MIN;
    assert_eq!(events(&DemoOptions { until: first, ..options() }).count(), 0);
}
