use super::*;
use std::time::{Duration, Instant};

/// A build without optimization is given less.
const BYTES: usize = if cfg!(debug_assertions) { 1 << 19 } else { 10 << 20 };

#[test]
fn hostile_texts_take_linear_time() {
    let parts = [
        "4",
        "4111",
        "4111 ",
        "4111111111111111-",
        "4111111111111111 ",
        "-",
        " ",
        "Bearer ",
        "bearer  abc ",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END ",
        "eyJ",
        "eyJ.",
        "eyJ a.",
        "a@",
        "a@b.co",
        "1.",
        "1.1.1.1-",
        ":",
        "a:",
        "::1-",
        "password=",
        "\"",
        "password:\"",
        "\\",
        "[",
        "{",
        "token=[",
        "authorization:",
        "authorization: basic ",
        "=",
        " =",
        "\\u00",
        "\u{e9}",
        "PRIVATE KEY",
        "A",
    ];
    let mut redactor = redactor(&RedactSettings { max_value_bytes: 0, ..with_all_patterns(Action::Drop) });
    let mut plain = super::redactor(&RedactSettings::default());
    for part in parts {
        let text = part.repeat(BYTES / part.len());
        let quoted = serde_json::json!({ "message": text }).to_string();
        let mut tape = Tape::default();
        tape.parse(quoted.as_bytes()).unwrap();
        let start = Instant::now();
        redactor.raw(text.as_bytes());
        redactor.record(quoted.as_bytes(), &tape);
        plain.is_suspect(quoted.as_bytes());
        plain.record(quoted.as_bytes(), &tape);
        assert!(start.elapsed() < Duration::from_secs(10), "{part:?} took {:?}", start.elapsed());
    }
}

#[test]
fn deep_and_wide_records_are_walked() {
    let deep = format!("{}\"{CARD}\"{}", "{\"a\":".repeat(500), "}".repeat(500));
    assert_eq!(
        record_with(&mut redactor(&RedactSettings::default()), &deep),
        deep.replace(CARD, "[redacted card]")
    );
    let wide = format!("{{{}\"b\":1}}", "\"pwd\":1,".repeat(50_000));
    assert_eq!(record_with(&mut redactor(&with_action(Action::Drop)), &wide), "{\"b\":1}");
}
