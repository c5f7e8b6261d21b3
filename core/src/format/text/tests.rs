use super::super::fields::testing::{check_blocks, read, records, sample};
use super::*;
use proptest::prelude::*;

/// Checks the record of the last line of a text, without its timestamp, which is always the same.
fn check(text: &str, shape: &str, expected: &str) {
    let layout = layout(&sample(text.as_bytes()));
    let header = layout.header.clone().unwrap();
    assert_eq!(header.split(' ').nth(2), Some(shape), "{text}");
    let found = records(&layout, text.as_bytes());
    assert_eq!(
        found.last().unwrap(),
        &format!(r#"{{"timestamp":"2026-02-03T10:30:45Z",{expected}}}"#),
        "{text}"
    );
}

const LINES: &[(&str, &str, &str)] = &[
    (
        "02-03 10:30:45  1702  2395 D WindowManager: opening app: x",
        "logcat",
        r#""pid":1702,"thread":2395,"level":"DEBUG","logger":"WindowManager","message":"opening app: x""#,
    ),
    (
        "02-03 10:30:45 W/Activity( 1702): slow",
        "logcat-time",
        r#""level":"WARNING","logger":"Activity","pid":1702,"message":"slow""#,
    ),
    (
        "E0203 10:30:45.000000   12345 server.go:17] it failed",
        "glog",
        r#""level":"ERROR","thread":12345,"caller":"server.go:17","message":"it failed""#,
    ),
    (
        "2026-02-03T11:30:45.000+01:00  INFO 77 --- [shop] [nio-8080-exec-1] c.e.Shop          : sold",
        "spring",
        r#""level":"INFO","pid":77,"application":"shop","thread":"nio-8080-exec-1","logger":"c.e.Shop","message":"sold""#,
    ),
    (
        "2026-02-03 10:30:45.000  WARN 77 --- [  main] c.e.Shop : sold",
        "spring-old",
        r#""level":"WARN","pid":77,"thread":"main","logger":"c.e.Shop","message":"sold""#,
    ),
    (
        "2026/02/03 10:30:45 [error] 123#7: *1 open() failed",
        "nginx",
        r#""level":"error","pid":123,"thread":7,"message":"*1 open() failed""#,
    ),
    (
        "[Tue Feb 03 10:30:45.000000 2026] [core:error] [pid 123:tid 456] [client ::1] AH1: denied",
        "apache",
        r#""logger":"core","level":"error","pid":123,"thread":456,"message":"[client ::1] AH1: denied""#,
    ),
    (
        "[Tue Feb 03 10:30:45 2026] [error] [client ::1] denied",
        "level",
        r#""level":"error","message":"[client ::1] denied""#,
    ),
    (
        "- 1770114645 2026.02.03 R02-M1 2026-02-03-02.30.45.363779 R02-M1 RAS KERNEL INFO cache corrected",
        "bgl",
        r#""prefix":"-","date":"2026.02.03","node":"R02-M1","local_time":"2026-02-03-02.30.45.363779","reporter":"R02-M1","kind":"RAS","logger":"KERNEL","level":"INFO","message":"cache corrected""#,
    ),
    (
        "20260203-10:30:45:000|Step_LSC|30002312|onStep 3579",
        "health",
        r#""logger":"Step_LSC","pid":30002312,"message":"onStep 3579""#,
    ),
    (
        "260203 103045 148 INFO dfs.DataNode$Responder: Responder 1 ends",
        "pid-level-logger",
        r#""pid":148,"level":"INFO","logger":"dfs.DataNode$Responder","message":"Responder 1 ends""#,
    ),
    (
        "nova-api.log 2026-02-03 10:30:45.000 25746 INFO nova.wsgi.server [req-1 - -] GET",
        "pid-level-dotted",
        r#""prefix":"nova-api.log","pid":25746,"level":"INFO","logger":"nova.wsgi.server","message":"[req-1 - -] GET""#,
    ),
    (
        "2026-02-03T10:30:45.000000Z 0 [Warning] [MY-010068] CA",
        "thread-level",
        r#""thread":0,"level":"Warning","message":"[MY-010068] CA""#,
    ),
    (
        "2026-02-03 10:30:45.000 UTC [99] ERROR:  no table",
        "pid",
        r#""level":"ERROR","pid":99,"message":"ERROR:  no table""#,
    ),
    (
        "2026-02-03 10:30:45.000 | INFO     | app.main:run:12 - up",
        "loguru",
        r#""level":"INFO","logger":"app.main:run:12","message":"up""#,
    ),
    (
        "2026-02-03 10:30:45,000 - shop.cart - ERROR - empty",
        "python",
        r#""logger":"shop.cart","level":"ERROR","message":"empty""#,
    ),
    (
        "2026-02-03 10:30:45,000 - INFO  [QuorumPeer[myid=1]/0:0:2181:Election@774] - Took",
        "zookeeper",
        r#""level":"INFO","thread":"QuorumPeer[myid=1]/0:0:2181:Election@774","message":"Took""#,
    ),
    (
        "2026-02-03 10:30:45, Info                  CBS    Loaded C: x",
        "servicing",
        r#""level":"Info","logger":"CBS","message":"Loaded C: x""#,
    ),
    (
        "2026-02-03 10:30:45,000 [main] INFO  org.x.App - up",
        "thread-level-dash",
        r#""thread":"main","level":"INFO","logger":"org.x.App","message":"up""#,
    ),
    (
        "2026-02-03 10:30:45,000 INFO [main] org.x.App: up",
        "level-thread-logger",
        r#""level":"INFO","thread":"main","logger":"org.x.App","message":"up""#,
    ),
    (
        "26/02/03 10:30:45 INFO executor.Executor: Running task",
        "level-logger",
        r#""level":"INFO","logger":"executor.Executor","message":"Running task""#,
    ),
    (
        "[2026-02-03T10:30:45Z WARN  crate::module] low",
        "open-level-logger",
        r#""level":"WARN","logger":"crate::module","message":"low""#,
    ),
    (
        "[2026-02-03 10:30:45,000: INFO/MainProcess] ready",
        "open-celery",
        r#""level":"INFO","process":"MainProcess","message":"ready""#,
    ),
    ("[2026-02-03 10:30:45 in house] low", "none", r#""message":"[in house] low""#),
    ("[2026-02-03 10:30:45] low", "none", r#""message":"low""#),
    ("2026-02-03 10:30:45 - low", "dash", r#""message":"low""#),
    ("2026-02-03 10:30:45 the app (error) low", "none", r#""level":"error","message":"the app (error) low""#),
    ("2026-02-03 10:30:45 an error is low", "none", r#""message":"an error is low""#),
    ("INFO 2026-02-03 10:30:45,000 views 7 up", "none", r#""level":"INFO","message":"views 7 up""#),
    ("web_1  | 2026-02-03 10:30:45 up", "none", r#""prefix":"web_1  |","message":"up""#),
    (
        "\u{1b}[2m2026-02-03T10:30:45Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m up",
        "level",
        r#""level":"INFO","message":"up""#,
    ),
];

#[test]
fn lines_of_known_loggers() {
    for &(line, shape, fields) in LINES {
        check(line, shape, fields);
    }
}

#[test]
fn lines_without_a_timestamp_belong_to_the_event_before() {
    let text = "banner\n  two\n\n2026-02-03 10:30:45 ERROR app: it failed\r\n\tat x.Y\r\n\r\nCaused by: z\n\n\n\
                2026-02-03 10:30:46 INFO app: fine\n";
    let layout = layout(&sample(text.as_bytes()));
    assert_eq!(
        records(&layout, text.as_bytes()),
        [
            r#"{"message":"banner\n  two"}"#,
            r#"{"timestamp":"2026-02-03T10:30:45Z","level":"ERROR","logger":"app","message":"it failed\r\n\tat x.Y\r\n\r\nCaused by: z"}"#,
            r#"{"timestamp":"2026-02-03T10:30:46Z","level":"INFO","logger":"app","message":"fine"}"#,
        ]
    );
    let found = read(&layout, text.as_bytes());
    assert_eq!((found.found[1].0, found.found[1].1.last()), (14, Some(&b'z')));
}

#[test]
fn without_timestamps_each_line_is_an_event() {
    let text = "one\n\n  more\ntwo\nCaused by: x\n... 3 more\n}\nERROR: three\n";
    let layout = layout(&sample(text.as_bytes()));
    assert_eq!(
        records(&layout, text.as_bytes()),
        [
            r#"{"message":"one\n\n  more"}"#,
            r#"{"message":"two\nCaused by: x\n... 3 more\n}"}"#,
            r#"{"message":"ERROR: three"}"#
        ]
    );
}

#[test]
fn a_line_of_another_kind_keeps_all_that_it_says() {
    let mut text = "2026-02-03 10:30:45 INFO a.B: x\n".repeat(20);
    text += "2026-02-03 10:30:45 [main] odd: WARN y\n1770114645 goes on";
    check(&text, "level-logger", r#""level":"WARN","message":"[main] odd: WARN y\n1770114645 goes on""#);
}

#[test]
fn an_event_ends_after_a_mebibyte() {
    let text = format!("2026-02-03 10:30:45 x\n{}", " more\n".repeat(400_000));
    let layout = layout(&sample(text.as_bytes()));
    let found = read(&layout, text.as_bytes());
    let lengths: Vec<usize> = found.found.iter().map(|(_, raw, _)| raw.len()).collect();
    assert_eq!(lengths.len(), 3);
    assert!(lengths.iter().all(|length| *length < EVENT_MAX + 10), "{lengths:?}");
    let last = found.found[2].0;
    assert_eq!(layout.codec.last_end(text.as_bytes()), Some(last));
    check_blocks(&layout, text.as_bytes(), 700_001, super::layout);
}

#[test]
fn how_sure_it_is() {
    let guessed =
        |text: &[u8]| guess(&sample(text)).map_or((0, String::new()), |guess| (guess.sure, guess.why));
    let stamped = b"2026-02-03 10:30:45 x\n2026-02-03 10:30:46 y\n";
    assert_eq!(guessed(stamped), (70, "each of the first 2 lines begins with a timestamp".to_string()));
    assert_eq!(guessed(b"x\n\n2026-02-03 10:30:46 y\n").0, 55);
    assert_eq!(guessed(b"INFO 2026-02-03 10:30:46 y\n").0, 60);
    assert_eq!(guessed(b"x\ny\n").0, 10);
    assert_eq!(guessed(b"x\xe9\ny\n").0, 5);
    for binary in [&b""[..], b"\n \n", b"a\0b\n", b"\x01\x02\x03abc\n", b"\x7fELF\x01"] {
        assert_eq!(guessed(binary).0, 0, "{binary:?}");
    }
}

#[test]
fn notes_say_what_was_taken_for_granted() {
    let notes = |text: &str| layout(&sample(text.as_bytes())).notes;
    assert_eq!(notes("2026-02-03T10:30:45Z x"), [""; 0]);
    assert_eq!(notes("x"), [""; 0]);
    assert_eq!(notes("02-03 10:30:45.123 x").len(), 2);
    assert_eq!(notes("03/02/2026 10:30:45 x").len(), 2);
    assert_eq!(notes("13/02/2026 10:30:45 x").len(), 1);
    let text = "01/02/2026 10:30:45 x\n01/13/2026 10:30:45 x\n";
    let found = records(&layout(&sample(text.as_bytes())), text.as_bytes());
    assert!(found[0].starts_with(r#"{"timestamp":"2026-01-02T"#), "{found:?}");
}

#[test]
fn headers_bring_the_layout_back() {
    for text in ["x", "02-03 10:30:45.123  1 2 D T: x", "01/13/2026 10:30:45 x", "INFO 2026-02-03 10:30:45 x"]
    {
        let first = layout(&sample(text.as_bytes()));
        let again = Sample { header: first.header.as_deref(), time_us: 0, ..sample(b"") };
        assert_eq!(layout(&again).header, first.header);
        assert_eq!(records(&layout(&again), text.as_bytes()), records(&first, text.as_bytes()));
    }
    assert!(Text::from_header("a,b,c").is_none());
}

/// Pieces of text logs, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"2026-02-03 10:30:45,123 INFO [main] a.B: x".to_vec()),
        Just(b"web 2026-02-03 10:30:45 x".to_vec()),
        Just(b"[02-03 10:30:45 WARN x] y".to_vec()),
        Just(b"I0203 10:30:45.1 7 a.go:1] x".to_vec()),
        Just(b"1770114645 x".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b" \tat x".to_vec()),
        Just("é".as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
        prop::collection::vec(prop::sample::select(b"12 []\r\n:|-\x1bm".to_vec()), 0..6),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn blocks_of_any_length_give_the_same_records(bytes in pieces(), step in 1..60_usize) {
        check_blocks(&layout(&sample(&bytes)), &bytes, step, layout);
        let _ = guess(&sample(&bytes));
    }

    #[test]
    fn shapes_take_any_line_without_harm(line in "[A-Z \\[\\]:|#/.\\-é0-9]{0,40}") {
        for shape in SHAPES {
            if let Some(matched) = shape.read(&line) {
                prop_assert!(line.is_char_boundary(matched.length));
            }
        }
    }
}
