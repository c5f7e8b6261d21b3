//! The reader of JSON: it takes what another reader takes, and finds the same in it.

use daybook::event::canonical;
use daybook::event::json::{DEPTH_MAX, Tape, quote_into};
use daybook::event::number;
use serde::Deserialize;
use serde_json::Value;

/// The JSON of another reader, however deep.
pub fn parse(text: &[u8]) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    reader.disable_recursion_limit();
    let value = Value::deserialize(&mut reader).ok()?;
    reader.end().is_ok().then_some(value)
}

/// At least as many levels as a text has.
pub fn depth(text: &[u8]) -> usize {
    let opens = |byte: &&u8| matches!(**byte, b'{' | b'[');
    text.iter().filter(opens).count()
}

/// Parses, and brings into its canonical form, which is JSON of the same value.
pub fn check(data: &[u8]) {
    let mut tape = Tape::default();
    let parsed = tape.parse(data);
    // A text that is no UTF-8 is refused before. One of so many brackets may be too deep for one and not for the other.
    if depth(data) < DEPTH_MAX && std::str::from_utf8(data).is_ok() {
        let other = parse(data);
        match (&parsed, &other) {
            (Ok(()), None) => assert!(has_large_number(data), "only the core reads it"),
            (Err(error), Some(_)) => panic!("only the core does not read it: {error:?}"),
            _ => {}
        }
        if let (Ok(()), Some(other)) = (&parsed, &other) {
            let mut out = Vec::new();
            canonical::json_into(data, &tape, 0, &mut out);
            let back = parse(&out).expect("the canonical form is JSON");
            assert!(same(&back, other), "{back} is not {other}");
        }
    }
    check_number(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let mut quoted = Vec::new();
        quote_into(text, &mut quoted);
        assert_eq!(parse(&quoted), Some(Value::from(text)));
    }
}

/// Whether a number may be beyond what a double holds, which the other reader refuses.
fn has_large_number(text: &[u8]) -> bool {
    let digits = |byte: &u8| byte.is_ascii_digit();
    text.iter().any(|byte| matches!(byte, b'e' | b'E'))
        || text.iter().filter(|byte| digits(byte)).count() > 300
}

/// A number in its one spelling stays so.
fn check_number(data: &[u8]) {
    let is_number = parse(data).is_some_and(|value| value.is_number());
    if is_number && !data.is_empty() && data.iter().all(|byte| !byte.is_ascii_whitespace()) {
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        number::canonical_into(data, &mut once);
        number::canonical_into(&once, &mut twice);
        assert_eq!(once, twice);
    }
}

/// Equal, numbers by value.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
