//! Writes one JSON object as text, field by field, in the order given.

use std::fmt::{self, Write};

/// A JSON object under construction. Field names are written as they are: they need no escaping.
pub(super) struct Record {
    text: String,
    spaced: bool,
}

impl Record {
    /// Without blanks between the parts.
    pub(super) fn compact() -> Record {
        Record::start(false)
    }

    /// With a blank after each comma and colon, as Python writes it.
    pub(super) fn spaced() -> Record {
        Record::start(true)
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    pub(super) fn text(&mut self, name: &str, value: &str) -> &mut Record {
        self.say(name, format_args!("{value}"))
    }

    /// A string put together from parts.
    pub(super) fn say(&mut self, name: &str, value: fmt::Arguments<'_>) -> &mut Record {
        self.name(name);
        self.text.push('"');
        match value.as_str() {
            Some(plain) => escape(plain, &mut self.text),
            None => {
                // Writing to a `String` cannot fail.
                let _ = Escaped(&mut self.text).write_fmt(value);
            }
        }
        self.text.push('"');
        self
    }

    /// A string that is either there or `null`.
    pub(super) fn maybe(&mut self, name: &str, value: Option<&str>) -> &mut Record {
        match value {
            Some(value) => self.text(name, value),
            None => self.null(name),
        }
    }

    pub(super) fn number(&mut self, name: &str, value: impl Into<i64>) -> &mut Record {
        self.name(name);
        let _ = write!(self.text, "{}", value.into());
        self
    }

    /// `units` thousandths as a number with at least one decimal: 2500 is `2.5`.
    pub(super) fn thousandths(&mut self, name: &str, units: i64) -> &mut Record {
        self.name(name);
        let sign = if units < 0 { "-" } else { "" };
        let (whole, part) = (units.unsigned_abs() / 1000, units.unsigned_abs() % 1000);
        let _ = match (part % 10, part % 100) {
            (_, 0) => write!(self.text, "{sign}{whole}.{}", part / 100),
            (0, _) => write!(self.text, "{sign}{whole}.{:02}", part / 10),
            _ => write!(self.text, "{sign}{whole}.{part:03}"),
        };
        self
    }

    /// Cents as an amount: 150000 is `1500.0`.
    pub(super) fn cents(&mut self, name: &str, cents: i64) -> &mut Record {
        self.thousandths(name, cents * 10)
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) -> &mut Record {
        self.name(name);
        self.text.push_str(if value { "true" } else { "false" });
        self
    }

    pub(super) fn null(&mut self, name: &str) -> &mut Record {
        self.name(name);
        self.text.push_str("null");
        self
    }

    pub(super) fn object(&mut self, name: &str, fields: impl FnOnce(&mut Record)) -> &mut Record {
        self.name(name);
        self.text.push('{');
        fields(self);
        self.text.push('}');
        self
    }

    /// An object, or `null` when it has no fields.
    pub(super) fn object_or_null(&mut self, name: &str, fields: impl FnOnce(&mut Record)) -> &mut Record {
        self.object(name, fields);
        if self.text.ends_with("{}") {
            self.text.truncate(self.text.len() - 2);
            self.text.push_str("null");
        }
        self
    }

    pub(super) fn texts<'a>(&mut self, name: &str, items: impl IntoIterator<Item = &'a str>) -> &mut Record {
        self.name(name);
        self.text.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.comma();
            }
            self.text.push('"');
            escape(item, &mut self.text);
            self.text.push('"');
        }
        self.text.push(']');
        self
    }

    fn start(spaced: bool) -> Record {
        let mut text = String::with_capacity(640);
        text.push('{');
        Record { text, spaced }
    }

    fn name(&mut self, name: &str) {
        if !self.text.ends_with('{') {
            self.comma();
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str(if self.spaced { "\": " } else { "\":" });
    }

    fn comma(&mut self) {
        self.text.push_str(if self.spaced { ", " } else { "," });
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        escape(part, self.0);
        Ok(())
    }
}

fn escape(part: &str, into: &mut String) {
    if !part.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        into.push_str(part);
        return;
    }
    for character in part.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\t' => into.push_str("\\t"),
            control if (control as u32) < 0x20 => {
                let _ = write!(into, "\\u{:04x}", control as u32);
            }
            other => into.push(other),
        }
    }
}

/// A random (version 4) UUID, or one made from two numbers; displays in its usual form.
#[derive(Clone, Copy, Default)]
pub(super) struct Uuid(pub(super) u64, pub(super) u64);

impl fmt::Display for Uuid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let high = (self.0 & !0xf000) | 0x4000;
        let low = (self.1 & (u64::MAX >> 2)) | (1 << 63);
        Hex(high >> 32, 8).fmt(out)?;
        out.write_char('-')?;
        Hex(high >> 16, 4).fmt(out)?;
        out.write_char('-')?;
        Hex(high, 4).fmt(out)?;
        out.write_char('-')?;
        Hex(low >> 48, 4).fmt(out)?;
        out.write_char('-')?;
        Hex(low, 12).fmt(out)
    }
}

/// The last digits of a number in lower-case hexadecimal, at most 16.
#[derive(Clone, Copy)]
pub(super) struct Hex(pub(super) u64, pub(super) usize);

impl fmt::Display for Hex {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0_u8; 16];
        let count = self.1.min(16);
        for (place, digit) in digits.iter_mut().take(count).enumerate() {
            let nibble = ((self.0 >> (4 * (count - 1 - place))) & 0xf) as u8;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
        let text = digits.get(..count).and_then(|digits| std::str::from_utf8(digits).ok());
        out.write_str(text.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_json() {
        let mut record = Record::compact();
        record.text("a", "q\"b\\ \n\t\u{1} é 🎵").number("n", -5).cents("c", 150_000).cents("d", 1_205);
        record
            .thousandths("e", 2_345)
            .thousandths("f", -50)
            .null("z")
            .flag("t", true)
            .texts("l", ["x", "y\""]);
        record.object("o", |inner| {
            inner.maybe("p", None).object("empty", |_| {}).object_or_null("q", |_| {});
        });
        let text = record.finish();
        let expected = concat!(
            r#"{"a":"q\"b\\ \n\t\u0001 é 🎵","n":-5,"c":1500.0,"d":12.05,"#,
            r#""e":2.345,"f":-0.05,"z":null,"t":true,"l":["x","y\""],"o":{"p":null,"empty":{},"q":null}}"#
        );
        assert_eq!(text, expected);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn spaced_records_look_like_those_of_python() {
        let mut record = Record::spaced();
        record.number("a", 1).object("m", |inner| {
            inner.say("x", format_args!("{}-{}", "u", "v\"")).texts("y", ["1", "2"]);
        });
        assert_eq!(record.finish(), r#"{"a": 1, "m": {"x": "u-v\"", "y": ["1", "2"]}}"#);
    }

    #[test]
    fn uuids_are_of_version_4() {
        assert_eq!(Uuid(u64::MAX, 0).to_string(), "ffffffff-ffff-4fff-8000-000000000000");
        assert_eq!(Hex(0xabc, 5).to_string(), "00abc");
    }
}
