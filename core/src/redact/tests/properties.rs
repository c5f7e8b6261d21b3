use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Texts that are made of what the rules look at.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "4111111111111111",
        "4111",
        " ",
        "-",
        "1",
        "5555555555554444",
        "Bearer ",
        "bearer",
        "abcdefgh",
        "eyJ",
        ".",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END ",
        "a@b.co",
        "10.0.0.1",
        "::1",
        ":",
        "=",
        "password",
        "token",
        "\"",
        "\\",
        "'",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "é",
        "Authorization",
        "Basic ",
        "[redacted]",
        "[redacted card]",
        "[hmac 0123456789abcdef]",
        "_",
        "a",
        "cookie",
        "@",
        "…[cut, 9 bytes]",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn keys() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "password",
        "a",
        "id",
        "accessToken",
        "tokens",
        "message",
        "ts",
        "X-API-Key",
    ]);
    prop_oneof![3 => known.prop_map(str::to_string), 1 => texts()]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => texts().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(json!(4_111_111_111_111_111_u64)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys(), inner.clone()), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Value> {
    prop::collection::vec((keys(), values()), 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn settings() -> impl Strategy<Value = RedactSettings> {
    let action = prop::sample::select(vec![Action::Mask, Action::Hash, Action::Drop]);
    (action, any::<bool>(), prop::sample::select(vec![0, 64, 100, 1 << 20])).prop_map(
        |(action, all, limit)| {
            let base = if all { with_all_patterns(action) } else { with_action(action) };
            RedactSettings { max_value_bytes: limit, ..base }
        },
    )
}

/// JSON with some of the characters in its strings as escapes that they do not need.
fn with_escapes(json: &str, every: usize) -> String {
    let mut in_string = false;
    let mut escaped = false;
    let mut out = String::new();
    for (place, character) in json.chars().enumerate() {
        let plain = in_string && !escaped && character.is_ascii_alphanumeric() && place % every == 0;
        match plain {
            true => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => out.push(character),
        }
        in_string ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    out
}

/// A record that has a secret somewhere in another.
fn plant(host: Value, key: &str, secret: Value, place: usize) -> Value {
    let planted = json!({ key: secret });
    let inner = match place % 6 {
        0 => {
            let mut host = host;
            host[key] = planted[key].clone();
            return host;
        }
        1 => planted,
        2 => json!([1, [planted]]),
        3 => Value::from(planted.to_string()),
        4 => Value::from(serde_json::to_string_pretty(&json!([{ "x": [planted] }])).unwrap()),
        _ => json!([{ "y": planted.to_string() }]),
    };
    json!({ "z": host, "before": inner })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn records_stay_json_and_change_once(object in objects(), settings in settings(), every in 1_usize..9) {
        let mut redactor = redactor(&settings);
        record_with(&mut redactor, &object.to_string());
        record_with(&mut redactor, &serde_json::to_string_pretty(&object).unwrap());
        record_with(&mut redactor, &with_escapes(&object.to_string(), every));
    }

    #[test]
    fn raw_text_changes_once(text in texts(), object in objects(), settings in settings()) {
        let mut redactor = redactor(&settings);
        raw_with(&mut redactor, text.as_bytes());
        raw_with(&mut redactor, object.to_string().as_bytes());
    }

    #[test]
    fn no_planted_secret_survives(
        host in objects(),
        secret in prop::sample::select(vec![
            ("password", json!("hunter2-QZX")), ("db_token", json!(["hunter2-QZX"])), ("X-API-Key", json!({"a": "hunter2-QZX"})),
            ("note", json!("Bearer hunter2-QZX")), ("note", json!("pay 4012888888881881.")), ("m", json!("4012 8888 8888 1881")),
            ("note", json!("-----BEGIN EC PRIVATE KEY-----\nhunter2-QZX")),
        ]),
        place in 0_usize..6,
        every in prop::sample::select(vec![usize::MAX, 1, 2, 3, 7]),
        action in prop::sample::select(vec![Action::Mask, Action::Hash, Action::Drop]),
    ) {
        let (key, value) = secret;
        let text = with_escapes(&plant(host, key, value, place).to_string(), every);
        let mut redactor = redactor(&with_action(action));
        let parsed: Value = serde_json::from_str(&text).unwrap();
        let sensitive = redactor.rules.is_sensitive_key(key.as_bytes()) && matches!(place % 6, 0..=2);
        prop_assert!(sensitive || redactor.is_suspect(text.as_bytes()), "{text}");
        let result: Value = serde_json::from_str(&record_with(&mut redactor, &text)).unwrap();
        let result = result.to_string();
        for secret in ["hunter2-QZX", "4012888888881881", "4012 8888 8888 1881"] {
            prop_assert!(!result.contains(secret), "{parsed} became {result}");
        }
    }
}
