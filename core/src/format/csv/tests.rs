use super::rows::Row;
use super::*;
use crate::format::cells::Kind;
use crate::format::cells::tests::reading::{check_pieces, read_block, read_text, sample};
use proptest::prelude::*;

fn check(text: &str, expected: &[&str]) {
    let layout = layout(&sample(text));
    assert_eq!(read_text(&layout, text), expected, "{text}");
    let rows = &text.as_bytes()[layout.start..];
    for seen in check_pieces(layout.codec.as_ref(), rows, &[1]) {
        // Each row is read alone as it was read there.
        let raw = String::from_utf8(seen.raw).unwrap();
        let alone = super::layout(&Sample { header: layout.header.as_deref(), ..sample(&raw) });
        assert_eq!((alone.start, &alone.header), (0, &layout.header));
        assert_eq!(read_block(alone.codec.as_ref(), raw.as_bytes())[0].result, seen.result);
    }
}

#[test]
fn the_examples_of_rfc_4180_are_read() {
    let expected = [
        r#"{"field_name":"aaa","field_name_2":"bbb","field_name_3":"ccc"}"#,
        r#"{"field_name":"zzz","field_name_2":"yyy","field_name_3":"xxx"}"#,
    ];
    check("field_name,field_name,field_name\r\naaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", &expected);
    check("field_name,field_name,field_name\r\naaa,bbb,ccc\r\nzzz,yyy,xxx", &expected);
    check("field_name,field_name,field_name\n\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx", &expected);
    check(
        "a,b,c\r\n\"aaa\",\"b \r\nbb\",\"ccc\"\r\nzzz,yyy,xxx",
        &[r#"{"a":"aaa","b":"b \r\nbb","c":"ccc"}"#, r#"{"a":"zzz","b":"yyy","c":"xxx"}"#],
    );
    check("a,b,c\n\"aaa\",\"b\"\"bb\",\"ccc\"\n", &[r#"{"a":"aaa","b":"b\"bb","c":"ccc"}"#]);
}

#[test]
fn the_tables_of_a_service_are_read() {
    let text = r#"id,tenant_id,action_type,request_payload,response_data,status,error_message,execution_time_ms,created_at
550e8400,123e4567,crm_create,"{""email"": ""john.doe@example.com""}","{""id"": ""12345""}",success,,245,2024-01-15 10:30:00
550e8401,123e4567,email_send,"{""body"": ""a,b""}",,failure,"timed out
after 30 s",1203,2024-01-15 10:31:00
"#;
    check(
        text,
        &[
            r#"{"id":"550e8400","tenant_id":"123e4567","action_type":"crm_create","request_payload":{"email": "john.doe@example.com"},"response_data":{"id": "12345"},"status":"success","error_message":null,"execution_time_ms":245,"created_at":"2024-01-15 10:30:00"}"#,
            r#"{"id":"550e8401","tenant_id":"123e4567","action_type":"email_send","request_payload":{"body": "a,b"},"response_data":null,"status":"failure","error_message":"timed out\nafter 30 s","execution_time_ms":1203,"created_at":"2024-01-15 10:31:00"}"#,
        ],
    );
    assert_eq!(guess(&sample(text)).unwrap().sure, 92);
}

#[test]
fn empty_cells_are_null_and_quoted_ones_are_not() {
    check("a,b,c\n,\"\",x\n,,\n\n  \n", &[r#"{"a":null,"b":"","c":"x"}"#, r#"{"a":null,"b":null,"c":null}"#]);
    check("a\tb\n\t\n", &[r#"{"a":null,"b":null}"#]);
}

#[test]
fn columns_become_what_all_their_cells_are() {
    let text = "n,version,zip,price,flag,big\n1,1.10,01234,2.50,true,1\n,1.9,12345,10.00,false,99999999999999999999\n";
    let first = r#"{"n":1,"version":"1.10","zip":"01234","price":2.50,"flag":true,"big":"1"}"#;
    let second =
        r#"{"n":null,"version":"1.9","zip":"12345","price":10.00,"flag":false,"big":"99999999999999999999"}"#;
    check(text, &[first, second]);
    let header = layout(&sample(text)).header.unwrap();
    assert_eq!(header, "n,version,zip,price,flag,big\ntypes: 1=number,4=decimal2,5=boolean");
}

#[test]
fn a_stray_quote_costs_one_row() {
    check(
        "a,b\n1,\"x\n2,y\n3,\"z\"\n4,\"q\"r\n5,it\"s\n6,\"\"\"\"\n",
        &[
            "!the quotes in the row do not match",
            r#"{"a":2,"b":"y"}"#,
            r#"{"a":3,"b":"z"}"#,
            "!the quotes in the row do not match",
            r#"{"a":5,"b":"it\"s"}"#,
            r#"{"a":6,"b":"\""}"#,
        ],
    );
}

#[test]
fn rows_of_another_length_are_unreadable() {
    check(
        "a,b,c\n1,2\n1,2,3\n1,2,3,4\nx\n",
        &[
            "!the row has 2 fields, the header 3",
            r#"{"a":1,"b":2,"c":3}"#,
            "!the row has 4 fields, the header 3",
            "!the row has 1 field, the header 3",
        ],
    );
}

#[test]
fn the_header_of_a_file_that_was_joined_is_no_row() {
    check("a,b\r\n1,2\r\na,b\r\n3,4\r\n", &[r#"{"a":1,"b":2}"#, r#"{"a":3,"b":4}"#]);
}

#[test]
fn the_delimiter_is_the_one_that_rows_agree_on() {
    check(
        "name;price;note\nx;1,5;a\ny;2,5;b\n",
        &[r#"{"name":"x","price":"1,5","note":"a"}"#, r#"{"name":"y","price":"2,5","note":"b"}"#],
    );
    check("a|b\n1|2,3\n", &[r#"{"a":1,"b":"2,3"}"#]);
    // More commas in the header, and yet tabs.
    let text = "a (x,y,z)\tb\n1\t2\n3\t4\n";
    check(text, &[r#"{"a (x,y,z)":1,"b":2}"#, r#"{"a (x,y,z)":3,"b":4}"#]);
    assert_eq!(layout(&sample(text)).header.unwrap(), "a (x,y,z)\tb\ntypes: delimiter=tab,1=number,2=number");
}

#[test]
fn names_may_be_given() {
    let given = Sample { header: Some("a,b,a"), ..sample("1\tx\ty\n2\tz\tw\n") };
    let found = guess(&given).unwrap();
    assert_eq!((found.sure, found.layout.start), (92, 0));
    assert_eq!(found.layout.header.as_deref(), Some("\"a\"\t\"b\"\t\"a\"\ntypes: 1=number"));
    assert_eq!(found.layout.notes, ["not all columns have a name of their own: column 3 is called `a_2`"]);
    let records = read_block(found.layout.codec.as_ref(), given.bytes);
    assert_eq!(records[1].result.as_deref(), Ok(r#"{"a":2,"b":"z","a_2":"w"}"#));
}

#[test]
fn names_may_have_line_ends_and_no_names() {
    check("\"a\nb\",,c\n1,2,3\n", &[r#"{"a\nb":1,"column_2":2,"c":3}"#]);
    check("", &[]);
    check("\"a,b\n1,2\n", &["!the row has 2 fields, the header 1"]);
}

#[test]
fn text_that_is_not_utf8_is_windows_1252() {
    let bytes = b"a,b\n1,caf\xe9\n";
    let layout = layout(&Sample { bytes, ..sample("") });
    let records = read_block(layout.codec.as_ref(), &bytes[layout.start..]);
    assert_eq!(records[0].result.as_deref(), Ok("{\"a\":1,\"b\":\"caf\u{e9}\"}"));
}

#[test]
fn rows_are_found_and_nothing_else() {
    let found = |text: &str| guess(&sample(text)).map(|guess| guess.sure);
    assert_eq!(found("ts,level,message\n2024-01-01T00:00:00Z,info,hello\n"), Some(92));
    assert_eq!(found("id\tname\n1\tx\n"), Some(80));
    assert_eq!(found("Date and time;Amount (EUR);Who\n1;2;3\n"), Some(75));
    assert_eq!(found("a,b,c\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2\n"), Some(73));
    assert_eq!(found("a,b,c\n1,2,3\n1,2\n1,2,3\n"), Some(76));
    assert_eq!(
        found("ts,user,what\n2024-01-01 10:00:00,ann,x\n2024-01-01 10:00:01\n2024-01-01 10:00:02,bob,y\n"),
        Some(76)
    );
    assert_eq!(found("get,alice,x\nget,bob,y\n"), Some(46));
    assert_eq!(found("a,b,c\n"), Some(46));
    assert_eq!(found("Well, hello, you\nThis, is, text\n"), Some(46));
    for other in [
        "",
        "a\nb\n",
        "a,b\nc\nd\n",
        "1,2,3\n4,5,6\n",
        "a,b\n1,2\nx\n",
        "Starting up;Be patient\nready;now\nand\ndone;now\n",
        "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n",
        "Hello there, world\nThis is text, plain\n",
        "level=info msg=\"a, b\"\nlevel=info msg=\"c, d\"\n",
        "Oct 11 22:14:15 host su: failed, again\nOct 11 22:14:16 host su: failed, again\n",
        "<34>Oct 11 22:14:15 host su: a, b\n",
        "127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a,b HTTP/1.0\" 200 2326\n",
        "2024-01-01 10:00:00,123 INFO started\n2024-01-01 10:00:01,123 INFO done\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
    ] {
        assert_eq!(found(other), None, "{other}");
    }
}

#[test]
fn a_row_goes_on_only_so_far() {
    let long = format!("1,\"{}\n{}\"\n2,y\n", "x".repeat(2 << 20), "y".repeat(1 << 20));
    let kinds = vec![Kind::Number, Kind::Text];
    let columns = Columns { names: vec!["a".to_string(), "b".to_string()], kinds };
    let csv = Csv { delimiter: b',', columns, header_line: None, more_bytes_max: MORE_BYTES_MAX };
    let whole: Vec<bool> = csv.rows(long.as_bytes(), true).map(|row| row.whole).collect();
    // The last quote is one byte too far.
    assert_eq!(whole, [false, true, true]);
    let shorter = long.replacen("\ny", "\n", 1);
    let whole: Vec<bool> = csv.rows(shorter.as_bytes(), true).map(|row| row.whole).collect();
    assert_eq!(whole, [true, true]);
}

#[test]
fn quotes_that_never_end_take_linear_time() {
    let started = std::time::Instant::now();
    for line in ["x\",,\"\n", "\"\n", "x\",\"a\"\"\n", "\"\"\"\n"] {
        let bytes = format!("{}\"z", line.repeat(500_000)).into_bytes();
        let rows = Rows::new(&bytes, b',', true);
        assert!(rows.count() > 0);
        let mut tail = line.repeat(100_000).into_bytes();
        tail.resize(tail.len() + (3 << 20), b'z');
        tail.extend_from_slice(b"\"z\n");
        assert!(Rows::new(&tail, b',', false).count() > 0);
    }
    assert!(started.elapsed().as_secs() < 60);
}

/// What the rows are, without memory of rows that were given up.
fn plain_rows(bytes: &[u8], limit: usize) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let row = Rows::new(&bytes[offset..], b',', true).with_limit(limit).next().unwrap();
        rows.push(Row { offset: offset + row.offset, ..row });
        let first = memchr(b'\n', &bytes[offset..]).map_or(bytes.len(), |newline| offset + newline + 1);
        let end = offset + row.raw.len();
        let next = memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |newline| end + newline + 1);
        offset = if row.whole { next } else { first };
    }
    rows
}

fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        &b"a"[..],
        b",",
        b"\"",
        b"\"",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"\"",
        b"x\",\"\n",
        b"\"\n",
        b",\"",
        b"\",",
        b"1,2\n",
        b"\xff",
        b"a,b\n",
        b"{\"a\":1}",
        b"[1]",
    ]);
    prop::collection::vec(part, 0..80).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_bytes_read_the_same_in_pieces(
        bytes in any_text(),
        arrivals in prop::collection::vec(1_usize..30, 1..5),
        more_bytes_max in 0_usize..60,
    ) {
        let kinds = vec![Kind::Number, Kind::Text];
        let columns = Columns { names: vec!["a".to_string(), "b".to_string()], kinds };
        let csv = Csv { delimiter: b',', columns, header_line: Some(b"a,b".to_vec()), more_bytes_max };
        check_pieces(&csv, &bytes, &arrivals);
        let rows: Vec<Row<'_>> = csv.rows(&bytes, true).collect();
        prop_assert_eq!(rows, plain_rows(&bytes, more_bytes_max));
    }

    #[test]
    fn any_header_comes_back(bytes in any_text()) {
        let text = String::from_utf8_lossy(&bytes);
        let first = layout(&sample(&text));
        let again = layout(&Sample { header: first.header.as_deref(), ..sample("x,y") });
        prop_assert_eq!(again.header, first.header);
        prop_assert_eq!(again.start, 0);
    }

    #[test]
    fn any_values_come_back(rows in prop::collection::vec(prop::collection::vec("[a-c,\"\r\n;]{0,6}", 3), 1..8)) {
        let quoted = |value: &String| format!("\"{}\"", value.replace('"', "\"\""));
        let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n";
        let text = format!("x,y,z\r\n{}", rows.iter().map(line).collect::<String>());
        let layout = layout(&sample(&text));
        let read: Vec<Vec<String>> = read_text(&layout, &text).iter().map(|json| {
            let object: serde_json::Value = serde_json::from_str(json).unwrap();
            ["x", "y", "z"].map(|name| object[name].as_str().unwrap().to_string()).to_vec()
        }).collect();
        prop_assert_eq!(read, rows);
    }
}

#[test]
fn a_small_file_with_a_bad_row_is_still_rows() {
    for text in [
        "kind,actor,n\na,ann,1\nbroken\nb,bob,2\n",
        "ts,user,what\n2024-01-01 10:00:00,ann,x\n2024-01-01 10:00:01\n2024-01-01 10:00:02,bob,y\n",
    ] {
        let found = crate::format::detect::guesses(&sample(text)).remove(0);
        assert_eq!(found.layout.format, Format::Csv, "{text}: {}", found.why);
    }
}
