use super::*;

fn is_suspect(text: &str) -> bool {
    redactor(&RedactSettings::default()).is_suspect(text.as_bytes())
}

/// Texts with the secret at every distance from their beginning and end.
fn placed(secret: &str) -> impl Iterator<Item = String> {
    let secret = secret.to_string();
    (0..150).flat_map(move |place| {
        let before = "x".repeat(place);
        [
            format!(r#"{{"{before}":"{secret}"}}"#),
            format!(r#"{{"a":"\n{secret}","{}":1}}"#, "y".repeat(place * 3)),
        ]
    })
}

#[test]
fn what_is_redacted_is_suspect_wherever_it_stands() {
    for secret in [
        CARD,
        "4111 1111 1111 1111",
        "3782-822463-10005",
        "4222222222222",
        "411111111111\\u0031111",
        "\\u20224111111111111111",
        "\\u00e94111111111111111",
        "4111\\u00201111 1111 1111",
        "Bearer abcdefgh",
        "BEARER abcdefgh",
        "Authorization: Basic abcdefgh",
        "{\\\"pwd\\\":1}",
        "{\\\"pwd\\\" : 1}",
        "{\\u0022pwd\\u0022:1}",
        "\\u0042earer abcdefgh",
        JWT,
        "-----BEGIN PRIVATE KEY-----abc",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----abc",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----abc",
    ] {
        for text in placed(secret) {
            assert!(is_suspect(&text), "{text}");
            assert!(
                redactor(&RedactSettings::default())
                    .record(text.as_bytes(), &{
                        let mut tape = Tape::default();
                        tape.parse(text.as_bytes()).unwrap();
                        tape
                    })
                    .is_some(),
                "{text}"
            );
        }
    }
}

#[test]
fn ordinary_records_are_not_suspect() {
    for text in [
        r#"{"ts":"2020-06-10 02:50:54.631","id":"{6a910b9d-498a-5ee0-c903-000000000400}","n":-9223372036854775808}"#,
        r#"{"path":"C:\\Users\\update\\u","cmd":"\"C:\\Program Files\\a.exe\" -x","u":"1718000000000000000"}"#,
        r#"{"level":"INFO","message":"bear with me, base \u003cb\u003e, horizon","k":"NT AUTHORITY\\SYSTEM"}"#,
        "",
        "{}",
    ] {
        for place in 0..80 {
            assert!(!is_suspect(&format!("{}{text}", " ".repeat(place))), "{text}");
        }
    }
}

#[test]
fn long_texts_and_patterns_that_are_switched_on_are_suspect() {
    let mut all = redactor(&with_all_patterns(Action::Mask));
    assert!(all.is_suspect(b"{}"));
    let settings =
        RedactSettings { patterns: vec![Pattern::Email], max_value_bytes: 100, ..RedactSettings::default() };
    let mut email = redactor(&settings);
    assert!(email.is_suspect(br#"{"a":"x@y.co"}"#));
    assert!(!email.is_suspect(CARD.as_bytes()));
    assert!(email.is_suspect(&[b' '; 101]) && !email.is_suspect(&[b' '; 100]));
}
