use super::*;

fn check(text: &str) {
    let mut tape = Tape::default();
    let ours = tape.parse(text.as_bytes());
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}: {ours:?} {theirs:?}");
}

#[test]
fn accepts_what_json_is() {
    for text in [
        "{}",
        "[]",
        "null",
        " true ",
        "0",
        "-0",
        "-1.5e+10",
        "1E5",
        "\"\"",
        "\"\\u00e9\\ud83d\\ude00\"",
        "{\"a\":[1,{\"b\":null}],\"\":\"x\"}",
        "[[],[[]],{}]",
        "{\"a\" : 1 , \"b\" : [ ] }\n",
        "\"0123456789abcdef\u{e9}\\n\"",
    ] {
        check(text);
    }
}

#[test]
fn refuses_what_it_is_not() {
    for text in [
        "",
        "{",
        "}",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "nul",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"a\nb\"",
        "{} {}",
        "[1 2]",
        "{\"a\":1,}",
        "\"tab\there\"",
        "--1",
        "NaN",
        "[",
        "[}",
        "{\"a\":1]",
    ] {
        check(text);
    }
}

#[test]
fn nodes_say_where_values_are() {
    let text = br#"{"a":[1,"x\n"],"b":true}"#;
    let mut tape = Tape::default();
    tape.parse(text).unwrap();
    let parts: Vec<_> =
        tape.nodes().iter().map(|node| std::str::from_utf8(text_of(text, node)).unwrap()).collect();
    assert_eq!(parts, [r#"{"a":[1,"x\n"],"b":true}"#, "a", r#"[1,"x\n"]"#, "1", r"x\n", "b", "true"]);
    assert_eq!(tape.nodes()[2].next, 5);
    assert!(tape.nodes()[4].escaped);
}

#[test]
fn depth_is_bounded() {
    let mut tape = Tape::default();
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(tape.parse(deep(DEPTH_MAX).as_bytes()).is_ok());
    assert!(tape.parse(deep(DEPTH_MAX + 1).as_bytes()).is_err());
    assert!(tape.parse("[".repeat(10_000_000).as_bytes()).is_err());
}

#[test]
fn values_are_bounded() {
    let mut tape = Tape::default();
    let many = |values: usize| format!("[{}0]", "0,".repeat(values - 1));
    assert!(tape.parse(many(NODES_MAX - 1).as_bytes()).is_ok());
    assert!(tape.parse(many(NODES_MAX).as_bytes()).is_err());
}

#[test]
fn strings_come_back() {
    for text in ["", "plain", "q\"b\\s/", "\u{1}\u{8}\u{c}\n\r\t", "é😀", "0123456\"", "01234567\\"] {
        let mut quoted = Vec::new();
        quote_into(text, &mut quoted);
        let parsed: String = serde_json::from_slice(&quoted).unwrap();
        assert_eq!(parsed, text);
        let mut back = Vec::new();
        unescape_into(&quoted[1..quoted.len() - 1], &mut back);
        assert_eq!(back, text.as_bytes());
    }
    let mut back = Vec::new();
    unescape_into(br"\ud83d\ude00\u00e9\/", &mut back);
    assert_eq!(std::str::from_utf8(&back).unwrap(), "😀é/");
}
