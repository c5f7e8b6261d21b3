use super::*;
use crate::format::detect;
use crate::format::documents::tests::testing::*;
use proptest::prelude::*;
use serde_json::json;

/// Examples of systemd's description of the format, shortened.
const TEXT: &str = "\
__CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7;b=6c7c6013a26343b29e964691ff25d04c;p=system.journal
__REALTIME_TIMESTAMP=1342540861416409
PRIORITY=4
SYSLOG_IDENTIFIER=gdm-password]
MESSAGE=AccountsService-DEBUG(+): ActUserManager: ignoring unspecified session '8' since it's not graphical: Success
_UID=0
_SOURCE_REALTIME_TIMESTAMP=1342540861413961

__CURSOR=s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece8;b=6c7c6013a26343b29e964691ff25d04c;p=system.journal
__REALTIME_TIMESTAMP=1342540861421465
PRIORITY=6
SYSLOG_IDENTIFIER=/USR/SBIN/CROND
MESSAGE=(root) CMD (run-parts /etc/cron.hourly)
_UDEV_DEVLINK=/dev/alias1
_COMM=run-parts
_UDEV_DEVLINK=/dev/alias2

";

/// The example with a binary field, whose value has an empty line here.
const BINARY: &[u8] = b"__CURSOR=s=bcce\n__REALTIME_TIMESTAMP=1423944916375353\nMESSAGE\n\x08\0\0\0\0\0\0\0foo\n\nbar\nCODE_FILE=<string>\n\n";

const JSON: &str = r#"{ "__CURSOR" : "s=1", "MESSAGE" : "Hello [World]", "_UDEV_DEVLINK" : [ "/dev/alias1", "/dev/alias2" ], "BINARY" : [ 116, 104, 105, 115, 7 ], "LARGE" : null }
{"__CURSOR":"s=2","MESSAGE":[104,195,169],"X":[[233],"b",null,[300]],"E":[],"O":{"a":[1]}}
{
	"__REALTIME_TIMESTAMP" : "1423944916375353",
	"MESSAGE" : "plain"
}
"#;

fn values(taken: &Taken) -> Vec<serde_json::Value> {
    taken.records().iter().map(|record| serde_json::from_str(record).unwrap()).collect()
}

#[test]
fn entries_are_objects() {
    let taken = read(&Export, TEXT.as_bytes());
    assert_eq!(
        values(&taken),
        [
            json!({
                "__CURSOR": "s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece7;b=6c7c6013a26343b29e964691ff25d04c;p=system.journal",
                "__REALTIME_TIMESTAMP": "1342540861416409",
                "PRIORITY": "4",
                "SYSLOG_IDENTIFIER": "gdm-password]",
                "MESSAGE": "AccountsService-DEBUG(+): ActUserManager: ignoring unspecified session '8' since it's not graphical: Success",
                "_UID": "0",
                "_SOURCE_REALTIME_TIMESTAMP": "1342540861413961",
            }),
            json!({
                "__CURSOR": "s=739ad463348b4ceca5a9e69c95a3c93f;i=4ece8;b=6c7c6013a26343b29e964691ff25d04c;p=system.journal",
                "__REALTIME_TIMESTAMP": "1342540861421465",
                "PRIORITY": "6",
                "SYSLOG_IDENTIFIER": "/USR/SBIN/CROND",
                "MESSAGE": "(root) CMD (run-parts /etc/cron.hourly)",
                "_UDEV_DEVLINK": ["/dev/alias1", "/dev/alias2"],
                "_COMM": "run-parts",
            }),
        ]
    );
    assert_eq!(read(&Export, TEXT.trim_end().as_bytes()).records(), taken.records());
    check_steps(&Export, TEXT.as_bytes());
    check_alone(&layout(), |_| layout(), TEXT.as_bytes());
}

#[test]
fn binary_fields_have_a_length() {
    let expected = json!({
        "__CURSOR": "s=bcce", "__REALTIME_TIMESTAMP": "1423944916375353",
        "MESSAGE": "foo\n\nbar", "CODE_FILE": "<string>",
    });
    assert_eq!(read(&Export, BINARY).only(), expected);
    check_steps(&Export, &[BINARY, BINARY].concat());
    let value = b"one\n\ntwo\n\nthree\n\n";
    let entry = [b"A=1\nMESSAGE\n", &(value.len() as u64).to_le_bytes()[..], value, b"\n\n"].concat();
    check_steps(&Export, &entry.repeat(3));
    for length in 0..entry.len() {
        assert_eq!(Export.last_end(&entry[..length]), None, "{length}");
    }
    let taken = read(&Export, b"A\n\x02\0\0\0\0\0\0\0\xe9\n\nB=\xff\n");
    assert_eq!((taken.only(), taken.decoded), (json!({"A": "\u{e9}\n", "B": "\u{ff}"}), 2));
}

#[test]
fn damage_ends_with_an_empty_line() {
    let check = |bytes: &[u8], records: usize, reasons: &[&str]| {
        let taken = read(&Export, bytes);
        let got: Vec<&str> = taken.reasons().iter().map(|(_, reason)| *reason).collect();
        assert_eq!((taken.records().len(), &got[..]), (records, reasons), "{taken:?}");
        check_steps(&Export, bytes);
    };
    let length = "a field does not end where its length says";
    let name = "a field does not begin with its name";
    check(b"A=1\n=x\nB=2\n\nC=1\n", 1, &[name]);
    check(b"A=1\nno name\n\nC=1\n\n\n\nD=1\n\n", 2, &[name]);
    check(b"A=1\nB\n\x02\0\0\0\0\0\0\0xyz\n\nC=1\n\n", 1, &[length]);
    check(b"A=1\nB\n\xff\xff\xff\xff\xff\xff\xff\xffxyz\n\nC=1\n\n", 1, &[length]);
    check(b"A=1\nB\n\x40\0\0\0\0\0\0\0xyz\n\nC=1\n\n", 1, &[length]);
    check(b"C=1\n\nA=1\nB\n\x05", 1, &[length]);
}

#[test]
fn lists_of_bytes_in_json_are_text() {
    let codec = json::layout().codec;
    let taken = read(&*codec, JSON.as_bytes());
    assert_eq!(
        values(&taken),
        [
            json!({
                "__CURSOR": "s=1", "MESSAGE": "Hello [World]", "_UDEV_DEVLINK": ["/dev/alias1", "/dev/alias2"],
                "BINARY": "this\u{7}", "LARGE": null,
            }),
            json!({
                "__CURSOR": "s=2", "MESSAGE": "h\u{e9}", "X": ["\u{e9}", "b", null, [300]], "E": [],
                "O": {"a": [1]},
            }),
            json!({"__REALTIME_TIMESTAMP": "1423944916375353", "MESSAGE": "plain"}),
        ]
    );
    assert_eq!(taken.decoded, 1);
    check_steps(&*codec, JSON.as_bytes());
    check_alone(&json::layout(), |_| json::layout(), JSON.as_bytes());
    assert_eq!(read(&*codec, b"{\"a\":[}").reasons().len(), 1);
}

#[test]
fn both_forms_are_found() {
    let best = |bytes: &[u8], whole: bool| {
        let sample = Sample { whole, ..sample(bytes) };
        detect::guesses(&sample).first().map(|guess| guess.layout.format)
    };
    assert_eq!(best(TEXT.as_bytes(), true), Some(Format::Journal));
    assert_eq!(best(&TEXT.as_bytes()[..60], false), Some(Format::Journal));
    assert_eq!(best(BINARY, true), Some(Format::Journal));
    assert_eq!(best(JSON.as_bytes(), true), Some(Format::JournalJson));
    assert_eq!(best(b"{\"MESSAGE\":\"x\"}\n", true), Some(Format::JsonLines));
    assert_ne!(best(b"A=1\nB=2\n", true), Some(Format::Journal));
}

proptest! {
    #[test]
    fn any_blocks_give_the_same(damages in damages(), step in 1usize..300) {
        let bytes = damaged(&[TEXT.as_bytes(), BINARY, BINARY, TEXT.as_bytes()].concat(), &damages);
        prop_assert_eq!(read_in_steps(&Export, &bytes, step), read(&Export, &bytes));
        let codec = json::layout().codec;
        let bytes = damaged(format!("{JSON}{JSON}").as_bytes(), &damages);
        prop_assert_eq!(read_in_steps(&*codec, &bytes, step), read(&*codec, &bytes));
    }
}
