use super::*;
use crate::format::detect;
use crate::format::documents::tests::testing::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The example of OpenTelemetry's protocol definitions.
const EXAMPLE: &str = r#"{
  "resourceLogs": [
    {
      "resource": {
        "attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]
      },
      "scopeLogs": [
        {
          "scope": {
            "name": "my.library",
            "version": "1.0.0",
            "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]
          },
          "logRecords": [
            {
              "timeUnixNano": "1544712660300000000",
              "observedTimeUnixNano": "1544712660300000000",
              "severityNumber": 10,
              "severityText": "Information",
              "traceId": "5B8EFFF798038103D269B633813FC60C",
              "spanId": "EEE19B7EC3C1B174",
              "body": {"stringValue": "Example log record"},
              "attributes": [
                {"key": "string.attribute", "value": {"stringValue": "some string"}},
                {"key": "boolean.attribute", "value": {"boolValue": true}},
                {"key": "int.attribute", "value": {"intValue": "10"}},
                {"key": "double.attribute", "value": {"doubleValue": 637.704}},
                {"key": "array.attribute", "value": {"arrayValue": {"values": [
                  {"stringValue": "many"}, {"stringValue": "values"}
                ]}}},
                {"key": "map.attribute", "value": {"kvlistValue": {"values": [
                  {"key": "some.map.key", "value": {"stringValue": "some value"}}
                ]}}}
              ]
            }
          ]
        }
      ]
    }
  ]
}
"#;

const LINES: &str = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}],"droppedAttributesCount":1},"schemaUrl":"https://r","scopeLogs":[{"scope":{},"schemaUrl":"https://s","logRecords":[{"timeUnixNano":"0","observedTimeUnixNano":"1700000000000000000","severityText":"","severityNumber":17,"body":{"kvlistValue":{"values":[{"key":"k","value":{}}]}}},{"body":{"stringValue":"x"},"flags":1,"eventName":"e"}]},{"logRecords":[{}]}]},{"scopeLogs":[{"logRecords":[{"timeUnixNano":1,"attributes":[{"key":"big","value":{"intValue":"99999999999999999999"}},{"key":"bytes","value":{"bytesValue":"AQI="}}]}]}]}]}
{"resourceSpans":[{"scopeSpans":[]}]}
{"resourceLogs":[]}
{"body":"taken out before","timeUnixNano":"1700000000000000000"}
"#;

fn values(text: &str) -> Vec<Value> {
    let taken = read(&Otel, text.as_bytes());
    taken.records().iter().map(|record| serde_json::from_str(record).unwrap()).collect()
}

#[test]
fn the_protocols_example_is_one_record() {
    let expected = json!({
        "timeUnixNano": "1544712660300000000",
        "observedTimeUnixNano": "1544712660300000000",
        "severityNumber": 10,
        "severityText": "Information",
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "EEE19B7EC3C1B174",
        "body": "Example log record",
        "attributes": {
            "string.attribute": "some string",
            "boolean.attribute": true,
            "int.attribute": 10,
            "double.attribute": 637.704,
            "array.attribute": ["many", "values"],
            "map.attribute": {"some.map.key": "some value"},
        },
        "resource": {"service.name": "my.service"},
        "scope": {
            "name": "my.library",
            "version": "1.0.0",
            "attributes": {"my.scope.attribute": "some scope attribute"},
        },
    });
    assert_eq!(values(EXAMPLE), std::slice::from_ref(&expected));
    let compact = serde_json::from_str::<Value>(EXAMPLE).unwrap().to_string();
    assert_eq!(values(&compact), [expected]);
}

#[test]
fn a_line_may_have_many_records() {
    let resource = json!({"service.name": "a"});
    let info = json!({"droppedAttributesCount": 1, "schemaUrl": "https://r"});
    assert_eq!(
        values(LINES),
        [
            json!({
                "observedTimeUnixNano": "1700000000000000000", "severityNumber": 17, "body": {"k": null},
                "resource": resource, "resourceInfo": info, "scopeInfo": {"schemaUrl": "https://s"},
            }),
            json!({
                "body": "x", "flags": 1, "eventName": "e",
                "resource": resource, "resourceInfo": info, "scopeInfo": {"schemaUrl": "https://s"},
            }),
            json!({"resource": resource, "resourceInfo": info}),
            json!({"timeUnixNano": 1, "attributes": {"big": "99999999999999999999", "bytes": "AQI="}}),
            json!({"body": "taken out before", "timeUnixNano": "1700000000000000000"}),
        ]
    );
    let taken = read(&Otel, LINES.as_bytes());
    assert_eq!(taken.reasons(), [("{\"resourceSpans\":[{\"scopeSpans\":[]}]}", "these are spans, not logs")]);
    check_steps(&Otel, LINES.as_bytes());
    check_alone(&layout(), |_| layout(), LINES.as_bytes());
}

#[test]
fn what_is_in_the_place_of_something_else_is_kept() {
    let wrong = r#"{"resourceLogs":[7,{"scopeLogs":"x"},{"scopeLogs":[{"logRecords":[null,{"attributes":{"a":1},"body":"plain"},{"body":{"a":1,"b":2},"attributes":[1]},{"body":{"arrayValue":{}}},{"body":{"kvlistValue":{"values":{}}}}]}]}]}"#;
    let taken = read(&Otel, wrong.as_bytes());
    assert_eq!(taken.reasons(), [("7", NO_LOGS), ("\"x\"", NO_LOGS), ("null", NO_LOGS)]);
    assert_eq!(
        taken.records(),
        [
            r#"{"attributes":{"a":1},"body":"plain"}"#,
            r#"{"body":{"a":1,"b":2},"attributes":[1]}"#,
            r#"{"body":[]}"#,
            r#"{"body":{"kvlistValue":{"values":{}}}}"#,
        ]
    );
    let broken = read(&Otel, b"{\"resourceLogs\":nope}");
    assert_eq!(broken.records(), ["{\"resourceLogs\":nope}"]);
}

#[test]
fn a_shared_resource_does_not_grow_without_bound() {
    let name = "x".repeat(100_000);
    let records = vec!["{}"; 30_000].join(",");
    let text = format!(
        r#"{{"resourceLogs":[{{"schemaUrl":"{name}","scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#
    );
    struct Count(usize, usize);
    impl Records for Count {
        fn record(&mut self, _: Place<'_>, json: &[u8]) {
            self.0 += json.len();
        }
        fn unreadable(&mut self, _: Place<'_>, _: &str) {
            self.1 += 1;
        }
        fn decoded(&mut self) {}
    }
    let mut count = Count(0, 0);
    Otel.read(text.as_bytes(), &mut count);
    assert!(count.0 <= text.len() * (GROWTH_MAX + 1) && count.1 > 0);
}

#[test]
fn exports_are_told_from_other_json() {
    let best = |text: &str, whole: bool| {
        let sample = Sample { whole, ..sample(text.as_bytes()) };
        detect::guesses(&sample).first().map(|guess| guess.layout.format)
    };
    assert_eq!(best(EXAMPLE, true), Some(Format::Otel));
    assert_eq!(best(&EXAMPLE[..300], false), Some(Format::Otel));
    let exports = &LINES[..LINES.find("{\"body\":\"taken").unwrap()];
    assert_eq!(best(exports, true), Some(Format::Otel));
    assert_eq!(best("{\"resourceSpans\":[{}]}\n", true), Some(Format::Otel));
    assert_eq!(best("{\"body\":\"x\",\"resource\":{}}\n", true), Some(Format::JsonLines));
}

proptest! {
    #[test]
    fn any_blocks_give_the_same(damages in damages(), step in 1usize..300) {
        for text in [EXAMPLE, LINES] {
            let bytes = damaged(format!("{text}{text}").as_bytes(), &damages);
            prop_assert_eq!(read_in_steps(&Otel, &bytes, step), read(&Otel, &bytes));
        }
    }
}
