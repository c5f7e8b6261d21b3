pub mod testing;

use super::*;
use crate::format::detect;
use proptest::prelude::*;
use testing::*;

/// The two records of an example in CloudTrail's documentation, shortened.
const CLOUDTRAIL: &str = r#"{"Records": [{
    "eventVersion": "1.08",
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "EXAMPLE6E4XEGITWATV6R",
        "arn": "arn:aws:iam::123456789012:user/Mateo",
        "sessionContext": {"attributes": {"creationDate": "2023-07-19T21:11:57Z", "mfaAuthenticated": "false"}}
    },
    "eventTime": "2023-07-19T21:17:28Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "StartInstances",
    "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-EXAMPLE56126103cb"}]}},
    "recipientAccountId": "123456789012"
}, {
    "eventVersion": "1.08",
    "eventTime": "2023-07-19T21:35:05Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "CreateUser",
    "requestParameters": {"userName": "Ric\"ha}rd\\"}
}]}
"#;

const HITS: &str = r#"{"took":5,"_shards":{"total":1,"failures":[{"a":1}]},"hits":{"total":{"value":2},"hits":[
  {"_id":"1","_source":{"@timestamp":"2026-01-01T00:00:00Z","m":"a"}},
  {"_id":"2","_source":{"@timestamp":"2026-01-01T00:00:01Z","m":"b"}}
],"max_score":null},"aggregations":{"x":[{"key":1}]}}"#;

const PRETTY: &str = "{\n  \"ts\": \"2026-01-01\",\n  \"list\": [\n    {\n      \"x\": 1\n    }\n  ]\n}\n{\n  \"ts\": \
                      \"2026-01-02\",\n  \"s\": \"}\"\n}\n";

const ARRAY: &str =
    "[\n  {\"a\": 1},\n  {\"a\": {\"b\": [{}]}},\n  [1, [2]],\n  \"x\\\"\", 7,\n  {\"a\": 3}\n]\n";

fn records_of(text: &str) -> Vec<String> {
    let layout = layout(&sample(text.as_bytes()));
    let taken = read(&*layout.codec, text.as_bytes());
    assert!(taken.reasons().is_empty(), "{taken:?}");
    check_steps(&*layout.codec, text.as_bytes());
    taken.records().into_iter().map(str::to_string).collect()
}

/// Records, and what is unreadable with its reason.
fn check(text: &str, records: &[&str], unreadable: &[(&str, &str)]) {
    let layout = layout(&sample(text.as_bytes()));
    let taken = read(&*layout.codec, text.as_bytes());
    assert_eq!(taken.records(), records, "{text}");
    assert_eq!(taken.reasons(), unreadable, "{text}");
    check_steps(&*layout.codec, text.as_bytes());
}

#[test]
fn an_array_is_found_in_the_object_around_it() {
    let records = records_of(CLOUDTRAIL);
    assert_eq!(records.len(), 2);
    assert!(records[0].contains("StartInstances") && records[1].contains("CreateUser"));
    let twice = format!("{CLOUDTRAIL}{}", CLOUDTRAIL.trim_end());
    assert_eq!(records_of(&twice).len(), 4);
    assert_eq!(records_of(HITS).len(), 2);
    assert_eq!(records_of(&format!("{HITS}{HITS}")).len(), 4);
    assert_eq!(layout(&sample(CLOUDTRAIL.as_bytes())).notes, [""; 0]);
    assert_eq!(
        layout(&sample(HITS.as_bytes())).notes,
        [
            "other fields of the wrapper are not stored: took, _shards, hits.total, hits.max_score, aggregations"
        ]
    );
}

#[test]
fn what_may_come_after_the_records_is_said() {
    let start = "{\"total\":2,\"items\":[{\"time\":\"2026-01-01\",\"a\":1},";
    let cut = Sample { whole: false, ..sample(start.as_bytes()) };
    assert_eq!(
        layout(&cut).notes,
        [
            "other fields of the wrapper are not stored: total",
            "fields of the wrapper that stand after the records are not stored"
        ]
    );
}

#[test]
fn objects_and_arrays_follow_each_other() {
    assert_eq!(records_of(PRETTY).len(), 2);
    assert_eq!(records_of("{\"a\":1}{\"b\":[{}]} {\"c\":2}"), ["{\"a\":1}", "{\"b\":[{}]}", "{\"c\":2}"]);
    assert_eq!(records_of("\u{1e}{\"a\":1}\n\u{1e}{\"b\":1}\n"), ["{\"a\":1}", "{\"b\":1}"]);
    assert_eq!(records_of("[{\"a\":1},{\"b\":2}]\n[{\"c\":3}]\n[]"), ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
    assert_eq!(records_of("[ ]"), [""; 0]);
    assert_eq!(records_of("{\"Records\":[]}"), [""; 0]);
    assert_eq!(records_of("{\"a\":{}}\r\n"), ["{\"a\":{}}"]);
}

#[test]
fn a_record_with_a_list_is_no_wrapper() {
    let order =
        "{\n  \"timestamp\": \"2026-01-01\",\n  \"items\": [{\"sku\": 1}, {\"sku\": 2}],\n  \"id\": 5\n}";
    assert_eq!(records_of(order), [order]);
    let orders = format!("{order}\n{order}\n").replace("timestamp", "customer");
    assert_eq!(records_of(&orders).len(), 2);
}

#[test]
fn what_is_no_object_is_no_record() {
    let reason = "a record is a JSON object";
    check(
        ARRAY,
        &["{\"a\": 1}", "{\"a\": {\"b\": [{}]}}", "{\"a\": 3}"],
        &[("[1, [2]]", reason), ("\"x\\\"\"", reason), ("7", reason)],
    );
    check("[undefined,{\"a\":1},NaN]", &["{\"a\":1}"], &[("undefined", reason), ("NaN", reason)]);
    check("{\"a\":1}}\n{\"b\":\n2}", &["{\"a\":1}", "{\"b\":\n2}"], &[("}", "it belongs to no record")]);
}

#[test]
fn damage_ends_where_a_line_begins_with_an_object() {
    check(
        "[\n {\"a\":\"x\n y\",\"b\":1},\n {\"a\":2}\n]",
        &["{\"a\":2}"],
        &[("{\"a\":\"x\n y\",\"b\":1},", "a line ends inside a string")],
    );
    check(
        "[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": [1\n  {\n    \"c\": [\n      {\"d\": 1}\n    ]\n  }\n]",
        &["{\n    \"a\": 1\n  }", "{\n    \"c\": [\n      {\"d\": 1}\n    ]\n  }"],
        &[("{\n    \"b\": [1", "a bracket opens where none can")],
    );
    check(
        "{\n\"a\": [1}\n}\nsome more\n{\n\"b\": 1}",
        &["{\n\"b\": 1}"],
        &[("{\n\"a\": [1}\n}\nsome more", "its brackets do not match")],
    );
    check("{\"a\":1}{\"a\": \"x", &["{\"a\":1}"], &[("{\"a\": \"x", "it is cut off")]);
    check("[{\"a\":1},{\"a\": [", &["{\"a\":1}"], &[("{\"a\": [", "it is cut off")]);
    let cut = CLOUDTRAIL.split_at(CLOUDTRAIL.len() - 15).0;
    let text = format!("{cut}\n{CLOUDTRAIL}");
    let layout = layout(&sample(text.as_bytes()));
    let taken = read(&*layout.codec, text.as_bytes());
    assert_eq!((taken.records().len(), taken.reasons().len()), (3, 1), "{taken:?}");
}

#[test]
fn an_object_without_the_array_is_a_record_itself() {
    let text =
        "{\"Records\":[{\"eventTime\":\"2026-01-01\"}]}\n{\"error\":\"denied\"}\n{\"Records\":[{\"b\":1}]}\n";
    let codec = Documents { path: Some(vec![Box::from(&b"Records"[..])].into()) };
    let taken = read(&codec, text.as_bytes());
    assert_eq!(taken.records(), ["{\"eventTime\":\"2026-01-01\"}", "{\"error\":\"denied\"}", "{\"b\":1}"]);
    check_steps(&codec, text.as_bytes());
}

#[test]
fn records_are_read_again_alone() {
    for text in [CLOUDTRAIL, HITS, PRETTY, ARRAY, "{\"value\":[{\"value\":[{\"a\":1}]}]}"] {
        check_alone(&layout(&sample(text.as_bytes())), layout, text.as_bytes());
    }
}

#[test]
fn documents_are_told_from_lines() {
    let best = |text: &str, whole: bool| {
        let sample = Sample { whole, ..sample(text.as_bytes()) };
        detect::guesses(&sample).first().map(|guess| guess.layout.format)
    };
    let compact = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap().to_string();
    for text in [
        CLOUDTRAIL,
        HITS,
        PRETTY,
        ARRAY,
        &compact(CLOUDTRAIL),
        &compact(HITS),
        "[{\"a\":1}]",
        "{\"a\":1}{\"b\":1}",
    ] {
        assert_eq!(best(text, true), Some(Format::Json), "{text}");
    }
    for text in [
        &CLOUDTRAIL[..700],
        &compact(CLOUDTRAIL)[..300],
        &PRETTY[..30],
        "[{\"a\":",
        "{\"Records\":[{\"a\":[1,",
    ] {
        assert_eq!(best(text, false), Some(Format::Json), "{text}");
    }
    for text in [
        "{\"a\":1}",
        "{\"a\":1}\n{\"b\":\"x\n{\"c\":3}\n",
        "{\"id\":1,\"items\":[{\"sku\":1}]}\n{\"id\":2,\"items\":[{\"sku\":1}]}\n",
    ] {
        assert_eq!(best(text, true), Some(Format::JsonLines), "{text}");
    }
    for text in ["", "[2026-01-01 00:00:00] started\n[2026-01-01 00:00:01] done\n", "a=1 b=2", "123\n456\n"] {
        assert_ne!(best(text, true), Some(Format::Json), "{text}");
    }
}

#[test]
fn reading_goes_on_at_a_line_with_an_object() {
    let codec = Documents { path: None };
    assert_eq!(codec.next_start(b"  \"x\": 1\n  },\n  {\"a\":1}"), Some(14));
    assert_eq!(codec.next_start(b"x\ny\n"), None);
}

#[test]
fn hostile_inputs_take_linear_time() {
    let many = |part: &str| part.repeat(300_000 / part.len());
    for text in [
        "{\"a\":[\n",
        "[",
        "{",
        "{\"a\":",
        "\n{\"a\"\n",
        "}\n",
        "\"\n",
        "\\\n",
        "x\n",
        "{\"Records\":[",
        "[,",
        "\n",
    ] {
        for start in ["", "[", "{\"Records\":[{\"a\":1}"] {
            let text = format!("{start}{}", many(text));
            let layout = layout(&sample(text.as_bytes()));
            layout.codec.last_end(text.as_bytes());
            read(&*layout.codec, text.as_bytes());
        }
    }
}

proptest! {
    #[test]
    fn any_blocks_give_the_same(seed in 0usize..4, damages in damages(), step in 1usize..200) {
        let text = [CLOUDTRAIL, HITS, PRETTY, ARRAY][seed];
        let bytes = damaged(format!("{text}{text}").as_bytes(), &damages);
        for codec in [layout(&sample(text.as_bytes())).codec, layout(&sample(&bytes)).codec] {
            prop_assert_eq!(read_in_steps(&*codec, &bytes, step), read(&*codec, &bytes));
        }
    }

    #[test]
    fn brackets_and_quotes_in_any_order_are_read(text in "[\\[\\]{}\",:\\\\ \n1a]{0,60}", step in 1usize..9) {
        let sample = sample(text.as_bytes());
        let _ = guess(&sample);
        let wrapped = Documents { path: Some(vec![Box::from(&b"a"[..])].into()) };
        for codec in [&*layout(&sample).codec, &wrapped] {
            prop_assert_eq!(read_in_steps(codec, text.as_bytes(), step), read(codec, text.as_bytes()));
        }
    }
}
