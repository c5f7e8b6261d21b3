//! Rows as a Markdown table.

use super::Times;
use super::cell::{self, cell};
use super::escape;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

/// Appends the names and the rule below them; columns of numbers are aligned to the right.
pub fn write_header(out: &mut Vec<u8>, schema: &Schema) {
    for field in schema.fields() {
        write_text(out, field.name());
    }
    out.extend_from_slice(b"|\n");
    for field in schema.fields() {
        out.extend_from_slice(if cell::is_numeric(field.data_type()) { b"| ---: " } else { b"| --- " });
    }
    out.extend_from_slice(b"|\n");
}

/// Appends a row; NULL is an empty cell.
pub fn write_row(out: &mut Vec<u8>, batch: &RecordBatch, row: usize, times: Times<'_>) {
    for column in batch.columns() {
        write_text(out, &cell::plain(&cell(column, row), times).unwrap_or_default());
    }
    out.extend_from_slice(b"|\n");
}

/// A cell, in which nothing is markup: neither Markdown's nor HTML's.
fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"| ");
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.extend_from_slice(b"<br>");
        }
        let mut before = ' ';
        let line = escape::visible(line);
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            let inside_word =
                before.is_alphanumeric() && letters.peek().is_some_and(|next| next.is_alphanumeric());
            if matches!(letter, '\\' | '`' | '*' | '[' | '<' | '&' | '|' | '~')
                || (letter == '_' && !inside_word)
            {
                out.push(b'\\');
            }
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            before = letter;
        }
    }
    out.push(b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        write_text(&mut out, text);
        assert_eq!(String::from_utf8_lossy(&out), format!("| {expected} "));
    }

    #[test]
    fn nothing_in_a_cell_is_markup() {
        check("file_update a_b _c_", "file_update a_b \\_c\\_");
        check("a|b", "a\\|b");
        check("<script>&amp;", "\\<script>\\&amp;");
        check("[x](javascript:y) `z` *w* ~~v~~", "\\[x](javascript:y) \\`z\\` \\*w\\* \\~\\~v\\~\\~");
        check("one\ntwo\r\nthree", "one<br>two<br>three");
        check("\u{1b}[31m", "\\\\u001b\\[31m");
        check("", "");
    }
}
