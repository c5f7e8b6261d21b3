use super::*;
use crate::format::cells::tests::reading::{check_pieces, read_text, sample};
use proptest::prelude::*;

fn check(line: &str, expected: &str) {
    assert_eq!(read_text(&layout(&sample(line)), line), [expected], "{line}");
}

#[test]
fn the_examples_of_logfmt_are_read() {
    // Go's kr/logfmt.
    check(
        r#"foo=bar a=14 baz="hello kitty" cool%story=bro f %^asdf"#,
        "!something in the line is neither a key nor `key=value`",
    );
    check(
        r#"foo=bar a=14 baz="hello kitty" cool%story=bro f"#,
        r#"{"foo":"bar","a":14,"baz":"hello kitty","cool%story":"bro","f":true}"#,
    );
    // Heroku's router.
    check(
        r#"at=info method=GET path="/a?b=c" host=x.herokuapp.com fwd="1.2.3.4" dyno=web.1 connect=1ms status=200 bytes=1548"#,
        r#"{"at":"info","method":"GET","path":"/a?b=c","host":"x.herokuapp.com","fwd":"1.2.3.4","dyno":"web.1","connect":"1ms","status":200,"bytes":1548}"#,
    );
    // logrus.
    check(
        r#"time="2015-03-26T01:27:38-04:00" level=debug msg="Started observing beach" animal=walrus number=8"#,
        r#"{"time":"2015-03-26T01:27:38-04:00","level":"debug","msg":"Started observing beach","animal":"walrus","number":8}"#,
    );
}

#[test]
fn values_are_what_they_are_written_as() {
    check("a=", r#"{"a":null}"#);
    check(r#"a="""#, r#"{"a":""}"#);
    check("a=1.5 b=-2 c=true d=false", r#"{"a":1.5,"b":-2,"c":true,"d":false}"#);
    check(r#"a="1" b="true""#, r#"{"a":"1","b":"true"}"#);
    check("a=1.50 b=007 c=1e3 d=2.0 e=+1", r#"{"a":"1.50","b":"007","c":"1e3","d":"2.0","e":"+1"}"#);
    check("a=9223372036854775808", r#"{"a":"9223372036854775808"}"#);
    check("a.b=1 a.b=2", r#"{"a.b":1,"a.b":2}"#);
    check("q=/x?y=z&w=\"", r#"{"q":"/x?y=z&w=\""}"#);
    check("a=b\tc=d \r", r#"{"a":"b","c":"d"}"#);
    check("msg=été", r#"{"msg":"été"}"#);
}

#[test]
fn escapes_are_those_of_json_and_of_go() {
    let check = |quoted: &str, expected: &str| {
        let mut out = String::new();
        unescape_into(quoted, &mut out);
        assert_eq!(out, expected, "{quoted}");
    };
    check(r#"say \"hi\" \\ \n\t\r"#, "say \"hi\" \\ \n\t\r");
    check(r"\u00e9 \ud83d\ude00 \U0001f600 \x1b", "é 😀 😀 \u{1b}");
    check(r"\d+ \ud83d \xff \u12 C:\Program", r"\d+ \ud83d \xff \u12 C:\Program");
    check(r"\+123", r"\+123");
    super::tests::check(r#"msg="a \"b\" c" n=1"#, r#"{"msg":"a \"b\" c","n":1}"#);
}

#[test]
fn other_lines_are_unreadable() {
    check("hello world", "!there is no `key=value` in the line");
    check("=x", "!a value in the line has no key");
    check(r#"a="x"#, "!a quoted value in the line has no end");
    check(r#"a="x\""#, "!a quoted value in the line has no end");
    check(r#"a="x"b"#, "!something follows a quoted value without a space");
    check("2024-01-01T00:00:00Z a=1", "!something in the line is neither a key nor `key=value`");
    check(r#""a"=1"#, "!something in the line is neither a key nor `key=value`");
    assert!(read_text(&layout(&sample("")), "\n \n\r\n").is_empty());
}

#[test]
fn logfmt_is_found_and_nothing_else() {
    let found = |text: &str| guess(&sample(text)).map(|guess| guess.sure);
    assert_eq!(found("a=1 b=2\nc=3 d=\"x y\"\nc=3 flag\n"), Some(62));
    assert_eq!(found("a=1 b=2\nc=3 d=\"x y\" e=f flag\n"), Some(93));
    for other in [
        "",
        "just text, a=1 b=2 and more words than pairs\n",
        "{\"a\":1,\"b\":\"x=1 y=2\"}\n",
        "2024-01-01 10:00:00 INFO user=1 ip=2\n",
        "<34>1 2003-10-11T22:14:15.003Z host su - ID47 [a@1 b=\"1\" c=\"2\"] x\n",
        "127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /?a=b HTTP/1.0\" 200 2326\n",
        "a,b\n1=2,3=4\n",
        "__CURSOR=s\n_PID=1\nMESSAGE=a b=c\n",
        "PATH=/bin\nSHELL=sh\n",
    ] {
        assert_eq!(found(other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn any_bytes_read_the_same_in_pieces(
        parts in prop::collection::vec(prop::sample::select(vec![
            &b"a"[..], b"b.c", b"=", b"\"", b"\\", b" ", b"\n", b"\r\n", b"1.5", b"true", b"\xff", b"\\u00e9",
            "é".as_bytes(), b"\t", b"k=v ",
        ]), 0..80),
        arrivals in prop::collection::vec(1_usize..20, 1..5),
    ) {
        check_pieces(&Logfmt, &parts.concat(), &arrivals);
    }
}
