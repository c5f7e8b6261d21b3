use super::*;

fn check(text: &str, expected: &str) {
    check_raw_with(&RedactSettings::default(), text, expected);
}

#[test]
fn values_of_sensitive_keys_go_up_to_their_end() {
    for (text, expected) in [
        ("login password=hunter2 ok", "login password=[redacted] ok"),
        ("?user=a&token=b&x=c", "?user=a&token=[redacted]&x=c"),
        ("dbPassword: x, a", "dbPassword: [redacted], a"),
        ("pwd = x;y", "pwd = [redacted];y"),
        ("{token:x}", "{token:[redacted]}"),
        ("secret=\"a b\" c", "secret=\"[redacted]\" c"),
        ("secret='a b' c", "secret='[redacted]' c"),
        ("secret=\"a b", "secret=\"[redacted]"),
        (r#"{"password":"a\"b\\","x":1"#, r#"{"password":"[redacted]","x":1"#),
        (r#"{"password" : 12, "tokens": 3"#, r#"{"password" : [redacted], "tokens": 3"#),
        (r#"{"token":{"a":[1]},"b"#, r#"{"token":[redacted],"b"#),
        (r#"{"a":"{\"pwd\":\"x\\\"y\",\"b\":1}"#, r#"{"a":"{\"pwd\":\"[redacted]\",\"b\":1}"#),
        (":password => 'x'", ":password => '[redacted]'"),
        ("token: Bearer abc def", "token: [redacted] def"),
        ("password= user=b", "password= [redacted]"),
        ("password: [redacted]x y", "password: [redacted] y"),
        ("password=\nuser=b", "password=\nuser=b"),
        ("token_count=5 tokens=6 a=b", "token_count=5 tokens=6 a=b"),
        ("password", "password"),
        ("=: =:", "=: =:"),
    ] {
        check(text, expected);
    }
}

#[test]
fn headers_go_up_to_the_end_of_the_line() {
    check(
        "GET /\r\nAuthorization: Basic abc def\r\nHost: x",
        "GET /\r\nAuthorization: [redacted]\r\nHost: x",
    );
    check("Set-Cookie: a=b; c=d\nHost: x", "Set-Cookie: [redacted]\nHost: x");
    check(r#"{"Authorization":"Basic abc","x":"y"#, r#"{"Authorization":"[redacted]","x":"y"#);
    check("cookie=a b", "cookie=[redacted] b");
}

#[test]
fn patterns_are_found_everywhere() {
    check(&format!("{CARD} x {JWT}\n{PEM}"), "[redacted card] x [redacted bearer]\n[redacted private key]");
    check(&format!(r#"{{"id":{CARD},"#), r#"{"id":[redacted card],"#);
}

#[test]
fn bytes_that_are_no_text_stay() {
    let mut redactor = redactor(&RedactSettings::default());
    let text = b"\xFF\xFEpassword=\xC3\x28 \xFF4111111111111111\xFF";
    assert_eq!(raw_with(&mut redactor, text), b"\xFF\xFEpassword=\xC3\x28 \xFF[redacted card]\xFF");
    let text = b"\xFF password=\xC3\x28 \x80";
    assert_eq!(raw_with(&mut redactor, text), b"\xFF password=[redacted] \x80");
    assert_eq!(redactor.take_counts().total(), 2);
}

#[test]
fn other_actions_apply_to_raw_text() {
    let drop = with_action(Action::Drop);
    check_raw_with(&drop, "a password=x b", "a  b");
    check_raw_with(&drop, r#"{"a":1,"token":"x","b"#, r#"{"a":1,,"b"#);
    check_raw_with(&drop, r#"{\"token\":\"x\",\"b"#, r#"{,\"b"#);
    check_raw_with(&drop, &format!("a {CARD} b"), "a  b");
    check_raw_with(&drop, "password \"token\":\"x\"=hunter", "password =[redacted]");
    let result = raw_with(&mut redactor(&with_action(Action::Hash)), b"password=x token='x'");
    let text = String::from_utf8(result).unwrap();
    let hashes: Vec<&str> = text.split(['=', '\'']).filter(|part| part.starts_with("[hmac ")).collect();
    assert_eq!(hashes.len(), 2, "{text}");
    assert_eq!(hashes[0].split(" token").next(), Some(hashes[1]));
}
