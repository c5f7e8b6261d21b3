pub mod reading;

use super::*;
use crate::format::Format;
use crate::format::detect::guesses;

#[test]
fn names_become_distinct() {
    let check = |names: &[&str], expected: &[&str], changed: bool| {
        let mut notes = Vec::new();
        assert_eq!(distinct(names.iter().map(ToString::to_string).collect(), &mut notes), expected);
        assert_eq!(!notes.is_empty(), changed, "{notes:?}");
    };
    check(&["a", "b"], &["a", "b"], false);
    check(&["a", "a", "", "a"], &["a", "a_2", "column_3", "a_3"], true);
    check(&["a", "a", "a_2"], &["a", "a_3", "a_2"], true);
    check(&["", "column_1"], &["column_2", "column_1"], true);
    let mut notes = Vec::new();
    assert_eq!(distinct(vec!["x".to_string(); 100_000], &mut notes).len(), 100_000);
    assert_eq!(
        notes,
        ["not all columns have a name of their own: column 2 is called `x_2` (and 99998 more)"]
    );
}

#[test]
fn the_kind_of_a_column_comes_from_its_cells() {
    let check = |cells: &[&str], expected: Kind| {
        let mut guess = KindGuess::default();
        cells.iter().for_each(|cell| guess.add(cell));
        assert_eq!(guess.kind(), expected, "{cells:?}");
    };
    check(&[], Kind::Text);
    check(&["", ""], Kind::Text);
    check(&["1", "-2", "", "3.5"], Kind::Number);
    check(&["1.0", "2.25"], Kind::Number);
    check(&["12.50", "3.00"], Kind::Decimals(2));
    check(&["1.10", "1.9"], Kind::Text);
    check(&["1", "x"], Kind::Text);
    check(&["01", "2"], Kind::Text);
    check(&["1e5", "2"], Kind::Text);
    check(&["-0"], Kind::Text);
    check(&["+1"], Kind::Text);
    check(&["9223372036854775807"], Kind::Number);
    check(&["9223372036854775808"], Kind::Text);
    check(&["true", "false", ""], Kind::Boolean);
    check(&["true", "1"], Kind::Text);
    check(&["True", "False"], Kind::Text);
}

#[test]
fn kinds_come_back_from_their_line() {
    for (kinds, line) in [
        (vec![Kind::Text, Kind::Text], "types:"),
        (vec![Kind::Number, Kind::Text, Kind::Boolean], "types: 1=number,3=boolean"),
        (vec![Kind::Text, Kind::Decimals(2)], "types: 2=decimal2"),
    ] {
        assert_eq!(kinds_line(&kinds, None), line);
        assert_eq!(kinds_of(line, kinds.len()), Some(kinds.clone()));
        assert_eq!(kinds_of(&kinds_line(&kinds, Some("delimiter=tab")), kinds.len()), Some(kinds));
    }
    assert_eq!(kinds_of("a,b,c", 3), None);
    assert_eq!(kinds_of("types: 0=number,9=number,x=y,1=decimal999,", 2), Some(vec![Kind::Text; 2]));
}

#[test]
fn cells_become_what_their_column_is_and_lose_nothing() {
    let check = |kind: Kind, cell: &str, expected: &str| {
        let columns = Columns { names: vec!["a".to_string()], kinds: vec![kind] };
        let mut writer = RowWriter::default();
        writer.begin();
        writer.cell(&columns, Some(cell));
        assert_eq!(
            std::str::from_utf8(writer.end(&columns).unwrap()).unwrap(),
            format!("{{\"a\":{expected}}}")
        );
    };
    check(Kind::Text, "1", "\"1\"");
    check(Kind::Text, "", "\"\"");
    check(Kind::Text, "{\"b\": [1]}", "{\"b\": [1]}");
    check(Kind::Text, "{b}", "\"{b}\"");
    check(Kind::Text, "[ERROR]", "\"[ERROR]\"");
    check(Kind::Number, "1.9", "1.9");
    check(Kind::Number, "2.0", "2.0");
    check(Kind::Number, "1.10", "\"1.10\"");
    check(Kind::Number, "007", "\"007\"");
    check(Kind::Number, "n/a", "\"n/a\"");
    check(Kind::Decimals(2), "1.10", "1.10");
    check(Kind::Decimals(2), "1.100", "\"1.100\"");
    check(Kind::Boolean, "true", "true");
    check(Kind::Boolean, "TRUE", "\"TRUE\"");
}

#[test]
fn formats_of_rows_and_pairs_are_told_apart() {
    let check = |text: &str, expected: Format| {
        let found = guesses(&reading::sample(text));
        let found: Vec<_> = found.iter().map(|guess| (guess.layout.format, guess.sure)).collect();
        assert_eq!(found.first().map(|(format, _)| *format), Some(expected), "{text}: {found:?}");
    };
    check("id,name,ts\n1,x,2024-01-15 10:30:00\n2,y,2024-01-15 10:31:00\n", Format::Csv);
    check("ts;level;message\n2024-01-15 10:30:00;info;hello=1 b=2\n", Format::Csv);
    check("timestamp\tuser\n2024-01-15T10:30:00Z\tann\n", Format::Csv);
    check("id,changes\n1,\"{\"\"a\"\": 1}\"\n2,\"{\"\"a\"\": 2}\"\n", Format::Csv);
    check("id\tname\tts\n1\t\\N\t2024-01-15 10:30:00\n", Format::Copy);
    check("SET a = b;\nCOPY t (id, ts) FROM stdin;\n1\t2024-01-15 10:30:00\n\\.\n", Format::Copy);
    check("ts=2024-01-15T10:30:00Z level=info msg=\"a, b, c\"\n", Format::Logfmt);
    check("{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n", Format::JsonLines);
    check("2024-01-15 10:30:00,123 INFO a=1, b=2\n2024-01-15 10:30:01,123 INFO a=1, b=2\n", Format::Text);
    check(
        "Jan 15 10:30:00 host su[1]: failed, again\nJan 15 10:30:01 host su[1]: failed, again\n",
        Format::Syslog,
    );
}
