use super::*;
use crate::format::documents::tests::testing::*;
use proptest::prelude::*;
use serde_json::json;

/// Docker's own lines, with output that is split, of both streams at once.
const LINES: &str = r#"{"log":"content 1\n","stream":"stdout","time":"2016-10-20T18:39:20.57606443Z"}
{"log":"first, ","stream":"stdout","attrs":{"tag":"a"},"time":"2016-10-20T18:39:20.57606444Z"}
{"log":"{\"level\":\"warn\",","stream":"stderr","time":"2016-10-20T18:39:20.57606445Z"}
{"log":"second\\\\n","stream":"stdout","time":"2016-10-20T18:39:20.57606446Z"}
{"log":"\"msg\":\"x\"}\r\n","stream":"stderr","time":"2016-10-20T18:39:20.57606447Z"}
{"log":", third\n","stream":"stdout","time":"2016-10-20T18:39:20.57606448Z"}
{"log":"{\"time\":\"2020-01-01\",\"container\":1}\n","stream":"stdout","time":"2016-10-20T18:39:20.57606449Z"}
{ "stream" : "stdout", "log" : "left", "time" : "2016-10-20T18:39:21Z" }
"#;

fn read_all(text: &str) -> Taken {
    let codec = layout(&sample(text.as_bytes())).codec;
    check_steps(&*codec, text.as_bytes());
    read(&*codec, text.as_bytes())
}

#[test]
fn parts_of_a_line_are_joined() {
    let taken = read_all(LINES);
    let values: Vec<serde_json::Value> =
        taken.records().iter().map(|record| serde_json::from_str(record).unwrap()).collect();
    assert_eq!(
        values,
        [
            json!({"log": "content 1", "container": {"stream": "stdout", "time": "2016-10-20T18:39:20.57606443Z"}}),
            json!({
                "level": "warn", "msg": "x",
                "container": {"stream": "stderr", "time": "2016-10-20T18:39:20.57606445Z"},
            }),
            json!({
                "log": "first, second\\\\n, third",
                "container": {"stream": "stdout", "attrs": {"tag": "a"}, "time": "2016-10-20T18:39:20.57606444Z"},
            }),
            json!({
                "time": "2020-01-01", "container": 1,
                "container_log": {"stream": "stdout", "time": "2016-10-20T18:39:20.57606449Z"},
            }),
            json!({"log": "left", "container": {"stream": "stdout", "time": "2016-10-20T18:39:21Z"}}),
        ]
    );
    check_alone(&layout(&sample(LINES.as_bytes())), layout, LINES.as_bytes());
}

#[test]
fn lines_whose_ends_were_taken_off_are_not_joined() {
    let text = r#"{"log":"a","stream":"stdout","time":"2016-10-20T18:39:20Z"}
{"log":"b","stream":"stdout","time":"2016-10-20T18:39:21Z"}
"#;
    assert_eq!(read_all(text).records().len(), 2);
    let long = "x".repeat(PART_BYTES);
    let text = text.replace("\"a\"", &format!("\"{long}\""));
    assert_eq!(read_all(&text).records().len(), 2);
    assert_eq!(read_all(&text.replace("\"b\"", "\"b\\n\"")).records().len(), 1);
}

#[test]
fn other_lines_are_left_as_they_are() {
    let text = "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"x\"}\n{\"a\":1}\n{\"log\":5}\nnoise\n\n{\"log\":\"x\",\"log\":\"y\"}\n";
    let taken = read_all(text);
    assert_eq!(taken.records()[1..], ["{\"a\":1}", "{\"log\":5}", "noise", "{\"log\":\"x\",\"log\":\"y\"}"]);
    assert_eq!(taken.records()[0], "{\"log\":\"a\",\"container\":{\"stream\":\"stdout\",\"time\":\"x\"}}");
}

#[test]
fn a_damaged_part_is_not_joined() {
    let text = r#"{"log":"a","stream":"stdout","time":"t1"}
{"log":"b","stream":"stdout","ti
{"log":"c\n","stream":"stdout","time":"t3"}
"#;
    let taken = read_all(text);
    assert_eq!(
        taken.records(),
        [
            r#"{"log":"a","container":{"stream":"stdout","time":"t1"}}"#,
            r#"{"log":"b","stream":"stdout","ti"#,
            r#"{"log":"c","container":{"stream":"stdout","time":"t3"}}"#,
        ]
    );
}

#[test]
fn dockers_lines_are_told_from_json_lines() {
    let best = |text: &str| crate::format::detect::guesses(&sample(text.as_bytes()))[0].layout.format;
    assert_eq!(best(LINES), Format::Docker);
    assert_eq!(best("{\"log\":\"x\",\"time\":\"2020-01-01\"}\n"), Format::JsonLines);
}

#[test]
fn every_well_known_time_comes_before_dockers() {
    let (fixed, known) = crate::event::fixed::WELL_KNOWN[0];
    assert_eq!((fixed, known), (Fixed::Ts, &NAMES[0].1[..known.len()]));
}

proptest! {
    #[test]
    fn any_blocks_give_the_same(damages in damages(), step in 1usize..400) {
        let bytes = damaged(format!("{LINES}{LINES}").as_bytes(), &damages);
        let codec = Docker { joins: true };
        prop_assert_eq!(read_in_steps(&codec, &bytes, step), read(&codec, &bytes));
        let _ = guess(&sample(&bytes));
    }
}

#[test]
fn the_stream_is_under_one_name_and_a_records_own_stays() {
    let outputs = [("plain", "plain\\n"), ("json", r#"{\"stream\":{\"a\":1}}\n"#)];
    for (name, output) in outputs {
        let text =
            format!("{{\"log\":\"{output}\",\"stream\":\"stderr\",\"time\":\"2016-10-20T18:39:20Z\"}}\n");
        let record: serde_json::Value = serde_json::from_str(read_all(&text).records()[0]).unwrap();
        assert_eq!(record["container"]["stream"], "stderr", "{name}");
        let own = (name == "json").then(|| json!({"a": 1}));
        assert_eq!(record.get("stream"), own.as_ref(), "{name}");
    }
}
