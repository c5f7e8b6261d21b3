use super::super::{BYTES_MAX, Filter, HELP, Value};
use super::{compiled, parse};

/// The error of a text: the caret stands below the place that `^` shows in the second line.
fn check(text: &str, caret: &str, expected: &str) {
    let error = match compiled(text) {
        Err(error) => error,
        Ok(sql) => panic!("{text}: {sql:?}"),
    };
    let shown = error.render(text);
    let (message, rest) = shown.split_once('\n').unwrap();
    let mut lines: Vec<&str> = rest.lines().collect();
    assert_eq!(lines.remove(0).trim_start(), text.trim_start(), "{shown}");
    assert_eq!(lines.remove(0), format!("  {caret}"), "{shown}");
    assert_eq!([&[message], lines.as_slice()].concat().join("\n"), expected, "{shown}");
}

#[test]
fn structure() {
    check("a and", "     ^", "the filter ends here\nexpected a term");
    check("a or", "    ^", "the filter ends here\nexpected a term");
    check("not", "   ^", "the filter ends here\nexpected a term");
    check("(a", "^", "this `(` is not closed\nexpected a `)`");
    check("(", " ^", "the filter ends here\nexpected a term");
    let quotes = "hint: put text with parentheses in quotes";
    check("a)", " ^", &format!("there is no `(` for this `)`\n{quotes}"));
    check(")", "^", &format!("there is no term before this `)`\n{quotes}"));
    check("a ()", "  ^", &format!("there is nothing in these parentheses\nexpected a term\n{quotes}"));
    check("and a", "^", "there is no term before this `and`\nhint: to find the word, write \"and\"");
    check("a and or b", "      ^", "there is no term before this `or`\nhint: to find the word, write \"or\"");
    let space =
        "expected a space\nhint: put text with parentheses or quotes in quotes: \"f(x)\", \"say \\\"hi\\\"\"";
    check("main()", "    ^", &format!("a term ends before this `(`\n{space}"));
    check("kind:f(x)", "      ^", &format!("a term ends before this `(`\n{space}"));
    check("say\"hi\"", "   ^", &format!("a term ends before this `\"`\n{space}"));
    check("\"a\"b", "   ^", &format!("a term ends before this `b`\n{space}"));
    check(
        "a - b",
        "  ^",
        "there is no term after this `-`\nhint: write `-` right before the term, or \"-\" in quotes for the text",
    );
    check(
        "a --kind x",
        "  ^",
        "a flag cannot stand inside a filter\nhint: write `kind:VALUE`, or flags before the filter",
    );
    check("\"a b", "^", "the quoted text has no end\nexpected a closing `\"`");
    check(
        "\"C:\\dir\\\"",
        "^",
        "the quoted text has no end\nexpected a closing `\"`\nhint: `\\\"` is a quote in the text; write `\\\\` for a \
         backslash at its end",
    );
}

#[test]
fn names_and_operators() {
    check(
        "a :x",
        "  ^",
        "there is no name before the operator\nexpected a field, such as `kind:x`\nhint: put text with `:`, `=`, `<` \
         or `>` in quotes",
    );
    check(
        "ki*:x",
        "^",
        "the name `ki*` has a wildcard; only values can\nhint: put it in quotes if the text is meant",
    );
    check("!kind:x", "^", "`!` is no negation\nhint: write `-kind:...`");
    let name = "expected a name such as `kind`, `http.status` or `\"a.b\"`";
    check("a..b:x", "^", &format!("`a..b` is no name of a field\n{name}"));
    check("x a,b:x", "  ^", &format!("`a,b` is no name of a field\n{name}"));
    check("kind==x", "    ^", "`==` is no operator\nhint: write `kind=...`, or put the value in quotes");
    check("kind:>=5", "    ^", "`:>=` is no operator\nhint: write `kind>=...`, or put the value in quotes");
    check("kind=>5", "    ^", "`=>` is no operator\nhint: write `kind>=...`, or put the value in quotes");
    check("kind<>5", "    ^", "`<>` is no operator\nhint: write `kind!=...`, or put the value in quotes");
    check("kind:!x", "    ^", "`:!` is no operator\nhint: write `kind!=...`, or put the value in quotes");
    check("kind>>5", "    ^", "`>>` is no operator\nexpected one of `:`, `=`, `!=`, `>`, `>=`, `<`, `<=`");
    check("http://x.y/z", "^", "a term with `://` is no comparison\nhint: write \"http://x.y/z\"");
}

#[test]
fn values() {
    let no_value = "there is no value here\nexpected a value";
    check(
        "kind:",
        "     ^",
        &format!("{no_value}\nhint: write `kind:\"\"` for the empty text, `-kind:*` for no value"),
    );
    check("kind: x", "     ^", &format!("{no_value}\nhint: write `kind:x` without the space"));
    check(
        "kind:a,",
        "       ^",
        &format!("{no_value}\nhint: write `kind:\"\"` for the empty text, `-kind:*` for no value"),
    );
    check(
        "kind:(a or b)",
        "     ^",
        "values do not stand in parentheses\nhint: write `kind:a,b` for either, or put the value in quotes",
    );
    check(
        "amount>1,2",
        "         ^",
        "`>` compares with one value\nhint: only `:`, `=` and `!=` take several; put a value with commas in quotes",
    );
    check(
        "kind>a*",
        "     ^",
        "`>` compares with neither patterns nor regexes\nhint: write `:` before a pattern or a regex; put `*` or `?` in \
         quotes if they are meant",
    );
    check("count:many", "      ^", "`count` holds numbers (int64), and `many` is none\nexpected a number");
    check(
        "amount:10..20",
        "       ^",
        "`amount` holds numbers (double), and `10..20` is none\nexpected a number\nhint: write `amount>=10 amount<=20`",
    );
    check(
        "http.status:1,5xx",
        "              ^",
        "`http.status` holds numbers (int64), and `5xx` is none\nexpected a number\nhint: write `http.status>=500 \
         http.status<600`",
    );
    check("count:NaN", "      ^", "`count` holds numbers (int64), and `NaN` is none\nexpected a number");
    check("ports:x", "      ^", "`ports` holds numbers (int64), and `x` is none\nexpected a number");
    check(
        "flag:maybe",
        "     ^",
        "`flag` is true or false, and `maybe` is neither\nexpected `true` or `false`",
    );
    check(
        "flag>true",
        "     ^",
        "`flag` is true or false, which has no order\nexpected `flag:true` or `flag:false`",
    );
    check(
        "severity>=eror",
        "          ^",
        "`eror` is no severity\nexpected one of trace, debug, info, notice, warning, error, critical, fatal\nhint: did \
         you mean `error`?",
    );
    check(
        "level>banana",
        "      ^",
        "`banana` is no severity\nexpected one of trace, debug, info, notice, warning, error, critical, fatal",
    );
}

#[test]
fn times() {
    let times = "expected a time such as 2026-02-03, 2026-02-03T10:30, 2026-02-03T10:30:00+01:00, now, today, yesterday \
                 or -2h";
    check("since:2026", "      ^", &format!("`2026` is no time\n{times}"));
    check("since:2026-02-30", "      ^", &format!("`2026-02-30` is no time\n{times}"));
    check("ts>noon", "   ^", &format!("`noon` is no time\n{times}"));
    check("paid_at:soon", "        ^", &format!("`soon` is no time\n{times}"));
    check("since:a,b", "        ^", &format!("`since` takes one time\n{times}"));
    check("until:2026*", "      ^", &format!("a time is neither a pattern nor a regex\n{times}"));
    let lengths = "expected a length of time such as 90s, 30m, 24h, 7d or 2w";
    check("last:24hours", "     ^", &format!("`24hours` is no length of time\n{lengths}"));
    check("last:-2h", "     ^", &format!("`-2h` is no length of time\n{lengths}"));
    check(
        "last:99999999999999999999s",
        "     ^",
        &format!("`99999999999999999999s` is no length of time\n{lengths}"),
    );
    check("since>now", "      ^", "`since` takes no `>`\nhint: write `since:...`, or `ts>...`");
    let days =
        "expected a day such as 2026-02-03, today or yesterday, or days such as 2026-02-01..2026-02-05";
    check("day:monday", "    ^", &format!("`monday` is no day\n{days}"));
    check("day:2026-02-03T10:00", "    ^", &format!("`2026-02-03T10:00` is no day\n{days}"));
    check("day:today..", "    ^", &format!("`` is no day\n{days}"));
    check(
        "day:today..yesterday",
        "    ^",
        "`today..yesterday` ends before it begins\nexpected the earlier day first",
    );
    let error = Filter::parse("since:now", &super::super::Context::without_clock()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`now` needs a clock, and there is none here: expected a day or an instant"
    );
}

#[test]
fn entities_and_states() {
    check(
        "entity:order",
        "       ^",
        "an entity is its type and its id\nexpected `TYPE:ID`\nhint: for all entities of a type, write \
         `entity_type:\"order\"`",
    );
    check("entity:order:", "             ^", "there is no id here\nexpected `TYPE:ID`");
    check("entity::5", "       ^", "an entity is its type and its id\nexpected `TYPE:ID`");
    check("entity>a:b", "       ^", "`entity` takes no `>`\nhint: write `entity:TYPE:ID`");
    check("file>api", "     ^", "`file` takes no `>`\nhint: write `file:api/`");
    check(
        "is:open",
        "   ^",
        "`is` knows `error` only\nexpected `is:error` or `-is:error`\nhint: a column of this name is reached in \
         quotes: `\"is\":...`",
    );
}

#[test]
fn unknown_fields() {
    check("x actr:5", "  ^", "there is no field `actr`\nhint: did you mean `actor`?");
    check("-artst:*", " ^", "there is no field `artst`\nhint: did you mean `artist`?");
    check("atrist:x", "^", "there is no field `atrist`\nhint: did you mean `artist`?");
    check(
        "http.statsu:5",
        "^",
        "there is no field `http.statsu`\nhint: did you mean `http.status` or `http_status`?",
    );
    check("log.file:x", "^", "there is no field `log.file`\nhint: the key with a dot is \"log.file\"");
    check("durations_ms>5", "^", "there is no field `durations_ms`\nhint: did you mean `duration_ms`?");
    check("sinc:now", "^", "there is no field `sinc`\nhint: did you mean `since`?");
    check("amou>5", "^", "there is no field `amou`\nhint: did you mean `amount`?");
    let quotes = "hint: put text with `:`, `=`, `<` or `>` in quotes";
    check("10:30", "^", &format!("there is no field `10`\n{quotes}"));
    check("zzzzzz:5", "^", &format!("there is no field `zzzzzz`\n{quotes}"));
    let long = format!("{}:x", "k".repeat(10_000));
    assert!(compiled(&long).unwrap_err().to_string().len() < 200);
}

#[test]
fn regexes() {
    check(
        "/a",
        "^",
        "the regex has no end\nexpected a closing `/`\nhint: for a text that begins with `/`, write \"/a\"",
    );
    check(
        "path:/api/orders",
        "          ^",
        "the regex ends at the `/` before this\nexpected a space\nhint: for a text that begins with `/`, write \
         \"/api/orders\"",
    );
    check(
        "/time/i x",
        "      ^",
        "the regex ends at the `/` before this\nexpected a space\nhint: for any case, write `/(?i)time/`",
    );
    check("//", " ^", "invalid regex: it is empty");
    check("/a(b/", "  ^", "invalid regex: this `(` is not closed\nhint: write `\\(` for a parenthesis");
    check(
        "kind:/ab)/",
        "        ^",
        "invalid regex: no `(` for this `)`\nhint: write `\\)` for a parenthesis",
    );
    check("/a[b/", "  ^", "invalid regex: this `[` is not closed\nhint: write `\\[` for a bracket");
    check(
        "/*a/",
        " ^",
        "invalid regex: there is nothing to repeat before this\nhint: write `.*` for any text, or `\\*` for a star",
    );
    check(
        "/a(?!b)/",
        "  ^",
        "invalid regex: looking ahead or behind is not supported\nhint: combine terms instead: `/this/ -/that/`",
    );
    check("/(a)\\1/", "    ^", "invalid regex: references to groups are not supported");
    for valid in
        ["a[]b]", "[^]]", "[[:alpha:]\\]]+", "(?i)x", "(?P<n>a)|b", "\\(", "a{2,3}?", "^$", "\\Q*", "()"]
    {
        assert!(Value::regex(valid).is_ok(), "{valid}");
    }
    for invalid in ["(", ")", "[", "[a", "[^]", "[[:alpha:]", "a|*", "(*)", "\\", "a\\", ""] {
        assert!(Value::regex(invalid).is_err(), "{invalid}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let message = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(
        message(&"a ".repeat(50_000)),
        format!("the filter has 100000 bytes; it can have {BYTES_MAX}")
    );
    assert_eq!(message(&"(".repeat(10_000)), "the filter is nested deeper than 100 levels");
    assert_eq!(message(&"-(".repeat(10_000)), "the filter is nested deeper than 100 levels");
    assert_eq!(message(&"not ".repeat(10_000)), "the filter is nested deeper than 100 levels");
    assert_eq!(message(&"a ".repeat(1_001)), "the filter has more than 1000 terms");
    assert_eq!(message(&format!("kind:a{}", ",b".repeat(1_000))), "the filter has more than 1000 terms");
    let nested = format!("{}a{}", "b (c or ".repeat(40), ")".repeat(40));
    assert_eq!(message(&nested), "the filter is nested deeper than 60 levels of `and`, `or` and `not`");
    assert!(parse(&"a ".repeat(1_000)).is_ok());
    assert!(parse(&format!("{}a{}", "(".repeat(100), ")".repeat(100))).is_ok());
    let at = parse(&"(".repeat(10_000)).unwrap_err().at;
    assert_eq!(at, Some(101));
}

#[test]
fn errors_show_only_the_text_around_the_place() {
    let text = format!("{} kind: {}", "a ".repeat(100), "b ".repeat(100));
    let shown = parse(&text).unwrap_err().render(&text);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1].chars().count(), lines[2].chars().count() + 52, "{shown}");
    assert!(lines[1].starts_with("  ...a a ") && lines[1].ends_with(" b b..."), "{shown}");
    assert_eq!(lines[1].chars().nth(lines[2].chars().count() - 2), Some(':'), "{shown}");
    let text = "\u{1b}[31m\n\u{202e} kind:";
    let shown = parse(text).unwrap_err().render(text);
    assert!(shown.contains("\u{fffd}[31m \u{fffd} kind:"), "{shown:?}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    let texts = [
        format!("/\u{1b}{}", "x".repeat(9_000)),
        format!("\"\u{1b}{}\":", "x".repeat(9_000)),
        "entity:\u{1b}".into(),
    ];
    for text in &texts {
        let shown = parse(text).unwrap_err().render(text);
        assert!(shown.len() < 1_000 && !shown.contains('\u{1b}'), "{shown:?}");
    }
    let error = parse("kind:").unwrap_err().into_error("kind:");
    assert_eq!(error.kind(), crate::error::ErrorKind::Syntax);
    assert_eq!(error.to_string(), "there is no value here\n  kind:\n       ^\nexpected a value");
}

#[test]
fn the_examples_of_the_reference_parse() {
    let mut examples = 0;
    for line in HELP.lines().filter(|line| line.starts_with("  ")) {
        let example = line.trim_start().split("  ").next().unwrap();
        let is_example = example.contains([':', '=', '/', '*'])
            && !example.contains(" is ")
            && !example.contains(" beats ");
        if is_example {
            parse(example).unwrap_or_else(|error| panic!("{}", error.render(example)));
            examples += 1;
        }
    }
    assert!(examples >= 20, "{examples}");
    assert!(HELP.lines().count() <= 50);
    assert!(HELP.lines().all(|line| line.chars().count() <= 100));
}
