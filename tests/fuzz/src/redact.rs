//! Redaction: what comes out is valid, stays as it is, and has no planted secret.

use crate::json::{depth, parse};
use daybook::event::json::Tape;
use daybook::event::mapping::Mapping;
use daybook::intake::Intake;
use daybook::redact::{Action, Pattern, RedactSettings, Redactor, Rules};
use serde_json::{Value, json};
use std::sync::Arc;

const SECRET: &str = "hunter2-QZX";
const CARD: &str = "4012888888881881";

fn rules(action: Action, all: bool) -> Arc<Rules> {
    let mut settings = RedactSettings { action, ..RedactSettings::default() };
    if all {
        settings.patterns = Pattern::ALL.to_vec();
        settings.max_value_bytes = 64;
    }
    Arc::new(Rules::new(&settings, Some([7; 32])).expect("the settings are valid"))
}

/// Deeper JSON in a string is not looked into.
const DEPTH_MAX: usize = 400;

/// Redacts an input as text, as a record, and with secrets put into it.
pub fn check(data: &[u8]) {
    let host = parse(data).unwrap_or_else(|| Value::from(String::from_utf8_lossy(data).as_ref()));
    let text = host.to_string() + &String::from_utf8_lossy(data);
    let is_planted_already = text.contains("hunter2") || text.contains("401288") || depth(data) > DEPTH_MAX;
    for (action, all) in [(Action::Mask, false), (Action::Hash, true), (Action::Drop, true)] {
        let rules = rules(action, all);
        let mut redactor = Redactor::new(rules.clone());
        check_raw(&mut redactor, data);
        check_record(&mut redactor, data);
        if !is_planted_already {
            check_planted_text(&mut redactor, data);
            check_planted(&rules, &host, all);
        }
    }
}

fn check_raw(redactor: &mut Redactor, data: &[u8]) {
    let once = redactor.raw(data);
    if let Some(once) = &once {
        assert_eq!(redactor.raw(once), None, "{} changes again", String::from_utf8_lossy(once));
    }
}

fn check_planted_text(redactor: &mut Redactor, data: &[u8]) {
    let planted = [data, b"\npassword=hunter2-QZX\ncard 4012888888881881\n"].concat();
    let clean = redactor.raw(&planted).expect("secrets are found");
    assert_clean(&String::from_utf8_lossy(&clean));
}

fn check_record(redactor: &mut Redactor, data: &[u8]) {
    let mut tape = Tape::default();
    if std::str::from_utf8(data).is_err() || tape.parse(data).is_err() {
        return;
    }
    if let Some(once) = redactor.record(data, &tape) {
        tape.parse(&once).expect("a redacted record is JSON");
        let again = redactor.record(&once, &tape);
        assert_eq!(again, None, "{} changes again", String::from_utf8_lossy(&once));
    }
}

/// Puts secrets beside the input, above and below it, and inside JSON in a string.
fn check_planted(rules: &Arc<Rules>, host: &Value, is_cut: bool) {
    let inner = json!({ "x": [host], "db_token": [SECRET, host], "note": format!("pay {CARD}.") });
    let mut records = vec![
        json!({ "password": SECRET, "host": host }),
        json!({ "host": host, "a": [[inner]], "m": format!("Bearer {SECRET}") }),
    ];
    if !is_cut {
        records.push(json!({ "before": inner.to_string(), "host": host }));
    }
    for record in records {
        let mut intake = Intake::new(Mapping::default(), rules);
        if let Ok(clean) = intake.checked(record.to_string().as_bytes(), 0) {
            parse(&clean).expect("a redacted record is JSON");
            assert_clean(&String::from_utf8_lossy(&clean));
        }
    }
}

fn assert_clean(text: &str) {
    assert!(!text.contains(SECRET), "{SECRET} is in {text}");
    assert!(!text.contains(CARD), "{CARD} is in {text}");
}
