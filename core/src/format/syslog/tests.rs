use super::super::fields::testing::{check_blocks, read, records, sample};
use super::*;
use proptest::prelude::*;

fn check(line: &str, expected: &str) {
    assert_eq!(records(&layout(&sample(b"")), line.as_bytes()), [expected], "{line}");
}

#[test]
fn the_examples_of_rfc_5424() {
    check(
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8",
        r#"{"timestamp":"2003-10-11T22:14:15.003Z","facility":"auth","level":"critical","host":"mymachine.example.com","program":"su","msgid":"ID47","message":"'su root' failed for lonvick on /dev/pts/8"}"#,
    );
    check(
        "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
        r#"{"timestamp":"2003-08-24T12:14:15.000003Z","facility":"local4","level":"notice","host":"192.0.2.1","program":"myproc","pid":8710,"message":"%% It's time to make the do-nuts."}"#,
    );
    check(
        "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"] \u{feff}An application event log entry...",
        r#"{"timestamp":"2003-10-11T22:14:15.003Z","facility":"local4","level":"notice","host":"mymachine.example.com","program":"evntslog","msgid":"ID47","structured_data":{"exampleSDID@32473":{"iut":"3","eventSource":"Application","eventID":"1011"}},"message":"An application event log entry..."}"#,
    );
    check(
        "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]",
        r#"{"timestamp":"2003-10-11T22:14:15.003Z","facility":"local4","level":"notice","host":"mymachine.example.com","program":"evntslog","msgid":"ID47","structured_data":{"exampleSDID@32473":{"iut":"3","eventSource":"Application","eventID":"1011"},"examplePriority@32473":{"class":"high"}}}"#,
    );
}

#[test]
fn the_examples_of_rfc_3164() {
    check(
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
        r#"{"timestamp":"2025-10-11T22:14:15Z","facility":"auth","level":"critical","host":"mymachine","program":"su","message":"'su root' failed for lonvick on /dev/pts/8"}"#,
    );
    check("Use the BFG!", "!the line has neither a priority nor a timestamp ahead");
    check("<13>Use the BFG!", r#"{"facility":"user","level":"notice","message":"Use the BFG!"}"#);
    check(
        "<13>Feb  3 17:32:18 10.0.0.99 Use the BFG!",
        r#"{"timestamp":"2026-02-03T17:32:18Z","facility":"user","level":"notice","host":"10.0.0.99","message":"Use the BFG!"}"#,
    );
    check(
        "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.",
        r#"{"timestamp":"2025-08-24T05:34:00Z","facility":"local4","level":"notice","host":"CST","message":"1987 mymachine myproc[10]: %% It's time to make the do-nuts."}"#,
    );
    check(
        "<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!",
        r#"{"timestamp":"1990-10-22T10:52:01Z","facility":"kern","level":"emergency","host":"TZ-6","message":"scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!"}"#,
    );
}

const LINES: &[(&str, &str)] = &[
    (
        "Feb  3 10:30:45 ip-10-77-20-248 sshd[1291]: Server listening on :: port 22.",
        r#""host":"ip-10-77-20-248","program":"sshd","pid":1291,"message":"Server listening on :: port 22.""#,
    ),
    (
        "2026-02-03T11:30:45.000000+01:00 host kernel: [    0.000000] Linux",
        r#""host":"host","program":"kernel","message":"[    0.000000] Linux""#,
    ),
    (
        "Feb  3 10:30:45 combo su(pam_unix)[19939]: session opened",
        r#""host":"combo","program":"su(pam_unix)","pid":19939,"message":"session opened""#,
    ),
    ("Feb  3 10:30:45 dhclient: bound", r#""program":"dhclient","message":"bound""#),
    ("Feb  3 10:30:45 cron[07]: x", r#""program":"cron","pid":"07","message":"x""#),
    (
        "Feb  3 10:30:45 heroku app[web.1]:  x",
        r#""host":"heroku","program":"app","pid":"web.1","message":" x""#,
    ),
    (
        "Feb  3 10:30:45 mac com.apple.xpc[1] (com.x[9]): Service exited",
        r#""host":"mac","program":"com.apple.xpc","pid":1,"message":"(com.x[9]): Service exited""#,
    ),
    ("Feb  3 10:30:45 h su[1]:x y", r#""host":"h","program":"su","pid":1,"message":"x y""#),
    ("Feb  3 10:30:45 h syslogd 1.4.1: restart.", r#""host":"h","message":"syslogd 1.4.1: restart.""#),
    (
        "Feb  3 10:30:45 h last message repeated 3 times",
        r#""host":"h","message":"last message repeated 3 times""#,
    ),
    ("Feb  3 10:30:45 last message repeated 3 times", r#""message":"last message repeated 3 times""#),
    ("Feb 3 2026 10:30:45: %ASA-6-302013: Built", r#""program":"%ASA-6-302013","message":"Built""#),
    ("Feb  3 10:30:45 h http://[::1]:80/ down", r#""host":"h","message":"http://[::1]:80/ down""#),
    ("Feb  3 10:30:45 h", r#""host":"h","message":"""#),
    ("Feb  3 10:30:45", r#""message":"""#),
];

#[test]
fn lines_of_files() {
    for &(line, fields) in LINES {
        check(line, &format!(r#"{{"timestamp":"2026-02-03T10:30:45Z",{fields}}}"#));
    }
}

#[test]
fn structured_data_that_is_odd() {
    for (rest, fields) in [
        (r#"[a x="1\"\\\]\n"] m"#, r#""structured_data":{"a":{"x":"1\"\\]\\n"}},"message":"m""#),
        (r#"[a][b c=""]"#, r#""structured_data":{"a":{},"b":{"c":""}}"#),
        (r#"[a x="1" m"#, r#""message":"[a x=\"1\" m""#),
        (r#"[a x=1] m"#, r#""message":"[a x=1] m""#),
        (r#"[a]m"#, r#""message":"[a]m""#),
        ("[] m", r#""message":"[] m""#),
        ("no data", r#""message":"no data""#),
        ("-", ""),
        ("-  two", r#""message":" two""#),
    ] {
        let fields = if fields.is_empty() { String::new() } else { format!(",{fields}") };
        check(
            &format!("<14>1 - - app - id {rest}"),
            &format!(r#"{{"facility":"user","level":"info","program":"app","msgid":"id"{fields}}}"#),
        );
    }
}

#[test]
fn what_is_almost_rfc_5424() {
    check(
        "<14>1 yesterday h a p m - x",
        r#"{"facility":"user","level":"info","message":"1 yesterday h a p m - x"}"#,
    );
    check(
        "<14>2 - h a p m - x",
        r#"{"facility":"user","level":"info","version":2,"host":"h","program":"a","msgid":"m","pid":"p","message":"x"}"#,
    );
    check("<192>1 - h a p m - x", "!the line has neither a priority nor a timestamp ahead");
    check("<>x", "!the line has neither a priority nor a timestamp ahead");
}

#[test]
fn counted_messages_need_no_lines() {
    let text = b"17 <34>1 - - a - - -16 <34>1 - h a - -\n19 <34>1 - - a - - x\ny9 <13>a: b\n";
    let layout = layout(&sample(text));
    assert_eq!(
        records(&layout, text),
        [
            r#"{"facility":"auth","level":"critical","program":"a"}"#,
            r#"{"facility":"auth","level":"critical","host":"h","program":"a"}"#,
            r#"{"facility":"auth","level":"critical","program":"a","message":"x\ny"}"#,
            r#"{"facility":"user","level":"notice","program":"a","message":"b"}"#,
        ]
    );
    assert_eq!(guess(&sample(text)).unwrap().sure, 95);
    // A count that is wrong is no count, and goes.
    check("5 <13>a: b", r#"{"facility":"user","level":"notice","program":"a","message":"b"}"#);
}

#[test]
fn bytes_that_are_not_utf_8_are_read_as_windows_1252() {
    let line = b"<13>Feb  3 10:30:45 h a: caf\xe9";
    let found = read(&layout(&sample(line)), line);
    assert_eq!(found.decoded, 1);
    assert!(found.found[0].2.contains("café"));
}

#[test]
fn only_syslog_is_taken_for_it() {
    let sure = |text: &str| guess(&sample(text.as_bytes())).map_or(0, |guess| guess.sure);
    assert_eq!(sure("Feb  3 10:30:45 h sshd[1]: x\nFeb  3 10:30:45 h last message repeated 2 times\n\n"), 71);
    assert_eq!(sure("<34>1 - - a - - -\n<13>Feb  3 10:30:45 h x\n"), 95);
    assert_eq!(sure("2026-02-03T10:30:45+01:00 h cron[1]: x\n2026-02-03T10:30:45+01:00 h su: x\n"), 95);
    assert_eq!(sure("2026-02-03T10:30:45Z INFO server: x\n2026-02-03T10:30:45Z INFO server: y\n"), 0);
    assert_eq!(sure("Feb  3 10:30:45 something happened\n"), 0);
    assert_eq!(sure("02-03 10:30:45.123  1702  2395 D WindowManager: x\n"), 0);
    assert_eq!(sure("hello\nworld\n<34>1 - - a - - -\n"), 0);
    assert_eq!(sure(""), 0);
}

#[test]
fn a_message_is_read_later_as_it_would_have_been() {
    let first = layout(&sample(b"Feb  3 10:30:45 h a: x\n"));
    assert!(first.notes[0].starts_with("the lines give no year: 2026 is taken"), "{:?}", first.notes);
    let later = Sample { time_us: 1_900_000_000_000_000, header: first.header.as_deref(), ..sample(b"") };
    let line = b"Feb  3 10:30:45 h a: x";
    assert_eq!(records(&layout(&later), line), records(&first, line));
}

/// Pieces of syslog, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"<34>1 2003-10-11T22:14:15Z h a - m [x y=\"z\"] text".to_vec()),
        Just(b"Feb  3 10:30:45 h a[1]: x".to_vec()),
        Just(b"17 <34>1 - - a - - -".to_vec()),
        Just(b"19 <34>1 - - a - - \n-".to_vec()),
        Just(b"5 <3>xy".to_vec()),
        Just(b"30 <3>".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
        prop::collection::vec(prop::sample::select(b"12 <>\r\n:[".to_vec()), 0..6),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn blocks_of_any_length_give_the_same_records(bytes in pieces(), step in 1..60_usize) {
        check_blocks(&layout(&sample(&bytes)), &bytes, step, layout);
        let _ = guess(&sample(&bytes));
    }
}
