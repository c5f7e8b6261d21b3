use super::*;

fn check(text: &str, expected: &str) {
    check_record_with(&RedactSettings::default(), text, expected);
}

/// A string alone under a key that says nothing.
fn check_text(settings: &RedactSettings, text: &str, expected: &str) {
    let json = |text: &str| serde_json::json!({ "message": text }).to_string();
    assert_eq!(record_with(&mut redactor(settings), &json(text)), json(expected), "{text}");
}

#[test]
fn values_of_sensitive_keys_are_replaced_as_a_whole() {
    check(r#"{"a": 1, "password" : "x\"y" , "b":2}"#, r#"{"a": 1, "password" : "[redacted]" , "b":2}"#);
    check(r#"{"password":12.50}"#, r#"{"password":"[redacted]"}"#);
    check(r#"{"token":{"a":["b",null]},"c":1}"#, r#"{"token":"[redacted]","c":1}"#);
    check(r#"{"cookie":["a",{"b":1}]}"#, r#"{"cookie":"[redacted]"}"#);
    check(r#"{"secret":"{\"a\":1}"}"#, r#"{"secret":"[redacted]"}"#);
    check(
        r#"{"\u0070assword":"x","pass\u005fage":"x"}"#,
        r#"{"\u0070assword":"[redacted]","pass\u005fage":"x"}"#,
    );
    check(
        r#"{"before":{"a":[{"pwd":"x"}]},"after":[[{"pwd":"y"}]]}"#,
        r#"{"before":{"a":[{"pwd":"[redacted]"}]},"after":[[{"pwd":"[redacted]"}]]}"#,
    );
    check(r#"{"token":"a","token":"b"}"#, r#"{"token":"[redacted]","token":"[redacted]"}"#);
}

#[test]
fn values_that_say_nothing_stay() {
    for text in [
        r#"{"password":null,"token":true,"secret":false,"pwd":"","cookie":{},"passwd":[ ]}"#,
        r#"{"password":"[redacted]","token":"[hmac 0123456789abcdef]"}"#,
        r#"{"tokens":12,"token_count":"7"}"#,
        "{}",
    ] {
        check(text, text);
    }
}

#[test]
fn json_in_strings_is_redacted_inside() {
    check(
        r#"{"before":"{\"password\": \"x\", \"a\":1}"}"#,
        r#"{"before":"{\"password\": \"[redacted]\", \"a\":1}"}"#,
    );
    check(r#"{"a":[" [1,{\"\\u0070wd\" : 5}]"]}"#, r#"{"a":[" [1,{\"\\u0070wd\" : \"[redacted]\"}]"]}"#);
    check(r#"{"a":"{\u0022pwd\u0022:\"x\"}"}"#, r#"{"a":"{\"pwd\":\"[redacted]\"}"}"#);
    check(
        &format!(r#"{{"a":"{{\"n\":{CARD},\"t\":\"{CARD}\",\"id\":\"{CARD}\"}}"}}"#),
        &format!(r#"{{"a":"{{\"n\":{CARD},\"t\":\"[redacted card]\",\"id\":\"{CARD}\"}}"}}"#),
    );
    // One level deep, and not where it is no JSON.
    let deep = r#"{"a":"{\"b\":\"{\\\"pwd\\\":1}\"}"}"#;
    check(deep, deep);
    check(r#"{"a":"{pwd:1}"}"#, r#"{"a":"{pwd:1}"}"#);
}

#[test]
fn what_is_dropped_leaves_valid_json() {
    for (text, expected) in [
        (r#"{"pwd":1}"#, "{}"),
        (r#"{ "pwd" : "x" }"#, "{  }"),
        (r#"{"pwd":1, "a":2}"#, r#"{"a":2}"#),
        (r#"{"a":1, "pwd":2}"#, r#"{"a":1}"#),
        (r#"{"a":1,"pwd":2,"b":3}"#, r#"{"a":1,"b":3}"#),
        (r#"{"pwd":1,"token":2,"b":3,"secret":4}"#, r#"{"b":3}"#),
        (r#"{"pwd":1,"token":{"x":2}}"#, "{}"),
        (
            r#"{"a":{"pwd":1},"pwd":{"a":[1]},"b":[{"a":1,"pwd":2},{"pwd":null}]}"#,
            r#"{"a":{},"b":[{"a":1},{"pwd":null}]}"#,
        ),
        (r#"{"a":"{\"pwd\":1,\"b\":2}"}"#, r#"{"a":"{\"b\":2}"}"#),
        (r#"{"a":"pay 4111 1111 1111 1111 now"}"#, r#"{"a":"pay  now"}"#),
        (r#"{"a":"4111111111111111"}"#, r#"{"a":""}"#),
    ] {
        check_record_with(&with_action(Action::Drop), text, expected);
    }
}

#[test]
fn equal_secrets_have_equal_hashes() {
    let mut redactor = redactor(&with_action(Action::Hash));
    let text = r#"{"pwd":"a\u0062","token":"ab","secret":7,"cookie":"7","api_key":[7],
        "c":"4111-1111-1111-1111","d":"pay 4111111111111111","e":"x Bearer abcdefgh"}"#;
    let result: serde_json::Value = serde_json::from_str(&record_with(&mut redactor, text)).unwrap();
    let hash = |key: &str| result[key].as_str().unwrap().to_string();
    assert!(rules::is_redacted(hash("pwd").as_bytes()) && hash("pwd").len() == 23, "{result}");
    assert_eq!(hash("pwd"), hash("token"));
    assert_eq!(hash("secret"), hash("cookie"));
    assert_ne!(hash("secret"), hash("api_key"));
    assert_eq!(format!("pay {}", hash("c")), hash("d"));
    assert!(hash("e").starts_with("x Bearer [hmac "));
    let other = Rules::new(&with_action(Action::Hash), Some([8; 32])).unwrap();
    assert_ne!(
        record_with(&mut Redactor::new(Arc::new(other)), r#"{"pwd":"ab"}"#),
        format!(r#"{{"pwd":"{}"}}"#, hash("pwd"))
    );
}

#[test]
fn cards_are_found_where_they_stand_alone() {
    for card in [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "6500000000000002",
        "30569309025904",
        "3056 930902 5904",
        "38520000023237",
        "3530111333300000",
    ] {
        for (before, after) in
            [("", ""), ("card ", "."), ("(", ")"), ("1 ", " 2"), ("a-", "-b"), ("é", "é"), ("=", "\n")]
        {
            let expected = format!("{before}[redacted card]{after}");
            check_text(&RedactSettings::default(), &format!("{before}{card}{after}"), &expected);
        }
        for (before, after) in [
            ("1", ""),
            ("", "1"),
            ("a", ""),
            ("", "a"),
            ("_", ""),
            ("1.", ""),
            ("", ".1"),
            ("1-", ""),
            ("", "-1"),
        ] {
            let text = format!("{before}{card}{after}");
            check_text(&RedactSettings::default(), &text, &text);
        }
    }
}

#[test]
fn what_is_no_card_stays() {
    for text in [
        "4111111111111112",
        "1234567890123452",
        "411111111111111",
        "4111  1111 1111 1111",
        "4111 1111-1111 1111",
        "4111 11111111 1111",
        "2020-06-10 02:50:56",
        "1718000000000000",
        "9111111111111111",
        "[hmac 4111111111111111]",
    ] {
        check_text(&RedactSettings::default(), text, text);
    }
    let numbers = format!(r#"{{"n":{CARD},"a":[{CARD}]}}"#);
    check(&numbers, &numbers);
    for key in [
        "id",
        "orderId",
        "order_uuid",
        "seq",
        "trace",
        "span",
        "session",
        "ts",
        "event.time",
        "Timestamp",
        "nanos",
    ] {
        let text = format!(r#"{{"{key}":["{CARD}",["{CARD}"]]}}"#);
        check(&text, &text);
    }
    check(&format!(r#"{{"id":{{"note":"{CARD}"}}}}"#), r#"{"id":{"note":"[redacted card]"}}"#);
}

#[test]
fn tokens_and_private_keys_are_found() {
    let default = RedactSettings::default();
    for (text, expected) in [
        ("Bearer abcdefgh".to_string(), "Bearer [redacted bearer]"),
        ("x bEARER  abc-._~+/1== y".to_string(), "x bEARER  [redacted bearer] y"),
        ("Bearer short".to_string(), "Bearer short"),
        ("Authorization: Basic dXNlcjpwYXNz".to_string(), "Authorization: Basic [redacted bearer]"),
        ("authorization=\"Basic dXNlcjpwYXNz\"".to_string(), "authorization=\"Basic [redacted bearer]\""),
        ("Basic knowledge".to_string(), "Basic knowledge"),
        (format!("token is {JWT}."), "token is [redacted bearer]."),
        (format!("Bearer {JWT}"), "Bearer [redacted bearer]"),
        ("eyJhbGciOiJub25lIn0.eyJ".to_string(), "eyJhbGciOiJub25lIn0.eyJ"),
        (format!("a {PEM} b"), "a [redacted private key] b"),
        ("a -----BEGIN PRIVATE KEY-----MII".to_string(), "a [redacted private key]"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nx".to_string(), "[redacted private key]"),
        ("-----BEGIN PUBLIC KEY-----MII".to_string(), "-----BEGIN PUBLIC KEY-----MII"),
        (format!("Bearer {CARD} {CARD}"), "Bearer [redacted card] [redacted card]"),
    ] {
        check_text(&default, &text, expected);
    }
    check(
        r#"{"a":"\u0042earer abcdefgh","b":"411111111111\u0031111"}"#,
        r#"{"a":"Bearer [redacted bearer]","b":"[redacted card]"}"#,
    );
}

#[test]
fn addresses_are_found_only_when_switched_on() {
    let all = with_all_patterns(Action::Mask);
    for (text, expected) in [
        ("from a.b+c@mail.example.org.", "from [redacted email]."),
        ("<x@y.co>", "<[redacted email]>"),
        ("x@y @z.co a@b. a@.c a@b.c1", "x@y @z.co a@b. a@.c a@b.c1"),
        ("10.0.0.1", "[redacted ip]"),
        ("to 10.0.0.1:80, [2001:db8::1]:443", "to [redacted ip]:80, [[redacted ip]]:443"),
        ("addr:10.0.0.1 face:fe80::1.", "addr:[redacted ip] [redacted ip]."),
        ("::ffff:10.0.0.1 ::1", "[redacted ip] [redacted ip]"),
        (
            "12:30:45 a::b::c 1.2.3 1.2.3.4.5 256.1.1.1 v1.2.3.4 ::",
            "12:30:45 a::b::c 1.2.3 1.2.3.4.5 256.1.1.1 v1.2.3.4 ::",
        ),
    ] {
        check_text(&all, text, expected);
        check_text(&RedactSettings::default(), text, text);
    }
}

#[test]
fn long_values_are_cut_at_a_character() {
    let limit = |max_value_bytes| RedactSettings { max_value_bytes, ..RedactSettings::default() };
    let text = "é".repeat(50);
    let expected = format!("{}…[cut, 100 bytes]", "é".repeat(22));
    check_text(&limit(64), &text, &expected);
    check_text(&limit(100), &text, &text);
    check_text(&limit(0), &"a".repeat(3 << 20), &"a".repeat(3 << 20));
    let nested = serde_json::json!({ "a": [{ "b": text }], "n": 1 }).to_string();
    let mut redactor = redactor(&limit(64));
    let result = record_with(&mut redactor, &nested);
    assert_eq!(result, serde_json::json!({ "a": [{ "b": expected }], "n": 1 }).to_string());
    assert_eq!(redactor.take_counts(), Counts { cut: 1, ..Counts::default() });
    // What is cut from JSON is a text with numbers, and what was no card may be one.
    for text in [
        format!(r#"{{"n":{CARD},"t":"{}"}}"#, "x".repeat(100)),
        format!("{}{CARD}{}", "x ".repeat(15), "1".repeat(40)),
    ] {
        let result = record_with(&mut redactor, &serde_json::json!({ "m": text }).to_string());
        assert!(!result.contains(CARD), "{result}");
        assert!(result.len() <= 64 + 20, "{result}");
    }
}
