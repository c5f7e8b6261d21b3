//! Values of single arguments.

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use daybook::query::analyses::Every;
use daybook::{Encoding, Format};
use serde_json::Value;

/// A state around a change: given on the command line, or in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Json(Value),
    File(PathBuf),
}

/// `{"max":10}` or `@state.json`.
pub fn state(text: &str) -> Result<State, String> {
    match text.strip_prefix('@') {
        Some("") => Err("the name of a file is missing after `@`".to_string()),
        Some(file) => Ok(State::File(file.into())),
        None => serde_json::from_str(text)
            .map(State::Json)
            .map_err(|error| format!("not JSON ({error}); write `@` before the name of a file")),
    }
}

/// `2026-02-03`.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "not a day such as 2026-02-03".to_string())
}

/// `file:src/main.rs`: the type ends at the first colon.
pub fn entity(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Ok((kind.to_string(), id.to_string())),
        _ => Err("not a type and an id such as file:src/main.rs".to_string()),
    }
}

/// A finite number that is not negative.
pub fn milliseconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("not a number of milliseconds".to_string()),
    }
}

/// How long a stretch of a timeline is.
pub fn every(text: &str) -> Result<Every, String> {
    Every::parse(text).map_err(|error| error.hint().unwrap_or(error.message()).to_string())
}

/// The name of a format.
pub fn format(text: &str) -> Result<Format, String> {
    Format::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
        format!("no format of that name; there are: {}", names.join(", "))
    })
}

/// The name of an encoding.
pub fn encoding(text: &str) -> Result<Encoding, String> {
    Encoding::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Encoding::ALL.into_iter().map(Encoding::name).collect();
        format!("no encoding of that name; there are: {}", names.join(", "))
    })
}

/// `column=path`.
pub fn column_path(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, path)) if !column.is_empty() && !path.is_empty() => {
            Ok((column.to_string(), path.to_string()))
        }
        _ => Err("not a column and a path such as kind=event.name".to_string()),
    }
}

/// `key=value`; the key ends at the first `=`.
pub fn key_value(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_string(), json_or_text(value))),
        _ => Err("not a key and a value such as amount=12.5".to_string()),
    }
}

/// `name=text` or `name:=JSON`, where the name may be written with its `$`.
pub fn parameter(text: &str) -> Result<(String, Value), String> {
    let wrong = || "not a name and a value such as who=alice or n:=5".to_string();
    let text = text.strip_prefix('$').unwrap_or(text);
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let json = serde_json::from_str(value);
            (name, json.map_err(|error| format!("after `:=` comes JSON, and this is not: {error}"))?)
        }
        None => (name, Value::String(value.to_string())),
    };
    let name = name.to_string();
    if name.is_empty() {
        return Err(wrong());
    }
    if name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        Ok((name, value))
    } else {
        Err(format!("`{name}` is no name of a parameter: use letters, digits and `_`"))
    }
}

/// `500ms`, `30s`, `5m`, `1h`, or a number of seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time such as 500ms, 30s, 5m or 1h".to_string();
    let (number, unit) = number_and_unit(text);
    let scale = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let value = number.parse::<f64>().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(value * scale).map_err(|_| wrong())
}

/// `90d`, `12w`, `36h`.
pub fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "not an age such as 90d, 12w or 36h".to_string();
    let (number, unit) = number_and_unit(text);
    let hours: u64 = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 24 * 7,
        _ => return Err(wrong()),
    };
    let hours = number.parse::<u32>().ok().and_then(|number| u64::from(number).checked_mul(hours));
    hours.and_then(|hours| hours.checked_mul(3600)).map(Duration::from_secs).ok_or_else(wrong)
}

/// `512MB`, `1GB`, `1GiB`, or a number of bytes.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "not a size such as 512MB, 1GB or 1GiB".to_string();
    let (number, unit) = number_and_unit(text);
    let scale: f64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let value = number.parse::<f64>().map_err(|_| wrong())? * scale;
    if !(1.0..=1e18).contains(&value) {
        return Err(wrong());
    }
    Ok(value as u64)
}

fn number_and_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number.trim_end(), unit)
}

/// JSON where it is JSON, else text; digits that no number here holds stay text, so that none is lost.
fn json_or_text(text: &str) -> Value {
    let as_text = || Value::String(text.to_string());
    let Ok(value) = serde_json::from_str::<Value>(text) else { return as_text() };
    let digits_only = text.trim().trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    if value.is_f64() && digits_only { as_text() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_json_where_it_is_json() {
        let value = |text: &str| key_value(text).map(|(_, value)| value);
        assert_eq!(value("n=12.5"), Ok(json!(12.5)));
        assert_eq!(value("n=true"), Ok(json!(true)));
        assert_eq!(value("n=[1,2]"), Ok(json!([1, 2])));
        assert_eq!(value("n=\"12\""), Ok(json!("12")));
        assert_eq!(value("n=007"), Ok(json!("007")));
        assert_eq!(value("n="), Ok(json!("")));
        assert_eq!(value("n=a=b"), Ok(json!("a=b")));
        assert_eq!(value("n=-123456789012345678901234"), Ok(json!("-123456789012345678901234")));
        assert!(value("n").is_err());
        assert!(value("=1").is_err());
    }

    #[test]
    fn parameters_have_plain_names() {
        assert_eq!(parameter("$who=alice"), Ok(("who".to_string(), json!("alice"))));
        assert_eq!(parameter("n=12"), Ok(("n".to_string(), json!("12"))));
        assert_eq!(parameter("n:=12"), Ok(("n".to_string(), json!(12))));
        assert_eq!(parameter("n=:=12"), Ok(("n".to_string(), json!(":=12"))));
        assert_eq!(parameter("n:=[1,\"a\"]"), Ok(("n".to_string(), json!([1, "a"]))));
        assert!(["a b=1", "n:=x", "n", "=1", ":=1"].map(parameter).iter().all(Result::is_err));
    }

    #[test]
    fn durations_and_sizes_have_units() {
        let millis = |text: &str| duration(text).map(|value| value.as_millis());
        assert_eq!(
            ["500ms", "30s", "1.5", "5m", "1h"].map(millis),
            [500, 30_000, 1500, 300_000, 3_600_000].map(Ok)
        );
        assert!(["", "s", "-1s", "1 day", "1e999s", "nan"].map(duration).iter().all(Result::is_err));
        assert_eq!(
            ["1000", "512MB", "1GB", "1 GiB", "0.5kb"].map(size),
            [1000, 512_000_000, 1_000_000_000, 1 << 30, 500].map(Ok)
        );
        assert!(["", "0", "-1GB", "1XB", "inf"].map(size).iter().all(Result::is_err));
    }

    #[test]
    fn entities_end_their_type_at_the_first_colon() {
        assert_eq!(entity("file:c:/x"), Ok(("file".to_string(), "c:/x".to_string())));
        assert!(["file", ":x", "file:"].map(entity).iter().all(Result::is_err));
    }

    #[test]
    fn states_are_json_or_files() {
        assert_eq!(state("{\"a\":1}"), Ok(State::Json(json!({"a": 1}))));
        assert_eq!(state("@a.json"), Ok(State::File("a.json".into())));
        assert!(["@", "{"].map(state).iter().all(Result::is_err));
    }
}
