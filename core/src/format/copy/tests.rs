use super::row::decode;
use super::*;
use crate::format::cells::tests::reading::{check_pieces, read_block, read_in_pieces, read_text, sample};
use proptest::prelude::*;

const DUMP: &str = r#"--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';

COPY public.action_logs (id, tenant_id, action_type, provider_name, request_payload, response_data, status, error_message, execution_time_ms, metadata, created_at) FROM stdin;
550e8400-e29b-41d4-a716-446655440000	123e4567-e89b-12d3-a456-426614174000	crm_create	hubspot	{"email": "john.doe@example.com"}	{"id": "12345"}	success	\N	245	{}	2024-01-15 10:30:00
550e8400-e29b-41d4-a716-446655440001	123e4567-e89b-12d3-a456-426614174000	email_send	google	{"body": "one\\ntwo \\"x\\""}	\N	failure	line 1\nline\t2 C:\\x	1203	\N	2024-01-15 10:31:00
\.


--
-- Data for Name: audit_logs; Type: TABLE DATA
--

COPY public.audit_logs (id, "user", action, changes) FROM stdin;
660e8400-e29b-41d4-a716-446655440001	admin@example.com	update	{"before": {"name": "Old"}, "after": {"name": "New"}}
660e8400-e29b-41d4-a716-446655440002	\N	17	\N
bad
\.

CREATE INDEX i ON public.audit_logs USING btree (action);
	NOT VALID	x	y	z
-- PostgreSQL database dump complete
"#;

#[test]
fn all_tables_of_a_dump_are_read_with_their_own_columns() {
    let found = guess(&sample(DUMP)).unwrap();
    assert_eq!((found.sure, found.why.as_str()), (97, "it has a COPY statement"));
    assert_eq!(
        found.layout.notes,
        ["the dump has more than one table: public.action_logs, public.audit_logs"]
    );
    let expected = [
        r#"{"id":"550e8400-e29b-41d4-a716-446655440000","tenant_id":"123e4567-e89b-12d3-a456-426614174000","action_type":"crm_create","provider_name":"hubspot","request_payload":{"email": "john.doe@example.com"},"response_data":{"id": "12345"},"status":"success","error_message":null,"execution_time_ms":245,"metadata":{},"created_at":"2024-01-15 10:30:00"}"#,
        r#"{"id":"550e8400-e29b-41d4-a716-446655440001","tenant_id":"123e4567-e89b-12d3-a456-426614174000","action_type":"email_send","provider_name":"google","request_payload":{"body": "one\ntwo \"x\""},"response_data":null,"status":"failure","error_message":"line 1\nline\t2 C:\\x","execution_time_ms":1203,"metadata":null,"created_at":"2024-01-15 10:31:00"}"#,
        r#"{"id":"660e8400-e29b-41d4-a716-446655440001","user":"admin@example.com","action":"update","changes":{"before": {"name": "Old"}, "after": {"name": "New"}}}"#,
        r#"{"id":"660e8400-e29b-41d4-a716-446655440002","user":null,"action":"17","changes":null}"#,
        "!the row has 1 field, the header 4",
    ];
    assert_eq!(read_text(&found.layout, DUMP), expected);
    let codec = found.layout.codec.as_ref();
    let rows = &DUMP.as_bytes()[found.layout.start..];
    for arrival in [1, 7, 100, 1_000] {
        assert_eq!(check_pieces(codec, rows, &[arrival]).len(), 5);
    }
    // A row of a later table is read alone as it was read there.
    for seen in read_block(codec, rows) {
        let raw = String::from_utf8(seen.raw).unwrap();
        let alone = layout(&Sample { header: found.layout.header.as_deref(), ..sample(&raw) });
        assert_eq!((alone.start, &alone.header), (0, &found.layout.header));
        assert_eq!(read_block(alone.codec.as_ref(), raw.as_bytes())[0].result, seen.result);
    }
}

#[test]
fn tables_with_the_same_columns_are_read_alike() {
    let dump = "COPY p1 (a, b) FROM stdin;\n1\tx\n\\.\nSQL;\nCOPY p2 (a, b) FROM stdin;\n7x\ty\n\\.\n";
    assert_eq!(read_text(&layout(&sample(dump)), dump), [r#"{"a":1,"b":"x"}"#, r#"{"a":"7x","b":"y"}"#]);
}

#[test]
fn rows_of_a_dump_may_begin_after_the_sample() {
    let long = format!("{}{}", "-- PostgreSQL database dump\nSET x = y;\n", &DUMP[60..]);
    let beginning = Sample { bytes: &long.as_bytes()[..50], whole: false, ..sample("") };
    let found = guess(&beginning).unwrap();
    assert_eq!((found.sure, found.layout.start), (90, 0));
    assert_eq!(read_block(found.layout.codec.as_ref(), long.as_bytes()).len(), 5);
    check_pieces(found.layout.codec.as_ref(), long.as_bytes(), &[13]);
    let inserts = "-- PostgreSQL database dump\nSET x = y;\nINSERT INTO t VALUES (1);\n";
    assert!(guess(&sample(inserts)).is_none());
}

#[test]
fn the_escapes_of_the_manual_are_read() {
    let check = |cell: &[u8], expected: Option<&str>| {
        assert_eq!(decode(cell, &mut Vec::new()).unwrap(), expected, "{}", cell.escape_ascii());
    };
    check(br"\N", None);
    check(br"\\N", Some(r"\N"));
    check(b"", Some(""));
    check(br"\b\f\n\r\t\v", Some("\u{8}\u{c}\n\r\t\u{b}"));
    check(br"\101\60\0501", Some("A0(1"));
    check(br"\x41\x4g\xg\xC3\xa9", Some("A\u{4}gxgé"));
    check(br"\q\.\\", Some(r"q.\"));
    check(b"a\\\nb\\\tc", Some("a\nb\tc"));
    check(b"end\\", Some("end\\"));
    assert!(decode(br"\xff", &mut Vec::new()).is_err());
}

#[test]
fn a_header_names_columns_where_no_statement_does() {
    let text = "a\tb\tn\nx\\ty\t\\N\t1.50\n\t{\"c\": 1}\t2.25\nt\tf\t3.5\nshort\n";
    let found = guess(&sample(&text.replace("short\n", ""))).unwrap();
    assert_eq!(found.sure, 96);
    assert_eq!(found.layout.header.as_deref(), Some("a\tb\tn\ntypes:"));
    let expected = [
        r#"{"a":"x\ty","b":null,"n":"1.50"}"#,
        r#"{"a":"","b":{"c": 1},"n":"2.25"}"#,
        r#"{"a":"t","b":"f","n":"3.5"}"#,
        "!the row has 1 field, the header 3",
    ];
    assert_eq!(read_text(&found.layout, text), expected);
    let given = Sample { header: Some("x, y"), ..sample("1\t\\N\r\n2\t\\.\r\n\\.\r\nrest") };
    let found = guess(&given).unwrap();
    assert_eq!(found.layout.header.as_deref(), Some("x\ty\ntypes: 1=number"));
    let records = read_block(found.layout.codec.as_ref(), given.bytes);
    let json: Vec<_> = records.iter().map(|seen| seen.result.as_deref().unwrap()).collect();
    assert_eq!(json, [r#"{"x":1,"y":null}"#, r#"{"x":2,"y":"."}"#]);
    assert!(guess(&sample("a\tb\n1\t2\n")).is_none());
}

#[test]
fn an_escaped_line_end_is_part_of_its_row() {
    let text = "a\tb\n1\\\n2\tx\\\\\n3\t\\N\\\n";
    let layout = layout(&sample(text));
    let expected = [r#"{"a":"1\n2","b":"x\\"}"#, r#"{"a":"3","b":"N\n"}"#];
    assert_eq!(read_text(&layout, text), expected);
    let codec = layout.codec.as_ref();
    assert_eq!(codec.last_end(b"1\\\n2\tx\\\\\n3\\\n"), Some(9));
    assert_eq!(codec.last_end(b"1\\\n"), None);
}

#[test]
fn statements_are_those_of_dumps() {
    let names =
        |line: &str| Statement::of(line.as_bytes()).map(|statement| (statement.table, statement.names));
    let of = |table: &str, names: &[&str]| {
        Some((table.to_string(), names.iter().map(ToString::to_string).collect::<Vec<_>>()))
    };
    assert_eq!(
        names("COPY public.t (a, \"b \"\"c\"\", d\") FROM stdin;"),
        of("public.t", &["a", "b \"c\", d"])
    );
    assert_eq!(names("COPY \"A (b)\".\"t;\" (x) FROM stdin;"), of("\"A (b)\".\"t;\"", &["x"]));
    for line in [
        "COPY t FROM stdin;",
        "COPY t (a) TO stdout;",
        "COPY (a) FROM stdin;",
        "copied",
        "COPY t (a) FROM stdin; x",
    ] {
        assert_eq!(names(line), None, "{line}");
    }
}

#[test]
fn what_is_too_long_ends_where_a_table_does() {
    let dump = layout(&sample(DUMP));
    assert_eq!(dump.codec.next_start(b"x\ny\n\\.\nz\n"), Some(4));
    assert_eq!(dump.codec.next_start(b"x\ny\n"), None);
    let rows = layout(&sample("a\tb\n1\t2\n"));
    assert_eq!(rows.codec.next_start(b"x\ny\n"), Some(2));
}

proptest! {
    #[test]
    fn any_bytes_read_the_same_in_pieces(
        parts in prop::collection::vec(prop::sample::select(vec![
            &b"a"[..], b"\t", b"1\tx\n", b"\n", b"\r\n", b"\r", b"\\", b"\\N", b"\\.\n", b"\n\\.\n", b"\xff", b"{}",
            b"COPY t (x, y, z) FROM stdin;\n", b"COPY t (a, b) FROM stdin;\n", b"\nCOPY u (q) FROM stdin;\n", b"1\t2\t3\n",
        ]), 0..60),
        arrivals in prop::collection::vec(1_usize..40, 1..5),
        begins in any::<bool>(),
    ) {
        let names = vec!["a".to_string(), "b".to_string()];
        let columns = Columns { names, kinds: vec![crate::format::cells::Kind::Number; 2] };
        let codec = super::Copy { columns: begins.then_some(columns), is_dump: true };
        let bytes = parts.concat();
        prop_assert_eq!(read_block(&codec, &bytes), read_in_pieces(&codec, &bytes, &arrivals));
        // A row of one empty value cannot be told from no row when it is read alone.
        if !bytes.windows(6).any(|six| six == b"COPY u") {
            check_pieces(&codec, &bytes, &arrivals);
        }
    }
}
