use super::super::fields::testing::{check_blocks, read, records, sample};
use super::*;
use proptest::prelude::*;

fn check(line: &str, expected: &str) {
    assert_eq!(records(&layout(&sample(b"")), line.as_bytes()), [expected], "{line}");
}

#[test]
fn the_common_format() {
    // The example of Apache's manual.
    check(
        r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#,
        r#"{"timestamp":"2000-10-10T20:55:36Z","client":"127.0.0.1","ident":null,"remote_user":"frank","method":"GET","path":"/apache_pb.gif","protocol":"HTTP/1.0","status":200,"bytes":2326}"#,
    );
}

#[test]
fn the_combined_format() {
    check(
        r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#,
        r#"{"timestamp":"2000-10-10T20:55:36Z","client":"127.0.0.1","ident":null,"remote_user":"frank","method":"GET","path":"/apache_pb.gif","protocol":"HTTP/1.0","status":200,"bytes":2326,"referer":"http://www.example.com/start.html","user_agent":"Mozilla/4.08 [en] (Win98; I ;Nav)"}"#,
    );
}

#[test]
fn hosts_ahead_users_with_spaces_and_fields_behind() {
    check(
        r#"example.com:80 ::1 - - [03/Feb/2026:10:30:45 +0000] "POST /a b HTTP/2.0" 204 - "-" "curl/8.5" 0.005 "10.0.0.1, 10.0.0.2""#,
        r#"{"timestamp":"2026-02-03T10:30:45Z","vhost":"example.com:80","client":"::1","ident":null,"remote_user":null,"method":"POST","path":"/a b","protocol":"HTTP/2.0","status":204,"bytes":null,"referer":null,"user_agent":"curl/8.5","tail":"0.005 \"10.0.0.1, 10.0.0.2\""}"#,
    );
    check(
        r#"1.2.3.4 - john [x] doe [03/Feb/2026:10:30:45 +0000] "GET / HTTP/1.1" 401 12 rt=0.1"#,
        r#"{"timestamp":"2026-02-03T10:30:45Z","client":"1.2.3.4","ident":null,"remote_user":"john [x] doe","method":"GET","path":"/","protocol":"HTTP/1.1","status":401,"bytes":12,"tail":"rt=0.1"}"#,
    );
}

#[test]
fn requests_that_are_none_are_kept_whole() {
    let ahead = "1.2.3.4 - - [03/Feb/2026:10:30:45 +0000]";
    let record = |request: &str| {
        format!(
            r#"{{"timestamp":"2026-02-03T10:30:45Z","client":"1.2.3.4","ident":null,"remote_user":null,"request":{request},"status":400,"bytes":0}}"#
        )
    };
    for (request, expected) in [
        ("-", "null"),
        ("", r#""""#),
        ("GET /", r#""GET /""#),
        (r"\x16\x03\x01\x00", r#""\\x16\\x03\\x01\\x00""#),
        (r#"say \"hi\\\""#, r#""say \"hi\\\"""#),
    ] {
        check(&format!(r#"{ahead} "{request}" 400 0"#), &record(expected));
    }
}

#[test]
fn statuses_and_sizes_that_are_no_numbers_stay_text() {
    let line = r#"h - - [03/Feb/2026:10:30:45 +0000] "GET / HTTP/1.1" 000 007"#;
    let found = records(&layout(&sample(b"")), line.as_bytes());
    assert!(found[0].ends_with(r#""status":"000","bytes":"007"}"#), "{found:?}");
}

#[test]
fn what_is_no_access_log_says_why() {
    for (line, reason) in [
        ("hello", "no time stands between brackets"),
        ("h - - [2026] x", "no time stands between brackets"),
        (
            r#"h [03/Feb/2026:10:30:45 +0000] "x" 200 1"#,
            "client, identity and user do not stand before the time",
        ),
        ("h - - [03/Feb/2026:10:30:45 +0000] GET / 200", "no request stands between quotes"),
        (r#"h - - [03/Feb/2026:10:30:45 +0000] "GET / 200"#, "no request stands between quotes"),
        (r#"h - - [03/Feb/2026:10:30:45 +0000] "GET /\" 200"#, "no request stands between quotes"),
        (r#"h - - [03/Feb/2026:10:30:45 +0000] "GET /" ok 1"#, "no status follows the request"),
        (r#"h - - [03/Feb/2026:10:30:45 +0000] "GET /""#, "no status follows the request"),
    ] {
        check(line, &format!("!{reason}"));
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_read_as_windows_1252() {
    let line = b"h - - [03/Feb/2026:10:30:45 +0000] \"GET /caf\xe9 HTTP/1.1\" 200 1";
    let found = read(&layout(&sample(line)), line);
    assert_eq!(found.decoded, 1);
    assert!(found.found[0].2.contains("/café"));
}

#[test]
fn real_lines_are_recognised() {
    let text = br#"83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /presentations/logstash-monitorama-2013/images/kibana-search.png HTTP/1.1" 200 203023 "http://semicomplete.com/presentations/logstash-monitorama-2013/" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1)"

nothing
83.149.9.216 - - [17/May/2015:10:05:43 +0000] "GET / HTTP/1.1" 200 171717
"#;
    let guess = guess(&sample(text)).unwrap();
    assert_eq!((guess.sure, guess.why.as_str()), (63, "2 of the first 3 lines are an access log's"));
    assert!(guess.layout.notes.is_empty(), "{:?}", guess.layout.notes);
    assert!(super::guess(&sample(b"Feb  3 10:30:45 host su: x\n")).is_none());
    assert!(super::guess(&sample(b"")).is_none());
}

/// Pieces of access logs, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"1.2.3.4 - - [03/Feb/2026:10:30:45 +0000] \"GET / HTTP/1.1\" 200 5".to_vec()),
        Just(b" \"-\" \"curl \\\"x\\\"\"".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\"\\".to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn blocks_of_any_length_give_the_same_records(bytes in pieces(), step in 1..80_usize) {
        check_blocks(&layout(&sample(&bytes)), &bytes, step, layout);
        let _ = guess(&sample(&bytes));
    }
}
