use super::super::{Filter, Op, Value};
use super::{NOW, context, parse, us};
use crate::event::time::rfc3339;

/// What a text reads as, printed; and that the print reads as the same filter.
fn check(text: &str, expected: &str) {
    let filter = parse(text).unwrap_or_else(|error| panic!("{}", error.render(text)));
    assert_eq!(filter.to_string(), expected, "{text}");
    assert_eq!(parse(expected).unwrap(), filter, "{expected}");
}

#[test]
fn fields_compare() {
    check("kind:file_update", "kind:file_update");
    check("kind=file_update", "kind:file_update");
    check("kind!=file_update", "-kind:file_update");
    check("amount>=12.5", "amount>=12.5");
    check("amount>-5", "amount>-5");
    check("amount<=1e3", "amount<=1e3");
    check("amount<0", "amount<0");
    check("kind:a,b,\"c d\"", "kind:a,b,\"c d\"");
    check("kind!=a,b", "-kind:a,b");
    check("artist:*", "artist:*");
    check("artist!=*", "-artist:*");
    check("-artist:*", "-artist:*");
    check("artist:\"*\"", "artist:\"*\"");
    check("artist:\"\"", "artist:\"\"");
    check("artist:\"say \\\"hi\\\" \\\\ C:\\dir\"", "artist:\"say \\\"hi\\\" \\\\ C:\\\\dir\"");
    check("path:C:\\dir", "path:\"C:\\\\dir\"");
    check("url:http://x/y=1", "url:\"http://x/y=1\"");
    check("path:/^\\/api\\/v[12]/", "path:/^\\/api\\/v[12]/");
    check("path:/a b/,c", "path:/a b/,c");
}

#[test]
fn fields_are_named_by_column_path_or_alias() {
    check("http.status:404", "http.status:404");
    check("\"http.status\":404", "\"http.status\":404");
    check("a.\"b.c\".d:1", "a.\"b.c\".d:1");
    check("\"a\".b:1", "a.b:1");
    check("\"a..b\":1", "\"a..b\":1");
    check("\"\":1", "\"\":1");
    check("metadata.artist:Drake", "metadata.artist:Drake");
    check("user-agent:curl", "user-agent:curl");
    check("größe:5", "größe:5");
    check("app.kubernetes.io/name:x", "app.kubernetes.io/name:x");
    check("type:login", "kind:login");
    check("\"type\":login", "\"type\":login");
    check("user:12345", "actor:12345");
    check("trace:abc", "trace_id:abc");
    check("id:abc", "event_id:abc");
    check("ID:abc", "event_id:abc");
    check("and:x or:y not:z", "and:x or:y not:z");
}

#[test]
fn words_are_in_the_message() {
    check("timeout", "timeout");
    check("\"rate limit\"", "\"rate limit\"");
    check("\"rate\"", "rate");
    check("rate-limit", "rate-limit");
    check("größe", "größe");
    check("a,b", "\"a,b\"");
    check("?out", "?out");
    check("time*", "time*");
    check("t**out", "t*out");
    check("a\\*b", "\"a*b\"");
    check("a\\*b*", "a\\*b*");
    check("a\\ b*", "a\\ b*");
    check("a\\:b", "\"a:b\"");
    check("/time ?out/", "/time ?out/");
    check("/a\\/b\\\\/", "/a\\/b\\\\/");
    check("text:timeout", "timeout");
    check("message:\"a b\"", "\"a b\"");
    check("message:a,b", "a or b");
    check("message:*", "message:*");
    check("message=timeout", "message=timeout");
    check("message!=timeout", "-message=timeout");
    check("message:/x/", "/x/");
    check("-\"-x\"", "-\"-x\"");
    check("http.status", "http.status");
    check("\"and\"", "\"and\"");
    check("*", "*");
    check("", "*");
    check("  \n\t ", "*");
}

#[test]
fn or_binds_weaker_than_and() {
    check("a b", "a b");
    check("a and b", "a b");
    check("a AND b", "a b");
    check("a or b c", "a or b c");
    check("a b or c d", "a b or c d");
    check("(a or b) c", "(a or b) c");
    check("a (b or c)", "a (b or c)");
    check("a (b c)", "a b c");
    check("(a or b) or c", "a or b or c");
    check("((((a))))", "a");
    check("(a)(b)", "a b");
    check("not a", "-a");
    check("not a b", "-a b");
    check("NOT (a b)", "-(a b)");
    check("-(a or b)", "-(a or b)");
    check("-(-a)", "a");
    check("not not a", "a");
    check("not(a)", "-a");
    check("-kind:x or y", "-kind:x or y");
    check("a or not b and c", "a or -b c");
    check("oracle android nothing", "oracle android nothing");
    check("kind:a (-b) OR level:c", "kind:a -b or level:c");
    check("* or a", "* or a");
    check("-*", "-*");
    check(
        "kind:file_update severity>=error actor:12345 \"rate limit\" /time ?out/ artist:Drake -status:success last:24h",
        "kind:file_update severity>=error actor:12345 \"rate limit\" /time ?out/ artist:Drake -status:success \
         since:2026-02-02T10:30:00Z",
    );
}

#[test]
fn times_are_bounds() {
    check("last:24h", "since:2026-02-02T10:30:00Z");
    check("last:90s", "since:2026-02-03T10:28:30Z");
    check("last:30m", "since:2026-02-03T10:00:00Z");
    check("last:7d", "since:2026-01-27T10:30:00Z");
    check("last:2w", "since:2026-01-20T10:30:00Z");
    check("last:1h30m", "since:2026-02-03T09:00:00Z");
    check("last:999999w", "since:1900-01-01T00:00:00Z");
    check("since:2026-02-01", "since:2026-02-01T00:00:00Z");
    check("since:2026-02-01T12:00", "since:2026-02-01T12:00:00Z");
    check("since:\"2026-02-01 12:00:00.25\"", "since:2026-02-01T12:00:00.250Z");
    check("since:2026-02-01T12:00:00+02:00", "since:2026-02-01T10:00:00Z");
    check("since:1700000000", "since:2023-11-14T22:13:20Z");
    check("since:now", "since:2026-02-03T10:30:00Z");
    check("since:-2h", "since:2026-02-03T08:30:00Z");
    check("since:2h", "since:2026-02-03T08:30:00Z");
    check("since:yesterday until:today", "since:2026-02-02T00:00:00Z until:2026-02-03T00:00:00Z");
    check("until:tomorrow", "until:2026-02-04T00:00:00Z");
    check("-since:now", "-since:2026-02-03T10:30:00Z");
    check("since!=now", "-since:2026-02-03T10:30:00Z");
    let day = "since:2026-02-03T00:00:00Z until:2026-02-04T00:00:00Z";
    check("day:2026-02-03", day);
    check("day:today", day);
    check("ts:2026-02-03", day);
    check("-day:today", &format!("-({day})"));
    check("day:2026-02-01..2026-02-03", "since:2026-02-01T00:00:00Z until:2026-02-04T00:00:00Z");
    check("day:yesterday..today", "since:2026-02-02T00:00:00Z until:2026-02-04T00:00:00Z");
    check(
        "day:2026-02-01,2026-02-03",
        &format!("since:2026-02-01T00:00:00Z until:2026-02-02T00:00:00Z or {day}"),
    );
    check("day>2026-02-03", "since:2026-02-04T00:00:00Z");
    check("day>=2026-02-03", "since:2026-02-03T00:00:00Z");
    check("day<2026-02-03", "until:2026-02-03T00:00:00Z");
    check("day<=2026-02-03", "until:2026-02-04T00:00:00Z");
    check("day:*", "*");
    check("ts>=2026-02-03T10:00", "since:2026-02-03T10:00:00Z");
    check("ts>2026-02-03T10:00", "since:2026-02-03T10:00:00.000001Z");
    check("ts<=2026-02-03T10:00", "until:2026-02-03T10:00:00.000001Z");
    check("ts:*", "ts:*");
    check("paid_at>=yesterday", "paid_at>=yesterday");
}

#[test]
fn a_zone_moves_local_times_but_not_days() {
    // One hour ahead of UTC, two hours from the end of March.
    let summer = us("2026-03-29T01:00:00Z");
    let offset = |instant: i64| if instant < summer { 3_600 } else { 7_200 };
    let check = |text: &str, expected: &str| {
        let context = context().with_zone(&offset);
        assert_eq!(Filter::parse(text, &context).unwrap().to_string(), expected, "{text}");
    };
    check("since:2026-02-03", "since:2026-02-02T23:00:00Z");
    check("since:2026-07-01", "since:2026-06-30T22:00:00Z");
    check("since:2026-03-29T01:59", "since:2026-03-29T00:59:00Z");
    check("since:2026-03-29T03:00", "since:2026-03-29T01:00:00Z");
    check("since:2026-02-03T10:00Z", "since:2026-02-03T10:00:00Z");
    check("since:today", "since:2026-02-02T23:00:00Z");
    check("ts:2026-03-29", "since:2026-03-28T23:00:00Z until:2026-03-29T22:00:00Z");
    check("day:2026-02-03", "since:2026-02-03T00:00:00Z until:2026-02-04T00:00:00Z");
    check("day:today", "since:2026-02-03T00:00:00Z until:2026-02-04T00:00:00Z");
    check("last:1h", "since:2026-02-03T09:30:00Z");
    assert_eq!(rfc3339(us(NOW)), NOW);
}

#[test]
fn files_entities_and_errors() {
    check("file:api/", "file:api/");
    check("file:/etc/passwd", "file:\"/etc/passwd\"");
    check("file:a/,*.rs", "file:a/ or file:*.rs");
    check("file!=api/", "-file:api/");
    check("\"file\":api", "\"file\":api");
    check("metadata.file:api", "metadata.file:api");
    check("entity:order:42", "entity_type:order entity_id:42");
    check("entity:order:a:b", "entity_type:order entity_id:a:b");
    check("entity:\"a b\":\"c:d\"", "entity_type:\"a b\" entity_id:c:d");
    check("entity:order:*", "entity_type:order entity_id:*");
    check("entity:*", "entity_id:*");
    check("-entity:order:42", "-(entity_type:order entity_id:42)");
    check("is:error", "is:error");
    check("-is:error", "-is:error");
    check("is!=error", "-is:error");
    check("error:true", "is:error");
    check("error:false", "-is:error");
    check("error:timeout*", "error:timeout*");
    check("error:*", "error:*");
    check("\"error\":true", "\"error\":true");
    check("level:error,warning", "level:error,warning");
    check("severity>=error", "severity>=error");
}

#[test]
fn filters_are_built() {
    let context = context();
    let check = |filter: Filter, expected: &str| assert_eq!(filter.to_string(), expected);
    let flag = |name: &str, text: &str| Filter::flag(name, text, &context).unwrap();
    check(flag("kind", "a,b"), "kind:a,b");
    check(flag("kind", "a b*"), "kind:a\\ b*");
    check(flag("level", "error"), "level:error");
    check(flag("user", "ann lee"), "actor:\"ann lee\"");
    check(flag("file", "/srv/my files/"), "file:\"/srv/my files/\"");
    check(flag("text", "rate limit, again"), "\"rate limit, again\"");
    check(flag("since", "2026-02-03 10:00"), "since:2026-02-03T10:00:00Z");
    check(flag("until", "now"), "until:2026-02-03T10:30:00Z");
    check(flag("entity", "order:a,b (c)"), "entity_type:order entity_id:\"a,b (c)\"");
    let field = |name: &str, op, value: &str| Filter::field(name, op, vec![value.into()], &context).unwrap();
    check(field("http.status", Op::GreaterOrEqual, "500"), "http.status>=500");
    check(field("\"a b\"", Op::Unequal, "*"), "-\"a b\":\"*\"");
    check(field("last", Op::Has, "1h"), "since:2026-02-03T09:30:00Z");
    check(Filter::and(vec![]), "*");
    check(Filter::or(vec![]), "-*");
    check(
        Filter::and(vec![Filter::errors(), Filter::and(vec![Filter::text("x"), Filter::text("y")])]),
        "is:error x y",
    );
    check(Filter::file("a b"), "file:\"a b\"");
    check(Filter::entity("order", "4*2"), "entity_type:order entity_id:\"4*2\"");
    check(Filter::text("x").negated().negated(), "x");
    assert!(Filter::and(vec![Filter::all(), Filter::all()]).is_all());
    assert!(!Filter::text("x").is_all());
    assert!(Filter::flag("kind", "a,,b", &context).is_err());
    assert!(Filter::flag("kind", "", &context).is_err());
    assert!(Filter::field("a b", Op::Has, vec!["x".into()], &context).is_err());
    assert!(Filter::field("a", Op::Has, vec![], &context).is_err());
    assert!(Value::regex("(").is_err());
}
