//! The reference of `daybook.toml`, and settings as a commented file: both from the declarations.

use super::Settings;
use crate::described::{Key, Setting, Takes};
use crate::layout;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// The complete reference, in Markdown.
pub fn reference() -> String {
    let mut out = format!(
        "# The settings: `{}`\n\n\
         A file in the folder of the store, in TOML, for every program that opens the store. It may be there before\n\
         the store is. Every key is optional, and an unknown key is an error. `daybook config check` reads the file\n\
         and says what is wrong; `daybook config show` prints the settings in force.\n\n\
         This file is printed by `daybook config reference`.\n",
        layout::SETTINGS
    );
    section(&mut out, (&[], false), &keys(), &defaults());
    out
}

/// The settings in force as a file: each key with its text, and those that are not in `written` marked.
pub fn shown(settings: &Settings, written: &str) -> String {
    let written: Table = toml::from_str(written).unwrap_or_default();
    let mut out = String::new();
    show(&mut out, &[], &keys(), &table_of(settings), &written);
    out.trim_start().to_string()
}

/// The paths of all keys; `NAME` stands for a name of the user's.
pub fn paths() -> BTreeSet<String> {
    fn add(paths: &mut BTreeSet<String>, before: &str, keys: &[Key]) {
        for key in keys {
            let path = format!("{before}{}", key.name);
            match &key.takes {
                Takes::Value(_) => {
                    paths.insert(path);
                }
                Takes::Table(keys) => add(paths, &format!("{path}."), keys),
                Takes::List(keys) => {
                    add(paths, &format!("{path}."), keys);
                    paths.insert(path);
                }
                Takes::Named(keys) => add(paths, &format!("{path}.NAME."), keys),
            }
        }
    }
    let mut paths = BTreeSet::new();
    add(&mut paths, "", &keys());
    paths
}

fn keys() -> Vec<Key> {
    match Settings::takes() {
        Takes::Table(keys) | Takes::Named(keys) | Takes::List(keys) => keys,
        Takes::Value(_) => Vec::new(),
    }
}

fn defaults() -> Table {
    table_of(&Settings::default())
}

fn table_of(settings: &Settings) -> Table {
    Table::try_from(settings).unwrap_or_default()
}

/// The heading of a table, and a row for each of its keys that takes a value; then the tables inside.
fn section(out: &mut String, (place, is_list): (&[&str], bool), keys: &[Key], defaults: &Table) {
    let heading = place.join(".");
    match is_list {
        _ if place.is_empty() => {}
        true => out.push_str(&format!("\n## `[[{heading}]]`\n")),
        false => out.push_str(&format!("\n## `[{heading}]`\n")),
    }
    let values: Vec<(&Key, &String)> = keys
        .iter()
        .filter_map(|key| match &key.takes {
            Takes::Value(words) => Some((key, words)),
            _ => None,
        })
        .collect();
    if !values.is_empty() {
        out.push_str("\n| key | takes | default | |\n|---|---|---|---|\n");
    }
    for (key, words) in values {
        let default = defaults.get(key.name).map(|value| format!("`{value}`")).unwrap_or_default();
        let about = key.about.replace('|', "\\|");
        out.push_str(&format!("| `{}` | {words} | {default} | {about} |\n", key.name));
    }
    for key in keys {
        let (name, inside) = match &key.takes {
            Takes::Value(_) => continue,
            Takes::Table(inside) | Takes::List(inside) => (vec![key.name], inside),
            Takes::Named(inside) => (vec![key.name, "NAME"], inside),
        };
        let is_list = matches!(key.takes, Takes::List(_));
        let defaults = defaults.get(key.name).and_then(Value::as_table).cloned().unwrap_or_default();
        let place: Vec<&str> = place.iter().copied().chain(name).collect();
        let mut text = String::new();
        section(&mut text, (&place, is_list), inside, &defaults);
        let (heading, rest) = text.trim_start().split_once('\n').unwrap_or((&text, ""));
        out.push_str(&format!("\n{heading}\n\n{}\n{rest}", key.about));
    }
}

fn show(out: &mut String, place: &[&str], keys: &[Key], settings: &Table, written: &Table) {
    if !place.is_empty() {
        out.push_str(&format!("\n[{}]\n", place.join(".")));
    }
    for key in keys.iter().filter(|key| matches!(key.takes, Takes::Value(_))) {
        let Some(value) = settings.get(key.name) else { continue };
        let origin = if written.contains_key(key.name) { "" } else { " (default)" };
        out.push_str(&format!("# {}{origin}\n{} = {value}\n", key.about, key.name));
    }
    for key in keys {
        let inner =
            |table: &Table| table.get(key.name).and_then(Value::as_table).cloned().unwrap_or_default();
        let list = settings.get(key.name).and_then(Value::as_array).cloned().unwrap_or_default();
        let (settings, written) = (inner(settings), inner(written));
        match &key.takes {
            Takes::Value(_) => {}
            Takes::List(_) => {
                let place: Vec<&str> = place.iter().copied().chain([key.name]).collect();
                show_list(out, &place, key, &list);
            }
            Takes::Table(keys) => {
                let place: Vec<&str> = place.iter().copied().chain([key.name]).collect();
                show(out, &place, keys, &settings, &written);
            }
            Takes::Named(keys) => {
                for (name, settings) in &settings {
                    let (Some(settings), Some(written)) =
                        (settings.as_table(), written.get(name).and_then(Value::as_table))
                    else {
                        continue;
                    };
                    let quoted = Value::String(name.clone()).to_string();
                    let place: Vec<&str> = place.iter().copied().chain([key.name, &quoted]).collect();
                    show(out, &place, keys, settings, written);
                }
            }
        }
    }
}

/// Tables one after the other, with the keys that they have.
fn show_list(out: &mut String, place: &[&str], key: &Key, list: &[Value]) {
    for entry in list.iter().filter_map(Value::as_table) {
        out.push_str(&format!("\n# {}\n[[{}]]\n", key.about, place.join(".")));
        for (name, value) in entry {
            out.push_str(&format!("{name} = {value}\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_reference_is_current() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/CONFIG.md");
        let printed = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(printed, reference(), "write it anew: `daybook config reference > cli/CONFIG.md`");
    }

    #[test]
    fn every_setting_is_a_key() {
        fn found(paths: &mut Vec<String>, before: &str, table: &Table) {
            for (name, value) in table {
                match value.as_table().filter(|_| name != "key_actions") {
                    Some(table) => found(paths, &format!("{before}{name}."), table),
                    None => paths.push(format!("{before}{name}")),
                }
            }
        }
        let mut settings = Vec::new();
        found(&mut settings, "", &defaults());
        assert!(settings.len() > 8);
        let known = paths();
        for path in settings {
            assert!(known.contains(&path), "{path} is not in {known:?}");
        }
        assert!(known.contains("mapping.NAME.columns"));
    }

    #[test]
    fn what_is_shown_reads_the_same() {
        for text in [
            "",
            "max_columns = 5\n[seal]\nevents = 7\n",
            "[mapping.\"my app\"]\nfrom = \"csv\"\n",
            "[[keep.policy]]\nmax_age_days = 7\n[[keep.policy]]\nfilter = \"level:debug\"\nmax_size = \"5MB\"\n",
        ] {
            let settings = Settings::parse(text).unwrap();
            let shown = shown(&settings, text);
            assert_eq!(Settings::parse(&shown).unwrap(), settings, "{shown}");
        }
        let text = "max_columns = 5";
        let shown = shown(&Settings::parse(text).unwrap(), text);
        assert!(shown.contains("`rest`.\nmax_columns = 5\n"), "{shown}");
        assert!(shown.contains("(default)\nevents = 100000\n"), "{shown}");
    }
}
