use super::*;
use crate::format::documents::tests::testing::*;
use proptest::prelude::*;
use serde_json::json;

/// Lines as the kubelet's documentation shows them, with both streams at once.
const LINES: &str = "\
2016-10-06T00:17:09.669794202Z stdout P log content 1
2016-10-06T00:17:09.669794203Z stderr F log content 2
2016-10-06T00:17:10.113242941Z stdout P:x ,  more
2016-10-06T00:17:10.2+02:00 stdout F  and the end
2016-10-06T00:17:11Z stdout F {\"level\":\"info\",\"a\":[1]}
2016-10-06T00:17:12Z stdout F:tag
2016-10-06T00:17:13Z stderr P {}
";

fn read_all(text: &[u8]) -> Taken {
    check_steps(&Cri, text);
    read(&Cri, text)
}

#[test]
fn parts_of_a_line_are_joined() {
    let values: Vec<serde_json::Value> = read_all(LINES.as_bytes())
        .records()
        .iter()
        .map(|record| serde_json::from_str(record).unwrap())
        .collect();
    assert_eq!(
        values,
        [
            json!({
                "message": "log content 2",
                "container": {"stream": "stderr", "time": "2016-10-06T00:17:09.669794203Z"},
            }),
            json!({
                "message": "log content 1,  more and the end",
                "container": {"stream": "stdout", "time": "2016-10-06T00:17:09.669794202Z"},
            }),
            json!({
                "level": "info", "a": [1],
                "container": {"stream": "stdout", "time": "2016-10-06T00:17:11Z"},
            }),
            json!({
                "message": "",
                "container": {"stream": "stdout", "time": "2016-10-06T00:17:12Z", "tags": "F:tag"},
            }),
            json!({"container": {"stream": "stderr", "time": "2016-10-06T00:17:13Z"}}),
        ]
    );
    check_alone(&layout(), |_| layout(), LINES.as_bytes());
}

#[test]
fn a_character_may_be_split_and_others_are_decoded() {
    let split = b"2016-10-06T00:17:09Z stdout P \xc3\n2016-10-06T00:17:09Z stdout F \xa9\n";
    let taken = read_all(split);
    assert_eq!((taken.only()["message"].as_str(), taken.decoded), (Some("\u{e9}"), 0));
    let taken = read_all(b"2016-10-06T00:17:09Z stdout F \xe9\n");
    assert_eq!((taken.only()["message"].as_str(), taken.decoded), (Some("\u{e9}"), 1));
}

#[test]
fn other_lines_cannot_be_read() {
    let taken = read_all(b"noise\n\n2016-10-06T00:17:09Z stdin F x\n2016-10-06 stdout F x\n");
    assert_eq!(taken.reasons().len(), 3);
    assert_eq!(taken.reasons()[0], ("noise", "a line begins with a time, a stream and a tag"));
}

#[test]
fn the_format_is_found() {
    let guess = guess(&sample(LINES.as_bytes())).unwrap();
    assert_eq!((guess.layout.format, guess.sure), (Format::Cri, 97));
    assert!(super::guess(&sample(b"2016-10-06T00:17:09Z stdin F x\n")).is_none());
}

proptest! {
    #[test]
    fn any_blocks_give_the_same(damages in damages(), step in 1usize..300) {
        let bytes = damaged(format!("{LINES}{LINES}").as_bytes(), &damages);
        prop_assert_eq!(read_in_steps(&Cri, &bytes, step), read(&Cri, &bytes));
    }
}
