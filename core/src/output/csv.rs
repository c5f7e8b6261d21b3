//! Rows as CSV (RFC 4180), safe to open in a spreadsheet.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::Times;
use super::cell::{self, Cell, cell};

/// How values are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct CsvStyle<'a> {
    /// Text as it is, also text that a spreadsheet would run as a formula.
    pub raw: bool,
    /// How instants are written.
    pub times: Times<'a>,
}

/// Appends the line of names.
pub fn write_header(out: &mut Vec<u8>, schema: &Schema, style: CsvStyle<'_>) {
    for (place, field) in schema.fields().iter().enumerate() {
        separate(out, place);
        write_text(out, field.name(), style);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends a row: NULL is nothing (`""` where a row would be an empty line), empty text is `""`, binary data
/// base64, lists and structs JSON. Text that a spreadsheet would run as a formula gets a `'` in front.
pub fn write_row(out: &mut Vec<u8>, batch: &RecordBatch, row: usize, style: CsvStyle<'_>) {
    let start = out.len();
    for (place, column) in batch.columns().iter().enumerate() {
        separate(out, place);
        write_cell(out, &cell(column, row), style);
    }
    if out.len() == start {
        // Many readers skip empty lines, and would lose the row.
        out.extend_from_slice(b"\"\"");
    }
    out.extend_from_slice(b"\r\n");
}

fn write_cell(out: &mut Vec<u8>, value: &Cell<'_>, style: CsvStyle<'_>) {
    match value {
        Cell::Nested(array) => write_cell(out, &cell(array, 0), style),
        Cell::Text(text) => write_text(out, text, style),
        other => {
            let text = cell::plain(other, style.times).unwrap_or_default();
            match other {
                Cell::Null => {}
                Cell::Int(_) | Cell::Float(_) | Cell::Single(_) | Cell::Exact(_) => quote(out, "", &text),
                _ => write_text(out, &text, style),
            }
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str, style: CsvStyle<'_>) {
    let guard = if !style.raw && is_formula(text) { "'" } else { "" };
    quote(out, guard, text);
}

/// Whether a spreadsheet would run the text; a plain number is none, whatever its sign.
fn is_formula(text: &str) -> bool {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let number = || {
        let digits = text.trim_start_matches(['+', '-']);
        text.len() - digits.len() <= 1
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    risky && !number()
}

fn quote(out: &mut Vec<u8>, guard: &str, text: &str) {
    let plain = !text.is_empty()
        && !text.contains([',', ';', '"', '\r', '\n', '\t'])
        && !text.starts_with(' ')
        && !text.ends_with(' ');
    if plain {
        out.extend_from_slice(guard.as_bytes());
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(guard.as_bytes());
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

fn separate(out: &mut Vec<u8>, place: usize) {
    if place > 0 {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::*;

    use super::*;

    fn text(value: &str) -> String {
        let mut out = Vec::new();
        write_text(&mut out, value, CsvStyle::default());
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn what_needs_quotes_has_them() {
        assert_eq!(text("plain"), "plain");
        assert_eq!(text(""), "\"\"");
        assert_eq!(text("a,b"), "\"a,b\"");
        assert_eq!(text("say \"hi\"\nthere"), "\"say \"\"hi\"\"\nthere\"");
        assert_eq!(text(" a "), "\" a \"");
    }

    #[test]
    fn formulas_are_defused_and_numbers_left_alone() {
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("@SUM(A1),2"), "\"'@SUM(A1),2\"");
        assert_eq!(text("-2+3"), "'-2+3");
        assert_eq!(text("+cmd|x"), "'+cmd|x");
        assert_eq!(text("\t=1"), "\"'\t=1\"");
        assert_eq!(text("＝1"), "'＝1");
        assert_eq!(text("-"), "'-");
        assert_eq!(text("--1"), "'--1");
        assert_eq!(["-5", "+49123", "-1.5"].map(text), ["-5", "+49123", "-1.5"]);
        assert_eq!(text("a=b"), "a=b");
    }

    #[test]
    fn raw_text_is_as_it_is() {
        let mut out = Vec::new();
        write_text(&mut out, "=1+1", CsvStyle { raw: true, ..CsvStyle::default() });
        assert_eq!(out, b"=1+1");
    }

    #[test]
    fn null_and_empty_text_differ() {
        let batch = RecordBatch::try_from_iter_with_nullable(vec![
            ("n", Arc::new(Int64Array::from(vec![Some(-1), None])) as ArrayRef, true),
            ("=t", Arc::new(StringArray::from(vec![Some(""), None])) as ArrayRef, true),
            ("f", Arc::new(Float64Array::from(vec![f64::NEG_INFINITY, -0.5])) as ArrayRef, true),
        ])
        .unwrap();
        let mut out = Vec::new();
        write_header(&mut out, &batch.schema(), CsvStyle::default());
        write_row(&mut out, &batch, 0, CsvStyle::default());
        write_row(&mut out, &batch, 1, CsvStyle::default());
        assert_eq!(String::from_utf8_lossy(&out), "n,'=t,f\r\n-1,\"\",-inf\r\n,,-0.5\r\n");
    }
}
