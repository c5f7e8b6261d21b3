//! No secret reaches the disk: not in events, in what could not be read, in the write-ahead log or in its messages.

use crate::support::{World, counts};
use daybook::{Durability, Event};
use serde_json::json;
use std::path::Path;

const CARD: &str = "4111 1111 1111 1111";
const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
/// What must not be found; each as it stands in the records below.
const SECRETS: [&str; 9] = [
    "hunter2-A",
    "hunter2-B",
    "hunter2-C",
    "hunter2-D",
    "hunter2-E",
    "4111 ",
    TOKEN,
    "MIIEowIBAAKCAQEA",
    "opaque-bearer-77",
];

fn records() -> String {
    let records = [
        json!({"kind": "a", "password": "hunter2-A", "user": "ann"}),
        json!({"kind": "b", "request": {"headers": [{"Authorization": "Basic hunter2-B"}, {"X-API-Key": "hunter2-C"}]}}),
        json!({"kind": "c", "message": format!("paid with {CARD} today, then Bearer opaque-bearer-77")}),
        json!({"kind": "d", "note": TOKEN}),
        json!({"kind": "e", "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"}),
        json!({"kind": "f", "inner": "{\"db\":{\"password\":\"hunter2-D\"}}"}),
        json!({"kind": "g", "Set-Cookie": "sid=hunter2-E; Path=/"}),
    ];
    let mut text: String = records.iter().map(|record| format!("{record}\n")).collect();
    // Lines that cannot be read, and a time whose text is a secret.
    text.push_str(&format!("password=hunter2-A token: \"hunter2-B\" card {CARD}\n"));
    text.push_str(&format!("{{\"kind\":\"h\",\"password\":\"hunter2-C\", {TOKEN}\n"));
    text.push_str(&format!("{{\"kind\":\"i\",\"ts\":\"{CARD}\",\"api_key\":\"hunter2-D\"}}\n"));
    text.push_str("{\"secret\":\"hunter2-E\",\"secret\":\"hunter2-A\",\"kind\":\"j\"}\n");
    text
}

/// The names of the files below a folder that have one of these in them.
fn leaks(folder: &Path, secrets: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leaks(&path, secrets));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for secret in secrets {
            if bytes.windows(secret.len()).any(|window| window == secret.as_bytes()) {
                found.push(format!("{}: {secret}", path.display()));
            }
        }
    }
    found
}

/// Everything that SQL sees in a store, as text: what is compressed in its files too.
fn everything(world: &World) -> String {
    let mut all = world.texts("SELECT CAST(to_json(e) AS VARCHAR) FROM events e");
    all.extend(world.texts("SELECT CAST(to_json(q) AS VARCHAR) FROM quarantine q"));
    let encoded = "SELECT decode(from_base64(raw_base64)) FROM quarantine WHERE raw_base64 IS NOT NULL";
    all.extend(world.texts(encoded));
    all.extend(world.originals().iter().map(ToString::to_string));
    all.join("\n")
}

#[track_caller]
fn check_no_secret(world: &World) {
    assert_eq!(leaks(&world.place(), &SECRETS), Vec::<String>::new());
    let all = everything(world);
    for secret in SECRETS {
        assert!(!all.contains(secret), "`{secret}` is in {all}");
    }
}

#[test]
fn nothing_secret_is_on_the_disk_after_an_ingest() {
    for action in ["mask", "hash", "drop"] {
        let world = World::with_settings(&format!("[redact]\naction = \"{action}\"\n"));
        let receipt = world.ingest("a.jsonl", records());
        world.check_counts(&receipt);
        assert_eq!(counts(&receipt), [11, 8, 0, 3], "{action}: {:?}", world.quarantined("reason"));
        check_no_secret(&world);
        let rules: Vec<&str> = receipt.redacted.by_rule.keys().map(String::as_str).collect();
        for rule in [
            "bearer",
            "card",
            "key api_key",
            "key authorization",
            "key cookie",
            "key password",
            "key secret",
            "private key",
        ] {
            assert!(rules.contains(&rule), "{action}, {rule}: {rules:?}");
        }
        assert_eq!(receipt.redacted.by_rule, receipt.inputs[0].redacted.by_rule);
    }
}

#[test]
fn a_secret_where_a_reason_is_cut_is_no_part_of_it() {
    let secrets = [
        "password=\"hunter2-A, hunter2-B and hunter2-C\"",
        &format!("card {CARD}"),
        &format!("Bearer {TOKEN}"),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    ];
    let world = World::new();
    let mut text = String::new();
    for secret in secrets {
        for before in 0..60 {
            text.push_str(&format!("{}\n", json!({"ts": format!("{} {secret}", "x".repeat(before))})));
        }
    }
    let receipt = world.ingest("a.jsonl", &text);
    assert_eq!(counts(&receipt), [240, 0, 0, 240]);
    check_no_secret(&world);
    for part in ["hunter2", "4111", "4111 1", "eyJhbGci", "MIIEow"] {
        let reasons = world.quarantined("reason");
        let with: Vec<&String> = reasons.iter().filter(|reason| reason.contains(part)).collect();
        assert!(with.is_empty(), "{part}: {with:?}");
    }
    for line in text.lines() {
        let told = format!("{:?}", world.store.append_json(line.as_bytes(), Durability::Fsync).unwrap());
        assert!(!told.contains("hunter2") && !told.contains("4111"), "{told}");
    }
}

#[test]
fn keys_of_clouds_and_of_keys_are_secret() {
    let world = World::new();
    for key in ["aws_secret_access_key", "SecretAccessKey", "secret_key", "SECRET_KEY", "passphrase"] {
        world.ingest(key, format!("{}\n", json!({"kind": "a", key: "hunter2-A", "access_key_id": "AKIA"})));
    }
    assert_eq!(world.number("SELECT count(*) FROM events WHERE access_key_id = 'AKIA'"), 5);
    check_no_secret(&world);
}

#[test]
fn nothing_secret_is_on_the_disk_after_appends() {
    for sealed in [false, true] {
        let world = World::new();
        for line in records().lines() {
            world.store.append_json(line.as_bytes(), Durability::Fsync).unwrap();
        }
        let event = Event::new("k").message(format!("card {CARD}")).field("password", "hunter2-A");
        world.store.append(&event, Durability::Fsync).unwrap();
        if sealed {
            world.store.seal().unwrap();
        }
        assert_eq!(leaks(&world.place(), &["\"kind\":\"a\""]).is_empty(), sealed, "the log is looked at");
        assert_eq!(world.number("SELECT count(*) FROM events"), 9);
        assert_eq!(world.number("SELECT count(*) FROM quarantine"), 3);
        check_no_secret(&world);
    }
}

#[test]
fn explaining_shows_no_secret() {
    let world = World::new();
    let input = daybook::Input::File(world.file("a.jsonl", records()));
    let explained = world.store.explain(input, &daybook::IngestOptions::default()).unwrap();
    let text = serde_json::to_string(&explained).unwrap();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(explained[0].redacted.total() > 5, "{text}");
}

#[test]
fn secrets_of_every_format_are_found() {
    let files = [
        ("a.csv", "time,password,note\n2026-02-03,hunter2-A,x\n2026-02-04,hunter2-B,y\n".to_string(), 2),
        ("a.logfmt", "time=2026-02-03T10:00:00Z level=info token=hunter2-A msg=x\n".repeat(3), 3),
        (
            "a.log",
            format!("2026-02-03T10:00:00Z INFO login with {CARD} and Bearer opaque-bearer-77\n").repeat(2),
            4,
        ),
        (
            "a.syslog",
            format!("<34>1 2026-02-03T10:00:00Z h app - - [a@1 password=\"hunter2-A\"] paid {CARD}\n"),
            2,
        ),
        (
            "access.log",
            format!("::1 - - [03/Feb/2026:10:00:00 +0000] \"GET /?x=1 HTTP/1.1\" 200 5 \"-\" \"{TOKEN}\"\n"),
            1,
        ),
        ("a.json", format!("[{}]", records().lines().next().unwrap()), 1),
    ];
    for (name, text, found) in files {
        let world = World::new();
        let receipt = world.ingest(name, text);
        assert_eq!(receipt.quarantined, 0, "{name}");
        assert_eq!(receipt.redacted.total(), found, "{name}: {receipt:#?}");
        check_no_secret(&world);
    }
}

#[test]
fn hashes_of_equal_values_are_equal_and_join() {
    let world = World::with_settings("[redact.key_actions]\ntoken = \"hash\"\n");
    let text = "{\"kind\":\"a\",\"token\":\"one\"}\n{\"kind\":\"b\",\"token\":\"two\"}\n{\"kind\":\"c\",\"login\":{\"token\":\"one\"},\"password\":\"one\"}\n";
    assert_eq!(counts(&world.ingest("a", text)), [3, 3, 0, 0]);
    world.store.append_json(b"{\"kind\":\"d\",\"token\":\"two\"}", Durability::Fsync).unwrap();
    assert_eq!(world.number("SELECT count(*) FROM events a JOIN events b ON a.token = b.login_token"), 1);
    assert_eq!(world.texts("SELECT DISTINCT length(token) FROM events WHERE token IS NOT NULL"), ["23"]);
    assert_eq!(world.number("SELECT count(DISTINCT token) FROM events"), 2);
    assert_eq!(world.texts("SELECT password FROM events WHERE kind = 'c'"), ["[redacted]"]);
    let other = World::with_settings("[redact]\naction = \"hash\"\n");
    other.ingest("a", text);
    let hash = |world: &World| world.texts("SELECT token FROM events WHERE kind = 'a'");
    assert_ne!(hash(&world), hash(&other), "each store has a key of its own");
}

#[test]
fn one_setting_switches_it_off() {
    let world = World::with_settings("[redact]\nenabled = false\n");
    let receipt = world.ingest("a.jsonl", records());
    assert!(receipt.redacted.is_empty());
    let all = everything(&world);
    for secret in SECRETS {
        assert!(all.contains(secret), "`{secret}` is not in {all}");
    }
}

#[test]
fn numbers_and_ids_that_look_like_cards_stay() {
    let world = World::new();
    let record = json!({"kind": "a", "number": 4_111_111_111_111_111_i64, "order_id": "4111111111111111",
        "trace_id": "4111111111111111", "ids": [4_111_111_111_111_111_i64], "tokens": 7, "token_count": 9,
        "text": "order 41111111111111112 and 4111-1111-1111-1112", "password": null, "secret": "", "cookie": true});
    let receipt = world.ingest("a.jsonl", record.to_string());
    assert!(receipt.redacted.is_empty(), "{receipt:#?}");
    assert_eq!(world.originals(), [record]);
    let csv = "time,order_id,amount\n2026-02-03,4111111111111111,1\n2026-02-04,5500005555555559,2\n";
    let receipt = world.ingest("a.csv", csv);
    assert!(receipt.redacted.is_empty(), "{receipt:#?}");
    assert_eq!(world.number("SELECT count(*) FROM events WHERE order_id IS NOT NULL"), 3);
}

#[test]
fn e_mail_and_ip_addresses_go_where_that_is_asked_for() {
    let text = "{\"kind\":\"a\",\"user\":\"ann@example.com\",\"text\":\"from 192.0.2.7 and ::1\",\"ip\":\"2001:db8::1\"}\n";
    let world = World::new();
    assert!(world.ingest("a", text).redacted.is_empty());
    let world = World::with_settings("[redact]\npatterns = [\"email\", \"ip\"]\n");
    let receipt = world.ingest("a", text);
    assert_eq!(receipt.redacted.total(), 4, "{receipt:#?}");
    assert_eq!(leaks(&world.place(), &["ann@example.com", "192.0.2.7", "2001:db8::1"]), Vec::<String>::new());
    assert_eq!(world.texts("SELECT actor FROM events"), ["[redacted email]"]);
}

#[test]
fn a_value_that_is_too_long_is_cut_and_says_so() {
    let world = World::with_settings("[redact]\nmax_value_bytes = 100\n");
    let record = json!({"kind": "a", "text": "é".repeat(80), "short": "x".repeat(100)});
    let receipt = world.ingest("a", record.to_string());
    assert_eq!((receipt.redacted.cut, receipt.redacted.total()), (1, 1));
    let text = world.texts("SELECT message FROM events").remove(0);
    assert!(text.starts_with("éé") && text.ends_with("…[cut, 160 bytes]") && text.len() <= 130, "{text}");
}
