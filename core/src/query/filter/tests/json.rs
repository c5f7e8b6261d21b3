use super::super::{Context, Filter};
use super::{context, parse};
use serde_json::{Value as Json, json};

fn check(text: &str, expected: Json) {
    let filter = parse(text).unwrap();
    assert_eq!(serde_json::to_value(&filter).unwrap(), expected, "{text}");
    assert_eq!(serde_json::from_value::<Filter>(expected).unwrap(), filter, "{text}");
}

#[test]
fn filters_have_a_json_form() {
    check("", json!({"and": []}));
    check("kind:a", json!({"field": "kind", "op": "=", "value": "a"}));
    check(
        "kind:a,b*,/c/",
        json!({"field": "kind", "op": "=", "values": ["a", {"pattern": "b*"}, {"regex": "c"}]}),
    );
    check("http.status>=500", json!({"field": "http.status", "op": ">=", "value": "500"}));
    check("\"a.b\":x", json!({"field": "\"a.b\"", "op": "=", "value": "x"}));
    check("message=x", json!({"field": "message", "op": "=", "value": "x"}));
    check("x \"y z\"", json!({"and": [{"text": "x"}, {"text": "y z"}]}));
    check("a or -b", json!({"or": [{"text": "a"}, {"not": {"text": "b"}}]}));
    check("a\\*b?", json!({"text": {"pattern": "a\\*b?"}}));
    check("/a\\/b/", json!({"text": {"regex": "a/b"}}));
    check("artist:*", json!({"present": "artist"}));
    check("file:api/", json!({"file": "api/"}));
    check("file:*.rs", json!({"file": {"pattern": "*.rs"}}));
    check("last:1h", json!({"since": "2026-02-03T09:30:00Z"}));
    check("until:2026-02-03", json!({"until": "2026-02-03T00:00:00Z"}));
    check("is:error", json!({"is": "error"}));
}

#[test]
fn json_may_be_shorter_than_what_is_written() {
    let check = |json: Json, expected: &str| {
        assert_eq!(Filter::from_json(&json, &context()).unwrap().to_string(), expected, "{json}");
    };
    check(json!({"field": "type", "value": "a"}), "kind:a");
    check(json!({"field": "amount", "op": ">", "value": 12.5}), "amount>12.5");
    check(json!({"field": "flag", "value": true}), "flag:true");
    check(json!({"field": "kind", "op": "!=", "value": "a"}), "-kind:a");
    check(json!({"field": "message", "value": "a"}), "a");
    check(json!({"field": "message", "op": ":", "value": "a"}), "a");
    check(json!({"field": "last", "value": "1h"}), "since:2026-02-03T09:30:00Z");
    check(json!({"field": "day", "value": "today"}), "since:2026-02-03T00:00:00Z until:2026-02-04T00:00:00Z");
    check(json!({"field": "entity", "value": "order:42"}), "entity_type:order entity_id:42");
    check(json!({"since": "-1h"}), "since:2026-02-03T09:30:00Z");
    check(json!({"present": "user"}), "actor:*");
    check(json!({"field": "kind", "value": {"pattern": "*"}}), "kind:*");
    check(json!({"and": [{"and": [{"text": "a"}]}, {"or": [{"text": "b"}]}]}), "a b");
    check(json!({"or": []}), "-*");
}

#[test]
fn json_that_is_no_filter_is_an_error() {
    let check = |json: Json, expected: &str| {
        let message = Filter::from_json(&json, &Context::without_clock()).unwrap_err().to_string();
        assert!(message.contains(expected), "{json}: {message}");
    };
    check(json!("kind:a"), "is no filter: expected an object with `and`, `or`");
    check(json!({}), "is no filter");
    check(json!({"and": [], "or": []}), "is no filter");
    check(json!({"xor": []}), "is no filter");
    check(json!({"and": {}}), "is no list of filters");
    check(json!({"and": [5]}), "`5` is no filter");
    check(json!({"field": 5, "value": 1}), "names no field");
    check(json!({"field": "a b", "value": 1}), "`a b` is no name of a field");
    check(json!({"field": "a"}), "lacks a value");
    check(json!({"field": "a", "value": 1, "values": [1]}), "lacks a value");
    check(json!({"field": "a", "values": []}), "`a` is compared with nothing");
    check(json!({"field": "a", "value": null}), "`null` is no value");
    check(json!({"field": "a", "value": [1]}), "is no value");
    check(json!({"field": "a", "op": "~", "value": 1}), "is no operator");
    check(json!({"field": "a", "valeu": 1}), "a comparison has no `valeu`");
    check(json!({"text": {"regex": "("}}), "invalid regex");
    check(json!({"since": "-1h"}), "needs a clock");
    check(json!({"since": "x"}), "is no time");
    let mut deep = json!({"text": "a"});
    for _ in 0..100 {
        deep = json!({"not": deep});
    }
    check(deep, "nested deeper");
    check(json!({"and": vec![json!({"text": "a"}); 1_001]}), "more than 1000 terms");
}

#[test]
fn the_deepest_filter_goes_through_json_text() {
    let text = format!("{}a{}", "b (c or ".repeat(30), ")".repeat(30));
    let filter = parse(&text).unwrap();
    let json = serde_json::to_string(&filter).unwrap();
    assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
}
