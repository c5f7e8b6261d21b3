use super::super::{Columns, Context, Field, Filter, Op, Term, Value, compile};
use super::{context, parse, table, us};
use proptest::prelude::*;

/// Texts with all that means something in the grammar or in SQL.
fn text() -> impl Strategy<Value = String> {
    let awkward = "[a-zäß€😀0-9 \t\n\"'\\\\/*?,:;=<>!()\\-_.@#%&$+\\[\\]{}|^~`\u{0}\u{a0}\u{202e}]{0,12}";
    prop_oneof![
        awkward,
        Just("and".to_string()),
        Just("or".to_string()),
        Just("'; DROP TABLE events; --".to_string()),
        Just("$p1".to_string()),
        Just("*/ /*".to_string()),
        Just("-".to_string()),
        Just("last:24h".to_string()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::text),
        text().prop_map(|text| Value::pattern(&text)),
        text().prop_filter_map("regex", |text| Value::regex(&text).ok()),
    ]
}

fn name() -> impl Strategy<Value = Field> {
    let quoted = text().prop_map(|key| format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")));
    let bare = prop_oneof![
        Just("artist".to_string()),
        Just("kind".to_string()),
        Just("level".into()),
        "[a-z_@][a-z0-9_-]{0,5}"
    ];
    prop::collection::vec(prop_oneof![quoted, bare], 1..4)
        .prop_filter_map("name", |keys| Field::parse(&keys.join(".")).ok())
}

fn comparison() -> impl Strategy<Value = Filter> {
    let ops = prop_oneof![
        Just(Op::Has),
        Just(Op::Equal),
        Just(Op::Unequal),
        Just(Op::GreaterOrEqual),
        Just(Op::Less)
    ];
    (name(), ops, prop::collection::vec(value(), 1..4))
        .prop_filter_map("comparison", |(field, op, values)| {
            Filter::field(&field.to_string(), op, values, &context()).ok()
        })
}

fn filter() -> impl Strategy<Value = Filter> {
    let term = prop_oneof![
        4 => comparison(),
        2 => value().prop_filter("any", |value| !value.is_any()).prop_map(|value| Term::Text(value).into()),
        1 => value().prop_map(|value| Filter::field("file", Op::Has, vec![value], &context()).unwrap()),
        1 => any::<i64>().prop_map(Filter::since),
        1 => (0..us("2100-01-01")).prop_map(Filter::until),
        1 => Just(Filter::errors()),
        1 => Just(Filter::all()),
    ];
    term.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::and),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::or),
            inner.prop_map(Filter::negated),
        ]
    })
}

/// The SQL without its values.
fn shape(filter: &Filter) -> Option<(String, usize)> {
    let schema = table();
    let compiled = compile(filter, &Columns { lenient: true, ..Columns::of(&schema) }).ok()?;
    Some((compiled.sql, compiled.parameters.len()))
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same_filter(filter in filter()) {
        let printed = filter.to_string();
        let read = parse(&printed);
        prop_assert_eq!(read.as_ref(), Ok(&filter), "{}", printed);
        prop_assert_eq!(read.unwrap().to_string(), printed);
    }

    #[test]
    fn json_reads_as_the_same_filter(filter in filter()) {
        let json = serde_json::to_string(&filter).unwrap();
        prop_assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter, "{}", json);
    }

    #[test]
    fn any_text_is_a_filter_or_an_error_with_a_place(text in text(), more in text()) {
        let whole = format!("{text} {more}");
        match Filter::parse(&whole, &Context::without_clock()) {
            Ok(filter) => {
                let schema = table();
                let _ = compile(&filter, &Columns::of(&schema)).map_err(|error| error.render(&whole));
            }
            Err(error) => {
                prop_assert!(error.at.is_none_or(|at| whole.is_char_boundary(at)), "{}", whole);
                prop_assert!(!error.render(&whole).is_empty());
            }
        }
    }

    #[test]
    fn values_never_change_the_sql(text in "[^*?]{1,20}", op in prop_oneof![Just(Op::Equal), Just(Op::Less), Just(Op::Unequal)]) {
        for name in ["kind", "artist", "\"it's \\\"so\\\"\"", "tags", "message"] {
            let with = |text: &str| Filter::field(name, op, vec![text.into()], &context()).unwrap();
            prop_assert_eq!(shape(&with(&text)), shape(&with("x")));
        }
        prop_assert_eq!(shape(&Filter::text(&*text)), shape(&Filter::text("x")));
        prop_assert_eq!(shape(&Filter::entity(&*text, &*text)), shape(&Filter::entity("x", "y")));
        let file = |path: &str| shape(&Filter::file(format!("{path}/")));
        prop_assert_eq!(file(&text), file("x"));
        let pattern = |text: &str| shape(&Term::Text(Value::pattern(&format!("a*{text}?"))).into());
        prop_assert_eq!(pattern(&text), pattern("x"));
        let unknown = |text: &str| shape(&Filter::field("nowhere", op, vec![text.into()], &context()).unwrap());
        prop_assert_eq!(unknown(&text), unknown("x"));
    }

    #[test]
    fn each_parameter_stands_once_in_the_sql(filter in filter()) {
        if let Some((sql, parameters)) = shape(&filter) {
            let numbers: Vec<usize> = sql
                .split("$p")
                .skip(1)
                .map(|tail| tail.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap())
                .collect();
            prop_assert_eq!(numbers, (1..=parameters).collect::<Vec<_>>());
            prop_assert_eq!(sql.matches('\'').count() % 2, 0);
        }
    }
}
